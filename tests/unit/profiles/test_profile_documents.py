# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Hostile YAML and JSON: refused within bounds, with a place, never with a traceback."""

from __future__ import annotations

import pytest
from ansible_collections.mailops.tls.plugins.plugin_utils._profiles.documents import parse_json, parse_yaml
from ansible_collections.mailops.tls.plugins.plugin_utils._profiles.fields import Place
from ansible_collections.mailops.tls.plugins.plugin_utils._profiles.model import ProfileError
from hypothesis import given
from hypothesis import strategies as st

AT = Place("./my.yml")

LAUGHS = "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n"


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        (LAUGHS, "aliases (*name) are not accepted at line 2"),
        ("a: !!python/object/apply:os.system [id]", "tags (!name) are not accepted at line 1"),
        ("a: !!int '1:1:1'", "tags (!name) are not accepted"),
        ("!!map scalar", "tags (!name) are not accepted"),
        ("a: !vault |\n  33", "tags (!name) are not accepted"),
        ("a: 1\na: 2", "the key 'a' appears twice in one mapping at line 2"),
        ("? [a]\n: 1", "a key must be text"),
        ("a: 1\n---\nb: 2", "expected a single document"),
        ("a: [1", "is not accepted as YAML"),
        ("[" * 100000, "nested too deeply"),
        ("a: \x01", "is not YAML"),
        ("- " * 30 + "x", "nested too deeply"),
    ],
)
def test_bad_yaml_is_refused(document, reason):
    with pytest.raises(ProfileError) as refused:
        parse_yaml(document, AT)
    assert str(refused.value).startswith("./my.yml: ")
    assert reason in str(refused.value)


def test_plain_core_types_only():
    document = (
        "a: 1\nb: 012\nc: 1:1:1:1\nd: 2026-11-24\ne: yes\nf: true\ng: null\nh:\ni: 0x1F\nj: 12345678901\nk: 1.5\n<<: x\nl: -3\n"
    )
    assert parse_yaml(document, AT) == {
        "a": 1,
        "b": "012",
        "c": "1:1:1:1",
        "d": "2026-11-24",
        "e": "yes",
        "f": True,
        "g": None,
        "h": None,
        "i": "0x1F",
        "j": "12345678901",
        "k": "1.5",
        "<<": "x",
        "l": -3,
    }


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ('{"a": 1, "a": 2}', "the key 'a' appears twice"),
        ("[" * 100000, "nested too deeply"),
        ('{"a": ' + "9" * 5000 + "}", "too many digits"),
        ("{", "is not JSON"),
        ("", "is not JSON"),
    ],
)
def test_bad_json_is_refused(document, reason):
    with pytest.raises(ProfileError) as refused:
        parse_json(document, AT)
    assert str(refused.value).startswith("./my.yml: ")
    assert reason in str(refused.value)


@given(st.text(alphabet=st.sampled_from("ab:-?[]{}&*!|>'\"#%@`~ \n\t0123,<=\x00\x85\ufeff"), max_size=80))
def test_no_text_makes_another_exception_than_a_refusal(document):
    for parse in (parse_yaml, parse_json):
        try:
            parse(document, AT)
        except ProfileError as refused:
            assert str(refused).startswith("./my.yml: ")
