# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Databases of NSS with several certificates of one subject: only the pinned one changes, whatever nicknames say."""

from __future__ import annotations

import pathlib
import typing as t

import pytest
from ansible_collections.mailops.tls.plugins.module_utils._anchor.nsslist import details
from ansible_collections.mailops.tls.plugins.plugin_utils._keystores.nss import read_nss

from tests.conftest import require_programs
from tests.unit.anchor.module import apply, refused, tool
from tests.unit.anchor.pki import Certificate, recertified, root

REAL, FAKE = root("Same Name", 1), root("Same Name", 2)
RENEWED = recertified(REAL, 3)
#: Words for what the collection's own reader of cert9.db sees, as short as certutil's flags.
_USES = {"anchor": "C", "other": "", "distrusted": "p"}


class Database:
    """A database made by certutil."""

    def __init__(self, path: pathlib.Path) -> None:
        self.path = path
        self.store: dict[str, t.Any] = {"type": "nss", "path": str(path)}
        path.mkdir()
        self.certutil("-N", "--empty-password")

    def certutil(self, *words: str, given: str | None = None) -> str:
        return tool("certutil", "-d", f"sql:{self.path}", *words, given=given)

    def add(self, certificate: Certificate, flags: str, nickname: str = "same") -> None:
        assert self.certutil("-A", "-a", "-n", nickname, "-t", flags, given=certificate.pem) == ""

    def flags(self, certificate: Certificate) -> str | None:
        """For TLS servers, read from cert9.db without certutil; None where it is not there."""
        entries = read_nss((self.path / "cert9.db").read_bytes()).entries
        found = [entry.use for entry in entries if entry.der == certificate.der]
        assert len(found) < 2
        return _USES[found[0]] if found else None


@pytest.fixture
def database(tmp_path: pathlib.Path) -> Database:
    require_programs("anchor", "certutil")
    return Database(tmp_path / "nss")


NICKNAMES = pytest.mark.parametrize("nickname", ["same", "another"])


@NICKNAMES
@pytest.mark.parametrize("twin", [FAKE, RENEWED], ids=["other key", "same key"])
def test_a_twin_that_is_not_trusted_stays_so(database: Database, twin: Certificate, nickname: str) -> None:
    database.add(REAL, "C,,")
    database.add(twin, ",,", nickname)
    assert not apply(REAL, database.store)["changed"]
    assert database.flags(twin) == ""
    assert not apply(twin, database.store, state="absent")["changed"]
    assert apply(twin, database.store)["changed"]
    assert (database.flags(REAL), database.flags(twin)) == ("C", "C")


@NICKNAMES
@pytest.mark.parametrize("twin", [FAKE, RENEWED], ids=["other key", "same key"])
def test_the_flags_of_a_twin_do_not_count(database: Database, twin: Certificate, nickname: str) -> None:
    database.add(REAL, ",,")
    database.add(twin, "C,C,", nickname)
    foreseen = apply(REAL, database.store, check=True)
    assert foreseen["changed"] and database.flags(REAL) == ""
    assert apply(REAL, database.store)["changed"]
    assert (database.flags(REAL), database.flags(twin)) == ("C", "C")
    assert "C,C," in database.certutil("-L"), "the flags of the twin for mail"


@NICKNAMES
def test_distrust_hits_one(database: Database, nickname: str) -> None:
    for certificate, name in ((REAL, "same"), (FAKE, nickname), (RENEWED, "third")):
        database.add(certificate, "C,,", name)
    for certificate in (FAKE, REAL):
        answer = apply(certificate, database.store, state="absent", force_distrust=True)
        assert answer["changed"] and answer["verified_by"] == ["certutil -L"]
        assert database.flags(certificate) == "p"
    assert database.flags(RENEWED) == "C"
    assert not apply(REAL, database.store, state="absent", force_distrust=True)["changed"]


@NICKNAMES
@pytest.mark.parametrize("twin", [FAKE, RENEWED], ids=["other key", "same key"])
@pytest.mark.parametrize("first", [True, False])
def test_absent_takes_one(database: Database, twin: Certificate, nickname: str, first: bool) -> None:
    """Where both share a nickname, certutil -D takes the one it likes best; the other can only lose its flags."""
    database.add(REAL, "C,,")
    database.add(twin, "C,,", nickname)
    goes, stays = (REAL, twin) if first else (twin, REAL)
    answer = apply(goes, database.store, state="absent")
    assert answer["changed"] and database.flags(goes) in (None, "") and database.flags(stays) == "C"
    assert (answer["mechanism"] == "certutil (flags taken)") == (database.flags(goes) == "")
    assert nickname == "same" or database.flags(goes) is None
    assert not apply(goes, database.store, state="absent")["changed"]


@pytest.mark.parametrize("twin", [FAKE, RENEWED], ids=["other key", "same key"])
@pytest.mark.parametrize("flags", ["C,,", "p,p,p"])
def test_a_root_whose_subject_is_there_can_be_added(database: Database, twin: Certificate, flags: str) -> None:
    """The re-certified root, and the one that was shadowed."""
    database.add(twin, flags)
    assert apply(REAL, database.store)["changed"]
    assert (database.flags(REAL), database.flags(twin)) == ("C", flags[0])
    assert not apply(REAL, database.store)["changed"]
    assert apply(REAL, database.store, state="absent")["mechanism"] == "certutil"
    assert (database.flags(REAL), database.flags(twin)) == (None, flags[0])
    refused(REAL, {**database.store, "nickname": "same"}, match="is that of another certificate")


def test_same_issuer_and_serial_is_refused(database: Database) -> None:
    """NSS tells certificates by issuer and serial number, and cannot hold both."""
    clone = root("Same Name", 1, 3000)
    database.add(clone, ",,")
    before = {path.name: path.read_bytes() for path in database.path.iterdir()}
    refused(REAL, database.store, match="certutil refuses .*REUSED_ISSUER_AND_SERIAL")
    assert {path.name: path.read_bytes() for path in database.path.iterdir()} == before


def test_flags_in_words_are_those_of_the_list(database: Database) -> None:
    for flags in ("CT,c,Pw", "c,T,C", "p,P,", "PC,,", "TC,C,c", ",,"):
        database.certutil("-D", "-n", "same")
        database.add(REAL, flags)
        listed = [line.split()[-1] for line in database.certutil("-L").splitlines() if line.startswith("same")]
        assert details(database.certutil("-L", "-n", "same")) == [(REAL.sha256, *listed)]


def test_text_that_feigns_an_entry_adds_one() -> None:
    """Then there are more than certificates, and nothing is believed."""
    digest = ":".join(["AB"] * 32)
    entry = f"    Fingerprint (SHA-256):\n        {digest}\n    Fingerprint (SHA1):\n        {digest[:59]}\n\n"
    flags = "    Certificate Trust Flags:\n        SSL Flags:\n            Trusted CA\n"
    flags += "        Email Flags:\n        Object Signing Flags:\n"
    assert details(entry + flags) == [("ab" * 32, "C,,")]
    assert details(entry + entry + flags) == [("ab" * 32, ",,"), ("ab" * 32, "C,,")]
