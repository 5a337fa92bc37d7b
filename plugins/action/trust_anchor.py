# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import datetime as dt
import typing as t

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible_collections.mailops.tls.plugins.plugin_utils._action.anchor import module_arguments


class ActionModule(ActionBase):  # type: ignore[misc]  # ansible-core has no type information
    """See the documentation module of the same name."""

    TRANSFERS_FILES = False
    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        try:
            arguments = module_arguments(
                self._task.args, today=dt.datetime.now(dt.timezone.utc).date(), base_dir=self._loader.get_basedir()
            )
        except ValueError as error:
            raise AnsibleActionFail(f"trust_anchor: {error}") from error
        result.update(self._execute_module(module_name="mailops.tls.trust_anchor", module_args=arguments, task_vars=task_vars))
        return result
