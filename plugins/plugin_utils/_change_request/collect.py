# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""What a fleet needs from a firewall, collected from the hosts' results: each need once, with the hosts that have it."""

from __future__ import annotations

import dataclasses
import ipaddress
import typing as t
import urllib.parse

from ansible_collections.mailops.tls.plugins.plugin_utils._judge.x509 import clean

Scope = t.Literal["blocked", "needed"]
SCOPES: t.Final[tuple[Scope, ...]] = ("blocked", "needed")
Result = t.Mapping[str, t.Any]

_KINDS: t.Final = {"crl": "CRL", "ocsp": "OCSP", "ca_issuers": "issuer certificates"}
_DEFAULT_PORTS: t.Final = {"http": 80, "https": 443}


@dataclasses.dataclass(frozen=True)
class Row:
    """One line of the request. `addresses_seen` are those that the destination's name led to, `blocked` those to open.

    Without `blocked` in a request for what is blocked, the name led to no address. All tuples are sorted.
    """

    sources: tuple[str, ...]
    destination: str
    addresses_seen: tuple[str, ...]
    blocked: tuple[str, ...]
    port: int
    protocol: str
    why: tuple[str, ...]
    urls: tuple[str, ...]
    findings: tuple[str, ...]

    def as_dict(self) -> dict[str, t.Any]:
        """As the plugin returns it."""
        return {key: list(value) if isinstance(value, tuple) else value for key, value in dataclasses.asdict(self).items()}


@dataclasses.dataclass(frozen=True)
class ChangeRequest:
    """`hosts` delivered a result; `missing` did not, and what they need is not known. Times are ISO 8601 in UTC."""

    scope: Scope
    rows: tuple[Row, ...]
    hosts: tuple[str, ...]
    missing: tuple[str, ...]
    observed_from: str | None
    observed_until: str | None


@dataclasses.dataclass
class _Need:
    """What one host needs of one destination."""

    seen: set[str] = dataclasses.field(default_factory=set)
    blocked: set[str] = dataclasses.field(default_factory=set)
    why: set[str] = dataclasses.field(default_factory=set)
    urls: set[str] = dataclasses.field(default_factory=set)
    findings: set[str] = dataclasses.field(default_factory=set)

    def add(self, other: _Need) -> None:
        """Take in what another host needs of the same destination."""
        for field in dataclasses.fields(self):
            getattr(self, field.name).update(getattr(other, field.name))


_Place = tuple[str, int, str]


def collect(entries: t.Iterable[t.Mapping[str, t.Any]], scope: Scope) -> ChangeRequest:
    """The request of all hosts. `entries` are {host, result}, with the result of an info plugin or None.

    `blocked`: only what firewalls were seen to block; hosts share a row when the same addresses of a destination are
    blocked for them. `needed`: every destination that is used, reachable or not. Where a host goes through a proxy, its
    need is the way to the proxy. Order and content depend on the results alone.
    """
    needs: dict[str, dict[_Place, _Need]] = {}
    missing, times = [], []
    for entry in entries:
        host, result = clean(entry["host"]), entry["result"]
        if not isinstance(result, t.Mapping):
            missing.append(host)
            continue
        needs[host] = _needs(result, scope)
        times += [clean(result["observed_at"], 40)] if result.get("observed_at") else []
    return ChangeRequest(
        scope=scope,
        rows=_rows(needs, scope),
        hosts=tuple(sorted(needs)),
        missing=tuple(sorted(missing)),
        observed_from=min(times, default=None),
        observed_until=max(times, default=None),
    )


def _rows(needs: t.Mapping[str, t.Mapping[_Place, _Need]], scope: Scope) -> tuple[Row, ...]:
    groups: dict[tuple[t.Any, ...], tuple[list[str], _Need]] = {}
    for host in sorted(needs):
        for place, need in needs[host].items():
            # Names of CDNs lead every host somewhere else. What was merely seen does not make a need of its own.
            identity = addresses(need.blocked) if scope == "blocked" else ()
            sources, merged = groups.setdefault((*place, identity), ([], _Need()))
            sources.append(host)
            merged.add(need)
    rows = [
        Row(
            sources=tuple(sources),
            destination=destination,
            addresses_seen=addresses(need.seen),
            blocked=addresses(need.blocked),
            port=port,
            protocol=protocol,
            why=_reasons(need.why),
            urls=tuple(sorted(need.urls)),
            findings=tuple(sorted(need.findings)),
        )
        for (destination, port, protocol, _identity), (sources, need) in groups.items()
    ]
    return tuple(sorted(rows, key=lambda row: (row.destination, row.port, row.protocol, row.blocked, row.sources)))


def _reasons(why: set[str]) -> tuple[str, ...]:
    """What for; without the mere kind where something was seen as well."""
    return tuple(sorted(item for item in why if not any(other.startswith(f"{item}: ") for other in why)))


