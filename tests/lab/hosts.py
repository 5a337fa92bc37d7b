# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The managed hosts: what is wrong with each, and the verdict that a true check must reach.

Tests read this table, so that a host, its fault and its expected verdict stand side by side.
"""

from __future__ import annotations

import dataclasses
import functools
import typing as t

from tests.lab import interpreters

Egress = t.Literal[
    "open", "dropped", "rejected", "reset", "reset-midway", "unreachable-net", "portal", "dead-ipv6", "proxy-only", "causes"
]
TrustStore = t.Literal["root", "no-root", "twin-root"]

PRIVATE_STORE = "/etc/mailops/private-roots.pem"
CA_KINDS = ("crl", "ocsp", "ca_issuers")


@dataclasses.dataclass(frozen=True)
class Expected:
    """The verdict on a host.

    `causes` maps the kind of endpoint to its cause, for the kinds that matter (several where the client may truly see
    either); `findings` must be reported as (id, status); `forbidden` ids must not be, but as a warning.
    """

    compliant: bool | None
    causes: dict[str, frozenset[str]] = dataclasses.field(default_factory=dict)
    findings: frozenset[tuple[str, str]] = frozenset()
    forbidden: frozenset[str] = frozenset()


@dataclasses.dataclass(frozen=True)
class LabHost:
    """A managed host: its faults, how Ansible reaches it, and what must be said of it."""

    name: str
    expected: Expected
    egress: Egress = "open"
    trust: TrustStore = "root"
    resolver: t.Literal["lab", "dead"] = "lab"
    python: str | None = "/usr/bin/python3"  # None: there is none on the host
    sshd: bool = True
    user: str = "root"
    variables: dict[str, t.Any] = dataclasses.field(default_factory=dict)
    groups: tuple[str, ...] = ("faulty",)


def every_ca_kind(*causes: str) -> dict[str, frozenset[str]]:
    """The same cause for each kind of CA endpoint."""
    return dict.fromkeys(CA_KINDS, frozenset(causes))


HEALTHY = Expected(
    compliant=True,
    causes=every_ca_kind("ok"),
    findings=frozenset({("trust.root.present", "pass")}),
    forbidden=frozenset({"trust.root.absent"}),
)
NOT_COLLECTED = Expected(compliant=None, findings=frozenset({("host.collector_broken", "unknown")}))


def cut_off(*causes: str) -> Expected:
    """A firewall in the way of every CA endpoint: not ready, and for this cause."""
    return Expected(compliant=False, causes=every_ca_kind(*causes), findings=frozenset({("trust.root.present", "pass")}))


FAULTY: tuple[LabHost, ...] = (
    LabHost("dropped", cut_off("tcp_timeout"), egress="dropped"),
    LabHost("rejected", cut_off("tcp_refused"), egress="rejected"),
    # A reset in answer to the SYN is what a closed port sends, so the client sees it as refused.
    LabHost("reset", cut_off("tcp_refused"), egress="reset"),
    LabHost("reset-midway", cut_off("tcp_reset"), egress="reset-midway"),
    LabHost("unreachable-net", cut_off("tcp_unreachable"), egress="unreachable-net"),
    LabHost(
        "portal",
        Expected(
            compliant=False,
            causes={
                "crl": frozenset({"not_a_crl"}),
                "ocsp": frozenset({"not_an_ocsp_response"}),
                "ca_issuers": frozenset({"not_a_certificate"}),
            },
        ),
        egress="portal",
    ),
    LabHost("no-resolver", cut_off("dns_timeout"), resolver="dead"),
    LabHost(
        "no-root",
        Expected(compliant=False, causes=every_ca_kind("ok"), findings=frozenset({("trust.root.absent", "fail")})),
        trust="no-root",
    ),
    LabHost(
        "twin-root",
        Expected(
            compliant=False,
            causes=every_ca_kind("ok"),
            findings=frozenset({("trust.root.absent", "fail")}),
            forbidden=frozenset({"trust.root.present"}),
        ),
        trust="twin-root",
    ),
    LabHost(
        "unreadable-store",
        Expected(
            compliant=None,
            causes=every_ca_kind("ok"),
            findings=frozenset({("trust.store.unreadable", "unknown")}),
            forbidden=frozenset({"trust.root.absent", "trust.root.present"}),
        ),
        user="mailops",
        variables={"readiness_stores": [{"type": "pem_file", "path": PRIVATE_STORE}]},
    ),
    LabHost("no-python", NOT_COLLECTED, python=None),
    LabHost("down", Expected(compliant=None, findings=frozenset({("host.unreachable", "unknown")})), sshd=False),
)

SOUND: tuple[LabHost, ...] = (
    LabHost("open", HEALTHY, groups=("healthy",)),
    # IPv6 is announced but goes nowhere: a client that races addresses still gets there over IPv4.
    LabHost("dead-ipv6", HEALTHY, egress="dead-ipv6", groups=("healthy",)),
    # No way out but the proxy, which the host's own environment names.
    LabHost("proxy-only", HEALTHY, egress="proxy-only", groups=("healthy",)),
    # Its firewall is in the way of cases of causes.py only.
    LabHost("causes", HEALTHY, egress="causes", groups=("healthy",)),
)


def fleet(size: int) -> tuple[LabHost, ...]:
    """This many healthy hosts like `open`, for benchmarks: fleet01, fleet02, ..."""
    return tuple(LabHost(f"fleet{number:02d}", HEALTHY, groups=("healthy", "fleet")) for number in range(1, size + 1))


@functools.cache
def interpreter_hosts() -> tuple[LabHost, ...]:
    """Healthy hosts that run the probe on another Python than the system's, as far as this machine has them."""
    made = []
    for name, path, usable in interpreters.found():
        expected, group = (HEALTHY, "healthy") if usable else (NOT_COLLECTED, "faulty")
        made.append(LabHost(name, expected, egress="causes", python=str(path), groups=(group, "pythons")))
    return tuple(made)


def all_hosts(fleet_size: int = 0) -> tuple[LabHost, ...]:
    """Every host of a lab with a fleet of this size."""
    return (*SOUND, *FAULTY, *interpreter_hosts(), *fleet(fleet_size))
