# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""The trust stores of Java, told apart by their first bytes as Java does."""

from __future__ import annotations

from ansible_collections.mailops.tls.plugins.plugin_utils._keystores.jks import JCEKS_MAGIC, JKS_MAGIC, read_jks
from ansible_collections.mailops.tls.plugins.plugin_utils._keystores.model import DEFAULT_PASSWORD, Keystore, KeystoreError
from ansible_collections.mailops.tls.plugins.plugin_utils._keystores.pkcs12 import looks_like_pkcs12, read_pkcs12


def read_java(data: bytes, password: str | None) -> Keystore:
    """Read a JKS, JCEKS or PKCS #12 keystore. Without a password `changeit` is tried. Raises KeystoreError."""
    secret = DEFAULT_PASSWORD if password is None else password
    if data[:4] in (JKS_MAGIC, JCEKS_MAGIC):
        return read_jks(data, secret)
    if looks_like_pkcs12(data):
        return read_pkcs12(data, secret)
    if b"-----BEGIN" in data[:65536]:
        raise KeystoreError("a PEM file, not a keystore of Java; use type pem_file")
    raise KeystoreError("neither JKS nor PKCS #12")
