# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role connector_tls: one declaration, held by a stand-in of Exchange Online and in a configuration of Postfix."""

from __future__ import annotations

import pathlib
import subprocess
import typing as t

import pytest
import yaml

from tests.conftest import require_programs
from tests.integration.playbooks import LOCALHOST, Run, run_play
from tests.lab.exchange_online.fixture import StandIn, running

pytestmark = pytest.mark.integration

PRINT = ":".join(["6B"] * 32)
VERIFIED = {"requirement": "verified", "certificate_names": ["mail.fabrikam.example"]}
FABRIKAM: dict[str, t.Any] = {
    "name": "Fabrikam",
    "domains": ["fabrikam.example", "*.fabrikam.example"],
    "inbound": {**VERIFIED, "addresses": ["203.0.113.9"], "fingerprints": [PRINT]},
    "outbound": {**VERIFIED, "exchange_online": {"comment": "CHG-1"}},
}
SERVERS: dict[str, t.Any] = {
    "name": "Our servers",
    "type": "hybrid",
    "domains": ["contoso.com"],
    "inbound": {"requirement": "verified", "certificate_names": ["mail.contoso.com"]},
    "outbound": {"requirement": "verified", "certificate_names": ["mail.contoso.com"], "smart_hosts": ["mail.contoso.com"]},
}
MAIN_CF = """\
compatibility_level = 3.6
queue_directory = {0}/queue
data_directory = {0}/data
smtpd_tls_chain_files = /etc/ssl/private/mail.pem
smtp_tls_policy_maps = texthash:{0}/etc/by-hand
"""


@pytest.fixture
def exchange() -> t.Iterator[StandIn]:
    with running() as found:
        yield found


@pytest.fixture
def postfix(tmp_path: pathlib.Path) -> pathlib.Path:
    """The configuration directory of a Postfix that has an entry made by hand, and does not run."""
    require_programs("integration postfix", "postconf", "postmap", "postfix")
    directory = tmp_path / "postfix" / "etc"
    directory.mkdir(parents=True, mode=0o755)
    for part in (tmp_path, directory.parent):
        part.chmod(0o755)
    (directory / "main.cf").write_text(MAIN_CF.format(directory.parent))
    (directory / "master.cf").write_text("smtp inet n - n - - smtpd\n")
    (directory / "by-hand").write_text("old.example encrypt\n")
    return directory


def apply(
    directory: pathlib.Path,
    partners: t.Sequence[dict[str, t.Any]],
    *,
    exchange: StandIn | None = None,
    postfix: pathlib.Path | None = None,
    arguments: t.Sequence[str] = (),
    more_environment: dict[str, str] | None = None,
    **variables: t.Any,
) -> Run:
    """Run the role on this machine, and keep what it registered."""
    role = {"name": "Role", "ansible.builtin.include_role": {"name": "mailops.tls.connector_tls"}}
    chosen: dict[str, t.Any] = {"connector_tls_partners": list(partners), **variables}
    if exchange:
        chosen |= {f"connector_tls_{name}": value for name, value in exchange.options.items()}
        chosen["connector_tls_exchange_online"] = True
    if postfix:
        chosen |= {"connector_tls_postfix": True, "connector_tls_postfix_config_directory": str(postfix)}
    (directory / "variables.yml").write_text(yaml.safe_dump(chosen))
    arguments = ["-e", f"@{directory / 'variables.yml'}", *arguments]
    return run_play(directory, [role], arguments=arguments, more_environment=more_environment)


def changed(run: Run) -> int:
    return int(run.output.rpartition("changed=")[2].split()[0])


def postconf(directory: pathlib.Path, name: str) -> str:
    done = subprocess.run(["postconf", "-c", str(directory), "-h", name], check=True, capture_output=True, text=True)
    return done.stdout.strip()


