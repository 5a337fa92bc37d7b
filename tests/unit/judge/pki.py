# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Certificates, CRLs and OCSP responses made for tests, with every property open to be wrong."""

from __future__ import annotations

import base64
import dataclasses
import datetime as dt
import typing as t

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509 import ocsp
from cryptography.x509.oid import AuthorityInformationAccessOID

NOW = dt.datetime(2026, 3, 1, 12, 0, tzinfo=dt.timezone.utc)
HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)
# Elliptic keys are made in microseconds; RSA ones only where the algorithm matters.
_USAGE = ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement")
_USAGE += ("key_cert_sign", "crl_sign", "encipher_only", "decipher_only")


def name(common_name: str, organization: str | None = "Lab") -> x509.Name:
    parts = [x509.NameAttribute(x509.NameOID.ORGANIZATION_NAME, organization)] if organization else []
    return x509.Name([*parts, x509.NameAttribute(x509.NameOID.COMMON_NAME, common_name)])


def pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def der(thing: t.Any) -> bytes:
    return t.cast(bytes, thing.public_bytes(serialization.Encoding.DER))


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


@dataclasses.dataclass(frozen=True)
class Authority:
    """A CA: its certificate and key, and what it issues."""

    certificate: x509.Certificate
    key: t.Any

    @property
    def pem(self) -> str:
        return pem(self.certificate)

    @property
    def subject(self) -> x509.Name:
        return self.certificate.subject

    @property
    def sha256(self) -> str:
        return self.certificate.fingerprint(hashes.SHA256()).hex()

    def issue(self, common_name: str = "leaf", **options: t.Any) -> Authority:
        return make_certificate(name(common_name), issuer=self, **options)

    def crl(
        self,
        *,
        revoked: t.Sequence[x509.RevokedCertificate] = (),
        this_update: dt.datetime = NOW - DAY,
        next_update: dt.datetime = NOW + DAY,
        extensions: t.Sequence[tuple[x509.ExtensionType, bool]] = (),
        issuer_name: x509.Name | None = None,
        number: int = 7,
        authority_key: bool = True,
    ) -> bytes:
        builder = x509.CertificateRevocationListBuilder().issuer_name(issuer_name or self.subject)
        builder = builder.last_update(this_update).next_update(next_update).add_extension(x509.CRLNumber(number), False)
        if authority_key:
            identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key())
            builder = builder.add_extension(identifier, False)
        for value, critical in extensions:
            builder = builder.add_extension(value, critical)
        for entry in revoked:
            builder = builder.add_revoked_certificate(entry)
        return der(builder.sign(self.key, hashes.SHA256()))


