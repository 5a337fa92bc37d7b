# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Certificates of the stand-in: a CA of its own, its server's, and that of an app."""

from __future__ import annotations

import datetime as dt
import ipaddress
import pathlib
import ssl
import typing as t

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from tests.lab.pki import Issued

_LIFETIME = dt.timedelta(days=30)


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _builder(common_name: str, issuer: str, key: rsa.RSAPrivateKey) -> x509.CertificateBuilder:
    now = dt.datetime.now(dt.timezone.utc).replace(microsecond=0)
    return (
        x509.CertificateBuilder()
        .subject_name(_name(common_name))
        .issuer_name(_name(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + _LIFETIME)
    )


def self_signed(common_name: str, *, ca: bool = False) -> Issued:
    """What `openssl req -x509` makes: a CA, or the certificate that is uploaded to an app registration."""
    key = rsa.generate_private_key(65537, 2048)
    builder = _builder(common_name, common_name, key)
    if ca:
        usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
        builder = builder.add_extension(x509.BasicConstraints(True, None), critical=True).add_extension(usage, critical=True)
        builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    return Issued(builder.sign(key, hashes.SHA256()), key)


def server_context(directory: pathlib.Path) -> tuple[ssl.SSLContext, pathlib.Path]:
    """A TLS context for localhost, and the path of the CA that vouches for it. Files are kept in `directory`."""
    authority = self_signed("Stand-in CA", ca=True)
    ca_path = directory / "ca.pem"
    ca_path.write_text(authority.pem)
    key = rsa.generate_private_key(65537, 2048)
    names: list[t.Any] = [x509.DNSName("localhost")]
    names += [x509.IPAddress(ipaddress.ip_address(address)) for address in ("127.0.0.1", "::1")]
    builder = _builder("localhost", "Stand-in CA", key)
    builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    builder = builder.add_extension(x509.BasicConstraints(False, None), critical=True)
    identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key())
    certificate = builder.add_extension(identifier, critical=False).sign(authority.key, hashes.SHA256())
    chain = directory / "server.pem"
    chain.touch(mode=0o600)
    chain.write_text(Issued(certificate, key).pem + Issued(certificate, key).key_pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain)
    return context, ca_path


def load_certificate(pem: str) -> x509.Certificate:
    """The first certificate of a PEM text."""
    return x509.load_pem_x509_certificate(pem.encode())
