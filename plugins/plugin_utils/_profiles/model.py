# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""What a certificate generation needs, as data: profiles, roots, intermediates and endpoints.

All fingerprints and serial numbers are lower-case hexadecimal without separators.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import typing as t
import urllib.parse

EndpointKind = t.Literal["crl", "ocsp", "ca_issuers"]


class ProfileError(ValueError):
    """A profile, a root or an endpoint that is refused. The message names the source, the key and the reason."""


@dataclasses.dataclass(frozen=True)
class Root:
    """A root CA certificate, pinned by SHA-256. Without `pem` it can be looked for but not verified with."""

    id: str
    name: str
    sha256: str
    sha1: str | None = None
    serial: str | None = None
    key: str | None = None
    not_before: dt.datetime | None = None
    not_after: dt.datetime | None = None
    pem: str | None = None
    as_of: dt.date | None = None
    sources: tuple[str, ...] = ()
    # Its id in the catalogue, where who named it gave it another.
    listed_as: str | None = None


@dataclasses.dataclass(frozen=True)
class Intermediate:
    """A CA certificate below a root. `issuer` is the id of the root or intermediate that signed it."""

    id: str
    name: str
    issuer: str
    serial: str | None = None
    sha256: str | None = None
    sha1: str | None = None
    not_before: dt.datetime | None = None
    not_after: dt.datetime | None = None
    pem: str | None = None


@dataclasses.dataclass(frozen=True)
class Endpoint:
    """A place a host must reach. Either `url`, or `host` and `port` alone where only the way there can be checked.

    `issuer` is the id of the root or intermediate that signs what is found there: the CRL's signer, or the issuer of the
    certificates an OCSP responder answers for.
    """

    kind: EndpointKind
    url: str | None = None
    host: str | None = None
    port: int | None = None
    issuer: str | None = None

    @property
    def name(self) -> str:
        """How findings and reports call it."""
        return self.url or f"{self.host}:{self.port}"

    @property
    def place(self) -> tuple[str, int] | None:
        """Host in lower case and TCP port, as a firewall sees it; None for a URL that has none."""
        if self.url is None:
            return ((self.host or "").lower(), self.port) if self.port else None
        try:
            parts = urllib.parse.urlsplit(self.url)
            port = parts.port or {"http": 80, "https": 443}.get(parts.scheme.lower())
        except ValueError:
            return None
        return (parts.hostname.lower(), port) if parts.hostname and port else None


@dataclasses.dataclass(frozen=True)
class CertificateFacts:
    """The attributes of the certificate served, as Microsoft's article tables them."""

    common_name: str | None = None
    organization: str | None = None
    organizational_unit: str | None = None
    key_size: int | None = None


@dataclasses.dataclass(frozen=True)
class Profile:
    """A certificate generation. The window is [valid_from, valid_until); None is open.

    `listed` makes it a publisher's list of what to open: `host:port`, the host possibly with wildcards. Other profiles and
    certificates are compared with it. `notes` say what of its source the profile cannot express.
    """

    id: str
    title: str
    as_of: dt.date
    sources: tuple[str, ...]
    valid_from: dt.date | None
    valid_until: dt.date | None
    certificate: CertificateFacts
    roots: tuple[Root, ...]
    intermediates: tuple[Intermediate, ...]
    endpoints: tuple[Endpoint, ...]
    listed: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def in_force(self, today: dt.date) -> bool:
        """Whether this generation's window includes the day."""
        return (self.valid_from is None or self.valid_from <= today) and (self.valid_until is None or today < self.valid_until)

    def summary(self) -> dict[str, t.Any]:
        """What results and reports say of the profile that was used."""
        return {
            "id": self.id,
            "title": self.title,
            "as_of": self.as_of.isoformat(),
            "valid_from": self.valid_from.isoformat() if self.valid_from else None,
            "valid_until": self.valid_until.isoformat() if self.valid_until else None,
            "roots": [root.id for root in self.roots],
            "sources": list(self.sources),
            "notes": list(self.notes),
        }
