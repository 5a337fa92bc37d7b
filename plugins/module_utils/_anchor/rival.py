# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""Certificates of the same name with another key, which OpenSSL may take in place of the pinned one.

It takes the first certificate of the issuer's name whose key identifier does not contradict the chain and that is valid now,
and does not try the next when the signature does not fit: get_issuer in crypto/x509/x509_lu.c, check_issued in
crypto/x509/v3_purp.c. `openssl verify` of the root itself does not show that, so it is looked for here.
"""

import calendar
import re
import time

_SUBJECT_KEY_IDENTIFIER = b"\x55\x1d\x0e"
_BASIC_CONSTRAINTS = b"\x55\x1d\x13"
_UTC_TIME = 0x17
_TIME = re.compile(rb"(\d{2,4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z\Z")


class Parts(object):
    """A certificate taken apart (RFC 5280 section 4.1): subject and key (DER), identifier (of its key, bytes or None), issues
    (whether it may be the issuer of others), begin and end (seconds since 1970)."""

    def __init__(self, der):
        """Raises ValueError for what is no certificate."""
        fields = _elements(_elements(_elements(der)[0][1])[0][1])
        version = 1
        if fields[0][0] == 0xA0:
            version = fields[0][1][-1] + 1
            fields = fields[1:]
        if len(fields) < 6:
            raise ValueError("not a certificate")
        # serialNumber, signature, issuer, validity, subject, subjectPublicKeyInfo
        self.begin, self.end = [_seconds(tag, value) for tag, value in _elements(fields[3][1])[:2]]
        self.subject, self.key = fields[4][1], fields[5][1]
        extensions = dict(_extensions(fields))
        identifier = extensions.get(_SUBJECT_KEY_IDENTIFIER)
        self.identifier = _elements(identifier)[0][1] if identifier else None
        basic = extensions.get(_BASIC_CONSTRAINTS)
        # A certificate of version 1 has no extensions; OpenSSL takes it for a CA when it is self-signed.
        self.issues = version == 1 if basic is None else _elements(_elements(basic)[0][1])[:1] == [(0x01, b"\xff")]

    def in_place_of(self, own, now):
        """Whether OpenSSL takes this for `own` (Parts) where it comes first (bool)."""
        if self.subject != own.subject or self.key == own.key or not self.begin <= now <= self.end:
            return False
        return own.identifier is None or self.identifier in (None, own.identifier)


def parts_of(der):
    """The Parts of a certificate, or None for what is none."""
    try:
        return Parts(der)
    except (ValueError, IndexError, OverflowError):
        return None


def shadowed_by(anchor, blocks):
    """The SHA-256 of the certificate that OpenSSL takes in place of the anchor, or None. blocks: in the order of the store."""
    own = parts_of(anchor.der)
    if own is None:
        return None
    for block in blocks:
        if block.sha256 == anchor.sha256:
            return None
        other = parts_of(block.der) if own.subject in block.der else None
        if other is not None and other.in_place_of(own, time.time()):
            return block.sha256
    return None


def explain_shadow(sha256, path):
    """Why that is no success (str)."""
    return (
        "%s holds another certificate of the same subject with another key (SHA-256 %s), which comes first, and no key "
        "identifier tells them apart: OpenSSL takes that one and refuses what this root signed. Take it out first"
        % (path, sha256)
    )


def _elements(data):
    """[(tag, content)] of DER (X.690). Raises ValueError."""
    found, at = [], 0
    while at < len(data):
        if at + 2 > len(data):
            raise ValueError("cut off")
        tag, size, start = data[at], data[at + 1], at + 2
        if size & 0x80:
            start += size & 0x7F
            size = int.from_bytes(data[at + 2 : start], "big")
        at = start + size
        if at > len(data) or tag & 0x1F == 0x1F:
            raise ValueError("cut off, or a tag that no certificate has")
        found.append((tag, data[start:at]))
    return found


def _extensions(fields):
    """Pairs of object identifier and value."""
    for tag, content in fields:
        if tag == 0xA3:
            for _tag, extension in _elements(_elements(content)[0][1]):
                inside = _elements(extension)
                yield inside[0][1], inside[-1][1]


def _seconds(tag, value):
    """Seconds since 1970 of a UTCTime or GeneralizedTime (RFC 5280 section 4.1.2.5)."""
    match = _TIME.match(value)
    if match is None:
        raise ValueError("not a time")
    year, month, day, hour, minute, second = [int(number) for number in match.groups()]
    if tag == _UTC_TIME:
        year += 1900 if year >= 50 else 2000
    return calendar.timegm((year, month, day, hour, minute, second, 0, 0, 0))
