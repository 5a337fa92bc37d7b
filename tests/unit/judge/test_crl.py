# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json

import pytest
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.egress.policy import EgressPolicy
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.revocation.crl import judge_crl
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.x509 import CertificateRef
from ansible_collections.mailops.tls.tests.unit.judge import pki
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import dsa
from hypothesis import given, settings
from hypothesis import strategies as st

ROOT = pki.make_root()
OTHER = pki.make_root("Other Root")
LEAF = ROOT.issue("mail.example")
REF = CertificateRef.of(LEAF.certificate)
GOOD = ROOT.crl()


def judge(data, **options):
    options.setdefault("issuers", [ROOT.certificate])
    options.setdefault("expected_issuers", [ROOT.subject])
    verdict = judge_crl(data, now=pki.NOW, **options)
    json.dumps(verdict.facts)
    return verdict


def test_a_fresh_signed_crl_is_ok_and_described():
    verdict = judge(GOOD, certificates=[REF])
    assert verdict.cause == "ok"
    assert verdict.facts["signature"] == "valid"
    assert verdict.facts["signer_sha256"] == ROOT.sha256
    assert verdict.facts["number"] == "7"
    assert verdict.facts["looked_up"] == 1
    assert verdict.facts["next_update"] == "2026-03-02T12:00:00Z"


def test_pem_is_accepted_and_noted():
    text = x509.load_der_x509_crl(GOOD).public_bytes(serialization.Encoding.PEM)
    verdict = judge(b"some text before\n" + text)
    assert (verdict.cause, verdict.facts["encoding"]) == ("ok", "pem")
    assert "PEM" in verdict.detail


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "an empty body"),
        (b"<!DOCTYPE html><title class=x>Log in \x1b[31m\xe2\x80\xaenow</title>", 'an HTML page titled "Log in [31m now"'),
        (b"<html><body>no", "an HTML page without a title"),
        (b"access denied by policy", 'text that begins "access denied by policy"'),
        (b"\x1f\x8b\x08\x00", "gzip"),
        (b"%PDF-1.7", "a PDF document"),
        (pki.der(ROOT.certificate), "a DER certificate"),
        (ROOT.pem.encode(), "PEM of the kind CERTIFICATE"),
        (GOOD + b"x", "ASN.1 data of another kind"),
        (bytes(range(128, 256)), "128 bytes of binary data"),
    ],
)
def test_what_is_no_crl_is_described(data, words):
    verdict = judge(data)
    assert verdict.cause == "not_a_crl"
    assert words in verdict.detail


@pytest.mark.parametrize("length", [5, 60, len(GOOD) - 1])
def test_a_crl_cut_off_is_truncated(length):
    verdict = judge(GOOD[:length])
    assert verdict.cause == "truncated"
    assert f"lacks {len(GOOD) - length} more" in verdict.detail


@pytest.mark.parametrize(("seconds", "cause"), [(299, "ok"), (301, "crl_expired")])
def test_expiry_has_the_tolerance_of_the_policy(seconds, cause):
    end = pki.NOW - seconds * pki.HOUR / 3600
    assert judge(ROOT.crl(next_update=end)).cause == cause


@pytest.mark.parametrize(("seconds", "cause"), [(299, "ok"), (301, "crl_not_yet_valid")])
def test_a_crl_from_the_future_has_the_tolerance_of_the_policy(seconds, cause):
    start = pki.NOW + seconds * pki.HOUR / 3600
    assert judge(ROOT.crl(this_update=start)).cause == cause


def test_the_tolerance_can_be_set():
    late = ROOT.crl(next_update=pki.NOW - pki.HOUR)
    assert judge(late, policy=EgressPolicy(clock_skew=7200)).cause == "ok"


def test_a_broken_signature_is_bad():
    verdict = judge(pki.with_broken_signature(GOOD))
    assert (verdict.cause, verdict.facts["signature"]) == ("crl_bad_signature", "bad")


def test_another_issuer_is_wrong():
    verdict = judge(OTHER.crl(), issuers=[ROOT.certificate, OTHER.certificate])
    assert verdict.cause == "crl_wrong_issuer"
    assert "Other Root" in verdict.detail and "Lab Root" in verdict.detail


def test_any_of_several_expected_issuers_is_right():
    assert (
        judge(OTHER.crl(), issuers=[ROOT.certificate, OTHER.certificate], expected_issuers=[ROOT.subject, OTHER.subject]).cause
        == "ok"
    )


def test_a_look_alike_of_the_issuer_is_found_out_by_its_key():
    twin = pki.make_root("Lab Root")
    verdict = judge(twin.crl())
    assert verdict.cause == "crl_wrong_issuer"
    assert "key" in verdict.detail
    assert judge(twin.crl(authority_key=False)).cause == "crl_bad_signature"
    assert judge(twin.crl(), issuers=[ROOT.certificate, twin.certificate]).cause == "ok"


def test_names_compare_without_case_and_white_space():
    shouting = ROOT.crl(issuer_name=pki.name("LAB   root", "lab"))
    assert judge(shouting).cause == "ok"


