# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations


class ModuleDocFragment:
    """What inbound and outbound connectors have in common. Keep in sync with _exo/action.py and _exo/kinds.py (a test does)."""

    DOCUMENTATION = r"""
options:
  name:
    description:
      - Name of the connector, of at most 64 characters and whatever its case, or its GUID.
      - It is compared with all connectors of the tenant, those in test mode and those used by transport rules included.
    type: str
    required: true
  new_name:
    description:
      - The name that the connector is to have. When there is no connector called O(name), one with this name is the connector
        that is meant, so that the task can be run again. When there is neither, it is created with this name.
    type: str
  state:
    description:
      - V(present) creates the connector, or changes what differs. V(absent) removes it; other options do not matter then.
    type: str
    choices: [present, absent]
    default: present
  on_drift:
    description:
      - What to do about a connector that exists and differs from what is declared.
      - V(replace) changes it. V(keep) leaves it, and V(warn) leaves it with a warning; both list it in RV(drift). V(fail) fails
        and changes nothing at all.
      - Either one of these words, or a dictionary of them by option, in which V(default) stands for all others.
      - A connector that is created, renamed or removed by this task has no drift.
    type: raw
    default: replace
  wait_timeout:
    description:
      - Seconds to wait until reads show a connector that was created, which takes from seconds to minutes. When they are over,
        the task fails and says so; run again, it finds the connector, and makes no second one.
    type: float
    default: 300.0
  enabled:
    description:
      - Whether the connector is used. A new one is, by default.
    type: bool
  comment:
    description:
      - A comment for people.
    type: str
  connector_type:
    description:
      - V(Partner) is for other organizations, V(OnPremises) for servers of one's own.
      - Microsoft documents no default, so declare it.
    type: str
    choices: [Partner, OnPremises]
  connector_source:
    description:
      - Who made the connector. V(Default) also stands for C(AdminUI), which the service returns and does not take; it may be
        given here.
    type: str
    choices: [Default, HybridWizard, Migrated]
  cloud_services_mail_enabled:
    description:
      - Whether headers that make messages internal are kept between servers on premises and Exchange Online. For hybrid
        mail flow.
    type: bool
notes:
  - An option that is not given is not managed. An empty list clears a list. Null sets what a new connector has, where Microsoft
    documents that, and clears lists and texts. It is refused where V(None) is one of the choices.
  - The order of lists, the case of names, U-labels and A-labels, host bits of networks, C(smtp:contoso.com;1) for V(contoso.com),
    and brackets around hosts and addresses make no difference.
  - Options that exclude each other are refused before anything is written. A connector that is already as declared stays so, with
    a warning, because tenants hold such connectors.
  - Every change is read again. When a field did not take, the task fails and names it.
  - To declare many connectors, use C(loop) on one task. It lists the connectors of the tenant once for the whole loop, while
    separate tasks do so each.
  - In a play on several hosts, use C(run_once), because a tenant is not a thing of a host.
  - Microsoft documents the parameters of the connectors, but not this way to run the cmdlets over HTTP. It is the one that
    Microsoft's own PowerShell module uses.
seealso:
  - module: mailops.tls.exo_connector_info
"""

    # Not called ATTRIBUTES: Ansible would take the fragment `attributes` of the collection for it.
    SUPPORT = r"""
options: {}
attributes:
  check_mode:
    description: Can run in C(check_mode) and return changed status prediction without modifying the target.
    support: full
  diff_mode:
    description: Will return details on what has changed (or possibly needs changing in C(check_mode)), when in diff mode.
    support: full
    details:
      - Shows the fields that change, and nothing else.
  platform:
    description: Target operating systems and families that can be operated against.
    support: full
    platforms: all
  action:
    description: Indicates this has a corresponding action plugin so some parts of the options can be executed on the controller.
    support: full
    details:
      - It runs on the controller only.
"""

    ACTIONGROUP = r"""
options: {}
attributes:
  action_group:
    description: Use C(group/mailops.tls.exchange_online) in C(module_defaults) to set defaults for this module.
    support: full
    membership:
      - mailops.tls.exchange_online
"""
