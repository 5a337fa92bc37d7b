# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""Every CA certificate at hand, from profiles and options, and the certificates whose revocation is in question."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.mailops.tls.plugins.plugin_utils._judge.x509 import (
    CertificateRef,
    find_issuers,
    issued_by,
    load_certificate,
    load_pem_certificates,
    same_name,
    sha256,
)
from ansible_collections.mailops.tls.plugins.plugin_utils._profiles.model import Intermediate, Profile, Root

if t.TYPE_CHECKING:
    from cryptography import x509
MAX_CHAIN: t.Final = 20
_MAX_PEM: t.Final = 1 << 20


@dataclasses.dataclass(frozen=True)
class Pool:
    """`known` are CA certificates, each once; `followed` those whose endpoints are followed, leaf first."""

    known: tuple[x509.Certificate, ...]
    followed: tuple[x509.Certificate, ...]
    by_id: dict[str, tuple[x509.Certificate, ...]]
    sha256_by_id: dict[str, frozenset[str]]
    intermediates: tuple[tuple[str, CertificateRef, x509.Certificate], ...]

    def issuer_of(self, certificate: x509.Certificate) -> x509.Certificate | None:
        """The certificate of its issuer, proven by the signature."""
        for candidate in find_issuers(certificate.issuer, self.known):
            if issued_by(certificate, candidate):
                return candidate
        return None

    def references(self) -> tuple[CertificateRef, ...]:
        """The certificates to look up in CRLs: those followed, then the profiles' intermediates."""
        found = [CertificateRef.of(certificate) for certificate in self.followed]
        seen = {(ref.serial, ref.issuer) for ref in found}
        for _issuer_id, ref, _issuer in self.intermediates:
            if (ref.serial, ref.issuer) not in seen:
                seen.add((ref.serial, ref.issuer))
                found.append(ref)
        return tuple(found)


def build_pool(
    profiles: t.Sequence[Profile], certificate: str | None, chain: t.Sequence[bytes], issuers: t.Sequence[str]
) -> Pool:
    """Read everything once. Raises ValueError for the user's PEM without a certificate; bad DER off the wire is skipped."""
    followed = followed_certificates(certificate, chain)
    given = [item for index, pem in enumerate(issuers) for item in _user_pem(pem, f"issuers[{index}]")]
    authorities: list[Root | Intermediate] = []
    for profile in profiles:
        authorities += [*profile.roots, *profile.intermediates]
    by_id: dict[str, tuple[x509.Certificate, ...]] = {}
    fingerprints: dict[str, frozenset[str]] = {}
    for authority in authorities:
        loaded = load_pem_certificates(authority.pem.encode()) if authority.pem else ()
        by_id[authority.id] = tuple(dict.fromkeys((*by_id.get(authority.id, ()), *loaded)))
        fingerprints[authority.id] = fingerprints.get(authority.id, frozenset()) | (
            {authority.sha256} if authority.sha256 else set()
        )
    every = [*(item for items in by_id.values() for item in items), *given, *followed]
    return Pool(
        known=tuple({sha256(item): item for item in every}.values()),
        followed=followed,
        by_id=by_id,
        sha256_by_id=fingerprints,
        intermediates=_questions(profiles, by_id),
    )


def followed_certificates(certificate: str | None, chain: t.Sequence[bytes]) -> tuple[x509.Certificate, ...]:
    """The certificates whose endpoints are followed, each once: the user's PEM, then DER off the wire. Raises as build_pool."""
    found = [*_user_pem(certificate, "certificate")] if certificate is not None else []
    found += [item for item in (load_certificate(der) for der in chain[:MAX_CHAIN]) if item is not None]
    return tuple({sha256(item): item for item in found}.values())


def _questions(
    profiles: t.Sequence[Profile], by_id: dict[str, tuple[x509.Certificate, ...]]
) -> tuple[tuple[str, CertificateRef, x509.Certificate], ...]:
    """(issuer's id, certificate, issuer's certificate) of every intermediate that can be asked about."""
    found = []
    for intermediate in (item for profile in profiles for item in profile.intermediates):
        issuers = by_id.get(intermediate.issuer, ())
        own = load_pem_certificates(intermediate.pem.encode()) if intermediate.pem else ()
        if own:
            issuer = next((item for item in issuers if same_name(item.subject, own[0].issuer)), None)
            reference: CertificateRef | None = CertificateRef.of(own[0])
        else:
            issuer = issuers[0] if issuers else None
            reference = _from_facts(intermediate, issuer)
        if issuer is not None and reference is not None:
            found.append((intermediate.issuer, reference, issuer))
    return tuple(found)


def _from_facts(intermediate: Intermediate, issuer: x509.Certificate | None) -> CertificateRef | None:
    if issuer is None or not intermediate.serial:
        return None
    return CertificateRef(intermediate.name, int(intermediate.serial, 16), issuer.subject, intermediate.not_after)


def _user_pem(text: t.Any, place: str) -> tuple[x509.Certificate, ...]:
    if not isinstance(text, str) or len(text) > _MAX_PEM:
        raise ValueError(f"{place}: must be PEM text of at most {_MAX_PEM} characters")
    if "PRIVATE KEY-----" in text:
        raise ValueError(f"{place}: holds a private key; give the certificate alone, and treat the key as disclosed")
    found = load_pem_certificates(text.encode("utf-8", "replace"))
    if not found:
        raise ValueError(f"{place}: holds no certificate in PEM that can be read")
    if len(found) < text.count("-----BEGIN "):
        raise ValueError(f"{place}: holds a block that is no readable certificate")
    return found
