# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What atheris runs, in an environment of its own: python target.py NAME COLLECTIONS CONTEXT [options of libFuzzer] CORPUS

CONTEXT holds issuer.der and leaf.der, which the files that were made for the corpus belong to, and pool.pem, certificates of
issuers of the others. Anything that a judge raises ends the run, and so does a verdict that breaks the contract.
"""

from __future__ import annotations

import base64
import datetime as dt
import json
import sys
import types
import warnings
from pathlib import Path

import atheris

sys.path.insert(0, sys.argv[2])
with atheris.instrument_imports(include=["ansible_collections.mailops.tls"]):
    from ansible_collections.mailops.tls.plugins.module_utils._probe import dnsrecords, pem, smtptls
    from ansible_collections.mailops.tls.plugins.module_utils._probe.base import ProbeError
    from ansible_collections.mailops.tls.plugins.module_utils._probe.smtp import MAX_LINES, Dialogue
    from ansible_collections.mailops.tls.plugins.module_utils._probe.wire import Wire
    from ansible_collections.mailops.tls.plugins.plugin_utils._findings.catalogue_egress_content import EGRESS_CONTENT_TYPES
    from ansible_collections.mailops.tls.plugins.plugin_utils._judge import x509
    from ansible_collections.mailops.tls.plugins.plugin_utils._judge.egress import body as egress_body
    from ansible_collections.mailops.tls.plugins.plugin_utils._judge.egress.policy import EgressPolicy
    from ansible_collections.mailops.tls.plugins.plugin_utils._judge.revocation import crl, ocsp
    from ansible_collections.mailops.tls.plugins.plugin_utils._judge.trust.root import Clocks, judge_root
    from ansible_collections.mailops.tls.plugins.plugin_utils._judge.trust.store import view_of_pem
    from ansible_collections.mailops.tls.plugins.plugin_utils._keystores.java import read_java
    from ansible_collections.mailops.tls.plugins.plugin_utils._keystores.model import KeystoreError
    from ansible_collections.mailops.tls.plugins.plugin_utils._keystores.nss import read_nss
    from ansible_collections.mailops.tls.plugins.plugin_utils._profiles.model import Root

NOW = dt.datetime(2026, 3, 1, 12, 0, tzinfo=dt.timezone.utc)
CONTEXT = Path(sys.argv[3])
ISSUER = x509.load_certificate((CONTEXT / "issuer.der").read_bytes())
LEAF = x509.load_certificate((CONTEXT / "leaf.der").read_bytes())
POOL = x509.load_pem_certificates((CONTEXT / "pool.pem").read_bytes())
LOOKED_UP = [x509.CertificateRef.of(certificate) for certificate in (LEAF, *POOL[:20])]
ASKED = ocsp.OcspQuestion(LOOKED_UP[0], ISSUER, b"n" * 32)
STATUSES = {
    "present",
    "absent",
    "expired",
    "not_yet_valid",
    "distrusted",
    "wrong_use",
    "shadowed",
    "not_effective",
    "unknown",
}
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


class Said:
    """A socket as far as a reader is concerned, that gives a few bytes at a time."""

    def __init__(self, data):
        self.data = data

    def settimeout(self, seconds):
        assert seconds > 0

    def recv(self, most):
        piece, self.data = self.data[: min(most, 7)], self.data[min(most, 7) :]
        return piece


def read_mail_server(data):
    """What a mail server or a nameserver sends to the probe; the first byte chooses the reader."""
    choice, data = data[:1], data[1:]
    try:
        if choice == b"S":
            code, texts = Dialogue(Wire(Said(data), types.SimpleNamespace(ends=float("inf")), 1, "ehlo")).reply()
            assert 200 <= code < 600
            assert 0 < len(texts) <= MAX_LINES
            assert all(text.isprintable() for text in texts)
        elif choice == b"D" and len(data) >= 12:
            for qtype in (dnsrecords.MX, dnsrecords.TLSA):
                answer = dnsrecords.read_answer(data, "example.com", qtype, "test")
                assert len(answer.records) <= dnsrecords.MAX_RECORDS
                assert answer.name.isascii()
        elif choice == b"T":
            smtptls.read_key_share(data)
            smtptls.read_named_curve(data)
    except (ProbeError, ValueError, IndexError):
        pass  # the three ways in which these readers say that something is wrong


def read_pem(data):
    """As the probe reads a file, and the judge what it sends of it."""
    blocks, skipped = pem.scan(data)
    assert all(reason.isprintable() for _line, reason in skipped)
    answer = {
        "certificates": [block.sha256 for block in blocks],
        "blocks": [
            {"sha256": block.sha256, "der": base64.b64encode(block.der).decode(), "label": block.label, "file": None}
            for block in blocks
        ],
        "skipped": [{"file": None, "line": line, "reason": reason} for line, reason in skipped[:20]],
        "skipped_count": len(skipped),
        "files": None,
    }
    view = view_of_pem(answer)
    assert view.error is None
    for sha256 in [block.sha256 for block in blocks[:5]]:
        for hashed in (False, True):
            verdict = judge_root(Root("id", "name", sha256), view, hashed=hashed, clocks=Clocks(NOW, None))
            assert verdict.status in STATUSES, verdict
            assert verdict.detail.isprintable(), verdict


def read_keystores(data):
    for read in (lambda: read_java(data, None), lambda: read_nss(data)):
        try:
            keystore = read()
        except KeystoreError as error:
            assert str(error).isprintable()
            continue
        assert all(len(entry.sha256) == 64 for entry in keystore.entries)
        assert set(keystore.anchors) <= set(keystore.entries)


if __name__ == "__main__":
    warnings.simplefilter("error")  # what a file makes cryptography warn of is no business of the user's terminal
    targets = {
        "crl": judge_crl,
        "ocsp": judge_ocsp,
        "certificates": read_certificates,
        "mail": read_mail_server,
        "pem-stores": read_pem,
        "keystores": read_keystores,
    }
    atheris.Setup([sys.argv[0], *sys.argv[4:]], targets[sys.argv[1]])
    atheris.Fuzz()
