# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The probe under every interpreter from 3.6 on that this machine has."""

from __future__ import annotations

import base64
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import threading

import pytest
from ansible_collections.mailops.tls.plugins.module_utils._probe import engine
from cryptography.hazmat.primitives.serialization import Encoding

from tests.unit.probe.servers import answering, blackhole, http, outcome
from tests.unit.probe.test_probe_tls import Mail

HERE = pathlib.Path(__file__).parent
# .../ansible_collections/mailops/tls/plugins/module_utils/_probe/engine.py
COLLECTIONS = pathlib.Path(engine.__file__).parents[6]


def _version(path: str) -> tuple[int, ...] | None:
    """The version of an interpreter that really runs: a shim may stand for one that is not there."""
    try:
        done = subprocess.run(
            [path, "-c", "import sys, ssl; print(*sys.version_info[:3])"], capture_output=True, timeout=20, check=True
        )
        return tuple(int(part) for part in done.stdout.split())
    except (OSError, ValueError, subprocess.SubprocessError):
        return None


def interpreters() -> dict[tuple[int, ...], str]:
    """One interpreter for each version found, this one among them."""
    candidates = [path for minor in range(6, 20) if (path := shutil.which(f"python3.{minor}"))]
    candidates += sorted(map(str, pathlib.Path.home().glob(".pyenv/versions/3.*/bin/python3")))
    candidates += [path for path in ("/usr/bin/python3", "/usr/libexec/platform-python") if pathlib.Path(path).exists()]
    found = {tuple(sys.version_info[:3]): sys.executable}
    for path in candidates:
        version = _version(path)
        if version and version >= (3, 6):
            found.setdefault(version, path)
    return found


FOUND = interpreters()


@pytest.fixture(params=sorted(FOUND), ids=lambda version: ".".join(map(str, version)))
def version(request):
    return request.param


