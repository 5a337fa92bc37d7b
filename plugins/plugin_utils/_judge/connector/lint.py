# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""The linter of connectors: of declarations, before anything is touched, and of a tenant as it is."""

from __future__ import annotations

import typing as t

from ansible_collections.mailops.tls.plugins.plugin_utils._declaration import to_exchange_online, to_postfix
from ansible_collections.mailops.tls.plugins.plugin_utils._declaration.model import TARGETS, Inbound, Outbound, Partner, Target
from ansible_collections.mailops.tls.plugins.plugin_utils._declaration.options import Direction, plain_domain
from ansible_collections.mailops.tls.plugins.plugin_utils._findings.model import Finding, Subject
from ansible_collections.mailops.tls.plugins.plugin_utils._findings.registry import make
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.connector import common, inbound, outbound
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.connector.across import Said, both_directions, overlaps
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.connector.model import Connector, Rule, Tenant, Verdict
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.connector.postfix import postfix_rules
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.x509 import clean

Connectors = t.Sequence[t.Mapping[str, t.Any]]
_RULES: t.Final[t.Mapping[Direction, tuple[Rule, ...]]] = {
    "inbound": (*common.RULES, *inbound.RULES),
    "outbound": (*common.RULES, *outbound.RULES),
}


def lint_tenant(
    inbound: Connectors,
    outbound: Connectors,
    accepted_domains: t.Sequence[str] | None,
    *,
    observed_at: str,
    host: str = "localhost",
) -> list[Finding]:
    """Findings about the connectors of a tenant, in option names as exo_connector_info returns them.

    `accepted_domains` is None where they are not known. A tenant without connectors gives no finding: whether it needs some is
    not to be seen from it.
    """
    connectors = [Connector.read("inbound", one) for one in inbound] + [Connector.read("outbound", one) for one in outbound]
    said = [*_each(connectors, _tenant(accepted_domains)), *both_directions(connectors), *overlaps(connectors)]
    return _findings(said, connectors, host, observed_at)


def lint_declarations(
    declarations: t.Sequence[Partner],
    accepted_domains: t.Sequence[str] | None,
    *,
    observed_at: str,
    host: str = "localhost",
    targets: t.Collection[Target] = TARGETS,
    existing: t.Mapping[str, Connectors] | None = None,
) -> list[Finding]:
    """Findings about declarations, judged by what they would become on the sides (`targets`) that they are applied to.

    `existing` are the connectors that the tenant has now, `inbound` and `outbound`: those that are not declared here count where
    several connectors are for one domain, or make up the other direction.
    """
    present = [partner for partner in declarations if partner.present]
    said: list[Said] = []
    connectors: list[Connector] = []
    if "exchange_online" in targets:
        chosen = [partner for partner in present if partner.applies_to("exchange_online")]
        connectors = _declared(chosen)
        around = connectors + _others(declarations, existing or {})
        said += [*_each(connectors, _tenant(accepted_domains)), *_inexpressible(chosen)]
        names = {connector.name for connector in connectors}
        said += [one for one in (*both_directions(around), *overlaps(around)) if _concerns(one[1], names)]
    if "postfix" in targets:
        said += postfix_rules(present)
        only_here = [one for one in present if one.type == "partner" and one.applies_to("postfix")]
        if "exchange_online" in targets:
            only_here = [one for one in only_here if not one.applies_to("exchange_online")]
        said += both_directions(_as_postfix(only_here))
        said += [entry for partner in only_here for entry in _postfix_strength(partner)]
    return _findings(said, connectors, host, observed_at)


def _tenant(accepted_domains: t.Sequence[str] | None) -> Tenant:
    """Names are compared as A-labels, whatever the tenant or the user writes."""
    return Tenant(None if accepted_domains is None else tuple(plain_domain(domain) for domain in accepted_domains))


def _declared(partners: t.Sequence[Partner]) -> list[Connector]:
    """The connectors of present partners, each with what its declaration requires, as far as a connector can hold it."""
    found = []
    for partner in partners:
        if partner.inbound and not to_exchange_online.cannot_hold(partner.inbound):
            options = to_exchange_online.inbound_connector(partner, partner.inbound)
            found.append(Connector.read("inbound", options, partner.inbound.requirement))
        if partner.outbound and not to_exchange_online.cannot_hold(partner.outbound):
            options = to_exchange_online.outbound_connector(partner, partner.outbound)
            found.append(Connector.read("outbound", options, partner.outbound.requirement))
    return found


