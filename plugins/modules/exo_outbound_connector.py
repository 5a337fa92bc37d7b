#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# The work is done by the action plugin of the same name: this file documents it.

from __future__ import annotations

DOCUMENTATION = r"""
module: exo_outbound_connector
short_description: Declare a connector for mail from Exchange Online
description:
  - Declares an outbound connector of a tenant of Exchange Online, with the TLS that mail to a partner or to one's own servers
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
  recipient_domains:
    description:
      - Domains of recipients, V(contoso.com), V(*.contoso.com) for all below it, or V(*).
    type: list
    elements: str
  use_mx_record:
    description:
      - Whether mail goes to the MX of the recipient's domain. If V(false), O(smart_hosts) are needed.
    type: bool
  smart_hosts:
    description:
      - Host names, addresses or networks that mail is handed to instead. Have an effect only with O(use_mx_record=false).
    type: list
    elements: str
  tls_settings:
    description:
      - The TLS that is demanded. V(EncryptionOnly) takes any certificate. V(CertificateValidation) wants one of a trusted CA that
        is not revoked. V(DomainValidation) also compares its name with O(tls_domain).
      - Null is opportunistic, which is TLS where the other side offers it, and otherwise none.
    type: str
    choices: [EncryptionOnly, CertificateValidation, DomainValidation]
  tls_domain:
    description:
      - Name that the certificate of the receiving server must have, V(mail.contoso.com) or V(*.contoso.com). Only with
        O(tls_settings=DomainValidation).
    type: str
  mta_sts_mode:
    description:
      - Whether policies of MTA-STS (RFC 8461) of recipients are followed. The tenant must have this parameter already.
      - Null is refused. With native types of Jinja, ansible-core before 2.19 makes null of the word None in a template; put
        C(| string) behind the variable there.
    type: str
    choices: [Opportunistic, None]
  smtp_dane_mode:
    description:
      - Whether DANE (RFC 7672) is used where recipients have it, is demanded, or is not used. The tenant must have this
        parameter already.
      - Null is refused. With native types of Jinja, ansible-core before 2.19 makes null of the word None in a template; put
        C(| string) behind the variable there.
    type: str
    choices: [Opportunistic, Mandatory, None]
  route_all_messages_via_on_premises:
    description:
      - Whether all mail goes through servers on premises. Only with O(connector_type=OnPremises).
    type: bool
  all_accepted_domains:
    description:
      - Whether the connector is for the accepted domains of the tenant. Only with O(connector_type=OnPremises).
    type: bool
  sender_rewriting_enabled:
    description:
      - Whether senders are rewritten (SRS). Only with O(connector_type=OnPremises).
    type: bool
  is_transport_rule_scoped:
    description:
      - Whether only transport rules use the connector.
    type: bool
  test_mode:
    description:
      - Whether the connector is in test mode.
    type: bool
  validation_recipients:
    description:
      - Addresses that the connector is validated with. A new connector gets them by a second write.
    type: list
    elements: str
  is_validated:
    description:
      - Whether the connector counts as validated. A new connector gets it by a second write.
    type: bool
"""

EXAMPLES = r"""
- name: Mail to contoso.com reaches a server with the certificate of contoso.com, or stays here
  mailops.tls.exo_outbound_connector:
    name: Contoso outbound
    comment: Forced TLS, agreed with postmaster@contoso.com
    connector_type: Partner
    recipient_domains:
      - contoso.com
      - "*.contoso.com"
    tls_settings: DomainValidation
    tls_domain: "*.contoso.com"
  run_once: true

- name: Mail to Fabrikam goes to its gateway
  mailops.tls.exo_outbound_connector:
    name: Fabrikam outbound
    connector_type: Partner
    recipient_domains: [fabrikam.com]
    use_mx_record: false
    smart_hosts:
      - gateway.fabrikam.com
    tls_settings: CertificateValidation
  run_once: true

- name: See what would change back to opportunistic TLS
  mailops.tls.exo_outbound_connector:
    name: Fabrikam outbound
    tls_settings: null
    smtp_dane_mode: Opportunistic
  check_mode: true
  diff: true
  run_once: true

- name: Fail when anybody has changed the connector
  mailops.tls.exo_outbound_connector:
    name: Contoso outbound
    enabled: true
    tls_settings: DomainValidation
    tls_domain: "*.contoso.com"
    on_drift: fail
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
      sample: tls_settings
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
