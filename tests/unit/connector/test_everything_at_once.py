# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The stand-in with every quirk on at once: small pages, late replicas, throttling, lost answers, odd forms of values.

One request in three meets a fault; the faults follow each other, so that reads and writes meet all of them.
"""

from __future__ import annotations

import dataclasses
import typing as t

import pytest
from ansible_collections.mailops.tls.plugins.module_utils._connector import plan as p

from tests.lab.exchange_online.fixture import StandIn
from tests.lab.exchange_online.quirks import Quirks
from tests.lab.exchange_online.server import STORM
from tests.unit.connector.conftest import KINDS, Declare
from tests.unit.connector.samples import DECLARED, NOUN, names
from tests.unit.connector.test_converge import FIELDS, OTHER, WITH

EVERYTHING: dict[str, t.Any] = {
    "storm": 3,
    "page_size": 7,
    "retry_after": "11",
    "replication_reads": 4,
    "replication_seconds": 45.0,
    "empty_new": True,
    "token_failures": 2,
}
# Many connectors of others, hidden ones among them, so that there are pages, and names that resemble each other.
OTHERS = 40


@pytest.fixture
def everything(exchange: StandIn) -> StandIn:
    """With its faults, and connectors of others."""
    crowd(exchange, OTHERS)
    exchange.set(**EVERYTHING)
    return exchange


def crowd(exchange: StandIn, number: int) -> None:
    exchange.load(
        InboundConnector=[
            {
                "Name": f"Contoso inbound {index}",
                "SenderDomains": [f"d{index}.example"],
                "EFSkipIPs": ["192.0.2.9"],
            }
            for index in range(number)
        ],
        OutboundConnector=[
            {
                "Name": f"Contoso outbound {index}",
                "RecipientDomains": [f"d{index}.example"],
                "SmartHosts": ["gw.example"],
                "TestMode": index % 3 == 0,
                "IsTransportRuleScoped": index % 5 == 0,
            }
            for index in range(number)
        ],
    )


def by_name(exchange: StandIn, direction: str) -> dict[str, dict[str, t.Any]]:
    return {found["Name"]: found for found in exchange.connectors()[NOUN[direction]]}


def test_every_way_of_the_service_is_on(everything: StandIn) -> None:
    """What is off is only what no client can get past, and faults that the storm brings."""
    quirks = dataclasses.asdict(everything.server.service.quirks)
    off = {name for name, value in quirks.items() if not value}
    broken = {"foreign_next_link", "endless_pages", "denied", "only", "redirect", "stray_404", "garbage", "deep", "drip", "delay"}
    assert off == broken | set(STORM)
    assert quirks["errors"] == "nested"
    assert {field.name for field in dataclasses.fields(Quirks)} == set(quirks)


@pytest.mark.parametrize("direction", DECLARED)
def test_from_nothing_to_nothing(everything: StandIn, declare_in_time: Declare, direction: str) -> None:
    """Created, in shape, renamed, removed, in the middle of all that goes wrong. Nobody else's connector is touched."""
    exchange, declared = everything, DECLARED[direction]
    before = by_name(exchange, direction)

    def others() -> dict[str, dict[str, t.Any]]:
        return {name: found for name, found in by_name(exchange, direction).items() if name in before}

    made = declare_in_time(direction, **declared)
    assert (made.plan.action, made.written) == (p.CREATE, True)
    assert len(names(exchange, direction)) == OTHERS + 1
    unchanged(exchange, declare_in_time, direction, declared)
    renamed = declare_in_time(direction, name=declared["name"], new_name="Partner")
    assert [change.option for change in renamed.plan.changes] == ["name"]
    unchanged(exchange, declare_in_time, direction, {**declared, "name": "partner"})
    removed = declare_in_time(direction, name="PARTNER", state="absent")
    assert (removed.plan.action, removed.live) == (p.REMOVE, None)
    unchanged(exchange, declare_in_time, direction, {"name": "Partner", "state": "absent"})
    assert by_name(exchange, direction) == others() == before
    assert {entry["fault"] for entry in exchange.log()} >= {"throttle", "fail_after", "cut_after"}


