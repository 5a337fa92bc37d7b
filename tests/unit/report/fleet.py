# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A fleet as readiness_info describes it: what the tests of the report and of the gate are made from."""

from __future__ import annotations

import dataclasses
import datetime as dt
import typing as t
import urllib.parse

from ansible_collections.mailops.tls.plugins.plugin_utils._findings.model import Finding, Status, Subject, verdict
from ansible_collections.mailops.tls.plugins.plugin_utils._findings.registry import REGISTRY, make
from ansible_collections.mailops.tls.plugins.plugin_utils._gate.waivers import parse_waivers
from ansible_collections.mailops.tls.plugins.plugin_utils._profiles.loader import select_profiles
from ansible_collections.mailops.tls.plugins.plugin_utils._profiles.model import Profile
from ansible_collections.mailops.tls.plugins.plugin_utils._report.document import build_document

NOW = dt.datetime(2026, 11, 24, 9, 30, tzinfo=dt.timezone.utc)
SEEN = "2026-11-24T09:29:41Z"
CAUSES = {kind.cause: kind.id for kind in REGISTRY.values() if kind.cause}
PROFILES = select_profiles(["exo-digicert-g1", "exo-digicert-g2"], today=NOW.date())
STORE = "the system store"
PATH = "/etc/ssl/certs/ca-certificates.crt"

_SAYINGS: dict[str, str] = {
    "ok": "{url} answers, and the answer is valid",
    "tcp_timeout": "{url} - no answer on TCP 80 within 5 s (192.0.2.81)",
    "tcp_refused": "{url} - the connection to TCP 80 was refused (192.0.2.81)",
    "dns_timeout": "{url} - no resolver answered for {host} within 5 s",
    "not_a_crl": "{url} - the answer is not a CRL but an HTML page",
}


def names(profiles: t.Iterable[Profile] = PROFILES) -> list[tuple[str, str, str]]:
    """URL, kind and profile of each endpoint, once each."""
    found: dict[str, tuple[str, str, str]] = {}
    for profile in profiles:
        for endpoint in profile.endpoints:
            found.setdefault(endpoint.name, (endpoint.name, endpoint.kind, profile.id))
    return list(found.values())


def endpoint_finding(host: str, url: str, kind: str, profile: str, cause: str, **more: t.Any) -> Finding:
    """The verdict about one endpoint, as the judge of egress words it."""
    name = urllib.parse.urlsplit(url if "//" in url else f"//{url}").hostname
    body = more.pop("body", None)
    evidence = {
        "url": url,
        "kind": kind,
        "cause": cause,
        "hops": [
            {"host": name, "port": 80, "addresses": [{"address": "192.0.2.81", "family": "ipv4", "connected": cause == "ok"}]}
        ],
    }
    if body is not None:
        evidence["body"] = body
    return make(
        CAUSES[cause],
        host=host,
        subject=Subject("endpoint", url),
        summary=_SAYINGS[cause].format(url=url, host=name),
        observed_at=SEEN,
        profile=profile,
        evidence=evidence,
        **more,
    )


def root_finding(host: str, root: str, name: str, sha256: str, present: bool, profile: str) -> Finding:
    """The verdict about one root in the system's store."""
    verb = "is trusted by" if present else "is not in"
    return make(
        "trust.root.present" if present else "trust.root.absent",
        host=host,
        subject=Subject("root", f"{root} in {STORE}"),
        summary=f"{name} {verb} {STORE}",
        observed_at=SEEN,
        profile=profile,
        evidence={"root": root, "sha256": sha256, "store": {"type": "system", "path": PATH}, "certificates": 142},
    )


def checked(
    host: str, causes: t.Mapping[str, str] | str = "ok", absent: t.Container[str] = (), **more: t.Any
) -> dict[str, t.Any]:
    """A host that delivered a result. `causes`: by a part of the URL, or one for all; `absent`: ids of roots it lacks."""
    findings: list[Finding] = []
    endpoints = []
    for url, kind, profile in names():
        cause = causes if isinstance(causes, str) else next((value for part, value in causes.items() if part in url), "ok")
        findings.append(endpoint_finding(host, url, kind, profile, cause, **more))
        endpoints.append(
            {"url": url, "kind": kind, "status": findings[-1].status, "cause": cause, "stage": None, "addresses": []}
        )
    roots = {root.id: (root, profile.id) for profile in PROFILES for root in profile.roots}
    for root, profile in roots.values():
        findings.append(root_finding(host, root.id, root.name, root.sha256, root.id not in absent, profile))
    return entry(host, findings, endpoints=endpoints)


def entry(host: str, findings: t.Sequence[Finding], **more: t.Any) -> dict[str, t.Any]:
    """A host with these findings."""
    rules = [
        {"destination": "crl3.digicert.com", "address": "192.0.2.81", "port": 80, "protocol": "tcp", "why": [f"CRL for {host}"]},
        {"destination": "ocsp.digicert.com", "address": None, "port": 80, "protocol": "tcp", "why": ["OCSP"]},
    ]
    result = {
        **verdict(findings),
        "endpoints": [],
        "firewall_rules": rules if any(found.id.startswith("egress.tcp.") for found in findings) else [],
        "stores": [{"type": "system", "path": PATH, "certificates": 142, "roots": []}],
        "profiles": [profile.summary() for profile in PROFILES],
        "observed_at": SEEN,
        **more,
    }
    return {"host": host, "state": "checked", "message": None, "result": result}


def lost(host: str, state: str, message: str | None) -> dict[str, t.Any]:
    """A host without a result."""
    return {"host": host, "state": state, "message": message, "result": None}


def with_status(found: Finding, status: Status) -> Finding:
    """The same finding with another status."""
    return dataclasses.replace(found, status=status)


def fleet() -> list[dict[str, t.Any]]:
    """Eight mail hosts of one company, three of them in order."""
    return [
        checked("mx1.ber.example.net"),
        checked("mx2.ber.example.net"),
        checked("edge01.muc.example.net", "tcp_timeout"),
        checked("edge02.muc.example.net", "tcp_timeout", absent=("digicert-global-root-g2",)),
        checked("hybrid01.corp.example.net", {"crl3": "not_a_crl", "crl4": "not_a_crl"}),
        checked("relay-dmz.example.net", "dns_timeout"),
        checked("smtp-out.ham.example.net", {"microsoft": "tcp_refused"}),
        lost(
            "old-exim.ham.example.net",
            "unreachable",
            "Failed to connect to the host via ssh: connect to host port 22: No route to host",
        ),
        lost("appliance.example.net", "failed", "/bin/sh: 1: python3: not found"),
        checked("mx3.ber.example.net"),
    ]


WAIVERS = parse_waivers(
    [
        {
            "id": "egress.tcp.refused",
            "host": "smtp-out.*",
            "until": dt.date(2027, 1, 31),
            "reason": "Firewall change CHG-4711 is due in January",
        },
        {"id": "host.unreachable", "host": "old-exim.*", "until": "2026-10-31", "reason": "To be switched off"},
        {"id": "trust.root.absent", "host": "mx9.*", "until": "2026-12-31", "reason": "Replaced by mx3"},
    ]
)


def document(hosts: t.Sequence[t.Mapping[str, t.Any]] | None = None, **more: t.Any) -> dict[str, t.Any]:
    """The report of a fleet."""
    options = {"generated_at": NOW, "collection_version": "0.1.0", "fail_on": ["fail"], "waivers": (), **more}
    return build_document(fleet() if hosts is None else hosts, **options)
