# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""One token per play: a keeper holds it in memory between the tasks of one ansible-playbook.

Ansible runs each task of each host in a process of its own, so what one task learns is lost for the next. Like ssh's
ControlPersist, the first task that gets a token starts a small process that hands it out through a Unix socket: only to the
same user, and only to who proves to know the credential. It ends with ansible-playbook, or after some idle time. Nothing is
written to disk but the socket and an empty lock file.

Whatever goes wrong here, the play goes on without a keeper: each task then gets a token of its own.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import multiprocessing
import os
import pathlib
import resource
import select
import signal
import socket
import stat
import struct
import subprocess
import sys
import tempfile
import time
import typing as t

IDLE_S = 900.0
LOCK_S = 120.0
_START_S = 3.0
_TALK_S = 2.0
_MAX_MESSAGE = 65536
_MAX_TOKENS = 256
# Any of these in a keeper's work means: go on without it.
_TROUBLE = (OSError, ValueError, TypeError, AttributeError, LookupError, RecursionError, subprocess.SubprocessError)


def play_of_this_process() -> int | None:
    """The process id of ansible-playbook when this is one of its workers, and keeping tokens was not switched off."""
    if os.environ.get("MAILOPS_TLS_KEEP_TOKEN", "").lower() in ("0", "no", "false", "off"):
        return None
    parent = multiprocessing.parent_process()
    return parent.pid if parent is not None and hasattr(socket, "AF_UNIX") else None


class Keeper:
    """The keeper of play `play`, seen from a task. `name` is free of secrets, `proof` stands for the whole credential."""

    def __init__(self, play: int, *, name: str, proof: str) -> None:
        self._play = play
        self._name = name
        self._proof = proof

    @contextlib.contextmanager
    def locked(self) -> t.Iterator[None]:
        """Only one task of the play at a time, for at most LOCK_S seconds; then, or with any trouble, without the lock."""
        with contextlib.ExitStack() as stack:
            with contextlib.suppress(*_TROUBLE):
                file = stack.enter_context((private_directory() / f"{self._play}-{self._name}.lock").open("a"))
                _lock(file.fileno())
            yield

    def get(self) -> tuple[str, float] | None:
        """The token and when it expires, in seconds since the epoch."""
        try:
            answer = self._ask({"get": self._proof})
            return str(answer["token"]), float(answer["expires"])
        except _TROUBLE:
            return None

    def put(self, token: str, expires: float) -> None:
        """Hand a token over, to a keeper that is started if there is none."""
        message: dict[str, object] = {"put": self._proof, "token": token, "expires": expires}
        with contextlib.suppress(*_TROUBLE):
            try:
                self._ask(message)
            except OSError:
                _start(self._play)
                end = time.monotonic() + _START_S
                while time.monotonic() < end:
                    with contextlib.suppress(OSError):
                        self._ask(message)
                        return
                    time.sleep(0.02)

    def _ask(self, message: dict[str, object]) -> dict[str, t.Any]:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as talk:
            talk.settimeout(_TALK_S)
            talk.connect(str(private_directory() / f"{self._play}.socket"))
            if not _same_user(talk):
                raise OSError("the keeper belongs to somebody else")
            talk.sendall(json.dumps(message).encode() + b"\n")
            answer = json.loads(_line(talk))
        return answer if isinstance(answer, dict) else {}


def private_directory() -> pathlib.Path:
    """Where the sockets are: of this user alone. Raises OSError when somebody else could write there."""
    base = os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir()
    path = pathlib.Path(base) / f"mailops-tls-{os.getuid()}"
    path.mkdir(mode=0o700, exist_ok=True)
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise OSError(f"{path} is not private")
    return path


def _lock(descriptor: int) -> None:
    end = time.monotonic() + LOCK_S
    while time.monotonic() < end:
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        time.sleep(0.02)


