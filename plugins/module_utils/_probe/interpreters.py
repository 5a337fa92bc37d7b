# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""The bundle of certifi that each interpreter of this host would import. None of them is run."""

import itertools
import os
import re
import sys

BUNDLE = "certifi/cacert.pem"
MAX_INTERPRETERS = 64
MAX_FOLDERS = 64
_PYTHON = re.compile(r"python3(\.[0-9]{1,2})?\Z")
_PACKAGES = ("site-packages", "dist-packages")


def certifi_stores(environ):
    """(type, path, nobody in particular) of the bundle of this interpreter, and of those of the interpreters on PATH."""
    own = [entry for entry in sys.path if os.path.basename(entry) in _PACKAGES]
    for folder in own + list(itertools.islice(_folders(environ), MAX_FOLDERS)):
        path = os.path.join(folder, BUNDLE)
        if path.startswith("/") and os.path.isfile(path):
            yield "python", path, []


def _folders(environ):
    """The directories of packages below the prefixes of the interpreters."""
    seen = set()
    for program in itertools.islice(_programs(environ), MAX_INTERPRETERS):
        # The link of a virtual environment leads to the interpreter that it was made with: both have packages.
        for path in (program, os.path.realpath(program)):
            prefix = os.path.dirname(os.path.dirname(path))
            if prefix in seen:
                continue
            seen.add(prefix)
            for library in (os.path.join(prefix, name) for name in ("lib", "lib64")):
                for version in _names(library):
                    for packages in _PACKAGES if version.startswith("python3") else ():
                        yield os.path.join(library, version, packages)


def _programs(environ):
    for folder in environ.get("PATH", os.defpath).split(os.pathsep):
        for name in _names(folder) if folder.startswith("/") else ():
            if _PYTHON.match(name):
                yield os.path.join(folder, name)


def _names(folder):
    """The names in a directory, sorted; none where it cannot be looked at."""
    try:
        return sorted(os.listdir(folder))
    except (OSError, ValueError):
        return []
