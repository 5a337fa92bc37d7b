# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Proxies: which one is taken, what is asked of it, what its answers mean, and that no secret comes back."""

from __future__ import annotations

import base64
import json
import socket
import threading
import urllib.request

import pytest
from ansible_collections.mailops.tls.plugins.module_utils._probe import proxy as proxy_module

from tests.unit.probe.servers import answering, blackhole, closed_port, http, outcome, read_request, reset

SECRET = "Basic " + base64.b64encode(b"hannah:correct horse").decode()


class Relay:
    """A proxy with basic authentication that relays to loopback."""

    def __init__(self, authorization: str | None = None) -> None:
        self.authorization = authorization
        self.seen: list[bytes] = []

    def __call__(self, client: socket.socket) -> None:
        request = read_request(client)
        self.seen.append(request)
        if self.authorization and f"Proxy-Authorization: {self.authorization}\r\n".encode() not in request:
            client.sendall(http(b"who?", "407 Proxy Authentication Required", 'Proxy-Authenticate: Basic realm="x"'))
            return
        method, target = request.split(b" ")[:2]
        netloc = target if method == b"CONNECT" else target.split(b"/")[2]
        host, port = netloc.rsplit(b":", 1)
        with socket.create_connection((host.decode(), int(port)), 5) as server:
            if method == b"CONNECT":
                client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            else:
                server.sendall(request.replace(target, b"/" + target.split(b"/", 3)[3], 1))
            back = threading.Thread(target=self._copy, args=(server, client))
            back.start()
            self._copy(client, server)
            back.join(5)

    @staticmethod
    def _copy(source: socket.socket, target: socket.socket) -> None:
        try:
            while data := source.recv(65536):
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            pass


def env(**variables: str) -> dict[str, object]:
    return {"environ": variables}


def test_plain_http_goes_to_the_proxy_of_the_environment(serve, ask):
    relay = Relay()
    origin, middle = serve(answering(http(b"crl"))), serve(relay)
    answer = ask("fetch", url=origin.url + "x?y", proxy="environment", run_options=env(http_proxy=middle.netloc))
    assert outcome(answer) == "ok"
    assert relay.seen[0].startswith(f"GET {origin.url}x?y HTTP/1.1\r\nHost: {origin.netloc}\r\n".encode())
    proxy, (hop,) = answer["proxy"], answer["hops"]
    assert proxy.pop("addresses")[0]["connected"] is True
    assert proxy == {
        "url": f"http://{middle.netloc}",
        "source": "environment",
        "tunnel": False,
        "authorization": False,
        "status": None,
        "reason": None,
        "headers": {},
    }
    assert (hop["resolve"], hop["addresses"], hop["peer"]) == (None, [], None)


def test_credentials_of_the_environment_are_used_and_never_shown(serve, ask):
    relay = Relay(SECRET)
    origin, middle = serve(answering(http(b"crl"))), serve(relay)
    value = f"http://hannah:correct%20horse@{middle.netloc}/"
    answer = ask("fetch", url=origin.url, proxy="environment", run_options=env(HTTP_PROXY=value))
    assert outcome(answer) == "ok"
    assert answer["proxy"]["authorization"] is True
    assert answer["proxy"]["url"] == f"http://{middle.netloc}"
    assert not any(word in json.dumps(answer) for word in ("hannah", "correct", SECRET[6:]))


def test_407_to_plain_http_is_the_status_of_the_hop(serve, ask):
    middle = serve(Relay(SECRET))
    answer = ask("fetch", url="http://origin.test/", proxy=f"http://{middle.netloc}")
    assert outcome(answer) == "ok"
    assert answer["hops"][0]["http"]["status"] == 407
    assert answer["hops"][0]["http"]["headers"]["proxy-authenticate"] == 'Basic realm="x"'
    assert (answer["proxy"]["source"], answer["proxy"]["status"]) == ("explicit", None)


