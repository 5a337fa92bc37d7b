# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""What to ask a host about its trust stores: one probe request per store, all wanted roots in it."""

from __future__ import annotations

import base64
import dataclasses
import difflib
import glob
import typing as t

from ansible_collections.mailops.tls.plugins.plugin_utils._judge.trust.der import DerError, read_certificate
from ansible_collections.mailops.tls.plugins.plugin_utils._profiles.certificates import pem_to_der
from ansible_collections.mailops.tls.plugins.plugin_utils._profiles.model import Intermediate, Profile, Root

StoreType = t.Literal["system", "pem_file", "pem_directory", "java", "nss", "python"]

STORE_TYPES: t.Final[tuple[StoreType, ...]] = ("system", "pem_file", "pem_directory", "java", "nss", "python")

AUTO: t.Final = "auto"
MAIL: t.Final = "mail"

MAX_STORES: t.Final = 64
MAX_STORE_BYTES: t.Final = 8 * 1024 * 1024
MAX_PASSWORD: t.Final = 1024

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
JVM_PLACES: t.Final = (
    "lib/security/jssecacerts",
    "lib/security/cacerts",
    "jre/lib/security/jssecacerts",
    "jre/lib/security/cacerts",
)
NSS_DATABASE: t.Final = "cert9.db"
CERTIFI_BUNDLE: t.Final = "certifi/cacert.pem"


class StoreError(ValueError):
    """A store that is refused. The message names the item, the key and the reason."""


@dataclasses.dataclass(frozen=True)
class StoreSpec:
    """A trust store to look into. `password` is that of a Java keystore (None: the usual one); it stays on the controller.

    `index` is its position among the stores that the user named, if he did.
    """

    type: StoreType
    path: str | None = None
    password: str | None = dataclasses.field(default=None, repr=False)
    index: int | None = dataclasses.field(default=None, compare=False)

    @property
    def label(self) -> str:
        """How findings call it; the system store has the same name on every host, so that one waiver can cover a fleet."""
        return "the system store" if self.path is None else self.path


@dataclasses.dataclass(frozen=True)
class WantedRoot:
    """A root to look for, and the profiles that need it (none: the user named it).

    `index` is its position among the roots that the user named, if what is known of it comes from there.
    """

    root: Root
    profiles: tuple[Profile, ...]
    index: int | None = None


@dataclasses.dataclass(frozen=True)
class WantedIntermediate:
    """An intermediate to look for, and the profiles that have it."""

    intermediate: Intermediate
    profiles: tuple[Profile, ...]


@dataclasses.dataclass(frozen=True)
class TrustCheck:
    """One probe request, and what its answer is judged for."""

    request: dict[str, t.Any]
    store: StoreSpec
    roots: tuple[WantedRoot, ...]
    intermediates: tuple[WantedIntermediate, ...] = ()


def parse_stores(raw: t.Any) -> tuple[StoreSpec, ...]:
    """Stores as users name them: `auto`, `mail`, or a list of mappings of `type`, `path` and `password`. Raises StoreError."""
    if isinstance(raw, str) and raw in (AUTO, MAIL):
        return (StoreSpec("system"),)
    if isinstance(raw, (str, bytes, t.Mapping)) or not isinstance(raw, t.Sequence):
        raise StoreError("stores: must be auto, mail, or a list of stores")
    if len(raw) > MAX_STORES:
        raise StoreError(f"stores: must have at most {MAX_STORES} items, not {len(raw)}")
    stores: list[StoreSpec] = []
    for index, item in enumerate(raw):
        store = dataclasses.replace(_parse_store(item, f"stores[{index}]"), index=index)
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
    # Password first: it must not end up in a message about something else. Of other types it is not needed to read them, and
    # whoever changes a store and looks at it names it to both in the same words.
    password = item.get("password")
    if password is not None and (not isinstance(password, str) or len(password) > MAX_PASSWORD):
        raise StoreError(f"{at}.password: must be text of at most {MAX_PASSWORD} characters")
    path = item.get("path")
    if kind == "system":
        if path is not None:
            raise StoreError(f"{at}.path: the system store is where the host has it; use pem_file or pem_directory for a path")
        return StoreSpec(kind)
    if not isinstance(path, str) or not path.startswith("/") or not path.isprintable() or len(path) > 4096:
        raise StoreError(f"{at}.path: must be an absolute path on the host for type {kind}")
    return StoreSpec(kind, str(path), str(password) if password is not None and kind == "java" else None)


def _bad_type(value: t.Any) -> str:
    if value is None:
        return f"is required: one of {', '.join(STORE_TYPES)}"
    return f"must be one of {', '.join(STORE_TYPES)}, not {str(value)[:50]!a}"


