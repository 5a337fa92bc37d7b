# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""Rules for one connector, whichever its direction."""

from __future__ import annotations

import typing as t

from ansible_collections.mailops.tls.plugins.plugin_utils._declaration.model import REQUIREMENTS
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.connector.model import Connector, Rule, Tenant, Verdict

# Names on certificates that a provider presents for all its customers, with all below them.
SHARED_NAMES: t.Final = (
    "outlook.com",
    "mx.microsoft",
    "office365.us",
    "partner.outlook.cn",
    "google.com",
)


def switched_off(connector: Connector, _tenant: Tenant) -> t.Iterator[Verdict]:
    """A disabled connector is harmless where it claims nothing."""
    if not connector["enabled"]:
        status: t.Literal["fail", "warn"] = "fail" if connector.forced else "warn"
        yield Verdict("connector.disabled", "the connector is disabled", ("enabled",), status)


def requirement_met(connector: Connector, _tenant: Tenant) -> t.Iterator[Verdict]:
    """What the declaration requires is what its connector, with all options, does."""
    declared, found = connector.declared, connector.requirement
    inbound = connector.direction == "inbound"
    if inbound and connector.partner and connector["restrict_domains_to_certificate"] and not connector.certificate_name:
        return  # there is nothing to verify with, which another rule says
    if declared and REQUIREMENTS.index(found) < REQUIREMENTS.index(declared):
        yield Verdict(
            "connector.requirement_not_met",
            f"{declared} is declared, and the connector's options make it {found}",
            ("require_tls", "restrict_domains_to_certificate") if inbound else ("tls_settings",),
        )


def cloud_services(connector: Connector, _tenant: Tenant) -> t.Iterator[Verdict]:
    """Declared hybrid must have it. In a tenant, OnPremises also stands for devices and relays, which need not."""
    if connector.partner or connector["cloud_services_mail_enabled"]:
        return
    yield Verdict(
        "connector.hybrid_without_cloud_services",
        "CloudServicesMailEnabled is off for servers on premises",
        ("connector_type", "cloud_services_mail_enabled"),
        "fail" if connector.declared else "warn",
    )


def everybody(connector: Connector, _tenant: Tenant) -> t.Iterator[Verdict]:
    """`*` for a partner."""
    if not connector.partner or "*" not in connector.domains or not connector.in_use:
        return
    restricted = connector.direction == "inbound" and (
        connector["restrict_domains_to_certificate"] or connector["restrict_domains_to_ip_addresses"]
    )
    if restricted:
        yield Verdict(
            "connector.catch_all",
            "mail of every domain is refused unless it comes from this partner, which fits a gateway that all mail passes",
            ("sender_domains",),
            "warn",
        )
    elif connector.forced:
        what = (
            "from everybody without TLS is refused"
            if connector.direction == "inbound"
            else "to everybody without TLS is kept back"
        )
        yield Verdict("connector.catch_all", f"the connector is for every domain: mail {what}", _domains(connector), "fail")
    else:
        yield Verdict("connector.catch_all", "the connector is for every domain", _domains(connector))


def own_domain(connector: Connector, tenant: Tenant) -> t.Iterator[Verdict]:
    """A partner is somebody else."""
    ours = [domain for domain in connector.domains if domain != "*" and tenant.accepts(domain)]
    if connector.partner and ours:
        yield Verdict("connector.own_domain", f"{', '.join(ours[:5])}: accepted by the own tenant", _domains(connector))


def certificate_name(connector: Connector, _tenant: Tenant) -> t.Iterator[Verdict]:
    """How much a name says."""
    name = connector.certificate_domain
    if name is None:
        return
    option = ("tls_sender_certificate_name" if connector.direction == "inbound" else "tls_domain",)
    bare = name.removeprefix("*.")
    if name.startswith("*.") and "." not in bare:
        yield Verdict("connector.wildcard_too_wide", f"{name} is all of .{bare}", option)
    elif any(bare == shared or bare.endswith("." + shared) for shared in SHARED_NAMES):
        # Mail to the provider's customers has the provider's name, and MX records or smart hosts lead to the right one.
        if connector.direction == "inbound" and connector.partner:
            yield Verdict("connector.shared_certificate_name", f"{name} is on the certificate of every customer there", option)
    elif name.startswith("*."):
        yield Verdict("connector.wildcard_name", f"{name} is every host below {bare}", option)


def strength(connector: Connector, _tenant: Tenant) -> t.Iterator[Verdict]:
    """One verdict on how far the connector protects."""
    basis = (
        ("tls_settings", "tls_domain") if connector.direction == "outbound" else ("require_tls", "tls_sender_certificate_name")
    )
    if connector.requirement == "opportunistic":
        yield Verdict("connector.opportunistic", "TLS is not forced", basis)
    elif connector.requirement == "encrypted" and connector.direction == "outbound":
        yield Verdict("connector.encrypted_only", "TLS is forced, with any certificate", basis)
    elif connector.requirement == "trusted":
        yield Verdict("connector.name_not_verified", "the certificate may have any name", basis)
    elif connector.requirement == "verified" and connector.certificate_name and connector.in_use:
        yield Verdict("connector.verified", f"TLS is forced, and the certificate must have {connector.certificate_name}", basis)


def _domains(connector: Connector) -> tuple[str, ...]:
    return ("sender_domains" if connector.direction == "inbound" else "recipient_domains",)


RULES: t.Final[tuple[Rule, ...]] = (
    switched_off,
    requirement_met,
    cloud_services,
    everybody,
    own_domain,
    certificate_name,
    strength,
)
