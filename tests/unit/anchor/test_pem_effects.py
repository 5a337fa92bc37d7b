# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""PEM files and directories in which OpenSSL does not do what they seem to say, and check mode that foresees it."""

from __future__ import annotations

import pathlib
import typing as t

import pytest
from ansible_collections.mailops.tls.plugins.module_utils._anchor.rival import parts_of

from tests.conftest import require_programs
from tests.unit.anchor.module import apply, refused, tool
from tests.unit.anchor.pki import Certificate, root, server

ROOT = root()
OTHER = root("Other Root")
#: Two roots of one name that chains cannot tell apart, and one of it that has expired.
FIRST, SECOND = (root("Plain Root", number, identifier=False) for number in (1, 2))
EXPIRED = root("Plain Root", 3, -10, identifier=False)


def trusted(certificate: Certificate, store: dict[str, str]) -> bool:
    """Whether openssl trusts a server's certificate that it issued, by that store alone."""
    require_programs("anchor", "openssl")
    place, other = ("-CAfile", "-CApath") if store["type"] == "pem_file" else ("-CApath", "-CAfile")
    options = ["-no-CAstore", f"-no{other}", "-purpose", "sslserver", place, store["path"]]
    return "stdin: OK" in tool("openssl", "verify", *options, given=server(certificate).pem)


def rejecting(certificate: Certificate) -> str:
    return tool("openssl", "x509", "-trustout", "-addreject", "serverAuth", given=certificate.pem)


def content(directory: pathlib.Path) -> dict[str, bytes | str]:
    found: dict[str, bytes | str] = {}
    for path in directory.iterdir():
        found[path.name] = str(path.readlink()) if path.is_symlink() else path.read_bytes()
    return found


def make(kind: str, here: pathlib.Path, certificates: t.Iterable[Certificate]) -> dict[str, str]:
    """A store of a kind with certificates in that order."""
    here.mkdir()
    if kind == "pem_file":
        (here / "bundle.pem").write_text("".join(certificate.pem for certificate in certificates))
        return {"type": kind, "path": str(here / "bundle.pem")}
    for number, certificate in enumerate(certificates):
        (here / f"{number}.pem").write_text(certificate.pem)
        digest = tool("openssl", "x509", "-noout", "-hash", given=certificate.pem).strip()
        (here / f"{digest}.{number}").symlink_to(f"{number}.pem")
    return {"type": kind, "path": str(here)}


KINDS = pytest.mark.parametrize("kind", ["pem_file", "pem_directory"])


@KINDS
@pytest.mark.parametrize("there", [[FIRST], [FIRST, SECOND]], ids=["to add", "there already"])
def test_shadowed_root_is_no_success(kind: str, there: list[Certificate], tmp_path: pathlib.Path) -> None:
    """OpenSSL takes the first of two that no key identifier tells apart, and refuses what the second signed."""
    store = make(kind, tmp_path / "store", there)
    before = content(tmp_path / "store")
    for check in (True, False):
        answer = refused(SECOND, store, match="another key .* comes first", check=check)
        assert FIRST.sha256 in answer["msg"]
        assert content(tmp_path / "store") == before
    assert trusted(FIRST, store) and not trusted(SECOND, store)
    apply(FIRST, store, state="absent")
    apply(SECOND, store)
    assert trusted(SECOND, store)


@KINDS
def test_expired_root_of_the_name_is_no_rival(kind: str, tmp_path: pathlib.Path) -> None:
    store = make(kind, tmp_path / "store", [EXPIRED])
    assert apply(SECOND, store, check=True)["changed"]
    assert apply(SECOND, store)["changed"]
    assert trusted(SECOND, store)


def test_a_certificate_that_is_no_ca_is_told(tmp_path: pathlib.Path) -> None:
    store = {"type": "pem_file", "path": str(tmp_path / "own.pem")}
    assert "not one of a CA" in str(apply(root("Server", ca=False), store)["warnings"])
    assert "warnings" not in apply(root("Server", ca=False), store, state="absent")
    assert "warnings" not in apply(ROOT, store)


@pytest.mark.parametrize("cut", [0, 1, 5, 40, 200])
def test_what_is_no_certificate_has_no_parts(cut: int) -> None:
    assert parts_of(ROOT.der[:cut]) is None
    assert parts_of(ROOT.der[:cut] + b"\xff" * 300) is None


def test_rejecting_entry_of_a_directory_is_replaced(tmp_path: pathlib.Path) -> None:
    (tmp_path / "rj.pem").write_text(rejecting(ROOT) + OTHER.pem)
    digest = tool("openssl", "x509", "-noout", "-hash", given=ROOT.pem).strip()
    (tmp_path / f"{digest}.0").symlink_to("rj.pem")
    store = {"type": "pem_directory", "path": str(tmp_path)}
    assert apply(ROOT, store, check=True)["changed"]
    assert apply(ROOT, store)["changed"]
    assert (tmp_path / "rj.pem").read_text() == OTHER.pem + ROOT.pem
    assert trusted(ROOT, store) and not apply(ROOT, store)["changed"]


def test_rejecting_file_elsewhere_is_named(tmp_path: pathlib.Path) -> None:
    (tmp_path / "rj.pem").write_text(rejecting(ROOT))
    (tmp_path / "certs").mkdir()
    digest = tool("openssl", "x509", "-noout", "-hash", given=ROOT.pem).strip()
    (tmp_path / "certs" / f"{digest}.0").symlink_to("../rj.pem")
    for check in (True, False):
        refused(ROOT, {"type": "pem_directory", "path": str(tmp_path / "certs")}, match="rj.pem.* forbids it", check=check)


