# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""ansible-doc shows everything there is."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import ROOT
from tests.gates.support import check, environment
from tools import prepare

DOC = Path(sys.executable).parent / "ansible-doc"
MODULES = sorted(path.stem for path in (ROOT / "plugins" / "modules").glob("*.py"))
ROLES = sorted(path.parent.parent.name for path in (ROOT / "roles").glob("*/tasks/main.yml"))


def _shown(*arguments: str) -> str:
    prepare.link_collection()
    return check([DOC, *arguments], env=environment())


def _as_json(kind: str, names: list[str]) -> dict[str, Any]:
    output = _shown("--type", kind, "--json", *(f"mailops.tls.{name}" for name in names))
    found: dict[str, Any] = json.loads(output[output.index("{") :])
    return found


@pytest.fixture(scope="module")
def modules() -> dict[str, Any]:
    return _as_json("module", MODULES)


@pytest.fixture(scope="module")
def roles() -> dict[str, Any]:
    return _as_json("role", ROLES)


@pytest.fixture(scope="module")
def pages() -> str:
    """All modules as a reader sees them in a terminal."""
    return _shown(*(f"mailops.tls.{module}" for module in MODULES))


@pytest.mark.parametrize("module", MODULES)
def test_ansible_doc_shows_the_plugin(module: str, modules: dict[str, Any], pages: str) -> None:
    shown = modules[f"mailops.tls.{module}"]
    assert shown["doc"]["short_description"] and shown["doc"]["description"]
    assert re.search(rf"^\s*mailops\.tls\.{module}:", shown["examples"], re.MULTILINE), "an example that calls it"
    assert shown["return"], "what it returns"
    assert re.search(rf"MODULE mailops\.tls\.{module}\b", pages)


@pytest.mark.parametrize("role", ROLES)
def test_ansible_doc_shows_the_role(role: str, roles: dict[str, Any]) -> None:
    main = roles[f"mailops.tls.{role}"]["entry_points"]["main"]
    assert main["short_description"] and main["options"]


@pytest.mark.parametrize("role", ROLES)
def test_the_readme_of_a_role_names_every_option(role: str) -> None:
    specs = yaml.safe_load((ROOT / "roles" / role / "meta" / "argument_specs.yml").read_text(encoding="utf-8"))
    readme = (ROOT / "roles" / role / "README.md").read_text(encoding="utf-8")
    assert [name for name in specs["argument_specs"]["main"]["options"] if f"`{name}`" not in readme] == []


def test_every_action_plugin_is_documented() -> None:
    assert {path.stem for path in (ROOT / "plugins" / "action").glob("*.py")} - set(MODULES) == set()


def test_links_between_the_pages_lead_somewhere() -> None:
    pages = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *ROOT.glob("docs/*.md"), *ROOT.glob("roles/*/README.md")]
    broken = []
    for page in pages:
        for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
            if "://" not in target and not target.startswith("mailto:") and not (page.parent / target).exists():
                broken.append(f"{page.relative_to(ROOT)}: {target}")
    assert broken == []
