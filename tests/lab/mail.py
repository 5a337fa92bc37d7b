# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Real mail between real Postfix instances, on a network of their own.

    with MailNetwork({"mail.example": "192.0.2.1", "partner.example": "192.0.2.2"}) as network:
        partner = PostfixInstance(network, "partner.example", certificate=network.issue("mail.partner.example"))
        partner.start()
        network.send("mail.example", partner, "alice@mail.example", "bob@partner.example", "hello")
        partner.received("hello")

Names resolve by the network's own /etc/hosts. Everything ends with the network, whatever was started in it.
"""

from __future__ import annotations

import collections.abc
import dataclasses
import datetime as dt
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time
import typing as t

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID

from tests.lab.pki import Issued, Signer, as_ca, lab_name, sign

HERE = pathlib.Path(__file__).parent
#: How long mail may take on a busy machine, in seconds.
PATIENCE_S = 30.0
PROGRAMS = ("ip", "unshare", "nsenter", "postfix", "postconf", "postmap", "postmulti", "posttls-finger")
USAGES = (ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH)

# Process 1 of the network. When the test ends, its standard input does, and with it everything it was told to run.
INIT = """\
set -eu
mount -t proc proc /proc
ip link set lo up
for address in {addresses}; do ip addr add "$address/32" dev lo; done
mount --bind '{directory}/hosts' /etc/hosts
mount --bind '{directory}/resolv.conf' /etc/resolv.conf
mount --bind '{directory}/etc' /etc/postfix
echo ready
exec cat >/dev/null
"""

MASTER_CF = """\
{port} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""


@dataclasses.dataclass(frozen=True)
class Answer:
    """What a server said last to a client: its code, its text, and the command it answered."""

    code: int
    text: str
    command: str

    def __str__(self) -> str:
        return f"{self.code} {self.text}"


