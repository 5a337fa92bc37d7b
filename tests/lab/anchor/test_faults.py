# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Killed at any moment, no room, read-only, two at once: the store is the old or the new one, and the next run finishes."""

from __future__ import annotations

import collections.abc
import pathlib
import time
import typing as t

import pytest
from ansible_collections.mailops.tls.plugins.module_utils import _files
from ansible_collections.mailops.tls.plugins.module_utils._anchor import common

from tests.conftest import require_programs
from tests.lab.anchor.machine import Machine, machine
from tests.unit.anchor import module
from tests.unit.anchor.pki import Certificate, root

ROOT = root()
OTHER = root("Other Root")
Copies = collections.abc.Iterator[Machine]


@pytest.fixture
def debian(tmp_path: pathlib.Path) -> Copies:
    with machine("debian", tmp_path / "machine") as copy:
        yield copy


@pytest.fixture
def rhel(tmp_path: pathlib.Path) -> Copies:
    with machine("rhel", tmp_path / "machine") as copy:
        yield copy


def kill_everywhere(
    run: collections.abc.Callable[[str], float], kill: collections.abc.Callable[[str, float], None], look: t.Any, steps: int
) -> int:
    """Kill changes there and back at moments spread over their whole time; how many were really cut off.

    run: makes a state and gives the seconds that took. kill: the same, killed after seconds. look: what the store is now.
    """
    old = look()
    took = run("present")
    new = look()
    assert old != new
    run("absent")
    assert look() == old
    cut = 0
    for state, before, after in (("present", old, new), ("absent", new, old)):
        for step in range(steps):
            if look() != before:
                run("absent" if state == "present" else "present")
            assert look() == before
            # Half of the time goes by before Python has read the module at all.
            kill(state, took * (0.25 + 0.75 * step / steps))
            assert look() in (before, after), f"{state}, step {step}"
            cut += look() == before
            run(state)
            assert look() == after, f"{state}, step {step}: the next run did not finish"
    return cut


def _killed(store: dict[str, t.Any], look: t.Any, steps: int) -> int:
    """kill_everywhere for a store outside of the system's."""

    def run(state: str) -> float:
        begin = time.monotonic()
        module.apply(ROOT, store, state=state)
        return time.monotonic() - begin

    def kill(state: str, seconds: float) -> None:
        process = module.start(ROOT, store, (), state=state)
        time.sleep(seconds)
        process.kill()
        process.communicate()

    return kill_everywhere(run, kill, look, steps)


