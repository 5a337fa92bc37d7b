# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""The types of stores, and the one that a task names."""

import os

from ansible_collections.mailops.tls.plugins.module_utils._anchor.common import AnchorError, NoStoreError, Plan, is_gone
from ansible_collections.mailops.tls.plugins.module_utils._anchor.java import JavaStore
from ansible_collections.mailops.tls.plugins.module_utils._anchor.layout import detect, layouts
from ansible_collections.mailops.tls.plugins.module_utils._anchor.nss import NssStore
from ansible_collections.mailops.tls.plugins.module_utils._anchor.pemdir import PemDirectory
from ansible_collections.mailops.tls.plugins.module_utils._anchor.pemfile import PemFile
from ansible_collections.mailops.tls.plugins.module_utils._anchor.system import system_store

TYPES = ("system", "pem_file", "pem_directory", "java", "nss")
_USED = {"path": TYPES[1:], "password": ("java", "nss"), "alias": ("java",), "nickname": ("nss",)}


def lock_directory(wanted):
    """The directory whose lock the store is changed under. Raises AnchorError for options that do not fit, and NoStoreError for
    a path that leads nowhere."""
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
        wanted_directory = path if kind == "pem_directory" else directory
        error = NoStoreError if is_gone(wanted_directory) else AnchorError
        raise error("store.path: there is no directory %s" % wanted_directory)
    if kind == "pem_file" and os.path.isdir(path):
        raise AnchorError("store.path: %s is a directory; use type pem_directory" % path)
    return directory


def open_store(wanted, anchor, tools, scratch=None):
    """The store of a task. scratch: directory for copies of keystores, by default that of the keystore. Raises AnchorError."""
    kind, path = wanted["type"], wanted.get("path")
    if kind == "system":
        return system_store(anchor, tools)
    if kind == "nss":
        return NssStore(path, anchor, tools, wanted.get("password"), wanted.get("nickname"), scratch)
    if kind == "java":
        store = JavaStore(path, anchor, tools, wanted.get("password"), wanted.get("alias"), scratch)
    else:
        store = (PemFile if kind == "pem_file" else PemDirectory)(path, anchor, tools)
    layout = next((layout for layout in layouts() if layout.found() and layout.builds(store.path)), None)
    return BuiltStore(store, layout) if layout else store


class BuiltStore(object):
    """A store that the system builds: to look at only, because the next update would undo a change."""

    def __init__(self, store, layout):
        self._store = store
        self._tool = os.path.basename(layout.command()[0])

    def __getattr__(self, name):
        return getattr(self._store, name)

    def plan(self, present, distrust):
        """Nothing to do (Plan). Raises AnchorError where there would be."""
        if distrust or self._store.effective() != present:
            raise AnchorError("store.path: %s is built by %s; use type system" % (self._store.path, self._tool))
        return Plan(mechanism=self._store.mechanism)
