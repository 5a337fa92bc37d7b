# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""`smtp`: every address of a mail server, from the greeting to QUIT, with servers that misbehave in every way."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import ssl
import time
import typing as t

import pytest
from ansible_collections.mailops.tls.plugins.module_utils._probe import openssl, smtpverify
from ansible_collections.mailops.tls.plugins.module_utils._probe.base import Run
from ansible_collections.mailops.tls.plugins.module_utils._probe.engine import run

from tests.unit.probe.servers import blackhole, closed_port, outcome, reset
from tests.unit.probe.smtp_servers import MailServer, faulty_chains, weak_context

Answer = dict[str, t.Any]


def ask(*, deadline: float = 10, **options: t.Any) -> Answer:
    request = {"id": "one", "op": "smtp", "timeout": 1, "dane": False, "ehlo_name": "probe.example.com", **options}
    if "domain" not in request:
        request.setdefault("host", "127.0.0.1")
    answer: Answer = run([request], deadline=deadline, environ={})["answers"][0]
    return answer


def only(answer: Answer) -> dict[str, t.Any]:
    assert len(answer["paths"]) == 1, answer
    path: dict[str, t.Any] = answer["paths"][0]
    return path


def failed(path: dict[str, t.Any]) -> str:
    return f"{path['error']['stage']}/{path['error']['code']}" if path["error"] else "ok"


@pytest.fixture(scope="module")
def served(authority):
    return authority.server("localhost")


@pytest.mark.parametrize("piece", [4096, 1])
def test_a_good_server(serve, served, authority, piece):
    context, chain = served
    mail = MailServer(context, piece=piece)
    port = serve(mail).port
    store = {"id": "own", "ca_file": str(authority.ca_path), "ca_path": None}
    answer = ask(host="localhost", address_family="ipv4", port=port, stores=[store, {"id": "system"}])
    path = only(answer)
    assert (outcome(answer), answer["ok"], failed(path), path["connections"]) == ("ok", True, "ok", 1)
    assert answer["mx"]["status"] == "not_asked"
    assert [(host["host"], host["addresses"], host["error"]) for host in answer["hosts"]] == [("localhost", ["127.0.0.1"], None)]
    assert (path["banner"], path["capabilities"]) == ("mail.example.com ESMTP", ["SIZE 1000", "STARTTLS"])
    assert (path["starttls"], path["starttls_reply"]) == ("offered", "220 2.0.0 go ahead")
    assert path["capabilities_after_tls"] == ["AUTH PLAIN"]
    tls = path["tls"]
    assert (tls["protocol"], tls["server_name"], tls["permissive"]) == ("TLSv1.3", "localhost", False)
    assert (tls["client_certificate_requested"], tls["group"], tls["key_exchange"]) == (False, "x25519", None)
    assert [base64.b64decode(answer["certificates"][name]) for name in path["chain"]] == chain
    assert path["chain"] == [hashlib.sha256(der).hexdigest() for der in chain]
    assert path["chain_source"] == "ssl"
    assert [(said["store"], said["ok"], said["code"]) for said in path["verified"]] == [
        ("own", True, None),
        ("system", False, 20),
    ]
    assert path["verified"][0]["tool"] == "openssl verify"
    assert mail.seen == ["EHLO probe.example.com", "STARTTLS", "EHLO probe.example.com", "QUIT"]


def test_implicit_tls(serve, served):
    mail = MailServer(served[0], implicit=True)
    path = only(ask(port=serve(mail).port, implicit_tls=True, check_plaintext=True))
    assert (failed(path), path["starttls"], path["plaintext"], path["capabilities"]) == ("ok", "implicit", None, None)
    assert (path["tls"]["protocol"], path["tls"]["server_name"]) == ("TLSv1.3", None)
    assert path["capabilities_after_tls"] == ["AUTH PLAIN"]
    assert mail.seen == ["EHLO probe.example.com", "QUIT"]


