# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""What to ask a host about its trust stores: one probe request per store, all wanted roots in it."""

from __future__ import annotations

import base64
import dataclasses
import difflib
import typing as t

from ansible_collections.mailops.tls.plugins.plugin_utils._judge.trust_der import DerError, read_certificate
from ansible_collections.mailops.tls.plugins.plugin_utils._profiles.certificates import pem_to_der
from ansible_collections.mailops.tls.plugins.plugin_utils._profiles.model import Profile, Root

StoreType = t.Literal["system", "pem_file", "pem_directory"]

STORE_TYPES: t.Final[tuple[StoreType, ...]] = ("system", "pem_file", "pem_directory")
# In the public contract, but not yet read by this version.
LATER_TYPES: t.Final = ("java", "nss", "python")

MAX_STORES: t.Final = 64
MAX_STORE_BYTES: t.Final = 8 * 1024 * 1024

# Where the system's bundle is, in the order they are tried. All are built by the distribution's own tool, and are what
# OpenSSL, GnuTLS, curl, Postfix with tls_append_default_CA and Python read there.
SYSTEM_STORE_PATHS: t.Final = (
    "/etc/ssl/certs/ca-certificates.crt",  # Debian, Ubuntu, Alpine, Arch, Gentoo (update-ca-certificates, update-ca-trust)
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",  # RHEL, Fedora and kin (update-ca-trust)
    "/etc/pki/tls/certs/ca-bundle.crt",  # the older name of the same; RHEL 6, Amazon Linux
    "/var/lib/ca-certificates/ca-bundle.pem",  # SUSE (update-ca-certificates)
    "/etc/ssl/ca-bundle.pem",  # SUSE, the name OpenSSL is given
    "/etc/ssl/cert.pem",  # Alpine without ca-certificates, FreeBSD, OpenBSD, macOS
    "/usr/local/share/certs/ca-root-nss.crt",  # FreeBSD with the ca_root_nss port
    "/usr/local/etc/ssl/cert.pem",  # FreeBSD, the port's link
)


class StoreError(ValueError):
    """A store that is refused. The message names the item, the key and the reason."""


@dataclasses.dataclass(frozen=True)
class StoreSpec:
    """A trust store to look into. `password` opens stores that have one; none of the present types does."""

    type: StoreType
    path: str | None = None
    password: str | None = dataclasses.field(default=None, repr=False)

    @property
    def label(self) -> str:
        """How findings call it; the system store has the same name on every host, so that one waiver can cover a fleet."""
        return "the system store" if self.path is None else self.path


@dataclasses.dataclass(frozen=True)
class WantedRoot:
    """A root to look for, and the profiles that need it (none: the user named it)."""

    root: Root
    profiles: tuple[Profile, ...]


@dataclasses.dataclass(frozen=True)
class TrustCheck:
    """One probe request, and what its answer is judged for."""

    request: dict[str, t.Any]
    store: StoreSpec
    roots: tuple[WantedRoot, ...]


def parse_stores(raw: t.Any) -> tuple[StoreSpec, ...]:
    """Stores as users name them: `auto` or a list of mappings of `type`, `path` and `password`. Raises StoreError."""
    if raw == "auto":
        return (StoreSpec("system"),)
    if isinstance(raw, (str, bytes, t.Mapping)) or not isinstance(raw, t.Sequence):
        raise StoreError("stores: must be auto, or a list of stores")
    if len(raw) > MAX_STORES:
        raise StoreError(f"stores: must have at most {MAX_STORES} items, not {len(raw)}")
    stores: list[StoreSpec] = []
    for index, item in enumerate(raw):
        store = _parse_store(item, f"stores[{index}]")
        if store in stores:
            raise StoreError(f"stores[{index}]: is the same as stores[{stores.index(store)}]")
        stores.append(store)
    return tuple(stores)


def _parse_store(item: t.Any, at: str) -> StoreSpec:
    keys = ("type", "path", "password")
    if not isinstance(item, t.Mapping):
        raise StoreError(f"{at}: must be a mapping of {', '.join(keys)}")
    for key in item:
        if key not in keys:
            close = difflib.get_close_matches(str(key)[:50], keys, n=1)
            raise StoreError(f"{at}: unknown key {str(key)[:50]!a}" + (f"; did you mean {close[0]}?" if close else ""))
    kind = next((known for known in STORE_TYPES if known == item.get("type")), None)
    if kind is None:
        raise StoreError(f"{at}.type: {_bad_type(item.get('type'))}")
    # Password first: it must not end up in a message about something else.
    if item.get("password") is not None:
        raise StoreError(f"{at}.password: a store of type {kind} has no password")
    path = item.get("path")
    if kind == "system":
        if path is not None:
            raise StoreError(f"{at}.path: the system store is where the host has it; use pem_file or pem_directory for a path")
        return StoreSpec(kind)
    if not isinstance(path, str) or not path.startswith("/") or not path.isprintable() or len(path) > 4096:
        raise StoreError(f"{at}.path: must be an absolute path on the host for type {kind}")
    return StoreSpec(kind, str(path))


def _bad_type(value: t.Any) -> str:
    if value is None:
        return f"is required: one of {', '.join(STORE_TYPES)}"
    if value in LATER_TYPES:
        return f"{value} stores are not read by this version; it reads {', '.join(STORE_TYPES)}"
    return f"must be one of {', '.join(STORE_TYPES)}, not {str(value)[:50]!a}"


def plan_trust(profiles: t.Sequence[Profile], roots: t.Sequence[Root], stores: t.Sequence[StoreSpec]) -> tuple[TrustCheck, ...]:
    """One check per store, each for all roots of the profiles and those named beside them, every root once."""
    wanted = _wanted(profiles, roots)
    select = {
        "sha256": sorted(item.root.sha256 for item in wanted),
        "containing": sorted({name for item in wanted if (name := _subject(item.root))}),
    }
    return tuple(
        TrustCheck(
            request={
                "id": f"trust:{index}",
                "op": "store",
                "type": "pem_directory" if store.type == "pem_directory" else "pem_file",
                "paths": list(SYSTEM_STORE_PATHS) if store.path is None else [store.path],
                "select": select,
                "max_bytes": MAX_STORE_BYTES,
            },
            store=store,
            roots=wanted,
        )
        for index, store in enumerate(stores)
    )


def _wanted(profiles: t.Sequence[Profile], roots: t.Sequence[Root]) -> tuple[WantedRoot, ...]:
    """By fingerprint: two names for one certificate are one root, and the entry that knows the PEM says more of it."""
    found: dict[str, WantedRoot] = {}
    named = [(root, (profile,)) for profile in profiles for root in profile.roots]
    for root, needed_by in (*named, *((root, ()) for root in roots)):
        before = found.get(root.sha256, WantedRoot(root, ()))
        best = before.root if before.root.pem or not root.pem else root
        found[root.sha256] = WantedRoot(best, before.profiles + needed_by)
    return tuple(found.values())


def _subject(root: Root) -> str | None:
    """The subject name as it is encoded, so that a look-alike (same name, other key) travels with the answer."""
    if root.pem is None:
        return None
    try:
        return base64.b64encode(read_certificate(pem_to_der(root.pem)).subject).decode("ascii")
    except (DerError, ValueError):
        return None
