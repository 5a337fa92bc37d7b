# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What goes wrong in the middle of bringing a connector into shape: no duplicate, no lost field, an error that says the state."""

from __future__ import annotations

import threading
import typing as t

import pytest
from ansible_collections.mailops.tls.plugins.module_utils._connector import plan as p
from ansible_collections.mailops.tls.plugins.plugin_utils._exo.converge import ConvergeError
from ansible_collections.mailops.tls.plugins.plugin_utils._exo.errors import ApiError

from tests.lab.exchange_online.fixture import StandIn
from tests.lab.exchange_online.tenant import Tenant
from tests.unit.connector.conftest import Declare
from tests.unit.connector.samples import INBOUND, OUTBOUND, names, stored


@pytest.mark.parametrize(
    "fault", [{"fail_before": 99, "retry_after": ""}, {"cut_body": 99}, {"garbage": 1}, {"denied": ["Get-"]}]
)
def test_a_read_that_fails_is_not_absence(exchange: StandIn, declare: Declare, fault: dict[str, t.Any]) -> None:
    exchange.set(**fault, only=["Get-"])
    with pytest.raises(ApiError):
        declare("inbound", **INBOUND)
    assert exchange.writes() == []


@pytest.mark.parametrize(
    "fault",
    [
        {"cut_after": 1},
        {"cut_before": 1},
        {"fail_after": 1},
        {"fail_before": 1},
        {"cut_body": 1},
        {"garbage": 1},
        {"throttle": 5},
        {"expire": 1},
        {"deep": 1},
    ],
    ids=str,
)
@pytest.mark.parametrize("verb", ["New-", "Set-", "Remove-"])
def test_faults_in_the_middle(exchange: StandIn, declare: Declare, verb: str, fault: dict[str, t.Any]) -> None:
    """No duplicate, no lost field, and the result is the declared one at once."""
    options: dict[str, t.Any] = dict(OUTBOUND)
    if verb != "New-":
        exchange.load(OutboundConnector=[{"Name": "Contoso outbound", "TestMode": True}])
    if verb == "Remove-":
        options = {"name": "Contoso outbound", "state": "absent"}
    exchange.set(**fault, only=[verb])
    outcome = declare("outbound", **options)
    assert outcome.written
    assert outcome.plan.action == {"New-": p.CREATE, "Set-": p.UPDATE, "Remove-": p.REMOVE}[verb]
    assert names(exchange, "outbound") == ([] if verb == "Remove-" else ["Contoso outbound"])
    exchange.set(only=[])
    exchange.clear_log()
    assert declare("outbound", **options).plan.action == p.NONE
    assert exchange.writes() == []


@pytest.mark.parametrize("fault", ["fail_before", "cut_before"])
def test_faults_that_do_not_end(exchange: StandIn, declare: Declare, fault: str) -> None:
    """An error that says the state, and a rerun that converges."""
    exchange.set(**{fault: 99}, only=["New-", "Set-"])
    with pytest.raises(ConvergeError, match="is not known; run the task again") as caught:
        declare("outbound", **OUTBOUND)
    assert caught.value.done == "unknown"
    exchange.set(**{fault: 0})
    declare("outbound", **OUTBOUND)
    assert names(exchange, "outbound") == ["Contoso outbound"]
    assert stored(exchange, "outbound")["ValidationRecipients"] == ["postmaster@contoso.com"]


@pytest.mark.parametrize("fault", ["fail_after", "cut_after", "cut_body"])
def test_writes_that_never_get_an_answer(exchange: StandIn, declare: Declare, fault: str) -> None:
    """Looking tells that they were carried out, so each is sent once."""
    exchange.set(**{fault: 99}, only=["New-", "Set-"])
    outcome = declare("outbound", **OUTBOUND, on_drift="fail")
    assert outcome.plan.action == p.CREATE
    assert {change.option for change in outcome.plan.changes} == set(OUTBOUND)
    assert [entry["cmdlet"][:3] for entry in exchange.writes()] == ["New", "Set"]


def test_a_read_that_fails_after_a_write(exchange: StandIn, declare: Declare) -> None:
    """The error is that of the read, and yet it says that something was, or may have been, written."""
    declare("inbound", **INBOUND)
    client = declare.client()
    declare("inbound", client=client, **INBOUND)
    exchange.set(denied=["Get-"])
    with pytest.raises(ConvergeError, match=r"Exchange role.*It was changed; run the task again") as caught:
        declare("inbound", client=client, name="Contoso inbound", comment="x")
    assert caught.value.done == "yes"
    exchange.set(cut_after=1, only=["Set-"])
    with pytest.raises(ApiError):
        declare("inbound", client=client, name="Contoso inbound", comment="y")
    exchange.set(denied=[])
    declare("inbound", client=client, name="Contoso inbound")
    exchange.set(denied=["Get-"])
    with pytest.raises(ConvergeError, match="Whether it was changed is not known") as caught:
        declare("inbound", client=client, name="Contoso inbound", comment="y")
    assert caught.value.done == "unknown"
    exchange.set(denied=[])
    assert declare("inbound", name="Contoso inbound", comment="y").plan.action == p.NONE


