# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""What a certificate says about itself, as facts without a verdict."""

from __future__ import annotations

import dataclasses
import datetime as dt
import typing as t

from ansible_collections.mailops.tls.plugins.plugin_utils._judge.x509 import (
    PARSE_ERRORS,
    clean,
    extension,
    extensions_of,
    issued_by,
    moment,
    same_name,
)

try:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import ec, rsa
except ImportError:  # only in ansible-test's import check: ansible-core itself requires cryptography
    pass

# CA/Browser Forum, Baseline Requirements 7.1.6.1: a public TLS certificate carries exactly one of these policies.
PUBLIC_POLICIES: t.Final = frozenset({"2.23.140.1.1", "2.23.140.1.2.1", "2.23.140.1.2.2", "2.23.140.1.2.3"})
SERVER_AUTH: t.Final = "1.3.6.1.5.5.7.3.1"
CLIENT_AUTH: t.Final = "1.3.6.1.5.5.7.3.2"
ANY_USAGE: t.Final = "2.5.29.37.0"


@dataclasses.dataclass(frozen=True)
class Facts:
    """Times are aware UTC, `key_size` is in bits, `usages` are dotted OIDs, None where there is no such extension.

    `public`: whether it carries a policy of the CA/Browser Forum, which is what it says of itself and no proof.
    """

    not_before: dt.datetime | None
    not_after: dt.datetime | None
    key: str | None
    key_size: int | None
    hash: str | None
    usages: tuple[str, ...] | None
    public: bool | None
    self_signed: bool
    scts: int

    def may(self, usage: str) -> bool:
        """Whether the extended key usage allows it (RFC 5280 4.2.1.12: no extension, no restriction)."""
        return self.usages is None or usage in self.usages or ANY_USAGE in self.usages


def facts_of(certificate: x509.Certificate) -> Facts:
    """Read everything once. What cannot be read is None."""
    extensions = extensions_of(certificate)
    usage = extension(extensions or (), x509.ExtendedKeyUsage)
    timestamps = extension(extensions or (), x509.PrecertificateSignedCertificateTimestamps)
    self_signed = same_name(certificate.issuer, certificate.subject) and bool(issued_by(certificate, certificate))
    key, size = _key(certificate)
    return Facts(
        not_before=moment(certificate, "not_valid_before"),
        not_after=moment(certificate, "not_valid_after"),
        key=key,
        key_size=size,
        hash=_hash(certificate),
        usages=None if usage is None else tuple(sorted(item.dotted_string for item in usage)),
        public=None if extensions is None else not self_signed and _is_public(extensions),
        self_signed=self_signed,
        scts=len(list(timestamps)) if timestamps else 0,
    )


def _is_public(extensions: x509.Extensions) -> bool:
    policies = extension(extensions, x509.CertificatePolicies) or ()
    return any(policy.policy_identifier.dotted_string in PUBLIC_POLICIES for policy in policies)


def _key(certificate: x509.Certificate) -> tuple[str | None, int | None]:
    try:
        key = certificate.public_key()
    except PARSE_ERRORS:
        return None, None
    if isinstance(key, rsa.RSAPublicKey):
        return "RSA", key.key_size
    if isinstance(key, ec.EllipticCurvePublicKey):
        return "EC", key.key_size
    return clean(type(key).__name__.strip("_").removesuffix("PublicKey")), None


def _hash(certificate: x509.Certificate) -> str | None:
    try:
        algorithm = certificate.signature_hash_algorithm
    except PARSE_ERRORS:
        return None
    return algorithm.name if algorithm else None
