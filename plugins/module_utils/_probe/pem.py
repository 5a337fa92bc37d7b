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
_BLANK = re.compile(rb"\n[ \t\r\f\v]*\n")
_KIND = re.compile(rb"^-----BEGIN ([A-Z0-9 ]{1,40})-----", re.M)
MARK = "byte order mark"
NUL = "NUL byte, nothing is read behind it"
HIDDEN = "a block behind a byte order mark, which OpenSSL finds from version 3 on"


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


def _has_odd_blank(body):
    """Whether a blank line makes OpenSSL refuse a block, see get_header_and_data() in crypto/pem/pem_lib.c.

    It ends a header, so behind base64 it makes a header of that. Directly behind BEGIN it ends none, but the lines that follow
    must then be of 64 characters, but for the last.
    """
    lines = [line.rstrip() for line in body.split(b"\n")[1:-1]]
    if lines[0]:
        return True
    return not all(lines[1:]) or any(len(line) != 64 for line in lines[1:-1]) or len(lines[-1]) > 64


def _decode(body):
    """(DER, None) or (None, why not)."""
    text = body.translate(None, b" \t\r\n\f\v")
    if not text:
        return None, "empty"
    if len(text) % 4 or not _BASE64.match(text):
        return None, "not base64"
    # A plain search first, because nearly no block has such a line and hosts read thousands of blocks.
    spaces = len(body) - len(text) - body.count(b"\n")
    if (b"\n\n" in body or (spaces and _BLANK.search(body))) and _has_odd_blank(body):
        return None, "blank line"
    try:
        return binascii.a2b_base64(text), None
    except binascii.Error:
        return None, "not base64"


def openssl_passes_marks():
    """Whether the OpenSSL of this Python gets past a byte order mark: from 3.0 on, sanitize_line() in crypto/pem/pem_lib.c."""
    try:
        import ssl  # noqa: PLC0415 - takes longer than all else here, and few files have such a mark
    except ImportError:
        return True
    return ssl.OPENSSL_VERSION_INFO[0] >= 3


def why_none(data):
    """What a file (bytes) is of which OpenSSL takes nothing and that has no damaged certificate either (str), or None where it
    just holds none: it is empty, or has comments only."""
    lines = data.replace(b"\r", b"\n").split(b"\n")
    if all(not line.strip() or line.lstrip().startswith(b"#") for line in lines):
        return None
    if data[:1] == b"\x30" and sequence_length(data):
        return "it is DER, and OpenSSL takes PEM from such a file"
    if b"\n" not in data and b"\r" in data:
        return "its lines end in CR alone, and OpenSSL finds no PEM in it"
    kind = _KIND.search(data)
    if kind and kind.group(1) not in LABELS:
        return "it holds PEM of another kind (%s)" % kind.group(1).decode("ascii")
    return "it holds no certificate that OpenSSL finds"


def scan(data, hidden=None):
    """(list of Block in file order, list of (line, reason) of what looks like a certificate and is none).

    hidden: a list that takes the block which this host's OpenSSL passes over, though it is whole.
    """
    blocks, skipped = [], []
    opened = None
    line, counted = 1, 0
    if data.startswith(BOM):
        data = data[len(BOM) :]
        # OpenSSL 3 reads on behind it; for 1.1.1 a BEGIN line behind it is none. Where there is another line, nothing is lost.
        lost = data.startswith(b"-----BEGIN ") and not openssl_passes_marks()
        skipped.append((1, HIDDEN if lost else MARK))
        if lost:
            end = _BOUNDARY.search(data, 1)
            whole = scan(data[: end.end()])[0] if end else []
            if hidden is not None:
                hidden.extend(whole)
            data = b"#" + data[1:]
    nul = _NUL_LINE.search(data)
    if nul:
        # OpenSSL reads files by fgets and takes such a line for the end.
        skipped.append((data.count(b"\n", 0, nul.start()) + 1, NUL))
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
