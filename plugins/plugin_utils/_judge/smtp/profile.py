# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""What a server presents beside what the profiles say that Exchange Online presents."""

from __future__ import annotations

import dataclasses
import datetime as dt
import typing as t

from ansible_collections.mailops.tls.plugins.plugin_utils._judge.certificate.names import dns_names
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.smtp.chain import ChainVerdict, subject_values
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.smtp.context import SmtpPolicy, Talk
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.smtp.model import Path
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.x509 import iso, name_text, sha256
from ansible_collections.mailops.tls.plugins.plugin_utils._profiles.model import Profile

if t.TYPE_CHECKING:
    from cryptography import x509


@dataclasses.dataclass(frozen=True)
class Comparison:
    """One profile against the chain: whether it knows the chain, and which attributes of its table differ."""

    profile: Profile
    knows: bool
    differences: tuple[str, ...]


def judge_profiles(
    talk: Talk, path: Path, chain: ChainVerdict | None, policy: SmtpPolicy, now: dt.datetime
) -> dict[str, t.Any] | None:
    """The `profile` of a path; None where no profile speaks of the server or its certificate."""
    if chain is None or not path.chain:
        return None
    concerned = concerning(policy, path)
    leaf = path.chain[0]
    if not concerned:
        _judge_unconcerned(talk, path, chain, policy, now)
        return None
    compared = [_compare(profile, leaf, chain, now) for profile in concerned]
    known = [item for item in compared if item.knows]
    wire = {"subject": name_text(leaf.subject), "issuer": name_text(leaf.issuer), "sha256": sha256(leaf)}
    wire["root"] = name_text(chain.climb.anchor.subject) if chain.climb.anchor is not None else ""
    ids = [item.profile.id for item in compared]
    if not known:
        talk.say(
            "profile.unknown_chain",
            f"the chain of {wire['issuer']} is not one of {', '.join(ids)}",
            detail=f"It leads to {wire['root'] or 'a root that is not at hand'}.",
            evidence={"wire": wire, "profiles": {item.profile.id: [r.id for r in item.profile.roots] for item in compared}},
            profile=ids[0],
        )
        return {"id": None, "matches": False, "differences": [], "compared": ids}
    best = min(known, key=lambda item: len(item.differences))
    evidence = {"wire": wire, "profile": best.profile.summary()}
    if best.differences:
        talk.say(
            "profile.mismatch",
            f"the certificate is not as {best.profile.id} says: {'; '.join(best.differences)}",
            evidence=evidence,
            profile=best.profile.id,
        )
    else:
        talk.say("profile.match", f"the certificate is as {best.profile.id} says", evidence=evidence, profile=best.profile.id)
    _judge_age(talk, best.profile, chain, evidence)
    return {"id": best.profile.id, "matches": not best.differences, "differences": list(best.differences), "compared": ids}


def _judge_age(talk: Talk, profile: Profile, chain: ChainVerdict, evidence: dict[str, t.Any]) -> None:
    issued = chain.facts.not_before
    if issued is not None and issued.date() > profile.as_of:
        talk.say(
            "profile.outdated",
            f"the certificate of {iso(issued)} is younger than the data of {profile.id} ({profile.as_of.isoformat()})",
            evidence=evidence,
            profile=profile.id,
        )


def _judge_unconcerned(talk: Talk, path: Path, chain: ChainVerdict, policy: SmtpPolicy, now: dt.datetime) -> None:
    """Who names profiles wants the servers compared with them, so that it is said where that was not done."""
    if not policy.profiles_named:
        return
    compared = [_compare(item, path.chain[0], chain, now) for item in policy.profiles if not item.listed]
    known = [item.profile.id for item in compared if item.knows]
    ids = [item.profile.id for item in compared]
    if ids:
        talk.say(
            "profile.not_compared",
            f"none of {', '.join(ids)} speaks of this server",
            detail=f"Its chain is known to {', '.join(known)}." if known else "None of them knows its chain either.",
            evidence={"issuer": name_text(path.chain[0].issuer), "profiles": ids, "known": known},
        )


def concerning(policy: SmtpPolicy, path: Path) -> list[Profile]:
    """The profiles that speak of this server."""
    domains = policy.reference.mail_domains if policy.reference is not None else ()
    return [item for item in policy.profiles if concerns(item, path, domains)]


def concerns(profile: Profile, path: Path, mail_domains: t.Collection[str] = ()) -> bool:
    """Whether the profile speaks of this server: by a name of the certificate, or by the name it is reached under.

    A service with several `mail_domains` is meant by the name of its certificate, whichever of them the server is in.
    """
    common_name = profile.certificate.common_name
    if common_name is None or profile.listed:
        return False
    wanted = common_name.lower().removeprefix("*.")
    names = {name.removeprefix("*.") for _field, name in (dns_names(path.chain[0]) if path.chain else ())}
    places = {wanted, *(mail_domains if wanted in mail_domains else ())}
    return wanted in names or any(path.host == place or path.host.endswith("." + place) for place in places)


def _compare(profile: Profile, leaf: x509.Certificate, chain: ChainVerdict, now: dt.datetime) -> Comparison:
    facts, differences = profile.certificate, []
    names = {name for _field, name in dns_names(leaf)}
    if facts.common_name is not None and facts.common_name.lower() not in names:
        differences.append(f"no name is {facts.common_name}")
    for what, wanted, attribute in (
        ("organization", facts.organization, "ORGANIZATION_NAME"),
        ("organizational unit", facts.organizational_unit, "ORGANIZATIONAL_UNIT_NAME"),
    ):
        found = subject_values(leaf, attribute)
        if wanted == "" and any(found):
            differences.append(f"{what} is {', '.join(found)}, and none should be named")
        elif wanted and wanted not in found:
            differences.append(f"{what} is {', '.join(found) or 'not named'}, not {wanted}")
    if facts.key_size is not None and chain.facts.key_size is not None and facts.key_size != chain.facts.key_size:
        differences.append(f"the key has {chain.facts.key_size} bits, not {facts.key_size}")
    if not profile.in_force(now.date()):
        differences.append(f"its time is {profile.valid_from or '...'} to {profile.valid_until or '...'}")
    return Comparison(profile, _knows(profile, chain), tuple(differences))


def _knows(profile: Profile, chain: ChainVerdict) -> bool:
    """By the root or an intermediate; of one whose certificate is not at hand the serial number and the name count."""
    pinned = {item.sha256 for item in profile.roots} | {item.sha256 for item in profile.intermediates if item.sha256}
    above = chain.climb.path[1:]
    if {sha256(item) for item in above} & pinned:
        return True
    serials = {int(item.serial, 16): item.name for item in profile.intermediates if item.serial}
    return any(serials.get(item.serial_number, "\0") in name_text(item.subject) for item in above)
