# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""TLS on a connected socket: what the host's own OpenSSL says, and the certificates presented."""

import base64
import errno
import os
import re
import socket
import ssl
import subprocess
import threading
import time

from ansible_collections.mailops.tls.plugins.module_utils._probe.base import ProbeError, Timer, errno_name, plain, text_of

_NOT_TLS = re.compile(
    "WRONG_VERSION|UNSUPPORTED_PROTOCOL|HTTP_REQUEST|UNKNOWN_PROTOCOL|NO_PROTOCOLS|HTTPS_PROXY|RECORD|PACKET_LENGTH"
)
_PEM = re.compile(b"-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\r\n]+)-----END CERTIFICATE-----")
_MAX_CHAIN = 20
_MAX_OUTPUT = 1 << 20


def verifying_context(run, ca_path):
    """The context that trusts what the host trusts, or only `ca_path` (a file or a hashed directory)."""

    def make():
        # Not create_default_context: that writes key logs where SSLKEYLOGFILE says, and from 3.13 on is stricter than
        # OpenSSL itself, so that hosts would differ by their Python.
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        if ca_path is None:
            context.load_default_certs(ssl.Purpose.SERVER_AUTH)
        else:
            context.load_verify_locations(**{"capath" if os.path.isdir(ca_path) else "cafile": ca_path})
        return context

    try:
        return run.once(("context", ca_path), make)
    except OSError as exc:  # ssl.SSLError is one too
        raise ProbeError("tls", "error", "ca_path: " + text_of(exc), errno_name(exc))


def observing_context(run):
    """The context that takes whatever is presented, weak keys and old versions included: they are to be reported."""

    def make():
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        try:
            context.set_ciphers("DEFAULT:@SECLEVEL=0")
        except ssl.SSLError:
            pass  # not OpenSSL, or one older than security levels
        return context

    return run.once(("context", "observing"), make)


def handshake(wire, context, server_name):
    """Put TLS on a Wire. Returns the `tls` of a hop (dict, chain not yet filled in). Raises ProbeError of stage tls.

    server_name: for SNI and the verification, or None.
    """
    wire.stage = "tls"
    if wire.buffer:
        raise ProbeError("tls", "protocol", "the server sent data before the handshake")
    code = wire.limit()
    try:
        # Python counts the time limit over the whole handshake.
        wire.sock = context.wrap_socket(wire.sock, server_hostname=server_name)
    except (socket.timeout, ssl.SSLError, ssl.CertificateError, OSError, ValueError) as exc:
        raise _failure(exc, code)
    verified = True if context.verify_mode == ssl.CERT_REQUIRED else None
    cipher = wire.sock.cipher()
    return {
        "version": wire.sock.version(),
        "cipher": cipher[0] if cipher else None,
        "verified": verified,
        "verify_message": None,
        "chain": [],
        "chain_source": None,
    }


def _failure(exc, code):
    """The ProbeError for a failed handshake."""
    reason = getattr(exc, "reason", None) or ""
    number = exc.errno if isinstance(exc, OSError) and not isinstance(exc, ssl.SSLError) else None
    if isinstance(exc, socket.timeout) or number == errno.ETIMEDOUT:
        return ProbeError("tls", code, "the handshake did not end in time")
    if reason == "CERTIFICATE_VERIFY_FAILED" or isinstance(exc, ssl.CertificateError):
        return ProbeError("tls", "verify_failed", getattr(exc, "verify_message", "") or plain(exc))
    if isinstance(exc, (ssl.SSLEOFError, ssl.SSLZeroReturnError, ConnectionError)) or "EOF" in reason or number == 0:
        return ProbeError("tls", "reset", text_of(exc), errno_name(exc))
    if "ALERT" in reason:
        return ProbeError("tls", "alert", reason.replace("_", " ").lower())
    if _NOT_TLS.search(reason):
        return ProbeError("tls", "protocol", reason.replace("_", " ").lower())
    return ProbeError("tls", "error", text_of(exc), errno_name(exc) if number else None)


def presented(sock):
    """(DER certificates, leaf first; where they come from) of a finished handshake."""
    if hasattr(sock, "get_unverified_chain"):  # 3.13
        return list(sock.get_unverified_chain())[:_MAX_CHAIN], "python"
    inner = getattr(sock, "_sslobj", None)
    if hasattr(inner, "get_unverified_chain"):  # 3.10 to 3.12
        import _ssl  # noqa: PLC0415 - private, and absent where nothing asks for it

        chain = inner.get_unverified_chain() or []
        return [cert.public_bytes(_ssl.ENCODING_DER) for cert in chain[:_MAX_CHAIN]], "python_private"
    leaf = sock.getpeercert(True)
    return ([leaf] if leaf else []), "leaf_only"


def by_openssl(run, seconds, address, port, server_name, starttls, ehlo_name, proxy, options=()):
    """The chain as `openssl s_client -showcerts` sees it (list of DER), empty where that cannot be had.

    proxy: host:port, or None. Never called with credentials: they would show in the process list. options: more of
    s_client's options (list of str).
    """
    timer = Timer(run, seconds)
    # The process must be gone before the run ends: nobody would be left to end it.
    left = min(timer.left(), run.ends - time.monotonic() - 0.3)
    if left <= 0:
        return []
    target = "[%s]:%d" % (address, port) if ":" in address else "%s:%d" % (address, port)
    command = ["openssl", "s_client", "-showcerts", "-connect", target]
    command += ["-servername", server_name] if server_name else []
    command += ["-starttls", starttls] if starttls else []
    command += ["-name", ehlo_name] if starttls and ehlo_name else []
    command += (["-proxy", proxy] if proxy else []) + list(options)
    try:
        # AnsibleModule.run_command has no time-out, and must not be used in threads.
        # pylint: disable-next=ansible-bad-function
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    except OSError:
        return []
    with process:
        watchdog = threading.Timer(left, process.kill)
        watchdog.daemon = True
        watchdog.start()
        try:
            process.stdin.write(b"Q\n")
            process.stdin.flush()
            output = process.stdout.read(_MAX_OUTPUT)  # bounded: the server decides what else comes
        except OSError:
            output = b""
        finally:
            watchdog.cancel()
            process.kill()
    return [base64.b64decode(block) for block in _PEM.findall(output)[:_MAX_CHAIN]]


def encode(chain):
    """DER certificates as they go into an answer."""
    return [base64.b64encode(der).decode("ascii") for der in chain]
