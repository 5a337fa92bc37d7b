# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A connection to the stand-in whose pauses are not waited for, and one converger per declaration."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.mailops.tls.plugins.plugin_utils._exo.action import argument_spec, read_request
from ansible_collections.mailops.tls.plugins.plugin_utils._exo.client import Client
from ansible_collections.mailops.tls.plugins.plugin_utils._exo.connectors import Connectors
from ansible_collections.mailops.tls.plugins.plugin_utils._exo.converge import Converger, Outcome
from ansible_collections.mailops.tls.plugins.plugin_utils._exo.inbound import INBOUND
from ansible_collections.mailops.tls.plugins.plugin_utils._exo.kinds import Kind
from ansible_collections.mailops.tls.plugins.plugin_utils._exo.options import read_settings
from ansible_collections.mailops.tls.plugins.plugin_utils._exo.outbound import OUTBOUND
from ansible_collections.mailops.tls.plugins.plugin_utils._exo.pacing import Pacing

from tests.lab.exchange_online.fixture import StandIn, running
from tests.unit.exo_transport.waiting import Clock

KINDS = {"inbound": INBOUND, "outbound": OUTBOUND}


@pytest.fixture(scope="session")
def stand_in() -> t.Iterator[StandIn]:
    with running() as exchange:
        yield exchange


@pytest.fixture
def exchange(stand_in: StandIn) -> StandIn:
    """The stand-in as if just started."""
    stand_in.reset()
    return stand_in


@pytest.fixture
def waits() -> list[float]:
    """The pauses that were made, in seconds."""
    return []


class Declare:
    """Declares connectors like tasks, each with a client of its own, as in a process of its own."""

    def __init__(self, exchange: StandIn, pacing: Pacing) -> None:
        self.exchange = exchange
        self.pacing = pacing

    def client(self) -> Client:
        return Client(read_settings(self.exchange.options), pacing=self.pacing)

    def __call__(self, direction: str, *, check_mode: bool = False, client: Client | None = None, **options: t.Any) -> Outcome:
        kind: Kind = KINDS[direction]
        args = {name: entry.get("default") for name, entry in argument_spec(kind).items()}
        request = read_request(kind, {**args, **options}, set(options))
        return Converger(Connectors(client or self.client(), kind), request, self.pacing).run(check_mode=check_mode)


@pytest.fixture
def declare(exchange: StandIn, waits: list[float]) -> Declare:
    return Declare(exchange, Pacing(sleep=waits.append, jitter=lambda: 1.0))


@pytest.fixture
def clock(exchange: StandIn, monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The stand-in's clock, for tests about minutes."""
    clock = Clock()
    monkeypatch.setattr(exchange.server.service.tenant, "clock", clock.now)
    return clock


@pytest.fixture
def declare_in_time(exchange: StandIn, clock: Clock) -> Declare:
    """As `declare`, by the same clock as the stand-in."""
    return Declare(exchange, Pacing(sleep=clock.sleep, clock=clock.now, jitter=lambda: 1.0))
