# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads and writes against the stand-in: pages, normal forms, errors, and every fault before and after the write happened."""

from __future__ import annotations

import datetime as dt
import email.utils
import itertools
import typing as t

import certifi
import pytest
from ansible_collections.mailops.tls.plugins.plugin_utils._exo.client import (
    ApiError,
    AuthenticationError,
    Client,
    Denied,
    NotFound,
    connect,
)

from tests.lab.exchange_online.fixture import StandIn

NEW = {"Name": "Partner", "SenderDomains": ["partner.example"], "RequireTls": True}
COMMENT = {"Identity": "Partner", "Comment": "new"}


def names(client: Client) -> list[object]:
    return [found["Name"] for found in client.invoke("Get-InboundConnector", {"ResultSize": "Unlimited"})]


def load(exchange: StandIn, count: int = 1) -> None:
    names = ["Partner", *(f"Partner {number}" for number in range(1, count))]
    exchange.load(InboundConnector=[{**NEW, "Name": name} for name in names])


# Answers


@pytest.mark.parametrize("page_size", [0, 1, 7, 300])
def test_all_pages_in_order(exchange: StandIn, client: Client, page_size: int) -> None:
    load(exchange, 30)
    exchange.set(page_size=page_size)
    assert names(client) == [found["Name"] for found in exchange.connectors()["InboundConnector"]]
    assert client.calls.reads == (30 + (page_size or 1000) - 1) // (page_size or 1000)
    bodies = [entry["parameters"] for entry in exchange.log() if entry.get("cmdlet")]
    assert all(body == bodies[0] for body in bodies)


def test_companions_are_stripped_at_every_depth(exchange: StandIn, client: Client) -> None:
    load(exchange)
    [found] = client.invoke("Get-InboundConnector", {})
    assert found["SenderDomains"] == ["smtp:partner.example;1"]
    assert not [key for key in found if "@" in key]


def test_no_objects_is_an_answer(client: Client) -> None:
    assert client.invoke("Get-OutboundConnector", {}) == []


def test_a_listing_that_is_cut_off_is_an_error(exchange: StandIn, client: Client) -> None:
    load(exchange, 3)
    with pytest.raises(ApiError, match="not complete") as caught:
        client.invoke("Get-InboundConnector", {"ResultSize": 2})
    assert caught.value.code == "Truncated"


def test_next_page_elsewhere_is_refused(exchange: StandIn, client: Client) -> None:
    load(exchange, 2)
    exchange.set(page_size=1, foreign_next_link=True)
    with pytest.raises(ApiError, match=r"another server.*elsewhere\.example\.net"):
        names(client)


def test_pages_without_end(exchange: StandIn, client: Client) -> None:
    load(exchange)
    exchange.set(endless_pages=True)
    with pytest.raises(ApiError, match="have no end"):
        names(client)


def test_a_write_is_never_sent_again_for_a_next_page(exchange: StandIn, client: Client) -> None:
    exchange.set(endless_pages=True)
    assert client.invoke("New-InboundConnector", NEW, writes=True)[0]["Name"] == "Partner"
    assert len(exchange.writes()) == 1


@pytest.mark.parametrize("empty_writes", [True, False])
def test_set_and_remove_answer_nothing(exchange: StandIn, client: Client, empty_writes: bool) -> None:
    load(exchange)
    exchange.set(empty_writes=empty_writes)
    assert client.invoke("Set-InboundConnector", COMMENT, writes=True) == []
    assert exchange.connectors()["InboundConnector"][0]["Comment"] == "new"
    assert client.invoke("Remove-InboundConnector", {"Identity": "Partner", "Confirm": False}, writes=True) == []
    assert exchange.connectors()["InboundConnector"] == []


def test_a_question_is_an_error_and_nothing_is_done(exchange: StandIn, client: Client) -> None:
    load(exchange)
    with pytest.raises(ApiError, match="Confirm: false") as caught:
        client.invoke("Remove-InboundConnector", {"Identity": "Partner"}, writes=True)
    assert caught.value.done == "no"
    assert names(client) == ["Partner"]


def test_the_request_is_what_the_service_expects(exchange: StandIn, client: Client) -> None:
    client.invoke("Get-InboundConnector", {})
    entry = exchange.log()[-1]
    assert entry["path"] == f"/adminapi/beta/{exchange.tenant_id}/InvokeCommand"
    assert entry["parameters"] == {}
    assert entry["anchor"] == f"APP:SystemMailbox{{bb558c35-97f1-4cb9-8ff7-d53741dc928c}}@{exchange.tenant_id}"
    assert len(entry["request_id"]) == 36


# Errors


