# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""What to fetch to know whether the certificates of many servers are revoked, and which issuers they lack."""

from __future__ import annotations

import typing as t

from ansible_collections.mailops.tls.plugins.plugin_utils._judge.smtp.model import read_observation
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.x509 import sha256
from ansible_collections.mailops.tls.plugins.plugin_utils._plan.egress.check import EgressCheck
from ansible_collections.mailops.tls.plugins.plugin_utils._plan.egress.checks import EgressOptions, plan_egress
from ansible_collections.mailops.tls.plugins.plugin_utils._plan.egress.pool import Pool
from ansible_collections.mailops.tls.plugins.plugin_utils._plan.smtp.checks import SmtpCheck

try:
    from cryptography import x509
    from cryptography.hazmat.primitives import serialization
except ImportError:  # only in ansible-test's import check: ansible-core itself requires cryptography
    pass

# Different certificates that are followed in one run. A domain has a handful, a long list of smart hosts can have more.
MAX_FOLLOWED: t.Final = 100


def served_certificates(checks: t.Sequence[SmtpCheck], answers: t.Mapping[str, dict[str, t.Any]]) -> tuple[x509.Certificate, ...]:
    """Every certificate that a server presented, each once, in the order they were seen."""
    found: dict[str, x509.Certificate] = {}
    for check in checks:
        for path in read_observation(answers.get(check.request["id"], {})).paths:
            for certificate in path.chain:
                if len(found) < MAX_FOLLOWED:
                    found.setdefault(sha256(certificate), certificate)
    return tuple(found.values())


def pool_of(followed: t.Sequence[x509.Certificate], known: t.Sequence[x509.Certificate]) -> Pool:
    """The certificates at hand, for finding out which issuers are missing."""
    every = {sha256(item): item for item in (*known, *followed)}
    return Pool(known=tuple(every.values()), followed=tuple(followed), by_id={}, sha256_by_id={}, intermediates=())


def plan_revocation(
    followed: t.Sequence[x509.Certificate], known: t.Sequence[x509.Certificate], options: EgressOptions
) -> tuple[EgressCheck, ...]:
    """Checks of the CRLs and responders that the certificates name."""
    if not followed:
        return ()
    checks = plan_egress(
        (),
        certificate="".join(map(_pem, followed[:MAX_FOLLOWED])),
        issuers=[_pem(item) for item in known],
        options=options,
    )
    return tuple(check for check in checks if check.endpoint.kind != "ca_issuers")


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode("ascii")
