# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The report document: its schema, its order, hosts without a result, waivers, and what must never be in it."""

from __future__ import annotations

import datetime as dt
import json
import pathlib
import random
import typing as t

import jsonschema
import pytest
from ansible_collections.mailops.tls.plugins.plugin_utils._findings.model import Subject
from ansible_collections.mailops.tls.plugins.plugin_utils._findings.registry import make
from ansible_collections.mailops.tls.plugins.plugin_utils._gate.waivers import parse_waivers
from ansible_collections.mailops.tls.plugins.plugin_utils._report.document import build_document, entry_findings, to_json

from tests.unit.report.fleet import NOW, SEEN, WAIVERS, checked, document, entry, fleet, lost

SCHEMA = json.loads((pathlib.Path(__file__).parents[3] / "docs" / "schemas" / "report.schema.json").read_text(encoding="utf-8"))


def validate(found: dict[str, t.Any]) -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    jsonschema.Draft202012Validator(SCHEMA).validate(json.loads(to_json(found)))


@pytest.mark.parametrize("hosts", [[], fleet(), [checked("a")], [lost("a", "not_checked", None)]])
def test_documents_follow_the_published_schema(hosts: list[dict[str, t.Any]]) -> None:
    validate(document(hosts))
    validate(document(hosts, waivers=WAIVERS, fail_on=["unknown", "warn"]))


def test_the_order_of_hosts_and_findings_given_does_not_matter() -> None:
    dice = random.Random(7)  # noqa: S311 - not for secrets
    shuffled = fleet()
    dice.shuffle(shuffled)
    for host in shuffled:
        if host["result"]:
            dice.shuffle(host["result"]["findings"])
    assert to_json(document(shuffled, waivers=WAIVERS)) == to_json(document(waivers=WAIVERS))


def test_the_summary_counts_hosts_by_verdict() -> None:
    summary = document()["summary"]
    assert summary["compliant"] is False
    assert summary["hosts"] == {"total": 10, "ready": 3, "not_ready": 5, "unknown": 2, "not_ready_only_waived": 0}
    assert summary["findings"]["worst"] == "fail"


@pytest.mark.parametrize(
    ("state", "finding_id"),
    [
        ("unreachable", "host.unreachable"),
        ("failed", "host.collector_broken"),
        ("refused", "host.check_refused"),
        ("not_checked", "host.not_checked"),
        ("checked", "host.not_checked"),
    ],
)
def test_a_host_without_result_is_unknown_and_says_why(state: str, finding_id: str) -> None:
    [host] = document([lost("mx1", state, "\x1b[31mno route\x1b[0m\nto host")])["hosts"]
    assert (host["compliant"], host["verdict"]) == (None, "unknown")
    [finding] = host["findings"]
    assert (finding["id"], finding["status"], finding["detail"]) == (finding_id, "unknown", "no route to host")
    assert finding["remediation"]


def test_one_unknown_host_keeps_a_fleet_from_being_compliant() -> None:
    assert document([checked("a")])["summary"]["compliant"] is True
    assert document([checked("a"), lost("b", "unreachable", None)])["summary"]["compliant"] is None
    assert document([])["summary"]["compliant"] is None


def test_problems_are_the_gravest_and_most_widespread_first() -> None:
    problems = document()["problems"]
    assert [problem["status"] for problem in problems] == sorted(
        (p["status"] for p in problems), key=["fail", "unknown", "warn"].index
    )
    by_id = {problem["id"]: problem for problem in problems}
    assert by_id["egress.tcp.timeout"]["hosts"] == ["edge01.muc.example.net", "edge02.muc.example.net"]
    assert by_id["trust.root.absent"]["hosts"] == ["edge02.muc.example.net"]
    assert all(problem["meaning"] and problem["remediation"] for problem in problems)


def test_profiles_are_named_with_the_age_of_their_data() -> None:
    profiles = document(generated_at=NOW + dt.timedelta(days=30))["profiles"]
    assert {profile["id"] for profile in profiles} == {"exo-digicert-g1", "exo-digicert-g2"}
    assert all(
        profile["age_days"] == (dt.date(2026, 12, 24) - dt.date.fromisoformat(profile["as_of"])).days for profile in profiles
    )


