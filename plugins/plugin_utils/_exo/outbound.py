# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""Outbound connectors: how Exchange Online hands mail to a partner or to servers on premises."""

from __future__ import annotations

import typing as t

from ansible_collections.mailops.tls.plugins.module_utils._connector import fields as f
from ansible_collections.mailops.tls.plugins.module_utils._connector.constraints import Rule
from ansible_collections.mailops.tls.plugins.plugin_utils._exo.kinds import ON_PREMISES, Kind, common_fields, only_for

DOMAIN_VALIDATION: t.Final = "DomainValidation"

_FIELDS: t.Final = (
    *common_fields(),
    f.Field("recipient_domains", "RecipientDomains", f.DOMAINS),
    f.Field("use_mx_record", "UseMXRecord", f.BOOL, default=True, beside=("smart_hosts",)),
    f.Field("smart_hosts", "SmartHosts", f.HOSTS),
    f.Field(
        "tls_settings",
        "TlsSettings",
        f.CHOICE,
        choices=("EncryptionOnly", "CertificateValidation", DOMAIN_VALIDATION),
        beside=("tls_domain",),
    ),
    f.Field("tls_domain", "TlsDomain", f.DOMAIN),
    f.Field("mta_sts_mode", "MtaStsMode", f.CHOICE, default="Opportunistic", choices=("Opportunistic", "None")),
    f.Field("smtp_dane_mode", "SmtpDaneMode", f.CHOICE, default="Opportunistic", choices=("Opportunistic", "Mandatory", "None")),
    f.Field("route_all_messages_via_on_premises", "RouteAllMessagesViaOnPremises", f.BOOL, default=False),
    f.Field("all_accepted_domains", "AllAcceptedDomains", f.BOOL, default=False),
    f.Field("sender_rewriting_enabled", "SenderRewritingEnabled", f.BOOL, default=False),
    f.Field("is_transport_rule_scoped", "IsTransportRuleScoped", f.BOOL, default=False),
    f.Field("test_mode", "TestMode", f.BOOL, default=False),
    f.Field("validation_recipients", "ValidationRecipients", f.NAMES, set_only=True),
    f.Field("is_validated", "IsValidated", f.BOOL, default=False, set_only=True),
)
_RULES: t.Final = (
    Rule(
        "smart_hosts_needed",
        ("use_mx_record", "smart_hosts"),
        lambda values: not values["use_mx_record"] and not values["smart_hosts"],
        "with use_mx_record (UseMXRecord) false, smart_hosts (SmartHosts) must name at least one host",
    ),
    Rule(
        "domain_validation_needs_name",
        ("tls_settings", "tls_domain"),
        lambda values: values["tls_settings"] == DOMAIN_VALIDATION and not values["tls_domain"],
        "tls_settings DomainValidation compares the certificate with tls_domain (TlsDomain), which is not set",
    ),
    Rule(
        "tls_domain_only_domain_validation",
        ("tls_domain",),
        lambda values: values["tls_domain"] and values["tls_settings"] != DOMAIN_VALIDATION,
        "is used only with tls_settings (TlsSettings) DomainValidation: no name would be compared",
        held=True,
    ),
    only_for(ON_PREMISES, "route_all_messages_via_on_premises"),
    only_for(ON_PREMISES, "all_accepted_domains"),
    only_for(ON_PREMISES, "sender_rewriting_enabled"),
)
_ADVICE: t.Final = (
    Rule(
        "smart_hosts_without_mx",
        ("smart_hosts",),
        lambda values: values["smart_hosts"] and values["use_mx_record"],
        "has no effect unless use_mx_record (UseMXRecord) is false; declare use_mx_record: false",
    ),
)
# Get-OutboundConnector hides connectors in test mode and those used by transport rules, and shows only them when asked to.
_SCOPES: t.Final[tuple[t.Mapping[str, bool], ...]] = (
    {},
    {"IncludeTestModeConnectors": True},
    {"IsTransportRuleScoped": True},
    {"IncludeTestModeConnectors": True, "IsTransportRuleScoped": True},
)

OUTBOUND: t.Final = Kind(
    "OutboundConnector",
    "outbound connector",
    f.FieldTable(_FIELDS),
    _RULES,
    _ADVICE,
    _SCOPES,
    # When is_validated became true: the service keeps it.
    read_only={"last_validation_timestamp": "LastValidationTimestamp"},
)