def policy(directory: pathlib.Path, destination: str) -> str:
    """What Postfix itself finds for a destination, in the order of its tables."""
    for table in postconf(directory, "smtp_tls_policy_maps").replace(",", " ").split():
        command = ["postmap", "-c", str(directory), "-q", destination, table]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        if done.returncode == 0:
            return done.stdout.strip()
    return ""


def by_name(exchange: StandIn, kind: str) -> dict[str, dict[str, t.Any]]:
    return {found["Name"]: found for found in exchange.connectors()[kind]}


def test_one_declaration_is_held_on_both_sides(tmp_path: pathlib.Path, exchange: StandIn, postfix: pathlib.Path) -> None:
    predicted = apply(tmp_path, [FABRIKAM, SERVERS], exchange=exchange, postfix=postfix, arguments=["--check", "--diff"])
    assert predicted.code == 0, predicted.output
    assert exchange.writes() == [] and policy(postfix, "fabrikam.example") == ""

    done = apply(tmp_path, [FABRIKAM, SERVERS], exchange=exchange, postfix=postfix, arguments=["-vvv", "--diff"])
    assert done.code == 0, done.output
    assert exchange.options["client_secret"] not in done.output
    assert changed(done) == changed(predicted) == 3  # both loops, and Postfix

    inbound, outbound = by_name(exchange, "InboundConnector"), by_name(exchange, "OutboundConnector")
    assert sorted(inbound) == ["Fabrikam inbound", "Our servers inbound"]
    assert sorted(outbound) == ["Fabrikam outbound", "Our servers outbound"]
    fabrikam = inbound["Fabrikam inbound"]
    assert (fabrikam["RequireTls"], fabrikam["RestrictDomainsToCertificate"]) == (True, True)
    assert fabrikam["TlsSenderCertificateName"] == "mail.fabrikam.example"
    assert fabrikam["SenderIPAddresses"] == ["203.0.113.9"]
    assert (outbound["Fabrikam outbound"]["TlsSettings"], outbound["Fabrikam outbound"]["Comment"]) == (
        "DomainValidation",
        "CHG-1",
    )
    servers = inbound["Our servers inbound"]
    assert (servers["ConnectorType"], servers["CloudServicesMailEnabled"]) == ("OnPremises", True)

    assert policy(postfix, "fabrikam.example") == "secure match=mail.fabrikam.example"
    assert policy(postfix, ".fabrikam.example") == "secure match=mail.fabrikam.example"
    assert policy(postfix, "old.example") == "encrypt"
    assert policy(postfix, "contoso.com") == ""
    assert "Connectors have changed" in done.output

    exchange.clear_log()
    again = apply(tmp_path, [FABRIKAM, SERVERS], exchange=exchange, postfix=postfix)
    assert (again.code, changed(again), exchange.writes()) == (0, 0, []), again.output


def test_a_weaker_requirement_clears_what_the_stronger_one_set_and_absent_the_rest(
    tmp_path: pathlib.Path, exchange: StandIn, postfix: pathlib.Path
) -> None:
    first = apply(tmp_path, [FABRIKAM], exchange=exchange, postfix=postfix)
    assert first.code == 0, first.output
    weaker = {**FABRIKAM, "inbound": {"requirement": "opportunistic"}, "outbound": {"requirement": "opportunistic"}}
    done = apply(tmp_path, [weaker], exchange=exchange, postfix=postfix)
    assert done.code == 0, done.output
    inbound = by_name(exchange, "InboundConnector")["Fabrikam inbound"]
    outbound = by_name(exchange, "OutboundConnector")["Fabrikam outbound"]
    assert (inbound["RequireTls"], inbound["TlsSenderCertificateName"], inbound["SenderIPAddresses"]) == (False, None, [])
    assert (outbound["TlsSettings"], outbound["TlsDomain"]) == (None, None)
    assert policy(postfix, "fabrikam.example") == "may"

    gone = {key: FABRIKAM[key] for key in ("name", "domains", "inbound")} | {"state": "absent"}
    removed = apply(tmp_path, [gone], exchange=exchange, postfix=postfix)
    assert removed.code == 0, removed.output
    assert exchange.connectors() == {"InboundConnector": [], "OutboundConnector": []}
    assert policy(postfix, "fabrikam.example") == ""
    assert policy(postfix, "old.example") == "encrypt"


