#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# The work is done by the action plugin of the same name: this file documents it.

from __future__ import annotations

DOCUMENTATION = r"""
module: partner_sheet
short_description: Write the document that a partner needs to force TLS with Exchange Online
description:
  - Whoever forces TLS on a mail server that talks to Exchange Online must be given the data of the certificate that
    Exchange Online presents, and again whenever it changes. This writes that document from the profiles.
  - It holds the attributes, chains and dates of the current, coming and deprecated certificates, the endpoints to open,
    and settings for Postfix, Exchange Server and Exchange Online.
  - With O(variable) it also lists the certificates that the hosts of the play were really presented, and the names that partners
    are to compare are those seen at the servers of O(domains). A profile speaks only where nothing was seen. A name with a
    chain that no store of the host trusts counts only in the name spaces of Exchange Online.
  - Runs once for all hosts. The files are replaced atomically. They are the output of the run, not managed state, so they are
    written in check mode as well, and the task never reports a change.
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
  profiles:
    description:
      - Ids, paths or dictionaries of the profiles to list.
      - If not specified or empty, all shipped ones, so that a partner sees what has been and what comes.
    type: list
    elements: raw
  variable:
    description:
      - Name of the variable under which the result of M(mailops.tls.smtp_tls_info) or M(mailops.tls.readiness_info) was
        registered.
    type: str
  domains:
    description: Our own mail domains, as the partner addresses them.
    type: list
    elements: str
    default: []
  certificate_name:
    description: Name on the certificate that our own servers present to the partner, if there are any.
    type: str
  partner_domains:
    description: Mail domains of the partner, for the connectors of Exchange Online on our side.
    type: list
    elements: str
    default: []
  title:
    description: Title of the document.
    type: str
    default: "Forced TLS with Exchange Online: data for partners"
  directory:
    description:
      - Directory on the controller. It is created if needed. A relative one is relative to the directory Ansible was started
        in.
    type: path
    default: reports
  basename:
    description: Name of the files without their ending.
    type: str
    default: partner-sheet
  formats:
    description:
      - Which files to write, with the endings C(.md) and C(.html). An empty list writes none.
    type: list
    elements: str
    choices: [markdown, html]
    default: [markdown, html]
seealso:
  - module: mailops.tls.smtp_tls_info
  - module: mailops.tls.connector_certificate_info
"""

EXAMPLES = r"""
- name: Write the sheet for a partner
  mailops.tls.partner_sheet:
    domains:
      - example.com
    certificate_name: mail.example.com
    partner_domains:
      - partner.example
    directory: /tmp/mailops-tls-reports
"""

RETURN = r"""
files:
  description: Paths of the files that were written.
  returned: success
  type: list
  elements: str
  sample: ["/srv/reports/partner-sheet.md", "/srv/reports/partner-sheet.html"]
names:
  description:
    - For each of O(domains) (V(none) where there are none) the C(names) that partners compare with the certificate, and a
      C(note) on where they come from.
  returned: success
  type: list
  elements: dict
  sample: [{"domain": "example.com", "names": ["mail.protection.outlook.com"], "note": "example.com: ..."}]
generations:
  description: The profiles that were listed, each V(current), V(coming) or V(deprecated) on the day of the run.
  returned: success
  type: dict
  sample: {"exo-digicert-g2": "current", "exo-baltimore": "deprecated"}
"""
