# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Names and addresses of the lab. No I/O here: what stands where is decided once and read by everyone."""

from __future__ import annotations

import dataclasses
import os
import pathlib

PREFIX = "mtls-"
DEFAULT_STATE = "/run/mtls-lab"
ZONE = "lab.test"

# The lab's network exists in the lab's namespaces only, so it cannot clash with the machine's.
NET4, PREFIX4 = "10.83", 16
NET6, PREFIX6 = "fd83:6d74:6c73:", 64


def state_dir() -> pathlib.Path:
    """Where the running lab keeps its keys, configuration and logs. MTLS_LAB_STATE chooses another, for a second lab."""
    return pathlib.Path(os.environ.get("MTLS_LAB_STATE", DEFAULT_STATE))


@dataclasses.dataclass(frozen=True)
class Address:
    """A place in the lab, by its number: the same in IPv4 and IPv6."""

    block: int
    number: int

    @property
    def v4(self) -> str:
        return f"{NET4}.{self.block}.{self.number}"

    @property
    def v6(self) -> str:
        return f"{NET6}:{self.block}:{self.number}"

    @property
    def cidr4(self) -> str:
        return f"{self.v4}/{PREFIX4}"

    @property
    def cidr6(self) -> str:
        return f"{self.v6}/{PREFIX6}"


CONTROLLER = Address(0, 1)

# Services: name -> address. All of them are in one namespace, on addresses of their own as in real life.
RESOLVER = Address(1, 53)
DEAD_RESOLVER = Address(1, 54)  # drops everything: a resolver that never answers
CRL = Address(1, 10)
OCSP = Address(1, 11)
OCSP_INTERMEDIATE = Address(1, 12)
CA_ISSUERS = Address(1, 13)
WEB = Address(1, 20)  # a TLS server with the lab's leaf certificate
PORTAL = Address(1, 30)
PROXY = Address(1, 31)

# Servers of misbehaving.py that stand for no cause of their own: behaviour -> address.
MISBEHAVING = {"large": Address(1, 40), "echo": Address(1, 41)}

SERVICE_ADDRESSES = (
    *(RESOLVER, DEAD_RESOLVER, CRL, OCSP, OCSP_INTERMEDIATE, CA_ISSUERS, WEB, PORTAL, PROXY),
    *MISBEHAVING.values(),
)
CA_ADDRESSES = (CRL, OCSP, OCSP_INTERMEDIATE, CA_ISSUERS)

# What the resolver knows. Every other name does not exist.
NAMES: dict[str, Address] = {
    f"crl.{ZONE}": CRL,
    f"ocsp.{ZONE}": OCSP,
    f"ocsp-intermediate.{ZONE}": OCSP_INTERMEDIATE,
    f"ca.{ZONE}": CA_ISSUERS,
    f"www.{ZONE}": WEB,
    f"portal.{ZONE}": PORTAL,
    f"proxy.{ZONE}": PROXY,
    **{f"{name}.{ZONE}": address for name, address in MISBEHAVING.items()},
}

PROXY_PORT = 3128  # for everybody
PROXY_AUTH_PORT = 3129  # asks for basic authentication
PROXY_USER, PROXY_PASSWORD = "mailops", "lab-only"  # open nothing outside the lab
# In the lab's own /dev/shm: squid's helper runs as nobody, who may not get to the state directory (pytest's are 0700).
PROXY_PASSWORD_FILE = "/dev/shm/squid-passwd"  # noqa: S105, S108
# openssl's responders, behind nginx. The last two speak for the root, too, but hold its intermediate for revoked, or know
# nothing of it.
OCSP_PORTS = {"root": 8881, "intermediate": 8882, "revoked": 8883, "unknown": 8884}

# What the captive portal says, whatever it is asked.
PORTAL_PAGE = (
    "<!DOCTYPE html><html><head><title>Guest network</title></head>"
    "<body><h1>Welcome</h1><p>Please accept the terms of use to go on.</p></body></html>"
)


def host_address(index: int) -> Address:
    """The address of the managed host with this index (0 to 9999)."""
    return Address(10 + index // 200, 1 + index % 200)
