# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pathlib
import typing as t

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible_collections.mailops.tls.plugins.plugin_utils._action.registered import registered_entries
from ansible_collections.mailops.tls.plugins.plugin_utils._change_request.collect import SCOPES, collect
from ansible_collections.mailops.tls.plugins.plugin_utils._change_request.formats import FORMATS, render
from ansible_collections.mailops.tls.plugins.plugin_utils._report.files import write_files
from ansible_collections.mailops.tls.plugins.plugin_utils._report.write import WriteError

ARGUMENT_SPEC: t.Final[dict[str, dict[str, t.Any]]] = {
    "variable": {"type": "str", "required": True},
    "directory": {"type": "path", "default": "reports"},
    "basename": {"type": "str", "default": "firewall-request"},
    "formats": {"type": "list", "elements": "str", "choices": list(FORMATS), "default": list(FORMATS)},
    "scope": {"type": "str", "choices": list(SCOPES), "default": "blocked"},
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
        request = collect(registered_entries(args["variable"], task_vars or {}), args["scope"])
        try:
            files = write_files(render(request, args["formats"]), pathlib.Path(args["directory"]), args["basename"])
        except (ValueError, WriteError) as error:
            raise AnsibleActionFail(str(error)) from error
        result.update(
            changed=False,
            files=files,
            request=[row.as_dict() for row in request.rows],
            hosts=list(request.hosts),
            hosts_without_result=list(request.missing),
        )
        return result
