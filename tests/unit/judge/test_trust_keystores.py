# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Verdicts on stores of Java, NSS and Python that the real probe sent or read, made by their own tools."""

from __future__ import annotations

import base64
import datetime as dt
import importlib.util
import os
import pathlib
import shutil
import subprocess

import pytest
from ansible_collections.mailops.tls.plugins.module_utils._probe import engine
from ansible_collections.mailops.tls.plugins.plugin_utils._findings.model import compliant
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.trust.judgement import judge_trust
from ansible_collections.mailops.tls.plugins.plugin_utils._plan.trust.checks import parse_stores, plan_trust
from ansible_collections.mailops.tls.plugins.plugin_utils._profiles.loader import select_roots

from tests.conftest import require, require_programs
from tests.unit.keystores.makers import G1, G2, G3, R6, java_store, nss_database, pem_of, run

NOW = dt.datetime(2026, 11, 24, 12, tzinfo=dt.timezone.utc)


def judge(kind, path, *roots, now=NOW, change=lambda _answer: None, **more):
    checks = plan_trust((), select_roots(list(roots)), parse_stores([{"type": kind, "path": str(path), **more}]))
    observations = engine.run([check.request for check in checks])
    observations["clock"] = now.timestamp()
    change(observations["answers"][0])
    return judge_trust(checks, observations, host="mx1", now=now, observed_at="2026-11-24T12:00:00Z")


def outcomes(judgement) -> list[tuple[str, str]]:
    return [(finding.id, finding.status) for finding in judgement.findings]


def statuses(judgement) -> dict[str, str]:
    return {root["id"]: root["status"] for store in judgement.stores for root in store["roots"]}


@pytest.mark.parametrize("kind", ["JKS", "PKCS12"])
def test_a_keystore_of_java(tmp_path, kind):
    require_programs("keystores of Java", "keytool")
    path = java_store(tmp_path / "store", kind, G1)
    judgement = judge("java", path, G1, G2)
    assert statuses(judgement) == {G1: "present", G2: "absent"}
    (store,) = judgement.stores
    assert (store["type"], store["path"], store["certificates"], store["format"]) == ("java", str(path), 1, kind)
    assert store["integrity"] == "verified"
    assert compliant(judgement.findings) is False
    absent = next(finding for finding in judgement.findings if finding.status == "fail")
    assert "keytool -importcert" in absent.remediation


def test_a_keystore_by_the_directory_of_its_jvm(tmp_path):
    require_programs("keystores of Java", "keytool")
    places = ("lib/security/cacerts", "lib/security/jssecacerts")
    (tmp_path / "jvm" / "lib" / "security").mkdir(parents=True)
    shutil.copy(java_store(tmp_path / "store", "JKS", G1), tmp_path / "jvm" / places[0])
    assert judge("java", tmp_path / "jvm", G1).stores[0]["path"] == str(tmp_path / "jvm" / places[0])
    # JSSE prefers the file of this name.
    shutil.copy(java_store(tmp_path / "other", "JKS", G2), tmp_path / "jvm" / places[1])
    assert statuses(judge("java", tmp_path / "jvm", G1)) == {G1: "absent"}


def test_a_wrong_password_is_a_warning_where_the_certificates_are_readable(tmp_path):
    require_programs("keystores of Java", "keytool")
    path = java_store(tmp_path / "store", "JKS", G1)
    judgement = judge("java", path, G1, password="hunter2hunter2")  # noqa: S106 - of no one
    assert outcomes(judgement) == [("trust.store.password", "warn"), ("trust.root.present", "pass")]
    assert "hunter2" not in repr(judgement)


def test_a_wrong_password_is_unknown_where_they_are_encrypted(tmp_path):
    require_programs("keystores of Java", "keytool")
    path = java_store(tmp_path / "store", "PKCS12", G1)
    judgement = judge("java", path, G1, password="hunter2hunter2")  # noqa: S106 - of no one
    assert outcomes(judgement) == [("trust.store.unreadable", "unknown")]
    assert statuses(judgement) == {G1: "unknown"}
    assert "the password does not fit" in judgement.findings[0].detail
    assert "hunter2" not in repr(judgement)


def test_a_plain_pkcs12_trusts_nothing_in_java(tmp_path):
    (tmp_path / "root.pem").write_text(pem_of(G1), encoding="ascii")
    run(
        "openssl",
        "pkcs12",
        "-export",
        "-nokeys",
        "-in",
        tmp_path / "root.pem",
        "-out",
        tmp_path / "s",
        "-passout",
        "pass:changeit",
    )
    judgement = judge("java", tmp_path / "s", G1)
    assert outcomes(judgement) == [("trust.root.not_effective", "fail")]
    assert "without the attribute" in judgement.findings[0].detail
    assert judgement.stores[0]["certificates"] == 0


def test_a_root_that_has_expired_in_a_keystore(tmp_path):
    require_programs("keystores of Java", "keytool")
    path = java_store(tmp_path / "store", "JKS", G1)
    assert statuses(judge("java", path, G1, now=NOW.replace(year=2040))) == {G1: "expired"}
    assert statuses(judge("java", path, G1, now=NOW.replace(year=2001))) == {G1: "not_yet_valid"}


