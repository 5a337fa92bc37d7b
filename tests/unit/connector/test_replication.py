# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A new connector is not found for minutes: by Get with its GUID (404), in listings, by Set. It is waited for, never made twice.

The minutes are those of a clock that the stand-in and the plugin share, so that nobody waits for them.
"""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.mailops.tls.plugins.module_utils._connector import plan as p
from ansible_collections.mailops.tls.plugins.plugin_utils._exo.converge import ConvergeError

from tests.lab.exchange_online.fixture import StandIn
from tests.lab.exchange_online.parameters import CmdletError
from tests.lab.exchange_online.tenant import Tenant
from tests.unit.connector.conftest import Declare
from tests.unit.connector.samples import DECLARED, INBOUND, NOUN, names, stored
from tests.unit.exo_transport.waiting import Clock

# How the answer to New is: the object, 204, an empty list, none at all.
ANSWERS: dict[str, dict[str, t.Any]] = {
    "object": {},
    "204": {"empty_new": True},
    "empty list": {"empty_new": True, "empty_writes": False},
    "lost": {"cut_after": 1, "only": ["New-"]},
    "failed": {"fail_after": 1, "only": ["New-"]},
}


def created(exchange: StandIn) -> int:
    """How many creates the service carried out."""
    return sum(entry["cmdlet"].startswith("New-") for entry in exchange.writes())


@pytest.mark.parametrize("answer", ANSWERS)
@pytest.mark.parametrize("direction", DECLARED)
def test_not_found_for_two_minutes(
    exchange: StandIn, declare_in_time: Declare, clock: Clock, direction: str, answer: str
) -> None:
    exchange.set(replication_seconds=120.0, **ANSWERS[answer])
    began = clock.now()
    outcome = declare_in_time(direction, **DECLARED[direction])
    assert outcome.plan.action == p.CREATE
    assert {change.option for change in outcome.plan.changes} == set(DECLARED[direction])
    assert 120 <= clock.now() - began < 140
    assert created(exchange) == 1
    assert names(exchange, direction) == [DECLARED[direction]["name"]]
    assert 404 in {entry["status"] for entry in exchange.log()} or answer != "object"
    exchange.clear_log()
    again = declare_in_time(direction, **DECLARED[direction])
    assert (again.plan.action, exchange.writes()) == (p.NONE, [])
    if direction == "outbound":
        assert stored(exchange, direction)["ValidationRecipients"] == ["postmaster@contoso.com"]


@pytest.mark.parametrize("answer", ANSWERS)
def test_not_found_for_longer_than_one_waits(exchange: StandIn, declare_in_time: Declare, clock: Clock, answer: str) -> None:
    """The error says the state, no run makes a second one, and the run after that converges."""
    exchange.set(replication_seconds=700.0, **ANSWERS[answer])
    began = clock.now()
    with pytest.raises(ConvergeError, match=r"reads have not shown it for 300 seconds") as caught:
        declare_in_time("inbound", **INBOUND)
    assert caught.value.done == ("yes" if answer not in ("lost", "failed") else "unknown")
    assert 280 <= clock.now() - began <= 300
    # The second run is told that there is one of this name, which proves that the first one's create was carried out.
    with pytest.raises(ConvergeError, match=r"exists already, .* for 300 seconds .*Nothing was changed; run the task again"):
        declare_in_time("inbound", **INBOUND)
    outcome = declare_in_time("inbound", **{**INBOUND, "comment": "again"})
    assert [change.option for change in outcome.plan.changes] == ["comment"]
    assert created(exchange) == 1
    assert stored(exchange, "inbound")["Comment"] == "again"


@pytest.mark.parametrize("answer", ["204", "empty list"])
@pytest.mark.parametrize("direction", DECLARED)
@pytest.mark.parametrize(
    "replication", [{}, {"replication_reads": 3}, {"replication_seconds": 60.0}, {"replication_seconds": 900.0}]
)
def test_a_create_without_an_object_in_its_answer_is_not_repeated(
    exchange: StandIn, declare_in_time: Declare, direction: str, answer: str, replication: dict[str, t.Any]
) -> None:
    """Even where the service would take a second one of the same name."""
    exchange.set(unique_names=False, **ANSWERS[answer], **replication)
    if replication.get("replication_seconds", 0) > 300:
        with pytest.raises(ConvergeError, match="was created, but reads have not shown it") as caught:
            declare_in_time(direction, **DECLARED[direction])
        assert caught.value.done == "yes"
    else:
        outcome = declare_in_time(direction, **DECLARED[direction])
        assert (outcome.plan.action, outcome.written) == (p.CREATE, True)
    assert exchange.cmdlets().count(f"New-{NOUN[direction]}") == 1
    assert names(exchange, direction) == [DECLARED[direction]["name"]]


def test_a_create_without_an_object_takes_one_listing_more(exchange: StandIn, declare: Declare) -> None:
    exchange.set(empty_new=True)
    declare("inbound", **INBOUND)
    assert exchange.cmdlets() == ["Get-InboundConnector", "New-InboundConnector"] + ["Get-InboundConnector"] * 2


def test_a_lost_create_that_is_not_listed_yet(exchange: StandIn, declare: Declare) -> None:
    exchange.set(cut_after=1, only=["New-"], replication_reads=9)
    declare("inbound", **INBOUND)
    assert names(exchange, "inbound") == ["Contoso inbound"]


@pytest.mark.parametrize(("direction", "reads"), [("inbound", 12), ("outbound", 60)])
def test_not_found_for_many_reads(exchange: StandIn, declare: Declare, waits: list[float], direction: str, reads: int) -> None:
    exchange.set(replication_reads=reads)
    declare(direction, **DECLARED[direction])
    assert [cmdlet for cmdlet in exchange.cmdlets() if cmdlet.startswith("New-")] == [f"New-{NOUN[direction]}"]
    assert sum(waits) > 30
    assert names(exchange, direction) == [DECLARED[direction]["name"]]


@pytest.mark.parametrize("errors", ["nested", "details"])
def test_a_conflict_in_another_language(
    exchange: StandIn, declare_in_time: Declare, monkeypatch: pytest.MonkeyPatch, errors: str
) -> None:
    """The type of the error says what it is, when neither status nor text does."""

    def taken(self: Tenant, kind: str, changed: dict[str, t.Any]) -> None:
        if any(other["Name"] == changed["Name"] and other["Guid"] != changed["Guid"] for other in self._objects[kind]):
            raise CmdletError("Das Objekt ist bereits vorhanden.", kind="ManagementObjectAlreadyExistsException")

    monkeypatch.setattr(Tenant, "_check_unique", taken)
    exchange.set(replication_seconds=120.0, errors=errors, **ANSWERS["lost"])
    assert declare_in_time("inbound", **INBOUND).written
    assert names(exchange, "inbound") == ["Contoso inbound"]
