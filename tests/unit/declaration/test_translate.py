# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From declarations to connectors and policies, and back from connectors."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.mailops.tls.plugins.plugin_utils._declaration.export import FACTS, export_declarations
from ansible_collections.mailops.tls.plugins.plugin_utils._declaration.options import DEFAULTS, Direction, canonical
from ansible_collections.mailops.tls.plugins.plugin_utils._declaration.parse import parse_partners
from ansible_collections.mailops.tls.plugins.plugin_utils._declaration.to_exchange_online import connectors
from ansible_collections.mailops.tls.plugins.plugin_utils._declaration.to_postfix import requirements
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.declaration.test_parse import CONTOSO, contoso

PRINT = "6b" * 32


def exchange(*partners: dict[str, t.Any]) -> dict[str, list[dict[str, t.Any]]]:
    return connectors(parse_partners(list(partners)))


def postfix(*partners: dict[str, t.Any]) -> dict[str, list[dict[str, t.Any]]]:
    return requirements(parse_partners(list(partners)))


def test_a_verified_partner_in_exchange_online() -> None:
    found = exchange(CONTOSO)
    assert found["inbound"] == [
        {
            "name": "Contoso inbound",
            "state": "present",
            "connector_type": "Partner",
            "enabled": True,
            "sender_domains": ["contoso.com"],
            "sender_ip_addresses": ["192.0.2.1", "192.0.2.16/28"],
            "require_tls": True,
            "tls_sender_certificate_name": "mail.contoso.com",
            "restrict_domains_to_certificate": True,
            "restrict_domains_to_ip_addresses": True,
            "treat_messages_as_internal": False,
            "cloud_services_mail_enabled": False,
        }
    ]
    assert found["outbound"] == [
        {
            "name": "Contoso outbound",
            "state": "present",
            "connector_type": "Partner",
            "enabled": True,
            "recipient_domains": ["contoso.com"],
            "use_mx_record": False,
            "smart_hosts": ["mail.contoso.com"],
            "tls_settings": "DomainValidation",
            "tls_domain": "*.contoso.com",
            "cloud_services_mail_enabled": False,
            "is_transport_rule_scoped": False,
            "test_mode": False,
        }
    ]


def test_hybrid_is_on_premises_with_cloud_services() -> None:
    found = exchange(contoso(type="hybrid"))
    (inbound,), (outbound,) = found["inbound"], found["outbound"]
    assert inbound["connector_type"] == outbound["connector_type"] == "OnPremises"
    assert inbound["cloud_services_mail_enabled"] is outbound["cloud_services_mail_enabled"] is True
    # These two are for partners only; the certificate is what the servers are known by.
    assert inbound["restrict_domains_to_certificate"] is inbound["restrict_domains_to_ip_addresses"] is False
    assert (inbound["require_tls"], inbound["tls_sender_certificate_name"]) == (True, "mail.contoso.com")
    assert postfix(contoso(type="hybrid")) == {"destinations": [], "clients": []}


@pytest.mark.parametrize(
    ("requirement", "setting", "level"),
    [
        ("opportunistic", None, "may"),
        ("encrypted", "EncryptionOnly", "encrypt"),
        ("trusted", "CertificateValidation", "verify"),
        ("verified", "DomainValidation", "secure"),
    ],
)
def test_each_requirement_in_the_words_of_both(requirement: str, setting: str | None, level: str) -> None:
    partner = contoso(outbound={"requirement": requirement, "certificate_names": ["mail.contoso.com"]})
    assert exchange(partner)["outbound"][0]["tls_settings"] == setting
    (destination,) = postfix(partner)["destinations"]
    assert destination["level"] == level
    assert ("match" in destination) is (requirement == "verified")


def test_postfix_protects_the_domain_and_the_smart_host() -> None:
    partner = contoso(
        domains=["contoso.com", "*.contoso.com"],
        outbound={
            "requirement": "verified",
            "certificate_names": ["mail.contoso.com", "*.mx.contoso.com"],
            "smart_hosts": ["mail.contoso.com", "192.0.2.9", "2001:db8::1"],
            "ca_file": "/etc/ssl/contoso.pem",
            "postfix": {"protocols": [">=TLSv1.2"]},
        },
    )
    found = postfix(partner)["destinations"]
    assert [entry["destination"] for entry in found] == [
        "[mail.contoso.com]",
        "[192.0.2.9]",
        "[ipv6:2001:db8::1]",
        "contoso.com",
        ".contoso.com",
    ]
    assert {str(entry["match"]) for entry in found} == {"['mail.contoso.com', '.mx.contoso.com']"}
    assert {entry["ca_file"] for entry in found} == {"/etc/ssl/contoso.pem"}
    assert {str(entry["protocols"]) for entry in found} == {"['>=TLSv1.2']"}


