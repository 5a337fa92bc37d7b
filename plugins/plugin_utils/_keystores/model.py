# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""What a keystore holds, whatever its format: certificates, and whether the software that reads it takes each for an anchor."""

from __future__ import annotations

import dataclasses
import hashlib
import typing as t

# anchor: trusted for TLS servers. other: in the store but no anchor. wrong_use: an anchor, but not for TLS servers.
Use = t.Literal["anchor", "other", "wrong_use", "distrusted", "unknown"]
# What the store's checksum or MAC, keyed by its password, says: there is none; it fits; it does not (it is another password, or
# someone who did not know it changed the file); its algorithm is not known here.
Integrity = t.Literal["unprotected", "verified", "failed", "unchecked"]

MAX_ENTRIES: t.Final = 5000
MAX_CERTIFICATE_BYTES: t.Final = 65536
DEFAULT_PASSWORD: t.Final = "changeit"  # noqa: S105 - of every JDK's own cacerts, public


class KeystoreError(ValueError):
    """The bytes cannot be read as this kind of store. The message gives the reason and holds nothing from the store."""


@dataclasses.dataclass(frozen=True)
class Entry:
    """A certificate of the store. `use` counts what the store says of it, `detail` explains every use but anchor."""

    der: bytes
    use: Use
    detail: str = ""

    @property
    def sha256(self) -> str:
        """The fingerprint."""
        return hashlib.sha256(self.der).hexdigest()


@dataclasses.dataclass(frozen=True)
class Keystore:
    """A store that was read. `caveat` is what has to be known to read a root's absence from it rightly."""

    format: str
    entries: tuple[Entry, ...]
    integrity: Integrity = "unprotected"
    caveat: str = ""

    @property
    def anchors(self) -> tuple[Entry, ...]:
        """The certificates that are trusted for TLS servers."""
        return tuple(entry for entry in self.entries if entry.use == "anchor")
