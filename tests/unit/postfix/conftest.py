# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A configuration of a real Postfix in a directory of its own, which does not run. The machine's own is not looked at."""

from __future__ import annotations

import collections.abc
import os
import pathlib
import subprocess
import tempfile
import time
import typing as t

import pytest

from tests.conftest import require_programs
from tests.unit.postfix import module

MASTER_CF = """\
smtp inet n - n - - smtpd
smtp unix - - n - - smtp
"""


def settle(path: pathlib.Path) -> None:
    """Postfix waits two seconds for a file that is younger; tests need not."""
    os.utime(path, (time.time() - 60, time.time() - 60))


class Trial:
    """The configuration directory of a Postfix that offers TLS."""

    def __init__(self, directory: pathlib.Path) -> None:
        self.directory = directory
        self.main = directory / "main.cf"
        self.folder = directory / "mailops_tls"
        (directory / "master.cf").write_text(MASTER_CF)
        self.main.write_text(
            "# a comment of the administrator\n"
            "compatibility_level = 3.6\n"
            "myhostname = mail.example\n"
            f"queue_directory = {directory}/queue\n"
            f"data_directory = {directory}/data\n"
            "smtpd_tls_chain_files = /etc/ssl/private/mail.pem\n"
        )
        settle(self.main)

    def append(self, *lines: str) -> None:
        """Add lines to main.cf by hand."""
        with self.main.open("a") as handle:
            handle.writelines(line + "\n" for line in lines)
        settle(self.main)

    def write(self, name: str, text: str) -> pathlib.Path:
        """Write a file of the administrator beside main.cf."""
        path = self.directory / name
        path.write_text(text)
        settle(path)
        return path

    def declare(self, *, check: bool = False, environment: dict[str, str] | None = None, **parameters: t.Any) -> module.Answer:
        """Run the module; an answer with `failed` is one too."""
        return module.run({"config_directory": str(self.directory), **parameters}, check=check, **(environment or {}))

    def apply(self, **parameters: t.Any) -> module.Answer:
        """Run the module, which must not fail."""
        answer = self.declare(**parameters)
        assert not answer.get("failed"), answer["msg"]
        return answer

    def postconf(self, name: str) -> str:
        """A setting as Postfix reads it."""
        command = ["/usr/sbin/postconf", "-c", str(self.directory), "-xh", name]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    def lookup(self, setting: str, key: str) -> str:
        """What the tables of a setting say about a key, asked one after the other as Postfix does; empty for nothing."""
        for table in self.postconf(setting).replace(",", " ").split():
            if ":" in table:
                command = ["/usr/sbin/postmap", "-c", str(self.directory), "-q", key, table]
                found = subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
                if found:
                    return found
        return ""

    def files(self) -> dict[str, bytes]:
        """Every file of the configuration with its content."""
        return {str(path.relative_to(self.directory)): path.read_bytes() for path in self.directory.rglob("*") if path.is_file()}

    def restore(self, files: dict[str, bytes]) -> None:
        """Make it what `files` said."""
        for name in self.files():
            (self.directory / name).unlink()
        for name, content in files.items():
            (self.directory / name).parent.mkdir(exist_ok=True)
            (self.directory / name).write_bytes(content)
            settle(self.directory / name)


@pytest.fixture
def trial(tmp_path: pathlib.Path) -> Trial:
    require_programs("Postfix", "postconf", "postmap", "postfix")
    directory = tmp_path / "postfix"
    directory.mkdir()
    return Trial(directory)


@pytest.fixture
def open_trial() -> collections.abc.Iterator[Trial]:
    """One where all users can get to, as in /etc."""
    require_programs("Postfix", "postconf", "postmap", "postfix")
    with tempfile.TemporaryDirectory(prefix="mtls-postfix.") as name:
        pathlib.Path(name).chmod(0o755)
        directory = pathlib.Path(name) / "postfix"
        directory.mkdir()
        directory.chmod(0o755)
        made = Trial(directory)
        made.write("ca.pem", "-----BEGIN CERTIFICATE-----\n").chmod(0o644)
        yield made
