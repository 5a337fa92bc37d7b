#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# The work is done by the action plugin of the same name: this file documents it.

from __future__ import annotations

DOCUMENTATION = r"""
module: ca_egress_info
short_description: Check that a host reaches the CRL, OCSP and CA issuers endpoints of a certificate authority
description:
  - For every endpoint of the profiles, of a given certificate, or of the chain that a server really presents, the host
    resolves the name, connects, and fetches through the proxy it really uses. The answer is then validated on the
    controller. A CRL must parse, be fresh and be signed by its issuer; an OCSP response must answer for the
      certificate asked about,
    be fresh and be signed.
  - All endpoints are checked at the same time, in one remote execution. The check takes as long as the slowest
    endpoint, not the sum.
  - Bad news is not a failure. The task fails only for bad arguments, an unreachable host, or when the probe cannot run
    there. Use M(mailops.tls.assert_findings) to stop at bad news.
author:
  - The mailops.tls contributors (@mailops)
extends_documentation_fragment:
  - mailops.tls.attributes.info
  - mailops.tls.attributes.actiongroup_readiness
  - mailops.tls.options
  - mailops.tls.options.egress
options:
  server:
    description:
      - A TLS server, as C(host:port). The certificates that it presents to the host are followed, and every
        endpoint they name is checked.
      - This takes a second remote execution, because the chain has to be seen before its endpoints are known. Issuers that
        the server does not present are fetched as for O(certificate).
      - Where the server stands behind no web proxy, as mail servers do, nothing needs to be set; only a proxy URL
        in O(proxy) is asked to tunnel.
    type: str
  server_starttls:
    description:
      - How TLS starts on O(server). V(smtp) sends STARTTLS, V(none) starts at once, and V(auto) sends it on ports
        25 and 587.
    type: str
    choices: [auto, none, smtp]
    default: auto
seealso:
  - module: mailops.tls.readiness_info
  - module: mailops.tls.assert_findings
"""

EXAMPLES = r"""
- name: Check the CA endpoints of the current and the coming Exchange Online certificate
  mailops.tls.ca_egress_info:
  register: egress

- name: Show what to ask the firewall team for
  ansible.builtin.debug:
    var: egress.firewall_rules

- name: Check two endpoints of a private CA, without any profile
  mailops.tls.ca_egress_info:
    profiles: []
    endpoints:
      - http://crl.ca.example/issuing.crl
      - url: http://ca.example/ocsp
        kind: ocsp
    proxy: none
    timeout: 3

- name: Follow the chain that the mail server of a partner presents
  mailops.tls.ca_egress_info:
    profiles: []
    server: mx.partner.example:25
    deadline: 15
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
