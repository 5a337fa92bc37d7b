# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The readiness role against one ansible.builtin.ping task: what one more host costs."""

from __future__ import annotations

from tests.benchmark.harness import Contestant, Settings, bench, per_host, table, verdict

TARGET = 2.0

PING = Contestant("ping", {"tasks": [{"ansible.builtin.ping": {}}]})
ROLE = Contestant(
    "readiness",
    {
        "roles": [
            {
                "role": "mailops.tls.readiness",
                "vars": {"readiness_profiles": ["{{ bench_profile }}"], "readiness_report_dir": "{{ bench_folder }}/reports"},
            }
        ]
    },
)


def run(few: int, many: int, settings: Settings) -> list[str]:
    """Measure and return the lines to print."""
    with bench(many, settings) as field:
        small = field.measure((PING, ROLE), field.fleet[:few])
        large = field.measure((PING, ROLE), field.fleet)
    slope = per_host(small, large, many - few)
    return [
        *table({f"{few} hosts": small, f"{many} hosts": large}),
        f"one more host: ping {slope['ping'] * 1000:.0f} ms, readiness {slope['readiness'] * 1000:.0f} ms",
        verdict("one more host, in ping tasks", slope["readiness"] / slope["ping"], TARGET),
    ]
