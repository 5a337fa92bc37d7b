# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""Whether the wire, the profiles and Microsoft's list of endpoints name the same places.

They are compared by host and port, which is what firewalls and proxies open. A profile with `listed` is a publisher's list.
"""

from __future__ import annotations

import typing as t

from ansible_collections.mailops.tls.plugins.plugin_utils._findings.model import Finding, Subject
from ansible_collections.mailops.tls.plugins.plugin_utils._findings.registry import make
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.x509 import (
    clean,
    extension,
    extensions_of,
    name_text,
    same_name,
    sha256,
)
from ansible_collections.mailops.tls.plugins.plugin_utils._plan.egress.ocsp import crl_urls, responder_urls
from ansible_collections.mailops.tls.plugins.plugin_utils._profiles.model import Endpoint, EndpointKind, Profile

try:
    from cryptography import x509
except ImportError:
    pass  # only in ansible-test's import check: ansible-core itself requires cryptography

Place = tuple[str, int]

_MAX_PLACES: t.Final = 64


def judge_sources(
    profiles: t.Sequence[Profile], seen: t.Sequence[x509.Certificate], *, host: str, observed_at: str
) -> list[Finding]:
    """Compare what the certificates `seen` name (leaf first) with the profiles, and both with lists among the profiles.

    A profile says nothing about a certificate of somebody else, nor a list about somebody else's servers: only those that
    belong together are compared. Without two things to compare there are no findings.
    """
    lists = [profile for profile in profiles if profile.listed]
    generations = [profile for profile in profiles if not profile.listed and profile.endpoints]
    wire = _wire(seen)
    about = [profile for profile in generations if wire and _concerns(profile, seen)]
    findings: list[Finding] = []
    if about:
        known = {place for profile in about for place in _places(profile)}
        findings += _wire_findings(wire, known, about, seen, host, observed_at)
    for listing in lists:
        covers = _matcher(listing.listed)
        for profile in generations:
            if _publisher_of(listing, profile):
                findings += _profile_findings(profile, listing, covers, host, observed_at)
        if wire and _lists(listing, _names(seen[0])):
            findings += _unlisted_wire(wire, listing, covers, seen, host, observed_at)
    return findings


def _wire(seen: t.Sequence[x509.Certificate]) -> dict[Place, dict[str, list[str]]]:
    """Every place that the certificates name, with the URLs there and the certificates that name them."""
    found: dict[Place, dict[str, list[str]]] = {}
    for certificate in seen:
        if same_name(certificate.subject, certificate.issuer):
            continue  # Nothing that a root names is followed.
        responders, issuers = responder_urls(certificate)
        named: list[tuple[EndpointKind, str]] = [("crl", url) for url, _names in crl_urls(certificate)]
        named += [("ocsp", url) for url in responders] + [("ca_issuers", url) for url in issuers]
        for kind, url in named:
            place = Endpoint(kind, url=url).place
            if place is not None and len(found) < _MAX_PLACES:
                entry = found.setdefault(place, {"urls": [], "certificates": []})
                entry["urls"].append(clean(url, 500))
                entry["certificates"].append(name_text(certificate.subject))
    return {place: {key: sorted(set(items)) for key, items in found[place].items()} for place in sorted(found)}


def _places(profile: Profile) -> dict[Place, list[str]]:
    found: dict[Place, list[str]] = {}
    for endpoint in profile.endpoints:
        if endpoint.place is not None:
            found.setdefault(endpoint.place, []).append(endpoint.name)
    return found


def _concerns(profile: Profile, seen: t.Sequence[x509.Certificate]) -> bool:
    """Whether the profile speaks of this certificate: of its name, or where it names none, of a CA above it."""
    expected = profile.certificate.common_name
    if expected is not None:
        return any(_same_host(name, expected) for name in _names(seen[0]))
    pinned = {item.sha256 for item in profile.roots} | {item.sha256 for item in profile.intermediates}
    serials = {int(item.serial, 16) for item in profile.intermediates if item.serial}
    return any(sha256(item) in pinned or item.serial_number in serials for item in seen)


def _names(certificate: x509.Certificate) -> list[str]:
    names = [str(item.value) for item in certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)]
    extensions = extensions_of(certificate)
    alternative = extension(extensions, x509.SubjectAlternativeName) if extensions is not None else None
    return [*names, *(alternative.get_values_for_type(x509.DNSName) if alternative is not None else [])]


def _same_host(one: str, other: str) -> bool:
    """The same name; a wildcard stands for the name it is a wildcard of, too, as Microsoft writes them."""
    return one.lower().removeprefix("*.") == other.lower().removeprefix("*.")


def _publisher_of(listing: Profile, profile: Profile) -> bool:
    """Whether the list is by those who run the profile's servers: it lists them, too. Unnamed servers may be theirs."""
    name = profile.certificate.common_name
    return name is None or _lists(listing, [name])


