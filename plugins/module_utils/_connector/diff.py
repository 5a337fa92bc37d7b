# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""A plan as results and --diff show it: only what changes, in the words of the options. No I/O."""

from ansible_collections.mailops.tls.plugins.module_utils._connector import canonical
from ansible_collections.mailops.tls.plugins.module_utils._connector import plan as p


def as_list(changes):
    """Changes as results hold them (list of dict)."""
    return [
        {
            "option": change.option,
            "parameter": change.parameter,
            "before": canonical.to_user(change.before),
            "after": canonical.to_user(change.after),
        }
        for change in changes
    ]


def as_diff(planned, title):
    """What --diff shows (dict): the fields that change, before and after; nothing at all for an object that is not there."""
    before = {change.option: canonical.to_user(change.before) for change in planned.changes}
    after = {change.option: canonical.to_user(change.after) for change in planned.changes}
    return {
        "before_header": title,
        "after_header": title,
        "before": {} if planned.action == p.CREATE else before,
        "after": {} if planned.action == p.REMOVE else after,
    }
