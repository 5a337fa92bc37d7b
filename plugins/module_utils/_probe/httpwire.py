# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""HTTP/1.1 as a client (RFC 9112), with every length bounded.

Not http.client: it reads trailers, interim answers and chunk sizes without a bound, hides which stage failed, differs from
3.6 to 3.14, and importing it (with the e-mail package below it) costs more than everything else the probe does.
"""

import re

from ansible_collections.mailops.tls.plugins.module_utils._probe.base import ProbeError, plain

MAX_HEADER_BYTES = 65536
MAX_HEADERS = 200
VALUE_LENGTH = 500
RETURNED = frozenset(
    ("age", "cache-control", "content-encoding", "content-length", "content-type", "date", "last-modified", "location")
    + ("proxy-authenticate", "proxy-authorization-error", "server", "via", "www-authenticate", "x-cache", "x-squid-error")
)
_STATUS = re.compile(r"HTTP/1\.\d ([1-9]\d\d)(?: (.*))?\Z", re.S)
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+\Z")  # RFC 9110 section 5.6.2
_CHUNK_SIZE = re.compile(r"([0-9A-Fa-f]{1,15})[ \t]*(?:;.*)?\Z", re.S)
# What this client decides itself, and what would let a request be read as two.
_OWN_HEADERS = frozenset(
    ("host", "connection", "content-length", "transfer-encoding", "te", "upgrade", "expect", "proxy-authorization")
    + ("accept-encoding", "user-agent")
)


class Response(object):
    """The head of an answer. status: int; reason: str; headers: dict of lower-case name to list of values."""

    def __init__(self, status, reason, headers):
        self.status = status
        self.reason = reason
        self.headers = headers

    def value(self, name):
        """All values of a header in one text, or None."""
        values = self.headers.get(name)
        return ", ".join(values) if values else None

    def returned(self):
        """The headers that go into an answer (dict)."""
        return {name: plain(self.value(name), VALUE_LENGTH) for name in sorted(self.headers) if name in RETURNED}


def check_headers(headers):
    """Refuse request headers that would change the framing or break the request. Raises ProbeError (request, invalid)."""
    for name, value in headers.items():
        if not _TOKEN.match(name) or name.lower() in _OWN_HEADERS or re.search(r"[^\x20-\x7e\t]", value):
            raise ProbeError("request", "invalid", "headers: a name or value that cannot be sent")


def check_value(value):
    """Refuse a secret header value with control characters, without quoting it. Raises ProbeError (request, invalid)."""
    if re.search(r"[^\x20-\x7e]", value):
        raise ProbeError("request", "invalid", "proxy_authorization: the value cannot be sent")


def request_bytes(method, target, host, headers, body=None):
    """A request (bytes). target: the request target; host: the Host header; headers: dict, checked before."""
    lines = ["%s %s HTTP/1.1" % (method, target), "Host: " + host, "User-Agent: mailops.tls"]
    if method != "CONNECT":
        lines += ["Accept-Encoding: identity", "Connection: close"]
    lines += ["%s: %s" % item for item in headers.items()]
    if body is not None:
        lines.append("Content-Length: %d" % len(body))
    return ("\r\n".join(lines) + "\r\n\r\n").encode("ascii") + (body or b"")


class _Head(object):
    """Reads the lines of one or more heads within the bound for all of them together."""

    def __init__(self, wire):
        self.wire = wire
        self.left = MAX_HEADER_BYTES
        self.count = 0

    def line(self):
        """The next line (str), or None where the stream ended before any byte of it."""
        raw, ended = self.wire.line(self.left)
        self.left -= len(raw) + 1
        self.count += 1
        if not ended and self.left <= 0:
            raise ProbeError(self.wire.stage, "headers_too_large", "the headers are longer than %d bytes" % MAX_HEADER_BYTES)
        if self.count > MAX_HEADERS:
            raise ProbeError(self.wire.stage, "headers_too_large", "more than %d header lines" % MAX_HEADERS)
        if not ended and not raw:
            return None
        if not ended:
            raise ProbeError(self.wire.stage, "protocol", "the connection ended within the headers")
        return raw.decode("latin-1")


def read_head(wire):
    """The Response on a Wire, interim answers (1xx) skipped. Raises ProbeError of the wire's stage."""
    head = _Head(wire)
    first = True
    while True:
        start = wire.piece(5)
        while start and len(start) < 5 and b"HTTP/".startswith(start):
            more = wire.piece(5 - len(start))
            if not more:
                break
            start += more
        if not start:
            raise ProbeError(wire.stage, "closed" if first else "protocol", "the connection was closed without an answer")
        # Told at once: a server of another protocol may wait for us and never end its line.
        if not start.startswith(b"HTTP/"):
            raise ProbeError(wire.stage, "protocol", "not an HTTP answer: " + plain(start.decode("latin-1")))
        wire.buffer[:0] = start
        response = _read_one(head)
        if response.status >= 200:
            return response
        if response.status == 101:
            raise ProbeError(wire.stage, "protocol", "the server switched to another protocol")
        first = False


