# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""Files that are changed as a whole or not at all, with their attributes, and a lock that a killed run cannot leave behind.

AnsibleModule.atomic_move is not used: it does not sync what it renames, so a power cut can leave an empty file, and where
it cannot rename it falls back to ways that are not atomic.
"""

import errno
import fcntl
import os
import shutil
import tempfile
import time
import uuid

#: What names of temporary files and directories start with, so that a later run knows what a killed one left behind.
PREFIX = ".mailops_tls."
# SELinux context, and POSIX access control list.
_ATTRIBUTES = ("security.selinux", "system.posix_acl_access")


class BusyError(Exception):
    """Another process held the lock all the time."""


def lock(directory, seconds):
    """An open file that holds the exclusive lock of a directory until it is closed (also by the kernel, at a kill).

    A directory can be locked on a read-only file system too. Handed to a child process, the lock lasts until that ends.
    Raises BusyError after `seconds`, and OSError where the directory cannot be opened.
    """
    stream = _Directory(directory)
    end = time.monotonic() + seconds
    while True:
        try:
            fcntl.flock(stream.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
            return stream
        except (IOError, OSError) as error:
            if error.errno not in (errno.EAGAIN, errno.EACCES):
                stream.close()
                raise
            if time.monotonic() > end:
                stream.close()
                raise BusyError(directory)
            time.sleep(0.05)


class _Directory(object):
    """An open directory in the manner of a file."""

    def __init__(self, path):
        self._number = os.open(path, os.O_RDONLY)

    def fileno(self):
        """The file descriptor (int)."""
        return self._number

    def close(self):
        """Close it, and release its lock where no child has it."""
        if self._number is not None:
            os.close(self._number)
            self._number = None


def write(path, data, mode=0o644, like=None, staging=None, keep=True, age=0):
    """Put bytes in place of a file in one step: new file beside it, fsync, rename, fsync of the directory. Raises OSError.

    Owner, mode, SELinux context and access control list stay those of `like`, by default the file that is replaced. A file
    that is new, or every one where `keep` is False, belongs to this process, has `mode`, and gets its context from the
    directory. `staging` is another directory of the same file system for the new file, where programs read whatever lies
    beside `path`. The file is dated back by `age` seconds.
    """
    directory = os.path.dirname(path)
    descriptor, temporary = tempfile.mkstemp(prefix=PREFIX, dir=staging or directory)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(data)
            stream.flush()
            if not keep or not same_attributes(stream.fileno(), like or path):
                os.fchmod(stream.fileno(), mode)
            if age:
                date_back(temporary, age)
            os.fsync(stream.fileno())
        os.rename(temporary, path)
    except BaseException:
        remove(temporary)
        raise
    sync(directory)


def date_back(path, seconds):
    """Make a file look older than it is. Raises OSError."""
    past = time.time() - seconds
    os.utime(path, (past, past))


def link(path, target):
    """Put a symbolic link in place of what is there, in one step. Raises OSError."""
    directory = os.path.dirname(path)
    temporary = os.path.join(directory, PREFIX + uuid.uuid4().hex)
    os.symlink(target, temporary)
    try:
        os.rename(temporary, path)
    except BaseException:
        remove(temporary)
        raise
    sync(directory)


def unlink(path):
    """Remove a file for good. Raises OSError."""
    os.unlink(path)
    sync(os.path.dirname(path))


def same_attributes(descriptor, like):
    """Give an open file the owner, mode and extended attributes of another (bool: False where there is no other)."""
    try:
        status = os.stat(like)
    except OSError as error:
        if error.errno == errno.ENOENT:
            return False
        raise
    own = os.fstat(descriptor)
    if (own.st_uid, own.st_gid) != (status.st_uid, status.st_gid):
        os.fchown(descriptor, status.st_uid, status.st_gid)
    os.fchmod(descriptor, status.st_mode & 0o7777)
    for name in _ATTRIBUTES:
        try:
            value = os.getxattr(like, name)
        except OSError:
            continue  # it has none, or the file system knows none
        os.setxattr(descriptor, name, value)
    return True


def sync(directory):
    """Make renames in a directory last. Raises OSError."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def remove(path):
    """Remove a file or a directory of ours that may be gone already."""
    try:
        if os.path.isdir(path) and not os.path.islink(path):
            shutil.rmtree(path, ignore_errors=True)
        else:
            os.unlink(path)
    except OSError:
        pass


def tidy(directory):
    """Remove what a killed run left in a directory. Only for who holds the lock."""
    try:
        names = os.listdir(directory)
    except OSError:
        return
    for name in names:
        if name.startswith(PREFIX):
            remove(os.path.join(directory, name))