@pytest.mark.parametrize("style", ["nested", "details", "plain"])
def test_the_cmdlets_own_words(exchange: StandIn, client: Client, style: str) -> None:
    exchange.set(errors=style)
    with pytest.raises(ApiError) as caught:
        client.invoke("New-InboundConnector", {**NEW, "Nonsense": 1}, writes=True)
    expected = "New-InboundConnector: A parameter cannot be found that matches parameter name 'Nonsense'."
    assert (caught.value.message, caught.value.status, caught.value.code) == (expected, 400, "BadRequest")
    assert caught.value.done == "no"


@pytest.mark.parametrize("nul_denial", [True, False])
def test_denied(exchange: StandIn, client: Client, nul_denial: bool) -> None:
    exchange.set(denied=["Get-"], nul_denial=nul_denial)
    with pytest.raises(Denied, match=r"Get-InboundConnector: denied.*Exchange role") as caught:
        names(client)
    assert caught.value.status == 403
    assert client.calls.reads == 1


def test_not_found(client: Client) -> None:
    with pytest.raises(NotFound, match="'Partner' couldn't be found") as caught:
        client.invoke("Set-InboundConnector", COMMENT, writes=True)
    assert caught.value.done == "no"


def test_a_404_of_something_else_is_not_about_an_object(exchange: StandIn, client: Client) -> None:
    exchange.set(stray_404=1)
    with pytest.raises(ApiError, match="is it the endpoint of this API") as caught:
        names(client)
    assert not isinstance(caught.value, NotFound)
    assert caught.value.status == 404


def test_a_token_that_is_echoed_is_not_shown(client: Client) -> None:
    token = client._tokens.get()
    with pytest.raises(ApiError, match=r"parameter 'Enabled'.*\*{8}") as caught:
        client.invoke("New-InboundConnector", {**NEW, "Enabled": token}, writes=True)
    assert token not in caught.value.message


@pytest.mark.parametrize("writes", [False, True])
def test_redirects_are_not_followed(exchange: StandIn, client: Client, writes: bool) -> None:
    load(exchange)
    exchange.set(redirect=1)
    with pytest.raises(ApiError, match="redirects") as caught:
        client.invoke("Set-InboundConnector", COMMENT, writes=writes)
    assert caught.value.done == "no"
    assert exchange.cmdlets() == ["Set-InboundConnector"]


@pytest.mark.parametrize("fault", ["garbage", "deep"])
def test_an_answer_that_is_none(exchange: StandIn, client: Client, fault: str) -> None:
    load(exchange)
    exchange.set(**{fault: 1})
    with pytest.raises(ApiError, match="not what this API answers"):
        names(client)
    exchange.set(**{fault: 1})
    with pytest.raises(ApiError) as caught:
        client.invoke("Set-InboundConnector", COMMENT, writes=True)
    assert caught.value.done == "unknown"


