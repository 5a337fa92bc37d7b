# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""Judge an OCSP response: RFC 6960 3.2 and 4.2, RFC 9654 (nonce). Pure: bytes, the question and a time in, a verdict out."""

from __future__ import annotations

import dataclasses
import datetime as dt
import itertools
import typing as t
import warnings

from ansible_collections.mailops.tls.plugins.plugin_utils._judge.egress.body import describe, missing_der_bytes
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.egress.policy import EgressPolicy
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.x509 import (
    PARSE_ERRORS,
    CertificateRef,
    extension,
    extensions_of,
    iso,
    issued_by,
    key_hash,
    moment,
    name_hash,
    name_text,
    sha256,
    verify,
)

try:
    from cryptography import x509
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.x509 import ocsp
except ImportError:  # only in ansible-test's import check: ansible-core itself requires cryptography
    pass
_MAX_RESPONDERS = 10
_MAX_SINGLES = 100

# RFC 6960 4.2.1. internalError: "the query should be retried"; sigRequired: this responder answers only those it knows.
_REFUSALS: t.Final = {
    "MALFORMED_REQUEST": ("malformedRequest", "ocsp_malformed", "the responder could not read the request"),
    "INTERNAL_ERROR": ("internalError", "ocsp_try_later", "the responder has an internal error"),
    "TRY_LATER": ("tryLater", "ocsp_try_later", "the responder is temporarily unable to answer"),
    "SIG_REQUIRED": ("sigRequired", "ocsp_unauthorized", "the responder answers only signed requests"),
    "UNAUTHORIZED": (
        "unauthorized",
        "ocsp_unauthorized",
        "the responder does not answer for this certificate",
    ),
}


@dataclasses.dataclass(frozen=True)
class OcspQuestion:
    """What was asked. Without `certificate` and `issuer` the CertID was made up, only to see whether a responder answers."""

    certificate: CertificateRef | None = None
    issuer: x509.Certificate | None = None
    nonce: bytes | None = None

    @property
    def made_up(self) -> bool:
        return self.certificate is None or self.issuer is None


@dataclasses.dataclass(frozen=True)
class OcspVerdict:
    """`cause` is one of the contract's causes, `detail` says it in sentences, `facts` is the result's `ocsp` dict or None."""

    cause: str
    detail: str
    facts: dict[str, t.Any] | None


def judge_ocsp(data: bytes, *, question: OcspQuestion, now: dt.datetime, policy: EgressPolicy | None = None) -> OcspVerdict:
    """Judge an OCSP response as fetched. Never raises on any bytes."""
    policy = policy or EgressPolicy()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            response = ocsp.load_der_ocsp_response(data)
            refusal = _REFUSALS.get(response.response_status.name)
        except PARSE_ERRORS:
            missing = missing_der_bytes(data)
            if missing:
                return OcspVerdict(
                    "truncated", f"{len(data)} bytes arrived; by its own length field the answer lacks {missing} more.", None
                )
            return OcspVerdict("not_an_ocsp_response", f"Instead of an OCSP response came {describe(data)}.", None)
        if refusal is not None:
            return _refused(*refusal, question, now)
        try:
            return _Judge(response, question, now, policy).verdict()
        except PARSE_ERRORS as error:
            return OcspVerdict("ocsp_malformed", f"The OCSP response cannot be read to its end: {type(error).__name__}.", None)


def _refused(status: str, cause: str, text: str, question: OcspQuestion, now: dt.datetime) -> OcspVerdict:
    facts = _no_facts(status)
    if question.made_up:
        return OcspVerdict(
            "ok", f"A responder answers there ({status}). The revocation of a certificate was not asked about.", facts
        )
    expired = question.certificate.not_after if question.certificate else None
    if cause == "ocsp_unauthorized" and expired is not None and expired < now:
        # RFC 5019 2.2.3: a responder may drop what has expired, and then says unauthorized. That is no fault.
        return OcspVerdict(
            "ok", f"A responder answers there ({status}); the certificate asked about expired on {iso(expired)}.", facts
        )
    return OcspVerdict(cause, f"The responder answered {status}: {text}.", facts)


def _no_facts(status: str) -> dict[str, t.Any]:
    return {
        "response_status": status,
        "status": status,
        "certificate": None,
        "serial": None,
        "this_update": None,
        "next_update": None,
        "produced_at": None,
        "revoked_at": None,
        "reason": None,
        "nonce": None,
        "signature": "not_checked",
        "signer": None,
        "signer_sha256": None,
        "notes": [],
    }


