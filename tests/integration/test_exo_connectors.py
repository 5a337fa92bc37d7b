# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The connectors of Exchange Online declared by real plays, against the stand-in with every quirk on."""

from __future__ import annotations

import json
import pathlib
import typing as t

import pytest

from tests.integration.playbooks import Run, Vars, run_play
from tests.lab.exchange_online.fixture import StandIn, running

INBOUND = "mailops.tls.exo_inbound_connector"
OUTBOUND = "mailops.tls.exo_outbound_connector"
INFO = "mailops.tls.exo_connector_info"

PARTNER_IN = {
    "name": "Contoso inbound",
    "connector_type": "Partner",
    "sender_domains": ["Contoso.com", "bücher.example"],
    "require_tls": True,
    "tls_sender_certificate_name": "*.contoso.com",
    "restrict_domains_to_certificate": True,
}
PARTNER_OUT = {
    "name": "Contoso outbound",
    "connector_type": "Partner",
    "recipient_domains": ["contoso.com"],
    "use_mx_record": False,
    "smart_hosts": ["192.0.2.1"],
    "tls_settings": "DomainValidation",
    "tls_domain": "mx.contoso.com",
    "mta_sts_mode": "None",
    "smtp_dane_mode": "Mandatory",
    "validation_recipients": ["postmaster@contoso.com"],
}


@pytest.fixture(scope="module")
def stand_in() -> t.Iterator[StandIn]:
    with running() as exchange:
        yield exchange


@pytest.fixture
def exchange(stand_in: StandIn) -> StandIn:
    stand_in.reset()
    return stand_in


class Play:
    """Runs tasks with the connection as module_defaults of the action group."""

    def __init__(self, exchange: StandIn, directory: pathlib.Path) -> None:
        self.exchange = exchange
        self.directory = directory

    def __call__(self, *tasks: Vars, arguments: t.Sequence[str] = (), hosts: dict[str, Vars] | None = None) -> Run:
        play = {"module_defaults": {"group/mailops.tls.exchange_online": self.exchange.options}}
        return run_play(self.directory, tasks, play=play, arguments=arguments, hosts=hosts)


@pytest.fixture
def play(exchange: StandIn, tmp_path: pathlib.Path) -> Play:
    return Play(exchange, tmp_path)


def task(plugin: str, register: str, options: Vars, **more: t.Any) -> Vars:
    return {"name": register, plugin: options, "register": register, "ignore_errors": True, **more}


def test_create_then_nothing(exchange: StandIn, play: Play) -> None:
    check = {"check_mode": True, "diff": True}
    done = play(
        task(INBOUND, "in_check", PARTNER_IN, **check),
        task(INBOUND, "in_made", PARTNER_IN, diff=True),
        task(INBOUND, "in_again", PARTNER_IN, diff=True),
        task(OUTBOUND, "out_check", PARTNER_OUT, **check),
        task(OUTBOUND, "out_made", PARTNER_OUT, diff=True),
        task(OUTBOUND, "out_again", PARTNER_OUT, diff=True),
        arguments=["-vvv"],
    )
    assert done.code == 0, done.output
    for direction in ("in", "out"):
        check_result, made, again = (done[f"{direction}_{step}"] for step in ("check", "made", "again"))
        for key in ("changed", "action", "changes", "drift", "diff"):
            assert check_result[key] == made[key]
        assert (made["changed"], made["action"], made["diff"]["before"]) == (True, "create", {})
        assert (again["changed"], again["action"], again["changes"]) == (False, "none", [])
        assert "diff" not in again
        assert again["connector"] == made["connector"]
        assert again["calls"]["writes"] == 0
        assert check_result["calls"]["writes"] == 0
    assert done["in_made"]["connector"]["sender_domains"] == ["contoso.com", "xn--bcher-kva.example"]
    assert [entry["cmdlet"] for entry in exchange.writes()] == [
        "New-InboundConnector",
        "New-OutboundConnector",
        "Set-OutboundConnector",
    ]
    # One token for all of it, and nothing secret anywhere in the most talkative output.
    assert exchange.tokens == 1
    assert exchange.client_secret not in done.output
    assert "stand-in." not in done.output
    assert exchange.client_secret not in json.dumps(done.registered)


