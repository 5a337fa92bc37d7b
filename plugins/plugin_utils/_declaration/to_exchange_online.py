# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""A declaration as connectors of Exchange Online, in the options of exo_inbound_connector and exo_outbound_connector.

Everything that decides about protection is stated, also where it is the default, so that what somebody changed by hand drifts
back. Sources: New-InboundConnector, New-OutboundConnector.
"""

from __future__ import annotations

import typing as t

from ansible_collections.mailops.tls.plugins.plugin_utils._declaration.model import Inbound, Outbound, Partner
from ansible_collections.mailops.tls.plugins.plugin_utils._declaration.options import Options

# requirement -> TlsSettings. None is opportunistic TLS.
TLS_SETTINGS: t.Final[t.Mapping[str, str | None]] = {
    "opportunistic": None,
    "encrypted": "EncryptionOnly",
    "trusted": "CertificateValidation",
    "verified": "DomainValidation",
}


def connectors(partners: t.Iterable[Partner]) -> dict[str, list[Options]]:
    """`inbound` and `outbound` connectors of all partners that apply to Exchange Online, in the order of the declarations.

    A direction that one connector cannot hold (`cannot_hold`) is left out; the linter fails for it.
    """
    result: dict[str, list[Options]] = {"inbound": [], "outbound": []}
    for partner in partners:
        if not partner.applies_to("exchange_online"):
            continue
        for direction, side in (("inbound", partner.inbound), ("outbound", partner.outbound)):
            if side is None:
                continue
            if not partner.present:
                result[direction].append({"name": side.connector, "state": "absent"})
            elif not cannot_hold(side):
                made = inbound_connector(partner, side) if isinstance(side, Inbound) else outbound_connector(partner, side)
                result[direction].append(made)
    return result


def cannot_hold(side: Inbound | Outbound) -> bool:
    """Whether several names are declared, of which a connector takes one, and none of them stands for all."""
    return side.requirement == "verified" and len(side.certificate_names) > 1 and covering_name(side.certificate_names) is None


def covering_name(names: t.Sequence[str]) -> str | None:
    """The name that stands for all of them: the only one, or a `*.contoso.com` above the others. None where there is none."""
    return next((name for name in names if all(covers(name, other) for other in names)), None)


def covers(name: str, other: str) -> bool:
    """Whether a name or domain stands for another: the same, or `*.contoso.com` for contoso.com and all below it."""
    if name in (other, "*"):
        return True
    base, bare = name.removeprefix("*."), other.removeprefix("*.")
    return name.startswith("*.") and (bare == base or bare.endswith("." + base))


def inbound_connector(partner: Partner, side: Inbound) -> Options:
    """The inbound connector of a present partner."""
    hybrid = partner.type == "hybrid"
    verified = side.requirement == "verified"
    name = covering_name(side.certificate_names) if verified else None
    return {
        "name": side.connector,
        "state": "present",
        "connector_type": "OnPremises" if hybrid else "Partner",
        "enabled": True,
        "sender_domains": list(side.domains),
        "sender_ip_addresses": list(side.addresses),
        "require_tls": side.forced,
        "tls_sender_certificate_name": name,
        # Both restrictions are for partners only. Servers on premises are recognised by certificate or address as it is.
        "restrict_domains_to_certificate": verified and not hybrid,
        "restrict_domains_to_ip_addresses": bool(side.addresses) and not hybrid,
        "treat_messages_as_internal": False,
        "cloud_services_mail_enabled": hybrid,
        **side.exchange_online,
    }


def outbound_connector(partner: Partner, side: Outbound) -> Options:
    """The outbound connector of a present partner."""
    hybrid = partner.type == "hybrid"
    return {
        "name": side.connector,
        "state": "present",
        "connector_type": "OnPremises" if hybrid else "Partner",
        "enabled": True,
        "recipient_domains": list(side.domains),
        "use_mx_record": not side.smart_hosts,
        "smart_hosts": list(side.smart_hosts),
        "tls_settings": TLS_SETTINGS[side.requirement],
        "tls_domain": covering_name(side.certificate_names) if side.requirement == "verified" else None,
        "cloud_services_mail_enabled": hybrid,
        "is_transport_rule_scoped": False,
        "test_mode": False,
        **side.exchange_online,
    }
