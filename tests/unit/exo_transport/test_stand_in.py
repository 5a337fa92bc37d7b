# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The stand-in itself: that each switch does what its table says, and that the documented constraints hold."""

from __future__ import annotations

import dataclasses
import pathlib
import re
import signal
import subprocess
import sys
import time
import typing as t

import pytest
import requests
from ansible_collections.mailops.tls.plugins.plugin_utils._exo.client import ApiError, Client, NotFound
from ansible_collections.mailops.tls.plugins.plugin_utils._exo.options import CONNECTION_OPTIONS

from tests.lab.exchange_online import quirks
from tests.lab.exchange_online.fixture import StandIn

ROOT = pathlib.Path(__file__).parents[3]
INBOUND = {"Name": "In", "SenderDomains": ["partner.example"]}
OUTBOUND = {"Name": "Out", "RecipientDomains": ["partner.example"]}


def read(client: Client, cmdlet: str, **parameters: object) -> list[dict[str, t.Any]]:
    return client.invoke(cmdlet, parameters)


def test_every_quirk_is_in_the_tables() -> None:
    documented = re.findall(r"^\| `(\w+)` \|", quirks.__doc__ or "", re.MULTILINE)
    assert documented == [field.name for field in dataclasses.fields(quirks.Quirks)]
    with pytest.raises(ValueError, match="no such quirk: nonsense"):
        quirks.Quirks().update({"nonsense": 1})


def test_how_connectors_read_back(exchange: StandIn, client: Client) -> None:
    exchange.load(
        InboundConnector=[INBOUND], OutboundConnector=[{**OUTBOUND, "UseMXRecord": False, "SmartHosts": ["192.0.2.1", "mx.x"]}]
    )
    [inbound] = read(client, "Get-InboundConnector")
    [outbound] = read(client, "Get-OutboundConnector")
    assert (inbound["SenderDomains"], inbound["ConnectorSource"]) == (["smtp:partner.example;1"], "AdminUI")
    assert (outbound["SmartHosts"], outbound["RecipientDomains"]) == (["[192.0.2.1]", "[mx.x]"], ["partner.example"])
    exchange.set(smtp_domains=False, admin_ui=False, bracketed_smart_hosts=False)
    [inbound] = read(client, "Get-InboundConnector")
    assert (inbound["SenderDomains"], inbound["ConnectorSource"]) == (["partner.example"], "Default")
    assert read(client, "Get-OutboundConnector")[0]["SmartHosts"] == ["192.0.2.1", "mx.x"]


def test_identity(exchange: StandIn, client: Client) -> None:
    exchange.load(InboundConnector=[INBOUND, {**INBOUND, "Name": "Other"}])
    [by_name] = read(client, "Get-InboundConnector", Identity="in")
    assert read(client, "Get-InboundConnector", Identity=by_name["Guid"]) == [by_name]
    assert len(read(client, "Get-InboundConnector", Identity="nobody")) == 2
    exchange.set(wrong_identity_returns_all=False)
    with pytest.raises(NotFound):
        read(client, "Get-InboundConnector", Identity="nobody")


def test_hidden_outbound_connectors(exchange: StandIn, client: Client) -> None:
    for test, scoped in ((False, False), (True, False), (False, True), (True, True)):
        exchange.load(
            OutboundConnector=[{**OUTBOUND, "Name": f"{test} {scoped}", "TestMode": test, "IsTransportRuleScoped": scoped}]
        )
    found = {}
    for test in (False, True):
        for scoped in (False, True):
            options = {"IncludeTestModeConnectors": test, "IsTransportRuleScoped": scoped}
            found[f"{test} {scoped}"] = [item["Name"] for item in read(client, "Get-OutboundConnector", **options)]
    assert found == {name: [name] for name in found}
    exchange.set(hidden_outbound=False)
    assert len(read(client, "Get-OutboundConnector")) == 4


def test_without_a_preferred_page_size_there_is_one_row(exchange: StandIn) -> None:
    exchange.load(InboundConnector=[{**INBOUND, "Name": str(number)} for number in range(3)])
    content = raw(exchange, {"CmdletName": "Get-InboundConnector", "Parameters": {}})
    assert [item["Name"] for item in content["value"]] == ["0"]
    assert content["@adminapi.warnings"] == ["There are more results available."]
    assert "skiptoken" in content["@odata.nextLink"]
    assert content["value"][0]["Guid@odata.type"] == "#Guid"
    exchange.set(one_row_pages=False)
    assert len(raw(exchange, {"CmdletName": "Get-InboundConnector", "Parameters": {}})["value"]) == 3


def raw(exchange: StandIn, command: object) -> dict[str, t.Any]:
    """What the service says to a client that knows nothing of it."""
    form = {"grant_type": "client_credentials", "scope": "x/.default"}
    form |= {"client_id": exchange.client_id, "client_secret": exchange.client_secret}
    token = requests.post(exchange.token_endpoint, data=form, verify=exchange.ca_path, timeout=10).json()["access_token"]
    url = f"{exchange.endpoint}/adminapi/beta/{exchange.tenant_id}/InvokeCommand"
    headers = {"Authorization": f"Bearer {token}"}
    answer = requests.post(url, json={"CmdletInput": command}, headers=headers, verify=exchange.ca_path, timeout=10)
    return t.cast("dict[str, t.Any]", answer.json())


