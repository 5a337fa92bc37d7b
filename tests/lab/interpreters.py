# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which other Python interpreters the machine has, and which of them the installed ansible-core can still drive."""

from __future__ import annotations

import os
import pathlib
import shutil
from importlib import metadata

# The oldest Python of managed hosts by release of ansible-core (its support matrix). Later ones only raise it.
OLDEST_TARGET = ((2, 16, (3, 6)), (2, 17, (3, 7)), (2, 18, (3, 8)), (2, 19, (3, 8)), (2, 20, (3, 9)))
WANTED = ((3, 6), (3, 8), (3, 9), (3, 13), (3, 14))


def oldest_target(version: str) -> tuple[int, int]:
    """The oldest Python that this release of ansible-core manages."""
    release = tuple(int(part) for part in version.split(".")[:2])
    oldest = OLDEST_TARGET[0][2]
    for major, minor, python in OLDEST_TARGET:
        if release >= (major, minor):
            oldest = python
    return oldest


def pyenv_root() -> pathlib.Path:
    """Where pyenv keeps its interpreters, if it is there."""
    return pathlib.Path(os.environ.get("PYENV_ROOT") or pathlib.Path("~/.pyenv").expanduser())


def _locate(version: str) -> pathlib.Path | None:
    """A real interpreter of this version: pyenv's own binary rather than its shim, which may be inactive."""
    for candidate in sorted(pyenv_root().glob(f"versions/{version}.*/bin/python{version}")):
        return candidate
    on_path = shutil.which(f"python{version}")
    if on_path is None or f"{os.sep}shims{os.sep}" in on_path:
        return None
    return pathlib.Path(on_path)


def found() -> list[tuple[str, pathlib.Path, bool]]:
    """(host name, interpreter, whether ansible-core can use it) for each wanted version that is there."""
    try:
        oldest = oldest_target(metadata.version("ansible-core"))
    except metadata.PackageNotFoundError:  # no Ansible here, so no verdict is asked of any host
        oldest = OLDEST_TARGET[-1][2]
    located = [(version, _locate(f"{version[0]}.{version[1]}")) for version in WANTED]
    return [(f"py{major}{minor}", path, (major, minor) >= oldest) for (major, minor), path in located if path is not None]
