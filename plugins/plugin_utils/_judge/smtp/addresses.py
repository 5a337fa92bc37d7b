# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""Whether servers that stand in for each other present the same certificate."""

from __future__ import annotations

import collections
import typing as t

from ansible_collections.mailops.tls.plugins.plugin_utils._findings.model import Finding, Subject
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.smtp.context import Talk
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.smtp.model import Path
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.x509 import name_text, sha256
from ansible_collections.mailops.tls.plugins.plugin_utils._plan.smtp.targets import Target

_MAX_SHOWN: t.Final = 50


def judge_addresses(target: Target, paths: t.Sequence[Path], *, host: str, observed_at: str) -> list[Finding]:
    """A finding for each name whose addresses differ, and for a domain where some hosts fall out of line.

    MX hosts may well have certificates of their own. Only where several share one, another is out of line.
    """
    seen = [path for path in paths if path.chain]
    findings = []
    same = []
    for name in dict.fromkeys((path.host, path.port) for path in seen):
        mine = [path for path in seen if (path.host, path.port) == name]
        if len({sha256(path.chain[0]) for path in mine}) > 1:
            findings += _differ(f"{name[0]}:{name[1]}", "its addresses", mine, host, observed_at)
        else:
            same.append(mine)
    if target.domain is not None and len(same) > 2:
        count = collections.Counter(sha256(mine[0].chain[0]) for mine in same)
        if len(count) > 1 and count.most_common(1)[0][1] > 1:
            findings += _differ(target.domain, "its mail hosts", [path for mine in same for path in mine], host, observed_at)
    return findings


def _differ(name: str, what: str, paths: t.Sequence[Path], host: str, observed_at: str) -> list[Finding]:
    groups: dict[str, list[Path]] = {}
    for path in paths:
        groups.setdefault(sha256(path.chain[0]), []).append(path)
    certificates: list[dict[str, t.Any]] = [
        {
            "sha256": fingerprint,
            "subject": name_text(members[0].chain[0].subject),
            "issuer": name_text(members[0].chain[0].issuer),
            "servers": [path.name for path in members[:_MAX_SHOWN]],
            "count": len(members),
        }
        for fingerprint, members in sorted(groups.items(), key=lambda item: (-len(item[1]), item[0]))
    ]
    talk = Talk(Subject("server", name), host, observed_at)
    talk.say(
        "addresses.differ",
        f"{what} present {len(certificates)} different certificates",
        detail="; ".join(f"{item['sha256'][:16]} on {', '.join(item['servers'][:4])}" for item in certificates[:4]) + ".",
        evidence={"certificates": certificates},
    )
    return talk.findings
