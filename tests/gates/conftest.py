# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The slow gates run in the background while everything before them runs: there is a second core."""

from __future__ import annotations

import subprocess
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from tests.gates.sanity import CORES, run_sanity

Runs = dict[str, Future[subprocess.CompletedProcess[str]]]
_POOL = pytest.StashKey[ThreadPoolExecutor]()
_RUNS = pytest.StashKey[Runs]()


def pytest_collection_finish(session: pytest.Session) -> None:
    """Start the sanity runs that some selected test will ask for, one after the other."""
    chosen = [name for name in CORES if any(f"test_sanity[{name}]" in item.nodeid for item in session.items)]
    if chosen and not session.config.option.collectonly:
        pool = session.config.stash[_POOL] = ThreadPoolExecutor(max_workers=1)
        session.config.stash[_RUNS] = {name: pool.submit(run_sanity, name) for name in chosen}


def pytest_sessionfinish(session: pytest.Session) -> None:
    pool = session.config.stash.get(_POOL, None)
    if pool is not None:
        pool.shutdown(cancel_futures=True)


@pytest.fixture(scope="session")
def sanity_runs(request: pytest.FixtureRequest) -> Runs:
    """The runs, by the name of their environment."""
    return request.config.stash[_RUNS]
