# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""The gate: which findings stop a run, and which of them somebody has answered for until a date.

A gate never alters findings. What is waived stays in the findings as it was judged, and is listed beside them.
"""

from __future__ import annotations

import collections
import dataclasses
import datetime as dt
import fnmatch
import typing as t

from ansible_collections.mailops.tls.plugins.plugin_utils._findings.model import STATUSES

FindingDict = t.Mapping[str, t.Any]

FAIL_ON: t.Final[tuple[str, ...]] = ("never", "fail", "warn", "unknown")
WAIVABLE: t.Final[frozenset[str]] = frozenset({"fail", "warn", "unknown"})
_KEYS: t.Final[tuple[str, ...]] = ("id", "host", "subject", "until", "reason")
_MAX_TEXT = 1000


@dataclasses.dataclass(frozen=True)
class Waiver:
    """Somebody's word that a finding is known and may stand until a day (inclusive, UTC).

    `id`, `host` and `subject` are shell patterns (`*`, `?`, `[...]`), compared with regard to case, with a finding's id,
    its host and the name of its subject.
    """

    id: str
    host: str
    subject: str
    until: dt.date
    reason: str

    def covers(self, finding: FindingDict) -> bool:
        """Whether id, host and subject match, whatever the date."""
        return (
            _matches(finding["id"], self.id)
            and _matches(finding["host"], self.host)
            and _matches(finding["subject"]["name"], self.subject)
        )

    def holds(self, today: dt.date) -> bool:
        """Whether the waiver is still in force on the day."""
        return today <= self.until

    def as_dict(self) -> dict[str, str]:
        """The waiver as users write it."""
        return {**dataclasses.asdict(self), "until": self.until.isoformat()}


@dataclasses.dataclass(frozen=True)
class Waived:
    """A finding together with the waiver that covers it."""

    finding: FindingDict
    waiver: Waiver

    def as_dict(self) -> dict[str, t.Any]:
        """For results: the waiver, and the finding by reference."""
        return {"waiver": self.waiver.as_dict(), "finding": reference(self.finding)}


@dataclasses.dataclass(frozen=True)
class GateResult:
    """What the gate says.

    `failing`: findings that stop the run. `waived`: findings that would be bad news but are covered, whether or not
    `fail_on` looks at their status. `expired_waivers`: findings that only a waiver past its date would have covered.
    `unused_waivers`: waivers that cover nothing (any more). `counts`: findings by status without the waived ones, and
    `waived`. `compliant_without_waived`: `compliant` as it would be if what is waived were not there; never a replacement.
    """

    failing: tuple[FindingDict, ...]
    waived: tuple[Waived, ...]
    expired_waivers: tuple[Waived, ...]
    unused_waivers: tuple[Waiver, ...]
    counts: dict[str, int]
    compliant_without_waived: bool | None

    @property
    def passed(self) -> bool:
        """Whether the run may go on."""
        return not self.failing


def parse_waivers(raw: t.Sequence[t.Any] | None, source: str = "waivers") -> tuple[Waiver, ...]:
    """Read waivers as users write them: dicts of id, until and reason, with host and subject optional (default: any).

    Raises ValueError that names the source, the index, the key and the reason.
    """
    if raw is None:
        return ()
    if isinstance(raw, (str, bytes, t.Mapping)) or not isinstance(raw, t.Sequence):
        raise ValueError(f"{source}: must be a list of waivers, not {_kind(raw)}")
    return tuple(_parse_waiver(entry, f"{source}[{index}]") for index, entry in enumerate(raw))


def parse_fail_on(raw: t.Sequence[str] | str) -> frozenset[str]:
    """The statuses that stop a run.

    `warn` and `unknown` include `fail`: a gate that stops at a lesser matter, or at what it cannot see, does not let bad
    news through. `never` is none of them and stands alone. Raises ValueError for anything else.
    """
    values = (raw,) if isinstance(raw, str) else tuple(raw)
    for value in values:
        if value not in FAIL_ON:
            raise ValueError(f"fail_on: must be one or more of {', '.join(FAIL_ON)}, not {str(value)!r}")
    if not values:
        raise ValueError("fail_on: is empty; say never if nothing is to stop the run")
    if "never" in values:
        if len(set(values)) > 1:
            raise ValueError("fail_on: never contradicts the other values")
        return frozenset()
    return frozenset({"fail", *values})


def apply_gate(
    findings: t.Sequence[FindingDict],
    *,
    fail_on: t.Sequence[str] | str,
    waivers: t.Sequence[Waiver],
    today: dt.date,
    host: str | None = None,
) -> GateResult:
    """Judge findings by `fail_on`, without those a waiver covers on the day `today` (UTC).

    With `host`, the gate stands before that host alone: waivers for other hosts are none of its business and are not
    reported as unused. Without it, the findings are the whole fleet's and every waiver is judged.
    Raises ValueError for a bad `fail_on` or something that is not a finding.
    """
    stops = parse_fail_on(fail_on)
    failing: list[FindingDict] = []
    waived: list[Waived] = []
    expired: list[Waived] = []
    used: set[Waiver] = set()
    left: list[str] = []
    for index, finding in enumerate(findings):
        _check_finding(finding, index)
        covering = [waiver for waiver in waivers if waiver.covers(finding)] if finding["status"] in WAIVABLE else []
        valid = [waiver for waiver in covering if waiver.holds(today)]
        if valid:
            used.update(valid)
            waived.append(Waived(finding, valid[0]))
            continue
        if covering:
            used.update(covering)
            expired.append(Waived(finding, max(covering, key=lambda waiver: waiver.until)))
        left.append(finding["status"])
        if finding["status"] in stops:
            failing.append(finding)
    return GateResult(
        failing=tuple(failing),
        waived=tuple(waived),
        expired_waivers=tuple(expired),
        unused_waivers=_unused(waivers, used, host, findings),
        counts={**_count(left), "waived": len(waived)},
        compliant_without_waived=_compliant(left),
    )


def reference(finding: FindingDict) -> dict[str, t.Any]:
    """A finding by its name, for lists that stand beside the findings."""
    subject = {"kind": finding["subject"]["kind"], "name": finding["subject"]["name"]}
    return {"id": finding["id"], "host": finding["host"], "subject": subject, "status": finding["status"]}


def _unused(
    waivers: t.Sequence[Waiver], used: set[Waiver], host: str | None, findings: t.Sequence[FindingDict]
) -> tuple[Waiver, ...]:
    unused = [waiver for waiver in waivers if waiver not in used]
    if host is not None:
        hosts = {host, *(finding["host"] for finding in findings)}
        unused = [waiver for waiver in unused if any(_matches(name, waiver.host) for name in hosts)]
    return tuple(unused)


def _count(statuses: t.Iterable[str]) -> dict[str, int]:
    counter = collections.Counter(statuses)
    return {status: counter[status] for status in STATUSES}


def _compliant(statuses: t.Sequence[str]) -> bool | None:
    """As _findings.model.compliant, for findings as plugins return them. A host of which all is waived is not judged: None."""
    if "fail" in statuses:
        return False
    if "unknown" in statuses or not {"pass", "warn"} & set(statuses):
        return None
    return True


def _matches(text: str, pattern: str) -> bool:
    """Shell pattern, or the text itself: a URL may hold `?` or `[`, and users copy it as it is."""
    return text == pattern or fnmatch.fnmatchcase(text, pattern)


def _check_finding(finding: t.Any, index: int) -> None:
    try:
        sound = (
            finding["status"] in STATUSES
            and isinstance(finding["id"], str)
            and isinstance(finding["host"], str)
            and isinstance(finding["subject"]["name"], str)
            and isinstance(finding["subject"]["kind"], str)
        )
    except (KeyError, TypeError, IndexError):
        sound = False
    if not sound:
        raise ValueError(f"findings[{index}]: is not a finding (it needs id, status, host and subject with kind and name)")


def _parse_waiver(entry: t.Any, place: str) -> Waiver:
    if not isinstance(entry, t.Mapping):
        raise ValueError(f"{place}: must be a dictionary, not {_kind(entry)}")
    unknown = sorted(str(key) for key in entry if key not in _KEYS)
    if unknown:
        raise ValueError(f"{place}.{unknown[0]}: is not a key of a waiver; those are {', '.join(_KEYS)}")
    return Waiver(
        id=_text(entry, "id", place),
        host=_text(entry, "host", place, default="*"),
        subject=_text(entry, "subject", place, default="*"),
        until=_until(entry.get("until"), f"{place}.until"),
        reason=_text(entry, "reason", place),
    )


def _text(entry: t.Mapping[str, t.Any], key: str, place: str, default: str | None = None) -> str:
    value = entry.get(key)
    if value is None:
        if default is None:
            raise ValueError(f"{place}.{key}: is required")
        return default
    if not isinstance(value, str):
        raise ValueError(f"{place}.{key}: must be a text, not {_kind(value)}")
    value = value.strip()
    if not value:
        raise ValueError(f"{place}.{key}: is empty")
    if len(value) > _MAX_TEXT:
        raise ValueError(f"{place}.{key}: is longer than {_MAX_TEXT} characters")
    return value


def _until(value: t.Any, place: str) -> dt.date:
    if value is None:
        raise ValueError(f"{place}: is required; a waiver without an end is a decision nobody revisits")
    if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
        # Rebuilt, because YAML loaders hand over subclasses of their own.
        return dt.date(value.year, value.month, value.day)
    if isinstance(value, str):
        try:
            return dt.datetime.strptime(value.strip(), "%Y-%m-%d").date()
        except ValueError:
            raise ValueError(f"{place}: must be a day as YYYY-MM-DD, not {value[:40]!r}") from None
    raise ValueError(f"{place}: must be a day as YYYY-MM-DD, not {_kind(value)}")


def _kind(value: t.Any) -> str:
    """What a value is, in words users of YAML know."""
    names = ((bool, "a boolean"), (int, "a number"), (float, "a number"), (str, "a text"), (dt.datetime, "a date with a time"))
    if value is None:
        return "nothing"
    if isinstance(value, t.Mapping):
        return "a dictionary"
    return next((name for kind, name in names if isinstance(value, kind)), "a " + type(value).__name__)
