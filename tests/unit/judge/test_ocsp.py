# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json

import pytest
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.revocation.ocsp import OcspQuestion, judge_ocsp
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.x509 import CertificateRef
from ansible_collections.mailops.tls.tests.unit.judge import pki
from cryptography.hazmat.primitives import hashes
from cryptography.x509 import ocsp
from hypothesis import given, settings
from hypothesis import strategies as st

ROOT = pki.make_root()
OTHER = pki.make_root("Other Root")
LEAF = ROOT.issue("mail.example")
REF = CertificateRef.of(LEAF.certificate)
NONCE = bytes(range(32))
ASKED = OcspQuestion(REF, ROOT.certificate, NONCE)
GOOD = pki.ocsp_response(LEAF.certificate, ROOT, nonce=NONCE)
REFUSED = ocsp.OCSPResponseStatus


def judge(data, question=ASKED):
    verdict = judge_ocsp(data, question=question, now=pki.NOW)
    json.dumps(verdict.facts)
    return verdict


def respond(**options):
    return pki.ocsp_response(LEAF.certificate, ROOT, **options)


def test_good_signed_by_the_issuer_with_the_nonce_echoed():
    verdict = judge(GOOD)
    assert verdict.cause == "ok"
    assert verdict.facts["status"] == "good"
    assert verdict.facts["nonce"] == "echoed"
    assert verdict.facts["signer"] == "the issuer"
    assert "2026-03-02T12:00:00Z" in verdict.detail


def test_a_missing_nonce_is_normal_and_another_one_is_a_replay():
    assert judge(respond()).facts["nonce"] == "absent"
    verdict = judge(respond(nonce=b"another nonce..."))
    assert (verdict.cause, verdict.facts["nonce"]) == ("ocsp_nonce_mismatch", "mismatch")


def test_a_delegated_responder_is_accepted():
    verdict = judge(respond(responder=pki.ocsp_responder(ROOT)))
    assert (verdict.cause, verdict.facts["signer"]) == ("ok", "a delegated responder")
    assert "nocheck" not in verdict.detail
    assert "nocheck" in judge(respond(responder=pki.ocsp_responder(ROOT, no_check=False))).detail


@pytest.mark.parametrize(
    ("responder", "words"),
    [
        (pki.ocsp_responder(OTHER), "did not issue"),
        (pki.ocsp_responder(ROOT, signing=False), "OCSPSigning"),
        (pki.ocsp_responder(ROOT, not_after=pki.NOW - pki.HOUR), "valid from"),
        (pki.ocsp_responder(ROOT, not_before=pki.NOW + pki.HOUR), "valid from"),
    ],
)
def test_a_responder_that_was_not_authorised_is_refused(responder, words):
    verdict = judge(respond(responder=responder))
    assert (verdict.cause, verdict.facts["signature"]) == ("ocsp_bad_signature", "bad")
    assert words in verdict.detail


def test_a_broken_or_foreign_signature_is_bad():
    assert judge(pki.with_broken_signature(GOOD)).cause == "ocsp_bad_signature"
    assert judge(respond(responder=pki.ocsp_responder(ROOT), send_certificate=False)).cause == "ocsp_bad_signature"


def test_revoked_with_reason_and_date():
    verdict = judge(respond(status=ocsp.OCSPCertStatus.REVOKED))
    assert verdict.cause == "ocsp_revoked"
    assert verdict.facts["reason"] == "keyCompromise"
    assert verdict.facts["revoked_at"] == "2026-02-26T12:00:00Z"
    assert "not given" in judge(respond(status=ocsp.OCSPCertStatus.REVOKED, reason=None)).detail
    old = judge(respond(status=ocsp.OCSPCertStatus.REVOKED, next_update=pki.NOW - pki.HOUR, this_update=pki.NOW - pki.DAY))
    assert old.cause == "ocsp_revoked" and "not fresh" in old.detail