def test_postfix_clients() -> None:
    addresses = {"addresses": ["192.0.2.1"]}
    verified = {"requirement": "verified", "certificate_names": ["mail.contoso.com"]}

    def clients(inbound: dict[str, t.Any]) -> list[dict[str, t.Any]]:
        return postfix(contoso(domains=["contoso.com", "*.contoso.com"], inbound=inbound))["clients"]

    assert clients({"requirement": "encrypted", **addresses}) == [
        {"client": "192.0.2.1", "require": "encrypt", "state": "present"},
        {"sender_domain": "contoso.com", "require": "encrypt", "state": "present"},
    ]
    assert [entry["require"] for entry in clients({**verified, **addresses, "fingerprints": [PRINT]})] == ["certificate"] * 2
    for both in (clients({**verified, **addresses, "ca_file": "/ca.pem"}), clients({**verified, "ca_file": "/ca.pem"})):
        assert {(entry["require"], entry["ca_file"], *entry["names"]) for entry in both} == {
            ("certificate", "/ca.pem", "mail.contoso.com")
        }
    # A CA says nothing about a sender's domain, so the domain has to have TLS only; the linter says so.
    unnamed = {"requirement": "verified", **addresses, "ca_file": "/ca.pem"}
    assert [(entry["require"], entry.get("ca_file")) for entry in clients(unnamed)] == [
        ("certificate", "/ca.pem"),
        ("encrypt", None),
    ]
    assert {entry["state"] for entry in clients({"requirement": "opportunistic", **addresses})} == {"absent"}


@pytest.mark.parametrize(
    "inbound",
    [
        {"requirement": "verified", "certificate_names": ["mail.contoso.com"]},
        {"requirement": "verified", "ca_file": "/ca.pem"},
        {"requirement": "verified", "fingerprints": [PRINT], "domains": ["*"]},
    ],
)
def test_what_postfix_cannot_hold_is_not_weakened(inbound: dict[str, t.Any]) -> None:
    assert postfix(contoso(inbound=inbound))["clients"] == []


def test_one_name_stands_for_several_or_there_is_no_connector() -> None:
    def names(*given: str) -> list[str]:
        side = {"requirement": "verified", "certificate_names": list(given)}
        return [one["tls_domain"] for one in exchange(contoso(outbound=side))["outbound"]]

    assert names("mail.contoso.com", "*.contoso.com") == ["*.contoso.com"]
    assert names("mail.contoso.com") == ["mail.contoso.com"]
    assert names("mail.contoso.com", "mx.contoso.com") == []


def test_absent_removes_on_both_sides_but_not_what_another_wants() -> None:
    gone = {"name": "Old", "domains": ["contoso.com", "old.example"], "state": "absent"}
    assert exchange(gone) == {
        "inbound": [{"name": "Old inbound", "state": "absent"}],
        "outbound": [{"name": "Old outbound", "state": "absent"}],
    }
    found = postfix(gone, contoso(outbound={"requirement": "encrypted"}))["destinations"]
    assert [(entry["destination"], entry["state"]) for entry in found] == [("old.example", "absent"), ("contoso.com", "present")]


def test_apply_to_leaves_the_other_side_alone() -> None:
    assert exchange(contoso(apply_to=["postfix"])) == {"inbound": [], "outbound": []}
    assert postfix(contoso(apply_to=["exchange_online"])) == {"destinations": [], "clients": []}


def test_contradicting_declarations_are_both_kept_for_the_module_to_refuse() -> None:
    other = {"name": "Other", "domains": ["contoso.com"], "outbound": {"requirement": "encrypted"}}
    found = postfix(contoso(outbound={"requirement": "opportunistic"}), other)["destinations"]
    assert [entry["level"] for entry in found] == ["may", "encrypt"]


# Back from connectors

LABELS = st.sampled_from(["contoso", "fabrikam", "mail", "a1", "xn--bcher-kva"])
DOMAIN = st.builds(lambda parts: ".".join([*parts, "example"]), st.lists(LABELS, min_size=1, max_size=3))
MAIL_DOMAIN = st.one_of(DOMAIN, DOMAIN.map("*.{}".format))
NETWORK = st.one_of(
    st.integers(0, 255).map("192.0.2.{}".format), st.sampled_from(["192.0.2.16/28", "198.51.100.0/24", "203.0.113.128/25"])
)