def test_the_first_copy_in_a_directory_decides(tmp_path: pathlib.Path) -> None:
    store = make("pem_directory", tmp_path / "store", [ROOT, ROOT])
    assert not apply(ROOT, store)["changed"]
    (tmp_path / "store" / "0.pem").write_text(rejecting(ROOT))
    assert not trusted(ROOT, store)
    assert apply(ROOT, store)["changed"] and trusted(ROOT, store)


def test_link_by_the_name_of_another_does_not_count(tmp_path: pathlib.Path) -> None:
    """OpenSSL looks for a certificate by the hash of its own subject."""
    (tmp_path / "both.pem").write_text(OTHER.pem + ROOT.pem)
    digest = tool("openssl", "x509", "-noout", "-hash", given=OTHER.pem).strip()
    (tmp_path / f"{digest}.0").symlink_to("both.pem")
    store = {"type": "pem_directory", "path": str(tmp_path)}
    assert not trusted(ROOT, store)
    assert apply(ROOT, store)["changed"] and trusted(ROOT, store)
    assert not apply(ROOT, store)["changed"]


def test_large_file_that_openssl_does_not_open(tmp_path: pathlib.Path) -> None:
    with (tmp_path / "big.log").open("wb") as stream:
        stream.truncate(20 << 20)
    store = {"type": "pem_directory", "path": str(tmp_path)}
    assert apply(ROOT, store)["changed"] and trusted(ROOT, store)
    assert apply(ROOT, store, state="absent")["changed"] and not trusted(ROOT, store)


DAMAGED = OTHER.pem.replace("-----END CERTIFICATE-----\n", "-----END CERTIFICATE-----and more\n")


@pytest.mark.parametrize("text", [DAMAGED, ROOT.pem + DAMAGED], ids=["to add", "there already"])
def test_check_mode_foresees_that_openssl_refuses_the_file(text: str, tmp_path: pathlib.Path) -> None:
    path = tmp_path / "bundle.pem"
    path.write_text(text)
    store = {"type": "pem_file", "path": str(path)}
    for check in (True, False):
        answer = refused(ROOT, store, match="bundle.pem", check=check)
        assert "OpenSSL loads nothing of" in answer["msg"] and "text behind the END line" in answer["msg"]
        assert path.read_text() == text and len(list(tmp_path.iterdir())) == 1


def test_check_mode_foresees_that_openssl_stops_at_an_entry(tmp_path: pathlib.Path) -> None:
    """At an entry that it cannot read it stops, and does not come to the next number."""
    digest = tool("openssl", "x509", "-noout", "-hash", given=ROOT.pem).strip()
    (tmp_path / f"{digest}.0").write_text("no certificate\n")
    before = content(tmp_path)
    for check in (True, False):
        refused(ROOT, {"type": "pem_directory", "path": str(tmp_path)}, match="openssl verify", check=check)
        assert content(tmp_path) == before


@pytest.mark.parametrize(
    "store",
    [
        {"type": "pem_file", "path": "gone.pem"},
        {"type": "pem_file", "path": "gone/gone.pem"},
        {"type": "pem_directory", "path": "gone"},
        {"type": "java", "path": "gone.jks"},
        {"type": "java", "path": "gone/gone.jks"},
        {"type": "java", "path": ""},
        {"type": "nss", "path": "gone"},
        {"type": "nss", "path": ""},
    ],
)
def test_absent_from_a_store_that_is_not_there(store: dict[str, str], tmp_path: pathlib.Path) -> None:
    store = {**store, "path": str(tmp_path / store["path"])}
    for check in (True, False):
        answer = apply(ROOT, store, state="absent", check=check)
        assert not answer["changed"] and answer["store"]["type"] == store["type"]
    assert list(tmp_path.iterdir()) == []


def test_a_loop_of_links_is_not_nothing(tmp_path: pathlib.Path) -> None:
    loop = tmp_path / "loop"
    loop.symlink_to("loop")
    refused(ROOT, {"type": "pem_file", "path": str(loop / "x.pem")}, match="no directory", state="absent")


@pytest.mark.parametrize("store", [{"type": "pem_file", "path": "new/x.pem"}, {"type": "pem_directory", "path": "new"}])
def test_check_mode_where_an_earlier_task_makes_the_directory(store: dict[str, str], tmp_path: pathlib.Path) -> None:
    store = {**store, "path": str(tmp_path / store["path"])}
    foreseen = apply(ROOT, store, check=True)
    assert foreseen["changed"] and list(tmp_path.iterdir()) == []
    refused(ROOT, store, match="no directory")
    (tmp_path / "new").mkdir()
    assert apply(ROOT, store)["diff"] == foreseen["diff"]


def test_what_the_system_builds_may_be_looked_at() -> None:
    """In check mode, since it is the machine's own: what is so already is no error."""
    require_programs("anchor", "update-ca-certificates")
    bundle = pathlib.Path("/etc/ssl/certs/ca-certificates.crt")
    before = bundle.read_bytes()
    for kind, path in (("pem_file", str(bundle)), ("pem_directory", "/etc/ssl/certs")):
        assert not apply(ROOT, {"type": kind, "path": path}, state="absent", check=True)["changed"]
    assert bundle.read_bytes() == before
