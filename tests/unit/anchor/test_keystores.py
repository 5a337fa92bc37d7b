# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Keystores of Java and databases of NSS: what keytool and certutil say afterwards is what counts."""

from __future__ import annotations

import pathlib
import typing as t

import pytest

from tests.conftest import require_programs
from tests.unit.anchor.module import apply, refused, tool
from tests.unit.anchor.pki import root, server

ROOT = root()
OTHER = root("Other Root")
#: It must not show up in any answer.
SECRET = "geheim-wort"  # noqa: S105 - of keystores made here


def keytool(path: pathlib.Path, *words: str, given: str | None = None) -> str:
    return tool("keytool", "-keystore", path, "-storepass:env", "WORD", *words, given=given, WORD=SECRET)


@pytest.fixture(params=["JKS", "PKCS12"])
def keystore(request: pytest.FixtureRequest, tmp_path: pathlib.Path) -> pathlib.Path:
    require_programs("anchor", "keytool")
    path = tmp_path / "cacerts"
    kind = ["-storetype", request.param]
    keytool(path, "-importcert", "-noprompt", "-alias", "other", *kind, given=OTHER.pem)
    path.chmod(0o640)
    return path


def test_java_there_and_back(keystore: pathlib.Path) -> None:
    before, store = keystore.read_bytes(), {"type": "java", "path": str(keystore), "password": SECRET, "alias": "lab"}
    foreseen = apply(ROOT, store, check=True)
    assert foreseen["changed"] and keystore.read_bytes() == before
    answer = apply(ROOT, store)
    assert (answer["changed"], answer["verified_by"]) == (True, ["keytool -list"])
    assert answer["diff"][0]["after"] == f"lab {ROOT.sha256}\n"
    listed = keytool(keystore, "-list", "-v").replace(":", "").lower()
    assert "alias name lab" in listed and ROOT.sha256 in listed and OTHER.sha256 in listed
    assert keystore.read_bytes()[:2] == before[:2], "it is of another type now"
    assert keystore.stat().st_mode & 0o7777 == 0o640
    assert not apply(ROOT, store)["changed"]
    assert not apply(ROOT, {**store, "alias": "again"})["changed"], "the same certificate under another alias"
    assert apply(ROOT, store, state="absent")["changed"]
    assert ROOT.sha256 not in keytool(keystore, "-list", "-v").replace(":", "").lower()
    assert [path.name for path in keystore.parent.iterdir()] == ["cacerts"]
    assert SECRET not in str(answer) + str(foreseen)


def test_java_refusals_change_nothing(keystore: pathlib.Path) -> None:
    before = keystore.read_bytes()
    answer = refused(ROOT, {"type": "java", "path": str(keystore), "password": "falsch-wort"}, match="keytool refuses")
    assert "falsch-wort" not in str(answer)
    store = {"type": "java", "path": str(keystore), "password": SECRET}
    refused(ROOT, {**store, "alias": "other"}, match="the alias other is that of another entry")
    refused(ROOT, store, state="absent", force_distrust=True, match="cannot distrust")
    assert keystore.read_bytes() == before


def test_java_directory_of_a_jvm(keystore: pathlib.Path) -> None:
    security = keystore.parent / "jvm" / "lib" / "security"
    security.mkdir(parents=True)
    keystore.rename(security / "cacerts")
    store = {"type": "java", "path": str(keystore.parent / "jvm"), "password": SECRET}
    assert apply(ROOT, store)["store"]["path"] == str(security / "cacerts")


def certutil(database: pathlib.Path, *words: str, given: str | None = None) -> str:
    return tool("certutil", "-d", f"sql:{database}", *words, given=given)


