# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""MX, TLSA and address records as the host's own resolver gives them, with its word on DNSSEC (RFC 1035, 4035, 6891).

getaddrinfo knows neither MX nor TLSA nor the AD flag, so the nameservers of resolv.conf are asked directly. Nothing is
validated here: AD is the resolver's claim, worth as much as the way to it.
"""

import os
import socket
import struct
import time

A, CNAME, MX, AAAA, OPT, TLSA = 1, 5, 15, 28, 41, 52
MAX_RECORDS = 64
_UDP_SIZE = 1232  # what passes without fragments nearly everywhere (DNS flag day 2020)
_QR, _TC, _RD, _AD, _CD = 0x8000, 0x0200, 0x0100, 0x0020, 0x0010
_DO = 0x8000
_ATTEMPT = 2.0
_MAX_CNAMES = 8
_STATUS = {2: "servfail", 3: "nxdomain"}


class Answer(object):
    """What one question got.

    status: ok, no_data, nxdomain, servfail, timeout or error. authenticated: the AD flag (bool), None without an answer.
    bogus: True where the resolver has data that it refuses for DNSSEC, None where that was not asked. resolver: who said so
    (str or None). name: the owner of the records, the end of the aliases if there are any (str). records: list of bytes
    or, for MX, of (preference, name).
    """

    def __init__(self, status, name, resolver=None, authenticated=None, records=()):
        self.status = status
        self.name = name
        self.resolver = resolver
        self.authenticated = authenticated
        self.bogus = None
        self.records = list(records)


def lookup(servers, name, qtype, timer):
    """The Answer to a question. servers: as `dnsquery.nameservers` returns them; name: A-labels (str); timer: Timer."""
    name = name.rstrip(".").lower()
    # Without any the C library asks this host, resolv.conf(5).
    servers = servers or ["127.0.0.1"]
    best = None
    for number, server in enumerate(servers):
        answer = _ask(server, name, qtype, min(_ATTEMPT, timer.left() / (len(servers) - number)), 0)
        if answer is None:
            continue
        if answer.status in ("ok", "no_data", "nxdomain"):
            return answer
        if best is None or answer.status == "servfail":
            best = answer
    if best is None:
        return Answer("timeout", name)
    if best.status == "servfail":
        # With Checking Disabled (RFC 4035 section 3.2.2) a resolver that refused for DNSSEC shows that there is something.
        again = _ask(best.resolver, name, qtype, min(_ATTEMPT, timer.left()), _CD)
        best.bogus = again.status in ("ok", "no_data", "nxdomain") if again else None
    return best


def _ask(server, name, qtype, seconds, flags):
    """The Answer of one server, or None where it said nothing that counts."""
    ends = time.monotonic() + seconds
    try:
        message = _exchange(server, name, qtype, ends, flags, True)
        if message is not None and _rcode(message) in (1, 4):
            # A resolver from before EDNS (RFC 6891 section 7).
            message = _exchange(server, name, qtype, ends, flags, False)
        return None if message is None else read_answer(message, name, qtype, server)
    except (OSError, ValueError):
        return None


def _exchange(server, name, qtype, ends, flags, extended):
    """The message (bytes) that answers, by UDP and, where that is cut, by TCP; None when the time is over."""
    identity = struct.unpack("!H", os.urandom(2))[0]
    query = encode(identity, name, qtype, flags, extended)
    host, _dummy, port = server.partition("#")
    family, address = socket.getaddrinfo(host, int(port or 53), 0, socket.SOCK_DGRAM, 0, socket.AI_NUMERICHOST)[0][::4]
    with socket.socket(family, socket.SOCK_DGRAM) as sock:
        # A connected socket hears the ICMP error of a server that is not there, and no strangers.
        sock.connect(address)
        sock.send(query)
        while True:
            left = ends - time.monotonic()
            if left <= 0:
                return None
            sock.settimeout(left)
            message = sock.recv(65535)
            if belongs(message, query):
                break
    if struct.unpack("!H", message[2:4])[0] & _TC:
        return _by_tcp(family, address, query, ends)
    return message


def _by_tcp(family, address, query, ends):
    with socket.socket(family, socket.SOCK_STREAM) as sock:
        sock.settimeout(max(0.01, ends - time.monotonic()))
        sock.connect(address)
        sock.sendall(struct.pack("!H", len(query)) + query)
        wanted, data = 2, b""
        while len(data) < wanted:
            left = ends - time.monotonic()
            if left <= 0:
                return None
            sock.settimeout(left)
            piece = sock.recv(wanted - len(data))
            if not piece:
                return None
            data += piece
            if wanted == 2 and len(data) == 2:
                wanted += struct.unpack("!H", data)[0]
    return data[2:] if belongs(data[2:], query) else None


def encode(identity, name, qtype, flags=0, extended=True):
    """A query (bytes): recursion and the AD flag wanted (RFC 6840 section 5.7), with DNSSEC OK where `extended`."""
    labels = [label.encode("ascii") for label in name.split(".")] if name else []
    if any(not 0 < len(label) < 64 for label in labels) or len(name) > 253:
        raise ValueError("not a domain name")
    question = b"".join(struct.pack("!B", len(label)) + label for label in labels) + b"\0" + struct.pack("!2H", qtype, 1)
    header = struct.pack("!6H", identity, _RD | _AD | flags, 1, 0, 0, 1 if extended else 0)
    return header + question + (struct.pack("!B2HIH", 0, OPT, _UDP_SIZE, _DO, 0) if extended else b"")


def belongs(message, query):
    """Whether a message (bytes) answers a query: the same identity and the same question."""
    if len(message) < 12 or message[:2] != query[:2] or not message[2] & 0x80:
        return False
    end = query.index(b"\0", 12) + 5
    # A FORMERR may come without the question.
    if message[4:6] == b"\0\0" and message[3] & 0x0F == 1:
        return True
    return message[4:6] == b"\0\1" and message[12:end].lower() == query[12:end].lower()


def _rcode(message):
    return message[3] & 0x0F


def read_answer(message, name, qtype, server):
    """The Answer in a message (bytes) that belongs to the question. Raises ValueError where it cannot be read."""
    flags = struct.unpack("!H", message[2:4])[0]
    authenticated, rcode = bool(flags & _AD), flags & 0x000F
    if rcode:
        return Answer(_STATUS.get(rcode, "error"), name, server, authenticated)
    try:
        owner, records = _walk(message, name, qtype)
    except (IndexError, struct.error):
        raise ValueError("the answer cannot be read")
    return Answer("ok" if records else "no_data", owner, server, authenticated, records)


def _walk(message, name, qtype):
    """(owner of the records at the end of the aliases, records) of the answer section."""
    count, at = struct.unpack("!H", message[6:8])[0], 12
    _dummy, at = _name(message, at)
    at += 4
    aliases, found = {}, []
    for _number in range(count):
        owner, at = _name(message, at)
        kind, kind_class, _ttl, size = struct.unpack("!2HIH", message[at : at + 10])
        at += 10
        if at + size > len(message):
            raise IndexError("a record beyond the end")
        if kind_class == 1 and kind == CNAME != qtype:
            aliases[owner] = _name(message, at)[0]
        elif kind_class == 1 and kind == qtype and len(found) < MAX_RECORDS:
            found.append((owner, _data(message, at, size, qtype)))
        at += size
    owner = name
    for _number in range(_MAX_CNAMES):
        if owner not in aliases:
            break
        owner = aliases[owner]
    return owner, [data for whose, data in found if whose == owner]


def _data(message, at, size, qtype):
    if qtype != MX:
        return bytes(message[at : at + size])
    return struct.unpack("!H", message[at : at + 2])[0], _name(message, at + 2)[0]


def _name(message, at):
    """(name in lower case without the last dot, position after it). Pointers only lead back, so there is an end."""
    labels, after, limit, total = [], None, at, 0
    while True:
        length = message[at]
        if length >= 0xC0:
            target = struct.unpack("!H", message[at : at + 2])[0] & 0x3FFF
            if target >= limit:
                raise IndexError("a pointer that does not lead back")
            after = at + 2 if after is None else after
            at = limit = target
            continue
        if length > 63:
            raise IndexError("a label of an unknown type")
        at += 1
        if length == 0:
            return ".".join(labels), (at if after is None else after)
        label = message[at : at + length]
        total += length + 1
        if len(label) < length or total > 254:
            raise IndexError("a name that is too long")
        labels.append(_printable(label))
        at += length


def _printable(label):
    """A label as text; what is no letter, digit, hyphen or underscore is escaped as in zone files (RFC 1035 section 5.1)."""
    return "".join(
        chr(byte) if chr(byte).isalnum() and byte < 128 or byte in b"-_" else "\\%03d" % byte for byte in label
    ).lower()


# --- what mail asks


def mail_exchangers(servers, domain, timer):
    """The `mx` of an answer (dict), its records sorted by preference."""
    answer = lookup(servers, domain, MX, timer)
    records = sorted((preference, host) for preference, host in answer.records)
    status = answer.status
    if status == "ok" and len(records) == 1 and records[0][1] == "":
        status, records = "null_mx", []  # RFC 7505
    return {
        "status": status,
        "authenticated": answer.authenticated,
        "bogus": answer.bogus,
        "resolver": answer.resolver,
        "records": [{"preference": preference, "host": host} for preference, host in records if host],
    }


def no_tlsa(status="not_asked"):
    """The `tlsa` of a host for which there is none to tell."""
    return {"status": status, "name": None, "authenticated": None, "bogus": None, "resolver": None, "records": []}


def dane(servers, host, port, timer):
    """(`address_authenticated`, `alias_authenticated`, `tlsa`) of a host: RFC 7672 section 2.2.2.

    The name at the end of the aliases is asked for first where the way to it is authenticated, then the host's own. Where the
    way is not, the first alias is asked for on its own: if it is authenticated, the host's own name is still a secure one.
    """
    host = host.lower()
    answers = [answer for answer in (lookup(servers, host, qtype, timer) for qtype in (A, AAAA)) if answer.status != "timeout"]
    told = [answer.authenticated for answer in answers if answer.status in ("ok", "no_data")]
    secure = all(told) if told else None
    alias, names = None, [host]
    aliased = any(answer.name != host for answer in answers)
    if secure:
        names = [answer.name for answer in answers if answer.status == "ok" and answer.name != host][:1] + names
    elif secure is False and aliased:
        alias = lookup(servers, host, CNAME, timer).authenticated
    found = no_tlsa("timeout")
    for name in names:
        found = _tlsa_of(servers, "_%d._tcp.%s" % (port, name), timer)
        if found["status"] not in ("no_data", "nxdomain"):
            break
    return secure, alias, found


def _tlsa_of(servers, question, timer):
    """The `tlsa` of a host from the records of one name."""
    answer = lookup(servers, question, TLSA, timer)
    return {
        "status": answer.status,
        "name": question,
        "authenticated": answer.authenticated,
        "bogus": answer.bogus,
        "resolver": answer.resolver,
        "records": [_tlsa(data) for data in answer.records if len(data) > 3],
    }


def _tlsa(data):
    """A TLSA record (RFC 6698 section 2.1)."""
    return {"usage": data[0], "selector": data[1], "matching": data[2], "data": data[3:].hex()}
