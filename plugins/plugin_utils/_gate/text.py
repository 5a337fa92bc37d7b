# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""The sentence with which the gate lets a host through or stops it."""

from __future__ import annotations

import typing as t

from ansible_collections.mailops.tls.plugins.plugin_utils._gate.waivers import FindingDict, GateResult

# A message is read on a console: enough to see what is wrong, the rest stands in the report.
MOST_NAMED = 10


def describe(gate: GateResult) -> str:
    """A few lines for the task's `msg`: what stops the host, and what of the waivers needs attention."""
    lines = [_verdict(gate)]
    lines += _named([f"{finding['id']} {finding['subject']['name']}: {_summary(finding)}" for finding in gate.failing])
    lines += [
        f"The waiver for {item.waiver.id} ended on {item.waiver.until.isoformat()} and no longer waives "
        f"{item.finding['id']} {item.finding['subject']['name']}."
        for item in gate.expired_waivers
    ]
    lines += [f"The waiver for {waiver.id} ({waiver.reason}) is not used; remove it." for waiver in gate.unused_waivers]
    return "\n".join(lines)


def _verdict(gate: GateResult) -> str:
    waived = f", {len(gate.waived)} waived" if gate.waived else ""
    if gate.passed:
        return f"No finding stops this host{waived}."
    count = len(gate.failing)
    return f"{count} finding{'s' if count != 1 else ''} stop{'s' if count == 1 else ''} this host{waived}:"


def _named(lines: t.Sequence[str]) -> list[str]:
    more = len(lines) - MOST_NAMED
    return [f"- {line}" for line in lines[:MOST_NAMED]] + ([f"- and {more} more"] if more > 0 else [])


def _summary(finding: FindingDict) -> str:
    return str(finding.get("summary", finding["status"]))
