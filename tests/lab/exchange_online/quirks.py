# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the stand-in does, switch by switch. All can be set at its start, and changed while it runs."""

from __future__ import annotations

import dataclasses
import typing as t


@dataclasses.dataclass
class Quirks:
    """The first part is how the service is (on by default), the second what may go wrong (off by default)."""

    # A Get with an Identity that does not exist returns all objects.
    wrong_identity_returns_all: bool = True
    # Get-OutboundConnector hides test-mode and transport-rule-scoped connectors, and shows only them when asked to.
    hidden_outbound: bool = True
    # SenderDomains and RecipientDomains: "contoso.com" reads "smtp:contoso.com;1" (the sender's side only).
    smtp_domains: bool = True
    # ConnectorSource "Default" reads "AdminUI".
    admin_ui: bool = True
    # Smart hosts that are addresses read in brackets.
    bracketed_smart_hosts: bool = True
    # `X@odata.type` and `X@data.type` beside the values.
    companions: bool = True
    # New answers with the object, Set and Remove with nothing (204); off: an empty list and 200.
    empty_writes: bool = True
    # Remove asks for a confirmation unless it is given Confirm: false.
    confirm_remove: bool = True
    # A cmdlet that the app may not run, or that does not exist: 403, NUL bytes, labelled as gzip.
    nul_denial: bool = True
    # How errors are told: "nested" (innererror), "details" (|Type|text) or "plain".
    errors: str = "nested"

    # Rows per page; 0 leaves it to the client's Prefer field, or 1000.
    page_size: int = 0
    # The next page is said to be on another server, or is always the same.
    foreign_next_link: bool = False
    endless_pages: bool = False
    # Cmdlets that are answered as if the app had no role for them.
    denied: t.Sequence[str] = ()
    # Which cmdlets the faults below concern: names or their beginnings, such as "New-" or "Set-InboundConnector"; all if empty.
    only: t.Sequence[str] = ()
    # So many requests get 429; with this Retry-After (seconds or date; empty: no such field).
    throttle: int = 0
    retry_after: str = "0"
    # So many requests fail with this status before, or after, the cmdlet was carried out.
    fail_before: int = 0
    fail_after: int = 0
    fail_status: int = 503
    # So many connections are cut before, or after, the cmdlet was carried out.
    cut_before: int = 0
    cut_after: int = 0
    # So many answers stop in the middle of the body, which is a cut too.
    cut_body: int = 0
    # So many requests find that all tokens issued so far have expired: 401.
    expire: int = 0
    # So many requests are redirected to another server; so many answers are no JSON.
    redirect: int = 0
    garbage: int = 0
    # A new object is missing from this many reads (Get by Identity: 404), and Set and Remove do not find it meanwhile.
    replication_reads: int = 0
    # Seconds that each cmdlet takes, and that a token is good for.
    delay: float = 0.0
    token_lifetime: int = 3600
    # So many token requests fail with 503.
    token_failures: int = 0

    def update(self, changes: t.Mapping[str, t.Any]) -> None:
        """Set some. Raises ValueError for one that does not exist."""
        known = {field.name for field in dataclasses.fields(self)}
        for name, value in changes.items():
            if name not in known:
                raise ValueError(f"no such quirk: {name}")
            setattr(self, name, value)

    def take(self, name: str) -> bool:
        """Whether this counted fault is due; counts it down."""
        left = int(getattr(self, name))
        if left > 0:
            setattr(self, name, left - 1)
        return left > 0

    def concerns(self, cmdlet: str) -> bool:
        """Whether the faults are meant for this cmdlet."""
        return not self.only or any(cmdlet.startswith(start) for start in self.only)
