# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""SMTP up to STARTTLS (RFC 5321, RFC 3207): line by line, never pipelined, nothing kept over the handshake."""

import re
import socket

from ansible_collections.mailops.tls.plugins.module_utils._probe.base import ProbeError, plain

MAX_LINE = 2048  # RFC 5321 section 4.5.3.1.5 asks for 512; servers exceed it
MAX_LINES = 100
_REPLY = re.compile(r"([2-5]\d\d)(?:([ -])(.*))?\Z", re.S)
# What a Cisco inspection (fixup) makes of a keyword it wants to hide, for example XXXXXXXA.
MASKED = re.compile(r"X{4,}[A-Z0-9]?\Z")
_EHLO_NAME = re.compile(r"[\x21-\x7e]{1,255}\Z")


def check_ehlo_name(name):
    """The name for EHLO (str): the one given, or the host's own. Raises ProbeError (request, invalid)."""
    if name is None:
        own = socket.gethostname()
        return own if _EHLO_NAME.match(own) else "localhost"
    if not _EHLO_NAME.match(name):
        raise ProbeError("request", "invalid", "ehlo_name: must be printable ASCII without spaces")
    return name


class Dialogue(object):
    """A client's side of an SMTP session over a Wire. Errors are ProbeError of the stage given."""

    def __init__(self, wire, stage="smtp"):
        self.wire = wire
        wire.stage = stage

    def reply(self):
        """One reply: (code int, list of texts)."""
        texts, first = [], None
        while len(texts) < MAX_LINES:
            raw, ended = self.wire.line(MAX_LINE)
            if not ended and len(raw) >= MAX_LINE:
                raise ProbeError(self.wire.stage, "protocol", "a line of the reply is too long")
            if not ended:
                raise ProbeError(self.wire.stage, "closed", "the server closed the connection")
            match = _REPLY.match(raw.decode("latin-1"))
            if not match or (first and match.group(1) != first):
                raise ProbeError(self.wire.stage, "protocol", "not an SMTP reply: " + plain(raw.decode("latin-1")))
            first = match.group(1)
            texts.append(plain(match.group(3) or "", 500))
            if match.group(2) != "-":
                return int(first), texts
        raise ProbeError(self.wire.stage, "protocol", "the reply has too many lines")

    def expect(self, wanted, otherwise):
        """The texts of a reply with the code `wanted`. Raises ProbeError with the code `otherwise`."""
        code, texts = self.reply()
        if code == 421:  # RFC 5321 section 3.8: the server is closing, for load or by policy
            raise ProbeError(self.wire.stage, "throttled", "421 " + texts[0])
        if code != wanted:
            raise ProbeError(self.wire.stage, otherwise, "%d %s" % (code, texts[0]))
        return texts

    def command(self, line):
        """Send a command."""
        self.wire.send(line.encode("ascii") + b"\r\n")

    def start_tls(self, ehlo_name, report):
        """Go to the point where the handshake begins. `report` is called with the `smtp` of a hop."""
        seen = {"banner": None, "keywords": [], "starttls": None}
        try:
            seen["banner"] = self.expect(220, "refused")[0]
            self.command("EHLO " + ehlo_name)
            seen["keywords"] = self.expect(250, "refused")[1:]
            words = [text.split(" ")[0].upper() for text in seen["keywords"]]
            seen["starttls"] = "STARTTLS" in words
            if not seen["starttls"]:
                masked = any(MASKED.match(word) for word in words)
                raise ProbeError(
                    self.wire.stage, "starttls_filtered" if masked else "starttls_not_offered", "EHLO: " + " ".join(words)
                )
        finally:
            report(seen)
        self.command("STARTTLS")
        self.expect(220, "starttls_refused")
        # RFC 3207 section 6: what came in the clear behind the 220 could be taken for what comes over TLS.
        if self.wire.buffer:
            raise ProbeError(self.wire.stage, "protocol", "data after the reply to STARTTLS, before the handshake")

    def quit(self):
        """Leave politely and without waiting long."""
        self.wire.timeout = min(self.wire.timeout, 1.0)
        try:
            self.command("QUIT")
            self.reply()
        except ProbeError:
            pass
