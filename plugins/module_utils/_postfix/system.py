# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""Postfix's own commands, and files written so that they are whole or not there."""

import errno
import os
import pty
import select
import subprocess
import tempfile
import time

from ansible_collections.mailops.tls.plugins.module_utils import _files

TIMEOUT = 30
#: Postfix waits for two seconds where a file is younger, which might be changing.
SETTLED = 3
MAX_OUTPUT = 1 << 24


class PostfixError(Exception):
    """A command of Postfix or a file operation failed; the text says what to do."""


class Tools(object):
    """postconf, postmap and postfix, by their paths (dict of name to path)."""

    def __init__(self, paths):
        self.paths = paths

    def run(self, name, *arguments, **more):
        """(exit code, standard output, standard error) of a command; messages of postfix(1) included.

        `keys` (bytes) is its standard input.
        postfix(1) says what is wrong on a terminal or else only in the mail log, so it gets a terminal for standard error.
        """
        environment = dict(os.environ, LC_ALL="C", LANG="C")
        environment.pop("MAIL_CONFIG", None)
        with tempfile.TemporaryFile() as keys:
            keys.write(more.get("keys", b""))
            keys.seek(0)
            master, slave = pty.openpty()
            try:
                # AnsibleModule.run_command gives no terminal and has no time-out.
                # pylint: disable-next=ansible-bad-function
                process = subprocess.Popen(
                    [self.paths[name]] + list(arguments), stdin=keys, stdout=subprocess.PIPE, stderr=slave, env=environment
                )
            except OSError as error:
                os.close(master)
                raise PostfixError("%s does not run: %s" % (name, error))
            finally:
                os.close(slave)
        try:
            return self._collect(process, master, name)
        finally:
            os.close(master)
            process.stdout.close()

    @staticmethod
    def _collect(process, master, name):
        """Read both streams until the process ends: daemons that postfix(1) starts keep the terminal open."""
        streams = {process.stdout.fileno(): b"", master: b""}
        open_streams, end = set(streams), time.time() + TIMEOUT
        while open_streams:
            ended = process.poll() is not None
            ready = select.select(list(open_streams), [], [], 0 if ended else 0.05)[0]
            for stream in ready:
                try:
                    data = os.read(stream, 65536)
                except OSError:  # EIO: nobody holds the terminal any more
                    data = b""
                if data:
                    streams[stream] = (streams[stream] + data)[:MAX_OUTPUT]
                else:
                    open_streams.discard(stream)
            if (ended and not ready) or time.time() > end:
                break
        try:
            process.wait(max(0, end - time.time()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise PostfixError("%s has not ended after %d seconds" % (name, TIMEOUT))
        if any(len(data) == MAX_OUTPUT for data in streams.values()):
            raise PostfixError("%s says more than %d MiB" % (name, MAX_OUTPUT >> 20))
        out, err = (streams[key].decode("utf-8", "replace") for key in (process.stdout.fileno(), master))
        return process.returncode, out, err.replace("\r", "").strip()

    def settings(self, directory, *arguments):
        """What `postconf` prints for a configuration directory (dict of name to value)."""
        code, out, err = self.run("postconf", "-c", directory, *arguments)
        if code:
            raise PostfixError("postconf cannot read the configuration in %s: %s" % (directory, err or out))
        pairs = [line.split("=", 1) for line in out.splitlines() if "=" in line]
        return {name.strip(): value.strip() for name, value in pairs}

    def lookups(self, directory, table, keys, strict=False):
        """What a lookup table answers for many keys (dict of those it has). Raises PostfixError when it cannot answer.

        Postfix passes over lines that it does not understand, with a warning; `strict` makes an error of that.
        """
        code, out, err = self.run("postmap", "-c", directory, "-q", "-", table, keys="".join(key + "\n" for key in keys).encode())
        where = table.split(":", 1)[-1]
        signs = ["fatal:", "error:", "unavailable"] + [where] * strict
        trouble = [line for line in err.splitlines() if any(sign in line for sign in signs)]
        if code not in (0, 1) or trouble:
            raise PostfixError("the lookup table %s does not answer: %s" % (table, "; ".join(trouble) or err))
        return dict(line.split("\t", 1) for line in out.splitlines() if "\t" in line)

    def check(self, directory):
        """`postfix check`. Raises PostfixError with what it says."""
        code, out, err = self.run("postfix", "-c", directory, "check")
        if code:
            raise PostfixError("postfix check refuses the configuration: %s" % (err or out or "exit code %d" % code).strip())

    def running(self, directory):
        """Does this instance run (bool)?"""
        return self.run("postfix", "-c", directory, "status")[0] == 0

    def reload(self, directory):
        """`postfix reload`. Raises PostfixError when it fails or Postfix does not run afterwards."""
        code, out, err = self.run("postfix", "-c", directory, "reload")
        if code:
            raise PostfixError("postfix reload failed: %s" % (err or out or "exit code %d" % code).strip())
        if not self.running(directory):
            raise PostfixError("Postfix ended when it was reloaded; its log says why")


def lock(directory, seconds):
    """An open file that holds the lock of a configuration directory until it is closed. Raises PostfixError."""
    try:
        return _files.lock(directory, seconds)
    except _files.BusyError:
        raise PostfixError("another run holds the lock of %s; try again when it has ended" % directory)
    except (IOError, OSError) as error:
        raise PostfixError("cannot lock %s: %s" % (directory, error.strerror))


def read(path):
    """The bytes of a file, or None where there is none."""
    try:
        with open(path, "rb") as handle:
            return handle.read()
    except (IOError, OSError) as error:
        if error.errno == errno.ENOENT:
            return None
        raise PostfixError("cannot read %s: %s" % (path, error.strerror))


def write(path, data, keep=False):
    """Put bytes in place of a file at once, or leave all as it was. Raises PostfixError.

    With `keep`, it has the attributes of the file that it replaces; without, those of a new file everybody may read.
    """
    try:
        _files.write(path, data, keep=keep, age=SETTLED)
    except (IOError, OSError) as error:
        raise PostfixError("cannot write %s: %s" % (path, error.strerror))


def settled(path):
    """Date back a file that nobody writes to any more."""
    _files.date_back(path, SETTLED)
