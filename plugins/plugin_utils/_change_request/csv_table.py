# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""The change request as CSV (RFC 4180), for tickets and spreadsheets."""

from __future__ import annotations

import csv
import io
import typing as t

from ansible_collections.mailops.tls.plugins.plugin_utils._change_request.collect import ChangeRequest, Row

COLUMNS: t.Final = (
    "sources",
    "destination",
    "addresses_seen",
    "blocked_addresses",
    "port",
    "protocol",
    "why",
    "needed_for",
    "findings",
)
# What spreadsheets take for the beginning of a formula, in their full-width forms too.
_FORMULA: t.Final = tuple("=+-@\t\r\n|%＝＋－＠")  # noqa: RUF001 - the look-alikes are meant


def render_csv(request: ChangeRequest) -> str:
    """A header and one line for each row; items within a cell are separated by `, `. Lines end with CR LF."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for row in request.rows:
        writer.writerow(guarded(cell) for cell in _cells(row))
    return out.getvalue()


def _cells(row: Row) -> tuple[str, ...]:
    several = (row.why, row.urls, row.findings)
    return (
        ", ".join(row.sources),
        row.destination,
        ", ".join(row.addresses_seen),
        ", ".join(row.blocked),
        str(row.port),
        row.protocol,
        *(", ".join(items) for items in several),
    )


def guarded(cell: str) -> str:
    """A cell that no spreadsheet runs: what looks like a formula gets the apostrophe that makes it text."""
    return f"'{cell}" if cell.lstrip(" \u00a0").startswith(_FORMULA) else cell
