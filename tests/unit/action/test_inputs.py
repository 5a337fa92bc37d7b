# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How users name proxies and servers."""

from __future__ import annotations

import base64

import pytest
from ansible_collections.mailops.tls.plugins.plugin_utils._action.proxy import parse_proxy
from ansible_collections.mailops.tls.plugins.plugin_utils._action.section_served_chain import Server, parse_server


def basic(pair: str) -> str:
    return "Basic " + base64.b64encode(pair.encode()).decode()


@pytest.mark.parametrize(
    ("proxy", "username", "password", "shown", "authorization"),
    [
        ("environment", None, None, "environment", None),
        ("none", None, None, "none", None),
        ("http://proxy.example:8080", None, None, "http://proxy.example:8080", None),
        ("proxy.example", None, None, "http://proxy.example:3128", None),
        ("http://proxy.example/", None, None, "http://proxy.example:3128", None),
        ("http://[2001:db8::1]:8080", None, None, "http://[2001:db8::1]:8080", None),
        ("http://us%40er:p%3Ass@proxy.example:1", None, None, "http://proxy.example:1", basic("us@er:p:ss")),
        ("http://a:b@proxy.example:1", "user", "word", "http://proxy.example:1", basic("user:word")),
        ("http://proxy.example:1", "user", None, "http://proxy.example:1", basic("user:")),
        ("http://proxy.example:1", "jürgen", "straße", "http://proxy.example:1", basic("jürgen:straße")),
    ],
)
def test_a_proxy_is_split_from_its_credentials(
    proxy: str, username: str | None, password: str | None, shown: str, authorization: str | None
) -> None:
    choice = parse_proxy(proxy, username, password)
    assert (choice.proxy, choice.authorization) == (shown, authorization)


@pytest.mark.parametrize(
    ("proxy", "username", "password"),
    [
        ("environment", "user", "sesame"),
        ("none", None, "sesame"),
        ("https://user:sesame@proxy.example", None, None),
        ("socks5://user:sesame@proxy.example", None, None),
        ("http://user:sesame@proxy.example:port", None, None),
        ("http://user:sesame@proxy.example/path", None, None),
        ("http://user:sesame@", None, None),
        ("http://[::1:sesame", None, None),
        ("http://proxy.example", None, "sesame"),
        ("http://proxy.example", "us:er", "sesame"),
    ],
)
def test_a_bad_proxy_is_refused_without_repeating_the_password(proxy: str, username: str | None, password: str | None) -> None:
    with pytest.raises(ValueError, match=r"^proxy") as caught:
        parse_proxy(proxy, username, password)
    assert "sesame" not in str(caught.value)


def test_credentials_do_not_appear_in_the_representation() -> None:
    assert "Basic" not in repr(parse_proxy("http://user:sesame@proxy.example", None, None))


@pytest.mark.parametrize(
    ("raw", "starttls", "expected"),
    [
        ("mx.example:25", "auto", Server("mx.example", 25, "smtp")),
        ("mx.example", "auto", Server("mx.example", 25, "smtp")),
        ("mx.example:587", "auto", Server("mx.example", 587, "smtp")),
        ("mx.example:443", "auto", Server("mx.example", 443, None)),
        ("mx.example:25", "none", Server("mx.example", 25, None)),
        ("mx.example:2525", "smtp", Server("mx.example", 2525, "smtp")),
        ("[2001:db8::1]:25", "auto", Server("2001:db8::1", 25, "smtp")),
        ("[2001:db8::1]", "auto", Server("2001:db8::1", 25, "smtp")),
    ],
)
def test_a_server_is_read(raw: str, starttls: str, expected: Server) -> None:
    assert parse_server(raw, starttls) == expected


@pytest.mark.parametrize(
    "raw", ["", ":25", "mx.example:", "mx.example:x", "mx.example:0", "mx.example:70000", "2001:db8::1", "[]:25"]
)
def test_a_bad_server_is_refused(raw: str) -> None:
    with pytest.raises(ValueError, match=r"^server: must be host:port"):
        parse_server(raw, "auto")
