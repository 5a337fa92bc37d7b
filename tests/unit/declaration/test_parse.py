# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a user may write, and how a refusal reads."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.mailops.tls.plugins.plugin_utils._declaration.parse import parse_partners

CONTOSO: dict[str, t.Any] = {
    "name": "Contoso",
    "domains": ["contoso.com"],
    "inbound": {
        "requirement": "verified",
        "certificate_names": ["mail.contoso.com"],
        "addresses": ["192.0.2.1", "192.0.2.16/28"],
    },
    "outbound": {"requirement": "verified", "certificate_names": ["*.contoso.com"], "smart_hosts": ["mail.contoso.com"]},
}


def contoso(**changes: t.Any) -> dict[str, t.Any]:
    return {**CONTOSO, **changes}


def test_what_is_left_out_has_its_usual_value() -> None:
    (partner,) = parse_partners([CONTOSO])
    assert (partner.type, partner.state, partner.apply_to) == ("partner", "present", ("exchange_online", "postfix"))
    assert partner.inbound is not None and partner.outbound is not None
    assert partner.inbound.connector == "Contoso inbound"
    assert partner.outbound.connector == "Contoso outbound"
    assert partner.inbound.domains == partner.outbound.domains == ("contoso.com",)
    assert partner.inbound.addresses == ("192.0.2.1", "192.0.2.16/28")


def test_hybrid_mail_has_any_sender() -> None:
    (partner,) = parse_partners([contoso(type="hybrid")])
    assert partner.inbound is not None and partner.outbound is not None
    assert partner.inbound.domains == ("*",)
    assert partner.outbound.domains == ("contoso.com",)


def test_an_absent_partner_has_both_connectors() -> None:
    (partner,) = parse_partners([{"name": "Contoso", "domains": "contoso.com", "state": "absent"}])
    assert partner.inbound is not None and partner.outbound is not None
    assert (partner.inbound.connector, partner.outbound.connector) == ("Contoso inbound", "Contoso outbound")


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("Contoso.COM", "contoso.com"),
        ("*.contoso.com", "*.contoso.com"),
        ("*", "*"),
        ("contoso.com.", "contoso.com"),
        ("smtp:contoso.com;1", "contoso.com"),
        ("SMTP:*.contoso.com", "*.contoso.com"),
        ("smtp:*;1", "*"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("*.BÜCHER.example", "*.xn--bcher-kva.example"),
    ],
)
def test_domains_have_one_form(written: str, read: str) -> None:
    assert parse_partners([contoso(domains=[written, written])])[0].domains == (read,)


def test_addresses_and_hosts_have_one_form() -> None:
    inbound = {"requirement": "encrypted", "addresses": ["192.0.2.77/24", "192.0.2.0/24", "198.51.100.1/32", "2001:DB8::1"]}
    hosts = ["[MX.contoso.com]", "mx.contoso.com", "[192.0.2.1]", "192.0.2.9/28", "bücher.example"]
    (partner,) = parse_partners([contoso(inbound=inbound, outbound={"requirement": "encrypted", "smart_hosts": hosts})])
    assert partner.inbound is not None and partner.outbound is not None
    assert partner.inbound.addresses == ("192.0.2.0/24", "198.51.100.1", "2001:db8::1")
    assert partner.outbound.smart_hosts == ("mx.contoso.com", "192.0.2.1", "192.0.2.0/28", "xn--bcher-kva.example")


