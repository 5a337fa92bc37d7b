# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Killed before each of its operations in turn: the configuration is the old or the new one, whole, and a rerun finishes."""

from __future__ import annotations

import pathlib
import signal
import subprocess
import sys
import typing as t

import pytest
from ansible_collections.mailops.tls.plugins.module_utils._postfix import service

from tests.unit.postfix import module
from tests.unit.postfix.conftest import Trial
from tests.unit.postfix.test_postfix_module import CLIENT, PARTNER, SENDER

DYING = pathlib.Path(__file__).with_name("dying.py")
OLD = {"destinations": [{"destination": "partner.example", "level": "encrypt"}], "clients": [SENDER], "exclusive": True}
NEW = {"destinations": [PARTNER], "clients": [CLIENT, SENDER], "exclusive": True}


def die(trial: Trial, number: int, declaration: dict[str, t.Any] | None = None) -> subprocess.CompletedProcess[str]:
    """Run the module with a declaration (NEW) and kill it before an operation."""
    return subprocess.run(
        [sys.executable, "-B", str(DYING), str(number), str(module.MODULE), str(trial.directory)],
        input=module.arguments({"config_directory": str(trial.directory), **(declaration or NEW)}),
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


def whole(trial: Trial, operation: str) -> bool:
    """Does main.cf name the service that compares names? Then it is in master.cf, once, and its script is there."""
    main, master = trial.main.read_text(), (trial.directory / "master.cf").read_text()
    named = service.scripts(main)
    there = [line.rsplit("/", 1)[-1].strip() for line in service.ours(master)]
    assert len(there) == len(set(there)), operation
    assert named <= set(there), operation
    for name in named:
        assert (trial.folder / name).read_text().startswith("# Copyright"), operation
    assert (trial.lookup("smtpd_data_restrictions", "192.0.2.5") != "") == bool(named), operation
    return bool(named)


@pytest.mark.parametrize("step", ["comes", "goes", "changes"])
def test_killed_anywhere_with_a_service(open_trial: Trial, step: str) -> None:
    """master.cf and main.cf are two files: at no moment does main.cf name a service that is not there."""
    trial, master = open_trial, open_trial.directory / "master.cf"
    foreign = master.read_bytes()
    rule = {"client": "192.0.2.0/28", "require": "certificate", "ca_file": str(trial.directory / "ca.pem")}
    new: dict[str, t.Any] = {"clients": [{**rule, "names": ["mail.partner.example"]}]}
    old: dict[str, t.Any] = {"clients": [{"client": "192.0.2.0/28", "state": "absent"}]}
    if step == "goes":
        trial.apply(**new)
        new, old = old, new
    if step == "changes":
        trial.apply(**new)
        # As an older version of this collection would have left it.
        (script,) = trial.folder.glob("policy_server-*")
        script.rename(script.with_name("policy_server-0123456789abcdef"))
        for path in (trial.main, master):
            trial.write(path.name, path.read_text().replace(script.name[-16:], "0123456789abcdef"))
    files, before = trial.files(), trial.main.read_text()
    operations = die(trial, 0, new).stderr.splitlines()
    final = trial.files()
    assert settings(final["main.cf"]) != settings(before.encode())
    assert (master.read_bytes() == foreign) == (step == "goes")
    outcomes = set()
    # Nothing changes before a command is run.
    numbers = [number for number, operation in enumerate(operations, 1) if not operation.startswith("subprocess")]
    for number in numbers:
        operation = f"{number} {operations[number - 1]}"
        trial.restore(files)
        assert die(trial, number, new).returncode == -signal.SIGKILL, operation
        assert settings(trial.main.read_bytes()) in (settings(before.encode()), settings(final["main.cf"])), operation
        outcomes.add((whole(trial, operation), len(service.ours(master.read_text()))))
        if number % 5 == 0 or number == numbers[-1]:
            trial.apply(**new)
            trial.apply(**new)
            assert master.read_bytes() == final["master.cf"], operation
            assert settings(trial.main.read_bytes()) == settings(final["main.cf"]), operation
            assert not trial.apply(**new)["changed"]
            assert not [name for name in trial.files() if ".mailops_tls." in name or "pending" in name]
    expected = {"comes": {(False, 0), (False, 1), (True, 1)}, "goes": {(True, 1), (False, 1), (False, 0)}}
    assert outcomes == expected.get(step, {(True, 1), (True, 2)})
