# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""connector_certificate_info, run by Ansible on files of this machine and on a port."""

from __future__ import annotations

import datetime as dt
import pathlib
import subprocess
import typing as t

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from tests.integration.playbooks import run_play
from tests.unit.judge.pki import DAY, Authority, make_root, pem
from tests.unit.probe.servers import Authority as ServerAuthority
from tests.unit.probe.servers import Server, answering

pytestmark = pytest.mark.integration

NOW = dt.datetime.now(dt.timezone.utc)
ROOT = make_root(not_before=NOW - DAY, not_after=NOW + 900 * DAY)
LEAF = ROOT.issue(
    "mail.example.com",
    not_before=NOW - DAY,
    not_after=NOW + 100 * DAY,
    extensions=[(x509.SubjectAlternativeName([x509.DNSName("mail.example.com")]), False)],
)
OTHER = ROOT.issue("other.example.com", not_before=NOW - DAY, not_after=NOW + 100 * DAY)


def key_pem(authority: Authority) -> str:
    return t.cast(
        "str",
        authority.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ).decode(),
    )


@pytest.fixture
def files(tmp_path: pathlib.Path) -> pathlib.Path:
    directory = tmp_path / "postfix"
    directory.mkdir()
    (directory / "chain.pem").write_text(key_pem(LEAF) + pem(LEAF.certificate) + ROOT.pem)
    (directory / "chain.pem").chmod(0o600)
    (directory / "wrong.key").write_text(key_pem(OTHER))
    (directory / "wrong.key").chmod(0o644)
    (directory / "main.cf").write_text(
        "smtp_tls_chain_files = $config_directory/chain.pem\n"
        "smtpd_tls_cert_file = $config_directory/chain.pem\nsmtpd_tls_key_file = $config_directory/wrong.key\n"
    )
    return directory


def by_source(found: dict[str, t.Any]) -> set[tuple[str, str, str]]:
    return {
        (finding["id"].removeprefix("certificate."), finding["status"], finding["evidence"]["used_by"][0])
        for finding in found["findings"]
    }


def test_what_postfix_presents(tmp_path: pathlib.Path, files: pathlib.Path) -> None:
    options = {
        "main_cf": str(files / "main.cf"),
        "flow": "partner",
        "tls_sender_certificate_name": "*.example.com",
        "accepted_domains": ["example.com"],
        "tls_certificate_name": "<I>CN=Lab Root, O=Lab<S>CN=mail.example.com, O=Lab",
    }
    one = {"mailops.tls.connector_certificate_info": options, "register": "found"}
    run = run_play(tmp_path, [one], arguments=["--check", "--diff", "-vvv"])
    found = run["found"]
    assert (found["changed"], found["failed"], found["compliant"]) == (False, False, False)
    said = by_source(found)
    smtp, smtpd = "postfix:smtp_tls_chain_files", "postfix:smtpd_tls_cert_file"
    for slug in ("valid", "chain_complete", "name_matches", "domain_accepted", "binding_current"):
        assert (slug, "pass", smtp) in said
    assert ("key_matches", "pass", smtp) in said
    assert {("key_mismatch", "fail", smtpd), ("key_exposed", "fail", smtpd)} <= said
    assert run.output.count("plugins/modules/probe.py") == 1
    assert key_pem(LEAF).splitlines()[1] not in run.output
    # openssl, asked the same about the key that does not match
    answers = [
        subprocess.run(command, capture_output=True, check=True).stdout
        for command in (
            ["openssl", "x509", "-in", str(files / "chain.pem"), "-noout", "-pubkey"],
            ["openssl", "pkey", "-in", str(files / "wrong.key"), "-pubout"],
        )
    ]
    assert answers[0] != answers[1]


def test_a_port_and_readiness(tmp_path: pathlib.Path, files: pathlib.Path) -> None:
    context, chain = ServerAuthority(tmp_path).server("localhost")
    server = Server(answering(b""), tls=context)
    try:
        declared = {"server": f"127.0.0.1:{server.port}", "server_starttls": "none", "flow": "partner"}
        tasks = [
            {"mailops.tls.connector_certificate_info": {**declared, "expected_sha256": ["0" * 64]}, "register": "port"},
            {
                "mailops.tls.readiness_info": {"profiles": [], "stores": [], "connector_certificate": declared},
                "register": "readiness",
            },
            {"mailops.tls.readiness_info": {"profiles": [], "stores": []}, "register": "undeclared"},
            {
                "mailops.tls.connector_certificate_info": {"key": str(files / "wrong.key")},
                "register": "refused",
                "ignore_errors": True,
            },
        ]
        run = run_play(tmp_path, tasks)
    finally:
        server.close()
    assert ("unexpected", "fail") in {(slug, status) for slug, status, _user in by_source(run["port"])}
    assert run["port"]["certificates"][0]["sha256"] == run["readiness"]["certificates"][0]["sha256"]
    assert len(run["port"]["certificates"][0]["chain"]) == len(chain)
    assert "certificates" not in run["undeclared"]
    assert "certificate, which is missing" in run["refused"]["msg"]
