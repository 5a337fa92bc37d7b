# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""The verdict as text, for the end of a run on the console."""

from __future__ import annotations

import textwrap
import typing as t

from ansible_collections.mailops.tls.plugins.plugin_utils._text.clean import for_terminal

_VERDICTS: t.Final[t.Mapping[str, str]] = {"ready": "READY", "not_ready": "NOT READY", "unknown": "UNKNOWN"}
_MAX_GROUPS = 20
_MAX_ALIKE = 3
_MAX_NAMED = 12
_MIN_WIDTH = 40

Mapping = t.Mapping[str, t.Any]


def render_text(document: Mapping, width: int = 100) -> str:
    """Hosts that are not ready in full, ready ones in one line each or, where they are many, together; then the remedies.

    Text from hosts loses control characters and escape sequences. Lines are at most `width` columns, except single words
    that are longer, such as URLs.
    """
    width = max(width, _MIN_WIDTH)
    ready = [entry for entry in document["hosts"] if entry["verdict"] == "ready" and not _bad(entry)]
    shown = {entry["host"] for entry in ready}
    rest = [entry for entry in document["hosts"] if entry["host"] not in shown]
    # What is not ready stands last, where the eye is when the run has ended.
    lines = [for_terminal(document["title"]), ""]
    lines += _ready_hosts(ready, width)
    for entry in sorted(rest, key=lambda entry: (("ready", "unknown", "not_ready").index(entry["verdict"]), entry["host"])):
        lines += _host(entry, width)
    lines += _remedies(document, width)
    lines += _waivers(document, width)
    lines += _profiles(document, width)
    lines += ["", *_wrap(headline(document), width, "")]
    return "\n".join(lines) + "\n"


def headline(document: Mapping) -> str:
    """One sentence: how many hosts are ready, not ready and unknown."""
    hosts = document["summary"]["hosts"]
    if not hosts["total"]:
        return "No host was checked."
    text = f"{hosts['ready']} of {hosts['total']} {'host' if hosts['total'] == 1 else 'hosts'} ready"
    text += f", {hosts['not_ready']} not ready" if hosts["not_ready"] else ""
    text += f", {hosts['unknown']} unknown" if hosts["unknown"] else ""
    if hosts["not_ready_only_waived"]:
        text += f" ({hosts['not_ready_only_waived']} of those not ready only for what is waived)"
    return text + "."


def _bad(entry: Mapping) -> list[Mapping]:
    return [finding for finding in entry["findings"] if finding["status"] in ("fail", "unknown", "warn")]


def _ready_hosts(entries: list[Mapping], width: int) -> list[str]:
    if len(entries) <= 8:
        return [f"{_VERDICTS['ready']:<9}  {for_terminal(entry['host'])}{_passes(entry)}" for entry in entries]
    names = ", ".join(for_terminal(entry["host"]) for entry in entries[:200])
    if len(entries) > 200:
        names += f" and {len(entries) - 200} more"
    return [f"{_VERDICTS['ready']:<9}  {len(entries)} hosts", *_wrap(names, width, "  ")]


def _passes(entry: Mapping) -> str:
    count = entry["summary"]["pass"]
    return f"  ({count} {'check' if count == 1 else 'checks'} passed)" if count else ""


def _host(entry: Mapping, width: int) -> list[str]:
    lines = ["", f"{_VERDICTS[entry['verdict']]:<9}  {for_terminal(entry['host'])}{_passes(entry)}"]
    alike: dict[tuple[t.Any, ...], list[Mapping]] = {}
    for finding in _bad(entry):
        alike.setdefault((finding["status"], finding["id"], (finding.get("waived") or {}).get("until")), []).append(finding)
    groups = list(alike.values())
    for group in groups[:_MAX_GROUPS]:
        lines += _group(group, width)
    if len(groups) > _MAX_GROUPS:
        lines.append(f"  ... and {sum(map(len, groups[_MAX_GROUPS:]))} more, see the report")
    return lines


