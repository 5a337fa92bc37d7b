# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""What every part of the probe shares: errors as the protocol words them, time limits, and the state of one run.

Runs on managed hosts with stock Python 3.6 and later, so annotations stay in the docstrings.
"""

import base64
import binascii
import errno
import os
import tempfile
import threading
import time

REFUSED = (errno.ECONNREFUSED,)
RESET = (errno.ECONNRESET, errno.ECONNABORTED, errno.EPIPE)
# EACCES and EPERM are what a local firewall or an admin-prohibited answer over IPv6 look like to a client.
UNREACHABLE = (
    errno.EHOSTUNREACH,
    errno.ENETUNREACH,
    errno.EACCES,
    errno.EPERM,
    errno.EADDRNOTAVAIL,
    errno.EAFNOSUPPORT,
    errno.ENETDOWN,
)
MESSAGE_LENGTH = 200
# Held while a thread imports. Ansible sends the probe as a zip file, and up to Python 3.9 an import from one lets other
# threads see the module before it is complete.
IMPORTING = threading.RLock()


class ProbeError(Exception):
    """How one request ended early: `stage` and `code` are tokens of docs/observations.md."""

    def __init__(self, stage, code, message="", errno_name=None):
        super().__init__(message)
        self.stage = stage
        self.code = code
        self.message = message
        self.errno_name = errno_name


class AbandonedError(Exception):
    """The run's time is over and this answer was already given; its worker has to stop."""


def errno_name(exc):
    """The symbolic errno of an OSError, or None."""
    return errno.errorcode.get(exc.errno) if isinstance(exc.errno, int) else None


def code_of(number):
    """The protocol's code for the errno of a connection."""
    if number in REFUSED:
        return "refused"
    if number in RESET:
        return "reset"
    if number in UNREACHABLE:
        return "unreachable"
    if number == errno.ETIMEDOUT:
        return "timeout"
    return "error"


def plain(text, length=MESSAGE_LENGTH):
    """Foreign text without control characters and of bounded length."""
    return "".join(ch if ch.isprintable() else " " for ch in str(text)[: length * 2])[:length].strip()


def text_of(exc):
    """The host's own words for an exception."""
    if isinstance(exc, OSError) and isinstance(exc.errno, int) and exc.errno > 0 and type(exc).__module__ != "ssl":
        return os.strerror(exc.errno)
    return plain(exc) or type(exc).__name__


class Timer(object):
    """The end of one stage: its own time limit or the end of the run, whichever comes first."""

    def __init__(self, run, seconds):
        now = time.monotonic()
        self.at = min(now + seconds, run.ends)
        self.code = "deadline" if run.ends <= now + seconds else "timeout"

    def left(self):
        """Seconds left, at least 0."""
        return max(0.0, self.at - time.monotonic())


class Run(object):
    """What all requests of one run share: its end, its byte budget, its secrets and the host's surroundings.

    deadline: seconds from now; max_total_bytes: int; secrets: dict of str; environ: mapping; resolv_conf: path.
    """

    def __init__(self, deadline, max_total_bytes, secrets, environ, resolv_conf):
        self.ends = time.monotonic() + deadline
        self.secrets = secrets
        self.environ = environ
        self.resolv_conf = resolv_conf
        self.lock = threading.Lock()
        self.shared = {}
        # Where a program can be handed a file, removed with the module's own directory (function that gives a path).
        self.scratch = tempfile.gettempdir
        self.share = 0
        self._left = max_total_bytes
        self._hidden = []
        for value in secrets.values():
            self.hide(value)

    def set_aside(self, count):
        """Divide an eighth of the budget into a `share` for each of `count` bodies.

        What fits into its share always has room, however many endless bodies are read beside it.
        """
        self.share = self._left // 8 // count if count else 0
        self._left -= self.share * count

    def reserve(self, count):
        """Take `count` bytes from the budget; False when they are not there."""
        with self.lock:
            if count > self._left:
                return False
            self._left -= count
            return True

    def refund(self, count):
        """Give back bytes that will not be returned to the controller."""
        with self.lock:
            self._left += count

    def once(self, key, make):
        """The object kept under `key` for the whole run, made by the first who asks."""
        with self.lock:
            if key not in self.shared:
                self.shared[key] = make()
            return self.shared[key]

    def hide(self, value):
        """Remember a secret header value and what can be read from it, so that no echo of it leaves the host."""
        if not isinstance(value, str) or not value:
            return
        found = {value}
        scheme, _dummy, token = value.partition(" ")
        if len(token) > 4:
            found.add(token)
            try:
                pair = base64.b64decode(token, validate=True).decode("utf-8") if scheme.lower() == "basic" else ""
            except (binascii.Error, ValueError):
                pair = ""
            # A password shorter than this would blank out half of an honest answer.
            found.update(part for part in (pair, pair.partition(":")[2]) if len(part) > 4)
        with self.lock:
            self._hidden = sorted(set(self._hidden) | found, key=len, reverse=True)

    def scrub(self, value):
        """`value` (str, bytes, list or dict) without any secret of this run."""
        if isinstance(value, str):
            for secret in self._hidden:
                value = value.replace(secret, "***")
        elif isinstance(value, bytes):
            for secret in self._hidden:
                value = value.replace(secret.encode("utf-8"), b"***")
        elif isinstance(value, dict):
            return {key: self.scrub(item) for key, item in value.items()}
        elif isinstance(value, list):
            return [self.scrub(item) for item in value]
        return value
