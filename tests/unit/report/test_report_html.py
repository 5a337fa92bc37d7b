# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The page as text: escaping, its policy, sizes, and what it says. How it behaves is tested in tests/browser."""

from __future__ import annotations

import base64
import collections
import hashlib
import html.parser
import re

import pytest
from ansible_collections.mailops.tls.plugins.plugin_utils._report.html import render_html, verdict_text
from ansible_collections.mailops.tls.plugins.plugin_utils._report.matrix import MAX_COLUMNS, build_matrix

from tests.unit.report.fleet import WAIVERS, checked, document, fleet, lost

HOSTILE = "<img src=x onerror=alert(1)>\"'&</script><script>alert(2)</script>\u202egnp\u2028`{{ 7*7 }}"
VOID = {"meta", "input", "link", "br", "hr", "img"}


class Reader(html.parser.HTMLParser):
    """Counts elements, collects ids and links, and checks that what is opened is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: collections.Counter[str] = collections.Counter()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.attributes: set[str] = set()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.attributes.update(name for name, _value in attrs)
        self.ids += [value or "" for name, value in attrs if name == "id"]
        self.links += [value or "" for name, value in attrs if name in ("href", "src")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def read(page: str) -> Reader:
    reader = Reader()
    reader.feed(page)
    reader.close()
    assert reader.open == []
    return reader


@pytest.mark.parametrize("hosts", [[], fleet(), [checked("a")], [lost("a", "unreachable", None)]])
def test_pages_are_well_formed_and_every_link_arrives(hosts: list[dict[str, object]]) -> None:
    reader = read(render_html(document(hosts, waivers=WAIVERS)))
    assert len(set(reader.ids)) == len(reader.ids)
    assert {link for link in reader.links if not link.startswith("#")} == set(), "the page refers to nothing outside itself"
    assert {link[1:] for link in reader.links} <= set(reader.ids)


def test_hostile_text_is_text() -> None:
    hosts = [checked(HOSTILE, "not_a_crl", body=HOSTILE, detail=HOSTILE), lost(HOSTILE + "2", "failed", HOSTILE)]
    page = render_html(document(hosts, title=HOSTILE))
    reader = read(page)
    assert reader.tags["img"] == 0
    assert reader.tags["script"] == 1
    assert not any(name.startswith("on") or name == "style" for name in reader.attributes)
    assert "\u202e" not in page
    assert "\u2028" not in page
    assert "\\u202egnp" in page
    assert "{{ 7*7 }}" in page


def test_the_policy_admits_the_page_s_own_style_and_script_only() -> None:
    page = render_html(document())
    [policy] = re.findall(r'<meta http-equiv="Content-Security-Policy" content="([^"]*)">', page)
    assert policy.replace("&#39;", "'").startswith("default-src 'none'; ")
    for tag in ("style", "script"):
        [content] = re.findall(rf"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert f"{tag}-src &#39;sha256-{digest}&#39;" in policy
    assert "unsafe" not in policy


def test_a_lone_surrogate_does_not_keep_the_page_from_being_written() -> None:
    assert "\\ud800" in render_html(document([checked("mx\ud800", "not_a_crl", body="\udfff")])).encode().decode()


@pytest.mark.parametrize(
    ("hosts", "headline", "status"),
    [
        ([], "No host was checked", "unknown"),
        ([checked("a")], "The host is ready", "pass"),
        ([checked("a"), checked("b")], "All 2 hosts are ready", "pass"),
        ([checked("a", "tcp_timeout")], "The host is not ready", "fail"),
        ([checked("a", "tcp_timeout"), checked("b")], "1 of 2 hosts is not ready", "fail"),
        ([checked("a", "tcp_timeout"), checked("b", "tcp_timeout")], "None of the 2 hosts is ready", "fail"),
        ([lost("a", "unreachable", None), checked("b")], "1 of 2 hosts could not be judged", "unknown"),
        (fleet(), "5 of 10 hosts are not ready", "fail"),
    ],
)
def test_the_verdict_in_a_sentence(hosts: list[dict[str, object]], headline: str, status: str) -> None:
    verdict = verdict_text(document(hosts))
    assert (verdict["headline"], verdict["status"]) == (headline, status)


def test_the_matrix_gathers_endpoints_by_host_and_shows_the_worst() -> None:
    found = document()
    matrix = build_matrix(found["hosts"])
    names = [column.name for column in matrix.columns]
    assert names.count("crl3.digicert.com") == 1
    assert [group for group, _columns in matrix.groups] == ["CA endpoints", "Trusted roots"]
    row = dict(zip(names, matrix.rows[[host["host"] for host in found["hosts"]].index("hybrid01.corp.example.net")], strict=True))
    assert row["crl3.digicert.com"] is not None
    assert (row["crl3.digicert.com"].status, row["crl3.digicert.com"].count) == ("fail", 3)
    assert row["ocsp.digicert.com"] is not None
    assert row["ocsp.digicert.com"].status == "pass"
    assert all(cell is None for cell in matrix.rows[0]), "of a host without a result nothing is claimed"


def test_a_matrix_too_wide_keeps_the_worst_columns() -> None:
    host = checked("a")
    base = host["result"]["findings"][0]
    host["result"]["findings"] = [
        {**base, "status": "fail" if number == 150 else "pass", "subject": {"kind": "endpoint", "name": f"http://h{number:03}/"}}
        for number in range(200)
    ]
    matrix = build_matrix(document([host])["hosts"])
    assert (len(matrix.columns), matrix.left_out) == (MAX_COLUMNS, 200 - MAX_COLUMNS)
    assert "h150" in [column.name for column in matrix.columns]


@pytest.mark.parametrize("cause", ["ok", "tcp_timeout"])
def test_a_thousand_hosts_fit_into_fifteen_megabytes(cause: str) -> None:
    body = "<html>" + "blocked by policy " * 40
    hosts = [checked(f"mx{number:04}.example.net", cause, body=body) for number in range(1000)]
    for host in hosts:
        host["result"]["findings"] += host["result"]["findings"][:5]
    found = document(hosts)
    assert sum(len(host["findings"]) for host in found["hosts"]) == 20_000
    page = render_html(found)
    assert len(page.encode()) < 15_000_000
    assert "The JSON report has all of it" in page
