# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""What a proxy's refusal means. The pair returned is (cause, detail)."""

from __future__ import annotations

import typing as t

from ansible_collections.mailops.tls.plugins.plugin_utils._judge.egress.answer import HttpSeen, ProbeError, ProxySeen

# Products that sign their own error pages in `Server`. A proxy that merely relays leaves the origin's name there and adds
# itself to `Via` (RFC 9110 7.6.3), so Via alone proves nothing.
_PROXY_SERVERS: t.Final = (
    "squid", "tinyproxy", "privoxy", "zscaler", "bluecoat", "proxysg", "mcafee web gateway", "skyhigh", "forcepoint", "websense",
    "ironport", "fortiproxy", "mwg", "traffic-server", "apache traffic", "3proxy", "mitmproxy", "polipo", "goproxy",
)  # fmt: skip
_GATEWAY: t.Final = (502, 503, 504)


def proxy_error(error: ProbeError, proxy: ProxySeen | None) -> tuple[str, str]:
    """The cause of an error at stage `proxy`: reaching it, or its answer to CONNECT."""
    name = f"The proxy {proxy.url}" if proxy else "The proxy"
    if error.code == "status" and proxy is not None and proxy.status is not None:
        return _by_status(proxy.status, proxy.reason, proxy.headers, proxy, "to CONNECT")
    if error.code in ("status", "protocol"):
        return "proxy_error", f"{name} gave no usable answer to CONNECT: {error.message or error.code}."
    if error.code in ("timeout", "reset") and proxy is not None and any(item.connected for item in proxy.addresses):
        # The way to it is open, so it is nothing to ask the firewall team for.
        why = "none came in time" if error.code == "timeout" else "it closed the connection"
        return "proxy_error", f"{name} took the connection but gave no answer to CONNECT: {why}."
    if error.code in ("resolve", "timeout", "refused", "reset", "unreachable"):
        why = {
            "resolve": "its name does not resolve",
            "timeout": "no answer to the connection attempt",
            "refused": "the connection was refused",
            "reset": "the connection was reset",
            "unreachable": "there is no way to it",
        }[error.code]
        return "proxy_unreachable", f"{name} cannot be reached: {why}."
    return "not_observed", f"{name} could not be used for a reason of the host itself: {error.message or error.code}."


def proxy_answer(http: HttpSeen, proxy: ProxySeen | None) -> tuple[str, str] | None:
    """The cause when it is a proxy, not the CA's server, that answered a plain http request with this status; else None."""
    if http.status == 407:
        # Without a proxy of ours this is a transparent one.
        return _by_status(407, http.reason, http.headers, proxy, "to the request")
    if proxy is None or proxy.tunnel:
        return None
    own_words = "x-squid-error" in http.headers or any(name in http.headers.get("server", "").lower() for name in _PROXY_SERVERS)
    # 502 and 504 are a gateway's by definition (RFC 9110 15.6.3, 15.6.5); CA servers are not asked through another of ours.
    if http.status in (502, 504) or (own_words and (http.status in (401, 403) or http.status in _GATEWAY)):
        return _by_status(http.status, http.reason, http.headers, proxy, "to the request")
    return None


def _by_status(status: int, reason: str, headers: dict[str, str], proxy: ProxySeen | None, to: str) -> tuple[str, str]:
    said = f"{status} {reason}".strip()
    hint = f" ({headers['x-squid-error']})" if headers.get("x-squid-error") else ""
    name = f"The proxy {proxy.url}" if proxy else "A proxy on the way that the host does not know of"
    if status in (401, 407):
        # tinyproxy answers 401 to a wrong password.
        scheme = headers.get("proxy-authenticate") or headers.get("www-authenticate")
        offered = f" It offers: {scheme[:80]}." if scheme else ""
        sent = "The credentials that were sent were refused." if proxy and proxy.authorization else "No credentials were sent."
        return "proxy_auth_required", f"{name} answered {said} {to}{hint}. {sent}{offered}"
    if status >= 500 or status < 400:
        return "proxy_error", f"{name} answered {said} {to}{hint}: it could not pass it on."
    return "proxy_denied", f"{name} answered {said} {to}{hint}: its rules do not let it through."
