# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""The findings that a store and its roots give rise to: who needs a root, and from when its lack is felt."""

from __future__ import annotations

import dataclasses
import datetime as dt
import typing as t

from ansible_collections.mailops.tls.plugins.plugin_utils._findings import catalogue_trust as catalogue
from ansible_collections.mailops.tls.plugins.plugin_utils._findings.model import Finding, Severity, Subject
from ansible_collections.mailops.tls.plugins.plugin_utils._findings.registry import make
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.trust.intermediates import finding_id
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.trust.root import Clocks, RootVerdict
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.trust.sources import Sources
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.trust.store import StoreView
from ansible_collections.mailops.tls.plugins.plugin_utils._plan.trust.checks import (
    StoreSpec,
    TrustCheck,
    WantedIntermediate,
    WantedRoot,
)

_SUMMARIES: t.Final = {
    "present": "{root} is trusted by {store}",
    "absent": "{root} is missing from {store}",
    "expired": "{root} in {store} has expired",
    "not_yet_valid": "{root} in {store} is not valid yet",
    "distrusted": "{root} is in {store} but distrusted",
    "wrong_use": "{root} is in {store}, but not for TLS servers",
    "shadowed": "{root} is in {store} behind another certificate of the same name",
    "not_effective": "{root} was added to {store} without effect",
    "unknown": "Whether {store} trusts {root} is unknown",
}
_ADD: t.Final = {
    "system": catalogue.ADD_TO_SYSTEM,
    "pem_file": catalogue.ADD_TO_FILE,
    "pem_directory": catalogue.ADD_TO_DIRECTORY,
    "java": catalogue.ADD_TO_JAVA,
    "nss": catalogue.ADD_TO_NSS,
    "python": catalogue.ADD_TO_CERTIFI,
}

# How the probe notes it (docs/observations.md).
BYTE_ORDER_MARK = "byte order mark"


@dataclasses.dataclass(frozen=True)
class Context:
    """What every finding of a run has in common, and what was seen besides the stores."""

    host: str
    now: dt.datetime
    observed_at: str
    clocks: Clocks
    sources: Sources = dataclasses.field(default_factory=Sources)


@dataclasses.dataclass(frozen=True)
class _Stake:
    """Who needs a root, and how much hangs on it. `hurts_from` is the day from which its lack is felt."""

    severity: Severity
    profile: str | None
    hurts_from: dt.date | None
    sentence: str


def store_findings(check: TrustCheck, view: StoreView, context: Context) -> list[Finding]:
    """What there is to say of the store as a whole."""
    store = check.store
    evidence: dict[str, t.Any] = {"type": store.type, "paths": check.request["paths"], "path": view.path}
    common: dict[str, t.Any] = {
        "host": context.host,
        "subject": Subject("store", store.label),
        "observed_at": context.observed_at,
    }
    if view.error is not None:
        roots = ", ".join(wanted.root.id for wanted in check.roots)
        evidence["error"] = view.error
        detail = f"{view.error}." + (f" Nothing is known of {roots}." if roots else "")
        if view.missing:
            summary = f"There is no {store.label}" if store.path else "No system store was found in any of the usual places"
            return [make("trust.store.not_found", summary=summary, detail=detail, evidence=evidence, **common)]
        summary = f"{_begin(store.label)} could not be read"
        return [make("trust.store.unreadable", summary=summary, detail=detail, evidence=evidence, **common)]
    if view.integrity == "failed":
        summary = f"The password does not fit {store.label}"
        detail = (
            "The certificates in it are not encrypted, so they were read and judged all the same, but nothing vouches that "
            "the file is as it was written. " + ("It was tried with Java's usual password." if store.password is None else "")
        ).rstrip()
        return [make("trust.store.password", summary=summary, detail=detail, evidence=evidence, **common)]
    # A mark behind which nothing is lost; where a block is, the probe says so in other words.
    broken = view.skipped_count - sum(reason.endswith(BYTE_ORDER_MARK) for reason in view.skipped)
    if broken:
        summary = f"{_begin(store.label)} has {broken} part{'' if broken == 1 else 's'} that cannot be read as certificates"
        evidence.update(skipped=list(view.skipped), skipped_count=view.skipped_count)
        detail = "; ".join(view.skipped[:3])
        # In a directory every file is loaded by itself, so one bad file takes nothing else with it.
        if store.type == "pem_directory":
            common.update(status="warn", severity="low")
        return [make("trust.store.damaged", summary=summary, detail=detail, evidence=evidence, **common)]
    return []


