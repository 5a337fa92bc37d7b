# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""The stores that software of this host reads: in known places, and where Postfix, other programs and the environment point."""

import glob
import itertools
import os
import time

from ansible_collections.mailops.tls.plugins.module_utils._probe import store as reader
from ansible_collections.mailops.tls.plugins.module_utils._probe.base import ProbeError
from ansible_collections.mailops.tls.plugins.module_utils._probe.interpreters import certifi_stores
from ansible_collections.mailops.tls.plugins.module_utils._probe.maincf import parameters
from ansible_collections.mailops.tls.plugins.module_utils._probe.options import empty_answer
from ansible_collections.mailops.tls.plugins.module_utils._probe.programs import (
    environment_stores,
    program_stores,
    stores_with_passwords,
)

MAX_STORES = 32
MAX_MAIN_CF = 1 << 20
PROGRAM_SECONDS = 2.0
POSTFIX = ("smtp_tls_CAfile", "smtp_tls_CApath", "smtpd_tls_CAfile", "smtpd_tls_CApath")


class _Part(object):
    """One store of the answer, in the manner of a Job."""

    def __init__(self, job, kind, path, used_by):
        op = "file" if kind in ("java", "nss") else "store"
        self.run = job.run
        self.options = job.options
        self.fields = dict(empty_answer(op), type=kind, path=path, real_path=os.path.realpath(path), used_by=used_by, error=None)

    def put(self, **fields):
        """Set fields."""
        self.fields.update(self.run.scrub(fields))

    def put_bulk(self, **fields):
        """Set fields that hold no text of others."""
        self.fields.update(fields)

    def read(self):
        """Read the store; what goes wrong is told in its error."""
        kind = self.fields["type"]
        how = {"java": reader.send_file, "nss": reader.send_file, "pem_directory": reader.read_directory}.get(
            kind, reader.read_pem
        )
        try:
            how(self, self.fields["path"])
        except ProbeError as exc:
            self.put(error={"stage": exc.stage, "code": exc.code, "errno": exc.errno_name, "message": exc.message})


def discover(job):
    """Answer a `discover`. Raises ProbeError."""
    job.enter("read")
    # What mail software reads comes first: of the others there can be too many.
    postfix, wishes = postfix_stores(job)
    job.put(postfix=postfix)
    environ = job.run.environ
    if job.options["environment"]:
        wishes += list(environment_stores(environ))
        job.put(own_passwords=stores_with_passwords(environ))
    if job.options["programs"]:
        seconds = min(PROGRAM_SECONDS, job.run.ends - time.monotonic())
        programs, named = program_stores(environ, job.options["gitconfig"], seconds)
        job.put(programs=programs)
        wishes += named
    wishes += list(_places(job.options["places"]))
    if job.options["interpreters"]:
        wishes += list(certifi_stores(environ))
    found = {}
    for kind, path, used_by in wishes:
        key = (kind, os.path.realpath(path))
        if key in found:
            found[key].fields["used_by"].extend(used_by)
        elif len(found) < MAX_STORES:
            found[key] = _Part(job, kind, path, list(used_by))
        else:
            job.put(truncated=True)
    done = []
    for part in found.values():
        part.read()
        done.append(part.fields)
        # A copy each time: what was handed over may already be on its way.
        job.put_bulk(stores=list(done))


def _places(places):
    """(type, path, nobody in particular) for each file that a pattern matches."""
    for place in places:
        for pattern in place["patterns"]:
            for path in itertools.islice(glob.iglob(pattern), reader.MAX_MATCHES):
                yield place["type"], path, []


def postfix_stores(job):
    """What main.cf says (dict, None without one), and the stores that it names."""
    path = job.options["main_cf"]
    if path is None:
        return None, []
    try:
        data = reader.read_file(path, MAX_MAIN_CF)[0]
    except ProbeError as exc:
        if exc.code == "missing":
            return None, []
        return {"path": path, "parameters": {}, "error": exc.code}, []
    said = parameters(data.decode("utf-8", "replace"), os.path.dirname(path), POSTFIX + ("tls_append_default_CA",))
    stores = []
    for name in POSTFIX:
        if (said.get(name) or "").startswith("/"):
            kind = "pem_directory" if name.endswith("CApath") else "pem_file"
            stores.append((kind, said[name], ["postfix:" + name]))
    return {"path": path, "parameters": said, "error": None}, stores
