# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import datetime as dt
import typing as t

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible_collections.mailops.tls.plugins.plugin_utils._action.declarations import as_modules_read_them, rule_findings
from ansible_collections.mailops.tls.plugins.plugin_utils._declaration import to_exchange_online, to_postfix
from ansible_collections.mailops.tls.plugins.plugin_utils._declaration.model import TARGETS, Target
from ansible_collections.mailops.tls.plugins.plugin_utils._declaration.parse import parse_partners
from ansible_collections.mailops.tls.plugins.plugin_utils._findings.model import verdict
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.connector.lint import lint_declarations

ARGUMENT_SPEC: t.Final[dict[str, dict[str, t.Any]]] = {
    "partners": {"type": "list", "elements": "dict", "required": True},
    "apply_to": {"type": "list", "elements": "str", "choices": list(TARGETS), "default": list(TARGETS)},
    "accepted_domains": {"type": "list", "elements": "str"},
    "existing": {"type": "dict", "default": {}},
}


class ActionModule(ActionBase):  # type: ignore[misc]  # ansible-core has no type information
    """See the documentation module of the same name."""

    TRANSFERS_FILES = False
    _supports_check_mode = True
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        args = self.validate_argument_spec(argument_spec=ARGUMENT_SPEC)[1]
        try:
            partners = as_modules_read_them(parse_partners(args["partners"]))
            existing = {direction: _connectors(args["existing"], direction) for direction in ("inbound", "outbound")}
        except ValueError as error:
            raise AnsibleActionFail(str(error)) from error
        targets: list[Target] = args["apply_to"]
        exchange = "exchange_online" in targets
        made = {
            "observed_at": dt.datetime.now(dt.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "host": (task_vars or {}).get("inventory_hostname", "localhost"),
        }
        findings = lint_declarations(partners, args["accepted_domains"], targets=targets, existing=existing, **made)
        if exchange:
            findings += rule_findings(partners, existing, findings, **made)
        result.update(
            verdict(findings),
            changed=False,
            exchange_online=to_exchange_online.connectors(partners if exchange else ()),
            postfix=to_postfix.requirements(partners if "postfix" in targets else ()),
        )
        return result


def _connectors(existing: t.Mapping[str, t.Any], direction: str) -> list[dict[str, t.Any]]:
    """Those of one direction, as exo_connector_info returns them. Raises ValueError."""
    found = existing.get(direction) or []
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise ValueError(f"existing: {direction} must be a list of connectors, as exo_connector_info returns them")
    return found
