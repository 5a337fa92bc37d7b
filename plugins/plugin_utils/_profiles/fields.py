# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""Small readers of untrusted data: each takes a value and its place, and returns it typed or refuses it by name.

A refusal is a ProfileError such as `profiles[1] (./my.yml): endpoints[0].kind: must be one of crl, ocsp, ca_issuers, not 'CRL'`.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import difflib
import ipaddress
import re
import typing as t
import urllib.parse

from ansible_collections.mailops.tls.plugins.plugin_utils._profiles.model import ProfileError

T = t.TypeVar("T")

MAX_TEXT: t.Final = 500
MAX_URL: t.Final = 2048
MAX_SERIAL_HEX: t.Final = 40  # RFC 5280 section 4.1.2.2: at most 20 octets

_IDENTIFIER = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}", re.ASCII)
_HEX = re.compile(r"[0-9a-f]+", re.ASCII)
_LABEL = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)", re.ASCII)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z", re.ASCII)


@dataclasses.dataclass(frozen=True)
class Place:
    """Where a value stands: the source a user would recognise, and the path of keys inside it."""

    source: str
    path: str = ""

    def key(self, name: str) -> Place:
        """The place of a key below this one."""
        return Place(self.source, f"{self.path}.{name}" if self.path else name)

    def item(self, index: int) -> Place:
        """The place of an item of the list at this one."""
        return Place(self.source, f"{self.path}[{index}]")

    def refuse(self, reason: str) -> ProfileError:
        """The error to raise: place and reason."""
        return ProfileError(": ".join(part for part in (self.source, self.path, reason) if part))


Reader = t.Callable[[t.Any, Place], T]


@dataclasses.dataclass(frozen=True)
class Field:
    """A key of a mapping: how its value is read, and whether it must be there. An optional one may also be null."""

    read: Reader[t.Any]
    required: bool = False


def show(value: t.Any) -> str:
    """A value as an error message may quote it: short, on one line."""
    text = ascii(value)
    return text if len(text) <= 60 else text[:57] + "..."


def suggest(word: str, known: t.Iterable[str]) -> str:
    """A did-you-mean to put behind an error, or nothing."""
    close = difflib.get_close_matches(str(word)[:100].lower(), list(known), n=1, cutoff=0.6)
    return f"; did you mean {close[0]}?" if close else ""


def mapping(value: t.Any, at: Place, fields: t.Mapping[str, Field]) -> dict[str, t.Any]:
    """Read a mapping by its table of fields. Keys that are absent or null come back as None; unknown keys are refused."""
    if not isinstance(value, t.Mapping):
        raise at.refuse(f"must be a mapping of {', '.join(fields)}, not {_kind(value)}")
    for key in value:
        if not isinstance(key, str) or key not in fields:
            raise at.refuse(f"unknown key {show(key)}{suggest(str(key), fields)} (known: {', '.join(fields)})")
    result: dict[str, t.Any] = {}
    for name, field in fields.items():
        if value.get(name) is not None:
            result[name] = field.read(value[name], at.key(name))
        elif field.required:
            raise at.key(name).refuse("is required")
        else:
            result[name] = None
    return result


def listing(read: Reader[T], *, at_most: int, at_least: int = 0) -> Reader[tuple[T, ...]]:
    """A reader of lists whose items are read by `read`."""

    def read_list(value: t.Any, at: Place) -> tuple[T, ...]:
        if isinstance(value, (str, bytes, t.Mapping)) or not isinstance(value, t.Sequence):
            raise at.refuse(f"must be a list, not {_kind(value)}")
        if not at_least <= len(value) <= at_most:
            raise at.refuse(f"must have {at_least} to {at_most} items, not {len(value)}")
        return tuple(read(item, at.item(index)) for index, item in enumerate(value))

    return read_list


def text(value: t.Any, at: Place) -> str:
    """A line of text, 1 to 500 characters, nothing that would disturb a terminal."""
    if not isinstance(value, str):
        raise at.refuse(f"must be text, not {_kind(value)}")
    if not value.strip() or len(value) > MAX_TEXT or not value.isprintable():
        raise at.refuse(f"must be 1 to {MAX_TEXT} printable characters on one line, not {show(value)}")
    return str(value)


def text_or_empty(value: t.Any, at: Place) -> str:
    """As `text`, or the empty string: an attribute that is known to be empty."""
    return "" if value == "" else text(value, at)


def identifier(value: t.Any, at: Place) -> str:
    """A short name for use in other places: lower-case letters, digits, dot, hyphen, underscore."""
    if not isinstance(value, str):
        raise at.refuse(f"must be text, not {_kind(value)}")
    if not _IDENTIFIER.fullmatch(value):
        raise at.refuse(f"must be 1 to 64 of a-z, 0-9, '.', '_' and '-', beginning with a letter or digit, not {show(value)}")
    return str(value)


def one_of(*choices: str) -> Reader[str]:
    """A reader of one of a few words."""

    def read_choice(value: t.Any, at: Place) -> str:
        if not isinstance(value, str) or value not in choices:
            raise at.refuse(f"must be one of {', '.join(choices)}, not {show(value)}")
        return str(value)

    return read_choice


def number(low: int, high: int) -> Reader[int]:
    """A reader of whole numbers in a range, both ends included."""

    def read_number(value: t.Any, at: Place) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise at.refuse(f"must be a whole number from {low} to {high}, not {show(value)}")
        return int(value)

    return read_number


def fingerprint(digits: int) -> Reader[str]:
    """A reader of a digest in hexadecimal, with or without colons, in any case; comes back in lower case without colons."""

    def read_fingerprint(value: t.Any, at: Place) -> str:
        plain = _plain_hex(value, at)
        if len(plain) != digits:
            raise at.refuse(f"must have {digits} hexadecimal digits, not {len(plain)}")
        return plain

    return read_fingerprint


