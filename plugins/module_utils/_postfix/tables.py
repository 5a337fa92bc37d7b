# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""Our own map files, and how main.cf refers to them. No I/O.

A map file has its content's digest in its name and is never written again. So main.cf alone says what counts, and one
rename of main.cf is the whole change: a Postfix process that starts in between sees either all of the old or all of the new.
"""

import hashlib
import ipaddress
import re

FOLDER = "mailops_tls"
HEADER = "# Managed by Ansible (mailops.tls.postfix_tls_policy). Changes made here by hand count as drift.\n"
TYPES = {"policy": "texthash", "clients": "cidr", "names": "texthash", "senders": "texthash"}
RESTRICTIONS = {"clients": "check_client_access", "names": "check_client_access", "senders": "check_sender_access"}
#: The order in smtpd_data_restrictions. Senders first: what permits a sender goes on with the client.
INBOUND = ("senders", "clients", "names")


def render(kind, table):
    """The text of a map file; `table` is a dict of key to right-hand side."""
    keys = sorted(table, key=_cidr_order) if kind == "clients" else sorted(table)
    return HEADER + "".join("%s %s\n" % (key, table[key]) for key in keys)


def _cidr_order(key):
    """cidr_table(5): the first match counts, so the longest prefix comes first."""
    network = ipaddress.ip_network(key)
    return (network.version, -network.prefixlen, int(network.network_address))


def parse(kind, text):
    """The dict behind a map file of ours, hand-made changes included. Lines that Postfix itself passes over are not in it."""
    table = {}
    for line in text.splitlines():
        words = line.split(None, 1)
        if len(words) == 2 and not line.lstrip().startswith("#") and (kind != "clients" or _is_network(words[0])):
            table.setdefault(words[0].lower(), " ".join(words[1].split()))
    return table


def _is_network(text):
    try:
        return bool(ipaddress.ip_network(text))
    except ValueError:
        return False


def file_name(kind, text):
    """The name of a map file with this content."""
    return "%s-%s" % (kind, hashlib.sha256(text.encode("utf-8")).hexdigest()[:16])


def is_ours(name):
    """Is this the name of a map file that we wrote?"""
    return bool(re.match(r"(?:%s)-[0-9a-f]{16}\Z" % "|".join(TYPES), name))


def reference(folder, kind, name):
    """How main.cf refers to a map file: with its restriction where it is an access map."""
    words = [RESTRICTIONS[kind]] if kind in RESTRICTIONS else []
    return " ".join(words + ["%s:%s/%s" % (TYPES[kind], folder, name)])


def _pattern(folder):
    kinds = "|".join(TYPES)
    return re.compile(
        r"(?:check_(?:client|sender)_access[\s,]+)?(?:texthash|cidr):%s/((%s)-[0-9a-f]{16})\b" % (re.escape(folder), kinds)
    )


def referred(folder, value):
    """Names of our map files in a parameter's value: dict of kind to file name."""
    return {match.group(2): match.group(1) for match in _pattern(folder).finditer(value)}


def replace(folder, value, references, last):
    """A parameter's value with our references (list of str) behind the foreign ones, which stay as they are written.

    Where exactly these are there already, nothing moves, unless `last` asks for them to be at the end.
    """
    found = [" ".join(re.split(r"[\s,]+", match.group(0))) for match in _pattern(folder).finditer(value)]
    at_end = not found or value.rstrip(" ,").endswith(found[-1].split()[-1])
    if found == references and (at_end or not last):
        return value
    foreign = re.sub(r"[\s,]*" + _pattern(folder).pattern, "", value).strip(" ,\t\n")
    return ", ".join(([foreign] if foreign else []) + references)


def tokens(value):
    """The words of a list in main.cf; braces keep theirs together."""
    found, word, depth = [], "", 0
    for char in value:
        depth += {"{": 1, "}": -1}.get(char, 0)
        if depth <= 0 and (char.isspace() or char == ","):
            found, word = found + ([word] if word else []), ""
        else:
            word += char
    return found + ([word] if word else [])
