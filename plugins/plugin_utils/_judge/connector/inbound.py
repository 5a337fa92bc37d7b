# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""Rules for inbound connectors. Source: New-InboundConnector; MC1226222 for how mail is attributed to a tenant."""

from __future__ import annotations

import ipaddress
import typing as t

from ansible_collections.mailops.tls.plugins.plugin_utils._judge.connector.model import Connector, Rule, Tenant, Verdict

# The widest network that SenderIPAddresses takes, and from where on it is more than the servers of one site.
WIDEST: t.Final = 24
WIDE: t.Final = 28
_NOT_ROUTED: t.Final = tuple(
    ipaddress.IPv4Network(text)
    for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16")
)


def partner_restrictions(connector: Connector, _tenant: Tenant) -> t.Iterator[Verdict]:
    """What makes a partner's name count."""
    if not connector.partner:
        return
    certificate, address = connector["restrict_domains_to_certificate"], connector["restrict_domains_to_ip_addresses"]
    name, required = connector["tls_sender_certificate_name"], connector["require_tls"]
    if certificate and not (name and required):
        missing = [text for text, there in (("RequireTls", required), ("TlsSenderCertificateName", name)) if not there]
        yield Verdict(
            "connector.certificate_restriction_incomplete",
            f"RestrictDomainsToCertificate without {' and '.join(missing)}",
            ("restrict_domains_to_certificate", "require_tls", "tls_sender_certificate_name"),
        )
    elif name and not certificate:
        yield Verdict(
            "connector.name_not_checked",
            f"{name} is given, but mail from the domain with another certificate or none is taken all the same",
            ("restrict_domains_to_certificate", "tls_sender_certificate_name"),
            # Microsoft's own example leaves the restriction out, so the intention is not certain.
            "warn",
        )
    if required and not certificate and not address:
        yield Verdict(
            "connector.sender_not_authenticated",
            "TLS is required, but of whom it comes is not checked",
            ("require_tls", "restrict_domains_to_certificate", "restrict_domains_to_ip_addresses"),
        )


def partner_addresses(connector: Connector, _tenant: Tenant) -> t.Iterator[Verdict]:
    """The restriction to addresses and the addresses belong together."""
    options = ("restrict_domains_to_ip_addresses", "sender_ip_addresses")
    if connector.partner and connector["restrict_domains_to_ip_addresses"] and not connector["sender_ip_addresses"]:
        yield Verdict("connector.address_restriction_incomplete", "no SenderIPAddresses are given", options)
    if connector.partner and connector["sender_ip_addresses"] and not connector["restrict_domains_to_ip_addresses"]:
        yield Verdict("connector.addresses_without_effect", "addresses are given, but not demanded", options)


def on_premises(connector: Connector, _tenant: Tenant) -> t.Iterator[Verdict]:
    """What tells the own servers from others."""
    if connector.partner:
        return
    name, addresses = connector["tls_sender_certificate_name"], connector["sender_ip_addresses"]
    if not name and addresses:
        hybrid = connector["cloud_services_mail_enabled"] or connector.declared
        yield Verdict(
            "connector.on_premises_by_address",
            f"{', '.join(addresses[:3])} without a certificate's name",
            ("tls_sender_certificate_name", "sender_ip_addresses"),
            "fail" if hybrid else "warn",
        )
    elif not name:
        yield Verdict(
            "connector.on_premises_unidentified",
            "neither TlsSenderCertificateName nor SenderIPAddresses",
            ("tls_sender_certificate_name", "sender_ip_addresses"),
        )
    if connector["require_tls"] and not name:
        yield Verdict("connector.require_tls_without_effect", "RequireTls with OnPremises", ("connector_type", "require_tls"))
    restrictions = [
        option for option in ("restrict_domains_to_certificate", "restrict_domains_to_ip_addresses") if connector[option]
    ]
    if restrictions:
        yield Verdict("connector.restriction_without_effect", "restrictions are for partners", tuple(restrictions))


def accepted_domain(connector: Connector, tenant: Tenant) -> t.Iterator[Verdict]:
    """The name on the certificate of the own servers must lead to the tenant."""
    name = connector["tls_sender_certificate_name"]
    if connector.partner or not name:
        return
    domain = connector.certificate_domain
    if tenant.accepted_domains is None or domain is None:
        yield Verdict(
            "connector.accepted_domains_unknown",
            f"whether {name} lies in an accepted domain is not known",
            ("tls_sender_certificate_name",),
        )
    elif not tenant.accepts(domain):
        yield Verdict(
            "connector.certificate_domain_not_accepted",
            f"{name} lies in none of the accepted domains",
            ("tls_sender_certificate_name",),
            evidence={"accepted_domains": sorted(tenant.accepted_domains)[:100]},
        )


def addresses(connector: Connector, _tenant: Tenant) -> t.Iterator[Verdict]:
    """What SenderIPAddresses takes, and what of it Exchange Online ever sees."""
    for text in connector["sender_ip_addresses"]:
        try:
            network = ipaddress.ip_network(text, strict=False)
        except ValueError:
            yield Verdict("connector.address_not_possible", f"{text[:80]} is no address", ("sender_ip_addresses",))
            continue
        if isinstance(network, ipaddress.IPv6Network) or network.prefixlen < WIDEST:
            why = "is IPv6" if network.version == 6 else f"is wider than /{WIDEST}"
            yield Verdict("connector.address_not_possible", f"{text} {why}", ("sender_ip_addresses",))
        elif any(network.subnet_of(private) for private in _NOT_ROUTED):
            yield Verdict("connector.private_address", f"{text} is not routed in the internet", ("sender_ip_addresses",))
        elif network.prefixlen < WIDE:
            yield Verdict("connector.wide_network", f"{text} is {network.num_addresses} addresses", ("sender_ip_addresses",))


def internal(connector: Connector, _tenant: Tenant) -> t.Iterator[Verdict]:
    """TreatMessagesAsInternal: a privilege, and two combinations that the cmdlet refuses."""
    if not connector["treat_messages_as_internal"]:
        return
    options = ("treat_messages_as_internal", "connector_type", "cloud_services_mail_enabled")
    if connector.partner:
        yield Verdict("connector.combination_refused", "TreatMessagesAsInternal needs ConnectorType OnPremises", options)
    elif connector["cloud_services_mail_enabled"]:
        yield Verdict("connector.combination_refused", "TreatMessagesAsInternal excludes CloudServicesMailEnabled", options)
    yield Verdict("connector.treated_as_internal", "mail by this connector counts as internal", options)


RULES: t.Final[tuple[Rule, ...]] = (
    partner_restrictions,
    partner_addresses,
    on_premises,
    accepted_domain,
    addresses,
    internal,
)
