# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""What a task registered for a host, as the report and the gate take it in."""

from __future__ import annotations

import typing as t


def host_entry(host: str, registered: t.Any) -> dict[str, t.Any]:
    """Sort a registered result of an info plugin: checked, unreachable, failed (the probe did not run), refused, not_checked."""
    entry: dict[str, t.Any] = {"host": host, "state": "not_checked", "message": None, "result": None}
    if not isinstance(registered, t.Mapping):
        return entry
    message = str(registered.get("msg") or "") or None
    if registered.get("unreachable"):
        return {**entry, "state": "unreachable", "message": message}
    if isinstance(registered.get("findings"), t.Sequence) and not registered.get("failed"):
        return {**entry, "state": "checked", "result": dict(registered)}
    if registered.get("skipped"):
        return entry
    if registered.get("collector_error"):
        return {**entry, "state": "failed", "message": str(registered["collector_error"])}
    return {**entry, "state": "refused", "message": message}


def registered_entries(variable: str, task_vars: t.Mapping[str, t.Any]) -> list[dict[str, t.Any]]:
    """What every host of the play has registered under the variable, sorted by host.

    It is taken raw, without templating: results hold no templates, and are large.
    """
    hostvars = task_vars["hostvars"]
    entries = []
    for host in sorted(task_vars["ansible_play_hosts_all"]):
        found = hostvars.raw_get(host)
        entries.append(host_entry(host, found.get(variable) if isinstance(found, t.Mapping) else None))
    return entries
