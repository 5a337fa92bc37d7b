# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""A directory of certificates as OpenSSL reads it: by hash of the subject, numbered from 0 without a gap.

Only the links of this certificate are made. `openssl rehash` would also make every other file of the directory count,
which nobody asked for.
"""

import os
import re

from ansible_collections.mailops.tls.plugins.module_utils._anchor.common import (
    AnchorError,
    Edit,
    Link,
    Plan,
    content,
    holds,
    last_words,
    names_in,
    read,
)
from ansible_collections.mailops.tls.plugins.module_utils._anchor.pemfile import is_effective, verify_openssl, without
from ansible_collections.mailops.tls.plugins.module_utils._probe.base import ProbeError
from ansible_collections.mailops.tls.plugins.module_utils._probe.pem import scan
from ansible_collections.mailops.tls.plugins.module_utils._probe.store import loadable

_HASHED = re.compile(r"([0-9a-f]{8})\.([0-9]{1,4})\Z")


class PemDirectory(object):
    """One hashed directory as a store."""

    kind = "pem_directory"
    mechanism = "PEM directory"

    def __init__(self, path, anchor, tools):
        self.path = os.path.realpath(path)
        self.anchor = anchor
        self.tools = tools
        self.places = [self.path]
        self.lock_at = self.path
        self.verified_by = []
        self.warnings = []

    def effective(self):
        """Whether OpenSSL loads the certificate from the directory (bool)."""
        return directory_holds(self.path, self.anchor.sha256)

    def plan(self, present, distrust):
        """What to do (Plan). Raises AnchorError."""
        if distrust:
            raise AnchorError(
                "a directory of PEM files cannot distrust a certificate that it does not hold: leave force_distrust out for it"
            )
        edits = self._add() if present else removal(self.path, self.anchor.sha256)
        return Plan(edits, mechanism=self.mechanism)

    def _add(self):
        if self.effective():
            return []
        digest = self._subject_hash()
        names = names_in(self.path)
        name = self._file_name(names)
        edits = []
        if name is None:
            name = self.anchor.file_stem + ".pem"
            edits.append(Edit(os.path.join(self.path, name), content(os.path.join(self.path, name)), self.anchor.pem))
        number = 0
        while "%s.%d" % (digest, number) in names and os.path.exists(os.path.join(self.path, "%s.%d" % (digest, number))):
            number += 1
        path = os.path.join(self.path, "%s.%d" % (digest, number))
        return edits + [Edit(path, content(path), Link(name))]

    def _file_name(self, names):
        """The name of a file that holds this certificate and nothing else already, or None."""
        for name in names:
            path = os.path.join(self.path, name)
            if os.path.isfile(path) and not os.path.islink(path) and not _HASHED.match(name):
                data = read(path)
                if is_effective(data, self.anchor.sha256) and len(_others(data, self.anchor.sha256)) == 0:
                    return name
        return None

    def _subject_hash(self):
        """By which OpenSSL looks for it (8 hex digits). Raises AnchorError without openssl."""
        openssl = self.tools.find("openssl")
        if openssl is None:
            raise AnchorError("a hashed directory needs the program openssl on the host, which is not there")
        status, output = self.tools.run([openssl, "x509", "-noout", "-hash"], given=self.anchor.pem)
        digest = output.strip().splitlines()[-1] if output.strip() else ""
        if status or not re.match(r"[0-9a-f]{8}\Z", digest):
            raise AnchorError("openssl cannot read the certificate: %s" % last_words(output))
        return digest

    def verify(self, present):
        """Raises AnchorError where the directory does not have the wanted effect."""
        self.verified_by = ["directory"]
        if self.effective() != present:
            raise AnchorError("OpenSSL would %sload it from %s" % ("not " if present else "still ", self.path))
        self.verified_by += verify_openssl(self.tools, self.anchor, present, ["-CApath", self.path])

    def refresh(self):
        """Nothing is built from the directory."""


def _others(data, sha256):
    return [block for block in scan(data)[0] if block.sha256 != sha256]


def _held(directory, name, sha256):
    """Whether a file of the directory holds the certificate; what cannot be read does not, for OpenSSL either."""
    path = os.path.join(directory, name)
    try:
        return os.path.isfile(path) and holds(read(path), sha256)
    except ProbeError:
        return False


def directory_holds(directory, sha256):
    """Whether OpenSSL loads a certificate from a hashed directory (bool). Raises ProbeError."""
    for name in sorted(loadable(names_in(directory))):
        if _held(directory, name, sha256) and is_effective(read(os.path.join(directory, name)), sha256):
            return True
    return False


def removal(directory, sha256):
    """Edits that take a certificate out of a directory: links before the files that they lead to."""
    found = [name for name in names_in(directory) if _held(directory, name, sha256)]
    links, files = [], []
    for name in found:
        path = os.path.join(directory, name)
        before = content(path)
        inside = os.path.dirname(os.path.realpath(path)) == os.path.realpath(directory)
        rest = without(before, sha256) if not isinstance(before, Link) else b""
        if isinstance(before, Link):
            target = read(path)
            if _others(target, sha256) and inside:
                continue  # the file keeps its other certificates, and so its link
            links.append(name)
        elif _others(before, sha256):
            files.append(Edit(path, before, rest))
        elif _HASHED.match(name):
            links.append(name)
        else:
            files.append(Edit(path, before, None))
    return close_gaps(directory, links) + files


def close_gaps(directory, names):
    """Edits that remove entries of a directory. The last of a hash takes the place of one that goes, because OpenSSL stops at
    the first number that is not there."""
    edits, present = [], set(names_in(directory))
    now = {}
    for name in sorted(names, reverse=True):
        path = os.path.join(directory, name)
        match = _HASHED.match(name)
        last = int(match.group(2)) if match else 0
        while match and "%s.%d" % (match.group(1), last + 1) in present:
            last += 1
        before = now.get(name, content(path))
        if match and last != int(match.group(2)):
            moved = "%s.%d" % (match.group(1), last)
            value = now.get(moved, content(os.path.join(directory, moved)))
            edits.append(Edit(path, before, value))
            edits.append(Edit(os.path.join(directory, moved), value, None))
            now[name] = value
            present.discard(moved)
        else:
            edits.append(Edit(path, before, None))
            present.discard(name)
    return edits
