# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""The certificates that this host itself presents, as files. Private keys are compared here and never leave the host."""

import base64
import os
import re
import stat

from ansible_collections.mailops.tls.plugins.module_utils._probe.base import ProbeError, Timer
from ansible_collections.mailops.tls.plugins.module_utils._probe.keypair import belong, belong_apart, form, sections
from ansible_collections.mailops.tls.plugins.module_utils._probe.maincf import parameters
from ansible_collections.mailops.tls.plugins.module_utils._probe.openssl import by_system_store
from ansible_collections.mailops.tls.plugins.module_utils._probe.store import read_file

MAX_FILE = 1 << 20
MAX_CHAIN = 20
MAX_IDENTITIES = 16
# postconf(5): the files of smtp_tls_chain_files take precedence over all the others of the same side.
SIDES = ("smtp", "smtpd")
KINDS = ("cert", "eccert", "dcert")


def identity(job):
    """Answer an `identity`. Raises ProbeError."""
    job.enter("read")
    found, postfix = [], None
    if job.options["certificate"]:
        found += _of_files(["option"], job.options["certificate"], job.options["key"])
    if job.options["main_cf"]:
        postfix, named = _postfix(job.options["main_cf"])
        found += named
    found = _without_repetition(found)
    job.put(postfix=postfix)
    job.put_bulk(truncated=len(found) > MAX_IDENTITIES)
    done = []
    for one in found[:MAX_IDENTITIES]:
        done.append(one.answer(job))
        job.put_bulk(identities=list(done))


class _Identity(object):
    """A private key and the certificates that follow it, as a configuration puts them together."""

    def __init__(self, used_by, certificate=None):
        self.used_by = used_by
        self.certificate = certificate
        self.blocks = []
        self.form = None
        self.error = None
        self.text = None
        self.key = {"path": None, "mode": None, "owner": None, "group": None, "encrypted": None, "error": None}
        self.several = False
        # Whether another key, or certificates of another key, stand in the same files.
        self.mixed = False

    @property
    def settled(self):
        """Whether certificates, or the reason why there are none, are known."""
        return bool(self.blocks or self.error or self.form)

    def take_key(self, path, status, section):
        """The key of a Section, from the file `path`."""
        self.text = section.text
        mode = "%04o" % stat.S_IMODE(status.st_mode)
        self.key.update(
            path=path, mode=mode, owner=_owner(status.st_uid), group=_group(status.st_gid), encrypted=section.encrypted
        )

    def take_certificates(self, path, section):
        """The certificates of a Section, from the file `path`, or more of them."""
        if self.error and self.text is not None:
            return  # what comes between the key and these could not be read
        if not self.blocks:
            self.certificate, self.error, self.form = path, None, None
        self.blocks += section.blocks

    def lack_key(self, path, error=None):
        """There is no key in the file `path`; error: why it was not read, or None."""
        message = "holds no private key in PEM"
        self.key.update(path=path, error=error or {"stage": "read", "code": "error", "errno": None, "message": message})

    def answer(self, job):
        """As it goes into the answer (dict)."""
        matches, message = self._compare(max(0.01, Timer(job.run, job.options["timeout"]).left()))
        chain, error = [], self.error
        for block in self.blocks[:MAX_CHAIN]:
            if not job.run.reserve(len(block.der)):
                error = _error(ProbeError("read", "budget", "max_total_bytes is used up"))
                break
            chain.append(block.der)
        return {
            "used_by": self.used_by,
            "certificate": self.certificate or self.key["path"],
            "chain": [base64.b64encode(der).decode("ascii") for der in chain],
            "form": self.form,
            "key": self.key,
            "key_matches": matches,
            "key_message": message,
            "trust": by_system_store(job.run, chain, job.options["timeout"]),
            "error": error,
        }

    def _compare(self, seconds):
        if self.several:
            return None, "the file holds several private keys"
        if self.key["encrypted"]:
            return None, "the private key is encrypted"
        if self.text is None or not self.blocks:
            return None, None
        if self.mixed:
            return belong_apart(self.blocks[0], self.text, seconds)
        return belong(self.certificate, self.key["path"])


