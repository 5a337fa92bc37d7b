# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""The probe's answers to `smtp` as typed objects. What a host returns is hostile, too: a wrong type reads as not observed."""

from __future__ import annotations

import base64
import binascii
import dataclasses
import functools
import typing as t

from ansible_collections.mailops.tls.plugins.plugin_utils._judge.x509 import clean, load_certificate

if t.TYPE_CHECKING:
    from cryptography import x509

MAX_PATHS: t.Final = 4096
_MAX_ITEMS: t.Final = 128
_MAX_CHAIN: t.Final = 20
_MAX_TLSA: t.Final = 64
_MAX_TLSA_BYTES: t.Final = 16384


@dataclasses.dataclass(frozen=True)
class Mx:
    """The answer to the question for MX records. `authenticated` is the resolver's AD bit; None: it did not say.

    `bogus`: whether DNSSEC is why there is none, as the same question without validation (CD) shows.
    """

    status: str
    authenticated: bool | None
    bogus: bool | None
    records: tuple[tuple[int, str], ...]


@dataclasses.dataclass(frozen=True)
class Tlsa:
    """One TLSA record (RFC 6698 2.1); `data` is None where it is no hexadecimal."""

    usage: int
    selector: int
    matching: int
    data: bytes | None

    @property
    def text(self) -> str:
        """As it stands in a zone, shortened."""
        shown = self.data.hex() if self.data is not None else "?"
        return f"{self.usage} {self.selector} {self.matching} {shown[:16]}{'...' if len(shown) > 16 else ''}"


@dataclasses.dataclass(frozen=True)
class TlsaSet:
    """The TLSA records of one host and port, and how the question for them ended; `bogus` as with Mx."""

    status: str
    name: str
    authenticated: bool | None
    bogus: bool | None
    records: tuple[Tlsa, ...]


@dataclasses.dataclass(frozen=True)
class Host:
    """An MX host or smart host as it was resolved.

    `alias_authenticated`: whether the alias that the host is can be believed, where its end cannot; None: not asked.
    """

    host: str
    preference: int | None
    addresses: tuple[str, ...]
    address_authenticated: bool | None
    alias_authenticated: bool | None
    error: Error | None
    tlsa: TlsaSet


@dataclasses.dataclass(frozen=True)
class Error:
    """Where and how a path ended early: tokens of docs/observations.md."""

    stage: str
    code: str
    message: str


@dataclasses.dataclass(frozen=True)
class Tls:
    """What was negotiated. `permissive`: only with settings weaker than the host's ordinary ones."""

    protocol: str | None
    cipher: str | None
    bits: int | None
    server_name: str | None
    key_exchange: str | None
    group: str | None
    client_certificate_requested: bool | None
    permissive: bool


@dataclasses.dataclass(frozen=True)
class StoreVerdict:
    """What the host's own openssl said about the chain with one store.

    `code` is the X509_V_ERR number of the first error, `depth` the certificate it is about, 0 being the server's own.
    """

    store: str
    ok: bool | None
    code: int | None
    depth: int | None
    message: str
    version: str | None


@dataclasses.dataclass(frozen=True)
class AnchorVerdict:
    """What it said with nothing trusted but one certificate, which a TLSA record may name (RFC 7671 5.2)."""

    sha256: str
    ok: bool | None
    code: int | None
    message: str


@dataclasses.dataclass(frozen=True)
class Plaintext:
    """The replies to MAIL FROM and RCPT TO before STARTTLS; None where the command was not sent."""

    mail: str | None
    rcpt: str | None


@dataclasses.dataclass(frozen=True)
class Path:
    """One address of one server, as the host saw it."""

    host: str
    address: str
    family: str | None
    port: int
    connections: int | None
    milliseconds: dict[str, float | None]
    banner: str | None
    capabilities: tuple[str, ...] | None
    starttls: str | None
    starttls_reply: str | None
    tls: Tls | None
    chain: tuple[x509.Certificate, ...]
    chain_source: str | None
    verified: tuple[StoreVerdict, ...]
    anchored: tuple[AnchorVerdict, ...]
    plaintext: Plaintext | None
    error: Error | None

    @property
    def name(self) -> str:
        """How findings call it."""
        address = f"[{self.address}]" if ":" in self.address else self.address
        return f"{address}:{self.port}" if self.host == self.address else f"{self.host}[{self.address}]:{self.port}"


