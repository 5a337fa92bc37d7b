# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""Which instance is meant, what is refused before anything is touched, and how the result reads."""

import os
import stat

from ansible_collections.mailops.tls.plugins.module_utils._postfix import plan, service, system, tables
from ansible_collections.mailops.tls.plugins.module_utils._postfix.declared import DeclarationError

NAMES = {"policy": "destination", "clients": "client", "names": "client", "senders": "sender_domain"}


def directory(tools, params, postmulti):
    """The configuration directory (str) that the task means. Raises PostfixError where there is none."""
    path = params["config_directory"]
    if params["instance"]:
        path = _by_name(system.Tools(dict(tools.paths, postmulti=postmulti)), params["instance"])
    elif not path:
        code, out, err = tools.run("postconf", "-d", "-h", "config_directory")
        if code:
            raise system.PostfixError("postconf does not say where the configuration is: %s" % (err or out))
        path = out.strip()
    path = os.path.realpath(path)
    if any(char.isspace() or char in ",$={}" for char in path):
        raise system.PostfixError("%s: Postfix cannot name tables in a directory with such a name" % path)
    if not os.path.isfile(os.path.join(path, "main.cf")):
        raise system.PostfixError("%s has no main.cf. Install and configure Postfix first, or set config_directory" % path)
    return path


def _by_name(tools, name):
    if not tools.paths["postmulti"]:
        raise system.PostfixError("postmulti is not installed, so there is no instance by name; set config_directory")
    code, out, err = tools.run("postmulti", "-l")
    if code:
        raise system.PostfixError("postmulti -l failed: %s" % (err or out))
    # name, group, enabled, configuration directory
    found = {words[0]: words[-1] for words in (line.split() for line in out.splitlines()) if len(words) >= 4}
    if name not in found:
        raise system.PostfixError("there is no instance %s; postmulti -l lists: %s" % (name, ", ".join(sorted(found))))
    return found[name]


def check_ca_files(instance, current, entries):
    """Refuse CA files that Postfix could not read at delivery or at a client's certificate."""
    chroot = None
    for entry in entries:
        path = entry.option.get("ca_file") if entry.value else None
        if not path:
            continue
        _readable(entry.key, path)
        if entry.kind == "policy":
            if chroot is None:
                chroot = _chroot(instance, current)
            if chroot:
                _readable(entry.key, chroot + path, "smtp(8) runs in a chroot and reads the file there")


def _chroot(instance, current):
    """The directory that smtp(8) is locked up in; empty where it is not."""
    fields = instance.tools.settings(instance.directory, "-F", "smtp/unix/chroot")
    return current.effective["queue_directory"] if "y" in fields.values() else ""


def _readable(key, path, reason=""):
    try:
        mode = os.stat(path).st_mode
        with open(path, "rb") as handle:
            data = handle.read(1 << 22)
    except (IOError, OSError) as error:
        raise DeclarationError("; ".join(["%s: ca_file %s: %s" % (key, path, error.strerror)] + [reason] * bool(reason)))
    if not mode & stat.S_IROTH:
        raise DeclarationError("%s: ca_file %s must be readable by all, because Postfix reads it as its own user" % (key, path))
    if b"-----BEGIN" not in data or b"PRIVATE KEY" in data:
        raise DeclarationError("%s: ca_file %s must have certificates in PEM form and no private key" % (key, path))


def judge_shadowed(shadowed, entries, on_drift, warnings):
    """Entries of others that come first: an error where the declaration must hold, else a warning."""
    declared = {entry.key for entry in entries if entry.kind == "policy" and entry.value}
    for key, table, value in shadowed:
        text = "destination %s: %s comes first in smtp_tls_policy_maps and says %r, so the declared policy does not count" % (
            key,
            table,
            value,
        )
        if key in declared and on_drift in ("replace", "fail"):
            raise DeclarationError(
                text
                + ". Take the entry out of that table, which is not edited here, or set on_drift to warn. Nothing was changed"
            )
        warnings.append(text)


def policies(wanted, shadowed):
    """All managed entries, sorted, as the module returns them."""
    foreign = {key: "%s: %s" % (table, value) for key, table, value in shadowed}
    return [
        {
            "kind": NAMES[kind],
            "name": key,
            "value": wanted.entries[kind][key],
            "shadowed_by": foreign.get(key) if kind == "policy" else None,
        }
        for kind in sorted(tables.TYPES)
        for key in sorted(wanted.entries[kind])
    ]


def diff(instance, current, wanted, change):
    """What changes in main.cf, by setting, in our services of master.cf, and in each map file.

    `change` is an instance.Change. Returns the list that Ansible shows as a diff; empty: nothing.
    """
    parts = []
    if wanted.settings:
        old, new = _settings(current.raw, wanted.settings), _settings(wanted.settings, wanted.settings)
        parts.append(_part(instance.main, old, new))
    services = ["".join(service.ours(data.decode("latin-1"))) for data in (change.old_master, change.new_master)]
    if services[0] != services[1]:
        parts.append(_part(instance.master, *services))
    names = {name.split("-")[0]: name for name in wanted.files}
    old = dict(_old_names(instance, current))
    for kind in sorted((set(names) | set(old)) & set(tables.TYPES)):
        data = system.read(os.path.join(instance.folder, old[kind])) if kind in old else None
        before, after = (data or b"").decode("utf-8", "replace"), wanted.files.get(names.get(kind), "")
        if before != after:
            parts.append(_part("%s/%s" % (instance.folder, kind), before, after))
    return parts


def _old_names(instance, current):
    for setting in (plan.MAPS, plan.RESTRICTIONS):
        for kind, name in tables.referred(instance.folder, current.raw.get(setting, "")).items():
            yield kind, name


def _settings(values, names):
    return "".join("%s = %s\n" % (name, values[name]) for name in sorted(names) if values.get(name) is not None)


def _part(path, before, after):
    return {"before_header": path, "after_header": path, "before": before, "after": after}
