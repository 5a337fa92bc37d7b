# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""Access tokens of Microsoft Entra ID, by msal: in memory only, one per play.

OAuth itself, the signed assertion of a certificate included, is msal's work. This file gives it a bounded transport, and
points it at a private token endpoint where one is set.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import time
import typing as t
from urllib.parse import urlencode, urlsplit

try:
    import msal  # type: ignore[import-untyped]

    # Older ones cannot sign with a certificate that is named by its SHA-256.
    HAS_MSAL = tuple(int(part) for part in msal.__version__.split(".")[:2]) >= (1, 35)
except ImportError:
    HAS_MSAL = False

from ansible_collections.mailops.tls.plugins.plugin_utils._exo.errors import AuthenticationError, printable
from ansible_collections.mailops.tls.plugins.plugin_utils._exo.options import Settings
from ansible_collections.mailops.tls.plugins.plugin_utils._exo.pacing import Pacing, retry_after_s
from ansible_collections.mailops.tls.plugins.plugin_utils._exo.session import Keeper, play_of_this_process
from ansible_collections.mailops.tls.plugins.plugin_utils._exo.wire import (
    Calls,
    NoAnswerError,
    NotSentError,
    UntrustedError,
    Wire,
    missing_library,
)

# A token is not used in its last seconds: the request it goes with takes a while.
MARGIN_S = 120.0
_DISCOVERY = "/.well-known/openid-configuration"
_RETRIED = (408, 429, 500, 502, 503, 504)


@dataclasses.dataclass(frozen=True)
class Token:
    """An access token; `expires` is in seconds since the epoch."""

    value: str = dataclasses.field(repr=False)
    expires: float

    @property
    def fresh(self) -> bool:
        return self.expires - MARGIN_S > time.time()


class Tokens:
    """The token for one connection: from this process, from the play's keeper, or from the token endpoint."""

    def __init__(self, settings: Settings, *, pacing: Pacing, calls: Calls) -> None:
        self._settings = settings
        self._pacing = pacing
        self._calls = calls
        self._token: Token | None = None
        self._keeper = _keeper(settings)

    def get(self, rejected: str | None = None) -> str:
        """A token that is fresh and not the `rejected` one. Raises AuthenticationError."""
        if not self._usable(self._token, rejected):
            # Parallel workers of one play wait for the first of them, instead of each asking for a token of its own.
            with self._keeper.locked() if self._keeper else contextlib.nullcontext():
                kept = self._kept()
                self._token = kept if self._usable(kept, rejected) else self._acquire()
        if self._token is None:  # pragma: no cover - for the type checker
            raise AuthenticationError("no token")
        return self._token.value

    @property
    def secrets(self) -> tuple[str, ...]:
        """What a server that echoes requests must not bring into any output."""
        return (self._token.value,) if self._token else ()

    @staticmethod
    def _usable(token: Token | None, rejected: str | None) -> bool:
        return token is not None and token.fresh and token.value != rejected

    def _kept(self) -> Token | None:
        found = self._keeper.get() if self._keeper else None
        return Token(*found) if found else None

    def _acquire(self) -> Token:
        token = acquire(self._settings, pacing=self._pacing, calls=self._calls)
        if self._keeper:
            self._keeper.put(token.value, token.expires)
        return token


def _keeper(settings: Settings) -> Keeper | None:
    play = play_of_this_process()
    if play is None:
        return None
    public = f"{settings.tenant_id} {settings.client_id} {settings.endpoint} {settings.token_endpoint}"
    return Keeper(
        play,
        name=hashlib.sha256(public.encode()).hexdigest()[:16],
        proof=hashlib.sha256(settings.fingerprint().encode()).hexdigest(),
    )


def acquire(settings: Settings, *, pacing: Pacing, calls: Calls) -> Token:
    """A new token from the token endpoint. Raises AuthenticationError, with what Entra ID says and never a secret."""
    if not HAS_MSAL:
        raise missing_library()
    transport = MsalTransport(settings, pacing=pacing, calls=calls)
    try:
        app = msal.ConfidentialClientApplication(
            settings.client_id,
            client_credential=_credential(settings),
            authority=transport.authority,
            # A private token endpoint is nothing that Microsoft could vouch for.
            instance_discovery=False if settings.token_endpoint else None,
            http_client=transport,
        )
        result = app.acquire_token_for_client(scopes=[settings.cloud.scope])
    except AuthenticationError:
        raise
    except Exception as error:  # noqa: BLE001,RUF100 - msal raises ValueError, TypeError, jwt's and cryptography's errors
        raise AuthenticationError(f"No token: {printable(str(error), settings.secrets)}") from None
    finally:
        transport.close()
    return _token(result, settings)


