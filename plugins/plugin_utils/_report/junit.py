# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""The report as JUnit XML, for build servers.

A host is a test suite, a finding is a test case. `fail` is a failure; `unknown` is an error, because to JUnit an error is a
test that could not be carried out, and `skipped` would count as good news in most readers; `warn` passes and says so in
system-out; `not_applicable` and what is waived are skipped.
"""

from __future__ import annotations

import json
import typing as t
import xml.etree.ElementTree as ET  # builds only; nothing is parsed here

from ansible_collections.mailops.tls.plugins.plugin_utils._text.clean import for_xml

_MAX_EVIDENCE = 4000


def render_junit(document: t.Mapping[str, t.Any]) -> str:
    """XML with one `testsuite` per host. Text is bounded and free of characters that XML 1.0 forbids."""
    root = ET.Element("testsuites", {"name": for_xml(document["title"])})
    totals = dict.fromkeys(("tests", "failures", "errors", "skipped"), 0)
    for entry in document["hosts"]:
        suite = _suite(entry, document["generated_at"])
        for key in totals:
            totals[key] += int(suite.get(key, "0"))
        root.append(suite)
    for key, total in totals.items():
        root.set(key, str(total))
    root.set("time", "0")
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _suite(entry: t.Mapping[str, t.Any], generated_at: str) -> ET.Element:
    host = for_xml(entry["host"])
    # The common schema wants a local date and time without a zone; ours is UTC.
    stamp = (entry["observed_at"] or generated_at).rstrip("Z")
    suite = ET.Element("testsuite", {"name": host, "hostname": host, "timestamp": for_xml(stamp), "time": "0"})
    cases = [_case(finding, host) for finding in entry["findings"]]
    suite.set("tests", str(len(cases)))
    for plural, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        suite.set(plural, str(sum(case.find(tag) is not None for case in cases)))
    suite.extend(cases)
    return suite


def _case(finding: t.Mapping[str, t.Any], host: str) -> ET.Element:
    name = f"{finding['id']} {finding['subject']['name']}"
    if finding.get("profile"):
        name += f" [{finding['profile']}]"
    case = ET.Element("testcase", {"classname": host, "name": for_xml(name), "time": "0"})
    status, summary = finding["status"], for_xml(finding["summary"])
    if finding.get("waived"):
        reason = f"waived until {finding['waived']['until']}: {finding['waived']['reason']} ({status}: {summary})"
        ET.SubElement(case, "skipped", {"message": for_xml(reason)})
    elif status == "fail":
        ET.SubElement(case, "failure", {"message": summary, "type": finding["severity"]}).text = _text(finding)
    elif status == "unknown":
        ET.SubElement(case, "error", {"message": summary, "type": "unknown"}).text = _text(finding)
    elif status == "not_applicable":
        ET.SubElement(case, "skipped", {"message": summary})
    elif status == "warn":
        ET.SubElement(case, "system-out").text = for_xml(f"warning: {finding['summary']}\n{_text(finding)}")
    return case


def _text(finding: t.Mapping[str, t.Any]) -> str:
    parts = [finding.get("detail") or "", f"Remedy: {finding['remediation']}" if finding.get("remediation") else ""]
    if finding.get("evidence"):
        evidence = json.dumps(finding["evidence"], indent=2, sort_keys=True, ensure_ascii=False)
        parts.append("Evidence: " + (evidence if len(evidence) <= _MAX_EVIDENCE else evidence[:_MAX_EVIDENCE] + " (cut)"))
    return for_xml("\n".join(part for part in parts if part))
