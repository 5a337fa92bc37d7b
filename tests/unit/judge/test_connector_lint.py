# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The linter of connectors: each rule on a case that breaks it, and silence where nothing is wrong."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.mailops.tls.plugins.plugin_utils._declaration.options import DEFAULTS
from ansible_collections.mailops.tls.plugins.plugin_utils._declaration.parse import parse_partners
from ansible_collections.mailops.tls.plugins.plugin_utils._findings.catalogue_connector import CONNECTOR_TYPES
from ansible_collections.mailops.tls.plugins.plugin_utils._findings.model import Finding, compliant
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.connector.lint import lint_declarations, lint_tenant
from hypothesis import given, settings
from hypothesis import strategies as st

NOW = "2026-11-24T00:00:00Z"
Options = dict[str, t.Any]

INBOUND: Options = {
    "name": "In",
    "connector_type": "Partner",
    "sender_domains": ["smtp:contoso.com;1"],
    "require_tls": True,
    "tls_sender_certificate_name": "mail.contoso.com",
    "restrict_domains_to_certificate": True,
}
OUTBOUND: Options = {
    "name": "Out",
    "connector_type": "Partner",
    "recipient_domains": ["contoso.com"],
    "use_mx_record": True,
    "tls_settings": "DomainValidation",
    "tls_domain": "mail.contoso.com",
}
HYBRID: Options = {
    "connector_type": "OnPremises",
    "cloud_services_mail_enabled": True,
    "sender_domains": ["smtp:*;1"],
    "tls_sender_certificate_name": "mail.ours.example",
    "restrict_domains_to_certificate": False,
}
HYBRID_OUT: Options = {
    "connector_type": "OnPremises",
    "cloud_services_mail_enabled": True,
    "recipient_domains": ["ours.example"],
    "use_mx_record": False,
    "smart_hosts": ["mail.ours.example"],
    "tls_domain": "mail.ours.example",
}


def tenant(inbound: Options | None = None, outbound: Options | None = None, accepted: t.Any = ("ours.example",)) -> list[Finding]:
    """One connector each way, in order but for the changes."""
    return lint_tenant([{**INBOUND, **(inbound or {})}], [{**OUTBOUND, **(outbound or {})}], accepted, observed_at=NOW)


def bad(findings: t.Iterable[Finding]) -> set[tuple[str, str]]:
    return {(one.id.removeprefix("connector."), one.status) for one in findings if one.status not in ("pass", "not_applicable")}


def test_forced_and_verified_in_both_directions_is_compliant() -> None:
    found = tenant()
    assert bad(found) == set()
    assert {one.id for one in found} == {"connector.verified", "connector.both_directions"}
    assert compliant(found) is True


def test_hybrid_as_the_wizard_makes_it_is_compliant() -> None:
    found = tenant(HYBRID, HYBRID_OUT)
    assert bad(found) == set()
    assert compliant(found) is True


def test_an_empty_tenant_says_nothing() -> None:
    assert lint_tenant([], [], None, observed_at=NOW) == []


