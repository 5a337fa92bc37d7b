# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One declaration, both sides: whoever one of them talks to, the other one does too.

The two are asked about the same servers by what Microsoft and postconf(5) say of their settings, not by how they were translated.
"""

from __future__ import annotations

import dataclasses
import itertools
import typing as t

import pytest
from ansible_collections.mailops.tls.plugins.module_utils._postfix import declared
from ansible_collections.mailops.tls.plugins.plugin_utils._action.declarations import as_modules_read_them, rule_findings
from ansible_collections.mailops.tls.plugins.plugin_utils._declaration.parse import parse_partners
from ansible_collections.mailops.tls.plugins.plugin_utils._declaration.to_exchange_online import connectors
from ansible_collections.mailops.tls.plugins.plugin_utils._declaration.to_postfix import requirements
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.connector.lint import lint_declarations

Options = dict[str, t.Any]
PRINT = "6b" * 32
DECLARED_PRINT = ":".join(["6B"] * 32)


@dataclasses.dataclass(frozen=True)
class Peer:
    """A server of the other side: whether it has TLS, with a certificate of which name, of a trusted CA or of itself."""

    tls: bool
    name: str | None = None
    trusted: bool = False

    @property
    def prints(self) -> set[str]:
        """That of the partner's server is agreed on."""
        return {DECLARED_PRINT} if self.trusted and self.name == "mail.contoso.com" else set()


NAMES = ("mail.contoso.com", "mx.contoso.com", "deep.mx.contoso.com", "mail.contoso.com.evil.example", "evilcontoso.com")
PEERS = (Peer(tls=False), *(Peer(True, name, trusted) for name, trusted in itertools.product(NAMES, (True, False))))


def fits(pattern: str, name: str | None) -> bool:
    """`*.contoso.com`, in Exchange Online and to our policy server: every host below it."""
    return name == pattern or (pattern.startswith("*.") and (name or "").endswith(pattern[1:]))


def exchange_sends(connector: Options, peer: Peer) -> bool:
    """New-OutboundConnector, TlsSettings."""
    setting = connector["tls_settings"]
    if setting is None:
        return True
    if setting == "EncryptionOnly":
        return peer.tls
    return peer.tls and peer.trusted and (setting == "CertificateValidation" or fits(connector["tls_domain"], peer.name))


def postfix_sends(entry: Options, peer: Peer) -> bool:
    """postconf(5), smtp_tls_policy_maps, as the table has it."""
    level, *attributes = str(declared.destination(entry).value).split()
    given = dict(attribute.split("=", 1) for attribute in attributes)
    if level == "may":
        return True
    if level == "encrypt":
        return peer.tls
    assert level == "secure", level
    patterns = given["match"].split(":")
    matched = any(
        (peer.name or "").endswith(pattern) if pattern.startswith(".") else peer.name == pattern for pattern in patterns
    )
    return peer.tls and peer.trusted and matched


def exchange_takes(connector: Options, peer: Peer) -> bool:
    """New-InboundConnector; the mail comes from the declared addresses."""
    if connector["require_tls"] and not peer.tls:
        return False
    if not connector["restrict_domains_to_certificate"]:
        return True
    return peer.tls and peer.trusted and fits(connector["tls_sender_certificate_name"], peer.name)


def postfix_takes(entry: Options | None, peer: Peer) -> bool:
    """The options of postfix_tls_policy, clients; None where there is no entry."""
    if entry is None or entry["state"] == "absent":
        return True
    if entry["require"] == "encrypt":
        return peer.tls
    if "fingerprints" in entry:
        return peer.tls and bool(peer.prints & {declared.fingerprint(text, "") for text in entry["fingerprints"]})
    return peer.tls and peer.trusted and any(fits(name, peer.name) for name in entry["names"])


def partner(direction: str, side: Options, domains: t.Sequence[str] = ("contoso.com", "*.contoso.com")) -> Options:
    return {"name": "Contoso", "domains": list(domains), direction: side}


def both(one: Options) -> tuple[dict[str, list[Options]], dict[str, list[Options]]]:
    partners = as_modules_read_them(parse_partners([one]))
    return connectors(partners), requirements(partners)


