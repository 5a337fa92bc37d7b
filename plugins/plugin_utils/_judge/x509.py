# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""Certificates as judges need them: read from hostile bytes, named, compared and verified. Nothing here raises on bad input."""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
import re
import typing as t
import warnings

try:
    from cryptography import x509
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, padding, rsa
    from cryptography.hazmat.primitives.serialization import pkcs7
except ImportError:  # only in ansible-test's import check: ansible-core itself requires cryptography
    _OWN_ERRORS: tuple[type[Exception], ...] = ()
else:
    _OWN_ERRORS = (UnsupportedAlgorithm, x509.DuplicateExtension, x509.InvalidVersion, x509.UnsupportedGeneralNameType)

# What cryptography raises on bytes that are not what they should be. Its parser is lazy, so any attribute can raise them.
PARSE_ERRORS: t.Final[tuple[type[Exception], ...]] = (
    ValueError,
    TypeError,
    OverflowError,
    LookupError,
    NotImplementedError,
    *_OWN_ERRORS,
)

_PEM = re.compile(rb"-----BEGIN (CERTIFICATE|X509 CERTIFICATE|TRUSTED CERTIFICATE)-----[A-Za-z0-9+/=\s]*-----END \1-----")
_MAX_CERTIFICATES = 100


@dataclasses.dataclass(frozen=True)
class CertificateRef:
    """A certificate whose revocation is in question. The serial number and the issuer's name identify it (RFC 5280 4.1.2.2).

    `ca` and `points` (its CRL distribution points) tell which CRLs speak of it; None where the certificate is not at hand.
    """

    label: str
    serial: int
    issuer: x509.Name
    not_after: dt.datetime | None = None
    ca: bool | None = dataclasses.field(default=None, compare=False)
    points: tuple[x509.DistributionPoint, ...] | None = dataclasses.field(default=None, compare=False)

    @classmethod
    def of(cls, certificate: x509.Certificate) -> CertificateRef:
        extensions = extensions_of(certificate)
        constraints = extension(extensions or (), x509.BasicConstraints)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of negative serial numbers, which some CAs did issue
            serial = certificate.serial_number
        return cls(
            label=name_text(certificate.subject),
            serial=serial,
            issuer=certificate.issuer,
            not_after=moment(certificate, "not_valid_after"),
            ca=None if extensions is None else bool(constraints and constraints.ca),
            points=None if extensions is None else tuple(extension(extensions, x509.CRLDistributionPoints) or ()),
        )


def clean(text: t.Any, limit: int = 200) -> str:
    """Foreign text as one printable line of at most `limit` characters; control and direction marks become spaces."""
    line = " ".join("".join(c if c.isprintable() else " " for c in str(text)[: limit * 4]).split())
    return line if len(line) <= limit else line[: limit - 3] + "..."


def name_text(name: x509.Name) -> str:
    """A distinguished name for people: RFC 4514, most specific part first, printable and cut."""
    try:
        return clean(name.rfc4514_string()) or "(empty name)"
    except PARSE_ERRORS:
        return "(unreadable name)"


def same_name(one: x509.Name, other: x509.Name) -> bool:
    """Compare names as RFC 5280 7.1 demands: case and runs of white space make no difference."""
    return one == other or _canonical(one) == _canonical(other)


def _canonical(name: x509.Name) -> list[frozenset[tuple[str, t.Any]]]:
    return [
        frozenset(
            (a.oid.dotted_string, " ".join(a.value.split()).casefold() if isinstance(a.value, str) else a.value) for a in rdn
        )
        for rdn in name.rdns
    ]


def moment(thing: t.Any, attribute: str) -> dt.datetime | None:
    """A time of a parsed object as aware UTC, or None. cryptography has the `_utc` names since 42 (OCSP: 43)."""
    name = f"{attribute}_utc"
    if hasattr(type(thing), name):
        return t.cast("dt.datetime | None", getattr(thing, name))
    value: dt.datetime | None = getattr(thing, attribute)
    return value.replace(tzinfo=dt.timezone.utc) if value else None


def iso(value: dt.datetime | None) -> str | None:
    """ISO 8601 with a Z, to the second."""
    return value.strftime("%Y-%m-%dT%H:%M:%SZ") if value else None