def _without_repetition(found):
    """Both sides of Postfix mostly use the same files: each identity once, with everybody who uses it."""
    kept = {}
    for one in found:
        place = (one.certificate, one.key["path"], one.text, tuple(block.sha256 for block in one.blocks))
        if place in kept:
            kept[place].used_by += one.used_by
        else:
            kept[place] = one
    return list(kept.values())


# --- what a configuration names


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
    name = "%s_tls_chain_files" % side
    if settings.get(name):
        paths = [path for path in re.split(r"[,\s]+", settings[name]) if path and path != "none"]
        return _of_chain_files(["postfix:" + name], paths[: 2 * MAX_IDENTITIES])
    found = []
    for kind in KINDS:
        certificate = settings.get("%s_tls_%s_file" % (side, kind))
        if certificate and certificate != "none":
            key = settings.get("%s_tls_%s_file" % (side, kind.replace("cert", "key")))
            found += _of_files(["postfix:%s_tls_%s_file" % (side, kind)], certificate, key)
    return found


def _of_chain_files(used_by, paths):
    """postconf(5): several files are the same as one that is joined from them in that order, and a key comes before its
    certificates. So a key may have a file of its own before that of its certificates, and intermediates one behind it.
    """
    found, mixed, useless = [], set(), []
    for path in paths:
        data, status, error = _read(path)
        parts = sections(data)
        for section in parts:
            if section.text is not None or not found:
                found.append(_Identity(list(used_by)))
                if section.text is not None:
                    found[-1].take_key(path, status, section)
                else:
                    found[-1].lack_key(path)
            if section.blocks:
                found[-1].take_certificates(path, section)
        mixed.update([path] if len(parts) > 1 else [])
        if error:
            _note_unread(found, used_by, path, error)
        elif not parts:
            useless.append((path, form(data)))
    if not found:
        # Beside others Postfix passes over a file with nothing in PEM.
        found = [_useless(used_by, path, what) for path, what in useless[:1]]
    for one in found:
        one.mixed = bool(mixed & {one.certificate, one.key["path"]})
        # The last word on a key that nothing follows.
        one.form = one.form or (None if one.settled else "key")
    return found


def _note_unread(found, used_by, path, error):
    """A file in the list that cannot be read. A key that waits for its certificates is not at fault."""
    if not found or found[-1].settled:
        found.append(_Identity(list(used_by)))
        found[-1].lack_key(path, error)
    found[-1].certificate, found[-1].error = path, error


def _useless(used_by, path, what):
    one = _Identity(list(used_by), path)
    one.lack_key(path)
    one.form = what
    return one


def _of_files(used_by, certificate, key):
    """A certificate with its key, each in its file or both in one, in any order."""
    data, status, error = _read(certificate)
    parts = sections(data)
    keys = [section for section in parts if section.text is not None]
    if not key and len(keys) > 1:
        return _of_chain_files(used_by, [certificate])
    one = _Identity(list(used_by), certificate)
    one.blocks = [block for section in parts for block in section.blocks]
    one.error = error
    if not error and not one.blocks:
        one.form = "key" if keys else form(data)
    path = key or certificate
    if key and key != certificate:
        data, status, error = _read(key)
        keys = [section for section in sections(data) if section.text is not None]
    if keys:
        one.take_key(path, status, keys[0])
        one.several = len(keys) > 1
    else:
        one.lack_key(path, error)
    return [one]


def _read(path):
    """(bytes, stat result, None), or (no bytes, None, what went wrong)."""
    try:
        return read_file(path, MAX_FILE) + (None,)
    except ProbeError as exc:
        return b"", None, _error(exc)


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