@pytest.fixture(params=[None, SECRET], ids=["open", "password"])
def database(request: pytest.FixtureRequest, tmp_path: pathlib.Path) -> tuple[pathlib.Path, dict[str, t.Any]]:
    require_programs("anchor", "certutil")
    path = tmp_path / "nss"
    path.mkdir()
    word = tmp_path / "word"
    word.write_text(f"{request.param or ''}\n")
    certutil(path, "-N", "-f", str(word))
    certutil(path, "-A", "-n", "Other Root (kept)", "-t", "C,C,C", "-a", "-f", str(word), given=OTHER.pem)
    store = {"type": "nss", "path": str(path), "nickname": "Lab Root"}
    return path, store if request.param is None else {**store, "password": request.param}


def valid(database: pathlib.Path, name: str) -> bool:
    """Whether certutil takes it for a CA of TLS servers."""
    return "certificate is valid" in certutil(database, "-V", "-n", name, "-u", "L")


def accepts_server(database: pathlib.Path) -> bool:
    """Whether certutil accepts a TLS server's certificate of the root; tried on a copy."""
    copy = database.with_name("copy")
    tool("cp", "-r", database, copy)
    word = database.with_name("word")
    certutil(copy, "-A", "-n", "leaf", "-t", ",,", "-a", "-f", str(word), given=server(ROOT).pem)
    said = certutil(copy, "-V", "-n", "leaf", "-u", "V")
    tool("rm", "-r", copy)
    return "certificate is valid" in said


def test_nss_there_and_back(database: tuple[pathlib.Path, dict[str, t.Any]]) -> None:
    path, store = database
    before = {file.name: file.read_bytes() for file in path.iterdir()}
    foreseen = apply(ROOT, store, check=True)
    assert foreseen["changed"] and {file.name: file.read_bytes() for file in path.iterdir()} == before
    answer = apply(ROOT, store)
    assert answer["verified_by"] == ["certutil -L", "certutil -V"]
    assert valid(path, "Lab Root") and valid(path, "Other Root (kept)") and accepts_server(path)
    assert not apply(ROOT, store)["changed"]
    assert not apply(ROOT, {**store, "nickname": "Another"})["changed"]
    assert apply(ROOT, store, state="absent")["changed"]
    assert not accepts_server(path) and valid(path, "Other Root (kept)")
    assert "Lab Root" not in certutil(path, "-L")
    assert not apply(ROOT, store, state="absent")["changed"]
    assert SECRET not in str(answer) + str(foreseen)
    assert sorted(file.name for file in path.iterdir()) == ["cert9.db", "key4.db", "pkcs11.txt"]


def test_nss_distrust_and_undo(database: tuple[pathlib.Path, dict[str, t.Any]]) -> None:
    path, store = database
    answer = apply(ROOT, store, state="absent", force_distrust=True)
    assert answer["changed"] and "distrust" in answer["mechanism"]
    assert "p,p,p" in certutil(path, "-L") and not valid(path, "Lab Root") and not accepts_server(path)
    assert not apply(ROOT, store, state="absent", force_distrust=True)["changed"]
    assert not apply(ROOT, store, state="absent")["changed"], "distrusted is not trusted"
    assert apply(ROOT, store)["changed"]
    assert valid(path, "Lab Root") and accepts_server(path)
    # Trusted for mail and code too: distrust takes all, and trust comes back for servers only.
    apply(OTHER, store, state="absent", force_distrust=True)
    assert not valid(path, "Other Root (kept)") and valid(path, "Lab Root")


def test_nss_refusals_change_nothing(database: tuple[pathlib.Path, dict[str, t.Any]]) -> None:
    path, store = database
    before = {file.name: file.read_bytes() for file in path.iterdir()}
    refused(ROOT, {**store, "nickname": "Other Root (kept)"}, match="is that of another certificate")
    if "password" in store:
        answer = refused(ROOT, {**store, "password": "falsch-wort"}, match="certutil refuses")
        assert "falsch-wort" not in str(answer)
        refused(ROOT, {key: value for key, value in store.items() if key != "password"}, match="certutil refuses")
    (path / "cert9.db-journal").write_bytes(b"x")
    refused(ROOT, store, match="being changed by another program")
    (path / "cert9.db-journal").unlink()
    assert {file.name: file.read_bytes() for file in path.iterdir()} == before
