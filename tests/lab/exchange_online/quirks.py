# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the stand-in does, switch by switch. All can be set at its start, and changed while it runs.

How the service is; on unless said otherwise:

| name | what it does |
|---|---|
| `wrong_identity_returns_all` | a Get with an Identity that does not exist returns all objects |
| `hidden_outbound` | Get-OutboundConnector hides test-mode and rule-scoped connectors, and shows only them when asked to |
| `smtp_domains` | SenderDomains: "contoso.com" reads "smtp:contoso.com;1" |
| `admin_ui` | ConnectorSource "Default" reads "AdminUI" |
| `bracketed_smart_hosts` | smart hosts, names and addresses, read in brackets |
| `companions` | `X@odata.type` and `X@data.type` stand beside the values |
| `empty_writes` | Set and Remove answer 204; off: an empty list and 200. New answers with the object |
| `empty_new` | New does not answer with the object either, but as Set does; off unless set |
| `unique_names` | New and Set refuse a name that another connector of the kind has |
| `confirm_remove` | Remove asks for a confirmation, and does nothing, unless it is given Confirm: false |
| `nul_denial` | a cmdlet that the app may not run, or that does not exist: 403, NUL bytes, labelled as gzip |
| `one_row_pages` | one row per page for a client that sends no `Prefer: odata.maxpagesize` |
| `errors` | where an error's text is: "nested" (innererror, the default), "details" (`|Type|text`) or "plain" |

What may go wrong; off unless set. A number is how often it happens, to the requests that `only` lets it happen to:

| name | what it does |
|---|---|
| `page_size` | rows per page, whatever the client prefers; 0: what it prefers |
| `foreign_next_link` | the next page is said to be on another server |
| `endless_pages` | the next page is always the same |
| `denied` | cmdlets (names or their beginnings) that are answered as if the app had no role for them |
| `only` | the cmdlets (names or their beginnings) that the numbered faults happen to; all if empty |
| `storm` | one request out of so many meets the next of the faults below that pass (`STORM` in server.py); 0: none does |
| `throttle` | 429 before anything is done |
| `retry_after` | Retry-After with 429 and with `fail_before`: seconds or an HTTP date; empty: no such field |
| `fail_before` | `fail_status` before the cmdlet is carried out |
| `fail_after` | `fail_status` after the cmdlet was carried out |
| `fail_status` | the status of these two |
| `cut_before` | the connection ends before the cmdlet is carried out |
| `cut_after` | the connection ends after the cmdlet was carried out, without an answer |
| `cut_body` | the connection ends in the middle of the answer |
| `drip` | the answer comes a byte at a time, 20 a second |
| `expire` | all tokens issued so far have expired: 401 |
| `redirect` | 307 to another server |
| `stray_404` | 404 with a page of HTML, as of something else than the API |
| `garbage` | 200 with a page of HTML, after the cmdlet was carried out |
| `deep` | 200 with a value nested 3000 times, after the cmdlet was carried out |
| `replication_reads` | so many reads miss a new object (Get by Identity: 404), and Set and Remove do not find it |
| `replication_seconds` | the same for so many seconds |
| `delay` | seconds that every answer takes |
| `token_lifetime` | seconds that a token is good for |
| `token_failures` | token requests that fail with 503 |
"""

from __future__ import annotations

import dataclasses
import typing as t


@dataclasses.dataclass
class Quirks:
    """The switches of the tables above."""

    wrong_identity_returns_all: bool = True
    hidden_outbound: bool = True
    smtp_domains: bool = True
    admin_ui: bool = True
    bracketed_smart_hosts: bool = True
    companions: bool = True
    empty_writes: bool = True
    empty_new: bool = False
    unique_names: bool = True
    confirm_remove: bool = True
    nul_denial: bool = True
    one_row_pages: bool = True
    errors: str = "nested"

    page_size: int = 0
    foreign_next_link: bool = False
    endless_pages: bool = False
    denied: t.Sequence[str] = ()
    only: t.Sequence[str] = ()
    storm: int = 0
    throttle: int = 0
    retry_after: str = "0"
    fail_before: int = 0
    fail_after: int = 0
    fail_status: int = 503
    cut_before: int = 0
    cut_after: int = 0
    cut_body: int = 0
    drip: int = 0
    expire: int = 0
    redirect: int = 0
    stray_404: int = 0
    garbage: int = 0
    deep: int = 0
    replication_reads: int = 0
    replication_seconds: float = 0.0
    delay: float = 0.0
    token_lifetime: int = 3600
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