def _group(findings: list[Mapping], width: int) -> list[str]:
    """A host behind a closed firewall has the same finding for every endpoint: say it once, and name the others."""
    if len(findings) <= _MAX_ALIKE:
        return [line for finding in findings for line in _finding(finding, width)]
    others = [for_terminal(finding["subject"]["name"]) for finding in findings[1:]]
    more = f" and {len(others) - _MAX_NAMED} others, see the report" if len(others) > _MAX_NAMED else ""
    text = f"and the same for {len(others)} more: {', '.join(others[:_MAX_NAMED])}{more}"
    return [*_finding(findings[0], width), *_wrap(text, width, " " * 10)]


def _finding(finding: Mapping, width: int) -> list[str]:
    waived = f" [waived until {finding['waived']['until']}]" if finding.get("waived") else ""
    subject, summary = for_terminal(finding["subject"]["name"]), for_terminal(finding["summary"])
    # Many summaries name their subject already; saying it twice helps nobody.
    text = summary if subject in summary else f"{subject} - {summary}"
    if finding["id"].startswith("host.") and finding["detail"]:  # what Ansible said, which is all there is
        text = f"{summary} ({for_terminal(finding['detail'])[:300]})"
    line = f"{finding['status']:<7} {for_terminal(finding['id'])}  {text}{waived}"
    return _wrap(line, width, "  ", " " * 10)


def _remedies(document: Mapping, width: int) -> list[str]:
    """Each remedy once, however many hosts need it; the worst first."""
    hosts_of: dict[str, set[str]] = {}
    ids_of: dict[str, list[str]] = {}
    for problem in document["problems"]:
        text = for_terminal(problem["remediation"])
        if text:
            hosts_of.setdefault(text, set()).update(problem["hosts"])
            ids_of.setdefault(text, []).append(for_terminal(problem["id"]))
    lines: list[str] = ["", "What to do"] if hosts_of else []
    for text, hosts in hosts_of.items():
        count = f"{len(hosts)} {'host' if len(hosts) == 1 else 'hosts'}"
        lines += _wrap(f"{', '.join(ids_of[text])} ({count}): {text}", width, "  ", "    ")
    return lines


def _waivers(document: Mapping, width: int) -> list[str]:
    waivers = document["waivers"]
    lines: list[str] = []
    for item in waivers["expired"]:
        waiver = item["waiver"]
        hosts = sorted({for_terminal(finding["host"]) for finding in item["findings"]})
        text = f"expired {waiver['until']}: {waiver['id']} on {', '.join(hosts[:10])} is no longer waived ({waiver['reason']})"
        lines += _wrap(for_terminal(text), width, "  ", "    ")
    for waiver in waivers["unused"]:
        text = f"unused: {waiver['id']} on {waiver['host']}, {waiver['subject']} ({waiver['reason']})"
        lines += _wrap(for_terminal(text), width, "  ", "    ")
    return ["", "Waivers", *lines] if lines else []


def _profiles(document: Mapping, width: int) -> list[str]:
    texts = [f"{profile['id']} (data of {profile['as_of']}, {age(profile)})" for profile in document["profiles"]]
    return ["", *_wrap(for_terminal("Judged by " + ", ".join(texts)), width, "", "  ")] if texts else []


def age(profile: Mapping) -> str:
    """The age of a profile's data in words. A date to come is said, not hidden."""
    days = profile["age_days"]
    if days < 0:
        return f"dated {-days} days ahead"
    return "today" if days == 0 else f"{days} {'day' if days == 1 else 'days'} old"


def _wrap(text: str, width: int, first: str, others: str | None = None) -> list[str]:
    return textwrap.wrap(
        text,
        width,
        initial_indent=first,
        subsequent_indent=first if others is None else others,
        break_long_words=False,
        break_on_hyphens=False,
    )
