# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What makes a managed host: the files laid over its root, its network and its firewall, written as host.sh reads them."""

from __future__ import annotations

import pathlib
import shutil

from tests.lab import interpreters, network, pki, plan
from tests.lab.hosts import PRIVATE_STORE, LabHost

SYSTEM_STORE = "/etc/ssl/certs/ca-certificates.crt"

SSHD_CONFIG = """\
Port 22
HostKey /etc/mtls-lab/host_key
AuthorizedKeysFile /etc/mtls-lab/authorized_keys
PidFile none
UsePAM no
UseDNS no
PermitRootLogin prohibit-password
PasswordAuthentication no
KbdInteractiveAuthentication no
PrintMotd no
MaxStartups 200
MaxSessions 100
Subsystem sftp internal-sftp
"""

# Password "*": no password fits, but unlike "!" the account is not locked, so sshd lets a key in.
ADD_USER = "useradd --create-home --shell /bin/sh --password '*' {user}\n"
# Only in the overlay of this host: the machine keeps its Python.
HIDE_PYTHON = """\
rm -f /usr/bin/python[0-9]* /usr/bin/python /usr/local/bin/python*
if [ -d '{pyenv}' ]; then mount -t tmpfs mtls-lab '{pyenv}'; fi
"""


class HostWriter:
    """Writes the specification of managed hosts below the lab's state directory."""

    def __init__(self, state: pathlib.Path, ca: pki.LabCA) -> None:
        self.state = state
        self.ca = ca
        self.machine_store = pathlib.Path(SYSTEM_STORE).read_bytes() if pathlib.Path(SYSTEM_STORE).is_file() else b""

    def write(self, host: LabHost, place: plan.Address) -> pathlib.Path:
        """Write one host's specification. Returns its directory."""
        spec = self.state / "hosts" / host.name
        (spec / "mnt").mkdir(parents=True)
        (spec / "hostname").write_text(host.name + "\n")
        (spec / "net.ip").write_text(network.addresses("eth0", (place,)))
        (spec / "rules.nft").write_text(network.host_rules(host.egress))
        (spec / "setup.sh").write_text(self._setup(host))
        self._write_system(spec / "files", host)
        # What the machine's root user has in its shell's start-up file is not the hosts' business.
        (spec / "files" / "root").mkdir(mode=0o700)
        _write(spec / "files" / "root" / ".bashrc", "")
        self._write_sshd(spec / "files" / "etc" / "mtls-lab", host)
        # The directories above become those of the host's root, so they must be open to its users.
        for directory in ("", "etc", "etc/ssl", "etc/ssl/certs", "etc/mtls-lab", "etc/mailops"):
            (spec / "files" / directory).chmod(0o755)
        return spec

    def _write_system(self, files: pathlib.Path, host: LabHost) -> None:
        etc = files / "etc"
        (etc / "ssl" / "certs").mkdir(parents=True)
        (etc / "mailops").mkdir()
        resolver = plan.DEAD_RESOLVER if host.resolver == "dead" else plan.RESOLVER
        _write(etc / "hostname", host.name + "\n")
        _write(etc / "hosts", f"127.0.0.1 localhost\n::1 localhost\n127.0.1.1 {host.name}\n")
        _write(etc / "resolv.conf", f"nameserver {resolver.v4}\n")
        _write(files / SYSTEM_STORE.lstrip("/"), self.machine_store + self._lab_root(host))
        _write(files / PRIVATE_STORE.lstrip("/"), self.ca.root.pem, mode=0o600)

    def _write_sshd(self, directory: pathlib.Path, host: LabHost) -> None:
        directory.mkdir()
        if not host.sshd:
            _write(directory / "no-sshd", "")
        config = SSHD_CONFIG
        if host.egress == "proxy-only":
            proxy = f"http://proxy.{plan.ZONE}:{plan.PROXY_PORT}"
            config += f'SetEnv http_proxy="{proxy}" https_proxy="{proxy}"\n'
        if host.egress == "causes":
            # Python reads the hashed directory beside this file by default, and the lab's root is only in the file.
            config += f"SetEnv SSL_CERT_FILE={SYSTEM_STORE}\n"
        _write(directory / "sshd_config", config)
        shutil.copyfile(self.state / "ssh" / "host_key", directory / "host_key")
        (directory / "host_key").chmod(0o600)
        _write(directory / "authorized_keys", (self.state / "ssh" / "client_key.pub").read_bytes())

    def _lab_root(self, host: LabHost) -> bytes:
        if host.trust == "no-root":
            return b""
        return (self.ca.twin if host.trust == "twin-root" else self.ca.root).pem.encode()

    def _setup(self, host: LabHost) -> str:
        script = ""
        if host.user != "root":
            script += ADD_USER.format(user=host.user)
        if host.python is None:
            script += HIDE_PYTHON.format(pyenv=interpreters.pyenv_root())
        return script


def _write(path: pathlib.Path, content: str | bytes, mode: int = 0o644) -> None:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    path.chmod(mode)
