# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""The certificate database of NSS, cert9.db: PKCS #11 objects as rows, the attribute 0xNNN in the column aNNN.

Certificates and trust are objects of their own, tied together by issuer and serial number. Trust is written in the objects
of NSS (CKO_NSS_TRUST), and by newer releases in those of PKCS #11 3.2 (CKO_TRUST).
"""

from __future__ import annotations

import hashlib
import typing as t

from ansible_collections.mailops.tls.plugins.plugin_utils._keystores.model import (
    MAX_CERTIFICATE_BYTES,
    MAX_ENTRIES,
    Entry,
    Keystore,
    KeystoreError,
    Use,
)
from ansible_collections.mailops.tls.plugins.plugin_utils._keystores.sqlite import read_table

_CLASS, _VALUE, _ISSUER, _SERIAL = "a0", "a11", "a81", "a82"
_SHA1 = "ace5363b4"  # CKA_NSS_CERT_SHA1_HASH
_CERTIFICATE, _NSS_TRUST, _PKCS_TRUST = b"\x00\x00\x00\x01", b"\xce\x53\x43\x53", b"\x00\x00\x00\x0b"

# Trust for servers first, then what else a certificate can be trusted for: client, code, mail.
_NSS_USES: t.Final = {"ace536358": "TLS servers", "ace536359": "TLS clients", "ace53635a": "code", "ace53635b": "mail"}
_PKCS_USES: t.Final = {"a62c": "TLS servers", "a62d": "TLS clients", "a62e": "code", "a62f": "mail"}

# CKT_NSS_TRUSTED_DELEGATOR and its like: an anchor (certutil's flag C, for clients T).
_ANCHOR: t.Final = (b"\xce\x53\x43\x52", b"\x00\x00\x00\x02")
_NOT_TRUSTED: t.Final = (b"\xce\x53\x43\x5a", b"\x00\x00\x00\x03")
_NULL: t.Final = b"\xa5\x00\x5a"  # how NSS writes an attribute that is there and empty

NO_FLAG: t.Final = (
    "The certificate is in the database, but without the flag C, so NSS does not take it for an anchor of TLS servers."
)
DISTRUSTED: t.Final = "The database distrusts the certificate for TLS servers (flag p of certutil)."
OTHER_CERTIFICATE: t.Final = (
    "The trust record of this issuer and serial number belongs to another certificate, so NSS ignores it."
)
AMBIGUOUS: t.Final = "The database has several trust records for this certificate, and they disagree."
BUILT_IN: t.Final = (
    "NSS's built-in roots are in a module of their own (libnssckbi, or p11-kit-trust in its place), not in this database: "
    "software that loads that module may trust the root all the same."
)


def read_nss(data: bytes) -> Keystore:
    """Read a cert9.db. Signatures of trust records (in databases with a password) are not checked. Raises KeystoreError."""
    columns = (_CLASS, _VALUE, _ISSUER, _SERIAL, _SHA1, *_NSS_USES, *_PKCS_USES)
    rows = read_table(data, "nssPublic", columns, MAX_ENTRIES * 2)
    trust: dict[tuple[bytes, bytes], list[dict[str, bytes | None]]] = {}
    for row in rows:
        key = _key(row)
        if row.get(_CLASS) in (_NSS_TRUST, _PKCS_TRUST) and key:
            trust.setdefault(key, []).append(row)
    entries = []
    for row in rows:
        der = row.get(_VALUE)
        if row.get(_CLASS) != _CERTIFICATE or not der or der == _NULL:
            continue
        if len(der) > MAX_CERTIFICATE_BYTES:
            raise KeystoreError("a certificate that is too large")
        key = _key(row)
        entries.append(_entry(der, trust.get(key, []) if key else []))
    return Keystore("NSS", tuple(entries), caveat=BUILT_IN)


def _key(row: dict[str, bytes | None]) -> tuple[bytes, bytes] | None:
    issuer, serial = row.get(_ISSUER), row.get(_SERIAL)
    return (issuer, serial) if issuer and serial else None


def _entry(der: bytes, records: list[dict[str, bytes | None]]) -> Entry:
    sha1 = hashlib.sha1(der, usedforsecurity=False).digest()  # by which NSS ties a record to its certificate
    own = [record for record in records if record.get(_SHA1) in (None, b"", _NULL, sha1)]
    if not own:
        return Entry(der, "other", OTHER_CERTIFICATE if records else NO_FLAG)
    verdicts = {_use(record) for record in own}
    if len(verdicts) > 1:
        return Entry(der, "unknown", AMBIGUOUS)
    use, detail = verdicts.pop()
    return Entry(der, use, detail)


def _use(record: dict[str, bytes | None]) -> tuple[Use, str]:
    uses = _NSS_USES if record.get(_CLASS) == _NSS_TRUST else _PKCS_USES
    servers, *others = uses
    value = record.get(servers)
    if value in _ANCHOR:
        return "anchor", ""
    if value in _NOT_TRUSTED:
        return "distrusted", DISTRUSTED
    elsewhere = [uses[column] for column in others if record.get(column) in _ANCHOR]
    if elsewhere:
        return "wrong_use", f"The database trusts the certificate for {' and '.join(elsewhere)}, but not for TLS servers."
    return "other", NO_FLAG
