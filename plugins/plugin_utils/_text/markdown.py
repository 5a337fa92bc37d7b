# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""Text as Markdown that cannot become markup."""

from __future__ import annotations

import re
import typing as t

_MARKUP = re.compile(r"([\\`*_{}\[\]()<>#!|~&$])")
# Inside a code span nothing can be escaped, and a bar still ends the cell of a table.
_CODE: t.Final = {ord("`"): "%60", ord("|"): "%7C", ord("\\"): "%5C"}


def code(text: str) -> str:
    """A code span; the three characters that could end it or the cell are percent-encoded."""
    return f"`{text.translate(_CODE)}`" if text.strip() else ""


def escaped(text: str) -> str:
    """Text with everything that Markdown might take for markup escaped."""
    return _MARKUP.sub(r"\\\1", text)
