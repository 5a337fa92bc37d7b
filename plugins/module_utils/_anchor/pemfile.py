# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""A file of certificates in PEM: blocks are added and removed, every other byte stays."""

import os
import re
import tempfile

from ansible_collections.mailops.tls.plugins.module_utils import _files
from ansible_collections.mailops.tls.plugins.module_utils._anchor.common import AnchorError, Edit, Plan, last_words, read
from ansible_collections.mailops.tls.plugins.module_utils._anchor.rival import explain_shadow, shadowed_by
from ansible_collections.mailops.tls.plugins.module_utils._probe import pem

_BEGIN = re.compile(rb"^-----BEGIN (CERTIFICATE|X509 CERTIFICATE|TRUSTED CERTIFICATE)-----[ \t\r\f\v]*$", re.M)
_END = re.compile(rb"^-----END [^\r\n-]{1,64}-----[^\r\n]*(\r\n|\n|\r|\Z)", re.M)
_NEXT = re.compile(rb"^-----BEGIN ", re.M)
# DER of the object identifiers serverAuth and anyExtendedKeyUsage (RFC 5280 section 4.2.1.12), tag and length included.
_SERVER_USES = (bytes.fromhex("06082b06010505070301"), bytes.fromhex("0604551d2500"))
#: What `openssl verify` says of a certificate that the file does not make trusted: no issuer found, self-signed but not
#: in the store, chain not complete, and trust refused by a TRUSTED CERTIFICATE block (X509_V_ERR of openssl-verify(1)).
_NOT_TRUSTED = (2, 18, 19, 20, 21, 27, 28)
#: A line of its stack of errors: thread, "error", code, library, function, reason, file, line.
_REFUSED = re.compile(r"^[0-9A-Fa-f]+:error:[0-9A-Fa-f]+:[^:]*:[^:]*:([^:\n]+):", re.M)
_ERROR = re.compile(r"^error (\d+) at \d+ depth lookup", re.M)


class PemFile(object):
    """One PEM file as a store."""

    kind = "pem_file"
    mechanism = "PEM file"

    def __init__(self, path, anchor, tools):
        self.path = os.path.realpath(path)
        self.anchor = anchor
        self.tools = tools
        self.places = [os.path.dirname(self.path)]
        self.lock_at = self.places[0]
        self.verified_by = []
        self.warnings = []

    def effective(self):
        """Whether programs that read the file trust the certificate for TLS servers (bool)."""
        return is_effective(read(self.path), self.anchor.sha256)

    def plan(self, present, distrust):
        """What to do (Plan). Raises AnchorError."""
        if distrust:
            raise AnchorError("a PEM file cannot distrust a certificate that it does not hold: leave force_distrust out for it")
        data = read(self.path)
        edit = plan_file(self.path, data, self.anchor, present)
        return Plan([edit] if edit else [], mechanism=self.mechanism)

    def verify(self, present):
        """Raises AnchorError where the file does not have the wanted effect."""
        self._verify(self.path, present)

    def _verify(self, path, present):
        self.verified_by = ["pem"]
        data = read(path)
        if is_effective(data, self.anchor.sha256) != present:
            raise AnchorError("%s does not have the wanted effect: %s" % (self.path, explain(data)))
        refuse_shadow(self.anchor, present, pem.scan(data or b"")[0], self.path)
        self.verified_by += verify_openssl(self.tools, self.anchor, present, ["-CAfile", path], self.path, data)

    def foresee(self, plan, present, scratch):
        """Raises AnchorError where the file would not have the wanted effect after the change; tried in directory `scratch`."""
        if not plan:
            self.verify(present)
            return
        directory = tempfile.mkdtemp(prefix=_files.PREFIX, dir=scratch)
        try:
            trial = os.path.join(directory, "trial.pem")
            _files.write(trial, plan.edits[-1].after)
            self._verify(trial, present)
        finally:
            _files.remove(directory)

    def refresh(self):
        """Nothing is built from the file."""


def plan_file(path, data, anchor, present, staging=None):
    """The Edit of a PEM file, or None where it is as wanted."""
    if present:
        if is_effective(data, anchor.sha256):
            return None
        # Blocks of it that are there forbid TLS servers; OpenSSL keeps the first of two that are alike.
        kept = without(data or b"", anchor.sha256)
        gap = b"\n" if kept and not kept.endswith((b"\n", b"\r")) else b""
        return Edit(path, data, kept + gap + anchor.pem, shown=("", anchor.pem.decode()), staging=staging)
    if data is None:
        return None
    kept = without(data, anchor.sha256)
    return None if kept == data else Edit(path, data, kept, shown=(anchor.pem.decode(), ""), staging=staging)


