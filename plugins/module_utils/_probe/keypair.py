# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""Private keys and their certificates in PEM files. Keys are compared here, by OpenSSL, and never leave the host."""

import base64
import re
import ssl

from ansible_collections.mailops.tls.plugins.module_utils._probe.base import plain
from ansible_collections.mailops.tls.plugins.module_utils._probe.command import converse
from ansible_collections.mailops.tls.plugins.module_utils._probe.pem import BOM, scan, sequence_length

_KEY = re.compile(rb"^-----BEGIN ((?:ENCRYPTED |RSA |EC |DSA )?PRIVATE KEY)-----", re.M)

# The last is what OpenSSL says of a key of another algorithm than that of the certificate before it.
_OTHER_KEY = ("KEY_VALUES_MISMATCH", "KEY_TYPE_MISMATCH", "NO_CERTIFICATE_ASSIGNED")


class Section(object):
    """What follows one private key in a file: text (bytes: the key alone, or None before the first), blocks (of `scan`)."""

    __slots__ = ("blocks", "text")

    def __init__(self, text, blocks):
        self.text = text
        self.blocks = blocks

    @property
    def encrypted(self):
        """Whether the key needs a pass phrase."""
        return self.text.startswith(b"-----BEGIN ENCRYPTED ") or b"Proc-Type: 4,ENCRYPTED" in self.text


def sections(data):
    """The PEM objects of a file (bytes) as a list of Section, one for each private key. Certificates before the first key have
    one of their own. Empty where the file holds neither.

    postconf(5), smtpd_tls_chain_files: key1, cert1, [chain1], key2, cert2, [chain2], ...
    """
    data = data[len(BOM) :] if data.startswith(BOM) else data
    found = list(_KEY.finditer(data))
    ends = [match.start() for match in found] + [len(data)]
    before = scan(data[: ends[0]])[0]
    result = [Section(None, before)] if before else []
    for number, match in enumerate(found):
        part = data[match.start() : ends[number + 1]]
        result.append(Section(_key_alone(part, match.group(1)), scan(part)[0]))
    return result


def _key_alone(part, label):
    end = part.find(b"-----END " + label + b"-----")
    return part[: end + len(label) + 14] + b"\n" if end >= 0 else part


def form(data):
    """What a file without anything in PEM holds: empty, der (certificate), pkcs12, or other."""
    if not data.strip():
        return "empty"
    if sequence_length(data) != len(data):
        return "other"
    header = 2 + (data[1] & 0x7F if data[1] & 0x80 else 0)
    # A certificate begins with the sequence that is signed (RFC 5280 section 4.1), a PFX with its version (RFC 7292 section 4).
    inner = data[header : header + 3]
    return "der" if inner[:1] == b"\x30" else "pkcs12" if inner == b"\x02\x01\x03" else "other"


def belong(certificate, key):
    """(whether the first private key of a file belongs to the first certificate of another or the same or None, OpenSSL's word
    for why not). certificate, key: paths."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        context.load_cert_chain(certificate, key, password=lambda: "")
    except ssl.SSLError as exc:
        reason = getattr(exc, "reason", None) or "error"
        return (False, reason) if reason in _OTHER_KEY else (None, reason)
    except (OSError, ValueError) as exc:
        return None, type(exc).__name__
    return True, None


def belong_apart(block, key, seconds):
    """The same of a certificate (Block) and a key (bytes, PEM) that stand among others in their files.

    Python reads them from files only, and no key is written to one for that. So the openssl program compares the public keys.
    """
    label = block.label.encode("ascii")
    body = base64.encodebytes(block.der)
    certificate = b"-----BEGIN " + label + b"-----\n" + body + b"-----END " + label + b"-----\n"
    said = []
    for words, given in ((["x509", "-noout", "-pubkey"], certificate), (["pkey", "-pubout", "-passin", "pass:"], key)):
        status, output, message = converse(["openssl"] + words, given, timeout=seconds)
        if status != 0 or not output.startswith("-----BEGIN PUBLIC KEY-----"):
            return None, message or "openssl %s: %s" % (words[0], plain(output) or "no answer")
        said.append(output.split())
    return (True, None) if said[0] == said[1] else (False, "KEY_VALUES_MISMATCH")
