# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A bounded run of atheris over all that parses what CAs and mail servers send. It starts from vectors and files made here."""

from __future__ import annotations

import concurrent.futures
import re
import shutil
import subprocess
import tempfile
import typing as t
from pathlib import Path

import pytest
from ansible_collections.mailops.tls.tests.unit.judge import pki
from ansible_collections.mailops.tls.tests.vectors.corpus import PKITS, certificate_files, crls, ocsp_files
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import pkcs7
from cryptography.x509 import ocsp

from tests.conftest import require_programs
from tests.gates.support import run, tools
from tests.unit.keystores import makers
from tools import prepare

SECONDS = 12
ROOT = pki.make_root()
RESPONDER = pki.ocsp_responder(ROOT)
LEAF = ROOT.issue("mail.example", urls={"crl": ["http://crl.lab/1"], "ocsp": ["http://ocsp.lab"]})


def _crls():
    point = x509.IssuingDistributionPoint(
        [x509.UniformResourceIdentifier("http://crl.lab/1")], None, True, False, None, True, False
    )
    entries = [
        pki.revoked(5, reason=x509.ReasonFlags.certificate_hold),
        pki.revoked(LEAF.certificate.serial_number, reason=x509.ReasonFlags.key_compromise, issuer=ROOT.subject),
    ]
    yield ROOT.crl()
    yield ROOT.crl(revoked=entries, extensions=[(point, True)])
    yield ROOT.crl(revoked=entries[:1], extensions=[(x509.DeltaCRLIndicator(5), True), pki.unknown_extension(False)])
    yield x509.load_der_x509_crl(ROOT.crl(revoked=entries)).public_bytes(serialization.Encoding.PEM)


def _responses():
    for status in ocsp.OCSPCertStatus:
        yield pki.ocsp_response(LEAF.certificate, ROOT, status=status, nonce=b"n" * 32)
        yield pki.ocsp_response(LEAF.certificate, ROOT, status=status, responder=RESPONDER, next_update=None)
    for refusal in set(ocsp.OCSPResponseStatus) - {ocsp.OCSPResponseStatus.SUCCESSFUL}:
        yield pki.ocsp_refusal(refusal)


def _bundles():
    chain = [LEAF.certificate, ROOT.certificate]
    yield pki.der(LEAF.certificate)
    yield "".join(pki.pem(certificate) for certificate in chain).encode()
    yield from (
        pkcs7.serialize_certificates(chain, encoding) for encoding in (serialization.Encoding.DER, serialization.Encoding.PEM)
    )


def _mail():
    """Replies of mail servers, answers of nameservers and handshake messages, each after the letter of its reader."""
    yield b"S250-mail.example.com\r\n250-SIZE 1000\r\n250 STARTTLS\r\n"
    yield b"S220 ready\r\n"
    question = b"\7example\3com\0\0\x0f\0\1"
    head = b"D\0\1\x81\xa0\0\1\0\2\0\0\0\0" + question
    alias = b"\xc0\x0c\0\5\0\1\0\0\0\x3c\0\x09\4mail\3net\0"
    yield head + alias + b"\4mail\3net\0\0\x0f\0\1\0\0\0\x3c\0\x07\0\x0a\2mx\xc0\x0c"
    yield head + b"\xc0\x0c\0\x34\0\1\0\0\0\x3c\0\x23\3\1\1" + bytes(32)
    yield b"T\2\0\0\x36\3\3" + bytes(32) + b"\0\x13\2\0\0\x0e\0\x2b\0\2\3\4\0\x33\0\4\0\x1d\0\0"
    yield b"T\x0c\0\0\x28\3\0\x1d\x20" + bytes(36)


def _pem_stores():
    text = pki.pem(ROOT.certificate)
    command = ["openssl", "x509", "-trustout"]
    for options in ((), ("-addreject", "serverAuth"), ("-addtrust", "emailProtection", "-setalias", "x")):
        yield subprocess.run([*command, *options], input=text.encode(), capture_output=True, check=True).stdout
    yield b"\xef\xbb\xbf# comment\r\n" + text.replace("\n", "\r\n").encode() + b"\0\n" + text.encode()
    yield (text.rstrip("\n") + text + text.split("-----END", maxsplit=1)[0]).encode()