def test_killed_pem_file(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "bundle.pem"
    path.write_text(OTHER.pem)
    store = {"type": "pem_file", "path": str(path)}

    assert _killed(store, path.read_bytes, 5) > 0
    assert [entry.name for entry in tmp_path.iterdir()] == ["bundle.pem"], "what killed runs left is still there"


def test_leftovers_are_cleaned(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "bundle.pem"
    (tmp_path / ".mailops_tls.left").write_text("half")
    (tmp_path / ".mailops_tls.copy").mkdir()
    (tmp_path / ".mailops_tls.copy" / "keystore").write_text("half")
    module.apply(ROOT, {"type": "pem_file", "path": str(path)})
    assert [entry.name for entry in tmp_path.iterdir()] == ["bundle.pem"]


def test_killed_nss_database(tmp_path: pathlib.Path) -> None:
    """Two files change: certutil must take the other root at any moment, and the next run finishes."""
    require_programs("anchor", "certutil")
    database = tmp_path / "nss"
    database.mkdir()
    module.tool("certutil", "-N", "-d", f"sql:{database}", "--empty-password")
    module.tool("certutil", "-A", "-d", f"sql:{database}", "-n", "other", "-t", "C,,", "-a", given=OTHER.pem)
    store = {"type": "nss", "path": str(database), "nickname": "lab"}

    def look() -> bool:
        def valid(name: str) -> bool:
            return "certificate is valid" in module.tool("certutil", "-V", "-d", f"sql:{database}", "-n", name, "-u", "L")

        assert valid("other")
        return valid("lab")

    assert _killed(store, look, 3) > 0
    assert sorted(entry.name for entry in database.iterdir()) == ["cert9.db", "key4.db", "pkcs11.txt"]


@pytest.mark.parametrize("kind", ["JKS", "PKCS12"])
def test_killed_keystore(kind: str, tmp_path: pathlib.Path) -> None:
    """keytool must open the keystore at any moment, with the other root in it."""
    require_programs("anchor", "keytool")
    path = tmp_path / "cacerts"
    words = ("keytool", "-keystore", path, "-storepass", "changeit")
    module.tool(*words, "-importcert", "-noprompt", "-alias", "other", "-storetype", kind, given=OTHER.pem)

    def look() -> list[str]:
        listed = module.tool(*words, "-list", "-v").replace(":", "").lower()
        assert OTHER.sha256 in listed
        return [name for name in (ROOT.sha256, OTHER.sha256) if name in listed]

    assert _killed({"type": "java", "path": str(path)}, look, 3) > 0
    assert [entry.name for entry in tmp_path.iterdir()] == ["cacerts"]


def test_killed_directory(tmp_path: pathlib.Path) -> None:
    """Openssl finds the other root at any moment, and this one either whole or not at all."""
    require_programs("anchor", "openssl")
    (tmp_path / "other.pem").write_text(OTHER.pem)
    module.tool("openssl", "rehash", tmp_path)

    def look() -> bool:
        def found(certificate: Certificate) -> bool:
            return "stdin: OK" in module.tool("openssl", "verify", "-no-CAfile", "-CApath", tmp_path, given=certificate.pem)

        assert found(OTHER)
        return found(ROOT)

    assert _killed({"type": "pem_directory", "path": str(tmp_path)}, look, 5) > 0
    assert not [entry.name for entry in tmp_path.iterdir() if entry.name.startswith(".")]


def _kill_inside(copy: Machine, state: str, seconds: float) -> None:
    """Start the module in the copy and kill it, not what it started: that goes on, and holds the lock."""
    process = module.start(ROOT, None, [*copy.inside, "sh", "-c", 'echo $$ > /tmp/pid; exec "$@"', "sh"], state=state)
    time.sleep(seconds)
    copy.say("sh", "-c", "kill -9 $(cat /tmp/pid)")
    process.communicate()


@pytest.mark.parametrize("layout", ["debian", "rhel"])
def test_killed_system_store(layout: str, tmp_path: pathlib.Path) -> None:
    with machine(layout, tmp_path / "machine") as copy:

        def run(state: str) -> float:
            begin = time.monotonic()
            copy.apply(ROOT, state=state)
            return time.monotonic() - begin

        assert kill_everywhere(run, lambda state, seconds: _kill_inside(copy, state, seconds), copy.read, 3) > 0
        assert ".mailops_tls." not in copy.files()


def test_killed_by_the_tool_itself(debian: Machine) -> None:
    """The worst moment: the source is changed, the bundle is not."""
    before = debian.read()
    debian.sh(
        "cd /usr/sbin; cp update-ca-certificates /tmp/real; "
        "printf '#!/bin/sh\\nkill -9 $PPID\\nsleep 0.3\\n' > update-ca-certificates"
    )
    done = module.start(ROOT, None, debian.inside)
    assert done.communicate()[0] == "" and done.returncode != 0
    assert debian.read() == before
    # Not written in place: a shell that still runs would read on in it.
    debian.sh("rm /usr/sbin/update-ca-certificates; cp /tmp/real /usr/sbin/update-ca-certificates")
    assert debian.apply(ROOT)["changed"] and debian.trusts(ROOT)


def test_links_half_made_are_finished(debian: Machine) -> None:
    """update-ca-certificates makes no hashed links when it was killed after the others: OpenSSL would never find it."""
    debian.apply(ROOT)
    debian.sh("cd /etc/ssl/certs; for name in *.0; do case $(readlink $name) in mailops*) rm $name;; esac; done")
    debian.sh("update-ca-certificates")
    assert debian.apply(ROOT)["changed"] and debian.trusts(ROOT)


def test_full_disk(debian: Machine) -> None:
    before = debian.files()
    debian.sh("dd if=/dev/zero of=/etc/fill bs=64k 2>/dev/null || true; dd if=/dev/zero of=/etc/fill2 bs=512 2>/dev/null || true")
    answer = debian.refused(ROOT, match="[Nn]o space|does not trust")
    assert "does not trust the certificate" in answer["msg"]
    debian.sh("rm /etc/fill /etc/fill2")
    assert debian.files() == before
    assert debian.apply(ROOT)["changed"] and debian.trusts(ROOT)


def test_read_only_file_system(debian: Machine) -> None:
    before = debian.files()
    debian.sh("mount -o remount,bind,ro /")
    answer = debian.refused(ROOT, match="Read-only file system")
    assert "Nothing was changed" in answer["msg"]
    assert debian.apply(ROOT, check=True)["changed"], "to look is possible"
    debian.sh("mount -o remount,bind,rw /")
    assert debian.files() == before


def test_bundle_alone_is_read_only(rhel: Machine) -> None:
    """The source can be written, what is built from it cannot: it is taken back."""
    before = rhel.files()
    place = str(pathlib.Path(rhel.bundle).parent)
    rhel.sh(f"mount --bind {place} {place}; mount -o remount,bind,ro {place}")
    answer = rhel.refused(ROOT, match="Read-only|ended with status|crosses|cross-device")
    assert "does not trust the certificate" in answer["msg"]
    rhel.sh(f"umount {place}")
    assert rhel.files() == before


def test_two_at_once(debian: Machine) -> None:
    """Of the same and of different roots: each ends well, one after the other."""
    runs = [module.start(certificate, None, debian.inside) for certificate in (ROOT, OTHER, ROOT, OTHER)]
    answers = [run.communicate()[0] for run in runs]
    assert all('"failed": true' not in answer for answer in answers), answers
    assert sum('"changed": true' in answer for answer in answers) == 2
    assert debian.trusts(ROOT) and debian.trusts(OTHER)


def test_lock_that_is_never_released(tmp_path: pathlib.Path) -> None:
    held = _files.lock(str(tmp_path), 0)
    with pytest.raises(_files.BusyError):
        _files.lock(str(tmp_path), 0.2)
    held.close()
    _files.lock(str(tmp_path), 0).close()


def test_file_changed_by_others_meanwhile(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "bundle.pem"
    path.write_bytes(b"one")
    edit = common.Edit(str(path), b"one", b"two")
    path.write_bytes(b"theirs")
    with pytest.raises(common.AnchorError, match="changed by another process"):
        edit.apply()
    assert path.read_bytes() == b"theirs"
