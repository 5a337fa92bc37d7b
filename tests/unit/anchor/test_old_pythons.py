# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The host's side under every interpreter from 3.6 on that this machine has, without Ansible."""

from __future__ import annotations

import json
import pathlib
import subprocess

import pytest

from tests.conftest import require_programs
from tests.unit.anchor import module
from tests.unit.anchor.pki import root
from tests.unit.probe.test_interpreters import FOUND

#: What the module does between reading its arguments and answering.
DRIVER = """
import json, sys
sys.path.insert(0, sys.argv[1])
from ansible_collections.mailops.tls.plugins.module_utils import _files
from ansible_collections.mailops.tls.plugins.module_utils._anchor import stores
from ansible_collections.mailops.tls.plugins.module_utils._anchor.change import change
from ansible_collections.mailops.tls.plugins.module_utils._anchor.common import Anchor, Tools
given = json.load(sys.stdin)
anchor = Anchor(bytes.fromhex(given["der"]), given["sha256"], "lab-root")
answers = []
for wanted in given["stores"]:
    for present in (True, True, False):
        held = _files.lock(stores.lock_directory(wanted), 5)
        store = stores.open_store(wanted, anchor, Tools(held))
        answers.append([change(store, present, False, False)["changed"], store.verified_by])
        held.close()
json.dump(answers, sys.stdout)
"""


@pytest.mark.parametrize("version", sorted(FOUND), ids=lambda version: ".".join(map(str, version)))
def test_there_and_back(version: tuple[int, ...], tmp_path: pathlib.Path) -> None:
    require_programs("anchor", "openssl", "certutil")
    for name in ("directory", "nss"):
        (tmp_path / name).mkdir()
    module.tool("certutil", "-N", "-d", f"sql:{tmp_path / 'nss'}", "--empty-password")
    stores = [
        {"type": "pem_file", "path": str(tmp_path / "bundle.pem")},
        {"type": "pem_directory", "path": str(tmp_path / "directory")},
        {"type": "nss", "path": str(tmp_path / "nss")},
    ]
    given = {"der": root().der.hex(), "sha256": root().sha256, "stores": stores}
    done = subprocess.run(
        [FOUND[version], "-B", "-W", "error", "-c", DRIVER, str(module.COLLECTIONS)],
        input=json.dumps(given),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    openssl = [[True, ["pem", "openssl verify"]], [False, ["pem", "openssl verify"]], [True, ["pem", "openssl verify"]]]
    answers = json.loads(done.stdout)
    assert answers[:3] == openssl
    assert [changed for changed, _tools in answers] == [True, False, True] * 3
