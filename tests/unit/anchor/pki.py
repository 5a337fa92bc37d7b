# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Roots and a server certificate of a lab's own, made by cryptography."""

from __future__ import annotations

import dataclasses
import datetime as dt
import functools
import hashlib
import ipaddress
import ssl

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID, NameOID

_NOW = dt.datetime.now(dt.timezone.utc).replace(microsecond=0)


@dataclasses.dataclass(frozen=True)
class Certificate:
    """A certificate with its key."""

    x509: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def der(self) -> bytes:
        return self.x509.public_bytes(serialization.Encoding.DER)

    @property
    def pem(self) -> str:
        return ssl.DER_cert_to_PEM_cert(self.der)

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.der).hexdigest()

    @property
    def key_pem(self) -> str:
        return self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ).decode()


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Lab"), x509.NameAttribute(NameOID.COMMON_NAME, common)])


@functools.cache
def root(common: str = "Lab Root", number: int = 1, days: int = 3650, *, identifier: bool = True, ca: bool = True) -> Certificate:
    """A self-signed root. Two numbers are two certificates of the same name, of two keys. Negative days: it has expired.

    identifier: whether it says which of the keys of its name it has. ca: whether it may issue certificates at all.
    """
    return _self_signed(common, number, days, ec.generate_private_key(ec.SECP256R1()), identifier=identifier, ca=ca)


def recertified(certificate: Certificate, number: int) -> Certificate:
    """Another certificate of the same name and key."""
    common = certificate.x509.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value
    return _self_signed(str(common), number, 3650, certificate.key, identifier=True, ca=True)


def _self_signed(
    common: str, number: int, days: int, key: ec.EllipticCurvePrivateKey, *, identifier: bool, ca: bool
) -> Certificate:
    begin, end = sorted((_NOW - dt.timedelta(days=30 if days > 0 else 4000), _NOW + dt.timedelta(days=days)))
    builder = x509.CertificateBuilder().subject_name(_name(common)).issuer_name(_name(common)).public_key(key.public_key())
    builder = builder.serial_number(number).not_valid_before(begin).not_valid_after(end)
    builder = builder.add_extension(x509.BasicConstraints(ca, None), critical=True)
    if ca:
        usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
        builder = builder.add_extension(usage, critical=True)
    if identifier:
        builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    return Certificate(builder.sign(key, hashes.SHA256()), key)


def server(issuer: Certificate) -> Certificate:
    """A certificate for localhost and 127.0.0.1. It names the key of its issuer where that does."""
    key = ec.generate_private_key(ec.SECP256R1())
    builder = x509.CertificateBuilder().subject_name(_name("localhost")).issuer_name(issuer.x509.subject)
    builder = builder.public_key(key.public_key()).serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(_NOW - dt.timedelta(days=1)).not_valid_after(_NOW + dt.timedelta(days=90))
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
    if any(extension.oid == ExtensionOID.SUBJECT_KEY_IDENTIFIER for extension in issuer.x509.extensions):
        authority = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.key.public_key())
        builder = builder.add_extension(authority, critical=False)
    return Certificate(builder.sign(issuer.key, hashes.SHA256()), key)
