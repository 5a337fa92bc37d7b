# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs postfix_tls_policy as Ansible runs it on a host: the real module, its arguments as JSON, its answer as JSON."""

from __future__ import annotations

import collections.abc
import json
import os
import pathlib
import subprocess
import sys
import typing as t

ROOT = pathlib.Path(__file__).parents[3]
COLLECTIONS = ROOT / ".cache" / "collections"
#: The module where its own imports find the rest of the collection.
MODULE = COLLECTIONS / "ansible_collections" / "mailops" / "tls" / "plugins" / "modules" / "postfix_tls_policy.py"

Answer = dict[str, t.Any]


def command() -> list[str]:
    """The command line that runs the module; its arguments go to standard input."""
    return [sys.executable, "-B", str(MODULE)]


def arguments(parameters: collections.abc.Mapping[str, t.Any], check: bool = False) -> str:
    """The module's arguments as it reads them."""
    controls = {
        "_ansible_check_mode": check,
        "_ansible_diff": True,
        "_ansible_remote_tmp": os.environ.get("TMPDIR", "/tmp"),  # noqa: S108 - where Ansible itself would write
        "_ansible_keep_remote_files": False,
    }
    return json.dumps({"ANSIBLE_MODULE_ARGS": {**parameters, **controls}})


def environment(**more: str) -> dict[str, str]:
    """With the collection on Python's path."""
    return {**os.environ, "PYTHONPATH": str(COLLECTIONS), **more}


def run(
    parameters: collections.abc.Mapping[str, t.Any],
    *,
    check: bool = False,
    prefix: collections.abc.Sequence[str] = (),
    **more: str,
) -> Answer:
    """What the module answers. `prefix` is a command that runs it elsewhere, `more` goes to its environment."""
    done = subprocess.run(
        [*prefix, *command()],
        input=arguments(parameters, check),
        capture_output=True,
        text=True,
        timeout=120,
        env=environment(**more),
        check=False,
    )
    try:
        return t.cast(Answer, json.loads(done.stdout))
    except ValueError:
        raise AssertionError(f"no answer, exit status {done.returncode}: {done.stdout}\n{done.stderr}") from None
