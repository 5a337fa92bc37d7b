# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One message to one server, as a client that is no Postfix sends it. Reads a request as JSON on stdin, answers on stdout.

It checks no certificate: what the server demands is the question, not what this client does.
"""

from __future__ import annotations

import json
import smtplib
import ssl
import sys
import typing as t


def send(request: dict[str, t.Any]) -> dict[str, t.Any]:
    """Send `subject` from `sender` to `recipient`; `certificate` is a PEM file with its key, `tls` says whether to use TLS,
    and `chunking` whether to send the text by BDAT (RFC 3030).

    Returns the server's last answer: `code`, `text`, and the `command` that it answers.
    """
    try:
        client = smtplib.SMTP(
            request["server"], request["port"], "client.example", timeout=20, source_address=(request["address"], 0)
        )
    except smtplib.SMTPConnectError as error:
        return {"code": error.smtp_code, "text": str(error.smtp_error), "command": "CONNECT"}
    with client:
        client.ehlo()
        if request["tls"]:
            context = ssl.create_default_context()
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            if request["certificate"]:
                context.load_cert_chain(request["certificate"])
            client.starttls(context=context)
            client.ehlo()
        steps: list[tuple[str, t.Callable[[], tuple[int, bytes]]]] = [
            ("MAIL", lambda: client.mail(request["sender"])),
            ("RCPT", lambda: client.rcpt(request["recipient"])),
        ]
        text = f"Subject: {request['subject']}\r\n\r\nhello\r\n"
        if request["chunking"]:
            steps.append(("BDAT", lambda: _text(client, f"BDAT {len(text)} LAST\r\n{text}")))
        else:
            steps += [("DATA", lambda: client.docmd("DATA")), ("END", lambda: _text(client, f"{text}.\r\n"))]
        for name, step in steps:
            command, answer = name, step()
            if answer[0] >= 400:
                break
    return {"code": answer[0], "text": answer[1].decode(errors="replace"), "command": command}


def _text(client: smtplib.SMTP, text: str) -> tuple[int, bytes]:
    client.send(text)
    return client.getreply()


if __name__ == "__main__":
    json.dump(send(json.load(sys.stdin)), sys.stdout)