def addresses(found: t.Iterable[str]) -> tuple[str, ...]:
    """Addresses in numerical order, IPv4 first. What is no address is left out, and so are zones: they mean nothing elsewhere."""
    parsed = set()
    for text in found:
        try:
            address = ipaddress.ip_address(text)
        except ValueError:
            continue
        if isinstance(address, ipaddress.IPv4Address) or not address.scope_id:
            parsed.add(address)
    return tuple(str(address) for address in sorted(parsed, key=lambda item: (item.version, int(item))))


def _needs(result: Result, scope: Scope) -> dict[_Place, _Need]:
    endpoints = [item for item in _list(result.get("endpoints")) if isinstance(item, t.Mapping)]
    kinds = {_name(endpoint): _KINDS.get(str(endpoint.get("kind")), "") for endpoint in endpoints}
    found: dict[_Place, _Need] = {}
    for rule in _list(result.get("firewall_rules")):
        if isinstance(rule, t.Mapping):
            _add_rule(found, rule, kinds)
    if scope == "needed":
        findings = _findings_by_endpoint(result)
        for endpoint in endpoints:
            _add_endpoint(found, endpoint, findings.get(_name(endpoint), frozenset()))
    return found


def _add_rule(found: dict[_Place, _Need], rule: Result, kinds: t.Mapping[str, str]) -> None:
    place = _place(rule.get("destination"), rule.get("port"), rule.get("protocol"))
    if place is None:
        return
    need = found.setdefault(place, _Need())
    urls = {clean(url, 500) for url in _list(rule.get("urls"))}
    need.seen.update(str(address) for address in [*_list(rule.get("addresses_seen")), rule.get("address")] if address)
    need.blocked.update({str(rule["address"])} if rule.get("address") else ())
    need.why.update(clean(part, 500) for part in str(rule.get("why") or "").split("; ") if part)
    need.urls.update(f"{kinds.get(url) or ''} {url}".strip() for url in urls)
    need.findings.update(clean(item, 80) for item in _list(rule.get("findings")))


def _add_endpoint(found: dict[_Place, _Need], endpoint: Result, findings: frozenset[str]) -> None:
    kind, name = _KINDS.get(str(endpoint.get("kind")), "endpoint"), _name(endpoint)
    direct, proxy = _list(endpoint.get("addresses")), endpoint.get("proxy")
    # A name that leads to the host itself is a block in DNS; those addresses are nothing to open.
    seen = [] if endpoint.get("cause") == "dns_sinkhole" else _texts(direct)
    places: list[tuple[_Place | None, list[str]]] = []
    if not isinstance(proxy, t.Mapping):
        places += [(_url_place(url), []) for url in _list(endpoint.get("redirects"))]
    if not isinstance(proxy, t.Mapping) or direct:
        places.append((_place(endpoint.get("host"), endpoint.get("port"), "tcp"), seen))
    if isinstance(proxy, t.Mapping):
        places.append((_url_place(proxy.get("url")), _texts(_list(proxy.get("addresses")))))
    for place, there in places:
        if place is not None:
            need = _Need(seen=set(there), why={kind}, urls={f"{kind} {name}"}, findings=set(findings))
            found.setdefault(place, _Need()).add(need)


def _findings_by_endpoint(result: Result) -> dict[str, frozenset[str]]:
    found: dict[str, frozenset[str]] = {}
    for finding in _list(result.get("findings")):
        subject = finding.get("subject") if isinstance(finding, t.Mapping) else None
        if isinstance(subject, t.Mapping) and subject.get("kind") == "endpoint":
            name = clean(subject.get("name"), 500)
            found[name] = found.get(name, frozenset()) | {clean(finding.get("id"), 80)}
    return found


def _name(endpoint: Result) -> str:
    return clean(endpoint.get("url") or f"{endpoint.get('host')}:{endpoint.get('port')}", 500)


def _url_place(url: t.Any) -> _Place | None:
    try:
        parts = urllib.parse.urlsplit(str(url))
        return _place(parts.hostname, parts.port or _DEFAULT_PORTS.get(parts.scheme.lower()), "tcp")
    except ValueError:
        return None


def _place(host: t.Any, port: t.Any, protocol: t.Any) -> _Place | None:
    """Where to, or None for what cannot be asked of a firewall."""
    usable = isinstance(port, int) and not isinstance(port, bool) and 0 < port < 65536
    if not host or not usable:
        return None
    return clean(host, 255).lower(), port, "udp" if protocol == "udp" else "tcp"


def _texts(items: list[t.Any]) -> list[str]:
    return [str(item["address"]) for item in items if isinstance(item, t.Mapping) and item.get("address")]


def _list(value: t.Any) -> list[t.Any]:
    return list(value) if isinstance(value, (list, tuple)) else []
