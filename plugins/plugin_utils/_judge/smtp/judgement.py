# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""From the observations of mail servers to the result and the findings of smtp_tls_info."""

from __future__ import annotations

import dataclasses
import datetime as dt
import typing as t

from ansible_collections.mailops.tls.plugins.plugin_utils._findings.model import Finding, Subject
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.egress.answer import answers_by_id
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.smtp.addresses import judge_addresses
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.smtp.chain import described, judge_chain, validity
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.smtp.context import SmtpPolicy, Talk
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.smtp.dane import judge_dane
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.smtp.domain import DomainView, judge_mta_sts, judge_mx
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.smtp.model import (
    Error,
    Host,
    Observation,
    Path,
    read_observation,
)
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.smtp.name import judge_mx_name, judge_name
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.smtp.plaintext import judge_plaintext
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.smtp.profile import concerning, judge_profiles
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.smtp.revocation import (
    Evidence,
    RevocationVerdict,
    judge_revocation,
    verdicts,
)
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.smtp.state import judge_policy, state_of
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.smtp.tls import (
    forward_secrecy,
    judge_session,
    judge_tls,
    key_exchange,
)
from ansible_collections.mailops.tls.plugins.plugin_utils._plan.smtp.checks import SmtpCheck
from ansible_collections.mailops.tls.plugins.plugin_utils._plan.smtp.targets import Target


@dataclasses.dataclass(frozen=True)
class Scene:
    """When and where it was observed: inventory name, time of judgement (aware UTC) and the stamp of findings."""

    host: str
    now: dt.datetime
    observed_at: str


@dataclasses.dataclass(frozen=True)
class SmtpJudgement:
    """`paths`, `mx` and `mta_sts` as smtp_tls_info returns them, and the findings."""

    paths: list[dict[str, t.Any]]
    mx: list[dict[str, t.Any]]
    mta_sts: list[dict[str, t.Any]]
    findings: list[Finding]


def judge_smtp(
    checks: t.Sequence[SmtpCheck],
    observations: t.Any,
    policy: SmtpPolicy,
    scene: Scene,
    *,
    views: t.Mapping[str, DomainView],
    revocation: Evidence,
) -> SmtpJudgement:
    """Judge the answers to planned checks. `views` are the controller's lookups by domain, `revocation` what CAs said."""
    answers = raw_answers(observations)
    seen = [(check, read_observation(answers.get(check.request["id"], {}))) for check in checks]
    revoked = verdicts((path for _check, observed in seen for path in observed.paths), revocation)
    fetched = answers_by_id(observations)
    judged = SmtpJudgement([], [], [], [])
    for check, observed in seen:
        domain = check.target.domain
        if domain is not None:
            talk = Talk(Subject("domain", domain), scene.host, scene.observed_at)
            view = views.get(domain, DomainView(reason="nobody asked"))
            judged.mx.append(judge_mx(talk, domain, observed.mx, view, fallback=bool(observed.paths)))
            answer = fetched.get(check.policy_request["id"]) if check.policy_request else None
            hosts = [host for _preference, host in observed.mx.records]
            judged.mta_sts.append(judge_mta_sts(talk, domain, hosts, view, answer))
            judged.findings.extend(talk.findings)
        _judge_target(judged, check.target, observed, policy, scene, revoked)
    return judged


def raw_answers(observations: t.Any) -> dict[str, dict[str, t.Any]]:
    """The probe's answers by the ids of their requests."""
    listed = observations.get("answers") if isinstance(observations, dict) else None
    items = listed if isinstance(listed, list) else []
    return {item["id"]: item for item in items if isinstance(item, dict) and isinstance(item.get("id"), str)}


def _judge_target(
    judged: SmtpJudgement,
    target: Target,
    observed: Observation,
    policy: SmtpPolicy,
    scene: Scene,
    revoked: t.Mapping[str, RevocationVerdict],
) -> None:
    if observed.error is not None:
        talk = Talk(Subject("server", target.name), scene.host, scene.observed_at)
        _judge_not_looked_at(talk, observed.error)
        judged.findings.extend(talk.findings)
    if observed.truncated:
        talk = Talk(Subject("server", target.name), scene.host, scene.observed_at)
        talk.say("addresses.truncated", f"it has more addresses than the {len(observed.paths)} that were looked at")
        judged.findings.extend(talk.findings)
    for host in observed.hosts:
        judged.findings.extend(_judge_host(host, observed.paths, scene))
    hosts = {host.host: host for host in observed.hosts}
    for path in observed.paths:
        talk = Talk(Subject("server", path.name), scene.host, scene.observed_at)
        judged.paths.append(_judge_path(talk, path, hosts.get(path.host), target, observed, policy, scene, revoked))
        judged.findings.extend(talk.findings)
    judged.findings.extend(judge_addresses(target, observed.paths, host=scene.host, observed_at=scene.observed_at))


