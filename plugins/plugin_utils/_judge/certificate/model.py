# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""What is judged about a host's own certificates: as observed, and against what."""

from __future__ import annotations

import base64
import binascii
import dataclasses
import datetime as dt
import typing as t

from ansible_collections.mailops.tls.plugins.plugin_utils._judge.x509 import clean, load_certificate

if t.TYPE_CHECKING:
    from ansible_collections.mailops.tls.plugins.plugin_utils._profiles.public_ca import PublicCaRules
    from cryptography import x509

_MAX_IDENTITIES: t.Final = 32
_MAX_CHAIN: t.Final = 20


@dataclasses.dataclass(frozen=True)
class Key:
    """The private key as a file of the host. `error` is (code, message) where it could not be read."""

    path: str
    mode: str | None
    owner: str | None
    group: str | None
    matches: bool | None
    message: str | None
    error: tuple[str, str] | None


@dataclasses.dataclass(frozen=True)
class StoreVerdict:
    """What the host's OpenSSL said about the chain. `ok` is None where it could not say, `code` an X509_V_ERR number."""

    ok: bool | None
    code: int | None
    message: str
    version: str


@dataclasses.dataclass(frozen=True)
class Identity:
    """A certificate that the host presents: from a file, with its key, or as a port served it. The leaf comes first.

    `form` is what a file without a certificate in PEM holds, `trust` the verdict of the host's OpenSSL with the host's own store.
    """

    name: str
    used_by: tuple[str, ...]
    chain: tuple[x509.Certificate, ...]
    key: Key | None
    error: tuple[str, str] | None
    form: str | None = None
    trust: StoreVerdict | None = None


@dataclasses.dataclass(frozen=True)
class Policy:
    """What is asked of the certificates. `lead_time` says how long before the end a renewal is due.

    `roots` are all that are at hand, `public_roots` those of public CAs among them; `public` asks for one of these.
    """

    sender_name: str | None
    accepted_domains: tuple[str, ...]
    bound_to: str | None
    next_certificate: x509.Certificate | None
    expected: tuple[str, ...]
    roots: tuple[x509.Certificate, ...]
    public_roots: tuple[x509.Certificate, ...]
    rules: PublicCaRules
    public: bool
    lead_time: dt.timedelta


def answer_to(observations: t.Mapping[str, t.Any], request_id: str) -> dict[str, t.Any]:
    """The probe's answer to a request; empty where there is none."""
    answers = observations.get("answers")
    found = (
        (item for item in answers if isinstance(item, dict) and item.get("id") == request_id) if isinstance(answers, list) else ()
    )
    return next(iter(found), {})


def identities_of(answer: t.Mapping[str, t.Any]) -> tuple[Identity, ...]:
    """Those of an answer to `identity`. A field of the wrong type reads as not observed."""
    items = answer.get("identities")
    found = [_identity(item) for item in items[:_MAX_IDENTITIES] if isinstance(item, dict)] if isinstance(items, list) else []
    error = _error(answer.get("error"))
    if error:
        found.append(Identity("files of the host", (), (), None, error))
    if answer.get("truncated") is True:
        found.append(Identity("files of the host", (), (), None, ("error", "there are more certificates than were looked at")))
    return (*found, *_unread_settings(answer.get("postfix")))


def _unread_settings(postfix: t.Any) -> list[Identity]:
    """Where Postfix may name a certificate that nobody saw: main.cf unreadable, or a setting with unresolved references."""
    if not isinstance(postfix, dict):
        return []
    path, parameters = clean(postfix.get("path") or "main.cf"), postfix.get("parameters")
    error = _error(postfix.get("error"))
    if error:
        return [Identity(path, ("postfix",), (), None, error)]
    names = [name for name, value in parameters.items() if value is None] if isinstance(parameters, dict) else []
    reason = ("error", "its value refers to settings that are not in the file")
    return [
        Identity(clean(name), (f"postfix:{clean(name)}",), (), None, reason) for name in sorted(map(str, names))[:_MAX_IDENTITIES]
    ]


def served_identity(name: str, answer: t.Mapping[str, t.Any]) -> Identity:
    """What a port presented, from an answer to `chain`."""
    hops = answer.get("hops")
    last = hops[-1] if isinstance(hops, list) and hops and isinstance(hops[-1], dict) else {}
    tls = last.get("tls")
    chain = _chain(tls.get("chain")) if isinstance(tls, dict) else ()
    error = None if chain else _error(answer.get("error")) or ("error", "no certificate was presented")
    return Identity(name, (f"server:{name}",), chain, None, error, trust=_trust(answer.get("trust")))


def _identity(item: dict[str, t.Any]) -> Identity:
    used_by = item.get("used_by")
    return Identity(
        name=clean(item.get("certificate") or "?"),
        used_by=tuple(clean(user) for user in used_by[:16]) if isinstance(used_by, list) else (),
        chain=_chain(item.get("chain")),
        key=_key(item),
        error=_error(item.get("error")),
        form=_text(item.get("form")),
        trust=_trust(item.get("trust")),
    )


def _trust(value: t.Any) -> StoreVerdict | None:
    if not isinstance(value, dict):
        return None
    ok, code = value.get("ok"), value.get("code")
    return StoreVerdict(
        ok=ok if isinstance(ok, bool) else None,
        code=code if isinstance(code, int) and not isinstance(code, bool) else None,
        message=clean(value.get("message") or ""),
        version=clean(value.get("version") or "OpenSSL"),
    )


def _key(item: dict[str, t.Any]) -> Key | None:
    key = item.get("key")
    if not isinstance(key, dict):
        return None
    matches = item.get("key_matches")
    return Key(
        path=clean(key.get("path") or "?"),
        mode=_text(key.get("mode")),
        owner=_text(key.get("owner")),
        group=_text(key.get("group")),
        matches=matches if isinstance(matches, bool) else None,
        message=_text(item.get("key_message")),
        error=_error(key.get("error")),
    )


def _chain(encoded: t.Any) -> tuple[x509.Certificate, ...]:
    found = []
    for item in encoded[:_MAX_CHAIN] if isinstance(encoded, list) else ():
        try:
            certificate = load_certificate(base64.b64decode(item, validate=True))
        except (binascii.Error, ValueError, TypeError):
            certificate = None
        if certificate is None:
            break
        found.append(certificate)
    return tuple(found)


def _text(value: t.Any) -> str | None:
    return clean(value) if isinstance(value, str) else None


def _error(value: t.Any) -> tuple[str, str] | None:
    if not isinstance(value, dict):
        return None
    return clean(value.get("code") or "error", 40), clean(value.get("message") or "")
