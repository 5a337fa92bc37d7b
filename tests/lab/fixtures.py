# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The fixture `lab`, for the tests of this folder and, by import, for those of others."""

from __future__ import annotations

import collections.abc

import pytest

from tests.conftest import require
from tests.lab import lifecycle
from tests.lab.preflight import LabUnavailableError, check


def require_lab() -> None:
    """Leave the test out, by name and with the reason, where no lab can exist; fail instead under CI=true."""
    reason = ""
    try:
        check()
    except LabUnavailableError as error:
        reason = str(error)
    require(not reason, "lab", reason)


@pytest.fixture(scope="session")
def lab() -> collections.abc.Iterator[lifecycle.Lab]:
    """The lab, up. One that was up before is used and left up."""
    require_lab()
    before = lifecycle.current()
    fleet = before.fleet if before else 0
    found = lifecycle.up(fleet=fleet)
    yield found
    if before is None:
        lifecycle.down()