def test_an_answer_that_is_too_large(exchange: StandIn, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    load(exchange, 10)
    names(client)
    monkeypatch.setattr("ansible_collections.mailops.tls.plugins.plugin_utils._exo.wire.MAX_BODY_BYTES", 3000)
    with pytest.raises(ApiError, match="larger than 3000 bytes"):
        names(client)


def test_pages_that_are_too_large_together(exchange: StandIn, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    load(exchange, 10)
    exchange.set(page_size=1)
    monkeypatch.setattr("ansible_collections.mailops.tls.plugins.plugin_utils._exo.client.MAX_BYTES", 3000)
    with pytest.raises(ApiError, match="have no end"):
        names(client)
    assert 1 < client.calls.reads < 10


# Faults


@pytest.mark.parametrize("fault", ["throttle", "fail_before", "cut_before", "fail_after", "cut_after", "cut_body", "expire"])
def test_reads_survive_every_fault(exchange: StandIn, client: Client, fault: str) -> None:
    load(exchange, 5)
    exchange.set(page_size=2, **{fault: 1 if fault == "expire" else 3})
    assert len(names(client)) == 5
    assert {entry["fault"] for entry in exchange.log()} == {fault, None}


@pytest.mark.parametrize("fault", ["throttle", "expire"])
def test_writes_are_tried_again_where_nothing_was_done(exchange: StandIn, client: Client, fault: str) -> None:
    exchange.set(**{fault: 1})
    client.invoke("New-InboundConnector", NEW, writes=True)
    assert client.calls.writes == 2
    assert len(exchange.writes()) == 1


@pytest.mark.parametrize("fault", ["fail_before", "cut_before", "fail_after", "cut_after", "cut_body"])
@pytest.mark.parametrize("status", [500, 503, 504])
def test_writes_are_not_tried_again_where_nobody_knows(exchange: StandIn, client: Client, fault: str, status: int) -> None:
    exchange.set(fail_status=status, **{fault: 1})
    with pytest.raises(ApiError, match="Whether it was carried out is not known") as caught:
        client.invoke("New-InboundConnector", NEW, writes=True)
    assert caught.value.done == "unknown"
    assert client.calls.writes == 1
    assert len(names(client)) == (0 if fault.endswith("before") else 1)


def test_a_storm_ends_with_an_error_in_bounded_time(exchange: StandIn, client: Client, waits: list[float]) -> None:
    exchange.set(throttle=10_000, retry_after="20")
    with pytest.raises(ApiError, match="throttles") as caught:
        client.invoke("New-InboundConnector", NEW, writes=True)
    assert (caught.value.status, caught.value.done) == (429, "no")
    assert 200 < sum(waits) <= 300
    assert min(waits) >= 20


@pytest.mark.parametrize("fault", ["throttle", "fail_before"])
@pytest.mark.parametrize("form", ["seconds", "date"])
def test_what_retry_after_says(exchange: StandIn, client: Client, waits: list[float], fault: str, form: str) -> None:
    date = dt.datetime.now(dt.timezone.utc) + dt.timedelta(seconds=30)
    exchange.set(retry_after="30" if form == "seconds" else email.utils.format_datetime(date, usegmt=True), **{fault: 2})
    assert names(client) == []
    assert len(waits) == 2
    assert all(27 <= pause <= 32 for pause in waits)


def test_without_retry_after_pauses_grow(exchange: StandIn, client: Client, waits: list[float]) -> None:
    exchange.set(throttle=10_000, retry_after="")
    with pytest.raises(ApiError, match="throttles"):
        names(client)
    assert waits == [0.5, 1, 2, 4, 8, 16, 32]


def test_a_token_that_stays_refused(exchange: StandIn, client: Client) -> None:
    exchange.set(expire=10)
    with pytest.raises(AuthenticationError, match=r"Exchange\.ManageAsApp"):
        names(client)
    assert client.calls.tokens == 2


def test_nobody_listens(new_client: t.Callable[..., Client], waits: list[float]) -> None:
    client = new_client(endpoint="https://127.0.0.1:1")
    with pytest.raises(ApiError, match=r"127\.0\.0\.1:1 cannot be reached") as caught:
        client.invoke("New-InboundConnector", NEW, writes=True)
    assert caught.value.done == "no"
    assert len(waits) == 3


def test_a_silent_server(new_client: t.Callable[..., Client], exchange: StandIn) -> None:
    client = new_client(timeout=0.2)
    client.invoke("Get-InboundConnector", {})
    exchange.set(delay=0.5)
    with pytest.raises(ApiError, match="no answer") as caught:
        client.invoke("New-InboundConnector", NEW, writes=True)
    assert caught.value.done == "unknown"
    exchange.set(delay=0)


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", None])
def test_a_certificate_that_does_not_verify(
    new_client: t.Callable[..., Client], monkeypatch: pytest.MonkeyPatch, variable: str | None
) -> None:
    client = new_client()
    names(client)
    if variable:
        # What ca_path says must not be overruled by the environment, in either direction.
        monkeypatch.setenv(variable, "/nonexistent")
        assert names(client) == []
    stranger = new_client(ca_path=certifi.where())
    with pytest.raises(AuthenticationError, match="cannot be trusted"):
        names(stranger)


def test_a_netrc_does_not_replace_the_token(client: Client, tmp_path: t.Any, monkeypatch: pytest.MonkeyPatch) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password something\n")
    monkeypatch.setenv("NETRC", str(netrc))
    assert names(client) == []
    assert client.calls.reads == 1


# Connections


def test_one_client_for_the_same_options(exchange: StandIn) -> None:
    options = exchange.options
    assert connect(options) is connect(dict(options))
    assert connect({**options, "client_secret": "another"}) is not connect(options)


def test_no_fault_shows_a_secret(exchange: StandIn, new_client: t.Callable[..., Client]) -> None:
    faults = ["throttle", "fail_before", "cut_after", "garbage", "redirect", "expire", "cut_body"]
    for fault, writes in itertools.product(faults, [True, False]):
        exchange.reset()
        client = new_client()
        exchange.set(retry_after="", **{fault: 100})
        with pytest.raises(ApiError) as caught:
            client.invoke("New-InboundConnector", {**NEW, "Comment": exchange.client_secret}, writes=writes)
        shown = repr(caught.value) + str(caught.value) + repr(vars(client)) + repr(caught.value.__context__)
        assert exchange.client_secret not in shown
        assert "stand-in." not in shown
