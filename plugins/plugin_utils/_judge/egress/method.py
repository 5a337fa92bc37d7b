# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""A responder asked by both HTTP methods of RFC 6960, appendix A.1: one verdict, and a word where only one of them works."""

from __future__ import annotations

import typing as t

from ansible_collections.mailops.tls.plugins.plugin_utils._findings.model import Finding, Subject
from ansible_collections.mailops.tls.plugins.plugin_utils._findings.registry import make
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.egress.wording import Judged

# Causes that say that a method does not work there; every other one is about the way, or about the certificate.
_METHOD_CAUSES: t.Final = frozenset(
    {"http_status", "http_no_answer", "http_protocol", "not_an_ocsp_response", "ocsp_malformed", "proxy_denied", "redirected"}
)


def by_both(post: Judged, get: Judged) -> Judged:
    """The answer to POST carries the verdict, because it has the nonce. A revocation counts whichever way it came."""
    causes = {"POST": post.outcome.cause, "GET": get.outcome.cause}
    chosen = post
    if causes["GET"] == "ocsp_revoked" or (causes["GET"] == "ok" and causes["POST"] in _METHOD_CAUSES):
        chosen = get
    if chosen.result["ocsp"] is not None:
        chosen.result["ocsp"]["methods"] = causes
    return chosen


def method_finding(chosen: Judged, host: str, observed_at: str) -> list[Finding]:
    """A warning where a responder answers one of the methods only."""
    causes = (chosen.result["ocsp"] or {}).get("methods") or {}
    failing = [method for method, cause in causes.items() if cause in _METHOD_CAUSES]
    if "ok" not in causes.values() or len(failing) != 1:
        return []
    missing = failing[0]
    working = next(method for method in causes if method != missing)
    name = chosen.check.endpoint.name
    return [
        make(
            "egress.ocsp.one_method",
            host=host,
            subject=Subject("endpoint", name),
            summary=f"OCSP responder {name} answers {working} but not {missing}",
            detail=f"By {missing} the cause is {causes[missing]}.",
            evidence={"url": name, "methods": causes, "profiles": list(chosen.check.profiles)},
            profile=chosen.check.profiles[0] if chosen.check.profiles else None,
            observed_at=observed_at,
        )
    ]
