# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The policy server as spawn(8) runs it: a file of its own, under every interpreter that this machine has."""

from __future__ import annotations

import pathlib
import subprocess

import hypothesis
import hypothesis.strategies as st
import pytest
from ansible_collections.mailops.tls.plugins.module_utils._postfix import policy_server

from tests.unit.probe.test_interpreters import FOUND

SCRIPT = pathlib.Path(policy_server.__file__)
UNSURE = "451 4.3.5"
REFUSED = "554 5.7.1"
#: As Postfix 3.7 asks.
QUESTION = {
    "request": "smtpd_access_policy",
    "protocol_state": "DATA",
    "client_address": "192.0.2.1",
    "sender": "a=b@right.example",
    "ccert_subject": "mail.right.example",
    "ccert_issuer": "Mail+20Lab+20CA",
    "encryption_protocol": "TLSv1.3",
    "policy_context": "OK other.example mail.right.example",
}


def asked(**changes: str | None) -> bytes:
    """A question; None leaves an attribute out."""
    attributes = {name: value for name, value in {**QUESTION, **changes}.items() if value is not None}
    return "".join(f"{name}={value}\n" for name, value in attributes.items()).encode() + b"\n"


def answers(questions: bytes, version: tuple[int, ...] | None = None) -> list[str]:
    """What it answers until the end of its input."""
    command = [FOUND[version or max(FOUND)], "-I", str(SCRIPT)]
    done = subprocess.run(command, input=questions, capture_output=True, timeout=20, check=True)
    assert done.stderr == b""
    *said, end = done.stdout.decode().split("\n\n")
    assert end == ""
    assert all(answer.startswith("action=") and "\n" not in answer for answer in said)
    return [answer[len("action=") :] for answer in said]


@pytest.mark.parametrize("version", sorted(FOUND), ids=lambda version: ".".join(map(str, version)))
def test_a_connection(version: tuple[int, ...]) -> None:
    """Several questions on one connection, each answered by itself."""
    found = answers(asked() + asked(ccert_subject="") + asked(ccert_subject="x.example") + asked(policy_context=None), version)
    assert [answer[:9] for answer in found] == ["OK", REFUSED, REFUSED, UNSURE]
    assert "x.example is not the agreed name" in found[2]


@pytest.mark.parametrize(
    ("subject", "agreed", "fits"),
    [
        ("mail.protection.outlook.com", "mail.protection.outlook.com", True),
        ("MAIL.Protection.Outlook.COM", "mail.protection.outlook.com", True),
        ("mail.protection.outlook.com.", "mail.protection.outlook.com", True),
        ("xmail.protection.outlook.com", "mail.protection.outlook.com", False),
        ("mail.protection.outlook.com.evil.example", "mail.protection.outlook.com", False),
        ("mail.protection.outlook.com+00.evil.example", "mail.protection.outlook.com", False),
        ("a.contoso.com", "*.contoso.com", True),
        ("*.contoso.com", "*.contoso.com", True),
        ("contoso.com", "*.contoso.com", False),
        (".contoso.com", "*.contoso.com", False),
        ("a.b.contoso.com", "*.contoso.com", False),
        ("a.notcontoso.com", "*.contoso.com", False),
        ("*.contoso.com", "mail.contoso.com", False),
        ("", "", False),
        ("a", "*.", False),
        (".", ".", False),
    ],
)
def test_names(subject: str, agreed: str, fits: bool) -> None:
    assert policy_server.fits(subject, agreed) is fits


@pytest.mark.parametrize(
    "changes",
    [
        {"request": None},
        {"request": "other"},
        {"ccert_subject": None},
        {"policy_context": ""},
        {"policy_context": "OK"},
        {"policy_context": "DUNNO mail.right.example"},
        {"policy_context": "mail.right.example mail.right.example"},
    ],
)
def test_in_doubt(changes: dict[str, str | None]) -> None:
    assert answers(asked(**changes))[0].startswith(UNSURE)


@pytest.mark.parametrize(
    "garbage",
    [
        b"no attribute\n\n",
        b"request=smtpd_access_policy\n",
        asked()[:-1],
        b"ccert_subject=mail.right.example\n" + asked(),
        b"x=" + b"a" * 20000 + b"\n\n",
        b"".join(b"x%d=\n" % number for number in range(300)) + b"\n",
        b"\xff\x00\n\n",
    ],
)
def test_garbage_ends_it(garbage: bytes) -> None:
    """What follows cannot be relied upon, so nothing more is answered."""
    found = answers(garbage + asked())
    assert len(found) == 1
    assert found[0].startswith(UNSURE)


def test_no_question() -> None:
    assert answers(b"") == []
    assert answers(b"\n")[0].startswith(UNSURE)


def test_the_class_that_goes_on() -> None:
    assert answers(asked(policy_context="mailops_tls_sender_ok mail.right.example")) == ["mailops_tls_sender_ok"]


@hypothesis.given(st.text(st.characters(codec="latin-1", exclude_characters="\n")))
@hypothesis.settings(max_examples=200, deadline=None)
def test_no_other_name_is_let_in(subject: str) -> None:
    """Whatever a certificate has for a name, the answer is one line and no permission."""
    hypothesis.assume(subject.lower().rstrip(".") != "mail.right.example")
    answer = policy_server.action({**QUESTION, "ccert_subject": subject})
    assert answer.startswith(REFUSED)
    assert answer.isprintable()
    assert answer.isascii()
