# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the lab's unbound, nginx and squid are told about the cases of causes.py."""

from __future__ import annotations

import pathlib

from tests.lab import causes, plan

SERVER = """\
    server {{
        {listen}
        {tls}
        {inside}
    }}
"""
# A zone that unbound is to copy from a server which there is not: all it can answer is SERVFAIL.
LAME = """\
auth-zone:
    name: "{zone}"
    primary: 127.0.0.1@9
    for-downstream: yes
    for-upstream: yes
    fallback-enabled: no"""


def unbound() -> str:
    """Records: an A record below ipv4, an AAAA record below ipv6, and the names at fault. Names below a case lead there, too."""
    lines, lame = [], []
    for family in causes.FAMILIES:
        for case in causes.CASES:
            zone = case.host(family) + "."
            place = causes.address(case)
            record = f"A {place.v4}" if family == "ipv4" else f"AAAA {place.v6}"
            normal = (f'local-zone: "{zone}" redirect', f'local-data: "{zone} 300 IN {record}"')
            told = normal if case.dns is None else case.dns[family]
            if case.lame:
                lame.append(LAME.format(zone=zone))
            lines += [f"    {line.format(zone=zone)}" for line in told]
    return "\n".join([*lines, *lame])


def nginx(state: pathlib.Path) -> str:
    """The servers of the cases that nginx can serve."""
    servers = ["    map $host $family { default ipv4; ~ipv6 ipv6; }\n"]
    for case in causes.CASES:
        if not case.nginx:
            continue
        place = causes.address(case)
        port = case.port or (443 if case.scheme == "https" else 80)
        option = " ssl" if case.tls else ""
        ca = state / "ca"
        tls = f"ssl_certificate {ca}/{case.tls}-chain.pem; ssl_certificate_key {ca}/{case.tls}.key;" if case.tls else ""
        inside = case.nginx.replace("{state}", str(state)).replace("{zone}", plan.ZONE)
        listen = f"listen {place.v4}:{port}{option}; listen [{place.v6}]:{port}{option};"
        servers.append(SERVER.format(listen=listen, tls=tls, inside=inside))
    return "".join(servers)


def squid() -> str:
    """The proxy's rules: destinations that it denies, and one for users that there are not."""
    rules = ["acl nobody proxy_auth nobody"]
    for case in causes.CASES:
        if case.squid:
            names = " ".join(case.host(family) for family in causes.FAMILIES)
            rules.append(f"acl to-{case.name} dstdomain {names}")
            # Denied for want of the right user, squid asks for credentials again (407) instead of saying 403.
            rules.append(f"http_access deny to-{case.name}" + (" !nobody" if case.squid == "other-user" else ""))
    return "\n".join(rules)
