# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""The shape of an entry of the findings catalogue."""

from __future__ import annotations

import dataclasses

from ansible_collections.mailops.tls.plugins.plugin_utils._findings.model import Severity, Status


@dataclasses.dataclass(frozen=True)
class FindingType:
    """A kind of finding: its stable id, its usual status and severity, what it means and what to do about it.

    `cause` is the value of `endpoints[].cause` that goes with it, for findings about CA endpoints. `meaning` and
    `remedy` are plain sentences: they appear in results, in the HTML report and in docs/findings.md.
    """

    id: str
    status: Status
    severity: Severity
    meaning: str
    remedy: str
    cause: str | None = None
