# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""Which proxy a request takes, chosen from the environment as urllib does, and the tunnel through it."""

import base64
import re
from urllib.parse import unquote, urlsplit

from ansible_collections.mailops.tls.plugins.module_utils._probe import httpwire
from ansible_collections.mailops.tls.plugins.module_utils._probe.base import ProbeError
from ansible_collections.mailops.tls.plugins.module_utils._probe.connect import connect
from ansible_collections.mailops.tls.plugins.module_utils._probe.resolve import resolve
from ansible_collections.mailops.tls.plugins.module_utils._probe.urls import authority, to_ascii
from ansible_collections.mailops.tls.plugins.module_utils._probe.wire import Wire


class Proxy(object):
    """A proxy. url: without user information; source: `environment` or `explicit`; authorization: header value or None."""

    def __init__(self, host, port, source, authorization):
        self.host = host
        self.port = port
        self.url = "http://" + authority(host, port)
        self.source = source
        self.authorization = authorization

    def headers(self):
        """The headers for this proxy (dict)."""
        return {"Proxy-Authorization": self.authorization} if self.authorization else {}

    def entry(self, tunnel):
        """The `proxy` of an answer before it was tried (dict)."""
        return {
            "url": self.url,
            "source": self.source,
            "tunnel": tunnel,
            "authorization": self.authorization is not None,
            "addresses": [],
            "status": None,
            "reason": None,
            "headers": {},
        }


def from_environment(environ, name):
    """The value of a variable such as `http_proxy`: lower case wins over upper case, as in urllib."""
    found = [value for key, value in environ.items() if key.lower() == name and key != name]
    # urllib: what a CGI server got from a client's Proxy header is not a setting.
    if name == "http_proxy" and "REQUEST_METHOD" in environ:
        found = []
    return environ[name] if name in environ else (found[-1] if found else "")


def bypassed(environ, host, port):
    """Whether `no_proxy` exempts the host: a suffix at a label boundary, with or without port, or `*`."""
    no_proxy = from_environment(environ, "no_proxy").lower()
    if no_proxy.strip() == "*":
        return True
    whole = authority(host, port)
    for item in (part.strip().lstrip(".") for part in no_proxy.split(",")):
        if item and any(re.search(r"(^|\.)" + re.escape(item) + r"\Z", name) for name in (host, whole)):
            return True
    return False


def _parse(value, source):
    """(host, port, user, password) of a proxy's URL. The value is never quoted: it may hold a password."""
    stage = ("request", "invalid") if source == "explicit" else ("request", "unsupported")
    try:
        parts = urlsplit(value if "://" in value else "http://" + value)
        scheme, host, port = parts.scheme.lower(), parts.hostname, parts.port
        user, password = parts.username, parts.password
    except ValueError:
        raise ProbeError(*(stage + ("the proxy's URL does not parse",)))
    if scheme != "http" or not host:
        raise ProbeError("request", "unsupported", "only proxies with an http URL are supported")
    return to_ascii(host), port or 80, user, password


def choose(job, scheme, host, port):
    """The Proxy for a destination, or None. Raises ProbeError (request, invalid or unsupported)."""
    wanted, key = job.options["proxy"], job.options["proxy_authorization"]
    if wanted == "none":
        return None
    if wanted == "environment":
        value = from_environment(job.run.environ, scheme + "_proxy").strip()
        if not value or bypassed(job.run.environ, host, port):
            return None
        source = "environment"
    else:
        value, source = wanted, "explicit"
    name, number, user, password = _parse(value, source)
    if user is not None and source == "explicit":
        raise ProbeError("request", "invalid", "proxy: user information belongs into secrets")
    header = None
    if key is not None:
        header = job.run.secrets.get(key)
        if not isinstance(header, str) or not header:
            raise ProbeError("request", "invalid", "proxy_authorization: no such key in secrets")
        httpwire.check_value(header)
    elif user is not None:
        pair = unquote(user) + ":" + unquote(password or "")
        header = "Basic " + base64.b64encode(pair.encode("utf-8")).decode("ascii")
        job.run.hide(header)
    return Proxy(name, number, source, header)


def _as_proxy(exc):
    """The same error as one of stage proxy."""
    code = exc.code
    if exc.stage == "resolve":
        code = "deadline" if code == "deadline" else "resolve"
    elif code == "closed":
        code = "reset"
    elif code == "headers_too_large":
        code = "protocol"
    return ProbeError("proxy", code, exc.message, exc.errno_name)


def reach(job, proxy, tunnel):
    """A Wire to the proxy. Raises ProbeError of stage proxy."""
    job.put(proxy=proxy.entry(tunnel))
    job.enter("proxy")
    timeout = job.options["timeout"]
    try:
        # The proxy's family is the host's business: the family asked for is that of the destination.
        addresses = resolve(job.run, proxy.host, proxy.port, "any", timeout, lambda _info: None)
        sock, _dummy = connect(job.run, addresses, timeout, False, lambda found: job.put_proxy(addresses=found), "proxy")
    except ProbeError as exc:
        raise _as_proxy(exc)
    return Wire(sock, job.run, timeout, "proxy")


def open_tunnel(job, proxy, host, port):
    """A Wire to host:port through the proxy by CONNECT (RFC 9110 section 9.3.6). Raises ProbeError of stage proxy."""
    wire = reach(job, proxy, True)
    target = authority(host, port)
    try:
        wire.send(httpwire.request_bytes("CONNECT", target, target, proxy.headers()))
        response = httpwire.read_head(wire)
    except ProbeError as exc:
        wire.close()
        raise _as_proxy(exc)
    job.put_proxy(status=response.status, reason=response.reason, headers=response.returned())
    if not 200 <= response.status < 300:
        wire.close()
        raise ProbeError("proxy", "status", "%d %s" % (response.status, response.reason))
    return wire
