# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""What others have set that keeps a declaration from being looked at. No I/O.

A list of restrictions ends at the first that permits. Ours are the last, so that they skip none of others; so others that
permit come before them. Sources: postconf(5) smtpd_data_restrictions and smtpd_restriction_classes, access(5).
"""

import re

from ansible_collections.mailops.tls.plugins.module_utils._postfix import tables

MAPS = "smtp_tls_policy_maps"
RESTRICTIONS = "smtpd_data_restrictions"
CLASSES = "smtpd_restriction_classes"

_LOOKUP = re.compile(r"check_\w+_access\Z|check_policy_service\Z", re.I)
#: Actions of access(5) that let no mail by. A class or a list of restrictions may; "OK" and a number alone do.
_HARMLESS = re.compile(
    r"(?:[45]\d\d\s+\S.*|(?:reject|defer|defer_if_reject|defer_if_permit|dunno|bcc|discard|filter|hold|info|prepend|redirect|warn)"
    r"(?:\s.*)?)\Z",
    re.I | re.S,
)


def weakens(setting, value, ours, level):
    """Does this setting of a service in master.cf take the declaration out of force there (bool)?

    `ours` has our references (list of str) for MAPS and RESTRICTIONS, `level` is the declared smtpd_tls_security_level.
    """
    if setting == "smtpd_tls_security_level":
        return value != "encrypt" if level == "encrypt" else bool(ours[RESTRICTIONS]) and value in ("", "none")
    if setting == "smtpd_tls_ask_ccert":
        return bool(ours[RESTRICTIONS]) and value == "no"
    return not all(reference in value or "$" + setting in value for reference in ours.get(setting, []))


def before_clients(folder, effective, raw):
    """What comes before our restrictions and surely, or perhaps, permits: two lists of str.

    `effective` and `raw` are settings as in plan.Current; `folder` is that of our map files.
    """
    foreign = tables.replace(folder, effective.get(RESTRICTIONS, ""), [], last=False)
    classes = {name: raw.get(name, "") for name in tables.tokens(raw.get(CLASSES, ""))}
    surely, perhaps = [], []
    _walk(tables.tokens(foreign), classes, surely, perhaps)
    return surely, perhaps


def _walk(words, classes, surely, perhaps):
    """Add what permits among these restrictions, in their order. `classes` are those not looked into yet."""
    words = list(words)
    while words:
        word = words.pop(0)
        if word.lower().startswith("permit"):
            surely.append(word)
        elif word.lower() == "warn_if_reject" and not words:
            surely.append(word)  # it makes a warning of our refusal
        elif word in classes:
            rest = {name: value for name, value in classes.items() if name != word}
            _walk(tables.tokens(classes[word]), rest, surely, perhaps)
        elif _LOOKUP.match(word) and words:
            _look_up(word, words.pop(0), surely, perhaps)
        elif ":" in word and not word.lower().startswith("reject_"):
            _look_up("", word, surely, perhaps)  # a table alone, as of old
    return surely, perhaps


def _look_up(restriction, table, surely, perhaps):
    """What is in a table cannot be told, unless it is written here."""
    text = " ".join(filter(None, [restriction, table]))
    if restriction.lower() == "check_policy_service":
        perhaps.append(text)
        return
    table = table.strip("{} ")
    kind, unused, content = table.partition(":")
    if kind == "static":
        action = content.strip("{} ")
        if action.upper() == "OK" or action.isdigit() or action.lower().startswith("permit"):
            surely.append(text)
            return
        if _HARMLESS.match(action):
            return
    perhaps.append(text)
