# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""How strict the egress judges are. All times in seconds."""

from __future__ import annotations

import dataclasses
import datetime as dt


@dataclasses.dataclass(frozen=True)
class EgressPolicy:
    """Tolerances. The defaults follow what deployed clients do."""

    # thisUpdate may lie this far in the future and nextUpdate this far in the past: clocks differ.
    clock_skew: float = 300.0
    # RFC 6960 4.2.2.1: without nextUpdate newer information is always available, so an old answer is a replayed or
    # forgotten one. The CA/Browser Forum lets OCSP answers live ten days at most (Baseline Requirements 4.9.10).
    ocsp_max_age_without_next_update: float = 10 * 86400.0
    # A host's clock that is off by this much deserves a look, or breaks validation of fresh answers.
    clock_warning: float = 60.0
    clock_failure: float = 300.0

    @property
    def skew(self) -> dt.timedelta:
        return dt.timedelta(seconds=self.clock_skew)
