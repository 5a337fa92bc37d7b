# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role `readiness` with mail domains, mail hosts, the own certificate and the partner sheet, on real Postfix servers."""

from __future__ import annotations

import collections.abc
import json
import pathlib
import re
import typing as t

import pytest

from tests.conftest import require_programs
from tests.lab.fixtures import require_lab
from tests.lab.smtp import plan
from tests.lab.smtp.world import PROGRAMS, MailWorld

Result = dict[str, t.Any]
GOOD, WRONG = plan.BY_NAME["good"], plan.BY_NAME["wrong-ca"]
DOMAIN = plan.DOMAINS[0].domain
# Two names for the same host: what counts is that each is looked at from once.
HOSTS: dict[str, Result] = {"mx1": {}, "mx2": {}}


@pytest.fixture(scope="module")
def world() -> collections.abc.Iterator[MailWorld]:
    require_lab()
    require_programs("lab", *PROGRAMS)
    with MailWorld() as up:
        yield up


@pytest.fixture(scope="module")
def reports(world: MailWorld) -> pathlib.Path:
    return world.state / "reports"


@pytest.fixture(scope="module")
def results(world: MailWorld, reports: pathlib.Path) -> dict[str, dict[str, Result]]:
    """What the role left with each host."""
    stores = [{"type": "pem_file", "path": str(world.root)}]
    variables = {
        "readiness_profiles": [],
        "readiness_stores": [],
        "readiness_mail_domains": [DOMAIN],
        # The server of the domain again, by its name, and as the one whose certificate is looked at.
        "readiness_mail_hosts": [GOOD.host, WRONG.host],
        "readiness_mail_policy": {"require": "verify", "stores": stores},
        "readiness_connector_certificate": {
            "server": f"{GOOD.host}:25",
            "flow": "partner",
            "group": "edge",
            "issuers": [world.ca.root.pem],
            "tls_sender_certificate_name": GOOD.host,
        },
        "readiness_partner_sheet": True,
        "readiness_partner_sheet_domains": [DOMAIN],
        "readiness_report_dir": str(reports),
        "readiness_console": False,
        "readiness_timeout": 4,
        "readiness_deadline": 60,
    }
    tasks: list[Result] = [
        {"ansible.builtin.include_role": {"name": "mailops.tls.readiness"}, "vars": variables},
        # For `play`, which saves what its own tasks register.
        {"name": "Show", "ansible.builtin.debug": {"var": "readiness_result"}, "register": "shown"},
    ]
    return world.play(tasks, hosts=HOSTS, arguments=["-vvv"])


def output(world: MailWorld) -> str:
    return max(world.state.glob("tmp*/output"), key=lambda path: path.stat().st_mtime).read_text()


def about(findings: list[Result], host: str) -> set[tuple[str, str]]:
    return {(item["id"], item["status"]) for item in findings if re.split(r"[\[:]", item["subject"]["name"])[0] == host}


def test_one_remote_execution_per_host(world: MailWorld, results: dict[str, dict[str, Result]]) -> None:
    assert sorted(results) == sorted(HOSTS)
    # Whatever else ran on a host came behind the role.
    said = output(world).split("TASK [Show]")[0]
    assert re.findall(r"Using module file \S+/(\w+)\.py", said) == ["probe"] * len(HOSTS)
    assert sorted(re.findall(r"^<(\w+)> EXEC", said, re.MULTILINE)) == sorted(HOSTS)


def test_the_report_holds_the_findings_of_all_topics(reports: pathlib.Path, results: dict[str, dict[str, Result]]) -> None:
    assert results
    report = json.loads((reports / "readiness.json").read_text())
    assert [host["host"] for host in report["hosts"]] == sorted(HOSTS)
    for host in report["hosts"]:
        assert about(host["findings"], GOOD.host) >= {
            ("smtp.policy.met", "pass"),
            ("certificate.valid", "pass"),
            ("certificate.chain_complete", "pass"),
            ("certificate.name_matches", "pass"),
        }
        assert ("smtp.chain.untrusted", "fail") in about(host["findings"], WRONG.host)
        assert ("smtp.mta_sts.enforced", "pass") in about(host["findings"], DOMAIN)
        assert host["compliant"] is False
    page = (reports / "readiness.html").read_text()
    assert WRONG.host in page
    assert "smtp.chain.untrusted" in page
    assert "smtp.chain.untrusted" in (reports / "readiness.xml").read_text()


def test_an_address_reached_in_three_ways_is_contacted_three_times_in_turn(results: dict[str, dict[str, Result]]) -> None:
    paths = results["mx1"]["shown"]["readiness_result"]["paths"]
    good = [path for path in paths if path["address"] == GOOD.address]
    assert {path["domain"] for path in good} == {None, DOMAIN}
    assert {path["connections"] for path in good} == {1}


def test_the_partner_sheet_is_written_and_tells_what_was_seen(
    reports: pathlib.Path, results: dict[str, dict[str, Result]]
) -> None:
    assert results
    for ending, escape in ((".md", "\\"), (".html", "\0")):
        text = (reports / f"partner-sheet{ending}").read_text().replace(escape, "")
        # The servers of the lab share a certificate with a wildcard.
        assert re.search(rf"{DOMAIN} secure match=\.{plan.HOSTS_ZONE}(<|$)", text, re.MULTILINE)
        assert f"-TlsDomain '*.{plan.HOSTS_ZONE}'" in text.replace("&#39;", "'")
        assert "The profiles say mail.protection.outlook.com" in text
        leaf = results["mx1"]["shown"]["readiness_result"]["certificates"][0]["sha256"]
        assert leaf.upper() in text


def test_posttls_finger_agrees_with_the_sheet(
    world: MailWorld, reports: pathlib.Path, results: dict[str, dict[str, Result]]
) -> None:
    assert results
    match = re.search(rf"^{re.escape(DOMAIN)} secure match=(\S+)$", (reports / "partner-sheet.md").read_text(), re.MULTILINE)
    assert match
    # posttls-finger takes the name to match behind the destination.
    assert "Verified TLS connection established" in world.finger("secure", match.group(1), DOMAIN)
    assert "Verified TLS connection established" not in world.finger("secure", "mail.protection.outlook.com", DOMAIN)


def test_no_mail_was_taken(world: MailWorld, results: dict[str, dict[str, Result]]) -> None:
    assert results
    assert world.queued() == []
