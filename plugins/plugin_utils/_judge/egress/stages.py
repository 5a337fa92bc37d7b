# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""From where an exchange ended to its cause: name resolution, connection, proxy, TLS, HTTP. Content is judged elsewhere."""

from __future__ import annotations

import dataclasses
import datetime as dt
import ipaddress
import typing as t

from ansible_collections.mailops.tls.plugins.plugin_utils._judge.egress.answer import Answer, Hop, ProbeError
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.egress.proxy import proxy_answer, proxy_error
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.egress.tls import tls_error

if t.TYPE_CHECKING:
    from cryptography import x509


@dataclasses.dataclass(frozen=True)
class Outcome:
    """A cause of the contract, the stage it arose at, and sentences that say what was seen."""

    cause: str
    stage: str
    detail: str


_RESOLVE: t.Final = {
    "nxdomain": ("dns_nxdomain", "The resolver{asked} says that the name {host} does not exist."),
    "no_address": ("dns_no_address", "The name {host} exists but has no address of the family asked for."),
    "timeout": ("dns_timeout", "No resolver answered for {host} in time{asked}."),
    "servfail": ("dns_error", "The resolver{asked} answered SERVFAIL for {host}."),
    "refused": ("dns_error", "The resolver{asked} refuses to answer for {host}."),
    "error": ("dns_error", "The name {host} could not be resolved{asked}: {message}."),
}
_CONNECT: t.Final = {
    "timeout": (
        "tcp_timeout",
        "No answer to the connection attempt to {host} port {port}: packets are dropped on the way, or the server is down.",
    ),
    "refused": (
        "tcp_refused",
        "The connection to {host} port {port} was refused: a firewall rejects it, or nothing listens there.",
    ),
    "reset": ("tcp_reset", "The connection to {host} port {port} was reset while it was set up."),
    "unreachable": ("tcp_unreachable", "{host} port {port} is unreachable: {message}."),
}
# `connect: error` with one of these is the network or a local packet filter speaking; anything else is trouble of the host
# itself (no more descriptors, ...), which says nothing about the way there.
_UNREACHABLE: t.Final = frozenset(
    {"EACCES", "EPERM", "EADDRNOTAVAIL", "ENETDOWN", "EHOSTDOWN", "ENETUNREACH", "EHOSTUNREACH", "EPROTO"}
)
_HTTP: t.Final = {
    "timeout": ("http_no_answer", "The connection was set up, but no answer to the request came in time."),
    "closed": ("http_no_answer", "The connection was closed without any answer to the request."),
    "reset": (
        "tcp_reset",
        "The connection was reset after the request was sent: typical of a firewall that looks into the traffic.",
    ),
    "protocol": ("http_protocol", "What answered does not speak HTTP: {message}."),
    "headers_too_large": ("http_protocol", "The answer's headers are larger than any CA sends."),
    "redirect_limit": ("redirected", "The answers kept redirecting until the limit was reached."),
    "redirect_loop": ("redirected", "The answers redirect in a circle."),
    "redirect_refused": ("redirected", "The answer redirects to where a CA never does, and was not followed: {message}."),
}
_BODY: t.Final = {
    "truncated": ("truncated", "The answer broke off after {bytes} bytes, before its announced end."),
    "timeout": ("truncated", "The answer stalled after {bytes} bytes."),
    "reset": ("truncated", "The connection was reset after {bytes} bytes of the answer."),
    "too_large": ("too_large", "The answer is larger than the limit (max_bytes); {bytes} bytes were read."),
    "encoding": ("http_protocol", "The answer has a Content-Encoding that was not asked for: {message}."),
}
_TABLES: t.Final = {"resolve": _RESOLVE, "connect": _CONNECT, "http": _HTTP, "body": _BODY}


def transport_outcome(answer: Answer | None, known: t.Sequence[x509.Certificate], now: dt.datetime) -> Outcome | None:
    """Why the exchange did not deliver an answer to judge; None when it did (HTTP status 200, or a mere connection)."""
    if answer is None:
        return Outcome("not_observed", "request", "The probe returned no answer to this request.")
    error = answer.error
    if error is not None and (error.stage in ("request", "internal") or error.code in ("internal", "unsupported", "invalid")):
        return Outcome("not_observed", error.stage, f"The probe could not do this check: {error.message or error.code}.")
    sunk = _sinkhole(answer)
    if sunk is not None:
        return sunk
    if error is not None:
        return _by_error(answer, error, known, now)
    if not answer.hops:
        return Outcome("not_observed", "request", "The probe's answer does not say what it saw.")
    return _by_status(answer)


