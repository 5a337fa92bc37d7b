#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# The work is done by the action plugin of the same name: this file documents it.

from __future__ import annotations

DOCUMENTATION = r"""
module: readiness_info
short_description: Check whether a host is ready for the current and the next certificate of Exchange Online
description:
  - Plans what M(mailops.tls.ca_egress_info) and M(mailops.tls.trust_store_info) check, lets the host observe all of
    it in B(one)
    remote execution, and judges the answers on the controller.
  - With O(mail_domains), O(mail_hosts) or O(connector_certificate), what M(mailops.tls.smtp_tls_info) and
    M(mailops.tls.connector_certificate_info) check takes part in the same execution.
  - Bad news is not a failure. The task fails only for bad arguments, an unreachable host, or when the probe cannot run
    there. Use M(mailops.tls.assert_findings) to stop at bad news, or the role P(mailops.tls.readiness#role) for a
      whole fleet.
author:
  - The mailops.tls contributors (@mailops)
extends_documentation_fragment:
  - mailops.tls.attributes.info
  - mailops.tls.attributes.actiongroup_readiness
  - mailops.tls.options
  - mailops.tls.options.egress
  - mailops.tls.options.trust
  - mailops.tls.options.declared_certificate
  - mailops.tls.options.declared_smtp
seealso:
  - module: mailops.tls.ca_egress_info
  - module: mailops.tls.trust_store_info
  - module: mailops.tls.connector_certificate_info
  - module: mailops.tls.smtp_tls_info
  - module: mailops.tls.readiness_report
"""

EXAMPLES = r"""
- name: Is this host ready?
  mailops.tls.readiness_info:
  register: readiness

- name: Say so
  ansible.builtin.debug:
    msg: "{{ inventory_hostname }}: {{ readiness.summary.fail }} of {{ readiness.findings | length }} checks fail"

- name: Only the generation that is announced, in two stores
  mailops.tls.readiness_info:
    profiles:
      - exo-digicert-g2
    stores:
      - type: system
      - type: pem_file
        path: /etc/postfix/ca.pem
    timeout: 3
"""

