# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From what hosts observe to a change request, with issuers fetched on the way and Microsoft's list beside it."""

from __future__ import annotations

import contextlib
import csv
import datetime as dt
import json
import pathlib
import typing as t

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from tests.integration.playbooks import LOCALHOST, Run, run_play
from tests.unit.judge.pki import DAY, make_root
from tests.unit.probe.servers import Server, answering, closed_port, http

pytestmark = pytest.mark.integration

NOW = dt.datetime.now(dt.timezone.utc)
LOCAL = LOCALHOST["localhost"]
HOSTS = {
    "localhost": LOCAL,
    "mx2": LOCAL,
    "without-python": {**LOCAL, "ansible_python_interpreter": "/nonexistent/python3"},
}


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[tuple[Run, pathlib.Path, dict[str, t.Any]]]:
    """A leaf whose CA, and that CA's CRL, are only found by following it; the CRL of the leaf itself is blocked."""
    directory = tmp_path_factory.mktemp("fleet")
    validity = {"not_before": NOW - DAY, "not_after": NOW + 30 * DAY}
    with contextlib.ExitStack() as stack:

        def serve(raw: bytes) -> Server:
            server = Server(answering(raw))
            stack.callback(server.close)
            return server

        root = make_root(**validity)
        crl = serve(http(root.crl(this_update=NOW - DAY, next_update=NOW + DAY)))
        # Issued upwards: each server hands out the certificate above.
        root_server = serve(http(root.certificate.public_bytes(Encoding.DER)))
        upper = root.issue(
            "Upper CA", ca=True, urls={"crl": [f"{crl.url}root.crl"], "ca_issuers": [f"{root_server.url}r.crt"]}, **validity
        )
        upper_server = serve(http(upper.certificate.public_bytes(Encoding.DER)))
        lower = upper.issue("Lower CA", ca=True, urls={"ca_issuers": [f"{upper_server.url}u.crt"]}, **validity)
        lower_server = serve(http(lower.pem.encode()))
        refused = f"http://127.0.0.1:{closed_port()}/lower.crl"
        leaf = lower.issue("mail.lab.test", urls={"crl": [refused], "ca_issuers": [f"{lower_server.url}l.crt"]}, **validity)
        listed = [
            {"id": 10, "urls": ["*.lab.test"], "tcpPorts": "25"},
            {"id": 125, "urls": ["crl.lab.invalid", "*.ca.invalid"], "tcpPorts": "80"},
        ]
        (directory / "files").mkdir()
        (directory / "files" / "list.json").write_text(json.dumps(listed))
        profile = {
            "id": "lab",
            "title": "A lab generation",
            "as_of": NOW.date().isoformat(),
            "sources": ["tests"],
            "certificate": {"common_name": "mail.lab.test"},
            "endpoints": [{"url": f"{crl.url}root.crl", "kind": "crl"}],
        }
        options = {
            "profiles": "{{ [profile, lookup('mailops.tls.office365_endpoints', 'list.json', as_of='2026-11-24')] }}",
            "certificate": leaf.pem,
        }
        tasks = [
            {"name": "Check", "mailops.tls.ca_egress_info": options, "register": "egress", "ignore_errors": True},
            {
                "name": "Request",
                "mailops.tls.firewall_request": {"variable": "egress", "directory": str(directory / "reports")},
                "register": "request",
                "run_once": True,  # so that every host has what was registered
            },
            {
                "name": "Role",
                "ansible.builtin.include_role": {"name": "mailops.tls.ca_egress"},
                "when": "inventory_hostname != 'without-python'",
                "vars": {
                    "ca_egress_profiles": [],
                    "ca_egress_endpoints": [refused, f"{crl.url}root.crl"],
                    "ca_egress_report_dir": str(directory / "role"),
                    "ca_egress_firewall_request": True,
                    "ca_egress_firewall_request_scope": "needed",
                },
            },
        ]
        run = run_play(directory, tasks, hosts=HOSTS, variables={"profile": profile}, arguments=["-vvv"])
        yield run, directory, {"refused": refused, "crl": crl, "root": root_server, "upper": upper_server, "lower": lower_server}


def test_the_chain_is_followed_upwards(fleet: tuple[Run, pathlib.Path, dict[str, t.Any]]) -> None:
    run, _directory, at = fleet
    endpoints = {item["url"]: item for item in run["egress"]["endpoints"] if item["url"]}
    assert {url: item["cause"] for url, item in endpoints.items()} == {
        f"{at['crl'].url}root.crl": "ok",
        at["refused"]: "tcp_refused",
        f"{at['lower'].url}l.crt": "ok",
        f"{at['upper'].url}u.crt": "ok",
        f"{at['root'].url}r.crt": "ok",
    }, run.output[-3000:]
    assert endpoints[f"{at['crl'].url}root.crl"]["crl"]["signature"] == "valid", "by a root that was fetched on the way"
    assert "Traceback" not in run.output


def test_sources_that_disagree_are_named(fleet: tuple[Run, pathlib.Path, dict[str, t.Any]]) -> None:
    run, _directory, at = fleet
    found = {(item["id"], item["subject"]["name"]) for item in run["egress"]["findings"] if ".sources." in item["id"]}
    lower, crl = (f"127.0.0.1:{at[name].port}" for name in ("lower", "crl"))
    assert ("egress.sources.wire_not_in_profile", lower) in found
    assert ("egress.sources.wire_not_in_profile", crl) not in found
    assert ("egress.sources.profile_not_in_list", crl) in found
    assert ("egress.sources.wire_not_in_list", lower) in found
    listing = next(item for item in run["egress"]["profiles"] if item["id"] == "office365-endpoints")
    assert any(note.startswith("*.ca.invalid (record 125") for note in listing["notes"])


def test_one_request_for_all_hosts(fleet: tuple[Run, pathlib.Path, dict[str, t.Any]]) -> None:
    run, directory, at = fleet
    result = run["request"]
    assert (result["changed"], result["failed"]) == (False, False)
    assert [pathlib.Path(path).name for path in result["files"]] == [
        "firewall-request.csv",
        "firewall-request.md",
        "firewall-request.nft",
    ]
    assert result["hosts"] == ["localhost", "mx2"]
    assert result["hosts_without_result"] == ["without-python"]
    (row,) = result["request"]
    port = int(at["refused"].split(":")[2].split("/")[0])
    assert (row["sources"], row["destination"], row["blocked"], row["port"]) == (
        ["localhost", "mx2"],
        "127.0.0.1",
        ["127.0.0.1"],
        port,
    )
    with (directory / "reports" / "firewall-request.csv").open(newline="") as handle:
        assert [line["sources"] for line in csv.DictReader(handle)] == ["localhost, mx2"]
    assert "`without-python`" in (directory / "reports" / "firewall-request.md").read_text()
    assert f"tcp . 127.0.0.1 . {port}" in (directory / "reports" / "firewall-request.nft").read_text()


def test_the_role_writes_what_is_needed(fleet: tuple[Run, pathlib.Path, dict[str, t.Any]]) -> None:
    run, directory, at = fleet
    with (directory / "role" / "firewall-request.csv").open(newline="") as handle:
        rows = list(csv.DictReader(handle))
    assert run.code == 0, run.output[-3000:]
    assert str(at["crl"].port) in {row["port"] for row in rows}
    assert len(rows) == 2
