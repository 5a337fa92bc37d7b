# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""Rows of an SQLite file that is given as bytes and may be hostile: no writing, bounded work, plain tables only."""

from __future__ import annotations

import contextlib
import pathlib
import sqlite3
import tempfile
import typing as t

from ansible_collections.mailops.tls.plugins.plugin_utils._keystores.model import KeystoreError

MAGIC: t.Final = b"SQLite format 3\0"
_HEADER_BYTES: t.Final = 100
# Virtual machine steps. An honest store of 1000 objects needs some ten thousand.
_STEPS_AT_ONCE, _MOST_TIMES = 10000, 500


def read_table(data: bytes, table: str, columns: t.Sequence[str], most: int) -> list[dict[str, bytes | None]]:
    """The rows of `table`, at most `most` (int), with those of `columns` that it has; a value that is no blob is None.

    Raises KeystoreError.
    """
    if not data.startswith(MAGIC) or len(data) < _HEADER_BYTES:
        raise KeystoreError("not an SQLite database")
    if data[18] != 1 or data[19] != 1:
        # File format of 2: a write-ahead log beside the file may hold newer content.
        raise KeystoreError("an SQLite database in WAL mode, of which this file may not be all")
    try:
        with _opened(data) as connection:
            return _rows(connection, table, columns, most)
    except (sqlite3.Error, MemoryError, OverflowError, UnicodeError):
        # The text of an SQLite error can quote what is in the file.
        raise KeystoreError("a damaged SQLite database") from None


@contextlib.contextmanager
def _opened(data: bytes) -> t.Iterator[sqlite3.Connection]:
    """The database in memory; before Python 3.11, which cannot do that, as a private temporary file."""
    with contextlib.ExitStack() as stack:
        if hasattr(sqlite3.Connection, "deserialize"):
            connection: t.Any = stack.enter_context(contextlib.closing(sqlite3.connect(":memory:")))
            connection.deserialize(data)
        else:
            path = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="mailops-tls-"))) / "copy.db"
            path.write_bytes(data)
            connection = stack.enter_context(contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)))
        budget = iter(range(_MOST_TIMES))
        connection.set_progress_handler(lambda: next(budget, None) is None, _STEPS_AT_ONCE)
        connection.execute("PRAGMA query_only = ON")
        connection.execute("PRAGMA trusted_schema = OFF")
        connection.execute("PRAGMA cell_size_check = ON")
        yield connection


def _rows(connection: sqlite3.Connection, table: str, columns: t.Sequence[str], most: int) -> list[dict[str, bytes | None]]:
    # A view or a virtual table of that name could run anything.
    kinds = connection.execute("SELECT type, sql FROM sqlite_master WHERE name = ?", (table,)).fetchmany(2)
    if len(kinds) != 1 or kinds[0][0] != "table" or not str(kinds[0][1]).lstrip().upper().startswith("CREATE TABLE"):
        raise KeystoreError(f"an SQLite database without the table {table}")
    present = {str(row[1]) for row in connection.execute(f'PRAGMA table_info("{table}")').fetchmany(2000)}
    asked = [name for name in columns if name in present]
    if not asked:
        return []
    # Names come from this collection, not from the file.
    listed = ", ".join(f'"{name}"' for name in asked)
    rows = connection.execute(f'SELECT {listed} FROM "{table}"').fetchmany(most + 1)  # noqa: S608 - see above
    if len(rows) > most:
        raise KeystoreError(f"more than {most} objects")
    return [{name: value if isinstance(value, bytes) else None for name, value in zip(asked, row, strict=True)} for row in rows]
