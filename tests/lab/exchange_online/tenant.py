# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The tenant: its connectors and accepted domains, and what the cmdlets do with them."""

from __future__ import annotations

import copy
import datetime as dt
import json
import pathlib
import time
import typing as t
import uuid

from tests.lab.exchange_online.parameters import (
    FIELDS,
    GET_OPTIONS,
    SET_ONLY,
    CmdletError,
    Values,
    check_names,
    check_object,
    read_values,
)
from tests.lab.exchange_online.quirks import Quirks

WRITES = ("New-", "Set-", "Remove-")


class ConfirmationWanted(Exception):  # noqa: N818 - a question, not an error
    """The cmdlet asks whether it is meant, and does nothing."""


class UnknownCmdlet(Exception):  # noqa: N818
    """Answered like a cmdlet that the app may not run."""


class Tenant:
    """State in memory, and in a JSON file if one is given. Not thread-safe by itself: the server has one lock."""

    def __init__(self, quirks: Quirks, domains: t.Sequence[str], file: pathlib.Path | None = None) -> None:
        self.quirks = quirks
        self.domains = list(domains)
        self._file = file
        self._objects: dict[str, list[Values]] = {kind: [] for kind in FIELDS}
        # By Guid, how many reads do not see the object yet, and until when none does.
        self._hidden: dict[str, tuple[int, float]] = {}
        # Tests that do not wait have a clock of their own.
        self.clock: t.Callable[[], float] = time.monotonic
        if file and file.exists():
            self._objects = json.loads(file.read_text())

    def connectors(self) -> dict[str, list[Values]]:
        """All of it as stored, by kind; what the tests compare with."""
        return copy.deepcopy(self._objects)

    def load(self, objects: t.Mapping[str, t.Sequence[Values]]) -> None:
        """Put connectors there, as `New-` with these parameters would, quirks aside."""
        for kind, several in objects.items():
            for parameters in several:
                self._add(kind, dict(parameters))
        self._save()

    def clear(self) -> None:
        self._objects = {kind: [] for kind in FIELDS}
        self._hidden.clear()
        self._save()

    def run(self, cmdlet: str, parameters: Values) -> tuple[list[Values], str | None]:
        """Carry a cmdlet out. Returns its output and a warning."""
        verb, _dash, kind = cmdlet.partition("-")
        if (verb, kind) == ("Get", "AcceptedDomain"):
            check_names(parameters, ("Identity", "ResultSize"))
            return [self._domain(name) for name in self.domains], None
        action = {"Get": self._get, "New": self._new, "Set": self._set, "Remove": self._remove}.get(verb)
        if kind not in FIELDS or action is None:
            raise UnknownCmdlet(cmdlet)
        output, warning = action(kind, dict(parameters))
        if verb != "Get":
            self._save()
        return output, warning

    # The cmdlets

    def _get(self, kind: str, parameters: Values) -> tuple[list[Values], str | None]:
        check_names(parameters, GET_OPTIONS[kind])
        seen = [found for found in self._objects[kind] if not self._is_hidden(found)]
        if kind == "OutboundConnector" and self.quirks.hidden_outbound:
            for option, field in (("IncludeTestModeConnectors", "TestMode"), ("IsTransportRuleScoped", "IsTransportRuleScoped")):
                seen = [found for found in seen if found[field] == bool(parameters.get(option))]
        if identity := parameters.get("Identity"):
            matching = [found for found in seen if _is(found, identity)]
            if not matching and (self._exists(kind, identity) or not self.quirks.wrong_identity_returns_all):
                raise self._missing(identity)
            seen = matching or seen
        size = parameters.get("ResultSize", 1000)
        limit = len(seen) if str(size).lower() == "unlimited" else int(size)
        warning = "There are more results available than are currently displayed." if len(seen) > limit else None
        return [self._shown(kind, found) for found in seen[:limit]], warning

    def _new(self, kind: str, parameters: Values) -> tuple[list[Values], str | None]:
        confirm = parameters.pop("Confirm", False)
        check_names(parameters, [name for name in FIELDS[kind] if name not in SET_ONLY])
        required = ("Name", "SenderDomains") if kind == "InboundConnector" else ("Name",)
        for name in required:
            if not parameters.get(name):
                raise CmdletError(f"Cannot process command because of one or more missing mandatory parameters: {name}.")
        if confirm:
            raise ConfirmationWanted(f"Creating {parameters['Name']}")
        found = self._add(kind, parameters)
        self._hidden[found["Guid"]] = (self.quirks.replication_reads, self.clock() + self.quirks.replication_seconds)
        return [self._shown(kind, found)], None

    def _set(self, kind: str, parameters: Values) -> tuple[list[Values], str | None]:
        confirm = parameters.pop("Confirm", False)
        check_names(parameters, ("Identity", *FIELDS[kind]))
        found = self._find(kind, parameters.pop("Identity", None))
        changed = {**found, **read_values(kind, parameters)}
        check_object(kind, changed, parameters)
        self._check_unique(kind, changed)
        if confirm:
            raise ConfirmationWanted(f"Changing {found['Name']}")
        found.update(changed, WhenChanged=_now())
        return [], None

    def _remove(self, kind: str, parameters: Values) -> tuple[list[Values], str | None]:
        check_names(parameters, ("Identity", "Confirm"))
        found = self._find(kind, parameters.get("Identity"))
        if parameters.get("Confirm", self.quirks.confirm_remove):
            raise ConfirmationWanted(f"Are you sure you want to perform this action? Removing {kind} {found['Name']!r}.")
        self._objects[kind].remove(found)
        return [], None

    # What they share

    def _add(self, kind: str, parameters: Values) -> Values:
        found = {name: copy.copy(default) for name, (_kind, default) in FIELDS[kind].items()}
        found.update(read_values(kind, parameters))
        check_object(kind, found, parameters)
        found.update(Guid=str(uuid.uuid4()), WhenCreated=_now(), WhenChanged=_now())
        self._check_unique(kind, found)
        self._objects[kind].append(found)
        return found

    def _check_unique(self, kind: str, changed: Values) -> None:
        if not self.quirks.unique_names:
            return
        for other in self._objects[kind]:
            if other["Guid"] != changed["Guid"] and other["Name"].lower() == changed["Name"].lower():
                raise CmdletError(
                    f'The object "{changed["Name"]}" already exists.', status=409, kind="ManagementObjectAlreadyExistsException"
                )

    def _find(self, kind: str, identity: object) -> Values:
        for found in self._objects[kind]:
            if identity and _is(found, identity):
                if self._is_hidden(found):
                    break
                return found
        raise self._missing(identity)

    def _exists(self, kind: str, identity: object) -> bool:
        return any(_is(found, identity) for found in self._objects[kind])

    @staticmethod
    def _missing(identity: object) -> CmdletError:
        text = f"The operation couldn't be performed because object '{identity}' couldn't be found."
        return CmdletError(text, status=404, kind="ManagementObjectNotFoundException")

    def _is_hidden(self, found: Values) -> bool:
        """Whether this read comes too early after the object was created; counts down."""
        left, until = self._hidden.get(found["Guid"], (0, 0.0))
        if left > 0:
            self._hidden[found["Guid"]] = left - 1, until
        return left > 0 or self.clock() < until

    def _shown(self, kind: str, stored: Values) -> Values:
        """The object as it reads back, which is not how it was written."""
        quirks = self.quirks
        shown = copy.deepcopy(stored)
        if quirks.smtp_domains and "SenderDomains" in shown:
            shown["SenderDomains"] = [_with_priority(domain) for domain in shown["SenderDomains"]]
        if quirks.admin_ui and shown["ConnectorSource"] == "Default":
            shown["ConnectorSource"] = "AdminUI"
        if quirks.bracketed_smart_hosts and "SmartHosts" in shown:
            shown["SmartHosts"] = [f"[{host.strip('[]')}]" for host in shown["SmartHosts"]]
        shown.update(Identity=shown["Name"], Id=shown["Name"], IsValid=True, ObjectState="Unchanged")
        if quirks.companions:
            for name, value in list(shown.items()):
                if isinstance(value, list):
                    shown[f"{name}@odata.type"] = "#Collection(String)"
                    shown[f"{name}@data.type"] = "Microsoft.Exchange.Data.MultiValuedProperty`1[[System.String]]"
            shown["Guid@odata.type"] = "#Guid"
            shown["@odata.type"] = f"#Exchange.{kind}"
        return shown

    def _domain(self, name: str) -> Values:
        return {"Name": name, "DomainName": name, "DomainType": "Authoritative", "Default": name == self.domains[0]}

    def _save(self) -> None:
        if self._file:
            part = self._file.with_suffix(".part")
            part.write_text(json.dumps(self._objects, indent=1))
            part.replace(self._file)


def _is(found: Values, identity: object) -> bool:
    return str(identity).lower() in (found["Name"].lower(), found["Guid"])


def _with_priority(domain: str) -> str:
    domain = domain if domain.startswith("smtp:") else f"smtp:{domain}"
    return domain if ";" in domain else f"{domain};1"


def _now() -> str:
    return dt.datetime.now(dt.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
