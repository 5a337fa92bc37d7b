# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import datetime as dt
import typing as t

import pytest
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.egress.sources import judge_sources
from ansible_collections.mailops.tls.plugins.plugin_utils._profiles.loader import select_profiles
from ansible_collections.mailops.tls.plugins.plugin_utils._profiles.model import Profile
from ansible_collections.mailops.tls.tests.unit.judge import pki
from cryptography import x509

ROOT = pki.make_root(urls={"ca_issuers": ["http://never.asked.test/"]})
CA = ROOT.issue("Lab CA", ca=True, urls={"crl": ["http://crl.ca.test/root.crl"]})
LEAF = CA.issue(
    "mail.lab.test",
    urls={
        "crl": ["http://crl.ca.test/ca.crl"],
        "ocsp": ["http://ocsp.ca.test"],
        "ca_issuers": ["http://aia.ca.test:8080/ca.crt"],
    },
)
SEEN = (LEAF.certificate, CA.certificate, ROOT.certificate)
CRL = {"url": "http://CRL.ca.test/other-path.crl", "kind": "crl"}
OCSP = {"host": "ocsp.ca.test", "port": 80, "kind": "ocsp"}
AIA = {"url": "http://aia.ca.test:8080/", "kind": "ca_issuers"}


def profiles(*documents: dict[str, t.Any]) -> tuple[Profile, ...]:
    common = {"title": "A profile", "as_of": "2026-11-24", "sources": ["tests"], "endpoints": [CRL]}
    made = [{"id": f"p{number}", **common, **document} for number, document in enumerate(documents)]
    return select_profiles(made, today=dt.date(2026, 11, 24))


def judge(*documents: dict[str, t.Any], seen: tuple[x509.Certificate, ...] = SEEN) -> list[tuple[str, str, str | None]]:
    found = judge_sources(profiles(*documents), seen, host="mx1", observed_at="2026-11-24T09:00:00Z")
    assert {finding.status for finding in found} <= {"warn"}
    return [(finding.id.removeprefix("egress.sources."), finding.subject.name, finding.profile) for finding in found]


MAIL = {"certificate": {"common_name": "mail.lab.test"}}


def test_what_the_certificate_names_and_the_profile_has_not():
    assert judge(MAIL) == [
        ("wire_not_in_profile", "aia.ca.test:8080", "p0"),
        ("wire_not_in_profile", "ocsp.ca.test:80", "p0"),
    ]
    assert judge({**MAIL, "endpoints": [CRL, OCSP, AIA]}) == []


def test_the_evidence_names_both_sides():
    (finding, _other) = judge_sources(profiles(MAIL), SEEN, host="mx1", observed_at="2026-11-24T09:00:00Z")
    assert finding.evidence["wire"]["urls"] == ["http://aia.ca.test:8080/ca.crt"]
    assert finding.evidence["wire"]["certificates"] == ["CN=mail.lab.test,O=Lab"]
    assert finding.evidence["profiles"] == {"p0": [CRL["url"]]}
    assert "aia.ca.test:8080" in finding.summary
    assert "p0" in finding.summary


def test_one_of_several_profiles_having_it_is_enough():
    assert judge(MAIL, {**MAIL, "endpoints": [OCSP, AIA]}) == []


@pytest.mark.parametrize("name", ["MAIL.lab.test", "*.mail.lab.test"])
def test_names_are_compared_as_dns_does_and_wildcards_stand_for_their_domain(name: str):
    assert len(judge({"certificate": {"common_name": name}})) == 2


def test_alternative_names_count():
    names = x509.SubjectAlternativeName([x509.DNSName("mx.lab.test"), x509.DNSName("mail.lab.test")])
    leaf = CA.issue("something else", urls={"ocsp": ["http://ocsp.ca.test"]}, extensions=[(names, False)])
    assert judge(MAIL, seen=(leaf.certificate,)) == [("wire_not_in_profile", "ocsp.ca.test:80", "p0")]


def test_a_profile_for_another_certificate_is_not_compared():
    assert judge({"certificate": {"common_name": "mail.other.test"}}) == []


def test_a_profile_without_a_name_is_told_by_its_authorities():
    mine = {"id": "lab-root", "name": "Lab Root", "sha256": ROOT.sha256}
    ca = {"id": "ca", "name": "Lab CA", "issuer": "lab-root", "serial": f"{CA.certificate.serial_number:040x}"[-40:]}
    assert len(judge({"roots": [mine]})) == 2
    assert len(judge({"roots": [mine], "intermediates": [ca]}, seen=SEEN[:2])) == 2
    assert judge({"roots": ["globalsign-r6"]}) == []


def test_without_something_to_compare_there_is_nothing_to_say():
    assert judge(seen=SEEN) == []
    assert judge(MAIL, seen=()) == []
    assert judge({"listed": ["crl.ca.test:80"]}, seen=()) == []


LIST = {"listed": ["*.lab.test:25", "crl.ca.test:80", "*.ocsp.test:80", "aia.ca.test:80"]}


def test_what_a_profile_needs_and_the_list_has_not():
    found = judge({**MAIL, "endpoints": [CRL, OCSP, AIA]}, LIST, seen=())
    assert found == [("profile_not_in_list", "aia.ca.test:8080", "p0"), ("profile_not_in_list", "ocsp.ca.test:80", "p0")]


def test_wildcards_of_the_list_count():
    endpoints = [{"host": "a.b.ocsp.test", "port": 80, "kind": "ocsp"}, {"host": "ocsp.test", "port": 80, "kind": "ocsp"}]
    assert judge({**MAIL, "endpoints": endpoints}, LIST, seen=()) == [("profile_not_in_list", "ocsp.test:80", "p0")]


def test_a_list_says_nothing_about_somebody_elses_servers():
    assert judge({"certificate": {"common_name": "mail.partner.test"}, "endpoints": [OCSP]}, LIST, seen=()) == []
    partner = CA.issue("mail.partner.test", urls={"ocsp": ["http://ocsp.partner.test"]})
    assert judge(LIST, seen=(partner.certificate,)) == []


def test_what_the_certificate_names_and_the_list_has_not():
    assert judge(LIST) == [
        ("wire_not_in_list", "aia.ca.test:8080", "p0"),
        ("wire_not_in_list", "ocsp.ca.test:80", "p0"),
    ]


def test_many_wildcards_do_not_take_long():
    pattern = "*".join("a" * 30) + ":80"
    endpoint = {"host": ".".join(["a" * 60] * 4), "port": 81, "kind": "crl"}
    assert judge({"endpoints": [endpoint]}, {"listed": [pattern]}, seen=())[0][0] == "profile_not_in_list"


def test_certificates_without_urls_are_no_wire():
    leaf = CA.issue("mail.lab.test")
    assert judge(MAIL, LIST, seen=(leaf.certificate,)) == []
