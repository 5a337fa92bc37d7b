# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the lab tells Ansible and the checks: inventory, known hosts, the way in, and the profile of the lab's CA."""

from __future__ import annotations

import datetime as dt
import pathlib
import typing as t

import yaml
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

from tests.lab import pki, plan
from tests.lab.hosts import LabHost

PROFILE_ID = "lab-current"

# The wrapper proves that the lab it was made for is still the one running: a process id alone may have been reused.
WRAPPER = """\
#!/bin/sh
# Made by `python -m tests.lab up`: runs {tool} in the network of the lab's controller.
if [ "$(readlink /proc/{pid}/ns/net)" != "{network}" ]; then
    echo "{tool}: the lab is not up (python -m tests.lab up)" >&2
    exit 255
fi
exec nsenter --target {pid} --net --pid -- {tool} "$@"
"""


def write_ssh_keys(directory: pathlib.Path) -> None:
    """A host key for all managed hosts and a key for the controller. Both are worth nothing outside the lab."""
    directory.mkdir(mode=0o700)
    for name in ("host", "client"):
        key = ed25519.Ed25519PrivateKey.generate()
        private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption())
        public = key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
        (directory / f"{name}_key").touch(mode=0o600)
        (directory / f"{name}_key").write_bytes(private)
        (directory / f"{name}_key.pub").write_bytes(public + b"\n")


def write_wrappers(directory: pathlib.Path, pid: int, network: str, tools: dict[str, str]) -> None:
    """ssh, scp and sftp as seen from the lab's controller. `tools` maps each name to the real program."""
    directory.mkdir(mode=0o700)
    for name, tool in tools.items():
        wrapper = directory / name
        wrapper.write_text(WRAPPER.format(tool=tool, pid=pid, network=network))
        wrapper.chmod(0o700)


def write_known_hosts(path: pathlib.Path, host_key: str, hosts: tuple[LabHost, ...]) -> None:
    """Every host's key, so that host key checking stays on."""
    kind, key = host_key.split()[:2]
    places = [(host.name, plan.host_address(index)) for index, host in enumerate(hosts)]
    path.write_text("".join(f"{name},{place.v4},{place.v6} {kind} {key}\n" for name, place in places))


def _ssh_options(state: pathlib.Path) -> str:
    # -F none: the lab must behave the same whatever the user's or the machine's ssh configuration says.
    options = {
        "UserKnownHostsFile": state / "known_hosts",
        "GlobalKnownHostsFile": "none",
        "StrictHostKeyChecking": "yes",
        "IdentitiesOnly": "yes",
        "IdentityAgent": "none",
        "ConnectTimeout": "5",
    }
    return "-F none " + " ".join(f"-o {name}={value}" for name, value in options.items())


def inventory(state: pathlib.Path, hosts: tuple[LabHost, ...]) -> dict[str, t.Any]:
    """The inventory of the lab: groups lab, healthy, faulty, pythons and fleet."""
    groups: dict[str, dict[str, t.Any]] = {name: {"hosts": {}} for name in ("healthy", "faulty", "pythons", "fleet")}
    entries: dict[str, t.Any] = {}
    for index, host in enumerate(hosts):
        entries[host.name] = {
            "ansible_host": plan.host_address(index).v4,
            "ansible_user": host.user,
            "ansible_python_interpreter": host.python or "/usr/bin/python3",
            **host.variables,
        }
        for group in host.groups:
            groups[group]["hosts"][host.name] = None
    variables = {
        "ansible_connection": "ansible.builtin.ssh",
        "ansible_ssh_executable": str(state / "bin" / "ssh"),
        "ansible_scp_executable": str(state / "bin" / "scp"),
        "ansible_sftp_executable": str(state / "bin" / "sftp"),
        "ansible_ssh_private_key_file": str(state / "ssh" / "client_key"),
        "ansible_ssh_common_args": _ssh_options(state),
        "ansible_ssh_pipelining": True,
        "ansible_control_path_dir": str(state / "cp"),
        "lab_state": str(state),
        "lab_profile": str(state / f"{PROFILE_ID}.yml"),
    }
    return {"all": {"children": {"lab": {"hosts": entries, "vars": variables}, **groups}}}


def profile(ca: pki.LabCA, today: dt.date) -> dict[str, t.Any]:
    """The lab's CA as a profile in the format of docs/profiles.md: what users would write for a CA of their own."""
    return {
        "id": PROFILE_ID,
        "title": "The lab's own certificate generation",
        "as_of": today,
        "sources": ["tests/lab"],
        "valid_from": today - dt.timedelta(days=1),
        "valid_until": None,
        "certificate": {"common_name": pki.LEAF_NAME, "organization": "Mailops Lab", "key_size": 256},
        "roots": [{"id": "lab-root", "name": pki.ROOT_NAME, "sha256": ca.root.sha256, "pem": ca.root.pem}],
        "intermediates": [
            {
                "id": "lab-intermediate",
                "name": pki.INTERMEDIATE_NAME,
                "issuer": "lab-root",
                "serial": ca.intermediate.serial,
                "sha256": ca.intermediate.sha256,
                "pem": ca.intermediate.pem,
            }
        ],
        "endpoints": [
            {"url": pki.CRL_ROOT, "kind": "crl", "issuer": "lab-root"},
            {"url": pki.CRL_INTERMEDIATE, "kind": "crl", "issuer": "lab-intermediate"},
            {"url": pki.OCSP_ROOT, "kind": "ocsp", "issuer": "lab-root"},
            {"url": pki.AIA_INTERMEDIATE, "kind": "ca_issuers", "issuer": "lab-root"},
        ],
    }


def write_yaml(path: pathlib.Path, data: dict[str, t.Any]) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text("---\n" + yaml.safe_dump(data, sort_keys=False))
