# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""What the stores of a host mean for the certificate that is served today and the one to come. Pure functions, no I/O."""

from __future__ import annotations

import dataclasses
import datetime as dt
import typing as t

from ansible_collections.mailops.tls.plugins.plugin_utils._findings import catalogue_trust as catalogue
from ansible_collections.mailops.tls.plugins.plugin_utils._findings.model import Finding, Severity, Subject
from ansible_collections.mailops.tls.plugins.plugin_utils._findings.registry import make
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.trust.discovery import APPENDED, OPENSSL, read_found, weigh
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.trust.intermediates import finding_id, judge_intermediate
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.trust.keystore import read_keystore_view
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.trust.root import Clocks, RootVerdict, judge_root
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.trust.sources import Source, explain, read_sources
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.trust.store import StoreView, find_answer, read_view
from ansible_collections.mailops.tls.plugins.plugin_utils._plan.trust.checks import (
    StoreSpec,
    TrustCheck,
    WantedIntermediate,
    WantedRoot,
)
from ansible_collections.mailops.tls.plugins.plugin_utils._plan.trust.discovery import Discovery
from ansible_collections.mailops.tls.plugins.plugin_utils._profiles.model import Intermediate, Profile, Root

OUTDATED_AFTER: t.Final = dt.timedelta(days=180)

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
class TrustJudgement:
    """`stores` as trust_store_info returns them, in the order they were asked for, and what follows from them."""

    stores: list[dict[str, t.Any]]
    findings: list[Finding]


@dataclasses.dataclass(frozen=True)
class _Stake:
    """Who needs a root, and how much hangs on it. `hurts_from` is the day from which its lack is felt."""

    severity: Severity
    profile: str | None
    hurts_from: dt.date | None
    sentence: str


@dataclasses.dataclass(frozen=True)
class _Context:
    host: str
    now: dt.datetime
    observed_at: str
    clocks: Clocks
    sources: tuple[Source, ...] = ()


def judge_trust(
    checks: t.Sequence[TrustCheck],
    observations: t.Mapping[str, t.Any],
    *,
    host: str,
    now: dt.datetime,
    observed_at: str,
    discovery: Discovery | None = None,
) -> TrustJudgement:
    """Judge what the probe saw of the stores. `now` is the controller's time, with its zone.

    A store that could not be read yields one finding of status unknown, and every root in it is unknown in `stores`. A
    store that was read yields one finding per root. With `discovery` the stores that the host found itself come behind those of
    `checks`, weighed by who reads them.
    """
    context = _Context(host, now, observed_at, Clocks(now, _host_clock(observations)), read_sources(observations))
    stores: list[dict[str, t.Any]] = []
    findings: list[Finding] = []
    for check in checks:
        read = read_keystore_view if check.request["op"] == "file" else read_pem_view
        result, found = _judge_store(check, read(observations, check), context)
        stores.append(result)
        findings.extend(found)
    if discovery is not None:
        _add_found(stores, findings, checks, observations, discovery, context)
    return TrustJudgement(stores, findings)


def _judge_store(check: TrustCheck, view: StoreView, context: _Context) -> tuple[dict[str, t.Any], list[Finding]]:
    hashed = check.store.type == "pem_directory"
    verdicts = [(wanted, judge_root(wanted.root, view, hashed=hashed, clocks=context.clocks)) for wanted in check.roots]
    if check.store.type == "system":
        verdicts = [(wanted, explain(verdict, wanted.root.sha256, context.sources)) for wanted, verdict in verdicts]
    below = [
        (wanted, judge_intermediate(wanted.intermediate, view, hashed=hashed, clocks=context.clocks))
        for wanted in check.intermediates
    ]
    findings = _store_findings(check, view, context)
    if view.error is None:
        findings.extend(_root_finding(check.store, view, wanted, verdict, context) for wanted, verdict in verdicts)
        findings.extend(_intermediate_finding(check.store, view, wanted, verdict, context) for wanted, verdict in below)
    result = _store_result(check.store, view, verdicts)
    for told, (wanted, verdict) in zip(result["roots"], verdicts, strict=True):
        hurts_from = _hurts_from(wanted, verdict, context.now.date())
        told["hurts_from"] = hurts_from.isoformat() if hurts_from else None
    result["intermediates"] = [_told(wanted.intermediate, verdict, wanted.profiles) for wanted, verdict in below]
    return result, findings


def _add_found(
    stores: list[dict[str, t.Any]],
    findings: list[Finding],
    checks: t.Sequence[TrustCheck],
    observations: t.Mapping[str, t.Any],
    discovery: Discovery,
    context: _Context,
) -> None:
    """Judge what the host found by itself. A probe that gave no answer to that has told it in the system store's already."""
    answer = find_answer(observations, str(discovery.request["id"]))
    if not isinstance(answer, t.Mapping):
        return
    system = next((index for index, check in enumerate(checks) if check.store.type == "system"), None)
    view = read_pem_view(observations, checks[system]) if system is not None else None
    found = read_found(answer, discovery, view)
    judged = [(store, *_judge_store(store.check, store.view, context)) for store in found.stores]
    trusted_by: dict[str, set[str]] = {"smtp": set(), "smtpd": set()}
    for side, trusted in trusted_by.items():
        results = [result for store, result, _findings in judged if side in store.postfix]
        if system is not None and any(word.startswith((APPENDED, f"Postfix {side}_")) for word in found.of_system):
            results.append(stores[system])
        if APPENDED in found.of_system:
            results.extend(result for store, result, _findings in judged if OPENSSL in store.used_by)
        trusted.update(root["id"] for result in results for root in result["roots"] if root["status"] == "present")
    if system is not None:
        stores[system]["used_by"].extend(found.of_system)
    if found.gaps:
        findings.append(
            make(
                "trust.store.discovery",
                host=context.host,
                subject=Subject("store", "other stores"),
                summary="Not every trust store of the host may have been found",
                detail="; ".join(found.gaps) + ".",
                evidence={"reasons": list(found.gaps)},
                observed_at=context.observed_at,
            )
        )
    if found.postfix_reads_none:
        findings.append(
            make(
                "trust.postfix.no_store",
                host=context.host,
                subject=Subject("store", "Postfix smtp"),
                summary="The client of Postfix reads no trust store",
                detail="main.cf sets neither smtp_tls_CAfile nor smtp_tls_CApath, and tls_append_default_CA is not yes.",
                observed_at=context.observed_at,
            )
        )
    for store, result, about in judged:
        stores.append({**result, "used_by": list(store.used_by)})
        findings.extend(weigh(finding, store, trusted_by) for finding in about)


