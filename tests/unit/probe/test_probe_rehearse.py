# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Chains verified by the host's own programs: openssl, and where they are there keytool and the tools of NSS."""

from __future__ import annotations

import base64
import dataclasses
import json
import os
import pathlib
import shutil
import subprocess
import time
import typing as t

import pytest
from ansible_collections.mailops.tls.plugins.module_utils._probe import openssl
from ansible_collections.mailops.tls.plugins.module_utils._probe.command import converse
from ansible_collections.mailops.tls.plugins.module_utils._probe.engine import run

from tests.conftest import require
from tests.unit.probe.test_interpreters import COLLECTIONS, FOUND

Answer = dict[str, t.Any]


@dataclasses.dataclass(frozen=True)
class Pki:
    """A root, an intermediate and a server's certificate, made by openssl; and a root of the same name with another key."""

    directory: pathlib.Path

    def pem(self, name: str) -> pathlib.Path:
        return self.directory / f"{name}.pem"

    def der(self, name: str) -> bytes:
        return self._openssl("x509", "-in", f"{name}.pem", "-outform", "der")

    def make(self) -> None:
        for name in ("root", "twin"):
            extensions = ["-addext", "keyUsage=critical,keyCertSign,cRLSign", "-days", "3650", "-subj", "/CN=Rehearsal Root"]
            self._openssl("req", "-x509", *self._key(name), "-out", f"{name}.pem", *extensions)
        self._issue(
            "intermediate", "root", "basicConstraints=critical,CA:TRUE\nkeyUsage=keyCertSign\nextendedKeyUsage=serverAuth\n"
        )
        self._issue("server", "intermediate", "extendedKeyUsage=serverAuth\nsubjectAltName=DNS:mail.test\n")
        self._issue("client", "intermediate", "extendedKeyUsage=clientAuth\nsubjectAltName=DNS:mail.test\n")
        self._openssl("x509", "-in", "root.pem", "-addreject", "serverAuth", "-trustout", "-out", "rejected.pem")
        self._openssl("x509", "-in", "root.pem", "-addtrust", "emailProtection", "-trustout", "-out", "mail-only.pem")

    def _key(self, name: str) -> list[str]:
        return ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", f"{name}.key"]

    def _issue(self, name: str, issuer: str, extensions: str) -> None:
        (self.directory / f"{name}.ext").write_text(extensions)
        self._openssl("req", *self._key(name), "-out", f"{name}.csr", "-subj", f"/CN={name}")
        signer = ["-CA", f"{issuer}.pem", "-CAkey", f"{issuer}.key", "-CAcreateserial", "-days", "365"]
        self._openssl("x509", "-req", "-in", f"{name}.csr", *signer, "-extfile", f"{name}.ext", "-out", f"{name}.pem")

    def _openssl(self, *arguments: str) -> bytes:
        done = subprocess.run(["openssl", *arguments], cwd=self.directory, capture_output=True, check=True)
        return done.stdout


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    require(shutil.which("openssl"), "a rehearsal", "the program openssl")
    made = Pki(pathlib.Path(tmp_path_factory.mktemp("pki")))
    made.make()
    return made


@pytest.fixture(scope="module")
def chains(pki: Pki) -> list[Answer]:
    """The server's chain, the root by itself, and the intermediate by itself."""
    text = {name: base64.b64encode(pki.der(name)).decode() for name in ("root", "intermediate", "server")}
    return [
        {"id": "server", "kind": "server", "certificate": text["server"], "untrusted": [text["intermediate"]]},
        {"id": "root", "kind": "ca", "certificate": text["root"], "untrusted": []},
        {"id": "intermediate", "kind": "ca", "certificate": text["intermediate"], "untrusted": []},
    ]


@pytest.fixture
def verdicts(chains: list[Answer]) -> t.Callable[..., list[t.Any]]:
    """(chain, verdict, code) for each chain in one store, from the engine."""

    def one(kind: str, path: pathlib.Path, **more: t.Any) -> list[t.Any]:
        answer = rehearse(chains, [{"id": "store", "type": kind, "paths": [str(path)]}], **more)
        assert answer["error"] is None
        return [(item["chain"], item["ok"], item["code"]) for item in answer["results"]]

    return one


def rehearse(chains: list[Answer], stores: list[Answer], **more: t.Any) -> Answer:
    request = {"id": "one", "op": "rehearse", "chains": chains, "stores": stores, **more}
    answer: Answer = run([request], deadline=30.0)["answers"][0]
    return answer


