# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""Connectors of a tenant as declarations, so that it can be adopted without retyping.

What a declaration has a word for is said in that word; whatever else differs from the default goes below `exchange_online`. So
the declarations stand for exactly the connectors they were made from, and applying them changes nothing. A connector that no
declaration can stand for is left out, and does not take the others with it.
"""

from __future__ import annotations

import collections
import dataclasses
import typing as t

from ansible_collections.mailops.tls.plugins.plugin_utils._declaration.model import Partner, connector_name
from ansible_collections.mailops.tls.plugins.plugin_utils._declaration.options import Direction, Options, canonical, plain_domains
from ansible_collections.mailops.tls.plugins.plugin_utils._declaration.parse import (
    certificate_name,
    domain,
    network,
    parse_partners,
    smart_host,
)
from ansible_collections.mailops.tls.plugins.plugin_utils._declaration.to_exchange_online import (
    TLS_SETTINGS,
    inbound_connector,
    outbound_connector,
)
from ansible_collections.mailops.tls.plugins.plugin_utils._profiles.fields import Place

# What the service finds out about a connector, and nobody intends. It may be declared, and is not exported.
FACTS: t.Final = frozenset({"is_validated"})
_REQUIREMENTS: t.Final = {setting: requirement for requirement, setting in TLS_SETTINGS.items()}


@dataclasses.dataclass(frozen=True)
class Export:
    """Declarations, sorted by name, and the connectors that none stands for: direction, name and why."""

    declarations: list[dict[str, t.Any]]
    left_out: list[tuple[Direction, str, str]]


def export_declarations(inbound: t.Sequence[Options], outbound: t.Sequence[Options]) -> Export:
    """Declarations for connectors in option names, as exo_connector_info returns them.

    An inbound and an outbound connector are one partner where their names say so, or where both have the same type and the same
    domains and no other connector has.
    """
    both: tuple[tuple[Direction, t.Sequence[Options]], ...] = (("inbound", inbound), ("outbound", outbound))
    usable: dict[Direction, list[Options]] = {"inbound": [], "outbound": []}
    left_out: list[tuple[Direction, str, str]] = []
    for direction, connectors in both:
        for one in (_known(direction, one) for one in connectors):
            # Alone first, so that one that cannot be exported has no part in a pair.
            reason = _impossible("x", {direction: one})
            if reason is None:
                usable[direction].append(one)
            else:
                left_out.append((direction, one["name"], reason))
    names: set[str] = set()
    result = []
    for wanted, sides in sorted(_pairs(usable["inbound"], usable["outbound"]), key=lambda pair: pair[0].lower()):
        name = _unused(wanted, names)
        names.add(name.lower())
        result.append(_declaration(name, sides))
    return Export(result, left_out)


Sides = dict[Direction, Options]


def _impossible(name: str, sides: Sides) -> str | None:
    """Why no declaration can stand for these connectors; None when one can."""
    try:
        parse_partners([_declaration(name, sides)], source="export")
    except ValueError as error:
        return str(error).removeprefix(f"export[0] ({name}): ")
    return None


def _known(direction: Direction, connector: Options) -> Options:
    return {"name": str(connector["name"]), **canonical(direction, connector)}


def _pairs(inbound: list[Options], outbound: list[Options]) -> list[tuple[str, Sides]]:
    """(name of the partner, its connectors), each connector once."""
    found: list[tuple[str, Sides]] = []
    by_name = {_partner_name("outbound", one): one for one in outbound}
    paired: set[int] = set()
    for one in inbound:
        other = by_name.get(_partner_name("inbound", one))
        if other and id(other) not in paired and other["connector_type"] == one["connector_type"]:
            found.append((_partner_name("inbound", one), {"inbound": one, "outbound": other}))
            paired |= {id(one), id(other)}
    both: tuple[tuple[Direction, list[Options]], ...] = (("inbound", inbound), ("outbound", outbound))
    left = {direction: [one for one in several if id(one) not in paired] for direction, several in both}
    groups: dict[t.Any, dict[Direction, list[Options]]] = collections.defaultdict(lambda: {"inbound": [], "outbound": []})
    for direction, several in left.items():
        for one in several:
            groups[one["connector_type"], plain_domains(one, direction)][direction].append(one)
    for group in groups.values():
        if len(group["inbound"]) == len(group["outbound"]) == 1:
            found.append(
                (
                    _partner_name("inbound", group["inbound"][0]),
                    {"inbound": group["inbound"][0], "outbound": group["outbound"][0]},
                )
            )
        else:
            for direction, several in group.items():
                found += [(_partner_name(direction, one), {direction: one}) for one in several]
    return found


def _partner_name(direction: Direction, connector: Options) -> str:
    """The name that the connector would have been made from, or its own."""
    name: str = connector["name"].strip()
    return name.removesuffix(f" {direction}").strip() or name


def _unused(name: str, taken: set[str]) -> str:
    result, number = name, 1
    while result.lower() in taken:
        number += 1
        # A name has at most 64 characters, and the number must not make it longer.
        result = f"{name[: 63 - len(str(number))]} {number}"
    return result


def _declaration(name: str, sides: Sides) -> dict[str, t.Any]:
    """The declaration of one partner. Where the directions differ, `domains` are those of mail to it."""
    first = sides.get("outbound") or sides["inbound"]
    hybrid = first["connector_type"] == "OnPremises"
    result: dict[str, t.Any] = {"name": name, **({"type": "hybrid"} if hybrid else {})}
    # A connector that only rules of the tenant use names no domain; its empty list goes below exchange_online.
    result["domains"] = _read(domain, plain_domains(first, "outbound" if "outbound" in sides else "inbound")) or ["*"]
    result["apply_to"] = ["exchange_online"]
    for direction, connector in sides.items():
        usual = ["*"] if hybrid and direction == "inbound" else result["domains"]
        side = _inbound_words(connector) if direction == "inbound" else _outbound_words(connector)
        own = _read(domain, plain_domains(connector, direction))
        if own and own != usual:
            side["domains"] = own
        if connector["name"] != connector_name(name, direction):
            side["connector"] = connector["name"]
        result[direction] = side
    _add_the_rest(result, sides)
    return result


def _inbound_words(connector: Options) -> dict[str, t.Any]:
    names = _read(certificate_name, [connector["tls_sender_certificate_name"] or ""])
    enforced = connector["restrict_domains_to_certificate"] or connector["connector_type"] == "OnPremises"
    side: dict[str, t.Any] = {"requirement": "encrypted" if connector["require_tls"] else "opportunistic"}
    if connector["require_tls"] and names and enforced:
        side = {"requirement": "verified", "certificate_names": names}
    if addresses := _read(network, connector["sender_ip_addresses"]):
        side["addresses"] = addresses
    return side


def _outbound_words(connector: Options) -> dict[str, t.Any]:
    side: dict[str, t.Any] = {"requirement": _REQUIREMENTS[connector["tls_settings"]]}
    names = _read(certificate_name, [connector["tls_domain"] or ""])
    if side["requirement"] == "verified" and names:
        side["certificate_names"] = names
    if hosts := _read(smart_host, connector["smart_hosts"]):
        side["smart_hosts"] = hosts
    return side


def _read(read: t.Callable[[t.Any, Place], str], values: t.Iterable[str]) -> list[str]:
    """The values in the form of a declaration; none at all where a declaration has no word for one of them."""
    try:
        return [read(value, Place("")) for value in values]
    except ValueError:
        return []


def _add_the_rest(declaration: dict[str, t.Any], sides: Sides) -> None:
    """Under `exchange_online`, every option that the declaration as it stands would set to something else."""
    partner = parse_partners([declaration], source="export")[0]
    for direction, connector in sides.items():
        said = canonical(direction, _connector(partner, direction))
        rest = {
            option: list(value) if isinstance(value, tuple) else value
            for option, value in connector.items()
            if option in said and option not in FACTS and value != said[option]
        }
        if rest:
            declaration[direction]["exchange_online"] = rest


def _connector(partner: Partner, direction: Direction) -> Options:
    if direction == "inbound" and partner.inbound:
        return inbound_connector(partner, partner.inbound)
    if direction == "outbound" and partner.outbound:
        return outbound_connector(partner, partner.outbound)
    return {}
