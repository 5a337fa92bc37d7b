# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""The certificates that a server presented: trust, completeness, dates and strength, each a verdict of its own."""

from __future__ import annotations

import dataclasses
import datetime as dt
import functools
import typing as t

from ansible_collections.mailops.tls.plugins.plugin_utils._judge.certificate.facts import (
    CLIENT_AUTH,
    SERVER_AUTH,
    Facts,
    facts_of,
)
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.certificate.names import dns_names
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.smtp.context import SmtpPolicy, Talk
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.smtp.model import Path, StoreVerdict
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.smtp.name import ip_names
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.x509 import (
    PARSE_ERRORS,
    clean,
    iso,
    issued_by,
    name_text,
    same_name,
    sha256,
)

try:
    from cryptography import x509
except ImportError:  # only in ansible-test's import check: ansible-core itself requires cryptography
    pass

# X509_V_ERR_CERT_NOT_YET_VALID and X509_V_ERR_CERT_HAS_EXPIRED: OpenSSL looks at dates after it has found a trusted root.
_DATES: t.Final = frozenset({9, 10})
# X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT and its kin: the next certificate upwards is nowhere to be found.
_NO_ISSUER: t.Final = frozenset({2, 20, 21})
# X509_V_ERR_CERT_CHAIN_TOO_LONG, and X509_V_ERR_CERT_UNTRUSTED, which can stand for it: other reasons to give up on the way.
_NOT_BUILT: t.Final = frozenset({22, 27})
# The chain_source of a host whose Python is too old to show the chain and whose openssl did not either.
LEAF_ONLY: t.Final = "leaf only"
_WEAK_HASHES: t.Final = frozenset({"md5", "sha1"})
_LEAST_BITS: t.Final = {"RSA": 2048, "EC": 256}


@dataclasses.dataclass(frozen=True)
class Climb:
    """How far up the chain leads. `complete` is about what the server sent; `anchor` is the root that was reached.

    `path` runs from the leaf upwards, `missing` names the issuer where it ends short of a root or leaves what was sent.
    """

    path: tuple[x509.Certificate, ...]
    complete: bool | None
    anchor: x509.Certificate | None
    missing: str | None


# Many addresses present the same few certificates: each is read once.
facts_once = functools.lru_cache(maxsize=1024)(facts_of)


@functools.lru_cache(maxsize=512)
def climb(
    served: tuple[x509.Certificate, ...], roots: tuple[x509.Certificate, ...], issuers: tuple[x509.Certificate, ...]
) -> Climb:
    """From the leaf up to a root, by signatures. The order in which they were sent makes no difference (RFC 8446 4.4.2)."""
    current, path, complete, missing = served[0], [served[0]], True, None
    while len(path) <= len(served) + len(issuers) + 1:
        if is_root(current):
            return Climb(tuple(path), complete, current, missing)
        anchor = next((root for root in roots if issued_by(current, root)), None)
        if anchor is not None:
            return Climb((*path, anchor), complete, anchor, missing)
        upper = next((item for item in served if item not in path and issued_by(current, item)), None)
        if upper is None:
            upper = next((item for item in issuers if item not in path and issued_by(current, item)), None)
            if upper is None or not is_root(upper):
                missing = missing or name_text(current.issuer)
                complete = False
        if upper is None:
            break
        path.append(upper)
        current = upper
    return Climb(tuple(path), _without_root(served, path, issuers), None, missing)


def is_root(certificate: x509.Certificate) -> bool:
    """Signed by itself, so that no server has to send it (RFC 8446 4.4.2)."""
    return same_name(certificate.subject, certificate.issuer) and bool(issued_by(certificate, certificate))


def _without_root(
    served: tuple[x509.Certificate, ...], path: t.Sequence[x509.Certificate], issuers: tuple[x509.Certificate, ...]
) -> bool | None:
    """False where an intermediate is known to be missing; None where what is missing may be a root that nobody has to send."""
    if any(item in issuers and item not in served for item in path):
        return False
    # Public CAs issue from intermediates (Baseline Requirements 4.3.1), so a leaf alone is never a whole chain.
    return False if len(path) == 1 and facts_of(served[0]).public else None


@dataclasses.dataclass(frozen=True)
class ChainVerdict:
    """`trusted`: whether one of the stores asked leads to a root of its own, dates apart; None: no store could say."""

    climb: Climb
    facts: Facts
    trusted: bool | None
    complete: bool | None
    in_time: bool | None