@dataclasses.dataclass(frozen=True)
class Observation:
    """One answer to `smtp`. `truncated`: there were more addresses than are looked at."""

    mx: Mx
    hosts: tuple[Host, ...]
    paths: tuple[Path, ...]
    error: Error | None
    truncated: bool


def read_observation(answer: t.Mapping[str, t.Any]) -> Observation:
    """An answer of the probe; an empty one reads as not observed."""
    certificates = answer.get("certificates")
    table = _table(certificates if isinstance(certificates, (dict, list)) else ())
    error = _error(answer.get("error"))
    if not answer:
        error = Error("request", "internal", "the probe did not answer")
    return Observation(
        mx=_mx(answer.get("mx")),
        hosts=tuple(_host(item) for item in _dicts(answer.get("hosts"), MAX_PATHS)),
        paths=tuple(_path(item, table) for item in _dicts(answer.get("paths"), MAX_PATHS)),
        error=error,
        truncated=answer.get("truncated") is True,
    )


def _table(raw: t.Any) -> dict[str, t.Any]:
    """Certificates that several paths share: by SHA-256 as the probe names them."""
    if isinstance(raw, dict):
        return {str(key).lower(): value for key, value in list(raw.items())[:MAX_PATHS]}
    return {str(item.get("sha256")).lower(): item.get("der") for item in _dicts(raw, MAX_PATHS)}


def _mx(raw: t.Any) -> Mx:
    if not isinstance(raw, dict):
        return Mx("not_asked", None, None, ())
    records = [(_whole(item.get("preference")) or 0, _name(item.get("host"))) for item in _dicts(raw.get("records"))]
    status = clean(raw.get("status") or "error", 40)
    return Mx(status, _flag(raw.get("authenticated")), _flag(raw.get("bogus")), tuple(sorted(records)))


def _host(raw: dict[str, t.Any]) -> Host:
    addresses = raw.get("addresses")
    error = raw.get("error")
    return Host(
        host=_name(raw.get("host")),
        preference=_whole(raw.get("preference")),
        addresses=tuple(clean(item, 64) for item in addresses[:_MAX_ITEMS]) if isinstance(addresses, list) else (),
        address_authenticated=_flag(raw.get("address_authenticated")),
        alias_authenticated=_flag(raw.get("alias_authenticated")),
        error=Error("resolve", "error", clean(error)) if isinstance(error, str) and error else _error(error),
        tlsa=_tlsa_set(raw.get("tlsa")),
    )


def _tlsa_set(raw: t.Any) -> TlsaSet:
    if not isinstance(raw, dict):
        return TlsaSet("not_asked", "", None, None, ())
    records = tuple(_tlsa(item) for item in _dicts(raw.get("records"), _MAX_TLSA))
    status = clean(raw.get("status") or "error", 40)
    name, authenticated = clean(raw.get("name") or "", 300), _flag(raw.get("authenticated"))
    return TlsaSet(status, name, authenticated, _flag(raw.get("bogus")), records)


def _tlsa(raw: dict[str, t.Any]) -> Tlsa:
    text = raw.get("data")
    try:
        data = bytes.fromhex(text[: 2 * _MAX_TLSA_BYTES]) if isinstance(text, str) else None
    except ValueError:
        data = None
    numbers = [_whole(raw.get(key)) for key in ("usage", "selector", "matching")]
    usage, selector, matching = (-1 if number is None else number for number in numbers)
    return Tlsa(usage, selector, matching, data)


def _path(raw: dict[str, t.Any], table: t.Mapping[str, t.Any]) -> Path:
    host, address = _name(raw.get("host")), clean(raw.get("address") or "", 64)
    return Path(
        host=host or address,
        address=address,
        family=_text(raw.get("family"), 10),
        port=_whole(raw.get("port")) or 0,
        connections=_whole(raw.get("connections")),
        milliseconds=_times(raw.get("ms")),
        banner=_text(raw.get("banner"), 500),
        capabilities=_lines(raw.get("capabilities")),
        starttls=_text(raw.get("starttls"), 40),
        starttls_reply=_text(raw.get("starttls_reply"), 300),
        tls=_tls(raw.get("tls")),
        chain=_chain(raw.get("chain"), table),
        chain_source=_text(raw.get("chain_source"), 40),
        verified=tuple(_store_verdict(item) for item in _dicts(raw.get("verified"))),
        anchored=tuple(_anchor_verdict(item) for item in _dicts(raw.get("anchored"))),
        plaintext=_plaintext(raw.get("plaintext")),
        error=_error(raw.get("error")),
    )


