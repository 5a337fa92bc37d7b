# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""The change request as an example for nftables: what hosts that filter their own output would have to accept."""

from __future__ import annotations

import ipaddress
import re
import typing as t

from ansible_collections.mailops.tls.plugins.plugin_utils._change_request.collect import ChangeRequest, Row

TABLE: t.Final = "mailops_tls_ca_egress"
_COMMENT_LIMIT: t.Final = 120  # nft takes 127 bytes
_FAMILIES: t.Final = ((4, "ipv4", "ip"), (6, "ipv6", "ip6"))
_HEADER: t.Final = """\
#!/usr/sbin/nft -f
# Example: the connections to certificate authorities (or to the proxy) that hosts have to open.
# {scope}
# Load with `nft -f FILE` on a host that filters its own output; it replaces the table of an earlier run. Keep the rules of
# that host's group only. An accept ends the evaluation of this chain and not of others: where another base chain drops,
# move the rules there. Addresses behind names of content delivery networks change, so the sets have to be kept up to date.
"""
_SCOPES: t.Final = {
    "blocked": "Only what was seen to be blocked.",
    "needed": "Everything that is needed, open already or not.",
}


def render_nftables(request: ChangeRequest) -> str:
    """A file for `nft -f`: sets of address and port for each group of hosts, and the rules that accept them.

    Where there is nothing to accept, the file holds comments only, and loading it changes nothing.
    """
    lines = [_HEADER.format(scope=_SCOPES[request.scope])]
    lines += [f"# Not known, for want of a result: {_plain(host)}" for host in request.missing]
    lines += [
        f"# No address was seen for {_plain(row.destination)} port {row.port}, needed by {_plain(', '.join(row.sources))}"
        for row in request.rows
        if not _open(row, request)
    ]
    sets, rules = [], []
    for number, (sources, rows) in enumerate(_groups(request), 1):
        for version, suffix, word in _FAMILIES:
            elements = _elements(rows, request, version)
            if elements:
                name = f"group{number}_{suffix}"
                sets += _set(name, suffix, elements, sources)
                rules += _rules(name, word, rows, sources)
    if not rules:
        return "\n".join([*lines, "# There is nothing to open.", ""])
    chain = ["    chain output {", "        type filter hook output priority filter; policy accept;", *rules, "    }"]
    return "\n".join(
        [*lines, "", f"table inet {TABLE}", f"delete table inet {TABLE}", "", f"table inet {TABLE} {{", *sets, *chain, "}", ""]
    )


def _open(row: Row, request: ChangeRequest) -> tuple[str, ...]:
    return row.blocked if request.scope == "blocked" else tuple(dict.fromkeys((*row.addresses_seen, *row.blocked)))


def _groups(request: ChangeRequest) -> list[tuple[tuple[str, ...], list[Row]]]:
    """Rows by the hosts that share them, in order."""
    groups: dict[tuple[str, ...], list[Row]] = {}
    for row in request.rows:
        groups.setdefault(row.sources, []).append(row)
    return sorted(groups.items())


def _elements(rows: t.Sequence[Row], request: ChangeRequest, version: int) -> dict[tuple[str, str, int], list[str]]:
    """(protocol, address, port) with the destinations found there; one address may serve several names."""
    found: dict[tuple[int, str, int], tuple[str, list[str]]] = {}
    for row in rows:
        for text in _open(row, request):
            address = ipaddress.ip_address(text)
            if address.version == version:
                key = (int(address), row.protocol, row.port)
                found.setdefault(key, (str(address), []))[1].append(row.destination)
    return {(key[1], text, key[2]): sorted(set(names)) for key, (text, names) in sorted(found.items())}


def _set(
    name: str, suffix: str, elements: t.Mapping[tuple[str, str, int], t.Sequence[str]], sources: t.Sequence[str]
) -> list[str]:
    listed = [
        f"            {protocol} . {address} . {port} comment {_comment(', '.join(names))}"
        for (protocol, address, port), names in elements.items()
    ]
    return [
        f"    # {_plain(', '.join(sources))}",
        f"    set {name} {{",
        f"        type inet_proto . {suffix}_addr . inet_service",
        "        elements = {",
        ",\n".join(listed),
        "        }",
        "    }",
        "",
    ]


def _rules(name: str, word: str, rows: t.Sequence[Row], sources: t.Sequence[str]) -> list[str]:
    findings = sorted({finding for row in rows for finding in row.findings})
    comment = _comment(", ".join(findings) or "needed")
    return [
        f"        # {_plain(', '.join(sources))}",
        f"        meta l4proto . {word} daddr . th dport @{name} counter accept comment {comment}",
    ]


def _plain(text: str, limit: int = 1000) -> str:
    """Text for a comment of a line: printable ASCII, since a backslash or a line feed could go on in the next line."""
    plain = re.sub(r"[^ -\[\]-~]", "?", text)
    return plain if len(plain) <= limit else plain[: limit - 3] + "..."


def _comment(text: str) -> str:
    """A quoted comment; nft knows no escapes in it."""
    return f'"{_plain(text, _COMMENT_LIMIT).replace(chr(34), "?")}"'
