# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""Which certificates and names the hosts of a play were presented, from what they registered."""

from __future__ import annotations

import typing as t

from ansible_collections.mailops.tls.plugins.plugin_utils._judge.x509 import clean
from ansible_collections.mailops.tls.plugins.plugin_utils._partner_sheet.content import Served
from ansible_collections.mailops.tls.plugins.plugin_utils._partner_sheet.names import NAME_SPACES, WireName, in_exchange_online
from ansible_collections.mailops.tls.plugins.plugin_utils._profiles.fields import is_host

_MOST: t.Final = 200


def served_certificates(entries: t.Iterable[t.Mapping[str, t.Any]]) -> list[Served]:
    """One line a certificate, with the servers that presented it and the hosts that saw it, sorted by subject.

    `entries` are those of registered_entries. What is not of the documented form is passed over.
    """
    leaves: dict[str, dict[str, t.Any]] = {}
    servers: dict[str, set[str]] = {}
    hosts: dict[str, set[str]] = {}
    for entry, path in _paths(entries):
        leaf = _leaf(path)
        fingerprint = leaf.get("sha256")
        if not isinstance(fingerprint, str) or (len(leaves) == _MOST and fingerprint not in leaves):
            continue
        leaves[fingerprint] = dict(leaf)
        servers.setdefault(fingerprint, set()).add(clean(path.get("host") or path.get("address") or "?"))
        hosts.setdefault(fingerprint, set()).add(clean(entry.get("host") or "?"))
    found = [
        Served(
            sha256=clean(fingerprint).upper(),
            subject=clean(leaf.get("subject") or ""),
            issuer=clean(leaf.get("issuer") or ""),
            not_after=clean(leaf.get("not_after") or ""),
            servers=tuple(sorted(servers[fingerprint])),
            hosts=tuple(sorted(hosts[fingerprint])),
        )
        for fingerprint, leaf in leaves.items()
    ]
    return sorted(found, key=lambda one: (one.subject, one.sha256))


def names_on_wire(entries: t.Iterable[t.Mapping[str, t.Any]]) -> list[WireName]:
    """The name that each server presented, once, sorted. What is no host name is passed over: names end up in configurations."""
    found = {name for _entry, path in _paths(entries) for name in _name(path)}
    return sorted(found, key=lambda item: (item.domain or "", item.server, item.name, item.exact))[:_MOST]


def _name(path: t.Mapping[str, t.Any]) -> t.Iterator[WireName]:
    server, domain = _plain(path.get("host")), _plain(path.get("domain"))
    if server is None:
        return
    names = [(item.get("field"), _plain(item.get("value"))) for item in _mappings(_leaf(path).get("names"))]
    listed = [(field, name) for field, name in names if name is not None and field in ("SAN", "CN")]
    if not listed:
        # Without a certificate the server's own name is what it has to have (RFC 8461 section 4.1); the older names of Exchange
        # Online share one certificate, which the profiles know.
        if in_exchange_online(server) and not server.endswith(NAME_SPACES[0]):
            yield WireName(domain, server, server, server, trusted=False, presented=False)
        return
    exact = _matched(path) or next((name for field, name in listed if field == "CN"), listed[0][1])
    name = exact.removeprefix("*.")
    stands = {other for _field, other in listed}
    exact = name if name in stands else exact
    yield WireName(domain, server, name, exact, trusted=path.get("trusted") is True, wild=f"*.{name}" in stands)


def _matched(path: t.Mapping[str, t.Any]) -> str | None:
    """The name of the certificate that matched the one it was looked for."""
    verdict = path.get("name")
    if not isinstance(verdict, t.Mapping) or verdict.get("matched") is not True or verdict.get("field") == "IP":
        return None
    return _plain(verdict.get("value"))


def _plain(value: t.Any) -> str | None:
    """A host name in lower case, wildcards included; None for anything else."""
    name = value.rstrip(".").lower() if isinstance(value, str) else ""
    return name if is_host(name.removeprefix("*.")) else None


def _paths(entries: t.Iterable[t.Mapping[str, t.Any]]) -> t.Iterator[tuple[t.Mapping[str, t.Any], t.Mapping[str, t.Any]]]:
    for entry in entries:
        result = entry.get("result")
        for path in _mappings(result.get("paths") if isinstance(result, t.Mapping) else None):
            yield entry, path


def _leaf(path: t.Mapping[str, t.Any]) -> t.Mapping[str, t.Any]:
    return next(iter(_mappings(path.get("chain"))), {})


def _mappings(value: t.Any) -> list[t.Mapping[str, t.Any]]:
    return [item for item in value if isinstance(item, t.Mapping)] if isinstance(value, list) else []