RETURN = r"""
endpoints:
  description: Every endpoint that was checked.
  returned: success
  type: list
  elements: dict
  contains:
    url:
      description: Its URL; V(none) where only host and port were given.
      type: str
      sample: http://crl3.digicert.com/DigiCertGlobalRootG2.crl
    host:
      description: Its host name.
      type: str
      sample: crl3.digicert.com
    port:
      description: Its TCP port.
      type: int
      sample: 80
    kind:
      description: V(crl), V(ocsp), or V(ca_issuers).
      type: str
      sample: crl
    status:
      description: Status of the endpoint, as in RV(findings[].status).
      type: str
      sample: fail
    cause:
      description:
        - Why it has this status. V(ok) when all is well. The list of findings explains every cause.
      type: str
      sample: tcp_timeout
    stage:
      description: The stage at which it ended.
      type: str
      sample: connect
    detail:
      description: What was seen, in a sentence.
      type: str
    addresses:
      description: The addresses that the host resolved, and what came of connecting to them.
      type: list
      elements: dict
      contains:
        address:
          description: IPv4 or IPv6 address.
          type: str
          sample: 192.0.2.1
        family:
          description: V(ipv4) or V(ipv6).
          type: str
          sample: ipv4
        connected:
          description: Whether a connection came about; V(none) if it was not tried because another address was faster.
          type: bool
          sample: false
        ms:
          description: Milliseconds it took.
          type: int
          sample: 5001
        errno:
          description: Symbolic name of the error.
          type: str
          sample: ETIMEDOUT
    proxy:
      description: The proxy that was used, without credentials.
      type: dict
    http:
      description: Status, reason and selected headers of the answer.
      type: dict
    crl:
      description: What the certificate revocation list says of itself.
      type: dict
    ocsp:
      description: What the OCSP response says.
      type: dict
    issuer:
      description: Id or name of the CA that signs what is found there, if it is known.
      type: str
      sample: digicert-global-root-g2
    profiles:
      description: Ids of the profiles that name the endpoint.
      type: list
      elements: str
    redirects:
      description: URLs that the host was redirected to, in order.
      type: list
      elements: str
    certificates:
      description: The certificates that a CA issuers endpoint served.
      type: list
      elements: dict
    elapsed_ms:
      description: Milliseconds from the first stage to the last.
      type: int
      sample: 31
firewall_rules:
  description: What to ask the firewall team for, one entry for each destination that is blocked.
  returned: success
  type: list
  elements: dict
  contains:
    destination:
      description: Host name.
      type: str
      sample: crl3.digicert.com
    address:
      description: Address that was tried.
      type: str
      sample: 192.0.2.1
    port:
      description: Port.
      type: int
      sample: 80
    protocol:
      description: Always V(tcp).
      type: str
      sample: tcp
    addresses_seen:
      description: Every address that the host resolved for the destination.
      type: list
      elements: str
    urls:
      description: What the host needs there.
      type: list
      elements: str
    why:
      description: The kind of endpoint and what happens now, in a sentence.
      type: str
      sample: "CRL: connection attempts get no answer"
    findings:
      description: Ids of the findings that ask for it.
      type: list
      elements: str
      sample: ["egress.tcp.timeout"]
stores:
  description: Every store that was looked at.
  returned: success
  type: list
  elements: dict
  contains:
    type:
      description: Type of the store.
      type: str
      sample: system
    path:
      description: The file or directory that was read.
      type: str
      sample: /etc/ssl/certs/ca-certificates.crt
    certificates:
      description:
        - Number of certificates in it, in keystores of those that are trusted for TLS servers; V(none) when it could not be read.
      type: int
      sample: 142
    real_path:
      description: The path after symbolic links.
      type: str
    size:
      description: Size in bytes; V(none) for a directory.
      type: int
      sample: 219342
    modified:
      description: When it was last modified, in UTC.
      type: str
      sample: "2026-11-24T02:34:33Z"
    sha256:
      description: SHA-256 of the file; V(none) for a directory.
      type: str
    built_by:
      description:
        - The tool of the distribution that builds it, if one does. Such a store is changed by changing what it is built from,
          which M(mailops.tls.trust_anchor) does for the type V(system).
      type: str
      sample: update-ca-certificates
    skipped:
      description: Number of parts that cannot be read as certificates.
      type: int
      sample: 0
    error:
      description: Why the store could not be read, if it could not.
      type: str
    format:
      description: V(PEM), V(JKS), V(JCEKS), V(PKCS12), or V(NSS); V(none) when it could not be read.
      type: str
      sample: PEM
    used_by:
      description:
        - Who reads the store as far as it is known, such as settings of Postfix; filled with O(stores=auto) and O(stores=mail).
      type: list
      elements: str
      sample: ["Postfix smtp_tls_CAfile"]
    integrity:
      description:
        - What the checksum of a keystore says with the password that was given, V(verified), V(failed), V(unchecked) (an
          algorithm that is not known here, or a password that stays on the host), or V(unprotected) (there is none). V(none) for
          stores of PEM.
      type: str
      sample: verified
    roots:
      description: The roots that were looked for.
      type: list
      elements: dict
      contains:
        id:
          description:
            - Id of the root, that of the catalogue or the profile. For another one that O(roots) names it is the C(id) given
              there, or else the first 16 digits of its SHA-256; C(name) is not looked at.
          type: str
          sample: digicert-global-root-g2
        sha256:
          description: SHA-256 of the certificate.
          type: str
          sample: cb3ccbb76031e5e0138f8dd39a23f9de47ffc35e43c1144cea27d46a5ab1cb5f
        status:
          description:
            - V(present), V(absent), V(expired), V(not_yet_valid), V(distrusted) (or blocked by an administrator), V(wrong_use)
              (trusted, but not for TLS servers), V(shadowed) (behind another certificate of the same name with another key),
              V(not_effective) (a file that has no effect where it lies), or V(unknown).
          type: str
          sample: present
        detail:
          description: More about it, such as a certificate of the same name with another key.
          type: str
        name:
          description: Name of the root.
          type: str
          sample: DigiCert Global Root G2
        profiles:
          description: Ids of the profiles that need it.
          type: list
          elements: str
        hurts_from:
          description:
            - Day from which it is felt. For a root that is not trusted, today where a profile in force needs it, or the day
              from which a coming profile does; for one that is trusted, the day its validity ends, if a profile needs it then.
            - V(none) where no profile needs it any more, or nothing is known.
          type: str
          sample: "2026-03-22"
    intermediates:
      description:
        - The intermediates of the profiles, with O(intermediates=true); otherwise empty.
        - The keys are those of RV(stores[].roots). C(sha256) is V(none) where the CA publishes none.
      type: list
      elements: dict
certificates:
  description: Every certificate of the host's own that was looked at.
  returned: success, when O(connector_certificate) is given
  type: list
  elements: dict
  contains:
    source:
      description: The file on the host, or the server and port that presented it.
      type: str
      sample: /etc/postfix/mail.pem
    used_by:
      description: Who uses it, V(option) for the file of the task, a setting of Postfix, or the server.
      type: list
      elements: str
      sample: ["postfix:smtpd_tls_chain_files"]
    sha256:
      description: SHA-256 of the certificate.
      type: str
    subject:
      description: Its subject, most specific part first.
      type: str
      sample: CN=mail.example.com,O=Example Corp,C=US
    issuer:
      description: Its issuer.
      type: str
    names:
      description: Its DNS names, each with the C(field) it stands in, V(SAN) or V(CN), and its C(value).
      type: list
      elements: dict
      sample: [{"field": "SAN", "value": "mail.example.com"}]
    not_before:
      description: Beginning of its validity, in UTC.
      type: str
    not_after:
      description: End of its validity, in UTC.
      type: str
    lifetime_days:
      description: How many days it is valid for; a day that has begun counts.
      type: int
      sample: 200
    days_left:
      description: Whole days until its end, negative once it has expired.
      type: int
      sample: 91
    lead_time_days:
      description:
        - How many days before the end a renewal is due, O(connector_certificate.lead_time) or a third of the lifetime, whichever
          is less.
      type: int
      sample: 30
    renewal_due:
      description: Whether its end is closer than the lead time.
      type: bool
    longest_days:
      description:
        - How many days a public certificate could be valid for that was issued when this one was; V(none) before 2020-09-01.
      type: int
      sample: 200
    longest_days_today:
      description: The same of one that is issued today, so how long the next one lives at most.
      type: int
      sample: 200
    key_type:
      description: Kind of the public key.
      type: str
      sample: RSA
    key_size:
      description: Size of the public key in bits.
      type: int
      sample: 2048
    signature_hash:
      description: Hash of the signature.
      type: str
      sample: sha256
    extended_key_usage:
      description: Object identifiers of the extended key usage; V(none) where there is no such extension, which allows every use.
      type: list
      elements: str
    server_auth:
      description: Whether the extended key usage allows serverAuth.
      type: bool
    client_auth:
      description: Whether the extended key usage allows clientAuth, which public CAs are leaving out.
      type: bool
    public_ca:
      description:
        - Whether a public CA issued it. Its chain leads to a root of the collection, or it carries a policy of the CA/Browser
          Forum and the host's own store leads to a root. V(none) when it carries such a policy and no root was reached.
      type: bool
    self_signed:
      description: Whether it is signed by its own key.
      type: bool
    tls_certificate_name:
      description: Issuer and subject in the form of C(TlsCertificateName) of Exchange connectors.
      type: str
      sample: "<I>CN=Example Issuing CA, O=Example Corp, C=US<S>CN=mail.example.com"
    chain:
      description: Subjects of the certificates in the file or presented by the server, in that order.
      type: list
      elements: str
    chain_complete:
      description: Whether the chain reaches a root that is at hand; V(none) when that could not be decided.
      type: bool
    key:
      description: The private key; V(none) for what a port presented.
      type: dict
      contains:
        path:
          description: Its file.
          type: str
        mode:
          description: Permissions of the file; V(none) where there is no key.
          type: str
          sample: "0600"
        owner:
          description: Owner of the file.
          type: str
        group:
          description: Group of the file.
          type: str
        matches:
          description: Whether it belongs to the certificate; V(none) when that could not be tried.
          type: bool
    matched_name:
      description: >-
        The name (C(field) and C(value)) that O(connector_certificate.tls_sender_certificate_name) accepts, if one does.
      type: dict
    matched_domain:
      description: The name (C(field) and C(value)) that lies in an accepted domain, and that C(domain), if one does.
      type: dict
certificate_group:
  description: What O(connector_certificate.group) says.
  returned: success, when O(connector_certificate) is given
  type: str
  sample: edge
paths:
  description: Every address that was looked at.
  returned: success, when O(mail_domains) or O(mail_hosts) is given
  type: list
  elements: dict
  contains:
    domain:
      description:
        - The mail domain that it belongs to; V(none) for a host of O(mail_hosts).
      type: str
      sample: example.net
    host:
      description:
        - Name of the server, or its address.
      type: str
      sample: mx1.example.net
    address:
      description:
        - IPv4 or IPv6 address.
      type: str
      sample: 192.0.2.1
    family:
      description:
        - V(ipv4) or V(ipv6).
      type: str
      sample: ipv4
    port:
      description:
        - TCP port.
      type: int
      sample: 25
    connections:
      description:
        - How many connections were made to it, one after the other.
      type: int
      sample: 1
    ms:
      description:
        - Milliseconds that the steps took.
      type: dict
    banner:
      description:
        - Its greeting.
      type: str
      sample: 220 mx1.example.net ESMTP
    capabilities:
      description:
        - What it offers in answer to EHLO, before TLS; V(none) if it was not seen.
      type: list
      elements: str
    starttls:
      description:
        - V(offered), V(not_offered), V(filtered) (masked on the way), V(refused), or V(implicit) where TLS begins at once.
      type: str
      sample: offered
    protocol:
      description:
        - TLS version that was negotiated.
      type: str
      sample: TLSv1.3
    cipher:
      description:
        - Cipher suite that was negotiated.
      type: str
      sample: TLS_AES_256_GCM_SHA384
    permissive:
      description:
        - Whether the handshake succeeded only with settings that are weaker than the host's ordinary ones.
      type: bool
    forward_secrecy:
      description:
        - Whether the key exchange has forward secrecy; V(none) when that cannot be told.
      type: bool
    key_exchange:
      description:
        - Key exchange, as far as it is known.
      type: str
      sample: ECDHE
    client_certificate_requested:
      description:
        - Whether the server asks for a client certificate; V(none) if it was not seen.
      type: bool
    chain:
      description:
        - The certificates that it sent, its own first, each with C(sha256), C(subject), C(issuer), C(not_before),
          C(not_after), C(key_type), C(key_size), C(signature_hash), C(names), C(extended_key_usage), C(server_auth),
          C(client_auth), C(scts), C(self_signed) and C(public_ca).
      type: list
      elements: dict
    chain_source:
      description:
        - How the host obtained them.
      type: str
      sample: ssl
    trust:
      description:
        - What the host's own OpenSSL says with each store, as C(store), C(ok), C(code), C(depth), C(message) and C(version).
          Names are not looked at.
      type: list
      elements: dict
    trusted:
      description:
        - Whether the chain leads to a root of one of the stores, the date of the certificate apart; V(none) if no store could
          say.
      type: bool
    complete:
      description:
        - Whether the server sent all intermediates; V(none) if that could not be told.
      type: bool
    validity:
      description:
        - C(not_before), C(not_after), C(days), C(days_left), C(lead_time_days), C(renewal_due), and the longest validity
          C(longest_days_today) that public CAs may issue today.
      type: dict
    name:
      description:
        - Whether a name of the certificate C(matched) the C(reference), and its C(field) (V(SAN), V(CN) or V(IP)) and
          C(value).
      type: dict
    revocation:
      description:
        - For each certificate but roots its C(status) (V(good), V(revoked), V(unknown) or V(not_asked)), the C(reason), and
          what each of its C(sources) said.
      type: list
      elements: dict
    dane:
      description:
        - C(status) (V(verified), V(mismatch), V(unsigned), V(bogus), V(not_published), V(unusable), V(not_judged) or
          V(not_asked)), C(detail), the C(records) and the C(record) that matched.
      type: dict
    profile:
      description:
        - The C(id) of the profile that knows the chain, whether the certificate C(matches) its table, the C(differences), and
          the profiles that were C(compared). V(none) where no profile speaks of this server.
      type: dict
    plaintext:
      description:
        - Replies to C(MAIL FROM) and C(RCPT TO) without TLS.
      type: dict
    plaintext_refused:
      description:
        - Whether it takes no mail without TLS; V(none) if that was not tried or not told.
      type: bool
    state:
      description:
        - V(opportunistic) (TLS does not come about, or not with O(mail_policy.minimum_tls), so that mail would go in plain text),
          V(encrypted) (TLS, with nobody known for sure), or V(verified); V(none) if it was not seen, or not to the end.
      type: str
      sample: verified
    verified_by:
      description:
        - V(pkix), V(dane), or both.
      type: list
      elements: str
    policy:
      description:
        - What the direction asks for (C(require)), whether that is C(met), and what keeps it
          from being verified (C(reason)).
      type: dict
    error:
      description:
        - C(stage), C(code) and C(message) of what ended it early.
      type: dict
mx:
  description:
    - MX of each domain. C(status), C(authenticated) (the AD bit) and C(records) are the host's, and those below C(controller) the
      controller's.
  returned: success, when O(mail_domains) or O(mail_hosts) is given
  type: list
  elements: dict
  sample: []
mta_sts:
  description:
    - MTA-STS of each domain, with C(published), C(mode), C(max_age), the C(mx) of the policy, its
      C(content_type), and the MX hosts that are C(mismatched).
  returned: success, when O(mail_domains) or O(mail_hosts) is given
  type: list
  elements: dict
  sample: []
rehearsal:
  description: What the host's own software says of the chains of O(rehearse), one for each chain in each store.
  returned: success
  type: list
  elements: dict
  contains:
    chain:
      description: Name of the certificate that was verified.
      type: str
      sample: DigiCert Global Root G2
    certificates:
      description: SHA-256 of the certificates of the chain, first the one that was verified.
      type: list
      elements: str
    profile:
      description: Id of the profile that the chain belongs to; V(none) for one that was given as PEM.
      type: str
      sample: exo-digicert-g2
    store:
      description: C(type) and C(path) of the store it was verified by; V(none) in both where it was not tried.
      type: dict
      sample: {"type": "system", "path": "/etc/ssl/certs/ca-certificates.crt"}
    used_by:
      description: Settings of Postfix that name the store, where it was found by them.
      type: list
      elements: str
    status:
      description: V(passed), V(failed), or V(not_possible).
      type: str
      sample: passed
    tool:
      description: The programs that were asked.
      type: str
      sample: openssl verify
    version:
      description: Version of OpenSSL, if it was asked.
      type: str
      sample: OpenSSL 3.0.17 1 Jul 2025
    code:
      description: Number of the error, of OpenSSL (C(X509_V_ERR)) or NSS.
      type: int
      sample: 20
    message:
      description: The program's own words, or why there is no verdict.
      type: str
      sample: unable to get local issuer certificate
compliant:
  description:
    - V(true) when everything that was asked for was observed and holds, V(false) when something fails.
    - V(none) when nothing could be judged, or when nothing fails but something could not be observed.
  returned: success
  type: bool
  sample: false
summary:
  description: Number of findings by status, and the worst status among them.
  returned: success
  type: dict
  sample: {"pass": 6, "fail": 1, "warn": 0, "unknown": 0, "not_applicable": 0, "worst": "fail"}
findings:
  description:
    - What was found, the worst first. Every finding id is explained in the collection's list of findings.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: Stable identifier of the kind of finding.
      type: str
      sample: egress.tcp.timeout
    status:
      description: V(pass), V(fail), V(warn), V(unknown) (could not be observed), or V(not_applicable).
      type: str
      sample: fail
    severity:
      description: V(critical), V(high), V(medium), V(low), or V(info).
      type: str
      sample: high
    host:
      description: Inventory name of the host it was observed on.
      type: str
      sample: mx1.example.com
    subject:
      description: What the finding is about.
      type: dict
      contains:
        kind:
          description: The kind of thing, such as V(endpoint), V(root) or V(store).
          type: str
          sample: endpoint
        name:
          description: Its name.
          type: str
          sample: http://crl3.digicert.com/DigiCertGlobalRootG2.crl
    summary:
      description: One line.
      type: str
      sample: no answer on TCP port 80 within 5 s
    detail:
      description: What was seen.
      type: str
    remediation:
      description: What to do about it.
      type: str
    evidence:
      description: The observations that the verdict rests on.
      type: dict
    observed_at:
      description: When it was observed, in UTC.
      type: str
      sample: "2026-11-24T09:30:00Z"
    profile:
      description: Id of the profile that asked for it, if one did.
      type: str
      sample: exo-digicert-g2
profiles:
  description: The profiles that were in force, with the date of their data.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: Id of the profile.
      type: str
      sample: exo-digicert-g2
    title:
      description: What it stands for.
      type: str
    as_of:
      description: Date on which its data was last compared with its sources.
      type: str
      sample: "2026-11-24"
    valid_from:
      description: First day on which this certificate generation may be served.
      type: str
    valid_until:
      description: First day on which it is no longer served, if that is known.
      type: str
    roots:
      description: Ids of the roots it needs.
      type: list
      elements: str
    sources:
      description: Where its data comes from.
      type: list
      elements: str
    notes:
      description: What the profile cannot express, such as wildcards of an imported list.
      type: list
      elements: str
observed_at:
  description: When the probe answered, in UTC.
  returned: success
  type: str
  sample: "2026-11-24T09:30:00Z"
collector_error:
  description: Why the probe did not run on the host, when it did not.
  returned: failure of the probe
  type: str
  sample: "/bin/sh: 1: /usr/bin/python3: not found."
"""
