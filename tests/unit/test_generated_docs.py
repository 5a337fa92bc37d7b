# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Pages made from code are what the code says today."""

from __future__ import annotations

import pathlib
import subprocess
import sys

from ansible_collections.mailops.tls.plugins.plugin_utils._findings.registry import REGISTRY

ROOT = pathlib.Path(__file__).parents[2]


def test_generated_pages_are_up_to_date() -> None:
    command = [sys.executable, str(ROOT / "tools" / "generate_docs.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_every_finding_is_in_the_page() -> None:
    page = (ROOT / "docs" / "findings.md").read_text(encoding="utf-8")
    missing = [finding_id for finding_id in REGISTRY if f"### `{finding_id}`\n" not in page]
    assert missing == []


def test_every_cause_has_a_section() -> None:
    page = (ROOT / "docs" / "ca-endpoint-check-failing.md").read_text(encoding="utf-8")
    causes = [kind.cause for kind in REGISTRY.values() if kind.cause and kind.cause != "ok"]
    assert [cause for cause in causes if page.count(f"## `{cause}`\n") != 1] == []
