# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation and code name the same options, with the same types, defaults and choices."""

from __future__ import annotations

import importlib
import pathlib
import typing as t

import pytest
import yaml
from ansible_collections.mailops.tls.plugins.action import assert_findings, firewall_request, partner_sheet, readiness_report
from ansible_collections.mailops.tls.plugins.doc_fragments.options import ModuleDocFragment
from ansible_collections.mailops.tls.plugins.plugin_utils._action import options

ROOT = pathlib.Path(__file__).parents[3]
INFO_PLUGINS = ("ca_egress_info", "trust_store_info", "readiness_info", "connector_certificate_info", "smtp_tls_info")
Options = dict[str, dict[str, t.Any]]


def documented(plugin: str) -> Options:
    module = importlib.import_module(f"ansible_collections.mailops.tls.plugins.modules.{plugin}")
    document = yaml.safe_load(module.DOCUMENTATION)
    found: Options = {}
    for fragment in document["extends_documentation_fragment"]:
        name, _dot, part = fragment.removeprefix("mailops.tls.").partition(".")
        if name == "options":
            text = getattr(ModuleDocFragment, part.upper() if part else "DOCUMENTATION")
            found.update(yaml.safe_load(text)["options"])
    found.update(document.get("options") or {})
    return found


def facts(option: dict[str, t.Any]) -> dict[str, t.Any]:
    kept = {key: option[key] for key in ("type", "elements", "default", "choices", "required") if key in option}
    return {"type": "str", **kept}


def in_code(plugin: str) -> Options:
    module = importlib.import_module(f"ansible_collections.mailops.tls.plugins.action.{plugin}")
    profiled = options.PROFILE_OPTIONS if module.ActionModule.PROFILED else {}
    spec = {**profiled, **options.RUN_OPTIONS}
    for section in module.ActionModule.SECTIONS:
        spec.update(section.OPTIONS)
    return spec


@pytest.mark.parametrize("plugin", INFO_PLUGINS)
def test_info_plugins(plugin: str) -> None:
    code, documentation = in_code(plugin), documented(plugin)
    assert {name: facts(option) for name, option in code.items()} == {
        name: facts(option) for name, option in documentation.items()
    }


@pytest.mark.parametrize(
    "plugin",
    [assert_findings, firewall_request, partner_sheet, readiness_report],
    ids=lambda module: module.__name__.rpartition(".")[2],
)
def test_controller_plugins(plugin: t.Any) -> None:
    name = plugin.__name__.rpartition(".")[2]
    assert {name: facts(option) for name, option in plugin.ARGUMENT_SPEC.items()} == {
        name: facts(option) for name, option in documented(name).items()
    }


@pytest.mark.parametrize(
    ("role", "plugin"), [("ca_egress", "ca_egress_info"), ("trust_store", "trust_store_info"), ("readiness", "readiness_info")]
)
def test_roles_take_the_options_of_their_plugin(role: str, plugin: str) -> None:
    spec = yaml.safe_load((ROOT / "roles" / role / "meta" / "argument_specs.yml").read_text())["argument_specs"]["main"][
        "options"
    ]
    for name, option in in_code(plugin).items():
        if f"{role}_{name}" in spec:
            assert facts(spec[f"{role}_{name}"]) == facts(option), name


@pytest.mark.parametrize("role", ["ca_egress", "connector_tls", "trust_store", "readiness"])
def test_role_defaults_are_those_of_the_argument_spec(role: str) -> None:
    entries = yaml.safe_load((ROOT / "roles" / role / "meta" / "argument_specs.yml").read_text())["argument_specs"].values()
    options = {name: option for entry in entries for name, option in entry["options"].items()}
    defaults = yaml.safe_load((ROOT / "roles" / role / "defaults" / "main.yml").read_text())
    # What is worked out when the role runs is told in words.
    fixed = {name: value for name, value in defaults.items() if not (isinstance(value, str) and "{{" in value)}
    assert fixed == {name: option["default"] for name, option in options.items() if "default" in option}
    assert set(defaults) <= set(options)
