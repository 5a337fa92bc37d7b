# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""How long a certificate lives: whether it is in its time, when it has to be renewed, and what public CAs may issue."""

from __future__ import annotations

import datetime as dt
import typing as t

from ansible_collections.mailops.tls.plugins.plugin_utils._judge.certificate.context import Judge
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.certificate.facts import Facts
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.x509 import iso
from ansible_collections.mailops.tls.plugins.plugin_utils._profiles.public_ca import PublicCaRules

# Baseline Requirements 6.3.2: a day has 86,400 seconds, and the smallest excess counts as another one.
_DAY: t.Final = dt.timedelta(days=1)

NOTHING: t.Final[dict[str, t.Any]] = dict.fromkeys(
    ("lifetime_days", "days_left", "lead_time_days", "renewal_due", "longest_days", "longest_days_today")
)


def describe_validity(judge: Judge, facts: Facts) -> dict[str, t.Any]:
    """The lifetime in days, how much of it is left, the lead time, and the longest lifetime of a public certificate, when this
    one was issued and today."""
    start, end, rules = facts.not_before, facts.not_after, judge.policy.rules
    if start is None or end is None:
        return {**NOTHING, "longest_days_today": rules.longest_days(judge.now.date())}
    # A third of the lifetime, for certificates that live shorter than the lead time would suit (RFC 9773 renews there).
    lead = min(judge.policy.lead_time, (end - start) / 3)
    return {
        "lifetime_days": _lifetime_days(start, end),
        "days_left": (end - judge.now).days,
        "lead_time_days": lead.days,
        "renewal_due": end - judge.now < lead,
        "longest_days": rules.longest_days(start.date()),
        "longest_days_today": rules.longest_days(judge.now.date()),
    }


def judge_validity(judge: Judge, facts: Facts, described: dict[str, t.Any]) -> None:
    """Whether it is in its time, and for how long."""
    start, end = facts.not_before, facts.not_after
    evidence = {"not_before": iso(start), "not_after": iso(end), **described}
    if start is None or end is None:
        judge.say("unreadable", "its validity cannot be read")
    elif judge.now > end:
        judge.say("expired", f"expired on {iso(end)}", evidence=evidence)
    elif judge.now < start:
        judge.say("not_yet_valid", f"valid from {iso(start)} on", evidence=evidence)
    else:
        slug, detail = ("expires_soon", _outlook(judge)) if described["renewal_due"] else ("valid", "")
        judge.say(slug, f"valid until {iso(end)}, {described['days_left']} days from now", evidence=evidence, detail=detail)


def judge_lifetime(judge: Judge, facts: Facts, described: dict[str, t.Any]) -> None:
    """Whether a certificate that claims to be a public one lives longer than public CAs may issue."""
    lifetime, longest = described["lifetime_days"], described["longest_days"]
    if not facts.public or lifetime is None or longest is None or lifetime <= longest:
        return
    rules = judge.policy.rules
    judge.say(
        "lifetime_too_long",
        f"it is valid for {lifetime} days, and a public CA might issue it for {longest} on {iso(facts.not_before)}",
        detail=_outlook(judge),
        evidence={**described, "as_of": rules.as_of.isoformat(), "sources": list(rules.sources)},
    )


def _lifetime_days(start: dt.datetime, end: dt.datetime) -> int:
    # RFC 5280 section 4.1.2.5: both ends belong to the period.
    return -((start - end - dt.timedelta(seconds=1)) // _DAY)


def _outlook(judge: Judge) -> str:
    rules: PublicCaRules = judge.policy.rules
    day = judge.now.date()
    longest, following = rules.longest_days(day), rules.next_lifetime(day)
    parts = [f"A public certificate that is issued today is valid for {longest} days at most"] if longest else []
    parts += [f"from {following.since.isoformat()} on for {following.days}"] if following else []
    return f"{', '.join(parts)} (as of {rules.as_of.isoformat()})." if parts else ""
