# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every documented example is run."""

from __future__ import annotations

import pathlib
import re
import typing as t

import pytest
import yaml

from tests.conftest import ROOT
from tests.integration.examples import (
    Example,
    blocks,
    commands,
    document_examples,
    is_plays,
    is_tasks,
    module_examples,
    run_command,
    run_example,
)
from tests.lab.exchange_online.fixture import StandIn, running


@pytest.fixture(scope="module")
def stand_in() -> t.Iterator[StandIn]:
    with running() as exchange:
        yield exchange


@pytest.fixture(autouse=True)
def tenant(stand_in: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty tenant, and the environment variables that lead to it, as readers have them for their own."""
    stand_in.reset()
    for name, value in stand_in.options.items():
        monkeypatch.setenv(f"MAILOPS_TLS_{name.upper()}", value)


@pytest.mark.parametrize("example", [*module_examples(), *document_examples()], ids=lambda example: str(example.source))
def test_example(example: Example, tmp_path: pathlib.Path) -> None:
    done = run_example(example, tmp_path)
    assert done.returncode == 0, f"{example.source}\n{done.stdout}"
    assert "[WARNING]" not in done.stdout, f"{example.source}\n{done.stdout}"
    assert "[DEPRECATION WARNING]" not in done.stdout, f"{example.source}\n{done.stdout}"


def test_every_module_has_examples() -> None:
    sources = {example.source.split(":")[0] for example in module_examples()}
    modules = {str(path.relative_to(ROOT)) for path in (ROOT / "plugins" / "modules").glob("*.py")}
    assert modules - sources == set()


def test_no_yaml_block_that_calls_this_collection_escapes() -> None:
    """A block that names a plugin of ours and is neither a play nor tasks would never be run."""
    for block in blocks("yaml"):
        if re.search(r"^\s*-? ?mailops\.tls\.\w+:", block.text, re.MULTILINE):
            content = yaml.safe_load(block.text)
            assert is_plays(content) or is_tasks(content), block.source


def test_documented_commands(tmp_path: pathlib.Path) -> None:
    """`make` targets exist (tests/gates/test_commands.py runs them); what installs from the network is left to Galaxy."""
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    for number, (source, command) in enumerate(commands()):
        program, *words = command.split()
        if program == "ansible-playbook":
            directory = tmp_path / str(number)
            directory.mkdir()
            done = run_command(command, directory)
            assert done.returncode == 0, f"{source}: {command}\n{done.stdout}"
        elif program == "make":
            assert all(word in targets for word in words if "=" not in word and not word.startswith("-")), f"{source}: {command}"
