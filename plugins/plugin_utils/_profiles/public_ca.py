# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""What public CAs may issue, as data: how long certificates live, and when clientAuth goes."""

from __future__ import annotations

import dataclasses
import datetime as dt
import functools
import pathlib
import typing as t

from ansible_collections.mailops.tls.plugins.plugin_utils._profiles import fields as f
from ansible_collections.mailops.tls.plugins.plugin_utils._profiles.documents import read_document
from ansible_collections.mailops.tls.plugins.plugin_utils._profiles.fields import Field, Place

_FILE: t.Final = pathlib.Path(__file__).parent / "data" / "public-ca.yml"


@dataclasses.dataclass(frozen=True)
class Lifetime:
    """The longest validity of a public TLS certificate that is issued on the day `since` or later."""

    since: dt.date
    days: int


@dataclasses.dataclass(frozen=True)
class UsageChange:
    """Who does what about clientAuth from the day `since` on, and which source says so."""

    who: str
    since: dt.date
    what: str
    source: str

    def __str__(self) -> str:
        return f"{self.who} {self.what} from {self.since.isoformat()} on ({self.source})"


@dataclasses.dataclass(frozen=True)
class PublicCaRules:
    """`lifetimes` and `client_auth` stand in the order of their days."""

    as_of: dt.date
    sources: tuple[str, ...]
    lifetimes: tuple[Lifetime, ...]
    client_auth: tuple[UsageChange, ...]

    def longest_days(self, day: dt.date) -> int | None:
        """How many days a certificate that is issued on this day may be valid; None for the time before the rules."""
        return next((item.days for item in reversed(self.lifetimes) if day >= item.since), None)

    def next_lifetime(self, day: dt.date) -> Lifetime | None:
        """The next change after this day."""
        return next((item for item in self.lifetimes if item.since > day), None)


@functools.lru_cache(maxsize=1)
def public_ca_rules() -> PublicCaRules:
    """The shipped rules."""
    at = Place("rules of public CAs")
    fields = {
        "as_of": Field(f.date, required=True),
        "sources": Field(f.listing(f.text, at_least=1, at_most=20), required=True),
        "lifetimes": Field(f.listing(_lifetime, at_least=1, at_most=20), required=True),
        "client_auth": Field(f.listing(_usage_change, at_most=20), required=True),
    }
    data = f.mapping(read_document(str(_FILE), at), at, fields)
    return PublicCaRules(
        as_of=data["as_of"],
        sources=data["sources"],
        lifetimes=tuple(sorted(data["lifetimes"], key=lambda item: item.since)),
        client_auth=tuple(sorted(data["client_auth"], key=lambda item: (item.since, item.who))),
    )


def _lifetime(value: t.Any, at: Place) -> Lifetime:
    fields = {"since": Field(f.date, required=True), "days": Field(f.number(1, 5000), required=True)}
    return Lifetime(**f.mapping(value, at, fields))


def _usage_change(value: t.Any, at: Place) -> UsageChange:
    text = Field(f.text, required=True)
    return UsageChange(**f.mapping(value, at, {"who": text, "since": Field(f.date, required=True), "what": text, "source": text}))