OFF = {"require_tls": False, "tls_sender_certificate_name": None, "restrict_domains_to_certificate": False}
# (changes to the inbound connector, changes to the outbound one, what is found besides what is in order)
RULES: tuple[tuple[Options, Options, set[tuple[str, str]]], ...] = (
    (OFF, {}, {("opportunistic", "warn"), ("one_direction", "fail")}),
    ({}, {"tls_settings": None, "tls_domain": None}, {("opportunistic", "warn"), ("one_direction", "fail")}),
    ({}, {"tls_settings": "EncryptionOnly", "tls_domain": None}, {("encrypted_only", "warn")}),
    ({}, {"tls_settings": "EncryptionOnly"}, {("encrypted_only", "warn"), ("name_not_checked", "fail")}),
    ({}, {"tls_settings": "CertificateValidation", "tls_domain": None}, {("name_not_verified", "warn")}),
    ({}, {"tls_domain": None}, {("domain_validation_without_name", "fail")}),
    ({"restrict_domains_to_certificate": False}, {}, {("name_not_checked", "warn"), ("sender_not_authenticated", "warn")}),
    ({"tls_sender_certificate_name": None}, {}, {("certificate_restriction_incomplete", "fail")}),
    (
        {"require_tls": False},
        {},
        {("certificate_restriction_incomplete", "fail"), ("opportunistic", "warn"), ("one_direction", "fail")},
    ),
    ({"restrict_domains_to_ip_addresses": True}, {}, {("address_restriction_incomplete", "fail")}),
    ({"sender_ip_addresses": ["203.0.113.9"]}, {}, {("addresses_without_effect", "warn")}),
    ({"restrict_domains_to_ip_addresses": True, "sender_ip_addresses": ["203.0.113.9"]}, {}, set()),
    (
        {"restrict_domains_to_ip_addresses": True, "sender_ip_addresses": ["203.0.112.0/22", "2001:db8::1"]},
        {},
        {("address_not_possible", "fail")},
    ),
    ({"restrict_domains_to_ip_addresses": True, "sender_ip_addresses": ["203.0.113.0/24"]}, {}, {("wide_network", "warn")}),
    ({"restrict_domains_to_ip_addresses": True, "sender_ip_addresses": ["10.1.2.3"]}, {}, {("private_address", "fail")}),
    ({"tls_sender_certificate_name": "*.contoso.com"}, {}, {("wildcard_name", "warn")}),
    ({"tls_sender_certificate_name": "*.com"}, {}, {("wildcard_too_wide", "fail")}),
    ({"tls_sender_certificate_name": "mail.protection.outlook.com"}, {}, {("shared_certificate_name", "warn")}),
    ({}, {"tls_domain": "mail.protection.outlook.com"}, set()),
    ({"enabled": False}, {}, {("disabled", "fail"), ("one_direction", "fail")}),
    ({}, {"test_mode": True}, {("test_mode", "fail"), ("one_direction", "fail")}),
    ({}, {"is_transport_rule_scoped": True}, {("transport_rule_only", "warn"), ("one_direction", "fail")}),
    ({}, {"use_mx_record": False}, {("combination_refused", "fail")}),
    ({}, {"smart_hosts": ["mail.contoso.com"]}, {("smart_host_ignored", "warn")}),
    (
        {},
        {"use_mx_record": False, "smart_hosts": ["mail.contoso.com"], "smtp_dane_mode": "Mandatory"},
        {("dane_with_smart_host", "fail")},
    ),
    ({}, {"smtp_dane_mode": "Mandatory"}, set()),
    ({}, {"smtp_dane_mode": "None"}, set()),
    (
        {},
        {"smtp_dane_mode": "None", "mta_sts_mode": "None", "tls_settings": "EncryptionOnly", "tls_domain": None},
        {("policy_switched_off", "warn"), ("encrypted_only", "warn")},
    ),
    ({}, {"route_all_messages_via_on_premises": True}, {("combination_refused", "fail")}),
    ({"treat_messages_as_internal": True}, {}, {("combination_refused", "fail"), ("treated_as_internal", "warn")}),
    ({"sender_domains": ["contoso.com", "ours.example"]}, {}, {("own_domain", "warn"), ("one_direction", "fail")}),
    ({"sender_domains": ["*", "contoso.com"]}, {}, {("catch_all", "warn")}),
    ({**OFF, "sender_domains": ["*"], "require_tls": True}, {}, {("catch_all", "fail"), ("sender_not_authenticated", "warn")}),
    ({}, {"recipient_domains": ["*"]}, {("catch_all", "fail")}),
)


@pytest.mark.parametrize("number", range(len(RULES)))
def test_rule(number: int) -> None:
    inbound, outbound, expected = RULES[number]
    assert bad(tenant(inbound, outbound)) == expected