def _read_one(head):
    line = head.line()
    match = _STATUS.match(line or "")
    if not match:
        raise ProbeError(head.wire.stage, "protocol", "not an HTTP status line: " + plain(line))
    headers, last = {}, None
    while True:
        line = head.line()
        if line is None:
            raise ProbeError(head.wire.stage, "protocol", "the connection ended within the headers")
        if not line:
            return Response(int(match.group(1)), plain(match.group(2) or "", 100), headers)
        if line[0] in " \t":  # RFC 9112 section 5.2: obsolete folding, read as a space
            if last:
                headers[last][-1] += " " + line.strip()
            continue
        name, colon, value = line.partition(":")
        last = name.lower() if colon and _TOKEN.match(name) else None
        if last:
            headers.setdefault(last, []).append(value.strip(" \t"))


def pieces(wire, method, response):
    """The body of a response as an iterator over bytes. Raises ProbeError of stage body (the wire's from here on)."""
    wire.stage = "body"
    encoding = response.value("content-encoding")
    if encoding and encoding.strip().lower() != "identity":
        raise ProbeError("body", "encoding", "Content-Encoding " + plain(encoding))
    if method == "HEAD" or response.status in (204, 304):
        return iter(())
    transfer = response.value("transfer-encoding")
    if transfer is not None:
        if transfer.strip().lower() != "chunked":
            raise ProbeError("body", "encoding", "Transfer-Encoding " + plain(transfer))
        return _chunked(wire)
    lengths = response.headers.get("content-length")
    if lengths is None:
        return _to_the_end(wire)
    if len(set(lengths)) > 1 or not re.match(r"[0-9]{1,18}\Z", lengths[0]):
        raise ProbeError("http", "protocol", "Content-Length " + plain(response.value("content-length")))
    return _counted(wire, int(lengths[0]))


def declared_length(response):
    """The Content-Length that counts (int), or None."""
    lengths = response.headers.get("content-length") or [""]
    chunked = response.value("transfer-encoding") is not None
    return int(lengths[0]) if re.match(r"[0-9]{1,18}\Z", lengths[0]) and not chunked else None


def _to_the_end(wire):
    while True:
        data = wire.piece()
        if not data:
            return
        yield data


def _counted(wire, length):
    while length:
        data = wire.piece(min(length, 65536))
        if not data:
            raise ProbeError("body", "truncated", "%d bytes are missing" % length)
        length -= len(data)
        yield data


def _chunked(wire):
    while True:
        raw, ended = wire.line(4096)
        match = _CHUNK_SIZE.match(raw.decode("latin-1"))
        if not ended:
            raise ProbeError("body", "truncated", "the chunked body has no end")
        if not match:
            raise ProbeError("http", "protocol", "not the size of a chunk: " + plain(raw.decode("latin-1"), 40))
        length = int(match.group(1), 16)
        if not length:
            return  # trailers are not read: the connection is closed anyway
        yield from _counted(wire, length)
        raw, ended = wire.line(2)
        if raw or not ended:
            raise ProbeError("body", "truncated", "a chunk is cut off")
