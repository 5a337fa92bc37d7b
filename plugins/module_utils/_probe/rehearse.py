# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""Chains verified by the host's own software before any server presents them.

openssl verifies against stores of PEM. What Java trusts is told by its own keytool, and openssl verifies against that;
keytool itself verifies nothing that it does not also import. For NSS its own vfychain is asked, which, unlike certutil -V,
needs no certificate to be put into the database. Nothing is changed, and passwords of keystores stay on the controller.
"""

import base64
import os
import re
import shutil
import tempfile
import time

from ansible_collections.mailops.tls.plugins.module_utils._probe.base import ProbeError, plain
from ansible_collections.mailops.tls.plugins.module_utils._probe.command import converse
from ansible_collections.mailops.tls.plugins.module_utils._probe.discover import postfix_stores
from ansible_collections.mailops.tls.plugins.module_utils._probe.openssl import verify
from ansible_collections.mailops.tls.plugins.module_utils._probe.store import first_existing, only_match, read_file

_MAX_BUNDLE = 8388608
_MAX_LISTING = 8388608
# X509_V_ERR_INVALID_PURPOSE. A CA certificate is no certificate of a server; that says nothing about the trust in it.
_NO_SERVER = 26
# An entry of `keytool -list -rfc`. Those of private keys hold certificates too, which Java does not trust.
_TRUSTED = re.compile(r"^Entry type: trustedCertEntry\s+-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END", re.MULTILINE)
_PICKED_UP = re.compile(r"^(?:NOTE: )?Picked up [A-Z_]+:.*\n?", re.MULTILINE)
_NSS_ERROR = re.compile(r"^\s*ERROR (-?\d+): (.*)$", re.MULTILINE)
_NSS_USAGE = {"server": "1", "ca": "3"}


def rehearse(job):
    """Answer a `rehearse`. Raises ProbeError."""
    job.enter("rehearse")
    stores = [dict(store, used_by=[]) for store in job.options["stores"]]
    postfix, found = postfix_stores(job)
    for kind, path, used_by in found:
        stores.append({"id": None, "type": kind, "paths": [path], "patterns": False, "used_by": used_by})
    if postfix is not None:
        job.put(appends_default=postfix["parameters"].get("tls_append_default_CA") == "yes")
    results, seen = [], {}
    for store in stores:
        results.extend(_in_store(job, store, seen))
        # A copy each time: what was handed over may already be on its way.
        job.put(results=[dict(result) for result in results])


def _in_store(job, store, seen):
    """One result per chain. One of Postfix that was named too, or by two of its settings, is the same store."""
    facts = {"store": store["id"], "type": store["type"], "path": None, "used_by": store["used_by"]}
    try:
        path = (only_match if store["patterns"] else first_existing)(store["paths"])
        facts["path"] = path
        key = (store["type"], os.path.realpath(path))
        if key in seen and store["id"] is None:
            for result in seen[key]:
                result["used_by"] = result["used_by"] + store["used_by"]
            return []
        judge = _JUDGES[store["type"]](job, path)
        seen[key] = [dict(facts, chain=chain["id"], **_ask(job, judge, chain)) for chain in job.options["chains"]]
        return seen[key]
    except ProbeError as exc:
        reason = _no_verdict(exc.message if exc.stage == "rehearse" else "%s: %s" % (exc.code, exc.message))
        return [dict(facts, chain=chain["id"], **reason) for chain in job.options["chains"]]


def _ask(job, judge, chain):
    left = min(job.options["timeout"], job.run.ends - time.monotonic() - 0.3)
    if left <= 0:
        return _no_verdict("the run's time was over")
    return judge(chain, left)


def _no_verdict(message, **more):
    return dict({"tool": None, "ok": None, "code": None, "message": plain(message), "version": None}, **more)


def _openssl(chain, seconds, tool="openssl verify", **store):
    """The verdict of openssl as a server's certificate is verified, also for a CA: its trust may be limited by use."""
    said = verify(chain["certificate"], chain["untrusted"], purpose="sslserver", timeout=seconds, **store)
    errors = said.pop("errors")
    if chain["kind"] == "ca" and errors and all((item["code"], item["depth"]) == (_NO_SERVER, 0) for item in errors):
        said.update(ok=True, code=None, message="OK")
    return dict(said, tool=tool)


