# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""smtp_tls_info over many addresses, beside sslyze, posttls-finger, and one Ansible task for each address.

All look at the same addresses of one Postfix, in turn. sslyze and posttls-finger run as programs on the host, so the start
of ansible-playbook, measured by a play of one ping, is taken off the plays' times before they are compared per address.
"""

from __future__ import annotations

import json
import pathlib
import resource
import statistics
import time
import typing as t

from tests.benchmark.harness import BenchmarkError, Settings, verdict
from tests.lab.smtp import plan
from tests.lab.smtp.world import MailWorld

#: Addresses that the programs are compared on; enough to see what one costs.
SAMPLE = 50
#: Of a task for each address, fewer will do.
TASKS = 10
SSLYZE_TARGET, FINGER_TARGET, TASK_TARGET, FLAT_TARGET = 1.0, 1.0, 10.0, 1.3


def run(few: int, many: int, settings: Settings) -> list[str]:
    """`many` addresses over 20 hosts, and `few` over them for comparison. Returns the lines to print."""
    with MailWorld(crowd=many) as world:
        started = _repeated(settings, lambda: _play(world, [{"ansible.builtin.ping": {}}], [[]]))
        sample = list(world.crowd[:SAMPLE])
        times = {
            "smtp_tls_info": _repeated(settings, lambda: _play(world, [_task(sample)], [sample])),
            "posttls-finger": _repeated(settings, lambda: _fingers(world, sample)),
            "sslyze": _repeated(settings, lambda: _sslyze(world, settings.venv, sample)),
        }
        loop = _repeated(settings, lambda: _play(world, [_task([place]) for place in sample[:TASKS]], [[]]))
        memory = {size: _fleet(world, size) for size in (few, many)}
    per_address = {name: statistics.median(values) / SAMPLE for name, values in times.items()}
    own = (statistics.median(times["smtp_tls_info"]) - statistics.median(started)) / SAMPLE
    task = (statistics.median(loop) - statistics.median(started)) / TASKS
    lines = [f"{name:<16} {per_address[name] * 1000:8.1f} ms per address, {SAMPLE} addresses" for name in times]
    lines += [
        f"smtp_tls_info    {own * 1000:8.1f} ms per address without the start of ansible-playbook",
        f"a task each      {task * 1000:8.1f} ms per address without the start of ansible-playbook",
        *(
            f"{size} addresses over 20 hosts: {seconds:.1f} s, peak {peak / 1024:.0f} MiB"
            for size, (seconds, peak) in memory.items()
        ),
        verdict("sslyze, times our time per address", per_address["sslyze"] / own, SSLYZE_TARGET, at_least=True),
        verdict("posttls-finger, times our time per address", per_address["posttls-finger"] / own, FINGER_TARGET, at_least=True),
        verdict("one task per address, times our time", task / own, TASK_TARGET, at_least=True),
        verdict(f"memory for {many} addresses, in that for {few}", memory[many][1] / memory[few][1], FLAT_TARGET),
    ]
    return lines


def _repeated(settings: Settings, once: t.Callable[[], object]) -> list[float]:
    """Wall times in seconds, after one run that is not counted."""
    times = []
    for number in range(settings.repeat + 1):
        began = time.perf_counter()
        once()
        if number:
            times.append(time.perf_counter() - began)
    return times


def _task(addresses: t.Sequence[str]) -> dict[str, t.Any]:
    hosts = [{"host": address, "port": plan.CROWD_PORT} for address in addresses]
    return {"mailops.tls.smtp_tls_info": {"hosts": hosts, "profiles": [], "deadline": 120}, "register": "seen"}


def _play(world: MailWorld, tasks: list[dict[str, t.Any]], wanted: t.Sequence[t.Sequence[str]]) -> None:
    registered = world.play(tasks)
    for results, addresses in zip(registered.values(), wanted, strict=True):
        _complete(results.get("seen", {}), addresses)


def _complete(result: dict[str, t.Any], addresses: t.Sequence[str]) -> None:
    """A time counts only for what was really done."""
    done = {path["address"] for path in result.get("paths", []) if path["protocol"]}
    if set(addresses) - done:
        raise BenchmarkError(f"nothing was seen of {sorted(set(addresses) - done)}")


def _fleet(world: MailWorld, size: int) -> tuple[float, int]:
    """Seconds for `size` addresses over 20 hosts, and the peak memory in KiB of the largest process of it."""
    each = size // 20
    chunks = [world.crowd[start : start + each] for start in range(0, size, each)]
    hosts: dict[str, dict[str, t.Any]] = {
        f"host{number:02d}": {"places": [{"host": place, "port": plan.CROWD_PORT} for place in chunk]}
        for number, chunk in enumerate(chunks)
    }
    task = {"mailops.tls.smtp_tls_info": {"hosts": "{{ places }}", "profiles": [], "deadline": 120}, "register": "seen"}
    began = time.perf_counter()
    registered = world.play([task], hosts=hosts, arguments=["--forks", "20"])
    elapsed = time.perf_counter() - began
    for name, results in registered.items():
        _complete(results["seen"], [place["host"] for place in hosts[name]["places"]])
    return elapsed, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss


def _fingers(world: MailWorld, addresses: t.Sequence[str]) -> None:
    """One after the other is what posttls-finger does; two at a time, one per core, is kinder to it."""
    finger = f"MAIL_CONFIG={world.state}/host posttls-finger -c -l verify -F {world.root} -P ''"
    script = f"printf '%s\\n' {' '.join(addresses)} | xargs -P 2 -I ADDRESS sh -c \"{finger} '[ADDRESS]:{plan.CROWD_PORT}'\""
    said = world.run("host", "sh", "-c", script).stdout
    if said.count("TLS connection established") != len(addresses):
        raise BenchmarkError(said[-2000:])


def _sslyze(world: MailWorld, venv: pathlib.Path, addresses: t.Sequence[str]) -> None:
    report = world.state / "sslyze.json"
    targets = world.state / "targets"
    targets.write_text("".join(f"{address}:{plan.CROWD_PORT}\n" for address in addresses))
    words = (venv / "bin" / "sslyze", "--certinfo", "--starttls", "smtp", "--json_out", report, "--targets_in", targets)
    done = world.run("host", *words, timeout=600)
    try:
        results = json.loads(report.read_text())["server_scan_results"]
    except (OSError, ValueError) as exc:
        raise BenchmarkError(done.stdout[-2000:]) from exc
    if sum(result["scan_status"] == "COMPLETED" for result in results) != len(addresses):
        raise BenchmarkError(done.stdout[-2000:])
    report.unlink()
