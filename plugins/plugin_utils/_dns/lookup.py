# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""A mail domain as the controller's resolver sees it, with dnspython. This is the one place of the controller that asks DNS."""

from __future__ import annotations

import contextlib
import queue
import threading
import time
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
MAX_THREADS: t.Final = 32
_PAYLOAD: t.Final = 1232  # EDNS buffer that needs no fragments
_MAX_RECORDS: t.Final = 100


class Lookups:
    """Lookups of several domains at the same time, while the host is being asked.

    Each takes `seconds` at most. The threads are daemons: one that waits for a resolver does not hold up the end of the process.
    """

    def __init__(self, domains: t.Sequence[str], *, seconds: float, nameservers: t.Sequence[tuple[str, int]]) -> None:
        self._domains = tuple(dict.fromkeys(domains))
        self._seconds, self._nameservers = min(seconds, MAX_SECONDS), nameservers
        self._began: float | None = None
        self._todo: queue.SimpleQueue[tuple[str, t.Callable[[dns.resolver.Resolver, str], dict[str, t.Any]]]] = (
            queue.SimpleQueue()
        )
        self._done: queue.SimpleQueue[tuple[str, dict[str, t.Any]]] = queue.SimpleQueue()
        self._reason = ""

    def start(self) -> None:
        """Begin, the first time."""
        if self._began is not None:
            return
        self._began = time.monotonic()
        resolver = self._resolver()
        if resolver is None:
            return
        for domain in self._domains:
            self._todo.put((domain, _mail_exchangers))
            self._todo.put((domain, _sts_records))
        for _number in range(min(MAX_THREADS, 2 * len(self._domains))):
            threading.Thread(target=self._work, args=(resolver,), daemon=True).start()

    def views(self, deadline: float) -> dict[str, DomainView]:
        """What was found by domain. Waits for the rest until `deadline` seconds after the start; what is not there timed out."""
        self.start()
        answers: dict[str, dict[str, t.Any]] = {domain: {} for domain in self._domains}
        if self._reason:
            return {domain: DomainView(reason=self._reason) for domain in self._domains}
        ends = (self._began or 0.0) + deadline
        with contextlib.suppress(queue.Empty):
            for _number in range(2 * len(self._domains)):
                domain, found = self._done.get(timeout=max(0.001, ends - time.monotonic()))
                answers[domain].update(found)
        late: dict[str, t.Any] = {"mx_status": "timeout", "txt_status": "timeout"}
        return {domain: DomainView(**{**late, **found}) for domain, found in answers.items()}

    def _resolver(self) -> dns.resolver.Resolver | None:
        if not HAS_DNSPYTHON:
            self._reason = "the Python package dnspython is not installed on the controller"
            return None
        try:
            return _resolver(self._seconds, self._nameservers)
        except (dns.exception.DNSException, OSError, ValueError) as error:
            self._reason = f"the controller has no resolver: {clean(error, 100)}"
            return None

    def _work(self, resolver: dns.resolver.Resolver) -> None:
        with contextlib.suppress(queue.Empty):
            while True:
                domain, errand = self._todo.get_nowait()
                self._done.put((domain, errand(resolver, domain)))


def look_up(domain: str, *, seconds: float = MAX_SECONDS, nameservers: t.Sequence[tuple[str, int]] = ()) -> DomainView:
    """MX of a domain and TXT of its `_mta-sts`, within `seconds`. Raises nothing: the view says how it ended.

    `nameservers` are addresses and ports to ask instead of those of the system.
    """
    return Lookups([domain], seconds=seconds, nameservers=nameservers).views(2 * seconds)[domain]


def _mail_exchangers(resolver: dns.resolver.Resolver, domain: str) -> dict[str, t.Any]:
    status, authenticated, records = _ask(resolver, domain, "MX")
    mx = tuple(sorted((int(item.preference), item.exchange.to_text().rstrip(".").lower()) for item in records))
    if status == "ok" and [host for _preference, host in mx] == [""]:
        status, mx = "null_mx", ()  # RFC 7505: the root as the only exchange
    # Beside others it is no host that mail could go to.
    return {"mx_status": status, "mx_authenticated": authenticated, "mx": tuple(item for item in mx if item[1])}


def _sts_records(resolver: dns.resolver.Resolver, domain: str) -> dict[str, t.Any]:
    status, _authenticated, found = _ask(resolver, f"_mta-sts.{domain}", "TXT")
    return {
        "txt_status": status,
        "texts": tuple(b"".join(item.strings).decode("utf-8", "replace")[:4096] for item in found),
    }


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
