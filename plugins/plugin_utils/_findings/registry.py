# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""Every finding id this collection can report, and the one way to make a finding of it."""

from __future__ import annotations

import types
import typing as t

from ansible_collections.mailops.tls.plugins.plugin_utils._findings.catalogue_certificate import CERTIFICATE_TYPES
from ansible_collections.mailops.tls.plugins.plugin_utils._findings.catalogue_connector import CONNECTOR_TYPES
from ansible_collections.mailops.tls.plugins.plugin_utils._findings.catalogue_egress import EGRESS_TYPES
from ansible_collections.mailops.tls.plugins.plugin_utils._findings.catalogue_host import HOST_TYPES
from ansible_collections.mailops.tls.plugins.plugin_utils._findings.catalogue_smtp import SMTP_TYPES
from ansible_collections.mailops.tls.plugins.plugin_utils._findings.catalogue_smtp_policy import SMTP_POLICY_TYPES
from ansible_collections.mailops.tls.plugins.plugin_utils._findings.catalogue_trust import TRUST_TYPES
from ansible_collections.mailops.tls.plugins.plugin_utils._findings.catalogue_trust_intermediate import TRUST_INTERMEDIATE_TYPES
from ansible_collections.mailops.tls.plugins.plugin_utils._findings.catalogue_trust_rehearsal import TRUST_REHEARSAL_TYPES
from ansible_collections.mailops.tls.plugins.plugin_utils._findings.finding_type import FindingType
from ansible_collections.mailops.tls.plugins.plugin_utils._findings.model import Finding, Severity, Status, Subject

REGISTRY: t.Final[t.Mapping[str, FindingType]] = types.MappingProxyType(
    {
        kind.id: kind
        for kind in (
            *CERTIFICATE_TYPES,
            *CONNECTOR_TYPES,
            *EGRESS_TYPES,
            *HOST_TYPES,
            *SMTP_TYPES,
            *SMTP_POLICY_TYPES,
            *TRUST_TYPES,
            *TRUST_INTERMEDIATE_TYPES,
            *TRUST_REHEARSAL_TYPES,
        )
    }
)


def make(
    finding_id: str,
    *,
    host: str,
    subject: Subject,
    summary: str,
    observed_at: str,
    detail: str = "",
    evidence: dict[str, t.Any] | None = None,
    profile: str | None = None,
    status: Status | None = None,
    severity: Severity | None = None,
    remediation: str | None = None,
) -> Finding:
    """Make a finding of a registered id. Status, severity and remedy come from the registry unless the judge knows better.

    Raises KeyError for an id that is not registered: that is a bug, never a user's error.
    """
    kind = REGISTRY[finding_id]
    return Finding(
        id=kind.id,
        status=status or kind.status,
        severity=severity or kind.severity,
        host=host,
        subject=subject,
        summary=summary,
        detail=detail,
        remediation=kind.remedy if remediation is None else remediation,
        evidence=evidence or {},
        observed_at=observed_at,
        profile=profile,
    )
