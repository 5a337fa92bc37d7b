# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""Trust stores as files: read within bounds, hashed here, judged on the controller."""

import base64
import errno
import glob
import hashlib
import itertools
import os
import re
import stat

from ansible_collections.mailops.tls.plugins.module_utils._probe.base import ProbeError, errno_name, text_of
from ansible_collections.mailops.tls.plugins.module_utils._probe.pem import MARK, NUL, Block, scan, sequence_length, why_none

MAX_ENTRIES = 5000
MAX_SKIPPED = 20
MAX_MATCHES = 200
DER = "DER"
_HASHED = re.compile(r"([0-9a-f]{8})\.(0|[1-9][0-9]{0,3})\Z")
_CODES = {
    errno.ENOENT: "missing",
    errno.ENOTDIR: "missing",
    errno.EACCES: "permission",
    errno.EPERM: "permission",
    errno.ELOOP: "symlink_loop",
}


def _read_error(exc):
    return ProbeError("read", _CODES.get(exc.errno, "error"), text_of(exc), errno_name(exc))


def read_file(path, most):
    """(bytes, stat result) of a regular file of at most `most` bytes, links followed. Raises ProbeError of stage read."""
    try:
        # Looked at before it is opened: to open a device can do things, and to open a FIFO can wait for ever.
        if not stat.S_ISREG(os.stat(path).st_mode):
            raise ProbeError("read", "not_a_file", "not a regular file")
        number = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        with os.fdopen(number, "rb", 0) as stream:
            before = os.fstat(number)
            if not stat.S_ISREG(before.st_mode):
                raise ProbeError("read", "not_a_file", "not a regular file")
            if before.st_size > most:
                raise ProbeError("read", "too_large", "%d bytes" % before.st_size)
            data = _read_all(stream, before.st_size)
            after = os.fstat(number)
    except OSError as exc:
        raise _read_error(exc)
    if len(data) != before.st_size or _state(before) != _state(after):
        raise ProbeError("read", "changed", "the file changed while it was read")
    return data, before


def _read_all(stream, size):
    """Up to one byte more than `size`, so that growth shows."""
    parts, left = [], size + 1
    while left:
        part = stream.read(left)
        if not part:
            break
        parts.append(part)
        left -= len(part)
    return b"".join(parts)


def _state(status):
    return status.st_size, status.st_mtime_ns, status.st_ino, status.st_dev


def first_existing(paths):
    """The first candidate that exists (str). Raises ProbeError: missing, or why a candidate cannot be looked at."""
    for path in paths:
        try:
            os.stat(path)
        except OSError as exc:
            error = _read_error(exc)
            if error.code == "missing":
                continue
            error.path = path
            raise error
        return path
    raise ProbeError("read", "missing", "none of the paths exists")


def only_match(patterns):
    """The one file (str) that the patterns stand for, by whatever name. Raises ProbeError: missing, or ambiguous."""
    found = {}
    for pattern in patterns:
        for path in itertools.islice(glob.iglob(pattern), MAX_MATCHES):
            found.setdefault(os.path.realpath(path), path)
    if len(found) > 1:
        raise ProbeError("read", "ambiguous", ", ".join(sorted(found.values())))
    return first_existing(list(found.values()))


class _Found(object):
    """What goes into the answer."""

    def __init__(self, job):
        self.run = job.run
        self.select = job.options["select"]
        self.blocks = []
        self.skipped = []
        self.skipped_count = 0

    def skip(self, name, line, reason):
        """Count something that was passed over, and name the first few."""
        self.skipped_count += 1
        if len(self.skipped) < MAX_SKIPPED:
            self.skipped.append({"file": name, "line": line, "reason": reason})

    def offer(self, block, name, idle=False):
        """Take the block along where it was asked for. idle: OpenSSL does not load it."""
        wanted = block.sha256 in self.select["sha256"]
        if not wanted and not any(part in block.der for part in self.select["containing"]):
            return
        if not self.run.reserve(len(block.der)):
            raise ProbeError("read", "budget", "max_total_bytes is used up")
        der = base64.b64encode(block.der).decode("ascii")
        self.blocks.append({"sha256": block.sha256, "der": der, "label": block.label, "file": name, "idle": idle})

    def tell(self, job, certificates, **more):
        """Put it into the answer."""
        job.put_bulk(certificates=certificates, blocks=self.blocks, skipped_count=self.skipped_count, **more)
        job.put(skipped=self.skipped)


def store(job):
    """Answer a `store`. Raises ProbeError."""
    job.enter("read")
    path = _choose(job, only_match if job.options["patterns"] else first_existing)
    if job.options["type"] == "pem_file":
        read_pem(job, path)
    else:
        read_directory(job, path)


def file(job):
    """Answer a `file`: the bytes of a store whose format the controller reads. Raises ProbeError."""
    job.enter("read")
    send_file(job, _choose(job, first_existing))


