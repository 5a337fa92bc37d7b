# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""The connection options that every Exchange Online plugin has, and what they come to once checked.

The documentation of the options is the doc fragment `exchange_online`; a test keeps the two together.
"""

from __future__ import annotations

import dataclasses
import json
import pathlib
import re
import ssl
import typing as t
from urllib.parse import urlsplit

from ansible.module_utils.basic import env_fallback
from ansible_collections.mailops.tls.plugins.plugin_utils._action.options import ArgumentSpec
from ansible_collections.mailops.tls.plugins.plugin_utils._exo.clouds import CLOUDS, Cloud

CONNECTION_OPTIONS: t.Final[ArgumentSpec] = {
    "tenant_id": {"type": "str", "required": True, "fallback": (env_fallback, ["MAILOPS_TLS_TENANT_ID"])},
    "client_id": {"type": "str", "required": True, "fallback": (env_fallback, ["MAILOPS_TLS_CLIENT_ID"])},
    "client_certificate": {"type": "str", "fallback": (env_fallback, ["MAILOPS_TLS_CLIENT_CERTIFICATE"])},
    "client_key": {"type": "str", "no_log": True, "fallback": (env_fallback, ["MAILOPS_TLS_CLIENT_KEY"])},
    "client_secret": {"type": "str", "no_log": True, "fallback": (env_fallback, ["MAILOPS_TLS_CLIENT_SECRET"])},
    "cloud": {"type": "str", "choices": list(CLOUDS), "default": "worldwide"},
    "endpoint": {"type": "str", "fallback": (env_fallback, ["MAILOPS_TLS_ENDPOINT"])},
    "token_endpoint": {"type": "str", "fallback": (env_fallback, ["MAILOPS_TLS_TOKEN_ENDPOINT"])},
    "ca_path": {"type": "str", "fallback": (env_fallback, ["MAILOPS_TLS_CA_PATH"])},
    "timeout": {"type": "float", "default": 120.0},
}

# The service itself ends a cmdlet after 15 minutes.
MAX_TIMEOUT_S = 900.0
MAX_PEM_BYTES = 65536

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]{0,252}")
_KEY = re.compile(r"-----BEGIN ([A-Z ]*)PRIVATE KEY-----.+?-----END \1PRIVATE KEY-----", re.DOTALL)
_CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)


@dataclasses.dataclass(frozen=True)
class Settings:
    """Checked connection options. `repr` shows no secret."""

    tenant_id: str
    client_id: str
    cloud: Cloud
    endpoint: str
    timeout: float
    token_endpoint: str | None = None
    ca_path: str | None = None
    certificate_pem: str | None = None
    key_pem: str | None = dataclasses.field(default=None, repr=False)
    client_secret: str | None = dataclasses.field(default=None, repr=False)

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must never be seen in any output."""
        return tuple(secret for secret in (self.client_secret, self.key_pem) if secret)

    def fingerprint(self) -> str:
        """All of it, secrets included, as text to be hashed. Never to be kept or shown."""
        return json.dumps(dataclasses.asdict(self), sort_keys=True)


def read_settings(options: t.Mapping[str, t.Any]) -> Settings:
    """Settings from the options of a task. Raises ValueError, with a message for the user, for what cannot be used."""
    cloud = CLOUDS.get(options.get("cloud") or "worldwide")
    if cloud is None:
        raise ValueError(f"cloud: must be one of {', '.join(CLOUDS)}, not {options.get('cloud')}")
    timeout = float(options.get("timeout") or 120.0)
    if not 0 < timeout <= MAX_TIMEOUT_S:
        raise ValueError(f"timeout: must be more than 0 and at most {MAX_TIMEOUT_S:.0f} seconds, not {timeout:g}")
    certificate, key, secret = _credential(options)
    return Settings(
        tenant_id=_identifier("tenant_id", options),
        client_id=_identifier("client_id", options),
        cloud=cloud,
        endpoint=_url("endpoint", options.get("endpoint")) or cloud.endpoint,
        timeout=timeout,
        token_endpoint=_url("token_endpoint", options.get("token_endpoint")),
        ca_path=_ca_path(options.get("ca_path")),
        certificate_pem=certificate,
        key_pem=key,
        client_secret=secret,
    )


def _identifier(name: str, options: t.Mapping[str, t.Any]) -> str:
    value = str(options.get(name) or "").strip()
    if not _ID.fullmatch(value):
        raise ValueError(f"{name}: must be the GUID that the app registration shows, not {value[:80]!r}")
    return value.lower()


def _url(name: str, value: str | None) -> str | None:
    """An https URL without credentials, query and trailing slash."""
    if not value:
        return None
    try:
        parts = urlsplit(value)
        usable = parts.scheme == "https" and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        usable = False
    if not usable or parts.username or parts.password or parts.query or parts.fragment:
        raise ValueError(f"{name}: must be an https URL without credentials and query")
    return value.rstrip("/")


def _ca_path(value: str | None) -> str | None:
    if not value:
        return None
    path = pathlib.Path(value).expanduser()
    if not path.exists():
        raise ValueError(f"ca_path: there is no file or directory {value}")
    # Those of a directory are read when they are needed, by their hash.
    if not path.is_dir() and not _certificates_in(path):
        raise ValueError(f"ca_path: {value} holds no certificate that can be read; it must be PEM, and all of it in order")
    return str(path)


def _certificates_in(path: pathlib.Path) -> int:
    """How many certificates OpenSSL finds in a file; none where one of them is damaged, because it stops there."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        context.load_verify_locations(cafile=str(path))
    except OSError:
        return 0
    return context.cert_store_stats()["x509"]


def _credential(options: t.Mapping[str, t.Any]) -> tuple[str | None, str | None, str | None]:
    """Certificate and key, or a secret: exactly one of the two."""
    secret = options.get("client_secret") or None
    given = options.get("client_certificate") or None
    key = options.get("client_key") or None
    if secret and (given or key):
        raise ValueError("client_secret and client_certificate exclude each other (also in MAILOPS_TLS_* of the environment)")
    if secret:
        return None, None, str(secret)
    if not given:
        raise ValueError("client_certificate with client_key, or client_secret: one of the two is needed to get a token")
    text = _pem("client_certificate", str(given))
    certificates = _CERTIFICATE.findall(text)
    if not certificates:
        raise ValueError("client_certificate: holds no PEM certificate")
    found = _KEY.search(_pem("client_key", str(key)) if key else text)
    if not found:
        raise ValueError("client_key: holds no PEM private key; give the key that belongs to client_certificate")
    if "ENCRYPTED" in found.group(0):
        raise ValueError("client_key: is encrypted; give it decrypted, for example from Ansible Vault with a lookup")
    # The first certificate is the app's own; what follows would be its issuers.
    return certificates[0], found.group(0), None


def _pem(name: str, value: str) -> str:
    """PEM text, given as such or as the path of a file on the controller."""
    if "-----BEGIN" in value:
        return value
    try:
        with pathlib.Path(value).expanduser().open("rb") as file:
            content = file.read(MAX_PEM_BYTES + 1)
    except (OSError, ValueError, RuntimeError) as error:
        # Not the value itself: it may be a key that lost its first line.
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "it is no path"
        raise ValueError(f"{name}: is neither PEM text nor a file that can be read ({reason})") from None
    if len(content) > MAX_PEM_BYTES:
        raise ValueError(f"{name}: the file is larger than {MAX_PEM_BYTES} bytes")
    return content.decode("utf-8", "replace")
