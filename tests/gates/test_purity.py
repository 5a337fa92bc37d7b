# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The borders of the architecture: who may import what, and nothing of one developer's machine in the files."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.gates.support import source_files

OURS = "ansible_collections.mailops.tls.plugins."
PLUGINS = ROOT / "plugins"
PURE = (
    "_judge",
    "_plan",
    "_findings",
    "_profiles",
    "_gate",
    "_change_request",
    "_keystores",
    "_partner_sheet",
    "_declaration",
    "_text",
)
#: Modules that act on the world. Reading profile files is the work of _profiles and needs none of them.
EFFECTS = {
    "socket",
    "subprocess",
    "http",
    "urllib.request",
    "requests",
    "select",
    "shutil",
    "tempfile",
    "asyncio",
    "threading",
}
#: Before Python 3.11 sqlite3 reads files only: the bytes of a database lie in a private temporary file while they are read.
EXEMPT = {("sqlite.py", "tempfile")}
LICENCE = "GNU General Public License v3.0+"


def imports_of(path: Path) -> Iterator[str]:
    """Every module a file imports, wherever in the file."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield f"{node.module}"
            yield from (f"{node.module}.{name.name}" for name in node.names)


def _files(*folders: str) -> list[Path]:
    return sorted(path for folder in folders for path in (PLUGINS / folder).rglob("*.py"))


@pytest.mark.parametrize(
    "path", _files(*(f"plugin_utils/{name}" for name in PURE)), ids=lambda path: str(path.relative_to(PLUGINS))
)
def test_judges_know_nothing_of_ansible_and_do_nothing(path: Path) -> None:
    for name in imports_of(path):
        assert name.split(".")[0] != "ansible", name
        assert name not in EFFECTS or (path.name, name) in EXEMPT, name
        if name.startswith(OURS):
            parts = name[len(OURS) :].split(".")
            assert parts[0] == "plugin_utils" and (len(parts) == 1 or parts[1] in PURE), name


@pytest.mark.parametrize(
    "path", [PLUGINS / "modules" / "probe.py", *_files("module_utils/_probe")], ids=lambda path: str(path.relative_to(PLUGINS))
)
def test_the_probe_needs_no_library(path: Path) -> None:
    for name in imports_of(path):
        top = name.split(".")[0]
        allowed = (
            top in sys.stdlib_module_names
            or name == "ansible.module_utils"
            or name.startswith(("ansible.module_utils.basic", OURS + "module_utils._probe"))
        )
        assert allowed, name


def test_action_plugins_are_thin() -> None:
    """Info plugins are 10 to 30 lines over one base; work belongs into plugin_utils, where it can be tested without Ansible."""
    for path in _files("action"):
        lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line.strip() and not line.startswith("#")]
        assert len(lines) <= (30 if path.stem.endswith("_info") else 120), path.name


def test_no_packages_where_ansible_wants_namespaces() -> None:
    assert [str(path) for path in source_files() if path.name == "__init__.py" and path.parts[0] == "plugins"] == []


def test_files_carry_the_licence() -> None:
    without = [
        str(path)
        for path in source_files()
        if path.suffix == ".py"
        and LICENCE not in "".join((ROOT / path).read_text(encoding="utf-8").splitlines(keepends=True)[:8])
    ]
    assert without == []


def test_files_stay_readable() -> None:
    """About 400 lines of code a file. Documentation of modules does not count: it is as long as what it documents."""
    long = {str(path): n for path in source_files() if path.suffix == ".py" and (n := _line_count(path)) > 450}
    assert long == {}


def _line_count(path: Path) -> int:
    text = (ROOT / path).read_text(encoding="utf-8")
    if path.parts[:2] in (("plugins", "modules"), ("plugins", "lookup")):
        text = re.sub(r'^(DOCUMENTATION|EXAMPLES|RETURN) = r""".*?^"""$', "", text, flags=re.DOTALL | re.MULTILINE)
    return text.count("\n")


def test_nothing_of_a_developers_machine_is_in_the_files() -> None:
    """No home directory, no path of this checkout, in any committed file."""
    patterns = [r"/home/(?!runner\b|example\b|user\b)[a-z][\w-]*/", r"/root/(?!\.)", r"/Users/[A-Za-z]", r"C:\\Users\\"]
    if len(ROOT.parts) > 2:
        patterns.append(re.escape(str(ROOT)) + r"(?![\w-])")
    private = re.compile("|".join(patterns))
    found = []
    for path in source_files():
        if path.suffix in (".png", ".der", ".gz") or path == Path("tests/gates/test_purity.py"):
            continue
        for number, line in enumerate((ROOT / path).read_text(encoding="utf-8", errors="replace").splitlines(), 1):
            if private.search(line):
                found.append(f"{path}:{number}: {line.strip()[:120]}")
    assert found == []


def test_no_placeholders_are_left() -> None:
    marks = re.compile(r"\b(TO" + r"DO|FIX" + r"ME|XX" + r"X)\b")
    found = [
        f"{path}:{number}"
        for path in source_files()
        if path.suffix in (".py", ".md", ".yml", ".sh", ".toml", ".html", ".js")
        for number, line in enumerate((ROOT / path).read_text(encoding="utf-8").splitlines(), 1)
        if marks.search(line)
    ]
    assert found == []
