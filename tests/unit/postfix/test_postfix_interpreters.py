# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What runs on mail hosts, under every interpreter from 3.6 on that this machine has."""

from __future__ import annotations

import json
import pathlib
import subprocess

import pytest

from tests.unit.postfix import module
from tests.unit.postfix.conftest import Trial
from tests.unit.postfix.test_postfix_module import CLIENT, PARTNER, SENDER
from tests.unit.probe.test_interpreters import FOUND

DRIVER = pathlib.Path(__file__).with_name("driver.py")


@pytest.mark.parametrize("version", sorted(FOUND), ids=lambda version: ".".join(map(str, version)))
def test_declaration(version: tuple[int, ...], trial: Trial) -> None:
    request = {"directory": str(trial.directory), "destinations": [PARTNER], "clients": [CLIENT, SENDER]}
    done = subprocess.run(
        [FOUND[version], "-B", str(DRIVER), str(module.MODULE)],
        input=json.dumps(request).encode(),
        capture_output=True,
        timeout=60,
        env=module.environment(),
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    assert done.stderr == b""
    answer = json.loads(done.stdout)
    assert answer == {"python": list(version), "changes": [[True, 4, 3], [False, 0, 3]]}
    assert trial.lookup("smtp_tls_policy_maps", "partner.example") == "secure match=mail.partner.example"


@pytest.mark.parametrize("version", sorted(FOUND), ids=lambda version: ".".join(map(str, version)))
def test_names(version: tuple[int, ...], open_trial: Trial) -> None:
    """master.cf, main.cf with its class, and a map file change; then nothing."""
    rule = {
        "client": "192.0.2.1",
        "require": "certificate",
        "ca_file": f"{open_trial.directory}/ca.pem",
        "names": ["*.a.example"],
    }
    done = subprocess.run(
        [FOUND[version], "-B", str(DRIVER), str(module.MODULE)],
        input=json.dumps({"directory": str(open_trial.directory), "destinations": [], "clients": [rule]}).encode(),
        capture_output=True,
        timeout=60,
        env=module.environment(),
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    assert json.loads(done.stdout) == {"python": list(version), "changes": [[True, 3, 1], [False, 0, 1]]}
    assert "policy_context = OK *.a.example" in open_trial.postconf(open_trial.lookup("smtpd_data_restrictions", "192.0.2.1"))
