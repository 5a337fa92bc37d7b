# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""ca_egress_info against one ping task, and against the same check put together from general modules.

The composed check is what a careful user writes without this collection: wait_for for each endpoint, uri for what can be
fetched, and community.crypto.x509_crl_info for the CRLs. It runs on the controller where it needs cryptography, because
hosts do not have it. It has the shape of the exo-globalsign-r1 profile, and no OCSP, for which there is no module.
"""

from __future__ import annotations

import typing as t

from tests.benchmark.fleet_readiness import PING
from tests.benchmark.harness import Bench, BenchmarkError, Contestant, Settings, bench, per_host, table, verdict
from tests.lab import plan

SLOPE_TARGET, CHEAPER_TARGET, FASTER_TARGET = 1.3, 4.0, 3.0
TIMEOUT = 5

CRLS = (f"http://crl.{plan.ZONE}/root.crl", f"http://crl.{plan.ZONE}/intermediate.crl")
HOSTS = (f"crl.{plan.ZONE}", f"ocsp.{plan.ZONE}", f"ca.{plan.ZONE}")
# Three of the four endpoints: all but the first CRL's server.
DROPPED = (plan.OCSP, plan.OCSP_INTERMEDIATE, plan.CA_ISSUERS)

EGRESS = Contestant(
    "ca_egress", {"tasks": [{"mailops.tls.ca_egress_info": {"profiles": ["{{ bench_profile }}"], "timeout": TIMEOUT}}]}
)


def composed() -> Contestant:
    """The same check from general modules; a failed part does not stop the others, as in ca_egress_info."""
    tasks: list[dict[str, t.Any]] = [
        {
            "ansible.builtin.wait_for": {"host": "{{ item }}", "port": 80, "timeout": TIMEOUT},
            "loop": list(HOSTS),
            "ignore_errors": True,
        },
        {
            "ansible.builtin.uri": {
                "url": "{{ item }}",
                "dest": "~/bench-{{ item | basename }}",
                "timeout": TIMEOUT,
                "force": True,
            },
            "loop": [*CRLS, f"http://ca.{plan.ZONE}/intermediate.crt"],
            "register": "fetched",
            "ignore_errors": True,
        },
        {
            "ansible.builtin.slurp": {"src": "~/bench-{{ item | basename }}"},
            "loop": list(CRLS),
            "register": "crls",
            "ignore_errors": True,
        },
        {
            "community.crypto.x509_crl_info": {"content": "{{ item.content }}"},
            "loop": "{{ crls.results | selectattr('content', 'defined') }}",
            "loop_control": {"label": "{{ item.item }}"},
            "delegate_to": "localhost",
            "vars": {"ansible_connection": "local", "ansible_python_interpreter": "{{ ansible_playbook_python }}"},
            "ignore_errors": True,
        },
    ]
    return Contestant("composed", {"tasks": tasks})


def _drop(field: Bench, hosts: t.Sequence[str]) -> None:
    """Close the way to three of four endpoints, as a firewall that was forgotten does."""
    drops = [f"ip daddr {address.v4} drop" for address in DROPPED] + [f"ip6 daddr {address.v6} drop" for address in DROPPED]
    rules = "\n".join(["table inet bench {", "chain output {", "type filter hook output priority 0;", *drops, "}", "}"])
    for host in hosts:
        done = field.lab.run(host, f"nft -f - <<'END'\n{rules}\nEND")
        if done.returncode:
            raise BenchmarkError(f"{host}: {done.stderr}")


def run(few: int, many: int, settings: Settings) -> list[str]:
    """Measure and return the lines to print."""
    other = composed()
    with bench(many, settings) as field:
        small = field.measure((PING, EGRESS), field.fleet[:few])
        large = field.measure((PING, EGRESS), field.fleet)
        some = field.fleet[:few]
        open_ways = field.measure((PING, EGRESS, other), some)
        _drop(field, some)
        closed_ways = field.measure((EGRESS, other), some)
    slope = per_host(small, large, many - few)
    start = _median(open_ways, "ping") - slope["ping"] * few  # of ansible-playbook itself, the same for all
    cost = {name: _median(open_ways, name) - start for name in open_ways}
    return [
        *table({f"{few} hosts": small, f"{many} hosts": large}),
        *table({f"{few} hosts, all open": open_ways, f"{few} hosts, three of four dropped": closed_ways}),
        verdict("one more host, in ping tasks", slope["ca_egress"] / slope["ping"], SLOPE_TARGET),
        verdict(
            "composed check, times our cost (start-up taken off)",
            cost["composed"] / cost["ca_egress"],
            CHEAPER_TARGET,
            at_least=True,
        ),
        verdict(
            "composed check, times our time with three of four dropped",
            _median(closed_ways, "composed") / _median(closed_ways, "ca_egress"),
            FASTER_TARGET,
            at_least=True,
        ),
    ]


def _median(times: t.Mapping[str, list[float]], name: str) -> float:
    values = sorted(times[name])
    return values[len(values) // 2]
