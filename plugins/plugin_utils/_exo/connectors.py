# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""The connectors of a tenant as reads show them: all of them listed, and matched exactly by name or GUID.

A Get with an Identity that does not exist returns all connectors, and the default Get hides some. So everything is listed, once
for all tasks of a loop, because Ansible runs a loop in one process. A read that fails raises: it never means "there is none".
"""

from __future__ import annotations

import dataclasses
import time
import typing as t
import uuid
import weakref

from ansible_collections.mailops.tls.plugins.module_utils._connector import canonical
from ansible_collections.mailops.tls.plugins.plugin_utils._exo.client import Client
from ansible_collections.mailops.tls.plugins.plugin_utils._exo.errors import ApiError, NotFound, printable
from ansible_collections.mailops.tls.plugins.plugin_utils._exo.kinds import Kind

# Others may change a connector meanwhile. A loop over 200 connectors in shape takes less than a second.
MAX_AGE_S = 120.0

Values = dict[str, t.Any]


@dataclasses.dataclass(frozen=True)
class Live:
    """A connector that exists. `values` are canonical, by option; a field that the service does not have is missing."""

    guid: str
    name: str
    values: Values
    about: t.Mapping[str, t.Any]

    def shown(self) -> dict[str, t.Any]:
        """As results show it: every option, and what cannot be set."""
        return {**{option: canonical.to_user(value) for option, value in self.values.items()}, "guid": self.guid, **self.about}


@dataclasses.dataclass
class _Listing:
    read_at: float
    by_guid: dict[str, Live]


_LISTINGS: weakref.WeakKeyDictionary[Client, dict[str, _Listing]] = weakref.WeakKeyDictionary()


class Connectors:
    """The connectors of one kind in one tenant. Raises ApiError for reads that fail."""

    def __init__(self, client: Client, kind: Kind) -> None:
        self.client = client
        self.kind = kind
        self._listings = _LISTINGS.setdefault(client, {})

    def all(self, *, fresh: bool = False) -> list[Live]:
        """All of them, sorted by name; read again if `fresh`, or if the last listing is old."""
        listing = self._listings.get(self.kind.noun)
        if fresh or listing is None or time.monotonic() - listing.read_at > MAX_AGE_S:
            found: dict[str, Live] = {}
            started = time.monotonic()
            for scope in self.kind.scopes:
                for live in self._get({"ResultSize": "Unlimited", **scope}):
                    found[live.guid] = live
            listing = self._listings[self.kind.noun] = _Listing(started, found)
        return sorted(listing.by_guid.values(), key=lambda live: (live.name.lower(), live.guid))

    def find(self, identity: str, *, fresh: bool = False) -> Live | None:
        """The connector with this name, whatever its case, or this GUID. Raises ApiError when that is not one connector."""
        guid = as_guid(identity)
        everything = self.all(fresh=fresh)
        found = [live for live in everything if guid and live.guid == guid]
        found = found or [live for live in everything if live.name.lower() == identity.lower()]
        if len(found) > 1:
            guids = ", ".join(live.guid for live in found)
            raise ApiError(
                f"{len(found)} {self.kind.title}s are called {printable(identity)}: give one of the GUIDs {guids} as name"
            )
        return found[0] if found else None

    def read(self, guid: str, values: t.Mapping[str, t.Any]) -> Live | None:
        """One connector, read again; `values` say in which scope to look first. None when no read shows it."""
        wanted = {
            name: True
            for name, option in (
                ("IncludeTestModeConnectors", "test_mode"),
                ("IsTransportRuleScoped", "is_transport_rule_scoped"),
            )
            if values.get(option)
        }
        found: Live | None
        try:
            # All connectors come back where there is no such GUID.
            found = next((live for live in self._get({"Identity": guid, **wanted}) if live.guid == guid), None)
        except NotFound:
            found = None
        if found is None and len(self.kind.scopes) > 1:
            return next((live for live in self.all(fresh=True) if live.guid == guid), None)
        self._remember(guid, found)
        return found

    def forget(self) -> None:
        """Nothing of what was read counts any more: something was written, or may have been."""
        self._listings.pop(self.kind.noun, None)

    def _remember(self, guid: str, live: Live | None) -> None:
        listing = self._listings.get(self.kind.noun)
        if listing is not None:
            listing.by_guid.pop(guid, None)
            if live is not None:
                listing.by_guid[guid] = live

    def _get(self, parameters: t.Mapping[str, object]) -> list[Live]:
        return [self.parse(raw) for raw in self.client.invoke(f"Get-{self.kind.noun}", parameters)]

    def parse(self, raw: t.Mapping[str, object]) -> Live:
        """An object of the API. Raises ApiError for one without a name and a GUID, which could not be told from others."""
        guid, name = as_guid(str(raw.get("Guid") or "")), raw.get("Name")
        if guid is None or not isinstance(name, str) or not name:
            raise ApiError(f"Get-{self.kind.noun}: the answer holds an object without Name and Guid")
        values = {
            field.option: canonical.from_api(field, raw[field.parameter]) for field in self.kind.table if field.parameter in raw
        }
        read_only = {**self.kind.read_only, **READ_ONLY}
        about = {option: _printable(raw.get(parameter)) for option, parameter in read_only.items()}
        return Live(guid, name, {**values, "name": name}, about)


# What results show besides the options.
READ_ONLY: t.Final[t.Mapping[str, str]] = {"when_created": "WhenCreated", "when_changed": "WhenChanged"}


def as_guid(text: str) -> str | None:
    """A GUID in lower case with hyphens; None for what is none."""
    try:
        return str(uuid.UUID(text)) if len(text.strip("{}")) == 36 else None
    except ValueError:
        return None


def _printable(value: object) -> t.Any:
    """What cannot be set, as it may be shown: a text, a list of them, or None."""
    if isinstance(value, list):
        return [printable(str(item)) for item in value]
    return printable(str(value)) if value not in (None, "") else None
