# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""Name resolution as the host does it: hosts file, name service switch and resolver, all through getaddrinfo."""

import socket
import threading
import time

from ansible_collections.mailops.tls.plugins.module_utils._probe import dnsquery
from ansible_collections.mailops.tls.plugins.module_utils._probe.base import ProbeError, Timer, errno_name, plain, text_of
from ansible_collections.mailops.tls.plugins.module_utils._probe.urls import literal_family

FAMILIES = {"any": socket.AF_UNSPEC, "both": socket.AF_UNSPEC, "ipv4": socket.AF_INET, "ipv6": socket.AF_INET6}
NAMES = {socket.AF_INET: "ipv4", socket.AF_INET6: "ipv6"}
MAX_ADDRESSES = 32
# What the codes of getaddrinfo say on a host without resolv.conf, where nothing can be asked.
_EAI = {"EAI_NONAME": "nxdomain", "EAI_NODATA": "no_address", "EAI_AGAIN": "timeout", "EAI_FAIL": "servfail"}


def eai_name(number):
    """The symbolic name of an error of getaddrinfo, or None."""
    for name in dir(socket):
        if name.startswith("EAI_") and getattr(socket, name) == number:
            return name
    return None


class Lookup(object):
    """One call of getaddrinfo in a thread of its own, because nothing can interrupt it."""

    def __init__(self, host, family):
        self.done = threading.Event()
        self.found = []
        self.error = None
        try:
            threading.Thread(target=self._look_up, args=(host, family), daemon=True).start()
        except RuntimeError as exc:
            self.error = exc
            self.done.set()

    def _look_up(self, host, family):
        try:
            # Bytes, because a text would be encoded by the slow IDNA codec, which refuses names that resolvers answer.
            self.found = socket.getaddrinfo(host.encode("ascii"), None, family, socket.SOCK_STREAM)
        except Exception as exc:  # whatever it is, the waiting requests have to hear of it
            self.error = exc
        self.done.set()


def _literal(host, family):
    own = literal_family(host)
    if own is None:
        return None
    if FAMILIES[family] not in (socket.AF_UNSPEC, FAMILIES[own]):
        return []
    try:
        return socket.getaddrinfo(host, None, FAMILIES[own], socket.SOCK_STREAM, 0, socket.AI_NUMERICHOST)
    except OSError as exc:
        raise ProbeError("resolve", "error", text_of(exc))


def _unique(found, port):
    """[(address family, socket address, text)] in the order given, each address once, at most 32 of them."""
    seen, result = set(), []
    for family, _dummy_type, _dummy_protocol, _dummy_name, address in found:
        if family in NAMES and address not in seen and len(result) < MAX_ADDRESSES:
            seen.add(address)
            result.append((family, (address[0], port) + tuple(address[2:]), address[0]))
    return result


def resolve(run, host, port, family, timeout, report):
    """The addresses of `host` (A-labels or an address) as [(address family, socket address, text)], never empty.

    `report` is called with the `resolve` of a hop, also before an error. Raises ProbeError of stage resolve.
    """
    began, timer = time.monotonic(), Timer(run, timeout)
    info = {"ms": None, "source": "system", "resolvers": None, "rcode": None, "addresses": []}
    try:
        found = _literal(host, family)
        if found is not None:
            info["source"] = "literal"
        else:
            info["resolvers"] = run.once("nameservers", lambda: dnsquery.nameservers(run.resolv_conf))
            report(dict(info))
            found = _ask_system(run, host, family, timer, info)
        addresses = _unique(found, port)
        if not addresses:
            raise ProbeError("resolve", "no_address", "no address of the family asked for")
        info["addresses"] = [text for _dummy, _dummy_address, text in addresses]
        return addresses
    finally:
        info["ms"] = int((time.monotonic() - began) * 1000)
        report(info)


def _ask_system(run, host, family, timer, info):
    # Requests for the same host share one lookup; it may have begun earlier than this request.
    lookup = run.once(("lookup", host, FAMILIES[family]), lambda: Lookup(host, FAMILIES[family]))
    if not lookup.done.wait(timer.left()):
        raise ProbeError("resolve", timer.code, "the system's resolver did not answer in time")
    exc = lookup.error
    if exc is None:
        return lookup.found
    if not isinstance(exc, socket.gaierror):
        raise ProbeError("resolve", "error", text_of(exc), errno_name(exc) if isinstance(exc, OSError) else None)
    name = eai_name(exc.errno)
    code = _EAI.get(name, "error")
    if info["resolvers"]:
        families = ("ipv4", "ipv6") if FAMILIES[family] == socket.AF_UNSPEC else (family,)
        explained, info["rcode"] = dnsquery.explain(info["resolvers"], host, families, timer)
        # DNS has the address and the system does not: hosts file, name service switch or a race. Not for us to guess.
        code = "error" if explained == "found" else explained
    raise ProbeError("resolve", code, plain(exc.strerror or exc), name)
