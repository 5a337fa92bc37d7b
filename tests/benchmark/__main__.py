# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where figures come from: python -m tests.benchmark NAME (`make benchmark` runs all of them)."""

from __future__ import annotations

import argparse
import pathlib
import sys

from tests.benchmark import connectors, fleet_egress, fleet_readiness, fleet_trust, wire
from tests.benchmark.harness import BenchmarkError, Settings
from tests.lab.lifecycle import LabError
from tests.lab.preflight import LabUnavailableError
from tools import prepare

#: name -> what it measures, the smaller and the larger number of UNITS, and what does it.
BENCHMARKS = {
    "readiness": ("the readiness role against one ping task", 4, 24, fleet_readiness.run),
    "trust": ("trust_store_info on ten stores against keytool, trust list and x509_certificate_info", 15, 150, fleet_trust.run),
    "egress": ("ca_egress_info against one ping task, and against the same check from general modules", 4, 24, fleet_egress.run),
    "wire": ("smtp_tls_info beside sslyze, posttls-finger and a task per address", 200, 1000, wire.run),
    "connectors": ("connectors of Exchange Online against one Get and one Set for each of them", 20, 200, connectors.run),
}
#: What the numbers count; hosts, where nothing is said.
UNITS = {"wire": "addresses", "connectors": "connectors", "trust": "roots"}
#: Those that are compared with something that has to be installed beside them.
WITH_OTHERS = ("egress", "trust", "wire")


def main() -> int:
    """Returns the exit status: 1 when a benchmark could not run, not when a target is missed."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmark")
    commands = parser.add_subparsers(dest="command", required=True)
    for name, (description, few, many, _run) in BENCHMARKS.items():
        command = commands.add_parser(name, help=description)
        unit = UNITS.get(name, "hosts")
        command.add_argument("--many", f"--{unit}", type=int, default=many, help=f"the larger number of {unit} ({many})")
        command.add_argument("--few", type=int, default=few, help=f"the smaller one ({few})")
        command.add_argument("--repeat", type=int, default=5, help="counted runs of each (5)")
        command.add_argument("--forks", type=int, default=10, help="forks of ansible-playbook (10)")
    arguments = parser.parse_args()
    if not 0 < arguments.few < arguments.many:
        parser.error("--few must be at least 1 and less than the larger number")
    try:
        # All contestants run under one ansible-playbook, so the others are installed beside it.
        venv = prepare.ensure("benchmark") if arguments.command in WITH_OTHERS else pathlib.Path(sys.prefix)
        settings = Settings(venv, arguments.repeat, arguments.forks)
        run = BENCHMARKS[arguments.command][3]
        print("\n".join(run(arguments.few, arguments.many, settings)))
    except (LabUnavailableError, LabError, BenchmarkError) as exc:
        print(f"benchmark: {exc}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
