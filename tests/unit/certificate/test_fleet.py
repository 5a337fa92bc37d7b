# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The same certificate on every server of a group, as the report sees it."""

from __future__ import annotations

import datetime as dt
import typing as t

import pytest
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.certificate.fleet import judge_fleet
from ansible_collections.mailops.tls.plugins.plugin_utils._report.document import build_document

STAMP = "2026-03-01T12:00:00Z"
NOW = dt.datetime(2026, 3, 1, 12, tzinfo=dt.timezone.utc)


def result(*leaves: t.Any, group: t.Any = "edge") -> dict[str, t.Any]:
    return {"certificates": [{"sha256": leaf} for leaf in leaves], "certificate_group": group, "findings": [], "compliant": True}


@pytest.mark.parametrize(
    ("results", "out_of_line"),
    [
        ({"a": result("1"), "b": result("1"), "c": result("1")}, []),
        ({"a": result("1"), "b": result("1"), "c": result("2")}, ["c"]),
        ({"a": result("1"), "b": result("2")}, ["a", "b"]),
        ({"a": result("1"), "b": result("2", group="core")}, []),
        ({"a": result("1"), "b": result("2", group=None)}, []),
        ({"a": result("1"), "b": result(None)}, []),
        ({"a": result("1"), "b": None, "c": {"certificates": "x", "certificate_group": "edge"}}, []),
    ],
)
def test_who_is_out_of_line(results: dict[str, t.Any], out_of_line: list[str]) -> None:
    assert [finding.host for finding in judge_fleet(results, observed_at=STAMP)] == out_of_line


def test_the_report_and_its_gate_say_so() -> None:
    results = {"a": result("1"), "b": result("1"), "c": result("2")}
    hosts = [{"host": host, "state": "checked", "message": None, "result": found} for host, found in results.items()]
    document = build_document(hosts, generated_at=NOW, collection_version="0", fail_on=["fail"])
    assert [(entry["host"], entry["verdict"]) for entry in document["hosts"]] == [
        ("a", "ready"),
        ("b", "ready"),
        ("c", "not_ready"),
    ]
    assert [problem["id"] for problem in document["problems"]] == ["certificate.fleet.differs"]
    assert document["gate"]["passed"] is False
    assert document["hosts"][2]["summary"]["fail"] == 1
