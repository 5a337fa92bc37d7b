# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Stores outside of the system's: no room, read-only, two runs at once, and programs that connect after a change."""

from __future__ import annotations

import collections.abc
import os
import pathlib
import subprocess
import sys
import typing as t

import pytest

from tests.conftest import require_programs
from tests.lab.anchor.machine import Machine, clean_environment, machine, tls_server
from tests.unit.anchor import module
from tests.unit.anchor.pki import Certificate, root

ROOT = root()
OTHER = root("Other Root")
#: A small file system of its own.
PLACE = "/tmp/place"  # noqa: S108 - in the copy
KEYTOOL = f"keytool -keystore {PLACE}/store -storepass changeit"
CERTUTIL = f"certutil -d sql:{PLACE}/store"
#: How other people's tools make a store, from a PEM file on standard input, and what they list of it.
MAKE: dict[str, tuple[str, str]] = {
    "pem_file": (f"cat > {PLACE}/store", f"cat {PLACE}/store"),
    "pem_directory": (
        f"mkdir {PLACE}/store; cat > {PLACE}/store/other.pem; openssl rehash {PLACE}/store",
        f"cat {PLACE}/store/*.0",
    ),
    "java": (f"{KEYTOOL} -importcert -noprompt -alias other", f"{KEYTOOL} -list -rfc"),
    "nss": (
        f"mkdir {PLACE}/store; {CERTUTIL} -N --empty-password; {CERTUTIL} -A -a -n other -t C,,",
        f"{CERTUTIL} -L -a -n other",
    ),
}
KINDS = pytest.mark.parametrize("kind", list(MAKE))


@pytest.fixture
def copy(tmp_path: pathlib.Path) -> collections.abc.Iterator[Machine]:
    require_programs("anchor", "keytool", "certutil")
    with machine("debian", tmp_path / "machine") as made:
        yield made


def make(copy: Machine, kind: str) -> dict[str, t.Any]:
    copy.sh(f"mkdir {PLACE}; mount -t tmpfs -o size=256k tmpfs {PLACE}")
    copy.sh(MAKE[kind][0], given=OTHER.pem)
    return {"type": kind, "path": f"{PLACE}/store"}


def files(copy: Machine) -> str:
    return copy.sh(f"cd {PLACE}; find . ! -name 'fill*' | sort; find . -type f ! -name 'fill*' | sort | xargs sha256sum")


@KINDS
def test_full_disk(copy: Machine, kind: str) -> None:
    store = make(copy, kind)
    before = files(copy)
    copy.sh(f"for size in 4096 512; do dd if=/dev/zero of={PLACE}/fill$size bs=$size 2>/dev/null || true; done")
    answer = copy.refused(ROOT, store=store, match="[Nn]o space")
    assert "Traceback" not in str(answer)
    assert files(copy) == before
    assert OTHER.pem in copy.sh(MAKE[kind][1]).replace("\r", "")
    copy.sh(f"rm {PLACE}/fill*")
    assert copy.apply(ROOT, store=store)["changed"]


@KINDS
def test_read_only_file_system(copy: Machine, kind: str) -> None:
    store = make(copy, kind)
    before = files(copy)
    copy.sh(f"mount -o remount,ro {PLACE}")
    answer = copy.refused(ROOT, store=store, match="Read-only file system")
    assert "Traceback" not in str(answer)
    assert copy.apply(ROOT, store=store, check=True)["changed"], "to look is possible"
    copy.sh(f"mount -o remount,rw {PLACE}")
    assert files(copy) == before


@KINDS
def test_two_at_once(copy: Machine, kind: str) -> None:
    """Of the same and of different roots: each ends well, one after the other."""
    store, third = make(copy, kind), root("Third Root")
    runs = [module.start(certificate, store, copy.inside) for certificate in (ROOT, third, ROOT, third)]
    answers = [run.communicate()[0] for run in runs]
    assert all('"failed": true' not in answer for answer in answers), answers
    assert sum('"changed": true' in answer for answer in answers) == 2
    for certificate in (ROOT, third, OTHER):
        assert not copy.apply(certificate, store=store)["changed"]


_PYTHON = """
import ssl, sys, urllib.request
context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
context.load_verify_locations(**{sys.argv[1]: sys.argv[2]})
urllib.request.urlopen(sys.argv[3], timeout=10, context=context).read()
"""


def connects(certificate: Certificate, store: dict[str, str]) -> bool:
    """Whether curl and Python connect to a TLS server of that root by the store; they must agree."""
    option, keyword = ("--cacert", "cafile") if store["type"] == "pem_file" else ("--capath", "capath")
    with tls_server(certificate) as url:
        commands = (
            ["curl", "--silent", "--output", os.devnull, option, store["path"], url],
            [sys.executable, "-c", _PYTHON, keyword, store["path"], url],
        )
        said = [
            subprocess.run(command, capture_output=True, timeout=30, check=False, env=clean_environment()).returncode
            for command in commands
        ]
    # 60 is curl's for a certificate that cannot be verified.
    assert said in ([0, 0], [60, 1]), said
    return said == [0, 0]


@pytest.mark.parametrize("kind", ["pem_file", "pem_directory"])
def test_connections(kind: str, tmp_path: pathlib.Path) -> None:
    require_programs("anchor", "curl", "openssl")
    store = {"type": kind, "path": str(tmp_path / "bundle.pem") if kind == "pem_file" else str(tmp_path)}
    module.apply(OTHER, store)
    assert connects(OTHER, store) and not connects(ROOT, store)
    module.apply(ROOT, store)
    assert connects(OTHER, store) and connects(ROOT, store)
    module.apply(ROOT, store, state="absent")
    assert connects(OTHER, store) and not connects(ROOT, store)