def judge_profiles(profiles: t.Sequence[Profile], *, now: dt.datetime, host: str, observed_at: str) -> list[Finding]:
    """One warning for every profile whose data is older than 180 days."""
    findings = []
    for profile in profiles:
        age = now.date() - profile.as_of
        if age > OUTDATED_AFTER:
            findings.append(
                make(
                    "profile.outdated",
                    host=host,
                    subject=Subject("profile", profile.id),
                    summary=f"The data of profile {profile.id} is {age.days} days old",
                    detail=f"It was last compared with its sources on {profile.as_of.isoformat()}.",
                    evidence={"as_of": profile.as_of.isoformat(), "age_days": age.days, "sources": list(profile.sources)},
                    profile=profile.id,
                    observed_at=observed_at,
                )
            )
    return findings


def read_pem_view(observations: t.Mapping[str, t.Any], check: TrustCheck) -> StoreView:
    """The view of a store of PEM, of which the probe told the fingerprints."""
    return read_view(observations, str(check.request["id"]))


def _host_clock(observations: t.Mapping[str, t.Any]) -> dt.datetime | None:
    clock = observations.get("clock") if isinstance(observations, t.Mapping) else None
    if isinstance(clock, bool) or not isinstance(clock, (int, float)):
        return None
    try:
        return dt.datetime.fromtimestamp(clock, dt.timezone.utc)
    except (ValueError, OverflowError, OSError):
        return None


def _store_result(store: StoreSpec, view: StoreView, verdicts: t.Sequence[tuple[WantedRoot, RootVerdict]]) -> dict[str, t.Any]:
    return {
        "type": store.type,
        "path": view.path or store.path,
        "real_path": view.real_path,
        "certificates": len(view.fingerprints) if view.error is None else None,
        "size": view.size,
        "modified": _iso(view.modified),
        "sha256": view.sha256,
        "format": view.format or ("PEM" if view.error is None else None),
        "integrity": view.integrity,
        "used_by": [],
        "skipped": view.skipped_count if view.error is None else None,
        "error": view.error,
        "roots": [_told(wanted.root, verdict, wanted.profiles) for wanted, verdict in verdicts],
    }


def _told(what: Root | Intermediate, verdict: RootVerdict, profiles: t.Sequence[Profile]) -> dict[str, t.Any]:
    """A verdict as it is returned."""
    return {
        "id": what.id,
        "name": what.name,
        "sha256": what.sha256,
        "status": verdict.status,
        "detail": verdict.detail,
        "profiles": [profile.id for profile in profiles],
    }


def _store_findings(check: TrustCheck, view: StoreView, context: _Context) -> list[Finding]:
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
    # A byte order mark is worth a note, but every reader gets past it.
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


def _root_finding(store: StoreSpec, view: StoreView, wanted: WantedRoot, verdict: RootVerdict, context: _Context) -> Finding:
    root, stake = wanted.root, _stake(wanted, context.now.date())
    good = verdict.status == "present"
    evidence: dict[str, t.Any] = {
        "root": root.id,
        "sha256": root.sha256,
        "store": {"type": store.type, "path": view.path, "real_path": view.real_path, "modified": _iso(view.modified)},
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
        remediation=_ADD[store.type] if _to_be_added(verdict, store) else None,
        observed_at=context.observed_at,
    )


def _to_be_added(verdict: RootVerdict, store: StoreSpec) -> bool:
    """Whether adding the root is what helps. In keystores that is so too where it lies without effect."""
    return verdict.status == "absent" or (verdict.status == "not_effective" and store.type in ("java", "nss"))


def _intermediate_finding(
    store: StoreSpec, view: StoreView, wanted: WantedIntermediate, verdict: RootVerdict, context: _Context
) -> Finding:
    what = wanted.intermediate
    stake = _stake(wanted, context.now.date())
    evidence: dict[str, t.Any] = {
        "intermediate": what.id,
        "sha256": what.sha256,
        "sha1": what.sha1,
        "store": {"type": store.type, "path": view.path, "real_path": view.real_path, "modified": _iso(view.modified)},
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


def _hurts_from(wanted: WantedRoot, verdict: RootVerdict, today: dt.date) -> dt.date | None:
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


def _iso(moment: float | None) -> str | None:
    if moment is None:
        return None
    try:
        return dt.datetime.fromtimestamp(moment, dt.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (ValueError, OverflowError, OSError):
        return None


def _begin(label: str) -> str:
    return label[:1].upper() + label[1:]