@pytest.mark.parametrize("op", ["fetch", "connect", "chain"])
def test_a_tunnel_refused(serve, ask, op):
    middle = serve(Relay(SECRET))
    where = {"url": "https://origin.test/"} if op == "fetch" else {"host": "origin.test", "port": 443}
    answer = ask(op, proxy=f"http://{middle.netloc}", **where)
    assert outcome(answer) == "proxy/status"
    assert (answer["proxy"]["tunnel"], answer["proxy"]["status"], answer["proxy"]["reason"]) == (
        True,
        407,
        "Proxy Authentication Required",
    )
    assert answer["proxy"]["headers"]["proxy-authenticate"] == 'Basic realm="x"'


def test_a_tunnel_with_the_secret_given(serve, ask, authority):
    context, chain = authority.server("origin.test")
    relay = Relay(SECRET)
    origin, middle = serve(answering(http(b"inside")), tls=context), serve(relay)
    options = {"proxy": f"http://{middle.netloc}", "proxy_authorization": "key", "run_options": {"secrets": {"key": SECRET}}}
    answer = ask("connect", host="127.0.0.1", port=origin.port, **options)
    assert outcome(answer) == "ok"
    assert relay.seen[0].startswith(f"CONNECT 127.0.0.1:{origin.port} HTTP/1.1\r\nHost: 127.0.0.1:{origin.port}\r\n".encode())
    answer = ask("chain", host="127.0.0.1", port=origin.port, server_name="origin.test", **options)
    assert outcome(answer) == "ok"
    assert base64.b64decode(answer["hops"][0]["tls"]["chain"][0]) == chain[0]
    assert SECRET not in json.dumps(answer)


@pytest.mark.parametrize(
    ("value", "secrets"),
    [("key", {}), ("key", {"key": ""}), ("key", {"key": "Basic a\r\nX: y"}), ("key", {"key": 5})],
)
def test_secrets_that_cannot_be_used(ask, value, secrets):
    answer = ask(
        "fetch", url="http://a/", proxy="http://127.0.0.1:1", proxy_authorization=value, run_options={"secrets": secrets}
    )
    assert outcome(answer) == "request/invalid"
    assert "X: y" not in json.dumps(answer)


def test_a_proxy_that_sends_the_secret_back_everywhere(serve, ask):
    token = SECRET.split(" ")[1]
    echo = f"{SECRET} {token} hannah:correct horse"
    raw = http(echo.encode(), f"403 {echo}", f"Via: {echo}", f"Location: http://x/{token}", f"Server: {token}")
    middle = serve(answering(raw))
    options = {"proxy": f"http://{middle.netloc}", "proxy_authorization": "key", "run_options": {"secrets": {"key": SECRET}}}
    for url in ("http://origin.test/", "https://origin.test/"):
        answer = ask("fetch", url=url, **options)
        text = json.dumps(answer) + base64.b64decode(answer["body"] or "").decode()
        assert "***" in text
        assert not any(word in text for word in (token, "correct horse"))


@pytest.mark.parametrize(
    ("handler", "expected"),
    [
        (lambda _: None, "reset"),
        (reset, "reset"),
        (answering(b"SSH-2.0-OpenSSH_9.2\r\n"), "protocol"),
        (answering(b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 300), "protocol"),
        (lambda connection: connection.recv(1) and threading.Event().wait(2), "timeout"),
    ],
)
def test_a_tunnel_through_what_is_no_proxy(serve, ask, handler, expected):
    answer = ask("fetch", url="https://origin.test/", proxy=f"http://{serve(handler).netloc}", timeout=0.4)
    assert outcome(answer) == f"proxy/{expected}"


