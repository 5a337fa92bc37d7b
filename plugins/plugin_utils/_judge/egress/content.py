# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""What came from an endpoint, judged by the kind of endpoint it is."""

from __future__ import annotations

import dataclasses
import datetime as dt
import typing as t

from ansible_collections.mailops.tls.plugins.plugin_utils._judge.egress.body import describe, missing_der_bytes
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.egress.policy import EgressPolicy
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.revocation.crl import judge_crl
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.revocation.ocsp import OcspQuestion, judge_ocsp
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.x509 import (
    iso,
    issued_by,
    load_certificates,
    moment,
    name_text,
    public_key_bytes,
    same_name,
    sha256,
)
from ansible_collections.mailops.tls.plugins.plugin_utils._plan.egress.check import EgressCheck

if t.TYPE_CHECKING:
    from cryptography import x509
_MAX_LISTED = 20


@dataclasses.dataclass(frozen=True)
class Content:
    """The verdict on a body, with the facts for the result's `crl`, `ocsp` and `certificates`."""

    cause: str
    detail: str
    crl: dict[str, t.Any] | None = None
    ocsp: dict[str, t.Any] | None = None
    certificates: list[dict[str, t.Any]] | None = None


def judge_content(check: EgressCheck, body: bytes, now: dt.datetime, policy: EgressPolicy) -> Content:
    """Judge a body that came with HTTP 200. The content type is not looked at: captive portals are labelled by file name, too."""
    if check.endpoint.kind == "crl":
        crl = judge_crl(
            body,
            issuers=check.known,
            expected_issuers=check.expected_names,
            certificates=check.certificates,
            now=now,
            policy=policy,
        )
        return Content(crl.cause, crl.detail, crl=crl.facts)
    if check.endpoint.kind == "ocsp":
        ocsp = judge_ocsp(body, question=check.question or OcspQuestion(), now=now, policy=policy)
        return Content(ocsp.cause, ocsp.detail, ocsp=ocsp.facts)
    return _issuer_certificates(check, body, now)


def _issuer_certificates(check: EgressCheck, body: bytes, now: dt.datetime) -> Content:
    """RFC 5280 4.2.2.1: the certificate of the issuer, or several of them."""
    certificates, encoding = load_certificates(body)
    if not certificates:
        missing = missing_der_bytes(body)
        if missing:
            return Content("truncated", f"{len(body)} bytes arrived; by its own length field the file lacks {missing} more.")
        return Content("not_a_certificate", f"Instead of a certificate came {describe(body)}.")
    listed = [_facts(certificate) for certificate in certificates[:_MAX_LISTED]]
    names = ", ".join(str(facts["subject"]) for facts in listed[:3])
    notes = []
    if encoding == "pem":
        notes.append("it is PEM, where RFC 5280 4.2.2.1 asks for DER")
    if check.expected or check.expected_sha256:
        notes.append(_comparison(check, certificates))
    if all((moment(certificate, "not_valid_after") or now) < now for certificate in certificates):
        notes.append(f"what is served there expired on {listed[0]['not_after']}")
    detail = " ".join([f"The certificate of {names}.", *(f"Note: {note}." for note in notes)])
    return Content("ok", detail, certificates=listed)


def _comparison(check: EgressCheck, served: t.Sequence[x509.Certificate]) -> str:
    """How what is served relates to the endpoint's issuer: its own certificate, a sibling, or one that it signed.

    A certificate names the URL of its issuer's certificate; a profile's endpoint names who signed what is found there.
    """
    fingerprints = check.expected_sha256 | {sha256(certificate) for certificate in check.expected}
    if {sha256(certificate) for certificate in served} & fingerprints:
        return "it is the issuer's certificate that was expected"
    for certificate in served:
        for expected in check.expected:
            if same_name(certificate.subject, expected.subject):
                if public_key_bytes(certificate) == public_key_bytes(expected):
                    return "it is another certificate of the expected issuer with the same key (renewed or cross-signed)"
                return "it bears the expected issuer's name but another key"
            if issued_by(certificate, expected):
                return f"it was issued by {name_text(expected.subject)}, as expected"
    return "it is not the issuer's certificate that was expected, nor was it issued by that issuer"


def _facts(certificate: x509.Certificate) -> dict[str, t.Any]:
    return {
        "subject": name_text(certificate.subject),
        "issuer": name_text(certificate.issuer),
        "sha256": sha256(certificate),
        "not_after": iso(moment(certificate, "not_valid_after")),
    }
