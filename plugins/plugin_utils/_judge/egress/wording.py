# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""Findings about single endpoints, worded from the catalogue and from what was seen."""

from __future__ import annotations

import dataclasses
import re
import shlex
import typing as t

from ansible_collections.mailops.tls.plugins.plugin_utils._findings.catalogue_egress import EGRESS_TYPES
from ansible_collections.mailops.tls.plugins.plugin_utils._findings.finding_type import FindingType
from ansible_collections.mailops.tls.plugins.plugin_utils._findings.model import Finding, Status, Subject
from ansible_collections.mailops.tls.plugins.plugin_utils._findings.registry import make
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.egress.answer import AddressSeen, Answer
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.egress.stages import Outcome, last_hop
from ansible_collections.mailops.tls.plugins.plugin_utils._plan.egress.check import EgressCheck

BY_CAUSE: t.Final[t.Mapping[str, FindingType]] = {kind.cause: kind for kind in EGRESS_TYPES if kind.cause is not None}

_KINDS: t.Final = {"crl": "CRL", "ocsp": "OCSP responder", "ca_issuers": "issuer certificate"}
_SUMMARIES: t.Final = {
    "ok": "is reached and good",
    "not_observed": "could not be checked",
    "deadline_exceeded": "could not be checked in time",
    "dns_nxdomain": "does not resolve: no such name",
    "dns_timeout": "does not resolve: no resolver answers",
    "dns_error": "does not resolve: resolver error",
    "dns_no_address": "does not resolve: no address",
    "dns_sinkhole": "is blocked in DNS: the name leads to the host itself",
    "tcp_timeout": "is blocked: connection attempts get no answer",
    "tcp_refused": "is blocked: the connection is refused",
    "tcp_reset": "is blocked: the connection is reset",
    "tcp_unreachable": "is blocked: unreachable",
    "proxy_unreachable": "is not reached: the proxy cannot be reached",
    "proxy_auth_required": "is not reached: the proxy wants credentials",
    "proxy_denied": "is not reached: the proxy denies it",
    "proxy_error": "is not reached: the proxy cannot pass the request on",
    "tls_intercepted": "is intercepted: its TLS certificate is not a CA's",
    "tls_error": "is not reached: the TLS handshake fails",
    "http_status": "answers with an HTTP error",
    "http_no_answer": "accepts the connection but does not answer",
    "http_protocol": "is answered by something that does not speak HTTP",
    "redirected": "redirects",
    "truncated": "answers with a broken-off file",
    "too_large": "answers with more than the limit",
    "not_a_crl": "answers with something that is no CRL",
    "not_an_ocsp_response": "answers with something that is no OCSP response",
    "not_a_certificate": "answers with something that is no certificate",
    "crl_expired": "serves an expired CRL",
    "crl_not_yet_valid": "serves a CRL from the future",
    "crl_bad_signature": "serves a CRL with a bad signature",
    "crl_wrong_issuer": "serves the CRL of another issuer",
    "crl_lists_certificate": "serves a CRL that lists a certificate in use",
    "crl_not_judged": "serves a CRL that cannot be judged here",
    "ocsp_revoked": "says that a certificate is revoked",
    "ocsp_unknown": "does not know the certificate",
    "ocsp_unauthorized": "gives no answer for the certificate",
    "ocsp_try_later": "is temporarily unable to answer",
    "ocsp_malformed": "and the host do not understand each other",
    "ocsp_expired": "gives an answer that is out of date",
    "ocsp_bad_signature": "gives an answer with a bad signature",
    "ocsp_wrong_certificate": "gives an answer about another certificate",
    "ocsp_nonce_mismatch": "gives an answer to another question",
    "ocsp_not_judged": "gives an answer that cannot be judged here",
}
_PLACEHOLDER = re.compile(r"\b(URL|HOST|PORT|PROXY|ADDRESS|RESOLVER)\b")
_CURL = re.compile("`curl (?![^`]*-x PROXY)")
# No route for the family at all: the host has no IPv6 (or IPv4) and loses no time over it.
_NO_FAMILY: t.Final = frozenset({"ENETUNREACH", "EADDRNOTAVAIL", "EAFNOSUPPORT", "ENETDOWN"})


@dataclasses.dataclass(frozen=True)
class Judged:
    """A check with its answer, its outcome and its result dict."""

    check: EgressCheck
    answer: Answer | None
    outcome: Outcome
    result: dict[str, t.Any]


def endpoint_status(cause: str, content_cause: str | None) -> Status:
    """The status of a cause; a redirect to valid content only warns, because it works, though not with every client."""
    if cause == "redirected" and content_cause == "ok":
        return "warn"
    return BY_CAUSE[cause].status


