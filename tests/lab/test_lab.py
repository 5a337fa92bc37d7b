# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Does the lab come and go as it should? Up, kept, rebuilt after an accident, and down without a trace."""

from __future__ import annotations

import os
import pathlib
import signal
import subprocess
import sys
import time

import pytest

from tests.lab import lifecycle, machines, plan, preflight
from tests.lab.fixtures import require_lab
from tests.lab.lifecycle import CHECKOUT, Lab
from tests.lab.preflight import LabUnavailableError


def machine() -> dict[str, object]:
    """What a lab could leave behind on the machine itself."""

    def tell(*command: str) -> list[str]:
        return sorted(subprocess.run(command, capture_output=True, text=True, timeout=20, check=True).stdout.splitlines())

    return {
        "mounts": sorted(pathlib.Path("/proc/self/mounts").read_text().splitlines()),
        "links": tell("ip", "-o", "link", "show"),
        "addresses": [line for line in tell("ip", "-o", "addr", "show") if "valid_lft" in line and "forever" in line],
        "rules": tell("nft", "list", "ruleset"),
        "namespaces": tell("ip", "netns", "list"),
        "shared memory": sorted(path.name for path in pathlib.Path("/dev/shm").iterdir()),  # noqa: S108
        "trust store": pathlib.Path(machines.SYSTEM_STORE).read_bytes(),
        "resolver": pathlib.Path("/etc/resolv.conf").read_bytes(),
        "hostname": os.uname().nodename,
    }


def processes(state: pathlib.Path) -> list[str]:
    """Command lines of every process that has to do with a lab in this state directory, found without the lab's help."""
    seen = []
    for entry in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            words = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            mounts = (entry / "mounts").read_text()
        except OSError:  # it ended meanwhile
            continue
        if str(state) in words or str(state) in mounts:
            seen.append(words)
    return seen


