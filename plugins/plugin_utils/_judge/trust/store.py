# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""A store as the probe saw it, read from an answer that is not believed before it is checked."""

from __future__ import annotations

import base64
import binascii
import dataclasses
import re
import typing as t

from ansible_collections.mailops.tls.plugins.plugin_utils._judge.trust.der import (
    CertificateParts,
    DerError,
    TrustSettings,
    read_certificate,
    trust_settings,
)
from ansible_collections.mailops.tls.plugins.plugin_utils._keystores.model import Integrity, Use

MAX_CERTIFICATES: t.Final = 20000
MAX_BLOCKS: t.Final = 2000
# The damage for which OpenSSL refuses a file whole (docs/observations.md).
REFUSED: t.Final = (
    "not base64",
    "not DER",
    "empty",
    "blank line",
    "is of another kind",
    "text behind the END line",
    "the file ends",
    "takes PEM from such a file",
)
_AS_DER: t.Final = "The file holds it as DER, and OpenSSL takes PEM from such a store."
_BEHIND_MARK: t.Final = (
    "It stands behind a byte order mark, which OpenSSL gets past from version 3 on. The one of this host is older."
)
_NOTHING: t.Final = "The file holds no certificate at all, and OpenSSL refuses to load such a file."
_SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)


@dataclasses.dataclass(frozen=True)
class Block:
    """A certificate of the store that came back whole. `settings_error` tells that its trust settings cannot be read.

    `use` is what a keystore says of it, and `use_detail` why it is no anchor there; in PEM every certificate is one that OpenSSL
    loads.
    """

    parts: CertificateParts
    file: str | None
    settings: TrustSettings | None = None
    settings_error: bool = False
    use: Use = "anchor"
    use_detail: str = ""


@dataclasses.dataclass(frozen=True)
class StoreView:
    """What was seen of a store. With `error` nothing else in it counts; `missing` says there is no such store."""

    error: str | None = None
    error_code: str | None = None
    missing: bool = False
    path: str | None = None
    real_path: str | None = None
    size: int | None = None
    modified: float | None = None
    sha256: str | None = None
    fingerprints: tuple[str, ...] = ()
    blocks: tuple[Block, ...] = ()
    skipped: tuple[str, ...] = ()
    skipped_count: int = 0
    # Why OpenSSL loads nothing at all of a file of PEM, or nothing.
    refused: str = ""
    # It belongs to every absence from the store.
    caveat: str = ""
    # Of keystores only.
    format: str | None = None
    integrity: Integrity | None = None


def read_view(observations: t.Mapping[str, t.Any], request_id: str) -> StoreView:
    """The view of a PEM store from the probe's observations; whatever is wrong with them ends in `error`."""
    answer = find_answer(observations, request_id)
    return view_of_pem(answer) if isinstance(answer, t.Mapping) else answer


def find_answer(observations: t.Mapping[str, t.Any], request_id: str) -> t.Mapping[str, t.Any] | StoreView:
    """The answer to a request, or a view that says why there is none."""
    answers = observations.get("answers") if isinstance(observations, t.Mapping) else None
    found = [a for a in answers if isinstance(a, t.Mapping) and a.get("id") == request_id] if isinstance(answers, list) else []
    return found[0] if found else StoreView(error="the probe gave no answer about this store", error_code="no_answer")


def view_of_pem(answer: t.Mapping[str, t.Any]) -> StoreView:
    """The view of a store that the probe read as PEM."""
    if answer.get("error") is not None:
        return failed_view(answer)
    fingerprints = answer.get("certificates")
    if not isinstance(fingerprints, list) or not all(isinstance(item, str) and _SHA256.fullmatch(item) for item in fingerprints):
        return StoreView(error="the probe's answer about this store is malformed", error_code="malformed")
    skipped = [_skip(item) for item in _list(answer.get("skipped"))[:20]]
    # Each file of a directory is loaded by itself.
    refused = [reason for reason in skipped if reason.endswith(REFUSED)] if answer.get("files") is None else []
    return dataclasses.replace(
        file_view(answer),
        fingerprints=tuple(fingerprints[:MAX_CERTIFICATES]),
        blocks=tuple(block for raw in _list(answer.get("blocks"))[:MAX_BLOCKS] if (block := _block(raw))),
        skipped=tuple(skipped),
        refused=refused[0] if refused else "",
        skipped_count=max(_number(answer.get("skipped_count"), int) or 0, len(skipped)),
        caveat=_NOTHING if not fingerprints and not skipped and answer.get("files") is None else "",
    )


def file_view(answer: t.Mapping[str, t.Any]) -> StoreView:
    """What every answer tells of the file or directory that was read."""
    return StoreView(
        path=_text(answer.get("path")),
        real_path=_text(answer.get("real_path")),
        size=_number(answer.get("size"), int),
        modified=_number(answer.get("modified"), float),
        sha256=_text(answer.get("sha256")),
    )


def failed_view(answer: t.Mapping[str, t.Any]) -> StoreView:
    """The view of a store that could not be read."""
    error = answer["error"] if isinstance(answer["error"], t.Mapping) else {}
    stage, code = _text(error.get("stage")) or "?", _text(error.get("code")) or "?"
    message = _text(error.get("message"))
    return StoreView(
        error=f"{stage} {code}" + (f": {message}" if message else ""),
        error_code=code,
        missing=(stage, code) == ("read", "missing"),
        path=_text(answer.get("path")),
    )


def _block(raw: t.Any) -> Block | None:
    """A block, or None if it is not a certificate. Its fingerprint is computed here: the host's own claim proves nothing."""
    if not isinstance(raw, t.Mapping) or not isinstance(raw.get("der"), str):
        return None
    try:
        parts = read_certificate(base64.b64decode(raw["der"], validate=True))
    except (DerError, binascii.Error, ValueError):
        return None
    file = _text(raw.get("file"))
    if raw.get("idle"):
        return Block(parts, file, use="other", use_detail=_AS_DER if raw.get("label") == "DER" else _BEHIND_MARK)
    if raw.get("label") != "TRUSTED CERTIFICATE":
        return Block(parts, file)
    try:
        return Block(parts, file, trust_settings(parts.rest))
    except DerError:
        return Block(parts, file, settings_error=True)


def _skip(item: t.Any) -> str:
    raw = item if isinstance(item, t.Mapping) else {}
    line = _number(raw.get("line"), int)
    where = _text(raw.get("file")) or (f"line {line}" if line is not None else "")
    return ": ".join(part for part in (where, _text(raw.get("reason")) or "no reason given") if part)


def _list(value: t.Any) -> list[t.Any]:
    return value if isinstance(value, list) else []


def _text(value: t.Any) -> str | None:
    """Text from the host, fit to be shown: short and printable."""
    if not isinstance(value, str) or not value:
        return None
    return "".join(character if character.isprintable() else "?" for character in value[:500])


T = t.TypeVar("T", int, float)


def _number(value: t.Any, kind: type[T]) -> T | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) < 1e15:
        return None
    return kind(value)
