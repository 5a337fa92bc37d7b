# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""What to ask a host about the mail servers it talks to: one probe request per domain or smart host."""

from __future__ import annotations

import dataclasses
import re
import typing as t

from ansible_collections.mailops.tls.plugins.plugin_utils._plan.smtp.targets import SUBMISSIONS_PORT, Target
from ansible_collections.mailops.tls.plugins.plugin_utils._plan.trust.checks import StoreSpec

MAX_ADDRESSES: t.Final = 256  # the most that the probe takes

# RFC 8461 3.3: at most 64 kilobytes suffice, redirects must not be followed.
_POLICY_BYTES: t.Final = 65536

_EHLO_NAME: t.Final = re.compile(r"[\x21-\x7e]{1,255}")


@dataclasses.dataclass(frozen=True)
class SmtpOptions:
    """How the host is to look. `timeout` is in seconds and for each step; files are paths on the host."""

    each_address: bool = True
    ehlo_name: str | None = None
    client_certificate: str | None = None
    client_key: str | None = None
    check_plaintext: bool = False
    stores: tuple[StoreSpec, ...] = (StoreSpec("system"),)
    address_family: str = "any"
    timeout: float = 5.0
    proxy: str = "environment"
    proxy_authorization: str | None = None

    def __post_init__(self) -> None:
        """Refuse what the probe would refuse, before anything runs. Raises ValueError."""
        for store in self.stores:
            if store.type not in ("system", "pem_file", "pem_directory"):
                raise ValueError(
                    f"stores: a store of type {store.type} cannot verify a server here; use system, pem_file or pem_directory"
                )
        if not self.stores:
            raise ValueError("stores: name at least one store, or leave it out for the system's")
        if self.ehlo_name is not None and not _EHLO_NAME.fullmatch(self.ehlo_name):
            raise ValueError("ehlo_name: must be printable ASCII without spaces")
        if self.client_key and not self.client_certificate:
            raise ValueError("client_key: is the key of client_certificate, which is missing")


@dataclasses.dataclass(frozen=True)
class SmtpCheck:
    """`request` goes to the probe; `policy_request` fetches the MTA-STS policy of a domain (RFC 8461 3.3)."""

    target: Target
    request: dict[str, t.Any]
    policy_request: dict[str, t.Any] | None = None

    @property
    def requests(self) -> list[dict[str, t.Any]]:
        """What the probe is asked."""
        return [self.request] if self.policy_request is None else [self.request, self.policy_request]


def plan_smtp(targets: t.Sequence[Target], options: SmtpOptions) -> tuple[SmtpCheck, ...]:
    """One check for each different target, in the order given."""
    return tuple(_check(index, target, options) for index, target in enumerate(dict.fromkeys(targets)))


def store_ids(stores: t.Sequence[StoreSpec]) -> tuple[str, ...]:
    """The names of the stores in requests and results."""
    return tuple(store.label for store in stores)


def _check(index: int, target: Target, options: SmtpOptions) -> SmtpCheck:
    policy = _policy_request(index, target.domain, options) if target.domain else None
    return SmtpCheck(target, _request(index, target, options), policy)


def _request(index: int, target: Target, options: SmtpOptions) -> dict[str, t.Any]:
    """The probe's request, every option spelled out (docs/observations.md)."""
    return {
        "id": f"smtp:{index}",
        "op": "smtp",
        **({"domain": target.domain} if target.domain else {"host": target.host}),
        "port": target.port,
        "implicit_tls": target.port == SUBMISSIONS_PORT,
        "each_address": options.each_address,
        "max_addresses": MAX_ADDRESSES,
        "address_family": options.address_family,
        "ehlo_name": options.ehlo_name,
        "client_certificate": options.client_certificate,
        "client_key": options.client_key,
        "check_plaintext": options.check_plaintext,
        "stores": [_store(store) for store in options.stores],
        "dane": target.address is None,
        "timeout": options.timeout,
    }


def _store(store: StoreSpec) -> dict[str, t.Any]:
    """A store as `openssl verify` is given it; with neither path it takes its own default, which is the system's store."""
    return {
        "id": store.label,
        "ca_file": store.path if store.type == "pem_file" else None,
        "ca_path": store.path if store.type == "pem_directory" else None,
    }


def _policy_request(index: int, domain: str, options: SmtpOptions) -> dict[str, t.Any]:
    return {
        "id": f"mta_sts:{index}",
        "op": "fetch",
        "url": f"https://mta-sts.{domain}/.well-known/mta-sts.txt",
        "method": "GET",
        "body": None,
        "headers": {},
        "timeout": options.timeout,
        "family": options.address_family,
        "each_address": False,
        "proxy": options.proxy,
        "proxy_authorization": options.proxy_authorization,
        "max_bytes": _POLICY_BYTES,
        "max_redirects": 0,
        "ca_path": None,
    }
