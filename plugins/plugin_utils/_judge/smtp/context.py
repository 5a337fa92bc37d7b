# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""What the judges of one path share: what is asked of it, and how a finding about it is made."""

from __future__ import annotations

import dataclasses
import datetime as dt
import typing as t

from ansible_collections.mailops.tls.plugins.plugin_utils._findings.model import Finding, Severity, Status, Subject
from ansible_collections.mailops.tls.plugins.plugin_utils._findings.registry import make

if t.TYPE_CHECKING:
    from ansible_collections.mailops.tls.plugins.plugin_utils._profiles.model import Profile
    from ansible_collections.mailops.tls.plugins.plugin_utils._profiles.public_ca import PublicCaRules
    from ansible_collections.mailops.tls.plugins.plugin_utils._profiles.technical import TlsReference
    from cryptography import x509

Require = t.Literal["none", "encrypt", "verify", "dane"]

REQUIREMENTS: t.Final[tuple[Require, ...]] = ("none", "encrypt", "verify", "dane")


@dataclasses.dataclass(frozen=True)
class Expect:
    """What the certificate must be, beyond the name of the server; None is not asked.

    `name` takes the place of the server's name, as `match=` does in Postfix. `key_size` is the least number of bits.
    `root` is the SHA-256 of the root that the chain must lead to.
    """

    name: str | None = None
    organization: str | None = None
    key_size: int | None = None
    root: str | None = None


@dataclasses.dataclass(frozen=True)
class SmtpPolicy:
    """What is asked of every path. `roots` are the roots at hand, `issuers` the intermediates beside those served.

    `profiles_named`: the user named the profiles, instead of leaving it to what is in force.
    """

    require: Require = "none"
    minimum_tls: str = "TLSv1.2"
    expect: Expect = Expect()
    check_plaintext: bool = False
    lead_time: dt.timedelta = dt.timedelta(days=30)
    roots: tuple[x509.Certificate, ...] = ()
    issuers: tuple[x509.Certificate, ...] = ()
    profiles: tuple[Profile, ...] = ()
    profiles_named: bool = False
    reference: TlsReference | None = None
    rules: PublicCaRules | None = None

    @property
    def encrypts(self) -> bool:
        """Whether mail must not go out in plain text."""
        return self.require != "none"

    @property
    def authenticates(self) -> bool:
        """Whether mail must not go to somebody else either."""
        return self.require in ("verify", "dane")

    @property
    def demands_pkix(self) -> bool:
        """Whether trust and name decide; with DANE the TLSA records do (RFC 7672 3.1)."""
        return self.require == "verify"


@dataclasses.dataclass
class Talk:
    """Collects findings about one subject. `host` is the inventory name of the host that observed it."""

    subject: Subject
    host: str
    observed_at: str
    findings: list[Finding] = dataclasses.field(default_factory=list)

    def say(
        self,
        slug: str,
        summary: str,
        *,
        detail: str = "",
        evidence: dict[str, t.Any] | None = None,
        status: Status | None = None,
        severity: Severity | None = None,
        profile: str | None = None,
    ) -> None:
        """Add `smtp.<slug>`; the summary begins with what it is about."""
        self.findings.append(
            make(
                f"smtp.{slug}",
                host=self.host,
                subject=self.subject,
                summary=f"{self.subject.name}: {summary}",
                detail=detail,
                observed_at=self.observed_at,
                evidence=evidence or {},
                status=status,
                severity=severity,
                profile=profile,
            )
        )
