# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""Plan the egress checks: which endpoints to ask from a host, what to send, and what the answers will be judged against."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.mailops.tls.plugins.plugin_utils._judge.revocation.ocsp import OcspQuestion
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.x509 import CertificateRef, same_name
from ansible_collections.mailops.tls.plugins.plugin_utils._plan.egress.check import EgressCheck
from ansible_collections.mailops.tls.plugins.plugin_utils._plan.egress.endpoints import check_url, parse_endpoints, url_key
from ansible_collections.mailops.tls.plugins.plugin_utils._plan.egress.ocsp import (
    HEADERS,
    crl_urls,
    encode,
    get_url,
    question,
    responder_urls,
)
from ansible_collections.mailops.tls.plugins.plugin_utils._plan.egress.pool import Pool, build_pool
from ansible_collections.mailops.tls.plugins.plugin_utils._profiles.model import Endpoint, EndpointKind, Profile

if t.TYPE_CHECKING:
    from cryptography import x509
__all__ = ["EgressCheck", "EgressOptions", "parse_endpoints", "plan_egress"]

_MAX_URLS_PER_CERTIFICATE: t.Final = 16


@dataclasses.dataclass(frozen=True)
class EgressOptions:
    """How the host is to ask. `proxy` is `environment`, `none` or a URL without user information.

    `proxy_authorization` is a key into the probe's secrets; `timeout` is in seconds and for each stage.
    """

    proxy: str = "environment"
    proxy_authorization: str | None = None
    timeout: float = 5.0
    address_family: str = "any"
    each_address: bool = False
    max_bytes: int = 10 * 1024 * 1024


@dataclasses.dataclass(frozen=True)
class _Want:
    """One reason to ask an endpoint: a profile, an option, or a certificate that names it."""

    endpoint: Endpoint
    profile: str | None = None
    expected: tuple[x509.Certificate, ...] = ()
    names: tuple[x509.Name, ...] = ()
    sha256: frozenset[str] = frozenset()
    asked: tuple[CertificateRef, x509.Certificate] | None = None
    # The certificate is the user's or a server's, not one that stands in for others to see whether a responder answers.
    followed: bool = False


def plan_egress(
    profiles: t.Sequence[Profile],
    endpoints: t.Sequence[Endpoint] = (),
    *,
    certificate: str | None = None,
    chain: t.Sequence[bytes] = (),
    issuers: t.Sequence[str] = (),
    options: EgressOptions,
) -> tuple[EgressCheck, ...]:
    """One check per endpoint, however many profiles name it, in the order: profiles, `endpoints`, certificates.

    A responder is asked once per certificate that is followed. `certificate` is PEM and may be a chain, leaf first;
    `chain` is DER as a server presented it. Raises ValueError for PEM that holds no certificate.
    """
    pool = build_pool(profiles, certificate, chain, issuers)
    wants = [_from_endpoint(endpoint, pool, profile.id) for profile in profiles for endpoint in profile.endpoints]
    wants += [_from_endpoint(endpoint, pool, None) for endpoint in endpoints]
    for followed in pool.followed:
        wants += _from_certificate(followed, pool)
    references = pool.references()
    return tuple(_check(index, group, pool, references, options) for index, group in enumerate(_grouped(wants)))


def _from_endpoint(endpoint: Endpoint, pool: Pool, profile: str | None) -> _Want:
    expected = pool.by_id.get(endpoint.issuer, ()) if endpoint.issuer else ()
    asked = None
    if endpoint.kind == "ocsp":
        candidates = [(ref, issuer) for issuer_id, ref, issuer in pool.intermediates if issuer_id == endpoint.issuer]
        # Responders forget certificates that have expired (RFC 5019 2.2.3): ask about the one that lives longest.
        asked = max(candidates, key=lambda pair: pair[0].not_after.timestamp() if pair[0].not_after else 0.0, default=None)
    return _Want(
        endpoint=endpoint,
        profile=profile,
        expected=expected,
        names=tuple(certificate.subject for certificate in expected),
        sha256=pool.sha256_by_id.get(endpoint.issuer, frozenset()) if endpoint.issuer else frozenset(),
        asked=asked,
    )


def _from_certificate(certificate: x509.Certificate, pool: Pool) -> list[_Want]:
    if same_name(certificate.subject, certificate.issuer):
        return []  # A root: nobody revokes it but the one who trusts it.
    issuer = pool.issuer_of(certificate)
    expected = (issuer,) if issuer is not None else ()
    responders, ca_issuers = responder_urls(certificate)
    points = crl_urls(certificate)
    wants = []
    for url in usable_urls([url for url, _names in points]):
        names = tuple(dict.fromkeys(name for point, given in points if point == url for name in given))
        wants.append(_Want(_named("crl", url), expected=expected, names=names, followed=True))
    for url in usable_urls(responders):
        asked = (CertificateRef.of(certificate), issuer) if issuer is not None else None
        wants.append(_Want(_named("ocsp", url), expected=expected, names=(certificate.issuer,), asked=asked, followed=True))
    for url in usable_urls(ca_issuers):
        wants.append(_Want(_named("ca_issuers", url), expected=expected, names=(certificate.issuer,), followed=True))
    return wants


