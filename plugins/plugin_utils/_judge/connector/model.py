# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""A connector as the rules see it, and what a rule says."""

from __future__ import annotations

import dataclasses
import re
import typing as t

from ansible_collections.mailops.tls.plugins.plugin_utils._declaration.model import Requirement
from ansible_collections.mailops.tls.plugins.plugin_utils._declaration.options import (
    Direction,
    Options,
    a_labels,
    canonical,
    plain_domains,
)
from ansible_collections.mailops.tls.plugins.plugin_utils._findings.model import Status, Subject
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.x509 import clean

# In `<I>issuer<S>subject`, which Exchange writes for one certificate: the common name of the subject, if it is a host's.
_COMMON_NAME: t.Final = re.compile(r"(?i)<S>(?:[^<>]*[,+])?\s*CN\s*=\s*\"?((?:\*\.)?[\w-]+(?:\.[\w-]+)+)\"?\s*(?:[,+]|\Z)")
_OUTBOUND: t.Final[dict[str | None, Requirement]] = {
    None: "opportunistic",
    "EncryptionOnly": "encrypted",
    "CertificateValidation": "trusted",
    "DomainValidation": "verified",
}


@dataclasses.dataclass(frozen=True)
class Connector:
    """One connector; `options` are canonical. `declared` is what its declaration requires, None for one found in a tenant."""

    direction: Direction
    name: str
    options: Options
    declared: Requirement | None = None

    @classmethod
    def read(cls, direction: Direction, options: t.Mapping[str, t.Any], declared: Requirement | None = None) -> Connector:
        """From options of the modules, or from a connector as exo_connector_info returns it."""
        return cls(direction, clean(options.get("name") or "(without name)"), canonical(direction, options), declared)

    def __getitem__(self, option: str) -> t.Any:
        return self.options[option]

    @property
    def subject(self) -> Subject:
        return Subject("connector", f"{self.direction} {self.name}")

    @property
    def partner(self) -> bool:
        """Whether the other side is another organisation (Partner), not the own servers (OnPremises)."""
        return bool(self["connector_type"] == "Partner")

    @property
    def domains(self) -> tuple[str, ...]:
        return plain_domains(self.options, self.direction)

    @property
    def certificate_name(self) -> str | None:
        found: str | None = self["tls_sender_certificate_name" if self.direction == "inbound" else "tls_domain"]
        return found

    @property
    def certificate_domain(self) -> str | None:
        """The name to be found on the certificate; None where there is none, or only a certificate is named and not its name."""
        name = self.certificate_name
        if name is None or not name.startswith("<"):
            return name
        common = _COMMON_NAME.search(name)
        return a_labels(common.group(1)) if common else None

    @property
    def in_use(self) -> bool:
        """Whether mail takes it by itself."""
        return bool(self["enabled"]) and not (
            self.direction == "outbound" and (self["test_mode"] or self["is_transport_rule_scoped"])
        )

    @property
    def requirement(self) -> Requirement:
        """What it demands of TLS."""
        if self.direction == "outbound":
            return _OUTBOUND[self["tls_settings"]]
        if not self["require_tls"]:
            return "opportunistic"
        enforced = self["restrict_domains_to_certificate"] or not self.partner
        return "verified" if self.certificate_name and enforced else "encrypted"

    @property
    def forced(self) -> bool:
        return self.requirement != "opportunistic"


@dataclasses.dataclass(frozen=True)
class Verdict:
    """What a rule says: a finding still without host and time. `options` are those of the connector that it rests on."""

    id: str
    summary: str
    options: tuple[str, ...] = ()
    status: Status | None = None
    evidence: t.Mapping[str, t.Any] = dataclasses.field(default_factory=dict)
    detail: str = ""


@dataclasses.dataclass(frozen=True)
class Tenant:
    """What is known of the tenant. `accepted_domains` is None where nobody said."""

    accepted_domains: tuple[str, ...] | None

    def accepts(self, name: str) -> bool:
        """Whether a domain, or a name on a certificate, is or lies below an accepted domain."""
        bare = name.removeprefix("*.")
        return any(bare == domain or bare.endswith("." + domain.removeprefix("*.")) for domain in self.accepted_domains or ())


Rule = t.Callable[[Connector, Tenant], t.Iterator[Verdict]]
