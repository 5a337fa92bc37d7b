# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""What info plugins share: validate, plan, run the probe once on the host, judge, and return one verdict.

An info plugin is a list of sections. A section knows one topic: its options, the requests it needs answered, and how the
answers are judged. The plugin sends the requests of all its sections in one remote execution.
"""

from __future__ import annotations

import abc
import dataclasses
import datetime as dt
import pathlib
import typing as t

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible_collections.mailops.tls.plugins.plugin_utils._action.options import PROFILE_OPTIONS, RUN_OPTIONS, ArgumentSpec
from ansible_collections.mailops.tls.plugins.plugin_utils._findings.model import Finding, verdict
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.trust.judgement import judge_profiles
from ansible_collections.mailops.tls.plugins.plugin_utils._profiles.certificates import HAS_CRYPTOGRAPHY
from ansible_collections.mailops.tls.plugins.plugin_utils._profiles.loader import is_path, select_profiles, shipped_profiles
from ansible_collections.mailops.tls.plugins.plugin_utils._profiles.model import Profile

PROBE = "mailops.tls.probe"
PROTOCOL_VERSION = 1

# The server's chain, and then four levels of issuers: section_served_chain.py.
MAX_ROUNDS = 5

# The probe ends by itself within its deadline; this much more for a reasonable bound on what users ask for.
MAX_DEADLINE_S = 3600.0


@dataclasses.dataclass(frozen=True)
class Moment:
    """When and where something was observed, as judges need it."""

    host: str
    now: dt.datetime
    observed_at: str
    round_trip_s: float


class CollectorError(Exception):
    """The probe did not run on the host; `reason` is the host's own word for it."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"The probe did not run on this host: {reason} "
            "Install Python 3.6 or newer there, or set ansible_python_interpreter to the one that works."
        )
        self.reason = reason


# Core imports action plugins before it forks a worker for each host: what is read here is read once, not once per host.
if HAS_CRYPTOGRAPHY:
    shipped_profiles()


class Section(abc.ABC):
    """One topic of a check. Raises ValueError for input that cannot be used, with a message for the user."""

    OPTIONS: t.ClassVar[ArgumentSpec]

    def __init__(self, args: t.Mapping[str, t.Any], profiles: tuple[Profile, ...]) -> None:
        self.args = args
        self.profiles = profiles
        self.secrets: dict[str, str] = {}

    def preliminary_requests(self) -> list[dict[str, t.Any]]:
        """Requests whose answers are needed before the others can be planned. Each round costs a remote execution.

        Asked again after `learn`, until no section has any, at most MAX_ROUNDS times. The default needs none.
        """
        return []

    def learn(self, observations: dict[str, t.Any]) -> None:  # noqa: B027 - most sections have nothing to learn
        """Take in the answers to the preliminary requests."""

    @abc.abstractmethod
    def requests(self) -> list[dict[str, t.Any]]:
        """What the probe is to observe, see docs/observations.md."""

    @abc.abstractmethod
    def judge(self, observations: dict[str, t.Any], moment: Moment) -> tuple[dict[str, t.Any], list[Finding]]:
        """The section's own return values, and its findings."""


