#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# The work is done by the action plugin of the same name: this file documents it.

from __future__ import annotations

DOCUMENTATION = r"""
module: exo_inbound_connector
short_description: Declare a connector for mail to Exchange Online
description:
  - Declares an inbound connector of a tenant of Exchange Online, with the TLS that mail from a partner or from one's own servers
    must have. No PowerShell is needed.
  - Only what differs is written. A second run writes nothing.
  - Documented rules between the options are checked before anything is written, and what is wrong in itself before anything
    is sent.
author:
  - The mailops.tls contributors (@mailops)
extends_documentation_fragment:
  - mailops.tls.exchange_online
  - mailops.tls.exchange_online_connector
  - mailops.tls.exchange_online_connector.support
  - mailops.tls.exchange_online_connector.actiongroup
options:
  sender_domains:
    description:
      - Domains of senders, V(contoso.com), V(*.contoso.com) for all below it, or V(*). Required for a new connector.
      - A domain may have a priority, as in V(contoso.com;10). Without one it is 1.
    type: list
    elements: str
  sender_ip_addresses:
    description:
      - IPv4 addresses and networks of /24 to /32 that mail comes from. IPv6 is not possible.
      - With O(connector_type=Partner) they have an effect only with O(restrict_domains_to_ip_addresses).
    type: list
    elements: str
  require_tls:
    description:
      - Whether mail without TLS is refused.
      - Sources disagree on the default, so declare it.
      - Microsoft's reference says that it applies to O(connector_type=Partner) only. It can be set for both.
    type: bool
  tls_sender_certificate_name:
    description:
      - Name that the certificate of the sender must have, V(mail.contoso.com) or V(*.contoso.com). Used with O(require_tls).
      - C(<I>issuer<S>subject), which stands for one certificate, is taken as it is, letter by letter.
    type: str
  restrict_domains_to_certificate:
    description:
      - Whether mail of O(sender_domains) is refused unless it comes with a certificate of the name
        O(tls_sender_certificate_name). Only with O(connector_type=Partner).
    type: bool
  restrict_domains_to_ip_addresses:
    description:
      - Whether mail of O(sender_domains) is refused unless it comes from O(sender_ip_addresses). Only with
        O(connector_type=Partner).
    type: bool
  treat_messages_as_internal:
    description:
      - Whether messages count as internal. Only with O(connector_type=OnPremises), and not with O(cloud_services_mail_enabled).
    type: bool
  associated_accepted_domains:
    description:
      - Accepted domains that the connector applies to. All if empty.
    type: list
    elements: str
  trusted_organizations:
    description:
      - Other organizations of Microsoft 365 whose mail is trusted. Cannot be combined with other ways to recognise a sender.
    type: list
    elements: str
  ef_skip_ips:
    description:
      - Addresses, networks and ranges (V(192.0.2.1-192.0.2.9)) that enhanced filtering skips to find the true source.
    type: list
    elements: str
  ef_skip_last_ip:
    description:
      - Whether enhanced filtering skips the last address that a message came through.
    type: bool
  ef_users:
    description:
      - Recipients that enhanced filtering applies to. All if empty.
    type: list
    elements: str
"""

EXAMPLES = r"""
- name: Mail from contoso.com comes with the certificate of contoso.com, or not at all
  mailops.tls.exo_inbound_connector:
    name: Contoso inbound
    comment: Forced TLS, agreed with postmaster@contoso.com
    connector_type: Partner
    sender_domains:
      - contoso.com
      - "*.contoso.com"
    require_tls: true
    tls_sender_certificate_name: "*.contoso.com"
    restrict_domains_to_certificate: true
  run_once: true

- name: Many partners cost one listing
  mailops.tls.exo_inbound_connector:
    name: "{{ item.name }} inbound"
    connector_type: Partner
    sender_domains: "{{ item.domains }}"
    require_tls: true
  loop:
    - name: Fabrikam
      domains: [fabrikam.com]
    - name: Northwind
      domains: [northwindtraders.com]
  loop_control:
    label: "{{ item.name }}"
  run_once: true

- name: Leave alone what others switched off, and say so
  mailops.tls.exo_inbound_connector:
    name: Fabrikam inbound
    enabled: true
    require_tls: true
    on_drift:
      default: replace
      enabled: warn
  run_once: true

- name: Rename a connector
  mailops.tls.exo_inbound_connector:
    name: Northwind inbound
    new_name: Northwind Traders inbound
  run_once: true

- name: A partnership has ended
  mailops.tls.exo_inbound_connector:
    name: Northwind Traders inbound
    state: absent
  run_once: true
"""

RETURN = r"""
action:
  description: What was done, or would be in check mode, V(none), V(create), V(update) or V(remove).
  returned: success
  type: str
  sample: update
changes:
  description: Every field that changes. When the task fails, those that were written, or may have been.
  returned: success, and failure after the connector was read
  type: list
  elements: dict
  contains:
    option:
      description: The option of this module.
      type: str
      sample: require_tls
    parameter:
      description: The parameter of the cmdlet.
      type: str
    before:
      description: The value before, in the form of the option; V(none) for a connector that is created.
      type: raw
    after:
      description: The value after it, in the form of the option; V(none) for a connector that is removed.
      type: raw
drift:
  description: Every field that differs from what is declared and was left as it is, with the same keys as RV(changes).
  returned: success
  type: list
  elements: dict
connector:
  description:
    - The connector as it was read last, which is after the change. V(none) when there is none.
    - In check mode, as it is before the change.
  returned: success
  type: dict
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
calls:
  description: How many requests this task sent, those that had to be repeated included.
  returned: when the tenant was asked
  type: dict
  contains:
    reads:
      description: Requests that read.
      type: int
      sample: 1
    writes:
      description: Requests that write.
      type: int
      sample: 0
    tokens:
      description: Requests for a token.
      type: int
      sample: 0
written:
  description: Whether anything was written when the task failed, V(no), V(yes) or V(unknown).
  returned: failure
  type: str
  sample: "no"
not_as_declared:
  description: The fields that are not as declared when the task failed, with the same keys as RV(changes).
  returned: failure after the connector was read
  type: list
  elements: dict
"""
