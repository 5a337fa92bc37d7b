# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""A mail domain as the controller's resolver sees it, with dnspython. This is the one place of the controller that asks DNS."""

from __future__ import annotations

import typing as t

from ansible_collections.mailops.tls.plugins.plugin_utils._judge.smtp.domain import Answered, DomainView
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.x509 import clean

try:
    import dns.exception
    import dns.flags
    import dns.name
    import dns.rdatatype
    import dns.resolver
except ImportError:
    HAS_DNSPYTHON = False
else:
    HAS_DNSPYTHON = True

# A lookup is for comparison only: it must not hold the run up.
MAX_SECONDS: t.Final = 5.0
_PAYLOAD: t.Final = 1232  # EDNS buffer that needs no fragments
_MAX_RECORDS: t.Final = 100


def look_up(domain: str, *, seconds: float = MAX_SECONDS, nameservers: t.Sequence[tuple[str, int]] = ()) -> DomainView:
    """MX of a domain and TXT of its `_mta-sts`, each within `seconds`. Raises nothing: the view says how it ended.

    `nameservers` are addresses and ports to ask instead of those of the system.
    """
    if not HAS_DNSPYTHON:
        return DomainView(reason="the Python package dnspython is not installed on the controller")
    try:
        resolver = _resolver(min(seconds, MAX_SECONDS), nameservers)
    except (dns.exception.DNSException, OSError, ValueError) as error:
        return DomainView(reason=f"the controller has no resolver: {clean(error, 100)}")
    mx_status, authenticated, records = _ask(resolver, domain, "MX")
    mx = tuple(sorted((int(item.preference), item.exchange.to_text().rstrip(".").lower()) for item in records))
    if mx_status == "ok" and [host for _preference, host in mx] == [""]:
        mx_status, mx = "null_mx", ()  # RFC 7505: the root as the only exchange
    txt_status, _txt_authenticated, found = _ask(resolver, f"_mta-sts.{domain}", "TXT")
    texts = tuple(b"".join(item.strings).decode("utf-8", "replace")[:4096] for item in found)
    return DomainView(mx_status, authenticated, mx, txt_status, texts)


def parse_nameservers(raw: t.Sequence[str], place: str) -> tuple[tuple[str, int], ...]:
    """`address` or `address#port`, as named and unbound write it. Raises ValueError."""
    found = []
    for index, item in enumerate(raw):
        address, _mark, port = item.partition("#")
        if not address or not (port or "53").isdecimal() or not 0 < int(port or 53) < 65536:
            raise ValueError(f"{place}[{index}]: must be an address, or address#port, not {item[:80]!a}")
        found.append((address, int(port or 53)))
    return tuple(found)


def _resolver(seconds: float, nameservers: t.Sequence[tuple[str, int]]) -> dns.resolver.Resolver:
    resolver = dns.resolver.Resolver(configure=not nameservers)
    if nameservers:
        resolver.nameservers = [address for address, _port in nameservers]
        resolver.nameserver_ports = dict(nameservers)
    resolver.lifetime = seconds
    # DO asks for DNSSEC; AD in the question asks for the bit in the answer (RFC 6840 5.7).
    resolver.use_edns(0, dns.flags.DO, _PAYLOAD)
    resolver.flags = dns.flags.RD | dns.flags.AD
    return resolver


def _ask(resolver: dns.resolver.Resolver, name: str, kind: str) -> tuple[Answered, bool | None, list[t.Any]]:
    """(how it ended, AD bit, records)."""
    try:
        answer = resolver.resolve(dns.name.from_text(name), kind, search=False)
    except dns.resolver.NXDOMAIN:
        return "nxdomain", None, []
    except dns.resolver.NoAnswer:
        return "no_data", None, []
    except dns.resolver.LifetimeTimeout:
        return "timeout", None, []
    except dns.resolver.NoNameservers as error:
        return ("servfail" if "SERVFAIL" in str(error) else "error"), None, []
    except (dns.exception.DNSException, OSError, ValueError, UnicodeError):
        return "error", None, []
    return "ok", bool(answer.response.flags & dns.flags.AD), list(answer)[:_MAX_RECORDS]
