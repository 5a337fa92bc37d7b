# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""The types of stores, and the one that a task names."""

import os

from ansible_collections.mailops.tls.plugins.module_utils._anchor.common import AnchorError
from ansible_collections.mailops.tls.plugins.module_utils._anchor.java import JavaStore
from ansible_collections.mailops.tls.plugins.module_utils._anchor.layout import detect, layouts
from ansible_collections.mailops.tls.plugins.module_utils._anchor.nss import NssStore
from ansible_collections.mailops.tls.plugins.module_utils._anchor.pemdir import PemDirectory
from ansible_collections.mailops.tls.plugins.module_utils._anchor.pemfile import PemFile
from ansible_collections.mailops.tls.plugins.module_utils._anchor.system import system_store

TYPES = ("system", "pem_file", "pem_directory", "java", "nss")
_USED = {"path": TYPES[1:], "password": ("java", "nss"), "alias": ("java",), "nickname": ("nss",)}


def lock_directory(wanted):
    """The directory whose lock the store is changed under. Raises AnchorError for options that do not fit or lead nowhere."""
    kind, path = wanted["type"], wanted.get("path")
    for option, kinds in _USED.items():
        if wanted.get(option) is not None and kind not in kinds:
            raise AnchorError("store.%s: goes with type %s only, not with %s" % (option, " and ".join(kinds), kind))
    if kind == "system":
        directory = os.path.dirname(detect().bundle())
        return directory if os.path.isdir(directory) else "/"
    if path is None or not path.startswith("/"):
        raise AnchorError("store.path: an absolute path is required for type %s" % kind)
    path = os.path.realpath(path)
    directory = path if os.path.isdir(path) else os.path.dirname(path)
    if not os.path.isdir(directory) or (kind == "pem_directory" and directory != path):
        raise AnchorError("store.path: there is no directory %s" % (path if kind == "pem_directory" else directory))
    if kind == "pem_file" and os.path.isdir(path):
        raise AnchorError("store.path: %s is a directory; use type pem_directory" % path)
    return directory


def open_store(wanted, anchor, tools, scratch=None):
    """The store of a task. scratch: directory for copies of keystores, by default that of the keystore. Raises AnchorError."""
    kind, path = wanted["type"], wanted.get("path")
    if kind == "system":
        return system_store(anchor, tools)
    if kind in ("pem_file", "pem_directory"):
        _refuse_built(os.path.realpath(path))
        return (PemFile if kind == "pem_file" else PemDirectory)(path, anchor, tools)
    if kind == "java":
        return JavaStore(path, anchor, tools, wanted.get("password"), wanted.get("alias"), scratch)
    return NssStore(path, anchor, tools, wanted.get("password"), wanted.get("nickname"), scratch)


def _refuse_built(path):
    """Raises AnchorError for what the system builds: the next update would undo the change."""
    for layout in layouts():
        if layout.found() and path in [os.path.realpath(built) for built in layout.bundles + layout.hashed]:
            raise AnchorError("store.path: %s is built by %s; use type system" % (path, os.path.basename(layout.command()[0])))