def _keystores():
    """Of every format what its own program makes."""
    require_programs("fuzzing of keystores", "keytool", "certutil", "openssl")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for kind in ("JKS", "JCEKS", "PKCS12"):
            yield makers.java_store(folder / kind, kind, makers.G2).read_bytes()
        (folder / "root.pem").write_text(pki.pem(ROOT.certificate), encoding="ascii")
        command = ["openssl", "pkcs12", "-export", "-nokeys", "-in", folder / "root.pem", "-passout", "pass:changeit"]
        yield subprocess.run(command, capture_output=True, check=True).stdout
        yield (makers.nss_database(folder / "db", digicert_global_root_g2="C,,") / "cert9.db").read_bytes()


#: A database of NSS is larger than what CAs send.
MAX_LENGTH = {"keystores": 65536}
CORPUS = {
    "crl": (crls, _crls),
    "ocsp": (ocsp_files, _responses),
    "certificates": (certificate_files, _bundles),
    "mail": (lambda: (), _mail),
    "pem-stores": (list, _pem_stores),
    "keystores": (list, _keystores),
}


def _write_context(folder: Path) -> None:
    (folder / "issuer.der").write_bytes(pki.der(ROOT.certificate))
    (folder / "leaf.der").write_bytes(pki.der(LEAF.certificate))
    names = sorted(path for path in (PKITS / "certs").glob("*CA*.crt") if "DSA" not in path.name)
    pool = [
        x509.load_der_x509_certificate(path.read_bytes()) for path in names if "indirect" in path.name or "delta" in path.name
    ]
    assert len(pool) >= 10
    (folder / "pool.pem").write_text("".join(pki.pem(certificate) for certificate in pool), encoding="ascii")


class Run(t.NamedTuple):
    """One target that was fuzzed, from so many seeds; what it left is in the folder."""

    done: subprocess.CompletedProcess[str]
    folder: Path
    seeds: int


@pytest.fixture(scope="session")
def runs(request, tmp_path_factory):
    """{target: future of its Run}, two at a time, because each takes one core."""
    python = tools("fuzz", "fuzz") / "python"
    prepare.link_collection()
    chosen = [item.callspec.params["target"] for item in request.session.items if "runs" in getattr(item, "fixturenames", ())]
    with concurrent.futures.ThreadPoolExecutor(max_workers=2) as pool:
        yield {target: pool.submit(_fuzz, python, target, tmp_path_factory.mktemp(target)) for target in chosen}


def _fuzz(python, target, folder):
    files, made = CORPUS[target]
    corpus = folder / "corpus"
    corpus.mkdir()
    for number, path in enumerate(files()):
        shutil.copyfile(path, corpus / f"{number}-{path.name}")
    for number, data in enumerate(made()):
        (corpus / f"made-{number}").write_bytes(data)
    seeds = len(list(corpus.iterdir()))
    _write_context(folder)
    # An input may take 10 s and the process 2 GiB; files larger than a seed are cut, as the mutations matter, not the length.
    limits = [
        f"-max_total_time={SECONDS}",
        "-timeout=10",
        "-rss_limit_mb=2048",
        f"-max_len={MAX_LENGTH.get(target, 8192)}",
        "-seed=1",
        "-print_final_stats=1",
    ]
    script = Path(__file__).with_name("target.py")
    collections = prepare.CACHE / "collections"
    words = [python, script, target, collections, folder, *limits, f"-artifact_prefix={folder}/", corpus]
    return Run(run(words, timeout=120), folder, seeds)


@pytest.mark.parametrize("target", sorted(CORPUS))
def test_no_input_makes_a_judge_raise(target, runs, executions, record_property):
    done, folder, seeds = runs[target].result()
    found = sorted(path for path in folder.iterdir() if path.name.startswith(("crash-", "timeout-", "oom-", "leak-")))
    inputs = "".join(f"\n{path.name}: {path.read_bytes()[:2000].hex()}" for path in found)
    assert done.returncode == 0, f"{done.stdout[-4000:]}{inputs}"
    count = re.search(r"stat::number_of_executed_units:\s*(\d+)", done.stdout)
    assert count, done.stdout[-4000:]
    executions[target] = int(count[1])
    record_property("executions", executions[target])
    assert executions[target] > 2 * seeds, "nothing but the corpus was run"
