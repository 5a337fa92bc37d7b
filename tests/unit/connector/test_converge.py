# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Connectors are brought into shape against the stand-in, whatever goes wrong on the way."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.mailops.tls.plugins.module_utils._connector import plan as p
from ansible_collections.mailops.tls.plugins.module_utils._connector.constraints import RulesBrokenError
from ansible_collections.mailops.tls.plugins.plugin_utils._exo.converge import ConvergeError

from tests.lab.exchange_online.fixture import StandIn
from tests.unit.connector.conftest import KINDS, Declare
from tests.unit.connector.samples import DECLARED, INBOUND, NOUN, OUTBOUND, names, stored

# A value for each option that differs from the one that DECLARED or a new connector has.
OTHER: dict[str, dict[str, t.Any]] = {
    "inbound": {
        "enabled": False,
        "comment": "changed",
        "connector_type": "OnPremises",
        "connector_source": "HybridWizard",
        "cloud_services_mail_enabled": True,
        "sender_domains": ["fabrikam.com;5"],
        "sender_ip_addresses": ["192.0.2.0/24"],
        "require_tls": False,
        "tls_sender_certificate_name": "mail.contoso.com",
        "restrict_domains_to_certificate": True,
        "restrict_domains_to_ip_addresses": True,
        "treat_messages_as_internal": True,
        "associated_accepted_domains": ["contoso.com"],
        "trusted_organizations": ["fabrikam.com"],
        "ef_skip_ips": ["192.0.2.1-192.0.2.9"],
        "ef_skip_last_ip": True,
        "ef_users": ["user@contoso.com"],
    },
    "outbound": {
        "enabled": False,
        "comment": "changed",
        "connector_type": "OnPremises",
        "connector_source": "HybridWizard",
        "cloud_services_mail_enabled": True,
        "recipient_domains": ["*.fabrikam.com"],
        "use_mx_record": True,
        "smart_hosts": ["[192.0.2.7]"],
        "tls_settings": "CertificateValidation",
        "tls_domain": "*.contoso.com",
        "mta_sts_mode": "None",
        "smtp_dane_mode": "Mandatory",
        "route_all_messages_via_on_premises": True,
        "all_accepted_domains": True,
        "sender_rewriting_enabled": True,
        "is_transport_rule_scoped": True,
        "test_mode": True,
        "validation_recipients": ["admin@contoso.com"],
        "is_validated": True,
    },
}
# What has to be declared with it, to keep the documented rules.
WITH: dict[str, dict[str, t.Any]] = {
    "require_tls": {"tls_sender_certificate_name": None},
    "restrict_domains_to_ip_addresses": {"sender_ip_addresses": ["192.0.2.1"]},
    "treat_messages_as_internal": {"connector_type": "OnPremises"},
    "trusted_organizations": {"tls_sender_certificate_name": None},
    "tls_settings": {"tls_domain": None},
    "use_mx_record": {"smart_hosts": []},
    "route_all_messages_via_on_premises": {"connector_type": "OnPremises"},
    "all_accepted_domains": {"connector_type": "OnPremises"},
    "sender_rewriting_enabled": {"connector_type": "OnPremises"},
}
FIELDS = [(direction, option) for direction, options in OTHER.items() for option in options]


@pytest.mark.parametrize("direction", DECLARED)
def test_create_and_nothing_more(exchange: StandIn, declare: Declare, direction: str) -> None:
    outcome = declare(direction, **DECLARED[direction])
    assert (outcome.plan.action, outcome.written) == (p.CREATE, True)
    assert outcome.live is not None
    assert outcome.live.values["name"] == DECLARED[direction]["name"]
    # What only Set takes needs a second write, and nothing else does.
    assert [entry["cmdlet"][:3] for entry in exchange.writes()] == (["New"] if direction == "inbound" else ["New", "Set"])
    exchange.clear_log()
    again = declare(direction, **DECLARED[direction])
    assert (again.plan.action, again.written) == (p.NONE, False)
    assert [cmdlet for cmdlet in exchange.cmdlets() if not cmdlet.startswith("Get-")] == []


