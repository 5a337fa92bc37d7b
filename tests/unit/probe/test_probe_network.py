# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Resolving and connecting, the run's deadline, and many requests at once."""

from __future__ import annotations

import contextlib
import socket
import threading
import time

import pytest
from ansible_collections.mailops.tls.plugins.module_utils._probe import connect as connect_module
from ansible_collections.mailops.tls.plugins.module_utils._probe.engine import run
from ansible_collections.mailops.tls.plugins.module_utils._probe.urls import is_local

from tests.unit.probe.servers import Nameserver, answering, blackhole, closed_port, http, outcome, read_request


@pytest.fixture
def names(monkeypatch):
    """Names this host resolves in the test, in the place of its hosts file: a list of addresses, an error, or a wait."""
    table: dict[str, object] = {}
    system = socket.getaddrinfo

    def look_up(host, port, family=0, *more):
        name = host.decode() if isinstance(host, bytes) else host
        if name not in table:
            return system(host, port, family, *more)
        entry = table[name]
        if isinstance(entry, int):
            raise socket.gaierror(entry, "as the test wants it")
        if isinstance(entry, threading.Event):
            entry.wait(20)
            return []
        found = [item for address in entry for item in system(address, port, 0, socket.SOCK_STREAM)]
        return [item for item in found if family in (0, item[0])]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return table


@pytest.fixture
def nameserver(tmp_path):
    """A nameserver, and a resolv.conf that points at it."""
    with contextlib.ExitStack() as stack:

        def start(zone, *before):
            server = Nameserver(zone)
            stack.callback(server.close)
            lines = ["# comment", "search example", *before, f"nameserver 127.0.0.1#{server.port}", "options edns0"]
            path = tmp_path / "resolv.conf"
            path.write_text("\n".join(lines) + "\n")
            return {"run_options": {"resolv_conf": str(path)}}

        yield start


# --- resolve


@pytest.mark.parametrize(
    ("zone", "code", "rcode"),
    [
        ({"x.test": 3}, "nxdomain", "NXDOMAIN"),
        ({"x.test": "empty"}, "no_address", "NOERROR"),
        ({"x.test": 2}, "servfail", "SERVFAIL"),
        ({"x.test": 5}, "refused", "REFUSED"),
        ({"x.test": 4}, "error", "NOTIMP"),
        ({"x.test": 9}, "error", "9"),
        ({"x.test": "silent"}, "timeout", None),
        ({"x.test": "garbage"}, "nxdomain", "NXDOMAIN"),
        ({"x.test": "192.0.2.1"}, "error", "NOERROR"),
    ],
)
def test_why_a_name_does_not_resolve(ask, names, nameserver, zone, code, rcode):
    names["x.test"] = socket.EAI_NONAME
    answer = ask("connect", host="x.test", port=80, timeout=0.5, **nameserver(zone))
    assert outcome(answer) == f"resolve/{code}"
    assert answer["error"]["errno"] == "EAI_NONAME"
    assert answer["hops"][0]["resolve"]["rcode"] == rcode
    assert answer["hops"][0]["resolve"]["addresses"] == []
    assert answer["elapsed_ms"] < 700


def test_the_family_asked_for_is_the_family_explained(ask, names, nameserver):
    names["x.test"] = socket.EAI_NONAME
    with_server = nameserver({"x.test": "192.0.2.1"})
    assert outcome(ask("connect", host="x.test", port=80, family="ipv6", **with_server)) == "resolve/no_address"


def test_a_dead_nameserver_before_a_live_one_does_not_hide_its_answer(ask, names, nameserver):
    names["x.test"] = socket.EAI_AGAIN
    dead = f"nameserver 127.0.0.1#{closed_port()}"
    assert outcome(ask("connect", host="x.test", port=80, **nameserver({"x.test": 3}, dead))) == "resolve/nxdomain"
    assert outcome(ask("connect", host="x.test", port=80, **nameserver({"x.test": 2}, dead))) == "resolve/servfail"


@pytest.mark.parametrize(
    ("number", "code"),
    [(socket.EAI_NONAME, "nxdomain"), (socket.EAI_AGAIN, "timeout"), (socket.EAI_FAIL, "servfail"), (socket.EAI_MEMORY, "error")],
)
def test_without_resolv_conf_the_code_of_getaddrinfo_counts(ask, names, number, code, tmp_path):
    names["x.test"] = number
    answer = ask("connect", host="x.test", port=80, run_options={"resolv_conf": str(tmp_path / "none")})
    assert outcome(answer) == f"resolve/{code}"
    assert answer["hops"][0]["resolve"]["resolvers"] is None