class MailNetwork:
    """A network namespace with these hosts (name to IPv4 address), its own /etc/hosts and /etc/postfix, and a CA."""

    def __init__(self, hosts: collections.abc.Mapping[str, str]) -> None:
        self.hosts = dict(hosts)
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="mtls-mail."))
        self.directory.chmod(0o755)  # Postfix reads what is below as its own user
        self.signer = Signer(dt.datetime.now(dt.timezone.utc))
        self.ca = self.new_ca("Mail Lab CA")
        self.ca_file = self._write("ca.pem", self.ca.pem)
        self._write("hosts", "127.0.0.1 localhost\n" + "".join(f"{place} {name}\n" for name, place in self.hosts.items()))
        self._write("resolv.conf", "nameserver 127.0.0.1\n")
        # The machine's own files beside a main.cf that the lab may write to, as for several instances.
        shutil.copytree("/etc/postfix", self.directory / "etc", symlinks=True)
        self._numbers = iter(range(1_000_000))
        self._start()

    def _write(self, name: str, content: str) -> pathlib.Path:
        path = self.directory / name
        path.write_text(content)
        return path

    def _start(self) -> None:
        script = INIT.format(addresses=" ".join(self.hosts.values()), directory=self.directory)
        command = [
            "unshare",
            "--net",
            "--mount",
            "--pid",
            "--fork",
            "--kill-child",
            "--propagation",
            "private",
            "sh",
            "-c",
            script,
        ]
        self._init = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert self._init.stdout is not None
        assert self._init.stderr is not None
        if self._init.stdout.readline() != "ready\n":
            raise RuntimeError(f"no network for mail: {self._init.stderr.read()}")
        children = pathlib.Path(f"/proc/{self._init.pid}/task/{self._init.pid}/children").read_text().split()
        self._enter = ["nsenter", "--target", children[0], "--net", "--mount", "--pid", "--"]

    def __enter__(self) -> MailNetwork:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End everything in this network and remove its files."""
        assert self._init.stdin is not None
        self._init.stdin.close()
        self._init.wait(PATIENCE_S)
        shutil.rmtree(self.directory, ignore_errors=True)

    def command(self, *words: object) -> list[str]:
        """The command line that runs a command in this network."""
        return [*self._enter, *map(str, words)]

    def run(self, *words: object, text: str = "", check: bool = True, timeout: float = 60) -> subprocess.CompletedProcess[str]:
        """Run a command in this network; its two output streams come together."""
        done = subprocess.run(
            self.command(*words),
            input=text,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=timeout,
            check=False,
        )
        assert not check or done.returncode == 0, f"{' '.join(map(str, words))}: {done.stdout}"
        return done

    def new_ca(self, name: str) -> Issued:
        """A root of its own."""
        key = ec.generate_private_key(ec.SECP256R1())
        builder = self.signer.builder(lab_name(name), key, lab_name(name), 3650)
        return Issued(as_ca(builder, path_length=None).sign(key, hashes.SHA256()), key)

    def issue(
        self,
        *names: str,
        ca: Issued | None = None,
        days: float = 90,
        start: dt.datetime | None = None,
        usages: collections.abc.Iterable[x509.ObjectIdentifier] = USAGES,
        subject: x509.Name | None = None,
    ) -> Issued:
        """A certificate for servers and clients with these names, valid from `start` for `days` (expired if in the past).

        `usages` are its extended key usages, and `subject` is what it has instead of the first name as a common name.
        """
        ca = ca or self.ca
        key = ec.generate_private_key(ec.SECP256R1())
        begin = start or self.signer.start
        builder = (
            x509.CertificateBuilder()
            .subject_name(lab_name(names[0]) if subject is None else subject)
            .issuer_name(ca.certificate.subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(begin)
            .not_valid_after(begin + dt.timedelta(days=days))
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=False)
            .add_extension(x509.ExtendedKeyUsage(usages), critical=False)
        )
        return sign(builder, key, ca)

    def expired(self, *names: str, ca: Issued | None = None) -> Issued:
        """A certificate that ended yesterday."""
        return self.issue(*names, ca=ca, days=30, start=self.signer.start - dt.timedelta(days=30))

    def key_and_chain(self, issued: Issued) -> pathlib.Path:
        """A PEM file with key and certificate, as smtpd_tls_chain_files wants it."""
        path = self._write(f"chain-{next(self._numbers)}.pem", issued.key_pem + issued.pem)
        path.chmod(0o600)
        return path

    def send(
        self,
        client: str,
        server: PostfixInstance,
        sender: str,
        recipient: str,
        subject: str,
        *,
        tls: bool = False,
        certificate: Issued | None = None,
        chunking: bool = False,
    ) -> Answer:
        """Send one message as a client that is no Postfix, from the address of the host `client`; `chunking`: by BDAT."""
        request = {
            "address": self.hosts[client],
            "server": server.address,
            "port": server.port,
            "sender": sender,
            "recipient": recipient,
            "subject": subject,
            "tls": tls,
            "chunking": chunking,
            "certificate": str(self.key_and_chain(certificate)) if certificate else None,
        }
        done = self.run(sys.executable, HERE / "smtp_client.py", text=json.dumps(request))
        return Answer(**json.loads(done.stdout))


class PostfixInstance:
    """A Postfix of its own, at the address of its host.

    It delivers mail for the domain of its name to a maildir, and sends all other mail to the host of the recipient's
    domain. `certificate` is what it presents as a server and as a client; without one it offers no TLS.
    """

    def __init__(
        self,
        network: MailNetwork,
        name: str,
        *,
        port: int = 25,
        certificate: Issued | None = None,
        main_cf: collections.abc.Mapping[str, str] | None = None,
    ) -> None:
        self.network = network
        self.name = name
        self.address = network.hosts[name]
        self.port = port
        self.directory = network.directory / name
        self.config = self.directory / "etc"
        self.log_file = self.directory / "mail.log"
        self._make(certificate, main_cf or {})

    def _make(self, certificate: Issued | None, more: collections.abc.Mapping[str, str]) -> None:
        for folder in ("etc", "queue", "data", "mail"):
            (self.directory / folder).mkdir(parents=True)
        shutil.chown(self.directory / "data", "postfix")
        shutil.chown(self.directory / "mail", "nobody")
        settings = {
            "compatibility_level": "3.6",
            "queue_directory": str(self.directory / "queue"),
            "data_directory": str(self.directory / "data"),
            "maillog_file": str(self.log_file),
            "maillog_file_prefixes": str(self.directory),
            "myhostname": self.name,
            "mydestination": "",
            "local_recipient_maps": "",
            "alias_maps": "",
            "inet_interfaces": self.address,
            "inet_protocols": "ipv4",
            "mynetworks": "127.0.0.0/8, 192.0.2.0/24",
            "smtp_bind_address": self.address,
            "smtp_dns_support_level": "disabled",
            "smtp_host_lookup": "native",
            "default_transport": "smtp",
            "virtual_mailbox_domains": self.name,
            "virtual_mailbox_base": str(self.directory / "mail"),
            "virtual_mailbox_maps": "static:inbox/",
            "virtual_uid_maps": "static:65534",
            "virtual_gid_maps": "static:65534",
            # One attempt at a time, when the test says so: a deferred message waits in the queue to be looked at.
            "minimal_backoff_time": "3600s",
            "smtp_tls_CAfile": str(self.network.ca_file),
            "smtp_tls_security_level": "may",
            "smtp_tls_loglevel": "1",
            "smtpd_tls_loglevel": "1",
            **self.presents(certificate),
            **more,
        }
        (self.config / "main.cf").write_text("".join(f"{name} = {value}\n" for name, value in settings.items()))
        (self.config / "master.cf").write_text(MASTER_CF.format(port=self.port))

    def presents(self, certificate: Issued | None) -> dict[str, str]:
        """The settings with which it presents this certificate, as server and client."""
        if certificate is None:
            return {"smtpd_tls_security_level": "none"}
        chain = str(self.network.key_and_chain(certificate))
        return {"smtpd_tls_security_level": "may", "smtpd_tls_chain_files": chain, "smtp_tls_chain_files": chain}

    def set(self, **settings: str) -> None:
        """Change settings of main.cf; a reload makes them count."""
        edits = [f"{name}={value}" for name, value in settings.items()]
        self.network.run("postconf", "-c", self.config, "-e", *edits)

    def present(self, certificate: Issued | None) -> None:
        """Present another certificate from now on; None: offer no TLS."""
        self.set(**self.presents(certificate))
        self.restart()

    def start(self) -> None:
        """Start, and wait until it answers."""
        self.network.run("postfix", "-c", self.config, "start")
        wait_for(self._answers, f"{self.name} to answer on port {self.port}")

    def _answers(self) -> bool:
        probe = f"exec 3<>/dev/tcp/{self.address}/{self.port} && read -t 20 line <&3 && [[ $line == 220* ]]"
        return self.network.run("bash", "-c", probe, check=False).returncode == 0

    def stop(self) -> None:
        """Stop, if it runs."""
        self.network.run("postfix", "-c", self.config, "stop", check=False)

    def restart(self) -> None:
        """Stop and start: unlike after a reload, no process goes on with what it read before."""
        self.stop()
        self.start()

    def running(self) -> bool:
        return self.network.run("postfix", "-c", self.config, "status", check=False).returncode == 0

    def master(self) -> str:
        """The process id of its master, in the network."""
        return (self.directory / "queue" / "pid" / "master.pid").read_text().strip()

    def log(self) -> str:
        """The whole mail log."""
        return self.log_file.read_text(errors="replace") if self.log_file.exists() else ""

    def reloads(self) -> int:
        """How often it was reloaded."""
        return self.log().count("reload -- version")

    def received(self, subject: str) -> bool:
        """Was a message with this subject delivered to a mailbox here?"""
        new = self.directory / "mail" / "inbox" / "new"
        return new.is_dir() and any(f"Subject: {subject}\n" in path.read_text() for path in new.iterdir())

    def submit(self, recipient: str, subject: str, sender: str = "") -> str:
        """Hand over a message to be sent from here. Returns its queue id."""
        answer = self.network.send(self.name, self, sender or f"alice@{self.name}", recipient, subject)
        assert answer.code == 250, answer
        return answer.text.split()[-1]

    def outcome(self, queue_id: str) -> str:
        """What became of the first attempt to deliver a message: the log line that has its status."""

        def lines() -> list[str]:
            return [line for line in self.log().splitlines() if f" {queue_id}: " in line and " status=" in line]

        wait_for(lambda: bool(lines()), f"{self.name} to try {queue_id}")
        return lines()[0]

    def deliver(self, recipient: str, subject: str, sender: str = "") -> str:
        """Submit a message and return its outcome; no attempt of before stands in its way."""
        return self.outcome(self.submit(recipient, subject, sender))

    def queue(self) -> list[str]:
        """The ids of the messages that wait."""
        listed = self.network.run("postqueue", "-c", self.config, "-j").stdout.splitlines()
        return [json.loads(line)["queue_id"] for line in listed]

    def finger(self, level: str, destination: str, *match: str) -> str:
        """What posttls-finger says about a destination at a level, with this network's CA."""
        words = ["env", f"MAIL_CONFIG={self.config}", "posttls-finger", "-c", "-P", "", "-F", self.network.ca_file]
        return self.network.run(*words, "-l", level, destination, *match, check=False).stdout


def wait_for(condition: t.Callable[[], bool], what: str) -> None:
    """Wait until it is so. Raises AssertionError when patience ends."""
    end = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end, f"waited {PATIENCE_S:.0f} s for {what}"
        time.sleep(0.05)
