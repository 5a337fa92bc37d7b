# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What stands between a controller and Exchange Online: a proxy from the environment, and time that is up."""

from __future__ import annotations

import contextlib
import selectors
import socket
import threading
import time
import typing as t

import pytest
from ansible_collections.mailops.tls.plugins.plugin_utils._exo import wire
from ansible_collections.mailops.tls.plugins.plugin_utils._exo.client import ApiError, AuthenticationError, Client
from ansible_collections.mailops.tls.plugins.plugin_utils._exo.pacing import Pacing

from tests.lab.exchange_online.fixture import StandIn

MakeClient = t.Callable[..., Client]
NEW = {"Name": "Partner", "SenderDomains": ["partner.example"]}


class Proxy:
    """Answers CONNECT with `status` and passes bytes on to this machine; with `cut`, it ends the tunnel instead of answering."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.status = "200 OK"
        self.cut = False
        self._server = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._server.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._server.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=self._tunnel, args=(self._server.accept()[0],), daemon=True).start()

    def _tunnel(self, client: socket.socket) -> None:
        with contextlib.suppress(OSError), client:
            request = b""
            while b"\r\n\r\n" not in request:
                request += client.recv(4096)
            self.asked.append(request.split()[1].decode())
            host, _colon, port = self.asked[-1].rpartition(":")
            status = self.status if host == "127.0.0.1" else "403 Only this machine"
            client.sendall(f"HTTP/1.1 {status}\r\n\r\n".encode())
            if status.startswith("200"):
                with socket.create_connection((host, int(port))) as server:
                    self._pass_on(client, server)

    def _pass_on(self, client: socket.socket, server: socket.socket) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(client, selectors.EVENT_READ, server)
            selector.register(server, selectors.EVENT_READ, client)
            while True:
                for key, _events in selector.select():
                    content = t.cast("socket.socket", key.fileobj).recv(65536)
                    # Whatever the server answers to the request is what is lost.
                    if not content or (self.cut and key.fileobj is server):
                        return
                    key.data.sendall(content)


@pytest.fixture
def proxy(monkeypatch: pytest.MonkeyPatch) -> t.Iterator[Proxy]:
    proxy = Proxy()
    for name in ("HTTPS_PROXY", "https_proxy"):
        monkeypatch.setenv(name, proxy.url)
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "")
    yield proxy
    proxy.close()


def test_all_goes_through_the_proxy_of_the_environment(proxy: Proxy, client: Client, exchange: StandIn) -> None:
    assert client.invoke("Get-InboundConnector", {}) == []
    assert proxy.asked == [exchange.endpoint.removeprefix("https://")] * 2


def test_no_proxy(proxy: Proxy, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    assert client.invoke("Get-InboundConnector", {}) == []
    assert proxy.asked == []


@pytest.mark.parametrize(
    ("cloud", "api", "login"),
    [
        ("worldwide", "outlook.office365.com", "login.microsoftonline.com"),
        ("usgov_gcc_high", "outlook.office365.us", "login.microsoftonline.us"),
        ("usgov_dod", "outlook-dod.office365.us", "login.microsoftonline.us"),
        ("china", "outlook.office365.cn", "login.chinacloudapi.cn"),
    ],
)
def test_the_hosts_of_each_cloud(proxy: Proxy, new_client: MakeClient, cloud: str, api: str, login: str) -> None:
    with pytest.raises(AuthenticationError, match="Only this machine"):
        new_client(cloud=cloud, endpoint=None, token_endpoint=None).invoke("Get-InboundConnector", {})
    assert set(proxy.asked) == {f"{login}:443"}
    with pytest.raises(ApiError, match="Only this machine"):
        new_client(cloud=cloud, endpoint=None).invoke("Get-InboundConnector", {})
    assert proxy.asked[-1] == f"{api}:443"


def test_a_proxy_that_refuses(proxy: Proxy, client: Client) -> None:
    proxy.status = "407 Proxy Authentication Required"
    with pytest.raises(AuthenticationError, match=r"cannot be reached: .*407"):
        client.invoke("Get-InboundConnector", {})


@pytest.mark.parametrize(
    "url", ["http://user:hush@[proxy", "http://user:hush@127.0.0.1:1", "http://user:hush@proxy:port", "user:hush@"]
)
def test_the_password_of_a_proxy_is_not_shown(client: Client, monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    for name in ("HTTPS_PROXY", "https_proxy"):
        monkeypatch.setenv(name, url)
    monkeypatch.setenv("no_proxy", "")
    with pytest.raises(AuthenticationError) as caught:
        client.invoke("Get-InboundConnector", {})
    assert "hush" not in caught.value.message


def test_a_proxy_that_refuses_later(proxy: Proxy, new_client: MakeClient, exchange: StandIn) -> None:
    client = new_client()
    client._tokens.get()
    proxy.status = "503 Service Unavailable"
    with pytest.raises(ApiError, match=r"cannot be reached: .*503") as caught:
        client.invoke("New-InboundConnector", NEW, writes=True)
    assert caught.value.done == "no"
    assert exchange.writes() == []


def test_a_tunnel_that_breaks_after_the_request_was_sent(proxy: Proxy, client: Client, exchange: StandIn) -> None:
    client.invoke("Get-InboundConnector", {})
    proxy.cut = True
    with pytest.raises(ApiError, match="not known") as caught:
        client.invoke("New-InboundConnector", NEW, writes=True)
    assert caught.value.done == "unknown"
    assert len(exchange.writes()) == 1


def test_how_older_urllib3_tells_of_a_broken_tunnel() -> None:
    """urllib3 1.26 calls everything a ProxyError. Only a tunnel that was refused proves that nothing was sent."""
    broken = wire.urllib3.exceptions.ProxyError("Cannot connect to proxy.", ConnectionResetError(104, "reset by peer"))
    assert isinstance(wire._explained(wire.requests.exceptions.ProxyError(broken)), wire.NoAnswerError)
    refused = wire.urllib3.exceptions.ProxyError("Cannot connect to proxy.", OSError("Tunnel connection failed: 407 Who are you"))
    assert isinstance(wire._explained(wire.requests.exceptions.ProxyError(refused)), wire.NotSentError)


@pytest.fixture
def no_tls(request: pytest.FixtureRequest) -> t.Iterator[str]:
    """A server that answers the beginning of a handshake with `request.param`, and ends the connection."""
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with contextlib.suppress(OSError):
            while True:
                with server.accept()[0] as talk, contextlib.suppress(OSError):
                    talk.recv(4096)
                    talk.sendall(request.param)

    threading.Thread(target=serve, daemon=True).start()
    yield f"https://127.0.0.1:{server.getsockname()[1]}"
    server.close()


@pytest.mark.parametrize(
    "no_tls",
    [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"", bytes.fromhex("15030300020228"), bytes.fromhex("15030300020246")],
    ids=["plain text", "closes", "handshake failure", "protocol version"],
    indirect=True,
)
@pytest.mark.parametrize("writes", [False, True])
def test_no_handshake_no_request(new_client: MakeClient, no_tls: str, waits: list[float], writes: bool) -> None:
    """Nothing was sent, so a write was certainly not carried out; and it is not tried for minutes."""
    client = new_client(endpoint=no_tls)
    with pytest.raises(ApiError, match="cannot be reached") as caught:
        client.invoke("New-InboundConnector" if writes else "Get-InboundConnector", NEW if writes else {}, writes=writes)
    assert caught.value.done == "no"
    assert sum(waits) < 5


@pytest.mark.parametrize("writes", [False, True])
def test_an_answer_that_drips(exchange: StandIn, new_client: MakeClient, writes: bool) -> None:
    exchange.load(InboundConnector=[NEW])
    client = new_client(timeout=0.4)
    client.invoke("Get-InboundConnector", {})
    exchange.set(drip=1 if not writes else 100)
    started = time.monotonic()
    if writes:
        with pytest.raises(ApiError, match=r"longer than 0\.4 seconds") as caught:
            client.invoke("New-InboundConnector", {**NEW, "Name": "Another"}, writes=True)
        assert caught.value.done == "unknown"
    else:
        assert len(client.invoke("Get-InboundConnector", {})) == 1
    assert time.monotonic() - started < 3


def test_tries_that_take_long_are_fewer() -> None:
    now = [0.0]
    patience = Pacing(sleep=lambda _seconds: None, clock=lambda: now[0]).start()
    now[0] += 120
    assert patience.wait()
    now[0] += 120
    assert patience.wait()
    now[0] += 120
    assert not patience.wait()
