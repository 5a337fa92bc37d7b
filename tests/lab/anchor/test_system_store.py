# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The system's store in a copy of this machine: what openssl, curl, Python and p11-kit say afterwards is what counts."""

from __future__ import annotations

import functools
import pathlib
import subprocess
import typing as t

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from tests.conftest import require_programs
from tests.lab.anchor.machine import MOZILLA, VENDOR, Machine, machine
from tests.unit.anchor.module import tool
from tests.unit.anchor.pki import Certificate, root

ROOT = root()
_NO_REHASH = """#!/bin/sh
[ "$1" = rehash ] || exec openssl-real "$@"
"""
P11_KIT = ("rhel", "suse", "arch")


@functools.cache
def vendor_root() -> Certificate:
    """A root that the distribution ships; its key is of course not here."""
    return Certificate(
        x509.load_pem_x509_certificate((MOZILLA / VENDOR[0]).read_bytes()), ec.generate_private_key(ec.SECP256R1())
    )


@pytest.fixture
def debian(tmp_path: pathlib.Path) -> t.Iterator[Machine]:
    with machine("debian", tmp_path / "machine") as copy:
        yield copy


@pytest.fixture(params=P11_KIT)
def p11kit(request: pytest.FixtureRequest, tmp_path: pathlib.Path) -> t.Iterator[Machine]:
    with machine(request.param, tmp_path / "machine") as copy:
        yield copy


