# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""Rules for what Postfix hosts are to hold of a declaration."""

from __future__ import annotations

import typing as t

from ansible_collections.mailops.tls.plugins.plugin_utils._declaration.model import Inbound, Outbound, Partner
from ansible_collections.mailops.tls.plugins.plugin_utils._declaration.to_postfix import (
    cannot_hold,
    entry_key,
    is_network,
    requirements,
)
from ansible_collections.mailops.tls.plugins.plugin_utils._findings.model import Subject
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.connector.model import Verdict

Said = tuple[Subject, Verdict]


def postfix_rules(partners: t.Iterable[Partner]) -> t.Iterator[Said]:
    """All of them, for the partners that are present and apply to Postfix."""
    chosen = [partner for partner in partners if partner.present and partner.applies_to("postfix")]
    for partner in chosen:
        subject = Subject("partner", partner.name)
        if partner.type == "hybrid":
            # Who names a side on purpose wants to know that it does nothing there.
            yield subject, Verdict("connector.postfix_hybrid_left_out", "hybrid connectors concern the tenant only")
            continue
        for verdict in (*_inbound(partner.inbound), *_outbound(partner.outbound)):
            yield subject, verdict
    yield from _contradictions(chosen)


def _inbound(side: Inbound | None) -> t.Iterator[Verdict]:
    if side is None:
        return
    if "*" in side.domains:
        yield Verdict("connector.postfix_not_possible", "inbound: there is no requirement for the mail of every domain")
    elif cannot_hold(side):
        given = (
            "ca_file without certificate_names or addresses"
            if side.ca_file
            else f"certificate_names {', '.join(side.certificate_names[:5]) or '(none)'}, and neither ca_file nor fingerprints"
        )
        yield Verdict("connector.postfix_names_not_compared", f"inbound: verified with {given}")
    elif side.requirement == "verified" and side.ca_file and not side.fingerprints and not side.certificate_names:
        yield Verdict("connector.postfix_any_name_of_ca", f"inbound: any certificate of {side.ca_file}")
        yield Verdict(
            "connector.postfix_sender_domain_weaker", f"inbound: {', '.join(side.domains[:5])} need TLS, but no certificate"
        )


def _outbound(side: Outbound | None) -> t.Iterator[Verdict]:
    if side is None:
        return
    if networks := [host for host in side.smart_hosts if is_network(host)]:
        yield Verdict("connector.postfix_not_possible", f"outbound: {', '.join(networks[:5])} is a network, and no next hop")
    if "*" in side.domains:
        yield Verdict("connector.postfix_not_possible", "outbound: TLS for every domain is smtp_tls_security_level of main.cf")
    elif side.requirement == "trusted":
        yield Verdict(
            "connector.postfix_insecure_mx", "outbound: trusted is the level verify, which takes the names in MX records"
        )


def _contradictions(partners: t.Sequence[Partner]) -> t.Iterator[Said]:
    """Two declarations that differ for one key; postfix_tls_policy would refuse both."""
    for kind, entries in requirements(partners).items():
        seen: dict[tuple[str, str], dict[str, t.Any]] = {}
        for entry in entries:
            first = seen.setdefault(entry_key(entry), entry)
            if first is not entry:
                option, value = entry_key(entry)
                yield (
                    Subject("domain", value),
                    Verdict("connector.overlap", f"{kind}: {option} {value} is declared twice, and differently", status="fail"),
                )