def _lists(listing: Profile, names: t.Sequence[str]) -> bool:
    patterns = {item.rpartition(":")[0] for item in listing.listed}
    return any(_same_host(pattern, name) or _matches(pattern, name.lower()) for pattern in patterns for name in names)


def _matcher(listed: t.Sequence[str]) -> t.Callable[[Place], bool]:
    exact = {item for item in listed if "*" not in item}
    wild = [item for item in listed if "*" in item]

    def covers(place: Place) -> bool:
        text = f"{place[0]}:{place[1]}"
        return text in exact or any(_matches(pattern, text) for pattern in wild)

    return covers


def _matches(pattern: str, text: str) -> bool:
    """Whether `*` for any characters makes the pattern the text; in linear time, whoever wrote the pattern."""
    first, *rest = pattern.split("*")
    if not rest:
        return pattern == text
    last = rest.pop()
    if len(text) < len(first) + len(last) or not text.startswith(first) or not text.endswith(last):
        return False
    at, end = len(first), len(text) - len(last)
    for part in rest:
        found = text.find(part, at, end)
        if found < 0:
            return False
        at = found + len(part)
    return True


def _wire_findings(
    wire: dict[Place, dict[str, list[str]]],
    known: set[Place],
    about: t.Sequence[Profile],
    seen: t.Sequence[x509.Certificate],
    host: str,
    observed_at: str,
) -> list[Finding]:
    names = ", ".join(profile.id for profile in about)
    return [
        make(
            "egress.sources.wire_not_in_profile",
            host=host,
            subject=Subject("endpoint", f"{place[0]}:{place[1]}"),
            summary=f"the certificate names {place[0]}:{place[1]}, which is not in the profile {names}",
            detail=f"{_some(entry['certificates'])} names {_some(entry['urls'])}.",
            evidence={
                "wire": {**entry, "leaf": name_text(seen[0].subject), "leaf_sha256": sha256(seen[0])},
                "profiles": {profile.id: [endpoint.name for endpoint in profile.endpoints] for profile in about},
            },
            observed_at=observed_at,
            profile=about[0].id,
        )
        for place, entry in wire.items()
        if place not in known
    ]


def _profile_findings(
    profile: Profile, listing: Profile, covers: t.Callable[[Place], bool], host: str, observed_at: str
) -> list[Finding]:
    return [
        make(
            "egress.sources.profile_not_in_list",
            host=host,
            subject=Subject("endpoint", f"{place[0]}:{place[1]}"),
            summary=f"the profile {profile.id} needs {place[0]}:{place[1]}, which {listing.id} does not list",
            detail=f"The profile (as of {profile.as_of}) has {_some(names)}. The list is as of {listing.as_of}.",
            evidence={
                "profile": {"id": profile.id, "as_of": profile.as_of.isoformat(), "endpoints": names},
                "list": _described(listing),
            },
            observed_at=observed_at,
            profile=profile.id,
        )
        for place, names in sorted(_places(profile).items())
        if not covers(place)
    ]


def _unlisted_wire(
    wire: dict[Place, dict[str, list[str]]],
    listing: Profile,
    covers: t.Callable[[Place], bool],
    seen: t.Sequence[x509.Certificate],
    host: str,
    observed_at: str,
) -> list[Finding]:
    return [
        make(
            "egress.sources.wire_not_in_list",
            host=host,
            subject=Subject("endpoint", f"{place[0]}:{place[1]}"),
            summary=f"the certificate names {place[0]}:{place[1]}, which {listing.id} does not list",
            detail=f"{_some(entry['certificates'])} names {_some(entry['urls'])}. The list is as of {listing.as_of}.",
            evidence={
                "wire": {**entry, "leaf": name_text(seen[0].subject), "leaf_sha256": sha256(seen[0])},
                "list": _described(listing),
            },
            observed_at=observed_at,
            profile=listing.id,
        )
        for place, entry in wire.items()
        if not covers(place)
    ]


def _described(listing: Profile) -> dict[str, t.Any]:
    return {"id": listing.id, "as_of": listing.as_of.isoformat(), "sources": list(listing.sources), "places": len(listing.listed)}


def _some(items: t.Sequence[str], limit: int = 3) -> str:
    return ", ".join(items[:limit]) + (f" and {len(items) - limit} more" if len(items) > limit else "")