PASSED = [("server", True, None), ("root", True, None), ("intermediate", True, None)]
# X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, and X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT for the root itself.
ABSENT = [("server", False, 20), ("root", False, 18), ("intermediate", False, 20)]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("root", PASSED),
        ("server", ABSENT),
        # X509_V_ERR_CERT_SIGNATURE_FAILURE: the same name, and another key.
        ("twin", [("server", False, 7), ("root", False, 18), ("intermediate", False, 7)]),
        # X509_V_ERR_CERT_REJECTED: it is there, but not for servers. A CA by itself is asked for that use too.
        ("rejected", [("server", False, 28), ("root", False, 28), ("intermediate", False, 28)]),
        ("mail-only", [("server", False, 28), ("root", False, 28), ("intermediate", False, 28)]),
    ],
)
def test_a_file(pki, verdicts, name, expected):
    seen = verdicts("pem_file", pki.pem(name))
    if name == "twin":  # OpenSSL tells apart by key identifier or by signature, which differs between its versions
        seen = [(chain, ok, None) for chain, ok, _code in seen]
        expected = [(chain, ok, None) for chain, ok, _code in expected]
    assert seen == expected


def test_a_directory_counts_only_when_it_was_rehashed(pki, verdicts, tmp_path):
    shutil.copy(pki.pem("root"), tmp_path / "root.pem")
    assert verdicts("pem_directory", tmp_path) == ABSENT
    subprocess.run(["openssl", "rehash", str(tmp_path)], check=True)
    assert verdicts("pem_directory", tmp_path) == PASSED


def test_the_machines_own_roots_do_not_help(pki, verdicts, tmp_path, monkeypatch):
    """OpenSSL adds its defaults to a store that is named unless it is told not to."""
    monkeypatch.setenv("SSL_CERT_FILE", str(pki.pem("root")))
    assert openssl.verify(pki.der("server"), [pki.der("intermediate")], purpose="sslserver")["ok"] is True
    assert verdicts("pem_file", pki.pem("server")) == ABSENT
    assert verdicts("pem_directory", tmp_path) == ABSENT


def test_what_cannot_be_verified_is_no_verdict(chains, tmp_path):
    broken, fifo = tmp_path / "broken.pem", tmp_path / "fifo"
    broken.write_text("no certificate\n")
    os.mkfifo(fifo)
    stores = [{"id": name, "type": "pem_file", "paths": [str(tmp_path / name)]} for name in ("missing", "broken.pem", "fifo")]
    results = rehearse(chains[:1], stores)["results"]
    assert [item["ok"] for item in results] == [None, None, None]
    assert [item["message"].split(":")[0] for item in (results[0], results[2])] == ["missing", "not_a_file"]
    assert results[1]["message"]


def test_a_host_without_openssl(pki, verdicts, monkeypatch, tmp_path):
    server = pki.der("server")
    monkeypatch.setattr(openssl, "_KNOWN", {})
    monkeypatch.setenv("PATH", str(tmp_path))
    assert verdicts("pem_file", pki.pem("root")) == [(chain, None, None) for chain, _ok, _code in PASSED]
    said = openssl.verify(server, [])
    assert (said["ok"], said["version"], said["message"]) == (None, None, "openssl: No such file or directory")


def test_an_openssl_that_hangs_is_ended(pki, chains, monkeypatch, tmp_path):
    program = tmp_path / "openssl"
    program.write_text('#!/bin/sh\n[ "$1" = version ] && { echo OpenSSL 3.0.0; exit; }\nexec sleep 60\n')
    program.chmod(0o755)
    monkeypatch.setattr(openssl, "_KNOWN", {})
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    began = time.monotonic()
    store = {"id": "store", "type": "pem_file", "paths": [str(pki.pem("root"))]}
    (result,) = rehearse(chains[:1], [store], timeout=0.3)["results"]
    assert (result["ok"], result["message"]) == (None, "openssl did not end within 0.3 seconds")
    assert time.monotonic() - began < 5


def test_options_of_verify(pki):
    chain = (pki.der("server"), [pki.der("intermediate")])
    root = str(pki.pem("root"))
    assert openssl.verify(*chain, ca_file=root, hostname="mail.test")["ok"] is True
    assert openssl.verify(*chain, ca_file=root, hostname="other.test")["code"] == 62  # X509_V_ERR_HOSTNAME_MISMATCH
    assert openssl.verify(*chain, ca_file=root, at=time.time() + 366 * 86400)["code"] == 10  # X509_V_ERR_CERT_HAS_EXPIRED
    client = openssl.verify(pki.der("client"), chain[1], ca_file=root, purpose="sslserver")
    assert (client["ok"], client["code"]) == (False, 26)
    # More than a pipe holds, and what is no certificate at all.
    assert openssl.verify(chain[0], chain[1] * 400, ca_file=root)["ok"] is True
    assert openssl.verify(b"x" * 200000, [], ca_file=root)["ok"] is None
    assert openssl.verify(*chain, ca_ders=[pki.der("root")])["ok"] is True
    assert openssl.verify(*chain, ca_ders=[pki.der("twin")])["ok"] is False