def unchanged(exchange: StandIn, declare: Declare, direction: str, declared: dict[str, t.Any]) -> None:
    """The same again is no change and no write, not even an attempt at one."""
    exchange.server.service.log[:] = [entry for entry in exchange.server.service.log if entry["fault"]]
    tried = len(writing(exchange))
    again = declare(direction, **declared)
    assert (again.plan.action, again.plan.changes, again.written) == (p.NONE, (), False)
    assert len(writing(exchange)) == tried


def writing(exchange: StandIn) -> list[str]:
    return [cmdlet for cmdlet in exchange.cmdlets() if not cmdlet.startswith("Get-")]


@pytest.mark.parametrize(("direction", "option"), FIELDS, ids=str)
def test_each_field_changes_alone(everything: StandIn, declare_in_time: Declare, direction: str, option: str) -> None:
    exchange, name = everything, DECLARED[direction]["name"]
    declare_in_time(direction, **DECLARED[direction])
    before = by_name(exchange, direction)
    change = {option: OTHER[direction][option], **WITH.get(option, {})}
    predicted = declare_in_time(direction, check_mode=True, name=name, **change)
    assert by_name(exchange, direction) == before
    outcome = declare_in_time(direction, name=name, **change)
    assert outcome.plan == predicted.plan
    after = by_name(exchange, direction)
    changed = {key for key, value in after[name].items() if value != before[name][key]} - {"WhenChanged"}
    assert changed and changed <= {made.parameter for made in outcome.plan.changes}
    assert {**after, name: None} == {**before, name: None}
    unchanged(exchange, declare_in_time, direction, {"name": name, **change})


@pytest.mark.parametrize("direction", DECLARED)
def test_three_hundred_with_rename_and_remove(exchange: StandIn, declare_in_time: Declare, direction: str) -> None:
    """Listings of 43 pages and more; the first connector, one in the middle and the last one."""
    crowd(exchange, 300)
    # One request in three would keep a single listing busy for minutes.
    exchange.set(**{**EVERYTHING, "storm": 7})
    noun = {"inbound": "Contoso inbound", "outbound": "Contoso outbound"}[direction]
    domains = "sender_domains" if direction == "inbound" else "recipient_domains"
    client = declare_in_time.client()
    for index in (0, 150, 299):
        same = declare_in_time(direction, client=client, name=f"{noun} {index}", **{domains: [f"d{index}.example"]})
        assert (same.plan.action, same.written) == (p.NONE, False)
        changed = declare_in_time(direction, client=client, name=f"{noun} {index}", comment="agreed")
        assert [change.option for change in changed.plan.changes] == ["comment"]
        renamed = declare_in_time(direction, client=client, name=f"{noun} {index}", new_name=f"Kept {index}")
        assert [change.option for change in renamed.plan.changes] == ["name"]
    assert exchange.cmdlets().count(f"New-{NOUN[direction]}") == 0
    removed = declare_in_time(direction, name="kept 150", state="absent")
    assert removed.plan.action == p.REMOVE
    assert declare_in_time(direction, name="kept 150", state="absent").plan.action == p.NONE
    declare_in_time(direction, **DECLARED[direction])
    left = by_name(exchange, direction)
    expected = {f"{noun} {index}" for index in range(300)} - {f"{noun} {index}" for index in (0, 150, 299)}
    assert set(left) == expected | {"Kept 0", "Kept 299", DECLARED[direction]["name"]}
    assert {name for name, found in left.items() if found["Comment"]} == {"Kept 0", "Kept 299"}
    assert stored_as(left["Kept 299"], direction) == ["d299.example"]


def stored_as(found: dict[str, t.Any], direction: str) -> list[str]:
    return t.cast("list[str]", found["SenderDomains" if direction == "inbound" else "RecipientDomains"])


def test_the_fields_are_those_of_the_tables() -> None:
    assert {direction: {option for of, option in FIELDS if of == direction} | {"name"} for direction in KINDS} == {
        direction: set(kind.table.by_option) for direction, kind in KINDS.items()
    }
