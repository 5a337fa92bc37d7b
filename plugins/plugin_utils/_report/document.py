# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""The report as one document: what every rendering (HTML, JUnit, console) is made from, and what is written as JSON.

Its schema is docs/schemas/report.schema.json. The same input gives the same document, byte for byte.
"""

from __future__ import annotations

import collections
import datetime as dt
import json
import typing as t

from ansible_collections.mailops.tls.plugins.plugin_utils._findings.model import (
    SEVERITIES,
    STATUSES,
    Finding,
    Subject,
    compliant,
    summarise,
)
from ansible_collections.mailops.tls.plugins.plugin_utils._findings.registry import REGISTRY, make
from ansible_collections.mailops.tls.plugins.plugin_utils._gate.waivers import (
    GateResult,
    Waived,
    Waiver,
    apply_gate,
    parse_fail_on,
)
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.certificate.fleet import judge_fleet
from ansible_collections.mailops.tls.plugins.plugin_utils._text.clean import for_terminal, redact

SCHEMA_VERSION: t.Final = 1
DEFAULT_TITLE: t.Final = "TLS readiness for Exchange Online"

# How a host's part of the run ended, and the finding that says so where it ended without a result.
STATES: t.Final[t.Mapping[str, str]] = {
    "checked": "host.not_checked",
    "unreachable": "host.unreachable",
    "failed": "host.collector_broken",
    "refused": "host.check_refused",
    "not_checked": "host.not_checked",
}
_SUMMARIES: t.Final[t.Mapping[str, str]] = {
    "host.unreachable": "The host could not be reached, so nothing about it is known",
    "host.collector_broken": "The check did not run on the host, so nothing about it is known",
    "host.check_refused": "The check of the host was refused before it began",
    "host.not_checked": "The host belongs to the run but delivered no result",
}
_WORDS: t.Final[t.Mapping[bool | None, str]] = {True: "ready", False: "not_ready", None: "unknown"}
_MAX_MESSAGE = 2000
_MAX_SUBJECTS = 50

Json = dict[str, t.Any]


def build_document(
    hosts: t.Sequence[t.Mapping[str, t.Any]],
    *,
    generated_at: dt.datetime,
    collection_version: str,
    fail_on: t.Sequence[str] | str = ("never",),
    waivers: t.Sequence[Waiver] = (),
    title: str | None = None,
) -> Json:
    """Put together what the hosts of a run returned.

    Each host is `{host, state, message: str|None, result: dict|None}` with a `state` of STATES, where `result`
    is what `readiness_info` (or another info plugin) returned. `generated_at` must know its time zone. Raises ValueError for a
    host named twice, an unknown state, or a result that is not one.
    """
    if generated_at.tzinfo is None:
        raise ValueError("generated_at: must have a time zone")
    now = generated_at.astimezone(dt.timezone.utc)
    stamp = now.strftime("%Y-%m-%dT%H:%M:%SZ")
    entries = [_host(host, stamp) for host in sorted(hosts, key=lambda host: str(host["host"]))]
    _add_fleet(entries, fleet_findings(hosts, observed_at=now))
    names = [entry["host"] for entry in entries]
    twice = sorted(name for name, count in collections.Counter(names).items() if count > 1)
    if twice:
        raise ValueError(f"hosts: {twice[0]!r} is named twice")
    findings = [finding for entry in entries for finding in entry["findings"]]
    gate = apply_gate(findings, fail_on=fail_on, waivers=waivers, today=now.date())
    _mark_waived(entries, gate)
    return {
        "schema_version": SCHEMA_VERSION,
        "title": title or DEFAULT_TITLE,
        "generated_at": stamp,
        "collection": {"name": "mailops.tls", "version": collection_version},
        "profiles": _profiles(hosts, now.date()),
        "summary": _summary(entries),
        "problems": _problems(entries),
        "firewall_rules": _firewall_rules(entries),
        "gate": {
            "fail_on": sorted(parse_fail_on(fail_on)) or ["never"],
            "passed": gate.passed,
            "failing": len(gate.failing),
            "compliant_without_waived": gate.compliant_without_waived,
        },
        "waivers": {
            "applied": _grouped(gate.waived),
            "expired": _grouped(gate.expired_waivers),
            "unused": [waiver.as_dict() for waiver in gate.unused_waivers],
        },
        "hosts": entries,
    }


def fleet_findings(hosts: t.Sequence[t.Mapping[str, t.Any]], *, observed_at: dt.datetime) -> list[Json]:
    """What only the results of all hosts together tell, each finding about one of them. Arguments as above."""
    stamp = observed_at.astimezone(dt.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    results = {str(host["host"]): host.get("result") for host in hosts}
    return [redact(finding.as_dict()) for finding in judge_fleet(results, observed_at=stamp)]


def _add_fleet(entries: list[Json], found: t.Iterable[Json]) -> None:
    by_host = {entry["host"]: entry for entry in entries}
    for finding in found:
        entry = by_host[finding["host"]]
        entry["findings"] = sorted([*entry["findings"], {**finding, "waived": None}], key=_sort_key)
        entry["summary"] = _count(entry["findings"])
        entry.update(compliant=False, verdict=_WORDS[False])


def to_json(document: Json) -> bytes:
    """The document as it is written to a file. ASCII, so that nothing in it turns text around or fails to encode."""
    return json.dumps(document, indent=2, sort_keys=True, allow_nan=False).encode("ascii") + b"\n"


def entry_findings(source: t.Mapping[str, t.Any], *, observed_at: dt.datetime) -> list[Json]:
    """The findings of one host, sorted; for a host without a result the one that says why. Arguments and errors as above."""
    stamp = observed_at.astimezone(dt.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    return [{key: value for key, value in finding.items() if key != "waived"} for finding in _host(source, stamp)["findings"]]


def _host(source: t.Mapping[str, t.Any], stamp: str) -> Json:
    name, state, result = str(source["host"]), source.get("state", "checked"), source.get("result")
    if state not in STATES:
        raise ValueError(f"host {name!r}: state must be one of {', '.join(STATES)}, not {state!r}")
    message = for_terminal(redact(str(source.get("message") or "")))[:_MAX_MESSAGE] or None
    if result is None:
        result = _without_result(name, STATES[state], message, stamp)
        state = "not_checked" if state == "checked" else state
    elif not isinstance(result, t.Mapping) or not isinstance(result.get("findings"), t.Sequence):
        raise ValueError(f"host {name!r}: result is not what an info plugin returns, it has no findings")
    # Through JSON, so that what is rendered now and what is read from the file later is the same, and text is plain text.
    plain: Json = redact(json.loads(json.dumps(result, default=str)))
    findings = sorted(plain["findings"], key=_sort_key)
    verdict = plain.get("compliant")
    return {
        "host": name,
        "state": state,
        "message": message,
        "verdict": _WORDS[verdict],
        "compliant": verdict,
        "summary": plain.get("summary") or _count(findings),
        "observed_at": plain.get("observed_at"),
        "profiles": [profile["id"] for profile in plain.get("profiles") or []],
        "findings": [{**finding, "waived": None} for finding in findings],
        "endpoints": plain.get("endpoints") or [],
        "firewall_rules": plain.get("firewall_rules") or [],
        "stores": plain.get("stores") or [],
    }


def _without_result(name: str, finding_id: str, message: str | None, stamp: str) -> Json:
    finding = make(
        finding_id,
        host=name,
        subject=Subject("host", name),
        summary=_SUMMARIES[finding_id],
        detail=message or "",
        evidence={"message": message} if message else {},
        observed_at=stamp,
    )
    found: list[Finding] = [finding]
    return {"compliant": compliant(found), "summary": summarise(found), "findings": [finding.as_dict()]}


def _sort_key(finding: t.Mapping[str, t.Any]) -> tuple[t.Any, ...]:
    """As _findings.model.sort_key, for findings as plugins return them."""
    return (
        _rank(STATUSES, finding["status"]),
        _rank(SEVERITIES, finding["severity"]),
        finding["id"],
        finding["subject"]["kind"],
        finding["subject"]["name"],
        finding.get("profile") or "",
        finding.get("detail") or "",
    )


def _rank(order: tuple[str, ...], value: str) -> int:
    return order.index(value) if value in order else len(order)


def _count(findings: t.Iterable[t.Mapping[str, t.Any]]) -> Json:
    counter = collections.Counter(finding["status"] for finding in findings)
    counts: Json = {status: counter[status] for status in ("pass", "fail", "warn", "unknown", "not_applicable")}
    counts["worst"] = next((status for status in STATUSES if counts[status]), None)
    return counts


def _mark_waived(entries: list[Json], gate: GateResult) -> None:
    """Note in each waived finding until when and why. The gate was given these very dicts, so identity tells them apart."""
    waivers = {id(item.finding): item.waiver for item in gate.waived}
    for entry in entries:
        for finding in entry["findings"]:
            waiver = waivers.get(id(finding))
            if waiver is not None:
                finding["waived"] = {"until": waiver.until.isoformat(), "reason": waiver.reason}


def _profiles(hosts: t.Iterable[t.Mapping[str, t.Any]], today: dt.date) -> list[Json]:
    """The union of the profiles the hosts were judged by, with the age of their data in days."""
    union: dict[str, Json] = {}
    for host in hosts:
        for profile in (host.get("result") or {}).get("profiles") or []:
            union.setdefault(str(profile["id"]), redact(dict(profile)))
    for profile in union.values():
        profile["age_days"] = (today - dt.date.fromisoformat(profile["as_of"])).days
    return sorted(union.values(), key=lambda profile: (profile.get("valid_from") or "", profile["id"]))


def _summary(entries: list[Json]) -> Json:
    verdicts = collections.Counter(entry["verdict"] for entry in entries)
    only_waived = sum(
        entry["verdict"] == "not_ready"
        and all(finding["waived"] for finding in entry["findings"] if finding["status"] in ("fail", "unknown"))
        for entry in entries
    )
    overall = False if verdicts["not_ready"] else None if verdicts["unknown"] or not entries else True
    return {
        "compliant": overall,
        "hosts": {
            "total": len(entries),
            "ready": verdicts["ready"],
            "not_ready": verdicts["not_ready"],
            "unknown": verdicts["unknown"],
            "not_ready_only_waived": only_waived,
        },
        "findings": _count(finding for entry in entries for finding in entry["findings"]),
    }


def _problems(entries: list[Json]) -> list[Json]:
    """What is wrong over the whole fleet, by id: the worst and the most widespread first. Without what is waived."""
    groups: dict[tuple[str, str], list[Json]] = {}
    for entry in entries:
        for finding in entry["findings"]:
            if finding["status"] in ("fail", "unknown", "warn") and not finding["waived"]:
                groups.setdefault((finding["status"], finding["id"]), []).append(finding)
    problems = [_problem(status, finding_id, findings) for (status, finding_id), findings in groups.items()]
    return sorted(
        problems,
        key=lambda item: (
            STATUSES.index(item["status"]),
            _rank(SEVERITIES, item["severity"]),
            -len(item["hosts"]),
            -item["count"],
            item["id"],
        ),
    )


def _problem(status: str, finding_id: str, findings: list[Json]) -> Json:
    subjects = collections.Counter((finding["subject"]["kind"], finding["subject"]["name"]) for finding in findings)
    remedies = collections.Counter(finding.get("remediation") or "" for finding in findings)
    kind = REGISTRY.get(finding_id)
    return {
        "id": finding_id,
        "status": status,
        "severity": min((finding["severity"] for finding in findings), key=lambda value: _rank(SEVERITIES, value)),
        "count": len(findings),
        "hosts": sorted({finding["host"] for finding in findings}),
        "subjects": [
            {"kind": key[0], "name": key[1], "count": count}
            for key, count in sorted(subjects.items(), key=lambda item: (-item[1], item[0]))[:_MAX_SUBJECTS]
        ],
        "subjects_total": len(subjects),
        "meaning": kind.meaning if kind else "",
        "remediation": min(remedies, key=lambda text: (-remedies[text], text)),
    }


def _firewall_rules(entries: list[Json]) -> list[Json]:
    """What to ask the firewall team for: each way once for the fleet, with the hosts it is for and why any of them needs it."""
    rules: dict[tuple[str, str, int, str], Json] = {}
    for entry in entries:
        for rule in entry["firewall_rules"]:
            key = (rule["destination"], rule["address"] or "", rule["port"], rule["protocol"])
            known = rules.setdefault(key, {**rule, "hosts": []})
            known["hosts"].append(entry["host"])
            for name, value in rule.items():
                if isinstance(value, list):
                    known[name] = sorted({*known[name], *value})
    return [rules[key] for key in sorted(rules)]


def _grouped(items: t.Iterable[Waived]) -> list[Json]:
    """Waivers with the findings each covers."""
    groups: dict[Waiver, list[Json]] = {}
    for item in items:
        groups.setdefault(item.waiver, []).append(item.as_dict()["finding"])
    return [{"waiver": waiver.as_dict(), "findings": groups[waiver]} for waiver in groups]
