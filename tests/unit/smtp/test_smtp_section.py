# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The section as a whole: what it asks in which round, revocation, profiles, and its place in readiness_info."""

from __future__ import annotations

import dataclasses
import datetime as dt
import socket
import time
import typing as t

import pytest
from ansible_collections.mailops.tls.plugins.plugin_utils._action.base import Moment
from ansible_collections.mailops.tls.plugins.plugin_utils._action.options import EGRESS_OPTIONS, RUN_OPTIONS, SMTP_OPTIONS
from ansible_collections.mailops.tls.plugins.plugin_utils._action.section_smtp import DeclaredSmtpSection, SmtpSection
from ansible_collections.mailops.tls.plugins.plugin_utils._findings.model import Finding
from ansible_collections.mailops.tls.plugins.plugin_utils._profiles.loader import select_profiles
from ansible_collections.mailops.tls.plugins.plugin_utils._profiles.model import Profile
from cryptography.x509 import ocsp

from tests.unit.judge.pki import DAY, NOW, Authority, b64, der, make_certificate, make_root, name, ocsp_response, revoked
from tests.unit.smtp.observed import HOST, NO_ISSUER, ROOT, Json, answer, path, server

CRL, OCSP, AIA = "http://crl.test/lab.crl", "http://ocsp.test/", "http://aia.test/lab.crt"
MOMENT = Moment("relay1", NOW, "2026-03-01T12:00:00Z", 0.1)
ISSUING = ROOT.issue("Lab Issuing CA", ca=True, urls={"ca_issuers": ["http://aia.test/root.crt"]})
LEAF = server(HOST, issuer=ISSUING, urls={"crl": [CRL], "ca_issuers": [AIA]})


def section(**more: t.Any) -> SmtpSection:
    spec = {**SMTP_OPTIONS, **RUN_OPTIONS}
    args = {option: entry.get("default") for option, entry in spec.items()}
    return SmtpSection({**args, "hosts": [HOST], "issuers": [ROOT.pem], **more}, more.pop("profiles", ()))


def fetched(request: Json, body: bytes | None, code: str = "timeout") -> Json:
    error = None if body is not None else {"stage": "connect", "code": code, "errno": None, "message": code}
    hop = {"url": request["url"], "host": "crl.test", "port": 80, "http": {"status": 200} if body is not None else None}
    return {
        "id": request["id"],
        "op": "fetch",
        "error": error,
        "hops": [hop],
        "body": b64(body) if body else None,
        "body_bytes": len(body or b""),
    }


def run(
    one: SmtpSection, observed: Json, served: t.Mapping[str, bytes]
) -> tuple[Json, dict[str, list[Finding]], list[list[str]]]:
    """Play the host for every round; returns the result, the findings by id, and the ids or URLs asked in each round."""
    rounds: list[list[str]] = []

    def ask(requests: list[Json]) -> Json:
        rounds.append([request.get("url") or request["id"] for request in requests])
        return {"answers": [observed if r["op"] == "smtp" else fetched(r, served.get(r["url"])) for r in requests]}

    while requests := one.preliminary_requests():
        one.learn(ask(requests))
    values, findings = one.judge(ask(one.requests()), MOMENT)
    by_id: dict[str, list[Finding]] = {}
    for finding in findings:
        by_id.setdefault(finding.id.removeprefix("smtp."), []).append(finding)
    return values, by_id, rounds


def test_servers_first_and_then_what_their_certificates_name() -> None:
    values, findings, rounds = run(section(), answer(path(LEAF, ISSUING)), {CRL: ISSUING.crl()})
    assert rounds == [["smtp:0"], [CRL]]
    assert [item.subject.name for item in findings["revocation.good"]] == [f"{HOST}[192.0.2.1]:25"]
    assert [item["status"] for item in values["paths"][0]["revocation"]] == ["good", "not_asked"]


def test_a_missing_issuer_is_fetched_and_named_as_missing() -> None:
    served = {AIA: der(ISSUING.certificate), CRL: ISSUING.crl()}
    observed = answer(path(LEAF, verified=[NO_ISSUER]))
    values, findings, rounds = run(section(require="verify"), observed, served)
    assert rounds == [["smtp:0"], [AIA], [CRL]]
    assert findings["chain.incomplete"][0].status == "fail"
    assert "revocation.good" in findings
    assert values["paths"][0]["complete"] is False


