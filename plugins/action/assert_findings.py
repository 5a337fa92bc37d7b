# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import datetime as dt
import typing as t

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible_collections.mailops.tls.plugins.plugin_utils._action.registered import host_entry
from ansible_collections.mailops.tls.plugins.plugin_utils._gate.text import describe
from ansible_collections.mailops.tls.plugins.plugin_utils._gate.waivers import FAIL_ON, apply_gate, parse_waivers, reference
from ansible_collections.mailops.tls.plugins.plugin_utils._report.document import entry_findings

ARGUMENT_SPEC: t.Final[dict[str, dict[str, t.Any]]] = {
    "findings": {"type": "list", "elements": "dict"},
    "result": {"type": "dict"},
    "fleet": {"type": "list", "elements": "dict", "default": []},
    "fail_on": {"type": "list", "elements": "str", "choices": list(FAIL_ON), "default": ["fail"]},
    "waivers": {"type": "list", "elements": "dict", "default": []},
}


class ActionModule(ActionBase):  # type: ignore[misc]  # ansible-core has no type information
    """See the documentation module of the same name."""

    TRANSFERS_FILES = False
    _supports_check_mode = True
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        args = self.validate_argument_spec(
            argument_spec=ARGUMENT_SPEC,
            required_one_of=[("findings", "result")],
            mutually_exclusive=[("findings", "result")],
        )[1]
        host = (task_vars or {}).get("inventory_hostname", "localhost")
        now = dt.datetime.now(dt.timezone.utc)
        try:
            findings = args["findings"]
            if findings is None:
                findings = entry_findings(host_entry(host, args["result"]), observed_at=now)
            findings = [*findings, *(finding for finding in args["fleet"] if finding.get("host") == host)]
            gate = apply_gate(
                findings, fail_on=args["fail_on"], waivers=parse_waivers(args["waivers"]), today=now.date(), host=host
            )
        except ValueError as error:
            raise AnsibleActionFail(str(error)) from error
        result.update(
            changed=False,
            failed=not gate.passed,
            msg=describe(gate),
            failing=[reference(finding) for finding in gate.failing],
            waived=[waived.as_dict() for waived in gate.waived],
            expired_waivers=[waived.as_dict() for waived in gate.expired_waivers],
            unused_waivers=[waiver.as_dict() for waiver in gate.unused_waivers],
            summary=gate.counts,
            compliant_without_waived=gate.compliant_without_waived,
        )
        return result
