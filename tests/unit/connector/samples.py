# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A connector of each kind as it may be declared, and what the stand-in has stored."""

from __future__ import annotations

import typing as t

from tests.lab.exchange_online.fixture import StandIn

INBOUND = {
    "name": "Contoso inbound",
    "connector_type": "Partner",
    "sender_domains": ["Contoso.com", "bücher.example"],
    "require_tls": True,
    "tls_sender_certificate_name": "*.contoso.com",
}
OUTBOUND = {
    "name": "Contoso outbound",
    "connector_type": "Partner",
    "recipient_domains": ["contoso.com"],
    "use_mx_record": False,
    "smart_hosts": ["192.0.2.1", "mx.contoso.com"],
    "tls_settings": "DomainValidation",
    "tls_domain": "mx.contoso.com",
    "validation_recipients": ["Postmaster@contoso.com"],
}
DECLARED = {"inbound": INBOUND, "outbound": OUTBOUND}
NOUN = {"inbound": "InboundConnector", "outbound": "OutboundConnector"}


def names(exchange: StandIn, direction: str) -> list[str]:
    return [found["Name"] for found in exchange.connectors()[NOUN[direction]]]


def stored(exchange: StandIn, direction: str) -> dict[str, t.Any]:
    (found,) = exchange.connectors()[NOUN[direction]]
    return found
