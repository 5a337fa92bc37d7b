# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""PKCS #12 (RFC 7292) as Java reads it for a trust store.

Only certificate bags with Oracle's attribute "trusted key usage" are trusted certificate entries to Java; a PKCS #12 file made
by other tools shows it no entries at all. The loader of cryptography does not hand out that attribute, so the
structure is read here; the ciphers are those of cryptography.
"""

from __future__ import annotations

import typing as t

from ansible_collections.mailops.tls.plugins.plugin_utils._keystores.der import (
    BMP_STRING,
    OCTETS,
    SEQUENCE,
    SET,
    Element,
    elements,
    encoded_oid,
)
from ansible_collections.mailops.tls.plugins.plugin_utils._keystores.model import (
    MAX_CERTIFICATE_BYTES,
    MAX_ENTRIES,
    Entry,
    Integrity,
    Keystore,
    KeystoreError,
)
from ansible_collections.mailops.tls.plugins.plugin_utils._keystores.pbe import Effort, WrongPasswordError, decrypt, mac_fits

_DATA = encoded_oid("1.2.840.113549.1.7.1")
_ENCRYPTED_DATA = encoded_oid("1.2.840.113549.1.7.6")
_CERT_BAG = encoded_oid("1.2.840.113549.1.12.10.1.3")
_X509 = encoded_oid("1.2.840.113549.1.9.22.1")
_FRIENDLY_NAME = encoded_oid("1.2.840.113549.1.9.20")
# ORACLE_TrustedKeyUsage in sun.security.pkcs12.PKCS12KeyStore.
_TRUSTED_KEY_USAGE = encoded_oid("2.16.840.1.113894.746875.1.1")
_CONTEXT_0 = 0xA0
MAX_ATTRIBUTES: t.Final = 100

NO_ATTRIBUTE: t.Final = (
    "The certificate is in the PKCS #12 file without the attribute by which Java knows trusted certificates "
    "(2.16.840.1.113894.746875.1.1): keytool -list does not show it, and Java does not trust it. Import it with "
    "keytool -importcert."
)


def looks_like_pkcs12(data: bytes) -> bool:
    """Whether it begins as a PFX does: a SEQUENCE with version 3."""
    try:
        return elements(memoryview(data)[: _outer_end(data)])[0].children(SEQUENCE, 2)[0].number(3) == 3
    except (KeystoreError, IndexError):
        return False


def read_pkcs12(data: bytes, password: str) -> Keystore:
    """Read a PKCS #12 keystore. Raises KeystoreError, also where the password does not open what is encrypted in it."""
    top = elements(memoryview(data)[: _outer_end(data)])
    if len(top) != 1 or len(data) != _outer_end(data):
        raise KeystoreError("not a PKCS #12 file")
    pfx = top[0].children(SEQUENCE, 2)
    if pfx[0].number(3) != 3:
        raise KeystoreError("a PKCS #12 file of an unknown version")
    kind, content = _content_info(pfx[1])
    if kind != _DATA:
        raise KeystoreError("a PKCS #12 file with another integrity mode than a password")
    safe = content.only(_CONTEXT_0).expect(OCTETS)
    effort = Effort()
    checked: Integrity = "unprotected"
    if len(pfx) > 2:
        fits = mac_fits(pfx[2], bytes(safe), password, effort)
        checked = "unchecked" if fits is None else "verified" if fits else "failed"
    bags: list[Element] = []
    for part in _single(safe).children(SEQUENCE):
        for bag in _safe_contents(part, password, effort, checked):
            bags.append(bag)
            if len(bags) > MAX_ENTRIES:
                raise KeystoreError(f"more than {MAX_ENTRIES} entries")
    return Keystore("PKCS12", _entries(bags), checked)


def _outer_end(data: bytes) -> int:
    """Where the outermost element ends (int); the whole length where that cannot be told."""
    count = data[1] & 0x7F if len(data) > 1 and data[1] & 0x80 else 0
    if len(data) < 2 + count or not count:
        return len(data)
    return min(2 + count + int.from_bytes(data[2 : 2 + count], "big"), len(data))


def _single(data: memoryview) -> Element:
    found = elements(data)
    if len(found) != 1:
        raise KeystoreError("not the structure expected")
    return found[0]


def _content_info(element: Element) -> tuple[bytes, Element]:
    parts = element.children(SEQUENCE, 2)
    return parts[0].oid(), parts[1]


def _safe_contents(part: Element, password: str, effort: Effort, checked: Integrity) -> list[Element]:
    """The bags of one part of the authenticated safe (RFC 7292 section 4.1)."""
    kind, content = _content_info(part)
    if kind == _DATA:
        return _single(content.only(_CONTEXT_0).expect(OCTETS)).children(SEQUENCE)
    if kind != _ENCRYPTED_DATA:
        raise KeystoreError("a part that is encrypted with a public key, or of an unknown kind")
    if checked == "failed":
        raise KeystoreError("the password does not fit, and the certificates are encrypted with it")
    # EncryptedData: version, EncryptedContentInfo: type, algorithm, [0] IMPLICIT octets (RFC 5652 section 8).
    info = content.only(_CONTEXT_0).children(SEQUENCE, 2)[1].children(SEQUENCE, 3)
    try:
        plain = decrypt(info[1], bytes(info[2].expect(0x80)), password, effort)
        return _single(memoryview(plain)).children(SEQUENCE)
    except WrongPasswordError:
        raise KeystoreError("the password does not fit, and the certificates are encrypted with it") from None


def _entries(bags: list[Element]) -> tuple[Entry, ...]:
    """One entry per certificate. As in Java, of trusted certificates with one alias the last remains."""
    trusted: dict[object, Entry] = {}
    others: list[Entry] = []
    for number, bag in enumerate(bags):
        parts = bag.children(SEQUENCE, 2)
        if parts[0].oid() != _CERT_BAG:
            continue
        value = parts[1].only(_CONTEXT_0).children(SEQUENCE, 2)
        if value[0].oid() != _X509:
            continue
        der = bytes(value[1].only(_CONTEXT_0).expect(OCTETS))
        if len(der) > MAX_CERTIFICATE_BYTES:
            raise KeystoreError("a certificate that is too large")
        attributes = dict(_attribute(item) for item in parts[2].children(SET, most=MAX_ATTRIBUTES)) if len(parts) > 2 else {}
        if _TRUSTED_KEY_USAGE in attributes:
            trusted[_alias(attributes.get(_FRIENDLY_NAME)) or number] = Entry(der, "anchor")
        else:
            others.append(Entry(der, "other", NO_ATTRIBUTE))
    return (*trusted.values(), *others)


def _attribute(element: Element) -> tuple[bytes, Element]:
    parts = element.children(SEQUENCE, 2)
    return parts[0].oid(), parts[1]


def _alias(values: Element | None) -> str | None:
    names = values.children(SET) if values else []
    if not names or names[0].tag != BMP_STRING:
        return None
    return bytes(names[0].content).decode("utf-16-be", "replace").lower()
