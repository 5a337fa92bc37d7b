# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""What to ask a host that is to verify a chain with its own software before any server presents it."""

from __future__ import annotations

import base64
import dataclasses
import datetime as dt
import re
import typing as t

from ansible_collections.mailops.tls.plugins.plugin_utils._judge.x509 import extension, extensions_of, load_certificate
from ansible_collections.mailops.tls.plugins.plugin_utils._plan.trust.checks import StoreSpec, TrustCheck
from ansible_collections.mailops.tls.plugins.plugin_utils._profiles.certificates import CertificateData, read_pem
from ansible_collections.mailops.tls.plugins.plugin_utils._profiles.fields import Place, show, suggest
from ansible_collections.mailops.tls.plugins.plugin_utils._profiles.model import Intermediate, Profile, Root

try:
    from cryptography import x509
except ImportError:
    pass  # only in ansible-test's import check: ansible-core itself requires cryptography

REQUEST_ID: t.Final = "trust:rehearsal"
MAX_CHAINS: t.Final = 32
MAX_CHAIN: t.Final = 10
_AUTO: t.Final = ("auto", "true", "yes", "on")
_BLOCK = re.compile(r"-----BEGIN [^-]*-----.*?-----END [^-]*-----", re.DOTALL)


@dataclasses.dataclass(frozen=True)
class RehearsedChain:
    """A chain to verify: its certificates (DER), first the one that is verified, or `gap`, why there are none."""

    id: str
    name: str
    profile: Profile | None
    kind: t.Literal["server", "ca"] = "ca"
    certificates: tuple[bytes, ...] = ()
    fingerprints: tuple[str, ...] = ()
    gap: str = ""


@dataclasses.dataclass(frozen=True)
class Rehearsal:
    """The probe request, and what its answer is judged for. Without a request there was nothing that could be verified."""

    request: dict[str, t.Any] | None
    chains: tuple[RehearsedChain, ...]
    stores: t.Mapping[str, StoreSpec]


def plan_rehearsal(
    raw: t.Any,
    profiles: t.Sequence[Profile],
    known: t.Mapping[str, Profile],
    checks: t.Sequence[TrustCheck],
    *,
    today: dt.date,
    main_cf: str | None,
    timeout: float,
) -> Rehearsal | None:
    """The rehearsal of all chains in all stores, or None where none was asked for. Raises ValueError.

    raw: the option `rehearse`. profiles: those of the run. known: others that may be named, by id. checks: those of the run,
    whose stores are used. main_cf: where Postfix names further stores, or None.
    """
    chains = _chains(raw, profiles, known, today)
    if not chains:
        return None
    usable = [
        {"id": chain.id, "kind": chain.kind, "certificate": _text(chain.certificates[0]), "untrusted": _texts(chain.certificates)}
        for chain in chains
        if chain.certificates
    ]
    request = {
        "id": REQUEST_ID,
        "op": "rehearse",
        "chains": usable,
        "stores": [_store(check) for check in checks],
        "main_cf": main_cf,
        "timeout": timeout,
    }
    return Rehearsal(request if usable else None, chains, {str(check.request["id"]): check.store for check in checks})


def _store(check: TrustCheck) -> dict[str, t.Any]:
    request = check.request
    kind = request["type"] if request["op"] == "store" else check.store.type
    return {"id": request["id"], "type": kind, "paths": request["paths"], "patterns": request.get("patterns", False)}


def _text(der: bytes) -> str:
    return base64.b64encode(der).decode("ascii")


def _texts(certificates: t.Sequence[bytes]) -> list[str]:
    return [_text(der) for der in certificates[1:]]


def _chains(
    raw: t.Any, profiles: t.Sequence[Profile], known: t.Mapping[str, Profile], today: dt.date
) -> tuple[RehearsedChain, ...]:
    if raw is True or (isinstance(raw, str) and raw.strip().lower() in _AUTO):
        return _unique(chain for profile in coming(profiles, today) for chain in _of_profile(profile))
    if raw is None or raw is False or (isinstance(raw, str) and raw.strip().lower() in ("", "false", "no", "off")):
        return ()
    if isinstance(raw, str):
        raw = [raw]
    if not isinstance(raw, t.Sequence) or isinstance(raw, bytes):
        raise ValueError("rehearse: must be auto, true, or a list of profile ids and PEM texts")
    own = {**known, **{profile.id: profile for profile in profiles}}
    return _unique(chain for index, item in enumerate(raw) for chain in _of_item(item, Place(f"rehearse[{index}]"), own))