def root_finding(
    store: StoreSpec, view: StoreView, wanted: WantedRoot, verdict: RootVerdict, context: Context, builder: str | None
) -> Finding:
    """The verdict on a root as a finding. `builder`: the tool that makes the store, so that it is no place to add to."""
    root, stake = wanted.root, _stake(wanted, context.now.date())
    good = verdict.status == "present"
    evidence: dict[str, t.Any] = {
        "root": root.id,
        "sha256": root.sha256,
        "anchor": _anchor(wanted),
        "store": {**_store_evidence(store, view), "built_by": builder},
        "certificates": len(view.fingerprints),
        "profiles": [profile.id for profile in wanted.profiles],
        **verdict.evidence,
    }
    if verdict.status not in ("present", "unknown"):
        evidence["hurts_from"] = stake.hurts_from.isoformat() if stake.hurts_from else None
    return make(
        f"trust.root.{verdict.status}",
        host=context.host,
        subject=Subject("root", f"{root.id} in {store.label}"),
        summary=_SUMMARIES[verdict.status].format(root=root.name, store=store.label),
        detail=" ".join(part for part in (verdict.detail, "" if good else stake.sentence) if part),
        evidence=evidence,
        severity=None if verdict.status in ("present", "unknown") else stake.severity,
        profile=stake.profile,
        remediation=_ADD["system" if builder else store.type] if _to_be_added(verdict, store) else None,
        observed_at=context.observed_at,
    )


def _store_evidence(store: StoreSpec, view: StoreView) -> dict[str, t.Any]:
    """`index` is the position in the option stores, by which what was asked for is found again; none for what was found."""
    where = {"type": store.type, "index": store.index, "path": view.path, "real_path": view.real_path}
    return {**where, "modified": iso(view.modified)}


def _anchor(wanted: WantedRoot) -> dict[str, t.Any] | None:
    """How trust_anchor is told of the root: by a name, or by what the option roots has at an index. None without its PEM."""
    root = wanted.root
    return {"name": root.listed_as or root.id, "roots_index": wanted.index} if root.pem else None


def _to_be_added(verdict: RootVerdict, store: StoreSpec) -> bool:
    """Whether adding the root is what helps. In keystores that is so too where it lies without effect."""
    if "refused" in verdict.evidence:
        return False
    return verdict.status == "absent" or (verdict.status == "not_effective" and store.type in ("java", "nss"))


def intermediate_finding(
    store: StoreSpec, view: StoreView, wanted: WantedIntermediate, verdict: RootVerdict, context: Context
) -> Finding:
    """The verdict on an intermediate as a finding."""
    what = wanted.intermediate
    stake = _stake(wanted, context.now.date())
    evidence: dict[str, t.Any] = {
        "intermediate": what.id,
        "sha256": what.sha256,
        "sha1": what.sha1,
        "store": _store_evidence(store, view),
        "profiles": [profile.id for profile in wanted.profiles],
        **verdict.evidence,
    }
    words = {"present": "is in", "absent": "is missing from", "unknown": "may be in"}
    word = words.get(verdict.status, f"is of no use ({verdict.status.replace('_', ' ')}) in")
    return make(
        finding_id(verdict.status),
        host=context.host,
        subject=Subject("intermediate", f"{what.id} in {store.label}"),
        summary=f"{what.name} {word} {store.label}",
        detail=verdict.detail,
        evidence=evidence,
        # A profile that is over needs nothing any more.
        severity="low" if stake.severity == "low" and verdict.status not in ("present", "unknown") else None,
        profile=stake.profile,
        observed_at=context.observed_at,
    )


def _stake(wanted: WantedRoot | WantedIntermediate, today: dt.date) -> _Stake:
    """The profile that makes a root most urgent: one in force, else the next to come, else one that is over."""
    in_force = [profile for profile in wanted.profiles if profile.in_force(today)]
    coming = [profile for profile in wanted.profiles if profile.valid_from and profile.valid_from > today]
    if in_force:
        profile = in_force[0]
        since = f" since {profile.valid_from.isoformat()}" if profile.valid_from else ""
        sentence = f"Profile {profile.id}, in force{since}, needs this root: verified connections that meet it fail now."
        return _Stake("critical", profile.id, today, sentence)
    if coming:
        profile = min(coming, key=lambda candidate: candidate.valid_from or dt.date.max)
        sentence = f"Profile {profile.id} needs this root from {profile.valid_from}: verified connections will fail from then on."
        return _Stake("high", profile.id, profile.valid_from, sentence)
    if wanted.profiles:
        profile = wanted.profiles[0]
        sentence = f"Profile {profile.id} ended on {profile.valid_until}: Exchange Online should not need this root now."
        return _Stake("low", profile.id, None, sentence)
    return _Stake("high", None, None, "")


def hurts_from_day(wanted: WantedRoot, verdict: RootVerdict, today: dt.date) -> dt.date | None:
    """The day from which a verdict is felt; where the root is trusted, the day its time is over, if a profile needs it then.

    None where no profile needs it any more, and for what is unknown.
    """
    if verdict.status == "unknown":
        return None
    if verdict.status != "present":
        return _stake(wanted, today).hurts_from
    ends = str(verdict.evidence.get("not_after", ""))[:10]
    last = dt.date.fromisoformat(ends) if ends else None
    needed = [profile for profile in wanted.profiles if last and (profile.valid_until is None or profile.valid_until > last)]
    return last if needed else None


def iso(moment: float | None) -> str | None:
    """A time of the host in UTC, if it can be one."""
    if moment is None:
        return None
    try:
        return dt.datetime.fromtimestamp(moment, dt.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (ValueError, OverflowError, OSError):
        return None


def _begin(label: str) -> str:
    return label[:1].upper() + label[1:]
