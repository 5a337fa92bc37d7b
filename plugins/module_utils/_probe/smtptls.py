# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""The handshake with a mail server: it refuses nobody, and tells what was agreed on and what the server asked for."""

import errno
import re
import socket
import ssl

from ansible_collections.mailops.tls.plugins.module_utils._probe.base import (
    ProbeError,
    code_of,
    errno_name,
    plain,
    text_of,
)

PERMISSIVE = "ALL:COMPLEMENTOFDEFAULT:@SECLEVEL=0"  # ALL has the anonymous ones, too
_LEGACY_SERVER_CONNECT = 0x4  # SSL_OP_LEGACY_SERVER_CONNECT, named by Python from 3.12 on
_HANDSHAKE = 22
_SERVER_HELLO, _SERVER_KEY_EXCHANGE, _CERTIFICATE_REQUEST = 2, 12, 13
_KEY_SHARE = 51
# IANA, TLS Supported Groups.
_GROUPS = {
    19: "secp192r1",
    21: "secp224r1",
    23: "secp256r1",
    24: "secp384r1",
    25: "secp521r1",
    26: "brainpoolP256r1",
    27: "brainpoolP384r1",
    28: "brainpoolP512r1",
    29: "x25519",
    30: "x448",
    256: "ffdhe2048",
    257: "ffdhe3072",
    258: "ffdhe4096",
    259: "ffdhe6144",
    260: "ffdhe8192",
    4587: "SecP256r1MLKEM768",
    4588: "X25519MLKEM768",
    4589: "SecP384r1MLKEM1024",
}
_REASONS = (
    ("client_certificate_required", "CERTIFICATE_REQUIRED"),
    (
        "certificate",
        "BAD_CERTIFICATE|UNKNOWN_CA|CERTIFICATE_(EXPIRED|REVOKED|UNKNOWN|UNOBTAINABLE)|ACCESS_DENIED|UNSUPPORTED_CERT",
    ),
    (
        "tls_version",
        "PROTOCOL_VERSION|UNSUPPORTED_PROTOCOL|VERSION_TOO_LOW|NO_PROTOCOLS|UNSUPPORTED_SSL_VERSION|INAPPROPRIATE_FALL",
    ),
    (
        "no_shared_cipher",
        "HANDSHAKE_FAILURE|NO_SHARED|NO_CIPHER|INSUFFICIENT_SECURITY|DH_KEY_TOO_SMALL|UNSAFE_LEGACY|WRONG_CIPHER|NO_SUITABLE",
    ),
    ("closed", "EOF"),
)


class Watch(object):
    """What passes by in a handshake and Python does not tell: the group agreed on, and whether a client certificate is wanted.

    `heard` is False where this Python (before 3.8) cannot listen.
    """

    def __init__(self):
        self.heard = False
        self.requested = False
        self.group = None

    def attach(self, context):
        """Listen to the connections of a context. The hook is private to Python, so its absence is no error."""
        # Without it, an attribute of that name could still be set, and nothing would be heard.
        if hasattr(ssl.SSLContext, "_msg_callback"):
            context._msg_callback = self._message
            self.heard = True

    def _message(self, _connection, direction, _version, content_type, message_type, data):
        if direction != "read" or content_type != _HANDSHAKE:
            return
        if message_type == _CERTIFICATE_REQUEST:
            self.requested = True
        elif message_type in (_SERVER_HELLO, _SERVER_KEY_EXCHANGE):
            read = read_key_share if message_type == _SERVER_HELLO else read_named_curve
            try:
                self.group = read(bytes(data)) or self.group
            except IndexError:
                pass  # OpenSSL itself says what is wrong with the message


def _short(data, at):
    return data[at] << 8 | data[at + 1]


def _group(number):
    return _GROUPS.get(number, "0x%04x" % number)


def read_key_share(data):
    """The group of a ServerHello (RFC 8446 section 4.2.8, with its header), or None."""
    at = 4 + 2 + 32
    at += 1 + data[at]  # the session's identity
    at += 3  # cipher suite and compression
    if at + 2 > len(data):
        return None
    end = min(len(data), at + 2 + _short(data, at))
    at += 2
    while at + 4 <= end:
        kind, size = _short(data, at), _short(data, at + 2)
        if kind == _KEY_SHARE:
            return _group(_short(data, at + 4))
        at += 4 + size
    return None


