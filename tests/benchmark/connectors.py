# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What many connectors cost: requests and seconds of a play, beside one Get and one Set for each of them.

Both ask the same stand-in, which takes its time for each answer as a service far away does. The naive loop has no Ansible
around it.
"""

from __future__ import annotations

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

from tests.benchmark.harness import BenchmarkError, Settings
from tests.lab.exchange_online.fixture import StandIn, running
from tools import readiness

ROOT = pathlib.Path(__file__).parents[2]
# Seconds that the stand-in takes for each answer.
DELAY_S = 0.05


@dataclasses.dataclass(frozen=True)
class Cost:
    """What one run took."""

    seconds: float
    reads: int
    writes: int
    tokens: int


def _declared(number: int) -> dict[str, t.Any]:
    domain = f"partner{number:03}.example"
    return {
        "Name": f"To {domain}",
        "RecipientDomains": [domain],
        "TlsSettings": "DomainValidation",
        "TlsDomain": f"mail.{domain}",
    }


def _drifted(number: int) -> dict[str, t.Any]:
    return {**_declared(number), "TlsSettings": "EncryptionOnly", "TlsDomain": None}


def _task(count: int) -> dict[str, t.Any]:
    declared = [_declared(number) for number in range(count)]
    options = {"name": "Name", "recipient_domains": "RecipientDomains", "tls_settings": "TlsSettings", "tls_domain": "TlsDomain"}
    return {
        "mailops.tls.exo_outbound_connector": {option: f"{{{{ item.{name} }}}}" for option, name in options.items()},
        "loop": declared,
        "loop_control": {"label": "{{ item.Name }}"},
    }


def _play(exchange: StandIn, count: int, settings: Settings, folder: pathlib.Path) -> None:
    """One task that loops over all connectors."""
    playbook = folder / "connectors.yml"
    playbook.write_text(yaml.safe_dump([{"hosts": "localhost", "gather_facts": False, "tasks": [_task(count)]}]))
    _run([str(settings.venv / "bin" / "ansible-playbook"), "-i", "localhost,", str(playbook)], exchange)


def _run(command: t.Sequence[str], exchange: StandIn, **more: str) -> None:
    environment = readiness.environment(os.environ) | more
    environment |= {f"MAILOPS_TLS_{name.upper()}": value for name, value in exchange.options.items()}
    done = subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BenchmarkError(f"connectors: exit status {done.returncode}\n{done.stdout[-3000:]}{done.stderr[-1000:]}")


def _naive(exchange: StandIn, count: int, settings: Settings, folder: pathlib.Path) -> None:
    """Get by name and Set everything, for each connector, without asking whether anything differs."""
    wanted = folder / "connectors.json"
    wanted.write_text(json.dumps([_declared(number) for number in range(count)]))
    script = ROOT / "tests" / "benchmark" / "naive_connectors.py"
    _run(
        [str(settings.venv / "bin" / "python"), str(script), str(wanted)],
        exchange,
        PYTHONPATH=str(ROOT / ".cache" / "collections"),
    )


_Work = t.Callable[[StandIn, int, Settings, pathlib.Path], None]
_Make = t.Callable[[int], dict[str, t.Any]]

ROWS: t.Final[dict[str, tuple[_Work, _Make]]] = {
    "a play, all in shape": (_play, _declared),
    "a play, none in shape": (_play, _drifted),
    "Get and Set for each": (_naive, _drifted),
}


def run(few: int, many: int, settings: Settings) -> list[str]:
    """Measure and return the lines to print."""
    lines = []
    with running() as exchange:
        for count in (few, many):
            lines.append(f"{count} connectors, {DELAY_S * 1000:g} ms for an answer:")
            for name, (work, make) in ROWS.items():
                costs = [_cost(exchange, count, settings, work, make) for _time in range(settings.repeat)]
                seconds, last = [cost.seconds for cost in costs], costs[-1]
                lines.append(
                    f"  {name:<22} {statistics.median(seconds):7.2f} s  ({min(seconds):.2f} to {max(seconds):.2f})"
                    f"  {last.reads:4} reads  {last.writes:4} writes  {last.tokens} token"
                )
    return lines


def _cost(exchange: StandIn, count: int, settings: Settings, work: _Work, make: _Make) -> Cost:
    exchange.reset()
    exchange.load(OutboundConnector=[make(number) for number in range(count)])
    exchange.set(delay=DELAY_S)
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        work(exchange, count, settings, pathlib.Path(folder))
    seconds = time.perf_counter() - started
    stored = exchange.connectors()["OutboundConnector"]
    if [item["TlsDomain"] for item in stored] != [_declared(number)["TlsDomain"] for number in range(count)]:
        raise BenchmarkError("connectors: not all of them are as declared")
    names = exchange.cmdlets()
    reads = sum(name.startswith("Get-") for name in names)
    return Cost(seconds, reads, len(names) - reads, sum(entry["path"] == "token" for entry in exchange.log()))
