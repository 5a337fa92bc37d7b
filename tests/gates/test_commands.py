# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The commands a newcomer types, in a fresh clone whose name is nothing Ansible expects."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT, require, require_programs
from tests.gates.support import check, copy_sources, environment, run
from tests.lab.preflight import PROGRAMS
from tools import prepare, readiness


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh clone, prepared by two runs at once."""
    require_programs("gate commands", "git", "make")
    folder = tmp_path_factory.mktemp("clone") / "my mail servers"
    copy_sources(folder)
    start = [str(folder / "tools" / "prepare"), "run"]
    runs = [subprocess.Popen(start, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT) for dummy in range(2)]
    outputs = [process.communicate(timeout=300)[0].decode() for process in runs]
    assert [process.returncode for process in runs] == [0, 0], "\n".join(outputs)
    return folder


def _another_projects_settings(folder: Path) -> dict[str, str]:
    """What somebody who works on other Ansible projects has in the environment."""
    config = folder / "elsewhere.cfg"
    config.write_text("[defaults]\nstdout_callback = not.there.either\ninventory = /nonexistent\n", encoding="utf-8")
    return environment(
        ANSIBLE_CONFIG=str(config),
        ANSIBLE_STDOUT_CALLBACK="not.there.either",
        ANSIBLE_INVENTORY="/nonexistent",
        ANSIBLE_STRATEGY="not.there",
        ANSIBLE_LIBRARY="/nonexistent",
        PYTHONPATH="/nonexistent",
    )


def test_readiness_on_this_machine(clone: Path, tmp_path: Path) -> None:
    """Whatever the verdict is, it is no failure."""
    env = _another_projects_settings(tmp_path) | {"ANSIBLE_COLLECTIONS_PATH": "/nonexistent"}
    output = check(["make", "readiness", f"REPORT_DIR={tmp_path / 'out'}"], cwd=clone, env=env, timeout=120)
    report = json.loads((tmp_path / "out" / "readiness.json").read_text(encoding="utf-8"))
    assert "localhost" in json.dumps(report)
    assert "localhost" in output
    assert (tmp_path / "out" / "readiness.html").exists()


def test_readiness_without_network(clone: Path, tmp_path: Path) -> None:
    """What is prepared stays usable; FAIL_ON decides the exit status."""
    require(os.geteuid() == 0 and shutil.which("unshare"), "gate commands, without network", "it needs root and unshare")
    cut_off = ["unshare", "--net", "make", "readiness", f"REPORT_DIR={tmp_path}"]
    check(cut_off, cwd=clone, timeout=120)
    assert (tmp_path / "readiness.html").exists()
    done = run([*cut_off, "FAIL_ON=fail"], cwd=clone, timeout=120)
    assert done.returncode != 0, done.stdout
    assert "Traceback" not in done.stdout


def test_nothing_is_prepared_twice(clone: Path) -> None:
    done = run([clone / "tools" / "prepare", "run"], cwd=clone)
    assert (done.returncode, done.stdout) == (0, "")


def test_values_cannot_become_other_arguments() -> None:
    outer = {"PROFILES": 'a, ./b.yml,x"]} -e evil=1', "FAIL_ON": "fail,unknown", "INVENTORY": "mail1,mail2"}
    words = readiness.command(outer, ["--limit", "mail1"])
    variables = json.loads(words[words.index("-e") + 1])
    assert variables["readiness_profiles"] == ["a", "./b.yml", 'x"]}', "-e", "evil=1"]
    assert variables["readiness_fail_on"] == ["fail", "unknown"]
    assert words[words.index("-i") + 1] == "mail1,mail2"
    assert words.count("-e") == 1 and words[-2:] == ["--limit", "mail1"]


def test_defaults() -> None:
    words = readiness.command({}, [])
    variables = json.loads(words[words.index("-e") + 1])
    assert variables == {"readiness_fail_on": ["never"], "readiness_report_dir": str(ROOT / "reports")}


def test_the_users_way_to_hosts_is_kept() -> None:
    kept = readiness.environment(
        {"ANSIBLE_SSH_ARGS": "-o X", "ANSIBLE_REMOTE_USER": "ops", "SSH_AUTH_SOCK": "s", "ANSIBLE_CALLBACKS_ENABLED": "timer"}
    )
    assert kept["ANSIBLE_SSH_ARGS"] == "-o X" and kept["ANSIBLE_REMOTE_USER"] == "ops" and kept["SSH_AUTH_SOCK"] == "s"
    assert "ANSIBLE_CALLBACKS_ENABLED" not in kept
    assert readiness.environment({"CONFIG": "mine.cfg", "ANSIBLE_CONFIG": "other.cfg"})["ANSIBLE_CONFIG"] == "mine.cfg"


def test_a_shim_that_does_not_run_is_passed_over(tmp_path: Path) -> None:
    """pyenv leaves such shims on PATH for versions that are not active."""
    for name in ("python3", "python3.13", "python3.12"):
        (tmp_path / name).write_text("#!/bin/sh\nexit 127\n", encoding="utf-8")
        (tmp_path / name).chmod(0o755)
    for tool in ("dirname", "sh"):
        (tmp_path / tool).symlink_to(shutil.which(tool) or "")
    done = run([ROOT / "tools" / "prepare", "run"], env={"PATH": str(tmp_path)})
    assert done.returncode == 2
    assert "no Python 3.10 or newer" in done.stdout
    (tmp_path / "python3.11").write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n', encoding="utf-8")
    (tmp_path / "python3.11").chmod(0o755)
    done = run([ROOT / "tools" / "prepare"], env={"PATH": str(tmp_path)})
    assert "give one or more of" in done.stdout


def test_python_without_venv_is_explained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Debian's python3 without python3-venv."""
    python = tmp_path / "python3"
    real = getattr(sys, "_base_executable", sys.executable)
    python.write_text(f'#!/bin/sh\ncase "$*" in *ensurepip*) exit 1;; esac\nexec "{real}" "$@"\n', encoding="utf-8")
    python.chmod(0o755)
    monkeypatch.setattr(prepare, "on_debian_as_root", lambda: False)
    with pytest.raises(prepare.PreparationError, match="apt-get install python3-venv"):
        prepare._make_venv(python, tmp_path / "venv")


BROKEN = """
import pathlib, sys
from tools import prepare
prepare.CACHE = prepare.ROOT = pathlib.Path(sys.argv[1])
prepare.VENVS["broken"] = prepare.Venv(("./no-such-wheel.whl",))
try:
    prepare.ensure("broken")
except prepare.PreparationError as error:
    sys.exit(f"refused: {error}")
"""


def test_an_installation_that_fails_says_why(tmp_path: Path) -> None:
    """In a process of its own, because environments are prepared in the background of this one."""
    done = run([sys.executable, "-c", BROKEN, tmp_path])
    assert done.returncode == 1
    assert "refused: " in done.stdout and "no-such-wheel.whl" in done.stdout


def test_ci_runs_the_same_and_fails_loudly() -> None:
    path = ROOT / ".ci" / "run"
    text = path.read_text(encoding="utf-8")
    assert path.stat().st_mode & 0o777 == 0o755
    assert "set -euo pipefail" in text and "export CI=true" in text and "make test" in text


def test_make_test_installs_what_the_lab_needs() -> None:
    lines = (ROOT / "tools" / "apt-packages.txt").read_text(encoding="utf-8").splitlines()
    packages = {line.split("#")[0].strip() for line in lines}
    assert set(PROGRAMS.values()) - packages == set()