def test_the_copy_is_a_copy(debian: Machine) -> None:
    """What these tests rely on: nothing leads from the copy to the machine, and commands run nowhere else."""
    debian.sh("touch /etc/only-in-the-copy")
    assert not pathlib.Path("/etc/only-in-the-copy").exists()
    assert debian.sh("ls -A /.old") == ""
    guard = debian.inside[debian.inside.index("sh") :]
    done = subprocess.run([*guard, "echo", "it ran"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (99, ""), "a command ran outside of the copy"


def test_debian_there_and_back(debian: Machine) -> None:
    before = debian.files()
    assert not debian.trusts(ROOT)
    foreseen = debian.apply(ROOT, check=True)
    assert foreseen["changed"] and debian.files() == before
    answer = debian.apply(ROOT)
    assert answer["diff"] == foreseen["diff"]
    assert answer["store"] == {"type": "system", "path": "/etc/ssl/certs/ca-certificates.crt", "layout": "debian"}
    assert (answer["mechanism"], answer["verified_by"]) == ("update-ca-certificates", ["bundle", "openssl verify", "directory"])
    assert debian.trusts(ROOT)
    assert not debian.apply(ROOT)["changed"]
    assert debian.apply(ROOT, state="absent")["changed"]
    assert not debian.trusts(ROOT)
    assert debian.files() == before
    assert not debian.apply(ROOT, state="absent")["changed"]


def test_debian_vendor_root(debian: Machine) -> None:
    given, before = vendor_root(), debian.files()
    assert not debian.apply(given)["changed"], "installed a second time"
    assert debian.files() == before
    answer = debian.apply(given, state="absent", backup=True)
    assert answer["mechanism"] == "update-ca-certificates, ! in /etc/ca-certificates.conf"
    assert len(answer["backup_files"]) == 1
    assert f"!mozilla/{VENDOR[0]}\n" in debian.sh("cat /etc/ca-certificates.conf")
    assert given.pem not in debian.read()
    assert debian.say("openssl", "verify", "-no-CAfile", "-no-CAstore", "-CApath", "/etc/ssl/certs", given=given.pem).count(
        "error 18"
    )
    debian.sh("update-ca-certificates --fresh")
    assert not debian.apply(given, state="absent")["changed"]
    assert debian.apply(given)["changed"]
    assert debian.sh("cat /etc/ca-certificates.conf") == "".join(f"mozilla/{name}\n" for name in VENDOR)
    assert debian.files() == before


def test_debian_has_no_blocklist(debian: Machine) -> None:
    before = debian.files()
    debian.refused(ROOT, match="no list of blocked certificates", state="absent", force_distrust=True)
    assert debian.files() == before
    # A file that the distribution has, but not in use, can be barred before it is.
    debian.sh("sed -i 1d /etc/ca-certificates.conf; update-ca-certificates --fresh")
    assert not debian.apply(vendor_root(), state="absent")["changed"]
    assert debian.apply(vendor_root(), state="absent", force_distrust=True)["changed"]
    assert debian.sh("tail -1 /etc/ca-certificates.conf") == f"!mozilla/{VENDOR[0]}\n"


def test_debian_files_that_are_ignored(debian: Machine) -> None:
    """DER in a .crt, and PEM in a .pem: both are there, and neither counts."""
    local = "/usr/local/share/ca-certificates"
    debian.sh(f"mkdir -p {local}/mine; cat > {local}/mine/lab.pem", given=ROOT.pem)
    debian.sh(f"openssl x509 -in {local}/mine/lab.pem -outform der -out {local}/lab.crt; update-ca-certificates")
    assert not debian.trusts(ROOT)
    assert debian.apply(ROOT)["changed"]
    assert debian.trusts(ROOT)
    debian.apply(ROOT, state="absent")
    assert not debian.trusts(ROOT)
    assert debian.sh(f"find {local} -type f") == f"{local}/mine/lab.pem\n", "it was ignored, so it can stay"


def test_debian_file_of_others_keeps_its_other_certificates(debian: Machine) -> None:
    other = root("Other Root")
    both = "/usr/local/share/ca-certificates/both.crt"
    debian.sh(f"cat > {both}; update-ca-certificates", given="# ours\n" + ROOT.pem + "# theirs\n" + other.pem)
    assert debian.apply(ROOT, state="absent")["changed"]
    assert debian.sh(f"cat {both}") == "# ours\n# theirs\n" + other.pem
    assert ROOT.pem not in debian.read() and other.pem in debian.read()


def test_debian_file_of_several_does_not_reach_the_directory(debian: Machine) -> None:
    """The bundle has both, but `openssl rehash` passes over the file: the directory needs one of its own."""
    other = root("Other Root")
    local = "/usr/local/share/ca-certificates"
    debian.sh(f"cat > {local}/two.crt; update-ca-certificates", given=ROOT.pem + other.pem)
    assert ROOT.pem in debian.read()
    assert debian.apply(ROOT, check=True)["changed"]
    assert debian.apply(ROOT)["changed"]
    assert debian.trusts(ROOT) and not debian.apply(ROOT)["changed"]
    assert debian.sh(f"cat {local}/two.crt") == ROOT.pem + other.pem
    assert debian.apply(ROOT, state="absent")["changed"]
    assert not debian.trusts(ROOT) and debian.sh(f"ls {local}") == "two.crt\n"


def test_debian_says_which_of_bundle_and_directory_lacks_it(debian: Machine) -> None:
    """`openssl rehash` does nothing here."""
    debian.sh("mv /usr/bin/openssl /usr/bin/openssl-real; cat > /usr/bin/openssl; chmod 755 /usr/bin/openssl", given=_NO_REHASH)
    before = debian.sh("ls /usr/local/share/ca-certificates")
    answer = debian.refused(ROOT, match="the directory /etc/ssl/certs lacks the certificate")
    assert "another process" not in answer["msg"]
    assert debian.sh("ls /usr/local/share/ca-certificates") == before


def test_debian_rejecting_file_is_replaced(debian: Machine) -> None:
    local = "/usr/local/share/ca-certificates"
    debian.sh(f"openssl x509 -trustout -addreject serverAuth > {local}/corp.crt; update-ca-certificates", given=ROOT.pem)
    assert not debian.trusts(ROOT)
    assert debian.apply(ROOT, check=True)["changed"]
    assert debian.apply(ROOT)["changed"]
    assert debian.trusts(ROOT) and "corp.crt" not in debian.sh(f"ls {local}")
    assert not debian.apply(ROOT)["changed"]


def test_what_the_system_builds_is_looked_at(debian: Machine) -> None:
    """As a file or directory of its own it is not changed, and no error where it is as declared."""
    before = debian.files()
    for store in ({"type": "pem_file", "path": debian.bundle}, {"type": "pem_directory", "path": "/etc/ssl/certs"}):
        answer = debian.apply(vendor_root(), store=store)
        assert not answer["changed"] and "openssl verify" in answer["verified_by"]
        assert not debian.apply(ROOT, store=store, state="absent")["changed"]
        debian.refused(ROOT, store=store, match="built by update-ca-certificates; use type system")
        debian.refused(vendor_root(), store=store, state="absent", match="use type system")
    assert debian.files() == before


def test_keystore_that_ca_certificates_java_keeps(debian: Machine) -> None:
    """What is added stays over updates; what has an alias of its own kind would come back."""
    require_programs("anchor", "keytool")
    path = "/etc/ssl/certs/java/cacerts"
    add = f"keytool -importcert -noprompt -keystore {path} -storepass changeit -alias debian:isrg_root_x1.pem"
    debian.sh(f"mkdir -p /etc/ssl/certs/java; {add}", given=vendor_root().pem)
    store = {"type": "java", "path": path}
    assert debian.apply(ROOT, store=store)["changed"]
    assert debian.apply(ROOT, store=store, state="absent")["changed"]
    debian.refused(vendor_root(), store=store, state="absent", match="would bring debian:isrg_root_x1.pem back; use type system")


def test_shadowed_by_a_local_root(debian: Machine) -> None:
    """OpenSSL would take the other: the change is taken back, and the message names it."""
    pair = [root("Plain Root", number, identifier=False) for number in (1, 2)]
    # update-ca-certificates sorts by the names of the files, which start alike and end with the fingerprint.
    first, second = sorted(pair, key=lambda certificate: certificate.sha256)
    debian.apply(first)
    before = debian.files()
    answer = debian.refused(second, match=f"another key .SHA-256 {first.sha256}.")
    assert "The change was taken back: as before" in answer["msg"]
    assert debian.files() == before and debian.trusts(first)
    debian.apply(first, state="absent")
    assert debian.apply(second)["changed"] and debian.trusts(second)


def test_debian_same_name_other_key(debian: Machine) -> None:
    twin = root(number=2)
    debian.apply(ROOT)
    assert debian.apply(twin)["changed"]
    assert debian.trusts(ROOT) and debian.trusts(twin)
    debian.apply(ROOT, state="absent")
    assert debian.trusts(twin) and not debian.trusts(ROOT)


def test_tool_that_does_nothing_is_noticed(debian: Machine) -> None:
    before = debian.files()
    debian.sh("mv /usr/sbin/update-ca-certificates /usr/sbin/real; ln -s /bin/true /usr/sbin/update-ca-certificates")
    answer = debian.refused(ROOT, match="lacks the certificate")
    assert "The change was taken back: as before, /etc/ssl/certs/ca-certificates.crt does not trust" in answer["msg"]
    assert debian.files() == before
    debian.sh("ln -sf /bin/false /usr/sbin/update-ca-certificates")
    answer = debian.refused(ROOT, match="ended with status 1")
    assert "could not be taken back whole" in answer["msg"] and "does not trust the certificate" in answer["msg"]
    assert debian.files() == before


def test_other_certificates_that_go_are_told(debian: Machine) -> None:
    debian.sh(f"sed -i 's/^mozilla.{VENDOR[2]}/!&/' /etc/ca-certificates.conf")
    answer = debian.apply(ROOT)
    assert "also removed 1 other" in str(answer["warnings"])


def test_p11kit_there_and_back(p11kit: Machine) -> None:
    before = p11kit.files()
    assert not p11kit.trusts(ROOT)
    assert p11kit.apply(ROOT, check=True)["changed"] and p11kit.files() == before
    answer = p11kit.apply(ROOT)
    assert answer["store"] == {"type": "system", "path": p11kit.bundle, "layout": p11kit.layout}
    assert answer["verified_by"] == ["bundle", "openssl verify", "trust extract"]
    assert p11kit.trusts(ROOT) and "Lab Root" in p11kit.sh("trust list --filter=ca-anchors")
    assert not p11kit.apply(ROOT)["changed"]
    assert p11kit.apply(ROOT, state="absent")["changed"]
    assert not p11kit.trusts(ROOT) and "Lab Root" not in p11kit.sh("trust list")
    assert p11kit.files() == before
    assert not p11kit.apply(ROOT, state="absent")["changed"]


def test_p11kit_vendor_root(p11kit: Machine) -> None:
    given, before = vendor_root(), p11kit.files()
    assert not p11kit.apply(given)["changed"], "installed a second time"
    answer = p11kit.apply(given, state="absent")
    assert answer["changed"] and "blocklist" in answer["mechanism"]
    assert "DigiCert Global Root G2" not in p11kit.sh("trust list --filter=ca-anchors")
    assert "DigiCert Global Root G2" in p11kit.sh("trust list --filter=blocklist")
    assert not p11kit.apply(given, state="absent")["changed"]
    assert p11kit.apply(given)["changed"]
    assert "DigiCert Global Root G2" in p11kit.sh("trust list --filter=ca-anchors")
    assert p11kit.files() == before


def test_p11kit_force_distrust(p11kit: Machine) -> None:
    """Blocked before it comes: an anchor that somebody adds then does not count."""
    assert p11kit.apply(ROOT, state="absent", force_distrust=True)["changed"]
    assert not p11kit.apply(ROOT, state="absent", force_distrust=True)["changed"]
    p11kit.sh(f"cat > {p11kit.source}/anchors/theirs.pem; {p11kit.command}", given=ROOT.pem)
    assert not p11kit.trusts(ROOT)
    assert p11kit.apply(ROOT)["changed"]
    assert p11kit.trusts(ROOT)
    assert p11kit.sh(f"ls {p11kit.source}/anchors {p11kit.source}/blocklist").split() == [
        f"{p11kit.source}/anchors:",
        "theirs.pem",
        f"{p11kit.source}/blocklist:",
    ]


def limited(certificate: Certificate) -> str:
    """For mail only."""
    return tool("openssl", "x509", "-trustout", "-addtrust", "emailProtection", given=certificate.pem)


@pytest.mark.parametrize("place", ["", "/anchors"])
def test_p11kit_file_for_mail_only_is_replaced(p11kit: Machine, place: str) -> None:
    p11kit.sh(f"cat > {p11kit.source}{place}/corp.crt; {p11kit.command}", given=limited(ROOT))
    assert not p11kit.trusts(ROOT)
    assert p11kit.apply(ROOT, check=True)["changed"]
    assert p11kit.apply(ROOT)["changed"]
    assert p11kit.trusts(ROOT) and "corp.crt" not in p11kit.sh(f"find {p11kit.source}")
    assert not p11kit.apply(ROOT)["changed"]


def test_p11kit_file_that_distrusts_is_named(p11kit: Machine) -> None:
    text = f"[p11-kit-object-v1]\nx-distrusted: true\n{ROOT.pem}"
    p11kit.sh(f"cat > {p11kit.source}/corp.p11-kit; {p11kit.command}", given=text)
    before = p11kit.files()
    for check in (True, False):
        p11kit.refused(ROOT, match=f"{p11kit.source}/corp.p11-kit distrusts the certificate", check=check)
    assert p11kit.files() == before


def test_p11kit_keystore_that_is_built(p11kit: Machine) -> None:
    """Below the directory of what is built: not changed as a keystore of its own."""
    require_programs("anchor", "keytool")
    path = f"{pathlib.Path(p11kit.bundle).parent}/java-cacerts"
    add = f"keytool -importcert -noprompt -keystore {path} -storepass changeit -alias x"
    p11kit.sh(add, given=vendor_root().pem)
    before = p11kit.files()
    p11kit.refused(ROOT, store={"type": "java", "path": path}, match=f"built by {p11kit.command}; use type system")
    assert not p11kit.apply(vendor_root(), store={"type": "java", "path": path})["changed"]
    assert p11kit.files() == before


def test_p11kit_anchor_and_vendor(p11kit: Machine) -> None:
    """Both have it: the anchor goes, and the vendor's is blocked."""
    given = vendor_root()
    p11kit.sh(f"cat > {p11kit.source}/anchors/theirs.crt", given=given.pem)
    answer = p11kit.apply(given, state="absent")
    assert len(answer["diff"]) == 2 and given.pem not in p11kit.read()
    assert "theirs" not in p11kit.sh(f"ls {p11kit.source}/anchors")