def several(items: st.SearchStrategy[str], least: int = 0) -> st.SearchStrategy[list[str]]:
    return st.lists(items, min_size=least, max_size=3, unique=True).map(sorted)


VALUES: dict[str, st.SearchStrategy[t.Any]] = {
    "connector_type": st.sampled_from(["Partner", "OnPremises"]),
    "connector_source": st.sampled_from(["Default", "HybridWizard", "AdminUI", None]),
    "comment": st.sampled_from([None, "", "made by hand"]),
    "sender_domains": several(st.one_of(MAIL_DOMAIN.map("smtp:{};1".format), MAIL_DOMAIN.map("smtp:{};20".format)), 1),
    "recipient_domains": several(MAIL_DOMAIN),
    "sender_ip_addresses": several(NETWORK),
    "smart_hosts": several(st.one_of(DOMAIN, st.just("[192.0.2.7]"), st.just("192.0.2.0/28"))),
    "tls_sender_certificate_name": st.one_of(st.none(), MAIL_DOMAIN),
    "tls_domain": st.one_of(st.none(), MAIL_DOMAIN),
    "tls_settings": st.sampled_from([None, "EncryptionOnly", "CertificateValidation", "DomainValidation"]),
    "mta_sts_mode": st.sampled_from(["Opportunistic", "None"]),
    "smtp_dane_mode": st.sampled_from(["Opportunistic", "Mandatory", "None"]),
}


def connector(direction: Direction, name: str) -> st.SearchStrategy[dict[str, t.Any]]:
    fields = {
        option: VALUES.get(option, st.booleans() if isinstance(default, bool) else several(DOMAIN))
        for option, default in DEFAULTS[direction].items()
    }
    return st.fixed_dictionaries({"name": st.just(name), **fields})


NAMES = ["Contoso inbound", "Contoso outbound", "Inbound from 1f2e", "Fabrikam", "fabrikam", "x" * 64]


def tenant(direction: Direction) -> st.SearchStrategy[list[dict[str, t.Any]]]:
    chosen = st.lists(st.sampled_from(NAMES), unique_by=str.lower, max_size=4)
    return chosen.flatmap(lambda names: st.tuples(*(connector(direction, name) for name in names)).map(list))


@settings(max_examples=60, deadline=None)
@given(tenant("inbound"), tenant("outbound"))
def test_exported_declarations_make_the_same_connectors(
    inbound: list[dict[str, t.Any]], outbound: list[dict[str, t.Any]]
) -> None:
    export = export_declarations(inbound, outbound)
    assert export.left_out == []
    made = exchange(*export.declarations)
    for direction, before in (("inbound", inbound), ("outbound", outbound)):
        after = {one["name"]: intended(t.cast("Direction", direction), one) for one in made[direction]}
        assert after == {one["name"]: intended(t.cast("Direction", direction), one) for one in before}


def intended(direction: Direction, connector: dict[str, t.Any]) -> dict[str, t.Any]:
    """Without what the service finds out by itself."""
    return {option: value for option, value in canonical(direction, connector).items() if option not in FACTS}


def requirement(*words: str) -> st.SearchStrategy[str]:
    return st.sampled_from(words)


INBOUND = st.fixed_dictionaries(
    {"requirement": requirement("opportunistic", "encrypted")}, optional={"addresses": several(NETWORK, 1)}
) | st.fixed_dictionaries(
    {"requirement": st.just("verified"), "certificate_names": MAIL_DOMAIN.map(lambda name: [name])},
    optional={"addresses": several(NETWORK, 1)},
)
OUTBOUND = st.fixed_dictionaries(
    {"requirement": requirement("opportunistic", "encrypted", "trusted")}, optional={"smart_hosts": several(DOMAIN, 1)}
) | st.fixed_dictionaries(
    {"requirement": st.just("verified"), "certificate_names": MAIL_DOMAIN.map(lambda name: [name])},
    optional={
        "smart_hosts": several(DOMAIN, 1),
        "domains": several(MAIL_DOMAIN, 1),
        "connector": st.just("Made by hand"),
        "exchange_online": st.just({"smtp_dane_mode": "Mandatory"}),
    },
)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from([{}, {"type": "hybrid"}]), several(MAIL_DOMAIN, 1), INBOUND, OUTBOUND)
def test_what_was_declared_is_exported_word_for_word(
    kind: dict[str, str], domains: list[str], inbound: dict[str, t.Any], outbound: dict[str, t.Any]
) -> None:
    declared = {
        "name": "Contoso",
        **kind,
        "domains": domains,
        "apply_to": ["exchange_online"],
        "inbound": inbound,
        "outbound": outbound,
    }
    made = exchange(declared)
    exported = export_declarations(made["inbound"], made["outbound"]).declarations
    before, after = connectors(parse_partners([declared])), connectors(parse_partners(exported))
    assert after == before
    if "domains" not in outbound and "connector" not in outbound:
        assert exported == [declared]


