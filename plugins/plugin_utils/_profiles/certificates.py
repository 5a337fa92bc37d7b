# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""Certificates given as PEM by users and by the catalogue: one at a time, checked against what is said of them."""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
import re
import ssl
import typing as t
import warnings

from ansible_collections.mailops.tls.plugins.plugin_utils._profiles.fields import Place, canonical_serial

try:
    from cryptography import x509
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric import dsa, ec, rsa
except ImportError:  # only in ansible-test's import check: ansible-core itself requires cryptography
    HAS_CRYPTOGRAPHY = False
else:
    HAS_CRYPTOGRAPHY = True
MAX_PEM: t.Final = 65536

_CURVES: t.Final = {"secp256r1": "P-256", "secp384r1": "P-384", "secp521r1": "P-521"}
_BLOCK = re.compile(r"-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]*-----END CERTIFICATE-----")


@dataclasses.dataclass(frozen=True)
class CertificateData:
    """What a certificate says of itself, in the notation of the catalogue."""

    der: bytes
    pem: str
    subject: str
    sha256: str
    sha1: str
    serial: str
    key: str
    not_before: dt.datetime
    not_after: dt.datetime


def read_pem(value: t.Any, at: Place) -> CertificateData:
    """Exactly one CERTIFICATE block. Raises ProfileError otherwise, and for private keys, which do not belong here."""
    if not isinstance(value, str) or len(value) > MAX_PEM:
        raise at.refuse(f"must be PEM text of at most {MAX_PEM} characters")
    if "PRIVATE KEY" in value:
        raise at.refuse("holds a private key; give the certificate alone, and treat the key as disclosed")
    blocks = _BLOCK.findall(value)
    if len(blocks) != 1 or value.count("-----BEGIN") != 1:
        raise at.refuse(f"must hold exactly one CERTIFICATE block, not {value.count('-----BEGIN')} PEM blocks")
    try:
        der = ssl.PEM_cert_to_DER_cert(blocks[0])
        certificate = load_der(der)
        return _describe(certificate, der)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise at.refuse(f"is not a certificate: {' '.join(str(error).split())[:120]}") from None


def load_der(der: bytes) -> x509.Certificate:
    """Parse DER. Old roots with odd serial numbers make cryptography warn; that is no news to the user. Raises ValueError."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return x509.load_der_x509_certificate(der)
        except x509.InvalidVersion as error:
            raise ValueError(str(error)) from None


def pem_to_der(pem: str) -> bytes:
    """DER of a PEM that has been read before."""
    return ssl.PEM_cert_to_DER_cert(pem)


def signed_by(certificate: CertificateData, issuer: CertificateData) -> bool | None:
    """Whether the issuer's key and name are behind the certificate; None where the algorithm is not supported here."""
    try:
        load_der(certificate.der).verify_directly_issued_by(load_der(issuer.der))
    except (InvalidSignature, ValueError, TypeError):
        return False
    except (UnsupportedAlgorithm, AttributeError):  # AttributeError: cryptography before 40
        return None
    return True


def validity(certificate: x509.Certificate) -> tuple[dt.datetime, dt.datetime]:
    """notBefore and notAfter in UTC, with cryptography before 42 too. Raises ValueError for a time that cannot be."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if hasattr(certificate, "not_valid_before_utc"):
            return certificate.not_valid_before_utc, certificate.not_valid_after_utc
        utc = dt.timezone.utc
        return certificate.not_valid_before.replace(tzinfo=utc), certificate.not_valid_after.replace(tzinfo=utc)


def _describe(certificate: x509.Certificate, der: bytes) -> CertificateData:
    not_before, not_after = validity(certificate)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return CertificateData(
            der=der,
            pem=ssl.DER_cert_to_PEM_cert(der),
            subject=_display_name(certificate.subject),
            sha256=hashlib.sha256(der).hexdigest(),
            sha1=hashlib.sha1(der, usedforsecurity=False).hexdigest(),
            serial=canonical_serial(max(certificate.serial_number, 0)),
            key=_key(certificate),
            not_before=not_before,
            not_after=not_after,
        )


def _display_name(name: x509.Name) -> str:
    common = name.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    shown = str(common[0].value) if common else name.rfc4514_string()
    printable = "".join(character if character.isprintable() else "?" for character in shown)
    return printable[:200].strip() or "(no name)"


def _key(certificate: x509.Certificate) -> str:
    key = certificate.public_key()
    if isinstance(key, rsa.RSAPublicKey):
        return f"RSA {key.key_size}"
    if isinstance(key, ec.EllipticCurvePublicKey):
        return f"EC {_CURVES.get(key.curve.name, key.curve.name)}"
    if isinstance(key, dsa.DSAPublicKey):
        return f"DSA {key.key_size}"
    return type(key).__name__.strip("_").removesuffix("PublicKey")