@pytest.mark.parametrize(("direction", "option"), FIELDS, ids=str)
def test_each_field_changes_alone(exchange: StandIn, declare: Declare, direction: str, option: str) -> None:
    declare(direction, **DECLARED[direction])
    before = stored(exchange, direction)
    change = {option: OTHER[direction][option], **WITH.get(option, {})}
    name = DECLARED[direction]["name"]
    exchange.clear_log()
    predicted = declare(direction, check_mode=True, name=name, **change)
    assert exchange.writes() == []
    outcome = declare(direction, name=name, **change)
    assert outcome.plan == predicted.plan
    assert {change.option for change in outcome.plan.changes} <= set(change)
    assert option in {change.option for change in outcome.plan.changes}
    assert [entry["cmdlet"] for entry in exchange.writes()] == [f"Set-{NOUN[direction]}"]
    changed = {key for key, value in stored(exchange, direction).items() if value != before[key]} - {"WhenChanged"}
    assert changed <= {made.parameter for made in outcome.plan.changes}
    exchange.clear_log()
    assert declare(direction, name=name, **change).plan.action == p.NONE
    assert exchange.writes() == []


def test_every_option_is_tried() -> None:
    for direction, kind in KINDS.items():
        assert set(OTHER[direction]) == {field.option for field in kind.table} - {"name"}


def test_omitted_empty_and_null(exchange: StandIn, declare: Declare) -> None:
    declare("outbound", **OUTBOUND)
    declare("outbound", name="contoso OUTBOUND", comment="only this")
    found = stored(exchange, "outbound")
    assert (found["Comment"], found["TlsSettings"], found["SmartHosts"]) == (
        "only this",
        "DomainValidation",
        ["192.0.2.1", "mx.contoso.com"],
    )
    declare("outbound", name="contoso OUTBOUND", tls_settings=None, tls_domain=None, recipient_domains=[], comment=None)
    found = stored(exchange, "outbound")
    assert (found["TlsSettings"], found["TlsDomain"], found["RecipientDomains"], found["Comment"]) == (None, None, [], "")


@pytest.mark.parametrize("policy", ["keep", "warn"])
def test_drift_that_stays(exchange: StandIn, declare: Declare, policy: str) -> None:
    declare("inbound", **INBOUND)
    exchange.clear_log()
    outcome = declare("inbound", **{**INBOUND, "enabled": False}, on_drift=policy)
    assert (outcome.plan.action, outcome.written) == (p.NONE, False)
    assert [change.option for change in outcome.plan.drift] == ["enabled"]
    assert bool(outcome.warnings) == (policy == "warn")
    assert exchange.writes() == []


def test_drift_that_fails_changes_nothing(exchange: StandIn, declare: Declare) -> None:
    declare("inbound", **INBOUND)
    exchange.clear_log()
    with pytest.raises(ConvergeError, match=r"enabled \(Enabled\) is true, declared is false") as caught:
        declare("inbound", **{**INBOUND, "enabled": False, "comment": "x"}, on_drift={"enabled": "fail"})
    assert caught.value.done == "no"
    assert exchange.writes() == []


def test_drift_by_field(exchange: StandIn, declare: Declare) -> None:
    declare("inbound", **INBOUND)
    policy = {"default": "keep", "comment": "replace"}
    outcome = declare("inbound", **{**INBOUND, "enabled": False, "comment": "x"}, on_drift=policy)
    assert [change.option for change in outcome.plan.changes] == ["comment"]
    assert [change.option for change in outcome.plan.drift] == ["enabled"]
    assert stored(exchange, "inbound")["Enabled"] is True


def test_a_new_connector_has_no_drift(exchange: StandIn, declare: Declare) -> None:
    """What only Set takes is part of creating, whatever on_drift says."""
    declare("outbound", **OUTBOUND, on_drift="fail")
    assert stored(exchange, "outbound")["ValidationRecipients"] == ["postmaster@contoso.com"]


@pytest.mark.parametrize("policy", ["sometimes", {"no_such_option": "keep"}, {"name": "keep"}])
def test_policies_that_do_not_exist(declare: Declare, policy: object) -> None:
    with pytest.raises(ValueError, match="on_drift"):
        declare("inbound", **INBOUND, on_drift=policy)


def test_rename_by_name_and_by_guid(exchange: StandIn, declare: Declare) -> None:
    declare("inbound", **INBOUND)
    outcome = declare("inbound", name="CONTOSO inbound", new_name="Partner")
    assert [change.option for change in outcome.plan.changes] == ["name"]
    assert names(exchange, "inbound") == ["Partner"]
    exchange.clear_log()
    assert declare("inbound", name="CONTOSO inbound", new_name="Partner").plan.action == p.NONE
    assert exchange.writes() == []
    assert outcome.live is not None
    declare("inbound", name=outcome.live.guid.upper(), new_name="PARTNER")
    assert names(exchange, "inbound") == ["PARTNER"]