def test_change_diff_drift_rename_remove(exchange: StandIn, play: Play) -> None:
    name = PARTNER_OUT["name"]
    changes = {"name": name, "tls_settings": None, "tls_domain": None, "comment": "opportunistic", "recipient_domains": []}
    done = play(
        task(OUTBOUND, "made", PARTNER_OUT),
        task(OUTBOUND, "check", changes, check_mode=True, diff=True),
        task(OUTBOUND, "changed", changes, diff=True),
        task(OUTBOUND, "kept", {**PARTNER_OUT, "on_drift": "keep"}),
        task(OUTBOUND, "warned", {"name": name, "enabled": False, "on_drift": "warn"}),
        task(OUTBOUND, "failing", {"name": name, "enabled": False, "comment": "x", "on_drift": {"enabled": "fail"}}),
        task(OUTBOUND, "renamed", {"name": name, "new_name": "Partner"}, diff=True),
        task(OUTBOUND, "renamed_again", {"name": name, "new_name": "Partner"}),
        task(OUTBOUND, "removed_check", {"name": "partner", "state": "absent"}, check_mode=True, diff=True),
        task(OUTBOUND, "removed", {"name": "partner", "state": "absent"}, diff=True),
        task(OUTBOUND, "removed_again", {"name": "partner", "state": "absent"}),
    )
    assert not done["changed"].get("failed"), done["changed"]
    assert done["changed"]["diff"] == done["check"]["diff"]
    assert done["changed"]["diff"]["before"] == {
        "comment": None,
        "recipient_domains": ["contoso.com"],
        "tls_domain": "mx.contoso.com",
        "tls_settings": "DomainValidation",
    }
    assert done["changed"]["changes"] == done["check"]["changes"]
    assert {drift["option"] for drift in done["kept"]["drift"]} == {"recipient_domains", "tls_settings", "tls_domain"}
    assert done["kept"]["changed"] is False
    assert done["warned"]["warnings"] == ["outbound connector Contoso outbound: enabled (Enabled): is true, declared is false"]
    assert done["failing"]["failed"] is True
    assert (done["failing"]["written"], done["failing"]["changed"]) == ("no", False)
    assert [left["option"] for left in done["failing"]["not_as_declared"]] == ["enabled"]
    assert done["renamed"]["diff"]["after"] == {"name": "Partner"}
    assert done["renamed_again"]["changed"] is False
    assert done["removed"]["diff"] == done["removed_check"]["diff"]
    assert (done["removed"]["action"], done["removed"]["connector"]) == ("remove", None)
    assert done["removed_again"]["changed"] is False
    assert exchange.connectors()["OutboundConnector"] == []
    written = [entry["cmdlet"].partition("-")[0] for entry in exchange.writes()]
    assert written == ["New", "Set", "Set", "Set", "Remove"]


def test_refusals_name_rule_and_parameter(exchange: StandIn, play: Play) -> None:
    done = play(
        task(INBOUND, "addresses", {"name": "x", "sender_ip_addresses": ["2001:db8::1"]}),
        task(OUTBOUND, "rule", {"name": "x", "use_mx_record": False, "smart_hosts": []}),
        task(OUTBOUND, "null_or_none", {"name": "x", "mta_sts_mode": None}),
        task(OUTBOUND, "choice", {"name": "x", "smtp_dane_mode": "Sometimes"}),
        task(INBOUND, "null", {"name": "x", "require_tls": None}),
    )
    assert "sender_ip_addresses (SenderIPAddresses): takes IPv4" in done["addresses"]["msg"]
    assert "smart_hosts_needed" in done["rule"]["msg"]
    assert "write Opportunistic or 'None'" in done["null_or_none"]["msg"]
    assert "smtp_dane_mode" in done["choice"]["msg"]
    assert "not reliably documented" in done["null"]["msg"]
    assert all(done[name]["failed"] for name in ("addresses", "rule", "null_or_none", "choice", "null"))
    assert exchange.log() == []


def test_what_a_tenant_may_hold_is_refused_after_a_look_and_kept_where_it_is(exchange: StandIn, play: Play) -> None:
    exchange.load(OutboundConnector=[{"Name": "Old", "TlsSettings": "EncryptionOnly", "TlsDomain": "contoso.com"}])
    options = {"tls_settings": "EncryptionOnly", "tls_domain": "contoso.com"}
    done = play(task(OUTBOUND, "new", {"name": "New", **options}), task(OUTBOUND, "old", {"name": "Old", **options}))
    assert done["new"]["failed"] and "tls_domain_only_domain_validation" in done["new"]["msg"]
    assert (done["new"]["written"], done["old"]["changed"]) == ("no", False)
    assert "it is so already" in done["old"]["warnings"][0]
    assert exchange.writes() == []