def make_certificate(
    subject: x509.Name,
    *,
    issuer: Authority | None = None,
    ca: bool = False,
    key: t.Any = None,
    serial: int | None = None,
    not_before: dt.datetime = NOW - 365 * DAY,
    not_after: dt.datetime = NOW + 365 * DAY,
    usage: t.Sequence[str] | None = None,
    extensions: t.Sequence[tuple[x509.ExtensionType, bool]] = (),
    urls: t.Mapping[str, t.Sequence[str]] | None = None,
) -> Authority:
    """A certificate; `urls` maps crl, ocsp and ca_issuers to what it names."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer.subject if issuer else subject)
    builder = builder.public_key(key.public_key()).serial_number(serial or x509.random_serial_number())
    builder = builder.not_valid_before(not_before).not_valid_after(not_after)
    builder = builder.add_extension(x509.BasicConstraints(ca=ca, path_length=None), True)
    builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
    for value, critical in [*extensions, *_url_extensions(urls or {})]:
        builder = builder.add_extension(value, critical)
    if usage is not None:
        builder = builder.add_extension(x509.KeyUsage(**{one: one in usage for one in _USAGE}), True)
    return Authority(builder.sign(issuer.key if issuer else key, hashes.SHA256()), key)


def make_root(common_name: str = "Lab Root", **options: t.Any) -> Authority:
    return make_certificate(name(common_name), ca=True, **options)


def rsa_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


def _url_extensions(urls: t.Mapping[str, t.Sequence[str]]) -> list[tuple[x509.ExtensionType, bool]]:
    found: list[tuple[x509.ExtensionType, bool]] = []
    if urls.get("crl"):
        points = [x509.DistributionPoint([x509.UniformResourceIdentifier(url)], None, None, None) for url in urls["crl"]]
        found.append((x509.CRLDistributionPoints(points), False))
    access = [
        x509.AccessDescription(method, x509.UniformResourceIdentifier(url))
        for kind, method in (
            ("ocsp", AuthorityInformationAccessOID.OCSP),
            ("ca_issuers", AuthorityInformationAccessOID.CA_ISSUERS),
        )
        for url in urls.get(kind, ())
    ]
    if access:
        found.append((x509.AuthorityInformationAccess(access), False))
    return found


def revoked(
    serial: int,
    *,
    reason: x509.ReasonFlags | None = None,
    issuer: x509.Name | None = None,
    extensions: t.Sequence[tuple[x509.ExtensionType, bool]] = (),
) -> x509.RevokedCertificate:
    """An entry of a CRL."""
    builder = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(NOW - 2 * DAY)
    if reason is not None:
        builder = builder.add_extension(x509.CRLReason(reason), False)
    if issuer is not None:
        builder = builder.add_extension(x509.CertificateIssuer([x509.DirectoryName(issuer)]), True)
    for value, critical in extensions:
        builder = builder.add_extension(value, critical)
    return builder.build()


def ocsp_response(
    certificate: x509.Certificate,
    issuer: Authority,
    *,
    status: ocsp.OCSPCertStatus = ocsp.OCSPCertStatus.GOOD,
    this_update: dt.datetime = NOW - HOUR,
    next_update: dt.datetime | None = NOW + DAY,
    reason: x509.ReasonFlags | None = x509.ReasonFlags.key_compromise,
    responder: Authority | None = None,
    send_certificate: bool = True,
    nonce: bytes | None = None,
    algorithm: hashes.HashAlgorithm | None = None,
    extensions: t.Sequence[tuple[x509.ExtensionType, bool]] = (),
) -> bytes:
    """A signed response; without `responder` the issuer signs it itself."""
    is_revoked = status is ocsp.OCSPCertStatus.REVOKED
    signer = responder or issuer
    builder = ocsp.OCSPResponseBuilder().add_response(
        cert=certificate,
        issuer=issuer.certificate,
        algorithm=algorithm or hashes.SHA1(),  # noqa: S303 - what deployed responders use
        cert_status=status,
        this_update=this_update,
        next_update=next_update,
        revocation_time=NOW - 3 * DAY if is_revoked else None,
        revocation_reason=reason if is_revoked else None,
    )
    builder = builder.responder_id(ocsp.OCSPResponderEncoding.HASH, signer.certificate)
    if responder is not None and send_certificate:
        builder = builder.certificates([responder.certificate])
    if nonce is not None:
        builder = builder.add_extension(x509.OCSPNonce(nonce), False)
    for value, critical in extensions:
        builder = builder.add_extension(value, critical)
    return der(builder.sign(signer.key, hashes.SHA256()))


def ocsp_refusal(status: ocsp.OCSPResponseStatus) -> bytes:
    return der(ocsp.OCSPResponseBuilder.build_unsuccessful(status))


def ocsp_responder(issuer: Authority, *, signing: bool = True, no_check: bool = True, **options: t.Any) -> Authority:
    """A certificate for a delegated responder (RFC 6960 4.2.2.2)."""
    extensions: list[tuple[x509.ExtensionType, bool]] = []
    if signing:
        extensions.append((x509.ExtendedKeyUsage([x509.ExtendedKeyUsageOID.OCSP_SIGNING]), False))
    if no_check:
        extensions.append((x509.OCSPNoCheck(), False))
    return issuer.issue("Lab Responder", extensions=extensions, **options)


def unknown_extension(critical: bool = True) -> tuple[x509.ExtensionType, bool]:
    return x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.99999.1"), b"\x05\x00"), critical


def with_unknown_algorithm(data: bytes) -> bytes:
    """The same DER with ecdsa-with-SHA256 (1.2.840.10045.4.3.2) turned into an algorithm nobody knows."""
    known = bytes.fromhex("06082a8648ce3d040302")
    assert known in data
    return data.replace(known, bytes.fromhex("06082a8648ce3d04037f"))


def with_broken_signature(data: bytes) -> bytes:
    return data[:-1] + bytes([data[-1] ^ 1])