def read_named_curve(data):
    """The curve of a ServerKeyExchange (RFC 8422 section 5.4, with its header), or None for one of another kind."""
    # named_curve is 3. DHE begins with the length of its prime; where that begins with a 3 no known curve follows.
    return _GROUPS.get(_short(data, 5)) if data[4] == 3 else None


def context_for(certificate, key, permissive, watch):
    """A context for one handshake. certificate, key: paths or None. Raises ProbeError (request, client_certificate)."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    # What mail programs use is OpenSSL's list, which Python narrows down.
    _try_ciphers(context, PERMISSIVE if permissive else "DEFAULT")
    if permissive:
        context.options |= _LEGACY_SERVER_CONNECT
        if hasattr(ssl, "TLSVersion"):
            context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
        else:
            context.options &= ~(ssl.OP_NO_TLSv1 | ssl.OP_NO_TLSv1_1)
    if certificate:
        try:
            # An empty password, because OpenSSL would ask the terminal for that of an encrypted key.
            context.load_cert_chain(certificate, key, password=lambda: "")
        except (OSError, ValueError) as exc:  # ssl.SSLError is one too
            raise ProbeError("request", "client_certificate", "client_certificate: " + text_of(exc), errno_name(exc))
    watch.attach(context)
    return context


def _try_ciphers(context, wanted):
    try:
        context.set_ciphers(wanted)
    except ssl.SSLError:
        pass  # not OpenSSL, or one older than security levels


def handshake(wire, context, server_name, watch, certificate):
    """Put TLS on a Wire in its step. Returns the `tls` of a path (dict). Raises ProbeError of the wire's stage."""
    if wire.buffer:
        # RFC 3207 section 6: what came in the clear could be taken for what comes over TLS (CVE-2011-0411).
        raise ProbeError(wire.stage, "injected", "the server sent data in the clear behind its answer to STARTTLS")
    code = wire.limit()
    try:
        # Python counts the time limit over the whole handshake.
        wire.sock = context.wrap_socket(wire.sock, server_hostname=server_name)
    except (OSError, ValueError) as exc:  # socket.timeout, ssl.SSLError and ssl.CertificateError are among these
        raise failure(exc, wire.stage, code, watch.requested and not certificate)
    cipher = wire.sock.cipher() or (None, None, None)
    return {
        "protocol": wire.sock.version(),
        "cipher": cipher[0],
        "bits": cipher[2],
        "server_name": server_name,
        "client_certificate_requested": watch.requested if watch.heard else None,
        "key_exchange": key_exchange(cipher[0], wire.sock.version()),
        "group": watch.group,
        "permissive": False,
    }


def key_exchange(cipher, protocol):
    """The key exchange that a cipher's name (OpenSSL's) says; None for TLS 1.3, whose ciphers do not say it."""
    if not cipher or protocol == "TLSv1.3":
        return None
    first = cipher.split("-")[0]
    first = {"EDH": "DHE", "EECDH": "ECDHE"}.get(first, first)
    return first if first in ("ECDHE", "DHE", "ADH", "AECDH", "ECDH", "DH", "PSK", "SRP", "RSAPSK", "DHEPSK") else "RSA"


def failure(exc, stage, code, certificate_wanted):
    """The ProbeError for a failed handshake, or for what an alert after it says.

    code: what running out of time is called. certificate_wanted: the server asked for a certificate and got none.
    """
    reason = getattr(exc, "reason", None) or ""
    of_tls = isinstance(exc, ssl.SSLError)
    number = exc.errno if isinstance(exc, OSError) and not of_tls else None
    if isinstance(exc, socket.timeout) or number == errno.ETIMEDOUT:
        return ProbeError(stage, code, "the handshake did not end in time")
    if isinstance(exc, (ssl.SSLEOFError, ssl.SSLZeroReturnError)) or number == 0:
        return ProbeError(stage, "closed", "the server closed the connection")
    if isinstance(exc, OSError) and not of_tls and code_of(number) != "error":
        return ProbeError(stage, code_of(number), text_of(exc), errno_name(exc))
    found = next((name for name, pattern in _REASONS if re.search(pattern, reason)), "protocol")
    if found in ("no_shared_cipher", "certificate") and certificate_wanted:
        # Up to TLS 1.2 there is no alert of its own for it: OpenSSL sends handshake_failure, others that it is a bad one.
        found = "client_certificate_required"
    return ProbeError(stage, found, reason.replace("_", " ").lower() or plain(exc))