def test_a_resolver_that_blocks_is_a_timeout(ask, names):
    names["x.test"] = threading.Event()
    answer = ask("connect", host="x.test", port=80, timeout=0.3)
    assert outcome(answer) == "resolve/timeout"
    assert answer["elapsed_ms"] < 800
    names["x.test"].set()


def test_addresses_resolve_to_themselves(ask):
    for host in ("127.0.0.1", "::1"):
        answer = ask("connect", host=host, port=closed_port())
        assert answer["hops"][0]["resolve"]["addresses"] == [host]
        assert (outcome(answer), answer["error"]["errno"]) == ("connect/refused", "ECONNREFUSED")
    assert outcome(ask("connect", host="127.0.0.1", port=1, family="ipv6")) == "resolve/no_address"


def test_an_internationalised_name_is_asked_for_by_its_a_labels(ask, names):
    names["xn--bcher-kva.test"] = ["127.0.0.1"]
    answer = ask("connect", host="B\u00fccher.test", port=closed_port())
    assert (answer["hops"][0]["host"], outcome(answer)) == ("xn--bcher-kva.test", "connect/refused")


# --- connect


def test_what_a_connection_can_come_to(ask):
    with blackhole() as dropped:
        answer = ask("connect", host="127.0.0.1", port=dropped, timeout=0.4)
    assert (outcome(answer), answer["hops"][0]["addresses"][0]["errno"]) == ("connect/timeout", "ETIMEDOUT")
    assert 300 < answer["hops"][0]["addresses"][0]["ms"] < 900
    answer = ask("connect", host="255.255.255.255", port=80)
    assert outcome(answer) == "connect/unreachable"
    assert answer["hops"][0]["addresses"][0]["connected"] is False


def test_the_race_does_not_wait_for_a_dead_address(serve, ask, names):
    server = serve(lambda _: None, address="127.0.0.1")
    names["two.test"] = ["::1", "127.0.0.1"]
    with blackhole("::1", server.port):
        answer = ask("connect", host="two.test", port=server.port, timeout=3)
    assert outcome(answer) == "ok"
    assert 200 < answer["elapsed_ms"] < 1500
    assert answer["hops"][0]["peer"] == "127.0.0.1"
    assert [(item["address"], item["connected"]) for item in answer["hops"][0]["addresses"]] == [
        ("::1", None),
        ("127.0.0.1", True),
    ]


def test_a_refusal_starts_the_next_attempt_at_once(serve, ask, names):
    server = serve(lambda _: None)
    names["two.test"] = ["::1", "127.0.0.1", "127.0.0.2"]
    answer = ask("connect", host="two.test", port=server.port)
    assert answer["elapsed_ms"] < 200
    assert [item["connected"] for item in answer["hops"][0]["addresses"]] == [False, True, None]


def test_each_address_is_tried_to_its_end(serve, ask, names):
    server = serve(answering(http(b"yes")))
    names["many.test"] = ["::1", "127.0.0.1", "127.0.0.2", "127.0.0.3", "255.255.255.255"]
    with blackhole("127.0.0.3", server.port):
        answer = ask("fetch", url=f"http://many.test:{server.port}/", each_address=True, timeout=0.6)
    assert outcome(answer) == "ok"
    codes = {item["address"]: (item["connected"], item["code"]) for item in answer["hops"][0]["addresses"]}
    assert codes == {
        "::1": (False, "refused"),
        "127.0.0.1": (True, None),
        "127.0.0.2": (False, "refused"),
        "127.0.0.3": (False, "timeout"),
        "255.255.255.255": (False, "unreachable"),
    }
    assert 500 < answer["elapsed_ms"] < 1100


def test_the_family_limits_the_addresses(ask, names):
    names["two.test"] = ["::1", "127.0.0.1"]
    for family, expected in (
        ("ipv4", ["127.0.0.1"]),
        ("ipv6", ["::1"]),
        ("both", ["::1", "127.0.0.1"]),
        ("any", ["::1", "127.0.0.1"]),
    ):
        answer = ask("connect", host="two.test", port=closed_port(), family=family)
        assert answer["hops"][0]["resolve"]["addresses"] == expected


def test_families_alternate_beginning_with_the_resolvers_first():
    def item(number, family):
        return (family, (number, 80), number)

    v4, v6 = socket.AF_INET, socket.AF_INET6
    given = [item("a", v6), item("b", v6), item("c", v6), item("d", v4)]
    assert [entry[2] for entry in connect_module.interleave(given)] == ["a", "d", "b", "c"]


