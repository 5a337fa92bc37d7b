# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""TCP connections: raced as in RFC 8305, or every address tried to its end."""

import collections
import errno
import os
import selectors
import socket
import time

from ansible_collections.mailops.tls.plugins.module_utils._probe.base import ProbeError, Timer, code_of
from ansible_collections.mailops.tls.plugins.module_utils._probe.resolve import NAMES

ATTEMPT_DELAY = 0.25  # RFC 8305 section 5, the recommended Connection Attempt Delay
_IN_PROGRESS = (errno.EINPROGRESS, errno.EWOULDBLOCK, errno.EALREADY)
# poll() needs no file descriptor of its own, epoll one for each request.
_Selector = getattr(selectors, "PollSelector", selectors.SelectSelector)


class _Attempt(object):
    """One address: its place in the answer, and its socket while it is under way or won."""

    def __init__(self, family, address, text):
        self.family = family
        self.address = address
        self.sock = None
        self.began = None
        self.number = None
        self.entry = {"address": text, "family": NAMES[family], "connected": None, "ms": None, "errno": None, "code": None}

    def start(self):
        """Begin to connect; the errno, 0 once connected, or None while under way."""
        self.began = time.monotonic()
        try:
            self.sock = socket.socket(self.family, socket.SOCK_STREAM)
            self.sock.setblocking(False)
            number = self.sock.connect_ex(self.address)
        except OSError as exc:
            number = exc.errno or errno.EINVAL
        return None if number in _IN_PROGRESS else number

    def settle(self, number):
        """Note how it ended."""
        self.number = number
        self.entry["connected"] = number == 0
        self.entry["ms"] = int((time.monotonic() - self.began) * 1000)
        if number:
            self.entry["errno"] = errno.errorcode.get(number)
            self.entry["code"] = code_of(number)
            self.drop()

    def drop(self):
        """Close the socket."""
        if self.sock is not None:
            self.sock.close()
            self.sock = None


def interleave(addresses):
    """RFC 8305 section 4: alternate the families, beginning with the first one of the resolver's order."""
    first = addresses[0][0]
    queues = [
        collections.deque(item for item in addresses if item[0] == first),
        collections.deque(item for item in addresses if item[0] != first),
    ]
    ordered = []
    while queues[0] or queues[1]:
        ordered.extend(queue.popleft() for queue in queues if queue)
    return ordered


def connect(run, addresses, timeout, each_address, report, stage="connect"):
    """A connected blocking socket and the text of its address: (socket, str).

    addresses: as `resolve` returns them. `report` is called with the `addresses` of a hop whenever one of them settles.
    With `each_address` all are tried at once, to the end. Raises ProbeError of `stage`.
    """
    attempts = [_Attempt(*item) for item in interleave(addresses)]
    by_address = {attempt.address: attempt for attempt in attempts}
    order = [by_address[item[1]] for item in addresses]

    def tell():
        report([dict(attempt.entry) for attempt in order])

    tell()
    timer = Timer(run, timeout)
    try:
        _race(attempts, timer, each_address, tell)
    finally:
        winners = [attempt for attempt in attempts if attempt.number == 0 and attempt.sock]
        for attempt in attempts:
            if attempt not in winners[:1]:
                attempt.drop()
    tell()
    if winners:
        winners[0].sock.setblocking(True)
        return winners[0].sock, winners[0].entry["address"]
    raise _failure(order, timer, stage)


def _race(attempts, timer, each_address, tell):
    waiting, pending = collections.deque(attempts), {}
    next_start = 0.0
    with _Selector() as selector:
        while waiting or pending:
            now = time.monotonic()
            if now >= timer.at:
                break
            while waiting and (each_address or not pending or now >= next_start):
                attempt = waiting.popleft()
                next_start = now + ATTEMPT_DELAY
                number = attempt.start()
                if number is None:
                    pending[attempt.sock] = attempt
                    selector.register(attempt.sock, selectors.EVENT_WRITE)
                elif not _settled(attempt, number, tell):
                    next_start = 0.0  # section 5: a failure starts the next attempt at once
                elif not each_address:
                    return
            wait = timer.at if each_address or not waiting else min(timer.at, next_start)
            for key, _dummy in selector.select(max(0.0, wait - time.monotonic())) if pending else ():
                attempt = pending.pop(key.fileobj)
                selector.unregister(key.fileobj)
                if not _settled(attempt, key.fileobj.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR), tell):
                    next_start = 0.0
                elif not each_address:
                    return
        for attempt in pending.values():
            # The end of the whole run proves nothing about an address.
            if timer.code == "timeout":
                attempt.settle(errno.ETIMEDOUT)


def _settled(attempt, number, tell):
    attempt.settle(number)
    tell()
    return number == 0


def _failure(order, timer, stage):
    """The error for all addresses: the first that failed, but a family this host has no way out for says least."""
    failed = [attempt for attempt in order if attempt.number]
    telling = [attempt for attempt in failed if attempt.entry["code"] != "unreachable"] or failed
    unfinished = any(attempt.entry["connected"] is None for attempt in order)
    if not telling or (timer.code == "deadline" and unfinished):
        return ProbeError(stage, timer.code, "no connection in time")
    entry = telling[0].entry
    return ProbeError(stage, entry["code"], os.strerror(telling[0].number), entry["errno"])
