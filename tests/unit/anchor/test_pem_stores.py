# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""PEM files and hashed directories: what OpenSSL says afterwards is what counts."""

from __future__ import annotations

import pathlib

import pytest

from tests.conftest import require_programs
from tests.unit.anchor.module import apply, refused, run, tool
from tests.unit.anchor.pki import Certificate, root, server

ROOT = root()
OTHER = root("Other Root")
TWIN = root(number=2)


def trusted(certificate: Certificate, *store: str | pathlib.Path) -> bool:
    """Whether openssl trusts a server's certificate that it issued, by that store alone."""
    require_programs("anchor", "openssl")
    alone = ["-no-CAstore", "-no-CApath" if store[0] == "-CAfile" else "-no-CAfile"]
    said = tool("openssl", "verify", *alone, "-purpose", "sslserver", *store, given=server(certificate).pem)
    return "stdin: OK" in said


@pytest.fixture
def bundle(tmp_path: pathlib.Path) -> pathlib.Path:
    path = tmp_path / "bundle.pem"
    path.write_bytes(b"# a comment\r\n\r\nsome text\n" + OTHER.pem.encode().replace(b"\n", b"\r\n") + b"# the end, no line feed")
    path.chmod(0o640)
    return path


def test_file_there_and_back(bundle: pathlib.Path) -> None:
    before, store = bundle.read_bytes(), {"type": "pem_file", "path": str(bundle)}
    foreseen = apply(ROOT, store, check=True)
    assert foreseen["changed"] and bundle.read_bytes() == before
    first = apply(ROOT, store)
    assert (first["changed"], first["sha256"], first["verified_by"]) == (True, ROOT.sha256, ["pem", "openssl verify"])
    assert first["diff"] == foreseen["diff"] and ROOT.pem in first["diff"][0]["after"]
    assert bundle.read_bytes() == before + b"\n" + ROOT.pem.encode()
    assert bundle.stat().st_mode & 0o7777 == 0o640
    assert trusted(ROOT, "-CAfile", bundle) and trusted(OTHER, "-CAfile", bundle)
    assert not apply(ROOT, store)["changed"]
    assert apply(ROOT, store, state="absent")["changed"]
    assert bundle.read_bytes() == before + b"\n"
    assert not trusted(ROOT, "-CAfile", bundle) and trusted(OTHER, "-CAfile", bundle)
    assert not apply(ROOT, store, state="absent")["changed"]


def test_same_name_other_key_is_another_certificate(bundle: pathlib.Path) -> None:
    store = {"type": "pem_file", "path": str(bundle)}
    apply(ROOT, store)
    assert not apply(TWIN, store, state="absent")["changed"]
    assert apply(TWIN, store)["changed"]
    apply(ROOT, store, state="absent")
    assert trusted(TWIN, "-CAfile", bundle) and not trusted(ROOT, "-CAfile", bundle)


@pytest.mark.parametrize("use", [["-addreject", "serverAuth"], ["-addtrust", "emailProtection"]])
def test_block_that_forbids_servers_is_replaced(bundle: pathlib.Path, use: list[str]) -> None:
    block = tool("openssl", "x509", "-trustout", *use, given=ROOT.pem)
    assert "BEGIN TRUSTED CERTIFICATE" in block
    bundle.write_text(block)
    store = {"type": "pem_file", "path": str(bundle)}
    assert apply(ROOT, store)["changed"]
    assert bundle.read_text() == ROOT.pem
    assert "stdin: OK" in tool("openssl", "verify", "-no-CApath", "-CAfile", bundle, given=ROOT.pem)


def test_block_that_allows_servers_stays(bundle: pathlib.Path) -> None:
    bundle.write_text(tool("openssl", "x509", "-trustout", "-addtrust", "serverAuth", given=ROOT.pem))
    store = {"type": "pem_file", "path": str(bundle)}
    assert not apply(ROOT, store)["changed"]
    assert apply(ROOT, store, state="absent")["changed"] and bundle.read_bytes() == b""


@pytest.mark.parametrize("tail", [b"\0\n", b"-----END CERTIFICATE-----and more\n"])
def test_file_in_which_it_does_not_count_is_put_back(bundle: pathlib.Path, tail: bytes) -> None:
    """Behind a NUL nothing is read, and a block with text behind its end makes OpenSSL refuse the file."""
    bundle.write_bytes(OTHER.pem.encode().replace(b"-----END CERTIFICATE-----\n", b"") + tail)
    before = bundle.read_bytes()
    answer = refused(ROOT, {"type": "pem_file", "path": str(bundle)}, match="taken back")
    assert "does not trust the certificate" in answer["msg"]
    assert bundle.read_bytes() == before and [path.name for path in bundle.parent.iterdir()] == ["bundle.pem"]


def test_expired_root_can_be_held(tmp_path: pathlib.Path) -> None:
    old = root("Old Root", days=-100)
    store = {"type": "pem_file", "path": str(tmp_path / "new.pem")}
    assert apply(old, store)["verified_by"] == ["pem", "openssl verify"]
    assert "certificate has expired" in tool("openssl", "verify", "-CAfile", tmp_path / "new.pem", given=old.pem)


def test_link_to_file_stays_a_link(bundle: pathlib.Path) -> None:
    link = bundle.with_name("link.pem")
    link.symlink_to("bundle.pem")
    answer = apply(ROOT, {"type": "pem_file", "path": str(link)}, backup=True)
    assert link.is_symlink() and ROOT.pem.encode() in bundle.read_bytes()
    assert [pathlib.Path(path).read_bytes() for path in answer["backup_files"]] == [
        bundle.read_bytes()[: -len(ROOT.pem.encode()) - 1]
    ]