INBOUND = {"requirement": "encrypted"}
REFUSED: tuple[tuple[t.Any, str], ...] = (
    ({}, "partners: must be a list"),
    ("contoso.com", "partners: must be a list"),
    ([3], "partners[0]: must be a mapping"),
    ([{}], "partners[0]: name: is required"),
    ([contoso(domains=[])], "partners[0] (Contoso): domains: must have 1 to 5000 items"),
    ([contoso(domains=["user@contoso.com"])], "domains[0]: must be a domain without the part before the @"),
    ([contoso(domains=["contoso"])], "domains[0]: must be a domain such as"),
    ([contoso(domains=["con*so.com"])], "domains[0]: must be a domain such as"),
    ([contoso(domains=["192.0.2.1"])], "domains[0]: must be a domain such as"),
    ([contoso(domains=["a\u202eb.com"])], "domains[0]: must be 1 to 500 printable"),
    ([contoso(domain="contoso.com")], "unknown key 'domain'; did you mean domains?"),
    ([contoso(type="onpremises")], "type: must be one of partner, hybrid"),
    ([contoso(state="gone")], "state: must be one of present, absent"),
    ([contoso(apply_to=["exchange"])], "apply_to[0]: must be one of exchange_online, postfix"),
    ([contoso(name=" Contoso")], "name: must have 1 to 64 characters"),
    ([contoso(name="C" * 60)], "inbound.connector: 'CCC"),
    ([{"name": "Contoso", "domains": ["contoso.com"]}], "declares neither inbound nor outbound"),
    ([contoso(inbound={})], "partners[0] (Contoso): inbound.requirement: is required"),
    (
        [contoso(inbound={"requirement": "secure"})],
        "inbound.requirement: must be one of opportunistic, encrypted, trusted, verified",
    ),
    ([contoso(inbound={"requirement": "trusted"})], "inbound.requirement: must be opportunistic, encrypted or verified"),
    ([contoso(inbound={**INBOUND, "addresses": ["192.0.2.1/33"]})], "inbound.addresses[0]: must be an IP address or a network"),
    ([contoso(domains=["smtp:contoso.com;10"])], "domains[0]: has a priority, which belongs below exchange_online"),
    ([contoso(domains=["straße.example"])], "domains[0]: two standards make different names of this"),
    ([contoso(outbound={**INBOUND, "smart_hosts": ["a b"]})], "outbound.smart_hosts[0]: must be a host name"),
    ([contoso(outbound={**INBOUND, "smart_hosts": ["[[mail.contoso.com]]"]})], "outbound.smart_hosts[0]: must be a host name"),
    ([contoso(inbound={**INBOUND, "certificate_names": ["smtp:contoso.com"]})], "certificate_names[0]: must be a domain"),
    ([contoso(inbound={**INBOUND, "fingerprints": ["AB:CD"]})], "inbound.fingerprints[0]: must have 64 hexadecimal digits"),
    ([contoso(inbound={**INBOUND, "ca_file": "ca.pem"})], "inbound.ca_file: must be an absolute path"),
    ([contoso(inbound={**INBOUND, "ca_file": "/ca.pem", "fingerprints": ["ab" * 32]})], "inbound: has ca_file and fingerprints"),
    ([contoso(inbound={**INBOUND, "certificate_names": ["*"]})], "inbound.certificate_names[0]: must be a name"),
    (
        [contoso(inbound={**INBOUND, "exchange_online": {"connector_type": "Partner"}})],
        "connector_type: is decided by the declaration",
    ),
    ([contoso(inbound={**INBOUND, "exchange_online": {"require_tsl": True}})], "did you mean require_tls?"),
    ([contoso(outbound={**INBOUND, "smart_hosts": ["mail.contoso.com:25"]})], "outbound.smart_hosts[0]: must be a host name"),
    ([contoso(outbound={**INBOUND, "postfix": {"level": "may"}})], "outbound.postfix: unknown key 'level'"),
    ([CONTOSO, contoso(name="contoso")], "partners[1] (contoso): the partner 'contoso' is declared by partners[0] already"),
    (
        [CONTOSO, {"name": "Other", "domains": ["a.example"], "inbound": {**INBOUND, "connector": "CONTOSO inbound"}}],
        "partners[1] (Other): the inbound connector 'CONTOSO inbound' is declared by partners[0] already",
    ),
)


@pytest.mark.parametrize("number", range(len(REFUSED)))
def test_refusals_name_place_and_reason(number: int) -> None:
    given, message = REFUSED[number]
    with pytest.raises(ValueError) as error:
        parse_partners(given)
    assert message in str(error.value)
    assert "\n" not in str(error.value)