def endpoint_finding(judged: Judged, host: str, observed_at: str) -> Finding:
    """The finding about an endpoint: the profile is the first that names it, all of them are in the evidence."""
    check, result = judged.check, judged.result
    kind = BY_CAUSE[judged.outcome.cause]
    harmless = kind.cause == "redirected" and result["status"] == "warn"
    keys = (
        "url",
        "kind",
        "cause",
        "stage",
        "issuer",
        "profiles",
        "addresses",
        "redirects",
        "proxy",
        "http",
        "crl",
        "ocsp",
        "certificates",
    )
    evidence = {key: result[key] for key in keys} | {
        "elapsed_ms": result["elapsed_ms"],
        "error": None,
        "tls": _tls(judged.answer),
        "resolve": _resolve(judged.answer),
    }
    if judged.answer and judged.answer.error:
        evidence["error"] = judged.answer.error.as_dict()
    return make(
        kind.id,
        host=host,
        subject=Subject("endpoint", check.endpoint.name),
        summary=f"{_KINDS[check.endpoint.kind]} {check.endpoint.name} {_summary(judged)}",
        detail=judged.outcome.detail,
        evidence=evidence,
        observed_at=observed_at,
        profile=check.profiles[0] if check.profiles else None,
        status=result["status"],
        severity="low" if harmless else None,
        remediation=filled(kind.remedy, result, evidence["resolve"]),
    )


def _summary(judged: Judged) -> str:
    if judged.outcome.cause != "ok":
        return _SUMMARIES[judged.outcome.cause]
    if judged.check.request["op"] == "connect":
        return "can be connected to"
    ocsp = judged.result["ocsp"]
    return "is reached" if ocsp and ocsp["certificate"] is None else _SUMMARIES["ok"]


def _tls(answer: Answer | None) -> dict[str, t.Any] | None:
    hop = last_hop(answer)
    if hop is None or hop.tls is None:
        return None
    return {"verified": hop.tls.verified, "verify_message": hop.tls.verify_message, "chain_source": hop.tls.chain_source}


def _resolve(answer: Answer | None) -> dict[str, t.Any] | None:
    """Who was asked for the name, and what came back; None through a proxy, which resolves by itself."""
    hop = last_hop(answer)
    if hop is None or (answer is not None and answer.proxy is not None):
        return None
    return {"host": hop.host, "resolvers": list(hop.resolvers), "rcode": hop.rcode, "addresses": list(hop.resolved)}


def filled(remedy: str, result: dict[str, t.Any], resolve: dict[str, t.Any] | None = None) -> str:
    """A remedy with the endpoint's own values, quoted for a shell: URLs come from certificates that anybody may have made."""
    host, port, proxy = result["host"], result["port"], result["proxy"]
    if proxy and proxy["url"]:
        # What failed through a proxy is reproduced through it, too.
        remedy = _CURL.sub("`curl -x PROXY ", remedy.replace(" --noproxy '*'", ""))
    values = {
        "URL": result["url"] or (f"telnet://{host}:{port}" if host else None),
        "HOST": host,
        "PORT": str(port) if port else None,
        "PROXY": proxy["url"] if proxy and proxy["url"] else None,
        "RESOLVER": resolve["resolvers"][0] if resolve and resolve["resolvers"] else None,
        "ADDRESS": result["addresses"][0]["address"] if result["addresses"] else None,
    }
    return _PLACEHOLDER.sub(lambda match: shlex.quote(values[match.group()] or match.group()), remedy)


def dead_addresses(judged: Judged) -> list[AddressSeen]:
    """Addresses that failed beside one that worked. A host without the family at all is only told if it was asked to prove it."""
    hop = judged.answer.hops[0] if judged.answer and judged.answer.hops else None
    if hop is None or not any(item.connected for item in hop.addresses):
        return []
    asked = judged.check.request["each_address"] or judged.check.request["family"] in ("both", "ipv6")
    return [item for item in hop.addresses if item.connected is False and (asked or item.errno not in _NO_FAMILY)]


def partial_finding(judged: Judged, host: str, observed_at: str) -> list[Finding]:
    """A warning about dead addresses beside live ones, with what they cost a client that tries them one after another."""
    dead = dead_addresses(judged)
    if not dead or judged.answer is None:
        return []
    cost = max((item.ms for item in dead if item.ms is not None), default=None)
    named = ", ".join(f"{item.address} ({item.code or item.errno or 'failed'})" for item in dead[:6])
    alive = ", ".join(item.address for item in judged.answer.hops[0].addresses if item.connected)
    families = {item.family for item in dead} - {item.family for item in judged.answer.hops[0].addresses if item.connected}
    whole = f" Its {' and '.join(sorted(families)).replace('ipv', 'IPv')} is dead as a whole." if families else ""
    lost = f" A client that tries a dead address first loses {cost:.0f} ms." if cost is not None else ""
    return [
        make(
            "egress.address.partial",
            host=host,
            subject=Subject("endpoint", judged.check.endpoint.name),
            summary=f"{judged.check.endpoint.name} answers on some of its addresses only",
            detail=f"Dead: {named}. Alive: {alive}.{whole}{lost}",
            evidence={
                "url": judged.result["url"],
                "profiles": judged.result["profiles"],
                "addresses": judged.result["addresses"],
                "cost_ms": cost,
            },
            observed_at=observed_at,
            profile=judged.check.profiles[0] if judged.check.profiles else None,
            remediation=filled(next(kind.remedy for kind in EGRESS_TYPES if kind.id == "egress.address.partial"), judged.result),
        )
    ]