def _named(kind: EndpointKind, url: str) -> Endpoint:
    return Endpoint(kind=kind, url=url)


def usable_urls(urls: t.Sequence[str]) -> list[str]:
    """The http URLs of an extension, or the ldap ones where there are no others, so that the gap is reported, not hidden."""
    web, other = [], []
    for url in dict.fromkeys(urls):
        try:
            web.append(check_url(url, "url"))
        except ValueError:
            if url.lower().startswith(("ldap:", "ldaps:")) and url.isprintable() and len(url) <= 2000:
                other.append(url)
    return (web or other)[:_MAX_URLS_PER_CERTIFICATE]


def _grouped(wants: t.Sequence[_Want]) -> list[list[_Want]]:
    """Wants that one request answers. Two certificates of one responder are two questions, so two requests."""
    groups: dict[tuple[t.Any, ...], list[_Want]] = {}
    extra: dict[tuple[t.Any, ...], list[_Want]] = {}
    for want in wants:
        key = _place(want.endpoint)
        group = groups.setdefault(key, [])
        other = next((w for w in group if w.followed and w.asked), None)
        if want.followed and want.asked and other is not None and other.asked is not None:
            reference = want.asked[0]
            if (reference.serial, reference.issuer) != (other.asked[0].serial, other.asked[0].issuer):
                extra.setdefault((*key, reference.serial, reference.issuer), []).append(want)
                continue
        group.append(want)
    return [*groups.values(), *extra.values()]


def _place(endpoint: Endpoint) -> tuple[t.Any, ...]:
    if endpoint.url is not None:
        return endpoint.kind, url_key(endpoint.url)
    return endpoint.kind, (endpoint.host or "").lower(), endpoint.port


def _check(
    index: int, group: t.Sequence[_Want], pool: Pool, references: tuple[CertificateRef, ...], options: EgressOptions
) -> EgressCheck:
    endpoint = next((want.endpoint for want in group if want.endpoint.issuer), group[0].endpoint)
    asked: OcspQuestion | None = None
    if endpoint.kind == "ocsp" and endpoint.url is not None:
        # What the user's certificate needs to know comes before what profiles would ask.
        best = sorted((want for want in group if want.asked), key=lambda want: not want.followed)
        asked = question(*best[0].asked) if best and best[0].asked else question(None, None)
    request = _request(f"egress:{index}", endpoint, asked, options)
    return EgressCheck(
        request=request,
        by_get=_by_get(request, endpoint, asked),
        endpoint=endpoint,
        profiles=tuple(dict.fromkeys(want.profile for want in group if want.profile is not None)),
        known=pool.known,
        expected=tuple(dict.fromkeys(certificate for want in group for certificate in want.expected)),
        expected_names=tuple(dict.fromkeys(name for want in group for name in want.names)),
        expected_sha256=frozenset().union(*(want.sha256 for want in group)),
        certificates=references if endpoint.kind == "crl" else (),
        question=asked,
    )


def _by_get(request: dict[str, t.Any], endpoint: Endpoint, asked: OcspQuestion | None) -> dict[str, t.Any] | None:
    url = get_url(endpoint.url, asked) if endpoint.url is not None and asked is not None else None
    if url is None:
        return None
    return {**request, "id": f"{request['id']}:get", "url": url, "method": "GET", "body": None, "headers": {}}


def _request(request_id: str, endpoint: Endpoint, asked: OcspQuestion | None, options: EgressOptions) -> dict[str, t.Any]:
    """The probe's request, every option spelled out (docs/observations.md)."""
    common = {
        "id": request_id,
        "timeout": options.timeout,
        "family": options.address_family,
        "each_address": options.each_address,
        "proxy": options.proxy,
        "proxy_authorization": options.proxy_authorization,
    }
    if endpoint.url is None:
        return {**common, "op": "connect", "host": endpoint.host, "port": endpoint.port}
    return {
        **common,
        "op": "fetch",
        "url": endpoint.url,
        "method": "POST" if asked else "GET",
        "body": encode(asked) if asked else None,
        "headers": dict(HEADERS) if asked else {},
        "max_bytes": options.max_bytes,
        "max_redirects": 5,
        "ca_path": None,
    }
