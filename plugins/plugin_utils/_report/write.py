# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""Write a file so that readers see the old one or the new one, never a part of it."""

from __future__ import annotations

import contextlib
import os
import pathlib
import secrets


class WriteError(Exception):
    """The file could not be written. The message names it and says why."""


def write_atomic(path: str | os.PathLike[str], data: bytes, mode: int = 0o644) -> pathlib.Path:
    """Write `data` to `path` by way of a temporary file beside it; return the path written.

    A symbolic link is followed, so that the file it points to is replaced and the link stays. The directory must exist.
    A new file gets `mode`; so does one that is replaced. Raises WriteError, and then leaves what was there as it was.
    """
    asked = pathlib.Path(path)
    try:
        target = asked.resolve()
    except (OSError, RuntimeError) as error:  # RuntimeError: a loop of links, before Python 3.13
        raise WriteError(f"Cannot write {asked}: {error}") from error
    if target.is_dir():
        raise WriteError(f"Cannot write {asked}: it is a directory")
    if target.exists() and not target.is_file():
        raise WriteError(f"Cannot write {asked}: it is not a regular file")
    temporary = target.with_name(f".{target.name[:100]}.{secrets.token_hex(6)}.tmp")
    try:
        _write_new(temporary, data, mode)
        temporary.replace(target)
        _sync_directory(target.parent)
    except OSError as error:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise WriteError(f"Cannot write {asked}: {error.strerror or error}") from error
    return target


def _write_new(path: pathlib.Path, data: bytes, mode: int) -> None:
    # O_EXCL: in a directory that others may write to, nobody can have put a link there first.
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as handle:
        handle.write(data)
        os.fchmod(descriptor, mode)
        handle.flush()
        os.fsync(descriptor)


def _sync_directory(path: pathlib.Path) -> None:
    # Makes the rename survive a power cut. Some network file systems refuse it; the file is written all the same.
    with contextlib.suppress(OSError):
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