def test_a_root_that_a_certificate_names_is_no_missing_intermediate() -> None:
    """The intermediate's AIA leads to the root, as is usual; the host's store has it and the collection's catalogue does not."""
    served = {"http://aia.test/root.crt": der(ROOT.certificate), CRL: ISSUING.crl()}
    values, findings, rounds = run(section(issuers=[]), answer(path(LEAF, ISSUING)), served)
    assert rounds == [["smtp:0"], ["http://aia.test/root.crt"], [CRL]]
    assert "chain.incomplete" not in findings
    assert values["paths"][0]["complete"] is True
    assert "revocation.good" in findings


def test_what_one_server_leaves_out_another_may_send() -> None:
    paths = [path(LEAF, ISSUING), path(server(HOST, issuer=ISSUING), address="192.0.2.2", verified=[NO_ISSUER])]
    values, _findings, rounds = run(section(), answer(*paths), {})
    assert [item["complete"] for item in values["paths"]] == [True, False]
    assert AIA not in rounds[1]


REVOKED = {CRL: ISSUING.crl(revoked=[revoked(LEAF.certificate.serial_number)])}
OTHERS = {CRL: ISSUING.crl(revoked=[revoked(4711)])}
STALE = {CRL: ISSUING.crl(this_update=NOW - 9 * DAY, next_update=NOW - 2 * DAY)}
FORGED = {CRL: make_root("Lab Issuing CA").crl()}


@pytest.mark.parametrize(
    ("served", "status"),
    [
        (REVOKED, "revoked"),
        (OTHERS, "good"),
        (STALE, "unknown"),
        (FORGED, "unknown"),
        ({}, "unknown"),
        ({CRL: b"<html>"}, "unknown"),
    ],
    ids=["revoked", "another one is", "stale", "forged", "not reached", "captive portal"],
)
def test_revocation_by_crl(served: dict[str, bytes], status: str) -> None:
    values, findings, _rounds = run(section(), answer(path(LEAF, ISSUING)), served)
    assert values["paths"][0]["revocation"][0]["status"] == status
    assert f"revocation.{status}" in findings


def test_a_list_that_nobody_at_hand_signed_proves_nothing() -> None:
    values, _findings, _rounds = run(section(issuers=[]), answer(path(LEAF, verified=[NO_ISSUER])), {CRL: ISSUING.crl()})
    verdict = values["paths"][0]["revocation"][0]
    assert (verdict["status"], verdict["sources"][0]["cause"]) == ("unknown", "signature_not_checked")


@pytest.mark.parametrize(("status", "expected"), [("GOOD", "good"), ("REVOKED", "revoked"), ("UNKNOWN", "unknown")])
def test_revocation_by_ocsp(status: str, expected: str) -> None:
    leaf = server(HOST, issuer=ISSUING, urls={"ocsp": [OCSP]})
    body = ocsp_response(leaf.certificate, ISSUING, status=getattr(ocsp.OCSPCertStatus, status))
    values, _findings, _rounds = run(section(), answer(path(leaf, ISSUING)), {OCSP: body})
    assert values["paths"][0]["revocation"][0]["status"] == expected


def test_one_certificate_on_many_addresses_is_asked_about_once() -> None:
    paths = [path(LEAF, ISSUING, address=f"192.0.2.{number}") for number in range(1, 40)]
    values, findings, rounds = run(section(), answer(*paths), {CRL: ISSUING.crl()})
    assert rounds == [["smtp:0"], [CRL]]
    assert len(values["paths"]) == len(findings["revocation.good"]) == 39


def test_without_revocation_it_is_one_round() -> None:
    values, _findings, rounds = run(section(check_revocation=False), answer(path(LEAF, ISSUING)), {})
    assert rounds == [["smtp:0"]]
    assert values["paths"][0]["revocation"][0]["status"] == "not_asked"


# --- as options of readiness_info


def declared(**more: t.Any) -> DeclaredSmtpSection:
    spec = {**EGRESS_OPTIONS, **RUN_OPTIONS, **DeclaredSmtpSection.OPTIONS}
    args = {option: entry.get("default") for option, entry in spec.items()}
    return DeclaredSmtpSection({**args, "issuers": [ROOT.pem], **more}, ())


def test_readiness_asks_nothing_unless_mail_is_declared() -> None:
    one = declared()
    assert one.requests() == one.preliminary_requests() == []
    assert one.judge({"answers": []}, MOMENT) == ({}, [])


