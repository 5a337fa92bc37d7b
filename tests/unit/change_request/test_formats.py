# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import csv
import io
import pathlib
import shutil
import subprocess

import pytest
from ansible_collections.mailops.tls.plugins.plugin_utils._change_request.collect import ChangeRequest, Row, collect
from ansible_collections.mailops.tls.plugins.plugin_utils._change_request.csv_table import COLUMNS, guarded, render_csv
from ansible_collections.mailops.tls.plugins.plugin_utils._change_request.formats import FORMATS, render
from ansible_collections.mailops.tls.plugins.plugin_utils._change_request.markdown import render_markdown
from ansible_collections.mailops.tls.plugins.plugin_utils._change_request.nftables import render_nftables
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.conftest import require_programs
from tests.unit.change_request.results import blocked, entry, reached

A, OCSP = "http://crl.ca.test/a.crl", "http://ocsp.ca.test/"
FLEET = [
    entry("mx1", blocked(A, "192.0.2.1", "2001:db8::1"), reached(OCSP, "192.0.2.9")),
    entry("mx2", blocked(A, "192.0.2.1", "2001:db8::1"), blocked(OCSP, "192.0.2.9")),
    entry("mx3", blocked(A, "10.0.0.8", proxy="http://proxy.test:3128")),
    {"host": "mx4", "result": None},
]
HOSTILE = st.text(st.sampled_from("=+-@|`\\<>\"'{}#;,*_[]()!&$\u202e\x1b aA0.:/é"), max_size=30)


def request_of(text: str, *, port: int = 80) -> ChangeRequest:
    """A request whose every text is the given one: what renderers get must not be trusted to be clean."""
    row = Row((text,), text, ("192.0.2.1", "2001:db8::1"), ("192.0.2.1",), port, "tcp", (text,), (text,), (text,))
    return ChangeRequest("blocked", (row,), (text,), (text,), text, text)


def nft(text: str, directory: pathlib.Path) -> subprocess.CompletedProcess[str]:
    """nft's opinion of a file, in a network namespace of its own, without loading it."""
    require_programs("the nftables example", "nft", "unshare")
    path = directory / "rules.nft"
    path.write_text(text, encoding="utf-8")
    program = shutil.which("nft") or "/usr/sbin/nft"
    command = ["unshare", "--user", "--map-root-user", "--net", program, "-c", "-f", str(path)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)


def test_csv():
    rows = list(csv.DictReader(io.StringIO(render_csv(collect(FLEET, "blocked")), newline="")))
    assert tuple(rows[0]) == COLUMNS
    assert [(row["sources"], row["destination"], row["blocked_addresses"], row["port"]) for row in rows] == [
        ("mx1, mx2", "crl.ca.test", "192.0.2.1, 2001:db8::1", "80"),
        ("mx2", "ocsp.ca.test", "192.0.2.9", "80"),
        ("mx3", "proxy.test", "10.0.0.8", "3128"),
    ]
    assert rows[0]["why"] == "CRL: connection attempts get no answer"
    assert rows[0]["needed_for"] == f"CRL {A}"
    assert rows[0]["findings"] == "egress.tcp.timeout"


@pytest.mark.parametrize("first", ["=", "+", "-", "@", "\t", "\r", "\n", "|", "%", "\uff1d", " =", "\u00a0@"])
def test_no_cell_is_a_formula(first: str):
    assert guarded(f"{first}cmd|' /C calc'!A0").startswith("'")
    rows = list(csv.reader(io.StringIO(render_csv(request_of(f"{first}1")), newline="")))
    assert len(rows) == 2
    assert rows[1][0] == rows[1][1] == f"'{first}1"


@given(HOSTILE)
def test_csv_keeps_cells_apart(text: str):
    rows = list(csv.reader(io.StringIO(render_csv(request_of(text)), newline="")))
    assert [len(row) for row in rows] == [len(COLUMNS)] * 2
    assert rows[1][1] in (text, f"'{text}")


def test_markdown():
    page = render_markdown(collect(FLEET, "blocked"))
    assert "Outgoing connections of 3 hosts. It covers only what was seen to be blocked." in page
    assert "| `mx1`, `mx2` | `crl.ca.test` | `192.0.2.1`, `2001:db8::1` |" in page
    assert "`egress.tcp.timeout`" in page
    assert "## Hosts without a result" in page
    assert "- `mx4`" in page


def test_markdown_says_when_there_is_nothing_and_when_nothing_is_known():
    assert "Nothing is blocked." in render_markdown(collect([entry("mx1", reached(A, "192.0.2.1"))], "blocked"))
    unknown = render_markdown(collect([{"host": "mx1", "result": None}], "blocked"))
    assert "nothing is known" in unknown
    assert "Nothing is blocked." not in unknown


@given(HOSTILE)
def test_markdown_table_keeps_its_shape_and_holds_no_markup(text: str):
    lines = [line for line in render_markdown(request_of(text)).splitlines() if line.startswith("|")]
    assert len(lines) == 3
    for line in lines:
        bare = line.replace("\\\\", "").replace("\\|", "").replace("\\`", "")
        assert bare.count("|") == 10
        assert bare.count("`") % 2 == 0
        outside = "".join(bare.split("`")[::2]).replace("\\<", "")
        assert "<" not in outside


@pytest.mark.parametrize("scope", ["blocked", "needed"])
def test_nft_accepts_the_example(scope: str, tmp_path: pathlib.Path):
    text = render_nftables(collect(FLEET, scope))
    done = nft(text, tmp_path)
    assert done.returncode == 0, done.stderr
    assert 'tcp . 192.0.2.1 . 80 comment "crl.ca.test"' in text
    assert 'tcp . 2001:db8::1 . 80 comment "crl.ca.test"' in text
    assert "# Not known, for want of a result: mx4" in text


def test_nft_accepts_one_address_of_two_names(tmp_path: pathlib.Path):
    fleet = [entry("mx1", blocked(A, "192.0.2.1"), blocked(OCSP, "192.0.2.1"))]
    text = render_nftables(collect(fleet, "blocked"))
    assert 'tcp . 192.0.2.1 . 80 comment "crl.ca.test, ocsp.ca.test"' in text
    done = nft(text, tmp_path)
    assert done.returncode == 0, done.stderr


def test_nft_accepts_a_file_without_rules(tmp_path: pathlib.Path):
    text = render_nftables(collect([entry("mx1", reached(A, "192.0.2.1"))], "blocked"))
    assert "There is nothing to open" in text
    assert nft(text, tmp_path).returncode == 0


@settings(max_examples=25, deadline=None)
@given(HOSTILE)
def test_nft_is_given_nothing_but_comments_by_foreign_text(tmp_path_factory, text: str):
    rendered = render_nftables(request_of(text))
    done = nft(rendered, tmp_path_factory.mktemp("nft"))
    assert done.returncode == 0, f"{done.stderr}\n{rendered}"


def test_the_nft_example_refuses_to_be_cut_by_long_names(tmp_path: pathlib.Path):
    done = nft(render_nftables(request_of("x" * 3000)), tmp_path)
    assert done.returncode == 0, done.stderr


def test_forms_are_rendered_in_the_order_asked_for():
    request = collect(FLEET, "needed")
    assert [ending for ending, _content in render(request, ["nftables", "csv"])] == [".nft", ".csv"]
    assert render(request, list(FORMATS)) == render(collect(FLEET[::-1], "needed"), list(FORMATS))
