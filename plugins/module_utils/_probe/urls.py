# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""Host names and URLs, taken apart so strictly that nothing of them can break out of a request line or a header."""

import re
import socket
import string
from urllib.parse import urljoin, urlsplit

from ansible_collections.mailops.tls.plugins.module_utils._probe.base import ProbeError

PORTS = {"http": 80, "https": 443}
_LABEL = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?\Z")
_UNSAFE = re.compile(r"[\x00-\x20\x7f]")
_URL_LENGTH = 8192


def _invalid(message):
    return ProbeError("request", "invalid", message)


class Target(object):
    """A URL that can be asked for.

    scheme: `http` or `https`; host: A-labels or an address without brackets; port: int; path: origin form with query;
    url: the whole, without user information and fragment.
    """

    def __init__(self, scheme, host, port, path):
        self.scheme = scheme
        self.host = host
        self.port = port
        self.path = path
        self.url = scheme + "://" + authority(host, port, PORTS[scheme]) + path


def authority(host, port, default=None):
    """`host:port` as in a URL or a Host header; the port is left out where it is the `default`."""
    name = "[%s]" % host if ":" in host else host
    return name if port == default else "%s:%d" % (name, port)


def literal_family(host):
    """`ipv4` or `ipv6` where `host` is an address, else None. A scope (`%eth0`) may follow an IPv6 address."""
    for family, name, text in ((socket.AF_INET, "ipv4", host), (socket.AF_INET6, "ipv6", host.partition("%")[0])):
        try:
            socket.inet_pton(family, text)
            return name
        except (OSError, ValueError):
            continue
    return None


def to_ascii(host):
    """The name as it goes to the resolver: A-labels (RFC 5890), or the address. Raises ProbeError (request, invalid)."""
    if literal_family(host) and not _UNSAFE.search(host):
        return host
    name = host
    try:
        name.encode("ascii")
    except UnicodeEncodeError:
        try:
            name = host.encode("idna").decode("ascii")
        except UnicodeError:
            raise _invalid("the host name is not valid")
    labels = (name[:-1] if name.endswith(".") else name).split(".")
    # RFC 1035 section 2.3.4; underscores are not host names by RFC 952 but resolvers answer them.
    if len(name) > 254 or not all(len(label) <= 63 and _LABEL.match(label) for label in labels):
        raise _invalid("the host name is not valid")
    return name.lower()


def _quote(text):
    """Percent-encode what is not ASCII, and nothing else (RFC 3986 section 2.1)."""
    return "".join(ch if ch in string.printable else "".join("%%%02X" % byte for byte in ch.encode("utf-8")) for ch in text)


def parse_url(url):
    """The Target of an absolute http or https URL (str). Raises ProbeError (request, invalid)."""
    if len(url) > _URL_LENGTH or _UNSAFE.search(url):
        raise _invalid("the URL is too long or holds white space or control characters")
    try:
        parts = urlsplit(url)
        host, port, user = parts.hostname, parts.port, parts.username
    except ValueError:
        raise _invalid("the URL does not parse")
    scheme = parts.scheme.lower()
    if scheme not in PORTS or not host:
        raise _invalid("not an absolute http or https URL")
    if user is not None or "@" in parts.netloc:
        raise _invalid("user information in a URL is not supported")
    if "%" in host or (":" in host and literal_family(host) != "ipv6"):
        raise _invalid("the host in the URL is not valid")
    path = parts.path if parts.path.startswith("/") else "/" + parts.path
    if parts.query:
        path += "?" + parts.query
    if port == 0:
        raise _invalid("the port in the URL is not valid")
    return Target(scheme, to_ascii(host), port or PORTS[scheme], _quote(path))


def follow(target, location):
    """The Target a `Location` (text as decoded from latin-1) leads to. Raises ProbeError (http, redirect_refused)."""
    try:
        if not location or _UNSAFE.search(location):
            raise _invalid("white space or control characters in Location")
        raw = "".join(ch if ch in string.printable else "%%%02X" % ord(ch) for ch in location)
        return parse_url(urljoin(target.url, raw))
    except ProbeError as exc:
        raise ProbeError("http", "redirect_refused", exc.message)
    except ValueError:
        raise ProbeError("http", "redirect_refused", "the Location does not parse")


def is_local(address):
    """Whether an address (text) is loopback, link-local or unspecified, also when mapped into IPv6."""
    try:
        packed = socket.inet_pton(socket.AF_INET, address)
    except (OSError, ValueError):
        try:
            packed = socket.inet_pton(socket.AF_INET6, address.partition("%")[0])
        except (OSError, ValueError):
            return False
        # ::ffff:a.b.c.d (RFC 4291), ::a.b.c.d (deprecated there) and 64:ff9b::a.b.c.d (RFC 6052) reach the IPv4 address.
        if packed[:12] not in (b"\0" * 10 + b"\xff\xff", b"\0" * 12, b"\0\x64\xff\x9b" + b"\0" * 8):
            return packed[0] == 0xFE and packed[1] & 0xC0 == 0x80
        if packed == b"\0" * 15 + b"\1":
            return True
        packed = packed[12:]
    return packed[0] in (0, 127) or packed[:2] == b"\xa9\xfe"


def is_loopback(address):
    """Whether an address (text or None) is loopback."""
    return address is not None and (address.startswith("127.") or address in ("::1", "::ffff:127.0.0.1"))


def is_local_host(host):
    """Whether a host (name or address) is this host or link-local by its very spelling."""
    name = host.rstrip(".")
    return name == "localhost" or name.endswith(".localhost") or is_local(host)
