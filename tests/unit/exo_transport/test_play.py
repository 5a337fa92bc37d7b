# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A whole ansible-playbook with several workers: one token, and neither token nor secret where others could read it."""

from __future__ import annotations

import contextlib
import pathlib
import re
import shlex
import subprocess
import sys
import threading
import typing as t

import pytest

from tests.integration.playbooks import ROOT, Run, environment, run_play
from tests.lab.exchange_online.fixture import StandIn
from tests.lab.pki import Issued
from tests.unit.exo_transport.waiting import eventually

HOSTS: t.Final[dict[str, dict[str, t.Any]]] = {f"tenant{number}": {} for number in range(4)}


def task(number: int) -> dict[str, t.Any]:
    given = "{{ lookup('ansible.builtin.env', 'SECRET_OF_TASK') or omit }}"
    options = {"name": "{{ inventory_hostname }}", "recipient_domains": ["partner.example"], "comment": f"change {number}"}
    return {"mailops.tls.exo_outbound_connector": {**options, "client_secret": given}}


def play(exchange: StandIn, directory: pathlib.Path, **more: str | None) -> Run:
    """Two tasks on four hosts in two workers, with everything that Ansible can say about it."""
    options = {**exchange.options, **more}
    variables = {"SECRET_OF_TASK": options.pop("client_secret") or ""}
    variables |= {f"MAILOPS_TLS_{name.upper()}": value for name, value in options.items()}
    places = {name: str(directory / name.lower()) for name in ("HOME", "TMPDIR", "XDG_RUNTIME_DIR")}
    for place in places.values():
        pathlib.Path(place).mkdir(exist_ok=True)
    places["ANSIBLE_LOG_PATH"] = str(directory / "ansible.log")
    arguments = ("-vvvvv", "--diff", "--forks", "2")
    return run_play(directory, [task(1), task(2)], hosts=HOSTS, arguments=arguments, more_environment={**variables, **places})


class ProcessList:
    """The arguments of all processes of this machine, again and again, until the block ends."""

    def __init__(self) -> None:
        self.seen: set[bytes] = set()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self) -> ProcessList:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._ended.wait(0.02):
            for arguments in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
                with contextlib.suppress(OSError):
                    self.seen.add(arguments.read_bytes())


def test_one_token_and_no_trace_of_it(exchange: StandIn, tmp_path: pathlib.Path) -> None:
    exchange.set(delay=0.02)
    with ProcessList() as processes:
        run = play(exchange, tmp_path)
    assert run.code == 0, run.output[-2000:]
    assert [entry["path"] for entry in exchange.log()].count("token") == 1
    assert len(exchange.writes()) == 8
    assert "change 2" in run.output, "it shows the difference"
    shown = b"\n".join(processes.seen)
    assert b"_exo/session.py" in shown
    # The process that kept the token ends when it sees that the play has, and leaves nothing.
    assert eventually(lambda: not list(tmp_path.rglob("*.socket")))
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert tmp_path / "ansible.log" in files
    for where, content in {
        "output": run.output.encode(),
        "processes": shown,
        **{str(path): path.read_bytes() for path in files},
    }.items():
        for secret in (exchange.client_secret.encode(), b"stand-in."):
            assert secret not in content, where


def test_a_token_for_each_task_where_that_is_wanted(exchange: StandIn, tmp_path: pathlib.Path) -> None:
    run = play(exchange, tmp_path, keep_token="false")  # noqa: S106 - no password
    assert run.code == 0, run.output[-2000:]
    assert [entry["path"] for entry in exchange.log()].count("token") == 8


@pytest.mark.parametrize("form", ["text", "files"])
def test_a_certificate_leaves_no_trace_either(
    exchange: StandIn, tmp_path: pathlib.Path, app_certificate: Issued, form: str
) -> None:
    certificate, key = app_certificate.pem, app_certificate.key_pem
    if form == "files":
        (tmp_path / "app.pem").write_text(certificate)
        (tmp_path / "app.key").write_text(key)
        certificate, key = str(tmp_path / "app.pem"), str(tmp_path / "app.key")
    run = play(exchange, tmp_path, client_secret=None, client_certificate=certificate, client_key=key)
    assert run.code == 0, run.output[-2000:]
    secret = app_certificate.key_pem.splitlines()[1]
    for path in tmp_path.rglob("*"):
        if path.is_file() and path.name != "app.key":
            assert secret not in path.read_text(errors="replace"), path
    assert secret not in run.output


def test_the_documented_example(tmp_path: pathlib.Path) -> None:
    """What docs/exchange-online-api.md tells a newcomer to paste, with another directory."""
    page = (ROOT / "docs" / "exchange-online-api.md").read_text(encoding="utf-8")
    blocks = [block for block in re.findall(r"```sh\n(.*?)```", page, re.DOTALL) if "ansible-playbook" in block]
    assert len(blocks) == 1
    directory = tmp_path / "exchange-online"
    [documented] = set(re.findall(r"--directory (\S+)", page))
    script = blocks[0].replace(documented, str(directory))
    script = script.replace(
        ".cache/venv/bin/ansible-playbook", shlex.quote(str(pathlib.Path(sys.executable).with_name("ansible-playbook")))
    )
    command = [sys.executable, "-m", "tests.lab.exchange_online", "--directory", str(directory)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout
        assert str(directory) in server.stdout.readline()
        run = ["sh", "-ec", script]
        done = subprocess.run(run, cwd=ROOT, env=environment(), capture_output=True, text=True, check=False, timeout=120)
        server.terminate()
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    assert re.findall(r"changed=(\d)", done.stdout) == ["2", "2", "0"]
    assert "mail.partner.example" in (directory / "connectors.json").read_text()
