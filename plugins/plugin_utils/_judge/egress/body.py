# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""What a body looks like that is not what was expected: for the sentence that tells a captive portal from a broken file."""

from __future__ import annotations

from ansible_collections.mailops.tls.plugins.plugin_utils._judge.x509 import clean, load_certificate


def missing_der_bytes(data: bytes) -> int:
    """How many bytes a DER SEQUENCE lacks against its own length field; 0 where it is whole or is no DER SEQUENCE.

    A transfer without Content-Length that breaks off looks complete to HTTP (RFC 9112 8); the ASN.1 header knows better.
    """
    if len(data) < 2 or data[0] != 0x30:
        return 0
    if data[1] < 0x80:
        return max(0, data[1] + 2 - len(data))
    octets = data[1] & 0x7F
    # Up to 4 GiB. A DER length has no leading zero; 0x80 alone is BER's indefinite length.
    if not 1 <= octets <= 4 or len(data) < 2 + octets or data[2] == 0:
        return 0
    return max(0, int.from_bytes(data[2 : 2 + octets], "big") + 2 + octets - len(data))


def describe(data: bytes) -> str:
    """A few words on what the body is instead, printable and cut."""
    if not data:
        return "an empty body"
    head = data[:65536]
    lower = head.lower()
    if b"<html" in lower or b"<!doctype html" in lower or b"<title" in lower or b"<body" in lower:
        title = _between(head, lower, b"<title", b"</title")
        return f'an HTML page titled "{title}"' if title else "an HTML page without a title"
    if head.startswith(b"%PDF-"):
        return "a PDF document"
    if head.startswith(b"\x1f\x8b"):
        return "gzip-compressed data"
    if b"-----BEGIN " in head[:4096]:
        label = _between(head, head, b"-----BEGIN ", b"-----", inside_tag=False)
        return f"PEM of the kind {label}"
    if head[:1] == b"\x30":
        return "a DER certificate" if load_certificate(data) is not None else "ASN.1 data of another kind"
    text = head[:400].decode("utf-8", "replace")
    if sum((c.isprintable() and c != "\ufffd") or c in "\r\n\t" for c in text) > 0.9 * len(text):
        return f'text that begins "{clean(text, 60)}"'
    return f"{len(data)} bytes of binary data"


def _between(head: bytes, haystack: bytes, start: bytes, end: bytes, *, inside_tag: bool = True) -> str:
    begin = haystack.find(start)
    if begin < 0:
        return ""
    begin += len(start)
    if inside_tag:
        begin = haystack.find(b">", begin) + 1
        if begin == 0:
            return ""
    stop = haystack.find(end, begin)
    return clean(head[begin : stop if stop >= 0 else begin + 400].decode("utf-8", "replace"), 100)
