# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""TLS and STARTTLS: what is verified, what is presented, and how it can go wrong."""

from __future__ import annotations

import base64
import json
import socket
import ssl
import sys
import threading
import time

import pytest

from tests.unit.probe.servers import answering, blackhole, http, outcome, reset

SOURCE = "python" if sys.version_info >= (3, 13) else "python_private"


@pytest.fixture
def localhost_tls(authority):
    return authority.server("localhost")


def chain_of(answer):
    return [base64.b64decode(item) for item in answer["hops"][-1]["tls"]["chain"]]


def test_a_verified_exchange(serve, ask, authority, localhost_tls):
    context, chain = localhost_tls
    server = serve(answering(http(b"crl")), tls=context)
    answer = ask("fetch", url=f"https://localhost:{server.port}/", ca_path=str(authority.ca_path), family="ipv4")
    assert outcome(answer) == "ok"
    tls = answer["hops"][0]["tls"]
    assert (tls["version"], tls["verified"], tls["verify_message"], tls["chain_source"]) == ("TLSv1.3", True, None, SOURCE)
    assert tls["cipher"].startswith("TLS_")
    assert chain_of(answer) == chain


@pytest.mark.parametrize("case", ["unknown issuer", "wrong name"])
def test_what_cannot_be_verified_is_shown_and_nothing_is_sent_to_it(serve, ask, authority, localhost_tls, case):
    context, chain = localhost_tls
    seen: list[bytes] = []
    server = serve(answering(http(b"crl"), seen), tls=context)
    host = "localhost" if case == "unknown issuer" else "127.0.0.1"
    more = {} if case == "unknown issuer" else {"ca_path": str(authority.ca_path)}
    answer = ask("fetch", url=f"https://{host}:{server.port}/", family="ipv4", **more)
    assert outcome(answer) == "tls/verify_failed"
    tls = answer["hops"][0]["tls"]
    assert tls["verified"] is False
    assert ("issuer" if case == "unknown issuer" else "mismatch") in tls["verify_message"]
    assert chain_of(answer) == chain
    assert answer["hops"][0]["http"] is None
    assert not any(seen)


def test_a_ca_path_that_is_none(serve, ask, localhost_tls, tmp_path):
    server = serve(answering(http(b"")), tls=localhost_tls[0])
    (tmp_path / "empty.pem").write_text("")
    for name in ("missing.pem", "empty.pem"):
        assert outcome(ask("fetch", url=server.url, ca_path=str(tmp_path / name))) == "tls/error"


def _alert(connection: socket.socket) -> None:
    connection.recv(4096)
    connection.sendall(b"\x15\x03\x03\x00\x02\x02\x28")  # fatal, handshake_failure


@pytest.mark.parametrize(
    ("handler", "expected"),
    [
        (answering(http(b"plain")), "protocol"),
        (_alert, "alert"),
        (lambda connection: connection.recv(1), "reset"),
        (lambda connection: connection.recv(4096) and reset(connection), "reset"),
        (lambda connection: connection.recv(4096) and threading.Event().wait(2), "timeout"),
    ],
)
@pytest.mark.parametrize("op", ["fetch", "chain"])
def test_handshakes_that_fail(serve, ask, handler, expected, op):
    def first_line(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        connection.recv(4096)

    server = serve(first_line if expected == "protocol" else handler)
    where = {"url": f"https://{server.netloc}/"} if op == "fetch" else {"host": "127.0.0.1", "port": server.port}
    answer = ask(op, timeout=0.5, **where)
    assert outcome(answer) == f"tls/{expected}"
    assert answer["hops"][0]["addresses"][0]["connected"] is True


def test_the_deadline_holds_in_a_handshake(serve, ask):
    server = serve(lambda _: threading.Event().wait(3))
    answer = ask("fetch", url=f"https://{server.netloc}/", timeout=5, deadline=0.4)
    assert (outcome(answer), answer["elapsed_ms"] < 1400) == ("tls/deadline", True)


def test_the_store_of_the_host_is_asked_about_a_chain(serve, ask, authority, monkeypatch):
    context, _chain = authority.server("localhost")
    server = serve(lambda connection: connection.recv(1), tls=context)
    asked = {"host": "localhost", "port": server.port, "family": "ipv4"}
    assert ask("chain", **asked)["trust"] is None
    unknown = ask("chain", **asked, system_store=True)["trust"]
    assert (unknown["ok"], unknown["tool"]) == (False, "openssl verify")
    # OpenSSL's own way to say where the store is.
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.ca_path))
    assert ask("chain", **asked, system_store=True)["trust"]["ok"] is True


def test_a_chain_is_shown_whoever_signed_it(serve, ask, localhost_tls):
    context, chain = localhost_tls
    server = serve(lambda connection: connection.recv(1), tls=context)
    answer = ask("chain", host="localhost", port=server.port, family="ipv4")
    assert outcome(answer) == "ok"
    assert answer["hops"][0]["tls"]["verified"] is None
    assert answer["hops"][0]["tls"]["chain_source"] == SOURCE
    assert chain_of(answer) == chain


def test_the_server_name_is_the_one_asked_for(serve, ask, localhost_tls):
    names: list[str | None] = []
    context = localhost_tls[0]
    context.sni_callback = lambda _sock, name, _context: names.append(name)
    server = serve(lambda connection: connection.recv(1), tls=context)
    ask("chain", host="127.0.0.1", port=server.port)
    ask("chain", host="127.0.0.1", port=server.port, server_name="mail.example.org")
    ask("chain", host="localhost", port=server.port, family="ipv4")
    assert names == [None, "mail.example.org", "localhost"]
    assert outcome(ask("chain", host="127.0.0.1", port=server.port, server_name="a b")) == "request/invalid"


