# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""The certificates that this host itself presents, as files. Private keys are compared here and never leave the host."""

import base64
import os
import re
import ssl
import stat

from ansible_collections.mailops.tls.plugins.module_utils._probe.base import ProbeError
from ansible_collections.mailops.tls.plugins.module_utils._probe.maincf import parameters
from ansible_collections.mailops.tls.plugins.module_utils._probe.pem import scan
from ansible_collections.mailops.tls.plugins.module_utils._probe.store import read_file

MAX_FILE = 1 << 20
MAX_CHAIN = 20
MAX_IDENTITIES = 16
# postconf(5): the files of smtp_tls_chain_files take precedence over all the others of the same side.
SIDES = ("smtp", "smtpd")
KINDS = ("cert", "eccert", "dcert")
_KEY = re.compile(rb"^-----BEGIN (ENCRYPTED |RSA |EC |DSA )?PRIVATE KEY-----", re.M)


def identity(job):
    """Answer an `identity`. Raises ProbeError."""
    job.enter("read")
    wishes, postfix = [], None
    if job.options["certificate"]:
        wishes.append(_wish(["option"], job.options["certificate"], job.options["key"]))
    if job.options["main_cf"]:
        postfix, found = _postfix(job.options["main_cf"])
        wishes += found
    job.put(postfix=postfix)
    done, seen, lone_key = [], {}, None
    for wish in wishes[:MAX_IDENTITIES]:
        pair = (wish["certificate"], wish["key"]["path"], lone_key)
        if pair in seen:
            # Both sides of Postfix mostly use the same files.
            seen[pair]["used_by"] += wish["used_by"]
            continue
        seen[pair] = wish
        _look(job, wish, lone_key)
        # postconf(5): in a list of chain files a key may have a file of its own, before that of its certificates.
        alone = not wish["chain"] and not wish["error"] and not wish["key"]["error"]
        lone_key = wish["key"]["path"] if alone else None
        if not alone:
            done.append(wish)
        job.put_bulk(identities=list(done))


def _wish(used_by, certificate, key):
    return {
        "used_by": used_by,
        "certificate": certificate,
        "chain": [],
        "key": {"path": key or certificate, "mode": None, "owner": None, "group": None, "encrypted": None, "error": None},
        "key_matches": None,
        "key_message": None,
        "error": None,
    }


def _postfix(path):
    """(what is told of main.cf, list of identities that it names)."""
    names = ["%s_tls_chain_files" % side for side in SIDES]
    names += ["%s_tls_%s_file" % (side, what) for side in SIDES for kind in KINDS for what in (kind, kind.replace("cert", "key"))]
    try:
        data, _status = read_file(path, MAX_FILE)
    except ProbeError as exc:
        return (None, []) if exc.code == "missing" else ({"path": path, "parameters": {}, "error": _error(exc)}, [])
    settings = parameters(data.decode("utf-8", "replace"), os.path.dirname(path), names)
    settings = {name: value for name, value in settings.items() if value != ""}
    found = []
    for side in SIDES:
        found += _of_side(side, settings)
    return {"path": path, "parameters": settings, "error": None}, found


def _of_side(side, settings):
    chain_files = settings.get("%s_tls_chain_files" % side)
    if chain_files:
        used_by = ["postfix:%s_tls_chain_files" % side]
        return [_wish(used_by, name, None) for name in re.split(r"[,\s]+", chain_files) if name and name != "none"]
    found = []
    for kind in KINDS:
        certificate = settings.get("%s_tls_%s_file" % (side, kind))
        if certificate and certificate != "none":
            key = settings.get("%s_tls_%s_file" % (side, kind.replace("cert", "key")))
            found.append(_wish(["postfix:%s_tls_%s_file" % (side, kind)], certificate, key))
    return found


def _look(job, wish, lone_key):
    """Read what a wish names, with the key of the file before it if there is one. What goes wrong is told in it."""
    try:
        data, _status = read_file(wish["certificate"], MAX_FILE)
        blocks = scan(data)[0][:MAX_CHAIN]
        for block in blocks:
            if not job.run.reserve(len(block.der)):
                raise ProbeError("read", "budget", "max_total_bytes is used up")
            wish["chain"].append(base64.b64encode(block.der).decode("ascii"))
    except ProbeError as exc:
        wish["error"] = _error(exc)
    if lone_key:
        wish["key"]["path"] = lone_key
    _look_at_key(wish)


def _look_at_key(wish):
    key = wish["key"]
    try:
        data, status = read_file(key["path"], MAX_FILE)
    except ProbeError as exc:
        key["error"] = _error(exc)
        return
    match = _KEY.search(data)
    key.update(mode="%04o" % stat.S_IMODE(status.st_mode), owner=_owner(status.st_uid), group=_group(status.st_gid))
    if not match:
        key["error"] = {"stage": "read", "code": "error", "errno": None, "message": "holds no private key in PEM"}
        return
    key["encrypted"] = match.group(1) == b"ENCRYPTED " or b"Proc-Type: 4,ENCRYPTED" in data
    if len(_KEY.findall(data)) > 1:
        wish["key_message"] = "the file holds several private keys"
    elif key["encrypted"]:
        wish["key_message"] = "the private key is encrypted"
    elif wish["chain"]:
        wish["key_matches"], wish["key_message"] = _matches(wish["certificate"], key["path"])


def _matches(certificate, key):
    """(whether the private key belongs to the first certificate or None, OpenSSL's word for why not)."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        context.load_cert_chain(certificate, key, password=lambda: "")
    except ssl.SSLError as exc:
        reason = getattr(exc, "reason", None) or "error"
        return (False, reason) if reason in ("KEY_VALUES_MISMATCH", "KEY_TYPE_MISMATCH") else (None, reason)
    except (OSError, ValueError) as exc:
        return None, type(exc).__name__
    return True, None


def _owner(number):
    try:
        import pwd  # noqa: PLC0415 - POSIX only

        return pwd.getpwuid(number).pw_name
    except (ImportError, KeyError):
        return str(number)


def _group(number):
    try:
        import grp  # noqa: PLC0415 - POSIX only

        return grp.getgrgid(number).gr_name
    except (ImportError, KeyError):
        return str(number)


def _error(exc):
    return {"stage": exc.stage, "code": exc.code, "errno": exc.errno_name, "message": exc.message}
