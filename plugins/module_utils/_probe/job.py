# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""One request being answered: its options, and the answer as far as it is known."""

import threading
import time

from ansible_collections.mailops.tls.plugins.module_utils._probe.base import AbandonedError, plain


class Job(object):
    """The answer to one request, filled in by its worker and taken by the engine.

    Every change goes through a method here and under one lock. Once the engine has taken the answer nothing changes it
    any more: a worker that is late gets AbandonedError. Values handed in belong to the answer from then on.
    """

    def __init__(self, run, request):
        self.run = run
        self.options = {}
        self.stage = "request"
        self._request = request
        self._lock = threading.Lock()
        self._closed = False
        self._began = None
        self._answer = {
            "id": request.get("id"),
            "op": request.get("op"),
            "elapsed_ms": 0,
            "error": None,
        }

    @property
    def request(self):
        """The request as it was sent (dict)."""
        return self._request

    def begin(self):
        """The worker starts."""
        self._began = time.monotonic()

    def enter(self, stage):
        """The stage that a deadline would be reported for."""
        with self._lock:
            self._open()
            self.stage = stage

    def put(self, **fields):
        """Set fields of the answer."""
        with self._lock:
            self._open().update(self.run.scrub(fields))

    def put_bulk(self, **fields):
        """Set fields that hold no text of others (encoded bytes, digests), which need not be searched for secrets."""
        with self._lock:
            self._open().update(fields)

    def add_hop(self, hop):
        """Append an exchange."""
        with self._lock:
            self._open()["hops"].append(self.run.scrub(hop))

    def put_hop(self, **fields):
        """Set fields of the last exchange."""
        with self._lock:
            self._open()["hops"][-1].update(self.run.scrub(fields))

    def last_hop(self, name):
        """A field of the last exchange."""
        with self._lock:
            return self._open()["hops"][-1][name]

    def put_proxy(self, **fields):
        """Set fields of the proxy's part."""
        with self._lock:
            self._open()["proxy"].update(self.run.scrub(fields))

    def fail(self, stage, code, message="", errno_name=None):
        """Set the error."""
        error = {"stage": stage, "code": code, "errno": errno_name, "message": plain(message)}
        with self._lock:
            self._open()["error"] = self.run.scrub(error)

    def take(self):
        """End the answer and hand it out (dict). Unfinished answers get the error `deadline` of the stage they are in."""
        with self._lock:
            if not self._closed:
                if self._answer["error"] is None:
                    message = "the run's time was over"
                    self._answer["error"] = {"stage": self.stage, "code": "deadline", "errno": None, "message": message}
                self._close()
            return self._answer

    def finish(self):
        """The worker is done, well or badly."""
        with self._lock:
            if not self._closed:
                self._close()

    def _close(self):
        self._closed = True
        if self._began is not None:
            self._answer["elapsed_ms"] = int((time.monotonic() - self._began) * 1000)

    def _open(self):
        if self._closed:
            raise AbandonedError()
        return self._answer