def _by_error(answer: Answer, error: ProbeError, known: t.Sequence[x509.Certificate], now: dt.datetime) -> Outcome:
    if error.code == "deadline":
        return Outcome(
            "deadline_exceeded",
            error.stage,
            f"The run's time was over at stage {error.stage}, before this check came to its end.",
        )
    if error.stage == "proxy":
        return Outcome(*_at("proxy", proxy_error(error, answer.proxy)))
    hop = answer.hops[-1] if answer.hops else None
    if error.stage == "tls":
        return Outcome(*_at("tls", tls_error(error, hop, known, now)))
    if (
        error.stage == "http"
        and answer.proxy is not None
        and not answer.proxy.tunnel
        and error.code in ("timeout", "closed", "reset", "protocol")
    ):
        return Outcome(
            "proxy_error",
            "proxy",
            f"The proxy {answer.proxy.url} took the request but gave no usable answer: {error.message or error.code}.",
        )
    code = error.code
    if error.stage == "connect" and code == "error" and error.errno in _UNREACHABLE:
        code = "unreachable"
    cause, text = _TABLES.get(error.stage, {}).get(
        code, ("not_observed", "The check ended at stage {stage} for a reason of the host itself: {message}.")
    )
    values = {
        "asked": f" (asked: {', '.join(hop.resolvers)})" if hop and hop.resolvers else "",
        "host": hop.host if hop else "the server",
        "port": hop.port if hop else "",
        "bytes": answer.body_bytes,
        "stage": error.stage,
        "message": (error.message or error.errno or error.code).rstrip("."),
    }
    return Outcome(cause, error.stage, f"{text.format(**values)}{_after_redirect(answer)}")


def _at(stage: str, found: tuple[str, str]) -> tuple[str, str, str]:
    return found[0], stage, found[1]


def _by_status(answer: Answer) -> Outcome | None:
    """What the HTTP status of the last answer says; OCSP and CRL files come with 200 and nothing else (RFC 6960 A.2)."""
    http = answer.hops[-1].http
    if http is None or http.status == 200:
        return None
    spoken = proxy_answer(http, answer.proxy)
    if spoken is not None:
        return Outcome(spoken[0], "proxy", spoken[1])
    said = f"{http.status} {http.reason}".strip()
    between = (
        f" The request went through the proxy {answer.proxy.url}, so it may be the proxy that says this." if answer.proxy else ""
    )
    if len(answer.hops) > 1:
        return Outcome(
            "redirected",
            "http",
            f"The request was redirected to {answer.hops[-1].url}, and the answer there was HTTP {said}.{between}",
        )
    return Outcome("http_status", "http", f"The answer was HTTP {said} instead of 200.{between}")


def _after_redirect(answer: Answer) -> str:
    if len(answer.hops) < 2:
        return ""
    return f" This was after a redirect to {answer.hops[-1].url}."


def _sinkhole(answer: Answer) -> Outcome | None:
    """A name that resolves to the host itself only: what DNS filters do with names they block, whoever listens there."""
    for hop in answer.hops:
        if _asked_for_itself(hop.host) or not hop.resolved:
            continue
        if all(_is_local(address) for address in hop.resolved):
            seen = ", ".join(hop.resolved[:4])
            return Outcome(
                "dns_sinkhole",
                "resolve",
                f"The name {hop.host} resolves only to {seen}, which is the host itself: a DNS filter blocks the name.",
            )
    return None


def _asked_for_itself(host: str) -> bool:
    name = host.rstrip(".").lower()
    return name == "localhost" or name.endswith(".localhost") or _ip(host) is not None


def _is_local(address: str) -> bool:
    ip = _ip(address)
    if ip is None:
        return False
    mapped = getattr(ip, "ipv4_mapped", None)
    ip = mapped or ip
    return ip.is_loopback or ip.is_unspecified


def _ip(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text.strip("[]").partition("%")[0])
    except ValueError:
        return None


def last_hop(answer: Answer | None) -> Hop | None:
    """The hop that carries the outcome."""
    return answer.hops[-1] if answer is not None and answer.hops else None