def test_a_database_of_nss(tmp_path):
    require_programs("databases of NSS", "certutil")
    flags = {
        "digicert_global_root_ca": "C,,",
        "digicert_global_root_g2": ",C,",
        "digicert_global_root_g3": "p,p,p",
        "globalsign_r6": ",,",
    }
    directory = nss_database(tmp_path / "db", **flags)
    judgement = judge("nss", directory, G1, G2, G3, R6, "globalsign-r1")
    expected = {G1: "present", G2: "wrong_use", G3: "distrusted", R6: "not_effective", "globalsign-r1": "absent"}
    assert statuses(judgement) == expected
    details = {root["id"]: root["detail"] for root in judgement.stores[0]["roots"]}
    assert "without the flag C" in details[R6]
    assert "built-in roots" in details[R6]
    assert "built-in roots" in details["globalsign-r1"]
    assert judgement.stores[0]["format"] == "NSS"
    assert {finding.id: finding.status for finding in judgement.findings} == {
        "trust.root.present": "pass",
        "trust.root.absent": "fail",
        "trust.root.not_effective": "fail",
        "trust.root.wrong_use": "fail",
        "trust.root.distrusted": "fail",
    }


def test_no_database_in_the_directory(tmp_path):
    assert outcomes(judge("nss", tmp_path, G1)) == [("trust.store.not_found", "unknown")]


@pytest.mark.parametrize("kind", ["java", "nss"])
@pytest.mark.parametrize("content", [b"", b"\xfe\xed\xfe\xed", b"SQLite format 3\0" + b"\xff" * 5000, b"\x30\x80" * 3000])
def test_what_is_no_keystore_is_unknown(tmp_path, kind, content):
    path = tmp_path / "cert9.db"
    path.write_bytes(content)
    judgement = judge(kind, path, G1)
    assert outcomes(judgement) == [("trust.store.unreadable", "unknown")]
    assert "cannot be read as" in judgement.findings[0].detail


@pytest.mark.parametrize("kind", ["java", "nss"])
def test_what_cannot_be_sent_is_unknown(tmp_path, kind):
    path = tmp_path / "cert9.db"
    os.mkfifo(path)
    assert outcomes(judge(kind, path, G1)) == [("trust.store.unreadable", "unknown")]
    path.unlink()
    with path.open("wb") as stream:
        stream.truncate(100 << 20)
    judgement = judge(kind, path, G1)
    assert outcomes(judgement) == [("trust.store.unreadable", "unknown")]
    assert "too_large" in judgement.findings[0].detail
    path.unlink()
    path.symlink_to(path)
    assert outcomes(judge(kind, path, G1)) == [("trust.store.unreadable", "unknown")]


@pytest.mark.parametrize("data", [None, 3, "!", "A", "A" * 40000000, base64.b64encode(b"x").decode()])
def test_a_malformed_answer_is_unknown(tmp_path, data):
    (tmp_path / "store").write_bytes(b"x")
    judgement = judge("java", tmp_path / "store", G1, change=lambda answer: answer.update(data=data, path=7, sha256=[]))
    assert outcomes(judgement) == [("trust.store.unreadable", "unknown")]


# --- certifi -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", ["certifi", "lib/python3.11/site-packages/certifi", "lib/python3/dist-packages/certifi"])
@pytest.mark.parametrize("whole", [False, True])
def test_certifi_of_an_interpreter(tmp_path, place, whole):
    bundle = tmp_path / place / "cacert.pem"
    bundle.parent.mkdir(parents=True)
    bundle.write_text(pem_of(G1), encoding="ascii")
    (tmp_path / "lib64").symlink_to("lib")  # as virtual environments have it: the same file by another name
    judgement = judge("python", bundle if whole else tmp_path, G1, G2)
    assert statuses(judgement) == {G1: "present", G2: "absent"}
    assert judgement.stores[0]["path"] in (str(bundle), str(bundle).replace("/lib/", "/lib64/"))
    assert judgement.stores[0]["format"] == "PEM"
    assert "certifi" in next(finding.remediation for finding in judgement.findings if finding.status == "fail")


def test_two_interpreters_below_one_prefix_are_not_guessed_between(tmp_path):
    for version in ("3.11", "3.12"):
        bundle = tmp_path / f"lib/python{version}/site-packages/certifi/cacert.pem"
        bundle.parent.mkdir(parents=True)
        bundle.write_text(pem_of(G1), encoding="ascii")
    judgement = judge("python", tmp_path, G1)
    assert outcomes(judgement) == [("trust.store.unreadable", "unknown")]
    assert "ambiguous" in judgement.findings[0].detail
    assert "python3.12" in judgement.findings[0].detail


def test_no_certifi(tmp_path):
    assert outcomes(judge("python", tmp_path, G1)) == [("trust.store.not_found", "unknown")]


def test_the_certifi_of_this_interpreter_is_judged_as_openssl_judges_it(tmp_path):
    require(importlib.util.find_spec("certifi"), "certifi", "no package certifi")
    bundle = pathlib.Path(importlib.util.find_spec("certifi").origin).with_name("cacert.pem")
    (tmp_path / "root.pem").write_text(pem_of(G2), encoding="ascii")
    command = ["openssl", "verify", "-no-CApath", "-no-CAstore", "-CAfile", bundle, tmp_path / "root.pem"]
    trusted = subprocess.run(command, capture_output=True, check=False).returncode == 0
    assert statuses(judge("python", bundle, G2)) == {G2: "present" if trusted else "absent"}
