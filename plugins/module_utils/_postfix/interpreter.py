# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""The interpreter for the policy server on this host, tried with a question."""

import os
import re
import stat
import sys

from ansible_collections.mailops.tls.plugins.module_utils._postfix import policy_server, service, system

#: The operating system's own come first: a virtual environment that Ansible uses may go, and mail must not depend on it.
CANDIDATES = ("/usr/bin/python3", "/usr/libexec/platform-python", sys.executable)
QUESTION = b"request=smtpd_access_policy\nccert_subject=a.example\npolicy_context=OK a.example\n\n"


def source():
    """The text of the policy server (str), from the archive that Ansible sends or from a file."""
    return policy_server.__loader__.get_source(policy_server.__name__)


def find(folder, candidates=CANDIDATES):
    """The service.Service of this host, with its script in `folder`. Raises PostfixError where nobody could run it."""
    closed = _closed(folder if os.path.isdir(folder) else os.path.dirname(folder))
    if closed:
        raise system.PostfixError(
            "names: the policy server runs as nobody, who cannot get to %s: %s is not open to all" % (folder, closed)
        )
    text, tried = source(), []
    for python in candidates:
        reason = _unfit(python, text)
        if not reason:
            return service.service(python, folder, text)
        tried.append("%s %s" % (python, reason))
    raise system.PostfixError(
        "names: no interpreter on this host can run the policy server (Python 3.6 or later): %s" % "; ".join(tried)
    )


def _closed(path):
    """The first directory or file on the way to `path` that is not for all to go through or to execute, or None."""
    for place in (path, os.path.realpath(path)):
        parts = place.split("/")
        for number in range(1, len(parts) + 1):
            part = "/".join(parts[:number]) or "/"
            if not os.stat(part).st_mode & stat.S_IXOTH:
                return part
    return None


def _unfit(python, text):
    """Why an interpreter cannot run the policy server (str), or None."""
    if not python or not re.match(r"/[A-Za-z0-9_./+-]+\Z", python):
        return "has a name that master.cf cannot have"
    try:
        closed = _closed(python)
    except OSError as error:
        return "is not there (%s)" % error.strerror
    if closed:
        return "is not for all to execute (%s)" % closed
    try:
        code, out, err = system.Tools({python: python}).run(python, "-I", "-c", text, keys=QUESTION)
    except system.PostfixError as error:
        return str(error)
    if (code, out) != (0, "action=OK\n\n"):
        return "does not run it: %s" % (err or out or "exit code %d" % code).strip()[-200:]
    return None
