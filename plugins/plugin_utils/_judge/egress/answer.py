# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""The probe's answers as typed objects. What a host returns is hostile, too: a field of the wrong type reads as not observed."""

from __future__ import annotations

import base64
import binascii
import dataclasses
import re
import typing as t

from ansible_collections.mailops.tls.plugins.plugin_utils._judge.x509 import clean

_MAX_ITEMS = 64
_USERINFO = re.compile(r"^([A-Za-z][A-Za-z0-9+.-]*://)[^/?#]*@")


@dataclasses.dataclass(frozen=True)
class ProbeError:
    """Where and how an exchange ended early: tokens of docs/observations.md."""

    stage: str
    code: str
    errno: str | None
    message: str

    def as_dict(self) -> dict[str, t.Any]:
        return dataclasses.asdict(self)


@dataclasses.dataclass(frozen=True)
class AddressSeen:
    """One address and what became of the attempt to connect to it; `connected` None: not tried, or not to its end."""

    address: str
    family: str
    connected: bool | None
    ms: float | None
    errno: str | None
    code: str | None

    def as_dict(self) -> dict[str, t.Any]:
        """As the contract's `addresses` item."""
        return {"address": self.address, "family": self.family, "connected": self.connected, "ms": self.ms, "errno": self.errno}


@dataclasses.dataclass(frozen=True)
class TlsSeen:
    """A handshake as the host saw it."""

    verified: bool | None
    verify_message: str
    chain: tuple[bytes, ...]
    chain_source: str | None


@dataclasses.dataclass(frozen=True)
class HttpSeen:
    """An answer's status line and the headers the probe returns, names in lower case."""

    status: int
    reason: str
    headers: dict[str, str]
    ms: float | None


@dataclasses.dataclass(frozen=True)
class Hop:
    """One request of the exchange: the first, or a redirect that was followed."""

    url: str | None
    host: str
    port: int
    resolvers: tuple[str, ...]
    rcode: str | None
    resolved: tuple[str, ...]
    addresses: tuple[AddressSeen, ...]
    tls: TlsSeen | None
    http: HttpSeen | None


@dataclasses.dataclass(frozen=True)
class ProxySeen:
    """The proxy that was used; `status` is its answer to CONNECT, None for plain http."""

    url: str
    source: str
    tunnel: bool
    authorization: bool
    addresses: tuple[AddressSeen, ...]
    status: int | None
    reason: str
    headers: dict[str, str]


@dataclasses.dataclass(frozen=True)
class Answer:
    """One answer of the probe. `body` is None where none was returned."""

    error: ProbeError | None
    elapsed_ms: float | None
    proxy: ProxySeen | None
    hops: tuple[Hop, ...]
    body: bytes | None
    body_bytes: int


def answers_by_id(observations: t.Any) -> dict[str, Answer]:
    """Every answer of one run of the probe, by the id of its request."""
    listed = observations.get("answers") if isinstance(observations, dict) else None
    found: dict[str, Answer] = {}
    for raw in listed if isinstance(listed, list) else []:
        if isinstance(raw, dict) and isinstance(raw.get("id"), str):
            found[raw["id"]] = _answer(raw)
    return found


def without_userinfo(url: t.Any) -> str:
    """A URL as text without what may be credentials."""
    return _USERINFO.sub(r"\1", clean(url, 500))


def _answer(raw: dict[str, t.Any]) -> Answer:
    return Answer(
        error=_error(raw.get("error")),
        elapsed_ms=_number(raw.get("elapsed_ms")),
        proxy=_proxy(raw.get("proxy")),
        hops=tuple(_hop(hop) for hop in _dicts(raw.get("hops"))),
        body=_bytes(raw.get("body")),
        body_bytes=int(_number(raw.get("body_bytes")) or 0),
    )


def _error(raw: t.Any) -> ProbeError | None:
    if raw is None:
        return None
    if not isinstance(raw, dict):
        return ProbeError("internal", "internal", None, "the probe's error cannot be read")
    errno = raw.get("errno")
    return ProbeError(
        stage=clean(raw.get("stage") or "internal", 40),
        code=clean(raw.get("code") or "internal", 40),
        errno=clean(errno, 40) if errno else None,
        message=clean(raw.get("message") or ""),
    )


