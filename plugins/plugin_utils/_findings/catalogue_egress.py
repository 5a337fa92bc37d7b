# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""Findings about CA endpoints: how far a host gets on the way to revocation data, and whether what it gets is good.

In remedies URL, HOST, PORT, ADDRESS, PROXY and RESOLVER stand for the endpoint's own; results carry them filled in.
"""

from __future__ import annotations

from ansible_collections.mailops.tls.plugins.plugin_utils._findings.catalogue_egress_content import EGRESS_CONTENT_TYPES
from ansible_collections.mailops.tls.plugins.plugin_utils._findings.finding_type import FindingType
from ansible_collections.mailops.tls.plugins.plugin_utils._findings.model import Severity


def _fails(finding_id: str, cause: str, meaning: str, remedy: str, severity: Severity = "high") -> FindingType:
    return FindingType(id=finding_id, status="fail", severity=severity, meaning=meaning, remedy=remedy, cause=cause)


_GENERAL = (
    FindingType(
        id="egress.ok",
        status="pass",
        severity="info",
        meaning="The host reaches the endpoint, and what it gets there is what belongs there.",
        remedy="Nothing to do.",
        cause="ok",
    ),
    FindingType(
        id="egress.unknown",
        status="unknown",
        severity="medium",
        meaning="The check could not be done on the host, so nothing is known about the endpoint.",
        remedy="The detail names what stopped the check: mend that on the host or in the arguments, and run again.",
        cause="not_observed",
    ),
    FindingType(
        id="egress.deadline_exceeded",
        status="unknown",
        severity="medium",
        meaning="The time of the whole run was over before this check came to its end. What it would have shown is not known.",
        remedy="Raise the option deadline, which must be larger than timeout, or look for what slows the host down, and run "
        "again.",
        cause="deadline_exceeded",
    ),
    FindingType(
        id="egress.address.partial",
        status="warn",
        severity="medium",
        meaning="The endpoint is reached over some of its addresses and not over others. Clients that try the dead one first "
        "lose time, "
        "or fail; CDNs change which address comes first.",
        remedy="Ask the firewall team to open the dead addresses named in the evidence for TCP port PORT, both families "
        "alike, or mend the "
        "host's IPv6. `curl -4 -v --noproxy '*' URL` and `curl -6 -v --noproxy '*' URL` show the difference.",
    ),
    FindingType(
        id="egress.server.no_chain",
        status="unknown",
        severity="medium",
        meaning="The server whose certificate chain was to be followed presented none, so the endpoints it names are not known.",
        remedy="Check name, port and STARTTLS of the server with `openssl s_client -connect HOST:PORT -starttls smtp "
        "-showcerts`.",
    ),
    FindingType(
        id="egress.clock.ok",
        status="pass",
        severity="info",
        meaning="The host's clock agrees with the controller's well enough to judge the validity of certificates and "
        "revocation data.",
        remedy="Nothing to do.",
    ),
    FindingType(
        id="egress.clock.skew",
        status="warn",
        severity="medium",
        meaning="The host's clock is off. A host with a wrong clock takes fresh revocation data for not yet valid, or old "
        "data for fresh, "
        "and certificates for expired.",
        remedy="Make the host follow a time source: `chronyc tracking` or `timedatectl status` shows whether it does.",
    ),
)

_COMPARE = (
    "Look at what is presented with `openssl s_client -connect HOST:PORT -starttls smtp -showcerts`, and at the list with the "
    "lookup mailops.tls.office365_endpoints. "
)
_SOURCES = (
    FindingType(
        id="egress.sources.wire_not_in_profile",
        status="warn",
        severity="medium",
        meaning="The certificate that was seen names an endpoint that no profile for it has: the profile is older than the "
        "certificate, or incomplete. "
        "Hosts that were opened by the profile alone cannot reach it.",
        remedy=f"Open the endpoint, and use a profile that has it: a newer version of the collection, or your own. {_COMPARE}"
        "If it is not the certificate you expect, find out who presents it.",
    ),
    FindingType(
        id="egress.sources.profile_not_in_list",
        status="warn",
        severity="low",
        meaning="A profile needs an endpoint that the publisher's list does not have. Firewalls that are opened by the list "
        "alone block it.",
        remedy=f"Ask for the endpoint besides the list. {_COMPARE}If the list is the newer one, the profile may be out of date.",
    ),
    FindingType(
        id="egress.sources.wire_not_in_list",
        status="warn",
        severity="medium",
        meaning="The certificate that was seen names an endpoint that the publisher's list does not have. Firewalls that are "
        "opened by the list alone block it.",
        remedy=f"Ask for the endpoint besides the list. {_COMPARE}Read the list anew if it is old.",
    ),
)

_DNS = (
    _fails(
        "egress.dns.nxdomain",
        "dns_nxdomain",
        "The host's resolver says that the endpoint's name does not exist. Public CA names do: the resolver does not forward "
        "to the internet, "
        "or it blocks the name.",
        "Ask the DNS team to let this host resolve HOST. Compare `dig HOST` on the host with the same query on a host that "
        "works.",
    ),
    _fails(
        "egress.dns.timeout",
        "dns_timeout",
        "No resolver of the host answered.",
        "Check the resolvers in /etc/resolv.conf with `dig HOST @RESOLVER`, and ask the firewall team for UDP and TCP port 53 "
        "to them.",
    ),
    _fails(
        "egress.dns.error",
        "dns_error",
        "The resolver answered with an error such as SERVFAIL or REFUSED: it cannot reach the name's servers, DNSSEC "
        "validation fails, or it "
        "does not serve this host.",
        "Ask the DNS team why `dig HOST` fails on this host; `dig +cd HOST` working points to DNSSEC validation.",
    ),
    _fails(
        "egress.dns.no_address",
        "dns_no_address",
        "The name exists but has no address of the family that was asked for.",
        "Check `dig HOST A` and `dig HOST AAAA`. If only one family exists, do not ask for the other (option address_family).",
    ),
    _fails(
        "egress.dns.sinkhole",
        "dns_sinkhole",
        "The name resolves to the host itself (127.0.0.0/8, ::1, 0.0.0.0 or ::). A DNS filter or an entry in /etc/hosts "
        "blocks it.",
        "Ask the DNS team to take HOST off the block list, and look for it in /etc/hosts: `getent ahosts HOST`.",
    ),
)

_TCP_ASK = (
    "Ask the firewall team to let this host open TCP connections to HOST port PORT (see firewall_rules). Reproduce on the "
    "host with "
    "`curl -v --noproxy '*' URL`. Where hosts must use a proxy, set it in the environment or in the option proxy."
)
_TCP = (
    _fails(
        "egress.tcp.timeout",
        "tcp_timeout",
        "Connection attempts get no answer: a firewall on the way drops the packets.",
        _TCP_ASK,
    ),
    _fails(
        "egress.tcp.refused",
        "tcp_refused",
        "Connection attempts are refused. CA endpoints listen, so it is a firewall that rejects, or the name leads to the "
        "wrong server.",
        _TCP_ASK,
    ),
    _fails(
        "egress.tcp.reset",
        "tcp_reset",
        "The connection is reset, while it is set up or once the request is sent. Firewalls that look into the traffic do this.",
        "Ask the firewall team which rule or application filter resets connections of this host to HOST port PORT, and to "
        "exempt them. "
        "Reproduce on the host with `curl -v --noproxy '*' URL`.",
    ),
    _fails(
        "egress.tcp.unreachable",
        "tcp_unreachable",
        "There is no way to the address: no route, or a router or the host's own packet filter says that it is prohibited.",
        "Check `ip route get ADDRESS` on the host and its own packet filter (`nft list ruleset`). Then ask the firewall team "
        "to let this host open "
        "TCP connections to HOST port PORT (see firewall_rules). Reproduce on the host with `curl -v --noproxy '*' URL`.",
    ),
)

_PROXY = (
    _fails(
        "egress.proxy.unreachable",
        "proxy_unreachable",
        "The proxy that the host is to use cannot be reached, so nothing behind it can.",
        "Check the proxy's name and port in the host's environment (http_proxy, https_proxy) or in the option proxy, and ask "
        "the firewall team to let "
        "this host open TCP connections to it (see firewall_rules). Reproduce with `curl -v -x PROXY URL`.",
    ),
    _fails(
        "egress.proxy.auth_required",
        "proxy_auth_required",
        "The proxy wants credentials, or refuses those that were sent. Services that fetch revocation data rarely have any.",
        "Ask the proxy team to let this host fetch from HOST without authentication, which suits services best, or set the "
        "proxy's credentials. "
        "Reproduce with `curl -v -x PROXY URL`.",
    ),
    _fails(
        "egress.proxy.denied",
        "proxy_denied",
        "The proxy's rules do not let the request through.",
        "Ask the proxy team to allow this host to fetch URL (HOST port PORT, plain http, without authentication and without "
        "inspection). "
        "Reproduce with `curl -v -x PROXY URL`.",
    ),
    _fails(
        "egress.proxy.error",
        "proxy_error",
        "The proxy took the request but could not pass it on: it cannot resolve or reach the endpoint itself, or it is out of "
        "order.",
        "Ask the proxy team whether the proxy itself reaches HOST port PORT. Reproduce with `curl -v -x PROXY URL`.",
    ),
)

_HTTP = (
    _fails(
        "egress.tls.intercepted",
        "tls_intercepted",
        "The endpoint's certificate was issued by somebody who is no CA known here: something on the way opens TLS connections.",
        "Ask the firewall or proxy team to exempt HOST from TLS inspection. "
        "`openssl s_client -connect HOST:PORT -servername HOST` shows the issuer.",
    ),
    _fails(
        "egress.tls.error",
        "tls_error",
        "The TLS handshake with the endpoint failed.",
        "Look at `openssl s_client -connect HOST:PORT -servername HOST`. CAs publish revocation data over plain http (RFC "
        "5280 8): use the address as "
        "it stands in the certificate, with its scheme.",
    ),
    _fails(
        "egress.http.status",
        "http_status",
        "The endpoint answered, but not with HTTP status 200.",
        "Compare `curl -v URL` on the host with the same on a host that works. 403 usually comes from a filter on the way; "
        "404 means that the address is wrong "
        "or that the CA has withdrawn it.",
    ),
    _fails(
        "egress.http.no_answer",
        "http_no_answer",
        "The connection stands, but no answer to the request comes. Firewalls that look into the traffic swallow requests "
        "like this.",
        "Ask the firewall team whether an application filter holds back http from this host to HOST port PORT. Reproduce with "
        "`curl -v --noproxy '*' URL`.",
    ),
    _fails(
        "egress.http.protocol",
        "http_protocol",
        "What answered does not speak HTTP as a CA's server does.",
        "Find out what listens at HOST port PORT on the way: `curl -v --noproxy '*' URL`.",
    ),
    _fails(
        "egress.redirected",
        "redirected",
        "The request was redirected. With valid content behind it this is a warning: not every client follows. With anything "
        "else there it is a "
        "captive portal or a filter's page.",
        "Compare `curl -v URL` on the host with the same on a host that works. If only this host is redirected, ask the "
        "firewall or proxy team to exempt "
        "HOST from the portal; if all are, the CA has moved it.",
    ),
    _fails(
        "egress.truncated",
        "truncated",
        "The answer breaks off before its end, or stalls.",
        "Fetch it a few times with `curl -v -o /dev/null URL` on the host. If it always breaks off at the same size, a filter "
        "on the way does it: ask the "
        "firewall or proxy team. Large answers that stall point to a path MTU problem.",
    ),
    _fails(
        "egress.too_large",
        "too_large",
        "The answer is larger than the limit, so it was not judged.",
        "If the CA's list really is that large (`curl -sI URL` shows it), raise the option max_bytes. Otherwise something "
        "else answers there.",
        "medium",
    ),
)

EGRESS_TYPES = (*_GENERAL, *_SOURCES, *_DNS, *_TCP, *_PROXY, *_HTTP, *EGRESS_CONTENT_TYPES)
