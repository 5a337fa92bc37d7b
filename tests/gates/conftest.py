# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The slow gates run in the background while the quick ones run."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from tests.gates.sanity import CORES, run_sanity

Runs = dict[str, Future[subprocess.CompletedProcess[str]]]


@pytest.fixture(scope="session", autouse=True)
def sanity_runs(request: pytest.FixtureRequest) -> Iterator[Runs]:
    """Sanity runs that some selected test will ask for, one after the other beside everything else."""
    chosen = [name for name in CORES if any(f"[{name}]" in item.nodeid for item in request.session.items)]
    pool = ThreadPoolExecutor(max_workers=1)
    yield {name: pool.submit(run_sanity, name) for name in chosen}
    pool.shutdown(cancel_futures=True)
