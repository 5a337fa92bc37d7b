# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""The system's store: sources of the administrator and the vendor, and what the distribution's tool builds of them.

What counts is what was built. A file that the tool ignores shows by that.
"""

import os
import re
import tempfile

from ansible_collections.mailops.tls.plugins.module_utils._anchor.common import (
    AnchorError,
    Edit,
    Link,
    Plan,
    content,
    holds,
    holds_file,
    last_words,
    make_directory,
    names_in,
    read,
)
from ansible_collections.mailops.tls.plugins.module_utils._anchor.layout import detect
from ansible_collections.mailops.tls.plugins.module_utils._anchor.pemdir import (
    close_gaps,
    directory_blocks,
    directory_holds,
    subject_hash,
)
from ansible_collections.mailops.tls.plugins.module_utils._anchor.pemfile import (
    explain,
    is_effective,
    plan_file,
    refuse_shadow,
    verify_openssl,
)
from ansible_collections.mailops.tls.plugins.module_utils._files import PREFIX, remove
from ansible_collections.mailops.tls.plugins.module_utils._probe.base import ProbeError
from ansible_collections.mailops.tls.plugins.module_utils._probe.pem import scan, sequence_length
from ansible_collections.mailops.tls.plugins.module_utils._probe.store import loadable

MAX_FILES = 5000
#: An attribute of p11-kit's own format of files.
_DISTRUSTED = re.compile(rb"^x-distrusted:[ \t]*true", re.M)


class SystemStore(object):
    """What all layouts share."""

    kind = "system"

    def __init__(self, layout, anchor, tools):
        self.layout = layout
        self.anchor = anchor
        self.tools = tools
        self.path = layout.bundle()
        self.lock_at = os.path.dirname(self.path)
        self.places = [self.lock_at, layout.anchors]
        self.mechanism = os.path.basename(layout.command()[0])
        self.verified_by = []
        self.warnings = []

    def in_bundle(self):
        """Whether programs that read the bundle trust the certificate (bool)."""
        return is_effective(read(self.path), self.anchor.sha256)

    def effective(self):
        """Whether what was built trusts the certificate (bool)."""
        return self.in_bundle()

    def sources(self, *directories):
        """Paths of the files below directories that hold the certificate, links followed, sorted."""
        found, count = [], 0
        for directory in directories:
            if os.path.isfile(directory):
                found.append(directory)
            for top, folders, names in os.walk(directory, followlinks=False):
                folders.sort()
                for name in sorted(names):
                    count += 1
                    if count > MAX_FILES:
                        raise AnchorError("more than %d files below %s" % (MAX_FILES, directory))
                    found.append(os.path.join(top, name))
        return [path for path in found if self._source_holds(path)]

    def _source_holds(self, path):
        try:
            return holds_file(read(path), self.anchor.sha256)
        except ProbeError:
            return False  # the tool that builds cannot read it either

    def taken_out(self, path, staging=None):
        """The edit that takes the certificate out of a source file, which goes when it held nothing else."""
        before = content(path)
        data = read(path)
        if isinstance(before, Link) or sequence_length(data) == len(data) or len(scan(data)[0]) == 1:
            return Edit(path, before, None, shown=(self.anchor.pem.decode(), ""), staging=staging)
        return plan_file(path, before, self.anchor, False, staging)

    def added(self, directory, ending, staging=None):
        """The edit that puts the certificate into a source directory."""
        path = os.path.join(directory, self.anchor.file_stem + ending)
        return Edit(path, content(path), self.anchor.pem, shown=("", self.anchor.pem.decode()), staging=staging)

    def refresh(self):
        """Build the store again from its sources. Raises AnchorError where the tool fails."""
        before = self.certificates()
        command = self.layout.command()
        status, output = self.tools.run(command)
        if status:
            raise AnchorError("%s ended with status %d: %s" % (os.path.basename(command[0]), status, last_words(output)))
        lost = len(before - self.certificates() - {self.anchor.sha256})
        if lost:
            self.warnings.append("%s also removed %d other certificates, which its sources lacked before" % (command[0], lost))

    def certificates(self):
        """SHA-256 of all that is in the bundle (set)."""
        return {block.sha256 for block in scan(read(self.path) or b"")[0]}

    def verify(self, present):
        """Raises AnchorError where what was built does not have the wanted effect."""
        self.verified_by = ["bundle"]
        data = read(self.path)
        if is_effective(data, self.anchor.sha256) != present:
            raise AnchorError(
                "%s was run, but %s %s the certificate: %s"
                % (self.mechanism, self.path, "lacks" if present else "still trusts", self._reason(data))
            )
        refuse_shadow(self.anchor, present, scan(data or b"")[0], self.path)
        self.verified_by += verify_openssl(self.tools, self.anchor, present, ["-CAfile", self.path])

    def _reason(self, data):
        """What may explain that a bundle does not have the wanted effect (str)."""
        if scan(data or b"")[1]:
            return explain(data)
        found = self.sources(self.layout.anchors, *(self.layout.blocklists + self.layout.vendor))
        return "of what it is built from, it is in %s" % (", ".join(found[:5]) or "nothing")

    def foresee(self, plan, present, _scratch):
        """What the tool would build shows only by running it."""
        if not plan:
            self.verify(present)


class DebianStore(SystemStore):
    """Debian, Ubuntu and Alpine: a list of the vendor's files with `!` before what is disabled, and *.crt files of one's own."""

    _digest = None

    def _directory_state(self):
        """Whether the hashed directory has the certificate (bool), None where it is not hashed."""
        directory = self.layout.hashed_directory()
        if directory is None or not loadable(names_in(directory)):
            return None
        if self._digest is None:
            self._digest = subject_hash(self.tools, self.anchor)
        return directory_holds(directory, self.anchor.sha256, self._digest)

    def effective(self):
        """Whether both the bundle and the hashed directory have it; one without the other is what a killed run leaves."""
        return self.in_bundle() and self._directory_state() is not False

    def _gone(self):
        return not self.in_bundle() and not self._directory_state()

    def plan(self, present, distrust):
        """What to do (Plan). Raises AnchorError."""
        vendor = [self._listed(path) for path in self.sources(*self.layout.vendor) if path.endswith(".crt")]
        local = [path for path in self.sources(self.layout.anchors) if path.endswith(".crt")]
        if present:
            return self._plan_present(vendor, local)
        if distrust and not vendor:
            raise AnchorError(
                "this distribution has no list of blocked certificates, only of its own files, and this is in none of them: "
                "it cannot be kept from coming later. Leave force_distrust out for this host"
            )
        edits = self._links(local) + [self.taken_out(path) for path in local]
        conf = self._conf([name for name in vendor if distrust or not self._gone()], True)
        mechanism = self.mechanism + (", ! in " + self.layout.conf if conf else "")
        stale = not self._gone() or self._dangling()
        return Plan(edits + conf, refresh=bool(edits or conf or stale), mechanism=mechanism)

    def _plan_present(self, vendor, local):
        if self.effective():
            return Plan(refresh=bool(self._dangling()), mechanism=self.mechanism)
        rejecting = [path for path in local if self._rejects(path)]
        edits = self._links(rejecting) + [self.taken_out(path) for path in rejecting]
        if vendor:
            conf = self._conf(vendor[:1], False)
            return Plan(edits + conf, refresh=True, mechanism=self.mechanism + ", " + self.layout.conf)
        if not any(self._usable(path) for path in local):
            edits.append(self.added(self.layout.anchors, ".crt"))
        return Plan(edits, refresh=True, mechanism=self.mechanism)

    def _rejects(self, path):
        """Whether a file of one's own holds the certificate in a block that forbids TLS servers (bool)."""
        data = read(path)
        return holds(data, self.anchor.sha256) and not is_effective(data, self.anchor.sha256)

    def _usable(self, path):
        """Whether bundle and directory are built from a file: `openssl rehash` passes over one of several certificates."""
        data = read(path)
        return is_effective(data, self.anchor.sha256) and len(scan(data)[0]) == 1

    def _listed(self, path):
        """The name of a vendor's file as the list has it."""
        return os.path.relpath(path, self.layout.vendor[0])

    def _conf(self, names, disable):
        """The edit of the list (list of Edit): `!` before names, or removed; a name that it lacks is added at the end."""
        before = read(self.layout.conf)
        lines = (before or b"").splitlines(True)
        for name in names:
            plain, barred = os.fsencode(name), b"!" + os.fsencode(name)
            wanted, other = (barred, plain) if disable else (plain, barred)
            if any(line.rstrip(b"\r\n") == wanted for line in lines) and not any(line.rstrip(b"\r\n") == other for line in lines):
                continue
            there = [line for line in lines if line.rstrip(b"\r\n") in (plain, barred)]
            if there:
                lines = [
                    wanted + line[len(line.rstrip(b"\r\n")) :] if line.rstrip(b"\r\n") in (plain, barred) else line
                    for line in lines
                ]
            else:
                if lines and not lines[-1].endswith(b"\n"):
                    lines[-1] += b"\n"
                lines.append(wanted + b"\n")
        after = b"".join(lines)
        return [Edit(self.layout.conf, before, after)] if after != (before or b"") else []

    def _links(self, sources):
        """Edits of the hashed directory: links to files that go. update-ca-certificates leaves them, and OpenSSL stops looking
        for more certificates of a name at a link that leads nowhere."""
        directory = self.layout.hashed_directory()
        if directory is None:
            return []
        goes = {os.path.realpath(path) for path in sources if self.taken_out(path).after is None}
        names = [name for name in names_in(directory) if os.path.islink(os.path.join(directory, name))]
        return close_gaps(directory, [name for name in names if os.path.realpath(os.path.join(directory, name)) in goes])

    def _dangling(self):
        """Names of hashed links that lead nowhere, as a run that was killed leaves them (list)."""
        directory = self.layout.hashed_directory()
        if directory is None:
            return []
        return [name for name in loadable(names_in(directory)) if not os.path.exists(os.path.join(directory, name))]

    def _drop_orphans(self):
        """Remove links of the hashed directory that lead nowhere, which make `openssl rehash` fail. update-ca-certificates does
        the same, but only where it made or removed links itself."""
        directory = self.layout.hashed_directory()
        names = [name for name in names_in(directory) if os.path.islink(os.path.join(directory, name))]
        for edit in close_gaps(directory, [name for name in names if not os.path.exists(os.path.join(directory, name))]):
            edit.apply()

    def refresh(self):
        """Build bundle and links again. Raises AnchorError."""
        SystemStore.refresh(self)
        openssl = self.tools.find("openssl")
        unfinished = self.in_bundle() and self._directory_state() is False
        # update-ca-certificates makes the hashed links only after it made others, so one that was killed in between stays so.
        if openssl and (unfinished or self._dangling()):
            self._drop_orphans()
            status, output = self.tools.run([openssl, "rehash", self.layout.hashed_directory()])
            if status:
                raise AnchorError("openssl rehash ended with status %d: %s" % (status, last_words(output)))

    def verify(self, present):
        """Raises AnchorError where bundle or directory do not have the wanted effect."""
        SystemStore.verify(self, present)
        state = self._directory_state()
        if state is not None:
            if state != present:
                raise AnchorError(
                    "%s was run, but the directory %s %s the certificate"
                    % (self.mechanism, self.layout.hashed_directory(), "lacks" if present else "still has")
                )
            refuse_shadow(self.anchor, present, directory_blocks(self.layout.hashed_directory(), self._digest), self.path)
            self.verified_by.append("directory")
        if not present and not self._gone():
            raise AnchorError("the certificate is still trusted")


