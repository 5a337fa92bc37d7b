# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The mail network's DNS: nsd serves signed and unsigned zones, unbound validates for everybody."""

from __future__ import annotations

import pathlib
import subprocess

from tests.lab.smtp import pki, plan

NSD = """\
server:
    ip-address: {address}@53
    username: ""
    zonesdir: "{folder}"
    pidfile: ""
    database: ""
    logfile: "{folder}/nsd.log"
    xfrdfile: ""
    zonelistfile: "{folder}/zone.list"
    server-count: 1
remote-control:
    control-enable: no
{zones}
"""
UNBOUND = """\
server:
    directory: "{folder}"
    chroot: ""
    username: ""
    pidfile: ""
    use-syslog: no
    logfile: "{folder}/unbound.log"
    do-daemonize: no
    num-threads: 1
    interface: {address}
    access-control: 0.0.0.0/0 allow
    module-config: "validator iterator"
    trust-anchor-file: "{folder}/anchors"
    local-zone: "test." nodefault
    # There is no root here to prove that the zone has no keys.
    domain-insecure: "{unsigned}"
remote-control:
    control-enable: no
{stubs}
"""
HEADER = "$TTL 300\n@ IN SOA ns hostmaster 1 3600 600 86400 300\n@ IN NS ns\nns IN A {address}\n"


def prepare(ca: pki.MailCA, folder: pathlib.Path) -> None:
    """Write, sign and anchor the zones, and write both servers' configuration."""
    folder.mkdir()
    anchors = []
    for zone in plan.ZONES:
        (folder / f"{zone}.zone").write_text(_zone(ca, zone))
        if zone == plan.UNSIGNED_ZONE:
            continue
        anchor = _sign(folder, zone)
        # A key that never signed anything: every answer of this zone is bogus.
        anchors.append(_key(folder, zone) if zone in (plan.BOGUS_ZONE, plan.BOGUS_TLSA_ZONE) else anchor)
    (folder / "anchors").write_text("".join(anchors))
    zones = "".join(f'zone:\n    name: "{zone}"\n    zonefile: "{_served(folder, zone)}"\n' for zone in plan.ZONES)
    (folder / "nsd.conf").write_text(NSD.format(address=plan.AUTHORITY, folder=folder, zones=zones))
    stubs = "".join(f'stub-zone:\n    name: "{zone}"\n    stub-addr: {plan.AUTHORITY}\n' for zone in plan.ZONES)
    unbound = UNBOUND.format(address=plan.RESOLVER, folder=folder, stubs=stubs, unsigned=plan.UNSIGNED_ZONE)
    (folder / "unbound.conf").write_text(unbound)


def _zone(ca: pki.MailCA, zone: str) -> str:
    lines = [HEADER.format(address=plan.AUTHORITY)]
    if zone == plan.HOSTS_ZONE:
        lines += [f"crl IN A {plan.FILES}\n", f"ocsp IN A {plan.OCSP}\n"]
    if zone == plan.BOGUS_TLSA_ZONE:
        lines.append(f"_25 IN TLSA {ca.tlsa('3 1 1 own')}\n")
    for case in plan.CASES:
        if (case.alias or case.zone) == zone:
            kind = "AAAA" if case.six else "A"
            lines += [f"{case.name} IN {kind} {address}\n" for address in case.addresses]
        if case.alias and case.zone == zone:
            lines.append(f"{case.name} IN CNAME {case.name}.{case.alias}.\n")
        if case.tlsa and case.zone == zone:
            lines.append(f"_{case.port}._tcp.{case.name} IN TLSA {ca.tlsa(case.tlsa)}\n")
    for domain in plan.DOMAINS:
        if domain.zone == zone:
            lines += [_mx(domain.name, number, name) for number, name in enumerate(domain.mx)]
            if domain.mode:
                lines.append(f'_mta-sts.{domain.name} IN TXT "v=STSv1; id=20260101T000000;"\n')
                lines.append(f"mta-sts.{domain.name} IN A {plan.POLICIES}\n")
    return "".join(lines)


def _mx(name: str, number: int, host: str) -> str:
    return f"{name} IN MX 0 .\n" if host == "." else f"{name} IN MX {10 * (number + 1)} {plan.BY_NAME[host].host}.\n"


def _served(folder: pathlib.Path, zone: str) -> pathlib.Path:
    return folder / (f"{zone}.zone" if zone == plan.UNSIGNED_ZONE else f"{zone}.signed")


def _key(folder: pathlib.Path, zone: str) -> str:
    """A new key signing key in the folder; returns its DNSKEY record."""
    name = _run(folder, "dnssec-keygen", "-q", "-a", "ECDSAP256SHA256", "-f", "KSK", zone).strip()
    records = (folder / f"{name}.key").read_text().splitlines(keepends=True)
    return "".join(line for line in records if not line.startswith(";"))


def _sign(folder: pathlib.Path, zone: str) -> str:
    anchor = _key(folder, zone)
    # -z: the one key signs everything, so that no second is needed.
    _run(folder, "dnssec-signzone", "-q", "-S", "-z", "-o", zone, "-f", str(folder / f"{zone}.signed"), f"{zone}.zone")
    return anchor


def _run(folder: pathlib.Path, *command: str) -> str:
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True, timeout=60).stdout
