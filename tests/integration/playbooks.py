# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run Ansible for real against this machine, and read what tasks registered."""

from __future__ import annotations

import dataclasses
import json
import os
import pathlib
import subprocess
import sys
import typing as t

import yaml

ROOT = pathlib.Path(__file__).parents[2]
LOCALHOST = {"localhost": {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}}

Vars = dict[str, t.Any]


@dataclasses.dataclass(frozen=True)
class Run:
    """How ansible-playbook ended, and what each host registered."""

    code: int
    output: str
    registered: dict[str, Vars]

    def __getitem__(self, name: str) -> Vars:
        """What localhost registered."""
        return t.cast("Vars", self.registered["localhost"][name])


def environment() -> dict[str, str]:
    """That of `make readiness`: this collection, none of the developer's own settings."""
    kept = {
        key: value for key, value in os.environ.items() if not key.startswith("ANSIBLE_") and not key.lower().endswith("_proxy")
    }
    return {
        **kept,
        "ANSIBLE_CONFIG": str(ROOT / "tools" / "ansible.cfg"),
        "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".cache" / "collections"),
        "ANSIBLE_FORCE_COLOR": "0",
    }


def run_play(
    directory: pathlib.Path,
    tasks: t.Sequence[Vars],
    *,
    hosts: dict[str, Vars] | None = None,
    variables: Vars | None = None,
    play: Vars | None = None,
    arguments: t.Sequence[str] = (),
    more_environment: dict[str, str] | None = None,
) -> Run:
    """Run tasks on hosts (localhost by default). What they register is written to a file, each host's beside the others'."""
    results = directory / "registered"
    results.mkdir(exist_ok=True)
    names = [task["register"] for task in tasks if "register" in task]
    save = {
        "name": "Save what was registered",
        "ansible.builtin.copy": {
            "content": "{{ dict(names | zip(names | map('extract', vars))) | to_json }}",
            "dest": f"{results}/{{{{ inventory_hostname }}}}",
        },
        "vars": {"names": names},
        "delegate_to": "localhost",
        "check_mode": False,
    }
    playbook = directory / "playbook.yml"
    playbook.write_text(
        yaml.safe_dump(
            [
                {
                    "name": "Test",
                    "hosts": "all",
                    "gather_facts": False,
                    **(play or {}),
                    "tasks": [*tasks, *([save] if names else [])],
                }
            ]
        )
    )
    inventory = directory / "inventory.yml"
    inventory.write_text(yaml.safe_dump({"all": {"hosts": hosts or LOCALHOST}}))
    done = run_ansible(
        [str(playbook), "-i", str(inventory), "-e", json.dumps(variables or {}), *arguments],
        cwd=directory,
        more_environment=more_environment,
    )
    registered = {path.name: json.loads(path.read_text()) for path in results.iterdir()}
    return Run(done.returncode, done.stdout, registered)


def run_ansible(
    arguments: t.Sequence[str],
    *,
    cwd: pathlib.Path = ROOT,
    more_environment: dict[str, str] | None = None,
    prefix: t.Sequence[str] = (),
) -> subprocess.CompletedProcess[str]:
    """ansible-playbook with the arguments; standard error is in the output. `prefix` is a command that runs another."""
    program = pathlib.Path(sys.executable).with_name("ansible-playbook")
    return subprocess.run(
        [*prefix, str(program), *arguments],
        check=False,
        cwd=cwd,
        env={**environment(), **(more_environment or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
    )
