# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""Whether the servers of a group present the same certificate, which only the results of all of them can tell."""

from __future__ import annotations

import collections
import typing as t

from ansible_collections.mailops.tls.plugins.plugin_utils._findings.model import Finding, Subject
from ansible_collections.mailops.tls.plugins.plugin_utils._findings.registry import make
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.x509 import clean

_MAX_SHOWN: t.Final = 50


def judge_fleet(results: t.Mapping[str, t.Any], *, observed_at: str) -> list[Finding]:
    """A finding for each host that is out of line with its group.

    `results` are those of info plugins by inventory name. A group is what the tasks of its hosts call the same; hosts without
    one, and those whose certificate was not seen, are not compared. Where no certificate is in the majority, all are out of line.
    """
    groups: dict[str, dict[str, frozenset[str]]] = {}
    for host, result in sorted(results.items()):
        group, presented = _presented(result)
        if group and presented:
            groups.setdefault(group, {})[host] = presented
    return [finding for group, members in sorted(groups.items()) for finding in _compare(group, members, observed_at)]


def _presented(result: t.Any) -> tuple[str, frozenset[str]]:
    """The group, and the SHA-256 of what is presented there; what is not of the documented form is not there."""
    if not isinstance(result, t.Mapping) or not isinstance(result.get("certificate_group"), str):
        return "", frozenset()
    certificates = result.get("certificates")
    leaves = (
        [item.get("sha256") for item in certificates if isinstance(item, t.Mapping)] if isinstance(certificates, list) else []
    )
    return clean(result["certificate_group"]), frozenset(clean(leaf) for leaf in leaves if isinstance(leaf, str))


def _compare(group: str, members: dict[str, frozenset[str]], observed_at: str) -> list[Finding]:
    count = collections.Counter(members.values())
    if len(count) < 2:
        return []
    (usual, most), (_other, next_most) = count.most_common(2)
    shown = [
        {"sha256": sorted(presented), "hosts": sorted(host for host, mine in members.items() if mine == presented)[:_MAX_SHOWN]}
        for presented, _number in sorted(count.items(), key=lambda item: (-item[1], sorted(item[0])))
    ]
    return [
        make(
            "certificate.fleet.differs",
            host=host,
            subject=Subject("group", group),
            summary=f"{host} does not present the certificate of the rest of {group}",
            detail=f"{len(count)} different certificates on {len(members)} hosts.",
            evidence={"group": group, "presented": sorted(presented), "certificates": shown},
            observed_at=observed_at,
        )
        for host, presented in members.items()
        if presented != usual or most == next_most
    ]
