# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The main promise, end to end: one play over every host of the lab, and a true verdict on each in the report.

The hosts and what must be said of them are the table in tests/lab/hosts.py.
"""

from __future__ import annotations

import dataclasses
import json
import os
import pathlib
import re
import subprocess
import sys
import time
import typing as t

import jsonschema
import pytest

from tests.conftest import ROOT
from tests.lab import hosts, plan
from tests.lab.lifecycle import Lab

NAMES = [host.name for host in hosts.all_hosts()]


@dataclasses.dataclass(frozen=True)
class Run:
    """One run of the playbook over the lab."""

    code: int
    output: str
    report: dict[str, t.Any]
    seconds: float
    directory: pathlib.Path

    def __getitem__(self, name: str) -> dict[str, t.Any]:
        """What the report says of a host."""
        found = [host for host in self.report["hosts"] if host["host"] == name]
        assert len(found) == 1, f"{name} is {len(found)} times in the report\n{self.output}"
        return t.cast("dict[str, t.Any]", found[0])


def run_readiness(lab: Lab, directory: pathlib.Path, limit: str = "lab", **variables: t.Any) -> Run:
    """Run mailops.tls.readiness over hosts of the lab, with a report in this directory."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("ANSIBLE_")}
    environment |= {
        "ANSIBLE_CONFIG": str(ROOT / "tools" / "ansible.cfg"),
        "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".cache" / "collections"),
        "ANSIBLE_FORCE_COLOR": "0",
    }
    extra = {"readiness_profiles": [str(lab.profile)], "readiness_report_dir": str(directory), "readiness_hosts": limit}
    program = pathlib.Path(sys.executable).with_name("ansible-playbook")
    command = [str(program), "-i", str(lab.inventory), "mailops.tls.readiness", "--extra-vars", json.dumps(extra | variables)]
    started = time.monotonic()
    done = subprocess.run(command, cwd=directory, env=environment, capture_output=True, text=True, timeout=300, check=False)
    seconds = time.monotonic() - started
    report = directory / "readiness.json"
    assert report.exists(), f"no report was written\n{done.stdout}{done.stderr}"
    return Run(done.returncode, done.stdout + done.stderr, json.loads(report.read_text()), seconds, directory)


@pytest.fixture(scope="module")
def run(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """All hosts of the lab in one play."""
    return run_readiness(lab, tmp_path_factory.mktemp("readiness"))


@pytest.mark.parametrize("name", NAMES)
def test_verdict(run: Run, name: str) -> None:
    expected = {host.name: host for host in hosts.all_hosts()}[name].expected
    said = run[name]
    seen = {(finding["id"], finding["status"]) for finding in said["findings"]}
    details = json.dumps([finding for finding in said["findings"] if finding["status"] != "pass"], indent=1)
    assert said["compliant"] is expected.compliant, details
    assert expected.findings <= seen, details
    # A store that no mail software reads may lack the lab's root, as the directory beside the system's bundle does.
    assert not {finding_id for finding_id, status in seen if status != "warn"} & expected.forbidden, details
    for kind, causes in expected.causes.items():
        found = {endpoint["cause"] for endpoint in said["endpoints"] if endpoint["kind"] == kind}
        assert found and found <= causes, f"{kind}: {found}, expected {set(causes)}\n{details}"


def test_the_report_holds_every_host_once_and_follows_its_schema(run: Run) -> None:
    schema = json.loads((ROOT / "docs" / "schemas" / "report.schema.json").read_text())
    jsonschema.Draft202012Validator(schema).validate(run.report)
    assert sorted(host["host"] for host in run.report["hosts"]) == sorted(NAMES)
    assert run.report["summary"]["compliant"] is False
    assert (run.directory / "readiness.html").stat().st_size > 0
    assert (run.directory / "readiness.xml").stat().st_size > 0


def test_bad_news_is_no_crash(run: Run) -> None:
    assert "Traceback" not in run.output and "probably a bug" not in run.output
    changed = set(re.findall(r"changed=(\d+)", run.output))
    assert changed == {"0"}, run.output


def test_hosts_that_could_not_be_checked_do_not_fail_the_run(run: Run) -> None:
    assert run.code == 0, "fail_on is never by default, so the run must succeed whatever the news"


def test_a_run_over_nothing_but_such_hosts_still_reports(lab: Lab, tmp_path: pathlib.Path) -> None:
    done = run_readiness(lab, tmp_path, limit="no-python:down")
    assert done.code == 0 and done.report["summary"]["compliant"] is None
    assert [finding["id"] for finding in done["no-python"]["findings"]] == ["host.collector_broken"]
    assert [finding["id"] for finding in done["down"]["findings"]] == ["host.unreachable"]


def test_what_the_firewall_team_needs_is_in_the_report(run: Run) -> None:
    rules = {(rule["destination"], rule["port"], rule["protocol"]) for rule in run["dropped"]["firewall_rules"]}
    for name in ("crl", "ocsp", "ca"):
        assert (f"{name}.{plan.ZONE}", 80, "tcp") in rules


def test_evidence_names_address_and_error(run: Run) -> None:
    def finding(host: str, finding_id: str) -> dict[str, t.Any]:
        return next(found for found in run[host]["findings"] if found["id"] == finding_id)

    assert {"ECONNREFUSED"} == {entry["errno"] for entry in finding("reset", "egress.tcp.refused")["evidence"]["addresses"]}
    assert "Guest network" in json.dumps(finding("portal", "egress.not_a_crl"))
    assert "/usr/bin/python3" in json.dumps(run["no-python"])
    assert "refused" in json.dumps(run["down"])


def test_a_proxy_of_the_hosts_environment_is_used_and_said(run: Run) -> None:
    proxies = [endpoint["proxy"] for endpoint in run["proxy-only"]["endpoints"]]
    assert proxies and all(f"proxy.{plan.ZONE}" in json.dumps(proxy) for proxy in proxies)
    assert all(endpoint["proxy"] is None for endpoint in run["open"]["endpoints"])


def test_fifty_dropped_endpoints_cost_one_timeout(lab: Lab, tmp_path: pathlib.Path) -> None:
    endpoints = [f"http://crl.{plan.ZONE}/{number}.crl" for number in range(50)]
    found = run_readiness(lab, tmp_path, limit="dropped", readiness_endpoints=endpoints, readiness_timeout=3.0)["dropped"]
    causes = [endpoint["cause"] for endpoint in found["endpoints"] if endpoint["url"] in endpoints]
    assert causes == ["tcp_timeout"] * 50
    # Each costs a time-out of 3 s; one after the other they would take 150 s and be cut off at the deadline.
    assert max(endpoint["elapsed_ms"] for endpoint in found["endpoints"]) < 2 * 3000


@pytest.mark.parametrize(
    ("fail_on", "stopped"), [("never", []), ("fail", ["dropped"]), ("unknown", ["dropped", "unreadable-store"])]
)
def test_the_gate_stops_the_hosts_that_are_asked_for(lab: Lab, tmp_path: pathlib.Path, fail_on: str, stopped: list[str]) -> None:
    limit = "open:dropped:unreadable-store"
    done = run_readiness(lab, tmp_path, limit=limit, readiness_timeout=1.0, readiness_fail_on=[fail_on])
    failed = [name for name, count in re.findall(r"^(\S+)\s+: .*failed=(\d+)", done.output, re.MULTILINE) if count != "0"]
    assert sorted(failed) == stopped, done.output
    assert (done.code == 0) is (not stopped)