@pytest.mark.parametrize(
    "fault",
    [{"cut_after": 1}, {"fail_after": 1}, {"throttle": 3}, {"expire": 1}, {"replication_reads": 3}],
    ids=lambda fault: next(iter(fault)),
)
def test_faults_in_the_middle(exchange: StandIn, play: Play, fault: dict[str, int]) -> None:
    exchange.set(**fault, only=["New-"])
    done = play(task(INBOUND, "made", PARTNER_IN), task(INBOUND, "again", PARTNER_IN))
    assert done["made"]["changed"], done["made"]
    assert not done["again"]["changed"]
    assert [found["Name"] for found in exchange.connectors()["InboundConnector"]] == ["Contoso inbound"]
    assert exchange.connectors()["InboundConnector"][0]["RequireTls"] is True


def test_a_tenant_that_cannot_be_read(exchange: StandIn, play: Play) -> None:
    exchange.set(denied=["Get-"])
    done = play(task(INBOUND, "made", PARTNER_IN), task(INFO, "info", {}))
    for name in ("made", "info"):
        assert done[name]["failed"], done[name]
        assert "Exchange role" in done[name]["msg"]
    assert exchange.writes() == []


def test_several_runs_at_once(exchange: StandIn, play: Play) -> None:
    """Three hosts of one play declare the same connector at the same time. None of them needs to be reachable."""
    exchange.set(delay=0.2)
    elsewhere = {"ansible_connection": "ssh", "ansible_host": "192.0.2.1"}
    hosts = dict.fromkeys(("one", "two", "three"), elsewhere)
    done = play(task(INBOUND, "made", PARTNER_IN), hosts=hosts)
    results = [found["made"] for found in done.registered.values()]
    assert [result.get("failed", False) for result in results] == [False] * 3, results
    assert any(result["changed"] for result in results)
    assert len(exchange.connectors()["InboundConnector"]) == 1


def test_a_loop_over_many_lists_once(exchange: StandIn, play: Play) -> None:
    """300 connectors in pages of 100: a loop over those in shape reads three pages, and a loop out of shape writes one each."""
    exchange.set(page_size=100)
    exchange.load(InboundConnector=[{"Name": f"Partner {number}", "SenderDomains": ["contoso.com"]} for number in range(300)])
    declared = {"name": "Partner {{ item }}", "sender_domains": ["contoso.com"]}
    quiet = {"loop_control": {"label": ""}}
    done = play(task(INBOUND, "same", declared, loop=list(range(240, 300)), **quiet))
    assert done.code == 0, done.output[-3000:]
    assert not done["same"]["changed"]
    assert exchange.cmdlets() == ["Get-InboundConnector"] * 3
    exchange.clear_log()
    done = play(task(INBOUND, "more", {**declared, "comment": "agreed"}, loop=list(range(290, 300)), **quiet))
    assert done["more"]["changed"]
    assert exchange.cmdlets() == ["Get-InboundConnector"] * 3 + ["Set-InboundConnector", "Get-InboundConnector"] * 10


def test_info(exchange: StandIn, play: Play) -> None:
    exchange.load(
        OutboundConnector=[
            {"Name": "Visible", "RecipientDomains": ["fabrikam.com"], "TlsSettings": "EncryptionOnly"},
            {"Name": "In test", "TestMode": True},
            {"Name": "Scoped", "IsTransportRuleScoped": True},
        ]
    )
    done = play(
        task(INBOUND, "made", PARTNER_IN),
        task(INFO, "all", {}),
        task(INFO, "one", {"name": "VISIBLE"}, check_mode=True),
        task(INFO, "nobody", {"name": "Visi"}),
        task("mailops.tls.assert_findings", "gate", {"result": "{{ all }}", "fail_on": ["never"]}),
    )
    everything = done["all"]
    assert [found["name"] for found in everything["outbound"]] == ["In test", "Scoped", "Visible"]
    assert everything["inbound"] == [done["made"]["connector"]]
    assert everything["accepted_domains"] == ["contoso.com", "contoso.onmicrosoft.com"]
    assert everything["changed"] is False
    assert everything["findings"]
    assert everything["summary"]["worst"] in ("fail", "warn", "unknown", "pass")
    assert everything["compliant"] is False
    assert everything["declarations"]
    assert [found["name"] for found in done["one"]["outbound"]] == ["Visible"]
    assert done["one"]["inbound"] == []
    assert {finding["subject"]["name"] for finding in done["one"]["findings"]} < {
        finding["subject"]["name"] for finding in everything["findings"]
    }
    assert (done["nobody"]["inbound"], done["nobody"]["outbound"], done["nobody"]["findings"]) == ([], [], [])
    assert not done["gate"].get("failed"), done["gate"]


def test_info_without_accepted_domains(exchange: StandIn, play: Play) -> None:
    exchange.set(denied=["Get-AcceptedDomain"])
    done = play(task(INFO, "all", {}))
    assert done["all"]["accepted_domains"] is None
    assert "not known" in done["all"]["warnings"][0]