WAYS = (
    {"requirement": "opportunistic"},
    {"requirement": "encrypted"},
    {"requirement": "verified", "certificate_names": ["mail.contoso.com"]},
    {"requirement": "verified", "certificate_names": ["*.contoso.com"]},
    {"requirement": "verified", "certificate_names": ["mail.contoso.com", "*.contoso.com"]},
    {"requirement": "verified", "certificate_names": ["*.mx.contoso.com"]},
)


@pytest.mark.parametrize("smart_hosts", [[], ["mail.contoso.com", "203.0.113.9"]], ids=["MX", "smart hosts"])
@pytest.mark.parametrize("way", WAYS, ids=str)
def test_mail_to_the_partner(way: Options, smart_hosts: list[str]) -> None:
    exchange, postfix = both(partner("outbound", {**way, "smart_hosts": smart_hosts}))
    (connector,) = exchange["outbound"]
    assert postfix["destinations"]
    for entry in postfix["destinations"]:
        for peer in PEERS:
            assert exchange_sends(connector, peer) == postfix_sends(entry, peer), (entry, peer)
    keys = {entry["destination"] for entry in postfix["destinations"]}
    # Each domain of the connector, and each host that it hands mail to, is what Postfix looks up.
    assert keys == {domain.removeprefix("*") for domain in connector["recipient_domains"]} | {
        f"[{host}]" for host in connector["smart_hosts"]
    }
    assert connector["use_mx_record"] is not bool(smart_hosts)


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_mail_from_the_partner(way: Options) -> None:
    ca = {"ca_file": "/etc/ssl/contoso.pem"} if way["requirement"] == "verified" else {}
    exchange, postfix = both(partner("inbound", {**way, **ca, "addresses": ["203.0.113.9"]}))
    (connector,) = exchange["inbound"]
    for entry in postfix["clients"]:
        declared.client(entry)
        for peer in PEERS:
            assert exchange_takes(connector, peer) == postfix_takes(entry, peer), (entry, peer)
    assert {entry.get("sender_domain", entry.get("client")) for entry in postfix["clients"]} == {
        domain.removeprefix("*.") for domain in connector["sender_domains"]
    } | set(connector["sender_ip_addresses"])


def test_mail_from_the_partner_by_fingerprint() -> None:
    """Postfix knows the certificate, Exchange Online its name: both take the server that is meant, and neither one another."""
    side = {"requirement": "verified", "certificate_names": ["mail.contoso.com"], "fingerprints": [PRINT]}
    exchange, postfix = both(partner("inbound", side))
    (connector,) = exchange["inbound"]
    for entry in postfix["clients"]:
        for peer in PEERS:
            assert exchange_takes(connector, peer) == postfix_takes(entry, peer), (entry, peer)


# What only one of the sides can hold, and the finding that says so.
APART: tuple[tuple[str, Options, str], ...] = (
    ("outbound", {"requirement": "trusted"}, "connector.postfix_insecure_mx"),
    ("outbound", {"requirement": "verified", "certificate_names": ["a.contoso.com", "b.example"]}, "connector.several_names"),
    ("outbound", {"requirement": "encrypted", "smart_hosts": ["192.0.2.0/28"]}, "connector.postfix_not_possible"),
    ("outbound", {"requirement": "encrypted", "domains": ["*"]}, "connector.postfix_not_possible"),
    ("inbound", {"requirement": "verified", "certificate_names": ["mail.contoso.com"]}, "connector.postfix_names_not_compared"),
    ("inbound", {"requirement": "verified", "fingerprints": [PRINT]}, "connector.domain_validation_without_name"),
    (
        "inbound",
        {"requirement": "verified", "certificate_names": ["a.contoso.com", "b.example"], "ca_file": "/ca.pem"},
        "connector.several_names",
    ),
    (
        "outbound",
        {"requirement": "verified", "certificate_names": ["mail.contoso.com"], "exchange_online": {"tls_settings": None}},
        "connector.requirement_not_met",
    ),
)


@pytest.mark.parametrize(("direction", "side", "finding"), APART, ids=lambda value: value if isinstance(value, str) else "")
def test_where_they_cannot_agree_it_fails(direction: str, side: Options, finding: str) -> None:
    partners = as_modules_read_them(parse_partners([partner(direction, side)]))
    context = {"observed_at": "", "host": "localhost"}
    found = lint_declarations(partners, None, **context)
    found += rule_findings(partners, {}, found, **context)
    assert (finding, "fail") in {(one.id, one.status) for one in found}
