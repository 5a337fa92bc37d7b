# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Linters and the type checker, each as its authors ship it."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.conftest import ROOT, require_programs
from tests.gates.support import check, environment, source_files, tools
from tools import prepare

BIN = Path(sys.executable).parent


def _sources(*suffixes: str) -> list[Path]:
    return [path for path in source_files() if path.suffix in suffixes]


def test_ruff_check() -> None:
    check([BIN / "ruff", "check", "--no-cache", *_sources(".py")])


def test_ruff_format() -> None:
    check([BIN / "ruff", "format", "--no-cache", "--diff", *_sources(".py")])


def test_mypy_strict() -> None:
    """Everything that runs on the controller. What runs on managed hosts is Python 3.6 and has no annotations."""
    prepare.link_collection()
    plugins = (prepare.COLLECTION / "plugins").relative_to(ROOT)
    cache = ROOT / ".cache" / "mypy"
    check([BIN / "mypy", "--strict", "--cache-dir", cache, plugins / "action", plugins / "plugin_utils"])
    check([BIN / "mypy", "--strict", "--cache-dir", cache, "tests/lab", "tests/gates", "tests/benchmark", "tools"])


def test_yamllint() -> None:
    check([BIN / "yamllint", "--strict", "--config-file", ".yamllint.yml", *_sources(".yml", ".yaml")])


def test_shellcheck() -> None:
    require_programs("gate shellcheck", "shellcheck")
    scripts = []
    for path in source_files():
        with (ROOT / path).open("rb") as handle:
            first = handle.readline(60)
        if path.suffix == ".sh" or (first.startswith(b"#!") and first.split()[-1].endswith((b"sh", b"bash"))):
            scripts.append(path)
    assert scripts, "there is at least .ci/run"
    check(["shellcheck", *scripts])


def test_ansible_lint() -> None:
    """The production profile, over a collection laid out as users have it."""
    lint = tools("lint", "gate ansible-lint")
    check([lint / "ansible-lint", "--offline", "--profile", "production", "--strict", "-q"], env=environment(lint))
