# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""What a distribution builds its bundle from: anchors and blocks of the administrator, and what was deselected.

A file that lies there and has no effect on the bundle is what an administrator cannot see.
"""

import base64
import hashlib
import os
import re
import shutil
import stat

from ansible_collections.mailops.tls.plugins.module_utils._probe.base import ProbeError, plain
from ansible_collections.mailops.tls.plugins.module_utils._probe.pem import scan, sequence_length
from ansible_collections.mailops.tls.plugins.module_utils._probe.store import list_names, read_file

MAX_FILES = 1000
MAX_FILE = 1048576
MAX_DEPTH = 3
MAX_FOUND = 100
MAX_PROBLEMS = 20
P11_KIT = b"[p11-kit-object-v1]"
_ATTRIBUTE = re.compile(rb"^[ \t]*(trusted|x-distrusted)[ \t]*:[ \t]*(true|false)[ \t\r]*$", re.M)
ADMINISTRATION = ["/usr/local/sbin", "/usr/sbin", "/sbin"]


class _Sources(object):
    """What was found so far, within bounds."""

    def __init__(self, job):
        self.job = job
        self.wanted = job.options["select"]["sha256"]
        self.left = MAX_FILES
        self.found = []
        self.problems = []

    def problem(self, path, reason):
        """Something that could not be looked at."""
        if len(self.problems) < MAX_PROBLEMS:
            self.problems.append({"path": _shown(path), "reason": reason})

    def read(self, kind, path):
        """Look for what was asked for in one file."""
        if self.left <= 0:
            self.problem(path, "too_large")
            return
        self.left -= 1
        try:
            data = read_file(path, MAX_FILE)[0]
        except ProbeError as exc:
            # Links that lead nowhere are what a removed package leaves behind.
            if exc.code not in ("missing", "not_a_file"):
                self.problem(path, exc.code)
            return
        for certificate in _certificates(data):
            if certificate["sha256"] in self.wanted and len(self.found) < MAX_FOUND:
                self.found.append(dict(certificate, kind=kind, path=_shown(path)))

    def walk(self, kind, path, depth):
        """Look into a directory and those below it."""
        try:
            names = list_names(path)[0]
        except ProbeError as exc:
            if exc.code not in ("missing", "not_a_directory"):
                self.problem(path, exc.code)
            return
        for name in names:
            whole = os.path.join(path, name)
            if not _is_directory(whole):
                self.read(kind, whole)
            elif depth > 1:
                self.walk(kind, whole, depth - 1)

    def deselected(self, path, base):
        """Look at what /etc/ca-certificates.conf takes out with an exclamation mark, below `base`."""
        try:
            data = read_file(path, MAX_FILE)[0]
        except ProbeError as exc:
            if exc.code != "missing":
                self.problem(path, exc.code)
            return
        for line in data.decode("utf-8", "replace").splitlines():
            name = line[1:].strip()
            # Names with .. would lead out of the directory of the packages.
            if line.startswith("!") and name and ".." not in name.split("/") and not name.startswith("/"):
                self.read("deselected", os.path.join(base, name))


def sources(job):
    """Answer a `sources`."""
    job.enter("read")
    # A user's PATH often lacks the directories of what an administrator runs.
    search = os.pathsep.join([job.run.environ.get("PATH", os.defpath)] + ADMINISTRATION)
    job.put(tools=[tool for tool in job.options["tools"] if shutil.which(tool, path=search)])
    found = _Sources(job)
    for place in job.options["places"]:
        if place["kind"] == "deselected":
            found.deselected(place["path"], place["base"])
        else:
            found.walk(place["kind"], place["path"], min(place["depth"], MAX_DEPTH))
        job.put(problems=list(found.problems))
        job.put_bulk(found=[dict(item) for item in found.found])


def _certificates(data):
    """Each certificate in the file, whichever way it is written: form, sha256, base64 DER, and what p11-kit's own form says."""
    if data[:1] == b"\x30" and sequence_length(data) == len(data):
        yield _certificate("der", hashlib.sha256(data).hexdigest(), data, {})
        return
    # An object of p11-kit's persistent form is a section: attributes, and the certificate as PEM among them.
    first, sections = data, []
    if P11_KIT in data:
        parts = data.split(P11_KIT)
        first, sections = parts[0], parts[1:]
    for block in scan(first)[0]:
        yield _certificate("pem", block.sha256, block.der, {})
    for section in sections:
        said = {name.decode("ascii"): value == b"true" for name, value in _ATTRIBUTE.findall(section)}
        for block in scan(section)[0]:
            yield _certificate("p11-kit", block.sha256, block.der, said)


def _certificate(form, sha256, der, said):
    told = {"form": form, "sha256": sha256, "der": base64.b64encode(der).decode("ascii")}
    return dict(told, trusted=said.get("trusted", False), distrusted=said.get("x-distrusted", False))


def _is_directory(path):
    try:
        return stat.S_ISDIR(os.stat(path).st_mode)
    except OSError:
        return False


def _shown(path):
    return plain(os.fsencode(path).decode("utf-8", "replace"), 500)
