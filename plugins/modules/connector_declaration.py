#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# The work is done by the action plugin of the same name: this file documents it.

from __future__ import annotations

DOCUMENTATION = r"""
module: connector_declaration
short_description: Check declarations of forced TLS with partners, and translate them for both sides
description:
  - Reads one declaration for each partner, says what is wrong with it before anything is touched, and returns what it
    means as connectors of Exchange Online and as requirements of Postfix.
  - Changes nothing and reaches nothing. The role C(mailops.tls.connector_tls) applies what it returns.
  - Bad news is not a failure. Use M(mailops.tls.assert_findings) to stop at bad news. A declaration that cannot be read is a
    failure that names the place, and so is a value that M(mailops.tls.exo_inbound_connector),
    M(mailops.tls.exo_outbound_connector) or M(mailops.tls.postfix_tls_policy) would refuse. Options that these modules refuse
    together are findings.
author:
  - The mailops.tls contributors (@mailops)
extends_documentation_fragment:
  - mailops.tls.attributes.info
attributes:
  action:
    details:
      - It runs on the controller only.
  platform:
    platforms: all
options:
  partners:
    description:
      - The declarations. What exactly each may hold is checked, and a refusal names the place.
      - V(requirement) is one of V(opportunistic) (in the clear where the other side has no TLS), V(encrypted) (TLS with any
        certificate), V(trusted) (a certificate of a trusted CA with any name; outbound only) and V(verified) (a certificate of a
        trusted CA with an agreed name).
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: Name of the partner. Its connectors are called after it, such as C(Contoso inbound) and C(Contoso outbound).
        type: str
        required: true
      type:
        description: V(hybrid) stands for the own Exchange servers on premises, V(partner) for everybody else.
        type: str
        choices: [partner, hybrid]
        default: partner
      state:
        description: With V(absent), the connectors and the requirements of Postfix for its domains and addresses are removed.
        type: str
        choices: [present, absent]
        default: present
      domains:
        description: Mail domains of the partner; C(*.contoso.com) stands for all below contoso.com.
        type: list
        elements: str
        required: true
      apply_to:
        description: On which of our sides to hold it.
        type: list
        elements: str
        choices: [exchange_online, postfix]
        default: [exchange_online, postfix]
      inbound:
        description: Mail from the partner. If not specified, it is not looked at.
        type: dict
        suboptions:
          requirement:
            description: What mail from the partner must fulfil.
            type: str
            required: true
            choices: [opportunistic, encrypted, verified]
          certificate_names:
            description:
              - Names on the certificate that the partner's servers present, for V(verified). A connector of Exchange Online
                takes one, such as C(mail.contoso.com) or C(*.contoso.com). Postfix compares the common name only, and needs
                O(partners[].inbound.ca_file) for that.
            type: list
            elements: str
          addresses:
            description:
              - Addresses and networks from which the partner sends.
              - Exchange Online refuses mail of the partner's domains from others. Postfix demands the same of them as of the
                domains, whatever they send.
            type: list
            elements: str
          fingerprints:
            description: SHA-256 fingerprints of the partner's client certificates or their public keys, for Postfix.
            type: list
            elements: str
          ca_file:
            description:
              - PEM file on the Postfix hosts with the CAs of the partner's client certificates, in place of C(fingerprints).
              - Without C(certificate_names), any certificate of these CAs will do.
            type: str
          domains:
            description: Domains of senders, where they are not O(partners[].domains). For V(hybrid) the default is V(*).
            type: list
            elements: str
          connector:
            description: Name of the connector, to adopt one that is called otherwise.
            type: str
          exchange_online:
            description: More options of M(mailops.tls.exo_inbound_connector), with the same values.
            type: dict
      outbound:
        description: Mail to the partner. If not specified, it is not looked at.
        type: dict
        suboptions:
          requirement:
            description: What a server must fulfil to be given the mail.
            type: str
            required: true
            choices: [opportunistic, encrypted, trusted, verified]
          certificate_names:
            description: Names on the certificate of the partner's servers, for V(verified). Exchange Online takes one.
            type: list
            elements: str
          smart_hosts:
            description: Where to deliver, in place of the MX records. Names, addresses, and for Exchange Online networks.
            type: list
            elements: str
          ca_file:
            description: PEM file on the Postfix hosts with the CAs to trust for the partner, in place of those of the host.
            type: str
          domains:
            description: Domains of recipients, where they are not O(partners[].domains).
            type: list
            elements: str
          connector:
            description: Name of the connector, to adopt one that is called otherwise.
            type: str
          exchange_online:
            description: More options of M(mailops.tls.exo_outbound_connector), with the same values.
            type: dict
          postfix:
            description: C(protocols), C(ciphers) and C(servername) of M(mailops.tls.postfix_tls_policy).
            type: dict
  apply_to:
    description: The sides that are declared for at all. A partner counts only on those of them that it applies to.
    type: list
    elements: str
    choices: [exchange_online, postfix]
    default: [exchange_online, postfix]
  accepted_domains:
    description:
      - Accepted domains of the tenant. The certificates of the own servers must have a name in one of them.
      - If not specified, that is V(unknown) where it matters.
    type: list
    elements: str
  existing:
    description:
      - C(inbound) and C(outbound) connectors that the tenant has now, as M(mailops.tls.exo_connector_info) returns them.
        Those that are not declared count where several connectors are for one domain, or make up the other direction. Those
        that are as declared are not refused for options that exclude each other.
    type: dict
    default: {}
seealso:
  - module: mailops.tls.postfix_tls_policy
  - module: mailops.tls.assert_findings
"""

