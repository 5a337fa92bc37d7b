# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Killed before each of its operations in turn: the configuration is the old or the new one, whole, and a rerun finishes."""

from __future__ import annotations

import pathlib
import signal
import subprocess
import sys

from tests.unit.postfix import module
from tests.unit.postfix.conftest import Trial
from tests.unit.postfix.test_postfix_module import CLIENT, PARTNER, SENDER

DYING = pathlib.Path(__file__).with_name("dying.py")
OLD = {"destinations": [{"destination": "partner.example", "level": "encrypt"}], "clients": [SENDER], "exclusive": True}
NEW = {"destinations": [PARTNER], "clients": [CLIENT, SENDER], "exclusive": True}


def die(trial: Trial, number: int) -> subprocess.CompletedProcess[str]:
    """Run the module with NEW and kill it before an operation."""
    return subprocess.run(
        [sys.executable, "-B", str(DYING), str(number), str(module.MODULE), str(trial.directory)],
        input=module.arguments({"config_directory": str(trial.directory), **NEW}),
        capture_output=True,
        text=True,
        timeout=60,
        env=module.environment(TMPDIR=str(trial.directory.parent)),
        check=False,
    )


def settings(content: bytes) -> list[bytes]:
    """The lines of main.cf: postconf adds new settings in an order that differs from run to run."""
    return sorted(content.splitlines())


def test_killed_anywhere(trial: Trial) -> None:
    trial.apply(**OLD)
    old, files = settings(trial.main.read_bytes()), trial.files()
    done = die(trial, 0)
    assert done.returncode == 0, done.stderr
    operations, new = done.stderr.splitlines(), settings(trial.main.read_bytes())
    assert old != new
    assert sum(line.startswith("os.rename") for line in operations) >= 3, "map files and main.cf"
    outcomes = []
    for number, operation in enumerate(operations, 1):
        trial.restore(files)
        assert die(trial, number).returncode == -signal.SIGKILL, operation
        outcomes.append(settings(trial.main.read_bytes()))
        assert outcomes[-1] in (old, new), operation
        encrypt = outcomes[-1] == old
        level = "encrypt" if encrypt else "secure match=mail.partner.example"
        assert trial.lookup("smtp_tls_policy_maps", "partner.example") == level, operation
        client = trial.lookup("smtpd_data_restrictions", "192.0.2.5")
        assert (client == "") == encrypt, operation
        assert trial.lookup("smtpd_data_restrictions", "partner.example") == "reject_plaintext_session"
        if number % 7 == 0:
            trial.apply(**NEW)
            assert settings(trial.main.read_bytes()) == new, operation
    assert old in outcomes, "killed before the change"
    assert new in outcomes, "killed after the change"
    trial.apply(**NEW)
    assert settings(trial.main.read_bytes()) == new
    assert not [name for name in trial.files() if ".mailops_tls." in name or "pending" in name]
