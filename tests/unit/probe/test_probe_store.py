# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Trust stores: what is found in them, what is passed over and why, and everything that can be wrong with a file."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import pathlib
import re
import shutil
import ssl
import subprocess
import sys
import tempfile
import threading
import time

import pytest
from ansible_collections.mailops.tls.plugins.module_utils._probe import store as store_module
from ansible_collections.mailops.tls.plugins.module_utils._probe.engine import run
from ansible_collections.mailops.tls.plugins.module_utils._probe.pem import scan, sequence_length
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.probe.servers import outcome


@pytest.fixture(scope="session")
def certificates(authority):
    """Three certificates (cryptography objects)."""
    authority.server("store.test")
    leaf = x509.load_pem_x509_certificates((authority.directory / "store.test.pem").read_bytes())[0]
    return [authority.root, authority.intermediate, leaf]


# One such block makes OpenSSL refuse the whole file, which is for the judge to say.
STOPS_OPENSSL = {
    "not base64",
    "not DER",
    "empty",
    "blank line",
    "no END line before the file ends",
    "the END line is of another kind",
    "text behind the END line",
}


def pem(cert: x509.Certificate) -> bytes:
    return cert.public_bytes(Encoding.PEM)


def digest(cert: x509.Certificate) -> str:
    return hashlib.sha256(cert.public_bytes(Encoding.DER)).hexdigest()


def read(ask, path, kind="pem_file", **options):
    return ask("store", type=kind, paths=[str(path)], **options)


