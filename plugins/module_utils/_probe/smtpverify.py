# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""What the host's openssl says about the chains of mail servers: with each store, and with each anchor that DANE may name."""

import hashlib
import threading
import time

from ansible_collections.mailops.tls.plugins.module_utils._probe.openssl import verify

_MAX_VERIFICATIONS = 4  # processes at the same time
_MAX_ANCHORS = 8
_DANE_TA = 2  # RFC 6698 section 2.1.1


class Once(object):
    """A value that many threads want and one of them works out, outside of the run's lock."""

    def __init__(self):
        self.lock = threading.Lock()
        self.value = None

    def get(self, make):
        with self.lock:
            if self.value is None:
                self.value = make()
            return self.value


def take(lock, run):
    """Take a lock or a semaphore, waiting to the end of the time at most."""
    left = run.ends - time.monotonic()
    return left > 0 and lock.acquire(True, left)


def with_stores(run, chain, stores, timeout):
    """The `verified` of a path: one verdict for each store. chain: list of DER, the server's certificate first."""
    found = []
    for store in stores if chain else ():
        paths = {"ca_file": store["ca_file"], "ca_path": store["ca_path"]}
        said = _once(run, chain, (store["ca_file"], store["ca_path"]), timeout, **paths)
        found.append(dict(said, store=store["id"]))
    return found


def with_anchors(run, chain, records, timeout):
    """The `anchored` of a path: whether the chain leads to a certificate that a TLSA record may name as trust anchor.

    records: TLSA records as in an answer. Which of them selects which certificate is not worked out here. The server's own
    certificate is no anchor for itself (RFC 7671 section 5.2).
    """
    wanted = [record for record in records if record["usage"] == _DANE_TA]
    if not wanted or not chain:
        return []
    # RFC 7671 section 5.2.2: an anchor that stands in the record as a whole need not be sent.
    whole = [bytes.fromhex(record["data"]) for record in wanted if record["selector"] == 0 and record["matching"] == 0]
    found, seen = [], {chain[0]}
    for anchor in chain[1:] + whole:
        if anchor in seen or len(found) == _MAX_ANCHORS:
            continue
        seen.add(anchor)
        name = hashlib.sha256(anchor).hexdigest()
        found.append(dict(_once(run, chain, name, timeout, ca_ders=[anchor], partial=True), sha256=name))
    return found


def _once(run, chain, trusted, timeout, **options):
    """A verdict, asked for once in a run for each chain and what is trusted."""
    key = ("smtp verdict", hashlib.sha256(b"".join(chain)).digest(), trusted)
    return run.once(key, Once).get(lambda: _ask(run, chain, timeout, options))


def _ask(run, chain, timeout, options):
    slots = run.once("smtp verifications", lambda: threading.Semaphore(_MAX_VERIFICATIONS))
    said = {"ok": None, "code": None, "message": "the run's time was over", "version": None, "errors": []}
    if take(slots, run):
        try:
            seconds = min(timeout, max(0.01, run.ends - time.monotonic()))
            said = verify(chain[0], chain[1:], purpose="sslserver", timeout=seconds, **options)
        finally:
            slots.release()
    depth = said["errors"][0]["depth"] if said["errors"] else None
    told = {key: said[key] for key in ("ok", "code", "message", "version")}
    return dict(told, depth=depth, tool="openssl verify")
