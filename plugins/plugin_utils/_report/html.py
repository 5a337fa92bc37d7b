# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""The report as one HTML page that needs nothing else: no network, no other file, and no JavaScript to be read.

Everything that varies is escaped by Jinja. Style and script are constant, stand in the page and are the only ones its
Content-Security-Policy admits, by their hashes; so even an escaping mistake would run nothing and load nothing.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import json
import pathlib
import typing as t

import jinja2
from ansible_collections.mailops.tls.plugins.plugin_utils._findings.registry import REGISTRY
from ansible_collections.mailops.tls.plugins.plugin_utils._report.matrix import build_matrix
from ansible_collections.mailops.tls.plugins.plugin_utils._report.text import age
from ansible_collections.mailops.tls.plugins.plugin_utils._text.clean import for_page
from markupsafe import Markup, escape

Mapping = t.Mapping[str, t.Any]

# Evidence is most of a large page. What does not fit is cut here and whole in the JSON report; the page says so.
EVIDENCE_BUDGET: t.Final = 3_000_000
EVIDENCE_MOST: t.Final = 8_000
EVIDENCE_LEAST: t.Final = 160

POLICY: t.Final = "default-src 'none'; base-uri 'none'; form-action 'none'"

# Up to here hosts that are not ready start open.
OPEN_HOSTS: t.Final = 6

# Up to here the cells of the matrix carry their finding's summary as a tool tip.
TITLED_HOSTS: t.Final = 200

STALE_DAYS: t.Final = 180

SYMBOLS: t.Final[t.Mapping[str, str]] = {"fail": "✕", "unknown": "?", "warn": "!", "pass": "✓", "not_applicable": "\N{EN DASH}"}
WORDS: t.Final[t.Mapping[str, str]] = {
    "fail": "fail",
    "unknown": "unknown",
    "warn": "warning",
    "pass": "pass",
    "not_applicable": "not applicable",
}
QUIET: t.Final = ("pass", "not_applicable")
VERDICTS: t.Final[t.Mapping[str, tuple[str, str]]] = {
    "ready": ("pass", "Ready"),
    "not_ready": ("fail", "Not ready"),
    "unknown": ("unknown", "Unknown"),
}


def render_html(document: Mapping) -> str:
    """Render a document of build_document."""
    style, script = _asset("report.css"), _asset("report.js")
    evidence = _Evidence(document)
    hosts = [_host(entry, index, evidence) for index, entry in enumerate(document["hosts"])]
    return (
        _environment()
        .get_template("report.html.j2")
        .render(
            doc=document,
            csp=f"{POLICY}; style-src '{_hash(style)}'; script-src '{_hash(script)}'",
            style=Markup(style),  # noqa: S704 - constant file of this collection
            script=Markup(script),  # noqa: S704 - constant file of this collection
            verdict=verdict_text(document),
            bar=_bar(document["summary"]["hosts"]),
            matrix=build_matrix(document["hosts"]),
            hosts=hosts,
            open_hosts=document["summary"]["hosts"]["total"] <= OPEN_HOSTS,
            titles=len(document["hosts"]) <= TITLED_HOSTS,
            quiet=QUIET,
            evidence_cut=evidence.cut,
            finding_ids=sorted({finding["id"] for entry in document["hosts"] for finding in entry["findings"]}),
            host_anchor={entry["host"]: f"h{index}" for index, entry in enumerate(document["hosts"])},
            symbols=SYMBOLS,
            words=WORDS,
            verdicts=VERDICTS,
            stale_days=STALE_DAYS,
        )
    )


def verdict_text(document: Mapping) -> dict[str, str]:
    """The verdict in two sentences somebody who answers for mail, not for certificates, understands."""
    hosts = document["summary"]["hosts"]
    total, bad, unknown = hosts["total"], hosts["not_ready"], hosts["unknown"]
    unseen = f"{unknown} {'host' if unknown == 1 else 'hosts'} could not be judged."
    if not total:
        return {"status": "unknown", "headline": "No host was checked", "text": "The run delivered no result for any host."}
    if bad:
        text = (
            "There, mail that needs TLS with Exchange Online may be delayed or refused, now or when its certificate changes. "
            "What to mend, and in which order, is below."
        )
        if unknown:
            text += f" Besides, {unseen}"
        return {"status": "fail", "headline": _count_sentence(bad, total, "not ready"), "text": text}
    if unknown:
        text = "Nothing that could be seen is wrong, but what could not be seen may be. Treat these hosts as not ready."
        return {"status": "unknown", "headline": f"{unknown} of {total} {_hosts(total)} could not be judged", "text": text}
    text = (
        "Everything the profiles ask for was checked on each host and holds: the CA endpoints answer, and the roots are trusted."
    )
    return {"status": "pass", "headline": _count_sentence(total, total, "ready"), "text": text}


def _count_sentence(count: int, total: int, word: str) -> str:
    if total == 1:
        return f"The host is {word}"
    if count == total:
        return f"None of the {total} hosts is ready" if word == "not ready" else f"All {total} hosts are {word}"
    return f"{count} of {total} hosts {'is' if count == 1 else 'are'} {word}"


