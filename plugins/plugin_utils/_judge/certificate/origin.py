# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""Where a certificate comes from, a public CA or a private one, and what it may be used for."""

from __future__ import annotations

import dataclasses
import itertools
import typing as t

from ansible_collections.mailops.tls.plugins.plugin_utils._findings.model import Status
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.certificate.context import Judge
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.certificate.facts import CLIENT_AUTH, SERVER_AUTH, Facts
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.x509 import issued_by, name_text

if t.TYPE_CHECKING:
    from cryptography import x509

# X509_V_ERR_CERT_NOT_YET_VALID and X509_V_ERR_CERT_HAS_EXPIRED: OpenSSL looks at dates after it has found a trusted root.
_DATES: t.Final = frozenset({9, 10})


@dataclasses.dataclass(frozen=True)
class Origin:
    """`public`: whether a public CA issued it, None where that is not known. `reason`: what says so, a part of a sentence."""

    public: bool | None
    reason: str


def origin_of(judge: Judge, facts: Facts) -> Origin:
    """A policy of the CA/Browser Forum alone proves nothing, because any CA can write one. A known root does."""
    identity = judge.identity
    if facts.self_signed:
        return Origin(False, "self-signed")
    top = _top(identity.chain)
    root = next((item for item in judge.policy.public_roots if item == top or issued_by(top, item)), None)
    if root is not None:
        return Origin(True, f"its chain leads to {name_text(root.subject)}")
    if facts.public is False:
        return Origin(False, "from a private CA: it carries no policy of the CA/Browser Forum")
    ends = f"its chain ends at {name_text(top.issuer)}, which is not one of the collection's roots"
    if facts.public is None:
        return Origin(None, f"its extensions cannot be read, and {ends}")
    trust = identity.trust
    if trust is None or trust.ok is None:
        return Origin(None, f"{ends}, and the host's own OpenSSL was not asked{': ' + trust.message if trust else ''}")
    if trust.ok or trust.code in _DATES:
        return Origin(True, f"the host's own store leads from it to a root ({trust.version})")
    return Origin(None, f"{ends}, and the host's own store does not know it either ({trust.message})")


def _top(chain: tuple[x509.Certificate, ...]) -> x509.Certificate:
    """The last certificate that the ones before it lead to."""
    top = chain[0]
    for lower, upper in itertools.pairwise(chain):
        if issued_by(lower, upper) is not True:
            break
        top = upper
    return top


def judge_origin(judge: Judge, facts: Facts, origin: Origin) -> None:
    """Public or private. For a partner with a CA of its own that is agreed, so it is no more than a warning there."""
    status: Status | None = None if judge.policy.public else "warn"
    evidence = {"policy": facts.public, "reason": origin.reason}
    if origin.public:
        judge.say("public_ca", f"from a public CA: {origin.reason}", evidence=evidence)
    elif origin.public is False:
        judge.say("private_ca", origin.reason, status=status, evidence=evidence)
    else:
        judge.say(
            "origin_unknown",
            "whether it is from a public CA is not known",
            detail=origin.reason,
            status=status,
            evidence=evidence,
        )


def judge_usage(judge: Judge, facts: Facts, origin: Origin) -> None:
    """What its extended key usage allows, and that public CAs cease to allow clientAuth."""
    rules = judge.policy.rules
    evidence: dict[str, t.Any] = {"extended_key_usage": list(facts.usages or ())}
    if not facts.may(SERVER_AUTH):
        judge.say("server_auth_missing", "its extended key usage lacks serverAuth", evidence=evidence)
    dates = [
        {"who": item.who, "since": item.since.isoformat(), "what": item.what, "source": item.source} for item in rules.client_auth
    ]
    evidence = {**evidence, "changes": dates, "as_of": rules.as_of.isoformat(), "sources": list(rules.sources)}
    detail = f"As of {rules.as_of.isoformat()}: {'; '.join(map(str, rules.client_auth))}."
    if not facts.may(CLIENT_AUTH):
        judge.say("client_auth_missing", "its extended key usage lacks clientAuth", evidence=evidence, detail=detail)
    elif origin.public is not False and facts.usages is not None and CLIENT_AUTH in facts.usages:
        judge.say("client_auth_ending", "it has clientAuth, and the next one may not", evidence=evidence, detail=detail)
