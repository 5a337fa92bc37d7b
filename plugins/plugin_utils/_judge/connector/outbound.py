# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""Rules for outbound connectors. Source: New-OutboundConnector."""

from __future__ import annotations

import typing as t

from ansible_collections.mailops.tls.plugins.plugin_utils._judge.connector.model import Connector, Rule, Tenant, Verdict


def names(connector: Connector, _tenant: Tenant) -> t.Iterator[Verdict]:
    """A name and the comparison belong together."""
    setting, name = connector["tls_settings"], connector["tls_domain"]
    if setting == "DomainValidation" and not name:
        yield Verdict(
            "connector.domain_validation_without_name", "DomainValidation without TlsDomain", ("tls_settings", "tls_domain")
        )
    elif name and setting != "DomainValidation":
        yield Verdict(
            "connector.name_not_checked",
            f"{name} is given, but TlsSettings is {setting or 'not set'}, which compares no name",
            ("tls_settings", "tls_domain"),
        )


def route(connector: Connector, _tenant: Tenant) -> t.Iterator[Verdict]:
    """MX records or smart hosts."""
    options = ("use_mx_record", "smart_hosts")
    if not connector["use_mx_record"] and not connector["smart_hosts"]:
        yield Verdict("connector.combination_refused", "UseMXRecord false needs SmartHosts", options)
    elif connector["use_mx_record"] and connector["smart_hosts"]:
        yield Verdict("connector.smart_host_ignored", f"{', '.join(connector['smart_hosts'][:3])}: not used", options)
    for option, name in (
        ("route_all_messages_via_on_premises", "RouteAllMessagesViaOnPremises"),
        ("all_accepted_domains", "AllAcceptedDomains"),
        ("sender_rewriting_enabled", "SenderRewritingEnabled"),
    ):
        if connector.partner and connector[option]:
            yield Verdict("connector.combination_refused", f"{name} needs ConnectorType OnPremises", ("connector_type", option))


def published_policies(connector: Connector, _tenant: Tenant) -> t.Iterator[Verdict]:
    """DANE (RFC 7672) and MTA-STS (RFC 8461) are about MX records."""
    if connector["smtp_dane_mode"] == "Mandatory" and not connector["use_mx_record"]:
        yield Verdict(
            "connector.dane_with_smart_host", "SmtpDaneMode Mandatory with a smart host", ("smtp_dane_mode", "use_mx_record")
        )
    off = tuple(option for option in ("mta_sts_mode", "smtp_dane_mode") if connector[option] == "None")
    # With a verified name, or a smart host, they add nothing that would be lost.
    if off and connector["use_mx_record"] and connector.requirement != "verified":
        shown = {"mta_sts_mode": "MtaStsMode", "smtp_dane_mode": "SmtpDaneMode"}
        yield Verdict("connector.policy_switched_off", f"{' and '.join(shown[option] for option in off)} None", off)


def protection_in_name_only(connector: Connector, _tenant: Tenant) -> t.Iterator[Verdict]:
    """Connectors that mail does not take by itself."""
    if connector["test_mode"]:
        status: t.Literal["fail", "warn"] = "fail" if connector.forced else "warn"
        yield Verdict("connector.test_mode", "no mail takes a connector in test mode", ("test_mode",), status)
    if connector["is_transport_rule_scoped"]:
        yield Verdict("connector.transport_rule_only", "only what a transport rule sends takes it", ("is_transport_rule_scoped",))


RULES: t.Final[tuple[Rule, ...]] = (names, route, published_policies, protection_in_name_only)