def _hop(raw: dict[str, t.Any]) -> Hop:
    resolve = raw["resolve"] if isinstance(raw.get("resolve"), dict) else {}
    return Hop(
        url=without_userinfo(raw["url"]) if raw.get("url") else None,
        host=clean(raw.get("host") or "", 255),
        port=int(_number(raw.get("port")) or 0),
        resolvers=_texts(resolve.get("resolvers")),
        rcode=clean(resolve["rcode"], 40) if resolve.get("rcode") else None,
        resolved=_texts(resolve.get("addresses")),
        addresses=_addresses(raw.get("addresses")),
        tls=_tls(raw.get("tls")),
        http=_http(raw.get("http")),
    )


def _texts(raw: t.Any) -> tuple[str, ...]:
    return tuple(clean(item, 64) for item in (raw if isinstance(raw, list) else [])[:_MAX_ITEMS])


def _addresses(raw: t.Any) -> tuple[AddressSeen, ...]:
    return tuple(
        AddressSeen(
            address=clean(item.get("address") or "", 64),
            family=clean(item.get("family") or "", 10),
            connected=item["connected"] if isinstance(item.get("connected"), bool) else None,
            ms=_number(item.get("ms")),
            errno=clean(item["errno"], 40) if item.get("errno") else None,
            code=clean(item["code"], 40) if item.get("code") else None,
        )
        for item in _dicts(raw)
    )


def _tls(raw: t.Any) -> TlsSeen | None:
    if not isinstance(raw, dict):
        return None
    chain = raw.get("chain")
    ders = [_bytes(item) for item in (chain if isinstance(chain, list) else [])[:_MAX_ITEMS]]
    return TlsSeen(
        verified=raw["verified"] if isinstance(raw.get("verified"), bool) else None,
        verify_message=clean(raw.get("verify_message") or ""),
        chain=tuple(der for der in ders if der is not None),
        chain_source=clean(raw["chain_source"], 40) if raw.get("chain_source") else None,
    )


def _http(raw: t.Any) -> HttpSeen | None:
    status = _number(raw.get("status")) if isinstance(raw, dict) else None
    if status is None:
        return None
    return HttpSeen(int(status), clean(raw.get("reason") or "", 100), _headers(raw.get("headers")), _number(raw.get("ms")))


def _proxy(raw: t.Any) -> ProxySeen | None:
    if not isinstance(raw, dict):
        return None
    status = _number(raw.get("status"))
    return ProxySeen(
        url=without_userinfo(raw.get("url") or ""),
        source=clean(raw.get("source") or "", 40),
        tunnel=raw.get("tunnel") is True,
        authorization=raw.get("authorization") is True,
        addresses=_addresses(raw.get("addresses")),
        status=int(status) if status is not None else None,
        reason=clean(raw.get("reason") or "", 100),
        headers=_headers(raw.get("headers")),
    )


def _headers(raw: t.Any) -> dict[str, str]:
    items = list(raw.items())[:_MAX_ITEMS] if isinstance(raw, dict) else []
    return {clean(key, 60).lower(): clean(value, 500) for key, value in items}


def _dicts(raw: t.Any) -> list[dict[str, t.Any]]:
    return [item for item in (raw if isinstance(raw, list) else [])[:_MAX_ITEMS] if isinstance(item, dict)]


def _number(raw: t.Any) -> float | None:
    """A finite number that is no bool; JSON has neither NaN nor infinity, Python's reader lets both in."""
    if isinstance(raw, bool) or not isinstance(raw, (int, float)) or not -1e15 < raw < 1e15:
        return None
    return raw


def _bytes(raw: t.Any) -> bytes | None:
    if not isinstance(raw, str):
        return None
    try:
        return base64.b64decode(raw, validate=True)
    except (binascii.Error, ValueError):
        return None
