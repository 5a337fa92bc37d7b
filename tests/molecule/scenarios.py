# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Running the scenarios of extensions/molecule."""

from __future__ import annotations

import subprocess

from tests.gates.support import environment, run
from tools import prepare


def run_scenarios() -> subprocess.CompletedProcess[str]:
    """All of them, from a clean start.

    Raises:
        prepare.PreparationError: molecule could not be installed.
    """
    folder = prepare.ensure("molecule") / "bin"
    env = environment(folder, PYTHONDONTWRITEBYTECODE="1")
    # What an earlier run left, had it been interrupted: molecule would take its hosts for prepared.
    run([folder / "molecule", "reset"], env=env)
    return run([folder / "molecule", "test", "--all"], env=env)
