# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Mail in the clear: refused for the lack of TLS, taken, or neither."""

from __future__ import annotations

import pytest

from tests.unit.smtp.observed import answer, found, judge, path

DEMANDS = [
    "530 5.7.0 Must issue a STARTTLS command first",
    "530 Must issue a STARTTLS command first",
    "530 5.7.0",
    "451 5.7.3 STARTTLS is required to send mail",
    "523 5.7.10 Encryption Needed",
    "554 5.7.10 no",
    "550 5.7.0 Encryption required",
    "450 4.7.1 <client.example.com[192.0.2.9]>: Client host rejected: Session encryption is required",
    "450 4.7.1 Session encryption is required",
    "554 5.7.1 TLS required",
    "421 4.7.0 TLS please",
]
OTHERS = [
    "450 4.2.0 Greylisted",
    "550 5.1.1 User unknown",
    "554 5.7.1 relay denied",
    "501 bad sender",
    "421 4.7.0 busy",
    "530 5.7.57 Client was not authenticated to send anonymous mail",
    "530 5.7.0 Authentication required",
    # Words in names are nobody's demand.
    "450 4.2.0 <postmaster@tls.example.net>: Recipient address rejected: Greylisted, see https://example.net/encryption",
    "554 5.7.1 Client host rejected: starttls.example.com",
    "454 4.7.0 TLS not available due to local problem",
]


def judged(mail: str | None, rcpt: str | None, *, asked: bool = True) -> tuple[dict[str, str], bool | None]:
    observed = path(plaintext={"mail": mail, "rcpt": rcpt, "reset": None})
    result = judge(answer(observed), check_plaintext=asked)
    seen = {slug: item.status for slug, item in found(result).items() if slug.startswith("plaintext")}
    return seen, result.paths[0]["plaintext_refused"]


@pytest.mark.parametrize("reply", DEMANDS)
def test_a_refusal_for_the_lack_of_tls(reply: str) -> None:
    expected = ({"plaintext.refused": "pass"}, True)
    assert judged(reply, None) == judged("250 2.1.0 Ok", reply) == expected


@pytest.mark.parametrize("reply", OTHERS)
def test_a_refusal_for_another_reason_is_unknown(reply: str) -> None:
    expected = ({"plaintext.not_judged": "unknown"}, None)
    assert judged(reply, None) == judged("250 2.1.0 Ok", reply) == expected


def test_mail_that_is_taken_and_a_server_that_hangs_up() -> None:
    assert judged("250 2.1.0 Ok", "250 2.1.5 Ok") == ({"plaintext.accepted": "warn"}, False)
    assert judged(None, None) == ({"plaintext.not_judged": "unknown"}, None)
    assert judged("250 2.1.0 Ok", "250 2.1.5 Ok", asked=False) == ({}, None)