class _Judge:
    """One judgement of a successful response: collects facts and notes on the way to the verdict."""

    def __init__(self, response: ocsp.OCSPResponse, question: OcspQuestion, now: dt.datetime, policy: EgressPolicy) -> None:
        self.response, self.question, self.now, self.policy = response, question, now, policy
        self.facts = _no_facts("successful")
        self.notes: list[str] = self.facts["notes"]
        self.facts["produced_at"] = iso(moment(response, "produced_at"))
        self.single: ocsp.OCSPSingleResponse | None = None

    def verdict(self) -> OcspVerdict:
        if self.question.made_up:
            detail = "A responder answers there (successful). The revocation of a certificate was not asked about."
            return OcspVerdict("ok", detail, self.facts)
        for step in (self._match, self._may_be_used, self._signature, self._nonce, self._revoked, self._freshness, self._known):
            problem = step()
            if problem is not None:
                return self._end(*problem)
        until = self.facts["next_update"] or "further notice"
        return self._end(
            "ok",
            f"The certificate {self._asked().label} is {self.facts['status']}, until {until}; signed by {self.facts['signer']}.",
        )

    def _end(self, cause: str, detail: str) -> OcspVerdict:
        return OcspVerdict(cause, " ".join([detail, *(f"Note: {note}." for note in self.notes)]), self.facts)

    def _asked(self) -> CertificateRef:
        return t.cast(CertificateRef, self.question.certificate)

    def _issuer(self) -> x509.Certificate:
        return t.cast("x509.Certificate", self.question.issuer)

    def _single(self) -> ocsp.OCSPSingleResponse:
        return t.cast("ocsp.OCSPSingleResponse", self.single)

    def _match(self) -> tuple[str, str] | None:
        """RFC 6960 3.2 (1): the certificate in the response is the one that was asked about."""
        singles = list(itertools.islice(self.response.responses, _MAX_SINGLES))
        unsupported = False
        for single in singles:
            try:
                algorithm = single.hash_algorithm.name
            except UnsupportedAlgorithm:
                unsupported = True
                continue
            if (
                single.serial_number == self._asked().serial
                and single.issuer_key_hash == key_hash(self._issuer(), algorithm)
                and single.issuer_name_hash == name_hash(self._issuer().subject, algorithm)
            ):
                self.single = single
                break
        else:
            if unsupported:
                return "ocsp_not_judged", "It names its certificate by a hash that is not supported here."
            serials = ", ".join(f"{single.serial_number:x}" for single in singles[:3]) or "nothing"
            return (
                "ocsp_wrong_certificate",
                f"Asked was {self._asked().serial:x} of {name_text(self._issuer().subject)}, answered {serials} of another.",
            )
        status = single.certificate_status
        reason = single.revocation_reason
        self.facts.update(
            status=status.name.lower(),
            certificate=self._asked().label,
            serial=f"{single.serial_number:x}",
            this_update=iso(moment(single, "this_update")),
            next_update=iso(moment(single, "next_update")),
            revoked_at=iso(moment(single, "revocation_time")),
            reason=reason.value if reason else None,
        )
        return None

    def _may_be_used(self) -> tuple[str, str] | None:
        groups = [extensions_of(self.response)]
        if len(list(itertools.islice(self.response.responses, 2))) == 1:
            groups.append(self._single_extensions())
        for group in groups:
            if group is None:
                return "ocsp_not_judged", "The response's extensions cannot be read, so it must not be used."
            for item in group:
                if item.critical and isinstance(item.value, x509.UnrecognizedExtension):
                    return (
                        "ocsp_not_judged",
                        f"It has the critical extension {item.oid.dotted_string}, which is not known here: it must not be used.",
                    )
        return None

    def _single_extensions(self) -> x509.Extensions | None:
        try:
            return self.response.single_extensions
        except PARSE_ERRORS:
            return None

    def _signature(self) -> tuple[str, str] | None:
        """RFC 6960 3.2 (2) to (4) and 4.2.2.2: signed by the issuer itself, or by whom it delegated to."""
        result = self._verified_by(self._issuer())
        if result is None:
            return (
                "ocsp_not_judged",
                f"The signature algorithm {self.response.signature_algorithm_oid.dotted_string} is not supported here.",
            )
        if result:
            self.facts.update(signature="valid", signer="the issuer", signer_sha256=sha256(self._issuer()))
            return None
        refused = f"no certificate that could have signed came along, and it is not signed by {name_text(self._issuer().subject)}"
        for certificate in self.response.certificates[:_MAX_RESPONDERS]:
            if not self._verified_by(certificate):
                continue
            problem = self._not_delegated(certificate)
            if problem is None:
                self.facts.update(signature="valid", signer="a delegated responder", signer_sha256=sha256(certificate))
                return None
            refused = f"signed by {name_text(certificate.subject)}, {problem}"
        self.facts["signature"] = "bad"
        return "ocsp_bad_signature", f"The signature does not hold: {refused}."

    def _verified_by(self, signer: x509.Certificate) -> bool | None:
        if self.response.signature_algorithm_oid == x509.SignatureAlgorithmOID.RSASSA_PSS:
            return None  # cryptography does not give a response's PSS parameters.
        try:
            algorithm = self.response.signature_hash_algorithm
        except UnsupportedAlgorithm:
            return None
        return verify(signer, self.response.signature, self.response.tbs_response_bytes, algorithm)

    def _not_delegated(self, certificate: x509.Certificate) -> str | None:
        """Why the certificate is no delegated responder of the issuer; None if it is one (RFC 6960 4.2.2.2)."""
        if not issued_by(certificate, self._issuer()):
            return "which the certificate's issuer did not issue"
        extensions = extensions_of(certificate) or x509.Extensions([])
        usage = extension(extensions, x509.ExtendedKeyUsage)
        if usage is None or x509.oid.ExtendedKeyUsageOID.OCSP_SIGNING not in usage:
            return "whose certificate lacks the extended key usage OCSPSigning"
        start, end = moment(certificate, "not_valid_before"), moment(certificate, "not_valid_after")
        if not (start and end and start - self.policy.skew <= self.now <= end + self.policy.skew):
            return f"whose certificate is valid from {iso(start)} to {iso(end)} only"
        if extension(extensions, x509.OCSPNoCheck) is None:
            # 4.2.2.2.1: without id-pkix-ocsp-nocheck a client may want to check the responder's certificate, too.
            self.notes.append("the responder's certificate lacks id-pkix-ocsp-nocheck; its own revocation was not checked")
        return None

    def _nonce(self) -> tuple[str, str] | None:
        """RFC 9654 2.1: a different nonce is a replay; none is normal with responders that answer from a cache (RFC 5019)."""
        sent, echoed = self.question.nonce, extension(extensions_of(self.response) or x509.Extensions([]), x509.OCSPNonce)
        if sent is None or echoed is None:
            self.facts["nonce"] = "absent" if sent is not None else "not_sent"
            return None
        if echoed.nonce == sent:
            self.facts["nonce"] = "echoed"
            return None
        self.facts["nonce"] = "mismatch"
        return (
            "ocsp_nonce_mismatch",
            "The answer carries another nonce than the request: it is an answer to somebody else's question.",
        )

    def _revoked(self) -> tuple[str, str] | None:
        if self._single().certificate_status is not ocsp.OCSPCertStatus.REVOKED:
            return None
        stale = self._freshness()
        if stale is not None:
            self.notes.append(f"the answer itself is not fresh: {stale[1].rstrip('.')}")
        reason = self.facts["reason"] or "not given"
        return (
            "ocsp_revoked",
            f"The certificate {self._asked().label} was revoked on {self.facts['revoked_at']}, reason {reason}.",
        )

    def _freshness(self) -> tuple[str, str] | None:
        """RFC 6960 3.2 (5), (6) and 4.2.2.1, with a tolerance for clocks."""
        start, end = moment(self._single(), "this_update"), moment(self._single(), "next_update")
        if start and start - self.policy.skew > self.now:
            return (
                "ocsp_expired",
                f"The answer is not valid yet: its thisUpdate is {iso(start)}, in the future of {iso(self.now)}.",
            )
        if end and end + self.policy.skew < self.now:
            return "ocsp_expired", f"The answer is old: its nextUpdate was {iso(end)}, before {iso(self.now)}."
        if start and not end and (self.now - start).total_seconds() > self.policy.ocsp_max_age_without_next_update:
            return "ocsp_expired", f"The answer is old: its thisUpdate is {iso(start)}, and it has no nextUpdate."
        return None

    def _known(self) -> tuple[str, str] | None:
        if self._single().certificate_status is not ocsp.OCSPCertStatus.UNKNOWN:
            return None
        expired = self._asked().not_after
        if expired is not None and expired < self.now:
            self.notes.append(f"the responder no longer knows the certificate, which expired on {iso(expired)}")
            return None
        return "ocsp_unknown", f"The responder does not know the certificate {self._asked().label}."
