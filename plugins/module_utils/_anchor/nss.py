# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""Databases of NSS (cert9.db), changed by the host's own certutil on a copy.

Trust flags are signed with a key of key4.db, so a change is of two files. They are replaced one after the other, in the order
in which every moment between is whole: what signs first where a certificate comes, last where one goes. Where only the flags
of a certificate change it counts as not trusted in that moment, and other certificates stay as they are.
"""

import os
import re
import tempfile

from ansible_collections.mailops.tls.plugins.module_utils import _files
from ansible_collections.mailops.tls.plugins.module_utils._anchor.common import AnchorError, Edit, Plan, last_words, read
from ansible_collections.mailops.tls.plugins.module_utils._probe.pem import scan

FILES = ("cert9.db", "key4.db", "pkcs11.txt")
DISTRUST = "p,p,p"
_LINE = re.compile(r"^(.*?)\s+([a-zA-Z]*,[a-zA-Z]*,[a-zA-Z]*)\s*$")
# A name that certutil's own commands read as something else, or that tears its list apart.
_NICKNAME = re.compile(r"[^\x00-\x1f\x7f]{1,200}\Z")


class NssStore(object):
    """One database, by its directory."""

    kind = "nss"
    mechanism = "certutil"

    def __init__(self, path, anchor, tools, password=None, nickname=None, scratch=None):
        path = path[4:] if path.startswith("sql:") else path
        if os.path.basename(path) == FILES[0]:
            path = os.path.dirname(path)
        self.path = os.path.realpath(path)
        self.anchor = anchor
        self.tools = tools
        self.password = password
        self.nickname = nickname or "%s-%s" % (anchor.label, anchor.sha256[:16])
        self.scratch = scratch
        self.places = [self.path]
        self.lock_at = self.path
        self.verified_by = []
        self.warnings = []
        self.certutil = tools.find("certutil")
        if self.certutil is None:
            raise AnchorError(
                "a database of NSS needs certutil on the host, which is not there (package libnss3-tools or nss-tools)"
            )
        if not os.path.isfile(os.path.join(self.path, FILES[0])):
            raise AnchorError("there is no %s in %s; make the database with certutil -N first" % (FILES[0], path))
        if not _NICKNAME.match(self.nickname) or ":" in self.nickname:
            raise AnchorError("nickname: a name without colon and control characters, of at most 200 characters")

    def _run(self, directory, *arguments, **more):
        with tempfile.TemporaryFile() as stream:
            command = [self.certutil] + list(arguments) + ["-d", "sql:" + directory]
            files = []
            if self.password is not None:
                stream.write(self.password.encode("utf-8") + b"\n")
                stream.flush()
                files = [stream]
                command += ["-f", "/dev/fd/%d" % stream.fileno()]
            status, output = self.tools.run(command, files=files, **more)
        if status:
            raise AnchorError("certutil refuses %s: %s" % (self.path, last_words(output)))
        return output

    def _trusts(self, directory=None):
        """{nickname: (flags, set of SHA-256)} of all certificates."""
        directory = directory or self.path
        found = {}
        for line in self._run(directory, "-L").splitlines():
            match = _LINE.match(line)
            if match and not line.startswith(" ") and "SSL,S/MIME" not in line:
                blocks = scan(self._run(directory, "-L", "-a", "-n", match.group(1)).encode("utf-8"))[0]
                found[match.group(1)] = (match.group(2), frozenset(block.sha256 for block in blocks))
        return found

    def _own(self, trusts):
        """Nicknames of the certificate, and their flags (dict)."""
        return {name: value[0] for name, value in trusts.items() if self.anchor.sha256 in value[1]}

    @staticmethod
    def _trusted(flags):
        return "C" in flags.split(",")[0]

    def effective(self):
        """Whether the database trusts the certificate as a CA of TLS servers (bool)."""
        return any(self._trusted(flags) for flags in self._own(self._trusts()).values())

    def _state(self, present, distrust, own):
        """Whether all is as wanted (bool)."""
        if present:
            return any(self._trusted(flags) for flags in own.values())
        if distrust:
            return bool(own) and all("p" in flags.split(",")[0] and not self._trusted(flags) for flags in own.values())
        return not any(self._trusted(flags) for flags in own.values())

    def plan(self, present, distrust):
        """What to do (Plan). Raises AnchorError."""
        for name in FILES[:2]:
            if any(os.path.exists(os.path.join(self.path, name + ending)) for ending in ("-journal", "-wal")):
                raise AnchorError(
                    "%s in %s is being changed by another program; try again when that has ended" % (name, self.path)
                )
        before = {name: read(os.path.join(self.path, name)) for name in FILES}
        trusts = self._trusts()
        own = self._own(trusts)
        self.wanted = (present, distrust)
        if self._state(present, distrust, own):
            return Plan(mechanism=self.mechanism)
        if not own and self.nickname in trusts:
            raise AnchorError("the nickname %s is that of another certificate in %s; give another" % (self.nickname, self.path))
        after = self._changed(before, trusts, own, present, distrust)
        order = FILES[:2] if not present and not distrust else (FILES[1], FILES[0])
        edits = [
            Edit(os.path.join(self.path, name), before[name], after[name], shown=("", ""))
            for name in order
            if before[name] != after[name]
        ]
        flags = DISTRUST if distrust else "C,," if present else None
        shown = "".join("%s %s %s\n" % (name, self.anchor.sha256, own[name]) for name in sorted(own))
        edits[-1].shown = (
            shown,
            "%s %s %s\n" % ((sorted(own) or [self.nickname])[0], self.anchor.sha256, flags) if flags else "",
        )
        return Plan(edits, mechanism=self.mechanism + (" (distrust)" if distrust else ""))

    def _changed(self, before, trusts, own, present, distrust):
        """The bytes of the files after the change (dict). Raises AnchorError."""
        directory = tempfile.mkdtemp(prefix=_files.PREFIX, dir=self.scratch or self.path)
        try:
            for name in FILES:
                if before[name] is not None:
                    descriptor = os.open(os.path.join(directory, name), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
                    with os.fdopen(descriptor, "wb") as stream:
                        stream.write(before[name])
            self._commands(directory, own, present, distrust)
            after = self._trusts(directory)
            others = {name: value for name, value in trusts.items() if name not in own}
            if {name: value for name, value in after.items() if name in others} != others:
                raise AnchorError("certutil made other changes to a copy of %s than it was asked for" % self.path)
            if not self._state(present, distrust, self._own(after)):
                raise AnchorError("certutil did not bring a copy of %s to the wanted state" % self.path)
            return {name: read(os.path.join(directory, name)) for name in FILES}
        finally:
            _files.remove(directory)

    def _commands(self, directory, own, present, distrust):
        if not present and not distrust:
            for name in sorted(own):
                self._run(directory, "-D", "-n", name)
        elif own:
            for name in sorted(own):
                mail_and_code = own[name].split(",", 1)[1] if present and "p" not in own[name] else ","
                self._run(directory, "-M", "-n", name, "-t", DISTRUST if distrust else "C," + mail_and_code)
        else:
            flags = DISTRUST if distrust else "C,,"
            self._run(directory, "-A", "-a", "-n", self.nickname, "-t", flags, given=self.anchor.pem)

    def verify(self, present):
        """Raises AnchorError where certutil does not see the wanted state."""
        self.verified_by = ["certutil -L"]
        own = self._own(self._trusts())
        if not self._state(self.wanted[0], self.wanted[1], own):
            raise AnchorError(
                "certutil does not see the wanted flags in %s: it has %s" % (self.path, sorted(own.values()) or "none")
            )
        for name in sorted(own):
            status, _output = self.tools.run([self.certutil, "-V", "-n", name, "-u", "L", "-d", "sql:" + self.path])
            if status == 0 and not present:
                raise AnchorError("certutil -V still takes %s in %s for a CA of TLS servers" % (name, self.path))
            if status == 0:
                self.verified_by.append("certutil -V")

    def refresh(self):
        """Nothing is built from a database."""
