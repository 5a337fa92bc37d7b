# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Map files and the settings that name them."""

from __future__ import annotations

import ipaddress

import hypothesis
import hypothesis.strategies as st
import pytest
from ansible_collections.mailops.tls.plugins.module_utils._postfix import tables

FOLDER = "/etc/postfix/mailops_tls"
NAME = tables.file_name("clients", "x")
OURS = f"check_client_access cidr:{FOLDER}/{NAME}"
OLD = f"check_client_access cidr:{FOLDER}/clients-0123456789abcdef"


def test_the_longest_prefix_comes_first() -> None:
    text = tables.render("clients", {"10.0.0.0/8": "a", "10.1.0.0/16": "b", "2001:db8::/32": "c", "10.1.2.3/32": "d"})
    keys = [line.split()[0] for line in text.splitlines()[1:]]
    assert keys == ["10.1.2.3/32", "10.1.0.0/16", "10.0.0.0/8", "2001:db8::/32"]


networks = st.builds(
    lambda number, length: str(ipaddress.ip_network((number >> (32 - length) << (32 - length) if length else 0, length))),
    st.integers(0, 2**32 - 1),
    st.integers(0, 32),
)
values = st.from_regex(r"[a-z]{1,8}( match=[a-z.:|]{1,20})?", fullmatch=True)


@hypothesis.given(st.dictionaries(networks, values))
@hypothesis.settings(max_examples=50, deadline=None)
def test_what_is_written_reads_back(table: dict[str, str]) -> None:
    assert tables.parse("clients", tables.render("clients", table)) == table


def test_lines_that_postfix_passes_over() -> None:
    text = "# comment\n  # another\nnonsense value\n192.0.2.0/28 ok\n192.0.2.1/28 host bits\nlonely\n\n192.0.2.0/28 second\n"
    assert tables.parse("clients", text) == {"192.0.2.0/28": "ok"}
    assert tables.parse("policy", "A.Example   secure\tmatch=a\nb\n") == {"a.example": "secure match=a"}


@pytest.mark.parametrize(
    ("value", "references", "last", "expected"),
    [
        ("", [OURS], True, OURS),
        ("reject_x", [OURS], True, f"reject_x, {OURS}"),
        (f"reject_x, {OLD}", [OURS], True, f"reject_x, {OURS}"),
        (f"reject_x {OLD} reject_y", [OURS], True, f"reject_x reject_y, {OURS}"),
        (f"reject_x {OLD} reject_y", [], True, "reject_x reject_y"),
        (f"{OURS} reject_y", [OURS], False, f"{OURS} reject_y"),
        (f"{OURS} reject_y", [OURS], True, f"reject_y, {OURS}"),
        (OLD, [], True, ""),
        ("check_client_access cidr:/etc/postfix/theirs", [OURS], True, f"check_client_access cidr:/etc/postfix/theirs, {OURS}"),
        ("check_client_access { cidr:/x, { a = b } }", [OURS], True, f"check_client_access {{ cidr:/x, {{ a = b }} }}, {OURS}"),
        (f"cidr:{FOLDER}/by-hand", [OURS], True, f"cidr:{FOLDER}/by-hand, {OURS}"),
    ],
)
def test_references_go_behind_those_of_others(value: str, references: list[str], last: bool, expected: str) -> None:
    once = tables.replace(FOLDER, value, references, last)
    assert once == expected
    assert tables.replace(FOLDER, once, references, last) == once


def test_only_our_folder_is_ours() -> None:
    assert tables.referred(FOLDER, f"reject_x, {OURS}") == {"clients": NAME}
    assert tables.referred("/etc/postfix-two/mailops_tls", OURS) == {}
    assert tables.is_ours(NAME)
    assert not tables.is_ours("clients-by-hand")


def test_words_of_a_list() -> None:
    assert tables.tokens("hash:/a, pcre:{ {/x, y/ z} }\n  static:b") == ["hash:/a", "pcre:{ {/x, y/ z} }", "static:b"]
