# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The documented rules: refused before anything is sent, with the rule and the parameter."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.mailops.tls.plugins.module_utils._connector import canonical, constraints
from ansible_collections.mailops.tls.plugins.module_utils._connector import plan as p
from ansible_collections.mailops.tls.plugins.module_utils._connector.constraints import RulesBrokenError
from ansible_collections.mailops.tls.plugins.plugin_utils._exo.action import argument_spec, read_request

from tests.lab.exchange_online.fixture import StandIn
from tests.unit.connector.conftest import KINDS, Declare
from tests.unit.connector.samples import NOUN

BROKEN: list[tuple[str, str, dict[str, t.Any]]] = [
    ("inbound", "RestrictDomainsToCertificate", {"restrict_domains_to_certificate": True, "connector_type": "OnPremises"}),
    ("inbound", "RestrictDomainsToIPAddresses", {"restrict_domains_to_ip_addresses": True, "connector_type": "OnPremises"}),
    ("inbound", "TlsSenderCertificateName", {"restrict_domains_to_certificate": True, "tls_sender_certificate_name": None}),
    ("inbound", "SenderIPAddresses", {"restrict_domains_to_ip_addresses": True, "sender_ip_addresses": []}),
    (
        "inbound",
        "RequireTls",
        {"tls_sender_certificate_name": "contoso.com", "require_tls": False, "connector_type": "Partner"},
    ),
    ("inbound", "TreatMessagesAsInternal", {"treat_messages_as_internal": True, "connector_type": "Partner"}),
    ("inbound", "CloudServicesMailEnabled", {"treat_messages_as_internal": True, "cloud_services_mail_enabled": True}),
    ("inbound", "TrustedOrganizations", {"trusted_organizations": ["x"], "sender_ip_addresses": ["192.0.2.1"]}),
    ("outbound", "SmartHosts", {"use_mx_record": False, "smart_hosts": []}),
    ("outbound", "TlsDomain", {"tls_settings": "DomainValidation", "tls_domain": None}),
    ("outbound", "TlsSettings", {"tls_settings": "EncryptionOnly", "tls_domain": "contoso.com"}),
    ("outbound", "RouteAllMessagesViaOnPremises", {"route_all_messages_via_on_premises": True, "connector_type": "Partner"}),
    ("outbound", "AllAcceptedDomains", {"all_accepted_domains": True, "connector_type": "Partner"}),
    ("outbound", "SenderRewritingEnabled", {"sender_rewriting_enabled": True, "connector_type": "Partner"}),
]


@pytest.mark.parametrize(("direction", "parameter", "options"), BROKEN, ids=lambda value: value if isinstance(value, str) else "")
def test_refused_before_anything_is_written(
    exchange: StandIn, declare: Declare, direction: str, parameter: str, options: dict[str, t.Any]
) -> None:
    """Rules that no connector breaks before anything is sent; the others after a look at what is there."""
    with pytest.raises(RulesBrokenError, match=parameter) as caught:
        declare(direction, name="Contoso", **base(direction), **options)
    rules = [violation.rule for violation in caught.value.violations]
    assert rules[0].name in str(caught.value)
    assert all(cmdlet.startswith("Get-") for cmdlet in exchange.cmdlets())
    assert exchange.log() == [] or all(rule.held for rule in rules)


def base(direction: str) -> dict[str, t.Any]:
    """What a new connector needs."""
    return {"sender_domains": ["contoso.com"]} if direction == "inbound" else {}


# What Exchange Online is known to hold, though it has no effect, or not the one that it seems to have.
HELD: list[tuple[str, dict[str, t.Any], dict[str, t.Any]]] = [
    ("outbound", {"TlsSettings": "EncryptionOnly", "TlsDomain": "a.example"}, {"tls_domain": "b.example"}),
    ("inbound", {"TlsSenderCertificateName": "a.example", "RequireTls": False}, {"tls_sender_certificate_name": "b.example"}),
    ("inbound", {"RestrictDomainsToCertificate": True}, {"tls_sender_certificate_name": None}),
    ("inbound", {"RestrictDomainsToIPAddresses": True}, {"sender_ip_addresses": []}),
    (
        "inbound",
        {"ConnectorType": "OnPremises", "RestrictDomainsToCertificate": True, "TlsSenderCertificateName": "a.example"},
        {},
    ),
    ("inbound", {"TrustedOrganizations": ["a.example"], "SenderIPAddresses": ["192.0.2.1"]}, {}),
]


