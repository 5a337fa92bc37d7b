# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import datetime as dt
import email.utils

import pytest
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.egress.clock import judge_clock
from ansible_collections.mailops.tls.tests.unit.judge import egress_cases as cases
from ansible_collections.mailops.tls.tests.unit.judge import pki


def judge(offset, *, dates=(), round_trip=2.0, headers=None):
    """`offset` of the host's clock and `dates` of servers, in seconds against the controller's clock."""
    answers = []
    for index, date in enumerate(dates):
        text = email.utils.format_datetime(pki.NOW + dt.timedelta(seconds=date), usegmt=True)
        answers.append(cases.answer(b"", [cases.hop(f"http://h{index}.lab/", headers={"date": text, **(headers or {})})]))
    observed = cases.observations(*answers) | {"clock": pki.NOW.timestamp() + offset}
    (finding,) = judge_clock(observed, host="mx1", now_at_probe=pki.NOW, round_trip_s=round_trip, observed_at="x")
    return finding


@pytest.mark.parametrize(
    ("offset", "finding_id", "status"),
    [
        (0, "egress.clock.ok", "pass"),
        (1.9, "egress.clock.ok", "pass"),
        (-59, "egress.clock.ok", "pass"),
        (-61, "egress.clock.skew", "warn"),
        (63, "egress.clock.skew", "warn"),
        (-301, "egress.clock.skew", "fail"),
        (303, "egress.clock.skew", "fail"),
    ],
)
def test_only_what_lies_outside_of_the_round_trip_is_off(offset, finding_id, status):
    finding = judge(offset)
    assert (finding.id, finding.status) == (finding_id, status)


def test_a_slow_run_is_no_skew():
    assert judge(100, round_trip=120).evidence["skew_s"] == 0


def test_servers_bear_witness():
    assert "look at the controller's clock" in judge(-1000, dates=[-1000, -1000]).detail
    assert "differs from the host's clock, too" in judge(-1000, dates=[0, 0]).detail
    assert "cannot be told" in judge(-1000, dates=[0]).detail
    both_wrong = judge(0, dates=[500, 500, 0])
    assert both_wrong.status == "warn" and both_wrong.evidence["http_dates"]["servers"] == 3


def test_cached_answers_bear_no_witness():
    assert judge(0, dates=[-900, -900], headers={"age": "900"}).evidence["http_dates"] is None
    assert judge(0, dates=[-900, -900], headers={"x-cache": "HIT from squid"}).evidence["http_dates"] is None


@pytest.mark.parametrize("clock", [None, True, "x", -1, float("nan"), float("inf"), 1e30])
def test_an_unreadable_clock_is_unknown(clock):
    (finding,) = judge_clock({"clock": clock, "answers": []}, host="mx1", now_at_probe=pki.NOW, round_trip_s=1, observed_at="x")
    assert finding.status == "unknown"


@pytest.mark.parametrize("date", ["", "yesterday", "Mon, 99 Foo 2026 99:99:99 GMT", "\x00"])
def test_unreadable_dates_are_passed_over(date):
    observed = cases.observations(*[cases.answer(b"", [cases.hop(headers={"date": date})])]) | {"clock": pki.NOW.timestamp()}
    (finding,) = judge_clock(observed, host="mx1", now_at_probe=pki.NOW, round_trip_s=1, observed_at="x")
    assert finding.status == "pass"
