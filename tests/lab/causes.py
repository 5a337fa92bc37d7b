# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every cause that an endpoint can fail for: how the lab provokes it, and what must be said of it on each way there.

Each case has a name and an address of its own, in IPv4 and in IPv6, so that a fault is one endpoint's alone:
http://CASE.ipv4.lab.test/ has only an A record and http://CASE.ipv6.lab.test/ only an AAAA record.
"""

from __future__ import annotations

import dataclasses
import typing as t

from tests.lab import plan

Family = t.Literal["ipv4", "ipv6"]
FAMILIES: tuple[Family, ...] = ("ipv4", "ipv6")
BLOCK = 2  # of the addresses, see plan.Address

# Why what a proxy says is not what the host itself would see.
RESOLVES = "the proxy resolves the name, and says only that it could not"
CONNECTS = "the proxy connects, and says only that it could not"
WAITS = "the proxy waits for the answer itself, and passes on that there was none"
READS = "the proxy reads the answer itself before it passes anything on"


@dataclasses.dataclass(frozen=True)
class Case:
    """One endpoint that is at fault, or a control that is not.

    `cause` is what the host must say when it goes there itself, `proxied` when it goes through squid; where they differ
    `because` says why. `firewall` is an nftables verdict on packets to this case alone: on the host, and on the proxy's
    own way out. `dns` is what unbound is told instead of the address, with {zone} for the name; `lame`
    makes it answer for a zone that it does not have. `nginx` is the inside of
    a server block; `behaviour` names one of misbehaving.py. Without either there is no server.
    """

    name: str
    cause: str
    proxied: str
    because: str = ""
    path: str = "/root.crl"
    scheme: str = "http"
    port: int | None = None
    kind: str = "crl"
    op: t.Literal["fetch", "connect"] = "fetch"
    firewall: str = ""
    dns: dict[Family, tuple[str, ...]] | None = None
    lame: bool = False
    nginx: str = ""
    tls: str = ""  # name of certificate and key in the CA's directory
    behaviour: str = ""
    squid: t.Literal["", "deny", "other-user"] = ""
    status: str = ""  # of the endpoint, where it is not the cause's usual one

    def host(self, family: Family) -> str:
        """The name that leads here."""
        return f"{self.name}.{family}.{plan.ZONE}"

    def endpoint(self, family: Family) -> dict[str, t.Any]:
        """An item of the option `endpoints`."""
        asked: dict[str, t.Any] = {"kind": self.kind, "issuer": "lab-root"}
        if self.op == "connect":
            return {**asked, "host": self.host(family), "port": self.port}
        return {**asked, "url": self.url(family)}

    def url(self, family: Family) -> str:
        """The URL; for a mere connection host:port, as results name it."""
        if self.op == "connect":
            return f"{self.host(family)}:{self.port}"
        port = f":{self.port}" if self.port else ""
        return f"{self.scheme}://{self.host(family)}{port}{self.path}"

    def expected(self, proxied: bool) -> str:
        """The cause that must be reported."""
        return self.proxied if proxied else self.cause


def _same(name: str, cause: str, **options: t.Any) -> Case:
    """A case that a proxy does not change."""
    return Case(name, cause, cause, **options)


def _file(name: str) -> str:
    return f"root {{state}}/ca/causes; location / {{ try_files /{name} =404; }}"


PORTAL = "location / { default_type application/pkix-crl; return 200 '" + plan.PORTAL_PAGE + "'; }"
SERVED = "root {state}/ca/served;"
OCSP = {"kind": "ocsp", "path": "/"}
AIA = {"kind": "ca_issuers", "path": "/intermediate.crt"}


def _dns(ipv4: str, ipv6: str | None = None) -> dict[Family, tuple[str, ...]]:
    return {"ipv4": (ipv4,), "ipv6": (ipv6 or ipv4,)}


def _responder(port: str) -> str:
    return (
        f"location / {{ proxy_pass http://127.0.0.1:{plan.OCSP_PORTS[port]}; proxy_http_version 1.0; proxy_next_upstream off; }}"
    )


CONTROLS = (
    _same("ok-crl", "ok", nginx=SERVED),
    _same("ok-pem", "ok", nginx=_file("pem.crl")),
    _same("ok-aia", "ok", nginx=SERVED, **AIA),
    _same("ok-ocsp", "ok", nginx=_responder("root"), **OCSP),
    _same("ok-https", "ok", scheme="https", nginx=SERVED, tls="causes-web"),
    _same("ok-connect", "ok", kind="ocsp", op="connect", port=80, nginx=SERVED),
)

DNS = (
    Case("dns-nxdomain", "dns_nxdomain", "proxy_error", RESOLVES, dns={"ipv4": (), "ipv6": ()}),
    Case("dns-timeout", "dns_timeout", "proxy_error", RESOLVES, dns=_dns('local-zone: "{zone}" always_deny')),
    Case("dns-refused", "dns_error", "proxy_error", RESOLVES, dns=_dns('local-zone: "{zone}" always_refuse')),
    # A zone that the resolver is to copy from a server which there is not.
    Case("dns-servfail", "dns_error", "proxy_error", RESOLVES, dns=_dns('local-zone: "{zone}" transparent'), lame=True),
    Case("dns-nodata", "dns_no_address", "proxy_error", RESOLVES, dns=_dns('local-zone: "{zone}" always_nodata')),
    Case(
        "dns-loopback",
        "dns_sinkhole",
        "proxy_error",
        RESOLVES,
        dns=_dns('local-data: "{zone} 300 IN A 127.0.0.1"', 'local-data: "{zone} 300 IN AAAA ::1"'),
    ),
    Case(
        "dns-unspecified",
        "dns_sinkhole",
        "proxy_error",
        RESOLVES,
        dns=_dns('local-data: "{zone} 300 IN A 0.0.0.0"', 'local-data: "{zone} 300 IN AAAA ::"'),
    ),
)

TCP = (
    Case("tcp-drop", "tcp_timeout", "proxy_error", CONNECTS, nginx=SERVED, firewall="drop"),
    Case("tcp-reject", "tcp_refused", "proxy_error", CONNECTS, nginx=SERVED, firewall="reject with icmpx type port-unreachable"),
    Case("tcp-rst", "tcp_refused", "proxy_error", CONNECTS, nginx=SERVED, firewall="meta l4proto tcp reject with tcp reset"),
    Case("tcp-closed", "tcp_refused", "proxy_error", CONNECTS, port=81),
    Case(
        "tcp-prohibited",
        "tcp_unreachable",
        "proxy_error",
        CONNECTS,
        nginx=SERVED,
        firewall="reject with icmpx type admin-prohibited",
    ),
    Case("tcp-no-route", "tcp_unreachable", "proxy_error", CONNECTS, nginx=SERVED, firewall="reject with icmpx type no-route"),
    Case(
        "tcp-no-host",
        "tcp_unreachable",
        "proxy_error",
        CONNECTS,
        nginx=SERVED,
        firewall="reject with icmpx type host-unreachable",
    ),
    # The connection is made, then the first segment with data (PSH) is answered by a reset: an inspecting firewall.
    Case(
        "tcp-midway", "tcp_reset", "proxy_error", CONNECTS, nginx=SERVED, firewall="tcp flags & psh == psh reject with tcp reset"
    ),
    Case("tcp-reset", "tcp_reset", "proxy_error", CONNECTS, behaviour="reset"),
    Case(
        "connect-drop", "tcp_timeout", "proxy_error", CONNECTS, kind="ocsp", op="connect", port=80, nginx=SERVED, firewall="drop"
    ),
)

# The proxy's own faults concern all endpoints alike, so test_causes.py has tasks of their own for them. These concern one.
PROXY = (
    Case("proxy-deny", "ok", "proxy_denied", "only the proxy has this rule", nginx=SERVED, squid="deny"),
    Case("proxy-other-user", "ok", "proxy_auth_required", "only the proxy has this rule", nginx=SERVED, squid="other-user"),
    Case(
        "proxy-deny-tls",
        "ok",
        "proxy_denied",
        "only the proxy has this rule",
        scheme="https",
        nginx=SERVED,
        tls="causes-web",
        squid="deny",
    ),
    # A proxy in the way that the host does not know of. Squid passes it on, so the known one is named.
    _same("proxy-hidden", "proxy_auth_required", nginx="location / { return 407; }"),
)

TLS = (
    _same("tls-intercepted", "tls_intercepted", scheme="https", nginx=SERVED, tls="inspection-web"),
    _same("tls-plain", "tls_error", scheme="https", port=443, nginx=SERVED),
    _same("tls-expired", "tls_error", scheme="https", nginx=SERVED, tls="causes-web-expired"),
    _same("tls-other-name", "tls_error", scheme="https", nginx=SERVED, tls="leaf"),
    _same("tls-reset", "tls_error", scheme="https", behaviour="reset"),
)

HTTP = (
    _same("http-403", "http_status", nginx="location / { return 403; }"),
    _same("http-404", "http_status", nginx="location / { return 404; }"),
    _same("http-503", "http_status", nginx="location / { return 503; }"),
    Case("http-closed", "http_no_answer", "proxy_error", WAITS, nginx="location / { return 444; }"),
    Case("http-silent", "http_no_answer", "proxy_error", WAITS, behaviour="silent"),
    Case("http-smtp", "http_protocol", "truncated", "squid takes it for a body of HTTP/0.9 that does not end", behaviour="smtp"),
    Case("http-endless-headers", "http_protocol", "proxy_error", READS, behaviour="endless_headers"),
    Case("http-slow-headers", "deadline_exceeded", "proxy_error", WAITS, behaviour="slow_headers"),
    _same("http-gzip-bomb", "http_protocol", behaviour="gzip_bomb"),
    Case("http-odd-headers", "ok", "proxy_error", "squid refuses such headers", behaviour="odd_headers"),
    _same("redirect-good", "redirected", status="warn", nginx="return 302 http://ok-crl.$family.{zone}/root.crl;"),
    _same("redirect-portal", "redirected", nginx="return 302 http://crl-portal.$family.{zone}/;"),
    _same("redirect-circle", "redirected", nginx="return 302 $request_uri;"),
    _same("redirect-endless", "redirected", behaviour="redirect_endless"),
    _same("redirect-file", "redirected", behaviour="redirect_file"),
    _same("redirect-loopback", "redirected", behaviour="redirect_loopback"),
    _same("redirect-link-local", "redirected", behaviour="redirect_link_local"),
    _same("redirect-crlf", "redirected", behaviour="redirect_crlf"),
)

BODY = (
    _same("body-short", "truncated", behaviour="short"),
    _same("body-stalled", "truncated", behaviour="stalled"),
    _same("body-reset", "truncated", behaviour="reset_in_body"),
    _same("body-cut-der", "truncated", nginx=_file("cut.crl")),
    _same("body-huge", "too_large", behaviour="announced_huge"),
    _same("body-endless", "too_large", behaviour="endless"),
    _same("body-huge-chunk", "too_large", behaviour="huge_chunk"),
    _same("body-slow", "deadline_exceeded", behaviour="slow_body"),
)

CONTENT = (
    _same("crl-portal", "not_a_crl", nginx=PORTAL),
    _same("ocsp-portal", "not_an_ocsp_response", nginx=PORTAL, **OCSP),
    _same("aia-portal", "not_a_certificate", nginx=PORTAL, **AIA),
    _same("crl-expired", "crl_expired", nginx=_file("expired.crl")),
    _same("crl-future", "crl_not_yet_valid", nginx=_file("future.crl")),
    _same("crl-bad-signature", "crl_bad_signature", nginx=_file("bad-signature.crl")),
    _same("crl-other-issuer", "crl_wrong_issuer", nginx=_file("other-issuer.crl")),
    _same("crl-other-key", "crl_wrong_issuer", nginx=_file("other-key.crl")),
    _same("crl-lists", "crl_lists_certificate", nginx=_file("lists.crl")),
    _same("crl-critical", "crl_not_judged", nginx=_file("critical.crl")),
    _same("ocsp-revoked", "ocsp_revoked", nginx=_responder("revoked"), **OCSP),
    _same("ocsp-unknown", "ocsp_unknown", nginx=_responder("unknown"), **OCSP),
    _same("ocsp-unauthorized", "ocsp_unauthorized", behaviour="ocsp_unauthorized", **OCSP),
    _same("ocsp-try-later", "ocsp_try_later", behaviour="ocsp_try_later", **OCSP),
    _same("ocsp-malformed", "ocsp_malformed", behaviour="ocsp_malformed", **OCSP),
    _same("ocsp-expired", "ocsp_expired", behaviour="ocsp_expired", **OCSP),
    _same("ocsp-future", "ocsp_expired", behaviour="ocsp_future", **OCSP),
    _same("ocsp-bad-signature", "ocsp_bad_signature", behaviour="ocsp_bad_signature", **OCSP),
    _same("ocsp-not-delegated", "ocsp_bad_signature", behaviour="ocsp_not_delegated", **OCSP),
    _same("ocsp-other", "ocsp_wrong_certificate", behaviour="ocsp_other", **OCSP),
    _same("ocsp-nonce", "ocsp_nonce_mismatch", behaviour="ocsp_nonce", **OCSP),
    _same("ocsp-algorithm", "ocsp_not_judged", behaviour="ocsp_algorithm", **OCSP),
)

CASES: tuple[Case, ...] = (*CONTROLS, *DNS, *TCP, *PROXY, *TLS, *HTTP, *BODY, *CONTENT)

# Causes that cannot arise on a way there, and why. Every other cause of the contract must.
IMPOSSIBLE_DIRECT = dict.fromkeys(
    ("proxy_unreachable", "proxy_denied", "proxy_error"),
    "no proxy is in use; one that the host does not know of cannot be told apart",
)
IMPOSSIBLE_PROXIED = {
    **dict.fromkeys(("dns_nxdomain", "dns_timeout", "dns_error", "dns_no_address", "dns_sinkhole"), RESOLVES),
    **dict.fromkeys(("tcp_timeout", "tcp_refused", "tcp_reset", "tcp_unreachable"), CONNECTS),
    "http_no_answer": WAITS,
    "proxy_unreachable": "then nothing passes at all: see the tasks with a broken proxy",
}


def address(case: Case) -> plan.Address:
    """Where the case is served."""
    return plan.Address(BLOCK, 1 + CASES.index(case))


def addresses() -> tuple[plan.Address, ...]:
    """Every address of a case."""
    return tuple(address(case) for case in CASES)


def host_firewall() -> list[str]:
    """nftables rules for the output hook of a managed host, or of the proxy."""
    rules = []
    for case in CASES:
        if case.firewall:
            place = address(case)
            rules += [f"ip daddr {place.v4} {case.firewall}", f"ip6 daddr {place.v6} {case.firewall}"]
    return rules
