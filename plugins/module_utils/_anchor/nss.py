# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""Databases of NSS (cert9.db), changed by the host's own certutil on a copy.

Trust flags are signed with a key of key4.db, so a change is of two files. They are replaced one after the other, in the order
in which every moment between is whole: what signs first where a certificate comes, last where one goes. Where only the flags
of a certificate change it counts as not trusted in that moment, and other certificates stay as they are.
"""

import functools
import os
import re
import tempfile

from ansible_collections.mailops.tls.plugins.module_utils import _files
from ansible_collections.mailops.tls.plugins.module_utils._anchor.common import (
    AnchorError,
    Edit,
    NoStoreError,
    Plan,
    is_gone,
    last_words,
    read,
)
from ansible_collections.mailops.tls.plugins.module_utils._anchor.nsslist import list_records

FILES = ("cert9.db", "key4.db", "pkcs11.txt")
DISTRUST = "p,p,p"
# A colon makes certutil read a token's name, and a line feed tears its list apart.
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
        database = os.path.join(self.path, FILES[0])
        if not os.path.isfile(database):
            error = NoStoreError if is_gone(database) else AnchorError
            raise error("there is no %s in %s; make the database with certutil -N first" % (FILES[0], path))
        self.certutil = tools.find("certutil")
        if self.certutil is None:
            raise AnchorError(
                "a database of NSS needs certutil on the host, which is not there (package libnss3-tools or nss-tools)"
            )
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

    def _records(self, directory=None):
        """{SHA-256: Record} of all certificates."""
        return list_records(functools.partial(self._run, directory or self.path))

    def _own(self, records):
        """The Record of the certificate, or None. Raises AnchorError where its flags cannot be told from those of others."""
        own = records.get(self.anchor.sha256)
        if own is not None and not own.sure:
            raise AnchorError(
                "%s has several certificates of the subject of this one, and certutil does not tell which flags are whose; "
                "nothing can be changed there safely" % self.path
            )
        return own

    def effective(self):
        """Whether the database trusts the certificate as a CA of TLS servers (bool)."""
        own = self._own(self._records())
        return own is not None and own.anchor

    @staticmethod
    def _state(present, distrust, own):
        """Whether all is as wanted (bool)."""
        if distrust:
            return own is not None and own.distrusted
        return (own is not None and own.anchor) == present

    def plan(self, present, distrust):
        """What to do (Plan). Raises AnchorError."""
        for name in FILES[:2]:
            if any(os.path.exists(os.path.join(self.path, name + ending)) for ending in ("-journal", "-wal")):
                raise AnchorError(
                    "%s in %s is being changed by another program; try again when that has ended" % (name, self.path)
                )
        before = {name: read(os.path.join(self.path, name)) for name in FILES}
        records = self._records()
        own = self._own(records)
        self.wanted = (present, distrust)
        if self._state(present, distrust, own):
            return Plan(mechanism=self.mechanism)
        if own is None and any(self.nickname in record.nicknames for record in records.values()):
            raise AnchorError("the nickname %s is that of another certificate in %s; give another" % (self.nickname, self.path))
        after, left = self._changed(before, records, present, distrust)
        order = (FILES[1], FILES[0]) if left else FILES[:2]
        edits = [
            Edit(os.path.join(self.path, name), before[name], after[name], shown=("", ""))
            for name in order
            if before[name] != after[name]
        ]
        if edits:
            edits[-1].shown = (self._shown(own), self._shown(left))
        mechanism = self.mechanism + (" (distrust)" if distrust else " (flags taken)" if left and not present else "")
        return Plan(edits, mechanism=mechanism)

    def _shown(self, record):
        """A certificate in the diff (str)."""
        if record is None:
            return ""
        return "%s %s %s\n" % (" or ".join(sorted(set(record.nicknames))), self.anchor.sha256, record.flags)

    def _changed(self, before, records, present, distrust):
        """(the bytes of the files after the change, the Record of the certificate in them or None). Raises AnchorError."""
        *attempts, last = self._attempts(self._own(records), present, distrust)
        for command in attempts:
            try:
                return self._tried(before, command, records, present, distrust)
            except AnchorError:
                continue  # the copy is spoilt, the next attempt has its own
        return self._tried(before, last, records, present, distrust)

    def _tried(self, before, command, records, present, distrust):
        """As _changed, by one command of certutil."""
        directory = tempfile.mkdtemp(prefix=_files.PREFIX, dir=self.scratch or self.path)
        try:
            for name in FILES:
                if before[name] is not None:
                    descriptor = os.open(os.path.join(directory, name), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
                    with os.fdopen(descriptor, "wb") as stream:
                        stream.write(before[name])
            self._run(directory, *command, given=self.anchor.pem)
            after = self._records(directory)
            if self._others(after) != self._others(records):
                raise AnchorError("certutil made other changes to a copy of %s than it was asked for" % self.path)
            left = self._own(after)
            if not self._state(present, distrust, left):
                raise AnchorError("certutil did not bring a copy of %s to the wanted state" % self.path)
            return {name: read(os.path.join(directory, name)) for name in FILES}, left
        finally:
            _files.remove(directory)

    def _others(self, records):
        """{SHA-256: flags} of the certificates that nobody asked to change."""
        return {sha256: record.flags for sha256, record in records.items() if sha256 != self.anchor.sha256}

    def _attempts(self, own, present, distrust):
        """Arguments of certutil, the best first (list of lists). What is not what was asked for is seen on the copy.

        -A with the certificate itself sets flags of exactly that. -D goes by nickname only, and may take another of that
        subject; where no nickname leads to this one alone it stays, without flags.
        """
        add = ["-A", "-a", "-n", own.nicknames[0] if own else self.nickname, "-t"]
        if distrust:
            return [add + [DISTRUST]]
        if present:
            mail_and_code = own.flags.split(",", 1)[1] if own and "p" not in own.flags else ","
            return [add + ["C," + mail_and_code.replace("u", "")]]
        return [["-D", "-n", name] for name in own.nicknames if own.nicknames.count(name) == 1] + [add + [",,"]]

    def verify(self, present):
        """Raises AnchorError where certutil does not see the wanted state."""
        self.verified_by = ["certutil -L"]
        own = self._own(self._records())
        if not self._state(self.wanted[0], self.wanted[1], own):
            raise AnchorError(
                "certutil does not see the wanted flags in %s: it has %s" % (self.path, own.flags if own else "none")
            )
        if own is None or not own.alone:
            return  # -V goes by nickname, and takes another certificate of the subject for the issuer
        name = own.nicknames[0]
        status, _output = self.tools.run([self.certutil, "-V", "-n", name, "-u", "L", "-d", "sql:" + self.path])
        if status == 0 and not present:
            raise AnchorError("certutil -V still takes %s in %s for a CA of TLS servers" % (name, self.path))
        if status == 0:
            self.verified_by.append("certutil -V")

    def foresee(self, _plan, _present, _scratch):
        """The plan was made by trying it."""

    def refresh(self):
        """Nothing is built from a database."""
