# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a declaration becomes is what the modules take: the linter speaks before they would refuse."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.mailops.tls.plugins.module_utils._connector import fields as f
from ansible_collections.mailops.tls.plugins.module_utils._connector import plan as p
from ansible_collections.mailops.tls.plugins.module_utils._postfix import declared
from ansible_collections.mailops.tls.plugins.plugin_utils._action.declarations import as_modules_read_them, rule_findings
from ansible_collections.mailops.tls.plugins.plugin_utils._declaration.model import REQUIREMENTS
from ansible_collections.mailops.tls.plugins.plugin_utils._declaration.options import DEFAULTS, Direction
from ansible_collections.mailops.tls.plugins.plugin_utils._declaration.parse import parse_partners
from ansible_collections.mailops.tls.plugins.plugin_utils._declaration.to_exchange_online import connectors
from ansible_collections.mailops.tls.plugins.plugin_utils._declaration.to_postfix import requirements
from ansible_collections.mailops.tls.plugins.plugin_utils._exo.action import argument_spec, read_request
from ansible_collections.mailops.tls.plugins.plugin_utils._exo.converge import judge
from ansible_collections.mailops.tls.plugins.plugin_utils._exo.inbound import INBOUND
from ansible_collections.mailops.tls.plugins.plugin_utils._exo.kinds import Kind
from ansible_collections.mailops.tls.plugins.plugin_utils._exo.outbound import OUTBOUND
from ansible_collections.mailops.tls.plugins.plugin_utils._findings.model import Finding
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.connector.lint import lint_declarations
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.connector.model import Connector
from hypothesis import given, settings
from hypothesis import strategies as st

KINDS: dict[Direction, Kind] = {"inbound": INBOUND, "outbound": OUTBOUND}
Partner = dict[str, t.Any]

DOMAINS = st.lists(st.sampled_from(["contoso.com", "*.contoso.com", "a.contoso.com", "*"]), min_size=1, max_size=3, unique=True)
NAMES = st.lists(st.sampled_from(["mail.contoso.com", "*.contoso.com", "mx.other.example"]), max_size=2, unique=True)
ADDRESSES = st.lists(st.sampled_from(["203.0.113.9", "203.0.113.7/24", "203.0.112.0/22", "2001:db8::1", "10.0.0.1"]), max_size=2)

# What a user may write for an option of each kind, mistakes included.
ANY_NAME = st.sampled_from(["contoso.com", "*.contoso.com", "Bücher.example", "", None, "a b", "*", "<I>CN=a<S>CN=B", 7])
ITEMS: dict[str, list[t.Any]] = {
    f.DOMAINS: ["contoso.com", "*", "smtp:contoso.com;1", "contoso.com;3", "user@contoso.com"],
    f.SMTP_DOMAINS: ["contoso.com", "contoso.com;3", "*", "con*so.com"],
    f.NETWORKS: ["192.0.2.1", "192.0.2.77/24", "192.0.2.0/23", "2001:db8::1", "nowhere"],
    f.HOSTS: ["mx.contoso.com", "[MX.contoso.com]", "[192.0.2.1]", "192.0.2.0/28", "a b", "*"],
    f.RANGES: ["192.0.2.1-192.0.2.9", "192.0.2.9-192.0.2.1", "192.0.2.0/28"],
    f.NAMES: ["user@contoso.com", "Contoso Ltd", " "],
}


def written(field: t.Any) -> st.SearchStrategy[t.Any]:
    if field.is_list:
        items = st.sampled_from(ITEMS[field.kind])
        return st.lists(items, max_size=3) | items | st.none()
    if field.kind == f.BOOL:
        return st.booleans() | st.sampled_from(["yes", "off", "perhaps", None])
    if field.kind == f.CHOICE:
        return st.sampled_from([*field.choices, *(word.lower() for word in field.choices), "AdminUI", "Mandotory", "", None])
    return st.sampled_from(["CHG-1", "", None, 123]) if field.kind == f.TEXT else ANY_NAME


def options(direction: Direction) -> st.SearchStrategy[dict[str, t.Any]]:
    """Any options below `exchange_online`: those that a declaration may set, with any values."""
    fields = [
        field for field in KINDS[direction].table if field.option in DEFAULTS[direction] and field.option != "connector_type"
    ]
    chosen = st.lists(st.sampled_from(fields), max_size=4, unique_by=lambda field: field.option)
    return chosen.flatmap(lambda some: st.fixed_dictionaries({field.option: written(field) for field in some}))


