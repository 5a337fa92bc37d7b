# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The slow gates begin when the session does."""

from __future__ import annotations

import subprocess
from concurrent.futures import Future

import pytest

from tests.conftest import in_background
from tests.gates.sanity import CORES, run_sanity
from tools import prepare

Runs = dict[str, Future[subprocess.CompletedProcess[str]]]
_RUNS = pytest.StashKey[Runs]()


def pytest_collection_finish(session: pytest.Session) -> None:
    """Start the sanity runs that some selected test will ask for."""
    chosen = [name for name in CORES if any(f"test_sanity[{name}]" in item.nodeid for item in session.items)]
    if not session.config.option.collectonly:
        session.config.stash[_RUNS] = {name: in_background(session.config, run_sanity, name) for name in chosen}
        if any(item.path.name == "test_package.py" for item in session.items):
            in_background(session.config, prepare.ensure, "lint")  # its tests wait, or say what is missing


@pytest.fixture(scope="session")
def sanity_runs(request: pytest.FixtureRequest) -> Runs:
    """The runs, by the name of their environment."""
    return request.config.stash[_RUNS]
