#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# The work is done by the action plugin of the same name: this file documents it.

from __future__ import annotations

DOCUMENTATION = r"""
module: firewall_request
short_description: Write one firewall change request for all hosts of a play
description:
  - Collects what M(mailops.tls.ca_egress_info) or M(mailops.tls.readiness_info) registered on every host of the play, and
    writes what to ask the firewall team for. Each need is listed once, with the hosts that share it.
  - The request goes out as CSV, as a page in Markdown, and as an example for nftables. Cells that a spreadsheet would take for
    a formula begin with an apostrophe.
  - Where a host goes through a proxy, the connection to ask for is the one to the proxy.
  - Runs once for all hosts. Hosts that delivered no result are named, because what they need is not known.
  - The files are replaced atomically. They are the output of the run, not managed state, so they are written in check
    mode as well, and the task never reports a change.
author:
  - The mailops.tls contributors (@mailops)
extends_documentation_fragment:
  - mailops.tls.attributes.info
attributes:
  action:
    details:
      - It runs on the controller only, once for all hosts.
  platform:
    platforms: all
options:
  variable:
    description:
      - Name of the variable under which the result of M(mailops.tls.ca_egress_info) or M(mailops.tls.readiness_info) was
        registered.
    type: str
    required: true
  directory:
    description:
      - Directory on the controller. It is created if needed. A relative one is relative to the directory Ansible was started
        in.
    type: path
    default: reports
  basename:
    description: Name of the files without their ending.
    type: str
    default: firewall-request
  formats:
    description:
      - Which files to write, with the endings C(.csv), C(.md) and C(.nft). An empty list writes none.
    type: list
    elements: str
    choices: [csv, markdown, nftables]
    default: [csv, markdown, nftables]
  scope:
    description:
      - V(blocked) asks only for what was seen to be blocked on the way, address by address.
      - V(needed) asks for every destination that the hosts use, whether it is open already or not.
    type: str
    choices: [blocked, needed]
    default: blocked
seealso:
  - module: mailops.tls.ca_egress_info
  - module: mailops.tls.readiness_info
"""

EXAMPLES = r"""
- name: Check the CA endpoints
  mailops.tls.ca_egress_info:
  register: egress

- name: Write what to ask the firewall team for
  mailops.tls.firewall_request:
    variable: egress
    directory: /tmp/mailops-tls-reports

- name: Write everything that the hosts need, for a firewall that is set up anew
  mailops.tls.firewall_request:
    variable: egress
    scope: needed
    directory: /tmp/mailops-tls-reports
    basename: firewall-needed
    formats: [markdown]
"""

RETURN = r"""
files:
  description: Paths of the files that were written.
  returned: success
  type: list
  elements: str
  sample: ["/srv/reports/firewall-request.csv", "/srv/reports/firewall-request.md", "/srv/reports/firewall-request.nft"]
request:
  description: What to ask for, sorted.
  returned: success
  type: list
  elements: dict
  contains:
    sources:
      description: Inventory names of the hosts that share this need.
      type: list
      elements: str
      sample: ["mx1.example.com", "mx2.example.com"]
    destination:
      description: Name of the endpoint's host, or of the proxy.
      type: str
      sample: crl3.digicert.com
    addresses_seen:
      description: Every address that the name led to on these hosts.
      type: list
      elements: str
      sample: ["192.0.2.1", "2001:db8::1"]
    blocked:
      description: Those that were seen to be blocked.
      type: list
      elements: str
      sample: ["2001:db8::1"]
    port:
      description: Port.
      type: int
      sample: 80
    protocol:
      description: Protocol.
      type: str
      sample: tcp
    why:
      description: What for, and what was seen.
      type: list
      elements: str
      sample: ["CRL: connection attempts get no answer"]
    urls:
      description: The endpoints behind it, with their kind.
      type: list
      elements: str
      sample: ["CRL http://crl3.digicert.com/DigiCertGlobalRootG2.crl"]
    findings:
      description: Ids of the findings that say so.
      type: list
      elements: str
      sample: ["egress.tcp.timeout"]
hosts:
  description: Hosts whose results were used.
  returned: success
  type: list
  elements: str
  sample: ["mx1.example.com", "mx2.example.com"]
hosts_without_result:
  description: Hosts of the play that delivered no result. What they need is not known.
  returned: success
  type: list
  elements: str
  sample: []
"""
