# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""Findings about TLS on the wire between mail servers."""

from __future__ import annotations

from ansible_collections.mailops.tls.plugins.plugin_utils._findings.finding_type import FindingType

SMTP_TYPES = (
    FindingType(
        id="smtp.connect.failed",
        status="fail",
        severity="critical",
        meaning="No connection to the mail server came about from this host.",
        remedy="Ask the firewall team to open the TCP port to the address in the finding, or mend the server.",
    ),
    FindingType(
        id="smtp.connect.throttled",
        status="unknown",
        severity="medium",
        meaning="The server answered 421: it is busy or limits our connections. Whether mail gets there over TLS is not known.",
        remedy="Try again later, from fewer hosts at a time.",
    ),
    FindingType(
        id="smtp.connect.no_answer",
        status="unknown",
        severity="high",
        meaning="The server was not seen to the end: it did not answer in time, broke off, or does not speak SMTP.",
        remedy=(
            "Raise timeout and deadline for slow servers. Otherwise look at what answers on that port, and at devices between."
        ),
    ),
    FindingType(
        id="smtp.starttls.offered",
        status="pass",
        severity="info",
        meaning="The server offers STARTTLS.",
        remedy="Nothing to do.",
    ),
    FindingType(
        id="smtp.starttls.not_offered",
        status="warn",
        severity="high",
        meaning="The server does not offer STARTTLS. Mail goes out in plain text, or is not delivered where TLS is asked for.",
        remedy=(
            "Enable TLS on the server, or ask its operator to. If it is yours: smtpd_tls_security_level = may or encrypt in "
            "Postfix."
        ),
    ),
    FindingType(
        id="smtp.starttls.filtered",
        status="fail",
        severity="critical",
        meaning=(
            "A device on the way masks the keyword STARTTLS, as the SMTP inspection of some firewalls does. Mail goes out in "
            "plain text, or not at all."
        ),
        remedy="Switch off SMTP inspection (fixup, ESMTP inspection) for this way, or allow TLS in it.",
    ),
    FindingType(
        id="smtp.starttls.refused",
        status="fail",
        severity="high",
        meaning="The server offers STARTTLS and then answers the command with an error, as without a usable certificate.",
        remedy="Look into the server's log: the certificate or its key is usually missing or not readable.",
    ),
    FindingType(
        id="smtp.starttls.injected",
        status="fail",
        severity="critical",
        meaning=(
            "The answer to STARTTLS is followed by data in the clear, which a careless client takes for part of the encrypted"
            " session (RFC 3207 6, CVE-2011-0411). The probe breaks off there."
        ),
        remedy=(
            "Find out who adds them: somebody on the way, or a server with this old defect. Nothing that follows can be believed."
        ),
    ),
    FindingType(
        id="smtp.tls.handshake_failed",
        status="fail",
        severity="high",
        meaning="The TLS handshake does not succeed with the settings of this host's OpenSSL.",
        remedy="Compare protocols and cipher suites of both sides; evidence and detail say what was tried.",
    ),
    FindingType(
        id="smtp.tls.too_old",
        status="fail",
        severity="high",
        meaning="The server negotiates only a TLS version below the one that is asked for.",
        remedy="Enable TLS 1.2 and 1.3 on the server, or ask its operator to.",
    ),
    FindingType(
        id="smtp.tls.anonymous",
        status="warn",
        severity="high",
        meaning=(
            "The cipher has no certificate, so that anybody can be the server. That is encryption without any authentication."
        ),
        remedy="Give the server a certificate, and switch anonymous ciphers off (smtpd_tls_exclude_ciphers = aNULL).",
    ),
    FindingType(
        id="smtp.tls.no_forward_secrecy",
        status="warn",
        severity="medium",
        meaning="The key exchange has no forward secrecy: whoever gets the server's key can read mail that was recorded before.",
        remedy="Prefer ECDHE cipher suites on the server.",
    ),
    FindingType(
        id="smtp.tls.cipher_not_documented",
        status="warn",
        severity="low",
        meaning="The cipher suite is not in the technical reference for Exchange Online that this collection carries.",
        remedy="Look whether the reference is out of date; the evidence has its sources. Otherwise find out who answers there.",
    ),
    FindingType(
        id="smtp.tls.client_certificate_required",
        status="warn",
        severity="high",
        meaning="The server breaks off without a client certificate.",
        remedy=(
            "Name the certificate that the server's operator accepts in client_certificate and client_key, and set it in the "
            "mail server."
        ),
    ),
    FindingType(
        id="smtp.tls.client_certificate_refused",
        status="fail",
        severity="high",
        meaning="The server breaks off because it does not accept the client certificate that was presented.",
        remedy=(
            "Ask the server's operator which certificate or CA is accepted, and whether client_certificate holds the "
            "intermediates, too."
        ),
    ),
    FindingType(
        id="smtp.tls.client_certificate_unusable",
        status="fail",
        severity="high",
        meaning="The client certificate or its key cannot be loaded on the host, so that no server was looked at.",
        remedy=(
            "Correct client_certificate and client_key: paths on the host, in PEM, the key not encrypted and that of the "
            "certificate."
        ),
    ),
    FindingType(
        id="smtp.tls.session_failed",
        status="unknown",
        severity="high",
        meaning=(
            "TLS came about, and the session in it did not: the server refused EHLO, broke off, or did not answer. Nobody saw"
            " that mail could be sent."
        ),
        remedy=(
            "Look at the reply in the detail and into the server's log. A server that wants a client certificate can look "
            "like this."
        ),
    ),
    FindingType(
        id="smtp.chain.trusted",
        status="pass",
        severity="info",
        meaning="The host's own OpenSSL leads the chain to a root of the store.",
        remedy="Nothing to do.",
    ),
    FindingType(
        id="smtp.chain.untrusted",
        status="warn",
        severity="high",
        meaning=(
            "The host's own OpenSSL does not accept the chain with this store. Mail is deferred where the certificate is "
            "verified (454 4.7.5, Server certificate not trusted)."
        ),
        remedy=(
            "Add the root that the chain leads to, or have the server present a chain that the store knows. trust_store_info "
            "tells which roots a store has."
        ),
    ),
    FindingType(
        id="smtp.chain.incomplete",
        status="warn",
        severity="high",
        meaning=(
            "An intermediate is missing in what the server sends. Mail software does not fetch it, so the chain cannot be "
            "verified."
        ),
        remedy="Have the server send all intermediates behind its certificate (smtpd_tls_chain_files in Postfix).",
    ),
    FindingType(
        id="smtp.chain.not_judged",
        status="unknown",
        severity="medium",
        meaning="Whether the chain is trusted was not found out.",
        remedy="Look at the reason in the detail. The program openssl is needed on the host.",
    ),
    FindingType(
        id="smtp.certificate.expired",
        status="fail",
        severity="critical",
        meaning="The certificate of the server has expired. Whoever verifies it does not deliver.",
        remedy="Renew the certificate of the server, or tell its operator.",
    ),
    FindingType(
        id="smtp.certificate.not_yet_valid",
        status="fail",
        severity="critical",
        meaning="The validity of the server's certificate has not begun.",
        remedy="Check the clocks of host and controller; otherwise tell the server's operator.",
    ),
    FindingType(
        id="smtp.certificate.expires_soon",
        status="warn",
        severity="medium",
        meaning=(
            "The certificate of the server ends within the lead time: the given number of days, or a third of a short lifetime."
        ),
        remedy=(
            "See that it is renewed. Public certificates live at most 200 days since March 2026, 100 days from March 2027 and "
            "47 days from March 2029 on."
        ),
    ),
    FindingType(
        id="smtp.certificate.weak",
        status="fail",
        severity="high",
        meaning="The key is smaller than 2048 bits of RSA or 256 bits of EC, or a signature in the chain uses MD5 or SHA-1.",
        remedy="Replace the certificate by one with a stronger key or signature.",
    ),
    FindingType(
        id="smtp.certificate.unexpected",
        status="fail",
        severity="high",
        meaning="The certificate is not what was expected of it.",
        remedy="Compare the evidence with what was agreed. It may have been renewed, or you talk to somebody else.",
    ),
    FindingType(
        id="smtp.name.match",
        status="pass",
        severity="info",
        meaning="A name of the certificate is that of the server.",
        remedy="Nothing to do.",
    ),
    FindingType(
        id="smtp.name.mismatch",
        status="warn",
        severity="high",
        meaning=(
            "No name of the certificate is that of the server, or the expected one. Mail is deferred where the name is "
            "verified (450 4.7.320, SubjectMismatch)."
        ),
        remedy=(
            "Use a certificate with that name, or expect the name that the certificate has, where it was agreed (expect.name, "
            "match= in Postfix)."
        ),
    ),
    FindingType(
        id="smtp.name.common_name_only",
        status="warn",
        severity="low",
        meaning=(
            "Only the common name of the certificate matches. RFC 9525 no longer counts it; Postfix and OpenSSL still do "
            "where there is no DNS name."
        ),
        remedy="Put the name into the subject alternative name at the next renewal.",
    ),
    FindingType(
        id="smtp.name.unauthenticated_mx",
        status="warn",
        severity="medium",
        meaning=(
            "The name that the certificate was compared with comes from an MX record without DNSSEC, and does not belong to "
            "the domain. Whoever forges DNS chooses it, and gets a certificate for it. Postfix trusts it at the level verify,"
            " and does not at secure."
        ),
        remedy=(
            "Name what the certificate must be in expect.name (secure with match= in Postfix), or have the domain signed. "
            "Senders with MTA-STS have the name from the policy."
        ),
    ),
    FindingType(
        id="smtp.revocation.good",
        status="pass",
        severity="info",
        meaning="A CRL or OCSP response that is signed and fresh says that the certificate is not revoked.",
        remedy="Nothing to do.",
    ),
    FindingType(
        id="smtp.revocation.revoked",
        status="fail",
        severity="critical",
        meaning="The certificate is revoked.",
        remedy="Have the server's certificate replaced, and find out why it was revoked before mail is sent there.",
    ),
    FindingType(
        id="smtp.revocation.unknown",
        status="unknown",
        severity="medium",
        meaning="Whether the certificate is revoked could not be found out from its CRLs and responders.",
        remedy=(
            "Look at the causes in the evidence. signature_not_checked: give the root of a private CA in issuers. For others, "
            "ca_egress_info with the option server tells what each endpoint lacks."
        ),
    ),
    FindingType(
        id="smtp.addresses.differ",
        status="warn",
        severity="high",
        meaning=(
            "Servers that stand in for each other present different certificates. Part of the mail meets another one than the "
            "rest does."
        ),
        remedy="Put the same certificate on each of them, or check that every one of them is fit for what verifies it.",
    ),
    FindingType(
        id="smtp.addresses.truncated",
        status="unknown",
        severity="medium",
        meaning="There are more addresses than are looked at in one run. Nothing is known about the others.",
        remedy="Name the hosts that matter in hosts, in several tasks if there are many.",
    ),
    FindingType(
        id="smtp.plaintext.refused",
        status="pass",
        severity="info",
        meaning="The server takes no mail before STARTTLS.",
        remedy="Nothing to do.",
    ),
    FindingType(
        id="smtp.plaintext.accepted",
        status="warn",
        severity="medium",
        meaning="The server takes mail without TLS, so that a sender who does not demand TLS can be made to send in plain text.",
        remedy=(
            "If the server is yours and every sender has TLS: smtpd_tls_security_level = encrypt in Postfix, or RequireTls on "
            "the connector."
        ),
    ),
    FindingType(
        id="smtp.plaintext.not_judged",
        status="unknown",
        severity="low",
        meaning=(
            "The server refused mail in the clear, or put it off, for a reason that has nothing to do with TLS, or did not "
            "answer. Whether it takes mail without TLS was not found out."
        ),
        remedy=(
            "Read its reply in the evidence. Greylisting, a refused relay and an unknown postmaster are common; try again "
            "later, or ask for the domain, whose postmaster the server knows."
        ),
    ),
)
