# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""The change request as Markdown, for people who decide about it."""

from __future__ import annotations

import typing as t

from ansible_collections.mailops.tls.plugins.plugin_utils._change_request.collect import ChangeRequest, Row
from ansible_collections.mailops.tls.plugins.plugin_utils._text.markdown import code, escaped

_HEADINGS: t.Final = ("Sources", "Destination", "Addresses seen", "Blocked", "Port", "Protocol", "Why", "Needed for", "Findings")

_SCOPES: t.Final = {
    "blocked": "It covers only what was seen to be blocked.",
    "needed": "It covers every destination that the hosts need, whether it is open already or not.",
}
_NOTES: t.Final = """\
Destinations are servers of certificate authorities, or the proxy where a host uses one. Plain http on port 80 is right:
the answers are signed, and RFC 5280 section 8 advises against https for them. Names of content delivery networks change
their addresses: allow destinations by name where the firewall can, for IPv4 and IPv6 alike, and without inspection.
"""


def render_markdown(request: ChangeRequest) -> str:
    """A page with one table; text from hosts cannot become markup."""
    parts = ["# Firewall change request", "", f"Outgoing connections of {_count(len(request.hosts))}. {_SCOPES[request.scope]}"]
    if request.observed_from:
        parts.append(f"Observed from {escaped(request.observed_from)} to {escaped(request.observed_until or '')}.")
    parts += ["", *_table(request), ""]
    if request.missing:
        parts += ["## Hosts without a result", "", "What these hosts need is not known; they are not in the table.", ""]
        parts += [f"- {code(host)}" for host in request.missing] + [""]
    return "\n".join([*parts, "## Notes", "", _NOTES])


def _count(hosts: int) -> str:
    return "1 host" if hosts == 1 else f"{hosts} hosts"


def _table(request: ChangeRequest) -> list[str]:
    if not request.rows:
        if not request.hosts:
            return ["No host delivered a result, so nothing is known."]
        return ["Nothing is blocked." if request.scope == "blocked" else "Nothing is needed."]
    rule = ["---:" if heading == "Port" else "---" for heading in _HEADINGS]
    return [_line(_HEADINGS), _line(rule), *(_line(_cells(row)) for row in request.rows)]


def _cells(row: Row) -> tuple[str, ...]:
    return (
        _codes(row.sources),
        code(row.destination),
        _codes(row.addresses_seen),
        _codes(row.blocked),
        str(row.port),
        row.protocol.upper(),
        ", ".join(escaped(item) for item in row.why),
        _codes(row.urls),
        _codes(row.findings),
    )


def _line(cells: t.Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _codes(items: t.Sequence[str]) -> str:
    return ", ".join(code(item) for item in items)