HYBRID_RULES: tuple[tuple[Options, Options, set[tuple[str, str]]], ...] = (
    ({"cloud_services_mail_enabled": False}, {}, {("hybrid_without_cloud_services", "warn")}),
    ({}, {"cloud_services_mail_enabled": False}, {("hybrid_without_cloud_services", "warn")}),
    (
        {"tls_sender_certificate_name": None, "sender_ip_addresses": ["203.0.113.9"]},
        {},
        {("on_premises_by_address", "fail"), ("require_tls_without_effect", "warn")},
    ),
    (
        {"tls_sender_certificate_name": None, "sender_ip_addresses": ["203.0.113.9"], "cloud_services_mail_enabled": False},
        {},
        {("on_premises_by_address", "warn"), ("require_tls_without_effect", "warn"), ("hybrid_without_cloud_services", "warn")},
    ),
    (
        {"tls_sender_certificate_name": None},
        {},
        {("on_premises_unidentified", "fail"), ("require_tls_without_effect", "warn")},
    ),
    ({"restrict_domains_to_certificate": True}, {}, {("restriction_without_effect", "warn")}),
    ({"tls_sender_certificate_name": "mail.gateway.example"}, {}, {("certificate_domain_not_accepted", "fail")}),
    ({"tls_sender_certificate_name": "notours.example"}, {}, {("certificate_domain_not_accepted", "fail")}),
    (
        {"treat_messages_as_internal": True},
        {},
        {("combination_refused", "fail"), ("treated_as_internal", "warn")},
    ),
    ({}, {"route_all_messages_via_on_premises": True}, set()),
)


@pytest.mark.parametrize("number", range(len(HYBRID_RULES)))
def test_rule_for_servers_on_premises(number: int) -> None:
    inbound, outbound, expected = HYBRID_RULES[number]
    assert bad(tenant({**HYBRID, **inbound}, {**HYBRID_OUT, **outbound})) == expected


@pytest.mark.parametrize(
    ("name", "accepted"),
    [
        ("mail.xn--mnchen-3ya.example", "münchen.example"),
        ("mail.münchen.example", "xn--mnchen-3ya.example"),
        ("mail.ours.example", "Ours.Example."),
        ("mail.ours.example", "*.ours.example"),
    ],
)
def test_accepted_domains_are_compared_in_one_form(name: str, accepted: str) -> None:
    hybrid = {**HYBRID, "tls_sender_certificate_name": name}
    assert bad(tenant(hybrid, HYBRID_OUT, accepted=[accepted])) == set()


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("<I>CN=Some CA, O=Some<S>CN=mail.ours.example", set()),
        ("<I>CN=Some CA<S>O=Ours, CN=Mail.Ours.Example, C=DE", set()),
        ("<I>CN=Some CA<S>CN=*.ours.example", {("wildcard_name", "warn")}),
        ("<I>CN=ours.example<S>CN=mail.gateway.example", {("certificate_domain_not_accepted", "fail")}),
        ("<I>CN=Some CA<S>CN=Our servers", {("accepted_domains_unknown", "unknown")}),
    ],
)
def test_a_certificate_by_issuer_and_subject(name: str, expected: set[tuple[str, str]]) -> None:
    """Judged by the name of its subject, as far as that is a host's."""
    assert bad(tenant({**HYBRID, "tls_sender_certificate_name": name}, HYBRID_OUT)) == expected


def test_unknown_accepted_domains_are_unknown() -> None:
    found = tenant(HYBRID, HYBRID_OUT, accepted=None)
    assert bad(found) == {("accepted_domains_unknown", "unknown")}
    assert compliant(found) is None


def test_connectors_for_the_same_domain() -> None:
    weak = {**INBOUND, **OFF, "name": "Old", "require_tls": True}
    found = lint_tenant([INBOUND, weak], [OUTBOUND], None, observed_at=NOW)
    assert ("overlap", "fail") in bad(found)
    same = lint_tenant([INBOUND, {**INBOUND, "name": "Twin"}], [OUTBOUND], None, observed_at=NOW)
    assert bad(same) == {("overlap", "warn")}


def test_a_hole_in_a_rule() -> None:
    wide = {**OUTBOUND, "recipient_domains": ["*.contoso.com", "contoso.com"]}
    hole = {**OUTBOUND, "name": "Hole", "recipient_domains": ["lab.contoso.com"], "tls_settings": None, "tls_domain": None}
    inbound = {**INBOUND, "sender_domains": ["*.contoso.com"]}
    assert bad(lint_tenant([inbound], [wide, hole], None, observed_at=NOW)) == {
        ("opportunistic", "warn"),
        ("weaker_exception", "warn"),
    }
    same = {**hole, **{key: OUTBOUND[key] for key in ("tls_settings", "tls_domain")}}
    assert bad(lint_tenant([inbound], [wide, same], None, observed_at=NOW)) == set()


# Declarations


