# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""Text from hosts, made fit for the place it goes to.

Escaping for HTML is Jinja's work, and for XML ElementTree's. This is what neither does: characters that move a terminal's
cursor, turn the direction of the text around, or may not stand in the format at all.
"""

from __future__ import annotations

import math
import re
import typing as t

# ECMA-48 control sequences: CSI, OSC and the like up to their terminator, and the two-character escapes.
_ANSI = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b[ -/]*[0-~]|\x9b[0-?]*[ -/]*[@-~]")

# C0 and C1 without tab and line feed, the line separators of Unicode, all marks, embeddings, overrides and isolates of direction
# (UAX #9), zero-width characters, and lone surrogates (which JSON can carry and UTF-8 cannot).
_HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb\ud800-\udfff]"
    "|[\U000e0000-\U000e007f]"
)

# What XML 1.0 section 2.2 does not admit, not even as a reference.
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

_USERINFO = re.compile(r"(\b[A-Za-z][A-Za-z0-9+.-]*://)[^\s/?#]*@")
_SECRET_KEYS = frozenset(
    {"password", "passwd", "secret", "token", "authorization", "proxy-authorization", "cookie", "set-cookie"}
)


def for_terminal(text: str) -> str:
    """One line without escape sequences and without characters that do not print."""
    return " ".join(_HIDDEN.sub("", _ANSI.sub("", text)).split())


def for_page(text: str) -> str:
    """The same text with characters that do not print shown as what they are, such as `\\u202e`."""
    return _HIDDEN.sub(_escape, text)


def for_xml(text: str) -> str:
    """The text without escape sequences and without characters that XML 1.0 forbids."""
    return _NOT_XML.sub("", _ANSI.sub("", text))


def redact(value: t.Any) -> t.Any:
    """A copy without user information in URLs and without values of keys that hold credentials.

    Judges put no secrets into findings; this is the second lock on the same door, because a report is passed around.
    """
    if isinstance(value, str):
        return _USERINFO.sub(r"\1***@", value) if "@" in value and "://" in value else value
    if isinstance(value, t.Mapping):
        return {str(key): _redact_item(str(key), item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [redact(item) for item in value]
    # JSON knows neither infinity nor NaN, though Python's reader lets both in.
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _redact_item(key: str, item: t.Any) -> t.Any:
    if isinstance(item, str) and item and key.lower().replace("_", "-") in _SECRET_KEYS:
        return "***"
    return redact(item)


def _escape(match: re.Match[str]) -> str:
    code = ord(match.group())
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
