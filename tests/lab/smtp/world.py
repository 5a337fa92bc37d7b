# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The mail network itself: a namespace for each side, real servers in them, and one host that looks at them all."""

from __future__ import annotations

import contextlib
import datetime as dt
import functools
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time
import typing as t

import yaml

from tests.conftest import ROOT
from tests.lab.smtp import dns, pki, plan, postfix

PROGRAMS = (
    *("ip", "unshare", "nsenter", "setpriv", "openssl", "nginx", "nsd", "unbound"),
    *("dnssec-keygen", "dnssec-signzone", "postfix", "postqueue", "posttls-finger"),
)
SIDES: t.Final[tuple[plan.Role, ...]] = ("exchange-online", "partner", "on-premises")
PATIENCE_S = 30.0

NGINX = """\
daemon off;
user root;
pid {state}/nginx.pid;
error_log {state}/nginx.log;
events {{ worker_connections 256; }}
http {{
    access_log off;
    client_body_temp_path {state}/body;
    proxy_temp_path {state}/proxy;
    fastcgi_temp_path {state}/fastcgi;
    uwsgi_temp_path {state}/uwsgi;
    scgi_temp_path {state}/scgi;
    server {{ listen {files}:80; root {state}/ca/served; }}
    server {{ listen {ocsp}:80; location / {{ proxy_pass http://127.0.0.1:8888; proxy_http_version 1.0; }} }}
    ssl_certificate {state}/ca/policies.pem;
    ssl_certificate_key {state}/ca/policies.key;
{policies}
}}
"""
POLICY = """\
    server {{
        listen {address}:443 ssl;
        server_name mta-sts.{domain};
        location = /.well-known/mta-sts.txt {{ default_type text/plain; return 200 "{text}"; }}
    }}
"""