EXAMPLES = r"""
- name: Read, check and translate
  mailops.tls.connector_declaration:
    partners:
      - name: Contoso
        domains: [contoso.com]
        inbound:
          requirement: verified
          certificate_names: [mail.contoso.com]
          fingerprints:
            - 6B:86:B2:73:FF:34:FC:E1:9D:6B:80:4E:FF:5A:3F:57:47:AD:A4:EA:A2:2F:1D:49:C0:1E:52:DD:B7:87:5B:4B
        outbound:
          requirement: verified
          certificate_names: [mail.contoso.com]
  register: declared

- name: Stop at what would not protect
  mailops.tls.assert_findings:
    result: "{{ declared }}"
    fail_on: [fail]

- name: Show what Exchange Online and Postfix would hold
  ansible.builtin.debug:
    msg:
      - "{{ declared.exchange_online.inbound }}"
      - "{{ declared.postfix.destinations }}"
"""

RETURN = r"""
exchange_online:
  description: The connectors, with the options of M(mailops.tls.exo_inbound_connector) and M(mailops.tls.exo_outbound_connector).
  returned: success
  type: dict
  contains:
    inbound:
      description: Inbound connectors, in the order of the declarations.
      type: list
      elements: dict
    outbound:
      description: Outbound connectors.
      type: list
      elements: dict
postfix:
  description: What Postfix is to hold, with the options of M(mailops.tls.postfix_tls_policy).
  returned: success
  type: dict
  contains:
    destinations:
      description: For mail to the partners.
      type: list
      elements: dict
    clients:
      description: For mail from the partners.
      type: list
      elements: dict
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
      sample: connector.one_direction
    status:
      description: V(pass), V(fail), V(warn), V(unknown) (could not be observed), or V(not_applicable).
      type: str
      sample: fail
    severity:
      description: V(critical), V(high), V(medium), V(low), or V(info).
      type: str
      sample: high
    host:
      description: Inventory name of the host that the task ran for.
      type: str
      sample: localhost
    subject:
      description: What the finding is about.
      type: dict
      contains:
        kind:
          description: The kind of thing, such as V(connector), V(domain) or V(partner).
          type: str
          sample: connector
        name:
          description: Its name.
          type: str
          sample: inbound Contoso inbound
    summary:
      description: One line.
      type: str
      sample: "TLS is forced for mail to contoso.com, not for mail from contoso.com"
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
      description: When it was judged, in UTC.
      type: str
      sample: "2026-11-24T09:30:00Z"
    profile:
      description: Always null; declarations have no profile.
      type: str
"""