def execute(version: tuple[int, ...], **parameters: object) -> dict:
    """Run the engine by the driver in a directory of its own, and see that it writes nothing."""
    command = [FOUND[version], "-B", str(HERE / "driver.py"), str(COLLECTIONS)]
    done = subprocess.run(command, input=json.dumps(parameters).encode(), capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr.decode()
    assert done.stderr == b""
    result = json.loads(done.stdout)
    assert result["python"] == ".".join(map(str, version))
    return result


def test_fetch_store_and_chain(version, serve, authority, tmp_path):
    context, chain = authority.server("localhost")
    secure = serve(answering(http(b"secure")), tls=context)
    plain = serve(answering(http(b"plain")))
    not_tls = serve(lambda connection: connection.recv(4096) and connection.sendall(b"220 mail ESMTP\r\n"))
    redirect = serve(answering(http(b"", "302 Found", f"Location: {plain.url}")))
    mail = serve(Mail(context, piece=1000))  # s_client does not put the pieces of a reply together
    silent = serve(lambda _: threading.Event().wait(3))
    whole = authority.root.public_bytes(Encoding.PEM) + authority.intermediate.public_bytes(Encoding.PEM)
    (tmp_path / "bundle.pem").write_bytes(whole)
    url = f"https://localhost:{secure.port}/"
    with blackhole() as dropped:
        requests = [
            {"id": "plain", "op": "fetch", "url": redirect.url},
            {"id": "secure", "op": "fetch", "url": url, "ca_path": str(authority.ca_path), "family": "ipv4"},
            {"id": "unverified", "op": "fetch", "url": url, "family": "ipv4"},
            {"id": "wrong name", "op": "fetch", "url": f"https://127.0.0.1:{secure.port}/", "ca_path": str(authority.ca_path)},
            {"id": "not tls", "op": "fetch", "url": f"https://{not_tls.netloc}/"},
            {"id": "silent", "op": "fetch", "url": silent.url, "timeout": 0.5},
            {"id": "dropped", "op": "connect", "host": "127.0.0.1", "port": dropped, "timeout": 0.5},
            {"id": "literal", "op": "connect", "host": "::1", "port": dropped},
            {"id": "name", "op": "connect", "host": "nothing.invalid", "port": 80},
            {"id": "chain", "op": "chain", "host": "localhost", "port": secure.port, "family": "ipv4"},
            {"id": "mail", "op": "chain", "host": "127.0.0.1", "port": mail.port, "starttls": "smtp", "server_name": "localhost"},
            {"id": "file", "op": "store", "type": "pem_file", "paths": [str(tmp_path / "bundle.pem")]},
            {"id": "directory", "op": "store", "type": "pem_directory", "paths": [str(tmp_path)]},
            {"id": "unknown", "op": "telepathy"},
        ]
        result = execute(
            version,
            deadline=15,
            requests=[dict(proxy="none", **r) if "type" not in r and r["op"] != "telepathy" else r for r in requests],
        )
    answers = {answer["id"]: answer for answer in result["answers"]}
    outcomes = {key: outcome(answer) for key, answer in answers.items()}
    assert outcomes.pop("not tls") == "tls/protocol"
    assert outcomes.pop("name").startswith("resolve/")
    assert outcomes == {
        "plain": "ok",
        "secure": "ok",
        "unverified": "tls/verify_failed",
        "wrong name": "tls/verify_failed",
        "silent": "http/timeout",
        "dropped": "connect/timeout",
        "literal": "connect/refused",
        "chain": "ok",
        "mail": "ok",
        "file": "ok",
        "directory": "ok",
        "unknown": "request/unsupported",
    }
    assert base64.b64decode(answers["plain"]["body"]) == b"plain"
    assert answers["secure"]["hops"][0]["tls"]["verified"] is True
    assert len(answers["file"]["certificates"]) == 2
    expected = "python" if version >= (3, 13) else "python_private" if version >= (3, 10) else "openssl"
    for key in ("chain", "mail"):
        tls = answers[key]["hops"][0]["tls"]
        assert tls["chain_source"] == expected
        assert [base64.b64decode(item) for item in tls["chain"]] == chain
    for key in ("unverified", "wrong name"):
        shown = [base64.b64decode(item) for item in answers[key]["hops"][0]["tls"]["chain"]]
        assert shown == (chain if version >= (3, 10) else chain[:1])


def test_the_deadline_holds_for_the_whole_process(version, serve):
    """A thread that hangs does not keep the interpreter from ending."""

    def endless(connection):
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            connection.sendall(b"x" * 10)

    url = serve(endless).url
    requests = [{"id": str(number), "op": "fetch", "url": url, "proxy": "none", "max_bytes": 1 << 30} for number in range(3)]
    result = execute(version, deadline=1, requests=requests)
    assert {outcome(answer) for answer in result["answers"]} <= {"body/deadline", "http/deadline"}
    assert result["elapsed_ms"] < 2000


def test_a_body_without_end_costs_little_memory(version, serve):
    def huge(connection):
        connection.recv(4096)
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        block = bytes(1 << 20)
        for _number in range(10240):
            connection.sendall(block)

    script = (
        # Not ru_maxrss, which begins with what the parent process has.
        "import json, re, sys; sys.path.insert(0, sys.argv[1])\n"
        "def peak(): return int(re.search('VmHWM:\\\\s*([0-9]+)', open('/proc/self/status').read()).group(1))\n"
        "before = peak()\n"
        "from ansible_collections.mailops.tls.plugins.module_utils._probe.engine import run\n"
        "result = run(json.load(sys.stdin), deadline=20)\n"
        "print(json.dumps([[a['error'] for a in result['answers']], peak() - before]))"
    )
    url = serve(huge).url
    requests = [{"id": str(number), "op": "fetch", "url": url, "proxy": "none"} for number in range(6)]
    command = [FOUND[version], "-B", "-c", script, str(COLLECTIONS)]
    done = subprocess.run(command, input=json.dumps(requests).encode(), capture_output=True, timeout=60, check=True)
    errors, grown = json.loads(done.stdout)
    assert {error["code"] for error in errors} <= {"too_large", "budget"}
    assert 2 * 1024 < grown < 64 * 1024


def test_the_module_itself(serve):
    """As Ansible runs it on its own Python, arguments and all; older ones run it in the lab with an older ansible-core."""
    arguments = {
        "requests": [{"id": "a", "op": "fetch", "url": serve(answering(http(b"x"))).url}, {"id": "b", "op": "nope"}],
        "secrets": {"key": "Basic aGFubmFoOnNlY3JldA=="},
        "_ansible_check_mode": True,
    }
    script = "import runpy, sys; sys.path.insert(0, sys.argv.pop(1)); runpy.run_path(sys.argv.pop(1), run_name='__main__')"
    module = COLLECTIONS / "ansible_collections/mailops/tls/plugins/modules/probe.py"
    environment = {key: value for key, value in os.environ.items() if not re.search("proxy", key, re.IGNORECASE)}
    done = subprocess.run(
        [sys.executable, "-B", "-c", script, str(COLLECTIONS), str(module)],
        input=json.dumps({"ANSIBLE_MODULE_ARGS": arguments}).encode(),
        capture_output=True,
        timeout=60,
        check=False,
        env=environment,
    )
    result = json.loads(done.stdout)
    assert result["changed"] is False
    assert [outcome(answer) for answer in result["observations"]["answers"]] == ["ok", "request/unsupported"]
    assert b"aGFubmFoOnNlY3JldA" not in done.stdout


def test_only_what_is_needed_is_imported(tmp_path):
    """Neither TLS nor HTTP packages are paid for by a run over stores, and never the standard library's HTTP client."""
    script = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from ansible_collections.mailops.tls.plugins.module_utils._probe.engine import run\n"
        "run([{'id': 's', 'op': 'store', 'type': 'pem_file', 'paths': ['/x']}]); print(*sys.modules)\n"
        "run([{'id': 'f', 'op': 'fetch', 'url': 'http://127.0.0.1:1/'}]); print(*sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-B", "-S", "-c", script, str(COLLECTIONS)], capture_output=True, check=True, cwd=tmp_path
    )
    stores, fetches = (set(line.split()) for line in done.stdout.decode().splitlines())
    assert not {"socket", "ssl", "http.client", "urllib.request", "subprocess"} & stores
    assert not {"ssl", "http.client", "urllib.request", "email", "subprocess"} & fetches