@pytest.mark.parametrize(
    ("replies", "starttls", "error"),
    [
        ({"EHLO": b"250-mail\r\n250 SIZE 1\r\n"}, "not_offered", "ok"),
        ({"EHLO": b"250-mail\r\n250 XXXXXXXA\r\n"}, "filtered", "ok"),
        ({"EHLO": b"250-mail\r\n250-XXXX\r\n250 SIZE 1\r\n"}, "filtered", "ok"),
        ({"EHLO": b"250 mail\r\n", "greeting": b"220 ************************0*2****\r\n"}, "filtered", "ok"),
        ({"EHLO": b"502 what\r\n", "HELO": b"250 mail\r\n"}, "not_offered", "ok"),
        ({"STARTTLS": b"454 4.7.0 TLS not available\r\n"}, "refused", "ok"),
        ({"STARTTLS": b"220 go\r\n250 injected\r\n"}, "offered", "handshake/injected"),
        ({"STARTTLS": b"421 later\r\n"}, "offered", "starttls/throttled"),
        ({"STARTTLS": None}, "offered", "starttls/closed"),
        ({"EHLO": b"250-mail\r\n251 STARTTLS\r\n"}, None, "ehlo/protocol"),
        ({"EHLO": b"250-mail\r\n" * 200}, None, "ehlo/protocol"),
        ({"EHLO": b"250-" + b"x" * 4000 + b"\r\n"}, None, "ehlo/protocol"),
        ({"EHLO": b"550 go away\r\n"}, None, "ehlo/refused"),
        ({"EHLO": b"421 busy\r\n"}, None, "ehlo/throttled"),
        ({"greeting": b"421 too many connections\r\n"}, None, "greeting/throttled"),
        ({"greeting": b"450 later\r\n"}, None, "greeting/throttled"),
        ({"greeting": b"554 no\r\n"}, None, "greeting/refused"),
        ({"greeting": b"SSH-2.0-OpenSSH_9.2\r\n"}, None, "greeting/protocol"),
        ({"greeting": bytes(range(256)) * 40}, None, "greeting/protocol"),
        ({"greeting": b""}, None, "greeting/timeout"),
        ({"greeting": None}, None, "greeting/closed"),
        # No certificate was asked for, so that its absence is not the reason, whatever the text says.
        ({"TLS_EHLO": b"421 4.7.0 Error: no client certificate\r\n"}, "offered", "tls_ehlo/throttled"),
    ],
)
def test_what_servers_answer(serve, served, replies, starttls, error):
    mail = MailServer(served[0], **replies)
    answer = ask(port=serve(mail).port, timeout=0.4)
    path = only(answer)
    assert (path["starttls"], failed(path)) == (starttls, error)
    assert answer["ok"] is True
    # What was smuggled in is no reason to come again.
    assert path["connections"] == 1
    # A server that still listens is told goodbye, whatever it said.
    if error.partition("/")[2] in ("ok", "refused", "throttled") and replies.get("greeting", b"220") is not None:
        assert mail.seen[-1] == "QUIT"


def test_a_tarpit_costs_a_step_and_no_more(serve, served):
    """Each byte comes within the time limit, the reply does not."""
    mail = MailServer(served[0], piece=1, delay=0.05)
    began = time.monotonic()
    path = only(ask(port=serve(mail).port, timeout=0.3))
    assert failed(path) == "greeting/timeout"
    assert time.monotonic() - began < 3


def test_the_deadline_leaves_what_is_known(serve, served):
    mail = MailServer(served[0], TLS_EHLO=b"")
    answer = ask(port=serve(mail).port, timeout=30, deadline=1.5)
    path = only(answer)
    assert (outcome(answer), answer["ok"], failed(path)) == ("smtp/deadline", False, "tls_ehlo/deadline")
    assert len(path["chain"]) == len(answer["certificates"]) == 2


@pytest.mark.parametrize("kind", ["closed", "dropped", "reset", "reset in handshake", "silent handshake"])
def test_connections_that_fail(serve, kind):
    with contextlib.ExitStack() as stack:
        if kind == "closed":
            port, expected = closed_port(), "connect/refused"
        elif kind == "dropped":
            port, expected = stack.enter_context(blackhole()), "connect/timeout"
        elif kind == "reset":
            port, expected = (
                serve(lambda connection: connection.sendall(b"220") or time.sleep(0.1) or reset(connection)).port,
                "greeting/reset",
            )
        else:
            last = reset if kind.startswith("reset") else lambda connection: connection.recv(1)

            def handle(connection):
                MailServer(None)._say(connection, b"220 hi\r\n")
                connection.recv(100)
                connection.sendall(b"250-x\r\n250 STARTTLS\r\n")
                connection.recv(100)
                connection.sendall(b"220 go\r\n")
                connection.recv(5000)
                if kind == "silent handshake":
                    time.sleep(1)
                last(connection)

            port = serve(handle).port
            expected = "handshake/reset" if kind.startswith("reset") else "handshake/timeout"
        path = only(ask(port=port, timeout=0.5))
    assert failed(path) == expected
    assert path["connections"] == (2 if expected == "handshake/reset" else 1)


