# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations


class ModuleDocFragment:
    """Attributes of the plugins of this collection."""

    DOCUMENTATION = r"""
options: {}
attributes:
  check_mode:
    description: Can run in C(check_mode) and return changed status prediction without modifying the target.
  diff_mode:
    description: Will return details on what has changed (or possibly needs changing in C(check_mode)), when in diff mode.
  platform:
    description: Target operating systems and families that can be operated against.
"""

    # Everything an info plugin promises.
    INFO = r"""
options: {}
attributes:
  check_mode:
    description: Can run in C(check_mode) and return changed status prediction without modifying the target.
    support: full
    details:
      - This plugin never changes anything.
  diff_mode:
    description: Will return details on what has changed (or possibly needs changing in C(check_mode)), when in diff mode.
    support: N/A
    details:
      - This plugin never changes anything.
  platform:
    description: Target operating systems and families that can be operated against.
    support: full
    platforms: posix
  action:
    description: Indicates this has a corresponding action plugin so some parts of the options can be executed on the controller.
    support: full
    details:
      - The host needs Python 3.6 or newer and nothing else. What it observes is judged on the controller.
"""

    # Membership of the module_defaults group.
    ACTIONGROUP_READINESS = r"""
options: {}
attributes:
  action_group:
    description: Use C(group/mailops.tls.readiness) in C(module_defaults) to set defaults for this module.
    support: full
    membership:
      - mailops.tls.readiness
"""