@pytest.mark.parametrize(
    "address",
    ["127.1.2.3", "0.0.0.0", "169.254.1.1", "::", "::1", "fe80::1%lo", "::ffff:127.0.0.1", "64:ff9b::7f00:1"],  # noqa: S104
)
def test_local_addresses(address):
    assert is_local(address)


@pytest.mark.parametrize("address", ["192.0.2.1", "10.0.0.1", "2001:db8::1", "::ffff:192.0.2.1", "name.example"])
def test_addresses_that_are_not_local(address):
    assert not is_local(address)


# --- the run


def drip(connection: socket.socket) -> None:
    """One byte at a time, for ever."""
    read_request(connection)
    for byte in b"HTTP/1.1 200 OK\r\nServer: drip\r\n\r\n" + b"x" * 10000:
        connection.sendall(bytes([byte]))
        time.sleep(0.02)


def test_the_deadline_ends_everything_and_keeps_what_is_known(serve, names):
    names["hang.test"] = threading.Event()

    def headers(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\n")
        while True:
            connection.sendall(b"X")
            time.sleep(0.05)

    body, quick = serve(drip), serve(answering(http(b"quick")))
    with blackhole() as dropped:
        common = {"op": "fetch", "proxy": "none", "timeout": 5}
        requests = [
            {"id": "resolve", "url": "http://hang.test/", **common},
            {"id": "connect", "url": f"http://127.0.0.1:{dropped}/", **common},
            {"id": "http", "url": serve(headers).url, **common},
            {"id": "body", "url": body.url, **common},
            {"id": "quick", "url": quick.url, **common},
        ]
        began = time.monotonic()
        result = run(requests, deadline=1.5)
        assert time.monotonic() - began < 2.2
    names["hang.test"].set()
    by_id = {answer["id"]: answer for answer in result["answers"]}
    assert {key: outcome(answer) for key, answer in by_id.items()} == {
        "resolve": "resolve/deadline",
        "connect": "connect/deadline",
        "http": "http/deadline",
        "body": "body/deadline",
        "quick": "ok",
    }
    assert by_id["body"]["hops"][0]["http"]["headers"] == {"server": "drip"}
    assert by_id["body"]["body_bytes"] > 5
    assert by_id["connect"]["hops"][0]["addresses"][0]["connected"] is None


def test_two_hundred_dropped_endpoints_cost_one_timeout():
    with blackhole() as dropped:
        requests = [
            {"id": str(n), "op": "connect", "host": "127.0.0.1", "port": dropped, "timeout": 1, "proxy": "none"}
            for n in range(200)
        ]
        result = run(requests, deadline=10)
    assert {outcome(answer) for answer in result["answers"]} == {"connect/timeout"}
    assert [answer["id"] for answer in result["answers"]] == [str(n) for n in range(200)]
    assert result["elapsed_ms"] < 3000


def test_more_requests_than_threads_are_all_answered(serve):
    server = serve(answering(http(b"x")))
    requests = [{"id": str(n), "op": "fetch", "url": server.url, "proxy": "none"} for n in range(300)]
    assert {outcome(answer) for answer in run(requests, deadline=20)["answers"]} == {"ok"}


def test_one_bad_request_does_not_cost_the_others(serve):
    good = {"id": "good", "op": "fetch", "url": serve(answering(http(b"x"))).url, "proxy": "none"}
    others = [
        {"op": "fetch"},
        {"id": "odd", "op": "telepathy"},
        {"id": "none"},
        {"id": "list", "op": []},
        dict(good),
        {"id": 7, "op": "store"},
    ]
    answers = run([good, *others], deadline=5)["answers"]
    assert [outcome(answer) for answer in answers] == [
        "ok",
        "request/invalid",
        "request/unsupported",
        "request/unsupported",
        "request/unsupported",
        "request/invalid",
        "request/invalid",
    ]


def test_no_time_at_all_is_a_deadline():
    answer = run([{"id": "a", "op": "connect", "host": "127.0.0.1", "port": 1}], deadline=0)["answers"][0]
    assert outcome(answer).endswith("/deadline")


def test_a_bug_is_an_answer(monkeypatch, ask):
    def broken(*_args):
        raise KeyError("oops")

    monkeypatch.setattr(connect_module.connect, "__code__", broken.__code__)
    answer = ask("connect", host="127.0.0.1", port=1)
    assert (outcome(answer), answer["error"]["message"]) == ("connect/internal", "KeyError: 'oops'")
