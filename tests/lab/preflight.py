# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Can a lab be built here? Says by name what is missing: rights, programs, or abilities of the kernel."""

from __future__ import annotations

import os
import pathlib
import shutil
import subprocess

# program -> Debian package that brings it
PROGRAMS = {
    "ip": "iproute2",
    "nft": "nftables",
    "unshare": "util-linux",
    "nsenter": "util-linux",
    "pivot_root": "util-linux",
    "hostname": "hostname",
    "useradd": "passwd",
    "bash": "bash",
    "ssh": "openssh-client",
    "scp": "openssh-client",
    "sftp": "openssh-client",
    "sshd": "openssh-server",
    "unbound": "unbound",
    "nginx": "nginx-light",
    "squid": "squid",
    "openssl": "openssl",
    "curl": "curl",
}
# Namespaces of its own for a process and all it starts; when the launcher ends, so do they.
ISOLATE = ("unshare", "--net", "--mount", "--uts", "--ipc", "--pid", "--fork", "--kill-child", "--propagation", "private")
SQUID_HELPERS = ("/usr/lib/squid/basic_ncsa_auth", "/usr/lib64/squid/basic_ncsa_auth")

# An overlay over / with its upper part in memory, and a network with a cable and a firewall: what each host needs.
TRIAL = """\
set -eu
mount -t tmpfs mtls-lab /mnt
mkdir /mnt/upper /mnt/work /mnt/root
mount -t overlay -o lowerdir=/,upperdir=/mnt/upper,workdir=/mnt/work mtls-lab /mnt/root 2>/dev/null || {
    echo "no overlay over / can be mounted (in a container whose own root is an overlay, give it a volume or a privileged mode)"
    exit 1
}
ip link add mtls-a type veth peer name mtls-b || { echo "no veth devices"; exit 1; }
ip link add mtls-c type bridge || { echo "no bridge devices"; exit 1; }
ip addr add fd83::1/64 dev mtls-a nodad || { echo "no IPv6"; exit 1; }
nft -f - <<'END' || { echo "no nftables with nat and reject"; exit 1; }
table inet trial {
    chain one { type nat hook output priority 0; ip daddr 192.0.2.1 dnat ip to 192.0.2.2; }
    chain two { type filter hook output priority 0; tcp flags psh reject with tcp reset; }
}
END
"""


class LabUnavailableError(Exception):
    """The lab cannot exist on this machine as it is; the message says what is missing and what would help."""


class MissingProgramsError(LabUnavailableError):
    """Programs are missing that a package would bring."""


def search_path() -> str:
    """PATH with the directories where servers live, which are often not on a user's."""
    return os.pathsep.join([os.environ.get("PATH", ""), "/usr/local/sbin", "/usr/sbin", "/sbin"])


def program(name: str) -> str:
    """Where a program is. Raises MissingProgramsError."""
    found = shutil.which(name, path=search_path())
    if found is None:
        raise MissingProgramsError(f"{name} is missing (Debian: apt-get install {PROGRAMS[name]})")
    return found


def squid_helper() -> pathlib.Path:
    """Squid's program for basic authentication. Raises MissingProgramsError."""
    for candidate in map(pathlib.Path, SQUID_HELPERS):
        if candidate.exists():
            return candidate
    raise MissingProgramsError("squid's basic_ncsa_auth is missing (Debian: apt-get install squid)")


def check() -> None:
    """Raises LabUnavailableError naming everything that is missing."""
    if os.geteuid() != 0:
        raise LabUnavailableError("the lab needs root: it makes namespaces with mounts and firewalls of their own")
    missing = sorted({package for name, package in PROGRAMS.items() if shutil.which(name, path=search_path()) is None})
    if missing:
        raise MissingProgramsError(f"programs are missing; on Debian: apt-get install {' '.join(missing)}")
    squid_helper()
    trial = subprocess.run(
        [*ISOLATE, "sh", "-c", TRIAL],
        capture_output=True,
        text=True,
        timeout=20,
        env={**os.environ, "PATH": search_path()},
        check=False,
    )
    if trial.returncode != 0:
        reason = " ".join((trial.stdout + trial.stderr).split())
        raise LabUnavailableError(f"this machine's kernel or container does not allow it: {reason}")