class MailWorld:
    """Namespaces, servers and the host. Use it as a context manager; everything ends with it, or with this process.

    `crowd` is a number of further addresses of exchange-online, all of which answer on CROWD_PORT with a sound certificate.
    """

    def __init__(self, crowd: int = 0) -> None:
        self.crowd = tuple(f"{plan.NET}.{100 + number // 200}.{1 + number % 200}" for number in range(crowd))
        # Not below a private directory: Postfix reads its files as its own user.
        self.state = pathlib.Path(tempfile.mkdtemp(prefix="mtls-smtp."))
        self.state.chmod(0o755)
        self._anchors: dict[str, int] = {}
        self._processes: list[subprocess.Popen[bytes]] = []
        self.ca = pki.make(dt.datetime.now(dt.timezone.utc))

    def __enter__(self) -> MailWorld:
        try:
            self._build()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def root(self) -> pathlib.Path:
        """The root that the sound servers' chains end in."""
        return self.state / "ca" / "root.pem"

    def close(self) -> None:
        """End everything and remove every file."""
        for process in self._processes:
            process.kill()
        for process in self._processes:
            process.wait(PATIENCE_S)
        shutil.rmtree(self.state, ignore_errors=True)

    def command(self, role: plan.Role, *words: object) -> list[str]:
        """The command line that runs a command on one side."""
        return ["nsenter", "--target", str(self._anchors[role]), "--net", "--mount", "--pid", "--", *map(str, words)]

    def run(self, role: plan.Role, *words: object, timeout: float = 120, check: bool = False) -> subprocess.CompletedProcess[str]:
        """Run a command on one side, with both output streams together."""
        done = subprocess.run(
            self.command(role, *words), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=timeout, check=False
        )
        assert not check or done.returncode == 0, f"{words}: {done.stdout}"
        return done

    def play(
        self,
        tasks: t.Sequence[dict[str, t.Any]],
        *,
        hosts: t.Mapping[str, dict[str, t.Any]] | None = None,
        arguments: t.Sequence[str] = (),
        keep: bool = True,
    ) -> dict[str, dict[str, t.Any]]:
        """Run tasks on the host, and return what each registered, by host and name. `hosts` are names for the same host.

        Without `keep` nothing is returned, and no time is spent on it.
        """
        folder = pathlib.Path(tempfile.mkdtemp(dir=self.state))
        names = [task["register"] for task in tasks if "register" in task]
        save = {
            "ansible.builtin.copy": {
                "content": "{{ dict(names | zip(names | map('extract', vars))) | to_json }}",
                "dest": f"{folder}/{{{{ inventory_hostname }}}}.json",
                "mode": "0600",
            },
            "vars": {"names": names},
        }
        play = {"hosts": "all", "gather_facts": False, "tasks": [*tasks, save] if keep else list(tasks)}
        (folder / "play.yml").write_text(yaml.safe_dump([play]))
        local = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
        inventory = {"all": {"vars": local, "hosts": dict(hosts or {"mailhost": {}})}}
        (folder / "inventory.yml").write_text(yaml.safe_dump(inventory))
        program = pathlib.Path(sys.executable).with_name("ansible-playbook")
        done = subprocess.run(
            self.command("host", program, "-i", folder / "inventory.yml", *arguments, folder / "play.yml"),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=folder,
            env=_environment(),
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, done.stdout
        (folder / "output").write_text(done.stdout)
        return {path.stem: json.loads(path.read_text()) for path in folder.glob("*.json")}

    def finger(self, level: str, destination: str, *more: object) -> str:
        """What posttls-finger says on the host. Its exit status says nothing."""
        words = ("posttls-finger", "-c", "-t", "5", "-T", "5", "-P", "", "-F", self.root, "-l", level, *more, destination)
        return self.run("host", "env", f"MAIL_CONFIG={self.state}/host", *words).stdout

    def queued(self) -> list[str]:
        """Mail that any of the servers has taken."""
        found = []
        for side in SIDES:
            listed = self.run(side, "postqueue", "-c", self.state / side / "etc", "-j", check=True).stdout
            found += [*postfix.queued(listed), *postfix.transactions(self.state / side)]
        return found

    def _build(self) -> None:
        pki.write(self.ca, dt.datetime.now(dt.timezone.utc), self.state / "ca")
        dns.prepare(self.ca, self.state / "dns")
        for side in SIDES:
            postfix.prepare(side, self.state / "ca", self.state / side)
        (self.state / "nginx.conf").write_text(self._nginx())
        (self.state / "resolv.conf").write_text(f"nameserver {plan.RESOLVER}\noptions edns0 trust-ad\n")
        # What the host's own Postfix would be set to, for posttls-finger.
        (self.state / "host").mkdir()
        (self.state / "host" / "main.cf").write_text("compatibility_level = 3.6\nsmtp_dns_support_level = dnssec\n")
        # The host's own store: the root of the mail network and nothing else.
        (self.state / "bundle.pem").write_text(self.ca.root.pem)
        for role in ("services", *SIDES, "host"):
            self._anchors[role] = self._anchor()
        self._connect()
        self._start()

    def _anchor(self) -> int:
        """A process that holds namespaces of its own; returns its process id. It does not outlive this process."""
        launcher = self._spawn(
            *("setpriv", "--pdeathsig", "KILL", "unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"),
            *("--propagation", "private", "sleep", "infinity"),
        )
        children = pathlib.Path(f"/proc/{launcher.pid}/task/{launcher.pid}/children")

        def child() -> bool:
            found = children.read_text().split()
            return bool(found) and pathlib.Path(f"/proc/{found[0]}/comm").read_text() == "sleep\n"

        wait_for(child, "a namespace")
        return int(children.read_text().split()[0])

    def _spawn(self, *words: object) -> subprocess.Popen[bytes]:
        with (self.state / "output").open("ab") as output:
            process = subprocess.Popen([*map(str, words)], stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd="/")
        self._processes.append(process)
        return process

    def _connect(self) -> None:
        """A bridge among the services, and a cable to every other side."""
        enter = ["nsenter", "--target", str(self._anchors["services"]), "--net", "--"]
        own = [plan.RESOLVER, plan.AUTHORITY, plan.FILES, plan.OCSP, plan.POLICIES, *_addresses("odd")]
        lines = [
            "link add br0 type bridge",
            *(_address(place, "br0") for place in own),
            "link set br0 up",
            "link set lo up",
        ]
        for number, role in enumerate((*SIDES, "host")):
            lines.append(f"link add v{number} type veth peer name eth0 netns {self._anchors[role]}")
            lines.append(f"link set v{number} master br0 up")
        _batch(enter, lines)
        for role in (*SIDES, "host"):
            places = _addresses(role) or [f"{plan.NET}.{plan.BLOCKS[role]}.1"]
            places += self.crowd if role == "exchange-online" else ()
            places += [f"{plan.NET6}{plan.BLOCKS[role]}::1"]
            lines = ["link set lo up", *(_address(place, "eth0") for place in places), "link set eth0 up"]
            _batch(["nsenter", "--target", str(self._anchors[role]), "--net", "--"], lines)
        for role in (*SIDES, "host"):
            self.run(role, "mount", "--bind", self.state / "resolv.conf", "/etc/resolv.conf", check=True)
        self.run("host", "mount", "--bind", self.state / "bundle.pem", "/etc/ssl/certs/ca-certificates.crt", check=True)

    def _start(self) -> None:
        ca, folder = self.state / "ca", self.state / "dns"
        inside = {
            "nsd": ("nsd", "-d", "-c", folder / "nsd.conf"),
            "unbound": ("unbound", "-d", "-c", folder / "unbound.conf"),
            "nginx": ("nginx", "-c", self.state / "nginx.conf", "-e", self.state / "nginx.log"),
            "ocsp": (
                *("openssl", "ocsp", "-port", "8888", "-multi", "2", "-ignore_err", "-ndays", "3", "-index", ca / "index"),
                *("-CA", ca / "intermediate.pem", "-rsigner", ca / "responder.pem", "-rkey", ca / "responder.key"),
            ),
            "odd": (sys.executable, "-m", "tests.lab.smtp.odd", ca),
        }
        for name, words in inside.items():
            environment = ["env", f"PYTHONPATH={ROOT}", "PYTHONDONTWRITEBYTECODE=1"] if name == "odd" else []
            self._spawn(*self.command("services", *environment, *words))
        for side in SIDES:
            self.run(side, "postfix", "-c", self.state / side / "etc", "start", check=True)
        for case in plan.CASES:
            if case.settings.get("is") != "refused":
                for address in case.addresses:
                    wait_for(functools.partial(self._open, address, case.port), f"{case.name} at {address}")
        for place, port in ((plan.FILES, 80), (plan.OCSP, 80), (plan.POLICIES, 443), (plan.RESOLVER, 53), (plan.AUTHORITY, 53)):
            wait_for(functools.partial(self._open, place, port), f"{place} port {port}")

    def _open(self, address: str, port: int) -> bool:
        with contextlib.suppress(subprocess.TimeoutExpired):
            return self.run("host", "bash", "-c", f"exec 3<>/dev/tcp/{address}/{port}", timeout=10).returncode == 0
        return False

    def _nginx(self) -> str:
        policies = ""
        for domain in plan.DOMAINS:
            if domain.mode:
                lines = [
                    "version: STSv1",
                    f"mode: {domain.mode}",
                    *(f"mx: {name}" for name in domain.policy_mx),
                    "max_age: 86400",
                ]
                text = "".join(f"{line}\\r\\n" for line in lines)
                policies += POLICY.format(address=plan.POLICIES, domain=domain.domain, text=text)
        return NGINX.format(state=self.state, files=plan.FILES, ocsp=plan.OCSP, policies=policies)


def wait_for(condition: t.Callable[[], bool], what: str) -> None:
    """Wait until it is so. Raises AssertionError when patience ends."""
    end = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end, f"waited {PATIENCE_S:.0f} s for {what}"
        time.sleep(0.02)


def _addresses(role: plan.Role) -> list[str]:
    return [address for case in plan.CASES if case.role == role for address in case.addresses]


def _address(place: str, device: str) -> str:
    """A line of ip(8). Without nodad an IPv6 address cannot be used for a second."""
    return f"addr add {place}/48 dev {device} nodad" if ":" in place else f"addr add {place}/16 dev {device}"


def _batch(enter: list[str], lines: list[str]) -> None:
    text = "".join(f"{line}\n" for line in lines)
    subprocess.run([*enter, "ip", "-batch", "-"], input=text, text=True, check=True, timeout=30)


def _environment() -> dict[str, str]:
    return {key: value for key, value in os.environ.items() if not key.startswith("ANSIBLE_")} | {
        "ANSIBLE_CONFIG": str(ROOT / "tools" / "ansible.cfg"),
        "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".cache" / "collections"),
        "ANSIBLE_FORCE_COLOR": "0",
    }
