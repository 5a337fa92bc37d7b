# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The probe's look at certificates and keys of the host, made by openssl."""

from __future__ import annotations

import json
import pathlib
import subprocess
import typing as t

import pytest

from tests.conftest import require_programs

Ask = t.Callable[..., dict[str, t.Any]]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    require_programs("openssl")
    directory = tmp_path_factory.mktemp("identity")
    for number in (1, 2):
        make = f"openssl req -x509 -newkey rsa:2048 -nodes -keyout key{number} -out cert{number} -subj /CN=host{number} -days 9"
        subprocess.run(make.split(), cwd=directory, check=True, capture_output=True)
    (directory / "both").write_bytes((directory / "key1").read_bytes() + (directory / "cert1").read_bytes())
    encrypt = "openssl rsa -aes128 -passout pass:secret -in key1 -out encrypted"
    subprocess.run(encrypt.split(), cwd=directory, check=True, capture_output=True)
    return directory


def first(answer: dict[str, t.Any]) -> dict[str, t.Any]:
    assert answer["error"] is None
    return t.cast("dict[str, t.Any]", answer["identities"][0])


def test_key_and_certificate(ask: Ask, files: pathlib.Path) -> None:
    for certificate, key, matches in (("both", None, True), ("cert1", "key1", True), ("cert1", "key2", False)):
        found = first(ask("identity", certificate=str(files / certificate), key=str(files / key) if key else None))
        assert (found["key_matches"], len(found["chain"])) == (matches, 1)
        assert found["key"]["mode"] in ("0600", "0644")


def test_a_private_key_never_travels(ask: Ask, files: pathlib.Path) -> None:
    answer = json.dumps(ask("identity", certificate=str(files / "both")))
    body = (files / "key1").read_text().splitlines()[1:-1]
    assert not any(line in answer for line in body)
    assert "PRIVATE KEY" not in answer


def test_keys_that_cannot_be_compared(ask: Ask, files: pathlib.Path) -> None:
    locked = first(ask("identity", certificate=str(files / "cert1"), key=str(files / "encrypted")))
    assert (locked["key_matches"], locked["key"]["encrypted"]) == (None, True)
    missing = first(ask("identity", certificate=str(files / "cert1"), key=str(files / "none")))
    assert missing["key"]["error"]["code"] == "missing"
    none = first(ask("identity", certificate=str(files / "cert1")))
    assert "no private key" in none["key"]["error"]["message"]
    nothing = first(ask("identity", certificate=str(files / "nothing")))
    assert nothing["error"]["code"] == "missing"


def test_what_postfix_is_set_to_present(ask: Ask, files: pathlib.Path) -> None:
    main_cf = files / "main.cf"
    main_cf.write_text(
        "smtp_tls_chain_files = $config_directory/key1,\n  $config_directory/cert1\n"
        "smtpd_tls_cert_file = $config_directory/cert2\nsmtpd_tls_key_file = ${config_directory}/key1\n"
        "smtp_tls_cert_file = /ignored/because/of/chain/files\nsmtpd_tls_eccert_file =\n"
    )
    answer = ask("identity", main_cf=str(main_cf))
    found = [(item["used_by"], pathlib.Path(item["certificate"]).name, item["key_matches"]) for item in answer["identities"]]
    assert found == [(["postfix:smtp_tls_chain_files"], "cert1", True), (["postfix:smtpd_tls_cert_file"], "cert2", False)]


def test_both_sides_of_postfix_with_the_same_files_are_one(ask: Ask, files: pathlib.Path) -> None:
    main_cf = files / "same.cf"
    main_cf.write_text(f"smtp_tls_chain_files = {files}/both\nsmtpd_tls_chain_files = {files}/both\n")
    answer = ask("identity", main_cf=str(main_cf))
    assert first(answer)["used_by"] == ["postfix:smtp_tls_chain_files", "postfix:smtpd_tls_chain_files"]
    assert len(answer["identities"]) == 1


def test_without_postfix_there_is_nothing(ask: Ask, files: pathlib.Path) -> None:
    answer = ask("identity", main_cf=str(files / "absent.cf"))
    assert (answer["error"], answer["identities"], answer["postfix"]) == (None, [], None)
