# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the tests of the probe share: the engine, servers on loopback and a certification authority."""

from __future__ import annotations

import contextlib
import pathlib
import socket
import typing as t

import pytest
from ansible_collections.mailops.tls.plugins.module_utils._probe.engine import run

from tests.conftest import require
from tests.unit.probe.servers import Authority, Handler, Server

Answer = dict[str, t.Any]


@pytest.fixture
def serve() -> t.Iterator[t.Callable[..., Server]]:
    """Start a server with a handler; it is closed after the test."""
    with contextlib.ExitStack() as stack:

        def start(handler: Handler, **more: t.Any) -> Server:
            server = Server(handler, **more)
            stack.callback(server.close)
            return server

        yield start


@pytest.fixture
def ask() -> t.Callable[..., Answer]:
    """Answer one request, with a short time limit and no proxy unless the test says otherwise."""

    def one(op: str, *, deadline: float = 10, run_options: dict[str, t.Any] | None = None, **options: t.Any) -> Answer:
        if op not in ("store", "file", "discover", "identity"):
            options = {"timeout": 1, "proxy": "none", **options}
        result = run([{"id": "one", "op": op, **options}], deadline=deadline, **{"environ": {}, **(run_options or {})})
        assert result["schema"] == 1
        answer: Answer = result["answers"][0]
        assert set(answer) >= {"id", "op", "elapsed_ms", "error"}
        return answer

    return one


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """A test root with an intermediate."""
    return Authority(pathlib.Path(tmp_path_factory.mktemp("authority")))


@pytest.fixture(scope="session")
def own_address() -> str:
    """An address of this machine that is not loopback: 127.0.0.1 does not show what redirects between hosts do."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        try:
            sock.connect(("192.0.2.1", 9))
        except OSError as exc:
            require(False, "redirects towards loopback", f"no address but loopback: {exc}")
        return str(sock.getsockname()[0])
