# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""How a user names a proxy: its URL without user information, and the header that carries the credentials."""

from __future__ import annotations

import base64
import dataclasses
import urllib.parse

# Key under which the header travels in the probe's `secrets`.
PROXY_SECRET = "proxy_authorization"  # noqa: S105 - the name of a secret, not one


@dataclasses.dataclass(frozen=True, repr=False)
class ProxyChoice:
    """`proxy` is `environment`, `none` or a URL without user information; `authorization` a whole header value, or None."""

    proxy: str
    authorization: str | None


def parse_proxy(proxy: str, username: str | None, password: str | None) -> ProxyChoice:
    """Split a proxy option. Raises ValueError, never repeating a credential, when it cannot be used.

    The credentials become a Basic `Proxy-Authorization` (RFC 7617, UTF-8), whether they stand in the URL or in options of
    their own; the options win.
    """
    if proxy in ("environment", "none"):
        if username is not None or password is not None:
            raise ValueError(f"proxy_username and proxy_password need a proxy URL; proxy is '{proxy}'")
        return ProxyChoice(proxy, None)
    try:
        parts = urllib.parse.urlsplit(proxy if "://" in proxy else f"http://{proxy}")
        host, port = parts.hostname, parts.port
    except ValueError:
        raise ValueError("proxy: not a URL; write http://proxy.example:3128, environment or none") from None
    if parts.scheme != "http" or not host:
        raise ValueError("proxy: must be environment, none, or a URL such as http://proxy.example:3128")
    if parts.path not in ("", "/") or parts.query or parts.fragment:
        raise ValueError("proxy: a proxy URL has no path, query or fragment; write http://proxy.example:3128")
    username = urllib.parse.unquote(parts.username) if username is None and parts.username is not None else username
    password = urllib.parse.unquote(parts.password) if password is None and parts.password is not None else password
    shown = f"[{host}]" if ":" in host else host
    return ProxyChoice(f"http://{shown}:{port or 3128}", _basic(username, password))


def _basic(username: str | None, password: str | None) -> str | None:
    if username is None:
        if password is not None:
            raise ValueError("proxy_password needs proxy_username as well")
        return None
    if ":" in username:
        raise ValueError("proxy_username: must not contain a colon (RFC 7617, section 2)")
    pair = f"{username}:{password or ''}"
    return "Basic " + base64.b64encode(pair.encode()).decode("ascii")
