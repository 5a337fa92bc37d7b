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
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.smtp.tls import is_anonymous
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.x509 import name_text, sha256
from ansible_collections.mailops.tls.plugins.plugin_utils._plan.smtp.targets import Target

_MAX_SHOWN: t.Final = 50
_NO_TLS, _NO_CERTIFICATE = "no TLS", "no certificate"


def judge_addresses(target: Target, paths: t.Sequence[Path], *, host: str, observed_at: str) -> list[Finding]:
    """A finding for each name whose addresses differ, and for a domain where some hosts fall out of line.

    MX hosts may well have certificates of their own. Only where several share one, another is out of line.
    """
    seen = [path for path in paths if _presented(path) is not None]
    findings = []
    same = []
    for name in dict.fromkeys((path.host, path.port) for path in seen):
        mine = [path for path in seen if (path.host, path.port) == name]
        if len({_presented(path) for path in mine}) > 1:
            findings += _differ(f"{name[0]}:{name[1]}", "its addresses", mine, host, observed_at)
        elif mine[0].chain:
            same.append(mine)
    if target.domain is not None and len(same) > 2:
        count = collections.Counter(_presented(mine[0]) for mine in same)
        if len(count) > 1 and count.most_common(1)[0][1] > 1:
            findings += _differ(target.domain, "its mail hosts", [path for mine in same for path in mine], host, observed_at)
    return findings


def _presented(path: Path) -> str | None:
    """The SHA-256 of the certificate, or that there is none, by what was seen; None where it was not seen."""
    if path.chain:
        return sha256(path.chain[0])
    if path.starttls in ("not_offered", "filtered", "refused"):
        return _NO_TLS
    return _NO_CERTIFICATE if is_anonymous(path) else None


def _differ(name: str, what: str, paths: t.Sequence[Path], host: str, observed_at: str) -> list[Finding]:
    groups: dict[str, list[Path]] = {}
    for path in paths:
        groups.setdefault(_presented(path) or _NO_CERTIFICATE, []).append(path)
    ordered = sorted(groups.items(), key=lambda item: (-len(item[1]), item[0]))
    talk = Talk(Subject("server", name), host, observed_at)
    without = [words for words in (_NO_TLS, _NO_CERTIFICATE) if words in groups]
    number = len(groups) - len(without)
    shown = [f"{number} different certificates"] if number > 1 else ["a certificate"] * number
    present = " and ".join([*shown, *without])
    talk.say(
        "addresses.differ",
        f"{what} present {present}",
        detail="; ".join(f"{found[:16]} on {', '.join(path.name for path in group[:4])}" for found, group in ordered[:4]) + ".",
        evidence={"certificates": [_group(found, members) for found, members in ordered]},
    )
    return talk.findings


def _group(found: str, members: t.Sequence[Path]) -> dict[str, t.Any]:
    leaf = members[0].chain[0] if members[0].chain else None
    return {
        "sha256": found if leaf is not None else None,
        "subject": name_text(leaf.subject) if leaf is not None else None,
        "issuer": name_text(leaf.issuer) if leaf is not None else None,
        "servers": [path.name for path in members[:_MAX_SHOWN]],
        "count": len(members),
    }
