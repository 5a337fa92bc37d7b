# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""Which mail servers to look at: the user's domains and hosts, read and refused with place and reason."""

from __future__ import annotations

import dataclasses
import ipaddress
import re
import typing as t

SUBMISSIONS_PORT: t.Final = 465  # RFC 8314 3.3: TLS from the first byte
SMTP_PORT: t.Final = 25

MAX_TARGETS: t.Final = 1000

_LABEL = r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)"
_NAME = re.compile(rf"(?=.{{1,253}}\.?\Z){_LABEL}(?:\.{_LABEL})*\.?")


@dataclasses.dataclass(frozen=True)
class Target:
    """One thing to look at: a mail domain, whose MX hosts the host looks up, or a smart host with its port.

    `address` is the host as a plain IP address where it is one.
    """

    domain: str | None = None
    host: str | None = None
    port: int = SMTP_PORT
    address: str | None = None

    @property
    def name(self) -> str:
        """How findings call it."""
        if self.domain is not None:
            return self.domain
        return f"[{self.address}]:{self.port}" if self.address else f"{self.host}:{self.port}"


def parse_domain(raw: t.Any, place: str) -> Target:
    """A mail domain. Raises ValueError that names the place and the reason."""
    name = to_ascii(raw.strip()) if isinstance(raw, str) else raw
    if not isinstance(name, str) or not _NAME.fullmatch(name) or "." not in name.rstrip("."):
        raise ValueError(f"{place}: must be a mail domain such as example.com, not {str(raw)[:80]!a}")
    return Target(domain=name.rstrip(".").lower())


def parse_hosts(raw: t.Any, place: str = "hosts") -> tuple[Target, ...]:
    """Smart hosts: `host`, `host:port`, `[address]`, `[address]:port`, or {host, port}. Raises ValueError."""
    if isinstance(raw, (str, bytes)) or not isinstance(raw, t.Sequence):
        raise ValueError(f"{place}: must be a list of hosts")
    if len(raw) > MAX_TARGETS:
        raise ValueError(f"{place}: has {len(raw)} items, at most {MAX_TARGETS} are possible")
    return tuple(dict.fromkeys(_host(item, f"{place}[{index}]") for index, item in enumerate(raw)))


def _host(item: t.Any, place: str) -> Target:
    port: t.Any = SMTP_PORT
    if isinstance(item, t.Mapping):
        unknown = sorted(str(key)[:40] for key in item if key not in ("host", "port"))
        if unknown or "host" not in item:
            raise ValueError(f"{place}: must have host, and may have port" + (f", not {unknown[0]!a}" if unknown else ""))
        item, port = item["host"], SMTP_PORT if item.get("port") is None else item["port"]
    if not isinstance(item, str):
        raise ValueError(f"{place}: must be a host, host:port, or a dict of host and port")
    text = item.strip()
    if text.count(":") == 1 or "]:" in text:
        text, _colon, port = text.rpartition(":")
    if isinstance(port, bool) or not str(port).isdecimal() or not 0 < int(port) < 65536:
        raise ValueError(f"{place}: the port must be a number from 1 to 65535, not {str(port)[:20]!a}")
    return _named(text, int(port), place)


def _named(text: str, port: int, place: str) -> Target:
    # RFC 5321 4.1.3: address literals stand in brackets, those of IPv6 with a tag.
    bare = text[1:-1] if text.startswith("[") and text.endswith("]") else text
    bare = to_ascii(bare[5:] if bare.lower().startswith("ipv6:") else bare)
    try:
        address = str(ipaddress.ip_address(bare))
    except ValueError:
        # Postfix writes [host] for a smart host whose MX is not asked; here no smart host's is.
        if not _NAME.fullmatch(bare):
            raise ValueError(f"{place}: {text[:80]!a} is neither a host name nor an address") from None
        return Target(host=bare.rstrip(".").lower(), port=port)
    return Target(host=address, port=port, address=address)


def to_ascii(name: str) -> str:
    """An internationalized name as it stands in DNS (A-labels, RFC 5890 2.3.2.1); what has none is refused as it is."""
    try:
        return name if name.isascii() else name.encode("idna").decode("ascii")
    except UnicodeError:
        return name
