# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""Fetching Microsoft's list of endpoints, on the controller."""

from __future__ import annotations

import http.client
import platform
import time
import typing as t
import urllib.error
import urllib.parse
import uuid

from ansible.module_utils.urls import ConnectionError as UrlConnectionError
from ansible.module_utils.urls import SSLValidationError, open_url
from ansible_collections.mailops.tls.plugins.plugin_utils._profiles.fields import Place

_SERVICE: t.Final = "https://endpoints.office.com/endpoints/"
_BLOCK: t.Final = 65536


def service_url(instance: str, client_request_id: str | None) -> str:
    """The URL of the web service. Its GUID must be the same each time one machine asks; it tells nothing about the machine.

    Raises ProfileError when `client_request_id` is no GUID.
    """
    if client_request_id is None:
        asker = uuid.uuid5(uuid.NAMESPACE_DNS, f"mailops.tls {platform.node()}")
    else:
        try:
            asker = uuid.UUID(client_request_id)
        except ValueError:
            raise Place("client_request_id").refuse("must be a GUID such as b10c5ed1-bad1-445f-b386-b919946339a7") from None
    query = {"ClientRequestId": str(asker), "format": "JSON", "ServiceAreas": "Common,Exchange"}
    return f"{_SERVICE}{instance.lower()}?{urllib.parse.urlencode(query, safe=',')}"


def fetch(url: str, at: Place, *, timeout: float, limit: int, ca_path: str | None = None) -> bytes:
    """The content behind a URL, of at most `limit` bytes, within about `timeout` seconds. Raises ProfileError."""
    if "@" in urllib.parse.urlsplit(url).netloc:
        raise Place("the URL").refuse("must not hold a user name or password")
    ends = time.monotonic() + timeout
    try:
        answer = open_url(url, timeout=timeout, ca_path=ca_path, follow_redirects="safe", http_agent="ansible-mailops.tls")
        return _read(answer, at, ends, limit, timeout)
    except urllib.error.HTTPError as error:
        hint = "; too many requests: wait an hour, or keep the list in a file" if error.code == 429 else ""
        raise at.refuse(f"cannot be fetched: HTTP status {error.code}{hint}") from None
    except (OSError, ValueError, http.client.HTTPException, UrlConnectionError, SSLValidationError) as error:
        reason = getattr(error, "reason", None) or error
        raise at.refuse(f"cannot be fetched: {' '.join(str(reason).split())[:200]}") from None


def _read(answer: t.Any, at: Place, ends: float, limit: int, timeout: float) -> bytes:
    content = bytearray()
    # One read of what has arrived at a time, so that a server that drips cannot hold the run up.
    while block := answer.read1(_BLOCK):
        content += block
        if len(content) > limit:
            raise at.refuse(f"is larger than {limit} bytes")
        if time.monotonic() > ends:
            raise at.refuse(f"did not arrive within {timeout:g} seconds")
    return bytes(content)
