# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""smtp_tls_info over many addresses, beside sslyze, posttls-finger, and one Ansible task for each address.

All look at the same addresses of one Postfix, in turn. sslyze and posttls-finger run as programs on the host, so the start
of ansible-playbook, measured by a play of one ping, is taken off the plays' times before they are compared per address.
"""

from __future__ import annotations

import functools
import json
import pathlib
import resource
import statistics
import time
import typing as t

from tests.benchmark.harness import BenchmarkError, Settings, verdict
from tests.lab.smtp import plan
from tests.lab.smtp.world import MailWorld

#: Two numbers of addresses on one host. What one more costs is the slope between them, without what every run costs.
SAMPLES = (50, 250)
#: Of a task for each address, fewer will do.
TASKS = (2, 12)
SSLYZE_TARGET, FINGER_TARGET, TASK_TARGET, FLAT_TARGET = 1.0, 1.0, 10.0, 1.5
#: What the others look at: they fetch no CRL and no OCSP response.
SAME = {"check_revocation": False}
#: Two cores run both ends of every connection here.
LIMITS = {"profiles": [], "timeout": 30, "deadline": 240}


def run(few: int, many: int, settings: Settings) -> list[str]:
    """`many` addresses over 20 hosts, and `few` over them for comparison. Returns the lines to print."""
    with MailWorld(crowd=many) as world:
        # First of all, because the peak of processes that have ended is that of all of them, and the smaller before the larger.
        memory = {size: _fleet(world, size) for size in (few, many)}
        contestants: dict[str, t.Callable[[t.Sequence[str]], None]] = {
            "smtp_tls_info": lambda places: _play(world, [places], **SAME),
            "with revocation": lambda places: _play(world, [places]),
            "posttls-finger": lambda places: _fingers(world, places),
            "sslyze": lambda places: _sslyze(world, settings.venv, places),
        }
        cost = {name: _slope(settings, SAMPLES, world, once) for name, once in contestants.items()}
        cost["a task each"] = _slope(settings, TASKS, world, lambda places: _play(world, [[place] for place in places], **SAME))
    own = cost["smtp_tls_info"]
    return [
        *(f"{name:<16} {seconds * 1000:8.1f} ms for one more address" for name, seconds in cost.items()),
        *(
            f"{size} addresses over 20 hosts: {seconds:.1f} s, peak {peak / 1024:.0f} MiB"
            for size, (seconds, peak) in memory.items()
        ),
        verdict("sslyze, times our time per address", cost["sslyze"] / own, SSLYZE_TARGET, at_least=True),
        verdict("posttls-finger, times our time per address", cost["posttls-finger"] / own, FINGER_TARGET, at_least=True),
        verdict("one task per address, times our time", cost["a task each"] / own, TASK_TARGET, at_least=True),
        verdict(f"memory for {many} addresses, in that for {few}", memory[many][1] / memory[few][1], FLAT_TARGET),
    ]


def _slope(settings: Settings, sizes: tuple[int, int], world: MailWorld, once: t.Callable[[t.Sequence[str]], None]) -> float:
    """Seconds that one more address costs."""
    few, many = (statistics.median(_repeated(settings, functools.partial(once, world.crowd[:size]))) for size in sizes)
    return (many - few) / (sizes[1] - sizes[0])


def _repeated(settings: Settings, once: t.Callable[[], object]) -> list[float]:
    """Wall times in seconds, after one run that is not counted."""
    times = []
    for number in range(settings.repeat + 1):
        began = time.perf_counter()
        once()
        if number:
            times.append(time.perf_counter() - began)
    return times


def _play(world: MailWorld, groups: t.Sequence[t.Sequence[str]], **options: t.Any) -> None:
    """One task for each group of addresses. A time counts only for what was really done."""
    tasks: list[dict[str, t.Any]] = []
    for places in groups:
        hosts = [{"host": place, "port": plan.CROWD_PORT} for place in places]
        tasks.append({"mailops.tls.smtp_tls_info": {"hosts": hosts, **LIMITS, **options}, "register": "seen"})
        tasks.append({"ansible.builtin.assert": {"that": f"seen.paths | selectattr('protocol') | length == {len(places)}"}})
    world.play(tasks, keep=False)


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
    task = {
        "mailops.tls.smtp_tls_info": {"hosts": "{{ places }}", "profiles": [], "timeout": 30, "deadline": 240},
        "register": "seen",
    }
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
