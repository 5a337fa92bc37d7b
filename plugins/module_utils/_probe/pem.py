# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""Certificates in PEM armour (RFC 7468), cut out as OpenSSL finds them and without parsing what is in them."""

import binascii
import hashlib
import re

LABELS = (b"CERTIFICATE", b"X509 CERTIFICATE", b"TRUSTED CERTIFICATE")
BOM = b"\xef\xbb\xbf"
# OpenSSL takes a boundary only at the start of a line. Text behind END, as where two files were
# joined without a line feed, makes it refuse the block and with it the file.
_BOUNDARY = re.compile(rb"^-----(?:BEGIN ([^\r\n-]{1,64})-----[ \t\r\f\v]*$|END ([^\r\n-]{1,64})-----([^\r\n]{0,80}))", re.M)
_NUL_LINE = re.compile(rb"^\0", re.M)
_BASE64 = re.compile(rb"[A-Za-z0-9+/]+={0,2}\Z")


class Block(object):
    """A certificate: label (str), der (bytes: all that was in the armour), sha256 (hex of the certificate alone)."""

    __slots__ = ("der", "label", "sha256")

    def __init__(self, label, der, length):
        self.label = label
        self.der = der
        self.sha256 = hashlib.sha256(der[:length]).hexdigest()


def sequence_length(der):
    """The length of the first ASN.1 SEQUENCE with its header (int), or None. In a TRUSTED CERTIFICATE the certificate
    is the first of two, see X509_AUX in OpenSSL."""
    if len(der) < 2 or der[0] != 0x30:
        return None
    size, start = der[1], 2
    if size & 0x80:
        start = 2 + (size & 0x7F)
        if not 2 < start <= 6 or len(der) < start:
            return None
        size = int.from_bytes(der[2:start], "big")
    return start + size if 0 < size <= len(der) - start else None


def _decode(body):
    """(DER, None) or (None, why not)."""
    text = body.translate(None, b" \t\r\n\f\v")
    if not text:
        return None, "empty"
    if len(text) % 4 or not _BASE64.match(text):
        return None, "not base64"
    try:
        return binascii.a2b_base64(text), None
    except binascii.Error:
        return None, "not base64"


def scan(data):
    """(list of Block in file order, list of (line, reason) of what looks like a certificate and is none)."""
    blocks, skipped = [], []
    opened = None
    line, counted = 1, 0
    if data.startswith(BOM):
        # OpenSSL 3 reads on behind it. It is noted, because other readers do not find the block that follows it.
        skipped.append((1, "byte order mark"))
        data = data[len(BOM) :]
    nul = _NUL_LINE.search(data)
    if nul:
        # OpenSSL reads files by fgets and takes such a line for the end.
        skipped.append((data.count(b"\n", 0, nul.start()) + 1, "NUL byte, nothing is read behind it"))
        data = data[: nul.start()]
    for match in _BOUNDARY.finditer(data):
        line += data.count(b"\n", counted, match.start())
        counted = match.start()
        if match.group(1):
            if opened:
                skipped.append((opened[1], "no END line"))
            opened = (match, line) if match.group(1) in LABELS else None
            continue
        if opened:
            begin, at = opened
            reason = _close(begin, match, data, blocks)
            if reason:
                skipped.append((at, reason))
            opened = None
    if opened:
        # OpenSSL passes over a block that another follows, but not over this.
        skipped.append((opened[1], "no END line before the file ends"))
    return blocks, skipped


def _close(begin, end, data, blocks):
    """Append the block between the two boundaries; the reason (str) where it is none."""
    if end.group(2) != begin.group(1):
        return "the END line is of another kind"
    if end.group(3).strip():
        return "text behind the END line"
    der, reason = _decode(data[begin.end() : end.start()])
    length = sequence_length(der) if der is not None else None
    if length is None:
        return reason or "not DER"
    blocks.append(Block(begin.group(1).decode("ascii"), der, length))
    return None
