# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""A small DNS client (RFC 1035) that explains why the system's resolver had no answer. It is never used to resolve."""

import os
import socket
import struct
import time

TYPES = {"ipv4": 1, "ipv6": 28}
RCODES = {0: "NOERROR", 1: "FORMERR", 2: "SERVFAIL", 3: "NXDOMAIN", 4: "NOTIMP", 5: "REFUSED"}
MAX_SERVERS = 3  # MAXNS of the C library
_ATTEMPT = 2.0


def nameservers(path):
    """The nameservers in a resolv.conf (list of str, at most 3), or None where the file cannot be read."""
    try:
        with open(path, "rb") as stream:
            lines = stream.read(65536).decode("utf-8", "replace").splitlines()
    except OSError:
        return None
    words = [line.split() for line in lines]
    return [word[1] for word in words if len(word) > 1 and word[0] == "nameserver"][:MAX_SERVERS]


def encode(identity, name, qtype):
    """A query for `name` (ASCII) with recursion desired (bytes)."""
    labels = [label.encode("ascii") for label in name.rstrip(".").split(".")]
    question = b"".join(struct.pack("!B", len(label)) + label for label in labels) + b"\0"
    return struct.pack("!6H", identity, 0x0100, 1, 0, 0, 0) + question + struct.pack("!2H", qtype, 1)


def _skip_name(message, at):
    """The position after the name at `at`. A compression pointer ends it, so there is nothing to loop over."""
    while True:
        length = message[at]
        if length >= 0xC0:
            return at + 2
        at += 1 + length
        if length == 0:
            return at


def decode(message, identity, qtype):
    """(rcode int, has an address bool) of an answer, or None where it is none to the query."""
    try:
        number, flags, questions, answers = struct.unpack("!4H", message[:8])
        if number != identity or not flags & 0x8000:
            return None
        at = 12
        for _dummy in range(questions):
            at = _skip_name(message, at) + 4
        found = False
        for _dummy in range(answers):
            at = _skip_name(message, at)
            kind, _dummy_class, _dummy_ttl, size = struct.unpack("!2HIH", message[at : at + 10])
            found = found or kind == qtype
            at += 10 + size
        return flags & 0x000F, found
    except (IndexError, struct.error):
        return None


def ask(server, name, qtype, seconds):
    """(rcode, has an address) as one server says it, or None when it says nothing or is not there."""
    identity = struct.unpack("!H", os.urandom(2))[0]
    ends = time.monotonic() + seconds
    try:
        host, _dummy, port = server.partition("#")
        info = socket.getaddrinfo(host, int(port or 53), 0, socket.SOCK_DGRAM, 0, socket.AI_NUMERICHOST)[0]
        with socket.socket(info[0], info[1]) as sock:
            # A connected socket hears the ICMP error of a server that is not there, and no strangers.
            sock.connect(info[4])
            sock.send(encode(identity, name, qtype))
            while True:
                left = ends - time.monotonic()
                if left <= 0:
                    return None
                sock.settimeout(left)
                answer = decode(sock.recv(4096), identity, qtype)
                if answer is not None:
                    return answer
    except (OSError, ValueError):
        return None


def explain(servers, name, families, timer):
    """Ask for the addresses of `name` and say how it stands: (code, rcode name or None).

    code: nxdomain, no_address, servfail, refused, timeout, error, or `found` where there is an address after all.
    """
    said = []
    for family in families:
        answer = _first(servers, name, TYPES[family], timer)
        if answer is None:
            said.append(("timeout", None))
            break
        rcode, found = answer
        if found:
            return "found", "NOERROR"
        code = {0: "no_address", 2: "servfail", 3: "nxdomain", 5: "refused"}.get(rcode, "error")
        said.append((code, RCODES.get(rcode, str(rcode))))
        if rcode == 3:
            break
    # One family empty and the other in error: the error is the reason.
    return min(said, key=lambda item: item[0] == "no_address")


def _first(servers, name, qtype, timer):
    """The best answer of the servers in their order: a real one, else an error code, else None."""
    errors = []
    for number, server in enumerate(servers):
        seconds = min(_ATTEMPT, timer.left() / (len(servers) - number))
        answer = ask(server, name, qtype, seconds) if seconds > 0 else None
        if answer and answer[0] in (0, 3):
            return answer
        if answer:
            errors.append(answer)
    return min(errors) if errors else None
