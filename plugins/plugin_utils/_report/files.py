# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""The files of a report."""

from __future__ import annotations

import pathlib
import typing as t

from ansible_collections.mailops.tls.plugins.plugin_utils._report.document import to_json
from ansible_collections.mailops.tls.plugins.plugin_utils._report.html import render_html
from ansible_collections.mailops.tls.plugins.plugin_utils._report.junit import render_junit
from ansible_collections.mailops.tls.plugins.plugin_utils._report.write import WriteError, write_atomic

Document = dict[str, t.Any]


FORMATS: t.Final[t.Mapping[str, tuple[str, t.Callable[[Document], bytes]]]] = {
    "html": (".html", lambda document: render_html(document).encode()),
    "json": (".json", to_json),
    "junit": (".xml", lambda document: render_junit(document).encode()),
}


def write_reports(document: Document, directory: pathlib.Path, basename: str, formats: t.Sequence[str]) -> list[str]:
    """Write the report in the formats asked for; return the absolute paths in that order. Raises as write_files does.

    All are rendered before the first is written, so an error leaves the reports of an earlier run as they were.
    """
    check_basename(basename)
    return write_files([(FORMATS[name][0], FORMATS[name][1](document)) for name in formats], directory, basename)


def check_basename(basename: str) -> None:
    """Raises ValueError for what is no plain file name."""
    if basename in ("", ".", "..") or "/" in basename or "\0" in basename:
        raise ValueError(f"basename: must be a plain file name, not {basename!r}")


def write_files(rendered: t.Sequence[tuple[str, bytes]], directory: pathlib.Path, basename: str) -> list[str]:
    """Write (ending, content) pairs into a directory, which is made if needed; return the absolute paths.

    Raises ValueError for a bad base name and WriteError when the directory or a file cannot be written.
    """
    check_basename(basename)
    if not rendered:
        return []
    directory = directory.absolute()
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WriteError(f"Cannot make the directory {directory}: {error.strerror or error}") from error
    return [str(write_atomic(directory / (basename + suffix), data)) for suffix, data in rendered]
