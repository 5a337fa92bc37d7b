# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One stand-in for all tests of the transport, and clients that do not really wait."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.mailops.tls.plugins.plugin_utils._exo.client import Client
from ansible_collections.mailops.tls.plugins.plugin_utils._exo.options import read_settings
from ansible_collections.mailops.tls.plugins.plugin_utils._exo.pacing import Pacing

from tests.lab.exchange_online.certificates import self_signed
from tests.lab.exchange_online.fixture import StandIn, running
from tests.lab.pki import Issued


@pytest.fixture(scope="session")
def app_certificate() -> Issued:
    """What the app registration knows besides its secret."""
    return self_signed("ansible")


@pytest.fixture(scope="session")
def stand_in(app_certificate: Issued) -> t.Iterator[StandIn]:
    with running(certificate_pem=app_certificate.pem) as exchange:
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


@pytest.fixture
def new_client(exchange: StandIn, waits: list[float]) -> t.Callable[..., Client]:
    """Makes clients whose pauses are recorded instead of waited for."""

    def make(**options: t.Any) -> Client:
        pacing = Pacing(sleep=waits.append, jitter=lambda: 1.0)
        return Client(read_settings({**exchange.options, **options}), pacing=pacing)

    return make


@pytest.fixture
def client(new_client: t.Callable[..., Client]) -> Client:
    return new_client()
