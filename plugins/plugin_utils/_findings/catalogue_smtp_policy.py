# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""Findings about what mail servers are measured by: DNS, DANE, MTA-STS, profiles and the policy of the direction."""

from __future__ import annotations

from ansible_collections.mailops.tls.plugins.plugin_utils._findings.finding_type import FindingType

SMTP_POLICY_TYPES = (
    FindingType(
        id="smtp.mx.missing",
        status="fail",
        severity="critical",
        meaning=(
            "The domain has no MX record, or does not exist. Mail for it falls back to the host of that name (RFC 5321 5.1), "
            "or is not delivered at all."
        ),
        remedy="Correct the name of the domain, or publish its MX record.",
    ),
    FindingType(
        id="smtp.mx.null",
        status="fail",
        severity="high",
        meaning="The domain says by a null MX (RFC 7505) that it takes no mail.",
        remedy="Correct the name of the domain, or remove the null MX.",
    ),
    FindingType(
        id="smtp.mx.not_resolved",
        status="unknown",
        severity="high",
        meaning="The host's resolver gave no answer about the MX records of the domain.",
        remedy=(
            "Look for the reason in the evidence: the resolver of the host, the way to it, or a DNSSEC failure of the domain "
            "(SERVFAIL)."
        ),
    ),
    FindingType(
        id="smtp.mx.differs",
        status="warn",
        severity="medium",
        meaning=(
            "The host's resolver and the controller's give different MX records. The host may be behind a split view, or one "
            "of them has an old or forged answer."
        ),
        remedy="Compare the two lists in the evidence. A split view on purpose is in order; waive the finding then.",
    ),
    FindingType(
        id="smtp.mx.not_compared",
        status="unknown",
        severity="low",
        meaning=(
            "The controller's resolver gave no answer about the MX records of the domain, so that those of the host were not "
            "compared with another view."
        ),
        remedy=(
            "Look for the reason in the detail. controller_nameservers names other resolvers; the controller needs the Python"
            " package dnspython."
        ),
    ),
    FindingType(
        id="smtp.mx.invalid",
        status="warn",
        severity="medium",
        meaning=(
            "An MX record holds an address instead of a host name (RFC 5321 5.1). Mail software such as Postfix does not use it."
        ),
        remedy="Publish a host name with address records.",
    ),
    FindingType(
        id="smtp.dane.verified",
        status="pass",
        severity="info",
        meaning="The chain is the one that the TLSA records pin, and DNSSEC vouches for all of it (RFC 7672).",
        remedy="Nothing to do.",
    ),
    FindingType(
        id="smtp.dane.mismatch",
        status="fail",
        severity="critical",
        meaning="None of the usable TLSA records matches the chain. Senders with DANE do not deliver.",
        remedy="Publish a TLSA record for the new certificate before it is put in place, and remove the old one afterwards.",
    ),
    FindingType(
        id="smtp.dane.unsigned",
        status="warn",
        severity="medium",
        meaning=(
            "There are TLSA records, but the MX record, the address or they themselves are not authenticated by DNSSEC for "
            "this host. They count for nothing then."
        ),
        remedy="Sign the zones, and give the host a validating resolver whose AD bit it trusts.",
    ),
    FindingType(
        id="smtp.dane.bogus",
        status="fail",
        severity="high",
        meaning=(
            "The resolver answers SERVFAIL for the TLSA records, as a validating one does when DNSSEC fails. Senders with "
            "DANE do not deliver (RFC 7672 2.1.1)."
        ),
        remedy="Check the zone with a DNSSEC debugger. If it is in order, look at the resolver of the host.",
    ),
    FindingType(
        id="smtp.dane.not_published",
        status="not_applicable",
        severity="info",
        meaning="The server has no TLSA records.",
        remedy="Nothing to do, unless DANE is asked for.",
    ),
    FindingType(
        id="smtp.dane.not_judged",
        status="unknown",
        severity="medium",
        meaning="Whether the server is verified by DANE was not found out.",
        remedy="Look at the reason in the detail; the host needs a resolver that answers for TLSA records.",
    ),
    FindingType(
        id="smtp.dane.unusable",
        status="warn",
        severity="medium",
        meaning=(
            "All TLSA records have parameters that SMTP does not use (RFC 7672 3.1). Senders with DANE then encrypt and do "
            "not authenticate."
        ),
        remedy="Publish records with usage 3 (DANE-EE) or 2 (DANE-TA); 3 1 1 is the usual one.",
    ),
    FindingType(
        id="smtp.mta_sts.enforced",
        status="pass",
        severity="info",
        meaning="The domain enforces an MTA-STS policy.",
        remedy="Nothing to do.",
    ),
    FindingType(
        id="smtp.mta_sts.testing",
        status="warn",
        severity="low",
        meaning="The domain has an MTA-STS policy in testing mode: failures are reported and mail is delivered all the same.",
        remedy="Set the mode to enforce once the reports are clean.",
    ),
    FindingType(
        id="smtp.mta_sts.none",
        status="not_applicable",
        severity="info",
        meaning="The MTA-STS policy has the mode none: the domain is giving MTA-STS up.",
        remedy="Nothing to do.",
    ),
    FindingType(
        id="smtp.mta_sts.not_published",
        status="not_applicable",
        severity="info",
        meaning="The domain has no MTA-STS policy, or more than one record, which counts as none (RFC 8461 3.1).",
        remedy="Nothing to do, unless inbound mail is to be protected against downgrades.",
    ),
    FindingType(
        id="smtp.mta_sts.mx_mismatch",
        status="fail",
        severity="high",
        meaning="An MX host is not in the MTA-STS policy of the domain. Senders with MTA-STS do not deliver to it.",
        remedy="Add the host to the mx lines of the policy and change the id of the record, or remove the host from the MX.",
    ),
    FindingType(
        id="smtp.mta_sts.unavailable",
        status="unknown",
        severity="medium",
        meaning="The MTA-STS record or policy of the domain could not be obtained.",
        remedy=(
            "Look at the detail: either this host or the controller has no way there, or the domain's policy host does not "
            "answer properly."
        ),
    ),
    FindingType(
        id="smtp.mta_sts.invalid",
        status="fail",
        severity="medium",
        meaning="The MTA-STS policy breaks RFC 8461, so senders ignore it.",
        remedy="Correct the policy file as the summary says.",
    ),
    FindingType(
        id="smtp.profile.match",
        status="pass",
        severity="info",
        meaning="The certificate and its chain are as the profile says.",
        remedy="Nothing to do.",
    ),
    FindingType(
        id="smtp.profile.mismatch",
        status="warn",
        severity="medium",
        meaning="The chain is one that a profile knows, but the certificate has other attributes than its table.",
        remedy="Compare the evidence with what you told partners and connectors. The profile may be out of date.",
    ),
    FindingType(
        id="smtp.profile.unknown_chain",
        status="warn",
        severity="high",
        meaning=(
            "A server of Exchange Online presents a chain that none of the profiles knows, so that readiness was judged for "
            "others."
        ),
        remedy=(
            "Check the roots that this chain needs with trust_store_info, and take the profile of this generation into the "
            "task, or look for a newer release of the collection."
        ),
    ),
    FindingType(
        id="smtp.profile.outdated",
        status="warn",
        severity="low",
        meaning=(
            "The certificate was issued after the data of the profile were collected. They agree as far as they can be compared."
        ),
        remedy="Look for a newer release of the collection, or confirm the profile with its sources.",
    ),
    FindingType(
        id="smtp.profile.not_compared",
        status="not_applicable",
        severity="low",
        meaning=(
            "Profiles were named, and none of them speaks of this server: neither a name of its certificate nor the name it "
            "was reached under is one of Exchange Online."
        ),
        remedy=(
            "Name the server as its MX record does, not by its address. Otherwise nothing to do: it is not a server of "
            "Exchange Online."
        ),
    ),
    FindingType(
        id="smtp.policy.met",
        status="pass",
        severity="info",
        meaning="The path holds what the direction asks for.",
        remedy="Nothing to do.",
    ),
    FindingType(
        id="smtp.policy.not_met",
        status="fail",
        severity="critical",
        meaning=(
            "The path does not hold what the direction asks for. Mail under this policy is deferred there, or goes out with "
            "less protection."
        ),
        remedy="The other findings of the same server say what is missing.",
    ),
)