def test_without_an_issuer_certificate_the_signature_is_said_to_be_unchecked():
    verdict = judge(GOOD, issuers=[])
    assert (verdict.cause, verdict.facts["signature"]) == ("ok", "not_checked")
    assert "not checked" in verdict.detail


@pytest.mark.parametrize(("usage", "cause"), [(["crl_sign"], "ok"), (["key_cert_sign"], "crl_bad_signature")])
def test_the_signer_must_be_allowed_to_sign_crls(usage, cause):
    root = pki.make_root("Usage Root", usage=usage)
    assert judge(root.crl(), issuers=[root.certificate], expected_issuers=[root.subject]).cause == cause


def test_a_listed_certificate_is_named_with_reason_and_date():
    entry = pki.revoked(REF.serial, reason=x509.ReasonFlags.key_compromise)
    verdict = judge(ROOT.crl(revoked=[entry]), certificates=[REF])
    assert verdict.cause == "crl_lists_certificate"
    assert "keyCompromise" in verdict.detail and "2026-02-27" in verdict.detail
    assert verdict.facts["listed"][0]["serial"] == f"{REF.serial:x}"


def test_a_listed_certificate_counts_in_an_expired_crl_too():
    verdict = judge(ROOT.crl(revoked=[pki.revoked(REF.serial)], next_update=pki.NOW - pki.HOUR), certificates=[REF])
    assert verdict.cause == "crl_lists_certificate"
    assert "expired" in verdict.detail


def test_a_forged_crl_revokes_nothing():
    verdict = judge(pki.with_broken_signature(ROOT.crl(revoked=[pki.revoked(REF.serial)])), certificates=[REF])
    assert verdict.cause == "crl_bad_signature"


def test_the_serial_number_of_another_issuers_certificate_is_not_looked_up():
    foreign = CertificateRef("other", REF.serial, OTHER.subject)
    assert judge(ROOT.crl(revoked=[pki.revoked(REF.serial)]), certificates=[foreign]).cause == "ok"


@pytest.mark.parametrize(
    ("reason", "delta", "cause"),
    [
        (x509.ReasonFlags.remove_from_crl, True, "ok"),
        (x509.ReasonFlags.remove_from_crl, False, "crl_lists_certificate"),
        (x509.ReasonFlags.certificate_hold, True, "crl_lists_certificate"),
    ],
)
def test_remove_from_crl_in_a_delta_is_no_revocation(reason, delta, cause):
    extensions = [(x509.DeltaCRLIndicator(5), True)] if delta else []
    verdict = judge(ROOT.crl(revoked=[pki.revoked(REF.serial, reason=reason)], extensions=extensions), certificates=[REF])
    assert verdict.cause == cause
    assert verdict.facts["delta"] is delta
    assert ("delta CRL" in verdict.detail) is delta


DELEGATING = x509.DistributionPoint(
    [x509.UniformResourceIdentifier("http://crl.lab/1")], None, None, [x509.DirectoryName(OTHER.subject)]
)
DELEGATED = CertificateRef.of(
    ROOT.issue("mail.example", extensions=[(x509.CRLDistributionPoints([DELEGATING]), False)]).certificate
)


def indirect(**options):
    point = x509.IssuingDistributionPoint(None, None, False, False, None, True, False)
    return OTHER.crl(extensions=[(point, True)], **options)


def test_an_indirect_crl_is_recognised_and_not_called_wrong():
    verdict = judge(indirect(), issuers=[OTHER.certificate], certificates=[DELEGATED])
    assert (verdict.cause, verdict.facts["indirect"], verdict.facts["signature"]) == ("ok", True, "valid")
    assert "indirect" in verdict.detail
    assert judge(indirect(), issuers=[OTHER.certificate]).cause == "ok"


def test_entries_of_an_indirect_crl_belong_to_the_issuer_last_named():
    entries = [pki.revoked(5, issuer=ROOT.subject), pki.revoked(DELEGATED.serial)]
    assert (
        judge(indirect(revoked=entries), issuers=[OTHER.certificate], certificates=[DELEGATED]).cause == "crl_lists_certificate"
    )
    entries[1] = pki.revoked(DELEGATED.serial, issuer=OTHER.subject)
    assert judge(indirect(revoked=entries), issuers=[OTHER.certificate], certificates=[DELEGATED]).cause == "ok"


def test_an_authority_to_which_nobody_delegated_revokes_nothing():
    entry = pki.revoked(REF.serial, issuer=ROOT.subject)
    verdict = judge(indirect(revoked=[entry]), issuers=[OTHER.certificate], certificates=[REF])
    assert (verdict.cause, verdict.facts["listed"]) == ("crl_not_judged", [])
    known_by_number_only = CertificateRef("mail.example", REF.serial, ROOT.subject)
    listed = judge(indirect(revoked=[entry]), issuers=[OTHER.certificate], certificates=[known_by_number_only])
    assert listed.cause == "crl_lists_certificate"


