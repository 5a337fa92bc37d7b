# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""trust_anchor by Ansible: what the controller adds, check mode and diff, and that trust_store_info sees the effect."""

from __future__ import annotations

import pathlib
import subprocess

from tests.conftest import require_programs
from tests.integration.playbooks import run_play

G2 = "cb3ccbb76031e5e0138f8dd39a23f9de47ffc35e43c1144cea27d46a5ab1cb5f"
PASSWORD = "ein-geheimes-wort"  # noqa: S105 - of a keystore made here


def test_from_name_to_effect(tmp_path: pathlib.Path) -> None:
    bundle = tmp_path / "mail.pem"
    bundle.write_text("# mail\n")
    store = {"type": "pem_file", "path": str(bundle)}
    anchor = {"name": "digicert-global-root-g2", "store": store}
    look = {"profiles": [], "roots": ["digicert-global-root-g2"], "stores": [store]}
    run = run_play(
        tmp_path,
        [
            {"mailops.tls.trust_anchor": anchor, "check_mode": True, "diff": True, "register": "foreseen"},
            {"mailops.tls.trust_store_info": look, "register": "before"},
            {"mailops.tls.trust_anchor": anchor, "register": "first"},
            {"mailops.tls.trust_anchor": anchor, "register": "second"},
            {"mailops.tls.trust_store_info": look, "register": "after"},
            {"mailops.tls.trust_anchor": {**anchor, "state": "absent"}, "register": "gone"},
            {"mailops.tls.trust_anchor": {**anchor, "sha256": "0" * 64}, "register": "wrong", "ignore_errors": True},
        ],
    )
    assert run.code == 0, run.output
    assert "+-----BEGIN CERTIFICATE-----" in run.output
    assert [run[name]["changed"] for name in ("foreseen", "first", "second", "gone")] == [True, True, False, True]
    assert (run["first"]["sha256"], run["first"]["store"]["path"]) == (G2, str(bundle))
    assert run["before"]["stores"][0]["roots"][0]["status"] == "absent"
    assert run["after"]["stores"][0]["roots"][0]["status"] == "present"
    assert bundle.read_text() == "# mail\n"
    assert run["wrong"]["failed"] and "sha256" in run["wrong"]["msg"]


def test_password_stays_secret(tmp_path: pathlib.Path) -> None:
    require_programs("integration", "keytool")
    keystore = tmp_path / "cacerts"
    subprocess.run(
        [
            "keytool",
            "-genkeypair",
            "-alias",
            "own",
            "-keyalg",
            "EC",
            "-dname",
            "CN=own",
            "-keystore",
            str(keystore),
            "-storepass:env",
            "WORD",
        ],
        check=True,
        capture_output=True,
        env={"WORD": PASSWORD, "PATH": "/usr/bin:/bin"},
    )
    store = {"type": "java", "path": str(keystore), "password": PASSWORD}
    anchor = {"name": "digicert-global-root-g2", "store": store}
    run = run_play(tmp_path, [{"mailops.tls.trust_anchor": anchor, "register": "first"}], arguments=["-vvvv", "--diff"])
    assert run.code == 0, run.output
    assert run["first"]["changed"] and run["first"]["verified_by"] == ["keytool -list"]
    shown = "\n".join(line for line in run.output.splitlines() if "playbook.yml" not in line)
    assert PASSWORD not in shown