def test_replication(exchange: StandIn, client: Client) -> None:
    exchange.set(replication_reads=2)
    client.invoke("New-InboundConnector", INBOUND, writes=True)
    assert read(client, "Get-InboundConnector") == []
    with pytest.raises(NotFound):
        client.invoke("Set-InboundConnector", {"Identity": "In", "Comment": "x"}, writes=True)
    assert len(read(client, "Get-InboundConnector")) == 1
    exchange.set(replication_reads=0, replication_seconds=0.3)
    client.invoke("New-InboundConnector", {**INBOUND, "Name": "Later"}, writes=True)
    with pytest.raises(NotFound):
        read(client, "Get-InboundConnector", Identity="Later")
    time.sleep(0.35)
    assert len(read(client, "Get-InboundConnector")) == 2


@pytest.mark.parametrize(
    ("cmdlet", "parameters", "message"),
    [
        ("New-InboundConnector", {"SenderDomains": ["x.example"]}, "missing mandatory parameters: Name"),
        ("New-InboundConnector", {"Name": "x"}, "missing mandatory parameters: SenderDomains"),
        ("New-InboundConnector", {**INBOUND, "Name": "In"}, "already exists"),
        ("New-InboundConnector", {**INBOUND, "Name": "x", "SenderDomains": ["a.*.example"]}, "SenderDomains"),
        ("New-InboundConnector", {**INBOUND, "Name": "x", "SenderIPAddresses": ["192.0.2.0/23"]}, "SenderIPAddresses"),
        ("New-InboundConnector", {**INBOUND, "Name": "x", "SenderIPAddresses": ["2001:db8::1"]}, "SenderIPAddresses"),
        ("New-InboundConnector", {**INBOUND, "Name": "x", "EFSkipIPs": ["192.0.2.1-x"]}, "EFSkipIPs"),
        ("New-InboundConnector", {**INBOUND, "Name": "x", "RequireTls": "yes"}, "RequireTls"),
        ("New-InboundConnector", {**INBOUND, "Name": "x", "ConnectorType": "Friend"}, "ConnectorType"),
        ("New-InboundConnector", {**INBOUND, "Name": "x", "TreatMessagesAsInternal": True}, "ConnectorType OnPremises"),
        ("Set-InboundConnector", {"Identity": "In", "TlsSettings": "EncryptionOnly"}, "parameter name 'TlsSettings'"),
        ("Set-InboundConnector", {"Identity": "In", "SenderDomains": []}, "SenderDomains must not be empty"),
        ("Get-InboundConnector", {"IsTransportRuleScoped": True}, "parameter name 'IsTransportRuleScoped'"),
        ("New-OutboundConnector", {"Name": "x" * 65}, "1 to 64"),
        ("New-OutboundConnector", {"Name": "x", "UseMXRecord": False}, "SmartHosts must be specified"),
        ("Set-OutboundConnector", {"Identity": "Out", "UseMXRecord": False}, "SmartHosts must be specified"),
        ("New-OutboundConnector", {"Name": "x", "TlsSettings": "DomainValidation"}, "TlsDomain must be specified"),
        ("New-OutboundConnector", {"Name": "x", "ValidationRecipients": ["a@b.example"]}, "ValidationRecipients"),
        ("New-OutboundConnector", {"Name": "x", "AllAcceptedDomains": True}, "ConnectorType OnPremises"),
        ("New-OutboundConnector", {"Name": "x", "RouteAllMessagesViaOnPremises": True}, "ConnectorType OnPremises"),
        ("New-OutboundConnector", {"Name": "x", "SmtpDaneMode": "Always"}, "SmtpDaneMode"),
    ],
)
def test_what_the_cmdlets_refuse(
    exchange: StandIn, client: Client, cmdlet: str, parameters: dict[str, object], message: str
) -> None:
    exchange.load(InboundConnector=[INBOUND], OutboundConnector=[OUTBOUND])
    before = exchange.connectors()
    with pytest.raises(ApiError, match=message):
        client.invoke(cmdlet, parameters, writes=not cmdlet.startswith("Get-"))
    assert exchange.connectors() == before
    assert exchange.writes() == []


def test_a_question_before_each_write(exchange: StandIn, client: Client) -> None:
    """Confirm: true is a dry run."""
    exchange.load(InboundConnector=[INBOUND])
    for cmdlet, parameters in (
        ("New-InboundConnector", {**INBOUND, "Name": "x"}),
        ("Set-InboundConnector", {"Identity": "In", "Comment": "x"}),
        ("Remove-InboundConnector", {"Identity": "In"}),
    ):
        with pytest.raises(ApiError, match="Confirm: false"):
            client.invoke(cmdlet, {**parameters, "Confirm": True}, writes=True)
    assert exchange.writes() == []


def test_from_the_command_line(tmp_path: pathlib.Path) -> None:
    """What the documentation tells a newcomer to do."""
    code = "import os; print({name: value for name, value in os.environ.items() if name.startswith('MAILOPS_TLS_')})"
    command = [sys.executable, "-m", "tests.lab.exchange_online", "--directory", str(tmp_path / "x"), "--quirk", "page_size=2"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout
        printed = [server.stdout.readline() for _line in range(7)]
        file = tmp_path / "x" / "environment"
        assert printed[1:] == file.read_text().splitlines(keepends=True)
        assert file.stat().st_mode & 0o077 == 0
        shell = f'. {file}; exec {sys.executable} -c "{code}"'
        shown = subprocess.run(["sh", "-c", shell], capture_output=True, text=True, check=True).stdout
        named = set(re.findall(r"'(MAILOPS_TLS_\w+)'", shown))
        server.send_signal(signal.SIGTERM)
        assert server.wait(10) == 0
    known = {name for option in CONNECTION_OPTIONS.values() for name in option.get("fallback", (None, []))[1]}
    assert len(named) == 6
    assert named <= known