class P11KitStore(SystemStore):
    """RHEL, SUSE and Arch: directories of anchors and of what is blocked, which p11-kit reads."""

    def __init__(self, layout, anchor, tools):
        SystemStore.__init__(self, layout, anchor, tools)
        self.places += layout.blocklists

    def _staging(self):
        """p11-kit takes every file of its directories for a certificate, hidden ones too; that of the bundle it does not read."""
        return self.lock_at

    def plan(self, present, distrust):
        """What to do (Plan). Raises AnchorError."""
        blocked = self.sources(*self.layout.blocklists)
        anchors = self.sources(self.layout.anchors)
        vendor = [
            path
            for path in self.sources(*self.layout.vendor)
            if os.path.basename(os.path.dirname(path)) not in ("blocklist", "blacklist")
        ]
        staging = self._staging()
        edits, how = [], self.mechanism
        effective = self.effective()
        if present:
            limiting = [] if effective else self._limiting()
            edits += [self.taken_out(path, staging) for path in blocked + limiting]
            anchors = [path for path in anchors if path not in limiting]
            # The vendor may have it without trusting it for servers: then it is not effective without being blocked.
            if not effective and not anchors and (not vendor or not blocked):
                edits.append(self.added(self.layout.anchors, ".pem", staging))
            return Plan(edits, refresh=bool(edits) or not effective, mechanism=how)
        edits += [self.taken_out(path, staging) for path in anchors]
        if not blocked and (distrust or (effective and (vendor or not anchors))):
            edits.append(self.added(self.layout.blocklist(), ".pem", staging))
            how += ", " + self.layout.blocklist()
        return Plan(edits, refresh=bool(edits) or effective, mechanism=how)

    def _limiting(self):
        """The administrator's files that keep TLS servers out: TRUSTED CERTIFICATE blocks of other uses. Those of p11-kit's own
        format say more than that, so they are named and not changed. Raises AnchorError."""
        found = []
        blocked = tuple(os.path.join(directory, "") for directory in self.layout.blocklists)
        for path in self.sources(os.path.dirname(self.layout.anchors)):
            if path.startswith(blocked):
                continue
            data = read(path)
            if _DISTRUSTED.search(data):
                raise AnchorError("%s distrusts the certificate (x-distrusted); take that out first" % path)
            if holds(data, self.anchor.sha256) and not is_effective(data, self.anchor.sha256):
                found.append(path)
        return found

    def refresh(self):
        """Build the store again. Raises AnchorError."""
        make_directory(self.lock_at)
        SystemStore.refresh(self)

    def verify(self, present):
        """Raises AnchorError where the store does not have the wanted effect."""
        SystemStore.verify(self, present)
        trust = self.tools.find("trust")
        if trust:
            self._verify_extracted(trust, present)

    def _verify_extracted(self, trust, present):
        """Ask p11-kit itself. Raises AnchorError where it does not agree."""
        directory = tempfile.mkdtemp(prefix=PREFIX)
        try:
            path = os.path.join(directory, "extracted.pem")
            command = [trust, "extract", "--format=pem-bundle", "--filter=ca-anchors", "--purpose=server-auth", path]
            status, output = self.tools.run(command)
            if status:
                raise AnchorError("trust extract ended with status %d: %s" % (status, last_words(output)))
            if is_effective(read(path), self.anchor.sha256) != present:
                raise AnchorError("p11-kit %s the certificate" % ("does not trust" if present else "still trusts"))
            self.verified_by.append("trust extract")
        finally:
            remove(directory)


def system_store(anchor, tools, root=""):
    """The store of this host. Raises AnchorError where there is none that is known."""
    layout = detect(root)
    return (DebianStore if layout.name == "debian" else P11KitStore)(layout, anchor, tools)
