# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""JUnit XML, read back with a library that others use for it."""

from __future__ import annotations

import xml.etree.ElementTree as ET

from ansible_collections.mailops.tls.plugins.plugin_utils._findings.model import Subject
from ansible_collections.mailops.tls.plugins.plugin_utils._findings.registry import make
from ansible_collections.mailops.tls.plugins.plugin_utils._report.junit import render_junit
from junitparser import Error, Failure, JUnitXml, Skipped

from tests.unit.report.fleet import SEEN, WAIVERS, checked, document, entry, with_status


def test_suites_are_hosts_and_totals_add_up() -> None:
    found = document(waivers=WAIVERS)
    read = JUnitXml.fromstring(render_junit(found).encode())
    suites = list(read)
    assert [suite.name for suite in suites] == [host["host"] for host in found["hosts"]]
    assert read.tests == sum(len(host["findings"]) for host in found["hosts"])
    cases = [case for suite in suites for case in suite]
    for total, kind in ((read.failures, Failure), (read.errors, Error), (read.skipped, Skipped)):
        assert total == sum(isinstance(result, kind) for case in cases for result in case.result)
        assert total > 0
    names = [(case.classname, case.name) for case in cases]
    assert len(set(names)) == len(names), "build servers tell test cases apart by class and name"


def test_statuses_become_what_build_servers_know() -> None:
    base = make(
        "egress.tcp.timeout", host="mx1", subject=Subject("endpoint", "u"), summary="No answer", observed_at=SEEN, detail="d"
    )
    tags = {}
    for status in ("pass", "fail", "warn", "unknown", "not_applicable"):
        root = ET.fromstring(render_junit(document([entry("mx1", [with_status(base, status)])])))  # noqa: S314 - our own output
        tags[status] = [child.tag for child in root.iter() if child.tag in ("failure", "error", "skipped", "system-out")]
    assert tags == {"pass": [], "fail": ["failure"], "warn": ["system-out"], "unknown": ["error"], "not_applicable": ["skipped"]}


def test_a_waived_finding_is_skipped_with_the_reason() -> None:
    text = render_junit(document(waivers=WAIVERS))
    assert "waived until 2027-01-31: Firewall change CHG-4711" in text


def test_hostile_text_stays_text() -> None:
    hostile = '<img src=x onerror="alert(1)">\x00\x1b[31m\ud800\ufffe]]>&'
    found = document([checked(hostile, "not_a_crl", body=hostile)])
    text = render_junit(found)
    text.encode()
    [suite] = ET.fromstring(text)  # noqa: S314 - our own output
    assert suite.get("name") == '<img src=x onerror="alert(1)">]]>&'
