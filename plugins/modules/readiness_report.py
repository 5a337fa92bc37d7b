#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# The work is done by the action plugin of the same name: this file documents it.

from __future__ import annotations

DOCUMENTATION = r"""
module: readiness_report
short_description: Write one report of the readiness of all hosts of a play
description:
  - Collects what a task registered on every host of the play, and writes one self-contained HTML page, a JSON document and
    a JUnit XML file on the controller, and prints the verdict of each host.
  - Runs once for all hosts. Hosts that could not be reached, where the probe did not run, or that delivered no result
    are in the report as unknown.
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
    description: Name of the variable under which the result of M(mailops.tls.readiness_info) or another info plugin
      was registered.
    type: str
    required: true
  directory:
    description: Directory on the controller. It is created if needed. A relative one is relative to the directory
      Ansible was started in.
    type: path
    default: reports
  formats:
    description: Which files to write. An empty list writes none.
    type: list
    elements: str
    choices: [html, json, junit]
    default: [html, json, junit]
  basename:
    description: Name of the files without their ending.
    type: str
    default: readiness
  title:
    description: Title of the report.
    type: str
  console:
    description: Whether to print the verdicts. Switch it off when the output of Ansible is read by a program.
    type: bool
    default: true
  fail_on:
    description: What the gate that follows stops at, so that the report can say it. Values as for
      O(mailops.tls.assert_findings#module:fail_on).
    type: list
    elements: str
    default: [never]
  waivers:
    description: Waivers, as for O(mailops.tls.assert_findings#module:waivers). Here they are judged for the whole fleet.
    type: list
    elements: dict
    default: []
seealso:
  - module: mailops.tls.readiness_info
  - module: mailops.tls.assert_findings
"""

EXAMPLES = r"""
- name: Check the host
  mailops.tls.readiness_info:
  register: readiness

- name: Write one report of all hosts
  mailops.tls.readiness_report:
    variable: readiness
    directory: /tmp/mailops-tls-reports
  register: report
  # So that every host has what was registered.
  run_once: true

- name: Stop hosts that are not ready, or not like the others
  mailops.tls.assert_findings:
    result: "{{ readiness }}"
    fleet: "{{ report.fleet }}"
    waivers:
      - id: egress.*
        until: "2099-12-31"
        reason: The firewall change CHG-1234 is planned
"""

RETURN = r"""
files:
  description: Paths of the files that were written.
  returned: success
  type: list
  elements: str
  sample: ["/srv/reports/readiness.html", "/srv/reports/readiness.json", "/srv/reports/readiness.xml"]
compliant:
  description: Whether the fleet is compliant, as for a single host.
  returned: success
  type: bool
hosts:
  description: Number of hosts by verdict.
  returned: success
  type: dict
  sample: {"total": 3, "ready": 1, "not_ready": 1, "unknown": 1, "not_ready_only_waived": 0}
summary:
  description: Number of findings by status over all hosts.
  returned: success
  type: dict
fleet:
  description:
    - Findings that only the results of all hosts together tell, each about one host, such as
      RV(ignore:certificate.fleet.differs). They are in the report, and O(mailops.tls.assert_findings#module:fleet) takes them.
  returned: success
  type: list
  elements: dict
"""
