# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""Where a distribution's tool takes the system's bundle from, to explain why a root is not in it."""

from __future__ import annotations

import typing as t

from ansible_collections.mailops.tls.plugins.plugin_utils._plan.trust.checks import StoreSpec, TrustCheck, selection

REQUEST_ID: t.Final = "trust:sources"

# kind, path, depth. anchor: what lies there is to become trusted; source: as anchor, but plain PEM is not trusted (p11-kit);
# blocked: what lies there is to be taken out; deselected: a list of what is taken out of `base`.
PLACES: t.Final[tuple[dict[str, t.Any], ...]] = (
    # Debian, Ubuntu, Alpine: update-ca-certificates(8)
    {"kind": "anchor", "path": "/usr/local/share/ca-certificates", "depth": 3},
    {"kind": "deselected", "path": "/etc/ca-certificates.conf", "base": "/usr/share/ca-certificates"},
    # RHEL, Fedora and kin: update-ca-trust(8)
    {"kind": "anchor", "path": "/etc/pki/ca-trust/source/anchors", "depth": 1},
    {"kind": "blocked", "path": "/etc/pki/ca-trust/source/blocklist", "depth": 1},
    {"kind": "blocked", "path": "/etc/pki/ca-trust/source/blacklist", "depth": 1},
    {"kind": "source", "path": "/etc/pki/ca-trust/source", "depth": 1},
    # SUSE: update-ca-certificates(8)
    {"kind": "anchor", "path": "/etc/pki/trust/anchors", "depth": 1},
    {"kind": "blocked", "path": "/etc/pki/trust/blocklist", "depth": 1},
    {"kind": "blocked", "path": "/etc/pki/trust/blacklist", "depth": 1},
    {"kind": "source", "path": "/etc/pki/trust", "depth": 1},
    # Arch: update-ca-trust(8)
    {"kind": "anchor", "path": "/etc/ca-certificates/trust-source/anchors", "depth": 1},
    {"kind": "blocked", "path": "/etc/ca-certificates/trust-source/blocklist", "depth": 1},
    {"kind": "source", "path": "/etc/ca-certificates/trust-source", "depth": 1},
)

# What a tool builds: a path, or everything below one that ends in a slash. All are paths after symbolic links.
BUILT: t.Final[tuple[tuple[str, str], ...]] = (
    ("/etc/ssl/certs", "update-ca-certificates"),  # Debian, Ubuntu, Alpine: hashed, what Postfix is packaged with there
    ("/etc/ssl/certs/ca-certificates.crt", "update-ca-certificates"),
    ("/etc/ssl/certs", "update-ca-trust"),  # Arch
    ("/etc/ssl/certs/ca-certificates.crt", "update-ca-trust"),
    ("/etc/ca-certificates/extracted/", "update-ca-trust"),
    ("/etc/pki/ca-trust/extracted/", "update-ca-trust"),  # RHEL, Fedora and kin, the keystore of Java among it
    ("/var/lib/ca-certificates/", "update-ca-certificates"),  # SUSE
)
TOOLS: t.Final = ("update-ca-certificates", "update-ca-trust")
# Types of stores that such a path can be named as.
BUILDABLE: t.Final = ("pem_file", "pem_directory", "java")
_BELOW: t.Final = ("/etc/ssl/", "/etc/pki/", "/etc/ca-certificates/", "/var/lib/ca-certificates/")


def plan_sources(checks: t.Sequence[TrustCheck]) -> dict[str, t.Any] | None:
    """The request that goes with the system's store, by whatever name it is asked for, or None without it or without roots."""
    roots = next((check.roots for check in checks if _may_be_built(check.store)), ())
    if not roots:
        return None
    digests = selection(roots)["sha256"]
    places = [dict(place) for place in PLACES]
    select = {"sha256": digests, "containing": []}
    return {"id": REQUEST_ID, "op": "sources", "places": places, "tools": list(TOOLS), "select": select}


def _may_be_built(store: StoreSpec) -> bool:
    return store.type == "system" or (store.type in BUILDABLE and str(store.path).startswith(_BELOW))
