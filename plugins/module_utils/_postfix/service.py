# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""The service in master.cf that compares names in client certificates. No I/O.

Service and script have the digest of both in their names, and main.cf names the service. So it is main.cf alone, as with map
files, that says which one counts: a new service comes into master.cf before main.cf names it, and an old one goes after.

Sources: master(5), spawn(8), SMTPD_POLICY_README.
"""

import collections
import hashlib
import re

#: The setting of main.cf that names the service, for the restriction classes to refer to.
SETTING = "mailops_tls_ccert_service"
SCRIPT = "policy_server"
PREFIX = "mailops_tls_ccert_"
_OURS = re.compile(r"%s([0-9a-f]{16})\s+unix\s" % PREFIX)

#: A service: value (of SETTING), line (of master.cf), file (name of the script in our folder), text (of the script).
Service = collections.namedtuple("Service", "value line file text")


def service(python, folder, text):
    """The Service that runs a script with this text by an interpreter (its path)."""
    # Runs as nobody, not in a chroot, as many processes as smtpd(8) has. Fields 4 to 8 of master(5): private, unprivileged,
    # chroot, wakeup, process limit; spawn(8) itself needs root to become nobody.
    pattern = "%s unix - n n - 0 spawn user=nobody argv=%s -I %s/%s"
    digest = hashlib.sha256("\n".join([pattern, python, folder, text]).encode("utf-8")).hexdigest()[:16]
    name, script = PREFIX + digest, "%s-%s" % (SCRIPT, digest)
    return Service("unix:private/" + name, pattern % (name, python, folder, script) + "\n", script, text)


def scripts(main):
    """File names of the scripts that a main.cf (str) needs (set of str)."""
    return {"%s-%s" % (SCRIPT, digest) for digest in re.findall(r"unix:private/%s([0-9a-f]{16})\b" % PREFIX, main)}


def is_script(name):
    """Is this the name of a script that we wrote (bool)?"""
    return bool(re.match(r"%s-[0-9a-f]{16}\Z" % SCRIPT, name))


def _parts(text):
    """master.cf in pieces that put together are the whole: logical lines, and the lines between them."""
    pieces = []
    for line in re.findall(r"[^\n]*\n|[^\n]+", text):
        if pieces and line[0] in " \t" and line.strip() and pieces[-1][:1] not in "# \t\n":
            pieces[-1] += line
        else:
            pieces.append(line)
    return pieces


def ours(text):
    """Our own logical lines in a master.cf (list of str)."""
    return [part for part in _parts(text) if _OURS.match(part)]


def with_service(text, wanted):
    """A master.cf (str) that has the service `wanted` (Service or None) besides everything else."""
    if wanted is None or ours(text).count(wanted.line) == 1:
        return text
    kept = "".join(part for part in _parts(text) if part.split(None, 1)[:1] != wanted.line.split(None, 1)[:1])
    return kept + ("\n" if kept and not kept.endswith("\n") else "") + wanted.line


def without_others(text, wanted):
    """A master.cf (str) without our services but `wanted` (Service or None). All other bytes stay."""
    keep = wanted.line if wanted else None
    return "".join(part for part in _parts(text) if part == keep or not _OURS.match(part))