def test_a_hold_is_a_revocation_unless_a_delta_crl_may_have_lifted_it():
    entry = pki.revoked(REF.serial, reason=x509.ReasonFlags.certificate_hold)
    point = x509.DistributionPoint([x509.UniformResourceIdentifier("http://crl.lab/delta")], None, None, None)
    assert judge(ROOT.crl(revoked=[entry]), certificates=[REF]).cause == "crl_lists_certificate"
    with_delta = judge(ROOT.crl(revoked=[entry], extensions=[(x509.FreshestCRL([point]), False)]), certificates=[REF])
    assert with_delta.cause == "crl_not_judged" and "on hold" in with_delta.detail
    for_good = [pki.revoked(REF.serial, reason=x509.ReasonFlags.key_compromise)]
    verdict = judge(ROOT.crl(revoked=for_good, extensions=[(x509.FreshestCRL([point]), False)]), certificates=[REF])
    assert verdict.cause == "crl_lists_certificate"


def test_absence_from_a_delta_crl_proves_nothing():
    verdict = judge(ROOT.crl(extensions=[(x509.DeltaCRLIndicator(5), True)]), certificates=[REF])
    assert (verdict.cause, verdict.facts["looked_up"]) == ("crl_not_judged", 0)


def test_a_partition_decides_for_its_own_certificates_only():
    shards = [x509.UniformResourceIdentifier(f"http://crl.lab/{number}.crl") for number in (1, 2)]
    first, second = [CertificateRef.of(ROOT.issue(shard.value, urls={"crl": [shard.value]}).certificate) for shard in shards]
    point = x509.IssuingDistributionPoint([shards[0]], None, True, False, None, False, False)
    assert judge(ROOT.crl(extensions=[(point, True)]), certificates=[first]).cause == "ok"
    other = judge(ROOT.crl(extensions=[(point, True)]), certificates=[second])
    assert other.cause == "crl_not_judged" and "distribution points" in other.detail
    both = judge(ROOT.crl(extensions=[(point, True)]), certificates=[second, first])
    assert both.cause == "ok" and "says nothing about CN=http://crl.lab/2.crl" in both.detail
    # What its own issuer revokes is revoked, whichever of its lists says so.
    listing = ROOT.crl(revoked=[pki.revoked(second.serial)], extensions=[(point, True)])
    assert judge(listing, certificates=[second]).cause == "crl_lists_certificate"


@pytest.mark.parametrize("first", ["may sign", "may not sign"])
def test_one_key_may_have_several_certificates(first):
    root = pki.make_root("Twice Root", usage=["crl_sign"])
    twin = pki.make_root("Twice Root", usage=["key_cert_sign"], key=root.key)
    pool = [root.certificate, twin.certificate] if first == "may sign" else [twin.certificate, root.certificate]
    verdict = judge(root.crl(), issuers=pool, expected_issuers=[root.subject])
    assert (verdict.cause, verdict.facts["signer_sha256"]) == ("ok", root.sha256)


@pytest.mark.parametrize("critical", [True, False])
def test_an_unknown_critical_extension_forbids_a_verdict(critical):
    cause = "crl_not_judged" if critical else "ok"
    assert judge(ROOT.crl(extensions=[pki.unknown_extension(critical)])).cause == cause
    entry = pki.revoked(1, extensions=[pki.unknown_extension(critical)])
    assert judge(ROOT.crl(revoked=[pki.revoked(2), entry])).cause == cause


def test_an_unknown_signature_algorithm_forbids_a_verdict():
    verdict = judge(pki.with_unknown_algorithm(GOOD))
    assert verdict.cause == "crl_not_judged"
    assert "1.2.840.10045.4.3.127" in verdict.detail


def test_a_partitioned_crl_is_said_to_be_one():
    point = x509.IssuingDistributionPoint(None, None, True, False, None, False, False)
    assert "only a part" in judge(ROOT.crl(extensions=[(point, True)])).detail


@pytest.mark.parametrize("key", [pki.rsa_key(), dsa.generate_private_key(2048)], ids=["rsa", "dsa"])
def test_signatures_of_other_kinds_of_keys_verify(key):
    root = pki.make_root("Other Key Root", key=key)
    assert judge(root.crl(), issuers=[root.certificate], expected_issuers=[root.subject]).facts["signature"] == "valid"
    broken = pki.with_broken_signature(root.crl())
    assert judge(broken, issuers=[root.certificate], expected_issuers=[root.subject]).cause == "crl_bad_signature"


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.binary(max_size=400), st.tuples(st.integers(0, len(GOOD) - 1), st.binary(min_size=1, max_size=6))))
def test_any_bytes_end_in_a_verdict(change):
    data = change if isinstance(change, bytes) else GOOD[: change[0]] + change[1] + GOOD[change[0] + len(change[1]) :]
    verdict = judge(data, certificates=[REF])
    assert verdict.detail.isprintable()
    assert data == GOOD or verdict.cause != "ok"
