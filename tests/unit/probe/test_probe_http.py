# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""HTTP as the probe speaks it, with servers that keep to the protocol and with those that do not."""

from __future__ import annotations

import base64
import contextlib
import gzip
import itertools
import socket
import time
import typing as t

import pytest
from ansible_collections.mailops.tls.plugins.module_utils._probe.engine import run

from tests.unit.probe.servers import answering, http, outcome, read_request, reset

OK = b"HTTP/1.1 200 OK\r\n"


def body_of(answer: dict[str, t.Any]) -> bytes:
    return base64.b64decode(answer["body"])


def test_a_fetch_says_everything_the_host_saw(serve, ask):
    seen: list[bytes] = []
    server = serve(
        answering(http(b"crl", "200 Fine", "Content-Type: application/pkix-crl", "Set-Cookie: a=b", "X-Cache: HIT"), seen)
    )
    answer = ask("fetch", url=server.url + "a.crl?x=1#part", headers={"Accept": "application/pkix-crl"})
    assert outcome(answer) == "ok"
    assert body_of(answer) == b"crl"
    assert answer["body_bytes"] == 3
    assert answer["proxy"] is None
    (hop,) = answer["hops"]
    assert hop["url"] == server.url + "a.crl?x=1"
    assert (hop["host"], hop["port"], hop["peer"], hop["tls"], hop["smtp"]) == ("127.0.0.1", server.port, "127.0.0.1", None, None)
    assert hop["resolve"].pop("ms") < 1000
    assert hop["resolve"] == {"source": "literal", "resolvers": None, "rcode": None, "addresses": ["127.0.0.1"]}
    (address,) = hop["addresses"]
    assert address.pop("ms") < 1000
    assert address == {"address": "127.0.0.1", "family": "ipv4", "connected": True, "errno": None, "code": None}
    assert (hop["http"]["status"], hop["http"]["reason"]) == (200, "Fine")
    assert hop["http"]["headers"] == {"content-type": "application/pkix-crl", "content-length": "3", "x-cache": "HIT"}
    lines = seen[0].decode().split("\r\n")
    assert lines[0] == "GET /a.crl?x=1 HTTP/1.1"
    assert set(lines[1:-2]) == {
        f"Host: 127.0.0.1:{server.port}",
        "User-Agent: mailops.tls",
        "Accept-Encoding: identity",
        "Connection: close",
        "Accept: application/pkix-crl",
    }


def test_post_sends_the_body(serve, ask):
    seen: list[bytes] = []
    server = serve(answering(http(b"answer"), seen))
    options = {
        "method": "POST",
        "body": base64.b64encode(b"\0\1request").decode(),
        "headers": {"Content-Type": "application/ocsp-request"},
    }
    assert outcome(ask("fetch", url=server.url, **options)) == "ok"
    assert seen[0].startswith(b"POST / HTTP/1.1\r\n")
    assert b"\r\nContent-Length: 9\r\n" in seen[0]
    assert seen[0].endswith(b"\r\n\r\n\0\1request")


