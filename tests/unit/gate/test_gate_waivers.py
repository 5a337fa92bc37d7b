# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The gate: what stops a run, what a waiver covers, and what is said about waivers."""

from __future__ import annotations

import datetime as dt
import typing as t

import pytest
import yaml
from ansible_collections.mailops.tls.plugins.plugin_utils._findings.model import STATUSES
from ansible_collections.mailops.tls.plugins.plugin_utils._gate.waivers import (
    FAIL_ON,
    Waiver,
    apply_gate,
    parse_fail_on,
    parse_waivers,
    reference,
)
from hypothesis import given
from hypothesis import strategies as st

TODAY = dt.date(2026, 11, 24)
URL = "http://[2001:db8::1]/root.crl?a=1"


def finding(finding_id: str = "egress.tcp.timeout", status: str = "fail", host: str = "mx1", name: str = URL) -> dict[str, t.Any]:
    return {"id": finding_id, "status": status, "host": host, "subject": {"kind": "endpoint", "name": name}}


def waiver(**more: t.Any) -> Waiver:
    return parse_waivers([{"id": "egress.tcp.timeout", "until": "2026-11-24", "reason": "CHG-1", **more}])[0]


def test_waivers_are_read_from_yaml_with_its_own_dates() -> None:
    text = """
    - {id: "egress.*", host: "mx[12]", subject: "*", until: 2026-12-31, reason: " Change 4711 "}
    - {id: trust.root.absent, until: "2027-01-01", reason: Known}
    """
    assert parse_waivers(yaml.safe_load(text)) == (
        Waiver("egress.*", "mx[12]", "*", dt.date(2026, 12, 31), "Change 4711"),
        Waiver("trust.root.absent", "*", "*", dt.date(2027, 1, 1), "Known"),
    )


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        ("egress", r"^waivers: must be a list of waivers, not a text$"),
        ({"id": "x"}, r"^waivers: must be a list of waivers, not a dictionary$"),
        (["x"], r"^waivers\[0\]: must be a dictionary, not a text$"),
        ([{"until": "2026-12-31", "reason": "r"}], r"^waivers\[0\]\.id: is required$"),
        ([{"id": "a", "reason": "r"}], r"^waivers\[0\]\.until: is required; a waiver without an end"),
        ([{"id": "a", "until": "2026-12-31"}], r"^waivers\[0\]\.reason: is required$"),
        ([{"id": "a", "until": "2026-12-31", "reason": "  "}], r"^waivers\[0\]\.reason: is empty$"),
        ([{"id": "a", "until": "2026-12-31", "reason": "r", "untill": 1}], r"^waivers\[0\]\.untill: is not a key of a waiver"),
        ([{"id": 7, "until": "2026-12-31", "reason": "r"}], r"^waivers\[0\]\.id: must be a text, not a number$"),
        ([{"id": "a", "host": ["b"], "until": "2026-12-31", "reason": "r"}], r"^waivers\[0\]\.host: must be a text, not a list$"),
        (
            [{"id": "a", "until": "31.12.2026", "reason": "r"}],
            r"^waivers\[0\]\.until: must be a day as YYYY-MM-DD, not '31.12.2026'$",
        ),
        ([{"id": "a", "until": "2026-02-30", "reason": "r"}], r"^waivers\[0\]\.until: must be a day"),
        ([{"id": "a", "until": 20261231, "reason": "r"}], r"^waivers\[0\]\.until: must be a day as YYYY-MM-DD, not a number$"),
        (
            [{"id": "a", "until": dt.datetime(2026, 12, 31), "reason": "r"}],
            r"must be a day as YYYY-MM-DD, not a date with a time$",
        ),
        ([{"id": "a", "until": "2026-12-31", "reason": "r" * 1001}], r"^waivers\[0\]\.reason: is longer than 1000 characters$"),
        ([{"id": "a", "until": "2026-12-31", "reason": "r"}, None], r"^waivers\[1\]: must be a dictionary, not nothing$"),
    ],
)
def test_a_bad_waiver_is_refused_with_its_place_and_the_reason(raw: t.Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse_waivers(raw)


def test_the_source_is_named() -> None:
    with pytest.raises(ValueError, match=r"^group_vars/mail\.yml\[0\]\.id: is required"):
        parse_waivers([{}], source="group_vars/mail.yml")


@pytest.mark.parametrize(
    ("fail_on", "stopping"),
    [
        (["never"], set()),
        (["fail"], {"fail"}),
        ("fail", {"fail"}),
        (["warn"], {"fail", "warn"}),
        (["unknown"], {"fail", "unknown"}),
        (["warn", "unknown"], {"fail", "warn", "unknown"}),
    ],
)
def test_what_stops(fail_on: t.Any, stopping: set[str]) -> None:
    gate = apply_gate([finding(status=status) for status in STATUSES], fail_on=fail_on, waivers=(), today=TODAY)
    assert {item["status"] for item in gate.failing} == stopping
    assert gate.passed is (not stopping)


@pytest.mark.parametrize(
    ("fail_on", "message"),
    [([], "is empty"), (["fail", "never"], "never contradicts"), (["error"], "not 'error'"), ("f", "not 'f'")],
)
def test_a_bad_fail_on_is_refused(fail_on: t.Any, message: str) -> None:
    with pytest.raises(ValueError, match=f"fail_on: .*{message}"):
        parse_fail_on(fail_on)


def test_a_waiver_holds_through_its_last_day() -> None:
    held = apply_gate([finding()], fail_on=["fail"], waivers=[waiver(until="2026-11-24")], today=TODAY)
    assert (held.failing, [item.waiver.reason for item in held.waived], held.unused_waivers) == ((), ["CHG-1"], ())
    over = apply_gate([finding()], fail_on=["fail"], waivers=[waiver(until="2026-11-23")], today=TODAY)
    assert len(over.failing) == 1
    assert over.waived == ()
    assert [item.as_dict()["finding"] for item in over.expired_waivers] == [reference(finding())]
    assert over.unused_waivers == (), "an expired waiver that is still needed is expired, not unused"


def test_an_expired_waiver_that_was_renewed_is_only_unused() -> None:
    old, new = waiver(until="2026-01-01"), waiver(until="2027-01-01")
    gate = apply_gate([finding()], fail_on=["fail"], waivers=[old, new], today=TODAY)
    assert [item.waiver for item in gate.waived] == [new]
    assert gate.expired_waivers == ()
    assert gate.unused_waivers == (old,)


@pytest.mark.parametrize("status", ["pass", "not_applicable"])
def test_good_news_is_never_waived(status: str) -> None:
    gate = apply_gate([finding(status=status)], fail_on=["fail"], waivers=[waiver(id="*")], today=TODAY)
    assert gate.waived == ()
    assert len(gate.unused_waivers) == 1


@pytest.mark.parametrize(
    ("more", "covers"),
    [
        ({}, True),
        ({"id": "egress.*"}, True),
        ({"id": "EGRESS.*"}, False),
        ({"host": "mx?"}, True),
        ({"host": "mx2"}, False),
        ({"subject": URL}, True),  # its brackets and question mark are text here, not a pattern
        ({"subject": "*root.crl*"}, True),
        ({"subject": "http://*/other.crl"}, False),
    ],
)
def test_patterns(more: dict[str, str], covers: bool) -> None:
    assert waiver(**more).covers(finding()) is covers


def test_one_host_is_not_told_about_waivers_of_others() -> None:
    mine, other = waiver(id="x", host="mx*"), waiver(id="y", host="edge*")
    assert apply_gate([], fail_on=["fail"], waivers=[mine, other], today=TODAY, host="mx1").unused_waivers == (mine,)
    assert apply_gate([], fail_on=["fail"], waivers=[mine, other], today=TODAY, host=None).unused_waivers == (mine, other)


def test_compliance_without_what_is_waived_is_a_separate_answer() -> None:
    good = finding("egress.ok", "pass")

    def without(*findings: dict[str, t.Any]) -> bool | None:
        return apply_gate(findings, fail_on=["never"], waivers=[waiver(id="egress.tcp.*")], today=TODAY).compliant_without_waived

    assert without(good, finding()) is True
    assert without(good, finding("trust.root.absent")) is False
    assert without(good, finding("host.unreachable", "unknown")) is None
    assert without(finding(status="unknown")) is None, "what nobody saw does not become ready by a waiver"


@pytest.mark.parametrize(
    "broken", [None, "x", {}, {**finding(), "status": "bad"}, {**finding(), "subject": "x"}, {**finding(), "id": None}]
)
def test_something_that_is_no_finding_is_refused(broken: t.Any) -> None:
    with pytest.raises(ValueError, match=r"^findings\[1\]: is not a finding"):
        apply_gate([finding(), broken], fail_on=["fail"], waivers=(), today=TODAY)


_IDS = st.sampled_from(["egress.tcp.timeout", "trust.root.absent", "host.unreachable"])
_FINDINGS = st.builds(finding, _IDS, st.sampled_from(STATUSES), st.sampled_from(["mx1", "mx2"]), st.sampled_from([URL, "b"]))
_WAIVERS = st.builds(
    Waiver,
    st.one_of(_IDS, st.sampled_from(["*", "egress.*"])),
    st.sampled_from(["*", "mx1", "mx9"]),
    st.sampled_from(["*", "b", URL]),
    st.dates(dt.date(2026, 11, 22), dt.date(2026, 11, 26)),
    st.just("r"),
)


@given(
    findings=st.lists(_FINDINGS, max_size=12),
    waivers=st.lists(_WAIVERS, max_size=5, unique=True),
    fail_on=st.sampled_from([[value] for value in FAIL_ON]),
)
def test_every_finding_is_accounted_for_once(findings: list[t.Any], waivers: list[Waiver], fail_on: list[str]) -> None:
    gate = apply_gate(findings, fail_on=fail_on, waivers=waivers, today=TODAY)
    assert sum(gate.counts.values()) == len(findings)
    waived = {id(item.finding) for item in gate.waived}
    assert waived.isdisjoint(id(item) for item in gate.failing)
    assert waived.isdisjoint(id(item.finding) for item in gate.expired_waivers)
    for item in findings:
        held = item["status"] in ("fail", "warn", "unknown") and any(w.covers(item) and w.holds(TODAY) for w in waivers)
        assert (id(item) in waived) is held
    assert all(item.waiver.until < TODAY for item in gate.expired_waivers)
    named = {item.waiver for item in (*gate.waived, *gate.expired_waivers)}
    assert named.isdisjoint(gate.unused_waivers)