def _judge_not_looked_at(talk: Talk, error: Error) -> None:
    if error.code == "client_certificate":
        text = "it was not looked at, because the client certificate cannot be used"
        talk.say("tls.client_certificate_unusable", text, detail=error.message)
    else:
        talk.say("connect.no_answer", "it was not looked at", detail=f"{error.code}: {error.message}")


def _judge_host(host: Host, paths: t.Sequence[Path], scene: Scene) -> list[Finding]:
    """A host without any path has no address that could be tried."""
    if any(path.host == host.host for path in paths):
        return []
    talk = Talk(Subject("server", host.host), scene.host, scene.observed_at)
    code, message = (host.error.code, host.error.message) if host.error is not None else ("no_address", "")
    if code in ("nxdomain", "no_address", "no_data"):
        talk.say("connect.failed", f"it has no address ({code})", detail=message)
    else:
        talk.say("connect.no_answer", f"its addresses were not obtained ({code})", detail=message)
    return talk.findings


def _judge_path(
    talk: Talk,
    path: Path,
    host: Host | None,
    target: Target,
    observed: Observation,
    policy: SmtpPolicy,
    scene: Scene,
    revoked: t.Mapping[str, RevocationVerdict],
) -> dict[str, t.Any]:
    reached, profiled = judge_session(talk, path, policy), bool(concerning(policy, path))
    if reached:
        # The technical reference is that of Exchange Online; servers of others may choose their ciphers.
        judge_tls(talk, path, policy if profiled else dataclasses.replace(policy, reference=None))
    chain = judge_chain(talk, path, policy, scene.now)
    name = judge_name(talk, path, policy)
    mx = observed.mx if target.domain is not None else None
    judge_mx_name(talk, path, name, mx, target.domain, policy, profiled=profiled)
    dane = judge_dane(talk, path, host, mx, target.domain, policy)
    statuses = judge_revocation(talk, path, revoked)
    refuses = judge_plaintext(talk, path, policy)
    compared = judge_profiles(talk, path, chain, policy, scene.now)
    found = state_of(path, policy, chain, name, dane, seen=_tls_seen(path, reached))
    judge_policy(talk, found, policy)
    return {
        **_observed(path, target),
        "trust": [dataclasses.asdict(item) for item in path.verified],
        "trusted": chain.trusted if chain else None,
        "complete": chain.complete if chain else None,
        "validity": validity(chain.facts, policy, scene.now) if chain else None,
        "name": dataclasses.asdict(name) if name else None,
        "revocation": [item.as_dict() for item in statuses],
        "dane": dane.as_dict(),
        "profile": compared,
        "plaintext_refused": refuses,
        "state": found.state,
        "verified_by": list(found.verified_by),
        "policy": {"require": policy.require, "met": found.met, "reason": found.reason or None},
    }


def _tls_seen(path: Path, reached: bool) -> bool | None:
    """False where it is known that TLS does not come about; None where the server was not seen, or not to the end."""
    if path.starttls in ("not_offered", "filtered", "refused"):
        return False
    if not reached:
        return None
    unseen = path.error is not None and (
        path.error.stage == "plaintext" or path.error.code in ("deadline", "internal", "timeout")
    )
    return None if unseen else False


def _observed(path: Path, target: Target) -> dict[str, t.Any]:
    tls = path.tls
    return {
        "domain": target.domain,
        "host": path.host,
        "address": path.address,
        "family": path.family,
        "port": path.port,
        "connections": path.connections,
        "ms": path.milliseconds,
        "banner": path.banner,
        "capabilities": None if path.capabilities is None else list(path.capabilities),
        "starttls": path.starttls,
        "protocol": tls.protocol if tls else None,
        "cipher": tls.cipher if tls else None,
        "permissive": tls.permissive if tls else None,
        "forward_secrecy": forward_secrecy(tls) if tls else None,
        "key_exchange": key_exchange(tls) if tls else None,
        "client_certificate_requested": tls.client_certificate_requested if tls else None,
        "chain": [described(item) for item in path.chain],
        "chain_source": path.chain_source,
        "plaintext": dataclasses.asdict(path.plaintext) if path.plaintext else None,
        "error": dataclasses.asdict(path.error) if path.error else None,
    }