@pytest.mark.parametrize(
    ("odd", "reason"),
    [
        ({"name": "x "}, "no space at either end"),
        ({"name": "a\u202eb"}, "printable"),
        ({"sender_domains": [f"d{number}.example" for number in range(5001)]}, "1 to 5000 items"),
    ],
)
def test_one_connector_that_cannot_be_declared_does_not_take_the_others_with_it(odd: dict[str, t.Any], reason: str) -> None:
    plain = {"connector_type": "Partner", "sender_domains": ["smtp:contoso.com;1"], "require_tls": True}
    export = export_declarations(
        [{"name": "Odd inbound", **plain, **odd}, {"name": "Contoso", **plain}],
        [{"name": "Odd outbound", "recipient_domains": ["contoso.com"]}],
    )
    assert [one["name"] for one in export.declarations] == ["Contoso"]
    ((direction, name, said),) = export.left_out
    assert (direction, name) == ("inbound", odd.get("name", "Odd inbound"))
    assert reason in said


def test_five_hundred_and_one_domains() -> None:
    domains = [f"d{number}.example" for number in range(501)]
    export = export_declarations([{"name": "Many", "sender_domains": domains}], [])
    assert export.left_out == []
    assert exchange(*export.declarations)["inbound"][0]["sender_domains"] == sorted(domains)


def test_a_certificate_by_issuer_and_subject_is_exported_letter_by_letter() -> None:
    name = "<I>CN=Contoso CA, O=Contoso<S>CN=Mail.Contoso.com"
    hybrid = {"name": "From us", "connector_type": "OnPremises", "sender_domains": ["*"], "require_tls": True}
    (declaration,) = export_declarations([{**hybrid, "tls_sender_certificate_name": name}], []).declarations
    assert declaration["inbound"]["exchange_online"]["tls_sender_certificate_name"] == name


def test_whether_it_was_validated_may_be_declared_and_is_not_exported() -> None:
    side = {"requirement": "encrypted", "exchange_online": {"is_validated": True}}
    (made,) = exchange(contoso(outbound=side))["outbound"]
    assert made["is_validated"] is True
    (declaration,) = export_declarations([], [made]).declarations
    assert "exchange_online" not in declaration["outbound"]


def test_a_network_is_no_next_hop_of_postfix() -> None:
    side = {"requirement": "encrypted", "smart_hosts": ["192.0.2.0/28", "mail.contoso.com"]}
    assert [entry["destination"] for entry in postfix(contoso(outbound=side))["destinations"]] == [
        "[mail.contoso.com]",
        "contoso.com",
    ]
    assert exchange(contoso(outbound=side))["outbound"][0]["smart_hosts"] == ["192.0.2.0/28", "mail.contoso.com"]


def test_connectors_are_paired_by_name_or_by_their_domains() -> None:
    inbound = [
        {"name": "Inbound from 1", "connector_type": "OnPremises", "sender_domains": ["smtp:*;1"], "require_tls": True},
        {"name": "From Fabrikam", "connector_type": "Partner", "sender_domains": ["smtp:fabrikam.com;1"], "require_tls": True},
    ]
    outbound = [{"name": "To Fabrikam", "recipient_domains": ["Fabrikam.com"], "tls_settings": "EncryptionOnly"}]
    assert export_declarations(inbound, outbound).declarations == [
        {
            "name": "From Fabrikam",
            "domains": ["fabrikam.com"],
            "apply_to": ["exchange_online"],
            "inbound": {"requirement": "encrypted", "connector": "From Fabrikam"},
            "outbound": {"requirement": "encrypted", "connector": "To Fabrikam"},
        },
        {
            "name": "Inbound from 1",
            "type": "hybrid",
            "domains": ["*"],
            "apply_to": ["exchange_online"],
            "inbound": {
                "requirement": "encrypted",
                "connector": "Inbound from 1",
                "exchange_online": {"cloud_services_mail_enabled": False},
            },
        },
    ]