def test_unknown_is_a_failure_unless_the_certificate_has_expired():
    assert judge(respond(status=ocsp.OCSPCertStatus.UNKNOWN)).cause == "ocsp_unknown"
    dead = ROOT.issue("old", not_after=pki.NOW - pki.DAY).certificate
    question = OcspQuestion(CertificateRef.of(dead), ROOT.certificate)
    verdict = judge(pki.ocsp_response(dead, ROOT, status=ocsp.OCSPCertStatus.UNKNOWN), question)
    assert verdict.cause == "ok" and "no longer knows" in verdict.detail and "good" not in verdict.detail
    assert judge(pki.ocsp_refusal(REFUSED.UNAUTHORIZED), question).cause == "ok"


@pytest.mark.parametrize(
    ("options", "cause"),
    [
        ({"next_update": pki.NOW - pki.HOUR / 6, "this_update": pki.NOW - pki.DAY}, "ocsp_expired"),
        ({"next_update": pki.NOW - pki.HOUR / 20, "this_update": pki.NOW - pki.DAY}, "ok"),
        ({"this_update": pki.NOW + pki.HOUR}, "ocsp_expired"),
        ({"next_update": None}, "ok"),
        ({"next_update": None, "this_update": pki.NOW - 11 * pki.DAY}, "ocsp_expired"),
    ],
)
def test_freshness(options, cause):
    assert judge(respond(**options)).cause == cause


def test_an_answer_from_the_future_is_said_to_be_one():
    assert "not valid yet" in judge(respond(this_update=pki.NOW + pki.HOUR)).detail


def test_another_certificate_is_not_the_answer():
    other = ROOT.issue("other").certificate
    assert judge(pki.ocsp_response(other, ROOT)).cause == "ocsp_wrong_certificate"
    same_serial = OTHER.issue("mail.example", serial=REF.serial).certificate
    assert judge(pki.ocsp_response(same_serial, OTHER)).cause == "ocsp_wrong_certificate"


def test_a_cert_id_in_sha256_matches_too():
    assert judge(respond(algorithm=hashes.SHA256())).cause == "ok"
    root = pki.make_root("RSA Root", key=pki.rsa_key())
    leaf = root.issue().certificate
    question = OcspQuestion(CertificateRef.of(leaf), root.certificate)
    assert judge(pki.ocsp_response(leaf, root, algorithm=hashes.SHA256()), question).cause == "ok"


@pytest.mark.parametrize(
    ("status", "cause"),
    [
        (REFUSED.MALFORMED_REQUEST, "ocsp_malformed"),
        (REFUSED.INTERNAL_ERROR, "ocsp_try_later"),
        (REFUSED.TRY_LATER, "ocsp_try_later"),
        (REFUSED.SIG_REQUIRED, "ocsp_unauthorized"),
        (REFUSED.UNAUTHORIZED, "ocsp_unauthorized"),
    ],
)
def test_refusals_count_only_where_a_real_question_was_asked(status, cause):
    assert judge(pki.ocsp_refusal(status)).cause == cause
    verdict = judge(pki.ocsp_refusal(status), OcspQuestion())
    assert verdict.cause == "ok" and "not asked" in verdict.detail


def test_a_made_up_question_is_content_with_any_ocsp_response():
    verdict = judge(GOOD, OcspQuestion())
    assert verdict.cause == "ok" and verdict.facts["signature"] == "not_checked"
    assert judge(b"<html><title>Portal</title>", OcspQuestion()).cause == "not_an_ocsp_response"


def test_what_is_no_response():
    assert "HTML page" in judge(b"<html><title>Portal</title>").detail
    assert judge(b"").cause == "not_an_ocsp_response"
    assert judge(GOOD[:50]).cause == "truncated"


def test_what_is_not_known_here_is_not_judged():
    assert judge(respond(extensions=[pki.unknown_extension()])).cause == "ocsp_not_judged"
    assert judge(respond(extensions=[pki.unknown_extension(False)])).cause == "ok"
    assert judge(pki.with_unknown_algorithm(GOOD)).cause == "ocsp_not_judged"


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.binary(max_size=400), st.tuples(st.integers(0, len(GOOD) - 1), st.binary(min_size=1, max_size=6))))
def test_any_bytes_end_in_a_verdict(change):
    data = change if isinstance(change, bytes) else GOOD[: change[0]] + change[1] + GOOD[change[0] + len(change[1]) :]
    assert judge(data).detail.isprintable()