def test_a_bundle(ask, tmp_path, certificates):
    path, link = tmp_path / "bundle.pem", tmp_path / "link.pem"
    path.write_bytes(b"# comment\n\n" + b"between\n".join(pem(cert) for cert in certificates))
    link.symlink_to(path)
    answer = ask("store", type="pem_file", paths=[str(tmp_path / "missing.pem"), str(link)])
    assert outcome(answer) == "ok"
    assert (answer["path"], answer["real_path"]) == (str(link), str(path.resolve()))
    assert (answer["size"], answer["modified"]) == (path.stat().st_size, path.stat().st_mtime)
    assert answer["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert answer["certificates"] == [digest(cert) for cert in certificates]
    assert (answer["blocks"], answer["skipped"], answer["skipped_count"], answer["files"]) == ([], [], 0, None)


def test_what_is_selected_travels(ask, tmp_path, certificates):
    path = tmp_path / "bundle.pem"
    path.write_bytes(b"".join(pem(cert) for cert in certificates))
    name = base64.b64encode(certificates[1].subject.public_bytes()).decode()
    wanted = digest(certificates[2]).upper()
    blocks = read(ask, path, select={"sha256": [wanted], "containing": [name]})["blocks"]
    # The leaf carries the intermediate's name as its issuer; it was asked for anyway.
    assert [block["sha256"] for block in blocks] == [digest(certificates[1]), digest(certificates[2])]
    assert [base64.b64decode(block["der"]) for block in blocks] == [cert.public_bytes(Encoding.DER) for cert in certificates[1:]]
    assert {(block["label"], block["file"]) for block in blocks} == {("CERTIFICATE", None)}
    result = run(
        [{"id": "1", "op": "store", "type": "pem_file", "paths": [str(path)], "select": {"sha256": [wanted]}}], max_total_bytes=10
    )
    assert outcome(result["answers"][0]) == "read/budget"


def blank(text: bytes, number: int, line: bytes = b"\n") -> bytes:
    """With a blank line in front of the line of that number."""
    lines = text.splitlines(keepends=True)
    return b"".join([*lines[:number], line, *lines[number:]])


def narrow(text: bytes, width: int) -> bytes:
    """With lines of base64 of another width."""
    first, *lines, last = text.splitlines()
    body = b"".join(lines)
    return b"\n".join([first, *(body[at : at + width] for at in range(0, len(body), width)), last, b""])


@pytest.mark.parametrize(
    ("change", "found", "reasons"),
    [
        (lambda a, b: a.replace(b"\n", b"\r\n") + b, 2, []),
        (lambda a, b: b"\xef\xbb\xbf" + a + b, 2, [(1, "byte order mark")]),
        (lambda a, b: a.replace(b"CERTIFICATE", b"X509 CERTIFICATE") + b, 2, []),
        (lambda a, b: a.replace(b"-----\n", b"-----  \n") + b, 2, []),
        (lambda a, b: b"junk " + a + b, 1, []),
        (lambda a, b: a.rstrip(b"\n") + b, 0, [(1, "text behind the END line")]),
        (lambda a, b: a.rstrip(b"\n") + b" and more\n" + b, 1, [(1, "text behind the END line")]),
        (lambda a, b: a + b"\0\n" + b, 1, None),
        (lambda a, b: b"\xff\0" * 50 + b"\n" + a + b"\x01" * 99 + b"\n" + b, 2, []),
        (lambda a, b: a.replace(b"M", b"*", 1) + b, 1, [(1, "not base64")]),
        (lambda a, b: a[:60] + b"\n-----END CERTIFICATE-----\n" + b, 1, [(1, "not DER")]),
        (lambda _a, b: b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n" + b, 1, [(1, "not DER")]),
        (lambda _a, b: b"-----BEGIN CERTIFICATE-----\n\n-----END CERTIFICATE-----\n" + b, 1, [(1, "empty")]),
        (lambda a, b: b"\n\n" + a.split(b"-----END")[0] + b, 1, [(3, "no END line")]),
        (lambda a, b: b + a.split(b"-----END")[0], 1, None),
        (lambda a, b: a.replace(b"END CERT", b"END X509 CERT") + b, 1, [(1, "the END line is of another kind")]),
        (lambda a, b: a.replace(b"CERTIFICATE", b"MAIL NOTE") + b, 1, []),
        (lambda a, b: a.replace(b"RTIFICATE-----\n", b"RTIFICATE-----\nComment: x\n\n", 1) + b, 1, [(1, "not base64")]),
        # A blank line behind base64 makes a header of it; directly behind BEGIN lines of 64 characters are read all the same.
        (lambda a, b: blank(a, 3) + b, 1, [(1, "blank line")]),
        (lambda a, b: blank(a, 3, b" \t\r\n") + b, 1, [(1, "blank line")]),
        (lambda a, b: blank(a, 1) + b, 2, []),
        (lambda a, b: blank(blank(a, 1), 1) + b, 1, [(1, "blank line")]),
        (lambda a, b: blank(blank(a, 1), 4) + b, 1, [(1, "blank line")]),
        (lambda a, b: a.replace(b"\n-----END", b"\n\n-----END") + b, 1, [(1, "blank line")]),
        (lambda a, b: blank(narrow(a, 60), 1) + b, 1, [(1, "blank line")]),
        (lambda a, b: blank(narrow(a, 68), 1) + b, 1, [(1, "blank line")]),
        (lambda a, b: narrow(a, 60) + narrow(b, 9999), 2, []),
        (lambda *_: b"", 0, []),
        (lambda *_: b"# nothing\r\n \n", 0, []),
    ],
)
def test_armour_as_it_is_found(ask, tmp_path, certificates, change, found, reasons):
    path = tmp_path / "bundle.pem"
    path.write_bytes(change(pem(certificates[0]), pem(certificates[1])))
    answer = read(ask, path)
    assert outcome(answer) == "ok"
    assert len(answer["certificates"]) == found
    if reasons is not None:
        assert [(item["line"], item["reason"]) for item in answer["skipped"]] == reasons
    else:
        assert answer["skipped_count"] == 1
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if any(item["reason"] in STOPS_OPENSSL for item in answer["skipped"]):
        with pytest.raises(ssl.SSLError):
            context.load_verify_locations(path)
    elif found:
        # OpenSSL finds as many in it as the probe does.
        context.load_verify_locations(path)
        assert len(context.get_ca_certs()) == found


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda cert: cert.public_bytes(Encoding.DER), "it is DER"),
        (lambda cert: pem(cert).replace(b"\n", b"\r"), "its lines end in CR alone"),
        (lambda cert: b"\n".join(pem(cert).splitlines()[1:-1]), "no certificate that OpenSSL finds"),
        (lambda cert: pem(cert).decode().encode("utf-16"), "no certificate that OpenSSL finds"),
        (lambda cert: pem(cert).replace(b"CERTIFICATE", b"PKCS7"), r"PEM of another kind \(PKCS7\)"),
        (lambda _cert: os.urandom(2000), "no certificate that OpenSSL finds"),
        (lambda _cert: b"hello\n", "no certificate that OpenSSL finds"),
    ],
)
def test_what_is_no_store_of_pem(ask, tmp_path, certificates, change, words):
    """Nothing is known of the roots in it, because OpenSSL loads nothing of it: that is not the same as a store without them."""
    path = tmp_path / "store"
    path.write_bytes(change(certificates[0]))
    answer = read(ask, path, select={"sha256": [digest(certificates[1])]})
    assert outcome(answer) == "read/format"
    assert re.search(words, answer["error"]["message"])
    with pytest.raises(ssl.SSLError):
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(path)


