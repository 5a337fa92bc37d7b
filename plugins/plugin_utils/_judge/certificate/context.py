# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""What the checks of one certificate share: what is asked of it, and how a finding about it is made."""

from __future__ import annotations

import datetime as dt
import typing as t

from ansible_collections.mailops.tls.plugins.plugin_utils._findings.model import Finding, Status, Subject
from ansible_collections.mailops.tls.plugins.plugin_utils._findings.registry import make
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.certificate.model import Identity, Policy
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.x509 import sha256


class Judge:
    """One identity being judged; findings are collected in the order of the checks."""

    def __init__(self, identity: Identity, policy: Policy, host: str, now: dt.datetime, observed_at: str) -> None:
        self.identity, self.policy, self.host, self.now, self.observed_at = identity, policy, host, now, observed_at
        self.subject = Subject("certificate", identity.name)
        self.findings: list[Finding] = []

    def say(
        self, slug: str, summary: str, *, status: Status | None = None, evidence: dict[str, t.Any] | None = None, detail: str = ""
    ) -> None:
        """Add a finding `certificate.<slug>`."""
        # A file may hold several certificates, so its name alone does not tell which one is meant.
        leaf = {"sha256": sha256(self.identity.chain[0])} if self.identity.chain else {}
        self.findings.append(
            make(
                f"certificate.{slug}",
                host=self.host,
                subject=self.subject,
                summary=f"{self.identity.name}: {summary}",
                detail=detail,
                observed_at=self.observed_at,
                evidence={"used_by": list(self.identity.used_by), **leaf, **(evidence or {})},
                status=status,
            )
        )