def serial(value: t.Any, at: Place) -> str:
    """A certificate serial number in hexadecimal, as openssl and browsers print it; an odd first digit gets its zero."""
    plain = _plain_hex(value, at)
    if len(plain) > MAX_SERIAL_HEX + 2:
        raise at.refuse(f"must have at most {MAX_SERIAL_HEX} hexadecimal digits (RFC 5280 section 4.1.2.2)")
    return canonical_serial(int(plain, 16))


def canonical_serial(value: int) -> str:
    """A serial number as this collection writes it: whole bytes of lower-case hexadecimal, no sign byte."""
    digits = f"{value:x}"
    return digits if len(digits) % 2 == 0 else "0" + digits


def _plain_hex(value: t.Any, at: Place) -> str:
    if not isinstance(value, str):
        raise at.refuse(f"must be hexadecimal text in quotes (YAML reads bare digits as a number), not {_kind(value)}")
    plain = value.replace(":", "").lower()
    if not _HEX.fullmatch(plain):
        raise at.refuse(f"must be hexadecimal digits, optionally with colons, not {show(value)}")
    return plain


def date(value: t.Any, at: Place) -> dt.date:
    """A day, YYYY-MM-DD. YAML loaders that make dates themselves are welcome."""
    if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
        return dt.date(value.year, value.month, value.day)
    if isinstance(value, str) and _DATE.fullmatch(value):
        try:
            return dt.date.fromisoformat(value)
        except ValueError as error:
            raise at.refuse(f"is not a date: {error}") from None
    raise at.refuse(f"must be a date as YYYY-MM-DD, not {show(value)}")


def instant(value: t.Any, at: Place) -> dt.datetime:
    """A moment in UTC, YYYY-MM-DDTHH:MM:SSZ, or a day, which stands for its first second."""
    if isinstance(value, dt.datetime):
        # Rebuilt, because YAML loaders hand over subclasses of their own; a time without a zone counts as UTC, as in YAML.
        return dt.datetime(*value.utctimetuple()[:6], tzinfo=dt.timezone.utc)
    if isinstance(value, str) and _INSTANT.fullmatch(value):
        try:
            return dt.datetime.strptime(value, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=dt.timezone.utc)
        except ValueError as error:
            raise at.refuse(f"is not a moment: {error}") from None
    if isinstance(value, dt.date) or (isinstance(value, str) and _DATE.fullmatch(value)):
        return dt.datetime.combine(date(value, at), dt.time(), dt.timezone.utc)
    raise at.refuse(f"must be a moment in UTC as YYYY-MM-DDTHH:MM:SSZ, or a date, not {show(value)}")


def host(value: t.Any, at: Place) -> str:
    """A host name (RFC 1123) or an IP address without brackets; names come back in lower case."""
    if not isinstance(value, str):
        raise at.refuse(f"must be text, not {_kind(value)}")
    if not is_host(value):
        raise at.refuse(f"must be a host name or an IP address, not {show(value)}")
    return value.lower()


def is_host(value: str) -> bool:
    """Whether the text is a host name or an IP address. A last label of digits only is neither."""
    try:
        ipaddress.ip_address(value)
    except ValueError:
        labels = value.rstrip(".").split(".") if not value.endswith("..") else [""]
        return len(value) <= 253 and all(_LABEL.fullmatch(label) for label in labels) and not labels[-1].isdigit()
    return "%" not in value  # an IPv6 zone means something else on every host


def listed_host(value: t.Any, at: Place) -> str:
    """What a publisher lists: `host:port` in lower case, where `*` in the host stands for any characters."""
    name, separator, port = value.rpartition(":") if isinstance(value, str) else ("", "", "")
    valid_port = port.isascii() and port.isdecimal() and len(port) < 6 and 0 < int(port) < 65536
    if not separator or ":" in name or not valid_port or not is_host(name.replace("*", "a")) or not name.strip("*."):
        raise at.refuse(f"must be host:port, where the host may have wildcards (*), not {show(value)}")
    return f"{name.lower()}:{int(port)}"


def url(value: t.Any, at: Place) -> str:
    """An absolute http or https URL as certificates carry them, with its host checked, without user information."""
    if not isinstance(value, str):
        raise at.refuse(f"must be text, not {_kind(value)}")
    if len(value) > MAX_URL or not value.isascii() or not value.isprintable() or set(value) & set(' "<>\\^`{|}'):
        raise at.refuse(f"must be a URL of at most {MAX_URL} plain ASCII characters without spaces, not {show(value)}")
    try:
        parts = urllib.parse.urlsplit(value)
        port = parts.port
    except ValueError as error:
        raise at.refuse(f"is not a URL: {error}") from None
    if parts.scheme.lower() not in ("http", "https"):
        raise at.refuse(f"must begin with http:// or https://, not {show(value)}")
    if "@" in parts.netloc:
        raise at.refuse("must not hold a user name or password")
    if not parts.hostname or not is_host(parts.hostname) or port == 0:
        raise at.refuse(f"must name a host, and a port from 1 to 65535 if any, not {show(value)}")
    if "#" in value:
        raise at.refuse("must not have a fragment (#)")
    return str(value)


def _kind(value: t.Any) -> str:
    """What a value is, in YAML's words."""
    kinds = (
        (bool, "a boolean"),
        ((int, float), "a number"),
        (str, "text"),
        (t.Mapping, "a mapping"),
        (list, "a list"),
        (dt.date, "a date"),
    )
    for types, name in kinds:
        if isinstance(value, types):
            return name
    return "nothing" if value is None else type(value).__name__
