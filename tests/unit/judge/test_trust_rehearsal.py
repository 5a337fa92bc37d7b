# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rehearsals from the option to the finding: planned, verified by the real openssl, judged; and answers that lie."""

from __future__ import annotations

import datetime as dt
import shutil

import pytest
from ansible_collections.mailops.tls.plugins.module_utils._probe import engine
from ansible_collections.mailops.tls.plugins.plugin_utils._findings.model import compliant
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.trust.rehearsal import judge_rehearsal
from ansible_collections.mailops.tls.plugins.plugin_utils._plan.trust.checks import parse_stores, plan_trust
from ansible_collections.mailops.tls.plugins.plugin_utils._plan.trust.rehearsal import coming, plan_rehearsal
from ansible_collections.mailops.tls.plugins.plugin_utils._profiles.loader import select_profiles, shipped_profiles
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import require
from tests.unit.judge.pki import DAY, make_root

NOW = dt.datetime.now(dt.timezone.utc)
WITHIN = {"not_before": NOW - DAY, "not_after": NOW + 30 * DAY}
ROOT = make_root("Coming Root", **WITHIN)
OTHER = make_root("Other Root", **WITHIN)
INTERMEDIATE = ROOT.issue("Coming CA", ca=True, **WITHIN)
LEAF = INTERMEDIATE.issue("mail.test", **WITHIN)


def profile(**more):
    window = {"valid_from": (NOW + 30 * DAY).date().isoformat(), "valid_until": None}
    raw = {
        "id": "coming",
        "title": "To come",
        "as_of": NOW.date().isoformat(),
        "sources": ["a test"],
        **window,
        "certificate": {"common_name": "mail.test"},
        "roots": [{"id": "coming-root", "name": "Coming Root", "pem": ROOT.pem}],
        "intermediates": [{"id": "coming-ca", "name": "Coming CA", "issuer": "coming-root", "pem": INTERMEDIATE.pem}],
        "endpoints": [],
        **more,
    }
    return select_profiles([raw], today=NOW.date())


def plan(raw, *, profiles=None, stores=(), main_cf=None, today=None):
    chosen = profile() if profiles is None else profiles
    checks = plan_trust(chosen, (), parse_stores(list(stores)))
    today = today or NOW.date()
    return plan_rehearsal(raw, chosen, shipped_profiles(), checks, today=today, main_cf=main_cf, timeout=5.0)


def judge(rehearsal, observations=None):
    if observations is None:
        require(shutil.which("openssl"), "a rehearsal", "the program openssl")
        observations = engine.run([rehearsal.request] if rehearsal.request else [])
    return judge_rehearsal(rehearsal, observations, host="mx1", now=NOW, observed_at="2026-11-24T12:00:00Z")


@pytest.fixture
def store(tmp_path):
    path = tmp_path / "store.pem"
    path.write_text(OTHER.pem)
    return path


def test_it_fails_before_the_root_is_there_and_passes_afterwards(store):
    rehearsal = plan("auto", stores=[{"type": "pem_file", "path": str(store)}])
    results, findings = judge(rehearsal)
    assert [(item["chain"], item["status"], item["code"]) for item in results] == [
        ("Coming Root", "failed", 18),
        ("Coming CA", "failed", 20),
    ]
    assert {(item.id, item.status, item.severity, item.profile) for item in findings} == {
        ("trust.rehearsal.failed", "fail", "high", "coming")
    }
    store.write_text(OTHER.pem + ROOT.pem)
    results, findings = judge(rehearsal)
    assert [(item["chain"], item["status"], item["tool"]) for item in results] == [
        ("Coming Root", "passed", "openssl verify"),
        ("Coming CA", "passed", "openssl verify"),
    ]
    assert results[0]["store"] == {"type": "pem_file", "path": str(store)}
    assert compliant(findings) is True


def test_a_chain_of_a_partner(store):
    store.write_text(ROOT.pem)
    stores = [{"type": "pem_file", "path": str(store)}]
    whole, alone = f"A note\n{LEAF.pem}\n{INTERMEDIATE.pem}", LEAF.pem
    results, findings = judge(plan([whole, alone, ROOT.pem], stores=stores))
    assert [(item["chain"], item["status"], len(item["certificates"])) for item in results] == [
        ("mail.test", "passed", 2),
        ("mail.test", "failed", 1),
        ("Coming Root", "passed", 1),
    ]
    assert {item.profile for item in findings} == {None}


def test_which_profile_is_the_coming_one():
    """With the profiles of the collection: on the day before the change, and when nothing is announced."""
    shipped = tuple(shipped_profiles().values())
    before, after = dt.date(2026, 3, 1), dt.date(2026, 11, 24)
    assert [item.id for item in coming(shipped, before)] == ["exo-digicert-g2"]
    assert [item.id for item in coming(shipped, after)] == ["exo-digicert-g2"]
    rehearsal = plan(True, profiles=shipped, today=before)
    assert [chain.id for chain in rehearsal.chains] == ["exo-digicert-g2:digicert-global-root-g2"]
    assert coming((), after) == ()


