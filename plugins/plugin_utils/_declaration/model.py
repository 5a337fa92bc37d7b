# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""A partner as declared: which TLS mail to and from it must have. One declaration stands for both sides.

`requirement` is what a connection must fulfil, from the weakest on, in the words of posttls-finger(1) where it has one:

- opportunistic: TLS where the other side has it, otherwise in the clear;
- encrypted: TLS, with any certificate;
- trusted: TLS, with a certificate of a trusted CA for whatever name (outbound only);
- verified: TLS, with a certificate of a trusted CA that has an agreed name.
"""

from __future__ import annotations

import dataclasses
import typing as t

Requirement = t.Literal["opportunistic", "encrypted", "trusted", "verified"]
Target = t.Literal["exchange_online", "postfix"]

REQUIREMENTS: t.Final[tuple[Requirement, ...]] = ("opportunistic", "encrypted", "trusted", "verified")
TARGETS: t.Final[tuple[Target, ...]] = ("exchange_online", "postfix")
# The cmdlets' limit, New-InboundConnector and New-OutboundConnector: Name.
MAX_CONNECTOR_NAME: t.Final = 64


@dataclasses.dataclass(frozen=True)
class Inbound:
    """Mail from the partner. `addresses` are networks of its servers, `fingerprints` are 64 hexadecimal digits in lower case.

    `exchange_online` and `postfix` hold options of the connector and of the entries that the declaration itself has no word for.
    """

    requirement: Requirement
    domains: tuple[str, ...]
    connector: str
    certificate_names: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()
    fingerprints: tuple[str, ...] = ()
    ca_file: str | None = None
    exchange_online: t.Mapping[str, t.Any] = dataclasses.field(default_factory=dict)

    @property
    def forced(self) -> bool:
        """Whether mail in the clear is refused."""
        return self.requirement != "opportunistic"


@dataclasses.dataclass(frozen=True)
class Outbound:
    """Mail to the partner. `smart_hosts` are names or addresses; without them its MX records count."""

    requirement: Requirement
    domains: tuple[str, ...]
    connector: str
    certificate_names: tuple[str, ...] = ()
    smart_hosts: tuple[str, ...] = ()
    ca_file: str | None = None
    exchange_online: t.Mapping[str, t.Any] = dataclasses.field(default_factory=dict)
    postfix: t.Mapping[str, t.Any] = dataclasses.field(default_factory=dict)

    @property
    def forced(self) -> bool:
        """Whether mail is rather kept back than sent in the clear."""
        return self.requirement != "opportunistic"


@dataclasses.dataclass(frozen=True)
class Partner:
    """One partner. `hybrid` is our own Exchange servers on premises, seen from our tenant. A direction may be undeclared."""

    name: str
    type: t.Literal["partner", "hybrid"]
    state: t.Literal["present", "absent"]
    domains: tuple[str, ...]
    apply_to: tuple[Target, ...]
    inbound: Inbound | None
    outbound: Outbound | None

    @property
    def present(self) -> bool:
        return self.state == "present"

    def applies_to(self, target: Target) -> bool:
        """Whether this side is to hold the declaration."""
        return target in self.apply_to


def connector_name(partner: str, direction: t.Literal["inbound", "outbound"]) -> str:
    """What a connector of the partner is called unless the declaration says otherwise."""
    return f"{partner} {direction}"
