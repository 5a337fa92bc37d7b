# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The gate, the report and the role, run by Ansible on this machine."""

from __future__ import annotations

import json
import pathlib
import typing as t
import xml.etree.ElementTree as ET

import pytest

from tests.integration.playbooks import LOCALHOST, ROOT, Run, run_ansible, run_play

pytestmark = pytest.mark.integration

FINDING: dict[str, t.Any] = {
    "id": "trust.root.absent",
    "status": "fail",
    "severity": "critical",
    "host": "localhost",
    "subject": {"kind": "root", "name": "some-root"},
    "summary": "the root is not there",
    "detail": "",
    "remediation": "install it",
    "evidence": {},
    "observed_at": "2026-11-24T00:00:00Z",
    "profile": None,
}
UNKNOWN = {**FINDING, "id": "trust.store.unreadable", "status": "unknown"}
WAIVER = {"id": "trust.root.*", "until": "2999-12-31", "reason": "CHG-1"}
OVER = {**WAIVER, "until": "2020-01-31"}

HOSTS = {
    **LOCALHOST,
    "without-python": {"ansible_connection": "local", "ansible_python_interpreter": "/nonexistent/python3"},
    # Nothing listens on port 1, so the connection is refused at once.
    "away": {"ansible_host": "127.0.0.1", "ansible_port": 1, "ansible_ssh_common_args": "-o ConnectTimeout=3"},
}


def gate(**options: t.Any) -> dict[str, t.Any]:
    return {"name": "Gate", "mailops.tls.assert_findings": options, "ignore_errors": True}


GATES: tuple[tuple[dict[str, t.Any], bool, str], ...] = (
    ({"findings": [FINDING]}, True, "trust.root.absent some-root"),
    ({"findings": [FINDING], "fail_on": ["never"]}, False, "No finding stops"),
    ({"findings": [UNKNOWN]}, False, "No finding stops"),
    ({"findings": [UNKNOWN], "fail_on": "unknown"}, True, "trust.store.unreadable"),
    ({"findings": [FINDING], "waivers": [WAIVER]}, False, "1 waived"),
    ({"findings": [FINDING], "waivers": [OVER]}, True, "ended on 2020-01-31"),
    ({"findings": [], "waivers": [WAIVER]}, False, "is not used"),
    ({"findings": [FINDING], "waivers": [{**WAIVER, "host": "other"}]}, True, "trust.root.absent"),
    ({"result": {"unreachable": True, "msg": "away", "changed": False}, "fail_on": ["unknown"]}, True, "host.unreachable"),
    (
        {"result": {"failed": True, "msg": "x", "collector_error": "no python"}, "fail_on": ["unknown"]},
        True,
        "host.collector_broken",
    ),
    ({"findings": [FINDING], "fail_on": ["sometimes"]}, True, "fail_on"),
    ({"findings": [FINDING], "waivers": [{"id": "x", "until": "soon", "reason": "y"}]}, True, "waivers[0].until"),
    ({"findings": [{"id": "x"}]}, True, "findings[0]"),
    ({}, True, "findings"),
    ({"findings": [], "result": {}}, True, "mutually exclusive"),
)


