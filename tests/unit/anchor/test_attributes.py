# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The SELinux context of a changed file: an extended attribute, which a kernel without SELinux keeps, too."""

from __future__ import annotations

import os
import pathlib

from tests.conftest import require_root
from tests.unit.anchor.module import apply
from tests.unit.anchor.pki import root

CONTEXT = b"system_u:object_r:cert_t:s0\0"


def test_the_selinux_context_is_kept(tmp_path: pathlib.Path) -> None:
    require_root("anchor")
    path = tmp_path / "bundle.pem"
    path.write_text(root("Other Root").pem)
    os.setxattr(path, "security.selinux", CONTEXT)
    before = path.stat().st_ino
    assert apply(root(), {"type": "pem_file", "path": str(path)})["changed"]
    assert path.stat().st_ino != before, "it was not replaced, so there was nothing to keep"
    assert os.getxattr(path, "security.selinux") == CONTEXT
