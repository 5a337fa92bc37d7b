# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A host with ten stores of 150 roots: what judging them costs it, beside other tools on the same stores.

The host is this machine through Ansible's local connection, with stores in a temporary folder. CPU time is that of all that
Ansible starts there by the host's Python, told by the shell that wraps it; wall time is that of ansible-playbook.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
import json
import os
import pathlib
import re
import ssl
import statistics
import struct
import subprocess
import tempfile
import time
import typing as t

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.benchmark.harness import BenchmarkError, Contestant, Settings, verdict
from tools import readiness

TARGET_MS = 150.0
BUNDLE = pathlib.Path("/etc/ssl/certs/ca-certificates.crt")
PASSWORD = "changeit"  # noqa: S105 - the usual one of Java
_BLOCK = re.compile(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----\n?", re.DOTALL)
_TIMES = re.compile(r"(\d+)m([0-9.]+)s")
ASKED = ["digicert-global-root-ca", "digicert-global-root-g2", "globalsign-r3", "globalsign-r6"]


@dataclasses.dataclass(frozen=True)
class Stores:
    """What was made: ten stores as trust_store_info takes them, and the certificates that all of them hold."""

    specs: list[dict[str, str]]
    pems: list[str]


def make_stores(folder: pathlib.Path, roots: int) -> Stores:
    """Ten stores of so many roots: those of this machine, and made ones up to the number."""
    folder.mkdir()
    pems = _BLOCK.findall(BUNDLE.read_text(encoding="utf-8")) if BUNDLE.is_file() else []
    pems = [*pems[:roots], *(_made(f"Root {number}") for number in range(len(pems), roots))]
    bundle = "".join(pems)
    specs = []
    for number in range(4):
        (folder / f"bundle{number}.pem").write_text(bundle, encoding="utf-8")
        specs.append({"type": "pem_file", "path": str(folder / f"bundle{number}.pem")})
    (folder / "cacert.pem").write_text(bundle, encoding="utf-8")
    specs.append({"type": "python", "path": str(folder / "cacert.pem")})
    for number in range(2):
        directory = folder / f"hashed{number}"
        directory.mkdir()
        for index, pem in enumerate(pems):
            (directory / f"{index}.pem").write_text(pem, encoding="utf-8")
        subprocess.run(["openssl", "rehash", directory], check=True, capture_output=True)
        specs.append({"type": "pem_directory", "path": str(directory)})
    for number in range(2):
        (folder / f"store{number}.jks").write_bytes(_jks(pems))
        specs.append({"type": "java", "path": str(folder / f"store{number}.jks")})
    database = folder / "nss"
    database.mkdir()
    subprocess.run(["certutil", "-N", "-d", f"sql:{database}", "--empty-password"], check=True, capture_output=True)
    for index in range(roots):
        command: list[str | pathlib.Path] = [
            "certutil",
            "-A",
            "-d",
            f"sql:{database}",
            "-n",
            str(index),
            "-t",
            "C,,",
            "-i",
            folder / "hashed0" / f"{index}.pem",
        ]
        subprocess.run(command, check=True, capture_output=True)
    specs.append({"type": "nss", "path": str(database)})
    return Stores(specs, pems)


def _made(name: str) -> str:
    """A root that signed itself."""
    key = rsa.generate_private_key(65537, 2048)
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.timezone.utc)
    builder = x509.CertificateBuilder(
        subject, subject, key.public_key(), x509.random_serial_number(), now, now + dt.timedelta(99)
    )
    signed = builder.add_extension(x509.BasicConstraints(True, None), True).sign(key, hashes.SHA256())
    return signed.public_bytes(serialization.Encoding.PEM).decode()


def _jks(pems: t.Sequence[str]) -> bytes:
    """A keystore of trusted certificates. keytool takes half a second for each of them."""
    body = struct.pack(">4sII", b"\xfe\xed\xfe\xed", 2, len(pems))
    for index, pem in enumerate(pems):
        der = ssl.PEM_cert_to_DER_cert(pem)
        alias, kind = f"root{index}".encode(), b"X.509"
        body += struct.pack(">IH", 2, len(alias)) + alias + bytes(8)
        body += struct.pack(">H", len(kind)) + kind + struct.pack(">I", len(der)) + der
    # SHA-1 is what the format has.
    seed = PASSWORD.encode("utf-16-be") + b"Mighty Aphrodite"
    return body + hashlib.sha1(seed + body, usedforsecurity=False).digest()


