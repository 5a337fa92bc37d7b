# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""What all stores share: the anchor, edits of files that can be taken back, and programs run within bounds."""

import base64
import errno
import hashlib
import os
import signal
import subprocess
import tempfile

from ansible_collections.mailops.tls.plugins.module_utils import _files
from ansible_collections.mailops.tls.plugins.module_utils._probe.base import ProbeError, plain
from ansible_collections.mailops.tls.plugins.module_utils._probe.pem import scan, sequence_length
from ansible_collections.mailops.tls.plugins.module_utils._probe.store import list_names, read_file

MAX_STORE = 16 << 20
MAX_OUTPUT = 16 << 20
#: Seconds for a program; update-ca-certificates with the hook of Java can take half a minute on a slow host.
PROGRAM_SECONDS = 180
# Programs that are the host's administrator's are often not on the PATH of a plain ssh session.
PATH = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin")


class AnchorError(Exception):
    """The store cannot be brought to the wanted state; the text says what is the case and what to do."""


class NoStoreError(AnchorError):
    """There is nothing where the store should be, so nothing is trusted there either."""


class Anchor(object):
    """The certificate: der (bytes), sha256 (hex), label (str of letters, digits and dashes, for names of files)."""

    def __init__(self, der, sha256, label):
        self.der = der
        self.sha256 = sha256
        self.label = label

    @property
    def file_stem(self):
        """A file name without ending that no other certificate has."""
        return "mailops_%s_%s" % (self.label, self.sha256[:16])

    @property
    def pem(self):
        """In PEM armour (bytes), lines of 64 characters (RFC 7468 section 2)."""
        text = base64.b64encode(self.der)
        lines = [text[at : at + 64] for at in range(0, len(text), 64)]
        return b"\n".join([b"-----BEGIN CERTIFICATE-----"] + lines + [b"-----END CERTIFICATE-----", b""])


class Link(object):
    """A symbolic link as the content of a path."""

    def __init__(self, target):
        self.target = target

    def __eq__(self, other):
        return isinstance(other, Link) and other.target == self.target

    def __ne__(self, other):
        return not self == other

    __hash__ = None


class Edit(object):
    """One file that changes in one step. before, after: bytes, a Link, or None for nothing there. shown: texts for the diff.

    staging: the directory of the temporary file where it must not be beside the file, on the same file system.
    """

    def __init__(self, path, before, after, shown=None, staging=None):
        self.path = path
        self.before = before
        self.after = after
        self.shown = shown
        self.staging = staging

    def reverse(self):
        """The edit that takes this one back."""
        return Edit(self.path, self.after, self.before, staging=self.staging)

    def apply(self):
        """Make it. Raises AnchorError where another process changed the file since it was read, and OSError."""
        if content(self.path) != self.before:
            raise AnchorError("%s was changed by another process meanwhile; run again" % self.path)
        if self.after is None:
            _files.unlink(self.path)
        elif isinstance(self.after, Link):
            _files.link(self.path, self.after.target)
        else:
            make_directory(os.path.dirname(self.path))
            _files.write(self.path, self.after, staging=self.staging)

    def diff(self):
        """For Ansible's --diff (dict)."""
        before, after = self.shown or (_text(self.before), _text(self.after))
        return {"before_header": self.path, "after_header": self.path, "before": before, "after": after}


class Plan(object):
    """What brings a store to the wanted state: edits in their order, and whether what is built from it must be built again."""

    def __init__(self, edits=(), refresh=False, mechanism=""):
        self.edits = list(edits)
        self.refresh = refresh
        self.mechanism = mechanism

    def __bool__(self):
        return bool(self.edits or self.refresh)


def _text(value):
    if value is None:
        return ""
    if isinstance(value, Link):
        return "link to %s\n" % value.target
    return value.decode("utf-8", "replace")


def content(path):
    """What is at a path: bytes, a Link, or None. Raises ProbeError."""
    if os.path.islink(path):
        return Link(os.readlink(path))
    return read(path)


def is_gone(path):
    """Whether nothing is there (bool). What cannot be looked at may be there."""
    try:
        os.stat(path)
    except EnvironmentError as error:
        return error.errno in (errno.ENOENT, errno.ENOTDIR)
    return False


def read(path):
    """The bytes of a file, links followed, or None where there is none. Raises ProbeError."""
    try:
        return read_file(path, MAX_STORE)[0]
    except ProbeError as error:
        if error.code == "missing":
            return None
        error.path = path
        raise


def names_in(directory):
    """The names in a directory, sorted; none where it does not exist. Raises ProbeError."""
    try:
        return list_names(directory)[0]
    except ProbeError as error:
        if error.code == "missing":
            return []
        error.path = directory
        raise


def make_directory(path):
    """Have a directory that programs of all users can read, as the distributions' packages make them."""
    if not os.path.isdir(path):
        os.makedirs(path, 0o755)


def holds(data, sha256):
    """Whether PEM text (bytes or None) holds the certificate."""
    return data is not None and any(block.sha256 == sha256 for block in scan(data)[0])


def holds_file(data, sha256):
    """Whether a file of a source directory, PEM or DER, holds the certificate."""
    if data is None:
        return False
    length = sequence_length(data)
    if length is not None and length == len(data):
        return hashlib.sha256(data).hexdigest() == sha256
    return holds(data, sha256)


class Tools(object):
    """The programs of the host."""

    def __init__(self, lock=None):
        self._lock = lock

    @staticmethod
    def find(*names):
        """The path of the first program that is there, or None. A name with a slash is a path already."""
        for name in names:
            places = [""] if "/" in name else os.environ.get("PATH", "").split(os.pathsep) + list(PATH)
            for place in places:
                path = os.path.join(place, name)
                if os.path.isfile(path) and os.access(path, os.X_OK):
                    return path
        return None

    def run(self, command, given=b"", files=(), seconds=PROGRAM_SECONDS, **more):
        """(exit status, output with standard error) of a program. Raises AnchorError where it does not run or end in time.

        given: bytes for standard input. files: open files it may read. more: variables for its environment. The lock goes
        along: where this process is killed, nobody else starts before the program has ended.
        """
        environment = dict(os.environ, LC_ALL="C", LANG="C", **more)
        numbers = [stream.fileno() for stream in files] + ([self._lock.fileno()] if self._lock else [])
        with tempfile.TemporaryFile() as told, tempfile.TemporaryFile() as asked:
            asked.write(given)
            asked.seek(0)
            try:
                # AnsibleModule.run_command has no time-out and hands on no file descriptors.
                # pylint: disable-next=ansible-bad-function
                process = subprocess.Popen(
                    command,
                    stdin=asked,
                    stdout=told,
                    stderr=subprocess.STDOUT,
                    env=environment,
                    pass_fds=numbers,
                    start_new_session=True,
                )
            except (OSError, ValueError) as error:
                raise AnchorError("%s does not run: %s" % (command[0], error))
            try:
                process.wait(timeout=seconds)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
                raise AnchorError("%s has not ended after %d seconds and was stopped" % (command[0], seconds))
            told.seek(0)
            return process.returncode, told.read(MAX_OUTPUT).decode("utf-8", "replace")


def last_words(output):
    """The end of what a program said, for a message."""
    lines = [line for line in output.splitlines() if line.strip()]
    return plain(" ".join(lines[-3:]), 400) or "it said nothing"
