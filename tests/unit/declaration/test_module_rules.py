# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a declaration becomes is what the modules take: the linter speaks before they would refuse."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.mailops.tls.plugins.module_utils._connector import canonical, constraints
from ansible_collections.mailops.tls.plugins.module_utils._postfix import declared
from ansible_collections.mailops.tls.plugins.plugin_utils._declaration.model import REQUIREMENTS
from ansible_collections.mailops.tls.plugins.plugin_utils._declaration.options import DEFAULTS, Direction
from ansible_collections.mailops.tls.plugins.plugin_utils._declaration.parse import parse_partners
from ansible_collections.mailops.tls.plugins.plugin_utils._declaration.to_exchange_online import connectors
from ansible_collections.mailops.tls.plugins.plugin_utils._declaration.to_postfix import requirements
from ansible_collections.mailops.tls.plugins.plugin_utils._exo.inbound import INBOUND
from ansible_collections.mailops.tls.plugins.plugin_utils._exo.kinds import Kind
from ansible_collections.mailops.tls.plugins.plugin_utils._exo.outbound import OUTBOUND
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.connector.lint import lint_declarations
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.connector.model import Connector
from hypothesis import given, settings
from hypothesis import strategies as st

KINDS: dict[Direction, Kind] = {"inbound": INBOUND, "outbound": OUTBOUND}
# Facts that the service keeps about a connector, and nothing to declare.
STATE = {"is_validated"}

DOMAINS = st.lists(st.sampled_from(["contoso.com", "*.contoso.com", "a.contoso.com", "*"]), min_size=1, max_size=3, unique=True)
NAMES = st.lists(st.sampled_from(["mail.contoso.com", "*.contoso.com", "mx.other.example"]), max_size=2, unique=True)
ADDRESSES = st.lists(st.sampled_from(["203.0.113.9", "203.0.113.0/24", "203.0.112.0/22", "2001:db8::1", "10.0.0.1"]), max_size=2)
INBOUND_SIDE = st.fixed_dictionaries(
    {"requirement": st.sampled_from(["opportunistic", "encrypted", "verified"])},
    optional={
        "certificate_names": NAMES,
        "addresses": ADDRESSES,
        "fingerprints": st.just(["6b" * 32]),
        "exchange_online": st.fixed_dictionaries(
            {},
            optional={
                "treat_messages_as_internal": st.booleans(),
                "require_tls": st.booleans(),
                "restrict_domains_to_ip_addresses": st.booleans(),
            },
        ),
    },
)
OUTBOUND_SIDE = st.fixed_dictionaries(
    {"requirement": st.sampled_from(["opportunistic", "encrypted", "trusted", "verified"])},
    optional={
        "certificate_names": NAMES,
        "smart_hosts": st.lists(st.sampled_from(["mail.contoso.com", "203.0.113.9"]), max_size=2),
        "ca_file": st.just("/etc/ssl/contoso.pem"),
        "postfix": st.just({"protocols": [">=TLSv1.2"], "ciphers": "high"}),
        "exchange_online": st.fixed_dictionaries(
            {}, optional={"use_mx_record": st.booleans(), "route_all_messages_via_on_premises": st.booleans()}
        ),
    },
)
PARTNER = st.fixed_dictionaries(
    {"name": st.just("Contoso"), "type": st.sampled_from(["partner", "hybrid"]), "domains": DOMAINS},
    optional={"inbound": INBOUND_SIDE, "outbound": OUTBOUND_SIDE},
).filter(lambda partner: "inbound" in partner or "outbound" in partner)


@pytest.mark.parametrize("direction", ["inbound", "outbound"])
def test_declarations_know_the_options_of_the_modules(direction: Direction) -> None:
    options = {field.option: field for field in KINDS[direction].table if field.option != "name"}
    assert set(DEFAULTS[direction]) == set(options) - STATE
    for name, default in DEFAULTS[direction].items():
        assert isinstance(default, tuple) == options[name].is_list, name


@settings(max_examples=80, deadline=None)
@given(PARTNER)
def test_what_the_linter_lets_through_the_connector_modules_take(partner: dict[str, t.Any]) -> None:
    partners = parse_partners([partner])
    findings = lint_declarations(partners, ["contoso.com", "other.example"], observed_at="", targets=["exchange_online"])
    failing = {one.id for one in findings if one.status == "fail" and one.subject.kind == "connector"}
    refused = set()
    for direction, made in connectors(partners).items():
        kind = KINDS[t.cast("Direction", direction)]
        for connector in made:
            try:
                values = {
                    field.option: canonical.from_user(field, connector[field.option])
                    for field in kind.table
                    if field.option in connector
                }
            except ValueError:
                refused.add(direction)
                continue
            if constraints.violations(kind.table, kind.rules, values, set(values)):
                refused.add(direction)
    subjects = {
        one.subject.name.partition(" ")[0] for one in findings if one.status == "fail" and one.subject.kind == "connector"
    }
    assert refused <= subjects, (refused, failing)


@settings(max_examples=80, deadline=None)
@given(PARTNER)
def test_what_is_translated_for_postfix_its_module_takes(partner: dict[str, t.Any]) -> None:
    """No finding is needed for that: what Postfix cannot hold is never translated."""
    found = requirements(parse_partners([partner]))
    declared.entries(found["destinations"], found["clients"])


@settings(max_examples=60, deadline=None)
@given(PARTNER)
def test_a_connector_never_demands_less_than_was_declared_without_a_finding(partner: dict[str, t.Any]) -> None:
    partners = parse_partners([partner])
    failing = {
        one.subject.name
        for one in lint_declarations(partners, None, observed_at="", targets=["exchange_online"])
        if one.status == "fail"
    }
    made = connectors(partners)
    for direction, side in (("inbound", partners[0].inbound), ("outbound", partners[0].outbound)):
        if side is None or f"{direction} {side.connector}" in failing:
            continue
        (options,) = made[direction]
        held = Connector.read(t.cast("Direction", direction), options).requirement
        assert REQUIREMENTS.index(held) >= REQUIREMENTS.index(side.requirement)
