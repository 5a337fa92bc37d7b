# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""A chain verified by the host's own `openssl verify`, which is what its mail software would make of it.

Nothing is written: the certificate goes in through standard input, the others through pipes.
"""

import base64
import os
import re
import threading

from ansible_collections.mailops.tls.plugins.module_utils._probe.base import Timer, plain
from ansible_collections.mailops.tls.plugins.module_utils._probe.command import converse

_PROGRAM = "openssl"
_ERROR = re.compile(r"^error (\d+) at (\d+) depth lookup: ?(.*)$", re.MULTILINE)
_OK = re.compile(r"^stdin: OK$", re.MULTILINE)
_VERSION = re.compile(r"^(OpenSSL|LibreSSL) (\d+)\.(\d+)")
_NOWHERE = "/nonexistent"
_LOCK = threading.Lock()
_KNOWN = {}


def verify(
    leaf_der,
    untrusted_ders,
    ca_file=None,
    ca_path=None,
    purpose=None,
    hostname=None,
    at=None,
    timeout=5.0,
    ca_ders=None,
    partial=False,
):
    """What `openssl verify` says about a certificate. Returns a dict; raises nothing for what a certificate may hold.

    leaf_der: the certificate (bytes, DER). untrusted_ders: those that a server would send with it (list of bytes).
    ca_file, ca_path: the store (paths); where one is given, nothing else is trusted; with neither, OpenSSL's own default
    is. ca_ders: certificates to trust instead of any store (list of bytes). partial: whether any of what is trusted ends the
    chain, not only one that is signed by itself. purpose: as openssl words it (`sslserver`), or
    None. hostname: the name to find in the certificate, or None. at: UNIX time to verify for, or None for now. timeout:
    seconds.

    ok: True, False, or None where openssl is missing or could not do it. code: X509_V_ERR number of the first error, or
    None. message: its text, or why there is no verdict. version: first line of `openssl version`, or None.
    errors: all that were told, as {code, depth, message}, depth 0 being the certificate itself.
    """
    result = {"ok": None, "code": None, "message": "", "version": None, "errors": []}
    version = _version(timeout)
    if not version["text"]:
        return dict(result, message=version["message"])
    result["version"] = version["text"]
    pipes = [("-untrusted", pem(untrusted_ders))] if untrusted_ders else []
    pipes += [("-CAfile", pem(ca_ders))] if ca_ders is not None else []
    chosen = bool(ca_file or ca_path or ca_ders is not None)

    def command(*paths):
        line = [_PROGRAM, "verify"] + _options(version, ca_file, ca_path, ca_ders is not None)
        for number, path in enumerate(paths):
            line += [pipes[number][0], path]
        line += ["-partial_chain"] if partial else []
        line += ["-purpose", purpose] if purpose else []
        line += ["-verify_hostname", hostname] if hostname else []
        return line + (["-attime", "%d" % at] if at is not None else [])

    status, output, message = converse(command, pem([leaf_der]), [data for _option, data in pipes], _environment(chosen), timeout)
    if status is None:
        return dict(result, message=message)
    return dict(result, **_verdict(status, output))


def by_system_store(run, chain, seconds):
    """What the host's openssl says about a chain (list of DER, the leaf first) with the store it uses by itself (dict), or
    None where there is no chain. seconds: at most, and no longer than the Run lasts."""
    if not chain:
        return None
    said = verify(chain[0], chain[1:], timeout=max(0.01, Timer(run, seconds).left()))
    return dict({key: said[key] for key in ("ok", "code", "message", "version")}, tool="openssl verify")


def pem(ders):
    """Certificates (list of DER) as PEM (bytes)."""
    return b"".join(b"-----BEGIN CERTIFICATE-----\n" + base64.encodebytes(der) + b"-----END CERTIFICATE-----\n" for der in ders)


def _verdict(status, output):
    errors = [
        {"code": int(code), "depth": int(depth), "message": plain(text)} for code, depth, text in _ERROR.findall(output)[:10]
    ]
    if errors:
        return {"ok": False, "code": errors[0]["code"], "message": errors[0]["message"], "errors": errors}
    if status == 0 and _OK.search(output):
        return {"ok": True, "message": "OK"}
    lines = [line for line in output.splitlines() if line.strip()]
    return {"message": plain(lines[0]) if lines else "openssl ended with status %d" % status}


def _options(version, ca_file, ca_path, given):
    """The options that make one store the only one. OpenSSL adds its default directory to a file, and the other way."""
    options = (["-CAfile", ca_file] if ca_file else []) + (["-CApath", ca_path] if ca_path else [])
    if (options or given) and version["number"] >= (1, 1):
        options += [] if ca_file or given else ["-no-CAfile"]
        options += [] if ca_path else ["-no-CApath"]
        options += ["-no-CAstore"] if version["number"] >= (3, 0) else []
    return options


def _environment(chosen):
    """Surroundings for openssl. For one chosen store the defaults lead nowhere, also where openssl has no option for it."""
    environment = dict(os.environ)
    if chosen:
        environment.update(SSL_CERT_FILE=_NOWHERE, SSL_CERT_DIR=_NOWHERE)
    return environment


def _version(timeout):
    """{text, number, message} of the host's openssl, asked once per process; `text` is None where there is none."""
    with _LOCK:
        if "version" not in _KNOWN:
            status, output, message = converse([_PROGRAM, "version"], timeout=timeout)
            text = plain(output.splitlines()[0].partition(" (")[0]) if status == 0 and output.strip() else None
            found = _VERSION.match(text or "")
            # LibreSSL counts for itself, and has none of the options that came with OpenSSL 1.1.
            number = (int(found.group(2)), int(found.group(3))) if found and found.group(1) == "OpenSSL" else (0, 0)
            answer = {"text": text, "number": number, "message": message or "openssl version gave no answer"}
            if status is None and not message.startswith("openssl: "):
                return answer  # too slow this time; it may do better the next
            _KNOWN["version"] = answer
        return _KNOWN["version"]