@pytest.fixture
def state(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """A place for a second lab, beside the one of the session. Short: paths of control sockets are limited."""
    require_lab()
    return tmp_path_factory.mktemp("l") / "s"


def test_down_leaves_nothing(state: pathlib.Path) -> None:
    before = machine()
    lab = lifecycle.up(state)
    master = ["-o", "ControlMaster=auto", "-o", "ControlPersist=60", "-o", f"ControlPath={state}/cp/%C"]
    command = lab.ssh_command("open", "true")
    subprocess.run([command[0], *master, *command[1:]], timeout=20, check=True)  # its master stays, as Ansible's does
    assert list((state / "cp").iterdir())
    assert processes(state)
    assert lifecycle.down(state) is True
    assert not state.exists()
    assert processes(state) == []
    assert machine() == before
    assert lifecycle.down(state) is False


def test_up_changes_nothing_on_the_machine_while_it_is_up(state: pathlib.Path) -> None:
    before = machine()
    lifecycle.up(state)
    try:
        assert machine() == before
    finally:
        lifecycle.down(state)


def test_up_keeps_a_lab_that_is_up_and_rebuilds_one_that_differs(state: pathlib.Path) -> None:
    try:
        first = lifecycle.up(state)
        assert lifecycle.up(state) == first
        second = lifecycle.up(state, fleet=2)
        assert second.pid != first.pid
        assert second.run("fleet02", "hostname").stdout.strip() == "fleet02"
    finally:
        lifecycle.down(state)


def test_every_service_lives_where_only_root_may_look(state: pathlib.Path) -> None:
    """The proxy's helper for passwords runs as nobody; without it squid ends, some time after it began to listen."""
    for folder in (state.parent, state.parent.parent):
        folder.chmod(0o700)
    lab = lifecycle.up(state)
    try:
        for password, code in ((plan.PROXY_PASSWORD, "200"), ("wrong", "407")):
            proxy = f"http://{plan.PROXY_USER}:{password}@{plan.PROXY.v4}:{plan.PROXY_AUTH_PORT}"
            fetch = f"curl -s -o /dev/null -w '%{{http_code}}' -x {proxy} http://crl.{plan.ZONE}/root.crl"
            assert lab.run("open", fetch).stdout == code
    finally:
        lifecycle.down(state)


def test_up_recovers_from_a_lab_that_died(state: pathlib.Path) -> None:
    try:
        first = lifecycle.up(state)
        os.kill(first.pid, signal.SIGKILL)
        deadline = time.monotonic() + 5
        while lifecycle.current(state) is not None:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        refused = first.run("open", "true")
        assert refused.returncode == 255 and "the lab is not up" in refused.stderr
        assert lifecycle.up(state).run("open", "hostname").stdout == "open\n"
    finally:
        lifecycle.down(state)


@pytest.mark.parametrize("after_s", [0.15, 0.4, 0.8])
def test_up_recovers_from_an_up_that_was_killed_half_way(state: pathlib.Path, after_s: float) -> None:
    environment = {**os.environ, "MTLS_LAB_STATE": str(state), "PYTHONDONTWRITEBYTECODE": "1"}
    attempt = subprocess.Popen(
        [sys.executable, "-m", "tests.lab", "up"], cwd=CHECKOUT, env=environment, stdout=subprocess.DEVNULL
    )
    time.sleep(after_s)
    attempt.kill()
    attempt.wait()
    try:
        lab = lifecycle.up(state)
        assert lab.run("open", "hostname").stdout == "open\n"
    finally:
        lifecycle.down(state)
    assert processes(state) == []


def test_a_lab_without_its_directory_ends_by_itself(state: pathlib.Path) -> None:
    lifecycle.up(state)
    state.rename(state.with_name("moved"))
    try:
        deadline = time.monotonic() + 8
        while lifecycle.current(state.with_name("moved")) is not None:
            assert time.monotonic() < deadline, "it is still there"
            time.sleep(0.1)
    finally:
        lifecycle.down(state.with_name("moved"))


def test_a_foreign_directory_is_left_alone(state: pathlib.Path) -> None:
    state.mkdir()
    (state / "precious").write_text("mine")
    for action in (lifecycle.up, lifecycle.down):
        with pytest.raises(lifecycle.LabError, match="not a lab's state directory"):
            action(state)
    assert (state / "precious").read_text() == "mine"


def test_the_command_line(state: pathlib.Path) -> None:
    environment = {**os.environ, "MTLS_LAB_STATE": str(state), "PYTHONDONTWRITEBYTECODE": "1"}

    def call(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "tests.lab", *words]
        return subprocess.run(command, cwd=CHECKOUT, env=environment, capture_output=True, text=True, timeout=60, check=False)

    assert call("status").returncode == 3
    try:
        assert call("up").returncode == 0
        assert "twin-root" in call("status").stdout
        assert call("exec", "open", "--", "hostname").stdout == "open\n"
        assert "br0" in call("exec", "controller", "--", "ip", "-o", "link").stdout
        wrong = call("exec", "nowhere", "--", "true")
        assert wrong.returncode == 1 and "no host nowhere" in wrong.stderr
    finally:
        assert call("down").stdout == "lab down\n"
    assert call("down").stdout == "no lab was up\n"


def test_without_root_it_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(LabUnavailableError, match="needs root"):
        lifecycle.up(tmp_path / "s")
    assert not (tmp_path / "s").exists()


def test_a_missing_program_is_named_with_its_package(monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> None:
    require_lab()
    monkeypatch.setitem(preflight.PROGRAMS, "no-such-server", "no-such-package")
    with pytest.raises(LabUnavailableError, match="apt-get install no-such-package"):
        lifecycle.up(tmp_path / "s")


def test_ansible_reaches_the_hosts(lab: Lab) -> None:
    program = str(pathlib.Path(sys.executable).with_name("ansible"))
    command = [program, "-i", str(lab.inventory), "healthy,down", "-m", "ansible.builtin.ping"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert "open | SUCCESS" in done.stdout and "proxy-only | SUCCESS" in done.stdout, done.stdout + done.stderr
    assert "down | UNREACHABLE!" in done.stdout + done.stderr
