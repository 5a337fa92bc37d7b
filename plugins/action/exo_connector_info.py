# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible_collections.mailops.tls.plugins.plugin_utils._exo.client import connect
from ansible_collections.mailops.tls.plugins.plugin_utils._exo.errors import ApiError
from ansible_collections.mailops.tls.plugins.plugin_utils._exo.options import CONNECTION_OPTIONS
from ansible_collections.mailops.tls.plugins.plugin_utils._exo.tenant import examine

ARGUMENT_SPEC: t.Final[dict[str, dict[str, t.Any]]] = {"name": {"type": "str"}, **CONNECTION_OPTIONS}


class ActionModule(ActionBase):  # type: ignore[misc]  # ansible-core has no type information
    """See the documentation module of the same name."""

    TRANSFERS_FILES = False
    _supports_check_mode = True
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        args = self.validate_argument_spec(argument_spec=ARGUMENT_SPEC)[1]
        host = (task_vars or {}).get("inventory_hostname", "localhost")
        try:
            result.update(examine(connect(args), args["name"], host))
        except ValueError as error:
            raise AnsibleActionFail(str(error)) from error
        except ApiError as error:
            raise AnsibleActionFail(error.message) from error
        result["changed"] = False
        return result