def declared(*partners: Options, **options: t.Any) -> list[Finding]:
    return lint_declarations(parse_partners(list(partners)), options.pop("accepted", ()), observed_at=NOW, **options)


VERIFIED = {"requirement": "verified", "certificate_names": ["mail.contoso.com"]}
CONTOSO: Options = {
    "name": "Contoso",
    "domains": ["contoso.com"],
    "inbound": {**VERIFIED, "fingerprints": ["6b" * 32]},
    "outbound": VERIFIED,
}


def test_a_sound_declaration_is_compliant_on_both_sides() -> None:
    for targets in (("exchange_online", "postfix"), ("exchange_online",), ("postfix",)):
        found = declared(CONTOSO, targets=targets)
        assert bad(found) == set(), targets
        assert compliant(found) is True, targets


DECLARATIONS: tuple[tuple[Options, set[tuple[str, str]]], ...] = (
    ({"outbound": None}, {("one_direction", "fail")}),
    ({"outbound": {"requirement": "opportunistic"}}, {("one_direction", "fail"), ("opportunistic", "warn")}),
    ({"outbound": {"requirement": "verified"}}, {("domain_validation_without_name", "fail")}),
    ({"outbound": {**VERIFIED, "requirement": "encrypted"}}, {("name_not_checked", "fail"), ("encrypted_only", "warn")}),
    ({"outbound": {"requirement": "trusted"}}, {("name_not_verified", "warn"), ("postfix_insecure_mx", "fail")}),
    (
        {"outbound": {"requirement": "verified", "certificate_names": ["a.contoso.com", "b.contoso.com"]}},
        {("several_names", "fail"), ("one_direction", "fail")},
    ),
    (
        {"outbound": {**VERIFIED, "exchange_online": {"tls_settings": "EncryptionOnly"}}},
        {("requirement_not_met", "fail"), ("name_not_checked", "fail"), ("encrypted_only", "warn")},
    ),
    (
        {"outbound": {"requirement": "verified", "exchange_online": {"tls_settings": "EncryptionOnly"}}},
        {("requirement_not_met", "fail"), ("encrypted_only", "warn")},
    ),
    (
        {
            "inbound": {
                **VERIFIED,
                "fingerprints": ["6b" * 32],
                "exchange_online": {"tls_sender_certificate_name": None, "restrict_domains_to_certificate": False},
            }
        },
        {("requirement_not_met", "fail"), ("sender_not_authenticated", "warn")},
    ),
    (
        {"outbound": {**VERIFIED, "exchange_online": {"enabled": False}}},
        {("disabled", "fail"), ("one_direction", "fail")},
    ),
    ({"outbound": {**VERIFIED, "smart_hosts": ["192.0.2.0/28"]}}, {("postfix_not_possible", "fail")}),
    ({"inbound": VERIFIED}, {("postfix_names_not_compared", "fail")}),
    ({"inbound": {**VERIFIED, "ca_file": "/ca.pem"}}, set()),
    ({"inbound": {**VERIFIED, "ca_file": "/ca.pem", "addresses": ["203.0.113.9"]}}, set()),
    (
        {"inbound": {"requirement": "verified", "ca_file": "/ca.pem"}},
        {
            ("postfix_names_not_compared", "fail"),
            ("domain_validation_without_name", "fail"),
            ("certificate_restriction_incomplete", "fail"),
        },
    ),
    (
        {"inbound": {"requirement": "verified", "ca_file": "/ca.pem", "addresses": ["203.0.113.9"]}},
        {
            ("postfix_any_name_of_ca", "warn"),
            ("postfix_sender_domain_weaker", "warn"),
            ("domain_validation_without_name", "fail"),
            ("certificate_restriction_incomplete", "fail"),
        },
    ),
    ({"inbound": {"requirement": "encrypted"}}, {("sender_not_authenticated", "warn")}),
    (
        {"inbound": {"requirement": "verified", "fingerprints": ["6b" * 32]}},
        {("domain_validation_without_name", "fail"), ("certificate_restriction_incomplete", "fail")},
    ),
    (
        {"domains": ["*"], "inbound": {"requirement": "opportunistic"}, "outbound": {"requirement": "opportunistic"}},
        {("catch_all", "warn"), ("opportunistic", "warn"), ("postfix_not_possible", "fail")},
    ),
    (
        {"type": "hybrid", "inbound": {**VERIFIED, "exchange_online": {"cloud_services_mail_enabled": False}}},
        {("hybrid_without_cloud_services", "fail"), ("certificate_domain_not_accepted", "fail")},
    ),
)


