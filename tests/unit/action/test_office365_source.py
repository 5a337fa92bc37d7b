# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Fetching Microsoft's list, from real servers on loopback."""

from __future__ import annotations

import contextlib
import time
import typing as t
import uuid

import pytest
from ansible_collections.mailops.tls.plugins.plugin_utils._action.office365_source import fetch, service_url
from ansible_collections.mailops.tls.plugins.plugin_utils._profiles.fields import Place
from ansible_collections.mailops.tls.plugins.plugin_utils._profiles.model import ProfileError

from tests.unit.probe.servers import Server, answering, http

AT = Place("the list")


@contextlib.contextmanager
def serving(handler: t.Any) -> t.Iterator[str]:
    server = Server(answering(handler) if isinstance(handler, bytes) else handler)
    try:
        yield server.url
    finally:
        server.close()


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)


def test_each_machine_has_one_guid():
    url = service_url("USGovDoD", None)
    assert url == service_url("USGovDoD", None)
    start, _name, rest = url.partition("?ClientRequestId=")
    assert start == "https://endpoints.office.com/endpoints/usgovdod"
    guid, _and, more = rest.partition("&")
    assert str(uuid.UUID(guid)) == guid
    assert more == "format=JSON&ServiceAreas=Common,Exchange"


def test_a_guid_of_the_users_own():
    assert "B10C5ED1-bad1".lower() in service_url("Worldwide", "B10C5ED1-bad1-445f-b386-b919946339a7")
    with pytest.raises(ProfileError, match="client_request_id: must be a GUID"):
        service_url("Worldwide", "x&y=z")


def test_content_is_returned():
    with serving(http(b"[]")) as url:
        assert fetch(url, AT, timeout=5, limit=100) == b"[]"


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (http(b"", "429 Too Many Requests"), "HTTP status 429; too many requests: wait an hour"),
        (http(b"", "500 Oops"), "HTTP status 500"),
        (http(b"x" * 101), "is larger than 100 bytes"),
        (b"nonsense\r\n\r\n", "cannot be fetched"),
        (http(b"", "302 Found", "Location: file:///etc/passwd"), "cannot be fetched"),
    ],
)
def test_what_cannot_be_used_is_refused(answer: bytes, says: str):
    with serving(answer) as url, pytest.raises(ProfileError) as error:
        fetch(url, AT, timeout=5, limit=100)
    assert str(error.value).startswith("the list: ")
    assert says in str(error.value)


def test_nothing_listens():
    with serving(http(b"")) as url:
        pass
    with pytest.raises(ProfileError, match="cannot be fetched"):
        fetch(url, AT, timeout=2, limit=100)


def test_credentials_in_the_url_are_refused_and_not_repeated():
    with pytest.raises(ProfileError) as error:
        fetch("http://user:hunter2@127.0.0.1:1/", AT, timeout=2, limit=100)
    assert "hunter2" not in str(error.value)


def test_a_server_that_drips_does_not_hold_the_run_up():
    def drip(connection: t.Any, *_more: t.Any) -> None:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        with contextlib.suppress(OSError):
            for _number in range(100):
                connection.sendall(b"x")
                time.sleep(0.1)

    began = time.monotonic()
    with serving(drip) as url, pytest.raises(ProfileError, match=r"did not arrive within 0\.5 seconds"):
        fetch(url, AT, timeout=0.5, limit=10_000)
    assert time.monotonic() - began < 5