def _start(play: int) -> None:
    """Start the keeper, detached: it holds nothing of the play open, and inherits no environment with secrets in it."""
    kept = {name: os.environ[name] for name in ("LD_LIBRARY_PATH", "PATH") if name in os.environ}
    process = subprocess.Popen(
        [sys.executable, "-I", "-S", str(pathlib.Path(__file__).resolve()), str(private_directory()), str(play)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        close_fds=True,
        start_new_session=True,
        cwd="/",
        env=kept,
    )
    # It is meant to outlive this process; without this, Python would warn about it.
    process.returncode = 0


def _same_user(talk: socket.socket) -> bool:
    """Who is at the other end. Where the kernel does not tell, the private directory has to do."""
    if not hasattr(socket, "SO_PEERCRED"):
        return True
    size = struct.calcsize("3i")
    _pid, uid, _gid = struct.unpack("3i", talk.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size))
    return bool(uid == os.getuid())


def _line(talk: socket.socket) -> bytes:
    content = b""
    while not content.endswith(b"\n"):
        chunk = talk.recv(_MAX_MESSAGE)
        if not chunk or len(content) + len(chunk) > _MAX_MESSAGE:
            raise OSError("no whole message")
        content += chunk
    return content


# What follows runs in the keeper's own process.


def keep(directory: pathlib.Path, play: int, idle_s: float = IDLE_S) -> None:
    """Serve until the process `play` is gone, or nobody asked for `idle_s` seconds."""
    path = directory / f"{play}.socket"
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as server:
        if not _bind(server, path):
            return
        try:
            server.listen(128)
            _serve(server, play, idle_s)
        finally:
            for left in (path, *directory.glob(f"{play}-*.lock")):
                left.unlink(missing_ok=True)


def _bind(server: socket.socket, path: pathlib.Path) -> bool:
    """False when another keeper of this play was quicker. What a killed one left behind is replaced."""
    for _attempt in range(2):
        with contextlib.suppress(OSError):
            # Nobody else gets into the directory, so that nobody can be quicker than this.
            server.bind(str(path))
            path.chmod(0o600)
            return True
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as other:
            try:
                other.connect(str(path))
                return False
            except ConnectionRefusedError:
                path.unlink(missing_ok=True)
    return False


def _serve(server: socket.socket, play: int, idle_s: float) -> None:
    tokens: dict[str, dict[str, object]] = {}
    watched = _watch(play)
    last = time.monotonic()
    while time.monotonic() - last < idle_s:
        ready = select.select([server.fileno(), *watched], [], [], 1.0)[0]
        if any(descriptor in ready for descriptor in watched) or not _alive(play):
            return
        if server.fileno() in ready:
            last = time.monotonic()
            with contextlib.suppress(*_TROUBLE), server.accept()[0] as talk:
                talk.settimeout(_TALK_S)
                if _same_user(talk):
                    talk.sendall(json.dumps(_answer(json.loads(_line(talk)), tokens)).encode() + b"\n")


def _watch(play: int) -> list[int]:
    """A descriptor that becomes readable when the process ends, where the kernel has such (Linux 5.3)."""
    with contextlib.suppress(OSError, AttributeError):
        return [os.pidfd_open(play)]
    return []


def _alive(play: int) -> bool:
    try:
        os.kill(play, 0)
    except ProcessLookupError:
        return False
    except OSError:
        pass
    return True


def _answer(message: dict[str, t.Any], tokens: dict[str, dict[str, object]]) -> dict[str, object]:
    if "put" in message and len(tokens) < _MAX_TOKENS:
        tokens[str(message["put"])] = {"token": message["token"], "expires": message["expires"]}
        return {}
    return tokens.get(str(message.get("get")), {})


def main() -> None:
    """Become the keeper: the arguments are the directory and the process id of ansible-playbook."""
    signal.signal(signal.SIGTERM, lambda *_received: sys.exit(0))
    # No token in a core dump.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    keep(pathlib.Path(sys.argv[1]), int(sys.argv[2]))


if __name__ == "__main__":
    main()
