# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""Rules that look at all connectors together: both directions forced, and no two for the same mail."""

from __future__ import annotations

import collections
import typing as t

from ansible_collections.mailops.tls.plugins.plugin_utils._declaration.model import REQUIREMENTS
from ansible_collections.mailops.tls.plugins.plugin_utils._findings.model import Subject
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.connector.model import Connector, Verdict

Said = tuple[Subject, Verdict]


def both_directions(connectors: t.Sequence[Connector]) -> t.Iterator[Said]:
    """For each domain with forced TLS one way, whether it is forced the other way too.

    A partner is its domains. Servers on premises are one counterpart, whatever the domains, because mail of every sender may
    come by way of them.
    """
    forced = [connector for connector in connectors if connector.forced and connector.in_use]
    partners: dict[str, list[Connector]] = collections.defaultdict(list)
    for connector in forced:
        for domain in connector.domains if connector.partner else ():
            partners[domain].append(connector)
    for domain in sorted(set(partners) - {"*"}):
        found = [one for pattern in _patterns(domain) for one in partners.get(pattern, ())]
        yield _directions(Subject("domain", domain), domain, found)
    hybrid = [connector for connector in forced if not connector.partner]
    if hybrid:
        yield _directions(Subject("hybrid", "servers on premises"), "the servers on premises", hybrid)


def _patterns(domain: str) -> list[str]:
    """What a connector may have in its domains to be for this one: itself, the wildcards above it, and `*`."""
    labels = domain.removeprefix("*.").split(".")
    above = ("*." + ".".join(labels[index:]) for index in range(len(labels)))
    return list(dict.fromkeys([domain, *above, "*"]))


def _directions(subject: Subject, what: str, connectors: t.Sequence[Connector]) -> Said:
    found = {
        direction: list(dict.fromkeys(one.name for one in connectors if one.direction == direction))
        for direction in ("inbound", "outbound")
    }
    missing = [direction for direction, names in found.items() if not names]
    if not missing:
        return subject, Verdict("connector.both_directions", f"{what}: TLS is forced in both directions", evidence=found)
    way = "from" if missing[0] == "inbound" else "to"
    summary = f"TLS is forced for mail {'to' if way == 'from' else 'from'} {what}, not for mail {way} {what}"
    return subject, Verdict("connector.one_direction", summary, evidence=found)


def overlaps(connectors: t.Sequence[Connector]) -> t.Iterator[Said]:
    """Connectors of one direction and type for the same domain, and exceptions that are weaker than their rule."""
    groups: dict[tuple[str, str, str], list[Connector]] = collections.defaultdict(list)
    for connector in connectors:
        if connector.in_use:
            for domain in connector.domains:
                groups[connector.direction, connector["connector_type"], domain].append(connector)
    for (direction, _kind, domain), several in sorted(groups.items()):
        if len(several) > 1:
            yield _overlap(direction, domain, several)
    yield from _exceptions(groups)


def _overlap(direction: str, domain: str, several: t.Sequence[Connector]) -> Said:
    names = [connector.name for connector in several]
    requirements = {connector.name: connector.requirement for connector in several}
    differ = len(set(requirements.values())) > 1
    return Subject("domain", domain), Verdict(
        "connector.overlap",
        f"{direction}: {', '.join(names[:5])} are for {domain}" + (", and require different TLS" if differ else ""),
        status="fail" if differ else "warn",
        evidence={"direction": direction, "connectors": requirements},
    )


def _exceptions(groups: t.Mapping[tuple[str, str, str], t.Sequence[Connector]]) -> t.Iterator[Said]:
    for (direction, kind, domain), several in sorted(groups.items()):
        for pattern in _patterns(domain):
            wide = groups.get((direction, kind, pattern), ())
            if pattern in (domain, "*") or not wide:
                continue
            weakest, strongest = min(several, key=_strength), max(wide, key=_strength)
            if _strength(weakest) < _strength(strongest):
                yield (
                    Subject("domain", domain),
                    Verdict(
                        "connector.weaker_exception",
                        f"{direction}: {weakest.name} is {weakest.requirement} for {domain}, "
                        f"where {strongest.name} is {strongest.requirement} for {pattern}",
                        evidence={
                            "direction": direction,
                            "connectors": {one.name: one.requirement for one in (weakest, strongest)},
                        },
                    ),
                )


def _strength(connector: Connector) -> int:
    return REQUIREMENTS.index(connector.requirement)