def test_stores_that_postfix_names(pki, chains, tmp_path):
    main_cf = tmp_path / "main.cf"
    main_cf.write_text(f"smtp_tls_CAfile = {pki.pem('root')}\nsmtpd_tls_CAfile = {pki.pem('twin')}\n")
    results = rehearse(chains[:1], [], main_cf=str(main_cf))["results"]
    assert [(item["used_by"], item["ok"]) for item in results] == [
        (["postfix:smtp_tls_CAfile"], True),
        (["postfix:smtpd_tls_CAfile"], False),
    ]
    # A store that was named and that Postfix reads too is one store.
    answer = rehearse(chains[:1], [{"id": "named", "type": "pem_file", "paths": [str(pki.pem("root"))]}], main_cf=str(main_cf))
    assert [(item["store"], item["used_by"]) for item in answer["results"]] == [
        ("named", ["postfix:smtp_tls_CAfile"]),
        (None, ["postfix:smtpd_tls_CAfile"]),
    ]
    assert answer["appends_default"] is False
    main_cf.write_text("tls_append_default_CA = yes\n")
    assert rehearse(chains[:1], [], main_cf=str(main_cf))["appends_default"] is True


@pytest.mark.parametrize("kind", ["JKS", "PKCS12"])
def test_a_keystore_of_java(pki, verdicts, tmp_path, kind):
    require(shutil.which("keytool"), "a rehearsal with Java", "the program keytool")
    store = tmp_path / "store"

    def keytool(name: str) -> None:
        more = ["-keystore", str(store), "-storetype", kind, "-storepass", "changeit", "-file", str(pki.pem(name))]
        subprocess.run(["keytool", "-importcert", "-noprompt", "-alias", name, *more], check=True, capture_output=True)

    keytool("twin")
    before = verdicts("java", store)
    keytool("root")
    digest = store.read_bytes()
    after = verdicts("java", store)
    # PKCS #12 is encrypted, and the password does not travel: that is no verdict, not a bad one.
    assert [ok for _chain, ok, _code in before] == ([False] * 3 if kind == "JKS" else [None] * 3)
    assert [ok for _chain, ok, _code in after] == ([True] * 3 if kind == "JKS" else [None] * 3)
    assert store.read_bytes() == digest


def test_a_database_of_nss(pki, verdicts, tmp_path):
    require(shutil.which("certutil") and shutil.which("vfychain"), "a rehearsal with NSS", "the tools of NSS")

    def certutil(*arguments: str) -> None:
        subprocess.run(["certutil", *arguments, "-d", f"sql:{tmp_path}"], check=True, capture_output=True)

    certutil("-N", "--empty-password")
    assert [ok for _chain, ok, _code in verdicts("nss", tmp_path)] == [False] * 3
    certutil("-A", "-n", "root", "-t", "C,,", "-i", str(pki.pem("root")))
    kept = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert verdicts("nss", tmp_path / "cert9.db") == PASSED
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == kept
    certutil("-M", "-n", "root", "-t", "p,p,p")
    assert [ok for _chain, ok, _code in verdicts("nss", tmp_path)] == [False] * 3


@pytest.mark.parametrize(
    "wrong",
    [
        {"chains": [{"id": "x", "kind": "server", "certificate": "?"}], "stores": []},
        {"chains": [{"id": "x", "kind": "other", "certificate": ""}], "stores": []},
        {"chains": ["x"], "stores": []},
        {"chains": [], "stores": [{"id": "x", "type": "system", "paths": []}]},
        {"chains": []},
    ],
)
def test_requests_that_are_refused(wrong):
    error = run([{"id": "one", "op": "rehearse", **wrong}])["answers"][0]["error"]
    assert (error["stage"], error["code"]) == ("request", "invalid")


def test_the_oldest_interpreter(pki, chains):
    """Pipes, threads and programs as the oldest Python that there is has them."""
    driver = pathlib.Path(__file__).with_name("driver.py")
    store = {"id": "store", "type": "pem_file", "paths": [str(pki.pem("root"))]}
    request = {"id": "one", "op": "rehearse", "chains": chains, "stores": [store]}
    done = subprocess.run(
        [FOUND[min(FOUND)], "-B", str(driver), str(COLLECTIONS)],
        input=json.dumps({"requests": [request]}),
        capture_output=True,
        text=True,
        check=True,
    )
    assert [item["ok"] for item in json.loads(done.stdout)["answers"][0]["results"]] == [True] * 3


def test_what_a_program_started_ends_with_it():
    """A shell script's child would hold the output open for as long as it lives."""
    began = time.monotonic()
    status, output, message = converse(["sh", "-c", "sleep 60; echo late"], timeout=0.3)
    assert (status, output) == (None, "")
    assert "did not end within" in message
    assert time.monotonic() - began < 10
