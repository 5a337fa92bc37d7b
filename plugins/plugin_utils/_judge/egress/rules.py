# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""What to ask the firewall team for: the destinations that were blocked when the host tried to connect, each once."""

from __future__ import annotations

import typing as t
import urllib.parse

from ansible_collections.mailops.tls.plugins.plugin_utils._judge.egress.answer import AddressSeen, Hop, ProxySeen
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.egress.stages import last_hop
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.egress.wording import BY_CAUSE, Judged, dead_addresses

_WHY: t.Final = {
    "tcp_timeout": "connection attempts get no answer",
    "tcp_refused": "the connection is refused",
    "tcp_reset": "the connection is reset",
    "tcp_unreachable": "the destination is unreachable",
    "proxy_unreachable": "the proxy cannot be reached",
    "egress.address.partial": "this address is dead beside live ones",
}
_KINDS: t.Final = {"crl": "CRL", "ocsp": "OCSP", "ca_issuers": "issuer certificates"}


def firewall_rules(judged: t.Sequence[Judged]) -> list[dict[str, t.Any]]:
    """One rule per destination, address and port, sorted; `address` is None where none was seen.

    With a proxy in use the way to the CA is the proxy's business: only the way to an unreachable proxy is asked for,
    and only where the proxy's name resolves: no firewall mends a name.
    """
    rules: dict[tuple[str, str, int], dict[str, t.Any]] = {}
    for item in judged:
        cause = item.outcome.cause
        if cause == "proxy_unreachable" and item.answer and item.answer.proxy and item.answer.proxy.addresses:
            proxy = item.answer.proxy
            host, port = _proxy_place(proxy)
            _add(rules, item, host, port, proxy.addresses, cause, proxy.addresses)
        elif cause.startswith("tcp_") and (item.answer is None or item.answer.proxy is None):
            hop = last_hop(item.answer)
            host, port = (hop.host, hop.port) if hop else (item.result["host"] or "", item.result["port"] or 0)
            _add(rules, item, host, port, _blocked(hop, item.outcome.stage), cause, hop.addresses if hop else ())
        dead = dead_addresses(item)
        if dead and item.answer and item.answer.proxy is None:
            first = item.answer.hops[0]
            _add(rules, item, first.host, first.port, dead, "egress.address.partial", first.addresses)
    return [_finished(rules[key]) for key in sorted(rules)]


def _blocked(hop: Hop | None, stage: str) -> t.Sequence[AddressSeen]:
    if hop is None:
        return ()
    # Reset after the request: it is the address that connected which is interfered with.
    return [item for item in hop.addresses if (item.connected is True if stage == "http" else item.connected is not True)]


def _proxy_place(proxy: ProxySeen) -> tuple[str, int]:
    try:
        parts = urllib.parse.urlsplit(proxy.url if "://" in proxy.url else f"http://{proxy.url}")
        return parts.hostname or proxy.url, parts.port or {"https": 443}.get(parts.scheme, 80)
    except ValueError:
        return proxy.url, 0


def _add(
    rules: dict[tuple[str, str, int], dict[str, t.Any]],
    item: Judged,
    host: str,
    port: int,
    blocked: t.Sequence[AddressSeen],
    cause: str,
    seen: t.Sequence[AddressSeen],
) -> None:
    finding = cause if cause in _WHY and "." in cause else BY_CAUSE[cause].id
    for address in [one.address for one in blocked] or [""]:
        rule = rules.setdefault(
            (host, address, port),
            {
                "destination": host,
                "address": address or None,
                "port": port,
                "protocol": "tcp",
                "addresses_seen": set(),
                "urls": set(),
                "why": set(),
                "findings": set(),
            },
        )
        rule["addresses_seen"].update(one.address for one in seen)
        rule["urls"].add(item.check.endpoint.name)
        rule["why"].add(f"{_KINDS[item.check.endpoint.kind]}: {_WHY[cause]}")
        rule["findings"].add(finding)


def _finished(rule: dict[str, t.Any]) -> dict[str, t.Any]:
    lists = {key: sorted(rule[key]) for key in ("addresses_seen", "urls", "findings")}
    return {**rule, **lists, "why": "; ".join(sorted(rule["why"]))}
