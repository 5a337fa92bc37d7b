# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""The technical reference: which TLS versions and cipher suites the documentation lists for Exchange Online, as data."""

from __future__ import annotations

import dataclasses
import datetime as dt
import functools
import pathlib
import typing as t

from ansible_collections.mailops.tls.plugins.plugin_utils._profiles import fields as f
from ansible_collections.mailops.tls.plugins.plugin_utils._profiles.documents import read_document
from ansible_collections.mailops.tls.plugins.plugin_utils._profiles.fields import Field, Place

_FILE: t.Final = pathlib.Path(__file__).parent / "data" / "tls-reference.yml"


@dataclasses.dataclass(frozen=True)
class CipherSuite:
    """A suite by its names in OpenSSL and at IANA, and the protocol it belongs to."""

    openssl: str
    iana: str
    protocol: str


@dataclasses.dataclass(frozen=True)
class TlsReference:
    """`suites` stand in the documented order of preference, strongest first within a protocol.

    `mail_domains` are those in which Exchange Online has the hosts that MX records name.
    """

    as_of: dt.date
    sources: tuple[str, ...]
    protocols: tuple[str, ...]
    suites: tuple[CipherSuite, ...]
    mail_domains: tuple[str, ...]

    @property
    def names(self) -> list[str]:
        """The suites as OpenSSL calls them, in the documented order."""
        return [suite.openssl for suite in self.suites]

    def documents(self, cipher: str) -> bool:
        """Whether the list has the suite, by either name."""
        return any(cipher in (suite.openssl, suite.iana) for suite in self.suites)


@functools.lru_cache(maxsize=1)
def tls_reference() -> TlsReference:
    """The shipped reference."""
    at = Place("technical reference")
    anything = Field(lambda value, _at: value, required=True)
    names = ("as_of", "sources", "protocols", "suites", "mail_domains")
    data = f.mapping(read_document(str(_FILE), at), at, dict.fromkeys(names, anything))
    return TlsReference(
        as_of=data["as_of"] if isinstance(data["as_of"], dt.date) else dt.date.fromisoformat(data["as_of"]),
        sources=tuple(data["sources"]),
        protocols=tuple(data["protocols"]),
        suites=tuple(CipherSuite(**suite) for suite in data["suites"]),
        mail_domains=tuple(data["mail_domains"]),
    )