def send_file(job, path):
    """Put the bytes of the file into the answer, counted against the run's budget. Raises ProbeError."""
    data, status = read_file(path, job.options["max_bytes"])
    job.put(size=status.st_size, modified=status.st_mtime, sha256=hashlib.sha256(data).hexdigest())
    if not job.run.reserve(len(data)):
        raise ProbeError("read", "budget", "max_total_bytes is used up")
    job.put_bulk(data=base64.b64encode(data).decode("ascii"))


def _choose(job, how):
    """The path to read, already told in the answer."""
    try:
        path = how(job.options["paths"])
    except ProbeError as exc:
        job.put(path=getattr(exc, "path", None))
        raise
    job.put(path=path, real_path=os.path.realpath(path))
    return path


def read_pem(job, path):
    """Put what is in a file of PEM into the answer. Raises ProbeError."""
    data, status = read_file(path, job.options["max_bytes"])
    job.put(size=status.st_size, modified=status.st_mtime, sha256=hashlib.sha256(data).hexdigest())
    found = _Found(job)
    blocks, skipped, idle = _scan(data)
    for line, reason in skipped:
        found.skip(None, line, reason)
    for block in blocks:
        found.offer(block, None)
    for block in idle:
        found.offer(block, None, idle=True)
    damaged = [reason for _line, reason in skipped if reason not in (MARK, NUL)]
    reason = None if blocks or damaged else why_none(data)
    if reason and not found.blocks:
        raise ProbeError("read", "format", reason)
    if reason:
        found.skip(None, None, reason)
    found.tell(job, [block.sha256 for block in blocks])


def _scan(data):
    """(blocks that OpenSSL loads, skipped, blocks that are there and that it does not load)."""
    idle = []
    blocks, skipped = scan(data, idle)
    if data[:1] == b"\x30" and sequence_length(data) == len(data):
        # Any DER, such as that of a private key: what was not asked for does not travel.
        idle.append(Block(DER, data, len(data)))
    return blocks, skipped, idle


def list_names(path):
    """The names in a directory, sorted. Raises ProbeError of stage read."""
    names = []
    try:
        if not stat.S_ISDIR(os.stat(path).st_mode):
            raise ProbeError("read", "not_a_directory", "not a directory")
        with os.scandir(path) as entries:
            for entry in entries:
                names.append(entry.name)
                if len(names) > MAX_ENTRIES:
                    raise ProbeError("read", "too_large", "more than %d entries" % MAX_ENTRIES)
        return sorted(names), os.stat(path).st_mtime
    except OSError as exc:
        raise _read_error(exc)


def loadable(names):
    """The names OpenSSL would open: for each hash the numbers from 0 up, to the first that is not there."""
    present = set(names)
    found = set()
    for name in names:
        match = _HASHED.match(name)
        if match and match.group(2) == "0":
            number = 0
            while "%s.%d" % (match.group(1), number) in present:
                found.add("%s.%d" % (match.group(1), number))
                number += 1
    return found


def read_directory(job, path):
    """Put what is in a directory of PEM into the answer. Raises ProbeError."""
    names, modified = list_names(path)
    job.put(modified=modified)
    hashed = loadable(names)
    found, certificates, read, left = _Found(job), [], {}, job.options["max_bytes"]
    count = {"total": 0, "hashed": 0}
    # What OpenSSL opens comes first, so that nothing that lies beside it can use up the bytes that may be read.
    for name in sorted(names, key=lambda name: (name not in hashed, name)):
        whole = os.path.join(path, name)
        shown = os.fsencode(name).decode("utf-8", "replace")
        try:
            status = os.stat(whole)
            if not stat.S_ISREG(status.st_mode):
                if not stat.S_ISDIR(status.st_mode):
                    found.skip(shown, None, "not_a_file")
                continue
            # Hashed names are links to the files beside them: each file is read once.
            key = (status.st_dev, status.st_ino)
            if key not in read:
                data = read_file(whole, left)[0]
                left -= len(data)
                read[key] = _scan(data)
        except OSError as exc:
            found.skip(shown, None, _read_error(exc).code)
            continue
        except ProbeError as exc:
            if exc.code == "too_large" and name in hashed:
                raise
            found.skip(shown, None, exc.code)
            continue
        blocks, skipped, idle = read[key]
        for line, reason in skipped:
            found.skip(shown, line, reason)
        for block in blocks:
            found.offer(block, shown)
        for block in idle:
            found.offer(block, shown, idle=True)
        if blocks:
            count["total"] += 1
        if name in hashed:
            count["hashed"] += 1 if blocks else 0
            certificates.extend(block.sha256 for block in blocks)
    found.blocks.sort(key=lambda block: block["file"])
    found.tell(job, certificates, files=count)