def _as_postfix(partners: t.Sequence[Partner]) -> list[Connector]:
    """What Postfix holds of them, as far as the rule about both directions is concerned: domains, and whether TLS is forced."""
    found = []
    for partner in partners:
        for direction, side in _sides(partner):
            if not to_postfix.cannot_hold(side):
                domains = {"sender_domains": side.domains, "recipient_domains": side.domains}
                setting = "EncryptionOnly" if side.forced else None
                forced = {"require_tls": side.forced, "tls_settings": setting}
                found.append(Connector.read(direction, {"name": f"{partner.name} {direction}", **domains, **forced}))
    return found


def _others(declarations: t.Sequence[Partner], existing: t.Mapping[str, Connectors]) -> list[Connector]:
    """Connectors of the tenant that no declaration names, absent ones included: those are about to go."""
    names = {("inbound", partner.inbound.connector.lower()) for partner in declarations if partner.inbound}
    names |= {("outbound", partner.outbound.connector.lower()) for partner in declarations if partner.outbound}
    directions: tuple[Direction, ...] = ("inbound", "outbound")
    return [
        Connector.read(direction, one)
        for direction in directions
        for one in existing.get(direction) or ()
        if (direction, str(one.get("name")).lower()) not in names
    ]


def _concerns(verdict: Verdict, names: t.Collection[str]) -> bool:
    """Whether one of these connectors has a part in it; what only the rest of the tenant is about is not asked for here."""
    named = {
        *verdict.evidence.get("connectors", ()),
        *verdict.evidence.get("inbound", ()),
        *verdict.evidence.get("outbound", ()),
    }
    return not named.isdisjoint(names)


def _inexpressible(partners: t.Sequence[Partner]) -> t.Iterator[Said]:
    for partner in partners:
        for direction, side in _sides(partner):
            subject = Subject("connector", f"{direction} {side.connector}")
            names = side.certificate_names
            if to_exchange_online.cannot_hold(side):
                yield subject, Verdict("connector.several_names", f"{', '.join(names[:5])}: no one name stands for all")
            elif direction == "inbound" and side.requirement == "verified" and not names:
                yield subject, Verdict("connector.domain_validation_without_name", "verified without certificate_names")
            elif names and side.requirement != "verified":
                summary = f"{', '.join(names[:5])}: {side.requirement} compares no name"
                yield subject, Verdict("connector.name_not_checked", summary)


def _postfix_strength(partner: Partner) -> t.Iterator[Said]:
    """How far a partner is protected that Postfix alone knows."""
    subject = Subject("partner", partner.name)
    for direction, side in _sides(partner):
        if side.certificate_names and side.requirement != "verified":
            summary = f"{direction}: {', '.join(side.certificate_names[:5])}: {side.requirement} compares no name"
            yield subject, Verdict("connector.name_not_checked", summary)
        if side.requirement == "opportunistic":
            yield subject, Verdict("connector.opportunistic", f"{direction}: TLS is not forced")
        elif side.requirement == "encrypted":
            yield subject, Verdict("connector.encrypted_only", f"{direction}: TLS is forced, with any certificate")
        elif side.requirement == "verified" and not to_postfix.cannot_hold(side):
            yield subject, Verdict("connector.verified", f"{direction}: TLS is forced, with an agreed certificate")


def _sides(partner: Partner) -> list[tuple[Direction, Inbound | Outbound]]:
    """What is declared of a partner, by direction."""
    both: tuple[tuple[Direction, Inbound | Outbound | None], ...] = (("inbound", partner.inbound), ("outbound", partner.outbound))
    return [(direction, side) for direction, side in both if side]


def _each(connectors: t.Sequence[Connector], tenant: Tenant) -> t.Iterator[Said]:
    for connector in connectors:
        for rule in _RULES[connector.direction]:
            for verdict in rule(connector, tenant):
                yield connector.subject, verdict


def _findings(said: t.Iterable[Said], connectors: t.Sequence[Connector], host: str, observed_at: str) -> list[Finding]:
    by_subject = {connector.subject: connector for connector in connectors}
    result = []
    for subject, verdict in said:
        evidence = dict(verdict.evidence)
        if connector := by_subject.get(subject):
            evidence |= {option: _plain(connector[option]) for option in verdict.options}
        result.append(
            make(
                verdict.id,
                host=host,
                subject=Subject(subject.kind, clean(subject.name)),
                summary=clean(verdict.summary, 300),
                observed_at=observed_at,
                evidence=evidence,
                status=verdict.status,
            )
        )
    return result


def _plain(value: t.Any) -> t.Any:
    return list(value) if isinstance(value, tuple) else value
