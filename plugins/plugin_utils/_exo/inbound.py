# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""Inbound connectors: mail that Exchange Online accepts from a partner or from servers on premises."""

from __future__ import annotations

import typing as t

from ansible_collections.mailops.tls.plugins.module_utils._connector import fields as f
from ansible_collections.mailops.tls.plugins.module_utils._connector.constraints import Rule
from ansible_collections.mailops.tls.plugins.plugin_utils._exo.kinds import (
    ON_PREMISES,
    PARTNER,
    Kind,
    Values,
    common_fields,
    only_for,
)

_FIELDS: t.Final = (
    *common_fields(),
    f.Field("sender_domains", "SenderDomains", f.SMTP_DOMAINS),
    f.Field("sender_ip_addresses", "SenderIPAddresses", f.NETWORKS),
    # Microsoft's reference names true for New-InboundConnector, other schemas false. It also says that it applies to Partner
    # only, but not what happens otherwise, and hybrid mail flow must not lose it. Hence no rule.
    f.Field("require_tls", "RequireTls", f.BOOL, default=f.NO_DEFAULT),
    f.Field("tls_sender_certificate_name", "TlsSenderCertificateName", f.CERTIFICATE),
    f.Field("restrict_domains_to_certificate", "RestrictDomainsToCertificate", f.BOOL, default=False),
    f.Field("restrict_domains_to_ip_addresses", "RestrictDomainsToIPAddresses", f.BOOL, default=False),
    f.Field("treat_messages_as_internal", "TreatMessagesAsInternal", f.BOOL, default=False),
    f.Field("associated_accepted_domains", "AssociatedAcceptedDomains", f.NAMES),
    f.Field("trusted_organizations", "TrustedOrganizations", f.NAMES),
    f.Field("ef_skip_ips", "EFSkipIPs", f.RANGES),
    f.Field("ef_skip_last_ip", "EFSkipLastIP", f.BOOL, default=False),
    f.Field("ef_users", "EFUsers", f.NAMES),
)
# Other ways to recognise a sender, which TrustedOrganizations takes the place of.
_RECOGNITION: t.Final = (
    "sender_ip_addresses",
    "tls_sender_certificate_name",
    "restrict_domains_to_certificate",
    "restrict_domains_to_ip_addresses",
    "treat_messages_as_internal",
    "associated_accepted_domains",
)


def _organizations_and_more(values: Values) -> bool:
    return bool(values["trusted_organizations"]) and any(values.get(option) for option in _RECOGNITION)


_RULES: t.Final = (
    Rule(
        "sender_domains_needed",
        ("sender_domains",),
        lambda values: not values["sender_domains"],
        "must not be empty; '*' stands for all domains",
    ),
    only_for(PARTNER, "restrict_domains_to_certificate", held=True),
    only_for(PARTNER, "restrict_domains_to_ip_addresses", held=True),
    Rule(
        "restrict_to_certificate_needs_name",
        ("restrict_domains_to_certificate", "tls_sender_certificate_name"),
        lambda values: values["restrict_domains_to_certificate"] and not values["tls_sender_certificate_name"],
        "restrict_domains_to_certificate compares the certificate with tls_sender_certificate_name (TlsSenderCertificateName), "
        "which is not set",
        held=True,
    ),
    Rule(
        "restrict_to_addresses_needs_addresses",
        ("restrict_domains_to_ip_addresses", "sender_ip_addresses"),
        lambda values: values["restrict_domains_to_ip_addresses"] and not values["sender_ip_addresses"],
        "restrict_domains_to_ip_addresses accepts mail from sender_ip_addresses (SenderIPAddresses) only, and there are none",
        held=True,
    ),
    Rule(
        "certificate_name_needs_require_tls",
        ("tls_sender_certificate_name", "require_tls"),
        lambda values: (
            values["tls_sender_certificate_name"] and values["require_tls"] is False and values["connector_type"] == PARTNER
        ),
        "tls_sender_certificate_name is used only when require_tls (RequireTls) is true, and it is false: "
        "nobody would look at the certificate",
        held=True,
    ),
    Rule(
        "treat_as_internal_only_onpremises",
        ("treat_messages_as_internal", "connector_type"),
        lambda values: values["treat_messages_as_internal"] and values["connector_type"] != ON_PREMISES,
        "treat_messages_as_internal can be true only with connector_type OnPremises; declare connector_type too",
    ),
    Rule(
        "treat_as_internal_without_cloud_services",
        ("treat_messages_as_internal", "cloud_services_mail_enabled"),
        lambda values: values["treat_messages_as_internal"] and values["cloud_services_mail_enabled"],
        "treat_messages_as_internal and cloud_services_mail_enabled (CloudServicesMailEnabled) exclude each other",
    ),
    Rule(
        "trusted_organizations_alone",
        ("trusted_organizations", *_RECOGNITION),
        _organizations_and_more,
        f"trusted_organizations (TrustedOrganizations) is used without any of {', '.join(_RECOGNITION)}",
        held=True,
    ),
)
_ADVICE: t.Final = (
    Rule(
        "sender_addresses_not_used",
        ("sender_ip_addresses",),
        lambda values: (
            values["sender_ip_addresses"]
            and values["connector_type"] == PARTNER
            and not values["restrict_domains_to_ip_addresses"]
        ),
        "has no effect for connector_type Partner unless restrict_domains_to_ip_addresses is true",
    ),
)

INBOUND: t.Final = Kind(
    "InboundConnector",
    "inbound connector",
    f.FieldTable(_FIELDS),
    _RULES,
    _ADVICE,
    # Microsoft's reference does not say what ClientHostNames is for, so that it cannot be set here.
    read_only={"client_host_names": "ClientHostNames"},
)
