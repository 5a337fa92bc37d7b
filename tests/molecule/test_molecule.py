# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The molecule scenarios of extensions/molecule, on hosts of the lab."""

from __future__ import annotations

import re
import subprocess
from concurrent.futures import Future

from tests.conftest import ROOT, require
from tests.lab.fixtures import require_lab
from tools import prepare

SCENARIOS = sorted(path.parent.name for path in (ROOT / "extensions" / "molecule").glob("*/molecule.yml"))


def test_all_scenarios(molecule_run: Future[subprocess.CompletedProcess[str]] | None) -> None:
    require_lab()
    assert molecule_run is not None, "it begins with the session where a lab can be"
    try:
        done = molecule_run.result()
    except prepare.PreparationError as exc:
        require(False, "molecule", str(exc))
        raise
    assert done.returncode == 0, done.stdout
    recap = dict(re.findall(r"^(\w+)\s+: actions=\d+\s+successful=(\d+)\s.*missing=0\s+failed=0", done.stdout, re.MULTILINE))
    assert sorted(recap) == SCENARIOS, done.stdout
    # Molecule calls a play that matched no host a success.
    assert "no hosts matched" not in done.stdout
    for scenario in SCENARIOS:
        if scenario != "default":
            for action in ("prepare", "converge", "idempotence", "verify", "cleanup"):
                # Between the two stands an arrow, or ">" where the output takes no other.
                assert re.search(rf"^{scenario} \S+ {action}: Executed: Successful$", done.stdout, re.MULTILINE), done.stdout
