# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What tasks register, as the report and the gate take it in."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.mailops.tls.plugins.plugin_utils._action.registered import host_entry


@pytest.mark.parametrize(
    ("registered", "state", "message"),
    [
        (None, "not_checked", None),
        ("text", "not_checked", None),
        ({"skipped": True, "changed": False}, "not_checked", None),
        ({"unreachable": True, "msg": "no route", "changed": False}, "unreachable", "no route"),
        ({"failed": True, "msg": "long", "collector_error": "no python"}, "failed", "no python"),
        ({"failed": False, "msg": "long", "collector_error": "no python"}, "failed", "no python"),
        ({"failed": True, "msg": "bad arguments"}, "refused", "bad arguments"),
        ({"findings": [], "compliant": None}, "checked", None),
        ({"findings": [], "compliant": None, "failed": False}, "checked", None),
    ],
)
def test_registered_results_are_sorted_by_how_they_ended(registered: t.Any, state: str, message: str | None) -> None:
    entry = host_entry("mx1", registered)
    assert (entry["host"], entry["state"], entry["message"]) == ("mx1", state, message)
    assert entry["result"] == (registered if state == "checked" else None)
