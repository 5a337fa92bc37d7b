# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the readiness role costs, in units of one ansible.builtin.ping task: python -m tests.benchmark readiness.

Both run on the same healthy hosts of the lab, over ssh with pipelining, in turn, so that whatever else the machine does
hits both. Two fleet sizes give the slope: what one more host costs, without the start of ansible-playbook.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import yaml

from tests.lab import lifecycle, plan
from tests.lab.preflight import LabUnavailableError
from tools import readiness

ROOT = pathlib.Path(__file__).resolve().parents[2]
TARGET = 2.0  # the readiness role costs at most this many ping tasks


@dataclasses.dataclass(frozen=True)
class Settings:
    """One measurement: which hosts, how often, how many at once."""

    inventory: pathlib.Path
    hosts: tuple[str, ...]
    repeat: int
    forks: int


PING = [{"name": "One task", "hosts": "all", "gather_facts": False, "tasks": [{"ansible.builtin.ping": {}}]}]
READINESS = [
    {"name": "The role", "hosts": "all", "gather_facts": False, "roles": [{"role": "mailops.tls.readiness"}]},
]


class BenchmarkError(Exception):
    """A run did not succeed, so its time means nothing."""


def run_once(playbook: pathlib.Path, settings: Settings, hosts: tuple[str, ...], variables: dict[str, object]) -> float:
    """Seconds of wall time of one ansible-playbook run."""
    program = pathlib.Path(sys.executable).with_name("ansible-playbook")
    command = [str(program), "-i", str(settings.inventory), "--limit", ",".join(hosts), "--forks", str(settings.forks)]
    command += ["-e", json.dumps(variables), str(playbook)]
    started = time.perf_counter()
    done = subprocess.run(
        command, env=readiness.environment(os.environ), stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    elapsed = time.perf_counter() - started
    if done.returncode:
        raise BenchmarkError(f"{playbook.name}: exit status {done.returncode}\n{done.stdout[-3000:]}{done.stderr[-1000:]}")
    return elapsed


def measure(settings: Settings, hosts: tuple[str, ...], profile: pathlib.Path, folder: pathlib.Path) -> dict[str, list[float]]:
    """Times of both playbooks on these hosts, run in turn, after one run of each that is not counted."""
    variables: dict[str, dict[str, object]] = {
        "ping": {},
        "readiness": {"readiness_profiles": [str(profile)], "readiness_report_dir": str(folder / "reports")},
    }
    times: dict[str, list[float]] = {"ping": [], "readiness": []}
    for round_number in range(settings.repeat + 1):
        for name, seen in times.items():
            elapsed = run_once(folder / f"{name}.yml", settings, hosts, variables[name])
            if round_number:
                seen.append(elapsed)
    return times


def compare(few: dict[str, list[float]], many: dict[str, list[float]], count_few: int, count_many: int) -> list[str]:
    """The result as lines of text."""
    lines = [f"{'hosts':>6}  {'ping':>17}  {'readiness':>17}  ratio   (median seconds, range)"]
    for count, times in ((count_few, few), (count_many, many)):
        medians = {name: statistics.median(values) for name, values in times.items()}
        cells = [f"{medians[name]:6.2f} {min(times[name]):5.2f}-{max(times[name]):.2f}" for name in ("ping", "readiness")]
        lines.append(f"{count:>6}  {cells[0]:>17}  {cells[1]:>17}  {medians['readiness'] / medians['ping']:5.2f}")
    slope = {
        name: (statistics.median(many[name]) - statistics.median(few[name])) / (count_many - count_few)
        for name in ("ping", "readiness")
    }
    lines.append(f"one more host: ping {slope['ping'] * 1000:.0f} ms, readiness {slope['readiness'] * 1000:.0f} ms")
    if slope["ping"] > 0:
        ratio = slope["readiness"] / slope["ping"]
        verdict = "met" if ratio <= TARGET else "MISSED"
        lines.append(f"per host, without start-up: {ratio:.2f} ping tasks (target: at most {TARGET:.1f}: {verdict})")
    return lines


def benchmark_readiness(arguments: argparse.Namespace) -> int:
    """Bring a lab of its own up, measure, take it down, print."""
    state = plan.state_dir().with_name("mtls-lab-benchmark")
    lab = lifecycle.up(state, fleet=arguments.hosts)
    try:
        fleet = tuple(sorted(name for name in lab.hosts() if name.startswith("fleet")))[: arguments.hosts]
        settings = Settings(lab.inventory, fleet, arguments.repeat, arguments.forks)
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            (folder / "ping.yml").write_text(yaml.safe_dump(PING), encoding="utf-8")
            (folder / "readiness.yml").write_text(yaml.safe_dump(READINESS), encoding="utf-8")
            few = measure(settings, fleet[: arguments.few], lab.profile, folder)
            many = measure(settings, fleet, lab.profile, folder)
    finally:
        lifecycle.down(state)
    print("\n".join(compare(few, many, arguments.few, len(fleet))))
    return 0


def main() -> int:
    """Returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmark")
    commands = parser.add_subparsers(dest="command", required=True)
    command = commands.add_parser("readiness", help="the readiness role against one ping task")
    command.add_argument("--hosts", type=int, default=20, help="the larger fleet (20)")
    command.add_argument("--few", type=int, default=2, help="the smaller one (2)")
    command.add_argument("--repeat", type=int, default=5, help="counted runs of each (5)")
    command.add_argument("--forks", type=int, default=10, help="forks of ansible-playbook (10)")
    arguments = parser.parse_args()
    if not 0 < arguments.few < arguments.hosts:
        parser.error("--few must be at least 1 and less than --hosts")
    try:
        return benchmark_readiness(arguments)
    except (LabUnavailableError, lifecycle.LabError, BenchmarkError) as exc:
        print(f"benchmark: {exc}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
