# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""DER elements of large files, read without copying and within bounds (X.690 section 8.1)."""

from __future__ import annotations

import typing as t

from ansible_collections.mailops.tls.plugins.plugin_utils._keystores.model import KeystoreError

INTEGER, OCTETS, OID, SEQUENCE, SET, BMP_STRING = 0x02, 0x04, 0x06, 0x30, 0x31, 0x1E
MAX_ELEMENTS: t.Final = 20000


class Element(t.NamedTuple):
    """A tag and the content under it."""

    tag: int
    content: memoryview

    def expect(self, tag: int) -> memoryview:
        """The content, if the tag is the one wanted. Raises KeystoreError."""
        if self.tag != tag:
            raise KeystoreError("not the structure expected")
        return self.content

    def children(self, tag: int, least: int = 0, most: int = MAX_ELEMENTS) -> list[Element]:
        """The elements in it, so many, if the tag is the one wanted. Raises KeystoreError."""
        found = elements(self.expect(tag), most)
        if len(found) < least:
            raise KeystoreError("not the structure expected")
        return found

    def only(self, tag: int) -> Element:
        """The one element in it, as under an explicit tag. Raises KeystoreError."""
        found = self.children(tag, 1)
        if len(found) != 1:
            raise KeystoreError("not the structure expected")
        return found[0]

    def oid(self) -> bytes:
        """The encoded object identifier."""
        return bytes(self.expect(OID)[:64])

    def number(self, most: int) -> int:
        """A number from 0 to `most`. Raises KeystoreError."""
        content = self.expect(INTEGER)
        value = int.from_bytes(content[:9], "big", signed=True)
        if not 0 < len(content) <= 8 or not 0 <= value <= most:
            raise KeystoreError("a number out of bounds")
        return value


def elements(data: memoryview, most: int = MAX_ELEMENTS) -> list[Element]:
    """All elements in `data`. Raises KeystoreError for anything but DER, and for more than `most`."""
    found: list[Element] = []
    at, end = 0, len(data)
    while at < end:
        if len(found) >= most:
            raise KeystoreError("too many elements")
        element, at = _element(data, at)
        found.append(element)
    return found


def _element(data: memoryview, at: int) -> tuple[Element, int]:
    if len(data) - at < 2 or data[at] & 0x1F == 0x1F:
        raise KeystoreError("not DER")
    length, start = data[at + 1], at + 2
    if length == 0x80:
        raise KeystoreError("encoded as BER with indefinite lengths, which is not read here")
    if length & 0x80:
        count = length & 0x7F
        if count > 4 or len(data) - start < count:
            raise KeystoreError("not DER")
        length, start = int.from_bytes(data[start : start + count], "big"), start + count
    if length > len(data) - start:
        raise KeystoreError("cut off")
    return Element(data[at], data[start : start + length]), start + length


def encoded_oid(dotted: str) -> bytes:
    """The content octets of an object identifier."""
    first, second, *others = (int(part) for part in dotted.split("."))
    result = bytearray()
    for arc in (first * 40 + second, *others):
        septets = [arc & 0x7F]
        while arc := arc >> 7:
            septets.append(arc & 0x7F | 0x80)
        result.extend(reversed(septets))
    return bytes(result)