# --- STARTTLS


class Mail:
    """An SMTP server that says what the test wants, in pieces of a few bytes."""

    def __init__(self, context: ssl.SSLContext, piece: int = 7, **replies: bytes) -> None:
        self.context, self.piece = context, piece
        self.seen: list[bytes] = []
        self.replies = {
            "greeting": b"220 mail ESMTP\r\n",
            "EHLO": b"250-mail\r\n250-SIZE 1\r\n250 STARTTLS\r\n",
            "STARTTLS": b"220 go\r\n",
        }
        self.replies.update(replies)

    def __call__(self, connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._say(connection, self.replies["greeting"])
        for word in ("EHLO", "STARTTLS"):
            line = self._line(connection)
            if not line.startswith(word.encode()):
                return
            self._say(connection, self.replies[word])
        with self.context.wrap_socket(connection, server_side=True) as secure:
            self.seen.append(secure.recv(100))
            secure.sendall(b"221 bye\r\n")

    def _say(self, connection: socket.socket, reply: bytes) -> None:
        if len(reply) > 200:
            connection.sendall(reply)
            return
        for at in range(0, len(reply), self.piece):
            connection.sendall(reply[at : at + self.piece])

    def _line(self, connection: socket.socket) -> bytes:
        line = connection.recv(1000)
        self.seen.append(line)
        return line


def test_the_chain_behind_starttls(serve, ask, localhost_tls):
    context, chain = localhost_tls
    mail = Mail(context)
    answer = ask("chain", host="127.0.0.1", port=serve(mail).port, starttls="smtp", ehlo_name="probe.example.org")
    assert outcome(answer) == "ok"
    assert chain_of(answer) == chain
    assert answer["hops"][0]["smtp"] == {"banner": "mail ESMTP", "keywords": ["SIZE 1", "STARTTLS"], "starttls": True}
    assert mail.seen == [b"EHLO probe.example.org\r\n", b"STARTTLS\r\n", b"QUIT\r\n"]


@pytest.mark.parametrize(
    ("replies", "expected"),
    [
        ({"greeting": b"421 busy\r\n"}, "throttled"),
        ({"greeting": b"554-no\r\n554 service\r\n"}, "refused"),
        ({"greeting": b"SSH-2.0-OpenSSH\r\n"}, "protocol"),
        ({"greeting": b"220-a\r\n250 b\r\n"}, "protocol"),
        ({"greeting": b"220 " + b"x" * 5000 + b"\r\n"}, "protocol"),
        ({"greeting": b"220-x\r\n" * 500}, "protocol"),
        ({"greeting": b"220 cut"}, "timeout"),
        ({"EHLO": b"502 what\r\n"}, "refused"),
        ({"EHLO": b"421 busy\r\n"}, "throttled"),
        ({"EHLO": b"250 mail\r\n"}, "starttls_not_offered"),
        ({"EHLO": b"250 STARTTLS\r\n"}, "starttls_not_offered"),
        ({"EHLO": b"250-mail\r\n250-XSTARTTLS\r\n250 STARTTLSX\r\n"}, "starttls_not_offered"),
        ({"EHLO": b"250-mail\r\n250-XXXXXXXA\r\n250 SIZE\r\n"}, "starttls_filtered"),
        ({"STARTTLS": b"454 not now\r\n"}, "starttls_refused"),
        ({"STARTTLS": b"421 not now\r\n"}, "throttled"),
        ({"STARTTLS": b"220 go\r\n250 smuggled\r\n"}, "protocol"),
    ],
)
def test_starttls_that_does_not_come_about(serve, ask, localhost_tls, replies, expected):
    # What is smuggled in arrives in one piece with the reply.
    mail = Mail(localhost_tls[0], piece=1000 if "STARTTLS" in replies else 7, **replies)
    answer = ask("chain", host="127.0.0.1", port=serve(mail).port, starttls="smtp", timeout=0.5)
    assert outcome(answer) == f"smtp/{expected}"
    assert answer["hops"][0]["tls"] is None
    json.dumps(answer)


def test_a_mail_server_that_goes_away(serve, ask):
    def late_reset(connection: socket.socket) -> None:
        time.sleep(0.1)  # a reset at once can be seen as one of the connection itself
        reset(connection)

    for handler, expected in ((lambda _: time.sleep(0.1), "closed"), (late_reset, "reset")):
        answer = ask("chain", host="127.0.0.1", port=serve(handler).port, starttls="smtp")
        assert outcome(answer) == f"smtp/{expected}"
    with blackhole() as dropped:
        answer = ask("chain", host="127.0.0.1", port=dropped, starttls="smtp", timeout=0.3)
        assert outcome(answer) == "connect/timeout"


def test_an_ehlo_name_cannot_carry_a_command(ask):
    answer = ask("chain", host="127.0.0.1", port=25, starttls="smtp", ehlo_name="a\r\nMAIL FROM:<>")
    assert outcome(answer) == "request/invalid"


def test_the_request_is_not_sent_before_the_handshake_is_verified(serve, ask):
    seen: list[bytes] = []
    server = serve(lambda connection: seen.append(connection.recv(4096)))
    ask("fetch", url=f"https://{server.netloc}/secret-path", timeout=0.3)
    assert seen
    assert b"secret-path" not in seen[0]
