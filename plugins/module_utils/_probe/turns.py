# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""Whose turn it is to talk to an address: requests of one run never hold two connections to it at a time."""

import threading
import time

from ansible_collections.mailops.tls.plugins.module_utils._probe.base import ProbeError


class Turns(object):
    """The addresses that a request may connect to until it ends; a context manager. `smtp` takes the same locks of a Run."""

    def __init__(self, run):
        self._run = run
        self._held = {}

    def __enter__(self):
        return self

    def __exit__(self, *_exc):
        self.keep(None)

    def take(self, addresses):
        """Wait until nobody talks to any of the addresses (list of str). Raises ProbeError of stage connect."""
        # In one order, so that no two requests wait for each other.
        for address in sorted(set(addresses)):
            lock = self._run.once(("smtp address", address), threading.Lock)
            left = self._run.ends - time.monotonic()
            if left <= 0 or not lock.acquire(True, left):
                raise ProbeError("connect", "deadline", "another request was talking to %s" % address)
            self._held[address] = lock

    def keep(self, address):
        """Let others have all addresses but this one."""
        for other in [other for other in self._held if other != address]:
            self._held.pop(other).release()
