# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""One address of a mail server: the whole dialogue, from the connection to QUIT, and never a message.

MAIL FROM and RCPT TO are only sent where that was asked for, and are followed by RSET; DATA and BDAT are never sent, so that
no server has anything to queue.
"""

import re
import select
import ssl
import time

from ansible_collections.mailops.tls.plugins.module_utils._probe import smtptls, tls
from ansible_collections.mailops.tls.plugins.module_utils._probe.base import ProbeError, Timer
from ansible_collections.mailops.tls.plugins.module_utils._probe.connect import connect
from ansible_collections.mailops.tls.plugins.module_utils._probe.resolve import NAMES
from ansible_collections.mailops.tls.plugins.module_utils._probe.smtp import MASKED, Dialogue
from ansible_collections.mailops.tls.plugins.module_utils._probe.wire import Wire

# What a Cisco inspection makes of the greeting.
_MASKED_BANNER = re.compile(r"[*0-9 ]*\*{6}[*0-9 ]*\Z")
_NO_EHLO = (500, 501, 502, 504)
_QUIT_SECONDS = 1.0
_VERDICT_SECONDS = 1.0
# A second try with weaker settings cannot help against these.
_FINAL = ("timeout", "deadline", "client_certificate_required", "certificate", "injected")


class StepWire(Wire):
    """A Wire whose time limit counts for a whole step, however slowly the bytes drip in."""

    def __init__(self, sock, run, timeout):
        Wire.__init__(self, sock, run, timeout, "greeting")
        self.step("greeting")

    def step(self, stage, seconds=None):
        """Begin a step: the errors are of `stage`, and it has its own time."""
        self.stage = stage
        self.timer = Timer(self.run, self.timeout if seconds is None else seconds)

    def limit(self):
        """Set the socket's time limit; return the code that running into it has."""
        left = self.timer.left()
        if left <= 0:
            raise ProbeError(self.stage, self.timer.code, "nothing complete came in time")
        self.sock.settimeout(left)
        return self.timer.code


def new_path(host, address, port):
    """A path of which nothing is known but that it was not reached in time (dict)."""
    return {
        "host": host,
        "address": address[2],
        "family": NAMES[address[0]],
        "port": port,
        "ms": {"connect": None, "greeting": None, "tls": None},
        "connections": 0,
        "banner": None,
        "ehlo_name": None,
        "capabilities": None,
        "starttls": None,
        "starttls_reply": None,
        "tls": None,
        "capabilities_after_tls": None,
        "chain": [],
        "chain_source": None,
        "verified": [],
        "anchored": [],
        "plaintext": None,
        "error": {"stage": "connect", "code": "deadline", "errno": None, "message": "the run's time was over"},
    }