def _hosts(count: int) -> str:
    return "host" if count == 1 else "hosts"


class _Evidence:
    """Turns evidence into text, within what the page as a whole may hold."""

    def __init__(self, document: Mapping) -> None:
        sizes: dict[bool, list[int]] = {True: [], False: []}
        for entry in document["hosts"]:
            for finding in entry["findings"]:
                if finding.get("evidence"):
                    sizes[_is_quiet(finding)].append(min(_size(finding["evidence"]), EVIDENCE_MOST))
        bad, quiet = sum(sizes[False]), sum(sizes[True])
        self.limit = EVIDENCE_MOST if bad <= EVIDENCE_BUDGET else max(EVIDENCE_LEAST, EVIDENCE_BUDGET // len(sizes[False]))
        self.quiet_shown = bad + quiet <= EVIDENCE_BUDGET
        self.cut = not self.quiet_shown

    def of(self, finding: Mapping) -> Markup | None:
        """The evidence, bounded, and pretty unless room is short; None where there is none or no room for it."""
        if not finding.get("evidence") or (_is_quiet(finding) and not self.quiet_shown):
            return None
        indent = 2 if self.limit == EVIDENCE_MOST else None
        text = json.dumps(finding["evidence"], indent=indent, sort_keys=True, ensure_ascii=False)
        if len(text) > self.limit:
            self.cut = True
            text = text[: self.limit] + "\n… cut here; the JSON report has all of it"
        return _element_text(text)


def _element_text(text: str) -> Markup:
    """Escape for the content of an element only, where quotes are harmless: JSON is full of them, and `&#34;` is five bytes."""
    text = for_page(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return Markup(text)  # noqa: S704 - escaped in the line above


def _size(evidence: t.Any) -> int:
    """About how long the evidence is on the page: indented and escaped, it is half as long again."""
    return len(json.dumps(evidence)) * 3 // 2


def _is_quiet(finding: Mapping) -> bool:
    return finding["status"] in QUIET


def _host(entry: Mapping, index: int, evidence: _Evidence) -> dict[str, t.Any]:
    """A host as the page shows it: bad findings gathered by id and remedy, good ones in a list of their own."""
    groups: dict[tuple[str, ...], dict[str, t.Any]] = {}
    quiet: list[dict[str, t.Any]] = []
    for number, finding in enumerate(entry["findings"]):
        item = {"anchor": f"h{index}-{number}", "finding": finding, "evidence": evidence.of(finding)}
        if _is_quiet(finding):
            quiet.append(item)
            continue
        remedy = finding.get("remediation") or ""
        key = (finding["status"], finding["severity"], finding["id"], remedy)
        kind = REGISTRY.get(finding["id"])
        group = {"finding": finding, "meaning": kind.meaning if kind else "", "remedy": remedy, "items": []}
        groups.setdefault(key, group)["items"].append(item)
    counts = [(status, entry["summary"].get(status, 0)) for status in WORDS if entry["summary"].get(status, 0)]
    return {"anchor": f"h{index}", "entry": entry, "groups": list(groups.values()), "quiet": quiet, "counts": counts}


def _bar(hosts: Mapping) -> list[dict[str, t.Any]]:
    """Segments of the bar below the verdict, in hundredths of its width."""
    segments: list[dict[str, t.Any]] = []
    start = 0.0
    for verdict in ("not_ready", "unknown", "ready"):
        width = 100.0 * hosts[verdict] / hosts["total"] if hosts["total"] else 0.0
        segments.append({"verdict": verdict, "count": hosts[verdict], "x": round(start, 3), "width": round(width, 3)})
        start += width
    return segments


@functools.cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        autoescape=True,
        loader=jinja2.FileSystemLoader(_folder()),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_finalize,
    )
    environment.filters["age"] = age
    environment.filters["prose"] = _prose
    environment.filters["first_sentence"] = lambda text: _split_sentence(text)[0]
    environment.filters["later_sentences"] = lambda text: _split_sentence(text)[1]
    return environment


def _finalize(value: t.Any) -> t.Any:
    """Show characters that do not print, wherever text comes from; before escaping, which Jinja does after this."""
    return value if hasattr(value, "__html__") or not isinstance(value, str) else for_page(value)


def _prose(text: str) -> Markup:
    """A sentence of the registry: what stands between backticks is a command or a name. All of it is escaped."""
    pieces = [escape(for_page(piece)) for piece in text.split("`")]
    if len(pieces) % 2 == 0:  # a backtick without its partner is just one
        return escape(for_page(text))
    return Markup("").join(Markup("<code>{}</code>").format(piece) if index % 2 else piece for index, piece in enumerate(pieces))


def _split_sentence(text: str) -> tuple[str, str]:
    """The first sentence, which serves as a heading, and the rest."""
    first, dot, rest = text.partition(". ")
    return first + dot.strip(), rest


def _folder() -> pathlib.Path:
    return pathlib.Path(__file__).with_name("templates")


@functools.cache
def _asset(name: str) -> str:
    return (_folder() / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
