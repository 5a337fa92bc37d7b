# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tokens, by msal from the stand-in's token endpoint: secret, certificate, refusals, faults, expiry."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.mailops.tls.plugins.plugin_utils._exo import tokens
from ansible_collections.mailops.tls.plugins.plugin_utils._exo.client import AuthenticationError, Client

from tests.lab.exchange_online.certificates import self_signed
from tests.lab.exchange_online.fixture import StandIn
from tests.lab.pki import Issued

MakeClient = t.Callable[..., Client]


def read(client: Client) -> None:
    client.invoke("Get-AcceptedDomain", {})


def test_a_certificate(new_client: MakeClient, exchange: StandIn, app_certificate: Issued) -> None:
    issued = exchange.tokens
    client = new_client(client_secret=None, client_certificate=app_certificate.pem, client_key=app_certificate.key_pem)
    read(client)
    read(client)
    assert exchange.tokens == issued + 1


def test_another_certificate(new_client: MakeClient) -> None:
    stranger = self_signed("stranger")
    with pytest.raises(AuthenticationError, match="AADSTS700027"):
        read(new_client(client_secret=None, client_certificate=stranger.pem, client_key=stranger.key_pem))


def test_a_key_that_does_not_belong_to_the_certificate(new_client: MakeClient, app_certificate: Issued) -> None:
    stranger = self_signed("stranger")
    with pytest.raises(AuthenticationError, match="AADSTS50027") as caught:
        read(new_client(client_secret=None, client_certificate=app_certificate.pem, client_key=stranger.key_pem))
    assert "PRIVATE" not in str(caught.value)


def test_a_key_that_is_none(new_client: MakeClient, app_certificate: Issued) -> None:
    broken = "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n"
    with pytest.raises(AuthenticationError, match="No token") as caught:
        read(new_client(client_secret=None, client_certificate=app_certificate.pem, client_key=broken))
    assert "c2VjcmV0" not in str(caught.value)


@pytest.mark.parametrize(("option", "code"), [("client_secret", "AADSTS7000215"), ("client_id", "AADSTS700016")])
def test_refused(new_client: MakeClient, option: str, code: str) -> None:
    with pytest.raises(AuthenticationError, match=code) as caught:
        read(new_client(**{option: "hush-hush"}))
    assert caught.value.code == "invalid_client"
    assert option != "client_secret" or "hush-hush" not in str(caught.value)


def test_the_token_endpoint_recovers(exchange: StandIn, client: Client) -> None:
    exchange.set(token_failures=3)
    read(client)
    assert client.calls.tokens == 4


def test_the_token_endpoint_does_not_recover(exchange: StandIn, client: Client, waits: list[float]) -> None:
    exchange.set(token_failures=1000)
    with pytest.raises(AuthenticationError, match="No token"):
        read(client)
    assert sum(waits) < 300


def test_nobody_issues_tokens(new_client: MakeClient) -> None:
    with pytest.raises(AuthenticationError, match=r"127\.0\.0\.1:1 cannot be reached"):
        read(new_client(token_endpoint="https://127.0.0.1:1/token"))  # noqa: S106 - a URL


def test_a_token_is_renewed_before_it_expires(exchange: StandIn, client: Client) -> None:
    exchange.set(token_lifetime=60)
    read(client)
    read(client)
    assert client.calls.tokens == 2
    assert not [entry for entry in exchange.log() if entry["status"] == 401]


def test_without_msal(new_client: MakeClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "HAS_MSAL", False)
    with pytest.raises(AuthenticationError, match=r"install it for .*python"):
        read(new_client())
