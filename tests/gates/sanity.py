# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""ansible-test sanity without containers."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from tests.gates.support import copy_sources, environment, run
from tools import prepare

#: Environments of tools/prepare.py: the oldest ansible-core we support, and the newest for two Pythons.
CORES = ("sanity-2.16", "sanity-py311", "sanity-py313")

_OUT_OF_REACH = re.compile(r"Download failed:.*?saved to: (?P<path>\S+/get_pip_(?P<version>[0-9_]+)\.py)", re.DOTALL)

_STAND_IN = """# Runs pip from the wheel beside this file, as get-pip would, for machines that cannot reach its download site.
import os
import runpy
import sys

wheel = os.path.join(os.path.dirname(os.path.abspath(__file__)), "{wheel}")
arguments = [word for word in sys.argv[1:] if word not in ("--no-setuptools", "--no-wheel")]
sys.path.insert(0, wheel)
sys.argv = [sys.argv[0], "install", "--upgrade", "--force-reinstall"] + arguments
runpy.run_module("pip", run_name="__main__", alter_sys=True)
"""


def run_sanity(name: str) -> subprocess.CompletedProcess[str]:
    """All sanity tests of one ansible-core, on a copy of the checkout in the place where ansible-test wants it.

    Raises:
        prepare.PreparationError: no interpreter for it here, or it could not be installed.
    """
    folder = prepare.ensure(name)
    copy = prepare.CACHE / "sanity" / name / "ansible_collections" / "mailops" / "tls"
    copy_sources(copy)
    # ansible-test looks for pythonX.Y on PATH; a version manager's shim may be there first, and not run.
    interpreter = prepare.interpreter_for(prepare.VENVS[name])
    env = environment(folder / "bin", interpreter.parent)
    env.pop("ANSIBLE_COLLECTIONS_PATH")
    version = next(path.name for path in (folder / "lib").glob("python3.*"))[len("python") :]
    command: list[str | Path] = [folder / "bin" / "ansible-test", "sanity", "--venv", "--python", version, "--color", "no"]
    done = run(command, cwd=copy, env=env)
    unreachable = _OUT_OF_REACH.search(done.stdout)
    if done.returncode and unreachable:
        _make_stand_in(folder, Path(unreachable["path"]), unreachable["version"].replace("_", "."))
        done = run(command, cwd=copy, env=env)
    return done


def _make_stand_in(folder: Path, path: Path, version: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pip: list[str | Path] = [
        folder / "bin" / "python",
        "-m",
        "pip",
        "download",
        "--quiet",
        "--no-deps",
        "--dest",
        path.parent,
        f"pip=={version}",
    ]
    done = run(pip)
    wheels = list(path.parent.glob(f"pip-{version}-*.whl"))
    if done.returncode or not wheels:
        raise prepare.PreparationError(f"neither get-pip nor pip {version} can be downloaded: {done.stdout.strip()}")
    path.write_text(_STAND_IN.format(wheel=wheels[0].name), encoding="utf-8")