def test_der_that_was_asked_for_is_told(ask, tmp_path, certificates):
    path = tmp_path / "root.crt"
    path.write_bytes(certificates[0].public_bytes(Encoding.DER))
    select = {"sha256": [digest(certificates[0])]}
    for answer, name in (
        (read(ask, path, select=select), None),
        (read(ask, tmp_path, "pem_directory", select=select), "root.crt"),
    ):
        assert (outcome(answer), answer["certificates"]) == ("ok", [])
        assert [(block["label"], block["file"], block["idle"]) for block in answer["blocks"]] == [("DER", name, True)]


def test_openssl_1_does_not_find_a_block_behind_a_byte_order_mark(ask, tmp_path, certificates, monkeypatch):
    """The lab has a host with OpenSSL 1.1.1 to prove it (tests/lab/test_trust_stores.py); here is none."""
    monkeypatch.setattr(ssl, "OPENSSL_VERSION_INFO", (1, 1, 1, 23, 15))
    path = tmp_path / "bundle.pem"
    path.write_bytes(b"\xef\xbb\xbf" + b"".join(map(pem, certificates)))
    answer = read(ask, path, select={"sha256": [digest(certificates[0])]})
    assert answer["certificates"] == [digest(cert) for cert in certificates[1:]]
    assert [(block["sha256"], block["idle"]) for block in answer["blocks"]] == [(digest(certificates[0]), True)]
    assert [item["line"] for item in answer["skipped"]] == [1]
    path.write_bytes(b"\xef\xbb\xbf# comment\n" + b"".join(map(pem, certificates)))
    assert len(read(ask, path)["certificates"]) == 3


def test_a_trusted_certificate_is_known_by_the_certificate_alone(ask, tmp_path, certificates):
    path = tmp_path / "trusted.pem"
    command = ["openssl", "x509", "-trustout", "-addreject", "serverAuth", "-out", str(path)]
    subprocess.run(command, input=pem(certificates[0]), check=True, capture_output=True)
    answer = read(ask, path, select={"sha256": [digest(certificates[0])]})
    assert answer["certificates"] == [digest(certificates[0])]
    (block,) = answer["blocks"]
    whole = base64.b64decode(block["der"])
    assert block["label"] == "TRUSTED CERTIFICATE"
    assert whole.startswith(certificates[0].public_bytes(Encoding.DER))
    assert len(whole) > len(certificates[0].public_bytes(Encoding.DER))


def test_skipped_blocks_are_counted_and_few_are_named(ask, tmp_path):
    path = tmp_path / "bundle.pem"
    path.write_bytes(b"-----BEGIN CERTIFICATE-----\n*\n-----END CERTIFICATE-----\n" * 50)
    answer = read(ask, path)
    assert (len(answer["skipped"]), answer["skipped_count"]) == (20, 50)
    assert [item["line"] for item in answer["skipped"][:3]] == [1, 4, 7]


@pytest.mark.parametrize("kind", ["pem_file", "pem_directory"])
def test_what_cannot_be_read(ask, tmp_path, kind):
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    dangling = tmp_path / "dangling"
    dangling.symlink_to(tmp_path / "nowhere")
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    other = "read/not_a_file" if kind == "pem_file" else "read/not_a_directory"
    for path, expected in (
        (tmp_path / "missing", "read/missing"),
        (dangling, "read/missing"),
        (loop, "read/symlink_loop"),
        (fifo, other),
        ("/dev/zero", other),
    ):
        answer = read(ask, path, kind)
        assert outcome(answer) == expected, path
        assert (answer["certificates"], answer["sha256"]) == ([], None)
        assert answer["elapsed_ms"] < 1000
    assert read(ask, tmp_path / "missing", kind)["path"] is None
    assert read(ask, loop, kind)["path"] == str(loop)
    assert outcome(ask("store", type=kind, paths=[])) == "read/missing"


def test_kinds_that_do_not_fit(ask, tmp_path):
    (tmp_path / "file").write_text("")
    assert outcome(read(ask, tmp_path)) == "read/not_a_file"
    assert outcome(read(ask, tmp_path / "file", "pem_directory")) == "read/not_a_directory"


