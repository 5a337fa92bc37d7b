# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""Which certificates the hosts of a play were presented, from what they registered."""

from __future__ import annotations

import typing as t

from ansible_collections.mailops.tls.plugins.plugin_utils._judge.x509 import clean
from ansible_collections.mailops.tls.plugins.plugin_utils._partner_sheet.content import Served

_MOST: t.Final = 200


def served_certificates(entries: t.Iterable[t.Mapping[str, t.Any]]) -> list[Served]:
    """One line a certificate, with the servers that presented it and the hosts that saw it, sorted by subject.

    `entries` are those of registered_entries. What is not of the documented form is passed over.
    """
    leaves: dict[str, dict[str, t.Any]] = {}
    servers: dict[str, set[str]] = {}
    hosts: dict[str, set[str]] = {}
    for entry in entries:
        result = entry.get("result")
        paths = result.get("paths") if isinstance(result, t.Mapping) else None
        for path in paths if isinstance(paths, list) else ():
            chain = path.get("chain") if isinstance(path, t.Mapping) else None
            leaf = chain[0] if isinstance(chain, list) and chain and isinstance(chain[0], t.Mapping) else {}
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
