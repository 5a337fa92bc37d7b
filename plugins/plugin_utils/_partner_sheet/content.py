# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""What a partner must be given (article of 2018): certificates of Exchange Online and their chains, what to open, what to set."""

from __future__ import annotations

import dataclasses
import datetime as dt
import typing as t

from ansible_collections.mailops.tls.plugins.plugin_utils._partner_sheet.names import Comparison, WireName, compare_names
from ansible_collections.mailops.tls.plugins.plugin_utils._profiles.model import Profile

GenerationStatus = t.Literal["current", "coming", "deprecated"]
_ORDER: t.Final[tuple[GenerationStatus, ...]] = ("current", "coming", "deprecated")

# The name that the mail servers of Exchange Online have presented worldwide, for profiles without a source that says it. What was
# seen on the wire takes precedence over both.
SERVED_NAME: t.Final = "mail.protection.outlook.com"


@dataclasses.dataclass(frozen=True)
class Certificate:
    """A CA certificate as the sheet lists it. Fingerprints are upper-case hexadecimal."""

    kind: str
    name: str
    sha256: str
    sha1: str
    valid_until: str


@dataclasses.dataclass(frozen=True)
class Generation:
    """One profile, with its place in time. `attributes` are those of the article's table."""

    status: GenerationStatus
    profile: str
    title: str
    as_of: str
    window: str
    attributes: tuple[tuple[str, str], ...]
    chain: tuple[Certificate, ...]
    sources: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class Destination:
    """What a firewall has to let through."""

    host: str
    port: int
    uses: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class Setting:
    """Configuration to copy: for whom, and its lines."""

    title: str
    text: str


@dataclasses.dataclass(frozen=True)
class Served:
    """A certificate that hosts saw on the wire."""

    sha256: str
    subject: str
    issuer: str
    not_after: str
    servers: tuple[str, ...]
    hosts: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class Sheet:
    """Everything that is rendered."""

    title: str
    made: str
    domains: tuple[str, ...]
    certificate_name: str | None
    generations: tuple[Generation, ...]
    destinations: tuple[Destination, ...]
    served: tuple[Served, ...]
    comparisons: tuple[Comparison, ...]
    settings: tuple[Setting, ...]


def build_sheet(
    profiles: t.Sequence[Profile],
    served: t.Sequence[Served],
    *,
    seen: t.Sequence[WireName] = (),
    today: dt.date,
    title: str,
    domains: t.Sequence[str],
    certificate_name: str | None,
    partner_domains: t.Sequence[str],
) -> Sheet:
    """The sheet of these profiles on a day. `domains` and `certificate_name` are ours, `partner_domains` the reader's.

    `seen` are names that our servers were seen to present.
    """
    generations = sorted((_generation(profile, today) for profile in profiles), key=lambda one: _ORDER.index(one.status))
    needed = [profile for profile in profiles if _status(profile, today) != "deprecated"]
    name = next((profile.certificate.common_name for profile in needed if profile.certificate.common_name), SERVED_NAME)
    comparisons = compare_names(domains, seen, name)
    return Sheet(
        title=title,
        made=today.isoformat(),
        domains=tuple(domains),
        certificate_name=certificate_name,
        generations=tuple(generations),
        destinations=_destinations(needed),
        served=tuple(served),
        comparisons=comparisons,
        settings=(
            *_settings_for_postfix(comparisons),
            *_settings_for_exchange(comparisons),
            *_settings_for_exchange_online(partner_domains),
        ),
    )


def _status(profile: Profile, today: dt.date) -> GenerationStatus:
    if profile.valid_from is not None and profile.valid_from > today:
        return "coming"
    return "current" if profile.in_force(today) else "deprecated"


