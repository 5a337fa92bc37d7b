# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""One HTTPS exchange with bounds: on size, on time, and on where it goes. And how sure it is that nothing arrived.

requests comes with msal, which is what users install; both are missing where ansible-test checks imports.
"""

from __future__ import annotations

import dataclasses
import re
import ssl
import sys
import threading
import time
import traceback
import typing as t

try:
    import requests
    import urllib3.exceptions

    HAS_REQUESTS = True
except ImportError:
    HAS_REQUESTS = False

from ansible_collections.mailops.tls.plugins.plugin_utils._exo.errors import AuthenticationError, printable

# A page of 1000 connectors is about 3 MiB.
MAX_BODY_BYTES = 64 * 1024 * 1024
_CHUNK = 65536
# What some errors show of a proxy's URL.
_USER_INFO = re.compile(r"//[^/\s]*@")
# Where urllib3, whatever its release, prepares and makes the TLS handshake. All that it raises came before the request.
_HANDSHAKE = "ssl_wrap_socket"
# What http.client says when a proxy answers CONNECT with anything but 200.
_NO_TUNNEL = "Tunnel connection failed"


class NotSentError(Exception):
    """No connection came about, so the server cannot have seen the request."""


class NoAnswerError(Exception):
    """The connection broke or went silent: the request may have been carried out."""


class UntrustedError(Exception):
    """The server's certificate does not verify. Nothing was sent, and another try would not help."""


@dataclasses.dataclass
class Calls:
    """How many requests were sent, tries included: for benchmarks and tests."""

    reads: int = 0
    writes: int = 0
    tokens: int = 0


@dataclasses.dataclass(frozen=True)
class Answer:
    """An HTTP answer. `broken` says why the body could not be read, and is None when it could."""

    status: int
    headers: t.Mapping[str, str]
    body: bytes
    broken: str | None = None


def missing_library() -> AuthenticationError:
    """What to tell users whose controller lacks msal."""
    return AuthenticationError(
        "Exchange Online needs the Python package msal, version 1.35 or newer, on the controller: "
        f"install it for {sys.executable}."
    )


class Wire:
    """A kept-alive HTTPS session. Follows no redirect: a token or a secret must not go where nobody sent it."""

    def __init__(self, *, ca_path: str | None, timeout: float) -> None:
        if not HAS_REQUESTS:
            raise missing_library()
        self._session = requests.Session()
        self._verify: str | bool = ca_path or True
        self._timeout = timeout

    def send(
        self, method: str, url: str, *, headers: t.Mapping[str, str], body: bytes | str | None = None, token: str | None = None
    ) -> Answer:
        """One exchange, within `timeout` seconds. Raises NotSentError, NoAnswerError or UntrustedError."""
        ended: list[Answer | BaseException] = []

        def exchange() -> None:
            try:
                ended.append(self._exchange(method, url, headers, body, token))
            except BaseException as error:  # noqa: BLE001,RUF100 - raised where it belongs, in the caller's thread
                ended.append(error)

        # requests bounds each wait for bytes. A server that sends one byte at a time, or a resolver, could take for ever.
        thread = threading.Thread(target=exchange, daemon=True)
        thread.start()
        thread.join(self._timeout)
        if not ended:
            self._session = requests.Session()
            raise NoAnswerError(f"it takes longer than {self._timeout:g} seconds")
        if isinstance(ended[0], BaseException):
            raise ended[0]
        return ended[0]

    def _exchange(
        self, method: str, url: str, headers: t.Mapping[str, str], body: bytes | str | None, token: str | None
    ) -> Answer:
        end = time.monotonic() + self._timeout
        try:
            # `verify` with each request: set on the session, it gives way to REQUESTS_CA_BUNDLE.
            with self._session.request(
                method,
                url,
                headers=dict(headers),
                data=body,
                auth=_bearer(token),
                timeout=(min(self._timeout, 20.0), self._timeout),
                allow_redirects=False,
                verify=self._verify,
                stream=True,
            ) as response:
                content, broken = _read(response, end)
                return Answer(response.status_code, response.headers, content, broken)
        except requests.RequestException as error:
            raise _explained(error) from None
        except OSError as error:
            # For example a ca_path that cannot be read.
            raise UntrustedError(printable(str(error))) from None

    def close(self) -> None:
        """Close what is kept alive."""
        self._session.close()


def _bearer(token: str | None) -> t.Callable[[t.Any], t.Any]:
    """As an auth callable, because requests would put credentials of a .netrc over a header of ours."""

    def authorize(request: t.Any) -> t.Any:
        if token is not None:
            request.headers["Authorization"] = f"Bearer {token}"
        return request

    return authorize


def _read(response: requests.Response, end: float) -> tuple[bytes, str | None]:
    content = bytearray()
    # Older releases of requests take an answer that ends too early for a whole one.
    response.raw.enforce_content_length = True
    try:
        for chunk in response.iter_content(_CHUNK):
            content += chunk
            if len(content) > MAX_BODY_BYTES:
                return b"", f"is larger than {MAX_BODY_BYTES} bytes"
            if time.monotonic() > end:
                # Nobody waits any more.
                raise NoAnswerError("the answer took too long")
    except requests.exceptions.ContentDecodingError:
        return b"", "is not compressed the way it says"
    return bytes(content), None


def _explained(error: Exception) -> Exception:
    """Which of the three it is. What is not known to have happened before the request was sent counts as sent."""
    causes = list(_causes(error))
    text = printable(_USER_INFO.sub("//********@", str(causes[-1])) or type(error).__name__, limit=300)
    if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in causes):
        return UntrustedError(text)
    unsent = (requests.exceptions.ConnectTimeout, requests.exceptions.InvalidURL, urllib3.exceptions.NewConnectionError)
    # Not every ProxyError: older releases of urllib3 call it so, too, when a proxy's tunnel breaks after the request was sent.
    if any(isinstance(cause, unsent) or str(cause).startswith(_NO_TUNNEL) or _in_handshake(cause) for cause in causes):
        return NotSentError(text)
    return NoAnswerError(text)


def _in_handshake(error: BaseException) -> bool:
    """Whether it was raised before TLS was agreed on, for example by a server that does not speak it, or no version of ours."""
    return any(frame.f_code.co_name == _HANDSHAKE for frame, _line in traceback.walk_tb(error.__traceback__))


def _causes(error: BaseException | None) -> t.Iterator[BaseException]:
    """The error and what it wraps: requests and urllib3 wrap in arguments, `reason` and contexts."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        inner = [getattr(error, "reason", None), *error.args, error.__cause__, error.__context__]
        error = next((item for item in inner if isinstance(item, BaseException) and id(item) not in seen), None)
