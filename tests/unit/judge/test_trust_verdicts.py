# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every type of store in every verdict that it can have, beside the program that owns the format."""

from __future__ import annotations

import base64
import datetime as dt
import os
import pathlib
import re
import subprocess
import typing as t

import pytest
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.trust.der import read_certificate, subject_hash
from ansible_collections.mailops.tls.plugins.plugin_utils._profiles.certificates import pem_to_der

from tests.conftest import require_programs
from tests.unit.judge.test_trust_judge import Authority, judge, named, openssl_trusts, statuses
from tests.unit.keystores.makers import PASSWORD, keytool_trusts, run

#: Name of a case to the validity in days and what the store is made to say of the root.
DAYS = {"expired": (-20, -10), "not_yet_valid": (10, 20)}
PEM = ("present", "absent", "expired", "not_yet_valid", "distrusted", "wrong_use", "shadowed", "not_effective", "unknown")
CASES = {
    "system": PEM,
    "pem_file": PEM,
    "python": PEM,
    "pem_directory": PEM,
    # Java has no word for distrust or use in a keystore, and takes the next where a key does not fit.
    "JKS": ("present", "absent", "expired", "not_yet_valid", "not_effective", "unknown"),
    "PKCS12": ("present", "absent", "expired", "not_yet_valid", "not_effective", "unknown"),
    "nss": ("present", "absent", "expired", "not_yet_valid", "distrusted", "wrong_use", "not_effective", "unknown"),
}
TABLE = [(kind, status) for kind, verdicts in CASES.items() for status in verdicts]
NOW_REAL = dt.datetime.now(dt.timezone.utc)


class World:
    """A root, a server's certificate below it, and a stranger; dates are real, because the other programs go by the clock."""

    def __init__(self, folder: pathlib.Path, status: str) -> None:
        self.folder, self.status = folder, status
        real, rival = Authority(named("Lab Root")), Authority(named("Lab Root"))
        self.root = real.certificate(days=DAYS.get(status, (-10, 3650)), now=NOW_REAL, identifier=real.key)
        self.rival = rival.certificate(now=NOW_REAL)
        self.stranger = Authority(named("Stranger")).certificate(now=NOW_REAL)
        self.leaf = Authority(named("leaf")).certificate(real, now=NOW_REAL, identified=True)

    def write(self, name: str, text: str) -> pathlib.Path:
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="ascii")
        return path

    def trusted(self, *options: str) -> str:
        command = ["openssl", "x509", "-trustout", *options]
        return subprocess.run(command, input=self.root, capture_output=True, text=True, check=True).stdout

    def held(self) -> list[str]:
        """What a store of PEM holds in this case."""
        odd = base64.encodebytes(pem_to_der(self.root) + b"\x30\x03\x30\x01\x05").decode()
        return {
            "absent": [self.stranger],
            "distrusted": [self.trusted("-addreject", "serverAuth")],
            "wrong_use": [self.trusted("-addtrust", "emailProtection")],
            "shadowed": [self.rival, self.root],
            "unknown": [f"-----BEGIN TRUSTED CERTIFICATE-----\n{odd}-----END TRUSTED CERTIFICATE-----\n"],
        }.get(self.status, [self.root])


def make_file(world: World) -> tuple[pathlib.Path, bool]:
    damage = "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n" if world.status == "not_effective" else ""
    store = world.write("cacert.pem", "".join(world.held()) + damage)
    return store, openssl_trusts(world.leaf, world.folder, "-CAfile", store)


def make_directory(world: World) -> tuple[pathlib.Path, bool]:
    digest = subject_hash(read_certificate(pem_to_der(world.root)).subject)
    for number, pem in enumerate(world.held()):
        world.write(f"store/{'root' if world.status == 'not_effective' else f'{digest}.{number}'}", pem)
    return world.folder / "store", openssl_trusts(world.leaf, world.folder, "-CApath", world.folder / "store")


