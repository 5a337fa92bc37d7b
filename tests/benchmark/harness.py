# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Playbooks timed side by side on a fleet of the lab: in turn, so that whatever else the machine does hits all of them."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import pathlib
import statistics
import subprocess
import tempfile
import time
import typing as t

import yaml

from tests.lab import lifecycle, plan
from tools import readiness

Play = dict[str, t.Any]
Times = dict[str, list[float]]


class BenchmarkError(Exception):
    """A run did not succeed, so its time means nothing."""


@dataclasses.dataclass(frozen=True)
class Settings:
    """How often, and how many hosts at once. `venv` is the directory of the ansible-playbook that runs everything."""

    venv: pathlib.Path
    repeat: int
    forks: int


@dataclasses.dataclass(frozen=True)
class Contestant:
    """A playbook of one play over all hosts, by the name it has in the table."""

    name: str
    play: Play


@dataclasses.dataclass(frozen=True)
class Bench:
    """The lab with its fleet, and a folder for playbooks and what they write."""

    lab: lifecycle.Lab
    fleet: tuple[str, ...]
    folder: pathlib.Path
    settings: Settings

    def measure(self, contestants: t.Sequence[Contestant], hosts: t.Sequence[str]) -> Times:
        """Wall times in seconds of each contestant on these hosts, after one run of each that is not counted."""
        times: Times = {contestant.name: [] for contestant in contestants}
        for number in range(self.settings.repeat + 1):
            for contestant in contestants:
                elapsed = self._run(contestant, hosts)
                if number:
                    times[contestant.name].append(elapsed)
        return times

    def _run(self, contestant: Contestant, hosts: t.Sequence[str]) -> float:
        playbook = self.folder / f"{contestant.name}.yml"
        playbook.write_text(yaml.safe_dump([{"hosts": "all", "gather_facts": False, **contestant.play}]), encoding="utf-8")
        command = [str(self.settings.venv / "bin" / "ansible-playbook"), "-i", str(self.lab.inventory)]
        command += ["--limit", ",".join(hosts), "--forks", str(self.settings.forks), str(playbook)]
        command += ["-e", json.dumps({"bench_folder": str(self.folder), "bench_profile": str(self.lab.profile)})]
        environment = readiness.environment(os.environ)
        started = time.perf_counter()
        done = subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        elapsed = time.perf_counter() - started
        if done.returncode:
            raise BenchmarkError(f"{contestant.name}: exit status {done.returncode}\n{done.stdout[-3000:]}{done.stderr[-1000:]}")
        return elapsed


@contextlib.contextmanager
def bench(hosts: int, settings: Settings) -> t.Iterator[Bench]:
    """A lab of its own with a fleet of `hosts`, taken down afterwards."""
    state = plan.state_dir().with_name("mtls-lab-benchmark")
    lab = lifecycle.up(state, fleet=hosts)
    try:
        fleet = tuple(sorted(name for name in lab.hosts() if name.startswith("fleet")))[:hosts]
        with tempfile.TemporaryDirectory() as folder:
            yield Bench(lab, fleet, pathlib.Path(folder), settings)
    finally:
        lifecycle.down(state)


def table(rows: t.Mapping[str, Times]) -> list[str]:
    """Medians with their ranges, a line for each contestant, and its ratio to the first of its row."""
    lines = []
    for title, times in rows.items():
        lines.append(f"{title}:")
        first = statistics.median(next(iter(times.values())))
        for name, values in times.items():
            median = statistics.median(values)
            lines.append(f"  {name:<12} {median:7.2f} s  ({min(values):.2f} to {max(values):.2f})  ratio {median / first:5.2f}")
    return lines


def per_host(few: Times, many: Times, added: int) -> dict[str, float]:
    """Seconds that one more host costs, by contestant: the slope between two fleet sizes, without start-up."""
    return {name: (statistics.median(many[name]) - statistics.median(few[name])) / added for name in many}


def verdict(what: str, value: float, target: float, *, at_least: bool = False) -> str:
    """A line that says whether a ratio is what it should be."""
    met = value >= target if at_least else value <= target
    return f"{what}: {value:.2f} (target: at {'least' if at_least else 'most'} {target:.1f}, {'met' if met else 'MISSED'})"
