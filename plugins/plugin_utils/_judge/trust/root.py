# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""Does a store trust a root: the verdict on one root in one store, by fingerprint and key, never by name."""

from __future__ import annotations

import dataclasses
import datetime as dt
import re
import typing as t

from ansible_collections.mailops.tls.plugins.plugin_utils._judge.trust.der import (
    CertificateParts,
    DerError,
    key_identifier,
    read_certificate,
    subject_hash,
)
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.trust.store import Block, StoreView
from ansible_collections.mailops.tls.plugins.plugin_utils._profiles.certificates import load_der, pem_to_der, validity
from ansible_collections.mailops.tls.plugins.plugin_utils._profiles.model import Root

RootStatus = t.Literal[
    "present", "absent", "expired", "not_yet_valid", "distrusted", "wrong_use", "shadowed", "not_effective", "unknown"
]

# Of several entries for one certificate the one that says most: keystores can list it twice.
_USES: t.Final = ("anchor", "distrusted", "wrong_use", "unknown", "other")

_OUT_OF_DATE: t.Final = ("expired", "not_yet_valid")

_HASHED = re.compile(r"([0-9a-f]{8})\.(0|[1-9][0-9]{0,4})", re.ASCII)


@dataclasses.dataclass(frozen=True)
class Clocks:
    """The controller's time, which is believed, and the host's, which its software goes by (None: not told)."""

    now: dt.datetime
    host: dt.datetime | None


@dataclasses.dataclass(frozen=True)
class RootVerdict:
    """A status, the sentence that explains it (empty where there is nothing to explain), and facts for the evidence."""

    status: RootStatus
    detail: str = ""
    evidence: dict[str, t.Any] = dataclasses.field(default_factory=dict)


def judge_root(root: Root, view: StoreView, *, hashed: bool, clocks: Clocks) -> RootVerdict:
    """The verdict on one root. `hashed`: the store is a directory, in which OpenSSL finds certificates by file name."""
    if view.error is not None:
        return RootVerdict("unknown", view.error)
    verdict = _judge_in(root, view, hashed, clocks)
    if verdict.status in ("absent", "not_effective") and view.caveat:
        return dataclasses.replace(verdict, detail=_join(verdict.detail, view.caveat))
    return _refused(verdict, view) if view.refused else verdict


def _refused(verdict: RootVerdict, view: StoreView) -> RootVerdict:
    """The verdict on a root in a file of which OpenSSL loads nothing. `refused` says that to add it there would not help."""
    evidence = {**verdict.evidence, "refused": view.refused}
    if verdict.status in ("present", "shadowed"):
        detail = f"The certificate is in the file, but OpenSSL loads nothing of it: {view.refused}."
        return RootVerdict("not_effective", detail, evidence)
    if verdict.status == "absent":
        detail = _join(verdict.detail, f"OpenSSL loads nothing of the file at all: {view.refused}.")
        return RootVerdict("absent", detail, evidence)
    return dataclasses.replace(verdict, evidence=evidence) if verdict.status == "not_effective" else verdict


def _judge_in(root: Root, view: StoreView, hashed: bool, clocks: Clocks) -> RootVerdict:
    own = sorted((block for block in view.blocks if block.parts.sha256 == root.sha256), key=lambda block: _USES.index(block.use))
    if root.sha256 in view.fingerprints and not own:
        return RootVerdict("unknown", "the store lists the certificate, but the probe did not return it")
    usable = [block for block in own if block.use != "other"]
    # Where the certificate lies so that it does not count, one with the same key may lie so that it does.
    verdict = RootVerdict("not_effective", own[0].use_detail, _place(own)) if own else RootVerdict("absent")
    if usable:
        found, verdict = _effective(usable, view, hashed)
        if found is not None:
            verdict = _shadow(_judge_found(found, clocks, reissued=False), found, view, hashed, clocks)
            if verdict.status not in _OUT_OF_DATE:
                return verdict
    wanted = own[0].parts if own else _parts_of(root)
    if wanted is None:
        return verdict
    alike = [block for block in view.blocks if block.parts.subject == wanted.subject and block.parts.sha256 != root.sha256]
    twins = [block for block in alike if block.use == "anchor"]
    same_key = [block for block in twins if block.parts.key == wanted.key]
    anchors = [block for block in same_key if block.parts.issuer == block.parts.subject]
    stand_in = _stand_in(anchors, view, hashed, clocks)
    if verdict.status in _OUT_OF_DATE:
        if stand_in is None or stand_in.status != "present":
            return verdict
        return dataclasses.replace(stand_in, detail=_join(verdict.detail, stand_in.detail))
    if stand_in is not None:
        return stand_in
    return verdict if verdict.detail else _explain_absence(same_key, twins)


