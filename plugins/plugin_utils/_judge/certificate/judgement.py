# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""Whether the certificate that a host presents is fit for hybrid or partner mail flow with Exchange Online."""

from __future__ import annotations

import datetime as dt
import itertools
import typing as t

from ansible_collections.mailops.tls.plugins.plugin_utils._findings.model import Finding, Subject
from ansible_collections.mailops.tls.plugins.plugin_utils._findings.registry import make
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.certificate.context import Judge
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.certificate.facts import (
    CLIENT_AUTH,
    SERVER_AUTH,
    Facts,
    facts_of,
)
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.certificate.model import Identity, Key, Policy
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.certificate.names import (
    connector_name,
    dns_names,
    match_accepted_domain,
    match_connector,
)
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.certificate.origin import judge_origin, judge_usage, origin_of
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.certificate.validity import (
    NOTHING,
    describe_validity,
    judge_lifetime,
    judge_validity,
)
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.x509 import iso, issued_by, name_text, sha256

if t.TYPE_CHECKING:
    from cryptography import x509

# Groups that exist for this purpose: Debian's ssl-cert.
_KEY_GROUPS: t.Final = frozenset({"root", "ssl-cert"})
_WEAK_HASHES: t.Final = frozenset({"md5", "sha1"})
_LEAST_BITS: t.Final = {"RSA": 2048, "EC": 256}


def judge_identities(
    identities: t.Sequence[Identity], policy: Policy, *, host: str, now: dt.datetime, observed_at: str
) -> tuple[list[dict[str, t.Any]], list[Finding]]:
    """The `certificates` of the result, and the findings. `now` is aware UTC."""
    if not identities:
        none = make(
            "certificate.none_configured",
            host=host,
            subject=Subject("host", host),
            summary="no certificate is configured to be presented",
            observed_at=observed_at,
        )
        return [], [none]
    returned, findings = [], []
    for identity in identities:
        judge = Judge(identity, policy, host, now, observed_at)
        returned.append(_one(judge))
        findings.extend(judge.findings)
    return returned, findings


def _one(judge: Judge) -> dict[str, t.Any]:
    identity = judge.identity
    result: dict[str, t.Any] = {"source": identity.name, "used_by": list(identity.used_by), **_NOTHING}
    result["key"] = _key_result(identity.key)
    if not identity.chain:
        _nothing_there(judge)
        return result
    leaf = identity.chain[0]
    facts = facts_of(leaf)
    origin, validity = origin_of(judge, facts), describe_validity(judge, facts)
    judge_validity(judge, facts, validity)
    judge_lifetime(judge, facts, validity)
    _judge_strength(judge, facts)
    judge_usage(judge, facts, origin)
    result.update(validity, chain_complete=_judge_chain(judge, facts), public_ca=origin.public)
    judge_origin(judge, facts, origin)
    if identity.key is not None:
        _judge_key(judge, identity.key)
    matched = _judge_names(judge, leaf)
    _judge_binding(judge, leaf)
    return {**result, **_described(leaf, facts), "chain": [name_text(item.subject) for item in identity.chain], **matched}


_NOTHING: t.Final[dict[str, t.Any]] = {
    "sha256": None,
    "subject": None,
    "issuer": None,
    "names": [],
    "not_before": None,
    "not_after": None,
    **NOTHING,
    "key_type": None,
    "key_size": None,
    "signature_hash": None,
    "extended_key_usage": None,
    "server_auth": None,
    "client_auth": None,
    "public_ca": None,
    "self_signed": None,
    "tls_certificate_name": None,
    "chain": [],
    "chain_complete": None,
    "matched_name": None,
    "matched_domain": None,
}


def _described(leaf: x509.Certificate, facts: Facts) -> dict[str, t.Any]:
    return {
        "sha256": sha256(leaf),
        "subject": name_text(leaf.subject),
        "issuer": name_text(leaf.issuer),
        "names": [{"field": field, "value": value} for field, value in dns_names(leaf)],
        "not_before": iso(facts.not_before),
        "not_after": iso(facts.not_after),
        "key_type": facts.key,
        "key_size": facts.key_size,
        "signature_hash": facts.hash,
        "extended_key_usage": None if facts.usages is None else list(facts.usages),
        "server_auth": facts.may(SERVER_AUTH),
        "client_auth": facts.may(CLIENT_AUTH),
        "self_signed": facts.self_signed,
        "tls_certificate_name": connector_name(leaf),
    }


def _key_result(key: Key | None) -> dict[str, t.Any] | None:
    if key is None:
        return None
    return {"path": key.path, "mode": key.mode, "owner": key.owner, "group": key.group, "matches": key.matches}


# What a file holds instead of a certificate, by the `form` that the probe tells.
_FORMS: t.Final[t.Mapping[str, str]] = {
    "key": "it holds a private key and no certificate",
    "der": "it holds a certificate in DER, and PEM is read there",
    "pkcs12": "it holds PKCS #12, and PEM is read there",
    "empty": "it is empty",
}


def _nothing_there(judge: Judge) -> None:
    identity = judge.identity
    if identity.error is None:
        judge.say("missing", _FORMS.get(identity.form or "", "the file holds no certificate that can be read"))
    elif identity.error[0] == "missing":
        judge.say("missing", "there is no such file")
    else:
        judge.say("unreadable", "not observed", detail=f"{identity.error[0]}: {identity.error[1]}".rstrip(": "))
    if identity.key is not None and identity.key.error is None:
        _judge_mode(judge, identity.key)


