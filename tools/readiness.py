# Copyright (c) 2026, mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Run the playbook mailops.tls.readiness: what `make readiness` does once .cache/run is prepared.

Reads INVENTORY, FAIL_ON, PROFILES, REPORT_DIR and CONFIG from the environment and passes its own arguments on to
ansible-playbook.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# ANSIBLE_* variables say how this user reaches hosts, but also what another project's plugins, callbacks and paths are.
# Only the former are for us.
CONNECTION_SETTINGS = re.compile(
    r"ANSIBLE_(SSH_|PARAMIKO_|BECOME|PERSISTENT_|VAULT_|REMOTE_(USER|PORT|TEMP)|PRIVATE_KEY|HOST_KEY_CHECKING|TIMEOUT|FORKS"
    r"|ASK_|CONNECTION|CONTROL_PATH|SCP_|SFTP_|PIPELINING|LOCAL_TEMP|HOME|VERBOSITY|NOCOLOR|FORCE_COLOR|LOG_PATH|DEBUG)"
)


def environment(outer: Mapping[str, str]) -> dict[str, str]:
    """The environment of ansible-playbook: the user's, less the Ansible settings of other projects."""
    ours = {key: value for key, value in outer.items() if not key.startswith("ANSIBLE_") or CONNECTION_SETTINGS.match(key)}
    ours["ANSIBLE_CONFIG"] = outer.get("CONFIG") or str(ROOT / "tools" / "ansible.cfg")
    ours["ANSIBLE_COLLECTIONS_PATH"] = str(ROOT / ".cache" / "collections")
    for name in ("PYTHONPATH", "PYTHONHOME"):  # would put another project's packages before ours
        ours.pop(name, None)
    return ours


def _words(text: str) -> list[str]:
    return [word for word in re.split(r"[,\s]+", text) if word]


def command(outer: Mapping[str, str], more: Sequence[str]) -> list[str]:
    """The ansible-playbook command line, with values passed as JSON so that none of them can be read as another."""
    variables: dict[str, object] = {
        "readiness_fail_on": _words(outer.get("FAIL_ON", "")) or ["never"],
        "readiness_report_dir": str((ROOT / (outer.get("REPORT_DIR") or "reports")).resolve()),
    }
    profiles = _words(outer.get("PROFILES", ""))
    if profiles:
        variables["readiness_profiles"] = profiles
    inventory = outer.get("INVENTORY") or str(ROOT / "tools" / "inventory-local.yml")
    program = Path(sys.executable).with_name("ansible-playbook")
    return [str(program), "-i", inventory, "mailops.tls.readiness", "-e", json.dumps(variables), *more]


if __name__ == "__main__":
    arguments = command(os.environ, sys.argv[1:])
    os.execve(arguments[0], arguments, environment(os.environ))  # noqa: S606 - no shell is wanted