def plan_trust(
    profiles: t.Sequence[Profile], roots: t.Sequence[Root], stores: t.Sequence[StoreSpec], *, intermediates: bool = False
) -> tuple[TrustCheck, ...]:
    """One check per store, each for all roots of the profiles and those named beside them, every root once.

    intermediates: look for those of the profiles as well.
    """
    wanted = wanted_roots(profiles, roots)
    below = wanted_intermediates(profiles) if intermediates else ()
    select = selection(wanted, below)
    return tuple(
        TrustCheck(
            request={"id": f"trust:{index}", **_read(store, select), "max_bytes": MAX_STORE_BYTES},
            store=store,
            roots=wanted,
            intermediates=below,
        )
        for index, store in enumerate(stores)
    )


def selection(wanted: t.Sequence[WantedRoot], below: t.Sequence[WantedIntermediate] = ()) -> dict[str, list[str]]:
    """What the probe sends whole: the roots and intermediates themselves, and what carries the names of the roots.

    Of an intermediate that is known by its SHA-1 only, everything travels that has its serial number.
    """
    parts = [name for item in wanted if (name := root_subject(item.root))]
    parts += [serial for item in below if not item.intermediate.sha256 and (serial := _encoded_serial(item.intermediate.serial))]
    digests = {item.root.sha256 for item in wanted} | {item.intermediate.sha256 for item in below if item.intermediate.sha256}
    texts = {base64.b64encode(part).decode("ascii") for part in parts}
    return {"sha256": sorted(digests), "containing": sorted(texts)}


def wanted_intermediates(profiles: t.Sequence[Profile]) -> tuple[WantedIntermediate, ...]:
    """Those of all profiles, every one once."""
    found: dict[tuple[str | None, ...], WantedIntermediate] = {}
    for profile in profiles:
        for item in profile.intermediates:
            key = (item.sha256, item.sha1) if item.sha256 or item.sha1 else (item.id,)
            before = found.get(key, WantedIntermediate(item, ()))
            found[key] = WantedIntermediate(before.intermediate, (*before.profiles, profile))
    return tuple(found.values())


def _encoded_serial(serial: str | None) -> bytes | None:
    """The serial number as a DER INTEGER; too short a one would be found in too much."""
    if serial is None or len(serial) < 16:
        return None
    value = bytes.fromhex(serial).lstrip(b"\0")
    value = b"\0" + value if value[:1] >= b"\x80" else value
    return bytes((0x02, len(value))) + value


def _read(store: StoreSpec, select: dict[str, list[str]]) -> dict[str, t.Any]:
    """How the probe is to read the store: PEM is read on the host, of other formats the bytes travel."""
    path = store.path
    if path is None:
        return {"op": "store", "type": "pem_file", "paths": list(SYSTEM_STORE_PATHS), "select": select}
    if store.type == "java":
        # The directory of a JVM, in the order in which JSSE looks there, or the keystore itself.
        return {"op": "file", "paths": [*(f"{path}/{place}" for place in JVM_PLACES), path]}
    if store.type == "nss":
        return {"op": "file", "paths": [path if path.endswith(f"/{NSS_DATABASE}") else f"{path}/{NSS_DATABASE}"]}
    if store.type == "python":
        return {"op": "store", "type": "pem_file", "paths": _certifi_patterns(path), "patterns": True, "select": select}
    return {"op": "store", "type": store.type, "paths": [path], "select": select}


def _certifi_patterns(path: str) -> list[str]:
    """The bundle itself, or where it lies below a directory of packages or the prefix of an interpreter."""
    literal = glob.escape(path)
    if path.endswith(".pem"):
        return [literal]
    prefixes = [f"{literal}/{lib}/python3*/{kind}-packages" for lib in ("lib", "lib64") for kind in ("site", "dist")]
    return [f"{place}/{CERTIFI_BUNDLE}" for place in (literal, *prefixes)]


def wanted_roots(profiles: t.Sequence[Profile], roots: t.Sequence[Root]) -> tuple[WantedRoot, ...]:
    """By fingerprint: two names for one certificate are one root, and the entry that knows the PEM says more of it."""
    found: dict[str, WantedRoot] = {}
    needed = [WantedRoot(root, (profile,)) for profile in profiles for root in profile.roots]
    for item in (*needed, *(WantedRoot(root, (), index) for index, root in enumerate(roots))):
        before = found.get(item.root.sha256, dataclasses.replace(item, profiles=()))
        best = before if before.root.pem or not item.root.pem else item
        found[item.root.sha256] = dataclasses.replace(best, profiles=before.profiles + item.profiles)
    return tuple(found.values())


def root_subject(root: Root) -> bytes | None:
    """The subject name as it is encoded, so that a look-alike (same name, other key) travels with the answer."""
    if root.pem is None:
        return None
    try:
        return read_certificate(pem_to_der(root.pem)).subject
    except (DerError, ValueError):
        return None
