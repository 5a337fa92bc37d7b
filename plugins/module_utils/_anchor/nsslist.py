# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""What certutil lists of a database of NSS, told apart by certificate.

A nickname is no name of a certificate: several can share one, and `certutil -L -n` shows all certificates of the subject,
whatever their nicknames. So a certificate is known by its SHA-256, and its flags are those that certutil prints below it.
"""

import re

from ansible_collections.mailops.tls.plugins.module_utils._probe.pem import scan

_LINE = re.compile(r"^(.*?)\s+([a-zA-Z]*,[a-zA-Z]*,[a-zA-Z]*)\s*$")
_SHA256 = re.compile(
    r"^ +Fingerprint \(SHA-256\):\n +([0-9A-F]{2}(?::[0-9A-F]{2}){31})\n +Fingerprint \(SHA1\):\n +[0-9A-F:]+\n", re.M
)
_WORDS = r":\n((?: {12}[^\n]*\n)*)"
#: What follows the fingerprints. A certificate without a record of trust has no flags.
_TRUST = re.compile(
    r"\s*\n(?: +Mozilla-CA-Policy:[^\n]*\n)?(?: +Certificate Trust Flags:\n +SSL Flags%s +Email Flags%s +Object Signing Flags%s)?"
    % (_WORDS, _WORDS, _WORDS)
)
#: The words of certutil and the letters of its -t, in the order in which `-L` has them (CERT_EncodeTrustString of NSS).
_LETTERS = (
    ("Terminal Record", "p"),
    ("Trusted CA", "C"),
    ("Trusted Client CA", "T"),
    ("Trusted", "P"),
    ("User", "u"),
    ("Warn When Sending", "w"),
)


class Record(object):
    """A certificate of the database.

    flags: as in `certutil -t`. nicknames: those of all certificates of its subject, each as often as it is there (list).
    alone: whether no other has its subject. sure: whether the two lists of certutil agree on the flags.
    """

    def __init__(self, flags, nicknames, alone, sure):
        self.flags = flags
        self.nicknames = nicknames
        self.alone = alone
        self.sure = sure

    @property
    def anchor(self):
        """Whether it is trusted as a CA of TLS servers (bool)."""
        return "C" in self.flags.split(",")[0]

    @property
    def distrusted(self):
        """Whether it is distrusted for TLS servers (bool)."""
        return "p" in self.flags.split(",")[0] and not self.anchor


def list_records(run):
    """{SHA-256: Record} of a database. run: function that runs certutil with arguments and gives its output (str)."""
    matches = [match for match in map(_LINE.match, run("-L").splitlines()) if match]
    listed = [(match.group(1), _normal(match.group(2))) for match in matches]
    subjects = {}  # {the certificates of a subject: [(nickname, flags)]}
    known = {}
    for nickname, flags in listed:
        if nickname not in known:
            blocks = scan(run("-L", "-a", "-n", nickname).encode("utf-8"))[0]
            known[nickname] = frozenset(block.sha256 for block in blocks)
        subjects.setdefault(known[nickname], []).append((nickname, flags))
    records = {}
    for certificates, lines in subjects.items():
        records.update(_records(run, certificates, lines))
    return records


def _records(run, certificates, lines):
    """{SHA-256: Record} of the certificates of one subject, which have those lines in the list (list of nickname and flags)."""
    nicknames = [nickname for nickname, _flags in lines]
    if len(certificates) == 1 and len(lines) == 1:
        return {sha256: Record(lines[0][1], nicknames, True, True) for sha256 in certificates}
    found = details(run("-L", "-n", nicknames[0]))
    told = {sha256: flags for sha256, flags in found if sha256 in certificates}
    sure = len(found) == len(told) == len(certificates) and sorted(told.values()) == sorted(flags for _nickname, flags in lines)
    return {sha256: Record(told.get(sha256, "?,?,?"), nicknames, len(certificates) == 1, sure) for sha256 in certificates}


def details(output):
    """[(SHA-256, flags)] of what `certutil -L -n` prints. Text of a certificate that feigns an entry only adds to them."""
    found = []
    for match in _SHA256.finditer(output):
        words = _TRUST.match(output, match.end() - 1)
        groups = words.groups() if words else (None, None, None)
        found.append((match.group(1).replace(":", "").lower(), ",".join(_letters(group or "") for group in groups)))
    return found


def _letters(lines):
    words = [line.strip() for line in lines.splitlines()]
    letters = "".join(letter for word, letter in _LETTERS if word in words)
    letters = letters.replace("p", "") if "P" in letters else letters
    valid = "Valid CA" in words and "C" not in letters and "T" not in letters
    return ("c" if valid else "") + letters


def _normal(flags):
    """Flags of the list in the form of `_letters`, which lacks those that are obsolete."""
    return ",".join("".join(letter for letter in "cpCTPuw" if letter in part) for part in flags.split(","))
