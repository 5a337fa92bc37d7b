# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""Judge a certificate revocation list: RFC 5280 5 (its form) and 6.3 (its use).

Pure: bytes, certificates and a time in, a verdict out.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import typing as t
import warnings

from ansible_collections.mailops.tls.plugins.plugin_utils._judge.egress.body import describe, missing_der_bytes
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.egress.policy import EgressPolicy
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.revocation.crl_scope import coverage
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.x509 import (
    PARSE_ERRORS,
    CertificateRef,
    extension,
    extensions_of,
    find_issuers,
    iso,
    moment,
    name_text,
    same_name,
    sha256,
    verify,
)

try:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import dsa
except ImportError:  # only in ansible-test's import check: ansible-core itself requires cryptography
    pass
_DER_TRUE = b"\x01\x01\xff"
_PEM_BEGIN, _PEM_END = b"-----BEGIN X509 CRL-----", b"-----END X509 CRL-----"


@dataclasses.dataclass(frozen=True)
class CrlVerdict:
    """`cause` is one of the contract's causes, `detail` says it in sentences, `facts` is the result's `crl` dict or None."""

    cause: str
    detail: str
    facts: dict[str, t.Any] | None


def judge_crl(
    data: bytes,
    *,
    issuers: t.Sequence[x509.Certificate] = (),
    expected_issuers: t.Sequence[x509.Name] = (),
    certificates: t.Sequence[CertificateRef] = (),
    now: dt.datetime,
    policy: EgressPolicy | None = None,
) -> CrlVerdict:
    """Judge a CRL as fetched.

    `issuers` are certificates that may have signed it, `expected_issuers` names of which it must carry one (none: any),
    `certificates` are looked up in it. Never raises on any bytes.
    """
    policy = policy or EgressPolicy()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # cryptography warns of odd names and numbers, in entries too
        loaded = _load(data)
        if isinstance(loaded, CrlVerdict):
            return loaded
        try:
            judge = _Judge(*loaded, issuers, expected_issuers, certificates, now, policy)
        except PARSE_ERRORS as error:
            # cryptography parses lazily: the outer form is a CRL's, something inside it is not.
            text = f"The body has the outer form of a CRL but cannot be read: {type(error).__name__}."
            return CrlVerdict("not_a_crl", text, None)
        try:
            return judge.verdict()
        except PARSE_ERRORS as error:
            text = f"It is a CRL, but something in its entries or extensions cannot be read: {type(error).__name__}."
            return CrlVerdict("crl_not_judged", text, judge.facts)


def _load(data: bytes) -> tuple[x509.CertificateRevocationList, str] | CrlVerdict:
    try:
        return x509.load_der_x509_crl(data), "der"
    except PARSE_ERRORS:
        pass
    # RFC 5280 4.2.1.13 asks for DER; some CAs publish PEM, and most clients other than Windows then fail.
    begin = data.find(_PEM_BEGIN, 0, 65536)
    end = data.find(_PEM_END, begin)
    if 0 <= begin < end:
        try:
            return x509.load_pem_x509_crl(data[begin : end + len(_PEM_END)] + b"\n"), "pem"
        except PARSE_ERRORS:
            pass
    missing = missing_der_bytes(data)
    if missing:
        return CrlVerdict("truncated", f"{len(data)} bytes arrived; by its own length field the file lacks {missing} more.", None)
    return CrlVerdict("not_a_crl", f"Instead of a CRL came {describe(data)}.", None)


