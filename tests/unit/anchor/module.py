# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs trust_anchor as Ansible runs it on a host: the real module, its arguments as JSON, its answer as JSON."""

from __future__ import annotations

import collections.abc
import json
import os
import pathlib
import re
import subprocess
import sys
import typing as t

from tests.unit.anchor.pki import Certificate

ROOT = pathlib.Path(__file__).parents[3]
COLLECTIONS = ROOT / ".cache" / "collections"
#: The module where its own imports find the rest of the collection.
MODULE = COLLECTIONS / "ansible_collections" / "mailops" / "tls" / "plugins" / "modules" / "trust_anchor.py"

Answer = dict[str, t.Any]
Prefix = collections.abc.Sequence[str]


def command(python: str = sys.executable) -> list[str]:
    """The command line that runs the module; its arguments go to standard input."""
    return [python, "-B", str(MODULE)]


def arguments(certificate: Certificate, store: dict[str, t.Any] | None = None, *, check: bool = False, **more: t.Any) -> str:
    """The module's arguments as it reads them."""
    controls = {
        "_ansible_check_mode": check,
        "_ansible_diff": True,
        "_ansible_remote_tmp": os.environ.get("TMPDIR", "/tmp"),  # noqa: S108 - where Ansible itself would write
        "_ansible_keep_remote_files": False,
    }
    named = {"name": "lab-root", "certificate": certificate.pem, "sha256": certificate.sha256}
    parameters = {**named, **({"store": store} if store else {}), **more}
    return json.dumps({"ANSIBLE_MODULE_ARGS": {**parameters, **controls}})


def environment(**more: str) -> dict[str, str]:
    """With the collection on Python's path."""
    return {**os.environ, "PYTHONPATH": str(COLLECTIONS), **more}


def run(
    certificate: Certificate,
    store: dict[str, t.Any] | None = None,
    *,
    prefix: Prefix = (),
    variables: dict[str, str] | None = None,
    **more: t.Any,
) -> Answer:
    """What the module answers. `prefix` is a command that runs it elsewhere, `variables` go to its environment."""
    done = subprocess.run(
        [*prefix, *command()],
        input=arguments(certificate, store, **more),
        capture_output=True,
        text=True,
        timeout=240,
        env=environment(**(variables or {})),
        check=False,
    )
    try:
        return t.cast("Answer", json.loads(done.stdout))
    except ValueError:
        raise AssertionError(f"no answer, exit status {done.returncode}: {done.stdout}\n{done.stderr}") from None


def start(certificate: Certificate, store: dict[str, t.Any] | None, prefix: Prefix = (), **more: t.Any) -> subprocess.Popen[str]:
    """Start the module and give it its arguments."""
    process = subprocess.Popen(
        [*prefix, *command()],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(),
    )
    assert process.stdin is not None
    process.stdin.write(arguments(certificate, store, **more))
    process.stdin.close()
    process.stdin = None  # communicate() would write to it
    return process


def apply(certificate: Certificate, store: dict[str, t.Any] | None = None, **more: t.Any) -> Answer:
    """Run the module, which must not fail."""
    answer = run(certificate, store, **more)
    assert not answer.get("failed"), answer["msg"]
    return answer


def refused(certificate: Certificate, store: dict[str, t.Any] | None = None, *, match: str, **more: t.Any) -> Answer:
    """Run the module, which must fail with words that match."""
    answer = run(certificate, store, **more)
    assert answer.get("failed"), answer
    assert re.search(match, answer["msg"]), answer["msg"]
    return answer


def tool(*words: str | pathlib.Path, given: str | None = None, prefix: Prefix = (), **variables: str) -> str:
    """What a program of other people says, standard error included; it may fail, the words say so."""
    done = subprocess.run(
        [*prefix, *map(str, words)],
        input=given,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
        check=False,
        env={**os.environ, "LC_ALL": "C", **variables},
    )
    return done.stdout