def _judge_strength(judge: Judge, facts: Facts) -> None:
    least = _LEAST_BITS.get(facts.key or "")
    if least and facts.key_size is not None and facts.key_size < least:
        judge.say("weak", f"the key is {facts.key} of {facts.key_size} bits", evidence={"key_size": facts.key_size})
    if facts.hash in _WEAK_HASHES and not facts.self_signed:
        judge.say("weak", f"signed with {facts.hash}", evidence={"signature_hash": facts.hash})


def _judge_chain(judge: Judge, facts: Facts) -> bool | None:
    """Whether each certificate is signed by the next, up to a root that is at hand. RFC 5246 7.4.2 demands the order."""
    chain = judge.identity.chain
    if facts.self_signed:
        return True
    for lower, upper in itertools.pairwise(chain):
        if issued_by(lower, upper) is not True:
            text = f"{name_text(lower.subject)} is followed by {name_text(upper.subject)}, which did not issue it"
            judge.say("chain_incomplete", "the chain is out of order or broken", detail=text)
            return False
    top = chain[-1]
    if facts_of(top).self_signed or any(issued_by(top, root) for root in judge.policy.roots):
        judge.say("chain_complete", f"{len(chain)} certificates up to a root")
        return True
    issuer = name_text(top.issuer)
    if len(chain) == 1 and facts.public:
        # Public CAs issue from intermediates (Baseline Requirements 4.3.1), so a leaf alone is never a whole chain.
        judge.say("chain_incomplete", f"only the certificate itself is there, its issuer {issuer} is missing")
        return False
    judge.say("chain_unknown", f"the chain ends at {issuer}, which is not at hand")
    return None


def _judge_key(judge: Judge, key: Key) -> None:
    evidence = _key_evidence(key)
    if key.error is not None:
        missing = key.error[0] == "missing" or key.error[1].startswith("holds no private key")
        text = f"{key.path}: {key.error[1] or key.error[0]}"
        judge.say("key_missing" if missing else "key_not_compared", "no private key", detail=text, evidence=evidence)
        # The mode of a file without a key exposes nothing.
        return
    if key.matches is None:
        judge.say("key_not_compared", "the private key was not compared", detail=key.message or "", evidence=evidence)
    else:
        word = "belongs" if key.matches else "does not belong"
        slug = "key_matches" if key.matches else "key_mismatch"
        judge.say(slug, f"the private key {key.path} {word} to it", evidence=evidence)
    _judge_mode(judge, key)


def _key_evidence(key: Key) -> dict[str, t.Any]:
    return {"path": key.path, "mode": key.mode, "owner": key.owner, "group": key.group}


def _judge_mode(judge: Judge, key: Key) -> None:
    try:
        mode = int(key.mode or "", 8)
    except ValueError:
        return
    evidence = _key_evidence(key)
    if mode & 0o006:
        judge.say("key_exposed", f"{key.path} has mode {key.mode}", evidence=evidence)
    elif key.owner != "root" or (mode & 0o060 and key.group not in _KEY_GROUPS):
        judge.say("key_shared", f"{key.path} has mode {key.mode}, owner {key.owner} and group {key.group}", evidence=evidence)


def _judge_names(judge: Judge, leaf: x509.Certificate) -> dict[str, t.Any]:
    policy = judge.policy
    result: dict[str, t.Any] = {"matched_name": None, "matched_domain": None}
    names = ", ".join(f"{field} {value}" for field, value in dns_names(leaf)) or "none"
    if policy.sender_name:
        match = match_connector(leaf, policy.sender_name)
        if match:
            result["matched_name"] = {"field": match.field, "value": match.value}
            judge.say("name_matches", f"{match.field} {match.value} matches {policy.sender_name}", evidence=dict(result))
        else:
            judge.say("name_mismatch", f"no name matches {policy.sender_name}", detail=f"Names of the certificate: {names}.")
    if policy.accepted_domains:
        found = match_accepted_domain(leaf, policy.accepted_domains)
        if found:
            name, domain = found
            result["matched_domain"] = {"field": name.field, "value": name.value, "domain": domain}
            judge.say("domain_accepted", f"{name.field} {name.value} lies in the accepted domain {domain}")
        else:
            judge.say("domain_not_accepted", "no name lies in an accepted domain", detail=f"Names of the certificate: {names}.")
    return result


def _judge_binding(judge: Judge, leaf: x509.Certificate) -> None:
    policy, own = judge.policy, connector_name(leaf)
    if policy.bound_to is not None:
        same = policy.bound_to.strip() == own
        text = "" if same else f"Bound to {policy.bound_to.strip()}, the certificate is {own}."
        evidence = {"tls_certificate_name": own}
        judge.say("binding_current" if same else "binding_stale", "the binding of the connector", detail=text, evidence=evidence)
    if policy.next_certificate is not None:
        coming = connector_name(policy.next_certificate)
        slug = "renewal_keeps_binding" if coming == own else "renewal_changes_binding"
        judge.say(slug, "the next certificate", detail=f"Now {own}, then {coming}.", evidence={"tls_certificate_name": coming})
    if policy.expected:
        fingerprint = sha256(leaf)
        slug = "expected" if fingerprint in policy.expected else "unexpected"
        judge.say(slug, f"SHA-256 {fingerprint}", evidence={"sha256": fingerprint, "expected": list(policy.expected)})