def make_keystore(kind: str, world: World) -> tuple[pathlib.Path, bool]:
    require_programs("keystores of Java", "keytool")
    store = world.folder / "store"
    options = ("-keystore", store, "-storetype", kind, "-storepass", PASSWORD)
    if world.status == "unknown":
        store.write_bytes(
            b"\xfe\xed\xfe\xed" + os.urandom(64) if kind == "JKS" else b"\x30\x82\x01\x00\x02\x01\x03" + os.urandom(64)
        )
        done = subprocess.run([str(word) for word in ("keytool", "-list", *options)], capture_output=True, text=True, check=False)
        assert done.returncode
        return store, False
    if world.status == "not_effective" and kind == "PKCS12":
        source = world.write("root.pem", world.root)
        run("openssl", "pkcs12", "-export", "-nokeys", "-in", source, "-out", store, "-passout", f"pass:{PASSWORD}")
    elif world.status == "not_effective":
        # Behind the certificate of a key: there, and no anchor.
        run("keytool", "-genkeypair", "-alias", "own", "-keyalg", "EC", "-dname", "CN=own", *options, "-keypass", PASSWORD)
        request = world.write("request", run("keytool", "-certreq", "-alias", "own", *options))
        key = world.folder / "ca.key"
        run("openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", key)
        run("openssl", "req", "-x509", "-key", key, "-subj", "/CN=Lab Root", "-days", "9", "-out", world.folder / "ca.pem")
        signed = ("-CA", world.folder / "ca.pem", "-CAkey", key, "-CAcreateserial", "-days", "5", "-in", request)
        world.root = (world.folder / "ca.pem").read_text(encoding="ascii")
        chain = world.write("chain.pem", run("openssl", "x509", "-req", *signed) + world.root)
        run("keytool", "-importcert", "-noprompt", "-alias", "own", "-file", chain, *options, "-keypass", PASSWORD)
    else:
        source = world.write("root.pem", world.held()[0])
        run("keytool", "-importcert", "-noprompt", "-alias", "root", "-file", source, *options)
    listed = read_certificate(pem_to_der(world.root)).sha256 in keytool_trusts(store)
    # keytool says what is trusted; whether the time is right it prints for each certificate.
    shown = run("keytool", "-J-Duser.language=en", "-list", "-v", *options) if listed else ""
    days = [
        dt.datetime.strptime(re.sub(r" [A-Z]{3,4} ", " ", day), "%a %b %d %H:%M:%S %Y")
        for day in (re.search(r"Valid from: (.*?) until: (.*)", shown) or re.match("()()", "")).groups()
        if day
    ]
    now = NOW_REAL.replace(tzinfo=None)
    return store, listed and days[0] < now < days[1]


def make_database(world: World) -> tuple[pathlib.Path, bool]:
    require_programs("databases of NSS", "certutil")
    store = world.folder / "db"
    store.mkdir()
    run("certutil", "-N", "-d", f"sql:{store}", "--empty-password")
    flags = {"distrusted": "p,p,p", "wrong_use": ",C,", "not_effective": ",,"}.get(world.status, "C,,")
    for name, pem, trust in (
        ("root", world.held()[0] if world.status == "absent" else world.root, flags),
        ("leaf", world.leaf, ",,"),
    ):
        run("certutil", "-A", "-d", f"sql:{store}", "-n", name, "-t", trust, "-i", world.write(name, pem))
    if world.status == "unknown":
        (store / "cert9.db").write_bytes((store / "cert9.db").read_bytes()[:3000])
    done = subprocess.run(["certutil", "-V", "-d", f"sql:{store}", "-n", "leaf", "-u", "V"], capture_output=True, check=False)
    return store, done.returncode == 0


MAKERS: dict[str, tuple[str, t.Callable[[World], tuple[pathlib.Path, bool]]]] = {
    "system": ("system", make_file),
    "pem_file": ("pem_file", make_file),
    "python": ("python", make_file),
    "pem_directory": ("pem_directory", make_directory),
    "JKS": ("java", lambda world: make_keystore("JKS", world)),
    "PKCS12": ("java", lambda world: make_keystore("PKCS12", world)),
    "nss": ("nss", make_database),
}


@pytest.mark.parametrize(("kind", "status"), TABLE)
def test_the_verdict_is_that_of_the_program_that_owns_the_format(tmp_path, kind, status):
    world = World(tmp_path, status)
    store_type, make = MAKERS[kind]
    path, trusted = make(world)
    root = {"name": "Lab", "pem": world.root}
    place = {} if kind == "system" else {"path": str(path)}
    system = path if kind == "system" else None
    judgement = judge([{"type": store_type, **place}], roots=[root], now=NOW_REAL, system=system)
    (verdict,) = statuses(judgement).values()
    assert verdict == status
    assert trusted is (status == "present")
    worst = {"present": "pass", "unknown": "unknown"}.get(status, "fail")
    assert worst in {finding.status for finding in judgement.findings}


def test_no_verdict_is_left_out():
    assert {status for _kind, status in TABLE} == set(PEM)
