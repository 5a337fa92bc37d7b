# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""The national clouds of Exchange Online: where their API is, and who issues tokens for it.

Sources: the base URLs are those of Microsoft's Exchange Online Admin API reference, the authorities those of its page on
app-only authentication for Exchange Online PowerShell. Microsoft Cloud Germany is not here: it was closed in October 2021.
"""

from __future__ import annotations

import dataclasses
import typing as t


@dataclasses.dataclass(frozen=True)
class Cloud:
    """`endpoint` is the base URL of the API, `authority` that of Microsoft Entra ID; neither ends in a slash."""

    endpoint: str
    authority: str

    @property
    def scope(self) -> str:
        """What a token is asked for. Exchange refuses tokens for Microsoft Graph."""
        return f"{self.endpoint}/.default"


CLOUDS: t.Final[t.Mapping[str, Cloud]] = {
    # GCC is served by the worldwide hosts.
    "worldwide": Cloud("https://outlook.office365.com", "https://login.microsoftonline.com"),
    "usgov_gcc_high": Cloud("https://outlook.office365.us", "https://login.microsoftonline.us"),
    "usgov_dod": Cloud("https://outlook-dod.office365.us", "https://login.microsoftonline.us"),
    "china": Cloud("https://outlook.office365.cn", "https://login.chinacloudapi.cn"),
}
