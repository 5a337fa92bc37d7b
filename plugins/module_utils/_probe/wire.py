# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""A connection that is read and written within the gap allowed between two pieces and within the run's time."""

import socket
import time

from ansible_collections.mailops.tls.plugins.module_utils._probe.base import ProbeError, code_of, errno_name, text_of

_PIECE = 65536


class Wire(object):
    """A connected socket with a read buffer.

    stage: the token that errors carry; timeout: seconds between two pieces. Errors are ProbeError with the codes
    `timeout`, `deadline` and `reset`.
    """

    def __init__(self, sock, run, timeout, stage):
        self.sock = sock
        self.run = run
        self.timeout = timeout
        self.stage = stage
        self.buffer = bytearray()

    def __enter__(self):
        return self

    def __exit__(self, *exc_info):
        self.close()

    def close(self):
        """Close the connection."""
        self.sock.close()

    def limit(self):
        """Set the socket's time limit for the next operation; return the code that running into it has."""
        left = self.run.ends - time.monotonic()
        if left <= 0:
            raise ProbeError(self.stage, "deadline", "the run's time was over")
        self.sock.settimeout(min(self.timeout, left))
        return "deadline" if left <= self.timeout else "timeout"

    def _do(self, function, *args):
        code = self.limit()
        try:
            return function(*args)
        except socket.timeout:
            raise ProbeError(self.stage, code, "nothing came in time")
        except OSError as exc:
            # An error of TLS in mid-session has no errno of its own: for whoever reads, the connection broke.
            number = exc.errno if isinstance(exc.errno, int) else None
            name = errno_name(exc) if code_of(number) != "error" else None
            raise ProbeError(self.stage, "timeout" if code_of(number) == "timeout" else "reset", text_of(exc), name)

    def send(self, data):
        """Send all of `data` (bytes)."""
        self._do(self.sock.sendall, data)

    def piece(self, most=_PIECE):
        """Up to `most` bytes, first from the buffer; empty at the end of the stream."""
        if self.buffer:
            data = bytes(self.buffer[:most])
            del self.buffer[:most]
            return data
        return self._do(self.sock.recv, min(most, _PIECE))

    def line(self, most):
        """(line without its end (bytes), whether an end was there). Reads at most `most` bytes and what came with them."""
        searched = 0
        while True:
            at = self.buffer.find(b"\n", searched, most)
            if at >= 0:
                line = bytes(self.buffer[:at])
                del self.buffer[: at + 1]
                return (line[:-1] if line.endswith(b"\r") else line), True
            searched = len(self.buffer)
            data = self._do(self.sock.recv, 8192) if searched < most else b""
            if not data:
                line = bytes(self.buffer[:most])
                del self.buffer[:most]
                return line, False
            self.buffer += data
