# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The token endpoint: client credentials with a secret or a signed assertion (RFC 7523), errors in the words of Entra ID."""

from __future__ import annotations

import json
import secrets
import time
import typing as t
from urllib.parse import parse_qs

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes

ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


class Refused(Exception):  # noqa: N818
    """No token; the text is what Entra ID would say."""


class TokenIssuer:
    """Issues random tokens for one app of one tenant, and knows which are good."""

    def __init__(self, tenant_id: str, client_id: str, client_secret: str, certificate: x509.Certificate | None) -> None:
        self.tenant_id = tenant_id
        self.client_id = client_id
        self.client_secret = client_secret
        self.certificate = certificate
        self.token_endpoint = ""
        self.issued = 0
        self._good_until: dict[str, float] = {}
        self._seen_assertions: set[str] = set()

    def discovery(self) -> dict[str, t.Any]:
        """The OpenID Connect discovery document."""
        base = self.token_endpoint.removesuffix("/oauth2/v2.0/token")
        return {
            "issuer": f"{base}/v2.0",
            "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
            "token_endpoint": self.token_endpoint,
        }

    def answer(self, body: bytes, lifetime: int) -> tuple[int, bytes]:
        """HTTP status and body for a token request."""
        form = {name: values[0] for name, values in parse_qs(body.decode("utf-8", "replace")).items()}
        try:
            self._check(form)
        except Refused as error:
            return 401, json.dumps({"error": "invalid_client", "error_description": str(error)}).encode()
        token = f"stand-in.{secrets.token_urlsafe(48)}"
        self._good_until[token] = time.time() + lifetime
        self.issued += 1
        return 200, json.dumps({"token_type": "Bearer", "expires_in": lifetime, "access_token": token}).encode()

    def accepts(self, authorization: str | None) -> bool:
        """Whether this Authorization field carries a good token."""
        scheme, _space, token = (authorization or "").partition(" ")
        return scheme == "Bearer" and self._good_until.get(token, 0) > time.time()

    def expire_all(self) -> None:
        self._good_until.clear()

    def _check(self, form: t.Mapping[str, str]) -> None:
        if form.get("grant_type") != "client_credentials" or not form.get("scope", "").endswith("/.default"):
            raise Refused("AADSTS1002012: The provided value for scope is not valid.")
        if form.get("client_assertion_type") == ASSERTION:
            self._check_assertion(form.get("client_assertion", ""))
        elif form.get("client_id") != self.client_id:
            raise Refused("AADSTS700016: Application was not found in the directory.")
        elif not secrets.compare_digest(form.get("client_secret", ""), self.client_secret):
            raise Refused("AADSTS7000215: Invalid client secret provided.")

    def _check_assertion(self, assertion: str) -> None:
        if self.certificate is None:
            raise Refused("AADSTS700027: The certificate used to sign the client assertion is not registered.")
        try:
            header = jwt.get_unverified_header(assertion)
            expected = jwt.utils.base64url_encode(self.certificate.fingerprint(hashes.SHA256())).decode()
            if header.get("x5t#S256", "").rstrip("=") != expected.rstrip("="):
                raise Refused("AADSTS700027: The certificate with this thumbprint is not registered on the application.")
            claims = jwt.decode(
                assertion,
                self.certificate.public_key(),  # type: ignore[arg-type]
                algorithms=["PS256", "RS256"],
                audience=self.token_endpoint,
                options={"require": ["exp", "iss", "sub", "jti"]},
            )
        except jwt.PyJWTError as error:
            raise Refused(f"AADSTS50027: JWT token is invalid or malformed ({error}).") from error
        if {claims["iss"], claims["sub"]} != {self.client_id} or claims["jti"] in self._seen_assertions:
            raise Refused("AADSTS700021: Client assertion is not for this application, or was used before.")
        self._seen_assertions.add(claims["jti"])