@pytest.mark.parametrize(("direction", "loaded", "changes"), HELD, ids=str)
def test_what_is_there_already_is_no_change_whatever_the_rules_say(
    exchange: StandIn, declare: Declare, direction: str, loaded: dict[str, t.Any], changes: dict[str, t.Any]
) -> None:
    """So that a tenant can be adopted. It is warned about, and a change of it is refused."""
    required = {"SenderDomains": ["contoso.com"]} if direction == "inbound" else {}
    exchange.load(**{NOUN[direction]: [{"Name": "Old", **required, **loaded}]})
    found = declare(direction, name="Old").live
    assert found is not None
    as_it_is = {option: canonical.to_user(value) for option, value in found.values.items()}
    same = declare(direction, **as_it_is)
    assert (same.plan.action, same.written) == (p.NONE, False)
    assert any("it is so already" in warning for warning in same.warnings)
    # Something else may change; what breaks the rule must not, and a copy of it is not made.
    assert declare(direction, **{**as_it_is, "comment": "adopted"}).written
    exchange.clear_log()
    with pytest.raises(RulesBrokenError):
        declare(direction, **{**as_it_is, "name": "New", "comment": "adopted"})
    if any(value for value in changes.values()):
        with pytest.raises(RulesBrokenError):
            declare(direction, **{**as_it_is, "comment": "adopted", **changes})
    assert exchange.writes() == []


def test_every_rule_is_tried() -> None:
    for direction, kind in KINDS.items():
        broken: set[str] = set()
        for of, _parameter, options in BROKEN:
            if of == direction:
                declared = {option: kind.table[option].default if value is None else value for option, value in options.items()}
                broken |= {found.rule.name for found in constraints.violations(kind.table, kind.rules, declared, set(declared))}
        # This one has a test of its own.
        assert broken == {rule.name for rule in kind.rules} - {"sender_domains_needed"}


@pytest.mark.parametrize(
    ("direction", "options", "text"),
    [
        ("inbound", {"sender_ip_addresses": ["192.0.2.1"], "connector_type": "Partner"}, "SenderIPAddresses"),
        ("outbound", {"smart_hosts": ["mx.contoso.com"], "use_mx_record": True}, "SmartHosts"),
    ],
)
def test_advice_is_a_warning(declare: Declare, direction: str, options: dict[str, t.Any], text: str) -> None:
    base = {"sender_domains": ["contoso.com"]} if direction == "inbound" else {}
    for _run in range(2):
        outcome = declare(direction, name="Contoso", **base, **options)
        assert any(text in warning for warning in outcome.warnings)


def test_what_somebody_else_left_behind_stops_nobody(exchange: StandIn, declare: Declare) -> None:
    exchange.load(
        InboundConnector=[
            {"Name": "Old", "SenderDomains": ["*"], "ConnectorType": "OnPremises", "RestrictDomainsToCertificate": True}
        ]
    )
    assert declare("inbound", name="Old", comment="known").written


def test_a_new_inbound_connector_needs_sender_domains(exchange: StandIn, declare: Declare) -> None:
    with pytest.raises(RulesBrokenError, match=r"sender_domains \(SenderDomains\)"):
        declare("inbound", name="New", require_tls=True)
    exchange.clear_log()
    with pytest.raises(RulesBrokenError, match=r"sender_domains \(SenderDomains\): must not be empty"):
        declare("inbound", name="New", sender_domains=[])
    assert exchange.log() == []
    with pytest.raises(RulesBrokenError, match="connector_type OnPremises; declare connector_type"):
        declare("inbound", name="New", sender_domains=["*"], treat_messages_as_internal=True)
    assert exchange.writes() == []


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"name": "x" * 65}, "name"),
        ({"name": " x"}, "space"),
        ({"name": "a\nb"}, "printable"),
        ({"name": "a", "new_name": "x" * 65}, "new_name"),
        ({"name": "a", "new_name": "b", "state": "absent"}, "absent"),
        ({"name": "a", "wait_timeout": -1.0}, "wait_timeout"),
    ],
)
def test_names_and_other_options(options: dict[str, t.Any], text: str) -> None:
    kind = KINDS["inbound"]
    args = {name: entry.get("default") for name, entry in argument_spec(kind).items()}
    with pytest.raises(ValueError, match=text):
        read_request(kind, {**args, **options}, set(options))
