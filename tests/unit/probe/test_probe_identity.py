# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The probe's look at certificates and keys of the host, made by openssl."""

from __future__ import annotations

import concurrent.futures
import json
import os
import pathlib
import subprocess
import typing as t

import pytest

from tests.conftest import require_programs
from tests.unit.probe.servers import Server
from tests.unit.probe.smtp_servers import MailServer

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


def names(answer: dict[str, t.Any]) -> list[tuple[str, str, bool | None, int]]:
    """Of each identity the files of the certificate and the key, whether they match, and the length of the chain."""
    return [
        (pathlib.Path(item["certificate"]).name, pathlib.Path(item["key"]["path"]).name, item["key_matches"], len(item["chain"]))
        for item in answer["identities"]
    ]


@pytest.fixture(scope="module")
def chains(files: pathlib.Path) -> pathlib.Path:
    """Files as Postfix takes them, and others that it does not."""
    make = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout key3 -out cert3 -subj /CN=host3 -days 9"
    subprocess.run(make.split(), cwd=files, check=True, capture_output=True)
    for output, parts in {
        "two": ("key1", "cert1", "cert2", "key3", "cert3"),
        "swapped": ("key1", "cert3", "key3", "cert1"),
        "backwards": ("cert1", "key1"),
    }.items():
        (files / output).write_bytes(b"".join((files / part).read_bytes() for part in parts))
    for words in ("x509 -in cert1 -outform DER -out der", "pkcs12 -export -in cert1 -inkey key1 -passout pass: -out pfx"):
        subprocess.run(["openssl", *words.split()], cwd=files, check=True, capture_output=True)
    (files / "garbage").write_text("no PEM here\n")
    (files / "empty").write_text("\n")
    return files


def postfix(ask: Ask, directory: pathlib.Path, *paths: str) -> dict[str, t.Any]:
    main_cf = directory / "chain.cf"
    main_cf.write_text("smtpd_tls_chain_files = " + ", ".join(str(directory / path) for path in paths) + "\n")
    return t.cast("dict[str, t.Any]", ask("identity", main_cf=str(main_cf)))


def test_a_file_with_two_keys_and_their_chains(ask: Ask, chains: pathlib.Path) -> None:
    expected = [("two", "two", True, 2), ("two", "two", True, 1)]
    assert names(postfix(ask, chains, "two")) == expected
    assert names(ask("identity", certificate=str(chains / "two"))) == expected
    assert [match for _file, _key, match, _length in names(postfix(ask, chains, "swapped"))] == [False, False]


def test_a_key_of_another_algorithm_does_not_belong(ask: Ask, chains: pathlib.Path) -> None:
    for certificate, key in (("cert1", "key3"), ("cert3", "key1")):
        found = first(ask("identity", certificate=str(chains / certificate), key=str(chains / key)))
        assert found["key_matches"] is False


def test_chain_files_are_one_file_in_pieces(ask: Ask, chains: pathlib.Path) -> None:
    assert names(postfix(ask, chains, "key1", "cert1", "cert2", "key3", "cert3")) == [
        ("cert1", "key1", True, 2),
        ("cert3", "key3", True, 1),
    ]


def test_a_key_that_no_certificate_follows(ask: Ask, chains: pathlib.Path) -> None:
    for answer in (postfix(ask, chains, "key1"), ask("identity", certificate=str(chains / "key1"))):
        assert names(answer) == [("key1", "key1", None, 0)]
        assert (first(answer)["form"], first(answer)["error"], first(answer)["key"]["error"]) == ("key", None, None)
    assert names(postfix(ask, chains, "both", "key3")) == [("both", "both", True, 1), ("key3", "key3", None, 0)]
    # A key behind its certificate is none that Postfix takes.
    assert names(postfix(ask, chains, "backwards")) == [("backwards", "backwards", None, 1), ("backwards", "backwards", None, 0)]
    assert names(ask("identity", certificate=str(chains / "backwards"))) == [("backwards", "backwards", True, 1)]