class _Judge:
    """One judgement: collects facts and notes on the way to the verdict."""

    def __init__(
        self,
        crl: x509.CertificateRevocationList,
        encoding: str,
        issuers: t.Sequence[x509.Certificate],
        expected: t.Sequence[x509.Name],
        certificates: t.Sequence[CertificateRef],
        now: dt.datetime,
        policy: EgressPolicy,
    ) -> None:
        self.crl, self.issuers, self.expected, self.certificates = crl, issuers, expected, certificates
        self.now, self.policy = now, policy
        self.notes: list[str] = []
        self.this_update = moment(crl, "last_update")
        self.next_update = moment(crl, "next_update")
        extensions = extensions_of(crl)
        self.readable = extensions is not None
        self.extensions = extensions if extensions is not None else x509.Extensions([])
        self.scope: x509.IssuingDistributionPoint | None = extension(self.extensions, x509.IssuingDistributionPoint)
        self.delta = extension(self.extensions, x509.DeltaCRLIndicator) is not None
        self.indirect = bool(self.scope and self.scope.indirect_crl)
        # Why the CRL cannot say whether a certificate at hand is revoked: it does not cover it, or another CRL may lift a hold.
        self.not_covered: list[str] = []
        self.on_hold: list[str] = []
        self._by_walking: list[tuple[x509.Name, x509.RevokedCertificate]] | None = None
        self.facts = self._facts(encoding)

    def _facts(self, encoding: str) -> dict[str, t.Any]:
        number = extension(self.extensions, x509.CRLNumber)
        return {
            "issuer": name_text(self.crl.issuer),
            # Numbers go up to 20 octets (RFC 5280 5.2.3), more than JSON readers hold: text.
            "number": f"{number.crl_number:x}" if number else None,
            "this_update": iso(self.this_update),
            "next_update": iso(self.next_update),
            "entries": len(self.crl),
            "encoding": encoding,
            "delta": self.delta,
            "indirect": self.indirect,
            "signature": "not_checked",
            "signature_algorithm": self.crl.signature_algorithm_oid.dotted_string,
            "signer_sha256": None,
            "listed": [],
            "looked_up": 0,
            "notes": self.notes,
        }

    def verdict(self) -> CrlVerdict:
        for step in (self._may_be_used, self._issuer, self._signature, self._listed, self._freshness, self._decided):
            problem = step()
            if problem is not None:
                return self._end(*problem)
        return self._end("ok", self._good())

    def _end(self, cause: str, detail: str) -> CrlVerdict:
        return CrlVerdict(cause, " ".join([detail, *(f"Note: {note}." for note in self.notes)]), self.facts)

    def _may_be_used(self) -> tuple[str, str] | None:
        """RFC 5280 5.2 and 5.3: a CRL with a critical extension that is not understood must not be used."""
        if self.facts["encoding"] == "pem":
            self.notes.append("it is PEM, where RFC 5280 4.2.1.13 asks for DER; some clients cannot read it")
        if not self.readable:
            return "crl_not_judged", "The CRL's extensions cannot be read, so it must not be used (RFC 5280 5.2)."
        unknown = [e.oid.dotted_string for e in self.extensions if e.critical and isinstance(e.value, x509.UnrecognizedExtension)]
        # Walking a long list costs time. A critical entry extension leaves a DER TRUE behind, so count those first.
        critical = sum(e.critical for e in self.extensions)
        if self.indirect or self.crl.tbs_certlist_bytes.count(_DER_TRUE) > critical:
            for entry in self.crl:
                unknown += [
                    e.oid.dotted_string
                    for e in entry.extensions
                    if e.critical and isinstance(e.value, x509.UnrecognizedExtension)
                ]
                if unknown:
                    break
        if unknown:
            return (
                "crl_not_judged",
                f"It has the critical extension {unknown[0]}, which is not known here: it must not be used (RFC 5280 5.2, 5.3).",
            )
        return None

    def _issuer(self) -> tuple[str, str] | None:
        """RFC 5280 6.3.3 (b)(1): the name must be that of the certificate's issuer, or of the cRLIssuer of an indirect CRL."""
        if not self.expected or any(same_name(self.crl.issuer, name) for name in self.expected):
            return None
        if self.indirect:
            self.notes.append(
                "it is an indirect CRL: another authority than the certificates' issuer signs it, as it says itself"
            )
            return None
        wanted = " or ".join(dict.fromkeys(name_text(name) for name in self.expected))
        return "crl_wrong_issuer", f"The CRL is issued by {name_text(self.crl.issuer)}, expected was {wanted}."

    def _signature(self) -> tuple[str, str] | None:
        """RFC 5280 6.3.3 (f) and (g)."""
        candidates = find_issuers(self.crl.issuer, self.issuers)
        if not candidates:
            self.notes.append(
                "its signature was not checked, because the certificate of its issuer is not at hand (option issuers)"
            )
            return None
        results = [(candidate, self._signed_by(candidate)) for candidate in candidates]
        signers = [candidate for candidate, result in results if result]
        if not signers:
            return self._not_signed(results)
        # One key can have several certificates (self-issued, cross-signed), and some CAs keep a certificate for CRLs alone.
        signer = next((candidate for candidate in signers if _may_sign_crls(candidate)), None)
        if signer is None:
            self.facts["signature"] = "bad"
            return (
                "crl_bad_signature",
                "The certificate that signed the CRL may not sign CRLs: its key usage lacks cRLSign (RFC 5280 6.3.3 f).",
            )
        self.facts.update(signature="valid", signer_sha256=sha256(signer))
        if (moment(signer, "not_valid_after") or self.now) < self.now:
            self.notes.append(f"the issuer's certificate expired on {iso(moment(signer, 'not_valid_after'))}")
        return None

    def _signed_by(self, candidate: x509.Certificate) -> bool | None:
        try:
            # Raises for an algorithm that is not known, which is_signature_valid() would call invalid.
            algorithm, key = self.crl.signature_hash_algorithm, candidate.public_key()
            if isinstance(key, dsa.DSAPublicKey):
                # is_signature_valid() refuses DSA that OpenSSL verifies (seen with the NIST PKITS CRL of "DSA CA").
                return verify(candidate, self.crl.signature, self.crl.tbs_certlist_bytes, algorithm)
            return self.crl.is_signature_valid(key)  # type: ignore[arg-type]  # other kinds of keys raise TypeError
        except PARSE_ERRORS:
            return None

    def _not_signed(self, results: t.Sequence[tuple[x509.Certificate, bool | None]]) -> tuple[str, str]:
        if all(result is None for _certificate, result in results):
            return "crl_not_judged", f"The signature algorithm {self.facts['signature_algorithm']} is not supported here."
        self.facts["signature"] = "bad"
        authority = extension(self.extensions, x509.AuthorityKeyIdentifier)
        known = [extension(extensions_of(c) or x509.Extensions([]), x509.SubjectKeyIdentifier) for c, _result in results]
        if authority is not None and authority.key_identifier and all(k and k.digest != authority.key_identifier for k in known):
            return "crl_wrong_issuer", (
                f"The CRL carries the issuer's name but says that the key {authority.key_identifier.hex()} signed it, "
                f"and the certificate at hand has the key {known[0].digest.hex()}."
            )
        return "crl_bad_signature", f"The signature does not verify with the certificate of {name_text(self.crl.issuer)}."

    def _listed(self) -> tuple[str, str] | None:
        """RFC 5280 6.3.3 (i) and (j): is one of the certificates at hand on the list?"""
        if self.delta:
            self.notes.append(
                "it is a delta CRL: it only says what changed since its base CRL, so absence from it proves nothing"
            )
        revoked = [item for item in map(self._look_up, self.certificates) if item is not None]
        if not revoked:
            return None
        if self.next_update and self.next_update + self.policy.skew < self.now:
            self.notes.append(f"the CRL itself expired on {iso(self.next_update)}")
        first = revoked[0]
        return "crl_lists_certificate", (
            f"The certificate {first['certificate']} with serial number {first['serial']} was revoked on {first['date']}, "
            f"reason {first['reason']}."
        )

    def _look_up(self, reference: CertificateRef) -> dict[str, str | None] | None:
        """The certificate's entry where that means revocation. What the CRL leaves open is kept for `_decided`."""
        own = same_name(self.crl.issuer, reference.issuer)
        if not own and not self.indirect:
            return None
        covered = coverage(self.crl.issuer, self.scope, reference)
        if not (own or covered.reasons or reference.points is None or any(same_name(reference.issuer, n) for n in self.expected)):
            return None  # This indirect CRL and this certificate have nothing to do with each other.
        # What the certificate's own issuer revokes is revoked, whichever of its lists says so.
        entry = self._entry(reference) if own or covered.reasons or reference.points is None else None
        if entry is None:
            if covered.complete and not self.delta:
                self.facts["looked_up"] += 1
            else:
                why = covered.why if not covered.complete else "it is a delta CRL without its base"
                self.not_covered.append(f"{reference.label}: {why}")
            return None
        self.facts["looked_up"] += 1
        reason = extension(entry.extensions, x509.CRLReason)
        item = {
            "certificate": reference.label,
            "serial": f"{reference.serial:x}",
            "reason": reason.reason.value if reason else "unspecified",
            "date": iso(moment(entry, "revocation_date")),
        }
        self.facts["listed"].append(item)
        # RFC 5280 5.3.1: removeFromCRL, in delta CRLs only, takes a certificate off hold; 6.3.3 (k) then calls it unrevoked.
        if self.delta and item["reason"] == "removeFromCRL":
            return None
        if not self.delta and item["reason"] == "certificateHold" and extension(self.extensions, x509.FreshestCRL) is not None:
            self.on_hold.append(f"{reference.label}: it is on hold since {item['date']}, which a delta CRL may have lifted")
            return None
        return item

    def _entry(self, reference: CertificateRef) -> x509.RevokedCertificate | None:
        # cryptography's own look-up refuses negative numbers, which some CAs did issue (RFC 5280 4.1.2.2).
        if not self.indirect and reference.serial >= 0:
            return self.crl.get_revoked_certificate_by_serial_number(reference.serial)
        if self._by_walking is None:
            self._by_walking = self._walk()
        return next(
            (
                entry
                for issuer, entry in self._by_walking
                if entry.serial_number == reference.serial and same_name(issuer, reference.issuer)
            ),
            None,
        )

    def _walk(self) -> list[tuple[x509.Name, x509.RevokedCertificate]]:
        """The entries with the serial numbers of the certificates at hand, each with the issuer that it is about.

        RFC 5280 5.3.3: an entry belongs to the certificateIssuer last named, at first to the CRL's own issuer.
        """
        serials = {reference.serial for reference in self.certificates}
        issuer, found = self.crl.issuer, []
        for entry in self.crl:
            named = extension(entry.extensions, x509.CertificateIssuer) if self.indirect else None
            if named is not None:
                issuer = next(iter(named.get_values_for_type(x509.DirectoryName)), issuer)
            if entry.serial_number in serials:
                found.append((issuer, entry))
        return found

    def _decided(self) -> tuple[str, str] | None:
        """RFC 5280 6.3.3: a certificate for which no CRL decides has the status UNDETERMINED. One CRL is judged at a time.

        A CRL of another partition than that of a certificate at hand is no fault as long as it decides for another one.
        """
        if self.on_hold or (self.not_covered and not self.facts["looked_up"]):
            first = (self.on_hold or self.not_covered)[0]
            return "crl_not_judged", f"{self._good()} It cannot say whether a certificate is revoked. {first}."
        self.notes += [f"it says nothing about {text}" for text in self.not_covered[:3]]
        return None

    def _freshness(self) -> tuple[str, str] | None:
        """RFC 5280 5.1.2.4 and 5.1.2.5, with a tolerance for clocks."""
        if self.this_update and self.this_update - self.policy.skew > self.now:
            return "crl_not_yet_valid", f"Its thisUpdate is {iso(self.this_update)}, in the future of {iso(self.now)}."
        if self.next_update is None:
            self.notes.append("it has no nextUpdate, which RFC 5280 5.1.2.5 demands; how fresh it is cannot be told")
        elif self.next_update + self.policy.skew < self.now:
            return (
                "crl_expired",
                f"Its nextUpdate was {iso(self.next_update)}, before {iso(self.now)}: the server hands out an old list.",
            )
        return None

    def _good(self) -> str:
        scope = self.scope
        if scope and (
            scope.only_contains_user_certs
            or scope.only_contains_ca_certs
            or scope.only_some_reasons
            or scope.only_contains_attribute_certs
        ):
            self.notes.append(
                "it covers only a part of the issuer's certificates or reasons, as its issuingDistributionPoint says"
            )
        until = f"until {iso(self.next_update)}" if self.next_update else "without a nextUpdate"
        signature = {"valid": "signature valid", "not_checked": "signature not checked"}[self.facts["signature"]]
        return (
            f"A CRL of {name_text(self.crl.issuer)}, {self.facts['entries']} entries, from {iso(self.this_update)} "
            f"{until}, {signature}."
        )


def _may_sign_crls(certificate: x509.Certificate) -> bool:
    """RFC 5280 6.3.3 (f): if there is a key usage, it must have cRLSign. Extensions that cannot be read allow nothing."""
    extensions = extensions_of(certificate)
    usage = extension(extensions or (), x509.KeyUsage)
    return extensions is not None and (usage is None or usage.crl_sign)