def _generation(profile: Profile, today: dt.date) -> Generation:
    facts, not_published = profile.certificate, "not published"
    attributes = (
        ("CA root issuer", ", ".join(root.name for root in profile.roots) or not_published),
        ("Certificate name", facts.common_name or not_published),
        ("Organization", facts.organization or not_published),
        ("Organizational unit", "empty" if facts.organizational_unit == "" else facts.organizational_unit or not_published),
        ("Key strength", f"{facts.key_size} bits" if facts.key_size else not_published),
    )
    chain = [Certificate("root", root.name, _hex(root.sha256), _hex(root.sha1), _day(root.not_after)) for root in profile.roots]
    chain += [
        Certificate("intermediate", item.name, _hex(item.sha256), _hex(item.sha1), _day(item.not_after))
        for item in profile.intermediates
    ]
    return Generation(
        status=_status(profile, today),
        profile=profile.id,
        title=profile.title,
        as_of=profile.as_of.isoformat(),
        window=f"{profile.valid_from or 'not known'} until {profile.valid_until or 'further notice'}",
        attributes=attributes,
        chain=tuple(chain),
        sources=profile.sources,
    )


def _destinations(profiles: t.Sequence[Profile]) -> tuple[Destination, ...]:
    uses: dict[tuple[str, int], set[str]] = {}
    for profile in profiles:
        for endpoint in profile.endpoints:
            if endpoint.place:
                uses.setdefault(endpoint.place, set()).add(endpoint.kind.replace("_", " "))
    return tuple(Destination(host, port, tuple(sorted(kinds))) for (host, port), kinds in sorted(uses.items()))


def _settings_for_postfix(comparisons: t.Sequence[Comparison]) -> list[Setting]:
    policy = "\n".join(f"{_domain(item)} secure match={':'.join(item.patterns)}" for item in comparisons)
    senders = "\n".join(f"{_domain(item)} reject_plaintext_session" for item in comparisons)
    return [
        Setting("Postfix, sending to us: main.cf", "smtp_tls_policy_maps = texthash:/etc/postfix/tls_policy"),
        Setting("Postfix, sending to us: /etc/postfix/tls_policy", policy),
        Setting(
            "Postfix, receiving from us: main.cf",
            "smtpd_tls_security_level = may\nsmtpd_sender_restrictions = check_sender_access texthash:/etc/postfix/tls_senders",
        ),
        Setting("Postfix, receiving from us: /etc/postfix/tls_senders", senders),
    ]


def _domain(item: Comparison) -> str:
    return item.domain or "example.com"


def _settings_for_exchange(comparisons: t.Sequence[Comparison]) -> list[Setting]:
    """A connector for each name, because it compares one."""
    by_name: dict[str, list[str]] = {}
    for item in comparisons:
        by_name.setdefault(item.exact, []).append(_domain(item))
    lines = []
    for number, (name, domains) in enumerate(by_name.items(), start=1):
        title = "Forced TLS" if len(by_name) == 1 else f"Forced TLS {number}"
        spaces = ", ".join(_quoted(domain) for domain in domains)
        lines.append(
            f"New-SendConnector -Name '{title}' -AddressSpaces {spaces} -DNSRoutingEnabled $true -RequireTLS $true "
            f"-TlsAuthLevel DomainValidation -TlsDomain {_quoted(name)}"
        )
    return [Setting("Exchange Server, sending to us", "\n".join(lines))]


def _settings_for_exchange_online(partner_domains: t.Sequence[str]) -> list[Setting]:
    theirs = ", ".join(_quoted(domain) for domain in partner_domains or ("partner.example",))
    theirs_name = _quoted(f"*.{partner_domains[0]}" if partner_domains else "*.partner.example")
    inbound = (
        f"New-InboundConnector -Name 'From partner' -ConnectorType Partner -SenderDomains {theirs} -RequireTls $true "
        f"-RestrictDomainsToCertificate $true -TlsSenderCertificateName {theirs_name}"
    )
    outbound = (
        f"New-OutboundConnector -Name 'To partner' -ConnectorType Partner -RecipientDomains {theirs} -UseMXRecord $true "
        f"-TlsSettings DomainValidation -TlsDomain {theirs_name}"
    )
    return [
        Setting("Exchange Online, our side: mail from you", inbound),
        Setting("Exchange Online, our side: mail to you", outbound),
    ]


def _quoted(text: str) -> str:
    """A string of PowerShell that is taken literally."""
    return "'" + text.replace("'", "''") + "'"


def _hex(value: str | None) -> str:
    return value.upper() if value else ""


def _day(value: dt.datetime | None) -> str:
    return value.date().isoformat() if value else ""
