# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""Answers smtpd(8) whether the name in a client's certificate is one of those agreed.

postfix_tls_policy copies this file to mail hosts, where spawn(8) runs it as nobody, one process for each connection of
smtpd(8). It reads no file: which names are agreed comes with each question, from main.cf. The protocol is that of
SMTPD_POLICY_README: lines `name=value` up to an empty line, answered by `action=...` and an empty line.

ccert_subject is the common name in the certificate's subject, as xtext, and empty unless the certificate was verified. Subject
alternative names are not in the question.
"""

import sys

MAX_LINE = 16384
MAX_LINES = 200
#: What may be answered where the name is right: the end of the list of restrictions, or our class that goes on with it.
PERMITS = ("OK", "mailops_tls_sender_ok")
REFUSED = "554 5.7.1 TLS client certificate required: "
UNSURE = "451 4.3.5 The certificate cannot be checked now, try again later"


class MalformedError(ValueError):
    """What was read is no question of smtpd(8)."""


def read_question(stream):
    """The next question (dict of str), or None at the end. Raises MalformedError; what follows cannot be relied upon then."""
    question = {}
    for _line_number in range(MAX_LINES):
        line = stream.readline(MAX_LINE)
        if not line and not question:
            return None
        if not line.endswith(b"\n"):
            raise MalformedError("a line that is too long, or an end in the middle")
        line = line.rstrip(b"\r\n")
        if not line:
            return question
        name, equals, value = line.decode("ascii", "replace").partition("=")
        if not equals or name in question:
            raise MalformedError("no attribute, or one given twice")
        question[name] = value
    raise MalformedError("too many attributes")


def fits(subject, agreed):
    """Is a common name the agreed one (bool)? `*.example.com` stands for one label more than example.com, and for itself."""
    subject, agreed = subject.lower().rstrip("."), agreed.lower()
    if subject == agreed:
        return bool(subject)
    label, dot, parent = subject.partition(".")
    return bool(label and dot and agreed[:2] == "*." and parent == agreed[2:])


def action(question):
    """What smtpd(8) shall do (str). policy_context is what to do where the name is right, then the agreed names."""
    words = question.get("policy_context", "").split()
    if question.get("request") != "smtpd_access_policy" or "ccert_subject" not in question:
        return UNSURE
    if len(words) < 2 or words[0] not in PERMITS:
        return UNSURE
    subject = question["ccert_subject"]
    if not subject:
        return REFUSED + "there is none, or it was not verified (CA, dates, clientAuth), or it has no common name"
    if any(fits(subject, agreed) for agreed in words[1:]):
        return words[0]
    shown = "".join(char for char in subject if "!" <= char <= "~")[:64]
    return "%s%s is not the agreed name" % (REFUSED, shown)


def serve(questions, answers):
    """Answer until there are no more questions (binary streams)."""
    while True:
        try:
            question = read_question(questions)
            if question is None:
                return
            answer, over = action(question), False
        except MalformedError:
            answer, over = UNSURE, True
        answers.write(("action=%s\n\n" % answer).encode("ascii", "replace"))
        answers.flush()
        if over:
            return


if __name__ == "__main__":
    serve(sys.stdin.buffer, sys.stdout.buffer)
