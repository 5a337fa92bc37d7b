# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""ansible-test sanity, with nothing ignored."""

from __future__ import annotations

import pytest

from tests.conftest import ROOT, require, require_programs
from tests.gates.conftest import Runs
from tests.gates.sanity import CORES
from tools import prepare


@pytest.mark.parametrize("core", CORES)
def test_sanity(core: str, sanity_runs: Runs) -> None:
    require_programs(f"gate {core}", "git", "shellcheck")
    try:
        done = sanity_runs[core].result()
    except prepare.PreparationError as exc:
        require(False, f"gate {core}", str(exc))
        raise
    if done.returncode:
        # What is not about a file of ours is the log of installing the tests' own requirements.
        told = [line for line in done.stdout.splitlines() if line.startswith(("ERROR", "FATAL"))]
        pytest.fail("\n".join(told or done.stdout.splitlines()[-60:]), pytrace=False)


def test_nothing_is_ignored() -> None:
    for path in (ROOT / "tests" / "sanity").glob("ignore-*.txt"):
        assert path.read_text(encoding="utf-8").strip() == "", f"{path.name} must be empty"
