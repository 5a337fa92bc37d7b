# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""What can be found about connectors, declared ones and those of a tenant."""

from __future__ import annotations

import typing as t

from ansible_collections.mailops.tls.plugins.plugin_utils._findings.finding_type import FindingType

CONNECTOR_TYPES: t.Final = (
    FindingType(
        id="connector.both_directions",
        status="pass",
        severity="info",
        meaning="Mail to and from the domain must have TLS.",
        remedy="Nothing to do.",
    ),
    FindingType(
        id="connector.one_direction",
        status="fail",
        severity="high",
        meaning=(
            "TLS is forced in one direction only. Forced TLS takes more than one connector: one for mail in and one for mail "
            "out. The other direction goes in the clear where the other side has no TLS."
        ),
        remedy="Declare the other direction with requirement encrypted or verified.",
    ),
    FindingType(
        id="connector.opportunistic",
        status="warn",
        severity="medium",
        meaning="The connector does not force TLS: mail goes or comes in the clear where the other side has no TLS.",
        remedy="Require verified, or remove the connector where its only purpose was TLS.",
    ),
    FindingType(
        id="connector.verified",
        status="pass",
        severity="info",
        meaning="TLS is forced, and the other side is known by a name on its certificate.",
        remedy="Nothing to do.",
    ),
    FindingType(
        id="connector.encrypted_only",
        status="warn",
        severity="medium",
        meaning=(
            "TLS is forced, but any certificate will do, a self-signed one too. That is no protection from somebody who can "
            "redirect the mail."
        ),
        remedy="Require verified with the name on the partner's certificate.",
    ),
    FindingType(
        id="connector.name_not_verified",
        status="warn",
        severity="medium",
        meaning=(
            "The certificate must be of a trusted CA, but may have any name. Anybody with a certificate of a public CA can stand "
            "in for the partner."
        ),
        remedy="Require verified with the name on the partner's certificate (DomainValidation and TlsDomain).",
    ),
    FindingType(
        id="connector.domain_validation_without_name",
        status="fail",
        severity="high",
        meaning="The name on the certificate is to be verified, but none is given, so there is nothing to compare it with.",
        remedy="Give certificate_names (TlsDomain outbound, TlsSenderCertificateName inbound).",
    ),
    FindingType(
        id="connector.name_not_checked",
        status="fail",
        severity="high",
        meaning=(
            "A name for the other side's certificate is given, but nothing compares it: encryption is mistaken for verification."
        ),
        remedy="Require verified (DomainValidation outbound, RestrictDomainsToCertificate inbound), or leave the name out.",
    ),
    FindingType(
        id="connector.requirement_not_met",
        status="fail",
        severity="high",
        meaning="Options of the connector undo what the declaration requires.",
        remedy="Remove the options below exchange_online, or declare the requirement that is meant.",
    ),
    FindingType(
        id="connector.several_names",
        status="fail",
        severity="high",
        meaning="A connector of Exchange Online takes one name, several are declared, and none of them stands for the others.",
        remedy="Agree on one name, or on a wildcard such as *.contoso.com that covers them.",
    ),
    FindingType(
        id="connector.certificate_restriction_incomplete",
        status="fail",
        severity="high",
        meaning="RestrictDomainsToCertificate has no effect without RequireTls and TlsSenderCertificateName.",
        remedy="Set all three.",
    ),
    FindingType(
        id="connector.address_restriction_incomplete",
        status="fail",
        severity="high",
        meaning="RestrictDomainsToIPAddresses is set without SenderIPAddresses.",
        remedy="Give the addresses of the partner's servers, or restrict by certificate.",
    ),
    FindingType(
        id="connector.addresses_without_effect",
        status="warn",
        severity="medium",
        meaning="For a partner, SenderIPAddresses count only with RestrictDomainsToIPAddresses.",
        remedy="Set RestrictDomainsToIPAddresses, or remove the addresses.",
    ),
    FindingType(
        id="connector.address_not_possible",
        status="fail",
        severity="high",
        meaning="Exchange Online takes single IPv4 addresses and networks of /24 to /32 as senders, and nothing else.",
        remedy="Split the network into /24, or identify the servers by certificate. IPv6 senders need the certificate.",
    ),
    FindingType(
        id="connector.private_address",
        status="fail",
        severity="high",
        meaning="Exchange Online never sees this address: it is not routed in the internet.",
        remedy="Give the public address from which the servers send.",
    ),
    FindingType(
        id="connector.wide_network",
        status="warn",
        severity="low",
        meaning="A large network stands for the partner's servers, and every host in it is taken for one of them.",
        remedy="List the servers, or identify them by certificate.",
    ),
    FindingType(
        id="connector.sender_not_authenticated",
        status="warn",
        severity="medium",
        meaning=(
            "TLS is required of mail from the domain, but neither a certificate nor an address is: anybody who uses TLS can send "
            "in the partner's name."
        ),
        remedy="Require verified with the name on the partner's certificate.",
    ),
    FindingType(
        id="connector.on_premises_by_address",
        status="fail",
        severity="high",
        meaning=(
            "Servers on premises are identified by their address alone. Whoever shares the address, such as other customers of "
            "a mail gateway, has their mail attributed to this tenant."
        ),
        remedy="Identify the servers by a certificate whose domain is an accepted domain (TlsSenderCertificateName).",
    ),
    FindingType(
        id="connector.on_premises_unidentified",
        status="fail",
        severity="high",
        meaning="Nothing tells the servers on premises from others: neither a certificate nor an address is given.",
        remedy="Give the name on the servers' certificate (TlsSenderCertificateName).",
    ),
    FindingType(
        id="connector.require_tls_without_effect",
        status="warn",
        severity="medium",
        meaning="RequireTls is for partners. With OnPremises it only lets the certificate's name count, and there is none.",
        remedy="Give TlsSenderCertificateName, by which servers on premises authenticate.",
    ),
    FindingType(
        id="connector.restriction_without_effect",
        status="warn",
        severity="medium",
        meaning="RestrictDomainsToCertificate and RestrictDomainsToIPAddresses are for partners and do nothing with OnPremises.",
        remedy="Remove them. TlsSenderCertificateName identifies servers on premises.",
    ),
    FindingType(
        id="connector.certificate_domain_not_accepted",
        status="fail",
        severity="critical",
        meaning=(
            "The name on the certificate lies in no accepted domain of the tenant. Exchange Online then cannot attribute mail to "
            "the tenant by it (550 5.7.64 TenantAttribution)."
        ),
        remedy="Use a certificate for a name in an accepted domain, or add the domain to the tenant.",
    ),
    FindingType(
        id="connector.accepted_domains_unknown",
        status="unknown",
        severity="low",
        meaning="Whether the certificate's domain is an accepted domain could not be decided, because those are not known.",
        remedy="Give accepted_domains, or let them be read from the tenant.",
    ),
    FindingType(
        id="connector.hybrid_without_cloud_services",
        status="fail",
        severity="high",
        meaning=(
            "Mail between the own organisation's servers and its tenant needs CloudServicesMailEnabled. Without it, the headers "
            "that mark mail as internal are lost, and such mail is treated as external."
        ),
        remedy="Set CloudServicesMailEnabled, as the Hybrid Configuration Wizard does.",
    ),
    FindingType(
        id="connector.combination_refused",
        status="fail",
        severity="high",
        meaning=(
            "Exchange Online refuses these options together, or one of them would have no effect, so that the connector modules "
            "refuse them. A connector that is like that already, and stays so, is left alone."
        ),
        remedy="Follow the rule in the summary.",
    ),
    FindingType(
        id="connector.treated_as_internal",
        status="warn",
        severity="high",
        meaning=(
            "Mail by this connector counts as internal (TreatMessagesAsInternal): it skips checks that mail from outside has to "
            "pass. Whoever fulfils the connector's conditions has that privilege."
        ),
        remedy="Switch it off unless the senders are servers of the own organisation and known by their certificate.",
    ),
    FindingType(
        id="connector.catch_all",
        status="warn",
        severity="high",
        meaning="A partner's connector is for every domain, so it concerns the mail of everybody.",
        remedy="Name the partner's domains.",
    ),
    FindingType(
        id="connector.own_domain",
        status="warn",
        severity="medium",
        meaning="A partner's connector is for an accepted domain of the own tenant.",
        remedy="Name the partner's domains. For servers of the own organisation the type is hybrid (OnPremises).",
    ),
    FindingType(
        id="connector.shared_certificate_name",
        status="warn",
        severity="high",
        meaning=(
            "The name is on a certificate that a provider presents for all its customers. It proves that the mail came by way of "
            "that provider, not that it is the partner's."
        ),
        remedy="Add what else distinguishes the partner, such as DKIM, or agree on servers with a certificate of the partner's.",
    ),
    FindingType(
        id="connector.wildcard_name",
        status="warn",
        severity="low",
        meaning="Every host below the domain that has a certificate counts as the partner's mail server.",
        remedy="Name the mail servers where they have one name.",
    ),
    FindingType(
        id="connector.wildcard_too_wide",
        status="fail",
        severity="critical",
        meaning="The wildcard stands for a whole top-level domain, so that nearly any certificate in it will do.",
        remedy="Name the partner's mail servers, or a wildcard below the partner's own domain.",
    ),
    FindingType(
        id="connector.smart_host_ignored",
        status="warn",
        severity="medium",
        meaning="Smart hosts are given, but the connector follows MX records (UseMXRecord).",
        remedy="Set UseMXRecord to false, or remove the smart hosts.",
    ),
    FindingType(
        id="connector.dane_with_smart_host",
        status="fail",
        severity="high",
        meaning="SmtpDaneMode Mandatory demands TLSA records that belong to MX records, but mail goes to a smart host.",
        remedy="Follow MX records, or verify the smart host's certificate by name.",
    ),
    FindingType(
        id="connector.policy_switched_off",
        status="warn",
        severity="medium",
        meaning="MtaStsMode or SmtpDaneMode is None: what the recipient's domain publishes about its TLS is not looked at.",
        remedy="Leave both at Opportunistic unless the certificate's name is verified instead.",
    ),
    FindingType(
        id="connector.test_mode",
        status="fail",
        severity="high",
        meaning="The connector is in test mode, so that no mail takes it. It looks like protection and is none.",
        remedy="Switch TestMode off.",
    ),
    FindingType(
        id="connector.disabled",
        status="fail",
        severity="high",
        meaning="The connector is disabled, so that no mail takes it. It looks like protection and is none.",
        remedy="Enable it, or remove it.",
    ),
    FindingType(
        id="connector.transport_rule_only",
        status="warn",
        severity="high",
        meaning=(
            "The connector is for mail that a transport rule sends to it, whatever the recipient's domain. Without such a rule "
            "it protects nothing."
        ),
        remedy="Name recipient domains instead, or see to it that the rule covers all mail to the partner.",
    ),
    FindingType(
        id="connector.overlap",
        status="warn",
        severity="medium",
        meaning="Two connectors are for the same domain. Which of them mail takes is not defined.",
        remedy="Leave one connector for each domain and direction.",
    ),
    FindingType(
        id="connector.weaker_exception",
        status="warn",
        severity="high",
        meaning="A more specific connector requires less than the one for the domain above it, and the more specific one counts.",
        remedy="Require the same of both, or remove the exception.",
    ),
    FindingType(
        id="connector.postfix_names_not_compared",
        status="fail",
        severity="high",
        meaning=(
            "Postfix hands over the name in a client certificate only where a CA that it was given issued it. Without one, the "
            "declaration cannot be held on Postfix hosts; nothing weaker is set instead."
        ),
        remedy=(
            "Give ca_file, the CAs that issue the partner's client certificates, with certificate_names; or the fingerprints of "
            "these certificates."
        ),
    ),
    FindingType(
        id="connector.postfix_not_possible",
        status="fail",
        severity="high",
        meaning="This cannot be held on Postfix hosts; nothing weaker is set instead.",
        remedy="Follow the summary, or leave postfix out of apply_to.",
    ),
    FindingType(
        id="connector.postfix_insecure_mx",
        status="fail",
        severity="high",
        meaning=(
            "The level verify without names trusts those in MX records, which DNS without DNSSEC does not protect. Somebody who "
            "forges the MX record chooses the name."
        ),
        remedy="Require verified, with the names on the partner's certificate.",
    ),
    FindingType(
        id="connector.postfix_sender_domain_weaker",
        status="warn",
        severity="medium",
        meaning=(
            "The certificate is demanded of the partner's addresses only. Mail from other addresses in the name of its domains "
            "must have TLS, but no certificate: that of some CA says nothing about a sender."
        ),
        remedy="Give certificate_names besides ca_file, or fingerprints in place of it.",
    ),
    FindingType(
        id="connector.postfix_any_name_of_ca",
        status="warn",
        severity="medium",
        meaning="Without certificate_names, Postfix takes any certificate of the CAs in ca_file, whatever the name on it.",
        remedy="Give certificate_names. Otherwise use a private CA that issues to the partner only, or give fingerprints.",
    ),
    FindingType(
        id="connector.postfix_hybrid_left_out",
        status="not_applicable",
        severity="info",
        meaning="Hybrid connectors are the tenant's view of the own servers. Postfix hosts have nothing to hold of it.",
        remedy=(
            "Declare the tenant as a partner of the Postfix hosts, with ca_file and the certificate name "
            "mail.protection.outlook.com."
        ),
    ),
)
