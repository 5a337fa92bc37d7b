# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import datetime as dt
import pathlib
import typing as t

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display
from ansible_collections.mailops.tls.plugins.plugin_utils._action.collection import collection_version
from ansible_collections.mailops.tls.plugins.plugin_utils._action.registered import registered_entries
from ansible_collections.mailops.tls.plugins.plugin_utils._gate.waivers import parse_waivers
from ansible_collections.mailops.tls.plugins.plugin_utils._report.document import build_document, fleet_findings
from ansible_collections.mailops.tls.plugins.plugin_utils._report.files import FORMATS, write_reports
from ansible_collections.mailops.tls.plugins.plugin_utils._report.text import render_text
from ansible_collections.mailops.tls.plugins.plugin_utils._report.write import WriteError

ARGUMENT_SPEC: t.Final[dict[str, dict[str, t.Any]]] = {
    "variable": {"type": "str", "required": True},
    "directory": {"type": "path", "default": "reports"},
    "formats": {"type": "list", "elements": "str", "choices": list(FORMATS), "default": list(FORMATS)},
    "basename": {"type": "str", "default": "readiness"},
    "title": {"type": "str"},
    "console": {"type": "bool", "default": True},
    "fail_on": {"type": "list", "elements": "str", "default": ["never"]},
    "waivers": {"type": "list", "elements": "dict", "default": []},
}


class ActionModule(ActionBase):  # type: ignore[misc]  # ansible-core has no type information
    """See the documentation module of the same name."""

    BYPASS_HOST_LOOP = True
    TRANSFERS_FILES = False
    _supports_check_mode = True
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        args = self.validate_argument_spec(argument_spec=ARGUMENT_SPEC)[1]
        entries = registered_entries(args["variable"], task_vars or {})
        now = dt.datetime.now(dt.timezone.utc)
        try:
            document = build_document(
                entries,
                generated_at=now,
                collection_version=collection_version(),
                fail_on=args["fail_on"],
                waivers=parse_waivers(args["waivers"]),
                title=args["title"],
            )
            files = write_reports(document, pathlib.Path(args["directory"]), args["basename"], args["formats"])
        except (ValueError, WriteError) as error:
            raise AnsibleActionFail(str(error)) from error
        if args["console"]:
            Display().display(render_text(document))
        summary = document["summary"]
        result.update(
            changed=False,
            files=files,
            compliant=summary["compliant"],
            hosts=summary["hosts"],
            summary=summary["findings"],
            fleet=fleet_findings(entries, observed_at=now),
        )
        return result