@pytest.mark.filterwarnings("ignore:ssl.OP_NO_:DeprecationWarning")
@pytest.mark.parametrize(
    ("kind", "protocol", "exchange"),
    [("anonymous", "TLSv1.2", "ADH AECDH"), ("tls1", "TLSv1", "ECDHE"), ("rsa", "TLSv1.2", "RSA")],
)
def test_weak_servers_are_seen_and_told_apart(serve, tmp_path, kind, protocol, exchange):
    mail = MailServer(weak_context(kind, tmp_path))
    answer = ask(port=serve(mail).port, stores=[{"id": "system"}])
    path = only(answer)
    tls = path["tls"]
    assert failed(path) == "ok"
    assert (tls["protocol"], tls["key_exchange"] in exchange.split()) == (protocol, True)
    # RSA key exchange is in OpenSSL's ordinary list; the other two are in no ordinary one.
    assert (tls["permissive"], path["connections"]) == ((False, 1) if kind == "rsa" else (True, 2))
    assert (len(path["chain"]), len(path["verified"]), path["chain_source"]) == (
        (0, 0, None) if kind == "anonymous" else (1, 1, "ssl")
    )


@pytest.mark.parametrize("version", ["TLSv1_2", "TLSv1_3"])
@pytest.mark.parametrize("given", [False, True])
@pytest.mark.parametrize("implicit", [False, True])
def test_client_certificates(serve, authority, version, given, implicit):
    context, _chain = authority.server("client.example.com")
    context.load_verify_locations(authority.ca_path)
    context.verify_mode = ssl.CERT_REQUIRED
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.maximum_version = getattr(ssl.TLSVersion, version)
    mail = MailServer(context, implicit=implicit)
    more = {"client_certificate": str(authority.directory / "client.example.com.pem")} if given else {}
    path = only(ask(port=serve(mail).port, implicit_tls=implicit, **more))
    if given:
        assert failed(path) == "ok"
        assert path["tls"]["client_certificate_requested"] is True
    else:
        assert failed(path) == "handshake/client_certificate_required"
        assert path["connections"] == 1


@pytest.mark.parametrize("given", [False, True])
@pytest.mark.parametrize("implicit", [False, True])
def test_a_client_certificate_refused_after_the_handshake(serve, authority, given, implicit):
    """As Postfix does it with smtpd_tls_req_ccert."""
    context, _chain = authority.server("mail.example.com")
    context.load_verify_locations(authority.ca_path)
    context.verify_mode = ssl.CERT_OPTIONAL
    replies = {"greeting" if implicit else "TLS_EHLO": b"421 4.7.1 Error: Client certificate missing or not trusted\r\n"}
    port = serve(MailServer(context, implicit=implicit, **replies)).port
    more = {"client_certificate": str(authority.directory / "mail.example.com.pem")} if given else {}
    path = only(ask(port=port, implicit_tls=implicit, **more))
    assert failed(path) == ("handshake/certificate" if given else "handshake/client_certificate_required")
    assert len(path["chain"]) == 2


@pytest.mark.parametrize("version", ["TLSv1_2", "TLSv1_3"])
def test_a_client_certificate_of_a_stranger_is_refused_in_any_version(serve, authority, version):
    context, _chain = authority.server("mail.example.com")
    context.verify_mode = ssl.CERT_REQUIRED  # and no CA is trusted
    context.maximum_version = getattr(ssl.TLSVersion, version)
    given = str(authority.directory / "mail.example.com.pem")
    path = only(ask(port=serve(MailServer(context)).port, client_certificate=given))
    assert (failed(path), path["connections"]) == ("handshake/certificate", 1)
    assert (path["tls"] is None) is (version == "TLSv1_2")


def test_a_client_certificate_that_cannot_be_read(tmp_path):
    answer = ask(port=25, client_certificate=str(tmp_path / "none.pem"))
    assert outcome(answer) == "request/client_certificate"
    assert answer["paths"] == []


@pytest.mark.parametrize(
    ("replies", "plaintext", "connections"),
    [
        ({"MAIL": b"530 5.7.0 Must issue STARTTLS\r\n"}, ("530 5.7.0 Must issue STARTTLS", None, "250 ok"), 1),
        ({}, ("250 ok", "250 ok", "250 ok"), 1),
        ({"RCPT": b"554 5.7.1 no relay\r\n"}, ("250 ok", "554 5.7.1 no relay", "250 ok"), 1),
        ({"MAIL": b"421 5.7.0 bye\r\n"}, ("421 5.7.0 bye", None, None), 2),
        ({"MAIL": None}, (None, None, None), 2),
    ],
)
def test_mail_in_the_clear_is_asked_for_and_never_sent(serve, served, replies, plaintext, connections):
    mail = MailServer(served[0], **replies)
    path = only(ask(port=serve(mail).port, check_plaintext=True, recipient="someone@example.com", sender="me@example.org"))
    assert tuple(path["plaintext"][key] for key in ("mail", "rcpt", "reset")) == plaintext
    assert (failed(path), path["connections"], path["tls"]["protocol"]) == ("ok", connections, "TLSv1.3")
    assert "MAIL FROM:<me@example.org>" in mail.seen
    assert ("RCPT TO:<someone@example.com>" in mail.seen) is (plaintext[1] is not None)
    assert not [line for line in mail.seen if line.upper().startswith(("DATA", "BDAT"))]