INBOUND_SIDE = st.fixed_dictionaries(
    {"requirement": st.sampled_from(["opportunistic", "encrypted", "verified"])},
    optional={
        "certificate_names": NAMES,
        "addresses": ADDRESSES,
        "fingerprints": st.just(["6b" * 32]),
        "exchange_online": options("inbound"),
    },
)
OUTBOUND_SIDE = st.fixed_dictionaries(
    {"requirement": st.sampled_from(["opportunistic", "encrypted", "trusted", "verified"])},
    optional={
        "certificate_names": NAMES,
        "smart_hosts": st.lists(
            st.sampled_from(["mail.contoso.com", "[mail.contoso.com]", "203.0.113.9", "192.0.2.0/28"]), max_size=2
        ),
        "ca_file": st.just("/etc/ssl/contoso.pem"),
        "postfix": st.fixed_dictionaries(
            {},
            optional={
                "protocols": st.sampled_from([[">=TLSv1.2"], ">=TLSv1.2", ["TLS9"], "TLSv1.2,TLS9"]),
                "ciphers": st.sampled_from(["high", "strongest", None]),
                "servername": st.sampled_from(["hostname", "mx.contoso.com", "a b"]),
            },
        ),
        "exchange_online": options("outbound"),
    },
)
PARTNER = st.fixed_dictionaries(
    {"name": st.just("Contoso"), "type": st.sampled_from(["partner", "hybrid"]), "domains": DOMAINS},
    optional={"inbound": INBOUND_SIDE, "outbound": OUTBOUND_SIDE},
).filter(lambda partner: "inbound" in partner or "outbound" in partner)


@pytest.mark.parametrize("direction", ["inbound", "outbound"])
def test_declarations_know_the_options_of_the_modules(direction: Direction) -> None:
    fields = {field.option: field for field in KINDS[direction].table if field.option != "name"}
    assert set(DEFAULTS[direction]) == set(fields)
    for name, default in DEFAULTS[direction].items():
        assert isinstance(default, tuple) == fields[name].is_list, name


def read(*partners: Partner) -> tuple[t.Any, ...]:
    return as_modules_read_them(parse_partners(list(partners)))


def findings(partners: t.Sequence[t.Any], existing: dict[str, t.Any] | None = None) -> list[Finding]:
    """As connector_declaration has them."""
    context = {"observed_at": "", "host": "localhost"}
    found = lint_declarations(partners, ["contoso.com"], targets=["exchange_online"], existing=existing, **context)
    return found + rule_findings(partners, existing or {}, found, **context)


def refused(kind: Kind, connector: dict[str, t.Any]) -> str | None:
    """What the module says to a connector that is not there yet; None when it would create it."""
    args = {name: entry.get("default") for name, entry in argument_spec(kind).items()}
    try:
        request = read_request(kind, {**args, **connector}, set(connector))
        planned = p.plan(kind.table, None, {**request.declared, "name": request.name})
        judge(kind, planned, request.declared, new=True)
    except ValueError as error:
        return str(error)
    return None


@settings(max_examples=300, deadline=None)
@given(PARTNER)
def test_what_is_let_through_the_modules_take(partner: Partner) -> None:
    try:
        partners = read(partner)
    except ValueError as error:
        # Misspelt: refused as a whole, with its place.
        assert str(error).startswith("partners[0] (Contoso): "), error
        return
    failing = {one.subject.name for one in findings(partners) if one.status == "fail" and one.subject.kind == "connector"}
    for direction, made in connectors(partners).items():
        for connector in made:
            said = refused(KINDS[t.cast("Direction", direction)], connector)
            assert said is None or f"{direction} {connector['name']}" in failing, said
    found = requirements(partners)
    declared.entries(found["destinations"], found["clients"])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"outbound": {"exchange_online": {"smtp_dane_mode": "Mandotory"}}}, "outbound.exchange_online: smtp_dane_mode"),
        ({"outbound": {"exchange_online": {"smtp_dane_mode": None}}}, "write Opportunistic or 'None'"),
        (
            {"outbound": {"exchange_online": {"smart_hosts": ["a b"], "use_mx_record": False}}},
            "smart_hosts (SmartHosts): must be",
        ),
        ({"outbound": {"exchange_online": {"enabled": "perhaps"}}}, "outbound.exchange_online: argument 'enabled'"),
        ({"inbound": {"exchange_online": {"require_tls": None}}}, "inbound.exchange_online: require_tls (RequireTls): null"),
        ({"outbound": {"postfix": {"protocols": ["TLS9"]}}}, "'TLS9' is no protocol"),
        ({"outbound": {"postfix": {"protocols": "TLS9"}}}, "'TLS9' is no protocol"),
        ({"outbound": {"postfix": {"ciphers": "strongest"}}}, "outbound.postfix: value of ciphers must be one of"),
        ({"outbound": {"postfix": {"servername": "a b"}}}, "'a b' is no domain name"),
    ],
)
def test_values_that_a_module_would_refuse_are_refused_with_their_place(changes: Partner, message: str) -> None:
    good = {"requirement": "encrypted"}
    partner = {"name": "P", "domains": ["p.example"]} | {side: {**good, **more} for side, more in changes.items()}
    with pytest.raises(ValueError) as caught:
        read({"name": "Good", "domains": ["good.example"], "outbound": good}, partner)
    assert str(caught.value).startswith("partners[1] (P): ")
    assert message in str(caught.value)