class Session(object):
    """What is done with one address. `path` is filled in; `chain` is the certificates presented (list of DER).

    clock: object whose `ends` is when it must be over; address: as `resolve` returns it; options: those of the request,
    with ehlo_name, sender and recipient settled.
    """

    def __init__(self, clock, path, address, options):
        self.clock = clock
        self.path = path
        self.address = address
        self.options = options
        self.chain = []
        host = path["host"]
        self.server_name = None if host == path["address"] else host.rstrip(".")

    def run(self):
        """Go through the dialogue. What goes wrong is in the path's error."""
        self.path["error"] = None
        try:
            self._attempt(False)
        except ProbeError as exc:
            self.path["error"] = error_of(exc)
            if exc.stage == "handshake" and exc.code not in _FINAL and self.path["tls"] is None:
                self._try_permissively()

    def _try_permissively(self):
        """Once more with settings that nobody should use. The first error stays where that does not help either."""
        known = dict(self.path)
        try:
            self._attempt(True)
            self.path["error"] = None
        except ProbeError as exc:
            if self.path["tls"] is None:
                self.path.update(known, connections=self.path["connections"])
            else:
                self.path["error"] = error_of(exc)

    def _attempt(self, permissive):
        with self._open() as wire:
            dialogue = Dialogue(wire, "greeting")
            over = False
            try:
                if self.options["implicit_tls"]:
                    self.path["starttls"] = "implicit"
                    self._handshake(wire, permissive)
                    self._greet(wire, dialogue)
                    self._ehlo(wire, dialogue, "tls_ehlo", "capabilities_after_tls")
                    return
                self._greet(wire, dialogue)
                self._ehlo(wire, dialogue, "ehlo", "capabilities")
                self._look_for_starttls()
                if self.options["check_plaintext"] and self.path["plaintext"] is None and not self._plaintext(wire, dialogue):
                    over = True
                elif self._start_tls(wire, dialogue):
                    self._handshake(wire, permissive)
                    self._ehlo(wire, dialogue, "tls_ehlo", "capabilities_after_tls")
            except ProbeError as exc:
                # A handshake that failed leaves nothing to talk through.
                over = exc.code in ("closed", "reset") or exc.stage == "handshake"
                raise
            finally:
                if not over:
                    self._quit(wire, dialogue)
        if over and self.path["starttls"] == "offered":
            # It hung up on mail in the clear; whether it speaks TLS is seen on a connection of its own.
            self._attempt(permissive)

    def _open(self):
        began = time.monotonic()
        self.path["connections"] += 1
        sock, _dummy = connect(self.clock, [self.address], self.options["timeout"], False, lambda _found: None)
        self._took("connect", began)
        return StepWire(sock, self.clock, self.options["timeout"])

    def _took(self, what, began):
        if self.path["ms"][what] is None:
            self.path["ms"][what] = int((time.monotonic() - began) * 1000)

    def _greet(self, wire, dialogue):
        began = time.monotonic()
        wire.step("greeting")
        try:
            code, texts = dialogue.reply()
        except ProbeError as exc:
            raise self._after_handshake(exc)
        self.path["banner"] = texts[0]
        self._took("greeting", began)
        if code != 220:
            raise self._unwelcome("greeting", code, texts)

    def _ehlo(self, wire, dialogue, stage, where):
        wire.step(stage)
        self.path["ehlo_name"] = self.options["ehlo_name"] or _literal(wire.sock)
        try:
            dialogue.command("EHLO " + self.path["ehlo_name"])
            code, texts = dialogue.reply()
        except ProbeError as exc:
            raise self._after_handshake(exc)
        if code in _NO_EHLO and stage == "ehlo":
            # A server, or something before it, without extensions (RFC 5321 section 3.2).
            wire.step(stage)
            dialogue.command("HELO " + self.path["ehlo_name"])
            code, texts = dialogue.reply()
            texts = texts[:1]
        if code != 250:
            raise self._unwelcome(stage, code, texts)
        self.path[where] = texts[1:]

    def _unwelcome(self, stage, code, texts):
        """The error for a reply that ends the dialogue: 4yz asks to come back later (RFC 5321 section 4.2.1)."""
        said = _line(code, texts)
        requested = self.path["tls"] and self.path["tls"]["client_certificate_requested"] is not False
        if requested and "certificate" in said.lower():
            # Postfix takes any certificate in the handshake and refuses it, or its absence, with a 421 after it.
            given = self.options["client_certificate"]
            return ProbeError("handshake", "certificate" if given else "client_certificate_required", said)
        return ProbeError(stage, "throttled" if code // 100 == 4 else "refused", said)

    def _lacks_certificate(self):
        tls_facts = self.path["tls"] or {}
        return not self.options["client_certificate"] and tls_facts.get("client_certificate_requested") is not False

    def _after_handshake(self, exc):
        """In TLS 1.3 a server refuses a client's certificate, or its absence, after the handshake is over for the client."""
        cause, bare = exc.__context__, self._lacks_certificate()
        if self.path["tls"] is None:
            return exc
        if isinstance(cause, ssl.SSLError):
            found = smtptls.failure(cause, "handshake", "timeout", bare)
            if found.code in ("client_certificate_required", "certificate"):
                return found
        if exc.code in ("closed", "reset") and bare and self.path["tls"]["client_certificate_requested"]:
            # The alert can be lost when the server closes at once.
            message = "the server asked for a certificate and closed the connection after the handshake"
            return ProbeError("handshake", "client_certificate_required", message, exc.errno_name)
        return exc

    def _look_for_starttls(self):
        words = [line.split(" ")[0].upper() for line in self.path["capabilities"]]
        if "STARTTLS" in words:
            self.path["starttls"] = "offered"
        else:
            masked = any(MASKED.match(word) for word in words) or _MASKED_BANNER.match(self.path["banner"])
            self.path["starttls"] = "filtered" if masked else "not_offered"

    def _plaintext(self, wire, dialogue):
        """Whether mail would be taken in the clear. False where the connection did not survive the question."""
        said = {"mail": None, "rcpt": None, "reset": None}
        self.path["plaintext"] = said
        try:
            commands = (("mail", "MAIL FROM:<%s>"), ("rcpt", "RCPT TO:<%s>"))
            for (name, command), address in ((commands[0], self.options["sender"]), (commands[1], self.options["recipient"])):
                code, said[name] = self._say(wire, dialogue, command % address)
                if code == 421:
                    return False
                if code // 100 != 2:
                    break
            said["reset"] = self._say(wire, dialogue, "RSET")[1]
        except ProbeError as exc:
            if exc.code == "deadline":
                raise
            return False
        return True

    def _say(self, wire, dialogue, line):
        """(code, reply in one line)."""
        wire.step("plaintext")
        dialogue.command(line)
        code, texts = dialogue.reply()
        return code, _line(code, texts)

    def _start_tls(self, wire, dialogue):
        """Whether the handshake is to begin."""
        if self.path["starttls"] != "offered":
            return False
        wire.step("starttls")
        dialogue.command("STARTTLS")
        code, texts = dialogue.reply()
        self.path["starttls_reply"] = _line(code, texts)
        if code == 421:
            raise self._unwelcome("starttls", code, texts)
        if code != 220:
            self.path["starttls"] = "refused"
        return code == 220

    def _handshake(self, wire, permissive):
        began = time.monotonic()
        wire.step("handshake")
        watch = smtptls.Watch()
        certificate = self.options["client_certificate"]
        context = smtptls.context_for(certificate, self.options["client_key"], permissive, watch)
        facts = smtptls.handshake(wire, context, self.server_name, watch, certificate)
        self._took("tls", began)
        self.chain, source = tls.presented(wire.sock)
        whole = source != "leaf_only"
        self.path.update(
            tls=dict(facts, permissive=permissive), chain_source=("ssl" if whole else "leaf only") if self.chain else None
        )
        if watch.requested and facts["protocol"] == "TLSv1.3" and not self.options["implicit_tls"]:
            self._await_verdict(wire)

    def _await_verdict(self, wire):
        """Let a server that asked for a client certificate say in TLS 1.3 what it thinks of it, before anything is sent.

        Who sends to a connection that was closed meanwhile gets a reset, and never reads the alert. A server that is content
        sends its session tickets (RFC 8446 section 4.6.1), so that this rarely takes longer than the way to it and back.
        """
        seconds = min(_VERDICT_SECONDS, max(0.2, 3 * self.path["ms"]["connect"] / 1000.0), wire.timer.left())
        poll = select.poll()
        poll.register(wire.sock, select.POLLIN)
        if seconds <= 0 or not poll.poll(int(seconds * 1000)):
            return
        wire.sock.settimeout(0)
        try:
            wire.buffer += wire.sock.recv(1)
        except ssl.SSLWantReadError:
            pass
        except OSError as exc:
            found = smtptls.failure(exc, "handshake", "timeout", self._lacks_certificate())
            if found.code in ("client_certificate_required", "certificate"):
                raise found

    def _quit(self, wire, dialogue):
        """Leave politely and without waiting long."""
        wire.step("quit", min(_QUIT_SECONDS, self.options["timeout"]))
        try:
            dialogue.command("QUIT")
            dialogue.reply()
        except ProbeError:
            pass


def _literal(sock):
    """The address literal of this end of a connection (RFC 5321 section 4.1.3)."""
    address = sock.getsockname()[0].partition("%")[0]
    return "[IPv6:%s]" % address if ":" in address else "[%s]" % address


def _line(code, texts):
    return "%d %s" % (code, " / ".join(texts)[:500])


def error_of(exc):
    """A ProbeError as it stands in an answer (dict)."""
    return {"stage": exc.stage, "code": exc.code, "errno": exc.errno_name, "message": exc.message}