def names(directory: pathlib.Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


def test_directory_there_and_back(tmp_path: pathlib.Path) -> None:
    require_programs("anchor", "openssl")
    (tmp_path / "unlinked.pem").write_text(OTHER.pem)
    store = {"type": "pem_directory", "path": str(tmp_path)}
    assert apply(ROOT, store, check=True)["changed"] and names(tmp_path) == ["unlinked.pem"]
    answer = apply(ROOT, store)
    assert answer["verified_by"] == ["directory", "openssl verify"]
    assert trusted(ROOT, "-CApath", tmp_path)
    assert not trusted(OTHER, "-CApath", tmp_path), "a file that nobody asked for counts now"
    assert not apply(ROOT, store)["changed"]
    apply(ROOT, store, state="absent")
    assert names(tmp_path) == ["unlinked.pem"]
    assert not trusted(ROOT, "-CApath", tmp_path)


def test_directory_numbers_have_no_gap(tmp_path: pathlib.Path) -> None:
    """Three certificates of one name: OpenSSL stops at the first number that is not there."""
    third = root(number=3)
    store = {"type": "pem_directory", "path": str(tmp_path)}
    for certificate in (ROOT, TWIN, third):
        apply(certificate, store)
    assert len(names(tmp_path)) == 6
    apply(ROOT, store, state="absent")
    assert sorted(name[-2:] for name in names(tmp_path) if not name.endswith(".pem")) == [".0", ".1"]
    assert trusted(TWIN, "-CApath", tmp_path) and trusted(third, "-CApath", tmp_path)
    assert not trusted(ROOT, "-CApath", tmp_path)


def test_directory_made_by_others(tmp_path: pathlib.Path) -> None:
    """Hashed by `openssl rehash`: nothing to add, and the file of the administrator goes with its links."""
    (tmp_path / "mine.pem").write_text(ROOT.pem)
    (tmp_path / "twin.pem").write_text(TWIN.pem)
    tool("openssl", "rehash", tmp_path)
    store = {"type": "pem_directory", "path": str(tmp_path)}
    assert not apply(ROOT, store)["changed"]
    apply(ROOT, store, state="absent")
    assert [name for name in names(tmp_path) if name.endswith(".pem")] == ["twin.pem"]
    assert trusted(TWIN, "-CApath", tmp_path) and not trusted(ROOT, "-CApath", tmp_path)


def test_file_not_linked_is_linked(tmp_path: pathlib.Path) -> None:
    (tmp_path / "mine.pem").write_text(ROOT.pem)
    apply(ROOT, {"type": "pem_directory", "path": str(tmp_path)})
    assert len(names(tmp_path)) == 2 and trusted(ROOT, "-CApath", tmp_path)


@pytest.mark.parametrize(
    ("store", "more", "match"),
    [
        ({"type": "pem_file"}, {}, "absolute path"),
        ({"type": "pem_file", "path": "/nonexistent/a.pem"}, {}, "no directory /nonexistent"),
        ({"type": "pem_file", "path": "/etc/ssl"}, {}, "use type pem_directory"),
        ({"type": "pem_file", "path": "{here}/x.pem", "password": "geheim"}, {}, "store.password: goes with"),
        ({"type": "pem_file", "path": "/dev/null"}, {}, "not a regular file"),
        ({"type": "pem_file", "path": "{here}/x.pem"}, {"force_distrust": True}, "goes with state absent"),
        ({"type": "pem_file", "path": "{here}/x.pem"}, {"force_distrust": True, "state": "absent"}, "cannot distrust"),
        ({"type": "pem_file", "path": "{here}/x.pem"}, {"sha256": "0" * 64}, "does not have the SHA-256"),
        ({"type": "java", "path": "{here}/nothing.jks"}, {}, "no keystore"),
        ({"type": "nss", "path": "{here}"}, {}, "no cert9.db"),
    ],
)
def test_refused(store: dict[str, str], more: dict[str, object], match: str, tmp_path: pathlib.Path) -> None:
    store = {key: value.replace("{here}", str(tmp_path)) for key, value in store.items()}
    answer = refused(ROOT, store, match=match, **more)
    assert list(tmp_path.iterdir()) == []
    assert "geheim" not in str(answer)


def test_what_the_system_builds_is_refused() -> None:
    """It fails before anything is written; the machine's own bundle is what it speaks of."""
    require_programs("anchor", "update-ca-certificates")
    before = pathlib.Path("/etc/ssl/certs/ca-certificates.crt").read_bytes()
    for kind, path in (("pem_file", "/etc/ssl/certs/ca-certificates.crt"), ("pem_directory", "/etc/ssl/certs")):
        refused(ROOT, {"type": kind, "path": path}, match="use type system", check=True)
    assert pathlib.Path("/etc/ssl/certs/ca-certificates.crt").read_bytes() == before


def test_fifo_and_huge_files_end_in_an_error(tmp_path: pathlib.Path) -> None:
    huge = tmp_path / "huge.pem"
    with huge.open("wb") as stream:
        stream.truncate(100 << 20)
    assert "bytes" in run(ROOT, {"type": "pem_file", "path": str(huge)})["msg"]
    loop = tmp_path / "loop.pem"
    loop.symlink_to("loop.pem")
    assert run(ROOT, {"type": "pem_file", "path": str(loop)})["failed"]
