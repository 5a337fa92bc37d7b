#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# The work is done by the action plugin of the same name: this file documents it.

from __future__ import annotations

DOCUMENTATION = r"""
module: smtp_tls_info
short_description: Prove from a mail host what TLS its connections to other mail servers really hold
description:
  - Connects from the host to every address of the mail servers of a domain or of smart hosts, and tells for each whether TLS is
    opportunistic, encrypted without authentication, or verified, beside what the direction asks for.
  - STARTTLS, protocol and cipher, trust in each store by the host's own OpenSSL, completeness of the chain, the name, dates,
    revocation, DANE and MTA-STS are verdicts of their own.
  - No mail is sent or queued. Each address gets one connection at a time; a second one follows only where the first handshake
    fails with ordinary settings, or where the whole chain cannot be had otherwise.
  - Bad news is not a failure. Use M(mailops.tls.assert_findings) to stop at bad news.
author:
  - The mailops.tls contributors (@mailops)
extends_documentation_fragment:
  - mailops.tls.attributes.info
  - mailops.tls.attributes.actiongroup_readiness
  - mailops.tls.options
  - mailops.tls.options.smtp
seealso:
  - module: mailops.tls.readiness_info
  - module: mailops.tls.connector_certificate_info
  - module: mailops.tls.assert_findings
"""

EXAMPLES = r"""
- name: What does mail to this server hold?
  mailops.tls.smtp_tls_info:
    hosts:
      - localhost:25
    require: verify
    timeout: 2
  register: smtp

- name: Say so
  ansible.builtin.debug:
    msg: "{{ item.host }} [{{ item.address }}]: {{ item.state | default('not seen', true) }}"
  loop: "{{ smtp.paths }}"
  loop_control:
    label: "{{ item.address }}"

- name: A relay that must be somebody in particular, with a store of its own
  mailops.tls.smtp_tls_info:
    hosts:
      - host: "[127.0.0.1]"
        port: 587
    require: verify
    expect:
      name: mail.protection.outlook.com
      organization: Microsoft Corporation
    stores:
      - type: pem_file
        path: /etc/postfix/ca.pem
    check_plaintext: true
    timeout: 2
"""

RETURN = r"""
paths:
  description: Every address that was looked at.
  returned: success
  type: list
  elements: dict
  contains:
    domain:
      description:
        - The mail domain that it belongs to; V(none) for a host of O(hosts).
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
        - V(opportunistic) (TLS does not come about, or not with O(minimum_tls), so that mail would go in plain text),
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
  returned: success
  type: list
  elements: dict
  sample: []
mta_sts:
  description:
    - MTA-STS of each domain, with C(published), C(mode), C(max_age), the C(mx) of the policy, its
      C(content_type), and the MX hosts that are C(mismatched).
  returned: success
  type: list
  elements: dict
  sample: []
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
      sample: smtp.starttls.not_offered
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
          description: The kind of thing, such as V(server) or V(domain).
          type: str
          sample: server
        name:
          description: Its name.
          type: str
          sample: mx1.example.net[192.0.2.1]:25
    summary:
      description: One line.
      type: str
      sample: "mx1.example.net[192.0.2.1]:25: STARTTLS is not offered"
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