def judge_chain(talk: Talk, path: Path, policy: SmtpPolicy, now: dt.datetime) -> ChainVerdict | None:
    """All verdicts on the certificates but the name; None where none was presented."""
    if not path.chain:
        return None
    found = climb(path.chain, policy.roots, policy.issuers)
    facts = facts_once(path.chain[0])
    whole = path.chain_source != LEAF_ONLY
    verdicts = [_judge_store(talk, item, facts, policy, now, whole=whole) for item in path.verified]
    trusted = True if True in verdicts else False if False in verdicts else None
    if not path.verified:
        talk.say("chain.not_judged", "no store of the host was asked about the chain")
    complete = _judge_complete(talk, path, found, trusted, policy) if whole else None
    in_time = _judge_validity(talk, facts, policy, now)
    _judge_strength(talk, path, facts)
    _judge_expected(talk, path, found, facts, policy)
    return ChainVerdict(found, facts, trusted, complete, in_time)


def trusts(verdict: StoreVerdict, facts: Facts, now: dt.datetime, *, whole: bool = True) -> bool | None:
    """Whether the store leads to a root of its own. Where only the leaf's date is wrong, that is another verdict.

    `whole` is False where the host could obtain nothing but the leaf: an issuer that was not found proves nothing then.
    """
    if not whole and verdict.code in _NO_ISSUER:
        return None
    # The errors come from the root downwards, so that the first one at the leaf is the only one.
    if verdict.ok is False and verdict.code in _DATES and verdict.depth == 0 and not _in_time(facts, now):
        return True
    return verdict.ok


def _in_time(facts: Facts, now: dt.datetime) -> bool | None:
    if facts.not_before is None or facts.not_after is None:
        return None
    return facts.not_before <= now <= facts.not_after


def _judge_store(
    talk: Talk, verdict: StoreVerdict, facts: Facts, policy: SmtpPolicy, now: dt.datetime, *, whole: bool
) -> bool | None:
    trusted = trusts(verdict, facts, now, whole=whole)
    evidence = dataclasses.asdict(verdict)
    if trusted:
        detail = "" if verdict.ok else "Its date is judged apart."
        talk.say("chain.trusted", f"the chain leads to a root of {verdict.store}", detail=detail, evidence=evidence)
    elif trusted is False:
        talk.say(
            "chain.untrusted",
            f"the chain is not trusted by {verdict.store}",
            detail=f"openssl verify: {verdict.message} ({verdict.code}).",
            evidence=evidence,
            status="fail" if policy.demands_pkix else "warn",
        )
    else:
        talk.say("chain.not_judged", f"{verdict.store} gave no verdict on the chain", detail=verdict.message, evidence=evidence)
    return trusted


def _judge_complete(talk: Talk, path: Path, found: Climb, trusted: bool | None, policy: SmtpPolicy) -> bool | None:
    if found.complete is False:
        talk.say(
            "chain.incomplete",
            f"an intermediate is missing: {found.missing}",
            detail=f"{len(path.chain)} certificates were sent." + (" The host has it from elsewhere." if trusted else ""),
            evidence={"missing": found.missing, "sent": [name_text(item.subject) for item in path.chain]},
            status="fail" if policy.demands_pkix and not trusted else "warn",
        )
        return False
    if found.complete is None and (trusted or any(_was_built(item) for item in path.verified)):
        return True  # the host's openssl found the way to a root with nothing but what was sent
    if found.complete is None and len(path.chain) == 1 and any(item.code in _NO_ISSUER for item in path.verified):
        talk.say(
            "chain.incomplete",
            f"only the certificate itself was sent, and its issuer is not at hand: {found.missing}",
            detail="Either an intermediate is missing, or the issuer is a root that no store asked has.",
            evidence={"missing": found.missing, "sent": [name_text(path.chain[0].subject)]},
            status="unknown",
        )
    return found.complete


def _was_built(verdict: StoreVerdict) -> bool:
    """Whether openssl found a root, whatever it then held against the chain: it looks at the rest afterwards."""
    return verdict.ok is False and verdict.code is not None and verdict.code not in (*_NO_ISSUER, *_NOT_BUILT)


def _judge_validity(talk: Talk, facts: Facts, policy: SmtpPolicy, now: dt.datetime) -> bool | None:
    evidence = validity(facts, policy, now)
    in_time = _in_time(facts, now)
    if facts.not_before is None or facts.not_after is None:
        talk.say("chain.not_judged", "the validity of the certificate cannot be read")
    elif now > facts.not_after:
        talk.say("certificate.expired", f"the certificate expired on {iso(facts.not_after)}", evidence=evidence)
    elif now < facts.not_before:
        talk.say("certificate.not_yet_valid", f"the certificate is valid from {iso(facts.not_before)} on", evidence=evidence)
    elif evidence["renewal_due"]:
        text = f"the certificate is valid until {iso(facts.not_after)}, {evidence['days_left']} days from now"
        talk.say("certificate.expires_soon", text, evidence=evidence)
    return in_time