class InfoAction(ActionBase):  # type: ignore[misc]  # ansible-core has no type information
    """Base of the info plugins. A plugin names its sections."""

    TRANSFERS_FILES = False
    _supports_check_mode = True
    _supports_async = False
    _requires_connection = True

    SECTIONS: t.ClassVar[tuple[type[Section], ...]] = ()
    # Whether profiles have a say in what is checked.
    PROFILED: t.ClassVar[bool] = True

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        variables = task_vars or {}
        spec = {**(PROFILE_OPTIONS if self.PROFILED else {}), **RUN_OPTIONS}
        for kind in self.SECTIONS:
            spec.update(kind.OPTIONS)
        args = self.validate_argument_spec(argument_spec=spec)[1]
        try:
            self._check_times(args)
            today = dt.datetime.now(dt.timezone.utc).date()
            selection = self._with_paths(args["profiles"]) if self.PROFILED else []
            profiles = select_profiles(selection, today=today)
            sections = [kind(args, profiles) for kind in self.SECTIONS]
            left = self._learn(sections, args, variables, result)
            requests = [request for section in sections for request in section.requests()]
            result.update(self._examine(sections, requests, profiles, {**args, "deadline": left}, variables, result))
        except CollectorError as error:
            # Returned, not raised: a role can then tell it from refused arguments in its failed_when.
            result.update(failed=True, msg=str(error), collector_error=error.reason)
        except ValueError as error:
            raise AnsibleActionFail(str(error)) from error
        result["changed"] = False
        return result

    def _with_paths(self, selection: list[t.Any] | None) -> list[t.Any] | None:
        """Paths of profiles, looked for beside the playbook first, then where Ansible was started."""
        if selection is None:
            return None
        places = (pathlib.Path(self._loader.get_basedir()), pathlib.Path.cwd())
        return [self._find(item, places) if isinstance(item, str) and is_path(item) else item for item in selection]

    @staticmethod
    def _find(item: str, places: tuple[pathlib.Path, ...]) -> str:
        return str(next((place / item for place in places if (place / item).is_file()), item))

    def _check_times(self, args: dict[str, t.Any]) -> None:
        for name in ("timeout", "deadline"):
            if not 0 < args[name] <= MAX_DEADLINE_S:
                raise ValueError(f"{name}: must be more than 0 and at most {MAX_DEADLINE_S:.0f} seconds, not {args[name]}")

    def _learn(
        self, sections: list[Section], args: dict[str, t.Any], task_vars: dict[str, t.Any], result: dict[str, t.Any]
    ) -> float:
        """Let the sections learn in rounds. Returns the seconds left of the deadline, which holds for all rounds together.

        A round may use half of what is left, so that there is always time for the check itself.
        """
        left: float = args["deadline"]
        for _round in range(MAX_ROUNDS):
            asked = [(section, section.preliminary_requests()) for section in sections]
            if not any(requests for _section, requests in asked):
                break
            for section, requests in asked:
                if requests:
                    observations = self._observe(requests, section.secrets, {**args, "deadline": left / 2}, task_vars, result)
                    section.learn(observations)
                    left -= _seconds(observations.get("elapsed_ms"), at_most=left / 2)
        return left

    def _examine(
        self,
        sections: list[Section],
        requests: list[dict[str, t.Any]],
        profiles: tuple[Profile, ...],
        args: dict[str, t.Any],
        task_vars: dict[str, t.Any],
        result: dict[str, t.Any],
    ) -> dict[str, t.Any]:
        secrets = {name: value for section in sections for name, value in section.secrets.items()}
        started = dt.datetime.now(dt.timezone.utc)
        observations = self._observe(requests, secrets, args, task_vars, result)
        now = dt.datetime.now(dt.timezone.utc)
        moment = Moment(
            host=task_vars.get("inventory_hostname", "localhost"),
            now=now,
            observed_at=now.strftime("%Y-%m-%dT%H:%M:%SZ"),
            round_trip_s=(now - started).total_seconds(),
        )
        findings = judge_profiles(profiles, now=now, host=moment.host, observed_at=moment.observed_at)
        returned: dict[str, t.Any] = {}
        for section in sections:
            values, found = section.judge(observations, moment)
            returned.update(values)
            findings.extend(found)
        if self.PROFILED:
            returned["profiles"] = [profile.summary() for profile in profiles]
        return {**returned, **verdict(findings), "observed_at": moment.observed_at}

    def _observe(
        self,
        requests: list[dict[str, t.Any]],
        secrets: dict[str, str],
        args: dict[str, t.Any],
        task_vars: dict[str, t.Any],
        result: dict[str, t.Any],
    ) -> dict[str, t.Any]:
        """Run the probe on the host. Raises CollectorError when it did not run."""
        answer = self._execute_module(
            module_name=PROBE,
            module_args={"requests": requests, "deadline": args["deadline"], "secrets": secrets},
            task_vars=task_vars,
        )
        # What core learnt on the way (the interpreter it discovered, warnings) belongs to the task, the arguments do not.
        for key in ("ansible_facts", "warnings", "deprecations"):
            if answer.get(key):
                result[key] = answer[key]
        observations = answer.get("observations")
        if answer.get("failed") or not isinstance(observations, dict) or observations.get("schema") != PROTOCOL_VERSION:
            raise CollectorError(_failure_text(answer))
        return observations


def _seconds(elapsed_ms: t.Any, at_most: float) -> float:
    """What a probe says it took; as much as it was given when it says nothing that can be used."""
    if isinstance(elapsed_ms, (int, float)) and not isinstance(elapsed_ms, bool) and elapsed_ms >= 0:
        return min(elapsed_ms / 1000, at_most)
    return at_most


def _failure_text(answer: t.Mapping[str, t.Any], limit: int = 400) -> str:
    """One line that says why a module did not answer, from whatever the module or the connection left behind."""
    for key in ("module_stderr", "module_stdout", "msg"):
        lines = [line.strip() for line in str(answer.get(key) or "").splitlines() if line.strip()]
        if lines:
            # A shell says it in its first line, a Python traceback in its last.
            text = lines[-1] if lines[0].startswith("Traceback") else lines[0]
            text = "".join(character if character.isprintable() else "?" for character in text)[:limit]
            return text if text.endswith(".") else text + "."
    return "it returned nothing that can be read."
