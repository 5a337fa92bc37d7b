# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""OCSP requests: what to ask a responder, encoded (RFC 6960 4.1, appendix A)."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import secrets
import typing as t
import urllib.parse

from ansible_collections.mailops.tls.plugins.plugin_utils._judge.revocation.ocsp import OcspQuestion
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.x509 import (
    CertificateRef,
    extension,
    extensions_of,
    key_hash,
    name_hash,
)

try:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.x509 import ocsp
    from cryptography.x509.oid import AuthorityInformationAccessOID
except ImportError:  # only in ansible-test's import check: ansible-core itself requires cryptography
    pass
HEADERS: t.Final = {"Content-Type": "application/ocsp-request", "Accept": "application/ocsp-response"}
# RFC 9654 2.1: at least 32 octets from clients; RFC 8954 responders accept up to 32.
_NONCE_BYTES: t.Final = 32
_MAX_GET_BYTES: t.Final = 255
# Nobody's issuer. With a real issuer and a serial number it never gave out, a CA would have to suspect a misissuance
# (Baseline Requirements 4.9.10: responders watch for requests for unused serial numbers).
_NOBODY: t.Final = hashlib.sha1(b"mailops.tls: is there an OCSP responder?", usedforsecurity=False).digest()


def question(certificate: CertificateRef | None, issuer: x509.Certificate | None) -> OcspQuestion:
    """A question with a fresh nonce; about nobody's certificate where nothing is known to ask about."""
    if certificate is not None and issuer is not None:
        # OpenSSL refuses serial numbers over 159 bits in requests, and negative ones exist; RFC 5280 4.1.2.2 forbids both.
        askable = certificate.serial > 0 and certificate.serial.bit_length() <= 159 and key_hash(issuer, "sha1") is not None
        if askable:
            return OcspQuestion(certificate, issuer, secrets.token_bytes(_NONCE_BYTES))
    return OcspQuestion()


def get_url(url: str, asked: OcspQuestion) -> str | None:
    """The URL that asks by GET (RFC 6960 A.1), or None where that is not for this question.

    Without the nonce, so that caches can answer, and only where it is short: RFC 5019 section 5 has clients use GET for
    requests of at most 255 bytes in all.
    """
    if asked.certificate is None or "?" in url:
        return None
    plain = dataclasses.replace(asked, nonce=None)
    whole = f"{url.rstrip('/')}/{urllib.parse.quote(encode(plain), safe='')}"
    return whole if len(whole) <= _MAX_GET_BYTES else None


def encode(asked: OcspQuestion) -> str:
    """The request in base64 of DER. CertIDs are SHA-1, which is all that responders of RFC 5019 know."""
    name, key, serial = _NOBODY, _NOBODY, 1
    if asked.certificate is not None and asked.issuer is not None:
        name = name_hash(asked.issuer.subject, "sha1") or _NOBODY
        key = key_hash(asked.issuer, "sha1") or _NOBODY
        serial = asked.certificate.serial
    builder = ocsp.OCSPRequestBuilder().add_certificate_by_hash(name, key, serial, hashes.SHA1())  # noqa: S303 - identifies, protects nothing
    if asked.nonce:
        builder = builder.add_extension(x509.OCSPNonce(asked.nonce), critical=False)
    return base64.b64encode(builder.build().public_bytes(serialization.Encoding.DER)).decode("ascii")


def responder_urls(certificate: x509.Certificate) -> tuple[list[str], list[str]]:
    """The (OCSP, CA issuers) URLs of a certificate's authority information access (RFC 5280 4.2.2.1)."""
    access = extension(extensions_of(certificate) or (), x509.AuthorityInformationAccess) or ()
    found: dict[x509.ObjectIdentifier, list[str]] = {
        AuthorityInformationAccessOID.OCSP: [],
        AuthorityInformationAccessOID.CA_ISSUERS: [],
    }
    for description in access:
        location = description.access_location
        if description.access_method in found and isinstance(location, x509.UniformResourceIdentifier):
            found[description.access_method].append(location.value)
    return found[AuthorityInformationAccessOID.OCSP], found[AuthorityInformationAccessOID.CA_ISSUERS]


def crl_urls(certificate: x509.Certificate) -> list[tuple[str, tuple[x509.Name, ...]]]:
    """The CRL URLs of a certificate, each with the names its CRL may be issued by (RFC 5280 4.2.1.13)."""
    points = extension(extensions_of(certificate) or (), x509.CRLDistributionPoints) or ()
    found = []
    for point in points:
        # cRLIssuer names the signer of an indirect CRL; without it, it is the certificate's own issuer.
        names = tuple(item.value for item in point.crl_issuer or () if isinstance(item, x509.DirectoryName))
        for location in point.full_name or ():
            if isinstance(location, x509.UniformResourceIdentifier):
                found.append((location.value, names or (certificate.issuer,)))
    return found