def _pem_file(_job, path):
    # Read once here: what is no plain file of a sensible size is not handed to a program.
    read_file(path, _MAX_BUNDLE)
    return lambda chain, seconds: _openssl(chain, seconds, ca_file=path)


def _pem_directory(_job, path):
    if not os.path.isdir(path):
        raise ProbeError("read", "not_a_directory", "not a directory")
    return lambda chain, seconds: _openssl(chain, seconds, ca_path=path)


def _java(job, path):
    """What Java itself lists as trusted, without a password."""
    read_file(path, _MAX_BUNDLE)
    own = re.sub(r"(/jre)?/lib/security/[^/]+\Z", "/bin/keytool", os.path.realpath(path))
    program = own if os.path.isfile(own) and os.access(own, os.X_OK) else "keytool"
    # The language decides the words that are looked for. Without a password keytool reads all the same what is not encrypted.
    command = [program, "-J-Duser.language=en", "-list", "-rfc", "-keystore", path]
    left = min(max(job.options["timeout"], 10.0), job.run.ends - time.monotonic() - 0.3)
    status, output, message = converse(command, b"\n", timeout=left, most=_MAX_LISTING)
    # A JVM repeats the variables that give it options, and a password can be among those.
    output = _PICKED_UP.sub("", output)
    found = [base64.b64decode("".join(block.split())) for block in _TRUSTED.findall(output)]
    if found:
        return lambda chain, seconds: _openssl(chain, seconds, "keytool -list, openssl verify", ca_ders=found)
    if status == 0:
        message = "keytool lists nothing without the keystore's password, which does not travel"
    elif status is not None:
        message = "keytool: " + (output.strip().splitlines() or ["no answer"])[-1]
    raise ProbeError("rehearse", "error", message)


def _nss(job, path):
    directory = path if os.path.isdir(path) else os.path.dirname(path)
    if shutil.which("vfychain") is None:
        raise ProbeError("rehearse", "error", "vfychain of the tools of NSS is not installed")
    return lambda chain, seconds: _vfychain(job, directory, chain, seconds)


def _vfychain(job, directory, chain, seconds):
    """NSS reads no pipes, so the certificates are in files without a name, in the directory that Ansible removes anyway."""
    files = []
    try:
        for der in [chain["certificate"]] + chain["untrusted"]:
            stream = tempfile.TemporaryFile(dir=job.run.scratch())  # noqa: SIM115 - several at once, closed below
            files.append(stream)
            stream.write(der)
            stream.flush()
        start = ["vfychain", "-d", "sql:" + directory, "-u", _NSS_USAGE[chain["kind"]], "-pp"]
        status, output, message = converse(
            lambda *paths: start + [word for path in paths for word in ("-r", path)], timeout=seconds, files=files
        )
    except OSError as exc:
        return _no_verdict("the certificates could not be handed to NSS: %s" % exc.strerror, tool="vfychain")
    finally:
        for stream in files:
            stream.close()
    said = _no_verdict(message or output.strip() or "vfychain gave no answer", tool="vfychain")
    if status == 0 and output.startswith("Chain is good!"):
        said.update(ok=True, message="OK")
    elif output.startswith("Chain is bad!"):
        error = _NSS_ERROR.search(output)
        said.update(ok=False, code=int(error.group(1)) if error else None, message=plain(error.group(2) if error else output))
    return said


_JUDGES = {"pem_file": _pem_file, "python": _pem_file, "pem_directory": _pem_directory, "java": _java, "nss": _nss}