def test_rename_to_a_name_that_is_taken(exchange: StandIn, declare: Declare) -> None:
    for name in ("One", "Two"):
        declare("inbound", **{**INBOUND, "name": name})
    with pytest.raises(ConvergeError, match="another inbound connector called Two"):
        declare("inbound", name="One", new_name="Two")
    assert names(exchange, "inbound") == ["One", "Two"]


@pytest.mark.parametrize("direction", DECLARED)
def test_remove(exchange: StandIn, declare: Declare, direction: str) -> None:
    declare(direction, **DECLARED[direction])
    name = DECLARED[direction]["name"]
    # A Get with the GUID of what was removed returns this one.
    declare(direction, **{**DECLARED[direction], "name": "Another"})
    predicted = declare(direction, check_mode=True, name=name, state="absent")
    outcome = declare(direction, name=name, state="absent")
    assert outcome.plan == predicted.plan
    assert (outcome.plan.action, outcome.live) == (p.REMOVE, None)
    assert names(exchange, direction) == ["Another"]
    exchange.clear_log()
    assert declare(direction, name=name, state="absent").plan.action == p.NONE
    assert exchange.writes() == []


def test_hidden_connectors_are_found(exchange: StandIn, declare: Declare) -> None:
    """Those in test mode and those used by transport rules are not in a plain listing."""
    for number, hidden in enumerate(
        ({"TestMode": True}, {"IsTransportRuleScoped": True}, {"TestMode": True, "IsTransportRuleScoped": True})
    ):
        exchange.load(OutboundConnector=[{"Name": f"Hidden {number}", **hidden}])
        outcome = declare("outbound", name=f"hidden {number}", comment="seen")
        assert outcome.plan.action == p.UPDATE
    assert len(names(exchange, "outbound")) == 3


def test_a_name_that_is_not_there_is_not_taken_for_another(exchange: StandIn, declare: Declare) -> None:
    """A Get with a wrong Identity returns everything; the other connector must not be touched."""
    declare("inbound", **INBOUND)
    declare("inbound", **{**INBOUND, "name": "Contoso"})
    assert sorted(names(exchange, "inbound")) == ["Contoso", "Contoso inbound"]
    assert declare("inbound", name="Contoso in", state="absent").plan.action == p.NONE
    with pytest.raises(ConvergeError, match="no inbound connector has the GUID"):
        declare("inbound", **{**INBOUND, "name": "0f0c0f6e-6a1e-4a53-9ac6-1c7c2a6b7a10"})


def test_what_the_cmdlet_wants_in_the_same_call(exchange: StandIn, declare: Declare) -> None:
    """UseMXRecord false needs SmartHosts beside it, though they are there already. They are no change."""
    exchange.load(OutboundConnector=[{"Name": "Mine", "UseMXRecord": True, "SmartHosts": ["mx.contoso.com"]}])
    outcome = declare("outbound", name="Mine", use_mx_record=False)
    assert [change.option for change in outcome.plan.changes] == ["use_mx_record"]
    (write,) = exchange.writes()
    assert write["parameters"]["SmartHosts"] == ["mx.contoso.com"]


def test_rules_that_only_the_tenant_shows_to_be_broken(exchange: StandIn, declare: Declare) -> None:
    exchange.load(OutboundConnector=[{"Name": "Mine", "ConnectorType": "Partner", "UseMXRecord": True}])
    exchange.clear_log()
    with pytest.raises(RulesBrokenError, match=r"use_mx_record \(UseMXRecord\).*smart_hosts \(SmartHosts\) must name"):
        declare("outbound", name="Mine", use_mx_record=False)
    with pytest.raises(RulesBrokenError, match="only with connector_type OnPremises"):
        declare("outbound", name="Mine", all_accepted_domains=True)
    assert exchange.writes() == []


def test_two_hundred_in_shape_and_out_of_it(exchange: StandIn, declare: Declare) -> None:
    """In shape they cost the reads of one listing. Out of it, one write each, and one read to confirm it."""
    exchange.set(page_size=50)
    exchange.load(InboundConnector=[{"Name": f"Partner {number}", "SenderDomains": ["contoso.com"]} for number in range(300)])
    client = declare.client()
    for number in range(200):
        assert declare("inbound", client=client, name=f"Partner {number}", sender_domains=["contoso.com"]).plan.action == p.NONE
    assert exchange.cmdlets() == ["Get-InboundConnector"] * 6
    exchange.clear_log()
    for number in range(20):
        declare("inbound", client=client, name=f"Partner {number}", comment="agreed")
    assert exchange.cmdlets() == ["Set-InboundConnector", "Get-InboundConnector"] * 20
