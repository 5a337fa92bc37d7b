#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# The work is done by the action plugin of the same name: this file documents it.

from __future__ import annotations

DOCUMENTATION = r"""
module: connector_certificate_info
short_description: Check whether the certificate that a mail host presents is fit for hybrid or partner mail flow
description:
  - Looks at the host's own certificate, from a file, from what Postfix is set to present, or as a port serves it.
  - Judges its validity, its chain, its private key, its names against the connector and the accepted domains, its origin, and the
    issuer and subject by which connectors of Exchange refer to it. Each is a verdict of its own.
  - The private key is compared with the certificate on the host, by its own OpenSSL. It never leaves the host.
  - Bad news is not a failure. Use M(mailops.tls.assert_findings) to stop at bad news.
author:
  - The mailops.tls contributors (@mailops)
extends_documentation_fragment:
  - mailops.tls.attributes.info
  - mailops.tls.attributes.actiongroup_readiness
  - mailops.tls.options.run
  - mailops.tls.options.certificate
seealso:
  - module: mailops.tls.readiness_info
  - module: mailops.tls.assert_findings
"""

EXAMPLES = r"""
- name: Check what Postfix presents against the connector of the tenant
  mailops.tls.connector_certificate_info:
    tls_sender_certificate_name: "*.example.com"
    accepted_domains:
      - example.com

- name: Check a certificate in a file, as a partner with a CA of its own uses it
  mailops.tls.connector_certificate_info:
    certificate: /etc/postfix/mail.pem
    key: /etc/postfix/mail.key
    flow: partner
    lead_time: 14

- name: Every server of the group presents the same certificate
  mailops.tls.connector_certificate_info:
    server: localhost:25
    expected_sha256:
      - "16af57a9f676b0ab126095aa5ebadef22ab31119d644ac95cd4b93dbf3f26aeb"
"""

RETURN = r"""
certificates:
  description: Every certificate that was looked at.
  returned: success
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
      description: How many days before the end a renewal is due, O(lead_time) or a third of the lifetime, whichever is less.
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
      description: The name (C(field) and C(value)) that O(tls_sender_certificate_name) accepts, if one does.
      type: dict
    matched_domain:
      description: The name (C(field) and C(value)) that lies in an accepted domain, and that C(domain), if one does.
      type: dict
certificate_group:
  description: What O(group) says.
  returned: success
  type: str
  sample: edge
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
      sample: certificate.key_mismatch
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
          description: The kind of thing, such as V(certificate) or V(host).
          type: str
          sample: certificate
        name:
          description: Its name.
          type: str
          sample: /etc/postfix/mail.pem
    summary:
      description: One line.
      type: str
      sample: "/etc/postfix/mail.pem: the private key /etc/postfix/mail.key belongs to it"
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
