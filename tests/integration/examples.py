# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Finding the examples that the documentation gives, and running them as a reader would."""

from __future__ import annotations

import ast
import dataclasses
import itertools
import os
import pathlib
import re
import shlex
import subprocess
import sys
import typing as t

import yaml

from tests.integration.playbooks import ROOT, run_ansible

FENCE = re.compile(r"^```(?P<language>\w+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
REPORTS = "/tmp/mailops-tls-reports"  # noqa: S108 - what the examples name; tests write elsewhere

#: What root's examples would change of this machine, such as its trust store, lies in memory and goes with the process.
_SHIELD = """set -e
mount -t tmpfs tmpfs "$1"
for folder in /etc /usr/local; do
    mkdir -p "$1$folder/upper" "$1$folder/work"
    mount -t overlay overlay -o "lowerdir=$folder,upperdir=$1$folder/upper,workdir=$1$folder/work" "$folder"
done
shift
exec "$@"
"""


@dataclasses.dataclass(frozen=True)
class Example:
    """One runnable piece of the documentation."""

    source: str  # file and line
    text: str  # as the reader sees it

    def playbook(self) -> list[t.Any]:
        """The text as plays; tasks alone become one play on all hosts."""
        content = yaml.safe_load(self.text)
        if is_plays(content):
            return t.cast("list[t.Any]", content)
        return [{"name": "Example", "hosts": "all", "gather_facts": False, "tasks": content}]


def is_plays(content: object) -> bool:
    """A list of plays, as a playbook file holds."""
    return _all_dicts(content) and all(
        "hosts" in item or _ends(item, "import_playbook") for item in t.cast("list[t.Any]", content)
    )


def is_tasks(content: object) -> bool:
    """A list of tasks: each names a module by its full name."""
    return _all_dicts(content) and all(
        any(re.fullmatch(r"\w+\.\w+\.\w+", str(key)) or key == "block" for key in item) for item in t.cast("list[t.Any]", content)
    )


def _all_dicts(content: object) -> bool:
    return isinstance(content, list) and bool(content) and all(isinstance(item, dict) for item in content)


def _ends(item: dict[str, t.Any], name: str) -> bool:
    return any(str(key).rpartition(".")[2] == name for key in item)


def module_examples() -> list[Example]:
    """EXAMPLES of every module that has any."""
    found = []
    for path in sorted((ROOT / "plugins" / "modules").glob("*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.Assign) and [getattr(name, "id", "") for name in node.targets] == ["EXAMPLES"]:
                text = str(ast.literal_eval(node.value))
                if yaml.safe_load(text):
                    found.append(Example(f"{path.relative_to(ROOT)}:{node.lineno}", text))
    return found


def documents() -> list[pathlib.Path]:
    """The pages that users read."""
    pages = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *ROOT.glob("docs/*.md"), *ROOT.glob("roles/*/README.md")]
    return sorted(page for page in pages if page.exists())


def blocks(language: str) -> list[Example]:
    """Every fenced block of a language in the documents, runnable or not."""
    found = []
    for page in documents():
        text = page.read_text(encoding="utf-8")
        for match in FENCE.finditer(text):
            if match["language"] == language:
                line = text.count("\n", 0, match.start()) + 1
                found.append(Example(f"{page.relative_to(ROOT)}:{line}", match["text"]))
    return found


def document_examples() -> list[Example]:
    """Plays and task lists among the YAML blocks."""
    found = []
    for example in blocks("yaml"):
        try:
            content = yaml.safe_load(example.text)
        except yaml.YAMLError:
            continue
        if is_plays(content) or is_tasks(content):
            found.append(example)
    return found


def commands() -> list[tuple[str, str]]:
    """Commands after a `$` prompt in console blocks: (source, command)."""
    found = []
    for example in blocks("console"):
        text = example.text.replace("\\\n", " ")
        found += [(example.source, line[2:].strip()) for line in text.splitlines() if line.startswith("$ ")]
    return found


def run_example(example: Example, directory: pathlib.Path) -> subprocess.CompletedProcess[str]:
    """Run it against this machine, which is in every group that it names."""
    plays = yaml.safe_load(yaml.safe_dump(example.playbook()).replace(REPORTS, str(directory / "reports")))
    playbook = directory / "playbook.yml"
    playbook.write_text(yaml.safe_dump(plays, sort_keys=False), encoding="utf-8")
    names = {str(play["hosts"]) for play in plays if "hosts" in play} - {"all", "localhost"}
    inventory = _write_inventory(directory, names)
    return run_ansible([str(playbook), "-i", str(inventory)], cwd=directory, prefix=_shield(directory))


def run_command(command: str, directory: pathlib.Path) -> subprocess.CompletedProcess[str]:
    """Run a documented ansible-playbook command in a directory that has the inventory it names."""
    words = shlex.split(command)
    for option, value in itertools.pairwise(words):
        if option in ("-i", "--inventory"):
            _write_inventory(directory, set()).rename(directory / value)
    arguments = [*words[1:], "-e", f"readiness_report_dir={directory / 'reports'}"]
    return run_ansible(arguments, cwd=directory, prefix=_shield(directory))


def _shield(directory: pathlib.Path) -> list[str]:
    """The command that keeps what it runs from changing this machine. Who is not root cannot change it anyway."""
    if os.geteuid() != 0:
        return []
    folder = directory / "shield"
    folder.mkdir()
    return ["unshare", "--mount", "--propagation", "private", "sh", "-c", _SHIELD, "sh", str(folder)]


def _write_inventory(directory: pathlib.Path, groups: t.Iterable[str]) -> pathlib.Path:
    hosts = {"localhost": {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}}
    children: dict[str, t.Any] = {name: {"hosts": {"localhost": {}}} for name in sorted(groups)}
    path = directory / "example-inventory.yml"
    path.write_text(yaml.safe_dump({"all": {"hosts": hosts, "children": children}}), encoding="utf-8")
    return path
