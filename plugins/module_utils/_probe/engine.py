# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""The run: every request in a thread of its own, all of them ended by the deadline."""

import os
import queue
import sys
import threading
import time

from ansible_collections.mailops.tls.plugins.module_utils._probe.base import IMPORTING, AbandonedError, ProbeError, Run
from ansible_collections.mailops.tls.plugins.module_utils._probe.job import Job
from ansible_collections.mailops.tls.plugins.module_utils._probe.options import SPECS, empty_answer, read_options

SCHEMA = 1
MAX_THREADS = 256
# Virtual size of a thread's stack. Enough for OpenSSL and the resolver's plugins, small enough for 256 of them.
STACK_BYTES = 512 * 1024


def run(
    requests,
    deadline=20.0,
    max_total_bytes=12582912,
    secrets=None,
    environ=None,
    resolv_conf="/etc/resolv.conf",
    scratch=None,
):
    """Answer all `requests` (list of dict) and return the `observations` of docs/observations.md (dict).

    deadline: seconds for everything together. max_total_bytes: bytes of bodies and store material in the result.
    secrets: dict of header values that requests refer to. environ: where proxy settings are looked up. scratch: function
    that gives a directory for files without a name. Raises nothing: whatever goes wrong with a request is in its answer.
    """
    clock, began = time.time(), time.monotonic()
    shared = Run(deadline, max_total_bytes, secrets or {}, os.environ if environ is None else environ, resolv_conf)
    shared.scratch = scratch or shared.scratch
    jobs = _prepare(shared, requests)
    shared.set_aside(sum(1 for job in jobs if job.options and job.request["op"] == "fetch"))
    _work(shared, jobs)
    return {
        "schema": SCHEMA,
        "python": ".".join(str(part) for part in sys.version_info[:3]),
        "platform": sys.platform,
        "clock": clock,
        "answers": [job.take() for job in jobs],
        "elapsed_ms": int((time.monotonic() - began) * 1000),
    }


def _prepare(shared, requests):
    """The jobs in request order; those that cannot be tried are already finished."""
    jobs, seen = [], set()
    for request in requests:
        job = Job(shared, request)
        jobs.append(job)
        try:
            _check(job, seen)
        except ProbeError as exc:
            job.fail(exc.stage, exc.code, exc.message)
            job.finish()
    return jobs


def _check(job, seen):
    request = job.request
    op = request.get("op")
    known = isinstance(op, str) and op in SPECS
    if known:
        job.put_bulk(**empty_answer(op))
    if not isinstance(request.get("id"), str) or request["id"] in seen:
        raise ProbeError("request", "invalid", "id: must be a text that no other request has")
    seen.add(request["id"])
    if not known:
        raise ProbeError("request", "unsupported", "unknown op")
    job.options = read_options(request)


def _work(shared, jobs):
    """Run the jobs in daemon threads and wait for them, at most to the end of the run."""
    todo, done = queue.Queue(), threading.Semaphore(0)
    waiting = [job for job in jobs if job.options]
    for job in waiting:
        todo.put(job)
    before = threading.stack_size()
    try:
        threading.stack_size(STACK_BYTES)
        # The lookups start threads too: the size stays in force until the run is over.
        started = _start(todo, done, min(len(waiting), MAX_THREADS))
        for job in () if started else waiting:
            job.fail("request", "internal", "this host could not start a thread")
        for _job in waiting if started else ():
            if not done.acquire(timeout=max(0.0, shared.ends - time.monotonic())):
                break
    finally:
        threading.stack_size(before)


def _start(todo, done, count):
    """Start up to `count` workers; return how many did start."""
    for number in range(count):
        try:
            # Daemon threads: one that hangs in the system's resolver must not keep the process from ending.
            threading.Thread(target=_worker, args=(todo, done), daemon=True).start()
        except RuntimeError:
            return number
    return count


def _worker(todo, done):
    while True:
        try:
            job = todo.get_nowait()
        except queue.Empty:
            return
        _answer(job)
        done.release()


def _answer(job):
    job.begin()
    try:
        if time.monotonic() < job.run.ends:
            _operation(job.request["op"])(job)
            job.finish()
    except ProbeError as exc:
        _fail(job, exc.stage, exc.code, exc.message, exc.errno_name)
    except AbandonedError:
        pass
    except Exception as exc:  # a bug here must not cost the other answers
        _fail(job, job.stage, "internal", "%s: %s" % (type(exc).__name__, exc))


def _fail(job, *error):
    try:
        job.fail(*error)
        job.finish()
    except AbandonedError:
        pass


def _operation(name):
    """The function for an operation. Imported when asked for: a run over stores alone needs neither sockets nor TLS."""
    with IMPORTING:
        if name == "discover":
            from ansible_collections.mailops.tls.plugins.module_utils._probe.discover import discover  # noqa: PLC0415 - as below

            return discover
        if name == "identity":
            from ansible_collections.mailops.tls.plugins.module_utils._probe.identity import identity  # noqa: PLC0415 - as below

            return identity
        if name == "rehearse":
            from ansible_collections.mailops.tls.plugins.module_utils._probe.rehearse import rehearse  # noqa: PLC0415 - as below

            return rehearse
        if name == "sources":
            from ansible_collections.mailops.tls.plugins.module_utils._probe.sources import sources  # noqa: PLC0415 - as below

            return sources
        if name == "smtp":
            from ansible_collections.mailops.tls.plugins.module_utils._probe.smtpinfo import observe  # noqa: PLC0415 - as below

            return observe
        if name in ("store", "file"):
            from ansible_collections.mailops.tls.plugins.module_utils._probe import store  # noqa: PLC0415 - only where it is needed

            return getattr(store, name)
        from ansible_collections.mailops.tls.plugins.module_utils._probe import exchange  # noqa: PLC0415 - only where it is needed
    return getattr(exchange, name)