def test_options_have_the_form_that_the_modules_give_them() -> None:
    inbound = {
        "requirement": "encrypted",
        "exchange_online": {"enabled": "no", "connector_source": "AdminUI", "ef_users": "a@x,b@x"},
    }
    outbound = {
        "requirement": "encrypted",
        "exchange_online": {"comment": 123, "smtp_dane_mode": "none"},
        "postfix": {"protocols": ">=TLSv1.2"},
    }
    (partner,) = read({"name": "P", "domains": ["p.example"], "inbound": inbound, "outbound": outbound})
    assert partner.inbound.exchange_online == {"enabled": False, "connector_source": "Default", "ef_users": ["a@x", "b@x"]}
    assert partner.outbound.exchange_online == {"comment": "123", "smtp_dane_mode": "None"}
    assert partner.outbound.postfix == {"protocols": [">=TLSv1.2"]}


VERIFIED = {"requirement": "verified", "certificate_names": ["mail.p.example"]}
TOGETHER: tuple[tuple[Partner, str], ...] = (
    (
        {"inbound": {"requirement": "opportunistic", "exchange_online": {"tls_sender_certificate_name": "mail.p.example"}}},
        "certificate_name_needs_require_tls",
    ),
    (
        {"type": "hybrid", "inbound": {**VERIFIED, "exchange_online": {"restrict_domains_to_certificate": True}}},
        "restrict_domains_to_certificate_only_partner",
    ),
    ({"inbound": {**VERIFIED, "exchange_online": {"trusted_organizations": ["x"]}}}, "trusted_organizations_alone"),
    ({"inbound": {**VERIFIED, "exchange_online": {"sender_domains": []}}}, "sender_domains_needed"),
    ({"outbound": {**VERIFIED, "exchange_online": {"tls_settings": "EncryptionOnly"}}}, "tls_domain_only_domain_validation"),
    ({"outbound": {"requirement": "verified"}}, "domain_validation_needs_name"),
)


@pytest.mark.parametrize(("changes", "rule"), TOGETHER, ids=lambda value: value if isinstance(value, str) else "")
def test_options_that_exclude_each_other_fail(changes: Partner, rule: str) -> None:
    found = findings(read({"name": "P", "domains": ["p.example"], **changes}))
    said = [one for one in found if one.id == "connector.combination_refused" and f"[rule {rule}]" in one.summary]
    assert [one.status for one in said] == ["fail"]
    assert said[0].evidence


def test_what_the_linter_says_already_is_not_said_twice() -> None:
    side = {"requirement": "encrypted", "exchange_online": {"all_accepted_domains": True}}
    found = findings(read({"name": "P", "domains": ["p.example"], "outbound": side}))
    assert [one.id for one in found].count("connector.combination_refused") == 1


def test_what_the_tenant_has_already_is_not_refused() -> None:
    """It stays as it is. A change of what breaks the rule is refused."""
    side = {"requirement": "encrypted", "exchange_online": {"tls_domain": "a.example", "comment": "adopted"}}
    partners = read({"name": "P", "domains": ["p.example"], "outbound": side})
    there = {
        "name": "p OUTBOUND",
        "connector_type": "Partner",
        "recipient_domains": ["p.example"],
        "tls_settings": "EncryptionOnly",
    }

    def rules(tls_domain: str | None) -> list[str]:
        found = findings(partners, {"outbound": [{**there, "tls_domain": tls_domain}]})
        return [one.summary for one in found if one.id == "connector.combination_refused"]

    assert rules("a.example") == []
    there |= {"guid": there["name"], "name": "Another"}
    assert rules("a.example") == []
    assert len(rules("b.example")) == len(rules(None)) == 1


@settings(max_examples=200, deadline=None)
@given(PARTNER)
def test_a_connector_never_demands_less_than_was_declared_without_a_finding(partner: dict[str, t.Any]) -> None:
    try:
        partners = read(partner)
    except ValueError:
        return
    failing = {one.subject.name for one in findings(partners) if one.status == "fail"}
    made = connectors(partners)
    for direction, side in (("inbound", partners[0].inbound), ("outbound", partners[0].outbound)):
        if side is None or f"{direction} {side.connector}" in failing:
            continue
        (options,) = made[direction]
        held = Connector.read(t.cast("Direction", direction), options).requirement
        assert REQUIREMENTS.index(held) >= REQUIREMENTS.index(side.requirement)
