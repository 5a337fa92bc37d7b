# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Running real tools on the files that git would commit."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.conftest import ROOT, require
from tools import prepare


def source_files() -> list[Path]:
    """Every file of the checkout that is committed or would be, relative to the checkout, sorted."""
    done = run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"])
    assert done.returncode == 0, done.stdout
    names = {name for name in done.stdout.split("\0") if name}
    return sorted(Path(name) for name in names if (ROOT / name).is_file() or (ROOT / name).is_symlink())


def copy_sources(target: Path) -> None:
    """Make `target` a fresh git repository with the files of the checkout as they are now."""
    shutil.rmtree(target, ignore_errors=True)
    for name in source_files():
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, target / name, follow_symlinks=False)
    for command in (["git", "init", "--quiet"], ["git", "add", "--all"]):
        done = run(command, cwd=target)
        assert done.returncode == 0, done.stdout


def environment(*path: Path, **more: str) -> dict[str, str]:
    """The user's environment without what points tools at other projects, with `path` first on PATH."""
    dropped = ("ANSIBLE_", "GIT_", "COV_", "MOLECULE_", "PYTEST_", "MAKE", "MFLAGS")
    env = {key: value for key, value in os.environ.items() if not key.startswith(dropped)}
    # The last are what `make test` was given, which a make inside a test must not take for its own.
    given = ("ARGS", "INVENTORY", "FAIL_ON", "PROFILES", "REPORT_DIR", "CONFIG")
    for name in ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", *given):
        env.pop(name, None)
    env["PATH"] = os.pathsep.join([*map(str, path), env.get("PATH", os.defpath)])
    env["ANSIBLE_COLLECTIONS_PATH"] = str(prepare.CACHE / "collections")
    env.update(NO_COLOR="1", ANSIBLE_NOCOLOR="1", **more)
    return env


def run(
    command: Sequence[str | Path], cwd: Path = ROOT, env: dict[str, str] | None = None, timeout: float = 900
) -> subprocess.CompletedProcess[str]:
    """Run a tool; its error output goes where its output goes."""
    return subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        env=env or environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        timeout=timeout,
        check=False,
    )


def check(command: Sequence[str | Path], cwd: Path = ROOT, env: dict[str, str] | None = None, timeout: float = 900) -> str:
    """Run a tool that must succeed; the failure shows all it said."""
    done = run(command, cwd, env, timeout)
    words = " ".join(Path(str(word)).name if index == 0 else str(word) for index, word in enumerate(command))
    if done.returncode:
        pytest.fail(f"{words}: exit status {done.returncode}\n{done.stdout}", pytrace=False)
    return done.stdout


def tools(venv: str, part: str) -> Path:
    """The bin directory of one of the environments of tools/prepare.py, made now if need be."""
    try:
        return prepare.ensure(venv) / "bin"
    except prepare.PreparationError as exc:
        require(False, part, str(exc))
        raise