@pytest.fixture(scope="module")
def gates(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """All of them in one play: what takes time is to start Ansible."""
    tasks = [{**gate(**options), "register": f"gate{number}"} for number, (options, _failed, _names) in enumerate(GATES)]
    return run_play(tmp_path_factory.mktemp("gates"), tasks)


@pytest.mark.parametrize("number", range(len(GATES)))
def test_gate(gates: Run, number: int) -> None:
    found, (_options, failed, names) = gates[f"gate{number}"], GATES[number]
    assert found["failed"] is failed
    assert found["changed"] is False
    assert names in found["msg"]
    assert "Traceback" not in gates.output


def test_role_reports_hosts_that_could_not_be_observed(tmp_path: pathlib.Path) -> None:
    role = {
        "name": "Check",
        "ansible.builtin.include_role": {"name": "mailops.tls.readiness"},
        "vars": {
            "readiness_profiles": [],
            "readiness_roots": ["digicert-global-root-g2"],
            "readiness_report_dir": str(tmp_path / "r"),
        },
    }
    run = run_play(tmp_path, [role], hosts=HOSTS)
    report = json.loads((tmp_path / "r" / "readiness.json").read_text())
    by_host = {host["host"]: host for host in report["hosts"]}
    assert {name: host["state"] for name, host in by_host.items()} == {
        "away": "unreachable",
        "localhost": "checked",
        "without-python": "failed",
    }
    assert by_host["away"]["compliant"] is None
    assert [finding["id"] for finding in by_host["away"]["findings"]] == ["host.unreachable"]
    assert [finding["id"] for finding in by_host["without-python"]["findings"]] == ["host.collector_broken"]
    assert "/nonexistent/python3" in by_host["without-python"]["message"]
    assert by_host["localhost"]["compliant"] is True
    assert "changed=0" in run.output
    assert "changed=1" not in run.output
    ET.parse(tmp_path / "r" / "readiness.xml")  # noqa: S314 - our own file
    assert (tmp_path / "r" / "readiness.html").read_text().startswith("<!DOCTYPE html>")


def test_role_in_check_mode_does_the_same(tmp_path: pathlib.Path) -> None:
    role = {
        "name": "Check",
        "ansible.builtin.include_role": {"name": "mailops.tls.readiness"},
        "vars": {
            "readiness_profiles": [],
            "readiness_roots": ["digicert-global-root-g2"],
            "readiness_report_dir": str(tmp_path / "r"),
        },
    }
    run = run_play(tmp_path, [role], arguments=["--check", "--diff"])
    assert run.code == 0, run.output
    assert json.loads((tmp_path / "r" / "readiness.json").read_text())["summary"]["hosts"]["ready"] == 1


@pytest.mark.parametrize(("fail_on", "code"), [("never", 0), ("fail", 2)])
def test_the_playbook_ends_as_fail_on_says(tmp_path: pathlib.Path, fail_on: str, code: int) -> None:
    variables = {
        "readiness_profiles": [],
        "readiness_roots": [{"name": "Nobody's root", "sha256": "00" * 32}],
        "readiness_report_dir": str(tmp_path),
        "readiness_fail_on": fail_on,
    }
    inventory = str(ROOT / "tools" / "inventory-local.yml")
    done = run_ansible(["mailops.tls.readiness", "-i", inventory, "-e", json.dumps(variables)])
    assert done.returncode == code, done.stdout
    assert "NOT READY" in done.stdout
    assert json.loads((tmp_path / "readiness.json").read_text())["summary"]["compliant"] is False


def test_bad_arguments_fail_and_name_the_place(tmp_path: pathlib.Path) -> None:
    variables = {"readiness_profiles": ["exo-digicert-g3"], "readiness_report_dir": str(tmp_path)}
    inventory = str(ROOT / "tools" / "inventory-local.yml")
    done = run_ansible(["mailops.tls.readiness", "-i", inventory, "-e", json.dumps(variables)])
    assert done.returncode == 2
    assert "profiles[0]" in done.stdout
    assert "exo-digicert-g2" in done.stdout, "the error names what there is"


def test_report_that_cannot_be_written_says_why(tmp_path: pathlib.Path) -> None:
    (tmp_path / "file").write_text("in the way")
    report = {
        "name": "Report",
        "mailops.tls.readiness_report": {"variable": "nothing", "directory": str(tmp_path / "file" / "reports")},
        "register": "report",
        "ignore_errors": True,
    }
    run = run_play(tmp_path, [report])
    assert run["report"]["failed"] is True
    assert "Cannot make the directory" in run["report"]["msg"]
    assert (tmp_path / "file").read_text() == "in the way"