def test_sizes_are_bounded(ask, tmp_path, monkeypatch):
    path = tmp_path / "sparse.pem"
    with path.open("wb") as stream:
        stream.truncate(10 << 30)
    answer = read(ask, path)
    assert (outcome(answer), answer["elapsed_ms"] < 500) == ("read/too_large", True)
    # OpenSSL does not open it in a directory, unless its name is a hash.
    (tmp_path / "11111111.0").write_text("")
    answer = read(ask, tmp_path, "pem_directory")
    assert (outcome(answer), answer["skipped"]) == ("ok", [{"file": "sparse.pem", "line": None, "reason": "too_large"}])
    (tmp_path / "22222222.0").symlink_to("sparse.pem")
    assert outcome(read(ask, tmp_path, "pem_directory")) == "read/too_large"
    (tmp_path / "22222222.0").unlink()
    (tmp_path / "11111111.0").unlink()
    monkeypatch.setattr(store_module, "MAX_ENTRIES", 3)
    path.unlink()
    for number in range(4):
        (tmp_path / str(number)).write_text("")
    assert outcome(read(ask, tmp_path, "pem_directory")) == "read/too_large"


def test_a_file_that_changes_while_it_is_read(ask, tmp_path):
    path = tmp_path / "busy.pem"
    path.write_bytes(b"x" * 4000000)
    stop = threading.Event()

    def write() -> None:
        with path.open("r+b") as stream:
            while not stop.is_set():
                stream.seek(0)
                stream.write(b"y" * 100000)
                stream.flush()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        # Which thread runs when is the system's choice: what counts is that a torn read is told from a whole one.
        ends, seen = time.monotonic() + 20, ""
        while seen != "read/changed" and time.monotonic() < ends:
            seen = outcome(read(ask, path))
    finally:
        stop.set()
        writer.join()
    assert seen == "read/changed"


_AS_NOBODY = """
import json, os, sys
from ansible_collections.mailops.tls.plugins.module_utils._probe import engine, store
if os.getuid() == 0:
    os.setgroups([]); os.setgid(65534); os.setuid(65534)
print(json.dumps(engine.run(json.loads(sys.argv[1]))))
"""


def test_what_may_not_be_read(certificates):
    """Run as another user, because root may read everything."""
    directory = pathlib.Path(tempfile.mkdtemp(prefix="probe-store-"))
    try:
        directory.chmod(0o755)
        (directory / "file.pem").write_bytes(pem(certificates[0]))
        (directory / "file.pem").chmod(0)
        (directory / "00000000.0").write_bytes(pem(certificates[1]))
        (directory / "00000000.0").chmod(0o644)
        (directory / "closed").mkdir()
        (directory / "closed" / "inner.pem").write_bytes(pem(certificates[0]))
        (directory / "closed").chmod(0)
        wanted = [("file", "file.pem"), ("file", "closed/inner.pem"), ("directory", "closed"), ("directory", ".")]
        requests = [
            {"id": str(number), "op": "store", "type": f"pem_{kind}", "paths": [str(directory / name)]}
            for number, (kind, name) in enumerate(wanted)
        ]
        environment = dict(os.environ, PYTHONPATH=os.pathsep.join(path for path in sys.path if path))
        done = subprocess.run(
            [sys.executable, "-c", _AS_NOBODY, json.dumps(requests)], env=environment, check=True, capture_output=True, cwd="/"
        )
        answers = json.loads(done.stdout)["answers"]
    finally:
        (directory / "closed").chmod(0o755)
        shutil.rmtree(directory)
    assert [outcome(answer) for answer in answers] == ["read/permission"] * 3 + ["ok"]
    assert answers[0]["error"]["errno"] == "EACCES"
    assert answers[3]["certificates"] == [digest(certificates[1])]
    assert answers[3]["skipped"] == [{"file": "file.pem", "line": None, "reason": "permission"}]


