# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation and code name the same options, and results hold the fields that are documented."""

from __future__ import annotations

import ast
import importlib
import pathlib
import typing as t

import pytest
import yaml
from ansible_collections.mailops.tls.plugins.action import exo_connector_info
from ansible_collections.mailops.tls.plugins.doc_fragments import exchange_online, exchange_online_connector
from ansible_collections.mailops.tls.plugins.module_utils._connector import canonical
from ansible_collections.mailops.tls.plugins.plugin_utils._exo.action import argument_spec

from tests.unit.connector.conftest import KINDS

SPECS = {
    "exo_inbound_connector": argument_spec(KINDS["inbound"]),
    "exo_outbound_connector": argument_spec(KINDS["outbound"]),
    "exo_connector_info": exo_connector_info.ARGUMENT_SPEC,
}


def module(plugin: str) -> t.Any:
    return importlib.import_module(f"ansible_collections.mailops.tls.plugins.modules.{plugin}")


def documented(plugin: str) -> dict[str, dict[str, t.Any]]:
    """The options of a plugin, those of its fragments included."""
    document = yaml.safe_load(module(plugin).DOCUMENTATION)
    found: dict[str, dict[str, t.Any]] = {}
    for fragment in (exchange_online, exchange_online_connector):
        if f"mailops.tls.{fragment.__name__.rpartition('.')[2]}" in document["extends_documentation_fragment"]:
            found |= yaml.safe_load(fragment.ModuleDocFragment.DOCUMENTATION)["options"]
    return found | document["options"]


@pytest.mark.parametrize("direction", KINDS)
def test_choices(direction: str) -> None:
    """They are not in the argument spec, because null must be possible."""
    options = documented(f"exo_{direction}_connector")
    for field in KINDS[direction].table:
        if field.choices:
            assert options[field.option].pop("choices") == list(field.choices)
    left = {name for name, option in options.items() if "choices" in option}
    assert left == {"state", "cloud"}


def facts(option: dict[str, t.Any]) -> dict[str, t.Any]:
    return {key: option[key] for key in ("type", "elements", "default", "choices", "required") if key in option}


@pytest.mark.parametrize("plugin", SPECS)
def test_options(plugin: str) -> None:
    expected = {name: facts(option) for name, option in SPECS[plugin].items()}
    found = {name: facts(option) for name, option in documented(plugin).items()}
    for name in set(found) & set(expected) - {"state", "cloud"}:
        found[name].pop("choices", None)
    assert found == expected


@pytest.mark.parametrize("direction", KINDS)
def test_every_field_of_a_connector_is_documented(direction: str) -> None:
    fields = {field.option for field in KINDS[direction].table} | {"guid", "when_created", "when_changed"}
    fields |= set(KINDS[direction].read_only)
    returned = yaml.safe_load(module(f"exo_{direction}_connector").RETURN)
    assert set(returned["connector"]["contains"]) == fields
    assert set(yaml.safe_load(module("exo_connector_info").RETURN)[direction]["contains"]) == fields


def test_the_engine_is_pure() -> None:
    """It does no I/O and knows neither Ansible nor an API, so that other connectors can be declared with it."""
    engine = pathlib.Path(canonical.__file__).parent
    own = "ansible_collections.mailops.tls.plugins.module_utils._connector"
    imported = set()
    for path in engine.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                imported |= {name.name for name in node.names}
            elif isinstance(node, ast.ImportFrom):
                imported.add(str(node.module).removesuffix(f".{path.stem}"))
    assert imported <= {own, "collections", "ipaddress", "re"}