def test_a_service_without_the_parameter(declare: Declare, monkeypatch: pytest.MonkeyPatch) -> None:
    """A tenant that the newest parameters have not reached: what nobody can see is not claimed to be in shape."""
    shown = Tenant._shown

    def older(self: Tenant, kind: str, found: dict[str, t.Any]) -> dict[str, t.Any]:
        return {name: value for name, value in shown(self, kind, found).items() if not name.startswith("MtaStsMode")}

    monkeypatch.setattr(Tenant, "_shown", older)
    declare("outbound", **OUTBOUND)
    with pytest.raises(ConvergeError, match=r"mta_sts_mode \(MtaStsMode\) is not set, declared is 'Opportunistic'"):
        declare("outbound", name="Contoso outbound", mta_sts_mode="Opportunistic")


@pytest.mark.parametrize("fault", [{"stray_404": 1}, {"redirect": 1}], ids=str)
def test_something_else_answers(exchange: StandIn, declare: Declare, fault: dict[str, int]) -> None:
    exchange.set(**fault, only=["New-"])
    with pytest.raises(ApiError) as caught:
        declare("inbound", **INBOUND)
    assert caught.value.done == "no"
    assert exchange.writes() == []
    assert declare("inbound", **INBOUND).written


def test_denied(exchange: StandIn, declare: Declare) -> None:
    exchange.set(denied=["New-"])
    with pytest.raises(ApiError, match="Exchange role"):
        declare("inbound", **INBOUND)
    assert exchange.cmdlets() == ["Get-InboundConnector", "New-InboundConnector"]


def test_another_server_does_not_know_a_new_connector(
    exchange: StandIn, declare: Declare, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was shown, and then the second write and the next reads find nothing: that is no reason to create it again."""
    write = Tenant._set
    refused = []

    def late(self: Tenant, kind: str, parameters: dict[str, t.Any]) -> tuple[list[dict[str, t.Any]], str | None]:
        if not refused:
            refused.append(parameters["Identity"])
            self._hidden[parameters["Identity"]] = (40, 0.0)
        return write(self, kind, parameters)

    monkeypatch.setattr(Tenant, "_set", late)
    declare("outbound", **OUTBOUND)
    assert refused
    assert exchange.cmdlets().count("New-OutboundConnector") == 1
    assert stored(exchange, "outbound")["ValidationRecipients"] == ["postmaster@contoso.com"]


def test_two_runs_at_once(exchange: StandIn, declare: Declare) -> None:
    """Both list nothing, both create: the service refuses one, which then finds what the other made."""
    clients = [declare.client() for _run in range(2)]
    for client in clients:
        # Both have seen the tenant without the connector.
        declare("inbound", client=client, check_mode=True, **INBOUND)
    exchange.set(delay=0.05)
    outcomes = []
    runs = [
        threading.Thread(target=lambda c=client: outcomes.append(declare("inbound", client=c, **INBOUND))) for client in clients
    ]
    for run in runs:
        run.start()
    for run in runs:
        run.join()
    assert sorted(outcome.written for outcome in outcomes) == [False, True]
    assert names(exchange, "inbound") == ["Contoso inbound"]


def test_removed_by_somebody_else_meanwhile(exchange: StandIn, declare: Declare) -> None:
    client = declare.client()
    declare("inbound", client=client, **INBOUND)
    declare("inbound", name="Contoso inbound", state="absent")
    outcome = declare("inbound", client=client, name="Contoso inbound", state="absent")
    assert (outcome.plan.action, outcome.written) == (p.NONE, False)
    declare("inbound", client=client, **INBOUND)
    declare("inbound", name="Contoso inbound", state="absent")
    # Known from the listing, changed, and not there any more: it is created.
    declare("inbound", client=client, **{**INBOUND, "comment": "again"})
    assert names(exchange, "inbound") == ["Contoso inbound"]


def test_a_field_that_does_not_take_is_named(declare: Declare, monkeypatch: pytest.MonkeyPatch) -> None:
    declare("outbound", **OUTBOUND)
    shown = Tenant._shown

    def deaf(self: Tenant, kind: str, found: dict[str, t.Any]) -> dict[str, t.Any]:
        return {**shown(self, kind, found), "SmtpDaneMode": "Opportunistic"}

    monkeypatch.setattr(Tenant, "_shown", deaf)
    with pytest.raises(ConvergeError, match=r"did not take: smtp_dane_mode \(SmtpDaneMode\)") as caught:
        declare("outbound", name="Contoso outbound", smtp_dane_mode="Mandatory", comment="took")
    assert (caught.value.done, [change.option for change in caught.value.left]) == ("yes", ["smtp_dane_mode"])
