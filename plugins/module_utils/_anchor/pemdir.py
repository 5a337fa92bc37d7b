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
import tempfile

from ansible_collections.mailops.tls.plugins.module_utils import _files
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
from ansible_collections.mailops.tls.plugins.module_utils._anchor.pemfile import (
    allows_servers,
    is_effective,
    plan_file,
    refuse_shadow,
    verify_openssl,
    without,
)
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
        self._known_digest = None

    def effective(self):
        """Whether OpenSSL loads the certificate from the directory (bool)."""
        return directory_holds(self.path, self.anchor.sha256, self._digest())

    def plan(self, present, distrust):
        """What to do (Plan). Raises AnchorError."""
        if distrust:
            raise AnchorError(
                "a directory of PEM files cannot distrust a certificate that it does not hold: leave force_distrust out for it"
            )
        edits = self._add() if present else removal(self.path, self.anchor.sha256)
        return Plan(edits, mechanism=self.mechanism)

    def _add(self):
        digest = self._digest()
        if digest is None:
            raise AnchorError("a hashed directory needs the program openssl on the host, which is not there")
        names = names_in(self.path)
        first = next((name for name in entries_of(names, digest) if _held(self.path, name, self.anchor.sha256)), None)
        if first is not None:
            return self._mended(first)
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

    def _mended(self, name):
        """Edits that let the entry in which OpenSSL finds the certificate first allow TLS servers (list). Raises AnchorError."""
        path = os.path.realpath(os.path.join(self.path, name))
        data = read(path)
        if is_effective(data, self.anchor.sha256):
            return []
        if os.path.dirname(path) != self.path:
            raise AnchorError(
                "%s, to which %s in %s leads, forbids it for TLS servers; take it out there" % (path, name, self.path)
            )
        return [plan_file(path, data, self.anchor, True)]

    def _file_name(self, names):
        """The name of a file that holds this certificate and nothing else already, or None."""
        for name in names:
            path = os.path.join(self.path, name)
            if os.path.isfile(path) and not os.path.islink(path) and not _HASHED.match(name) and _only(path, self.anchor.sha256):
                return name
        return None

    def _digest(self):
        """The hash of the subject, asked for once; None without openssl."""
        if self._known_digest is None:
            self._known_digest = subject_hash(self.tools, self.anchor)
        return self._known_digest

    def verify(self, present):
        """Raises AnchorError where the directory does not have the wanted effect."""
        self._verify(self.path, present)

    def _verify(self, path, present):
        self.verified_by = ["directory"]
        if directory_holds(path, self.anchor.sha256, self._digest()) != present:
            raise AnchorError("OpenSSL would %sload it from %s" % ("not " if present else "still ", self.path))
        refuse_shadow(self.anchor, present, directory_blocks(path, self._digest()), self.path)
        self.verified_by += verify_openssl(self.tools, self.anchor, present, ["-CApath", path], self.path)

    def foresee(self, plan, present, scratch):
        """Raises AnchorError where the directory would not have the wanted effect after the change; tried below `scratch`."""
        if not plan:
            self.verify(present)
            return
        planned = {edit.path: edit.after for edit in plan.edits}
        names = set(names_in(self.path)) | {os.path.basename(path) for path in planned}
        directory = tempfile.mkdtemp(prefix=_files.PREFIX, dir=scratch)
        try:
            for name in entries_of(names, self._digest()):
                data = self._planned(name, planned)
                if data is not None:
                    _files.write(os.path.join(directory, name), data)
            self._verify(directory, present)
        finally:
            _files.remove(directory)

    def _planned(self, name, planned):
        """What OpenSSL would read at a name after the edits (bytes or None)."""
        path = os.path.join(self.path, name)
        try:
            value = planned[path] if path in planned else content(path)
            if isinstance(value, Link):
                path = os.path.realpath(os.path.join(self.path, value.target))
                value = planned[path] if path in planned else read(path)
        except ProbeError:
            return b""  # like one that cannot be read, OpenSSL stops at it
        return value

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


def _only(path, sha256):
    """Whether a file holds the certificate and no other. What cannot be read, or is too large to be one, does not."""
    try:
        data = read(path)
    except ProbeError:
        return False
    return is_effective(data, sha256) and not _others(data, sha256)


def subject_hash(tools, anchor):
    """By which OpenSSL finds the certificate in a directory (8 hex digits), None without openssl. Raises AnchorError."""
    openssl = tools.find("openssl")
    if openssl is None:
        return None
    status, output = tools.run([openssl, "x509", "-noout", "-hash"], given=anchor.pem)
    digest = output.strip().splitlines()[-1] if output.strip() else ""
    if status or not re.match(r"[0-9a-f]{8}\Z", digest):
        raise AnchorError("openssl cannot read the certificate: %s" % last_words(output))
    return digest


def entries_of(names, digest):
    """The names that OpenSSL opens for a subject, in its order; for all subjects where that is None."""
    found = [name for name in loadable(names) if digest is None or name.startswith(digest)]
    return sorted(found, key=lambda name: (name[:8], int(name[9:])))


def directory_blocks(directory, digest):
    """The certificates that OpenSSL loads for a subject, in its order (list of Block). Raises ProbeError."""
    found = []
    for name in entries_of(names_in(directory), digest):
        try:
            found += scan(read(os.path.join(directory, name)) or b"")[0]
        except ProbeError:
            continue  # nor can OpenSSL
    return found


def directory_holds(directory, sha256, digest):
    """Whether OpenSSL loads a certificate, found by the hash of its subject, and may use it (bool). Raises ProbeError.

    The first copy decides: OpenSSL drops one that it has already.
    """
    first = next((block for block in directory_blocks(directory, digest) if block.sha256 == sha256), None)
    return first is not None and allows_servers(first)


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
