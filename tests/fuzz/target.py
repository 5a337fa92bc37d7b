# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What atheris runs, in an environment of its own: python target.py NAME COLLECTIONS CONTEXT [options of libFuzzer] CORPUS

CONTEXT holds issuer.der and leaf.der, which the files that were made for the corpus belong to, and pool.pem, certificates of
issuers of the others. Anything that a judge raises ends the run, and so does a verdict that breaks the contract.
"""

from __future__ import annotations

import datetime as dt
import json
import sys
import warnings
from pathlib import Path

import atheris

sys.path.insert(0, sys.argv[2])
with atheris.instrument_imports(include=["ansible_collections.mailops.tls"]):
    from ansible_collections.mailops.tls.plugins.plugin_utils._findings.catalogue_egress_content import EGRESS_CONTENT_TYPES
    from ansible_collections.mailops.tls.plugins.plugin_utils._judge import x509
    from ansible_collections.mailops.tls.plugins.plugin_utils._judge.egress import body as egress_body
    from ansible_collections.mailops.tls.plugins.plugin_utils._judge.egress.policy import EgressPolicy
    from ansible_collections.mailops.tls.plugins.plugin_utils._judge.revocation import crl, ocsp

NOW = dt.datetime(2026, 3, 1, 12, 0, tzinfo=dt.timezone.utc)
CONTEXT = Path(sys.argv[3])
ISSUER = x509.load_certificate((CONTEXT / "issuer.der").read_bytes())
LEAF = x509.load_certificate((CONTEXT / "leaf.der").read_bytes())
POOL = x509.load_pem_certificates((CONTEXT / "pool.pem").read_bytes())
LOOKED_UP = [x509.CertificateRef.of(certificate) for certificate in (LEAF, *POOL[:20])]
ASKED = ocsp.OcspQuestion(LOOKED_UP[0], ISSUER, b"n" * 32)
CAUSES = {kind.cause for kind in EGRESS_CONTENT_TYPES} | {"ok", "truncated"}


class Unsigned(ocsp._Judge):
    """The judge without the signature, which a changed file never passes: what comes after it is to be fuzzed, too."""

    def _signature(self):
        return None


def check(verdict):
    assert verdict.cause in CAUSES, verdict.cause
    assert verdict.detail.isprintable(), verdict.detail
    json.dumps(verdict.facts)


def judge_crl(data):
    check(crl.judge_crl(data, issuers=(ISSUER, *POOL), expected_issuers=[ISSUER.subject], certificates=LOOKED_UP, now=NOW))
    # Without issuers the signature is not checked, and what comes after it is fuzzed, too.
    check(crl.judge_crl(data, certificates=LOOKED_UP, now=NOW))


def judge_ocsp(data):
    check(ocsp.judge_ocsp(data, question=ASKED, now=NOW))
    check(ocsp.judge_ocsp(data, question=ocsp.OcspQuestion(), now=NOW))
    try:
        response = ocsp.ocsp.load_der_ocsp_response(data)
        if response.response_status is ocsp.ocsp.OCSPResponseStatus.SUCCESSFUL:
            check(Unsigned(response, ASKED, NOW, EgressPolicy()).verdict())
    except x509.PARSE_ERRORS:
        pass  # judge_ocsp() turns them into verdicts, as was seen above.


def read_certificates(data):
    certificates, encoding = x509.load_certificates(data)
    assert bool(certificates) == (encoding in ("der", "pem", "pkcs7"))
    assert egress_body.describe(data).isprintable()
    assert egress_body.missing_der_bytes(data) >= 0
    for certificate in certificates[:5]:
        reference = x509.CertificateRef.of(certificate)
        assert reference.label.isprintable()
        assert x509.issued_by(certificate, ISSUER) in (True, False, None)
        for use in (x509.sha256, x509.public_key_bytes, lambda one: x509.key_hash(one, "sha1"), x509.extensions_of):
            use(certificate)


if __name__ == "__main__":
    warnings.simplefilter("error")  # what a file makes cryptography warn of is no business of the user's terminal
    targets = {"crl": judge_crl, "ocsp": judge_ocsp, "certificates": read_certificates}
    atheris.Setup([sys.argv[0], *sys.argv[4:]], targets[sys.argv[1]])
    atheris.Fuzz()
