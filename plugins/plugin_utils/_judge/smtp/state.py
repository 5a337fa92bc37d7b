# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""The state of a path (opportunistic, encrypted, verified), and whether it is what the direction asks for."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.mailops.tls.plugins.plugin_utils._judge.smtp.chain import ChainVerdict
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.smtp.context import SmtpPolicy, Talk
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.smtp.dane import DaneVerdict
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.smtp.model import Path, Tls
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.smtp.name import NameVerdict
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.smtp.tls import is_for_certificate, is_older

State = t.Literal["opportunistic", "encrypted", "verified"]


@dataclasses.dataclass(frozen=True)
class PathState:
    """`state` is None where the server was not seen. `verified_by` holds pkix, dane, both or none of them."""

    state: State | None
    verified_by: tuple[str, ...]
    met: bool | None
    reason: str


def state_of(
    path: Path,
    policy: SmtpPolicy,
    chain: ChainVerdict | None,
    name: NameVerdict | None,
    dane: DaneVerdict,
    *,
    seen: bool | None,
) -> PathState:
    """What TLS would hold on this path, whatever the direction asks for.

    `seen` is False where the server was reached and TLS did not come about, None where that was not observed.
    """
    if path.tls is None:
        if seen is None:
            return PathState(None, (), None if policy.encrypts else True, "it was not observed")
        return _met(PathState("opportunistic", (), None, "TLS does not come about"), policy)
    if path.error is None:
        return _state_of_tls(path.tls, policy, chain, name, dane)
    if is_for_certificate(path.error):
        # In TLS 1.3 that is told after the handshake. It is no more a session than with TLS 1.2, where it is told in it.
        return _met(PathState("opportunistic", (), None, "the server does not go on without another client certificate"), policy)
    return _unfinished(_state_of_tls(path.tls, policy, chain, name, dane), policy)


def _unfinished(found: PathState, policy: SmtpPolicy) -> PathState:
    """Nobody saw that mail could be sent over this TLS. What falls short of the policy falls short all the same."""
    met = None if found.met and policy.encrypts else found.met
    reason = found.reason or "the session ended after the handshake"
    return PathState(found.state if found.state == "opportunistic" else None, (), met, reason)


def _state_of_tls(
    tls: Tls, policy: SmtpPolicy, chain: ChainVerdict | None, name: NameVerdict | None, dane: DaneVerdict
) -> PathState:
    if is_older(tls.protocol, policy.minimum_tls):
        return _met(PathState("opportunistic", (), None, f"{tls.protocol} is below {policy.minimum_tls}"), policy)
    verified_by = []
    unknown = False
    if chain is not None and name is not None:
        if chain.trusted and chain.in_time and name.matched:
            verified_by.append("pkix")
        unknown = name.matched and chain.in_time is not False and chain.trusted is None
    if dane.status == "verified":
        verified_by.append("dane")
    reason = _reason(chain, name)
    if verified_by:
        return _met(PathState("verified", tuple(verified_by), None, reason), policy, unknown=unknown, dane=dane)
    return _met(PathState("encrypted", (), None, reason), policy, unknown=unknown, dane=dane)


def _reason(chain: ChainVerdict | None, name: NameVerdict | None) -> str:
    if chain is None or name is None:
        return "the server showed no certificate"
    reasons = []
    if chain.trusted is not True:
        reasons.append("the chain is not trusted" if chain.trusted is False else "no store gave a verdict on the chain")
    if not chain.in_time:
        reasons.append("the certificate is out of its time")
    if not name.matched:
        reasons.append("the name does not match")
    return ", ".join(reasons)


def _met(found: PathState, policy: SmtpPolicy, *, unknown: bool = False, dane: DaneVerdict | None = None) -> PathState:
    """Whether the policy of the direction is met; None where what it needs was not seen."""
    met: bool | None
    if policy.require == "none":
        met = True
    elif policy.require == "encrypt":
        met = found.state != "opportunistic"
    elif policy.require == "verify":
        met = "pkix" in found.verified_by or (None if unknown else False)
    else:
        met = "dane" in found.verified_by or (None if dane is not None and dane.status == "not_judged" else False)
    return dataclasses.replace(found, met=met)


def judge_policy(talk: Talk, found: PathState, policy: SmtpPolicy) -> None:
    """The state beside what the direction asks for. Without a demand there is nothing to meet."""
    evidence = {"state": found.state, "verified_by": list(found.verified_by), "require": policy.require}
    if policy.require == "none" or (found.state is None and found.met is None):
        return
    state = found.state or "not seen to the end"
    detail = f"{found.reason}." if found.reason else ""
    if found.met:
        talk.say("policy.met", f"{state}, and {policy.require} is asked for", evidence=evidence)
    elif found.met is False:
        talk.say("policy.not_met", f"{state}, and {policy.require} is asked for", detail=detail, evidence=evidence)
    else:
        talk.say(
            "policy.not_met",
            f"whether {policy.require} holds was not seen",
            detail=detail,
            evidence=evidence,
            status="unknown",
        )
