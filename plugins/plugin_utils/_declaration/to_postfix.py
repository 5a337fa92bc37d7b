# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""A declaration as requirements of Postfix, in the options of postfix_tls_policy.

Postfix is our side here: `destinations` are what mail to the partner must find, `clients` what mail from it must bring. Source:
postconf(5) smtp_tls_policy_maps.
"""

from __future__ import annotations

import typing as t

from ansible_collections.mailops.tls.plugins.plugin_utils._declaration.model import Inbound, Outbound, Partner
from ansible_collections.mailops.tls.plugins.plugin_utils._declaration.options import Options

# requirement -> security level. `secure` takes names that were declared, `verify` those that DNS says.
LEVELS: t.Final[t.Mapping[str, str]] = {
    "opportunistic": "may",
    "encrypted": "encrypt",
    "trusted": "verify",
    "verified": "secure",
}


def requirements(partners: t.Iterable[Partner]) -> dict[str, list[Options]]:
    """`destinations` and `clients` of all partners that apply to Postfix, in the order of the declarations.

    Servers on premises (hybrid) are seen from the tenant only, so they are left out. A direction that Postfix cannot hold
    (`cannot_hold`) is left out too; the linter fails for it. Two declarations that differ for one key are both here: which of
    them is meant is not for us to guess, and postfix_tls_policy refuses them.
    """
    destinations: list[Options] = []
    clients: list[Options] = []
    for partner in partners:
        if not partner.applies_to("postfix") or partner.type == "hybrid":
            continue
        if partner.outbound and not cannot_hold(partner.outbound):
            destinations += _destinations(partner, partner.outbound)
        if partner.inbound and not cannot_hold(partner.inbound):
            clients += _clients(partner, partner.inbound)
    return {"destinations": _settled(destinations), "clients": _settled(clients)}


def entry_key(entry: Options) -> tuple[str, str]:
    """What an entry is for: option and value."""
    return next((name, entry[name]) for name in ("destination", "client", "sender_domain") if name in entry)


def _settled(entries: list[Options]) -> list[Options]:
    """Without repetitions, and without the removal of what another declaration wants there."""
    wanted = {entry_key(entry) for entry in entries if entry["state"] == "present"}
    result: list[Options] = []
    for entry in entries:
        if entry not in result and (entry["state"] == "present" or entry_key(entry) not in wanted):
            result.append(entry)
    return result


def cannot_hold(side: Inbound | Outbound) -> bool:
    """Whether Postfix has no means for it.

    It keeps no table for "everybody" here. A verified sender needs fingerprints, or a CA, for smtpd(8) verifies no client
    certificate without one; and a CA says who a sender is only together with names, or else with the sender's addresses.
    """
    if "*" in side.domains:
        return True
    if isinstance(side, Outbound) or side.requirement != "verified":
        return False
    return not side.fingerprints and not (side.ca_file and (side.certificate_names or side.addresses))


def is_network(host: str) -> bool:
    """Whether a smart host is a network, which Exchange Online takes."""
    return "/" in host


def match_name(name: str) -> str:
    """A certificate name as Postfix matches it: `.contoso.com` for all names below contoso.com."""
    return name.removeprefix("*")


def _destinations(partner: Partner, side: Outbound) -> t.Iterator[Options]:
    # The smart host is what Postfix looks up when transport_maps or relayhost name it. The domains are there too, so that
    # mail is no less protected when they do not. A network is nothing to look up.
    hosts = [host for host in side.smart_hosts if not is_network(host)]
    for key in (*(f"[{_bracketed(host)}]" for host in hosts), *(match_name(domain) for domain in side.domains)):
        yield _destination(partner, side, key)


def _destination(partner: Partner, side: Outbound, key: str) -> Options:
    if not partner.present:
        return {"destination": key, "state": "absent"}
    entry: Options = {"destination": key, "level": LEVELS[side.requirement], "state": "present"}
    if side.requirement == "verified" and side.certificate_names:
        entry["match"] = [match_name(name) for name in side.certificate_names]
    if side.ca_file and side.requirement in ("trusted", "verified"):
        entry["ca_file"] = side.ca_file
    return {**entry, **side.postfix}


def _bracketed(host: str) -> str:
    return f"ipv6:{host}" if ":" in host else host


def _clients(partner: Partner, side: Inbound) -> t.Iterator[Options]:
    """One requirement for each address, whatever it sends, and one for each domain, wherever it comes from."""
    for address in side.addresses:
        yield _client(partner, side, {"client": address})
    for name in side.domains:
        # Sub-domains are covered by their domain.
        yield _client(partner, side, {"sender_domain": name.removeprefix("*.")})


def _client(partner: Partner, side: Inbound, key: Options) -> Options:
    if not partner.present:
        return {**key, "state": "absent"}
    if side.requirement == "opportunistic":
        # There is no requirement to hold, and an earlier one has to go.
        return {**key, "state": "absent"}
    if side.requirement == "verified" and side.fingerprints:
        return {**key, "require": "certificate", "fingerprints": list(side.fingerprints), "state": "present"}
    if side.requirement == "verified" and side.ca_file and side.certificate_names:
        names = list(side.certificate_names)
        return {**key, "require": "certificate", "ca_file": side.ca_file, "names": names, "state": "present"}
    if side.requirement == "verified" and side.ca_file and "client" in key:
        return {**key, "require": "certificate", "ca_file": side.ca_file, "state": "present"}
    return {**key, "require": "encrypt", "state": "present"}
