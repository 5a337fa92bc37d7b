# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The molecule scenarios of extensions/molecule, on hosts of the lab."""

from __future__ import annotations

import re

from tests.conftest import ROOT
from tests.gates.support import environment, run, tools
from tests.lab.fixtures import require_lab

SCENARIOS = sorted(path.parent.name for path in (ROOT / "extensions" / "molecule").glob("*/molecule.yml"))


def test_all_scenarios() -> None:
    require_lab()
    bin_dir = tools("molecule", "molecule")
    env = environment(bin_dir, PYTHONDONTWRITEBYTECODE="1")
    # What an earlier run left, had it been interrupted: molecule would take its hosts for prepared.
    run([bin_dir / "molecule", "reset"], env=env)
    done = run([bin_dir / "molecule", "test", "--all"], env=env)
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
