# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""The documented rules between settings, checked before anything is written. No I/O.

A rule looks at values by option. An option that is not there is not known: the rule raises KeyError then, and is left undecided.
"""

import collections

#: name (str: what it is called), blamed (tuple of options: it concerns only who declares one of them), broken (callable: from
#: the values, a dict of canonical values by option, to bool; may raise KeyError), text (str: what holds, and why), held (bool:
#: whether the API holds objects that break it, so that only what an object is now can tell whether anything would be done).
Rule = collections.namedtuple("Rule", "name blamed broken text held")
Rule.__new__.__defaults__ = (False,)

#: rule (Rule), message (str: for the user).
Violation = collections.namedtuple("Violation", "rule message")


class RulesBrokenError(ValueError):
    """A declaration that the API would refuse, or that would not mean what it says."""

    def __init__(self, violations):
        super(RulesBrokenError, self).__init__("; ".join(violation.message for violation in violations))
        self.violations = tuple(violations)


class _Seen(dict):
    """Values that remember which of them were looked at."""

    def __init__(self, values):
        super(_Seen, self).__init__(values)
        self.options = set()

    def __getitem__(self, option):
        self.options.add(option)
        return super(_Seen, self).__getitem__(option)

    def get(self, option, default=None):
        self.options.add(option)
        return super(_Seen, self).get(option, default)


def violations(table, rules, values, declared, changed=None):
    """The rules that are broken for certain (list of Violation).

    Args:
        table: FieldTable. rules: the rules to look at.
        values: canonical values by option, as far as they are known: those declared, or the object as it will be.
        declared: options that the user declares. What somebody else left behind is not this user's fault.
        changed: options that would change. A rule that rests on none of them was broken before, and nothing is done about it.
            None: all of them, as for a new object.
    """
    found = []
    for rule in rules:
        concerned = [option for option in rule.blamed if option in declared]
        reasons = _reasons(rule, values) if concerned else None
        if reasons is not None and (changed is None or not reasons.isdisjoint(changed)):
            found.append(Violation(rule, "%s: %s [rule %s]" % (table[concerned[0]].label, rule.text, rule.name)))
    return found


def check(table, rules, values, declared, changed=None):
    """Raise RulesBrokenError with every rule that is broken, if any is."""
    found = violations(table, rules, values, declared, changed)
    if found:
        raise RulesBrokenError(found)


def _reasons(rule, values):
    """The options whose values break the rule (set); None when it is not broken, or that is not known."""
    seen = _Seen(values)
    try:
        return seen.options if rule.broken(seen) else None
    except KeyError:
        return None
