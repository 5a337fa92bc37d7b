# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every CRL, OCSP file and certificate of cryptography-vectors, broken ones too, ends in a verdict and in no exception."""

from __future__ import annotations

import collections
import datetime as dt
import json

import pytest
from ansible_collections.mailops.tls.plugins.plugin_utils._findings.catalogue_egress_content import EGRESS_CONTENT_TYPES
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.egress.body import describe
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.revocation.crl import judge_crl
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.revocation.ocsp import OcspQuestion, judge_ocsp
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.x509 import CertificateRef, load_certificates
from ansible_collections.mailops.tls.tests.unit.judge import pki
from ansible_collections.mailops.tls.tests.vectors.corpus import X509, certificate_files, crls, ocsp_files
from cryptography import x509

# What a file makes cryptography warn of is no business of the user's terminal.
pytestmark = pytest.mark.filterwarnings("error")
CAUSES = {kind.cause for kind in EGRESS_CONTENT_TYPES} | {"ok"}
#: Now, and a day within the life of the CRLs and responses that have expired since.
TIMES = (pki.NOW, dt.datetime(2015, 12, 28, tzinfo=dt.timezone.utc))


@pytest.fixture(scope="module")
def pool():
    """All certificates of the package."""
    return [certificate for path in certificate_files() for certificate in load_certificates(path.read_bytes())[0]]


def checked(verdict, path):
    assert verdict.cause in CAUSES, path
    assert verdict.detail.isprintable(), path
    json.dumps(verdict.facts)
    return verdict


def test_every_certificate_file_is_read_or_refused(pool):
    files = certificate_files()
    assert len(files) >= 600
    assert len(pool) >= 500
    for path in files:
        assert describe(path.read_bytes()).isprintable()


def test_every_crl_ends_in_a_verdict(pool):
    references = [CertificateRef.of(certificate) for certificate in pool[:: len(pool) // 20]]
    seen = collections.Counter()
    for path in [*crls(), *ocsp_files()]:
        for now in TIMES:
            data = path.read_bytes()
            seen[checked(judge_crl(data, issuers=pool, certificates=references, now=now), path).cause] += 1
            checked(judge_crl(data, certificates=references, now=now), path)
    assert len(crls()) >= 200
    assert sum(seen.values()) >= 2 * 200
    # Most of them are good, and each of these is among them: the judge looked at the content.
    assert seen["ok"] >= 200
    assert {"crl_bad_signature", "crl_expired", "crl_not_judged", "crl_not_yet_valid", "not_a_crl"} <= set(seen)


@pytest.mark.parametrize("name", ["crl_unsupported_reason", "crl_dup_entry_ext", "crl_inval_cert_issuer_entry_ext"])
def test_an_entry_that_cannot_be_read_is_not_judged(name):
    data = (X509 / "custom" / f"{name}.pem").read_bytes()
    crl = x509.load_pem_x509_crl(data)
    reference = CertificateRef("mail.example", next(iter(crl)).serial_number, crl.issuer)
    assert judge_crl(data, certificates=[reference], now=TIMES[1]).cause == "crl_not_judged"


def test_every_ocsp_file_ends_in_a_verdict(pool):
    questions = [OcspQuestion(CertificateRef.of(one), one, b"n" * 32) for one in pool[:: len(pool) // 20]]
    seen = collections.Counter()
    for path in [*ocsp_files(), *crls()]:
        for question in (OcspQuestion(), *questions):
            seen[checked(judge_ocsp(path.read_bytes(), question=question, now=pki.NOW), path).cause] += 1
    assert len(ocsp_files()) >= 25
    assert {"ok", "not_an_ocsp_response", "ocsp_not_judged", "ocsp_unauthorized", "ocsp_wrong_certificate"} <= set(seen)
    assert seen["ok"] >= 10  # responses, where nothing was asked
