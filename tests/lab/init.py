# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lab's init: process 1 of the lab's namespaces. Builds the network, starts services and hosts, then reaps.

Run by tests.lab.lifecycle as `unshare ... python -m tests.lab.init STATE`, with a plan in STATE/plan.json. When this process
ends, for whatever reason, the kernel kills everything it started and the namespaces vanish with their mounts and links.
"""

from __future__ import annotations

import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import time
import typing as t

from tests.lab import causes, network, plan, preflight

READY_TIMEOUT_S = 20.0
HERE = pathlib.Path(__file__).parent


class BuildError(Exception):
    """The lab cannot be built; the message says which part and why."""


def _run(command: list[str], text: str) -> None:
    done = subprocess.run(command, input=text, text=True, capture_output=True, timeout=30, check=False)
    if done.returncode != 0:
        raise BuildError(f"{' '.join(command)}: {done.stderr.strip() or f'exit status {done.returncode}'}")


def _wait_until(what: str, condition: t.Callable[[], bool], deadline: float) -> None:
    while not condition():
        if time.monotonic() > deadline:
            raise BuildError(
                f"{what} is not ready after {READY_TIMEOUT_S:.0f} s; see the log of that name below the state directory"
            )
        time.sleep(0.01)


def _network_of(pid: int) -> str:
    try:
        return str(pathlib.Path(f"/proc/{pid}/ns/net").readlink())
    except OSError:
        return ""


def _listens(pid: int, port: int) -> bool:
    """Whether somebody listens on a port over IPv4 or IPv6 in the network namespace of a process; see proc_pid_net(5).

    Nothing is connected to: a child of `openssl ocsp -multi` whose client says nothing reads on for ever, with all of a core.
    """
    for table in ("tcp", "tcp6"):
        for line in pathlib.Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
            words = line.split()
            if words[3] == "0A" and int(words[1].rpartition(":")[2], 16) == port:
                return True
    return False


def _answers(place: tuple[str, int], inside: int | None = None) -> bool:
    """Whether a TCP connection can be made, or with `inside`, a process, whether somebody listens in its network namespace."""
    if inside is not None:
        return _listens(inside, place[1])
    try:
        with socket.create_connection(place, timeout=1):
            return True
    except OSError:
        return False


class Builder:
    """Builds the lab from its plan."""

    def __init__(self, state: pathlib.Path) -> None:
        self.state = state
        self.plan = json.loads((state / "plan.json").read_text())
        self.deadline = time.monotonic() + READY_TIMEOUT_S
        self.own_network = _network_of(os.getpid())

    def _start(self, name: str, command: list[str], **options: t.Any) -> subprocess.Popen[str]:
        with (self.state / "log" / f"{name}.log").open("a") as log:
            return subprocess.Popen(command, stdout=log, stderr=log, text=True, **options)

    def _has_own_network(self, process: subprocess.Popen[str]) -> bool:
        return _network_of(process.pid) not in ("", self.own_network)

    def build(self) -> int:
        """Build everything and wait until it answers. Returns the process that holds the services' network."""
        _run(["ip", "-batch", "-"], network.bridge())
        anchor = self._start("services", ["unshare", "--net", "sleep", "infinity"], stdin=subprocess.DEVNULL)
        become_host = [*preflight.ISOLATE, "sh", str(HERE / "host.sh")]
        hosts = {
            name: self._start(f"host-{name}", [*become_host, spec["spec"]], stdin=subprocess.PIPE)
            for name, spec in self.plan["hosts"].items()
        }
        for name, process in (("services", anchor), *hosts.items()):
            _wait_until(f"namespace of {name}", lambda process=process: self._has_own_network(process), self.deadline)  # type: ignore[misc]
        links = [network.link(f"h{number}", process.pid) for number, process in enumerate(hosts.values())]
        _run(["ip", "-batch", "-"], network.link("services", anchor.pid) + "".join(links))
        for process in hosts.values():
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.close()
        self._start_services(anchor.pid)
        self._await_hosts(hosts)
        return anchor.pid

    def _start_services(self, anchor: int) -> None:
        enter = ["nsenter", "--target", str(anchor), "--net", "--"]
        _run([*enter, "ip", "-batch", "-"], network.addresses("eth0", (*plan.SERVICE_ADDRESSES, *causes.addresses())))
        _run([*enter, "nft", "-f", "-"], network.service_rules())
        running = [
            (service, self._start(service["name"], [*enter, *service["command"]], stdin=subprocess.DEVNULL))
            for service in self.plan["services"]
        ]
        for service, process in running:
            for host, port in service["ready"]:
                inside = anchor if host.startswith("127.") else None
                self._await(service["name"], process, (host, port), inside)

    def _await_hosts(self, hosts: dict[str, subprocess.Popen[str]]) -> None:
        for name, process in hosts.items():
            if self.plan["hosts"][name]["sshd"]:
                self._await(f"host-{name}", process, (self.plan["hosts"][name]["address"], 22), None)

    def _await(self, name: str, process: subprocess.Popen[str], place: tuple[str, int], inside: int | None) -> None:
        def settled() -> bool:
            if process.poll() is not None:
                log = (self.state / "log" / f"{name}.log").read_text(errors="replace").strip()
                raise BuildError(f"{name} ended with status {process.returncode}: {log[-1000:] or 'no output'}")
            return _answers(place, inside)

        _wait_until(name, settled, self.deadline)


def _publish(state: pathlib.Path, name: str, content: dict[str, t.Any]) -> None:
    """Write a file so that a reader sees all of it or nothing."""
    partial = state / f".{name}"
    partial.write_text(json.dumps(content))
    partial.rename(state / name)


def _identity(state: pathlib.Path) -> tuple[int, int] | None:
    """Tells this lab's state directory from a later one in the same place."""
    try:
        found = (state / "plan.json").stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns


def _reap_until_told(state: pathlib.Path) -> None:
    """Be process 1: collect orphans, and end when told to or when the state directory was removed from under us."""
    signals = {signal.SIGCHLD, signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    mine = _identity(state)
    while mine is not None and _identity(state) == mine:
        received = signal.sigtimedwait(signals, 2)
        if received is not None and received.si_signo != signal.SIGCHLD:
            return
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            continue


def main() -> None:
    """Build the lab named on the command line and stay."""
    state = pathlib.Path(sys.argv[1])
    # /proc is still the machine's, so this is the process id that the machine knows us by.
    outer = int(pathlib.Path("/proc/self").readlink().name)
    stat = pathlib.Path("/proc/self/stat").read_text()
    record = {"pid": outer, "start_time": stat.rpartition(")")[2].split()[19], "network": _network_of(outer)}
    _publish(state, "init.json", record)
    try:
        _run(["mount", "-t", "proc", "proc", "/proc"], "")
        _run(["mount", "-t", "tmpfs", "mtls-lab", "/dev/shm"], "")  # noqa: S108 - squid would leave files in the machine's
        password_file = pathlib.Path(plan.PROXY_PASSWORD_FILE)
        shutil.copy(state / "run" / password_file.name, password_file)
        anchor = Builder(state).build()
    except (BuildError, OSError, subprocess.SubprocessError) as error:
        _publish(state, "failed.json", {"error": str(error)})
        sys.exit(1)
    _publish(state, "ready.json", {"services_anchor": anchor})
    _reap_until_told(state)


if __name__ == "__main__":
    main()
