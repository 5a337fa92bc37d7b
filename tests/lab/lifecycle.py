# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Bringing the lab up and down. One process stands for all of it: the lab's init, recorded by PID and start time."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
import fcntl
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time
import typing as t

from tests.lab import cause_content, controller, hosts, machines, pki, plan, preflight, services

UP_TIMEOUT_S = 40.0
DOWN_TIMEOUT_S = 10.0
CHECKOUT = pathlib.Path(__file__).resolve().parent.parent.parent
Place = t.Literal["controller", "services"]
MARKER = ".mtls-lab"  # proves that a directory is ours before anything in it is removed


# Started by this process and not yet waited for.
_launchers: dict[pathlib.Path, subprocess.Popen[bytes]] = {}


class LabError(Exception):
    """The lab could not be brought up or down."""


@dataclasses.dataclass(frozen=True)
class Lab:
    """A lab that is up."""

    state: pathlib.Path
    pid: int
    services_anchor: int  # as the lab itself numbers processes
    fleet: int

    @property
    def inventory(self) -> pathlib.Path:
        """Inventory for `ansible-playbook -i`."""
        return self.state / "inventory" / "hosts.yml"

    @property
    def profile(self) -> pathlib.Path:
        """The profile of the lab's CA, for `readiness_profiles`."""
        return self.state / f"{controller.PROFILE_ID}.yml"

    @property
    def ca(self) -> pathlib.Path:
        """Certificates and keys of the lab's CA: root.pem, twin.pem, intermediate.pem, leaf.pem, ..."""
        return self.state / "ca"

    def hosts(self) -> dict[str, hosts.LabHost]:
        """The managed hosts by inventory name."""
        return {host.name: host for host in hosts.all_hosts(self.fleet)}

    def ssh_command(self, host: str, *command: str) -> list[str]:
        """The command line that runs a command on a managed host, the way Ansible gets there."""
        variables = controller.inventory(self.state, tuple(self.hosts().values()))["all"]["children"]["lab"]
        login = f"{variables['hosts'][host]['ansible_user']}@{variables['hosts'][host]['ansible_host']}"
        common = variables["vars"]["ansible_ssh_common_args"].split()
        key = str(self.state / "ssh" / "client_key")
        return [str(self.state / "bin" / "ssh"), *common, "-o", "BatchMode=yes", "-i", key, login, "--", *command]

    def run(self, host: str, script: str, timeout: float = 60.0) -> subprocess.CompletedProcess[str]:
        """Run a shell command on a managed host. Never raises for its exit status."""
        return subprocess.run(self.ssh_command(host, script), capture_output=True, text=True, timeout=timeout, check=False)

    def inside_command(self, place: Place, *command: str) -> list[str]:
        """The command line that runs a command in the controller's or the services' network."""
        enter = ["nsenter", "--target", str(self.pid), "--mount", "--net", "--pid", "--uts", "--ipc", "--"]
        if place == "services":
            enter += ["nsenter", "--target", str(self.services_anchor), "--net", "--"]
        return [*enter, *command]


