# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""Findings about the certificate that a host presents on a connector."""

from __future__ import annotations

from ansible_collections.mailops.tls.plugins.plugin_utils._findings.finding_type import FindingType

CERTIFICATE_TYPES = (
    FindingType(
        id="certificate.none_configured",
        status="warn",
        severity="medium",
        meaning=(
            "No certificate was named, and Postfix is not set to present one. A partner or tenant that asks for a certificate"
            " gets none."
        ),
        remedy="Set smtp_tls_chain_files and smtpd_tls_chain_files in main.cf, or name the certificate in the task.",
    ),
    FindingType(
        id="certificate.unreadable",
        status="unknown",
        severity="high",
        meaning="The certificate could not be read or was not presented, so nothing about it is known.",
        remedy=(
            "Look at the reason in the detail. Run the check with the rights to read the file (become: true), or correct the "
            "path."
        ),
    ),
    FindingType(
        id="certificate.missing",
        status="fail",
        severity="critical",
        meaning=(
            "The file that is configured does not exist or holds no certificate in PEM, as where it holds a private key alone, "
            "DER or PKCS #12. TLS with this certificate cannot work."
        ),
        remedy=(
            "Put the certificate and its intermediates there in PEM (`openssl x509 -inform DER`, `openssl pkcs12 -nokeys`), or"
            " correct the path in the configuration. In a list of chain files each key stands before its certificates."
        ),
    ),
    FindingType(
        id="certificate.valid",
        status="pass",
        severity="info",
        meaning="The certificate is within its validity period, and its end is further away than the lead time.",
        remedy="Nothing to do.",
    ),
    FindingType(
        id="certificate.expired",
        status="fail",
        severity="critical",
        meaning="The certificate has expired. A partner that verifies it refuses the connection (454 4.7.5, CertificateExpired).",
        remedy="Renew the certificate, put it in place and reload the mail server. Then check the name that connectors refer to.",
    ),
    FindingType(
        id="certificate.not_yet_valid",
        status="fail",
        severity="critical",
        meaning="The validity of the certificate has not begun. Either it was put in place too early or a clock is wrong.",
        remedy="Put the previous certificate back until then, and check the clock of the host.",
    ),
    FindingType(
        id="certificate.expires_soon",
        status="warn",
        severity="high",
        meaning=(
            "The certificate ends within the lead time. Public certificates live shorter and shorter, as the detail says, so that"
            " renewal has to be automatic."
        ),
        remedy="Renew it now, and let the renewal reload the mail server and check what connectors refer to.",
    ),
    FindingType(
        id="certificate.lifetime_too_long",
        status="warn",
        severity="medium",
        meaning=(
            "The certificate says that it is from a public CA, and is valid for longer than public CAs could issue it on that "
            "day. Either the CA broke the Baseline Requirements, which ends in a revocation, or it is no public CA."
        ),
        remedy="Ask the CA for another certificate, or look at who really issued it.",
    ),
    FindingType(
        id="certificate.key_matches",
        status="pass",
        severity="info",
        meaning="The private key belongs to the certificate, as the host's own OpenSSL says.",
        remedy="Nothing to do.",
    ),
    FindingType(
        id="certificate.key_mismatch",
        status="fail",
        severity="critical",
        meaning="The private key does not belong to the certificate. Every handshake that needs it fails.",
        remedy="Put the key there that the certificate was requested with, or request a certificate for this key.",
    ),
    FindingType(
        id="certificate.key_missing",
        status="fail",
        severity="critical",
        meaning="There is no private key where the configuration says. The certificate cannot be used.",
        remedy="Put the private key there, or correct the path in the configuration.",
    ),
    FindingType(
        id="certificate.key_not_compared",
        status="unknown",
        severity="medium",
        meaning="Whether the private key belongs to the certificate could not be tried on the host.",
        remedy=(
            "Look at the reason in the detail. Postfix needs a key that is not encrypted; run the check with the rights to "
            "read it."
        ),
    ),
    FindingType(
        id="certificate.key_exposed",
        status="fail",
        severity="critical",
        meaning="The private key can be read or written by every user of the host. It has to be taken for known to others.",
        remedy="Replace key and certificate, and set the mode of the key's file to 0600.",
    ),
    FindingType(
        id="certificate.key_shared",
        status="warn",
        severity="medium",
        meaning="The private key can be read by more than its owner root, because of its owner, its group or its mode.",
        remedy="Set owner root and mode 0600 unless the group is there for that purpose. Postfix reads keys as root.",
    ),
    FindingType(
        id="certificate.chain_complete",
        status="pass",
        severity="info",
        meaning="The certificate is followed by all intermediates up to a known root.",
        remedy="Nothing to do.",
    ),
    FindingType(
        id="certificate.chain_incomplete",
        status="fail",
        severity="high",
        meaning=(
            "An intermediate is missing or out of order. A partner that does not fetch it by itself cannot verify the "
            "certificate."
        ),
        remedy="Put the intermediates of the CA behind the certificate, each followed by its issuer, in the same file.",
    ),
    FindingType(
        id="certificate.chain_unknown",
        status="unknown",
        severity="low",
        meaning="The chain ends at a CA that is not at hand, so whether it is complete could not be decided.",
        remedy="Give the root of the CA in the option issuers.",
    ),
    FindingType(
        id="certificate.private_ca",
        status="fail",
        severity="high",
        meaning=(
            "The certificate is not from a public CA: it is self-signed, or it carries no policy of the CA/Browser Forum and "
            "leads to none of the collection's roots. Exchange Online trusts only public CAs."
        ),
        remedy="Use a certificate of a public CA for mail flow with Exchange Online.",
    ),
    FindingType(
        id="certificate.public_ca",
        status="pass",
        severity="info",
        meaning=(
            "The certificate leads to a root of a public CA: to one of the collection's, or, where it carries a policy of the "
            "CA/Browser Forum, to one in the host's own store."
        ),
        remedy="Nothing to do.",
    ),
    FindingType(
        id="certificate.origin_unknown",
        status="unknown",
        severity="medium",
        meaning=(
            "The certificate carries a policy of the CA/Browser Forum, as those of public CAs do, but any CA can write that into "
            "a certificate, and no root that is known was reached."
        ),
        remedy=(
            "Look at the reason in the detail. Put the missing intermediates into the file, or look the root up in the list of "
            "roots that Microsoft trusts."
        ),
    ),
    FindingType(
        id="certificate.name_matches",
        status="pass",
        severity="info",
        meaning="A name of the certificate is the one that the connector asks for.",
        remedy="Nothing to do.",
    ),
    FindingType(
        id="certificate.name_mismatch",
        status="fail",
        severity="critical",
        meaning=(
            "No name of the certificate is what the connector asks for. Mail is refused or attributed to no connector (450 "
            "4.7.320 SubjectMismatch, 550 5.7.64 TenantAttribution)."
        ),
        remedy=(
            "Use a certificate with that name as subject alternative name, or change TlsSenderCertificateName of the connector."
        ),
    ),
    FindingType(
        id="certificate.domain_accepted",
        status="pass",
        severity="info",
        meaning="A name of the certificate lies in an accepted domain of the tenant.",
        remedy="Nothing to do.",
    ),
    FindingType(
        id="certificate.domain_not_accepted",
        status="fail",
        severity="high",
        meaning=(
            "No name of the certificate lies in an accepted domain of the tenant, so Exchange Online may not find the tenant "
            "by it."
        ),
        remedy="Use a certificate for a name in an accepted domain, or add the domain to the tenant.",
    ),
    FindingType(
        id="certificate.weak",
        status="fail",
        severity="high",
        meaning="The key is smaller than 2048 bits of RSA or 256 bits of EC, or the signature uses MD5 or SHA-1.",
        remedy="Request a certificate with a stronger key; public CAs sign with SHA-256 or better.",
    ),
    FindingType(
        id="certificate.server_auth_missing",
        status="warn",
        severity="high",
        meaning=(
            "The extended key usage does not allow serverAuth, so clients that verify refuse it when this host receives mail."
        ),
        remedy="Request a certificate with serverAuth.",
    ),
    FindingType(
        id="certificate.client_auth_missing",
        status="warn",
        severity="low",
        meaning=(
            "The extended key usage does not allow clientAuth. Public CAs are leaving it out; the detail says who and when. No "
            "statement of Microsoft about hybrid mail flow is known; a partner's own server may demand it."
        ),
        remedy="Ask partners that verify client certificates whether they demand clientAuth, before the next renewal.",
    ),
    FindingType(
        id="certificate.client_auth_ending",
        status="warn",
        severity="low",
        meaning=(
            "The certificate has the extended key usage clientAuth, which public CAs are leaving out; the detail says who and "
            "when, and sources contradict each other. The next certificate may come without it. No statement of Microsoft about "
            "hybrid mail flow is known; a partner's own server may demand it."
        ),
        remedy="Ask partners that verify client certificates whether they demand clientAuth, before the next renewal.",
    ),
    FindingType(
        id="certificate.binding_current",
        status="pass",
        severity="info",
        meaning="The issuer and subject that the connector of Exchange is bound to are those of this certificate.",
        remedy="Nothing to do.",
    ),
    FindingType(
        id="certificate.binding_stale",
        status="fail",
        severity="critical",
        meaning=(
            "The connector of Exchange is bound to another issuer or subject than this certificate has, as after a renewal by"
            " another issuing CA. Exchange then finds no certificate (454 4.7.5) and does not offer STARTTLS."
        ),
        remedy="Set TlsCertificateName of the send and receive connectors to the value in the evidence.",
    ),
    FindingType(
        id="certificate.renewal_changes_binding",
        status="warn",
        severity="high",
        meaning=(
            "The next certificate has another issuer or subject, so that the binding of Exchange connectors has to change "
            "with it."
        ),
        remedy="Plan to set TlsCertificateName of every connector to the value in the evidence when the certificate is replaced.",
    ),
    FindingType(
        id="certificate.renewal_keeps_binding",
        status="pass",
        severity="info",
        meaning=(
            "The next certificate has the same issuer and subject. TlsCertificateName cannot tell it from the old one, which "
            "has to be removed from the server's store after the change."
        ),
        remedy="Remove the old certificate from each server once the new one is in use.",
    ),
    FindingType(
        id="certificate.expected",
        status="pass",
        severity="info",
        meaning="It is one of the certificates that every server of the group should present.",
        remedy="Nothing to do.",
    ),
    FindingType(
        id="certificate.unexpected",
        status="fail",
        severity="high",
        meaning=(
            "It is not the certificate that every server of the group should present. Half of the mail works then, and half "
            "does not."
        ),
        remedy="Install the same certificate on every server of the group, and reload the mail servers.",
    ),
    FindingType(
        id="certificate.fleet.differs",
        status="fail",
        severity="high",
        meaning=(
            "The servers of a group present different certificates. Part of the mail is then not attributed to the connector, "
            "or refused."
        ),
        remedy="Install the same certificate on every server of the group, and reload the mail servers.",
    ),
)