@pytest.mark.parametrize(
    ("file", "form"), [("der", "der"), ("pfx", "pkcs12"), ("garbage", "other"), ("empty", "empty"), ("key1", "key")]
)
def test_a_file_without_a_certificate_is_still_configured(ask: Ask, chains: pathlib.Path, file: str, form: str) -> None:
    for key in (None, str(chains / "key1")):
        found = first(ask("identity", certificate=str(chains / file), key=key))
        assert (found["chain"], found["form"], found["error"]) == ([], form, None)
    found = first(postfix(ask, chains, file))
    assert (found["chain"], found["form"]) == ([], form)


def test_a_file_that_is_not_there_does_not_blame_the_key_before_it(ask: Ask, chains: pathlib.Path) -> None:
    found = first(postfix(ask, chains, "key1", "absent"))
    assert (found["error"]["code"], found["key"]["error"], pathlib.Path(found["certificate"]).name) == ("missing", None, "absent")
    assert names(postfix(ask, chains, "absent", "cert1")) == [("cert1", "absent", None, 1)]


def test_the_mode_of_a_file_without_a_key_is_not_told(ask: Ask, files: pathlib.Path) -> None:
    found = first(ask("identity", certificate=str(files / "cert1")))
    assert (found["key"]["mode"], found["key"]["owner"]) == (None, None)


def test_more_than_can_be_looked_at_is_told(ask: Ask, chains: pathlib.Path) -> None:
    pair = (chains / "key3").read_bytes() + (chains / "cert3").read_bytes()
    for number in range(17):
        (chains / f"many{number}").write_bytes(pair)
    answer = postfix(ask, chains, *(f"many{number}" for number in range(17)))
    assert (len(answer["identities"]), answer["truncated"]) == (16, True)


def test_the_store_of_the_host_is_asked(ask: Ask, files: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    unknown = first(ask("identity", certificate=str(files / "both")))["trust"]
    assert (unknown["ok"], unknown["tool"]) == (False, "openssl verify")
    # OpenSSL's own way to say where the store is.
    monkeypatch.setenv("SSL_CERT_FILE", str(files / "cert1"))
    assert first(ask("identity", certificate=str(files / "both")))["trust"]["ok"] is True


LISTS: dict[tuple[str, ...], bool] = {
    ("two",): True,
    ("key1", "cert1"): True,
    ("both", "cert2"): True,
    ("key1", "cert1", "cert2", "key3", "cert3"): True,
    ("both", "garbage"): True,
    ("empty", "both"): True,
    ("key1",): False,
    ("both", "key3"): False,
    ("key1", "garbage"): False,
    ("key1", "absent"): False,
    ("both", "absent"): False,
    ("cert1", "key1"): False,
    ("backwards",): False,
    ("swapped",): False,
    ("der",): False,
    ("garbage",): False,
}


@pytest.fixture(scope="module")
def postfix_says(chains: pathlib.Path) -> dict[tuple[str, ...], str]:
    """What posttls-finger says of each list. It reads chain files as smtp(8) and smtpd(8) do, and takes two seconds each time."""
    require_programs("chain files as Postfix reads them", "posttls-finger")
    (chains / "empty.cf").mkdir()
    (chains / "empty.cf" / "main.cf").write_text("compatibility_level = 3.6\n")
    server = Server(MailServer(None, EHLO=b"250 mail.example.com\r\n"))

    def ask_postfix(paths: tuple[str, ...]) -> str:
        files = ",".join(str(chains / path) for path in paths)
        return subprocess.run(
            ["posttls-finger", "-c", "-l", "may", "-H", files, f"[127.0.0.1]:{server.port}"],
            env={**os.environ, "MAIL_CONFIG": str(chains / "empty.cf")},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
            text=True,
            timeout=60,
        ).stdout

    try:
        with concurrent.futures.ThreadPoolExecutor(len(LISTS)) as pool:
            return dict(zip(LISTS, pool.map(ask_postfix, LISTS), strict=True))
    finally:
        server.close()


@pytest.mark.parametrize("paths", LISTS, ids=" ".join)
def test_postfix_takes_what_is_judged_fit(
    ask: Ask, chains: pathlib.Path, postfix_says: dict[tuple[str, ...], str], paths: tuple[str, ...]
) -> None:
    found = postfix(ask, chains, *paths)["identities"]
    fit = all(item["key_matches"] and item["chain"] and not item["error"] for item in found)
    said = postfix_says[paths]
    assert (bool(found) and fit, "error" not in said) == (LISTS[paths], LISTS[paths]), said