@pytest.mark.parametrize("raw", [[], False, None, "", "false", ()])
def test_nothing_is_rehearsed_unless_it_is_asked_for(raw):
    assert plan(raw) is None


def test_a_profile_in_force_is_critical_and_one_that_is_over_is_not(store):
    stores = [{"type": "pem_file", "path": str(store)}]
    for window, severity in (
        ({"valid_from": "2020-01-01"}, "critical"),
        ({"valid_from": "2020-01-01", "valid_until": "2021-01-01"}, "low"),
    ):
        findings = judge(plan(["coming"], profiles=profile(**window), stores=stores))[1]
        assert {item.severity for item in findings} == {severity}


def test_a_root_that_is_known_by_its_fingerprint_only():
    pinned = profile(roots=[{"id": "coming-root", "name": "Coming Root", "sha256": ROOT.sha256}], intermediates=[])
    rehearsal = plan("auto", profiles=pinned, stores=[{"type": "system"}])
    assert rehearsal.request is None
    results, findings = judge(rehearsal, {"answers": []})
    assert [item["status"] for item in results] == ["not_possible"]
    assert (findings[0].id, findings[0].status) == ("trust.rehearsal.not_possible", "unknown")
    assert compliant(findings) is None


def test_a_store_that_is_not_there_is_unknown(store):
    results, findings = judge(plan([ROOT.pem], stores=[{"type": "pem_file", "path": f"{store}.missing"}]))
    assert [(item["status"], item["message"]) for item in results] == [("not_possible", "missing: none of the paths exists")]
    assert findings[0].status == "unknown"


def test_postfix_reads_two_stores(store, tmp_path):
    """What one of them lacks the other may have; each side of Postfix needs one that has it."""
    good, main_cf = tmp_path / "good.pem", tmp_path / "main.cf"
    good.write_text(ROOT.pem)
    hashed = tmp_path / "hashed"
    hashed.mkdir()
    main_cf.write_text(f"smtp_tls_CAfile = {good}\nsmtp_tls_CApath = {hashed}\nsmtpd_tls_CAfile = {store}\n")
    results, findings = judge(plan([ROOT.pem], main_cf=str(main_cf)))
    by_reader = {item["used_by"][0]: item["status"] for item in results}
    assert by_reader == {
        "Postfix smtp_tls_CAfile": "passed",
        "Postfix smtp_tls_CApath": "failed",
        "Postfix smtpd_tls_CAfile": "failed",
    }
    assert sorted((item.evidence["used_by"][0].split()[1], item.status) for item in findings) == [
        ("smtp_tls_CAfile", "pass"),
        ("smtp_tls_CApath", "warn"),
        ("smtpd_tls_CAfile", "fail"),
    ]


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (["exo-digicert-g9"], "rehearse[0]: no profile 'exo-digicert-g9'; did you mean exo-digicert-g2?"),
        ([7], "rehearse[0]: must be the id of a profile or PEM text, not 7"),
        ({"profile": "x"}, "rehearse: must be auto, true, or a list"),
        (["-----BEGIN CERTIFICATE-----\nAAAA\n"], "must hold 1 to 10 whole CERTIFICATE blocks"),
        ([f"{LEAF.pem}-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"], "rehearse[0]: [1]: holds a private key"),
        ([LEAF.pem * 11], "must hold 1 to 10 whole CERTIFICATE blocks"),
    ],
)
def test_what_is_refused(raw, words):
    with pytest.raises(ValueError) as caught:
        plan(raw)
    assert words in str(caught.value)


def test_a_probe_that_does_not_answer_leaves_nothing_out():
    rehearsal = plan([ROOT.pem, OTHER.pem], stores=[{"type": "system"}])
    late = {"id": "trust:rehearsal", "error": {"stage": "rehearse", "code": "deadline", "message": "over"}, "results": []}
    for observations in ({}, {"answers": []}, {"answers": [late]}):
        results, findings = judge(rehearsal, observations)
        assert [item["status"] for item in results] == ["not_possible"] * 2
        assert {item.status for item in findings} == {"unknown"}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20), lambda inner: st.lists(inner, max_size=3), max_leaves=5
)
KEYS = ("store", "chain", "type", "path", "used_by", "ok", "code", "message", "tool", "version")


@given(st.lists(st.fixed_dictionaries({}, optional=dict.fromkeys(KEYS, JSON)) | JSON, max_size=3), JSON)
def test_answers_that_lie(items, error):
    rehearsal = plan([ROOT.pem], stores=[{"type": "system"}])
    for item in items:
        if isinstance(item, dict) and item.get("ok"):
            item["chain"] = rehearsal.chains[0].id
    answer = {"id": "trust:rehearsal", "error": error, "results": items}
    results, findings = judge(rehearsal, {"answers": [answer]})
    assert len(results) == len(findings) >= 1
    assert all(
        (item["status"] == "passed") <= any(isinstance(i, dict) and i.get("ok") is True for i in items) for item in results
    )
