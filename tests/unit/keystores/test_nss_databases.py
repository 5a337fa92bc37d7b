# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Certificate databases made by certutil, read as certutil lists and validates them; and any bytes at all."""

from __future__ import annotations

import pathlib
import sqlite3
import subprocess
import time

import pytest
from ansible_collections.mailops.tls.plugins.plugin_utils._keystores.model import KeystoreError
from ansible_collections.mailops.tls.plugins.plugin_utils._keystores.nss import (
    BUILT_IN,
    DISTRUSTED,
    NO_FLAG,
    OTHER_CERTIFICATE,
    read_nss,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.conftest import require_programs
from tests.unit.keystores.makers import G1, G2, G3, R6, digest_of, nss_database, run

FLAGS = {
    "digicert_global_root_ca": "C,,",
    "digicert_global_root_g2": ",C,",
    "digicert_global_root_g3": "p,p,p",
    "globalsign_r6": ",,",
}


@pytest.fixture(scope="module", autouse=True)
def programs() -> None:
    require_programs("databases of NSS", "certutil")


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    return nss_database(tmp_path_factory.mktemp("nss") / "db", **FLAGS)


def uses(directory: pathlib.Path) -> dict[str, tuple[str, str]]:
    store = read_nss((directory / "cert9.db").read_bytes())
    assert (store.format, store.integrity, store.caveat) == ("NSS", "unprotected", BUILT_IN)
    return {entry.sha256: (entry.use, entry.detail) for entry in store.entries}


def test_flags_are_read_as_certutil_wrote_them(database):
    assert uses(database) == {
        digest_of(G1): ("anchor", ""),
        digest_of(G2): ("wrong_use", "The database trusts the certificate for mail, but not for TLS servers."),
        digest_of(G3): ("distrusted", DISTRUSTED),
        digest_of(R6): ("other", NO_FLAG),
    }


@pytest.mark.parametrize("root", [G1, G2, G3, R6])
def test_the_verdict_is_that_of_certutil(database, root):
    # Usage L: may it be a CA for TLS servers, that is, does a chain to it end in trust.
    done = subprocess.run(
        ["certutil", "-V", "-d", f"sql:{database}", "-n", root, "-u", "L"], capture_output=True, text=True, check=False
    )
    assert (done.returncode == 0) is (uses(database)[digest_of(root)][0] == "anchor"), done.stdout + done.stderr


@pytest.mark.parametrize(
    ("flags", "use"),
    [
        ("CT,C,C", "anchor"),
        ("T,,", "wrong_use"),
        ("c,,", "other"),
        ("P,,", "other"),
        (",,C", "wrong_use"),
        ("p,C,C", "distrusted"),
    ],
)
def test_other_flags(tmp_path, flags, use):
    directory = nss_database(tmp_path / "db", digicert_global_root_ca=flags)
    assert uses(directory)[digest_of(G1)][0] == use


def test_flags_that_were_changed_later(tmp_path):
    directory = nss_database(tmp_path / "db", digicert_global_root_ca="C,,", globalsign_r6=",,")
    run("certutil", "-M", "-d", f"sql:{directory}", "-n", G1, "-t", "p,p,p")
    run("certutil", "-M", "-d", f"sql:{directory}", "-n", R6, "-t", "C,,")
    found = uses(directory)
    assert (found[digest_of(G1)][0], found[digest_of(R6)][0]) == ("distrusted", "anchor")
    run("certutil", "-D", "-d", f"sql:{directory}", "-n", R6)
    assert digest_of(R6) not in uses(directory)


def edited(database: pathlib.Path, tmp_path: pathlib.Path, *statements: str) -> bytes:
    copy = tmp_path / "edited.db"
    copy.write_bytes((database / "cert9.db").read_bytes())
    connection = sqlite3.connect(copy)
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()
    return copy.read_bytes()


def test_a_trust_record_of_another_certificate_does_not_count(database, tmp_path):
    data = edited(database, tmp_path, "UPDATE nssPublic SET ace5363b4 = x'00112233' WHERE a0 = x'ce534353'")
    found = {entry.sha256: entry.detail for entry in read_nss(data).entries}
    assert found[digest_of(G1)] == OTHER_CERTIFICATE


def test_trust_records_of_pkcs11(database, tmp_path):
    """As releases after the ones installed here write them: other class, other attributes, other values."""
    data = edited(
        database,
        tmp_path,
        *(f"ALTER TABLE nssPublic ADD COLUMN a{number}" for number in ("62c", "62d", "62e", "62f")),
        "UPDATE nssPublic SET a62c = x'00000002' WHERE ace536358 = x'ce534352'",
        "UPDATE nssPublic SET a62c = x'00000003' WHERE ace536358 = x'ce53435a'",
        "UPDATE nssPublic SET a62f = x'00000002' WHERE ace53635b = x'ce534352'",
        "UPDATE nssPublic SET a0 = x'0000000b', ace5363b4 = NULL, ace536358 = NULL WHERE a0 = x'ce534353'",
    )
    found = {entry.sha256: entry.use for entry in read_nss(data).entries}
    assert found == {digest_of(G1): "anchor", digest_of(G2): "wrong_use", digest_of(G3): "distrusted", digest_of(R6): "other"}


def test_records_that_disagree_are_unknown(database, tmp_path):
    copy = "INSERT INTO nssPublic (id, a0, a81, a82, ace536358) SELECT id + 7, a0, a81, a82, x'ce53435a' FROM nssPublic"
    data = edited(database, tmp_path, f"{copy} WHERE ace536358 = x'ce534352'")
    assert {entry.sha256: entry.use for entry in read_nss(data).entries}[digest_of(G1)] == "unknown"


ENDLESS = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT x AS a0, x AS a11 FROM n"


@pytest.mark.parametrize(
    ("statements", "reason"),
    [
        (["DROP TABLE nssPublic"], "without the table"),
        (["DROP TABLE nssPublic", f"CREATE VIEW nssPublic AS {ENDLESS}"], "without the table"),
        (["PRAGMA journal_mode = WAL"], "WAL mode"),
    ],
)
def test_a_database_that_is_another(database, tmp_path, statements, reason):
    with pytest.raises(KeystoreError, match=reason):
        read_nss(edited(database, tmp_path, *statements))


def test_work_is_bounded(tmp_path):
    path = tmp_path / "big.db"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE nssPublic (id, a0, a11, a12 AS (length(hex(zeroblob(100000)))), a81)")
    connection.executemany("INSERT INTO nssPublic (id, a0) VALUES (?, x'00000001')", [(number,) for number in range(11000)])
    connection.commit()
    connection.close()
    began = time.process_time()
    with pytest.raises(KeystoreError, match="more than 10000 objects"):
        read_nss(path.read_bytes())
    assert time.process_time() - began < 5


def test_without_deserialize_a_private_file_is_read(database, monkeypatch, tmp_path):
    """As under Python 3.10, whose sqlite3 has no deserialize()."""
    expected = uses(database)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(sqlite3, "Connection", type("Connection", (), {}))
    assert uses(database) == expected
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("data", [b"", b"SQLite format 3\0", b"SQLite format 3\0" + bytes(200), b"x" * 500])
def test_what_is_no_database(data):
    with pytest.raises(KeystoreError):
        read_nss(data)


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 40000), st.binary(min_size=1, max_size=40), st.integers(0, 50000))
def test_damage_ends_in_a_verdict_or_a_reason(database, at, noise, length):
    whole = (database / "cert9.db").read_bytes()
    at %= len(whole)
    damaged = whole[:at] + noise + whole[at + len(noise) :]
    for data in (damaged, damaged[:length]):
        try:
            read_nss(data)
        except KeystoreError as error:
            assert str(error).isprintable()
