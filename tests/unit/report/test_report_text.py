# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The report on the console, and the cleaning of text from hosts."""

from __future__ import annotations

import pytest
from ansible_collections.mailops.tls.plugins.plugin_utils._report.text import render_text
from ansible_collections.mailops.tls.plugins.plugin_utils._text.clean import for_page, for_terminal, for_xml, redact

from tests.unit.report.fleet import WAIVERS, checked, document, fleet, lost


def test_hosts_that_are_not_ready_are_shown_in_full_and_last() -> None:
    lines = render_text(document()).splitlines()
    verdicts = [line for line in lines if line.startswith(("READY", "NOT READY", "UNKNOWN"))]
    assert verdicts[0].startswith("READY      mx1.ber.example.net")
    assert [line[:9].strip() for line in verdicts] == ["READY"] * 3 + ["UNKNOWN"] * 2 + ["NOT READY"] * 5
    assert lines[-1] == "3 of 10 hosts ready, 5 not ready, 2 unknown."


def test_findings_name_status_id_and_subject_once() -> None:
    text = render_text(document([checked("mx1", {"DigiCertGlobalRootG2.crl": "tcp_timeout"})]), width=200)
    line = next(line for line in text.splitlines() if "crl3.digicert.com/DigiCertGlobalRootG2.crl" in line)
    assert line.startswith(
        "  fail    egress.tcp.timeout  http://crl3.digicert.com/DigiCertGlobalRootG2.crl - no answer on TCP 80"
    )
    assert line.count("DigiCertGlobalRootG2.crl") == 1


def test_what_fails_for_the_same_reason_is_said_once_with_every_subject() -> None:
    found = document([checked("mx1", "tcp_timeout")])
    subjects = [finding["subject"]["name"] for finding in found["hosts"][0]["findings"] if finding["status"] == "fail"]
    assert len(subjects) > 3
    lines = render_text(found).splitlines()
    assert len([line for line in lines if line.startswith("  fail")]) == 1
    joined = " ".join(" ".join(lines).split())
    assert f"and the same for {len(subjects) - 1} more: " in joined
    assert all(joined.count(name) >= 1 for name in subjects)


def test_each_remedy_is_said_once() -> None:
    found = document([checked("mx1", "tcp_timeout"), checked("mx2", "tcp_timeout")])
    [problem] = found["problems"]
    text = " ".join(render_text(found).split())
    assert text.count(problem["remediation"]) == 1
    assert "egress.tcp.timeout (2 hosts): " in text


@pytest.mark.parametrize("width", [10, 40, 80, 100, 160])
def test_lines_keep_to_the_width_except_long_words(width: int) -> None:
    for line in render_text(document(waivers=WAIVERS), width=width).splitlines():
        assert (
            len(line) <= max(width, 40)
            or max(map(len, line.split())) > max(width, 40) - 12
            or line.startswith(("READY", "NOT", "UNKNOWN"))
        ), line


def test_a_large_fleet_condenses_what_is_ready() -> None:
    text = render_text(document([*(checked(f"mx{number:03}") for number in range(300)), checked("edge", "tcp_timeout")]))
    assert "READY      300 hosts" in text
    assert "and 100 more" in text
    assert "NOT READY  edge" in text
    assert len(text.splitlines()) < 80


def test_waivers_are_told() -> None:
    text = " ".join(render_text(document(waivers=WAIVERS)).split())
    assert "expired 2026-10-31: host.unreachable on old-exim.ham.example.net is no longer waived (To be switched off)" in text
    assert "unused: trust.root.absent on mx9.*, * (Replaced by mx3)" in text
    assert "[waived until 2027-01-31]" in text


def test_nothing_that_moves_a_terminal_gets_through() -> None:
    hostile = "mx\x1b[2J\x1b]0;owned\x07\x9b31m\u202e\r\n\x00\x08x"
    text = render_text(document([*fleet(), lost(hostile, "failed", hostile)]))
    assert "owned" not in text
    assert all(character == "\n" or character.isprintable() for character in text)
    assert "UNKNOWN    mx x" in text


def test_no_host_at_all() -> None:
    assert render_text(document([])).endswith("No host was checked.\n")


def test_cleaning() -> None:
    assert for_terminal("a\x1b[1;31mb\x1b[0m\tc\nd\u200b\u2066e\ud800") == "ab c de"
    assert for_page("a\u202eb\x00\ud800\U000e0041") == "a\\u202eb\\u0000\\ud800\\U000e0041"
    assert for_page("umlaut ä, 漢字, tab\t, line\n") == "umlaut ä, 漢字, tab\t, line\n"
    assert for_xml("a\x00\x1b[31mb\ufffe\ud800\U0001f4e7\n") == "ab\U0001f4e7\n"
    assert redact({"Proxy-Authorization": "x", "authorization": True, "n": ["https://a:b@c/d@e"]}) == {
        "Proxy-Authorization": "***",
        "authorization": True,
        "n": ["https://***@c/d@e"],
    }