def contestants(stores: Stores) -> list[Contestant]:
    """The same question to others: keytool and trust list the certificates of one store each, x509_certificate_info reads one."""
    java = next(spec["path"] for spec in stores.specs if spec["type"] == "java")
    ours = {"profiles": [], "roots": ASKED, "stores": stores.specs}
    listed = f"keytool -list -keystore {java} -storepass {PASSWORD}"
    looped = {
        "community.crypto.x509_certificate_info": {"content": "{{ item }}"},
        "loop": stores.pems,
        "loop_control": {"label": ""},
    }
    return [
        Contestant("ping", {"tasks": [{"ansible.builtin.ping": {}}]}),
        Contestant(
            "trust_store_info", {"tasks": [{"mailops.tls.trust_store_info": ours, "register": "trust"}, _check(len(stores.pems))]}
        ),
        Contestant("keytool, 1 store", {"tasks": [{"ansible.builtin.command": {"cmd": listed}}]}),
        Contestant("trust list", {"tasks": [{"ansible.builtin.command": {"cmd": "trust list"}}]}),
        Contestant("x509_certificate_info, 1 store", {"tasks": [looped]}),
    ]


def _check(roots: int) -> dict[str, t.Any]:
    """All ten stores were read to the end."""
    counts = "trust.stores | map(attribute='certificates') | unique | list"
    return {"ansible.builtin.assert": {"that": ["trust.stores | length == 10", f"{counts} == [{roots}]"], "quiet": True}}


def run(few: int, many: int, settings: Settings) -> list[str]:
    """Measure and return the lines to print. few, many: roots in each of the ten stores."""
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        field = _Field(folder, settings)
        found = {}
        for contestant in contestants(make_stores(folder / "many", many)):
            # One run of 150 modules says as much as five.
            repeat = settings.repeat if "x509" not in contestant.name else 1
            found[contestant.name] = field.measure(contestant, repeat)
        small = field.measure(contestants(make_stores(folder / "few", few))[1], settings.repeat)
    ping = found["ping"]
    lines = [f"{'':<32} {'host CPU':>10} {'above ping':>11} {'wall':>8}   ratio of CPU above ping"]
    ours = found["trust_store_info"].cpu - ping.cpu
    for name, cost in found.items():
        above = cost.cpu - ping.cpu
        ratio = f"{above / ours:6.2f}" if name != "ping" else ""
        lines.append(f"{name:<32} {cost.cpu * 1000:7.0f} ms {above * 1000:8.0f} ms {cost.wall:6.2f} s   {ratio}")
    executions = found["trust_store_info"].executions - ping.executions + 1
    lines.append(f"trust_store_info: ten stores in {executions} execution{'' if executions == 1 else 's'} on the host")
    lines.append(f"with {few} roots in each store: {(small.cpu - ping.cpu) * 1000:.0f} ms above a ping")
    lines.append(verdict(f"host CPU above a ping for ten stores of {many} roots, in ms", ours * 1000, TARGET_MS))
    return lines


class _Cost(t.NamedTuple):
    cpu: float
    wall: float
    executions: int


class _Field:
    """This machine as a host, with a Python that tells what it cost."""

    def __init__(self, folder: pathlib.Path, settings: Settings) -> None:
        self.folder, self.settings = folder, settings
        self.log = folder / "times"
        self.interpreter = folder / "python"
        python = settings.venv / "bin" / "python"
        # `times` prints what the shell used and what its children used, user and system each.
        self.interpreter.write_text(
            f'#!/bin/bash\n"{python}" "$@"\nstatus=$?\ntimes >>"{self.log}"\nexit $status\n', encoding="utf-8"
        )
        self.interpreter.chmod(0o755)
        host = {"ansible_connection": "local", "ansible_python_interpreter": str(self.interpreter)}
        self.inventory = folder / "inventory.json"
        self.inventory.write_text(json.dumps({"all": {"hosts": {"host": host}}}), encoding="utf-8")

    def measure(self, contestant: Contestant, repeat: int) -> _Cost:
        """Medians over the counted runs; the first is not counted."""
        costs = [self._once(contestant) for _number in range(repeat + (1 if repeat > 1 else 0))]
        counted = costs[1:] or costs
        return _Cost(
            statistics.median(cost.cpu for cost in counted),
            statistics.median(cost.wall for cost in counted),
            counted[0].executions,
        )

    def _once(self, contestant: Contestant) -> _Cost:
        self.log.unlink(missing_ok=True)
        playbook = self.folder / "play.json"
        playbook.write_text(json.dumps([{"hosts": "all", "gather_facts": False, **contestant.play}]), encoding="utf-8")
        command = [str(self.settings.venv / "bin" / "ansible-playbook"), "-i", str(self.inventory), str(playbook)]
        environment = readiness.environment(os.environ)
        began = time.perf_counter()
        done = subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        wall = time.perf_counter() - began
        if done.returncode:
            raise BenchmarkError(f"{contestant.name}: exit status {done.returncode}\n{done.stdout[-3000:]}{done.stderr[-1000:]}")
        lines = self.log.read_text(encoding="ascii").splitlines()[1::2]
        cpu = sum(int(minutes) * 60 + float(seconds) for line in lines for minutes, seconds in _TIMES.findall(line))
        return _Cost(cpu, wall, len(lines))