def is_effective(data, sha256):
    """Whether PEM text (bytes or None) makes a certificate trusted for TLS servers."""
    if data is None:
        return False
    blocks = [block for block in pem.scan(data)[0] if block.sha256 == sha256]
    return bool(blocks) and allows_servers(blocks[0])


def allows_servers(block):
    """Whether a block allows TLS servers: always, but for a TRUSTED CERTIFICATE, whose second part (X509_AUX) may not.

    X509_AUX is a SEQUENCE of trusted uses (SEQUENCE), rejected uses ([0]), alias (UTF8String) and others, all optional.
    """
    if block.label != "TRUSTED CERTIFICATE":
        return True
    aux = block.der[pem.sequence_length(block.der) :]
    if not aux:
        return True
    length = pem.sequence_length(aux)
    trusted = rejected = None
    inside = aux[2 if aux[1] < 0x80 else 2 + (aux[1] & 0x7F) : length]
    if inside[:1] == b"\x30":
        size = pem.sequence_length(inside) or len(inside)
        trusted, inside = inside[:size], inside[size:]
    if inside[:1] == b"\xa0":
        rejected = inside[: pem.sequence_length(b"\x30" + inside[1:]) or len(inside)]
    if rejected and any(use in rejected for use in _SERVER_USES):
        return False
    return trusted is None or any(use in trusted for use in _SERVER_USES)


def without(data, sha256):
    """PEM text (bytes) without the blocks of a certificate; every other byte stays."""
    kept, at = [], 0
    for begin in _BEGIN.finditer(data):
        if begin.start() < at:
            continue
        end = _END.search(data, begin.end())
        following = _NEXT.search(data, begin.end())
        if end is None or (following and following.start() < end.start()):
            continue
        blocks = pem.scan(data[begin.start() : end.end()])[0]
        if blocks and blocks[0].sha256 == sha256:
            kept.append(data[at : begin.start()])
            at = end.end()
    return b"".join(kept) + data[at:]


def explain(data):
    """Why a file may not do what it says (str)."""
    skipped = pem.scan(data or b"")[1]
    if not skipped:
        return "it reads well, so another process may have changed it"
    return "; ".join("line %d: %s" % pair for pair in skipped[:3])


def refuse_shadow(anchor, present, blocks, path):
    """Raises AnchorError where OpenSSL takes another of `blocks` (in the store's order) in place of what is to be present."""
    rival = shadowed_by(anchor, blocks) if present else None
    if rival:
        raise AnchorError(explain_shadow(rival, path))


def verify_openssl(tools, anchor, present, store, shown=None, data=None):
    """[`openssl verify`] where that is on the host. Raises AnchorError where it does not agree.

    store: options that name the store. shown: the path in the message, by default that. data: the bytes of the file, to say what
    is odd in it. Only errors that speak of trust count: an expired root is trusted all the same.
    """
    openssl = tools.find("openssl")
    version = tools.run([openssl, "version"])[1] if openssl else ""
    if not version.startswith(("OpenSSL 1.1", "OpenSSL 3", "OpenSSL 4")):
        return []
    options = ["-partial_chain", "-purpose", "sslserver", "-no-CApath" if "-CAfile" in store else "-no-CAfile"]
    options += [] if version.startswith("OpenSSL 1") else ["-no-CAstore"]
    status, output = tools.run([openssl, "verify"] + options + store, given=anchor.pem)
    codes = [int(code) for code in _ERROR.findall(output)]
    trusted = status == 0 or (bool(codes) and not any(code in _NOT_TRUSTED for code in codes))
    if trusted != present:
        raise AnchorError(_disagreement(output, codes, shown or store[-1], present, data))
    return ["openssl verify"]


def _disagreement(output, codes, path, present, data):
    """What `openssl verify` has against it (str)."""
    refused = _REFUSED.search(output)
    if refused and not codes:
        said = "OpenSSL loads nothing of %s: %s" % (path, refused.group(1))
    else:
        said = "openssl verify %s in %s: %s" % ("does not see it" if present else "still sees it", path, last_words(output))
    return said + (" (%s)" % explain(data) if pem.scan(data or b"")[1] else "")