def test_the_default_recipient_and_name(serve):
    mail = MailServer(None, EHLO=b"250 mail\r\n")
    path = only(ask(port=serve(mail).port, host="[127.0.0.1]", check_plaintext=True))
    assert path["starttls"] == "not_offered"
    assert mail.seen[1:] == ["MAIL FROM:<>", "RCPT TO:<postmaster@[127.0.0.1]>", "RSET", "QUIT"]


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"host": None}, "only one"),
        ({"domain": "a.example", "host": "b.example"}, "only one"),
        ({"domain": "192.0.2.1"}, "domain"),
        ({"recipient": "a@b>\r\nDATA"}, "recipient"),
        ({"sender": "a b"}, "sender"),
        ({"ehlo_name": "a\r\nDATA"}, "ehlo_name"),
        ({"client_key": "/x"}, "client_key"),
        ({"stores": [{"ca_file": "/x"}]}, "stores"),
    ],
)
def test_requests_that_are_refused(options, why):
    answer = ask(**{"host": "127.0.0.1", **({"host": None} if "domain" in options and "host" not in options else {}), **options})
    assert outcome(answer) == "request/invalid"
    assert why in answer["error"]["message"]
    assert (answer["ok"], answer["paths"]) == (False, [])


def test_one_connection_per_address_whoever_asks(serve, served):
    mail = MailServer(served[0], delay=0.05)
    port = serve(mail).port
    requests = [
        {"id": str(number), "op": "smtp", "host": host, "address_family": "ipv4", "port": port, "dane": False, "timeout": 5}
        for number, host in enumerate(["127.0.0.1", "localhost", "127.0.0.1"])
    ]
    answers = run(requests, environ={})["answers"]
    assert [failed(only(answer)) for answer in answers] == ["ok"] * 3
    assert (mail.sessions, mail.most) == (3, 1)


def test_addresses_are_limited_and_the_rest_is_told(serve, served):
    mail = MailServer(served[0])
    port = serve(mail).port
    answer = ask(host="localhost", address_family="both", port=port, max_addresses=1)
    addresses = answer["hosts"][0]["addresses"]
    assert (len(answer["paths"]), answer["truncated"]) == (1, len(addresses) > 1)


def test_garbage_in_the_handshake(serve):
    def handle(connection):
        connection.sendall(b"220 hi\r\n")
        connection.recv(100)
        connection.sendall(b"250-x\r\n250 STARTTLS\r\n")
        connection.recv(100)
        connection.sendall(b"220 go\r\n")
        connection.recv(5000)
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    assert failed(only(ask(port=serve(handle).port))) == "handshake/protocol"


def test_verdicts_tell_the_depth_and_the_anchors_that_dane_may_name(tmp_path):
    """Real chains by the host's own openssl: errors come from the root downwards, and an anchor need be no root."""
    chains = {name: [item.der for item in chain] for name, chain in faulty_chains().items()}
    run_of = Run(30, 0, {}, {}, "/nonexistent")
    root = tmp_path / "root.pem"
    root.write_bytes(openssl.pem([chains["good"][-1]]))
    store = {"id": "own", "ca_file": str(root), "ca_path": None}

    def store_says(name):
        [said] = smtpverify.with_stores(run_of, chains[name][:-1], [store], 10)
        return said["ok"], said["code"], said["depth"]

    def anchor_says(name, *records):
        records = records or ({"usage": 2, "selector": 0, "matching": 1, "data": ""},)
        return [(said["ok"], said["code"]) for said in smtpverify.with_anchors(run_of, chains[name][:-1], records, 10)]

    assert store_says("good") == (True, None, None)
    assert store_says("expired") == (False, 10, 0)
    assert store_says("expired above") == (False, 10, 1)
    assert store_says("both expired") == (False, 10, 1)
    assert anchor_says("good") == [(True, None)]
    assert anchor_says("for clients") == [(False, 26)]
    assert anchor_says("too long") == [(True, None), (False, 25)]
    whole = {"usage": 2, "selector": 0, "matching": 0, "data": chains["good"][1].hex()}
    assert [said["ok"] for said in smtpverify.with_anchors(run_of, chains["good"][:1], [whole], 10)] == [True]
    own = {**whole, "data": chains["good"][0].hex()}
    assert smtpverify.with_anchors(run_of, chains["good"][:1], [own], 10) == []
    assert anchor_says("good", {**whole, "usage": 3}) == []