def test_readiness_takes_revocation_from_what_was_fetched_anyway() -> None:
    one = declared(mail_hosts=[HOST], mail_policy={"require": "encrypt"})
    assert one.preliminary_requests() == []
    assert [request["op"] for request in one.requests()] == ["smtp"]
    crl = fetched({"id": "egress:7", "url": CRL}, ISSUING.crl())
    values, _findings = one.judge({"answers": [answer(path(LEAF, ISSUING)), crl]}, MOMENT)
    assert values["paths"][0]["revocation"][0]["status"] == "good"
    values, findings = one.judge({"answers": [answer(path(LEAF, ISSUING))]}, MOMENT)
    # The intermediate names no source, which is nobody's fault; the certificate names one that this run could not ask.
    assert [item["status"] for item in values["paths"][0]["revocation"]] == ["unknown", "not_asked"]
    assert [item.status for item in findings if item.id == "smtp.revocation.unknown"] == ["unknown", "not_applicable"]


def test_revocation_can_be_left_out_of_readiness() -> None:
    one = declared(mail_hosts=[HOST], mail_policy={"require": "encrypt", "check_revocation": False})
    one.requests()
    _values, findings = one.judge({"answers": [answer(path(LEAF, ISSUING))]}, MOMENT)
    assert {item.status for item in findings if item.id == "smtp.revocation.unknown"} == {"not_applicable"}


