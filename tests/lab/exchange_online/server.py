# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The HTTPS server of the stand-in: tokens, InvokeCommand with its paging and its faults, and the control addresses.

`/control/log` (GET), `/control/connectors` (GET, POST), `/control/quirks` (GET, POST) and `/control/reset` (POST) need no token.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import http.server
import json
import pathlib
import re
import secrets
import socket
import ssl
import threading
import time
import typing as t
from email.message import Message
from urllib.parse import parse_qs, urlsplit

from tests.lab.exchange_online.entra import TokenIssuer
from tests.lab.exchange_online.parameters import CmdletError
from tests.lab.exchange_online.quirks import Quirks
from tests.lab.exchange_online.tenant import WRITES, ConfirmationWanted, Tenant, UnknownCmdlet

_INVOKE = re.compile(r"/adminapi/(?:beta|v1\.0)/([^/]+)/InvokeCommand")
MAX_REQUEST = 1 << 20
STORM = ("throttle", "fail_after", "expire", "cut_after", "fail_before", "cut_body", "cut_before")


@dataclasses.dataclass
class Reply:
    """An HTTP answer to be sent; `cut` is how that fails: without any ("whole"), in the middle ("body") or slowly ("drip")."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = dataclasses.field(default_factory=dict)
    cut: str = ""


class Service:
    """What the server answers, HTTP aside."""

    def __init__(self, tenant: Tenant, issuer: TokenIssuer, quirks: Quirks) -> None:
        self.tenant = tenant
        self.issuer = issuer
        self.quirks = quirks
        self.base = ""
        self.log: list[dict[str, t.Any]] = []
        self._lock = threading.RLock()
        self._pages: dict[str, tuple[str, list[t.Any]]] = {}
        # For the quirk `storm`: how many requests there were, and the fault that is due.
        self.requests = 0
        self._stormy = ""

    def answer(self, method: str, target: str, headers: Message, body: bytes) -> Reply:
        parts = urlsplit(target)
        if parts.path.startswith("/control/"):
            with self._lock:
                return self._control(method, parts.path.removeprefix("/control/"), body)
        if parts.path.endswith("/.well-known/openid-configuration"):
            return _json(200, self.issuer.discovery())
        if parts.path == f"/{self.issuer.tenant_id}/oauth2/v2.0/token" and method == "POST":
            return self._token(body)
        found = _INVOKE.fullmatch(parts.path)
        if method != "POST" or not found:
            return Reply(404)
        entry: dict[str, t.Any] = {"path": parts.path, "query": parts.query, "wrote": False, "fault": None}
        with self._lock:
            self.log.append(entry)
            reply = self._invoke(found.group(1), parse_qs(parts.query), headers, body, entry)
            entry["status"] = reply.status
        time.sleep(self.quirks.delay)
        return reply

    def _control(self, method: str, name: str, body: bytes) -> Reply:
        content = json.loads(body) if body else {}
        if method == "POST" and name == "quirks":
            try:
                self.quirks.update(content)
            except ValueError as error:
                return _json(400, {"error": str(error)})
        elif method == "POST" and name == "connectors":
            self.tenant.load(content)
        elif method == "POST" and name == "reset":
            self.tenant.clear()
            self.log.clear()
        answers: dict[str, t.Any] = {
            "log": self.log,
            "connectors": self.tenant.connectors(),
            "quirks": dataclasses.asdict(self.quirks),
            "reset": {},
        }
        return _json(200, answers[name]) if name in answers else Reply(404)

    def _token(self, body: bytes) -> Reply:
        with self._lock:
            fault = self.quirks.take("token_failures")
            self.log.append({"path": "token", "cmdlet": None, "wrote": False, "fault": "token_failures" if fault else None})
            if fault:
                return Reply(503)
            status, content = self.issuer.answer(body, self.quirks.token_lifetime)
            self.log[-1]["status"] = status
            return Reply(status, content, {"Content-Type": "application/json"})

    def _invoke(
        self, tenant_id: str, query: dict[str, list[str]], headers: Message, body: bytes, entry: dict[str, t.Any]
    ) -> Reply:
        cmdlet, parameters = _command(body)
        anchor = headers.get("X-AnchorMailbox", "")
        entry.update(cmdlet=cmdlet, parameters=parameters, anchor=anchor, request_id=headers.get("client-request-id"))
        concerned = self.quirks.concerns(cmdlet or "")
        if concerned and self.quirks.storm:
            self.requests += 1
            turn, rest = divmod(self.requests, self.quirks.storm)
            self._stormy = "" if rest else STORM[turn % len(STORM)]
        fault = concerned and self._fault_before(entry)
        if fault:
            return fault
        if not self.issuer.accepts(headers.get("Authorization")):
            return Reply(401, b"", {"WWW-Authenticate": 'Bearer error="invalid_token"'})
        if tenant_id != self.issuer.tenant_id or cmdlet is None or not isinstance(parameters, dict):
            return self._error(CmdletError("The request is not valid: CmdletInput needs CmdletName and Parameters, an object."))
        try:
            reply = self._run(cmdlet, parameters, query, headers, body)
        except ConfirmationWanted as question:
            return _json(200, {"value": [], "@adminapi.confirmationmessage": str(question)})
        except UnknownCmdlet:
            return self._denial()
        except CmdletError as error:
            return self._error(error)
        entry["wrote"] = cmdlet.startswith(WRITES)
        return (concerned and self._fault_after(entry, reply)) or reply

    def _fault_before(self, entry: dict[str, t.Any]) -> Reply | None:
        quirks = self.quirks
        retry = {"Retry-After": quirks.retry_after} if quirks.retry_after else {}
        replies = {
            "throttle": Reply(429, headers=retry),
            "fail_before": Reply(quirks.fail_status, headers=retry),
            "cut_before": Reply(0, cut="whole"),
            "redirect": Reply(307, headers={"Location": "https://elsewhere.example.net/"}),
            "stray_404": Reply(404, b"<html>Not Found</html>", {"Content-Type": "text/html"}),
        }
        for name, reply in replies.items():
            if self._due(name):
                entry["fault"] = name
                return reply
        if self._due("expire"):
            entry["fault"] = "expire"
            self.issuer.expire_all()
        return None

    def _fault_after(self, entry: dict[str, t.Any], reply: Reply) -> Reply | None:
        replies = {
            "fail_after": Reply(self.quirks.fail_status),
            "cut_after": Reply(0, cut="whole"),
            "cut_body": dataclasses.replace(reply, cut="body"),
            "drip": dataclasses.replace(reply, cut="drip"),
            "garbage": Reply(200, b"<html>Sign in</html>", {"Content-Type": "text/html"}),
            "deep": _deep(),
        }
        for name, fault in replies.items():
            if self._due(name):
                entry["fault"] = name
                return fault
        return None

    def _due(self, name: str) -> bool:
        """Whether this fault happens to the present request."""
        if name == self._stormy:
            self._stormy = ""
            return True
        return self.quirks.take(name)

    def _run(
        self, cmdlet: str, parameters: dict[str, t.Any], query: dict[str, list[str]], headers: Message, body: bytes
    ) -> Reply:
        if any(cmdlet.startswith(denied) for denied in self.quirks.denied):
            raise UnknownCmdlet(cmdlet)
        digest = hashlib.sha256(body).hexdigest()
        if token := query.get("$skiptoken", [""])[0]:
            expected, rows = self._pages.get(token, ("", []))
            if digest != expected:
                raise CmdletError("The page does not belong to this command.")
            return self._page(rows, None, digest, headers)
        rows, warning = self.tenant.run(cmdlet, parameters)
        silent = ("New-", "Set-", "Remove-") if self.quirks.empty_new else ("Set-", "Remove-")
        if cmdlet.startswith(silent):
            rows = []
            if self.quirks.empty_writes:
                return Reply(204)
        return self._page(rows, warning, digest, headers)

    def _page(self, rows: list[t.Any], warning: str | None, digest: str, headers: Message) -> Reply:
        wanted = re.search(r"odata\.maxpagesize=(\d+)", headers.get("Prefer", ""))
        preferred = int(wanted.group(1)) if wanted else 1 if self.quirks.one_row_pages else 1000
        size = self.quirks.page_size or preferred
        content: dict[str, t.Any] = {"@odata.context": f"{self.base}/adminapi/beta/$metadata#Exchange", "value": rows[:size]}
        if warning:
            content["@adminapi.warnings"] = [warning]
        if len(rows) > size or self.quirks.endless_pages:
            token = "again" if self.quirks.endless_pages else secrets.token_urlsafe(9)
            self._pages[token] = (digest, rows if self.quirks.endless_pages else rows[size:])
            base = "https://elsewhere.example.net" if self.quirks.foreign_next_link else self.base
            link = f"{base}/adminapi/beta/{self.issuer.tenant_id}/InvokeCommand?%24skiptoken={token}"
            content.update({"@odata.nextLink": link, "@adminapi.warnings": ["There are more results available."]})
        return _json(200, content)

    def _denial(self) -> Reply:
        if self.quirks.nul_denial:
            return Reply(403, b"\0" * 42, {"Content-Type": "application/json", "Content-Encoding": "gzip"})
        return self._error(CmdletError("The user isn't assigned to any management roles.", status=403))

    def _error(self, error: CmdletError) -> Reply:
        codes = {404: "NotFound", 403: "Forbidden", 409: "Conflict"}
        plain = self.quirks.errors == "plain"
        content: dict[str, t.Any] = {
            "code": codes.get(error.status, "BadRequest"),
            "message": str(error) if plain else "Invalid Operation",
        }
        if not plain:
            content["details"] = [{"code": "Context", "target": "", "message": f"|{error.kind}|{error}"}]
        if self.quirks.errors == "nested":
            content["details"] = [{"code": "Context", "target": "", "message": "|System.Exception|Something went wrong."}]
            inner = {"message": str(error), "type": error.kind}
            content["innererror"] = {"message": "Error executing cmdlet", "internalexception": inner}
        return _json(error.status, {"error": content})


def _command(body: bytes) -> tuple[str | None, t.Any]:
    try:
        command = json.loads(body)["CmdletInput"]
        return str(command["CmdletName"]), command.get("Parameters")
    except (ValueError, KeyError, TypeError):
        return None, None


def _json(status: int, content: object) -> Reply:
    return Reply(status, json.dumps(content).encode(), {"Content-Type": "application/json; charset=utf-8"})


def _deep() -> Reply:
    """What a parser accepts, and what follows it may not."""
    return Reply(200, b'{"value": [{"Name": ' + b"[" * 3000 + b"]" * 3000 + b"}]}", {"Content-Type": "application/json"})


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    disable_nagle_algorithm = True
    timeout = 60
    server: _Server

    def do_POST(self) -> None:
        self._handle()

    def do_GET(self) -> None:
        self._handle()

    def _handle(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(min(length, MAX_REQUEST))
        reply = self.server.service.answer(self.command, self.path, self.headers, body)
        if reply.cut == "whole":
            self._cut()
            return
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        if reply.status != 204:
            self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        if reply.cut == "drip":
            self._drip(reply.body)
            return
        self.wfile.write(reply.body[: len(reply.body) // 2] if reply.cut else reply.body)
        self.wfile.flush()
        if reply.cut:
            self._cut()

    def _drip(self, body: bytes) -> None:
        for byte in body:
            self.wfile.write(bytes([byte]))
            self.wfile.flush()
            time.sleep(0.05)

    def _cut(self) -> None:
        self.close_connection = True
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)

    def log_message(self, format: str, *args: t.Any) -> None:  # noqa: A002 - the base class calls it so
        """Quiet: the request log is at /control/log."""


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64
    service: Service
    tls: ssl.SSLContext

    def finish_request(self, request: t.Any, client_address: t.Any) -> None:
        """The handshake belongs to the connection's own thread, so that a silent client stops nobody else."""
        request.settimeout(30)
        # A client that breaks off is no news here.
        with contextlib.suppress(OSError), self.tls.wrap_socket(request, server_side=True) as secured:
            super().finish_request(secured, client_address)


class Running:
    """A server in a thread of its own, until `stop`."""

    def __init__(self, service: Service, tls: ssl.SSLContext, ca_path: pathlib.Path, port: int = 0) -> None:
        self._server = _Server(("127.0.0.1", port), _Handler)
        self._server.service = service
        self._server.tls = tls
        self.service = service
        self.ca_path = ca_path
        service.base = f"https://127.0.0.1:{self._server.server_port}"
        service.issuer.token_endpoint = f"{service.base}/{service.issuer.tenant_id}/oauth2/v2.0/token"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)