def load_certificate(der: bytes) -> x509.Certificate | None:
    """One certificate from DER, or None. Names are read once, so that later use cannot raise."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Old roots with odd serial numbers make cryptography warn.
        try:
            certificate = x509.load_der_x509_certificate(der)
            _parsed = (certificate.subject, certificate.issuer, certificate.serial_number, moment(certificate, "not_valid_after"))
        except PARSE_ERRORS:
            return None
    return certificate


def load_pem_certificates(text: bytes) -> tuple[x509.Certificate, ...]:
    """Every readable certificate of PEM text, in order, at most a hundred."""
    found = []
    for match in _PEM.finditer(text):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                certificate = load_certificate(
                    x509.load_pem_x509_certificate(match.group()).public_bytes(serialization.Encoding.DER)
                )
            except PARSE_ERRORS:
                continue
        if certificate is not None:
            found.append(certificate)
        if len(found) == _MAX_CERTIFICATES:
            break
    return tuple(found)


def load_certificates(data: bytes) -> tuple[tuple[x509.Certificate, ...], str | None]:
    """Certificates in what a CA issuers URL serves, with the encoding found: der, pem, pkcs7 or None.

    RFC 5280 4.2.2.1 allows one DER certificate or a certs-only CMS message (PKCS #7); PEM is common all the same.
    """
    single = load_certificate(data)
    if single is not None:
        return (single,), "der"
    several = load_pem_certificates(data)
    if several:
        return several, "pem"
    load = pkcs7.load_pem_pkcs7_certificates if b"-----BEGIN PKCS7-----" in data[:4096] else pkcs7.load_der_pkcs7_certificates
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            loaded = [load_certificate(c.public_bytes(serialization.Encoding.DER)) for c in load(data)[:_MAX_CERTIFICATES]]
        except PARSE_ERRORS:
            return (), None
    usable = tuple(c for c in loaded if c is not None)
    return usable, "pkcs7" if usable else None


def sha256(certificate: x509.Certificate) -> str:
    """SHA-256 of the DER, in lower-case hexadecimal."""
    return certificate.fingerprint(hashes.SHA256()).hex()


def public_key_bytes(certificate: x509.Certificate) -> bytes | None:
    """The subject public key as it stands in the certificate, for comparing keys; None where it is of an unknown kind."""
    try:
        return certificate.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    except PARSE_ERRORS:
        return None


def key_hash(certificate: x509.Certificate, algorithm: str) -> bytes | None:
    """The issuerKeyHash of RFC 6960 4.1.1: over the key's bits alone, without tag, length and unused bits."""
    try:
        key = certificate.public_key()
        if algorithm == "sha1":
            return x509.SubjectKeyIdentifier.from_public_key(key).digest
        return hashlib.new(algorithm, _key_bits(key)).digest()
    except PARSE_ERRORS:
        return None


def _key_bits(key: t.Any) -> bytes:
    if isinstance(key, rsa.RSAPublicKey):
        return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.PKCS1)
    if isinstance(key, ec.EllipticCurvePublicKey):
        return key.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
    if isinstance(key, (ed25519.Ed25519PublicKey, ed448.Ed448PublicKey)):
        return key.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    raise UnsupportedAlgorithm("this kind of key has no plain form here")


def name_hash(name: x509.Name, algorithm: str) -> bytes | None:
    """The issuerNameHash of RFC 6960 4.1.1: over the DER of the name."""
    try:
        return hashlib.new(algorithm, name.public_bytes()).digest()
    except PARSE_ERRORS:
        return None


def issued_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool | None:
    """Whether the issuer's key signed the certificate and the names chain; None where the algorithm is not supported here."""
    if not same_name(certificate.issuer, issuer.subject):
        return False
    try:
        algorithm = certificate.signature_hash_algorithm
        parameters = certificate.signature_algorithm_parameters
        return verify(issuer, certificate.signature, certificate.tbs_certificate_bytes, algorithm, parameters)
    except UnsupportedAlgorithm:
        return None
    except PARSE_ERRORS:
        return False


def verify(
    signer: x509.Certificate, signature: bytes, data: bytes, algorithm: hashes.HashAlgorithm | None, parameters: t.Any = None
) -> bool | None:
    """Verify a signature with the signer's key; None where the kind of key or algorithm is not supported here."""
    try:
        key = signer.public_key()
        if isinstance(key, rsa.RSAPublicKey) and algorithm is not None:
            scheme = parameters if isinstance(parameters, padding.PSS) else padding.PKCS1v15()
            key.verify(signature, data, scheme, algorithm)
        elif isinstance(key, ec.EllipticCurvePublicKey) and algorithm is not None:
            key.verify(signature, data, ec.ECDSA(algorithm))
        elif isinstance(key, dsa.DSAPublicKey) and algorithm is not None:
            key.verify(signature, data, algorithm)
        elif isinstance(key, (ed25519.Ed25519PublicKey, ed448.Ed448PublicKey)):
            key.verify(signature, data)
        else:
            return None
    except InvalidSignature:
        return False
    except UnsupportedAlgorithm:
        return None
    except PARSE_ERRORS:
        return False
    return True


def extension(extensions: t.Iterable[x509.Extension[t.Any]], kind: type[t.Any]) -> t.Any:
    """The value of an extension, or None."""
    return next((item.value for item in extensions if isinstance(item.value, kind)), None)


def extensions_of(thing: t.Any) -> x509.Extensions | None:
    """The extensions of a parsed object; None where they cannot be parsed."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return t.cast(x509.Extensions, thing.extensions)
        except PARSE_ERRORS:
            return None


def find_issuers(name: x509.Name, pool: t.Iterable[x509.Certificate]) -> tuple[x509.Certificate, ...]:
    """Certificates of the pool that carry the name. There can be several: renewed keys, cross-certificates, look-alikes."""
    return tuple(certificate for certificate in pool if same_name(certificate.subject, name))