def test_a_proxy_that_cannot_be_reached(ask):
    for url in ("http://origin.test/", "https://origin.test/"):
        assert outcome(ask("fetch", url=url, proxy=f"http://127.0.0.1:{closed_port()}")) == "proxy/refused"
        assert outcome(ask("fetch", url=url, proxy="http://255.255.255.255:80")) == "proxy/unreachable"
        assert outcome(ask("fetch", url=url, proxy="http://proxy.invalid:80", timeout=5)) == "proxy/resolve"
        with blackhole() as dropped:
            assert outcome(ask("fetch", url=url, proxy=f"http://127.0.0.1:{dropped}", timeout=0.3)) == "proxy/timeout"
            answer = ask("fetch", url=url, proxy=f"http://127.0.0.1:{dropped}", deadline=0.3)
            assert outcome(answer) == "proxy/deadline"


def test_plain_http_through_what_is_no_proxy(serve, ask):
    ssh = serve(answering(b"SSH-2.0-OpenSSH_9.2\r\n"))
    assert outcome(ask("fetch", url="http://origin.test/", proxy=f"http://{ssh.netloc}")) == "proxy/protocol"


def test_a_redirect_to_this_host_is_not_sent_to_a_proxy(serve, ask):
    middle = serve(answering(http(b"", "302 Found", "Location: http://localhost/")))
    assert outcome(ask("fetch", url="http://origin.test/", proxy=f"http://{middle.netloc}")) == "http/redirect_refused"


def test_each_hop_takes_its_own_way(serve, ask):
    origin = serve(answering(http(b"direct")))
    middle = serve(answering(http(b"", "302 Found", f"Location: {origin.url}")))
    variables = env(http_proxy=middle.netloc, no_proxy="127.0.0.1")
    answer = ask("fetch", url="http://origin.test/", proxy="environment", run_options=variables)
    # From a name that only the proxy knows, nobody may lead us to loopback.
    assert outcome(answer) == "http/redirect_refused"
    assert answer["hops"][-1]["url"] == origin.url
    assert answer["proxy"] is None
    assert outcome(ask("fetch", url=origin.url, proxy="environment", run_options=variables)) == "ok"


@pytest.mark.parametrize("value", ["socks5://127.0.0.1:1", "https://127.0.0.1:1", "http://", "http://[::1"])
def test_proxies_of_another_kind_are_said_to_be_unsupported(ask, value):
    answer = ask("fetch", url="http://a/", proxy="environment", run_options=env(http_proxy=value))
    assert outcome(answer) == "request/unsupported"


# --- the choice is the one urllib makes

ENVIRONMENTS = [
    {"http_proxy": "http://lower:1", "HTTP_PROXY": "http://upper:2"},
    {"HTTP_PROXY": "http://upper:2"},
    {"HTTP_PROXY": "http://upper:2", "REQUEST_METHOD": "GET"},
    {"http_proxy": "http://lower:1", "REQUEST_METHOD": "GET"},
    {"http_proxy": "", "HTTP_PROXY": "http://upper:2"},
    {"https_proxy": "http://secure:3"},
    {"all_proxy": "http://all:4"},
    {},
]


@pytest.mark.parametrize("variables", ENVIRONMENTS)
def test_the_variables_are_read_as_urllib_reads_them(monkeypatch, variables):
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "REQUEST_METHOD"):
        for spelling in (name, name.upper()):
            monkeypatch.delenv(spelling, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    theirs = urllib.request.getproxies_environment()
    for scheme in ("http", "https"):
        assert proxy_module.from_environment(variables, scheme + "_proxy") == theirs.get(scheme, "")


@pytest.mark.parametrize(
    "value",
    [
        "",
        "*",
        "example.org",
        ".example.org",
        " a.b , crl.example.org:80",
        "org",
        "ample.org",
        "EXAMPLE.org",
        "10.0.0.1",
        "*.example.org",
    ],
)
@pytest.mark.parametrize("host", ["crl.example.org", "example.org", "notexample.org", "10.0.0.1", "org"])
def test_no_proxy_is_read_as_urllib_reads_it(value, host):
    theirs = bool(urllib.request.proxy_bypass_environment(f"{host}:80", {"no": value}))
    assert proxy_module.bypassed({"no_proxy": value}, host, 80) == theirs
