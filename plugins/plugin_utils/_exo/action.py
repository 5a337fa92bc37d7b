# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""The plugins that declare a connector: their options, and from a task to a result. The work is in converge.py."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible_collections.mailops.tls.plugins.module_utils._connector import canonical, diff
from ansible_collections.mailops.tls.plugins.module_utils._connector import plan as p
from ansible_collections.mailops.tls.plugins.module_utils._connector.constraints import RulesBrokenError
from ansible_collections.mailops.tls.plugins.plugin_utils._action.options import ArgumentSpec
from ansible_collections.mailops.tls.plugins.plugin_utils._exo.client import Client, connect
from ansible_collections.mailops.tls.plugins.plugin_utils._exo.connectors import Connectors
from ansible_collections.mailops.tls.plugins.plugin_utils._exo.converge import (
    ConvergeError,
    Converger,
    Outcome,
    Request,
    check_declaration,
)
from ansible_collections.mailops.tls.plugins.plugin_utils._exo.errors import ApiError
from ansible_collections.mailops.tls.plugins.plugin_utils._exo.kinds import MAX_NAME, Kind
from ansible_collections.mailops.tls.plugins.plugin_utils._exo.options import CONNECTION_OPTIONS

OWN_OPTIONS: t.Final[ArgumentSpec] = {
    "name": {"type": "str", "required": True},
    "new_name": {"type": "str"},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "on_drift": {"type": "raw", "default": p.REPLACE},
    "wait_timeout": {"type": "float", "default": 300.0},
}
# The service answers for at most this long; then somebody has to look.
MAX_WAIT_S = 3600.0


def argument_spec(kind: Kind) -> ArgumentSpec:
    """All options of the plugin for this kind of connector."""
    return {**OWN_OPTIONS, **kind.table.argument_spec(), **CONNECTION_OPTIONS}


def read_request(kind: Kind, args: t.Mapping[str, t.Any], given: t.Collection[str]) -> Request:
    """What is declared. `given` are the options that the task names: those it does not name are not managed.

    Raises ValueError, with a message for the user, for what cannot be meant.
    """
    declared = {}
    for field in kind.table:
        if field.option in given and field.option != "name":
            declared[field.option] = canonical.from_user(field, args[field.option])
    if args["new_name"] is not None and args["state"] == "absent":
        raise ValueError("new_name: cannot be given with state absent")
    if not 0 <= args["wait_timeout"] <= MAX_WAIT_S:
        raise ValueError(f"wait_timeout: must be 0 to {MAX_WAIT_S:.0f} seconds, not {args['wait_timeout']:g}")
    request = Request(
        name=_name("name", args["name"]),
        new_name=None if args["new_name"] is None else _name("new_name", args["new_name"]),
        state=args["state"],
        declared=declared,
        policy=p.read_policy(kind.table, args["on_drift"]),
        wait_s=args["wait_timeout"],
    )
    if request.state == "present":
        check_declaration(kind.table, kind.rules, declared)
    return request


def _name(option: str, value: str) -> str:
    if not value or value != value.strip() or not value.isprintable() or len(value) > MAX_NAME:
        raise ValueError(f"{option} (Name): must have 1 to {MAX_NAME} printable characters, and no space at either end")
    return value


class ConnectorAction(ActionBase):  # type: ignore[misc]  # ansible-core has no type information
    """Base of the plugins that declare a connector. A plugin names its kind. Nothing is run on the host."""

    TRANSFERS_FILES = False
    _supports_check_mode = True
    _supports_async = False
    _requires_connection = False

    KIND: t.ClassVar[Kind]

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        args = self.validate_argument_spec(argument_spec=argument_spec(self.KIND))[1]
        try:
            request = read_request(self.KIND, args, set(self._task.args))
            client = connect(args)
        except ValueError as error:
            raise AnsibleActionFail(str(error)) from error
        except ApiError as error:
            raise AnsibleActionFail(error.message) from error
        before = dict(vars(client.calls))
        try:
            outcome = Converger(Connectors(client, self.KIND), request).run(check_mode=self._task.check_mode)
            result.update(self._success(outcome, request))
        except RulesBrokenError as error:
            result.update(failed=True, changed=False, msg=str(error), written="no")
        except ApiError as error:
            result.update(failed=True, changed=error.done != "no", msg=error.message, written=error.done)
        except ConvergeError as error:
            result.update(failed=True, changed=error.done != "no", msg=error.message, written=error.done)
            result.update(
                not_as_declared=diff.as_list(error.left), changes=diff.as_list(error.plan.changes if error.plan else ())
            )
        result["calls"] = _difference(client, before)
        return result

    def _success(self, outcome: Outcome, request: Request) -> dict[str, t.Any]:
        plan = outcome.plan
        values: dict[str, t.Any] = {
            "changed": plan.action != p.NONE,
            "action": plan.action,
            "changes": diff.as_list(plan.changes),
            "drift": diff.as_list(plan.drift),
            "connector": outcome.live.shown() if outcome.live else None,
        }
        if outcome.warnings:
            values["warnings"] = [f"{self.KIND.title} {request.name}: {text}" for text in outcome.warnings]
        if self._task.diff and plan.action != p.NONE:
            values["diff"] = diff.as_diff(plan, f"{self.KIND.title} {request.name}")
        return values


def _difference(client: Client, before: t.Mapping[str, int]) -> dict[str, int]:
    """How many requests this task sent; the client counts for the whole process."""
    return {name: count - before[name] for name, count in vars(client.calls).items()}