def _stand_in(twins: list[Block], view: StoreView, hashed: bool, clocks: Clocks) -> RootVerdict | None:
    """The verdict on the certificate of the same name and key that software takes instead of the one that was asked for.

    Where there are several, OpenSSL goes on until it has one whose dates are right (X509_STORE_CTX_get1_issuer() in
    crypto/x509/x509_lu.c).
    """
    verdicts = []
    for sha256 in dict.fromkeys(block.parts.sha256 for block in twins):
        found, _reason = _effective([block for block in twins if block.parts.sha256 == sha256], view, hashed)
        if found is not None:
            verdicts.append(_shadow(_judge_found(found, clocks, reissued=True), found, view, hashed, clocks))
    return next((verdict for verdict in verdicts if verdict.status not in _OUT_OF_DATE), verdicts[0] if verdicts else None)


def _place(blocks: list[Block]) -> dict[str, t.Any]:
    """Where blocks of one certificate are, for the evidence."""
    names = sorted({block.file for block in blocks if block.file})
    return {"found_sha256": blocks[0].parts.sha256, **({"files": names[:20]} if names else {})}


def _shadow(verdict: RootVerdict, found: Block, view: StoreView, hashed: bool, clocks: Clocks) -> RootVerdict:
    """What a certificate of the same name with another key does to a root that is trusted.

    OpenSSL takes the first of that name whose key identifier does not contradict what the chain asks for and whose dates are
    right, and does not try the next when the signature does not fit: X509_STORE_CTX_get1_issuer() in crypto/x509/x509_lu.c,
    check_issued in crypto/x509/v3_purp.c.
    Java and NSS go on to the next, and so of their stores only the look-alike is told.
    """
    if verdict.status != "present":
        return verdict
    rivals = [
        block
        for block in view.blocks
        if block.parts.subject == found.parts.subject and block.parts.key != found.parts.key and block.use == "anchor"
    ]
    if not rivals:
        return verdict
    own = key_identifier(found.parts.certificate)
    first = [block for block in rivals if view.format is None and _comes_first(block, found, view, hashed)]
    fitting = [block for block in first if key_identifier(block.parts.certificate) in (None, own)]
    taken = [block for block in fitting if _judge_found(block, clocks, reissued=False).status not in _OUT_OF_DATE]
    evidence = {**verdict.evidence, "look_alikes": sorted({block.parts.sha256 for block in rivals})}
    if not taken:
        detail = (
            "The store also holds a certificate of the same name with another key, which does not stand in its way: it is out of "
            "date."
            if fitting
            else "The store also holds a certificate of the same name with another key, which does not stand in its way where "
            "chains carry key identifiers, as those of public CAs do."
        )
        return RootVerdict("present", _join(verdict.detail, detail), evidence)
    detail = (
        f"A certificate of the same name with another key (SHA-256 {taken[0].parts.sha256}) comes before it in the store. "
        "OpenSSL takes that one for the issuer and refuses what the root signed."
    )
    return RootVerdict("shadowed", _join(verdict.detail, detail), evidence)


def _comes_first(block: Block, found: Block, view: StoreView, hashed: bool) -> bool:
    if not hashed:
        return view.blocks.index(block) < view.blocks.index(found)
    try:
        wanted_hash = subject_hash(found.parts.subject)
    except DerError:
        return False
    numbers = [number for number, _block in _numbered([block], wanted_hash)]
    others = [copy for copy in view.blocks if copy.parts.sha256 == found.parts.sha256]
    return bool(numbers) and numbers[0] < min((number for number, _copy in _numbered(others, wanted_hash)), default=0)


def _parts_of(root: Root) -> CertificateParts | None:
    if root.pem is None:
        return None
    try:
        return read_certificate(pem_to_der(root.pem))
    except (DerError, ValueError):
        return None


def _explain_absence(same_key: list[Block], twins: list[Block]) -> RootVerdict:
    if same_key:
        # Not self-issued, so it is no anchor by itself: OpenSSL goes on to look for its issuer unless partial chains are on.
        evidence = {"cross_certificates": sorted({block.parts.sha256 for block in same_key})}
        detail = (
            "The store holds a certificate of the same name and key that another CA signed. It is an anchor only for software "
            "that accepts partial chains, or where its issuer is trusted too."
        )
        return RootVerdict("absent", detail, evidence)
    others = sorted({block.parts.sha256 for block in twins})
    if others:
        detail = (
            "The store holds a certificate with the same subject name but another key "
            f"(SHA-256 {', '.join(others[:3])}). That is a different CA: it does not stand in for the root, and where both "
            "are present it can shadow it."
        )
        return RootVerdict("absent", detail, {"look_alikes": others})
    return RootVerdict("absent")