@pytest.mark.parametrize("number", range(len(DECLARATIONS)))
def test_declaration(number: int) -> None:
    changes, expected = DECLARATIONS[number]
    partner = {key: value for key, value in {**CONTOSO, **changes}.items() if value is not None}
    assert bad(declared(partner)) == expected


def test_postfix_alone_needs_no_single_name() -> None:
    names = {"requirement": "verified", "certificate_names": ["a.contoso.com", "b.contoso.com"]}
    assert bad(declared({**CONTOSO, "outbound": names}, targets=["postfix"])) == set()
    assert bad(declared({**CONTOSO, "outbound": names, "apply_to": ["postfix"]})) == set()


def test_hybrid_is_nothing_for_postfix_hosts() -> None:
    found = declared({**CONTOSO, "type": "hybrid"}, targets=["postfix"])
    assert [(one.id, one.status) for one in found] == [("connector.postfix_hybrid_left_out", "not_applicable")]


def test_contradicting_declarations_for_postfix() -> None:
    other = {"name": "Other", "domains": ["contoso.com"], "outbound": {"requirement": "encrypted"}}
    assert ("overlap", "fail") in bad(declared(CONTOSO, other, targets=["postfix"]))


def test_connectors_that_are_there_already_count() -> None:
    hand_made = {**OUTBOUND, "name": "By hand", "tls_settings": None, "tls_domain": None}
    assert bad(declared(CONTOSO, existing={"outbound": [hand_made]})) == {("overlap", "fail")}
    # The declaration's own connector, and others' domains, are no news.
    own = {**hand_made, "name": "contoso OUTBOUND"}
    foreign = {**hand_made, "recipient_domains": ["fabrikam.com"], "tls_settings": "EncryptionOnly"}
    assert bad(declared(CONTOSO, existing={"outbound": [own, foreign]})) == set()
    # The other direction may be there without being declared.
    one_way = {key: value for key, value in CONTOSO.items() if key != "outbound"}
    assert bad(declared(one_way, existing={"outbound": [OUTBOUND]}, targets=["exchange_online"])) == set()


def test_an_absent_partner_is_not_linted() -> None:
    assert declared({"name": "Old", "domains": ["old.example"], "state": "absent"}) == []


def test_every_finding_says_what_it_rests_on() -> None:
    (finding,) = [one for one in tenant({}, {"tls_domain": None}) if one.status == "fail"]
    assert finding.subject.kind == "connector" and finding.subject.name == "outbound Out"
    assert finding.evidence == {"tls_settings": "DomainValidation", "tls_domain": None}
    assert finding.remediation


def test_every_kind_of_finding_is_provoked_here() -> None:
    seen = {one.id for inbound, outbound, _expected in RULES for one in tenant(inbound, outbound)}
    for inbound, outbound, _expected in HYBRID_RULES:
        seen |= {one.id for one in tenant({**HYBRID, **inbound}, {**HYBRID_OUT, **outbound})}
    for changes, _found in DECLARATIONS:
        seen |= {one.id for one in declared({key: value for key, value in {**CONTOSO, **changes}.items() if value is not None})}
    elsewhere = {"accepted_domains_unknown", "overlap", "weaker_exception", "postfix_hybrid_left_out"}
    assert {kind.id for kind in CONNECTOR_TYPES} - seen == {f"connector.{name}" for name in elsewhere} - seen


ANYTHING = st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=20), st.lists(st.text(max_size=10), max_size=3))


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_whatever_a_tenant_answers_is_judged_without_an_error(data: st.DataObject) -> None:
    inbound, outbound = (
        data.draw(st.lists(st.dictionaries(st.sampled_from(["name", *DEFAULTS[direction]]), ANYTHING), max_size=3))
        for direction in ("inbound", "outbound")
    )
    for finding in lint_tenant(inbound, outbound, ["ours.example"], observed_at=NOW):
        assert finding.summary.isprintable() and finding.subject.name.isprintable()
