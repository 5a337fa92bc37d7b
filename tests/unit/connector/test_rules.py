# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The documented rules: refused before anything is sent, with the rule and the parameter."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.mailops.tls.plugins.module_utils._connector import constraints
from ansible_collections.mailops.tls.plugins.module_utils._connector.constraints import RulesBrokenError
from ansible_collections.mailops.tls.plugins.plugin_utils._exo.action import argument_spec, read_request

from tests.lab.exchange_online.fixture import StandIn
from tests.unit.connector.conftest import KINDS, Declare

BROKEN: list[tuple[str, str, dict[str, t.Any]]] = [
    ("inbound", "SenderDomains", {"sender_domains": []}),
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
def test_refused_before_anything_is_sent(
    exchange: StandIn, declare: Declare, direction: str, parameter: str, options: dict[str, t.Any]
) -> None:
    with pytest.raises(RulesBrokenError, match=parameter) as caught:
        declare(direction, name="Contoso", **options)
    assert caught.value.violations[0].rule.name in str(caught.value)
    assert exchange.log() == []


def test_every_rule_is_tried() -> None:
    for direction, kind in KINDS.items():
        broken: set[str] = set()
        for of, _parameter, options in BROKEN:
            if of == direction:
                declared = {option: kind.table[option].default if value is None else value for option, value in options.items()}
                broken |= {found.rule.name for found in constraints.violations(kind.table, kind.rules, declared, set(declared))}
        assert broken == {rule.name for rule in kind.rules}


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
