# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""What the modules that apply declarations would refuse, said before the first of them has changed anything.

A value that no connector and no table of Postfix takes is refused with its place, like any other misspelling. Options that
exclude each other are findings, by the rules of the modules themselves. What a tenant has already, and would keep, breaks no
rule here either.
"""

from __future__ import annotations

import dataclasses
import typing as t

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.mailops.tls.plugins.module_utils._connector import canonical
from ansible_collections.mailops.tls.plugins.module_utils._connector import plan as p
from ansible_collections.mailops.tls.plugins.module_utils._connector.constraints import RulesBrokenError, Violation
from ansible_collections.mailops.tls.plugins.module_utils._postfix import declared
from ansible_collections.mailops.tls.plugins.plugin_utils._declaration import to_exchange_online, to_postfix
from ansible_collections.mailops.tls.plugins.plugin_utils._declaration.model import Partner
from ansible_collections.mailops.tls.plugins.plugin_utils._exo.converge import check_declaration, judge
from ansible_collections.mailops.tls.plugins.plugin_utils._exo.inbound import INBOUND
from ansible_collections.mailops.tls.plugins.plugin_utils._exo.kinds import Kind
from ansible_collections.mailops.tls.plugins.plugin_utils._exo.outbound import OUTBOUND
from ansible_collections.mailops.tls.plugins.plugin_utils._findings.model import Finding, Subject
from ansible_collections.mailops.tls.plugins.plugin_utils._findings.registry import make
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.x509 import clean
from ansible_collections.mailops.tls.plugins.plugin_utils._profiles.fields import Place

KINDS: t.Final[t.Mapping[str, Kind]] = {"inbound": INBOUND, "outbound": OUTBOUND}
REFUSED: t.Final = "connector.combination_refused"
# Those of the destinations of postfix_tls_policy that a declaration may set.
_POSTFIX: t.Final[dict[str, dict[str, t.Any]]] = {
    "protocols": {"type": "list", "elements": "str"},
    "ciphers": {"type": "str", "choices": ["low", "medium", "high"]},
    "servername": {"type": "str"},
}

Connectors = t.Sequence[t.Mapping[str, t.Any]]


def as_modules_read_them(partners: t.Sequence[Partner], source: str = "partners") -> tuple[Partner, ...]:
    """The declarations, with the options that are handed on in the form that the modules give them.

    Raises ValueError, naming the place, for a value that a module would refuse.
    """
    return tuple(_read(partner, Place(f"{source}[{index}] ({partner.name})")) for index, partner in enumerate(partners))


def _read(partner: Partner, at: Place) -> Partner:
    if not partner.present:
        return partner
    inbound, outbound = partner.inbound, partner.outbound
    if inbound:
        options = _connector_options(INBOUND, inbound.exchange_online, at.key("inbound").key("exchange_online"))
        inbound = dataclasses.replace(inbound, exchange_online=options)
    if outbound:
        options = _connector_options(OUTBOUND, outbound.exchange_online, at.key("outbound").key("exchange_online"))
        entries = _converted(_POSTFIX, outbound.postfix, at.key("outbound").key("postfix"))
        outbound = dataclasses.replace(outbound, exchange_online=options, postfix=entries)
    result = dataclasses.replace(partner, inbound=inbound, outbound=outbound)
    _check_postfix(result, at)
    return result


def _connector_options(kind: Kind, given: t.Mapping[str, t.Any], at: Place) -> dict[str, t.Any]:
    try:
        return {
            option: canonical.to_user(canonical.from_user(kind.table[option], value))
            for option, value in _converted(kind.table.argument_spec(), given, at).items()
        }
    except canonical.ValueRefusedError as error:
        raise at.refuse(str(error)) from None


def _converted(spec: dict[str, dict[str, t.Any]], given: t.Mapping[str, t.Any], at: Place) -> dict[str, t.Any]:
    """What Ansible makes of options before a module sees them: "yes" is true, one text is a list of one."""
    result = ArgumentSpecValidator(spec).validate(dict(given))
    if result.error_messages:
        raise at.refuse("; ".join(result.error_messages))
    return {name: result.validated_parameters[name] for name in given}


def _check_postfix(partner: Partner, at: Place) -> None:
    found = to_postfix.requirements([partner])
    try:
        for entry in found["destinations"]:
            declared.destination(entry)
        for entry in found["clients"]:
            declared.client(entry)
    except declared.DeclarationError as error:
        raise at.refuse(str(error)) from None


def rule_findings(
    partners: t.Sequence[Partner],
    existing: t.Mapping[str, Connectors],
    said: t.Sequence[Finding],
    *,
    observed_at: str,
    host: str,
) -> list[Finding]:
    """A failing finding for each rule between options for which a connector module would refuse its connector.

    `existing` are the connectors that the tenant has now. What the linter has `said` about the same options is not said twice.
    """
    result = []
    for direction, made in to_exchange_online.connectors(partners).items():
        for connector in made:
            subject = Subject("connector", f"{direction} {clean(connector['name'])}")
            known = {option for one in said if (one.id, one.subject) == (REFUSED, subject) for option in one.evidence}
            for violation in _broken(KINDS[direction], connector, existing.get(direction) or ()):
                if known.isdisjoint(violation.rule.blamed):
                    evidence = {option: connector[option] for option in violation.rule.blamed if option in connector}
                    summary = clean(violation.message, 500)
                    result.append(
                        make(REFUSED, host=host, subject=subject, summary=summary, observed_at=observed_at, evidence=evidence)
                    )
    return result


def _broken(kind: Kind, connector: t.Mapping[str, t.Any], existing: Connectors) -> list[Violation]:
    """The rules for which the module would refuse it, each once."""
    if connector["state"] != "present":
        return []
    desired = _canonical(kind, connector)
    identity = connector["name"].lower()
    live = next((one for one in existing if identity in (str(one.get("name")).lower(), str(one.get("guid")).lower())), None)
    current = None if live is None else _from_tenant(kind, live)
    plan = p.plan(kind.table, current, desired if current else {**desired, "name": connector["name"]})
    found: dict[str, Violation] = {}
    for check in (
        lambda: check_declaration(kind.table, kind.rules, desired),
        lambda: judge(kind, plan, desired, new=current is None),
    ):
        try:
            check()
        except RulesBrokenError as error:
            found.update({violation.rule.name: violation for violation in error.violations})
    return list(found.values())


def _canonical(kind: Kind, connector: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """What is declared. Addresses that only Postfix takes are left out; the linter has a finding for them."""
    values = {}
    for field in kind.table:
        if field.option != "name" and field.option in connector:
            try:
                values[field.option] = canonical.from_user(field, connector[field.option])
            except canonical.ValueRefusedError:
                if field.option != "sender_ip_addresses":
                    raise
    return values


def _from_tenant(kind: Kind, live: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    return {field.option: canonical.from_api(field, live[field.option]) for field in kind.table if field.option in live}
