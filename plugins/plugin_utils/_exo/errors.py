# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""What can go wrong between this controller and Exchange Online, said so that a caller knows what to do next.

The service answers errors in layers: the outermost message ("Invalid Operation") says nothing, the innermost one is what the
cmdlet itself said.
"""

from __future__ import annotations

import json
import typing as t

Done = t.Literal["no", "yes", "unknown"]

# More than any cmdlet says, and little enough for a line of a task's result.
MAX_TEXT = 600


class ApiError(Exception):
    """A cmdlet was not run, or nobody knows whether it was.

    Attributes:
        status: HTTP status of the answer, or None when there was none.
        code: the service's own code for the error ("BadRequest"), or None.
        kind: the .NET type of the error, which is the same in every language, or None.
        message: one printable line for the user, free of secrets.
        done: whether what was asked for may have been written nevertheless. Always "no" for reads.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        code: str | None = None,
        kind: str | None = None,
        done: Done = "no",
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.status = status
        self.code = code
        self.done: Done = done


class NotFound(ApiError):  # noqa: N818 - reads best where it is caught
    """404: the object does not exist, or has not been replicated yet to the server that was asked."""


class Denied(ApiError):  # noqa: N818
    """403: the app lacks the role for this cmdlet, or the cmdlet does not exist. The service makes no difference."""


class AuthenticationError(ApiError):
    """No token, or a token that the service refuses. Nothing was done."""


def printable(text: str, secrets: t.Iterable[str] = (), limit: int = MAX_TEXT) -> str:
    """One line of at most `limit` characters: no control characters, and none of the secrets."""
    for secret in secrets:
        if secret:
            text = text.replace(secret, "********")
    # Bounded work: an answer may be as large as memory allows.
    text = " ".join("".join(character if character.isprintable() else " " for character in text[: 100 * limit]).split())
    return text if len(text) <= limit else text[: limit - 3] + "..."


class Said(t.NamedTuple):
    """What an error answer says; None for what it does not say."""

    code: str | None = None
    message: str | None = None
    kind: str | None = None


def read_error(body: bytes) -> Said:
    """The code, the innermost message and the type of an error answer.

    Precedence: error.innererror.internalexception, error.details[0].message with its `|Type|`, error.message.
    """
    try:
        error = json.loads(body).get("error")
    except (ValueError, AttributeError, RecursionError):
        return Said()
    if not isinstance(error, dict):
        return Said()
    details = error.get("details")
    first = _at(details[0] if isinstance(details, list) and details else None, "message")
    messages = (_at(error, "innererror", "internalexception", "message"), _without_type(first), _at(error, "message"))
    kinds = (_at(error, "innererror", "internalexception", "type"), first.split("|")[1] if first and first[0] == "|" else None)
    return Said(_at(error, "code"), next((text for text in messages if text), None), next((text for text in kinds if text), None))


def _at(value: object, *path: str) -> str | None:
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value if isinstance(value, str) and value.strip() else None


def _without_type(text: str | None) -> str | None:
    """`|Microsoft.Exchange.SomeException|Text` is `Text`."""
    if text and text.startswith("|"):
        return text[1:].partition("|")[2].strip() or None
    return text
