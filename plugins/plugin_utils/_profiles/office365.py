# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""From Microsoft's list of endpoints (the Office 365 IP address and URL web service) to a profile of its CA hosts.

The list names hosts and ports, nothing else: no URLs, no purposes, and wildcards. So the way to each host is checked, what
is served there is not; what cannot be checked at all becomes a note.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import re
import typing as t

from ansible_collections.mailops.tls.plugins.plugin_utils._profiles import fields as f
from ansible_collections.mailops.tls.plugins.plugin_utils._profiles.fields import Place
from ansible_collections.mailops.tls.plugins.plugin_utils._profiles.loader import shipped_profiles
from ansible_collections.mailops.tls.plugins.plugin_utils._profiles.model import EndpointKind
from ansible_collections.mailops.tls.plugins.plugin_utils._profiles.reader import MAX_NOTES

MAX_DOCUMENT: t.Final = 4 * 1024 * 1024
DEFAULT_PORTS: t.Final = (80,)  # RFC 5280 section 8: revocation data is served over plain http
# The record of certificate authorities in the worldwide list. Ids do not change, but other instances have their own.
CA_RECORD: t.Final = 125

_MAX_RECORDS: t.Final = 4096
_SMTP: t.Final = 25
_LABELS: t.Final[tuple[tuple[re.Pattern[str], EndpointKind], ...]] = (
    (re.compile(r"(?:ms)?crl\d*|cdp\d*"), "crl"),
    (re.compile(r"ocsp[\dx]*|oneocsp"), "ocsp"),
    (re.compile(r"(?:ca)?certs?|caissuers|aia"), "ca_issuers"),
)
_PORTS = re.compile(r"\d{1,5}(?:-\d{1,5})?(?:,\d{1,5}(?:-\d{1,5})?)*", re.ASCII)


@dataclasses.dataclass(frozen=True)
class _Record:
    """An endpoint set of the list: hosts, possibly with wildcards, and ranges of TCP ports."""

    id: int
    hosts: tuple[str, ...]
    ports: tuple[tuple[int, int], ...]

    def has(self, port: int) -> bool:
        return any(low <= port <= high for low, high in self.ports)

    @property
    def is_ca(self) -> bool:
        """Whether it is the record of certificate authorities, and not another one of the same number."""
        return self.id == CA_RECORD and any(_kind_by_name(host) for host in self.hosts)


def office365_profile(
    document: t.Any,
    at: Place,
    *,
    as_of: dt.date,
    source: str,
    profile_id: str = "office365-endpoints",
    title: str = "Microsoft's list of Office 365 endpoints: hosts of certificate authorities",
    ports: t.Sequence[int] = DEFAULT_PORTS,
) -> dict[str, t.Any]:
    """A profile, as `profiles` takes it, of what the web service's `endpoints` answered (parsed JSON).

    It holds every host of a certificate authority on those of `ports` that the list opens, and in `listed` all hosts of the
    list on these ports and on 25, for comparison. Raises ProfileError with the place and the reason.
    """
    records = f.listing(_record, at_most=_MAX_RECORDS, at_least=1)(document, at)
    endpoints: dict[tuple[str, int], EndpointKind] = {}
    notes = [f"Only TCP port {', '.join(map(str, ports))} is checked; the list opens these hosts for others as well."]
    used: set[int] = set()
    purposes = _known_purposes()
    for record in records:
        for host in record.hosts:
            kind = _kind_by_name(host) or (purposes.get(host, "ca_issuers") if record.is_ca else None)
            if kind is None or not record.ports:
                continue
            used.add(record.id)
            asked = [port for port in ports if record.has(port)]
            notes += _notes(host, record, asked, guessed=not _kind_by_name(host) and host not in purposes)
            endpoints.update({(host, port): kind for port in asked if "*" not in host})
    if not endpoints:
        raise at.refuse(f"names no host of a certificate authority on TCP port {', '.join(map(str, ports))}")
    return {
        "id": profile_id,
        "title": title,
        "as_of": as_of.isoformat(),
        "sources": [f"{source}, as of {as_of.isoformat()}, records {', '.join(map(str, sorted(used)))}"],
        "endpoints": [{"host": host, "port": port, "kind": kind} for (host, port), kind in sorted(endpoints.items())],
        "listed": sorted(_listed(records, (*ports, _SMTP))),
        "notes": _bounded(list(dict.fromkeys(notes))),
    }


def _record(value: t.Any, at: Place) -> _Record:
    if not isinstance(value, t.Mapping):
        raise at.refuse(f"must be an endpoint set, which is a mapping, not {f.show(value)}")
    number = f.number(0, 1_000_000)(value.get("id"), at.key("id"))
    hosts = f.listing(_host, at_most=1000)(value.get("urls") or [], at.key("urls"))
    return _Record(number, hosts, _ports(value.get("tcpPorts"), at.key("tcpPorts")))


def _host(value: t.Any, at: Place) -> str:
    if not isinstance(value, str) or not f.is_host(value.replace("*", "a")):
        raise at.refuse(f"must be a host name, possibly with wildcards, not {f.show(value)}")
    return value.lower()


def _ports(value: t.Any, at: Place) -> tuple[tuple[int, int], ...]:
    """Ranges of `443,80` or `50000-50059`; none for a record of UDP ports alone."""
    if value is None or value == "":
        return ()
    text = value.replace(" ", "") if isinstance(value, str) else ""
    if len(text) > f.MAX_TEXT or not _PORTS.fullmatch(text):
        raise at.refuse(f"must be TCP ports such as 443,80 or 6000-6010, not {f.show(value)}")
    ranges = []
    for part in text.split(","):
        low, _dash, high = part.partition("-")
        ranges.append((int(low), int(high or low)))
        if not 0 < ranges[-1][0] <= ranges[-1][1] < 65536:
            raise at.refuse(f"must be ports from 1 to 65535, not {f.show(part)}")
    return tuple(ranges)


def _kind_by_name(host: str) -> EndpointKind | None:
    """What a host is for, where its name is unmistakable: a label such as crl3, ocsp or cacerts before the domain."""
    for label in host.split(".")[:-2]:
        for pattern, kind in _LABELS:
            if pattern.fullmatch(label):
                return kind
    return None


def _known_purposes() -> dict[str, EndpointKind]:
    """What the shipped profiles, whose URLs come from certificates, say that a host is for."""
    found: dict[str, EndpointKind] = {}
    for profile in shipped_profiles().values():
        for endpoint in profile.endpoints:
            place = endpoint.place
            if place is not None:
                found.setdefault(place[0], endpoint.kind)
    return found


def _notes(host: str, record: _Record, asked: t.Sequence[int], *, guessed: bool) -> list[str]:
    ports = ", ".join(str(low) if low == high else f"{low}-{high}" for low, high in record.ports)
    if "*" in host:
        return [f"{host} (record {record.id}, TCP {ports}) is a wildcard, which cannot be checked; open it all the same."]
    if not asked:
        return [f"{host} (record {record.id}) is listed for TCP {ports} only, which is not checked."]
    if guessed:
        return [f"{host} (record {record.id}): the list does not say what it is for; ca_issuers is an assumption."]
    return []


def _listed(records: t.Sequence[_Record], ports: t.Sequence[int]) -> set[str]:
    return {f"{host}:{port}" for record in records for host in record.hosts for port in ports if record.has(port)}


def _bounded(notes: list[str]) -> list[str]:
    if len(notes) <= MAX_NOTES:
        return notes
    return [*notes[: MAX_NOTES - 1], f"{len(notes) - MAX_NOTES + 1} more notes are left out."]
