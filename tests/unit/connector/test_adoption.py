# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A tenant as it was found, with all that nobody would make anew: exported, read again, applied by the modules, and unchanged."""

from __future__ import annotations

import typing as t

import pytest
import yaml
from ansible_collections.mailops.tls.plugins.plugin_utils._action.declarations import as_modules_read_them, rule_findings
from ansible_collections.mailops.tls.plugins.plugin_utils._declaration.parse import parse_partners
from ansible_collections.mailops.tls.plugins.plugin_utils._declaration.to_exchange_online import connectors
from ansible_collections.mailops.tls.plugins.plugin_utils._exo.tenant import examine

from tests.lab.exchange_online.fixture import StandIn
from tests.unit.connector.conftest import Declare

Rows = list[dict[str, t.Any]]

INBOUND: Rows = [
    {"Name": "Plain", "SenderDomains": ["a.example"], "RequireTls": True},
    {"Name": "Name without TLS", "SenderDomains": ["b.example"], "RequireTls": False, "TlsSenderCertificateName": "b.example"},
    {"Name": "Certificate without name", "SenderDomains": ["c.example"], "RestrictDomainsToCertificate": True},
    {"Name": "Addresses without addresses", "SenderDomains": ["g.example"], "RestrictDomainsToIPAddresses": True},
    {
        "Name": "Ours, restricted",
        "ConnectorType": "OnPremises",
        "SenderDomains": ["*"],
        "RestrictDomainsToCertificate": True,
        "RestrictDomainsToIPAddresses": True,
        "SenderIPAddresses": ["203.0.113.9"],
        "TlsSenderCertificateName": "mail.contoso.com",
    },
    {"Name": "Priorities", "SenderDomains": ["d.example;10", "smtp:e.example"]},
    {"Name": "Organizations", "SenderDomains": ["f.example"], "TrustedOrganizations": ["Org.onmicrosoft.com"]},
    {
        "Name": "Organizations and more",
        "SenderDomains": ["i.example"],
        "TrustedOrganizations": ["Org.onmicrosoft.com"],
        "SenderIPAddresses": ["203.0.113.9"],
    },
    {
        "Name": "By certificate",
        "SenderDomains": ["j.example"],
        "TlsSenderCertificateName": "<I>CN=CA, O=Some<S>CN=Mail.J.example",
    },
    {"Name": "No dot", "SenderDomains": ["localhost"]},
    {"Name": "Bücher inbound", "SenderDomains": ["xn--bcher-kva.example"], "ClientHostNames": ["x"]},
    {"Name": "501", "SenderDomains": [f"d{number}.example" for number in range(501)]},
]
OUTBOUND: Rows = [
    {"Name": "Leftover name", "RecipientDomains": ["a.example"], "TlsSettings": "EncryptionOnly", "TlsDomain": "a.example"},
    {
        "Name": "By rule, in test",
        "IsTransportRuleScoped": True,
        "TestMode": True,
        "MtaStsMode": "None",
        "SmtpDaneMode": "Mandatory",
    },
    {
        "Name": "Validated",
        "RecipientDomains": ["q.example"],
        "TlsSettings": "DomainValidation",
        "TlsDomain": "*.q.example",
        "IsValidated": True,
        "ValidationRecipients": ["A@q.example"],
        "Comment": "two\nlines",
    },
    {"Name": "Networks", "RecipientDomains": ["r.example"], "UseMXRecord": False, "SmartHosts": ["192.0.2.0/28", "GW.r.example"]},
    {"Name": "Unused smart host", "RecipientDomains": ["s.example"], "UseMXRecord": True, "SmartHosts": ["gw.s.example"]},
    {"Name": "Bücher outbound", "RecipientDomains": ["xn--bcher-kva.example"]},
]


def adopt(exchange: StandIn, declare: Declare) -> dict[str, t.Any]:
    """What exo_connector_info returns; its declarations, by way of a file, are what the tenant already is."""
    found = examine(declare.client(), None, "localhost")
    text = yaml.safe_dump(found["declarations"], allow_unicode=True)
    partners = as_modules_read_them(parse_partners(yaml.safe_load(text)))
    existing = {direction: found[direction] for direction in ("inbound", "outbound")}
    assert rule_findings(partners, existing, [], observed_at="", host="localhost") == []
    exchange.clear_log()
    for direction, made in connectors(partners).items():
        for options in made:
            outcome = declare(direction, **options)
            assert (outcome.plan.action, outcome.plan.changes) == ("none", ()), options
    assert exchange.writes() == []
    return found


@pytest.mark.parametrize("row", INBOUND, ids=lambda row: row["Name"])
def test_an_inbound_connector_alone(exchange: StandIn, declare: Declare, row: dict[str, t.Any]) -> None:
    exchange.load(InboundConnector=[row])
    assert len(adopt(exchange, declare)["declarations"]) == 1


@pytest.mark.parametrize("row", OUTBOUND, ids=lambda row: row["Name"])
def test_an_outbound_connector_alone(exchange: StandIn, declare: Declare, row: dict[str, t.Any]) -> None:
    exchange.load(OutboundConnector=[row])
    assert len(adopt(exchange, declare)["declarations"]) == 1


def test_all_of_them_and_two_that_cannot_be_declared(exchange: StandIn, declare: Declare) -> None:
    exchange.load(InboundConnector=[*INBOUND, {"Name": "x ", "SenderDomains": ["x.example"]}], OutboundConnector=OUTBOUND)
    # A state that the cmdlets refuse, from times when they did not.
    old = exchange.server.service.tenant._objects["OutboundConnector"]
    exchange.load(OutboundConnector=[{"Name": "Old", "RecipientDomains": ["old.example"]}])
    old[-1]["AllAcceptedDomains"] = True
    found = adopt(exchange, declare)
    # Those of the books, and those for a.example, are one partner each.
    assert len(found["declarations"]) == len(INBOUND) + len(OUTBOUND) - 2
    of_books, old, x = found["warnings"]
    assert of_books == "inbound connector Bücher inbound: client_host_names cannot be declared"
    assert old.startswith("No declaration can stand for the outbound connector Old: all_accepted_domains")
    assert x.startswith("No declaration can stand for the inbound connector x: ") and "no space at either end" in x
    validated = next(one for one in found["outbound"] if one["name"] == "Validated")
    assert validated["is_validated"] is True


def test_accepted_domains_are_a_labels(exchange: StandIn, declare: Declare, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange.server.service.tenant, "domains", ["München.example"])
    hybrid = {"ConnectorType": "OnPremises", "CloudServicesMailEnabled": True, "SenderDomains": ["*"], "RequireTls": True}
    exchange.load(InboundConnector=[{"Name": "Ours", **hybrid, "TlsSenderCertificateName": "mail.xn--mnchen-3ya.example"}])
    found = examine(declare.client(), None, "localhost")
    assert found["accepted_domains"] == ["xn--mnchen-3ya.example"]
    assert "connector.certificate_domain_not_accepted" not in {one["id"] for one in found["findings"]}
