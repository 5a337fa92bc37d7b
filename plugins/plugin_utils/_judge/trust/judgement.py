# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""What the stores of a host mean for the certificate that is served today and the one to come. Pure functions, no I/O."""

from __future__ import annotations

import dataclasses
import datetime as dt
import typing as t

from ansible_collections.mailops.tls.plugins.plugin_utils._findings.model import Finding, Subject
from ansible_collections.mailops.tls.plugins.plugin_utils._findings.registry import make
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.trust.discovery import (
    APPENDED,
    OPENSSL,
    TOO_MANY,
    read_found,
    weigh,
)
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.trust.findings import (
    Context,
    hurts_from_day,
    intermediate_finding,
    iso,
    root_finding,
    store_findings,
)
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.trust.intermediates import judge_intermediate
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.trust.keystore import read_keystore_view
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.trust.root import Clocks, RootVerdict, judge_root
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.trust.sources import explain, read_sources
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.trust.store import StoreView, find_answer, read_view
from ansible_collections.mailops.tls.plugins.plugin_utils._plan.trust.checks import (
    StoreSpec,
    TrustCheck,
    WantedRoot,
)
from ansible_collections.mailops.tls.plugins.plugin_utils._plan.trust.discovery import Discovery
from ansible_collections.mailops.tls.plugins.plugin_utils._profiles.model import Intermediate, Profile, Root

OUTDATED_AFTER: t.Final = dt.timedelta(days=180)


@dataclasses.dataclass(frozen=True)
class TrustJudgement:
    """`stores` as trust_store_info returns them, in the order they were asked for, and what follows from them."""

    stores: list[dict[str, t.Any]]
    findings: list[Finding]


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
    context = Context(host, now, observed_at, Clocks(now, _host_clock(observations)), read_sources(observations))
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


def _judge_store(check: TrustCheck, view: StoreView, context: Context) -> tuple[dict[str, t.Any], list[Finding]]:
    hashed = check.store.type == "pem_directory"
    verdicts = [(wanted, judge_root(wanted.root, view, hashed=hashed, clocks=context.clocks)) for wanted in check.roots]
    builder = context.sources.builder(check.store.type, view.real_path)
    if builder or check.store.type == "system":
        verdicts = [(wanted, explain(verdict, wanted.root.sha256, context.sources.found)) for wanted, verdict in verdicts]
    below = [
        (wanted, judge_intermediate(wanted.intermediate, view, hashed=hashed, clocks=context.clocks))
        for wanted in check.intermediates
    ]
    findings = store_findings(check, view, context)
    if view.error is None:
        findings.extend(root_finding(check.store, view, wanted, verdict, context, builder) for wanted, verdict in verdicts)
        findings.extend(intermediate_finding(check.store, view, wanted, verdict, context) for wanted, verdict in below)
    result = _store_result(check.store, view, verdicts)
    for told, (wanted, verdict) in zip(result["roots"], verdicts, strict=True):
        hurts_from = hurts_from_day(wanted, verdict, context.now.date())
        told["hurts_from"] = hurts_from.isoformat() if hurts_from else None
    result["built_by"] = builder
    result["intermediates"] = [_told(wanted.intermediate, verdict, wanted.profiles) for wanted, verdict in below]
    return result, findings


def _add_found(
    stores: list[dict[str, t.Any]],
    findings: list[Finding],
    checks: t.Sequence[TrustCheck],
    observations: t.Mapping[str, t.Any],
    discovery: Discovery,
    context: Context,
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
                # The stores of Postfix are looked at before all others, so that none of them is left out.
                status="warn" if found.gaps == (TOO_MANY,) else None,
                severity="low" if found.gaps == (TOO_MANY,) else None,
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
        "modified": iso(view.modified),
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
