# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""Whether the certificates that were presented are revoked, from what their CRLs and OCSP responders said to the host."""

from __future__ import annotations

import dataclasses
import datetime as dt
import typing as t

from ansible_collections.mailops.tls.plugins.plugin_utils._judge.egress.judgement import judge_egress
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.smtp.context import Talk
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.smtp.model import Path
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.x509 import CertificateRef, name_text, same_name, sha256
from ansible_collections.mailops.tls.plugins.plugin_utils._plan.egress.check import EgressCheck
from ansible_collections.mailops.tls.plugins.plugin_utils._plan.egress.ocsp import crl_urls, responder_urls

if t.TYPE_CHECKING:
    from cryptography import x509

Status = t.Literal["good", "revoked", "unknown", "not_asked"]

_REVOKED: t.Final = ("crl_lists_certificate", "ocsp_revoked")


@dataclasses.dataclass(frozen=True)
class Source:
    """What one CRL or responder said about one certificate: cause of the egress judge, and its words."""

    url: str
    kind: str
    cause: str
    detail: str


@dataclasses.dataclass(frozen=True)
class Evidence:
    """What was fetched: the checks, the probe's observations that answer them, and the time of judgement (aware UTC).

    `not_asked` says why sources were left alone where nobody wanted them asked, `unasked` why where they could not be.
    """

    checks: tuple[EgressCheck, ...]
    observations: t.Any
    now: dt.datetime
    not_asked: str = ""
    unasked: str = "None of its sources was asked."


@dataclasses.dataclass(frozen=True)
class RevocationVerdict:
    """Of one certificate. `not_asked` has a `reason`."""

    sha256: str
    subject: str
    status: Status
    reason: str
    sources: tuple[Source, ...]

    def as_dict(self) -> dict[str, t.Any]:
        """As results show it."""
        return {**dataclasses.asdict(self), "sources": [dataclasses.asdict(item) for item in self.sources]}


def judge_revocation(talk: Talk, path: Path, known: t.Mapping[str, RevocationVerdict]) -> list[RevocationVerdict]:
    """The verdict for each certificate of the path but roots; `known` has one for every certificate, by SHA-256."""
    found = [known[item] for item in dict.fromkeys(map(sha256, path.chain)) if item in known]
    for verdict in found:
        evidence = verdict.as_dict()
        if verdict.status == "revoked":
            talk.say("revocation.revoked", f"{verdict.subject} is revoked", detail=verdict.reason, evidence=evidence)
        elif verdict.status == "good":
            talk.say("revocation.good", f"{verdict.subject} is not revoked", detail=verdict.reason, evidence=evidence)
        elif verdict.status == "unknown":
            text = f"whether {verdict.subject} is revoked could not be found out"
            talk.say("revocation.unknown", text, detail=verdict.reason, evidence=evidence)
        else:
            text = f"whether {verdict.subject} is revoked was not asked"
            talk.say("revocation.unknown", text, detail=verdict.reason, evidence=evidence, status="not_applicable")
    return found


def verdicts(paths: t.Iterable[Path], evidence: Evidence) -> dict[str, RevocationVerdict]:
    """One verdict for each certificate of any path, however many servers present it. Roots have none."""
    every = {sha256(item): item for path in paths for item in path.chain}
    return {key: revocation_of(item, evidence) for key, item in every.items() if not same_name(item.subject, item.issuer)}


def revocation_of(certificate: x509.Certificate, evidence: Evidence) -> RevocationVerdict:
    """Revoked when one valid source says so; good when one says that it is not; else unknown, or not asked at all."""
    named = {url for url, _names in crl_urls(certificate)}
    responders = set(responder_urls(certificate)[0])
    asked = []
    for check in evidence.checks:
        url = check.endpoint.url
        if check.endpoint.kind == "crl" and url in named:
            # Only this certificate is looked up: a list that has another one is no bad news for it.
            asked.append(dataclasses.replace(check, certificates=(CertificateRef.of(certificate),)))
        elif check.endpoint.kind == "ocsp" and url in responders and _is_about(check, certificate):
            asked.append(check)
    judged = judge_egress(asked, evidence.observations, host="", now=evidence.now, observed_at="")
    sources = tuple(_source(result) for result in judged.endpoints)
    status, reason = _status(sources, bool(named or responders), evidence)
    return RevocationVerdict(sha256(certificate), name_text(certificate.subject), status, reason, sources)


def _status(sources: t.Sequence[Source], has_any: bool, evidence: Evidence) -> tuple[Status, str]:
    revoked = next((item for item in sources if item.cause in _REVOKED), None)
    good = next((item for item in sources if item.cause == "ok"), None)
    if revoked is not None:
        return "revoked", revoked.detail
    if good is not None:
        return "good", good.detail
    if sources:
        return "unknown", "; ".join(f"{item.url}: {item.cause}" for item in sources)
    if not has_any:
        return "not_asked", "The certificate names neither a CRL nor a responder."
    return ("not_asked", evidence.not_asked) if evidence.not_asked else ("unknown", evidence.unasked)


def _source(result: t.Mapping[str, t.Any]) -> Source:
    """An answer whose signature nobody could check proves nothing, however fresh it is."""
    cause, facts = str(result["cause"]), result.get("crl") or result.get("ocsp") or {}
    if cause in ("ok", *_REVOKED) and facts.get("signature") != "valid":
        cause = "signature_not_checked"
    return Source(str(result["url"]), str(result["kind"]), cause, str(result["detail"]))


def _is_about(check: EgressCheck, certificate: x509.Certificate) -> bool:
    reference = check.question.certificate if check.question is not None else None
    return reference is not None and reference.serial == certificate.serial_number and reference.issuer == certificate.issuer