def validity(facts: Facts, policy: SmtpPolicy, now: dt.datetime) -> dict[str, t.Any]:
    """Days left and the lead time: that of the policy, or a third of a short lifetime (RFC 9773 renews there)."""
    start, end = facts.not_before, facts.not_after
    if start is None or end is None:
        return {"not_before": iso(start), "not_after": iso(end), "days": None, "days_left": None, "renewal_due": None}
    lead = min(policy.lead_time, (end - start) / 3)
    return {
        "not_before": iso(start),
        "not_after": iso(end),
        "days": round((end - start) / dt.timedelta(days=1)),
        "days_left": (end - now).days,
        "lead_time_days": lead.days,
        "renewal_due": end - now < lead,
        # What a public CA may issue today: how long the next certificate lives at most.
        "longest_days_today": policy.rules.longest_days(now.date()) if policy.rules else None,
    }


def _judge_strength(talk: Talk, path: Path, facts: Facts) -> None:
    least = _LEAST_BITS.get(facts.key or "")
    reasons = []
    if least and facts.key_size is not None and facts.key_size < least:
        reasons.append(f"the key is {facts.key} of {facts.key_size} bits")
    for item in dict.fromkeys(path.chain):  # a server may send one twice
        described = facts_once(item)
        if described.hash in _WEAK_HASHES and not described.self_signed:
            reasons.append(f"{name_text(item.subject)} is signed with {described.hash}")
    if reasons:
        evidence = {"key_type": facts.key, "key_size": facts.key_size, "signature_hash": facts.hash}
        talk.say("certificate.weak", "; ".join(reasons), evidence=evidence)


def _judge_expected(talk: Talk, path: Path, found: Climb, facts: Facts, policy: SmtpPolicy) -> None:
    expect, wrong, unseen = policy.expect, [], []
    organizations = subject_values(path.chain[0], "ORGANIZATION_NAME")
    if expect.organization is not None and expect.organization.casefold() not in {item.casefold() for item in organizations}:
        wrong.append(f"the organization is {', '.join(organizations) or 'not named'}, not {expect.organization}")
    if expect.key_size is not None:
        if facts.key_size is None:
            unseen.append("the size of the key cannot be read")
        elif facts.key_size < expect.key_size:
            wrong.append(f"the key has {facts.key_size} bits, {expect.key_size} are asked for")
    if expect.root is not None:
        reached = {sha256(item) for item in found.path[1:]}
        if found.anchor is None and expect.root not in reached:
            unseen.append("the root that the chain leads to is not at hand")
        elif expect.root not in reached and found.anchor is not None:
            wrong.append(f"the chain leads to {name_text(found.anchor.subject)}")
    if wrong or unseen:
        evidence = {"wrong": wrong, "not_seen": unseen, "sha256": sha256(path.chain[0])}
        talk.say("certificate.unexpected", "; ".join([*wrong, *unseen]), evidence=evidence, status="fail" if wrong else "unknown")


def subject_values(certificate: x509.Certificate, attribute: str) -> list[str]:
    """Values of an attribute of the subject, as cryptography names it (ORGANIZATION_NAME, ...)."""
    try:
        found = certificate.subject.get_attributes_for_oid(getattr(x509.NameOID, attribute))
        return [clean(item.value) for item in found]
    except PARSE_ERRORS:
        return []


@functools.lru_cache(maxsize=512)
def _described(certificate: x509.Certificate) -> tuple[tuple[str, t.Any], ...]:
    facts = facts_of(certificate)
    described = {
        "sha256": sha256(certificate),
        "subject": name_text(certificate.subject),
        "issuer": name_text(certificate.issuer),
        "not_before": iso(facts.not_before),
        "not_after": iso(facts.not_after),
        "key_type": facts.key,
        "key_size": facts.key_size,
        "signature_hash": facts.hash,
        "names": [{"field": field, "value": value} for field, value in dns_names(certificate)]
        + [{"field": "IP", "value": value} for value in ip_names(certificate)],
        "extended_key_usage": None if facts.usages is None else list(facts.usages),
        "server_auth": facts.may(SERVER_AUTH),
        "client_auth": facts.may(CLIENT_AUTH),
        "scts": facts.scts,
        "self_signed": facts.self_signed,
        "public_ca": facts.public,
    }
    return tuple(described.items())


def described(certificate: x509.Certificate) -> dict[str, t.Any]:
    """A certificate as results show it. Read once for all paths that serve it."""
    return dict(_described(certificate))
