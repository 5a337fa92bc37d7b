# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The gate of the role `readiness`: what only the results of all hosts together tell stops a host, too."""

from __future__ import annotations

import datetime as dt
import json
import pathlib
import typing as t

import pytest
from cryptography.hazmat.primitives import serialization

from tests.integration.playbooks import LOCALHOST, Run, run_play
from tests.unit.judge.pki import DAY, Authority, make_root, pem

pytestmark = pytest.mark.integration

NOW = dt.datetime.now(dt.timezone.utc)
FLEET = "certificate.fleet.differs"


@pytest.fixture
def hosts(tmp_path: pathlib.Path) -> dict[str, dict[str, t.Any]]:
    """Three servers of a group, two of which present the same certificate."""
    root = make_root(not_before=NOW - DAY, not_after=NOW + 900 * DAY)
    (tmp_path / "root.pem").write_text(root.pem)
    for name in ("usual", "forgotten"):
        leaf = root.issue("mail.example.com", not_before=NOW - DAY, not_after=NOW + 100 * DAY)
        (tmp_path / name).write_text(_key(leaf) + pem(leaf.certificate))
        (tmp_path / name).chmod(0o600)
    files = {"mx1": "usual", "mx2": "usual", "mx3": "forgotten"}
    return {host: {**LOCALHOST["localhost"], "own_certificate": str(tmp_path / file)} for host, file in files.items()}


def _key(authority: Authority) -> str:
    encoding = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return t.cast("str", authority.key.private_bytes(*encoding).decode())


def run_role(tmp_path: pathlib.Path, hosts: dict[str, dict[str, t.Any]], **variables: t.Any) -> Run:
    role = {
        "name": "Check",
        "ansible.builtin.include_role": {"name": "mailops.tls.readiness"},
        "vars": {
            "readiness_profiles": [],
            "readiness_stores": [],
            "readiness_connector_certificate": {
                "certificate": "{{ own_certificate }}",
                "flow": "partner",
                "group": "edge",
                "issuers": [(tmp_path / "root.pem").read_text()],
            },
            "readiness_report_dir": str(tmp_path / "r"),
            "readiness_fail_on": ["fail"],
            **variables,
        },
    }
    passed = {
        "name": "Note who got through",
        "ansible.builtin.copy": {"content": "", "dest": f"{tmp_path}/passed-{{{{ inventory_hostname }}}}", "mode": "0600"},
    }
    return run_play(tmp_path, [role, passed], hosts=hosts)


def passed(tmp_path: pathlib.Path) -> list[str]:
    return sorted(path.name.removeprefix("passed-") for path in tmp_path.glob("passed-*"))


@pytest.mark.parametrize("written", [True, False])
def test_the_gate_of_the_role_and_that_of_the_report_agree(
    tmp_path: pathlib.Path, hosts: dict[str, dict[str, t.Any]], *, written: bool
) -> None:
    run = run_role(tmp_path, hosts, readiness_report=written, readiness_console=written)
    assert (run.code, passed(tmp_path)) == (2, ["mx1", "mx2"])
    assert f"{FLEET} edge" in run.output
    assert "Traceback" not in run.output
    assert (tmp_path / "r" / "readiness.json").exists() is written
    if written:
        report = json.loads((tmp_path / "r" / "readiness.json").read_text())
        assert (report["gate"]["passed"], report["gate"]["failing"]) == (False, 1)


def test_a_waiver_for_it_is_used(tmp_path: pathlib.Path, hosts: dict[str, dict[str, t.Any]]) -> None:
    waiver = {"id": FLEET, "host": "mx3", "until": "2999-12-31", "reason": "CHG-1"}
    run = run_role(tmp_path, hosts, readiness_waivers=[waiver])
    assert (run.code, passed(tmp_path)) == (0, ["mx1", "mx2", "mx3"]), run.output
    assert "is not used" not in run.output
