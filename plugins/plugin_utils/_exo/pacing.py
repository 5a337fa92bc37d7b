# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""When to try again: bounded exponential back-off that honours Retry-After.

Microsoft publishes no number for the throttling of this API, and Retry-After is not always there.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import email.utils
import random
import time
import typing as t

UNSENT_ATTEMPTS = 4


@dataclasses.dataclass(frozen=True)
class Pacing:
    """At most `attempts` tries of one call, and none that would begin `total_s` seconds after the first. Times in seconds."""

    attempts: int = 8
    total_s: float = 300.0
    first_s: float = 0.5
    longest_s: float = 60.0
    sleep: t.Callable[[float], None] = time.sleep
    clock: t.Callable[[], float] = time.monotonic
    jitter: t.Callable[[], float] = random.random

    def start(self) -> Patience:
        """The patience for one call."""
        return Patience(self)


class Patience:
    """What is left of the waiting for one call."""

    def __init__(self, pacing: Pacing) -> None:
        self._pacing = pacing
        self.tries = 1
        self._waited = 0.0
        self._began = pacing.clock()

    def wait(self, retry_after: float | None = None, *, unsent: bool = False) -> bool:
        """Wait before another try. False, at once, when there is to be none: too many, or it would take too long.

        A server that says when to come back is asked as long as there is time. A server that nothing can be sent to
        (`unsent`) is given up sooner: most often its name is mistyped.
        """
        pacing = self._pacing
        if retry_after is None and self.tries >= (min(pacing.attempts, UNSENT_ATTEMPTS) if unsent else pacing.attempts):
            return False
        pause = min(pacing.first_s * 2 ** min(self.tries - 1, 16), pacing.longest_s) * (0.5 + pacing.jitter() / 2)
        if retry_after is not None:
            # Sooner than asked for would only prolong it; a little later keeps parallel plays apart.
            pause = retry_after + min(pause, 1.0)
        # The tries take time too: a silent server is waited for until the time-out, each time.
        if max(self._waited, pacing.clock() - self._began) + pause > pacing.total_s:
            return False
        pacing.sleep(pause)
        self.tries += 1
        self._waited += pause
        return True


def retry_after_s(value: str | None, now: dt.datetime | None = None) -> float | None:
    """Seconds of a Retry-After field, which is a number of seconds or a date (RFC 9110, section 10.2.3)."""
    text = (value or "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        moment = email.utils.parsedate_to_datetime(text)
    except (TypeError, ValueError, IndexError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=dt.timezone.utc)
    return max(0.0, (moment - (now or dt.datetime.now(dt.timezone.utc))).total_seconds())