def test_what_would_not_protect_stops_before_anything_is_touched(
    tmp_path: pathlib.Path, exchange: StandIn, postfix: pathlib.Path
) -> None:
    one_way = {key: value for key, value in FABRIKAM.items() if key != "outbound"}
    before = {path.name: path.read_bytes() for path in postfix.iterdir()}
    run = apply(tmp_path, [one_way], exchange=exchange, postfix=postfix)
    assert run.code == 2
    assert "connector.one_direction" in run.output
    assert exchange.writes() == []
    assert {path.name: path.read_bytes() for path in postfix.iterdir()} == before

    waiver = {"id": "connector.one_direction", "until": "2999-12-31", "reason": "They only send"}
    waived = apply(tmp_path, [one_way], exchange=exchange, postfix=postfix, connector_tls_waivers=[waiver])
    assert waived.code == 0, waived.output
    assert sorted(by_name(exchange, "InboundConnector")) == ["Fabrikam inbound"]


@pytest.mark.parametrize(
    ("direction", "more", "said"),
    [
        ("outbound", {"exchange_online": {"smtp_dane_mode": "Mandotory"}}, "(Wrong): outbound.exchange_online: smtp_dane_mode"),
        ("outbound", {"postfix": {"protocols": ["TLS9"]}}, "'TLS9' is no protocol"),
        ("inbound", {"exchange_online": {"trusted_organizations": ["x"]}}, "connector.combination_refused"),
    ],
)
def test_what_a_module_would_refuse_stops_before_anything_is_touched(
    tmp_path: pathlib.Path, exchange: StandIn, postfix: pathlib.Path, direction: str, more: dict[str, t.Any], said: str
) -> None:
    """Not after the partners before it, or the other side, have changed."""
    before = {path.name: path.read_bytes() for path in postfix.iterdir()}
    wrong = {**FABRIKAM, "name": "Wrong", "domains": ["wrong.example"]}
    wrong["inbound"] = {**wrong["inbound"], "addresses": ["203.0.113.10"]}
    wrong[direction] = {**wrong[direction], **more}
    run = apply(tmp_path, [FABRIKAM, wrong], exchange=exchange, postfix=postfix)
    assert run.code == 2
    assert said in run.output, run.output
    assert exchange.writes() == []
    assert {path.name: path.read_bytes() for path in postfix.iterdir()} == before


def test_words_that_native_types_of_jinja_would_change(tmp_path: pathlib.Path, exchange: StandIn) -> None:
    """ansible-core before 2.19 makes null of None, and numbers of names, where a template has native types."""
    words = {"mta_sts_mode": "None", "smtp_dane_mode": "None", "comment": "0x10"}
    partner = {**FABRIKAM, "name": "1e3", "apply_to": ["exchange_online"]}
    partner["outbound"] = {**VERIFIED, "connector": "10_0", "exchange_online": words}
    run = apply(tmp_path, [partner], exchange=exchange, more_environment={"ANSIBLE_JINJA2_NATIVE": "1"})
    assert run.code == 0, run.output
    assert sorted(by_name(exchange, "InboundConnector")) == ["1e3 inbound"]
    found = by_name(exchange, "OutboundConnector")["10_0"]
    assert (found["MtaStsMode"], found["SmtpDaneMode"], found["Comment"]) == ("None", "None", "0x10")