def test_the_controllers_lookups_run_together_and_end_with_the_deadline() -> None:
    """A resolver that swallows every question costs neither its sum over the domains, nor the host's own time."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as hole:
        hole.bind(("127.0.0.1", 0))
        policy = {"controller_nameservers": [f"127.0.0.1#{hole.getsockname()[1]}"]}
        domains = [f"d{number}.example.net" for number in range(12)]
        began = time.monotonic()
        one = declared(mail_domains=domains, mail_policy=policy, timeout=5, deadline=1.5)
        one.requests()
        time.sleep(0.5)
        mx = {"status": "ok", "authenticated": True, "records": [{"preference": 10, "host": HOST}]}
        answers = [{**answer(path(), mx=mx), "id": f"smtp:{number}"} for number in range(len(domains))]
        _values, findings = one.judge({"answers": answers}, MOMENT)
        took = time.monotonic() - began
    assert 1.4 < took < 4
    assert [item.status for item in findings if item.id == "smtp.mx.not_compared"] == ["unknown"] * 12


# --- against profiles

FACTS = {"common_name": "mail.protection.outlook.com", "organization": "Lab", "organizational_unit": None, "key_size": 256}


def profile(root: Authority = ROOT, **facts: t.Any) -> Profile:
    document = {
        "id": "exo-lab",
        "title": "Lab",
        "as_of": facts.pop("as_of", "2026-02-01"),
        "sources": ["the lab"],
        "valid_from": "2025-01-01",
        "valid_until": facts.pop("valid_until", None),
        "certificate": {**FACTS, **facts},
        "roots": [{"id": "lab-root", "name": "Lab Root", "pem": root.pem}],
        "intermediates": [],
        "endpoints": [],
    }
    return select_profiles([document], today=dt.date(2026, 3, 1))[0]


EXO = make_certificate(name("mail.protection.outlook.com"), issuer=ISSUING, not_before=NOW - 40 * DAY, not_after=NOW + 100 * DAY)


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        (profile(), {"profile.match": "pass"}),
        (profile(organization="Microsoft Corporation"), {"profile.mismatch": "warn"}),
        (profile(key_size=4096), {"profile.mismatch": "warn"}),
        (profile(organizational_unit=""), {"profile.match": "pass"}),
        (profile(organization=""), {"profile.mismatch": "warn"}),
        (profile(valid_until="2026-01-01"), {"profile.mismatch": "warn"}),
        (profile(make_root("Elsewhere")), {"profile.unknown_chain": "warn"}),
        (profile(as_of="2026-01-01"), {"profile.match": "pass", "profile.outdated": "warn"}),
        (profile(common_name="mail.other.example"), {}),
    ],
    ids=[
        "match",
        "organization",
        "key size",
        "no unit",
        "no organization",
        "window",
        "unknown chain",
        "older than the wire",
        "of another server",
    ],
)
def test_against_the_profile(known: Profile, expected: dict[str, str]) -> None:
    one = section(check_revocation=False)
    one.policy = type(one.policy)(roots=(ROOT.certificate,), profiles=(known,))
    _values, findings, _rounds = run(one, answer(path(EXO, ISSUING)), {})
    seen = {slug: items[0] for slug, items in findings.items() if slug.startswith("profile.")}
    assert {slug: item.status for slug, item in seen.items()} == expected
    assert all(item.profile == "exo-lab" for item in seen.values())


MICROSOFT = "tenant.a-v1.mx.microsoft"


@pytest.mark.parametrize(
    ("host", "named", "expected"),
    [
        (MICROSOFT, False, {"profile.unknown_chain": "warn"}),
        ("tenant.mail.protection.outlook.com", False, {"profile.unknown_chain": "warn"}),
        ("192.0.2.1", False, {}),
        ("192.0.2.1", True, {"profile.not_compared": "not_applicable"}),
        (HOST, True, {"profile.not_compared": "not_applicable"}),
    ],
)
def test_a_chain_that_no_profile_knows(host: str, named: bool, expected: dict[str, str]) -> None:
    one = section(check_revocation=False)
    known = profile(make_root("Elsewhere"))
    one.policy = dataclasses.replace(one.policy, profiles=(known,), profiles_named=named)
    leaf = server(host, issuer=ISSUING)
    _values, findings, _rounds = run(one, answer(path(leaf, ISSUING, host=host)), {})
    assert {slug: items[0].status for slug, items in findings.items() if slug.startswith("profile.")} == expected


def test_profiles_are_named_where_the_task_names_them() -> None:
    assert section(profiles=()).policy.profiles_named
    assert not section().policy.profiles_named


@pytest.mark.parametrize(
    ("cipher", "leaf", "told"),
    [
        ("ECDHE-ECDSA-CHACHA20-POLY1305", EXO, True),
        ("ECDHE-RSA-AES256-GCM-SHA384", EXO, False),
        ("ECDHE-ECDSA-CHACHA20-POLY1305", LEAF, False),
    ],
    ids=["not documented", "documented", "of another server"],
)
def test_ciphers_of_exchange_online_against_the_reference(cipher: str, leaf: Authority, told: bool) -> None:
    one = section(check_revocation=False)
    one.policy = dataclasses.replace(one.policy, profiles=(profile(),))
    _values, findings, _rounds = run(one, answer(path(leaf, ISSUING, tls={"protocol": "TLSv1.2", "cipher": cipher})), {})
    assert ("tls.cipher_not_documented" in findings) is told


@pytest.mark.parametrize(
    ("options", "place"),
    [
        ({"hosts": []}, "domain, hosts"),
        ({"hosts": ["a b"]}, r"hosts\[0\]"),
        ({"hosts": ["mx:0"]}, r"hosts\[0\]"),
        ({"hosts": [{"host": "mx", "prot": 25}]}, r"hosts\[0\]"),
        ({"domain": "localhost"}, "domain"),
        ({"stores": [{"type": "pem_file", "path": None}]}, "stores"),
        ({"expect": {"root": "no-such-root"}}, "roots"),
        ({"client_key": "/k.pem"}, "client_key"),
        ({"ehlo_name": "a b"}, "ehlo_name"),
        ({"issuers": ["text"]}, r"issuers\[0\]"),
        ({"lead_time": -1}, "lead_time"),
        ({"controller_nameservers": ["127.0.0.1#x"]}, "controller_nameservers"),
    ],
)
def test_input_is_refused_with_its_place(options: dict[str, t.Any], place: str) -> None:
    with pytest.raises(ValueError, match=place):
        section(**options)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("mx.example.net", ("mx.example.net", 25, False)),
        ("MX.example.net.:587", ("mx.example.net", 587, False)),
        ("192.0.2.1", ("192.0.2.1", 25, False)),
        ("[192.0.2.1]:465", ("192.0.2.1", 465, True)),
        ("[2001:db8::1]:25", ("2001:db8::1", 25, False)),
        ("[IPv6:2001:db8::1]", ("2001:db8::1", 25, False)),
        ("2001:db8::1", ("2001:db8::1", 25, False)),
        ({"host": "[mx.example.net]", "port": 2525}, ("mx.example.net", 2525, False)),
        ("mx.b\u00fccher.example:587", ("mx.xn--bcher-kva.example", 587, False)),
    ],
)
def test_hosts_as_users_write_them(raw: t.Any, expected: tuple[str, int, bool]) -> None:
    [request] = section(hosts=[raw]).looks()
    assert (request["host"], request["port"], request["implicit_tls"]) == expected


def test_a_domain_brings_the_request_for_its_policy() -> None:
    assert section(hosts=[], domain="b\u00fccher.example").looks()[0]["domain"] == "xn--bcher-kva.example"
    assert section(expect={"name": "b\u00fccher.example"}).policy.expect.name == "xn--bcher-kva.example"
    requests = section(hosts=[], domain="Example.NET").looks()
    assert [request["op"] for request in requests] == ["smtp", "fetch"]
    assert requests[1]["url"] == "https://mta-sts.example.net/.well-known/mta-sts.txt"
    assert requests[1]["max_redirects"] == 0
