#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# The work is done by the action plugin of the same name: this file documents it.

from __future__ import annotations

DOCUMENTATION = r"""
module: assert_findings
short_description: Stop where findings are not acceptable
description:
  - The gate. It is the only plugin of this collection that fails because news is bad.
  - Findings can be waived for a time. An expired waiver no longer waives, and one that covers nothing is reported, so
    that exceptions do not outlive their reason.
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
  findings:
    description:
      - Findings, as the info plugins return them. They may come from several hosts.
      - Exactly one of O(findings) and O(result) is required.
    type: list
    elements: dict
  result:
    description:
      - What a task with an info plugin registered. Unlike O(findings), it also tells of a host that could not be reached or
        where the probe did not run, which counts as unknown.
    type: dict
  fleet:
    description:
      - Findings that only the results of all hosts together tell, as M(mailops.tls.readiness_report) returns them. Those about
        this host count like its own.
    type: list
    elements: dict
    default: []
  fail_on:
    description:
      - The statuses that fail the task.
      - V(warn) and V(unknown) include V(fail). V(never) reports and lets everything pass.
    type: list
    elements: str
    choices: [never, fail, warn, unknown]
    default: [fail]
  waivers:
    description:
      - Findings that are accepted for a time.
    type: list
    elements: dict
    default: []
    suboptions:
      id:
        description: Id of the finding. Shell patterns such as V(egress.tcp.*) are allowed here, in C(host) and
          in C(subject).
        type: str
        required: true
      host:
        description: Host it was found on. Every host by default.
        type: str
      subject:
        description: Name of the finding's subject, such as the URL of an endpoint. Every subject by default.
        type: str
      until:
        description: Last day on which the waiver holds, in UTC, as V(YYYY-MM-DD).
        type: str
        required: true
      reason:
        description: Why it is accepted, for those who read the report.
        type: str
        required: true
seealso:
  - module: mailops.tls.readiness_info
  - module: mailops.tls.readiness_report
"""

EXAMPLES = r"""
- name: Check the host
  mailops.tls.readiness_info:
  register: readiness

- name: Stop unless the host is ready, with one exception that ends by itself
  mailops.tls.assert_findings:
    result: "{{ readiness }}"
    fail_on: [unknown]
    waivers:
      - id: egress.*
        host: "*"
        subject: "*"
        until: "2099-12-31"
        reason: The firewall change CHG-1234 is planned
"""

RETURN = r"""
msg:
  description: What stops the host, and which waivers need attention.
  returned: success, or failure of the gate
  type: str
  sample: "No finding stops this host, 1 waived."
failing:
  description: The findings that stop the host, by id, host, subject and status.
  returned: success, or failure of the gate
  type: list
  elements: dict
waived:
  description: Findings that a waiver covers, each with the waiver.
  returned: success, or failure of the gate
  type: list
  elements: dict
expired_waivers:
  description: Findings that only a waiver past its date would have covered, each with the waiver.
  returned: success, or failure of the gate
  type: list
  elements: dict
unused_waivers:
  description: Waivers for this host that cover nothing.
  returned: success, or failure of the gate
  type: list
  elements: dict
summary:
  description: Number of findings by status without the waived ones, and the number of those.
  returned: success, or failure of the gate
  type: dict
compliant_without_waived:
  description: As C(compliant) of the info plugins, if what is waived were not there.
  returned: success, or failure of the gate
  type: bool
"""
