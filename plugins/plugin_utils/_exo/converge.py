# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""Bring one connector into its declared state: plan, write, read again and confirm, until nothing differs.

Each round looks at what is there before it writes. Writes whose outcome nobody knows are decided by looking. A create is
repeated only when it got no answer and a listing does not show the connector; the service refuses a second one with the same
name, and that refusal proves that the first one is there. A create that succeeded is never repeated, whatever reads show.
"""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.mailops.tls.plugins.module_utils._connector import constraints
from ansible_collections.mailops.tls.plugins.module_utils._connector import plan as p
from ansible_collections.mailops.tls.plugins.plugin_utils._exo.connectors import Connectors, Live, as_guid
from ansible_collections.mailops.tls.plugins.plugin_utils._exo.errors import ApiError, AuthenticationError, Denied, Done, NotFound
from ansible_collections.mailops.tls.plugins.plugin_utils._exo.kinds import Kind
from ansible_collections.mailops.tls.plugins.plugin_utils._exo.pacing import Pacing

# A create, what only Set takes, and some for writes that have to be repeated.
MAX_WRITES = 6
# How often a connector is looked for after a create without an answer, and a change that is not seen yet.
LOOKS_FOR_LOST_CREATE = 4
LOOKS_FOR_CHANGE = 6
# So many writes without an answer, and it is given up.
MAX_LOST = 3

Values = t.Mapping[str, t.Any]


@dataclasses.dataclass(frozen=True)
class Request:
    """What is declared of one connector. `declared` holds canonical values by option; `wait_s` is for replication."""

    name: str
    state: str
    declared: Values
    policy: t.Mapping[str, str]
    new_name: str | None = None
    wait_s: float = 300.0


@dataclasses.dataclass(frozen=True)
class Outcome:
    """How it ended. `plan` is what was done, or would be in check mode; `live` is the connector as it was read last."""

    plan: t.Any
    live: Live | None
    warnings: tuple[str, ...] = ()
    written: bool = False


class ConvergeError(Exception):
    """It did not end well. `done` says whether anything was written; `left` are the fields that are not as declared."""

    def __init__(self, message: str, *, done: Done = "no", left: t.Sequence[t.Any] = (), plan: t.Any = None) -> None:
        super().__init__(message)
        self.message = message
        self.done: Done = done
        self.left = tuple(left)
        self.plan = plan


def check_declaration(table: t.Any, rules: t.Sequence[t.Any], declared: Values) -> None:
    """Raise RulesBrokenError for what is wrong whatever the tenant holds. Before anything is sent."""
    constraints.check(table, [rule for rule in rules if not rule.held], declared, set(declared))


def judge(kind: Kind, plan: t.Any, declared: t.Collection[str], *, new: bool) -> tuple[str, ...]:
    """Warnings about a plan. Raises RulesBrokenError for one that would make a connector that breaks a rule.

    What breaks a rule already, and would stay as it is, is only warned about: it is what a tenant holds and an export shows.
    """
    # Whoever creates a connector answers for all of it.
    concerned = set(kind.table.by_option) if new else set(declared)
    changed = None if new else {change.option for change in plan.changes}
    constraints.check(kind.table, kind.rules, plan.target, concerned, changed)
    as_before = constraints.violations(kind.table, kind.rules, plan.target, concerned)
    advice = constraints.violations(kind.table, kind.advice, plan.target, concerned)
    return (
        *(f"{violation.message}; it is so already, and nothing is done about it" for violation in as_before),
        *(violation.message for violation in advice),
    )


class Converger:
    """The work on one connector. `pacing` is for tests, which do not wait."""

    def __init__(self, connectors: Connectors, request: Request, pacing: Pacing | None = None) -> None:
        self._connectors = connectors
        self._kind = connectors.kind
        self._request = request
        base = pacing or Pacing()
        self._pacing = dataclasses.replace(base, attempts=10**6, total_s=request.wait_s, longest_s=15.0)
        self._patience = self._pacing.start()
        self._created: Live | None = None
        # What was read to confirm a write, which saves the next round a read.
        self._confirmed: Live | None = None
        # What was written: nothing yet, something, or nobody knows; and the plan of the first such write.
        self._done: Done = "no"
        self._reported: t.Any = None
        self._lost = 0

    def run(self, *, check_mode: bool) -> Outcome:
        """Raises ApiError, or RulesBrokenError for what the tenant's own state makes impossible, and ConvergeError.

        Once something was, or may have been, written, it is always ConvergeError.
        """
        try:
            return self._converge(check_mode=check_mode)
        except (ApiError, constraints.RulesBrokenError) as error:
            if self._done == "no":
                raise
            raise self._error(str(error)) from error

    def _converge(self, *, check_mode: bool) -> Outcome:
        for _round in range(MAX_WRITES):
            live = self._find()
            plan = self._plan(live)
            warnings = self._judge(plan, live)
            if check_mode or plan.action == p.NONE:
                return self._outcome(plan, live, warnings, check_mode=check_mode)
            self._write(plan, live)
        left = self._plan(self._find()).changes
        raise self._error(f"was written {MAX_WRITES} times and is still not as declared: {_names(left)}", left)

    # Looking and planning

    def _find(self) -> Live | None:
        """The connector, by the name it has or by the one that it is to get."""
        request = self._request
        if self._confirmed is not None:
            found, self._confirmed = self._confirmed, None
            return found
        if self._created is not None:
            return self._seen(self._created)
        live = self._connectors.find(request.name)
        if request.new_name is None:
            return live
        renamed = self._connectors.find(request.new_name)
        if live is not None and renamed is not None and live.guid != renamed.guid:
            raise ConvergeError(
                f"new_name: there is another {self._kind.title} called {request.new_name} (GUID {renamed.guid}) already"
            )
        return live or renamed

    def _plan(self, live: Live | None) -> t.Any:
        request, table = self._request, self._kind.table
        desired = dict(request.declared)
        if live is None:
            if request.state == "present" and as_guid(request.name):
                raise ConvergeError(f"name: no {self._kind.title} has the GUID {request.name}; to create one, give its name")
            desired["name"] = request.new_name or request.name
        elif request.new_name is not None:
            desired["name"] = request.new_name
        # What we have just created is not drift, but a create that is not finished.
        policy = {} if live is not None and self._is_ours(live) else request.policy
        return p.plan(table, live.values if live else None, desired, request.state, policy)

    def _is_ours(self, live: Live) -> bool:
        if self._created is not None:
            return live.guid == self._created.guid
        if self._reported is None or self._reported.action != p.CREATE:
            return False
        # Created by a write without an answer: it has all that a create can set.
        return not p.unfulfilled(self._kind.table, live.values, self._creatable())

    def _creatable(self) -> Values:
        table = self._kind.table
        return {option: value for option, value in self._request.declared.items() if not table[option].set_only}

    def _judge(self, plan: t.Any, live: Live | None) -> tuple[str, ...]:
        """The plan's warnings. Raises for a plan that must not be carried out."""
        if plan.blocked:
            differences = "; ".join(f"{self._kind.table[change.option].label} {p.describe(change)}" for change in plan.blocked)
            raise ConvergeError(
                f"{self._title(live)} differs from what is declared, and on_drift is fail: {differences}", left=plan.blocked
            )
        if self._request.state == "absent":
            return ()
        return (*plan.warnings, *judge(self._kind, plan, self._request.declared, new=live is None))

    def _outcome(self, plan: t.Any, live: Live | None, warnings: tuple[str, ...], *, check_mode: bool) -> Outcome:
        written = self._done != "no" and not check_mode
        reported = self._reported if written else plan
        if written and plan.drift:
            reported = reported._replace(drift=plan.drift)
        return Outcome(reported, live, warnings, written)

    # Writing

    def _write(self, plan: t.Any, live: Live | None) -> None:
        """One write, and its confirmation. Returns when there is something new to look at."""
        parameters = p.parameters(self._kind.table, plan)
        verb = {p.CREATE: "New", p.UPDATE: "Set", p.REMOVE: "Remove"}[plan.action]
        if live is not None:
            parameters["Identity"] = live.guid
        # Without it the service may ask whether this is meant, and do nothing.
        parameters["Confirm"] = False
        try:
            answer = self._connectors.client.invoke(f"{verb}-{self._kind.noun}", parameters, writes=True)
        except ApiError as error:
            # What was read before does not count any more. After a success, confirming brings it up to date.
            self._connectors.forget()
            self._failed(error, plan)
        else:
            self._count("yes", plan)
            self._confirm(plan, live, answer)

    def _count(self, done: Done, plan: t.Any) -> None:
        """Remember what is reported as done: the first write that was, or may have been, carried out."""
        if self._done == "no":
            self._reported = plan
        if self._done != "yes":
            self._done = done

    def _failed(self, error: ApiError, plan: t.Any) -> None:
        """Return to look again after a write that another run, or a slow replica, explains; raise otherwise."""
        if error.done == "unknown":
            self._count("unknown", plan)
            self._lost += 1
            if self._lost < MAX_LOST and self._patience.wait():
                self._look_for(plan, error)
                return
        elif plan.action == p.CREATE and _refused_by_cmdlet(error) and self._exists_meanwhile(error):
            return
        elif isinstance(error, NotFound) and plan.action != p.CREATE and self._patience.wait():
            # It is too new for this server, or somebody else removed it: the next listing tells.
            return
        raise error

    def _exists_meanwhile(self, error: ApiError) -> bool:
        """Whether a create was refused because the connector exists: by another run, or by a create that got no answer.

        It may not be listed yet. Where the service says that there is one of this name, it is waited for.
        """
        conflict = error.status == 409 or "already exists" in error.message.lower() or "AlreadyExists" in (error.kind or "")
        while self._find() is None:
            if not conflict:
                return False
            if not self._patience.wait():
                raise self._error(
                    f"exists already, but reads have not shown it for {self._request.wait_s:g} seconds ({error.message})"
                )
            self._connectors.forget()
        return True

    def _look_for(self, plan: t.Any, error: ApiError) -> None:
        """Give a write without an answer some time to be seen; what is seen then decides. Raises when reads fail too."""
        patience = dataclasses.replace(self._pacing, attempts=LOOKS_FOR_LOST_CREATE).start()
        try:
            while plan.action == p.CREATE and self._connectors.find(plan.target["name"], fresh=True) is None:
                if not patience.wait():
                    return
        except ApiError as reading:
            raise self._error(f"{error.message}; and it cannot be read: {reading.message}") from reading

    # Confirming

    def _confirm(self, plan: t.Any, live: Live | None, answer: list[dict[str, t.Any]]) -> None:
        """Read what was written until it is there. Raises ConvergeError for what did not take."""
        try:
            if plan.action == p.REMOVE and live is not None:
                self._confirm_removed(live)
            elif plan.action == p.CREATE:
                told = answer and answer[0].get("Guid")
                self._created = self._connectors.parse(answer[0]) if told else self._found_by_name(plan.target["name"])
                self._confirm_fields(self._created, self._creatable(), plan)
            elif live is not None:
                self._confirm_fields(live, {change.option: change.after for change in plan.changes}, plan)
        except ApiError as error:
            raise self._error(f"was written, but cannot be read again: {error.message}") from error

    def _found_by_name(self, name: str) -> Live:
        """The connector that was created by a service that does not say which: looked for, and never created again."""
        while (found := self._connectors.find(name, fresh=True)) is None:
            if not self._patience.wait():
                raise self._error(f"was created, but reads have not shown it for {self._request.wait_s:g} seconds")
        return found

    def _seen(self, written: Live) -> Live:
        """The connector that was created, as soon as reads show it. Raises ConvergeError when the patience ends."""
        values = {**written.values, **self._request.declared}
        while (found := self._connectors.read(written.guid, values)) is None:
            if not self._patience.wait():
                raise self._error(
                    f"was created (GUID {written.guid}), but reads have not shown it for {self._request.wait_s:g} seconds"
                )
        return found

    def _confirm_fields(self, live: Live, expected: Values, plan: t.Any) -> None:
        # A server that has not heard of the change yet answers with the old values.
        patience = dataclasses.replace(self._pacing, attempts=LOOKS_FOR_CHANGE).start()
        while left := self._unfulfilled(live, expected, plan):
            if not patience.wait():
                raise self._error(f"was written, but these fields did not take: {_names(left)}", left)

    def _unfulfilled(self, live: Live, expected: Values, plan: t.Any) -> list[t.Any]:
        self._confirmed = self._read_patiently(live, {**live.values, **plan.target})
        left: list[t.Any] = p.unfulfilled(self._kind.table, self._confirmed.values, expected)
        return left

    def _read_patiently(self, live: Live, values: Values) -> Live:
        if self._created is not None:
            return self._seen(live)
        patience = dataclasses.replace(self._pacing, attempts=LOOKS_FOR_CHANGE).start()
        while (found := self._connectors.read(live.guid, values)) is None:
            if not patience.wait():
                raise self._error("was changed, and is gone now: somebody else removed it")
        return found

    def _confirm_removed(self, live: Live) -> None:
        while self._connectors.read(live.guid, live.values) is not None:
            if not self._patience.wait():
                raise self._error("was removed, but is still listed")

    # Words

    def _title(self, live: Live | None = None) -> str:
        return f"{self._kind.title} {live.name if live else self._request.name}"

    def _error(self, text: str, left: t.Sequence[t.Any] = ()) -> ConvergeError:
        """An error that says the state, and what to do."""
        state = {
            "no": "Nothing was changed",
            "yes": "It was changed",
            "unknown": "Whether it was changed is not known",
        }[self._done]
        self._connectors.forget()
        return ConvergeError(
            f"{self._title()}: {text}. {state}; run the task again, it begins with what is there then",
            done=self._done,
            left=left,
            plan=self._reported,
        )


def _refused_by_cmdlet(error: ApiError) -> bool:
    """Whether the cmdlet itself did not want it, and not what stands before it."""
    return not isinstance(error, (Denied, AuthenticationError)) and error.status in (400, 404, 409, 412, 422)


def _names(changes: t.Sequence[t.Any]) -> str:
    return "; ".join(f"{change.option} ({change.parameter}) {p.describe(change)}" for change in changes) or "no field"
