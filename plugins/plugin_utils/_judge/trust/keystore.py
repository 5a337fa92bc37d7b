# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""A keystore of Java or a database of NSS, whose bytes the probe sent, as a view like that of a PEM store."""

from __future__ import annotations

import base64
import binascii
import dataclasses
import hashlib
import typing as t

from ansible_collections.mailops.tls.plugins.plugin_utils._judge.trust.der import DerError, read_certificate
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.trust.store import (
    Block,
    StoreView,
    failed_view,
    file_view,
    find_answer,
)
from ansible_collections.mailops.tls.plugins.plugin_utils._keystores.java import read_java
from ansible_collections.mailops.tls.plugins.plugin_utils._keystores.model import Entry, Keystore, KeystoreError
from ansible_collections.mailops.tls.plugins.plugin_utils._keystores.nss import read_nss
from ansible_collections.mailops.tls.plugins.plugin_utils._plan.trust.checks import (
    MAX_STORE_BYTES,
    StoreSpec,
    TrustCheck,
    root_subject,
)

_KINDS: t.Final = {"java": "a keystore of Java", "nss": "a certificate database of NSS"}


def read_keystore_view(observations: t.Mapping[str, t.Any], check: TrustCheck) -> StoreView:
    """The view of a keystore; whatever is wrong with the answer or the keystore ends in `error`."""
    answer = find_answer(observations, str(check.request["id"]))
    return view_of_keystore(answer, check) if isinstance(answer, t.Mapping) else answer


def view_of_keystore(answer: t.Mapping[str, t.Any], check: TrustCheck) -> StoreView:
    """The view of a keystore from the answer that holds its bytes."""
    if answer.get("error") is not None:
        return failed_view(answer)
    view = file_view(answer)
    try:
        data = _bytes(answer.get("data"))
    except ValueError:
        return dataclasses.replace(view, error="the probe's answer about this store is malformed", error_code="malformed")
    # The digest is that of what was judged, whatever the host says of its file.
    view = dataclasses.replace(view, sha256=hashlib.sha256(data).hexdigest(), size=len(data))
    try:
        keystore = _read(check.store, data)
    except KeystoreError as error:
        reason = f"it cannot be read as {_KINDS[check.store.type]}: {error}"
        return dataclasses.replace(view, error=reason, error_code="format")
    return dataclasses.replace(
        view,
        fingerprints=tuple(entry.sha256 for entry in keystore.anchors),
        blocks=_blocks(keystore, check),
        format=keystore.format,
        integrity=keystore.integrity,
        caveat=keystore.caveat,
    )


def _bytes(value: t.Any) -> bytes:
    if not isinstance(value, str) or len(value) > MAX_STORE_BYTES * 2:
        raise ValueError("no data")
    try:
        return base64.b64decode(value, validate=True)
    except binascii.Error:
        raise ValueError("not base64") from None


def _read(store: StoreSpec, data: bytes) -> Keystore:
    return read_nss(data) if store.type == "nss" else read_java(data, store.password)


def _blocks(keystore: Keystore, check: TrustCheck) -> tuple[Block, ...]:
    """The certificates that matter, as the probe selects them in PEM: those asked for, and those that carry their names."""
    digests = {wanted.root.sha256 for wanted in check.roots}
    digests |= {wanted.intermediate.sha256 for wanted in check.intermediates if wanted.intermediate.sha256}
    sha1 = {wanted.intermediate.sha1 for wanted in check.intermediates if not wanted.intermediate.sha256} - {None}
    names = {name for wanted in check.roots if (name := root_subject(wanted.root))}
    chosen = [
        entry
        for entry in keystore.entries
        if entry.sha256 in digests
        or any(name in entry.der for name in names)
        or (sha1 and hashlib.sha1(entry.der, usedforsecurity=False).hexdigest() in sha1)
    ]
    return tuple(block for entry in chosen if (block := _block(entry)))


def _block(entry: Entry) -> Block | None:
    try:
        return Block(read_certificate(entry.der), None, use=entry.use, use_detail=entry.detail)
    except DerError:
        return None
