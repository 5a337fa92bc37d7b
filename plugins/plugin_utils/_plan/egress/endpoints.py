# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""The user's option `endpoints`: read, completed where it is unmistakable, refused with place and reason where it is not."""

from __future__ import annotations

import re
import typing as t
import urllib.parse

from ansible_collections.mailops.tls.plugins.plugin_utils._profiles.model import Endpoint, EndpointKind

KINDS: t.Final[tuple[EndpointKind, ...]] = ("crl", "ocsp", "ca_issuers")
_KEYS: t.Final = frozenset({"url", "host", "port", "kind", "issuer"})
_MAX_URL: t.Final = 2000
_MAX_ENDPOINTS: t.Final = 1000
_HOST = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,252})|[0-9A-Fa-f:.]+(?:%[A-Za-z0-9_.-]+)?")
_SUFFIXES: t.Final[tuple[tuple[tuple[str, ...], EndpointKind], ...]] = (
    ((".crl",), "crl"),
    ((".crt", ".cer", ".der", ".p7c"), "ca_issuers"),
)


def parse_endpoints(raw: t.Any) -> tuple[Endpoint, ...]:
    """Endpoints from URLs or dicts {url | host + port, kind, issuer}. Raises ValueError that names the place and the reason."""
    if not isinstance(raw, (list, tuple)):
        raise ValueError(f"endpoints: must be a list, not {type(raw).__name__}")
    if len(raw) > _MAX_ENDPOINTS:
        raise ValueError(f"endpoints: has {len(raw)} items, at most {_MAX_ENDPOINTS} are possible")
    return tuple(_endpoint(item, f"endpoints[{index}]") for index, item in enumerate(raw))


def _endpoint(item: t.Any, place: str) -> Endpoint:
    if isinstance(item, str):
        item = {"url": item}
    if not isinstance(item, t.Mapping):
        raise ValueError(f"{place}: must be a URL or a dict, not {type(item).__name__}")
    unknown = sorted(str(key) for key in item if key not in _KEYS)
    if unknown:
        raise ValueError(f"{place}: unknown key '{unknown[0][:40]}'; known are {', '.join(sorted(_KEYS))}")
    given = {key: value for key, value in item.items() if value is not None}
    issuer = given.get("issuer")
    if issuer is not None and (not isinstance(issuer, str) or not issuer):
        raise ValueError(f"{place}.issuer: must be the id of a root or intermediate of a profile")
    if "url" in given:
        if "host" in given or "port" in given:
            raise ValueError(f"{place}: give either url, or host and port, not both")
        url = check_url(given["url"], f"{place}.url")
        return Endpoint(kind=_kind(given.get("kind"), place) or _guess(url, place), url=url, issuer=issuer)
    if "host" not in given or "port" not in given:
        raise ValueError(f"{place}: needs url, or host and port")
    kind = _kind(given.get("kind"), place)
    if kind is None:
        raise ValueError(f"{place}.kind: is needed with host and port; one of {', '.join(KINDS)}")
    return Endpoint(
        kind=kind, host=_host(given["host"], f"{place}.host"), port=_port(given["port"], f"{place}.port"), issuer=issuer
    )


def check_url(raw: t.Any, place: str) -> str:
    """A URL that the probe can fetch. Raises ValueError that names the place and the reason, never the credentials in it."""
    if not isinstance(raw, str) or not raw.strip():
        raise ValueError(f"{place}: must be a URL")
    url = raw.strip()
    if len(url) > _MAX_URL or not url.isascii() or not url.isprintable() or " " in url:
        raise ValueError(f"{place}: must be at most {_MAX_URL} printable ASCII characters without spaces")
    try:
        parts = urllib.parse.urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise ValueError(f"{place}: is not a URL: {error}") from None
    if parts.scheme.lower() not in ("http", "https"):
        raise ValueError(f"{place}: must begin with http:// or https://")
    if "@" in parts.netloc:
        raise ValueError(f"{place}: must not hold user information")
    if not host or not _HOST.fullmatch(host) or port == 0:
        raise ValueError(f"{place}: has no usable host and port")
    return url


def _kind(raw: t.Any, place: str) -> EndpointKind | None:
    if raw is None:
        return None
    for kind in KINDS:
        if raw == kind:
            return kind
    raise ValueError(f"{place}.kind: must be one of {', '.join(KINDS)}, not '{str(raw)[:40]}'")


def _guess(url: str, place: str) -> EndpointKind:
    parts = urllib.parse.urlsplit(url)
    path = parts.path.lower()
    for suffixes, kind in _SUFFIXES:
        if path.endswith(suffixes):
            return kind
    if re.match(r"ocsp\d*\.", parts.hostname or ""):
        return "ocsp"
    raise ValueError(f"{place}.kind: cannot be told from the URL '{url[:200]}'; give one of {', '.join(KINDS)}")


def _host(raw: t.Any, place: str) -> str:
    host = raw.strip().removeprefix("[").removesuffix("]") if isinstance(raw, str) else ""
    if len(host) > 253 or not _HOST.fullmatch(host):
        raise ValueError(f"{place}: must be a host name or an address")
    return host


def _port(raw: t.Any, place: str) -> int:
    # Jinja hands numbers over as text; True is an int to Python.
    number = int(raw) if isinstance(raw, str) and raw.isascii() and raw.isdecimal() and len(raw) < 6 else raw
    if isinstance(number, bool) or not isinstance(number, int) or not 0 < number < 65536:
        raise ValueError(f"{place}: must be a number from 1 to 65535")
    return number


def url_key(url: str) -> str:
    """What makes two URLs the same request: scheme and host without regard to case, the default port left out."""
    try:
        parts = urllib.parse.urlsplit(url)
        host, port = (parts.hostname or "").lower(), parts.port
    except ValueError:
        return url
    scheme = parts.scheme.lower()
    if port is None or port == {"http": 80, "https": 443}.get(scheme):
        port = None
    where = f"[{host}]" if ":" in host else host
    return f"{scheme}://{where}{f':{port}' if port else ''}{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}"
