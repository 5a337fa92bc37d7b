# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files appear whole or not at all."""

from __future__ import annotations

import os
import pathlib
import stat
import subprocess
import sys

import pytest
from ansible_collections.mailops.tls.plugins.plugin_utils._report.write import WriteError, write_atomic


def test_a_new_file_has_content_and_mode_whatever_the_umask(tmp_path: pathlib.Path) -> None:
    old = os.umask(0o077)
    try:
        path = write_atomic(tmp_path / "report.html", b"data", 0o644)
    finally:
        os.umask(old)
    assert path.read_bytes() == b"data"
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert [entry.name for entry in tmp_path.iterdir()] == ["report.html"]


def test_a_link_stays_and_its_target_is_replaced(tmp_path: pathlib.Path) -> None:
    (tmp_path / "real").mkdir()
    target, link = tmp_path / "real" / "report.html", tmp_path / "latest.html"
    target.write_bytes(b"old")
    link.symlink_to(target)
    assert write_atomic(link, b"new") == target
    assert link.is_symlink()
    assert target.read_bytes() == b"new"


def test_errors_name_the_file_and_leave_nothing_behind(tmp_path: pathlib.Path) -> None:
    with pytest.raises(WriteError, match=r"missing/report\.html: No such file or directory"):
        write_atomic(tmp_path / "missing" / "report.html", b"x")
    with pytest.raises(WriteError, match="it is a directory"):
        write_atomic(tmp_path, b"x")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(WriteError, match="it is not a regular file"):
        write_atomic(tmp_path / "pipe", b"x")
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(WriteError, match="Not a directory"):
        write_atomic(tmp_path / "file" / "report.html", b"x")
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["file", "pipe"]


def test_a_disk_that_is_full_leaves_the_old_file(tmp_path: pathlib.Path) -> None:
    """A limit on the size of files stands in for the full disk: the write fails half way, in a process of its own."""
    path = tmp_path / "report.html"
    path.write_bytes(b"old")
    code = (
        "import resource, signal, sys\n"
        "from ansible_collections.mailops.tls.plugins.plugin_utils._report.write import WriteError, write_atomic\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))\n"
        "try:\n    write_atomic(sys.argv[1], b'x' * 100000)\n"
        "except WriteError as error:\n    print(error)\n"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=False, env=environment)
    assert "File too large" in done.stdout, done.stderr
    assert path.read_bytes() == b"old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["report.html"]
