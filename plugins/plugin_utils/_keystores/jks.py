# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""Java's own keystore format JKS, and JCEKS, which differs in its magic number and in secret keys.

No library that ansible-core brings along reads it. The layout is that of sun.security.provider.JavaKeyStore: big endian
numbers, text as a length and modified UTF-8, and at the end SHA-1 over the password, a constant and all that comes before.
"""

from __future__ import annotations

import hashlib
import hmac
import typing as t

from ansible_collections.mailops.tls.plugins.plugin_utils._keystores.model import (
    MAX_CERTIFICATE_BYTES,
    MAX_ENTRIES,
    Entry,
    Keystore,
    KeystoreError,
)

JKS_MAGIC: t.Final = b"\xfe\xed\xfe\xed"
JCEKS_MAGIC: t.Final = b"\xce\xce\xce\xce"
_DIGEST_BYTES: t.Final = 20
_KEY, _TRUSTED, _SECRET = 1, 2, 3

IN_A_KEY_ENTRY: t.Final = (
    "The certificate is there only in the chain of a key entry, behind the key's own certificate. Java takes anchors from "
    "trusted certificate entries."
)
OF_A_KEY_ENTRY: t.Final = (
    "The certificate is there as that of a private key, not as a trusted certificate entry. Java's default trust manager takes "
    "it for an anchor, software that goes by trusted entries does not."
)


def read_jks(data: bytes, password: str) -> Keystore:
    """Read a JKS or JCEKS keystore. Certificates are not encrypted in it: the password only keys its checksum.

    Raises KeystoreError.
    """
    reader = _Reader(data)
    magic = reader.take(4)
    if magic not in (JKS_MAGIC, JCEKS_MAGIC):
        raise KeystoreError("not a JKS keystore")
    version, count = reader.number(4), reader.number(4)
    if version not in (1, 2):
        raise KeystoreError("a JKS keystore of an unknown version")
    if count > MAX_ENTRIES:
        raise KeystoreError(f"more than {MAX_ENTRIES} entries")
    found: dict[bytes, list[Entry]] = {}
    certificates = 0
    for _number in range(count):
        tag, alias = reader.number(4), reader.take(reader.number(2))
        reader.take(8)  # date of creation
        # Java keeps one entry per alias, the last.
        found[alias] = _entry(reader, tag, version)
        certificates += len(found[alias])
        if certificates > MAX_ENTRIES:
            raise KeystoreError(f"more than {MAX_ENTRIES} certificates")
    body = reader.position
    checksum = reader.take(_DIGEST_BYTES)
    if reader.left:
        raise KeystoreError("bytes behind the end of the keystore")
    seed = password.encode("utf-16-be", "surrogatepass") + b"Mighty Aphrodite"
    # SHA-1 is what the format has; nothing here relies on its strength.
    right = hmac.compare_digest(hashlib.sha1(seed + data[:body], usedforsecurity=False).digest(), checksum)
    entries = tuple(entry for group in found.values() for entry in group)
    return Keystore("JKS" if magic == JKS_MAGIC else "JCEKS", entries, "verified" if right else "failed")


def _entry(reader: _Reader, tag: int, version: int) -> list[Entry]:
    if tag == _TRUSTED:
        der = _certificate(reader, version)
        return [Entry(der, "anchor")] if der is not None else []
    if tag == _KEY:
        reader.take(reader.number(4))
        length = reader.number(4)
        if length > MAX_ENTRIES:
            raise KeystoreError("a chain of too many certificates")
        chain = [_certificate(reader, version) for _position in range(length)]
        return [
            Entry(der, "other", IN_A_KEY_ENTRY) if position else Entry(der, "unknown", OF_A_KEY_ENTRY)
            for position, der in enumerate(chain)
            if der is not None
        ]
    if tag == _SECRET:
        # A serialized Java object: where it ends only Java can tell, so the entries behind it cannot be found.
        raise KeystoreError("a JCEKS keystore with a secret key, which only Java can read")
    raise KeystoreError("an entry of an unknown kind")


def _certificate(reader: _Reader, version: int) -> bytes | None:
    kind = reader.take(reader.number(2)) if version == 2 else b"X.509"
    der = reader.take(reader.number(4))
    if len(der) > MAX_CERTIFICATE_BYTES:
        raise KeystoreError("a certificate that is too large")
    return der if kind in (b"X.509", b"X509") else None


class _Reader:
    """Takes bytes from the front. Raises KeystoreError where there are too few."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.position = 0

    @property
    def left(self) -> int:
        return len(self._data) - self.position

    def take(self, count: int) -> bytes:
        if count > self.left:
            raise KeystoreError("the keystore is cut off or damaged")
        self.position += count
        return self._data[self.position - count : self.position]

    def number(self, count: int) -> int:
        return int.from_bytes(self.take(count), "big")