@pytest.mark.parametrize(
    ("raw", "expected", "body"),
    [
        (OK + b"\r\nto the end", "ok", b"to the end"),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;ext=1\r\nde\r\n0\r\n\r\n", "ok", b"abcde"),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + http(b"late"), "ok", b"late"),
        (b"HTTP/1.0 200\n\nbare line feeds", "ok", b"bare line feeds"),
        (http(b"", "204 No Content"), "ok", b""),
        (http(b"no", "403 Forbidden"), "ok", b"no"),
        (http(b"lost", "302 Found"), "ok", b"lost"),
        (http(b"four") + b"and more", "ok", b"four"),
        (OK + b"Content-Length: 10\r\n\r\nshort", "body/truncated", None),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nab", "body/truncated", None),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n", "body/truncated", None),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\nabcd\r\n0\r\n\r\n", "body/truncated", None),
        (OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", "http/protocol", None),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n-5\r\n", "http/protocol", None),
        (OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", "body/encoding", None),
        (OK + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabc", "http/protocol", None),
        (OK + b"Content-Length: -3\r\n\r\nabc", "http/protocol", None),
        (OK + b"Content-Length: 99999999999\r\n\r\nabc", "body/too_large", None),
        (http(gzip.compress(bytes(1 << 20)), "200 OK", "Content-Encoding: gzip"), "body/encoding", None),
        (b"", "http/closed", None),
        (b"220 mail.example ESMTP\r\n", "http/protocol", None),
        (b"220", "http/protocol", None),
        (b"HTT", "http/protocol", None),
        (b"HTTP/2 200 OK\r\n\r\n", "http/protocol", None),
        (b"HTTP/1.1 0200 OK\r\n\r\n", "http/protocol", None),
        (b"HTTP/1.1 101 Switching\r\n\r\n", "http/protocol", None),
        (OK + b"Content-Type: te", "http/protocol", None),
        (OK + b"X: " + b"a" * 70000 + b"\r\n\r\n", "http/headers_too_large", None),
        (OK + b"a: b\r\n" * 300 + b"\r\n", "http/headers_too_large", None),
        (b"HTTP/1.1 100 Continue\r\n\r\n" * 300 + http(b""), "http/headers_too_large", None),
        (b"HTTP/1.1 200 " + b"a" * 70000, "http/headers_too_large", None),
    ],
)
def test_answers(serve, ask, raw, expected, body):
    answer = ask("fetch", url=serve(answering(raw)).url)
    assert outcome(answer) == expected
    assert (body_of(answer) if answer["body"] is not None else None) == body


def test_header_values_are_bounded_and_clean(serve, ask):
    raw = (
        OK
        + b"Server: a\x1b[31m\r\n\tfolded\r\nno colon here\r\nBad Name: x\r\nVia: "
        + b"v" * 900
        + b"\r\nVia: w\r\nContent-Length: 0\r\n\r\n"
    )
    headers = ask("fetch", url=serve(answering(raw)).url)["hops"][0]["http"]["headers"]
    assert headers["server"] == "a [31m folded"
    assert headers["via"] == "v" * 500
    assert set(headers) == {"server", "via", "content-length"}


def test_silence_is_a_timeout_of_the_stage_it_happens_in(serve, ask):
    def late_body(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(OK + b"Content-Length: 5\r\n\r\nab")
        connection.recv(1)

    assert outcome(ask("fetch", url=serve(lambda c: c.recv(1) and time.sleep(3)).url, timeout=0.3)) == "http/timeout"
    answer = ask("fetch", url=serve(late_body).url, timeout=0.3)
    assert outcome(answer) == "body/timeout"
    assert (answer["body"], answer["body_bytes"], answer["hops"][0]["http"]["status"]) == (None, 2, 200)


def test_resets(serve, ask):
    def before(connection: socket.socket) -> None:
        read_request(connection)
        reset(connection)

    def within(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(OK + b"Content-Length: 50\r\n\r\nab")
        time.sleep(0.2)
        reset(connection)

    answer = ask("fetch", url=serve(before).url)
    assert (outcome(answer), answer["error"]["errno"]) == ("http/reset", "ECONNRESET")
    assert outcome(ask("fetch", url=serve(within).url)) == "body/reset"


def test_a_body_may_have_exactly_max_bytes(serve, ask):
    assert outcome(ask("fetch", url=serve(answering(http(b"12345"))).url, max_bytes=5)) == "ok"
    answer = ask("fetch", url=serve(answering(OK + b"\r\n123456")).url, max_bytes=5)
    assert (outcome(answer), answer["body"], answer["body_bytes"]) == ("body/too_large", None, 6)


def test_the_budget_is_for_all_requests_and_what_is_not_returned_does_not_count(serve):
    big = serve(answering(OK + b"\r\n" + b"x" * 3000))
    common = {"op": "fetch", "proxy": "none"}
    requests = [{"id": str(number), "url": big.url, **common} for number in range(3)]
    result = run(requests, deadline=5, max_total_bytes=7000)
    assert sorted(outcome(answer) for answer in result["answers"]) == ["body/budget", "ok", "ok"]
    limited = dict(requests[0], max_bytes=100)
    result = run([dict(limited, id=str(number)) for number in range(20)], deadline=5, max_total_bytes=100)
    assert {outcome(answer) for answer in result["answers"]} == {"body/too_large"}


def test_endless_bodies_leave_room_for_small_ones(serve):
    def endless(connection: socket.socket) -> None:
        read_request(connection)
        with contextlib.suppress(OSError):
            connection.sendall(OK + b"\r\n")
            while True:
                connection.sendall(b"x" * 65536)

    def late(connection: socket.socket) -> None:
        read_request(connection)
        time.sleep(0.3)  # by now the endless ones have taken what there is
        connection.sendall(OK + b"\r\n" + b"x" * 3000)

    held = {"op": "fetch", "proxy": "none", "max_bytes": 10**9}
    requests = [{"id": f"endless{number}", "url": serve(endless).url, **held} for number in range(3)]
    requests += [{"id": f"small{number}", "url": serve(late).url, **held} for number in range(3)]
    result = run(requests, deadline=5, max_total_bytes=200000)
    assert [outcome(answer) for answer in result["answers"]] == ["body/budget"] * 3 + ["ok"] * 3


# --- redirects


def redirecting(table: dict[str, str], seen: list[bytes] | None = None) -> t.Callable[[socket.socket], None]:
    """`table` maps a path to `status location`; other paths are answered."""

    def handle(connection: socket.socket) -> None:
        request = read_request(connection)
        if seen is not None:
            seen.append(request)
        status, _space, location = table.get(request.split(b" ")[1].decode(), "").partition(" ")
        connection.sendall(http(b"", f"{status} Moved", f"Location: {location}") if status else http(b"there"))

    return handle


def test_redirects_are_followed_and_shown(serve, ask):
    server = serve(redirecting({"/": "302 /a/b", "/a/b": "307 ../c?d", "/c?d": "301 e#frag"}))
    answer = ask("fetch", url=server.url)
    assert outcome(answer) == "ok"
    assert body_of(answer) == b"there"
    assert [hop["url"] for hop in answer["hops"]] == [server.url + path for path in ("", "a/b", "c?d", "e")]
    assert answer["hops"][0]["http"]["headers"]["location"] == "/a/b"


@pytest.mark.parametrize(
    ("status", "method"), [("301", b"GET"), ("302", b"GET"), ("303", b"GET"), ("307", b"POST"), ("308", b"POST")]
)
def test_the_method_over_a_redirect(serve, ask, status, method):
    seen: list[bytes] = []
    server = serve(redirecting({"/": f"{status} /next"}, seen))
    answer = ask("fetch", url=server.url, method="POST", body="YWJj", headers={"Content-Type": "application/ocsp-request"})
    assert outcome(answer) == "ok"
    assert seen[1].split(b" ")[0] == method
    assert seen[1].endswith(b"abc") == (method == b"POST")
    assert (b"ocsp-request" in seen[1]) == (method == b"POST")


@pytest.mark.parametrize(
    "location",
    [
        "file:///etc/passwd",
        "ftp://127.0.0.1/",
        "http://user:secret@127.0.0.1/",
        "/a b",
        "/a\tb",
        "/a\x0bb",
        "http://[::1",
        "http://a..b/",
        "gopher:x",
        "http://127.0.0.1:99999/",
    ],
)
def test_refused_locations(serve, ask, location):
    server = serve(answering(http(b"", "302 Found", f"Location: {location}")))
    answer = ask("fetch", url=server.url)
    assert outcome(answer) == "http/redirect_refused"
    assert len(answer["hops"]) == 1


def test_a_location_cannot_add_to_the_next_request(serve, ask):
    seen: list[bytes] = []
    server = serve(redirecting({"/": "302 /x\rX-Injected: 1"}, seen))
    assert outcome(ask("fetch", url=server.url)) == "http/redirect_refused"
    assert len(seen) == 1


def test_a_location_of_bytes_beyond_ascii_is_encoded(serve, ask):
    seen: list[bytes] = []
    server = serve(redirecting({"/": "302 /\xe9"}, seen))
    assert outcome(ask("fetch", url=server.url)) == "ok"
    assert seen[1].startswith(b"GET /%E9 HTTP/1.1\r\n")


def test_loops_and_limits(serve, ask):
    counter = itertools.count()

    def endless(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(http(b"", "302 Found", f"Location: /{next(counter)}"))

    loop = ask("fetch", url=serve(redirecting({"/": "302 /a", "/a": "302 /"})).url)
    assert (outcome(loop), len(loop["hops"])) == ("http/redirect_loop", 2)
    limit = ask("fetch", url=serve(endless).url, max_redirects=3)
    assert (outcome(limit), len(limit["hops"])) == ("http/redirect_limit", 4)
    none = ask("fetch", url=serve(endless).url, max_redirects=0)
    assert (outcome(none), none["hops"][0]["http"]["status"]) == ("http/redirect_limit", 302)


def test_a_redirect_from_elsewhere_to_this_host_is_refused(serve, ask, own_address):
    inner = serve(answering(http(b"inner")))
    for host in (
        "127.0.0.1",
        "localhost",
        "0.0.0.0",  # noqa: S104
        "2130706433",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "169.254.169.254",
        "[fe80::1]",
    ):
        outer = serve(answering(http(b"", "302 Found", f"Location: http://{host}:{inner.port}/")), address=own_address)
        assert outcome(ask("fetch", url=outer.url)) == "http/redirect_refused", host
        # Asked for another family, the address has none of it: that is not what is wrong with it.
        assert outcome(ask("fetch", url=outer.url, family="ipv4")) == "http/redirect_refused", host
    lab = serve(answering(http(b"", "302 Found", f"Location: {inner.url}")))
    assert outcome(ask("fetch", url=lab.url)) == "ok"


# --- what is refused before anything is sent


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"url": "ftp://example.org/"}, "invalid"),
        ({"url": "http:///x"}, "invalid"),
        ({"url": "http://a b/"}, "invalid"),
        ({"url": "http://a/\r\nX: y"}, "invalid"),
        ({"url": "http://user:pw@a/"}, "invalid"),
        ({"url": "http://a:b/"}, "invalid"),
        ({"url": "http://a:0/"}, "invalid"),
        ({"url": "http://-a/"}, "invalid"),
        ({"url": "http://" + "a" * 64 + "/"}, "invalid"),
        ({"url": "http://xn--\u00fc\u2024/"}, "invalid"),
        ({"url": "http://a%41/"}, "invalid"),
        ({"url": ""}, "invalid"),
        ({"url": 5}, "invalid"),
        ({}, "invalid"),
        ({"url": "http://a/", "headers": {"Host": "b"}}, "invalid"),
        ({"url": "http://a/", "headers": {"X": "a\r\nb: c"}}, "invalid"),
        ({"url": "http://a/", "headers": {"X y": "a"}}, "invalid"),
        ({"url": "http://a/", "headers": {"X": 1}}, "invalid"),
        ({"url": "http://a/", "method": "PUT"}, "invalid"),
        ({"url": "http://a/", "method": "POST"}, "invalid"),
        ({"url": "http://a/", "body": "YQ=="}, "invalid"),
        ({"url": "http://a/", "body": "*", "method": "POST"}, "invalid"),
        ({"url": "http://a/", "timeout": 0}, "invalid"),
        ({"url": "http://a/", "timeout": True}, "invalid"),
        ({"url": "http://a/", "max_bytes": 1.5}, "invalid"),
        ({"url": "http://a/", "family": "ipx"}, "invalid"),
        ({"url": "http://a/", "each_address": "yes"}, "invalid"),
        ({"url": "http://a/", "proxy": "http://u:p@b/"}, "invalid"),
        ({"url": "http://a/", "proxy": "socks5://b/"}, "unsupported"),
        ({"url": "http://a/", "proxy": "http://b/", "proxy_authorization": "nokey"}, "invalid"),
        ({"url": "http://a/", "telepathy": True}, "unsupported"),
    ],
)
def test_bad_requests(ask, options, expected):
    answer = ask("fetch", **options)
    assert outcome(answer) == f"request/{expected}"
    assert answer["body"] is None
    assert not any(word in answer["error"]["message"] for word in ("pw@", "u:p"))