def _times(raw: t.Any) -> dict[str, float | None]:
    return {clean(key, 40): _number(value) for key, value in list(raw.items())[:10]} if isinstance(raw, dict) else {}


def _tls(raw: t.Any) -> Tls | None:
    if not isinstance(raw, dict):
        return None
    return Tls(
        protocol=_text(raw.get("protocol"), 40),
        cipher=_text(raw.get("cipher"), 80),
        bits=_whole(raw.get("bits")),
        server_name=_text(raw.get("server_name"), 255),
        key_exchange=_text(raw.get("key_exchange"), 40),
        group=_text(raw.get("group"), 40),
        client_certificate_requested=_flag(raw.get("client_certificate_requested")),
        permissive=raw.get("permissive") is True,
    )


def _store_verdict(raw: dict[str, t.Any]) -> StoreVerdict:
    return StoreVerdict(
        store=clean(raw.get("store") or "?"),
        ok=_flag(raw.get("ok")),
        code=_whole(raw.get("code")),
        depth=_whole(raw.get("depth")),
        message=clean(raw.get("message") or ""),
        version=_text(raw.get("version"), 100),
    )


def _anchor_verdict(raw: dict[str, t.Any]) -> AnchorVerdict:
    message = clean(raw.get("message") or "")
    return AnchorVerdict(clean(raw.get("sha256") or "", 64), _flag(raw.get("ok")), _whole(raw.get("code")), message)


def _plaintext(raw: t.Any) -> Plaintext | None:
    return Plaintext(_text(raw.get("mail"), 300), _text(raw.get("rcpt"), 300)) if isinstance(raw, dict) else None


@functools.lru_cache(maxsize=1024)
def _load(encoded: str) -> x509.Certificate | None:
    """Many addresses present the same few certificates: each is read once."""
    try:
        return load_certificate(base64.b64decode(encoded, validate=True))
    except (binascii.Error, ValueError):
        return None


def _chain(raw: t.Any, table: t.Mapping[str, t.Any]) -> tuple[x509.Certificate, ...]:
    """The certificates up to the first that cannot be read; each is base64 of its DER, or its SHA-256 in the table."""
    found = []
    for item in raw[:_MAX_CHAIN] if isinstance(raw, list) else ():
        encoded = table.get(item.lower(), item) if isinstance(item, str) else None
        certificate = _load(encoded) if isinstance(encoded, str) else None
        if certificate is None:
            break
        found.append(certificate)
    return tuple(found)


def _error(raw: t.Any) -> Error | None:
    if not isinstance(raw, dict):
        return None if raw is None else Error("internal", "internal", "the probe's error cannot be read")
    stage, code = clean(raw.get("stage") or "internal", 40), clean(raw.get("code") or "internal", 40)
    return Error(stage, code, clean(raw.get("message") or ""))


def _dicts(raw: t.Any, limit: int = _MAX_ITEMS) -> list[dict[str, t.Any]]:
    return [item for item in (raw if isinstance(raw, list) else [])[:limit] if isinstance(item, dict)]


def _lines(raw: t.Any) -> tuple[str, ...] | None:
    return tuple(clean(item, 300) for item in raw[:_MAX_ITEMS]) if isinstance(raw, list) else None


def _name(raw: t.Any) -> str:
    return clean(raw or "", 255).rstrip(".").lower()


def _text(raw: t.Any, limit: int) -> str | None:
    return clean(raw, limit) if isinstance(raw, str) else None


def _flag(raw: t.Any) -> bool | None:
    return raw if isinstance(raw, bool) else None


def _number(raw: t.Any) -> float | None:
    return None if isinstance(raw, bool) or not isinstance(raw, (int, float)) or not -1e12 < raw < 1e12 else raw


def _whole(raw: t.Any) -> int | None:
    return None if isinstance(raw, bool) or not isinstance(raw, int) or not -(2**31) <= raw < 2**32 else raw