def _of_item(item: t.Any, at: Place, known: t.Mapping[str, Profile]) -> t.Iterable[RehearsedChain]:
    if not isinstance(item, str):
        raise at.refuse(f"must be the id of a profile or PEM text, not {show(item)}")
    if "-----BEGIN" in item:
        return [_of_pem(item, at)]
    if item not in known:
        raise at.refuse(f"no profile {show(item)}{suggest(item, known)}; PEM text begins with -----BEGIN CERTIFICATE-----")
    return _of_profile(known[item])


def coming(profiles: t.Sequence[Profile], today: dt.date) -> tuple[Profile, ...]:
    """The profiles that have not begun; where none is announced, those in force that began last."""
    future = tuple(profile for profile in profiles if profile.valid_from and profile.valid_from > today)
    current = [profile for profile in profiles if profile.in_force(today)]
    newest = max((profile.valid_from or dt.date.min for profile in current), default=None)
    return future or tuple(profile for profile in current if (profile.valid_from or dt.date.min) == newest)


def _of_profile(profile: Profile) -> t.Iterator[RehearsedChain]:
    """The roots of a profile, and those of its intermediates whose certificate is at hand, with all that is above them."""
    held = {item.id: item for item in profile.intermediates if item.pem}
    for root in profile.roots:
        yield _of_ca(profile, root, ())
    for intermediate in held.values():
        above: list[Intermediate] = []
        issuer = held.get(intermediate.issuer)
        while issuer is not None and issuer is not intermediate and issuer not in above and len(above) < MAX_CHAIN:
            above.append(issuer)
            issuer = held.get(issuer.issuer)
        yield _of_ca(profile, intermediate, tuple(above))


def _of_ca(profile: Profile, authority: Root | Intermediate, above: tuple[Intermediate, ...]) -> RehearsedChain:
    chain_id = f"{profile.id}:{authority.id}"
    if authority.pem is None:
        gap = "Its fingerprint is known and its certificate is not, so there is nothing to verify."
        return RehearsedChain(chain_id, authority.name, profile, gap=gap, fingerprints=tuple(filter(None, [authority.sha256])))
    at = Place(chain_id)
    read = [read_pem(item.pem, at) for item in (authority, *above)]
    return RehearsedChain(chain_id, authority.name, profile, "ca", **_parts(read))


def _of_pem(text: str, at: Place) -> RehearsedChain:
    """A chain that the user gave: what is verified comes first, as a server sends it."""
    blocks = _BLOCK.findall(text)
    if not 0 < len(blocks) <= MAX_CHAIN or len(blocks) != text.count("-----BEGIN"):
        raise at.refuse(f"must hold 1 to {MAX_CHAIN} whole CERTIFICATE blocks")
    read = [read_pem(block, at.item(index)) for index, block in enumerate(blocks)]
    first = read[0]
    kind: t.Literal["server", "ca"] = "ca" if _is_ca(first) else "server"
    return RehearsedChain(at.source, first.subject, None, kind, **_parts(read))


def _parts(read: t.Sequence[CertificateData]) -> dict[str, t.Any]:
    return {"certificates": tuple(item.der for item in read), "fingerprints": tuple(item.sha256 for item in read)}


def _is_ca(certificate: CertificateData) -> bool:
    """RFC 5280 4.2.1.9; a certificate of version 1 that signed itself is a root of old."""
    loaded = load_certificate(certificate.der)
    if loaded is None:
        return False
    found = extension(extensions_of(loaded) or (), x509.BasicConstraints)
    return bool(found.ca) if found is not None else loaded.issuer == loaded.subject


def _unique(chains: t.Iterable[RehearsedChain]) -> tuple[RehearsedChain, ...]:
    """Every chain once: a root of two profiles is verified for the first of them. Raises ValueError for too many."""
    found: dict[t.Any, RehearsedChain] = {}
    for chain in chains:
        found.setdefault((chain.fingerprints, chain.gap) if chain.fingerprints else chain.id, chain)
    if len(found) > MAX_CHAINS:
        raise ValueError(f"rehearse: makes {len(found)} chains, and at most {MAX_CHAINS} are verified")
    return tuple(found.values())
