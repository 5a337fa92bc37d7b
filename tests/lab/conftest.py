# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Fixtures of the lab's own tests."""

from __future__ import annotations

import os

import pytest

from tests.conftest import in_background
from tests.lab import roots
from tests.lab.fixtures import lab

__all__ = ["lab"]


def pytest_collection_finish(session: pytest.Session) -> None:
    """Begin to build the roots of other releases that some selected test will ask for; it waits, or says what is missing."""
    asked = any("built" in getattr(item, "fixturenames", ()) for item in session.items)
    if asked and os.geteuid() == 0 and not session.config.option.collectonly:
        in_background(session.config, roots.build_all)