def test_what_the_tenant_has_is_looked_at(tmp_path: pathlib.Path, exchange: StandIn) -> None:
    """Its accepted domains, and a connector made by hand for the partner's domain."""
    exchange.load(OutboundConnector=[{"Name": "By hand", "RecipientDomains": ["fabrikam.example"]}])
    foreign = {**SERVERS, "inbound": {"requirement": "verified", "certificate_names": ["mail.gateway.example"]}}
    run = apply(tmp_path, [FABRIKAM, foreign], exchange=exchange)
    assert run.code == 2
    assert "connector.certificate_domain_not_accepted" in run.output
    assert "connector.overlap" in run.output
    assert exchange.writes() == []


def test_an_exported_tenant_applies_without_a_change(tmp_path: pathlib.Path, exchange: StandIn) -> None:
    """What exo_connector_info exports is what the role takes."""
    exchange.load(
        InboundConnector=[
            {"Name": "Inbound from 7f", "ConnectorType": "OnPremises", "CloudServicesMailEnabled": True, "RequireTls": True}
            | {"SenderDomains": ["*"], "TlsSenderCertificateName": "*.contoso.com", "ConnectorSource": "HybridWizard"},
            {
                "Name": "Fabrikam",
                "SenderDomains": ["fabrikam.example;10"],
                "RequireTls": True,
                "SenderIPAddresses": ["203.0.113.0/28"],
            },
            {
                "Name": "Name without TLS",
                "SenderDomains": ["b.example"],
                "RequireTls": False,
                "TlsSenderCertificateName": "b.example",
            },
        ],
        OutboundConnector=[
            {"Name": "Outbound to 7f", "ConnectorType": "OnPremises", "CloudServicesMailEnabled": True, "UseMXRecord": False}
            | {"SmartHosts": ["198.51.100.4"], "TlsSettings": "DomainValidation", "TlsDomain": "mail.contoso.com"}
            | {"RecipientDomains": ["contoso.com"], "RouteAllMessagesViaOnPremises": True},
            {"Name": "Try", "TestMode": True, "RecipientDomains": ["*.fabrikam.example"], "SmtpDaneMode": "None"},
            {"Name": "By rule", "IsTransportRuleScoped": True, "TlsSettings": "EncryptionOnly", "TlsDomain": "left.example"},
        ],
    )
    info = {"name": "Info", "mailops.tls.exo_connector_info": exchange.options, "register": "info", "no_log": False}
    exported = run_play(tmp_path, [info])
    assert exported.code == 0, exported.output
    declarations = exported["info"]["declarations"]
    assert len(declarations) == 6
    done = apply(tmp_path, declarations, exchange=exchange, connector_tls_fail_on=["never"])
    assert (done.code, changed(done), exchange.writes()) == (0, 0, []), done.output


def test_a_declaration_that_cannot_be_read_names_its_place(tmp_path: pathlib.Path) -> None:
    wrong = {**FABRIKAM, "outbound": {"requirement": "verified", "certificate_names": ["*"]}}
    run = apply(tmp_path, [FABRIKAM, {**wrong, "name": "Wrong"}])
    assert run.code == 2
    assert "partners[1] (Wrong): outbound.certificate_names[0]: must be a name" in run.output
    assert "Traceback" not in run.output


def test_every_host_of_postfix_gets_it_and_no_other(tmp_path: pathlib.Path, postfix: pathlib.Path) -> None:
    """The declarations are read once, and only hosts that Postfix runs on are touched."""
    role = {"name": "Role", "ansible.builtin.include_role": {"name": "mailops.tls.connector_tls"}}
    variables = {
        "connector_tls_partners": [FABRIKAM],
        "connector_tls_postfix": True,
        "connector_tls_postfix_hosts": ["mx1"],
        "connector_tls_postfix_config_directory": str(postfix),
    }
    hosts = {"controller": LOCALHOST["localhost"], "mx1": LOCALHOST["localhost"]}
    run = run_play(tmp_path, [role], hosts=hosts, variables=variables)
    assert run.code == 0, run.output
    recap = {line.split()[0]: "changed=1" in line for line in run.output.splitlines() if "unreachable=" in line}
    assert recap == {"controller": False, "mx1": True}
