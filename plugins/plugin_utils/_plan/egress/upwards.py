# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""Following a chain upwards: fetching the issuers that it lacks from the URLs that its certificates name (RFC 5280 4.2.2.1)."""

from __future__ import annotations

import typing as t

from ansible_collections.mailops.tls.plugins.plugin_utils._judge.egress.answer import answers_by_id
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.x509 import issued_by, load_certificates, same_name, sha256
from ansible_collections.mailops.tls.plugins.plugin_utils._plan.egress.checks import EgressOptions, usable_urls
from ansible_collections.mailops.tls.plugins.plugin_utils._plan.egress.ocsp import responder_urls
from ansible_collections.mailops.tls.plugins.plugin_utils._plan.egress.pool import MAX_CHAIN, Pool

try:
    from cryptography import x509
    from cryptography.hazmat.primitives import serialization
except ImportError:
    pass  # only in ansible-test's import check: ansible-core itself requires cryptography

MAX_LEVELS: t.Final = 4  # certificates above the leaf; the longest chains of public CAs have three

_MAX_URLS: t.Final = 4
_MAX_ISSUER_BYTES: t.Final = 256 * 1024  # a certificate, or a small bundle of them


def orphans(pool: Pool) -> tuple[x509.Certificate, ...]:
    """The certificates that are followed and whose issuer is not at hand. Roots have none."""
    return tuple(item for item in pool.followed if not same_name(item.subject, item.issuer) and pool.issuer_of(item) is None)


def issuer_requests(pool: Pool, asked: t.Container[str], options: EgressOptions) -> list[dict[str, t.Any]]:
    """Requests for the probe that fetch missing issuers, of URLs not `asked` before; a few, over http or https."""
    urls: dict[str, None] = {}
    for certificate in orphans(pool):
        own = [url for url in usable_urls(responder_urls(certificate)[1]) if url.lower().startswith("http")]
        urls.update(dict.fromkeys(url for url in own if url not in asked))
    return [_request(url, options) for url in list(urls)[:_MAX_URLS]]


def _request(url: str, options: EgressOptions) -> dict[str, t.Any]:
    return {
        "id": f"issuer:{url}",
        "op": "fetch",
        "url": url,
        "method": "GET",
        "body": None,
        "headers": {},
        "timeout": options.timeout,
        "family": options.address_family,
        "each_address": False,
        "proxy": options.proxy,
        "proxy_authorization": options.proxy_authorization,
        "max_bytes": min(options.max_bytes, _MAX_ISSUER_BYTES),
        "max_redirects": 5,
        "ca_path": None,
    }


def issuers_found(pool: Pool, observations: t.Any) -> tuple[bytes, ...]:
    """DER of the fetched certificates that really issued one of the chain; whatever else was served is left alone."""
    children = orphans(pool)
    found: dict[str, bytes] = {}
    for request_id, answer in sorted(answers_by_id(observations).items()):
        if not request_id.startswith("issuer:") or answer.error is not None or not answer.body:
            continue
        for candidate in load_certificates(answer.body)[0]:
            if len(found) < MAX_CHAIN and any(issued_by(child, candidate) for child in children):
                found[sha256(candidate)] = candidate.public_bytes(serialization.Encoding.DER)
    return tuple(found.values())
