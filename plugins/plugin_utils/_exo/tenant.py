# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""The connectors of a tenant as exo_connector_info returns them: listed, judged, and as declarations."""

from __future__ import annotations

import datetime as dt
import typing as t

from ansible_collections.mailops.tls.plugins.module_utils._connector import canonical
from ansible_collections.mailops.tls.plugins.plugin_utils._declaration.export import export_declarations
from ansible_collections.mailops.tls.plugins.plugin_utils._exo.client import Client
from ansible_collections.mailops.tls.plugins.plugin_utils._exo.connectors import Connectors, as_guid
from ansible_collections.mailops.tls.plugins.plugin_utils._exo.converge import check_declaration
from ansible_collections.mailops.tls.plugins.plugin_utils._exo.errors import Denied, printable
from ansible_collections.mailops.tls.plugins.plugin_utils._exo.inbound import INBOUND
from ansible_collections.mailops.tls.plugins.plugin_utils._exo.kinds import Kind
from ansible_collections.mailops.tls.plugins.plugin_utils._exo.outbound import OUTBOUND
from ansible_collections.mailops.tls.plugins.plugin_utils._findings.model import Finding, verdict
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.connector.lint import lint_tenant

Shown = dict[str, t.Any]


def examine(client: Client, name: str | None, host: str) -> dict[str, t.Any]:
    """The result of exo_connector_info. `name` is a connector's name or GUID. Raises ApiError for a read that fails."""
    inbound = [live.shown() for live in Connectors(client, INBOUND).all(fresh=True)]
    outbound = [live.shown() for live in Connectors(client, OUTBOUND).all(fresh=True)]
    domains, warnings = _accepted_domains(client)
    observed_at = dt.datetime.now(dt.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    # Judged by all that there is, because a connector may lack its counterpart.
    findings = lint_tenant(inbound, outbound, domains, observed_at=observed_at, host=host)
    if name is not None:
        inbound, outbound = _named(inbound, name), _named(outbound, name)
        findings = [finding for finding in findings if _concerns(finding, inbound, outbound)]
    declarations, left_out = _declarations(inbound, outbound)
    warnings += left_out
    return {
        "inbound": inbound,
        "outbound": outbound,
        "accepted_domains": domains,
        "declarations": declarations,
        "observed_at": observed_at,
        **({"warnings": warnings} if warnings else {}),
        **verdict(findings),
    }


def _declarations(inbound: list[Shown], outbound: list[Shown]) -> tuple[list[Shown], list[str]]:
    """Declarations that the modules take, and a warning for each connector that none stands for, or not for all of it."""
    possible: dict[str, list[Shown]] = {"inbound": [], "outbound": []}
    left_out: list[tuple[str, str, str]] = []
    warnings = []
    for direction, kind, connectors in (("inbound", INBOUND, inbound), ("outbound", OUTBOUND, outbound)):
        for one in connectors:
            reason = _refused(kind, one)
            if reason is None:
                possible[direction].append(one)
            else:
                left_out.append((direction, one["name"], reason))
            if one.get("client_host_names"):
                warnings.append(f"{direction} connector {printable(one['name'])}: client_host_names cannot be declared")
    export = export_declarations(possible["inbound"], possible["outbound"])
    for direction, name, reason in (*left_out, *export.left_out):
        warnings.append(f"No declaration can stand for the {direction} connector {printable(name)}: {printable(reason)}")
    return export.declarations, warnings


def _refused(kind: Kind, shown: Shown) -> str | None:
    """Why the module of this kind would refuse the connector as it is; None when it would take it."""
    try:
        declared = {
            field.option: canonical.from_user(field, shown[field.option])
            for field in kind.table
            # What the service does not show, or nobody knows, cannot be declared either.
            if field.option != "name" and shown.get(field.option) is not None
        }
        check_declaration(kind.table, kind.rules, declared)
    except ValueError as error:
        return str(error)
    return None


def _accepted_domains(client: Client) -> tuple[list[str] | None, list[str]]:
    """The accepted domains, sorted, and warnings. None when the app may not read them, which is not "there are none"."""
    try:
        rows = client.invoke("Get-AcceptedDomain", {"ResultSize": "Unlimited"})
    except Denied as error:
        return None, [f"The accepted domains are not known: {error.message}"]
    names = [str(row["DomainName"]) for row in rows if row.get("DomainName")]
    return sorted({canonical.a_labels(name) or name.lower() for name in names}), []


def _named(connectors: list[Shown], name: str) -> list[Shown]:
    guid = as_guid(name)
    return [one for one in connectors if one["name"].lower() == name.lower() or one["guid"] == guid]


def _concerns(finding: Finding, inbound: list[Shown], outbound: list[Shown]) -> bool:
    """Whether one of the connectors is what the finding is about, or has a part in it."""
    sides = {"inbound": {one["name"] for one in inbound}, "outbound": {one["name"] for one in outbound}}
    subjects = {f"{side} {name}" for side, names in sides.items() for name in names}
    involved = {*finding.evidence.get("connectors", ())}
    return (
        finding.subject.name in subjects
        or bool(involved & (sides["inbound"] | sides["outbound"]))
        or any(names & set(finding.evidence.get(side, ())) for side, names in sides.items())
    )
