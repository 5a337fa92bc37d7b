# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""Does a store hold an intermediate, so that it completes a chain from which a server left it out.

An intermediate need not be an anchor for that: OpenSSL and NSS take any certificate of the store to build a path with. In a
keystore of Java only trusted entries are used, and such an entry is an anchor by itself.
"""

from __future__ import annotations

import hashlib
import typing as t

from ansible_collections.mailops.tls.plugins.plugin_utils._judge.trust.root import Clocks, RootVerdict, judge_root
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.trust.store import StoreView
from ansible_collections.mailops.tls.plugins.plugin_utils._keystores.nss import NO_FLAG
from ansible_collections.mailops.tls.plugins.plugin_utils._profiles.model import Intermediate, Root

_FINDINGS: t.Final = {"present": "present", "absent": "absent", "unknown": "unknown"}


def judge_intermediate(wanted: Intermediate, view: StoreView, *, hashed: bool, clocks: Clocks) -> RootVerdict:
    """The verdict on one intermediate in one store, in the words of those on roots.

    By SHA-256 where the profile has it, else by SHA-1, which is all that some CAs publish; with its certificate also by key.
    """
    if view.error is not None:
        return RootVerdict("unknown", view.error)
    sha256 = wanted.sha256 or _by_sha1(wanted.sha1, view)
    if sha256 is None:
        if wanted.sha1 is None:
            return RootVerdict("unknown", "the profile has no fingerprint of it")
        return RootVerdict("absent", evidence={"compared_by": "sha1"})
    verdict = judge_root(Root(wanted.id, wanted.name, sha256, pem=wanted.pem), view, hashed=hashed, clocks=clocks)
    block = next((block for block in view.blocks if block.parts.sha256 == sha256), None)
    if verdict.status == "not_effective" and block is not None and block.use_detail == NO_FLAG:
        return RootVerdict("present", "NSS completes chains with it, also without a flag.", {"found_sha256": sha256})
    return verdict


def finding_id(status: str) -> str:
    """The finding for a verdict."""
    return f"trust.intermediate.{_FINDINGS.get(status, 'not_usable')}"


def _by_sha1(sha1: str | None, view: StoreView) -> str | None:
    digests = {hashlib.sha1(block.parts.certificate, usedforsecurity=False).hexdigest(): block for block in view.blocks}
    found = digests.get(sha1) if sha1 else None
    return found.parts.sha256 if found else None
