# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""MTA-STS (RFC 8461): the record that says a policy exists, the policy itself, and which MX hosts it allows."""

from __future__ import annotations

import dataclasses
import re
import typing as t

from ansible_collections.mailops.tls.plugins.plugin_utils._judge.smtp.name import covers
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.x509 import clean

Mode = t.Literal["enforce", "testing", "none"]

MEDIA_TYPE: t.Final = "text/plain"

_MODES: t.Final[tuple[Mode, ...]] = ("enforce", "testing", "none")
_MAX_AGE: t.Final = 31557600  # RFC 8461 3.2: about one year, in seconds
_MAX_MX: t.Final = 256


class PolicyError(ValueError):
    """A policy that senders ignore. The message says why."""


@dataclasses.dataclass(frozen=True)
class StsPolicy:
    """`max_age` is in seconds; `mx` are host names, or wildcards for one label."""

    mode: Mode
    max_age: int
    mx: tuple[str, ...]


def is_published(texts: t.Sequence[str]) -> bool:
    """RFC 8461 3.1: exactly one TXT record begins with the version, and it has an id; otherwise there is no policy."""
    records = [text for text in texts if text.startswith(("v=STSv1;", "v=STSv1 "))]
    return len(records) == 1 and len(records[0]) <= 4096 and _has_id(records[0])


def _has_id(record: str) -> bool:
    fields = [part.strip() for part in record.split(";")]
    return fields[0] == "v=STSv1" and any(re.fullmatch(r"id=[A-Za-z0-9]{1,32}", part) for part in fields[1:])


def parse_policy(body: bytes) -> StsPolicy:
    """Read the body of the policy file (RFC 8461 3.2). Of a key that must be unique the first counts. Raises PolicyError."""
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        raise PolicyError("it is not UTF-8 text") from None
    values: dict[str, str] = {}
    allowed: list[str] = []
    for line in re.split(r"\r?\n", text):
        key, colon, value = line.partition(":")
        key, value = key.strip(), value.strip()
        if not colon or not key:
            continue
        if key == "mx":
            allowed.append(value.rstrip(".").lower())
        else:
            values.setdefault(key, value)
    if values.get("version") != "STSv1":
        raise PolicyError("it has no version STSv1")
    mode = next((known for known in _MODES if known == values.get("mode")), None)
    if mode is None:
        raise PolicyError(f"its mode is {clean(values.get('mode', 'missing'), 40)}")
    age = values.get("max_age", "")
    if not re.fullmatch(r"[0-9]{1,10}", age):
        raise PolicyError("it has no max_age")
    if not allowed and mode != "none":
        raise PolicyError("it names no mx")
    return StsPolicy(mode, min(int(age), _MAX_AGE), tuple(clean(item, 255) for item in allowed[:_MAX_MX]))


def covers_mx(policy: StsPolicy, host: str) -> bool:
    """RFC 8461 4.1: an MX host as the policy writes it, a wildcard standing for exactly one label."""
    wanted = host.rstrip(".").lower()
    return any(covers(item, wanted) for item in policy.mx)