def test_waivers_mark_findings_and_never_alter_verdicts() -> None:
    plain, waived = document(), document(waivers=WAIVERS)
    assert [host["compliant"] for host in plain["hosts"]] == [host["compliant"] for host in waived["hosts"]]
    [host] = [host for host in waived["hosts"] if host["host"] == "smtp-out.ham.example.net"]
    refused = [finding for finding in host["findings"] if finding["id"] == "egress.tcp.refused"]
    assert refused
    assert all(finding["waived"]["until"] == "2027-01-31" for finding in refused)
    assert host["verdict"] == "not_ready"
    assert waived["summary"]["hosts"]["not_ready_only_waived"] == 1
    assert "egress.tcp.refused" not in {problem["id"] for problem in waived["problems"]}
    [expired] = waived["waivers"]["expired"]
    assert [finding["host"] for finding in expired["findings"]] == ["old-exim.ham.example.net"]
    assert [waiver["reason"] for waiver in waived["waivers"]["unused"]] == ["Replaced by mx3"]


def test_the_gate_is_told() -> None:
    assert document(fail_on=["never"])["gate"]["passed"] is True
    gate = document(fail_on="unknown")["gate"]
    assert (gate["passed"], gate["fail_on"]) == (False, ["fail", "unknown"])


def test_what_is_put_in_is_not_altered() -> None:
    hosts = fleet()
    before = json.dumps(hosts)
    document(hosts, waivers=WAIVERS)
    assert json.dumps(hosts) == before


def test_credentials_do_not_get_through() -> None:
    finding = make(
        "egress.tcp.timeout",
        host="mx1",
        subject=Subject("endpoint", "http://user:hunter2@crl.example/x.crl"),
        summary="http://user:hunter2@crl.example/x.crl did not answer",
        observed_at=SEEN,
        evidence={
            "proxy": {"url": "http://svc:hun@ter2@proxy:3128"},
            "password": "hunter2",
            "proxy_authorization": "Basic aHVudGVyMg==",
        },
    )
    hosts = [entry("mx1", [finding]), lost("mx2", "failed", "could not use http://svc:hunter2@proxy:3128 there")]
    text = to_json(document(hosts)).decode()
    for secret in ("hunter2", "ter2", "aHVudGVyMg"):
        assert secret not in text
    assert "http://***@crl.example/x.crl" in text


def test_hostile_text_and_numbers_still_make_json() -> None:
    finding = make(
        "egress.tcp.timeout",
        host="mx\ud800",
        subject=Subject("endpoint", "x\u202e\x00"),
        summary="s",
        observed_at=SEEN,
        evidence={"ms": float("nan"), "most": float("inf"), "list": [float("-inf"), 1.5]},
    )
    found = document([entry("mx\ud800", [finding])])
    evidence = json.loads(to_json(found))["hosts"][0]["findings"][0]["evidence"]
    assert evidence == {"ms": None, "most": None, "list": [None, 1.5]}


def test_bad_input_is_refused() -> None:
    with pytest.raises(ValueError, match="'a' is named twice"):
        document([checked("a"), checked("a")])
    with pytest.raises(ValueError, match="host 'a': state must be one of"):
        document([{**checked("a"), "state": "fine"}])
    with pytest.raises(ValueError, match="host 'a': result is not what an info plugin returns"):
        document([{**checked("a"), "result": {"msg": "x"}}])
    with pytest.raises(ValueError, match="time zone"):
        build_document([], generated_at=dt.datetime(2026, 1, 1), collection_version="1")


def test_a_single_host_can_be_asked_for_its_findings() -> None:
    [finding] = entry_findings(lost("mx1", "unreachable", "gone"), observed_at=NOW)
    assert (finding["id"], finding["host"], "waived" in finding) == ("host.unreachable", "mx1", False)
    assert len(entry_findings(checked("mx1"), observed_at=NOW)) == len(checked("mx1")["result"]["findings"])


def test_firewall_rules_of_the_fleet_stand_once_with_their_hosts() -> None:
    rules = document()["firewall_rules"]
    assert [rule["destination"] for rule in rules] == ["crl3.digicert.com", "ocsp.digicert.com"]
    assert all(len(rule["hosts"]) == 3 for rule in rules)
    assert rules[0]["why"] == [f"CRL for {host}" for host in rules[0]["hosts"]]
    assert (rules[1]["address"], rules[1]["why"]) == (None, ["OCSP"])


def test_waivers_are_judged_by_the_utc_day() -> None:
    waivers = parse_waivers([{"id": "egress.*", "until": "2026-11-24", "reason": "r"}])
    late = dt.datetime(2026, 11, 25, 0, 30, tzinfo=dt.timezone(dt.timedelta(hours=1)))
    assert document(generated_at=late, waivers=waivers)["waivers"]["applied"]
