# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A bounded run of atheris over all that parses what CAs' servers send. It starts from the vectors and from files made here."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from ansible_collections.mailops.tls.tests.unit.judge import pki
from ansible_collections.mailops.tls.tests.vectors.corpus import PKITS, certificate_files, crls, ocsp_files
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import pkcs7
from cryptography.x509 import ocsp

from tests.gates.support import run, tools
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


CORPUS = {"crl": (crls, _crls), "ocsp": (ocsp_files, _responses), "certificates": (certificate_files, _bundles)}


def _write_context(folder: Path) -> None:
    (folder / "issuer.der").write_bytes(pki.der(ROOT.certificate))
    (folder / "leaf.der").write_bytes(pki.der(LEAF.certificate))
    names = sorted(path for path in (PKITS / "certs").glob("*CA*.crt") if "DSA" not in path.name)
    pool = [
        x509.load_der_x509_certificate(path.read_bytes()) for path in names if "indirect" in path.name or "delta" in path.name
    ]
    assert len(pool) >= 10
    (folder / "pool.pem").write_text("".join(pki.pem(certificate) for certificate in pool), encoding="ascii")


@pytest.mark.parametrize("target", sorted(CORPUS))
def test_no_input_makes_a_judge_raise(target, tmp_path, executions, record_property):
    python = tools("fuzz", "fuzz") / "python"
    prepare.link_collection()
    files, made = CORPUS[target]
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    for number, path in enumerate(files()):
        shutil.copyfile(path, corpus / f"{number}-{path.name}")
    for number, data in enumerate(made()):
        (corpus / f"made-{number}").write_bytes(data)
    seeds = len(list(corpus.iterdir()))
    _write_context(tmp_path)
    # An input may take 10 s and the process 2 GiB; files larger than a seed are cut, as the mutations matter, not the length.
    limits = [
        f"-max_total_time={SECONDS}",
        "-timeout=10",
        "-rss_limit_mb=2048",
        "-max_len=8192",
        "-seed=1",
        "-print_final_stats=1",
    ]
    script = Path(__file__).with_name("target.py")
    collections = prepare.CACHE / "collections"
    done = run([python, script, target, collections, tmp_path, *limits, f"-artifact_prefix={tmp_path}/", corpus], timeout=120)
    found = sorted(path for path in tmp_path.iterdir() if path.name.startswith(("crash-", "timeout-", "oom-", "leak-")))
    inputs = "".join(f"\n{path.name}: {path.read_bytes()[:2000].hex()}" for path in found)
    assert done.returncode == 0, f"{done.stdout[-4000:]}{inputs}"
    count = re.search(r"stat::number_of_executed_units:\s*(\d+)", done.stdout)
    assert count, done.stdout[-4000:]
    executions[target] = int(count[1])
    record_property("executions", executions[target])
    assert executions[target] > 2 * seeds, "nothing but the corpus was run"
