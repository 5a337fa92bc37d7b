# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""Compare a host's clock with the controller's, and both with the Date headers of the answers the host got."""

from __future__ import annotations

import datetime as dt
import email.utils
import statistics
import typing as t

from ansible_collections.mailops.tls.plugins.plugin_utils._findings.model import Finding, Severity, Status, Subject
from ansible_collections.mailops.tls.plugins.plugin_utils._findings.registry import make
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.egress.answer import answers_by_id
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.egress.policy import EgressPolicy
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.x509 import iso

# Fewer servers than this prove nothing: one may be wrong, and a cache replays old dates.
_MIN_SERVERS: t.Final = 2


def judge_clock(
    observations: t.Any,
    *,
    host: str,
    now_at_probe: dt.datetime,
    round_trip_s: float,
    observed_at: str,
    policy: EgressPolicy | None = None,
) -> list[Finding]:
    """One finding about the host's clock.

    `now_at_probe` is the controller's time (aware UTC) when the probe was sent, `round_trip_s` how long its answer took.
    The probe read the host's clock somewhere in between, so only a clock outside of that span is provably off.
    """
    policy = policy or EgressPolicy()
    seen = observations.get("clock") if isinstance(observations, dict) else None
    if isinstance(seen, bool) or not isinstance(seen, (int, float)) or not 0 < seen < 32503680000:
        return [
            _finding(
                "egress.clock.skew",
                host,
                observed_at,
                {},
                "could not be read",
                "The probe did not return the host's time.",
                "unknown",
            )
        ]
    sent = now_at_probe.timestamp()
    skew = min(0.0, seen - sent) or max(0.0, seen - (sent + max(0.0, round_trip_s)))
    servers = _server_offset(observations, seen)
    evidence = {
        "host_clock": iso(dt.datetime.fromtimestamp(seen, dt.timezone.utc)),
        "controller_clock": iso(now_at_probe),
        "round_trip_s": round(round_trip_s, 3),
        "skew_s": round(skew, 1),
        "http_dates": servers,
    }
    if abs(skew) >= policy.clock_warning:
        which = f"{abs(skew):.0f} seconds {'ahead of' if skew > 0 else 'behind'} the controller's"
        detail = f"The host's clock is {which}.{_witness(servers, policy)}"
        bad = abs(skew) >= policy.clock_failure
        return [
            _finding(
                "egress.clock.skew",
                host,
                observed_at,
                evidence,
                f"is {which}",
                detail,
                "fail" if bad else "warn",
                "high" if bad else None,
            )
        ]
    if servers is not None and abs(servers["median_offset_s"]) >= policy.clock_warning:
        count = servers["servers"]
        detail = f"The host's clock agrees with the controller's, but {count} servers' Date differs from both: {_apart(servers)}."
        return [_finding("egress.clock.skew", host, observed_at, evidence, "differs from the servers' dates", detail, "warn")]
    return [
        _finding(
            "egress.clock.ok", host, observed_at, evidence, "is right", "The host's clock agrees with the controller's.", "pass"
        )
    ]


def _finding(
    finding_id: str,
    host: str,
    observed_at: str,
    evidence: dict[str, t.Any],
    says: str,
    detail: str,
    status: Status,
    severity: Severity | None = None,
) -> Finding:
    return make(
        finding_id,
        host=host,
        subject=Subject("host", host),
        summary=f"the clock of {host} {says}",
        detail=detail,
        evidence=evidence,
        observed_at=observed_at,
        status=status,
        severity=severity,
    )


def _server_offset(observations: t.Any, host_clock: float) -> dict[str, t.Any] | None:
    """The median of server Date minus host clock over distinct servers; None with too few of them."""
    offsets: dict[str, float] = {}
    for answer in answers_by_id(observations).values():
        for hop in answer.hops:
            headers = hop.http.headers if hop.http else {}
            # A cached answer keeps the Date of when it was made (RFC 9111 5.1).
            cached = "age" in headers or "hit" in headers.get("x-cache", "").lower()
            date = _date(headers.get("date"))
            if date is None or cached or hop.host in offsets:
                continue
            # The answer was made at most elapsed_ms after the host's clock was read.
            late = (answer.elapsed_ms or 0.0) / 1000.0
            offset = date - host_clock
            offsets[hop.host] = min(0.0, offset + 1.0) or max(0.0, offset - late - 1.0)
    if len(offsets) < _MIN_SERVERS:
        return None
    return {"servers": len(offsets), "median_offset_s": round(statistics.median(offsets.values()), 1)}


def _date(text: str | None) -> float | None:
    try:
        return email.utils.parsedate_to_datetime(text).timestamp() if text else None
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


def _witness(servers: dict[str, t.Any] | None, policy: EgressPolicy) -> str:
    if servers is None:
        return " Which of the two is wrong cannot be told from here."
    if abs(servers["median_offset_s"]) >= policy.clock_warning:
        return f" The Date of {servers['servers']} servers differs from the host's clock, too: {_apart(servers)}."
    return f" But the Date of {servers['servers']} servers agrees with the host: look at the controller's clock."


def _apart(servers: dict[str, t.Any]) -> str:
    offset = servers["median_offset_s"]
    return f"they are {abs(offset):.0f} seconds {'ahead' if offset > 0 else 'behind'}"