def test_a_directory(ask, tmp_path, certificates):
    root, intermediate, leaf = certificates
    (tmp_path / "root.pem").write_bytes(pem(root))
    (tmp_path / "bundle.crt").write_bytes(b"".join(map(pem, certificates)))
    subprocess.run(["openssl", "rehash", str(tmp_path)], check=True, capture_output=True)
    (tmp_path / "11111111.0").write_bytes(pem(intermediate))
    (tmp_path / "11111111.2").write_bytes(pem(leaf))  # not loaded: there is no 11111111.1
    (tmp_path / "22222222.1").write_bytes(pem(leaf))
    (tmp_path / "2222222g.0").write_bytes(pem(leaf))
    (tmp_path / "33333333.0").symlink_to("nowhere")
    (tmp_path / "44444444.0").write_text("no certificate")
    (tmp_path / "55555555.r0").write_text("a CRL")
    (tmp_path / "sub").mkdir()
    os.mkfifo(tmp_path / "fifo")
    answer = read(ask, tmp_path, "pem_directory", select={"sha256": [digest(root)]})
    assert outcome(answer) == "ok"
    assert sorted(answer["certificates"]) == sorted([digest(root), digest(intermediate)])
    assert (answer["size"], answer["sha256"]) == (None, None)
    assert answer["files"] == {"total": 7, "hashed": 2}
    assert {item["file"]: item["reason"] for item in answer["skipped"]} == {"33333333.0": "missing", "fifo": "not_a_file"}
    files = [block["file"] for block in answer["blocks"]]
    assert files == sorted(files)
    assert {"root.pem", "bundle.crt"} < set(files)
    assert len(files) == 3


def test_the_bytes_of_a_file(ask, tmp_path):
    path = tmp_path / "store"
    path.write_bytes(bytes(range(256)) * 10)
    answer = ask("file", paths=[str(tmp_path / "missing"), str(path)])
    assert outcome(answer) == "ok"
    assert base64.b64decode(answer["data"]) == path.read_bytes()
    assert (answer["path"], answer["size"]) == (str(path), 2560)
    assert answer["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert outcome(ask("file", paths=[str(path)], max_bytes=2559)) == "read/too_large"
    assert outcome(ask("file", paths=[str(path)], run_options={"max_total_bytes": 2559})) == "read/budget"
    assert outcome(ask("file", paths=[str(tmp_path / "missing")])) == "read/missing"
    assert outcome(ask("file", paths=[str(tmp_path)])) == "read/not_a_file"
    assert outcome(ask("file", paths=[str(path)], type="pem_file")) == "request/unsupported"


def test_patterns_lead_to_one_file(ask, tmp_path, certificates):
    for name in ("a1", "b1"):
        (tmp_path / name).write_bytes(pem(certificates[0]))
    (tmp_path / "a2").symlink_to("a1")
    assert outcome(read(ask, tmp_path / "a*")) == "read/missing"  # a name like others unless it is said to be a pattern
    assert read(ask, tmp_path / "a*", patterns=True)["certificates"] == [digest(certificates[0])]
    ambiguous = read(ask, tmp_path / "*1", patterns=True)
    assert outcome(ambiguous) == "read/ambiguous"
    assert "b1" in ambiguous["error"]["message"]
    assert outcome(read(ask, tmp_path / "x*", patterns=True)) == "read/missing"


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"places": ["java"]}, "request/invalid"),
        ({"places": [{"type": "windows", "patterns": []}]}, "request/invalid"),
        ({"places": [{"type": "java"}]}, "request/invalid"),
        ({"places": [{"type": "java", "patterns": "x"}]}, "request/invalid"),
        ({}, "ok"),
    ],
)
def test_a_search_for_stores_is_checked(ask, options, expected):
    answer = ask("discover", **options)
    assert outcome(answer) == expected
    assert (answer["stores"], answer["postfix"], answer["truncated"]) == ([], None, False)


def test_a_bundle_of_150_takes_milliseconds(ask, tmp_path, certificates):
    path = tmp_path / "bundle.pem"
    path.write_bytes(b"".join(pem(cert) for cert in certificates) * 50)
    began = time.process_time()
    assert len(read(ask, path)["certificates"]) == 150
    assert time.process_time() - began < 0.2


def test_no_end_lines_cost_no_more_than_a_pass():
    began = time.process_time()
    scan(b"-----BEGIN CERTIFICATE-----\n" * 200000)
    scan(b"-----BEGIN " * 500000)
    scan(b"-" * 5000000)
    assert time.process_time() - began < 5


@given(st.binary(max_size=400))
def test_any_bytes_can_be_scanned(data):
    scan(b"-----BEGIN CERTIFICATE-----\n" + data + b"\n-----END CERTIFICATE-----\n")
    scan(b"-----BEGIN CERTIFICATE-----\n" + base64.b64encode(data) + b"\n-----END CERTIFICATE-----\n")
    length = sequence_length(data)
    assert length is None or 2 < length <= len(data)