@contextlib.contextmanager
def _locked(state: pathlib.Path) -> t.Iterator[None]:
    """One `up` or `down` at a time. The lock is on the parent directory itself, so that no lock file stays behind."""
    state.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(state.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _read(path: pathlib.Path) -> dict[str, t.Any]:
    try:
        content: dict[str, t.Any] = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return content


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat from the state on, see proc_pid_stat(5): 0 is the state, 19 the start time."""
    return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def _lives(record: dict[str, t.Any]) -> bool:
    """Whether the recorded process is still that process: same PID, same start time, not a zombie."""
    try:
        fields = _stat(record["pid"])
    except (OSError, KeyError):
        return False
    return fields[19] == str(record["start_time"]) and fields[0] not in ("Z", "X")


def current(state: pathlib.Path | None = None) -> Lab | None:
    """The lab that is up in this state directory, if any."""
    state = state or plan.state_dir()
    record, ready, wanted = (_read(state / name) for name in ("init.json", "ready.json", "plan.json"))
    if not (ready and wanted and _lives(record)):
        return None
    return Lab(state, int(record["pid"]), int(ready["services_anchor"]), int(wanted["fleet"]))


def up(state: pathlib.Path | None = None, fleet: int = 0) -> Lab:
    """Bring the lab up, with this many identical healthy hosts besides. A lab that is up like that already is kept.

    Raises LabUnavailableError where it cannot exist, LabError where it did not come up.
    """
    state = (state or plan.state_dir()).absolute()
    preflight.check()
    with _locked(state):
        lab = current(state)
        if lab is not None and lab.fleet == fleet and _read(state / "plan.json").get("day") == _today().isoformat():
            return lab
        _remove(state)
        try:
            return _build(state, fleet)
        except BaseException:
            _remove(state)
            raise


def down(state: pathlib.Path | None = None) -> bool:
    """Take the lab down and remove every trace of it. Returns whether there was any."""
    state = (state or plan.state_dir()).absolute()
    if not state.exists():
        return False
    with _locked(state):
        return _remove(state)


def _today() -> dt.date:
    return dt.datetime.now(dt.timezone.utc).date()


def _build(state: pathlib.Path, fleet: int) -> Lab:
    state.mkdir(mode=0o755)
    (state / MARKER).touch()
    for name in ("log", "cp"):
        (state / name).mkdir(mode=0o700)
    ca = pki.make_ca(dt.datetime.now(dt.timezone.utc))
    pki.write_ca(ca, state / "ca")
    cause_content.write(ca, dt.datetime.now(dt.timezone.utc), state / "ca")
    managed = hosts.all_hosts(fleet)
    controller.write_ssh_keys(state / "ssh")
    host_key = (state / "ssh" / "host_key.pub").read_text()
    controller.write_known_hosts(state / "known_hosts", host_key, managed)
    controller.write_yaml(state / "inventory" / "hosts.yml", controller.inventory(state, managed))
    controller.write_yaml(state / f"{controller.PROFILE_ID}.yml", controller.profile(ca, _today()))
    _write_plan(state, ca, managed, fleet)
    _start_init(state)
    record = _read(state / "init.json")
    tools = {name: preflight.program(name) for name in ("ssh", "scp", "sftp")}
    controller.write_wrappers(state / "bin", record["pid"], record["network"], tools)
    lab = current(state)
    if lab is None:
        raise LabError("the lab's init ended right after it had started")
    return lab


def _write_plan(state: pathlib.Path, ca: pki.LabCA, managed: tuple[hosts.LabHost, ...], fleet: int) -> None:
    writer = machines.HostWriter(state, ca)
    entries = {}
    for index, host in enumerate(managed):
        place = plan.host_address(index)
        entries[host.name] = {"spec": str(writer.write(host, place)), "address": place.v4, "sshd": host.sshd}
    hashed = subprocess.run(
        ["openssl", "passwd", "-apr1", plan.PROXY_PASSWORD], capture_output=True, text=True, check=True
    ).stdout.strip()
    started = services.prepare(state, preflight.squid_helper(), hashed)
    content = {
        "fleet": fleet,
        "day": _today().isoformat(),
        "hosts": entries,
        "services": [dataclasses.asdict(service) for service in started],
    }
    (state / "plan.json").write_text(json.dumps(content))


def _start_init(state: pathlib.Path) -> None:
    """Start the lab's init in namespaces of its own, and wait until everything answers."""
    environment = {**os.environ, "PATH": preflight.search_path(), "PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": str(CHECKOUT)}
    with (state / "log" / "init.log").open("w") as log:
        process = _launchers[state] = subprocess.Popen(
            [*preflight.ISOLATE, sys.executable, "-m", "tests.lab.init", str(state)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd="/",
            env=environment,
            start_new_session=True,
        )
    (state / "launcher.json").write_text(json.dumps({"pid": process.pid, "start_time": _stat(process.pid)[19]}))
    deadline = time.monotonic() + UP_TIMEOUT_S
    while not (state / "ready.json").exists():
        failed = _read(state / "failed.json")
        if failed or process.poll() is not None or time.monotonic() > deadline:
            reason = failed.get("error") or (state / "log" / "init.log").read_text(errors="replace").strip()[-1000:]
            raise LabError(f"the lab did not come up: {reason or 'its init gave no reason'}")
        time.sleep(0.02)


def _remove(state: pathlib.Path) -> bool:
    """End the lab of this directory and remove the directory. Nothing is touched that is not marked as ours."""
    if not state.exists():
        return False
    if not (state / MARKER).exists() and any(state.iterdir()):
        raise LabError(f"{state} exists and is not a lab's state directory; choose another with MTLS_LAB_STATE")
    # The launcher takes the init with it (unshare --kill-child); the init takes everything else, by the kernel's hand.
    for name in ("launcher.json", "init.json"):
        _end(_read(state / name))
    launcher = _launchers.pop(state, None)
    if launcher is not None:
        launcher.wait()  # so that this very process keeps no zombie
    shutil.rmtree(state)
    return True


def _end(record: dict[str, t.Any]) -> None:
    """End a recorded process, if it is still that process, and wait until it is gone."""
    if not _lives(record):
        return
    os.kill(record["pid"], signal.SIGKILL)
    deadline = time.monotonic() + DOWN_TIMEOUT_S
    while _lives(record):
        if time.monotonic() > deadline:
            raise LabError(f"process {record['pid']} of the lab does not end")
        time.sleep(0.01)
