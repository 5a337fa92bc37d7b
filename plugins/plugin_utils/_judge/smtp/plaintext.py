# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""Whether a server takes mail in the clear, from its replies to MAIL FROM and RCPT TO before STARTTLS."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.mailops.tls.plugins.plugin_utils._judge.smtp.context import SmtpPolicy, Talk
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.smtp.model import Path

_REPLY: t.Final = re.compile(r"([45])(\d\d)(?:[ -]([245]\.\d{1,3}\.\d{1,3}))?\b(.*)", re.DOTALL)
# Addresses, URLs and host names may hold any word, and are not what the server says itself.
_NAMES: t.Final = re.compile(r"<[^>]*>|\S+@\S+|\S+://\S+|\b[\w-]+(?:\.[\w-]+)+")
_TLS_WORDS: t.Final = re.compile(r"\b(?:STARTTLS|TLS|SSL|encrypt\w*)\b", re.IGNORECASE)
_NOT_DEMANDED: t.Final = re.compile(r"\b(?:not (?:available|supported)|unavailable|disabled)\b", re.IGNORECASE)
_LOGIN: t.Final = re.compile(r"\bauthenticat|\bauth\b|\blog ?in\b", re.IGNORECASE)


def judge_plaintext(talk: Talk, path: Path, policy: SmtpPolicy) -> bool | None:
    """Whether mail is refused before STARTTLS; None where that was not asked or not seen. Nothing was ever sent."""
    if not policy.check_plaintext or path.plaintext is None:
        return None
    replies = [reply for reply in (path.plaintext.mail, path.plaintext.rcpt) if reply]
    evidence = {"replies": replies}
    if any(demands_tls(reply) for reply in replies):
        talk.say("plaintext.refused", "it takes no mail without TLS", evidence=evidence)
        return True
    if replies and all(reply.startswith("2") for reply in replies):
        status: t.Literal["fail", "warn"] = "fail" if policy.encrypts else "warn"
        talk.say("plaintext.accepted", "it takes mail without TLS", evidence=evidence, status=status)
        return False
    # Greylisting, a refused relay and an unknown mailbox say nothing about TLS.
    detail = f"It answered: {replies[-1]}" if replies else "It gave no answer to MAIL FROM."
    talk.say("plaintext.not_judged", "whether it takes mail without TLS was not told", detail=detail, evidence=evidence)
    return None


def demands_tls(reply: str) -> bool:
    """Whether a reply refuses for the lack of TLS, for good or for now: by its code, or in words.

    RFC 3207 4 has 530 for it, RFC 5248 2.4 has X.7.10. Exchange says `451 5.7.3 STARTTLS is required to send mail`, and Postfix
    `450 4.7.1 Session encryption is required`; X.7.3 and X.7.1 alone stand for other refusals, too.
    """
    found = _REPLY.match(reply)
    if found is None:
        return False
    kind, rest, enhanced, text = found.groups()
    if (enhanced or "").endswith(".7.10"):
        return True
    words = _NAMES.sub(" ", text)
    if _TLS_WORDS.search(words):
        return not _NOT_DEMANDED.search(words)
    # RFC 4954 6 has 530 for the lack of a login, too.
    return kind + rest == "530" and not _LOGIN.search(words)
