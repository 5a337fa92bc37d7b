# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""Run cmdlets of Exchange Online by `POST .../InvokeCommand`, the way that Microsoft's own module does.

docs/exchange-online-api.md says what of this is documented by Microsoft and what is known from observation. Reads are tried
again whatever happened; a write only when the server certainly did not do it. Where nobody can know, the error says so, and
the caller has to look before it writes again.
"""

from __future__ import annotations

import hashlib
import json
import os
import typing as t
import uuid
from urllib.parse import quote, urljoin, urlsplit

from ansible_collections.mailops.tls.plugins.plugin_utils._exo.errors import (
    ApiError,
    AuthenticationError,
    Denied,
    Done,
    NotFound,
    printable,
    read_error,
)
from ansible_collections.mailops.tls.plugins.plugin_utils._exo.options import Settings, read_settings
from ansible_collections.mailops.tls.plugins.plugin_utils._exo.pacing import Pacing, Patience, retry_after_s
from ansible_collections.mailops.tls.plugins.plugin_utils._exo.tokens import Tokens
from ansible_collections.mailops.tls.plugins.plugin_utils._exo.wire import (
    Answer,
    Calls,
    NoAnswerError,
    NotSentError,
    UntrustedError,
    Wire,
)

__all__ = ["ApiError", "AuthenticationError", "Client", "Denied", "NotFound", "connect"]

PAGE_SIZE = 1000
# The service has answered one object per page where no size was agreed on.
MAX_PAGES = 10000
# Of all pages together.
MAX_BYTES = 256 * 1024 * 1024

# The mailbox by which requests of an app find their way to the tenant's servers; the GUID is the same in all tenants.
_ANCHOR = "APP:SystemMailbox{{bb558c35-97f1-4cb9-8ff7-d53741dc928c}}@{tenant}"
_SERVER_TROUBLE = (408, 500, 502, 503, 504)

Objects = list[dict[str, object]]


class Client:
    """A connection to one tenant as one app. `calls` counts the requests that were sent."""

    def __init__(self, settings: Settings, *, pacing: Pacing | None = None) -> None:
        self.calls = Calls()
        self._settings = settings
        self._pacing = pacing or Pacing()
        self._wire = Wire(ca_path=settings.ca_path, timeout=settings.timeout)
        self._tokens = Tokens(settings, pacing=self._pacing, calls=self.calls)
        self._url = f"{settings.endpoint}/adminapi/beta/{quote(settings.tenant_id, safe='')}/InvokeCommand"

    def invoke(self, cmdlet: str, parameters: t.Mapping[str, object], *, writes: bool = False) -> Objects:
        """Run a cmdlet and return what it outputs, all pages of it.

        Args:
            cmdlet: its name, "Get-InboundConnector".
            parameters: by the names of the cmdlet. Lists are multi-valued properties, booleans also switches.
            writes: whether it changes anything. Says what may be tried again, and must be right.

        Raises:
            ApiError: with `done` telling whether a write may have happened; or NotFound, Denied, AuthenticationError.
        """
        body = json.dumps({"CmdletInput": {"CmdletName": cmdlet, "Parameters": dict(parameters)}}).encode()
        if writes:
            # Never followed to a next page: the same body would be sent, and so written, again.
            return self._page(self._send(self._url, cmdlet, body, writes=True), cmdlet, writes=True)[0]
        objects: Objects = []
        visited: set[str] = set()
        size = 0
        url: str | None = self._url
        while url is not None:
            if url in visited or len(visited) >= MAX_PAGES or size > MAX_BYTES:
                raise ApiError(f"{cmdlet}: the pages of the answer have no end")
            visited.add(url)
            answer = self._send(url, cmdlet, body, writes=False)
            size += len(answer.body)
            page, url = self._page(answer, cmdlet, writes=False)
            objects.extend(page)
        return objects

    def _page(self, answer: Answer, cmdlet: str, *, writes: bool) -> tuple[Objects, str | None]:
        """The objects of one page, and the address of the next."""
        done: Done = "unknown" if writes else "no"
        if answer.broken:
            raise ApiError(f"{cmdlet}: the answer {answer.broken}", status=answer.status, done=done)
        if writes and not answer.body.strip():
            return [], None
        try:
            content = _stripped(json.loads(answer.body))
        except (ValueError, RecursionError):
            content = None
        if not isinstance(content, dict):
            raise ApiError(f"{cmdlet}: the answer is not what this API answers", status=answer.status, done=done)
        self._check_notes(content, cmdlet, answer.status, writes=writes)
        values = content.get("value", content.get("Value"))
        if values is None and writes:
            return [], None
        if not isinstance(values, list) or not all(isinstance(value, dict) for value in values):
            # An empty list is an answer; none at all must not be taken for "there is no such object".
            raise ApiError(f"{cmdlet}: the answer holds no list of objects", status=answer.status, done=done)
        return values, self._next(content, cmdlet)

    def _check_notes(self, content: t.Mapping[str, object], cmdlet: str, status: int, *, writes: bool) -> None:
        """What the service says beside the values: a question, errors, or that it did not list everything."""
        if writes and content.get("@adminapi.confirmationmessage"):
            raise ApiError(
                f"{cmdlet}: did nothing and asks for a confirmation; it needs the parameter Confirm: false", status=status
            )
        if errors := content.get("@adminapi.errors"):
            done: Done = "unknown" if writes else "no"
            raise ApiError(f"{cmdlet}: {self._clean(errors)}", status=status, done=done)
        warnings = str(content.get("@adminapi.warnings") or "")
        if not writes and "more results" in warnings.lower() and not content.get("@odata.nextLink"):
            raise ApiError(f"{cmdlet}: the answer is not complete: {self._clean(warnings)}", status=status, code="Truncated")

    def _next(self, content: t.Mapping[str, object], cmdlet: str) -> str | None:
        link = content.get("@odata.nextLink")
        if not link:
            return None
        url = urljoin(self._url, str(link))
        if _origin(url) != _origin(self._url):
            raise ApiError(f"{cmdlet}: the next page is said to be on another server, {printable(str(_origin(url)), limit=200)}")
        return url

    def _send(self, url: str, cmdlet: str, body: bytes, *, writes: bool) -> Answer:
        """A successful answer. Waits and tries again where that is safe."""
        patience = self._pacing.start()
        token = self._tokens.get()
        refreshed = False
        while True:
            self.calls.writes += writes
            self.calls.reads += not writes
            try:
                answer = self._wire.send("POST", url, headers=self._headers(cmdlet), body=body, token=token)
            except UntrustedError as error:
                raise ApiError(f"{cmdlet}: {urlsplit(url).netloc} cannot be trusted: {error}") from None
            except NotSentError as error:
                if patience.wait(unsent=True):
                    continue
                raise ApiError(f"{cmdlet}: {urlsplit(url).netloc} cannot be reached: {error}") from None
            except NoAnswerError as error:
                if not writes and patience.wait():
                    continue
                done: Done = "unknown" if writes else "no"
                raise ApiError(f"{cmdlet}: no answer: {error}{_warning(done)}", done=done) from None
            if 200 <= answer.status < 300:
                return answer
            if answer.status == 401 and not refreshed:
                # Before anything else the server looks at the token, so nothing was done.
                token, refreshed = self._tokens.get(rejected=token), True
                continue
            if not self._again(answer, patience, writes=writes):
                raise self._refusal(answer, cmdlet, patience, writes=writes)

    @staticmethod
    def _again(answer: Answer, patience: Patience, *, writes: bool) -> bool:
        """Whether to send the request again, after the waiting that takes. 429 is answered before anything is done."""
        if answer.status == 429 or (answer.status in _SERVER_TROUBLE and not writes):
            return patience.wait(retry_after_s(answer.headers.get("Retry-After")))
        return False

    def _refusal(self, answer: Answer, cmdlet: str, patience: Patience, *, writes: bool) -> ApiError:
        status = answer.status
        code, said, kind = read_error(answer.body)
        reason = self._clean(said) if said else f"HTTP {status}"
        if status == 401:
            return AuthenticationError(
                f"{cmdlet}: Exchange Online refuses the token ({reason}). Does the app have the application permission "
                "Exchange.ManageAsApp, with admin consent, in this tenant and cloud?",
                status=status,
                code=code,
            )
        if status == 403:
            text = reason if said else "the app lacks the role for this cmdlet, or the cmdlet does not exist"
            return Denied(
                f"{cmdlet}: denied: {text}. Give the app's service principal an Exchange role that includes the cmdlet.",
                status=status,
                code=code,
            )
        if status == 404 and said:
            return NotFound(f"{cmdlet}: {reason}", status=status, code=code)
        if status == 404:
            # Not the API's own words: a proxy or another server says so, of an address and not of an object.
            reason = f"HTTP 404 from {urlsplit(self._url).netloc}; is it the endpoint of this API, and the tenant in this cloud?"
        if status == 429:
            return ApiError(
                f"{cmdlet}: Exchange Online throttles this app; gave up after {patience.tries} tries. Nothing was done.",
                status=status,
                code=code,
            )
        done: Done = "unknown" if writes and (status >= 500 or status == 408) else "no"
        if 300 <= status < 400:
            reason = "the server redirects to another address, which is not followed"
        return ApiError(f"{cmdlet}: {reason}{_warning(done)}", status=status, code=code, kind=kind, done=done)

    def _headers(self, cmdlet: str) -> dict[str, str]:
        return {
            "Content-Type": "application/json; charset=utf-8",
            "Accept": "application/json",
            "Prefer": f"odata.maxpagesize={PAGE_SIZE}",
            "X-AnchorMailbox": _ANCHOR.format(tenant=self._settings.tenant_id),
            "X-CmdletName": cmdlet,
            "X-ResponseFormat": "json",
            "client-request-id": str(uuid.uuid4()),
        }

    def _clean(self, text: object) -> str:
        return printable(str(text), (*self._settings.secrets, *self._tokens.secrets))


def _warning(done: Done) -> str:
    return ". Whether it was carried out is not known" if done == "unknown" else ""


def _origin(url: str) -> tuple[str, str | None, int | None]:
    try:
        parts = urlsplit(url)
        return parts.scheme, parts.hostname, parts.port or 443
    except ValueError:
        return "", None, None


def _stripped(content: object) -> object:
    """An answer whose objects have no companions. Its own annotations, such as @odata.nextLink, stay."""
    if not isinstance(content, dict):
        return content
    return {key: _without_companions(value) if key in ("value", "Value") else value for key, value in content.items()}


def _without_companions(value: object) -> object:
    """Without OData's annotations, such as `Name@odata.type` and `SmartHosts@data.type`."""
    if isinstance(value, dict):
        return {key: _without_companions(item) for key, item in value.items() if "@" not in str(key)}
    if isinstance(value, list):
        return [_without_companions(item) for item in value]
    return value


# The clients of this process, by a hash: a secret stays in the settings it came with.
_CLIENTS: dict[tuple[int, bytes], Client] = {}


def connect(options: t.Mapping[str, object]) -> Client:
    """The client for the connection options of a task, the same one for the same options within a process.

    Sends nothing yet. Raises ValueError for options that cannot be used, and AuthenticationError without msal.
    """
    settings = read_settings(options)
    # A session must not be shared with a forked process.
    key = (os.getpid(), hashlib.sha256(settings.fingerprint().encode()).digest())
    if key not in _CLIENTS:
        _CLIENTS[key] = Client(settings)
    return _CLIENTS[key]
