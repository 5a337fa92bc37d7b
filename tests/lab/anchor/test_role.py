# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role's entry point `apply` on a copy of this machine, with what distributions configure Postfix to read."""

from __future__ import annotations

import json
import pathlib
import sys
import typing as t

import pytest

from tests.integration.playbooks import Vars, run_ansible
from tests.lab.anchor.machine import VENDOR, Machine, machine

G2 = "digicert-global-root-g2"
CONF = "/etc/ca-certificates.conf"


@pytest.fixture
def debian(tmp_path: pathlib.Path) -> t.Iterator[Machine]:
    with machine("debian", tmp_path / "machine") as copy:
        yield copy


def apply_role(copy: Machine, *arguments: str, handlers: t.Sequence[Vars] = (), **variables: t.Any) -> tuple[str, Vars]:
    """Run `apply` inside: what Ansible printed, and what the second check found."""
    play = {
        "hosts": "localhost",
        "connection": "local",
        "gather_facts": False,
        "vars": {"ansible_python_interpreter": sys.executable, **variables},
        "tasks": [
            {"ansible.builtin.import_role": {"name": "mailops.tls.trust_store", "tasks_from": "apply"}},
            {
                "ansible.builtin.copy": {
                    "dest": "/tmp/result.json",  # noqa: S108 - of the copy, where /tmp is empty
                    "mode": "0600",
                    "content": "{{ trust_store_result | to_json }}",
                },
                "check_mode": False,
                "diff": False,
            },
        ],
        "handlers": list(handlers),
    }
    copy.sh("mkdir -p /tmp/play; cat > /tmp/play/play.yml", given=json.dumps([play]))
    inside = [*copy.inside, "env", "--chdir=/tmp/play", "HOME=/tmp/play", "PYTHONDONTWRITEBYTECODE=1"]
    done = run_ansible(["play.yml", *arguments], prefix=inside)
    assert done.returncode == 0, done.stdout
    return done.stdout, t.cast("Vars", json.loads(copy.sh("cat /tmp/result.json")))


def verdicts(result: Vars) -> dict[str, tuple[str, str]]:
    return {store["path"]: (store["roots"][0]["status"], store["roots"][0]["detail"]) for store in result["stores"]}


def test_what_postfix_of_debian_reads(debian: Machine) -> None:
    """smtp_tls_CApath is the directory that update-ca-certificates builds: the system's store is what is changed, and once."""
    debian.sh("mkdir -p /etc/postfix; echo 'smtp_tls_CApath = /etc/ssl/certs' > /etc/postfix/main.cf")
    debian.sh(f"sed -i /{VENDOR[0]}/d {CONF}; update-ca-certificates --fresh")
    shown, _result = apply_role(debian, "--check", trust_store_profiles=["exo-digicert-g2"], trust_store_stores="mail")
    assert shown.count("changed: [localhost] => (item=") == 1
    shown, result = apply_role(debian, trust_store_profiles=["exo-digicert-g2"], trust_store_stores="mail")
    assert shown.count("changed: [localhost] => (item=") == 1
    assert verdicts(result) == {"/etc/ssl/certs/ca-certificates.crt": ("present", ""), "/etc/ssl/certs": ("present", "")}
    assert [store["built_by"] for store in result["stores"]] == ["update-ca-certificates"] * 2
    assert result["stores"][1]["used_by"] == ["Postfix smtp_tls_CApath"]


def test_the_built_directory_alone(debian: Machine) -> None:
    debian.sh(f"sed -i /{VENDOR[0]}/d {CONF}; update-ca-certificates --fresh")
    stores = [{"type": "pem_directory", "path": "/etc/ssl/certs"}]
    _shown, result = apply_role(debian, trust_store_profiles=["exo-digicert-g2"], trust_store_stores=stores)
    assert verdicts(result) == {"/etc/ssl/certs": ("present", "")}
    assert f"mozilla/{VENDOR[0]}\n" in debian.sh(f"cat {CONF}"), "the distribution has the root, so it is selected again"


def test_what_was_deselected_is_so_in_the_directory_too(debian: Machine) -> None:
    debian.sh("mkdir -p /etc/postfix; echo 'smtp_tls_CApath = /etc/ssl/certs' > /etc/postfix/main.cf")
    debian.sh(f"sed -i 's,^mozilla/{VENDOR[0]},!&,' {CONF}; update-ca-certificates --fresh")
    before = debian.files()
    _shown, result = apply_role(debian, trust_store_profiles=["exo-digicert-g2"], trust_store_stores="mail")
    assert [status for status, _detail in verdicts(result).values()] == ["distrusted"] * 2
    assert all(f"{CONF} deselects" in detail for _status, detail in verdicts(result).values())
    assert debian.files() == before
    # Declared, it comes back.
    _shown, result = apply_role(
        debian,
        trust_store_profiles=["exo-digicert-g2"],
        trust_store_stores="mail",
        trust_store_anchors=[{"name": G2}],
    )
    assert [status for status, _detail in verdicts(result).values()] == ["present"] * 2


def test_services_are_reloaded_and_restarted_after_a_change_only(debian: Machine) -> None:
    """By scripts of System V, which Ansible falls back to where neither systemd nor another init runs."""
    for name in ("mta", "gateway"):
        script = f'#!/bin/sh\necho "{name} $1" >> /tmp/services\n'
        debian.sh(f"cat > /etc/init.d/{name}; chmod 755 /etc/init.d/{name}", given=script)
    debian.sh(f": > /tmp/services; sed -i /{VENDOR[0]}/d {CONF}; update-ca-certificates --fresh")
    hook = {"ansible.builtin.shell": "echo hook >> /tmp/services", "listen": "mailops.tls trust store changed"}
    options = {
        "trust_store_profiles": ["exo-digicert-g2"],
        "trust_store_stores": [{"type": "system"}],
        "trust_store_reload_services": ["mta"],
        "trust_store_restart_services": ["gateway"],
    }
    apply_role(debian, handlers=[hook], **options)
    told = [line for line in debian.sh("cat /tmp/services").splitlines() if not line.endswith("status")]
    # Ansible restarts such a service by stop and start.
    assert sorted(told) == ["gateway start", "gateway stop", "hook", "mta reload"]
    debian.sh(": > /tmp/services")
    apply_role(debian, handlers=[hook], **options)
    assert debian.sh("cat /tmp/services") == ""
