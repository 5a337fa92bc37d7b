# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""The fields and rules that both kinds of connectors have, and what a kind of connector is.

Sources: Microsoft's reference pages of New-, Set-, Get- and Remove-InboundConnector and -OutboundConnector. Where they name no
default, or contradict what is seen, there is none here: null is refused then, and a rule that depends on it stays undecided.
"""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.mailops.tls.plugins.module_utils._connector import fields as f
from ansible_collections.mailops.tls.plugins.module_utils._connector.constraints import Rule

Values = t.Mapping[str, t.Any]
PARTNER: t.Final = "Partner"
ON_PREMISES: t.Final = "OnPremises"
MAX_NAME: t.Final = 64


@dataclasses.dataclass(frozen=True)
class Kind:
    """A kind of connector. `noun` is that of its cmdlets; `scopes` are the switches with which all of them are listed.

    Of `rules` each must hold; of `advice` a broken one is only a warning. `read_only` are parameters that cannot be set, by the
    names that results give them.
    """

    noun: str
    title: str
    table: t.Any
    rules: tuple[t.Any, ...]
    advice: tuple[t.Any, ...]
    scopes: tuple[t.Mapping[str, bool], ...] = ({},)
    read_only: t.Mapping[str, str] = dataclasses.field(default_factory=dict)


def common_fields() -> list[t.Any]:
    """The fields that both kinds have, the name first."""
    return [
        f.Field("name", "Name", f.TEXT, default=f.NO_DEFAULT),
        f.Field("enabled", "Enabled", f.BOOL, default=True),
        f.Field("comment", "Comment", f.TEXT),
        f.Field("connector_type", "ConnectorType", f.CHOICE, default=f.NO_DEFAULT, choices=(PARTNER, ON_PREMISES)),
        f.Field(
            "connector_source",
            "ConnectorSource",
            f.CHOICE,
            default="Default",
            choices=("Default", "HybridWizard", "Migrated"),
            # What reads back for connectors that were made in the admin center, or with Default.
            aliases={"AdminUI": "Default"},
        ),
        f.Field("cloud_services_mail_enabled", "CloudServicesMailEnabled", f.BOOL, default=False),
    ]


def only_for(kind: str, option: str, *, held: bool = False) -> t.Any:
    """The rule that an option may be true for one type of connector only.

    With a type that is not declared for a new connector the service decides, so OnPremises cannot be relied on.
    """

    def broken(values: Values) -> bool:
        if not values[option]:
            return False
        other = values["connector_type"]
        return bool(other != kind if kind == ON_PREMISES else other not in (kind, None))

    return Rule(
        f"{option}_only_{kind.lower()}",
        (option, "connector_type"),
        broken,
        f"{option} can be true only with connector_type {kind}; declare connector_type too",
        held,
    )
