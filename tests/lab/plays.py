# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plays over hosts of the lab, measured: what the tasks returned, how long it took, and the memory of both sides."""

from __future__ import annotations

import dataclasses
import json
import os
import pathlib
import subprocess
import sys
import time
import typing as t

import yaml

from tests.conftest import ROOT
from tests.lab.lifecycle import Lab

Vars = dict[str, t.Any]

# Stands before a managed host's interpreter and notes what it took: wall time in seconds, peak memory in KiB.
MEASURING = """\
#!{python}
import os, sys, time
began = time.monotonic()
child = os.fork()
if child == 0:
    os.execv({python!r}, [{python!r}] + sys.argv[1:])
status, usage = os.wait4(child, 0)[1:]
with open({log!r}, "a") as log:
    log.write("%.3f %d\\n" % (time.monotonic() - began, usage.ru_maxrss))
os._exit(os.WEXITSTATUS(status) if os.WIFEXITED(status) else 70)
"""
LOG = "/run/mtls-measured"


@dataclasses.dataclass(frozen=True)
class Measured:
    """One run of a program on a host: seconds, and KiB at its peak."""

    seconds: float
    peak_kib: int


@dataclasses.dataclass(frozen=True)
class Play:
    """How ansible-playbook ended. `registered` is by host and name; `peak_kib` that of the controller's largest process."""

    code: int
    output: str
    seconds: float
    peak_kib: int
    registered: dict[str, Vars]


def measuring_interpreter(lab: Lab, host: str, python: str = "/usr/bin/python3") -> str:
    """Put a measuring interpreter on the host and forget what it measured before. Returns its path there."""
    path = "/usr/local/bin/mtls-measuring-python"
    script = MEASURING.format(python=python, log=LOG)
    done = lab.run(host, f"cat > {path} <<'END'\n{script}END\nchmod 755 {path}; rm -f {LOG}")
    assert done.returncode == 0, done.stderr
    return path


def measured(lab: Lab, host: str) -> list[Measured]:
    """What the measuring interpreter noted, one item per module that ran."""
    lines = lab.run(host, f"cat {LOG}").stdout.splitlines()
    return [Measured(float(seconds), int(peak)) for seconds, peak in map(str.split, lines)]


def run_play(
    lab: Lab,
    directory: pathlib.Path,
    hosts: dict[str, Vars],
    tasks: t.Sequence[Vars],
    *,
    arguments: t.Sequence[str] = (),
    ansible: pathlib.Path | None = None,
) -> Play:
    """Run the tasks on hosts. Each has a name of its own and variables, of which lab_host names the lab's host behind it.

    `ansible` is the ansible-playbook of another release.
    """
    results = directory / "registered"
    results.mkdir(parents=True, exist_ok=True)
    names = [task["register"] for task in tasks if "register" in task]
    local = {"ansible_connection": "local", "ansible_python_interpreter": "{{ ansible_playbook_python }}"}
    save = {
        "name": "Save what was registered",
        "ansible.builtin.copy": {
            "content": "{{ dict(names | zip(names | map('extract', vars))) | to_json }}",
            "dest": f"{results}/{{{{ inventory_hostname }}}}",
        },
        "vars": {"names": names, **local},
        "delegate_to": "localhost",
        "no_log": True,  # what is looked for in the output is what the checks themselves put there
    }
    play = {"name": "Test", "hosts": "all", "gather_facts": False, "tasks": [*tasks, save]}
    (directory / "playbook.yml").write_text(yaml.safe_dump([play]))
    (directory / "inventory.yml").write_text(yaml.safe_dump(_inventory(lab, hosts)))
    program = ansible or pathlib.Path(sys.executable).with_name("ansible-playbook")
    command = [str(program), "-i", str(directory / "inventory.yml"), str(directory / "playbook.yml"), *arguments]
    code, output, seconds, peak = _run(command, directory)
    registered = {path.name: json.loads(path.read_text()) for path in results.iterdir()}
    return Play(code, output, seconds, peak, registered)


def _inventory(lab: Lab, hosts: dict[str, Vars]) -> Vars:
    known = yaml.safe_load(lab.inventory.read_text())["all"]["children"]["lab"]
    entries = {name: known["hosts"][variables["lab_host"]] | variables for name, variables in hosts.items()}
    return {"all": {"vars": known["vars"], "hosts": entries}}


def _run(command: list[str], directory: pathlib.Path) -> tuple[int, str, float, int]:
    environment = {key: value for key, value in os.environ.items() if not key.startswith("ANSIBLE_")} | {
        "ANSIBLE_CONFIG": str(ROOT / "tools" / "ansible.cfg"),
        "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".cache" / "collections"),
        "ANSIBLE_FORCE_COLOR": "0",
    }
    log = directory / "output"
    began = time.monotonic()
    with log.open("wb") as stream:
        process = subprocess.Popen(
            command, cwd=directory, env=environment, stdin=subprocess.DEVNULL, stdout=stream, stderr=subprocess.STDOUT
        )
        # wait4 tells the peak of the largest of all processes that it started and waited for.
        _pid, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return process.returncode, log.read_text(errors="replace"), time.monotonic() - began, usage.ru_maxrss
