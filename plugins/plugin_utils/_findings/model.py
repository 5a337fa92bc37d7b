# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""What a judge says: findings, their summary and the one verdict drawn from them."""

from __future__ import annotations

import dataclasses
import typing as t

Status = t.Literal["pass", "fail", "warn", "unknown", "not_applicable"]
Severity = t.Literal["critical", "high", "medium", "low", "info"]

# From the worst to the best; `unknown` stands between bad news and good news, because it may hide either.
STATUSES: t.Final[tuple[Status, ...]] = ("fail", "unknown", "warn", "pass", "not_applicable")
SEVERITIES: t.Final[tuple[Severity, ...]] = ("critical", "high", "medium", "low", "info")


@dataclasses.dataclass(frozen=True)
class Subject:
    """What a finding is about: a `kind` (endpoint, root, store, host, profile, ...) and its name."""

    kind: str
    name: str


@dataclasses.dataclass(frozen=True)
class Finding:
    """One verdict with its evidence. Field by field the public contract of every info plugin.

    `observed_at` is UTC in ISO 8601 with a `Z`. `profile` is the id of the profile that asked for the check, or None.
    `evidence` holds only what serialises to JSON.
    """

    id: str
    status: Status
    severity: Severity
    host: str
    subject: Subject
    summary: str
    detail: str
    remediation: str
    evidence: dict[str, t.Any]
    observed_at: str
    profile: str | None = None

    def as_dict(self) -> dict[str, t.Any]:
        """The finding as plugins return it."""
        return dataclasses.asdict(self)


def sort_key(finding: Finding) -> tuple[t.Any, ...]:
    """Order of output: the worst first, then stable by what it is about."""
    return (
        STATUSES.index(finding.status),
        SEVERITIES.index(finding.severity),
        finding.host,
        finding.id,
        finding.subject.kind,
        finding.subject.name,
        finding.profile or "",
        finding.detail,
    )


def summarise(findings: t.Iterable[Finding]) -> dict[str, t.Any]:
    """Count findings by status, and name the worst status (None without findings)."""
    counts: dict[str, t.Any] = dict.fromkeys(("pass", "fail", "warn", "unknown", "not_applicable"), 0)
    for finding in findings:
        counts[finding.status] += 1
    counts["worst"] = next((status for status in STATUSES if counts[status]), None)
    return counts


def compliant(findings: t.Iterable[Finding]) -> bool | None:
    """False when something fails; True when all that was needed was seen and holds; None otherwise.

    A mix of pass and unknown is None: calling it True would fold what nobody saw into a pass.
    """
    statuses = {finding.status for finding in findings}
    if "fail" in statuses:
        return False
    if "unknown" in statuses or not statuses & {"pass", "warn"}:
        return None
    return True


def verdict(findings: t.Iterable[Finding]) -> dict[str, t.Any]:
    """The part of a result that every info plugin has in common: compliant, summary and sorted findings."""
    ordered = sorted(findings, key=sort_key)
    return {
        "compliant": compliant(ordered),
        "summary": summarise(ordered),
        "findings": [finding.as_dict() for finding in ordered],
    }
