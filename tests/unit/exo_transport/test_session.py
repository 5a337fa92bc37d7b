# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The keeper of a play's token, as a real process."""

from __future__ import annotations

import contextlib
import json
import multiprocessing
import os
import pathlib
import signal
import socket
import stat
import subprocess
import sys
import time
import typing as t

import pytest
from ansible_collections.mailops.tls.plugins.plugin_utils._exo import session
from ansible_collections.mailops.tls.plugins.plugin_utils._exo.session import Keeper, play_of_this_process, private_directory

from tests.unit.exo_transport.waiting import eventually

SLEEP = [sys.executable, "-c", "import time; time.sleep(60)"]
TOKEN = "token-of-a-test"  # noqa: S105 - not a real one


def keepers_of(play: int) -> list[int]:
    """Process ids of the keepers of a play."""
    found = []
    for path in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            words = path.read_bytes().split(b"\0")
            if words[-2:-1] == [str(play).encode()] and any(word.endswith(b"_exo/session.py") for word in words):
                found.append(int(path.parent.name))
    return found


@pytest.fixture(autouse=True)
def runtime_directory(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    # Short, because the path of a Unix socket is at most 107 bytes.
    directory = tmp_path_factory.mktemp("run")
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(directory))
    return directory


@pytest.fixture
def play() -> t.Iterator[subprocess.Popen[bytes]]:
    """A process in the place of ansible-playbook."""
    with subprocess.Popen(SLEEP) as process:
        yield process
        process.kill()
    assert eventually(lambda: not keepers_of(process.pid))


def keeper(play: subprocess.Popen[bytes], proof: str = "proof") -> Keeper:
    return Keeper(play.pid, name="name", proof=proof)


def test_keeps_a_token_until_the_play_ends(play: subprocess.Popen[bytes]) -> None:
    assert keeper(play).get() is None
    keeper(play).put(TOKEN, 1234.5)
    assert keeper(play).get() == (TOKEN, 1234.5)
    assert keeper(play, proof="another").get() is None
    [process] = keepers_of(play.pid)
    shown = pathlib.Path(f"/proc/{process}/cmdline").read_bytes() + pathlib.Path(f"/proc/{process}/environ").read_bytes()
    assert TOKEN.encode() not in shown
    assert b"proof" not in shown
    assert {str(pathlib.Path(f"/proc/{process}/fd/{number}").readlink()) for number in (0, 1, 2)} == {"/dev/null"}
    files = list(private_directory().iterdir())
    assert [stat.S_IMODE(path.stat().st_mode) & 0o077 for path in files] == [0]
    play.kill()
    assert eventually(lambda: not keepers_of(play.pid))
    assert list(private_directory().iterdir()) == []


def test_one_keeper_for_many_connections(play: subprocess.Popen[bytes]) -> None:
    for number in range(5):
        keeper(play, proof=f"{number}").put(f"{TOKEN}{number}", 1.0)
    assert [keeper(play, proof=f"{number}").get() for number in range(5)] == [(f"{TOKEN}{number}", 1.0) for number in range(5)]
    assert len(keepers_of(play.pid)) == 1


def test_started_by_many_at_once(play: subprocess.Popen[bytes]) -> None:
    context = multiprocessing.get_context("fork")
    workers = [context.Process(target=keeper(play, proof=str(number)).put, args=(TOKEN, 1.0)) for number in range(6)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(20)
    assert eventually(lambda: len(keepers_of(play.pid)) == 1)
    assert keeper(play, proof="5").get() or keeper(play, proof="4").get()


def test_a_killed_keeper_is_replaced(play: subprocess.Popen[bytes]) -> None:
    keeper(play).put(TOKEN, 1.0)
    [process] = keepers_of(play.pid)
    os.kill(process, signal.SIGKILL)
    assert eventually(lambda: keeper(play).get() is None)
    keeper(play).put(TOKEN, 2.0)
    assert keeper(play).get() == (TOKEN, 2.0)


def test_ends_when_nobody_asks(play: subprocess.Popen[bytes]) -> None:
    session.keep(private_directory(), play.pid, idle_s=0.1)
    assert list(private_directory().iterdir()) == []


def test_nonsense_does_not_end_it(play: subprocess.Popen[bytes]) -> None:
    keeper(play).put(TOKEN, 1.0)
    for message in (b"", b"\n", b"[]\n", b"{}\n", b"\xff\n", b'{"put": 1}\n', b"[" * 60000 + b"\n", b"x" * 70000 + b"\n"):
        with socket.socket(socket.AF_UNIX) as talk, contextlib.suppress(OSError):
            talk.settimeout(3)
            talk.connect(str(private_directory() / f"{play.pid}.socket"))
            talk.sendall(message)
            talk.shutdown(socket.SHUT_WR)
            assert TOKEN.encode() not in talk.recv(1000)
    assert keeper(play).get() == (TOKEN, 1.0)


def test_another_user_gets_nothing(play: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    keeper(play).put(TOKEN, 1.0)
    directory = private_directory()
    monkeypatch.setattr(session, "private_directory", lambda: directory)
    monkeypatch.setattr(os, "getuid", lambda: 4711)
    assert keeper(play).get() is None


def test_goes_on_without(play: subprocess.Popen[bytes], runtime_directory: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shared = runtime_directory / f"mailops-tls-{os.getuid()}"
    shared.mkdir(mode=0o755)
    shared.chmod(0o755)
    for base in (runtime_directory, runtime_directory / "missing", runtime_directory / ("long" * 40)):
        monkeypatch.setenv("XDG_RUNTIME_DIR", str(base))
        with keeper(play).locked():
            keeper(play).put(TOKEN, 1.0)
        assert keeper(play).get() is None
    assert keepers_of(play.pid) == []


def test_a_keeper_that_lies(play: subprocess.Popen[bytes]) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(private_directory() / f"{play.pid}.socket"))
        server.listen(5)
        for answer in (b"[1]\n", b"not json\n", b'{"token": "x"}\n', b'{"token": "x", "expires": "soon"}\n'):
            child = os.fork()
            if child == 0:
                talk = server.accept()[0]
                talk.recv(1000)
                talk.sendall(answer)
                os._exit(0)
            assert keeper(play).get() is None
            os.waitpid(child, 0)


def test_the_lock_is_one_at_a_time(play: subprocess.Popen[bytes], tmp_path: pathlib.Path) -> None:
    journal = tmp_path / "journal"
    journal.touch()

    def work() -> None:
        with keeper(play).locked():
            with journal.open("a") as file:
                file.write("in ")
            time.sleep(0.05)
            with journal.open("a") as file:
                file.write("out ")

    workers = [multiprocessing.get_context("fork").Process(target=work) for _number in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(20)
    assert journal.read_text() == "in out " * 4


def test_only_workers_have_a_play(monkeypatch: pytest.MonkeyPatch) -> None:
    context = multiprocessing.get_context("fork")

    def ask() -> int | None:
        receiver, sender = context.Pipe(False)
        worker = context.Process(target=lambda: sender.send(play_of_this_process()))
        worker.start()
        worker.join(20)
        return t.cast("int | None", json.loads(json.dumps(receiver.recv())))

    assert play_of_this_process() is None
    assert ask() == os.getpid()
    monkeypatch.setenv("MAILOPS_TLS_KEEP_TOKEN", "false")
    assert ask() is None