def _credential(settings: Settings) -> str | dict[str, str] | None:
    if settings.client_secret:
        return settings.client_secret
    # Without "thumbprint", msal signs with PS256 and names the certificate by its SHA-256.
    return {"private_key": settings.key_pem or "", "public_certificate": settings.certificate_pem or ""}


def _token(result: t.Any, settings: Settings) -> Token:
    if not isinstance(result, dict) or not isinstance(result.get("access_token"), str):
        answer = result if isinstance(result, dict) else {}
        said = answer.get("error_description") or answer.get("error") or "the token endpoint gave no reason"
        raise AuthenticationError(
            f"No token for app {settings.client_id} in tenant {settings.tenant_id}: {printable(str(said), settings.secrets)}",
            code=printable(str(answer.get("error") or "")) or None,
        )
    value = result["access_token"]
    if not value.isascii() or not value.isprintable() or len(value) > 32768:
        raise AuthenticationError("No token: what the token endpoint issued is none")
    lifetime = result.get("expires_in")
    return Token(value, time.time() + (float(lifetime) if isinstance(lifetime, (int, float)) else 0.0))


@dataclasses.dataclass(frozen=True)
class _Response:
    """As much of a response as msal looks at."""

    status_code: int
    text: str
    headers: t.Mapping[str, str]

    def raise_for_status(self) -> None:
        if self.status_code >= 400:
            raise AuthenticationError(f"No token: the token endpoint answers HTTP {self.status_code}")


class MsalTransport:
    """msal's http_client: bounded, retried, and answering the discovery document itself for a private token endpoint."""

    def __init__(self, settings: Settings, *, pacing: Pacing, calls: Calls) -> None:
        self._settings = settings
        self._pacing = pacing
        self._calls = calls
        self._wire = Wire(ca_path=settings.ca_path, timeout=min(settings.timeout, 60.0))

    @property
    def authority(self) -> str:
        """Who issues tokens, as msal wants it."""
        private = self._settings.token_endpoint
        base = f"https://{urlsplit(private).netloc}" if private else self._settings.cloud.authority
        return f"{base}/{self._settings.tenant_id}"

    def get(self, url: str, params: t.Any = None, headers: t.Mapping[str, str] | None = None, **_more: t.Any) -> _Response:
        if self._settings.token_endpoint and url.rstrip().endswith(_DISCOVERY):
            endpoints = {"token_endpoint": self._settings.token_endpoint, "authorization_endpoint": self.authority}
            return _Response(200, json.dumps({"issuer": self.authority, **endpoints}), {})
        return self._send("GET", url.strip(), params, headers, None)

    def post(
        self, url: str, params: t.Any = None, data: t.Any = None, headers: t.Mapping[str, str] | None = None, **_more: t.Any
    ) -> _Response:
        body = urlencode(data) if isinstance(data, dict) else data
        return self._send("POST", url, params, {"Content-Type": "application/x-www-form-urlencoded", **(headers or {})}, body)

    def close(self) -> None:
        self._wire.close()

    def _send(
        self, method: str, url: str, params: t.Any, headers: t.Mapping[str, str] | None, body: str | bytes | None
    ) -> _Response:
        if params:
            url = f"{url}{'&' if '?' in url else '?'}{urlencode(params)}"
        patience = self._pacing.start()
        while True:
            self._calls.tokens += method == "POST"
            try:
                answer = self._wire.send(method, url, headers=headers or {}, body=body)
            except UntrustedError as error:
                raise AuthenticationError(f"No token: {urlsplit(url).netloc} cannot be trusted: {error}") from None
            except (NotSentError, NoAnswerError) as error:
                if patience.wait(unsent=isinstance(error, NotSentError)):
                    continue
                raise AuthenticationError(f"No token: {urlsplit(url).netloc} cannot be reached: {error}") from None
            if answer.status in _RETRIED and patience.wait(retry_after_s(answer.headers.get("Retry-After"))):
                continue
            if answer.broken or 300 <= answer.status < 400:
                raise AuthenticationError(f"No token: the answer of {urlsplit(url).netloc} is a redirect or cannot be read")
            return _Response(answer.status, answer.body.decode("utf-8", "replace"), answer.headers)
