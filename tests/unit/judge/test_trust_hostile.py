# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Answers from a host that does not keep to the protocol, and profiles that have grown old."""

from __future__ import annotations

import dataclasses
import datetime as dt

import pytest
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.trust.judgement import judge_profiles, judge_trust
from ansible_collections.mailops.tls.plugins.plugin_utils._plan.trust.checks import parse_stores, plan_trust
from ansible_collections.mailops.tls.plugins.plugin_utils._profiles.loader import root_catalogue, select_profiles, select_roots

NOW = dt.datetime(2026, 11, 24, 12, tzinfo=dt.timezone.utc)
G2 = "digicert-global-root-g2"


def judge(observations):
    """The judgement on one file that is asked for one root."""
    checks = plan_trust((), select_roots([G2]), parse_stores([{"type": "pem_file", "path": "/etc/x.pem"}]))
    return judge_trust(checks, observations, host="mx1", now=NOW, observed_at="2026-11-24T12:00:00Z")


HOSTILE = [
    {},
    {"answers": None},
    {"answers": "x"},
    {"answers": [None, 3, "x", {"id": "other"}]},
    {"answers": [{"id": "trust:0"}]},
    {"answers": [{"id": "trust:0", "error": None, "certificates": "x"}]},
    {"answers": [{"id": "trust:0", "error": None, "certificates": [1]}]},
    {"answers": [{"id": "trust:0", "error": None, "certificates": ["zz"]}]},
    {"answers": [{"id": "trust:0", "error": "boom"}]},
    {"answers": [{"id": "trust:0", "error": {"stage": 1, "code": [], "message": {"a": 1}}}]},
]


@pytest.mark.parametrize("answer", HOSTILE)
def test_a_malformed_answer_is_unknown(answer):
    judgement = judge(answer)
    assert [(finding.id, finding.status) for finding in judgement.findings] == [("trust.store.unreadable", "unknown")]


@pytest.mark.parametrize(
    "blocks",
    [None, "x", [None], [{}], [{"der": 3}], [{"der": "!"}], [{"der": "AAAA"}], [{"der": "MAA=", "file": 7, "label": 8}]],
)
def test_a_claimed_fingerprint_without_its_certificate_is_unknown(blocks):
    answer = {"id": "trust:0", "error": None, "certificates": [root_catalogue()[G2].sha256], "blocks": blocks}
    answer.update(path=9, size="x", modified="y", skipped=[3, {"line": "z"}], skipped_count="many")
    finding = judge({"answers": [answer]}).findings[-1]
    assert (finding.id, finding.status) == ("trust.root.unknown", "unknown")


def test_text_from_the_host_is_made_printable():
    error = {"stage": "read", "code": "error", "message": "\x1b[31mred\n" + "x" * 5000, "errno": None}
    answer = {"answers": [{"id": "trust:0", "error": error}]}
    (finding,) = judge(answer).findings
    assert finding.detail.isprintable()
    assert len(finding.detail) < 1000


@pytest.mark.parametrize(("days", "count"), [(0, 0), (180, 0), (181, 1)])
def test_a_profile_older_than_180_days_is_warned_of(days, count):
    (profile,) = select_profiles(["exo-digicert-g2"], today=NOW.date())
    profile = dataclasses.replace(profile, as_of=NOW.date() - dt.timedelta(days))
    findings = judge_profiles([profile], now=NOW, host="mx1", observed_at="2026-11-24T12:00:00Z")
    assert len(findings) == count
    for finding in findings:
        assert (finding.id, finding.status, finding.profile) == ("profile.outdated", "warn", "exo-digicert-g2")
        assert finding.evidence["age_days"] == days
