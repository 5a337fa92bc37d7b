# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Intermediates that a store must hold for servers that send an incomplete chain, beside what openssl and certutil make of it."""

from __future__ import annotations

import datetime as dt
import pathlib
import subprocess

import pytest
from ansible_collections.mailops.tls.plugins.module_utils._probe import engine
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.trust.der import read_certificate, subject_hash
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.trust.judgement import judge_trust
from ansible_collections.mailops.tls.plugins.plugin_utils._plan.trust.checks import parse_stores, plan_trust
from ansible_collections.mailops.tls.plugins.plugin_utils._profiles.certificates import pem_to_der
from ansible_collections.mailops.tls.plugins.plugin_utils._profiles.loader import select_profiles
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from tests.conftest import require_programs
from tests.unit.judge.test_trust_judge import NOW, Authority, named, openssl_trusts
from tests.unit.keystores.makers import PASSWORD, run


class Chain:
    """Root, intermediate and leaf, and the profile that names them by what the CA published."""

    def __init__(self, folder: pathlib.Path, days=(-10, 3650)) -> None:
        root, middle = Authority(named("Lab Root")), Authority(named("Lab Intermediate"))
        self.folder = folder
        self.root = root.certificate()
        self.intermediate = middle.certificate(root, days=days)
        self.leaf = Authority(named("leaf")).certificate(middle)

    def profile(self, *known: str) -> dict:
        certificate = x509.load_pem_x509_certificate(self.intermediate.encode())
        facts = {
            "sha256": certificate.fingerprint(hashes.SHA256()).hex(),
            "sha1": certificate.fingerprint(hashes.SHA1()).hex(),  # noqa: S303 - what some CAs publish
            "serial": f"{certificate.serial_number:040x}",
            "pem": self.intermediate,
        }
        return {
            "id": "lab",
            "title": "Lab",
            "as_of": NOW.date().isoformat(),
            "sources": ["the test"],
            "roots": [{"id": "lab-root", "name": "Lab Root", "pem": self.root}],
            "intermediates": [
                {"id": "lab-ca", "name": "Lab CA", "issuer": "lab-root", **{key: facts[key] for key in known}},
            ],
        }

    def judge(self, kind: str, path: pathlib.Path, *known: str, now: dt.datetime = NOW):
        profiles = select_profiles([self.profile(*known)], today=now.date())
        checks = plan_trust(profiles, (), parse_stores([{"type": kind, "path": str(path)}]), intermediates=True)
        observations = {**engine.run([check.request for check in checks]), "clock": now.timestamp()}
        return judge_trust(checks, observations, host="mx1", now=now, observed_at="")


def outcome(judgement) -> tuple[str, str]:
    (finding,) = [finding for finding in judgement.findings if finding.subject.kind == "intermediate"]
    (told,) = judgement.stores[0]["intermediates"]
    return finding.id.rpartition(".")[2], told["status"]


KNOWN = [("sha256",), ("sha1", "serial"), ("pem",)]


@pytest.mark.parametrize("known", KNOWN)
@pytest.mark.parametrize("held", [True, False])
def test_a_file_completes_the_chain_as_it_does_for_openssl(tmp_path, known, held):
    chain = Chain(tmp_path)
    store = tmp_path / "store.pem"
    store.write_text(chain.root + (chain.intermediate if held else ""), encoding="ascii")
    assert outcome(chain.judge("pem_file", store, *known)) == (("present",) * 2 if held else ("absent",) * 2)
    assert openssl_trusts(chain.leaf, tmp_path, "-CAfile", store) is held


@pytest.mark.parametrize("rehashed", [True, False])
def test_a_directory_has_to_be_rehashed(tmp_path, rehashed):
    chain = Chain(tmp_path)
    store = tmp_path / "store"
    store.mkdir()
    (store / f"{subject_hash(read_certificate(pem_to_der(chain.root)).subject)}.0").write_text(chain.root, encoding="ascii")
    (store / "intermediate.pem").write_text(chain.intermediate, encoding="ascii")
    if rehashed:
        subprocess.run(["openssl", "rehash", store], check=True)
    expected = ("present", "present") if rehashed else ("not_usable", "not_effective")
    assert outcome(chain.judge("pem_directory", store, "sha1", "serial")) == expected
    assert openssl_trusts(chain.leaf, tmp_path, "-CApath", store) is rehashed


def test_one_that_has_expired_is_of_no_use(tmp_path):
    chain = Chain(tmp_path, days=(-10, -1))
    store = tmp_path / "store.pem"
    store.write_text(chain.root + chain.intermediate, encoding="ascii")
    assert outcome(chain.judge("pem_file", store, "sha256")) == ("not_usable", "expired")


def test_a_store_that_is_not_there_is_unknown_once(tmp_path):
    judgement = Chain(tmp_path).judge("pem_file", tmp_path / "none", "sha256")
    assert [finding.id for finding in judgement.findings] == ["trust.store.not_found"]
    assert [told["status"] for told in judgement.stores[0]["intermediates"]] == ["unknown"]


@pytest.mark.parametrize(("flags", "expected"), [(",,", "present"), ("p,p,p", "distrusted"), (None, "absent")])
def test_nss_needs_no_flag(tmp_path, flags, expected):
    require_programs("databases of NSS", "certutil")
    chain = Chain(tmp_path)
    database = tmp_path / "nss"
    database.mkdir()
    run("certutil", "-N", "-d", f"sql:{database}", "--empty-password")
    for name, pem, trust in (("root", chain.root, "C,,"), ("middle", chain.intermediate, flags), ("leaf", chain.leaf, ",,")):
        (tmp_path / name).write_text(pem, encoding="ascii")
        if trust is not None:
            run("certutil", "-A", "-d", f"sql:{database}", "-n", name, "-t", trust, "-i", tmp_path / name)
    assert outcome(chain.judge("nss", database, "sha1", "serial"))[1] == expected
    command = ["certutil", "-V", "-d", f"sql:{database}", "-n", "leaf", "-u", "V"]
    done = subprocess.run(command, capture_output=True, check=False)
    assert (done.returncode == 0) is (expected == "present")


def test_java_uses_trusted_entries(tmp_path):
    require_programs("keystores of Java", "keytool")
    chain = Chain(tmp_path)
    (tmp_path / "middle.pem").write_text(chain.intermediate, encoding="ascii")
    store = ("-keystore", tmp_path / "store", "-storetype", "JKS", "-storepass", PASSWORD)
    run("keytool", "-importcert", "-noprompt", "-alias", "middle", "-file", tmp_path / "middle.pem", *store)
    for known in KNOWN:
        assert outcome(chain.judge("java", tmp_path / "store", *known)) == ("present", "present")


def test_nobody_asks_for_them_by_default(tmp_path):
    chain = Chain(tmp_path)
    profiles = select_profiles([chain.profile("sha256")], today=NOW.date())
    (check,) = plan_trust(profiles, (), parse_stores([{"type": "pem_file", "path": str(tmp_path / "x")}]))
    assert check.intermediates == ()
    assert len(check.request["select"]["sha256"]) == 1