def _effective(blocks: list[Block], view: StoreView, hashed: bool) -> tuple[Block | None, RootVerdict]:
    """The block that software would use, or the verdict that explains why none is."""
    if not hashed:
        # OpenSSL keeps the first of several copies of a certificate, with its trust settings.
        return blocks[0], RootVerdict("absent")
    try:
        wanted_hash = subject_hash(blocks[0].parts.subject)
    except DerError:
        return None, RootVerdict("unknown", "the certificate's subject name cannot be read, so its file name cannot be judged")
    names = sorted({block.file for block in blocks if block.file})
    numbered = _numbered(blocks, wanted_hash)
    if not numbered:
        shown = ", ".join(names[:3]) or "a file without a name"
        detail = (
            f"The certificate is in the directory as {shown}, but OpenSSL does not find it there: it opens {wanted_hash}.0 and "
            "the numbers that follow. Run openssl rehash on the directory."
        )
        return None, RootVerdict("not_effective", detail, {"files": names[:20], "subject_hash": wanted_hash})
    number, block = numbered[0]
    seen = {match[2] for other in view.blocks if (match := _HASHED.fullmatch(other.file or "")) and match[1] == wanted_hash}
    gaps = [lower for lower in range(number) if str(lower) not in seen]
    elsewhere = any(_HASHED.fullmatch(other.file or "") and other not in [pair[1] for pair in numbered] for other in blocks)
    loaded = block.parts.sha256 in view.fingerprints
    # A lower number may hold a certificate that was not asked for. That the probe counts this one as loadable settles it,
    # unless it counts the same certificate for another file name.
    if gaps and (elsewhere or not loaded):
        detail = (
            f"The certificate is in the directory as {block.file}, but {wanted_hash}.{gaps[0]} was not seen, and OpenSSL "
            "stops at the first number that is missing. Run openssl rehash on the directory."
        )
        return None, RootVerdict(
            "unknown" if loaded else "not_effective", detail, {"files": names[:20], "subject_hash": wanted_hash}
        )
    return block, RootVerdict("present")


def _numbered(blocks: list[Block], wanted_hash: str) -> list[tuple[int, Block]]:
    matches = [(match, block) for block in blocks if (match := _HASHED.fullmatch(block.file or ""))]
    return sorted(((int(match[2]), block) for match, block in matches if match[1] == wanted_hash), key=lambda pair: pair[0])


def _judge_found(block: Block, clocks: Clocks, *, reissued: bool) -> RootVerdict:
    try:
        not_before, not_after = validity(load_der(block.parts.certificate))
    except (ValueError, TypeError):
        return RootVerdict("unknown", "the dates of the certificate in the store cannot be read")
    evidence: dict[str, t.Any] = {
        "not_before": not_before.isoformat(),
        "not_after": not_after.isoformat(),
        "found_sha256": block.parts.sha256,
    }
    if block.file:
        evidence["file"] = block.file
    note = "It is there as another certificate of the same name and key." if reissued else ""
    if block.settings_error:
        return RootVerdict("unknown", "the trust settings of the certificate in the store cannot be read", evidence)
    if block.settings is not None:
        evidence["trusted_uses"] = sorted(block.settings.trusted) if block.settings.trusted is not None else None
        evidence["rejected_uses"] = sorted(block.settings.rejected)
        if block.settings.rejects_servers():
            if block.settings.distrusts_servers():
                detail = "Its trust settings in the store refuse it for TLS servers (serverAuth)."
                return RootVerdict("distrusted", _join(note, detail), evidence)
            detail = "Its trust settings in the store trust it for other uses only, not for TLS servers (serverAuth)."
            return RootVerdict("wrong_use", _join(note, detail), evidence)
    if block.use in ("distrusted", "wrong_use", "unknown"):
        return RootVerdict(block.use, _join(note, block.use_detail), evidence)
    status, detail = _judge_dates(not_before, not_after, clocks)
    return RootVerdict(status, _join(note, detail), evidence)


def _judge_dates(not_before: dt.datetime, not_after: dt.datetime, clocks: Clocks) -> tuple[RootStatus, str]:
    """By the controller's clock, and where that finds nothing wrong by the host's, because its software goes by it."""
    for clock, whose in ((clocks.now, ""), (clocks.host, "By the host's own clock, which says {now}, it ")):
        if clock is None:
            continue
        begin = whose.format(now=clock.strftime("%Y-%m-%d %H:%M:%SZ")) or "It "
        if clock > not_after:
            return "expired", f"{begin}expired on {not_after:%Y-%m-%d}."
        if clock < not_before:
            return "not_yet_valid", f"{begin}is not valid before {not_before:%Y-%m-%d}."
    return "present", ""


def _join(*sentences: str) -> str:
    return " ".join(sentence for sentence in sentences if sentence)
