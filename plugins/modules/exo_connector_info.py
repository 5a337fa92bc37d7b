#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# The work is done by the action plugin of the same name: this file documents it.

from __future__ import annotations

DOCUMENTATION = r"""
module: exo_connector_info
short_description: List the connectors of Exchange Online, and what is wrong with their TLS
description:
  - Lists all inbound and outbound connectors of a tenant of Exchange Online, those in test mode and those used by transport
    rules included, with their settings in the options of M(mailops.tls.exo_inbound_connector) and
    M(mailops.tls.exo_outbound_connector).
  - Judges them. TLS that is forced in one direction only, a certificate that nobody looks at, or a name that is no accepted
    domain is a finding.
  - Returns them as declarations too, so that a tenant can be adopted without retyping.
  - Bad news is not a failure. Use M(mailops.tls.assert_findings) to stop at bad news. A tenant that cannot be read is a failure.
author:
  - The mailops.tls contributors (@mailops)
extends_documentation_fragment:
  - mailops.tls.exchange_online
  - mailops.tls.exchange_online_connector.support
  - mailops.tls.exchange_online_connector.actiongroup
attributes:
  check_mode:
    details:
      - This plugin never changes anything.
  diff_mode:
    support: N/A
    details:
      - This plugin never changes anything.
options:
  name:
    description:
      - Name of a connector, whatever its case, or its GUID. Only connectors called so are returned, and the
        findings that concern them.
      - If not specified, all are.
    type: str
notes:
  - Microsoft documents the cmdlets that are run, but not this way to run them over HTTP. It is the one that Microsoft's own
    PowerShell module uses.
seealso:
  - module: mailops.tls.exo_inbound_connector
  - module: mailops.tls.exo_outbound_connector
  - module: mailops.tls.assert_findings
"""

EXAMPLES = r"""
- name: Look at the connectors of the tenant
  mailops.tls.exo_connector_info:
  register: connectors
  run_once: true

- name: Stop when TLS is weaker than it seems
  mailops.tls.assert_findings:
    result: "{{ connectors }}"
    fail_on: [fail]
  run_once: true

- name: Keep the connectors as declarations
  ansible.builtin.copy:
    content: "{{ {'connector_tls_partners': connectors.declarations} | to_nice_yaml }}"
    dest: "{{ playbook_dir }}/partners.yml"
    mode: "0600"
  delegate_to: localhost
  run_once: true

- name: Look at one connector
  mailops.tls.exo_connector_info:
    name: Contoso inbound
  run_once: true
"""

RETURN = r"""
inbound:
  description: The inbound connectors, sorted by name. Lists are sorted too, and names in lower-case A-labels.
  returned: success
  type: list
  elements: dict
  contains:
    guid:
      description: Its GUID, which it keeps when it is renamed.
      type: str
      sample: 0f0c0f6e-6a1e-4a53-9ac6-1c7c2a6b7a10
    when_created:
      description: When it was created.
      type: str
      sample: "2026-11-24T09:30:00Z"
    when_changed:
      description: When it was changed last.
      type: str
      sample: "2026-11-24T09:30:00Z"
    client_host_names:
      description: What the service shows as ClientHostNames. Microsoft does not document what it is for. It cannot be set here.
      type: list
      elements: str
    name:
      description: Its name.
      type: str
    enabled:
      description: As the option of this name.
      type: bool
    comment:
      description: As the option of this name.
      type: str
    connector_type:
      description: As the option of this name.
      type: str
    connector_source:
      description: As the option of this name.
      type: str
    cloud_services_mail_enabled:
      description: As the option of this name.
      type: bool
    sender_domains:
      description: As the option of this name.
      type: list
      elements: str
    sender_ip_addresses:
      description: As the option of this name.
      type: list
      elements: str
    require_tls:
      description: As the option of this name.
      type: bool
    tls_sender_certificate_name:
      description: As the option of this name.
      type: str
    restrict_domains_to_certificate:
      description: As the option of this name.
      type: bool
    restrict_domains_to_ip_addresses:
      description: As the option of this name.
      type: bool
    treat_messages_as_internal:
      description: As the option of this name.
      type: bool
    associated_accepted_domains:
      description: As the option of this name.
      type: list
      elements: str
    trusted_organizations:
      description: As the option of this name.
      type: list
      elements: str
    ef_skip_ips:
      description: As the option of this name.
      type: list
      elements: str
    ef_skip_last_ip:
      description: As the option of this name.
      type: bool
    ef_users:
      description: As the option of this name.
      type: list
      elements: str
outbound:
  description: The outbound connectors, sorted by name. Lists are sorted too, and names in lower-case A-labels.
  returned: success
  type: list
  elements: dict
  contains:
    guid:
      description: Its GUID, which it keeps when it is renamed.
      type: str
      sample: 0f0c0f6e-6a1e-4a53-9ac6-1c7c2a6b7a10
    when_created:
      description: When it was created.
      type: str
      sample: "2026-11-24T09:30:00Z"
    when_changed:
      description: When it was changed last.
      type: str
      sample: "2026-11-24T09:30:00Z"
    last_validation_timestamp:
      description: When the connector was validated last, as the service shows it. It cannot be set.
      type: str
    name:
      description: Its name.
      type: str
    enabled:
      description: As the option of this name.
      type: bool
    comment:
      description: As the option of this name.
      type: str
    connector_type:
      description: As the option of this name.
      type: str
    connector_source:
      description: As the option of this name.
      type: str
    cloud_services_mail_enabled:
      description: As the option of this name.
      type: bool
    recipient_domains:
      description: As the option of this name.
      type: list
      elements: str
    use_mx_record:
      description: As the option of this name.
      type: bool
    smart_hosts:
      description: As the option of this name.
      type: list
      elements: str
    tls_settings:
      description: As the option of this name.
      type: str
    tls_domain:
      description: As the option of this name.
      type: str
    mta_sts_mode:
      description: As the option of this name.
      type: str
    smtp_dane_mode:
      description: As the option of this name.
      type: str
    route_all_messages_via_on_premises:
      description: As the option of this name.
      type: bool
    all_accepted_domains:
      description: As the option of this name.
      type: bool
    sender_rewriting_enabled:
      description: As the option of this name.
      type: bool
    is_transport_rule_scoped:
      description: As the option of this name.
      type: bool
    test_mode:
      description: As the option of this name.
      type: bool
    validation_recipients:
      description: As the option of this name.
      type: list
      elements: str
    is_validated:
      description: As the option of this name.
      type: bool
accepted_domains:
  description: The accepted domains of the tenant; V(none) when the app may not read them.
  returned: success
  type: list
  elements: str
  sample: ["contoso.com", "contoso.onmicrosoft.com"]
declarations:
  description:
    - The connectors as declarations of partners. Applied to the tenant they change nothing.
    - A connector that no declaration can stand for is left out, and a warning says why. Whether a connector was validated is not
      part of it.
  returned: success
  type: list
  elements: dict
observed_at:
  description: When the connectors were read, in UTC.
  returned: success
  type: str
  sample: "2026-11-24T09:30:00Z"
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
      description: Inventory name of the host it was observed on.
      type: str
      sample: mx1.example.com
    subject:
      description: What the finding is about.
      type: dict
      contains:
        kind:
          description: The kind of thing, such as V(connector) or V(partner).
          type: str
          sample: connector
        name:
          description: Its name.
          type: str
          sample: inbound Contoso inbound
    summary:
      description: One line.
      type: str
      sample: "inbound Contoso inbound: TLS is forced, with an agreed certificate"
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
"""
