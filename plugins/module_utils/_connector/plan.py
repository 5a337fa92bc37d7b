# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""From what is there and what is declared to what has to be done. No I/O.

Declared is a dict of canonical values by option: an option that is not in it is not managed.
"""

import collections

from ansible_collections.mailops.tls.plugins.module_utils._connector import canonical
from ansible_collections.mailops.tls.plugins.module_utils._connector import fields as f

REPLACE = "replace"
KEEP = "keep"
WARN = "warn"
FAIL = "fail"
POLICIES = (REPLACE, KEEP, WARN, FAIL)

NONE = "none"
CREATE = "create"
UPDATE = "update"
REMOVE = "remove"

#: option (str), parameter (str), before and after (canonical values; before is None for what is created).
Change = collections.namedtuple("Change", "option parameter before after")

#: action (of the words above), changes (tuple of Change: what will be done), drift (tuple of Change: what differs and stays),
#: warnings (tuple of str), blocked (tuple of Change: differs, and its policy is to fail; nothing is done then),
#: target (dict: canonical values by option as they will be, as far as they are known).
Plan = collections.namedtuple("Plan", "action changes drift warnings blocked target")


def read_policy(table, on_drift):
    """The policy of each field (dict by option) from `on_drift`: a word, or a dict of words by option with `default`.

    Raises ValueError, with a message for the user.
    """
    given = on_drift if isinstance(on_drift, dict) else {"default": on_drift}
    for option, word in given.items():
        if option != "default" and (option not in table or option == "name"):
            raise ValueError("on_drift: there is no option %r whose drift could have a policy" % (option,))
        if word not in POLICIES:
            raise ValueError("on_drift: %s: must be one of %s, not %r" % (option, ", ".join(POLICIES), word))
    default = given.get("default", REPLACE)
    policy = {field.option: given.get(field.option, default) for field in table}
    # A new name is an instruction, not a state that drifts.
    policy["name"] = REPLACE
    return policy


def plan(table, current, desired, state="present", policy=None):
    """What has to be done (Plan).

    Args:
        table: FieldTable. current: canonical values by option of the object, or None when there is none. A field that the
            object does not have is missing in it. desired: canonical values by option, those declared.
        state: "present" or "absent". policy: from read_policy; replaces everything by default.
    """
    if state == "absent":
        if current is None:
            return Plan(NONE, (), (), (), (), {})
        changes = [Change(field.option, field.parameter, current.get(field.option), None) for field in table]
        changes = tuple(change for change in changes if change.option == "name" or not _is_default(table, change))
        return Plan(REMOVE, changes, (), (), (), {})
    if current is None:
        return _creation(table, desired)
    return _update(table, current, desired, policy or {})


def _is_default(table, change):
    return change.before is None or change.before == table[change.option].default


def _creation(table, desired):
    # Null and an empty list are what a new object has anyway.
    given = [field for field in table if desired.get(field.option) not in (None, ())]
    changes = [Change(field.option, field.parameter, None, desired[field.option]) for field in given]
    target = {field.option: None if field.default is f.NO_DEFAULT else field.default for field in table}
    target.update(desired)
    return Plan(CREATE, tuple(changes), (), (), (), target)


def _update(table, current, desired, policy):
    found = {REPLACE: [], KEEP: [], WARN: [], FAIL: []}
    for field in table:
        if field.option not in desired:
            continue
        missing = field.option not in current
        if missing or current[field.option] != desired[field.option]:
            change = Change(field.option, field.parameter, current.get(field.option), desired[field.option])
            found[policy.get(field.option, REPLACE)].append(change)
    warnings = ["%s: %s" % (table[change.option].label, describe(change)) for change in found[WARN]]
    drift = tuple(found[KEEP] + found[WARN] + found[FAIL])
    changes = () if found[FAIL] else tuple(found[REPLACE])
    target = dict(current)
    target.update((change.option, change.after) for change in changes)
    return Plan(UPDATE if changes else NONE, changes, drift, tuple(warnings), tuple(found[FAIL]), target)


def describe(change):
    """A difference in words (str): `is false, declared is true`."""
    return "is %s, declared is %s" % (_shown(change.before), _shown(change.after))


def parameters(table, planned):
    """The parameters of the first cmdlet that the plan needs (dict): all that is declared, or what changes.

    With what the cmdlet wants beside it. Creating leaves out what only the cmdlet that changes takes; a second plan has it.
    """
    if planned.action == REMOVE:
        return {}
    creates = planned.action == CREATE
    wanted = {change.option: change.after for change in planned.changes if not (creates and table[change.option].set_only)}
    for option in list(wanted):
        for companion in table[option].beside:
            if companion not in wanted and planned.target.get(companion) not in (None, ()):
                wanted[companion] = planned.target[companion]
    return {table[option].parameter: canonical.to_api(table[option], value) for option, value in wanted.items()}


def unfulfilled(table, current, desired):
    """The fields in which an object differs from what was written to it (list of Change)."""
    return list(_update(table, current, desired, {}).changes)


def _shown(value):
    value = canonical.to_user(value)
    if value is None:
        return "not set"
    if isinstance(value, bool):
        return "true" if value else "false"
    return ", ".join(value) or "empty" if isinstance(value, list) else repr(value)
