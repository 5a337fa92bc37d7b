# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""The documented rules between settings, checked before anything is sent. No I/O.

A rule looks at values by option. An option that is not there is not known: the rule raises KeyError then, and is left undecided.
"""

import collections

#: name (str: what it is called), blamed (tuple of options: it concerns only who declares one of them), broken (callable: from
#: the values, a dict of canonical values by option, to bool; may raise KeyError), text (str: what holds, and why).
Rule = collections.namedtuple("Rule", "name blamed broken text")

#: rule (Rule), message (str: for the user).
Violation = collections.namedtuple("Violation", "rule message")


class RulesBrokenError(ValueError):
    """A declaration that the API would refuse, or that would not mean what it says."""

    def __init__(self, violations):
        super(RulesBrokenError, self).__init__("; ".join(violation.message for violation in violations))
        self.violations = tuple(violations)


def violations(table, rules, values, declared):
    """The rules that are broken for certain (list of Violation).

    Args:
        table: FieldTable. rules: the rules to look at.
        values: canonical values by option, as far as they are known: those declared, or the object as it will be.
        declared: options that the user declares. What somebody else left behind is not this user's fault.
    """
    found = []
    for rule in rules:
        concerned = [option for option in rule.blamed if option in declared]
        if concerned and _is_broken(rule, values):
            found.append(Violation(rule, "%s: %s [rule %s]" % (table[concerned[0]].label, rule.text, rule.name)))
    return found


def check(table, rules, values, declared):
    """Raise RulesBrokenError with every rule that is broken, if any is."""
    found = violations(table, rules, values, declared)
    if found:
        raise RulesBrokenError(found)


def _is_broken(rule, values):
    try:
        return bool(rule.broken(values))
    except KeyError:
        return False
