# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""Hosts against checks: which columns the findings of a fleet make, and the worst finding of each host in each."""

from __future__ import annotations

import dataclasses
import typing as t
import urllib.parse

from ansible_collections.mailops.tls.plugins.plugin_utils._findings.model import SEVERITIES, STATUSES

MAX_COLUMNS: t.Final = 60

# Kind of a finding's subject -> the heading its columns stand under, in the order of the page.
_GROUPS: t.Final[t.Mapping[str, str]] = {
    "host": "Host",
    "endpoint": "CA endpoints",
    "root": "Trusted roots",
    "store": "Trust stores",
    "profile": "Profiles",
}
_OTHER = "Other checks"


@dataclasses.dataclass(frozen=True)
class Column:
    """A check: the heading it belongs to and its own name."""

    group: str
    name: str


@dataclasses.dataclass(frozen=True)
class Cell:
    """The worst finding of a host in a column: its status, its place among the host's findings, and how many share the column."""

    status: str
    index: int
    count: int
    summary: str


@dataclasses.dataclass(frozen=True)
class Matrix:
    """`rows[i][j]` is host i in column j, None where nothing was found. `groups` are headings with their widths, `starts` says
    which columns are the first below theirs."""

    columns: tuple[Column, ...]
    starts: tuple[bool, ...]
    groups: tuple[tuple[str, int], ...]
    rows: tuple[tuple[Cell | None, ...], ...]
    left_out: int


def build_matrix(hosts: t.Sequence[t.Mapping[str, t.Any]]) -> Matrix:
    """Make the matrix of a document's hosts. Findings are in the order of the document, so the first of a cell is the worst."""
    cells: list[dict[Column, Cell]] = []
    worst: dict[Column, tuple[int, int]] = {}
    for host in hosts:
        row: dict[Column, Cell] = {}
        # Of a host without a result there is one thing to say, and the page says it across the row.
        for index, finding in enumerate(host["findings"] if host["state"] == "checked" else ()):
            column = column_of(finding)
            known = row.get(column)
            if known is None:
                row[column] = Cell(finding["status"], index, 1, finding["summary"])
            else:
                row[column] = dataclasses.replace(known, count=known.count + 1)
            rank = (_rank(STATUSES, finding["status"]), _rank(SEVERITIES, finding["severity"]))
            worst[column] = min(worst.get(column, rank), rank)
        cells.append(row)
    # Where there are more columns than a page can show, those with the worst news stay.
    kept = sorted(worst, key=lambda column: (worst[column], column.group, column.name))[:MAX_COLUMNS]
    columns = tuple(sorted(kept, key=_column_order))
    return Matrix(
        columns=columns,
        starts=tuple(not i or column.group != columns[i - 1].group for i, column in enumerate(columns)),
        groups=_headings(columns),
        rows=tuple(tuple(row.get(column) for column in columns) for row in cells),
        left_out=len(worst) - len(columns),
    )


def column_of(finding: t.Mapping[str, t.Any]) -> Column:
    """The check a finding belongs to.

    CA endpoints are gathered by host name, because that is what a firewall opens; roots over all stores of a host.
    """
    kind, name = finding["subject"]["kind"], finding["subject"]["name"]
    if kind == "host":
        # Not its name, which is different on each: what was found of it.
        name = finding["id"].rsplit(".", 1)[0]
    elif kind == "endpoint":
        name = _endpoint_host(name)
    elif kind == "root":
        name = name.split(" in ", 1)[0]
    return Column(_GROUPS.get(kind, _OTHER), name)


def _endpoint_host(name: str) -> str:
    try:
        host = urllib.parse.urlsplit(name if "://" in name else f"//{name}").hostname
    except ValueError:
        host = None
    return host or name


def _column_order(column: Column) -> tuple[int, str]:
    order = (*_GROUPS.values(), _OTHER)
    return order.index(column.group), column.name


def _headings(columns: tuple[Column, ...]) -> tuple[tuple[str, int], ...]:
    headings: list[tuple[str, int]] = []
    for column in columns:
        if headings and headings[-1][0] == column.group:
            headings[-1] = (column.group, headings[-1][1] + 1)
        else:
            headings.append((column.group, 1))
    return tuple(headings)


def _rank(order: tuple[str, ...], value: str) -> int:
    return order.index(value) if value in order else len(order)
