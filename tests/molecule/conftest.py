# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Molecule begins when the session does: its hosts are a lab of its own, and most of its time is waiting."""

from __future__ import annotations

import os
import subprocess
from concurrent.futures import Future

import pytest

from tests.conftest import in_background
from tests.molecule.scenarios import run_scenarios

_RUN = pytest.StashKey[Future[subprocess.CompletedProcess[str]]]()


@pytest.hookimpl(trylast=True)  # what is needed earlier goes first
def pytest_collection_finish(session: pytest.Session) -> None:
    """Start it where its test is selected; it waits, or says what is missing."""
    asked = any("molecule_run" in getattr(item, "fixturenames", ()) for item in session.items)
    if asked and os.geteuid() == 0 and not session.config.option.collectonly:
        session.config.stash[_RUN] = in_background(session.config, run_scenarios)


@pytest.fixture(scope="session")
def molecule_run(request: pytest.FixtureRequest) -> Future[subprocess.CompletedProcess[str]] | None:
    """The run, or None where it was not begun."""
    return request.config.stash.get(_RUN, None)
