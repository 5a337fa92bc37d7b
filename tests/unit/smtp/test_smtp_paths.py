# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One path of a mail server: session, handshake, certificates, name, state and policy."""

from __future__ import annotations

import ipaddress
import typing as t

import pytest
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.smtp.context import Expect
from ansible_collections.mailops.tls.plugins.plugin_utils._profiles.public_ca import public_ca_rules
from ansible_collections.mailops.tls.plugins.plugin_utils._profiles.technical import tls_reference
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.unit.judge.pki import DAY, NOW, make_root
from tests.unit.smtp.observed import (
    HOST,
    ISSUING,
    LEAF,
    NO_ISSUER,
    ROOT,
    TLS13,
    TRUSTED,
    Json,
    answer,
    found,
    judge,
    path,
    server,
    statuses,
)

TLS12 = {"protocol": "TLSv1.2", "cipher": "ECDHE-RSA-AES256-GCM-SHA384"}
EXPIRED = {**NO_ISSUER, "code": 10, "depth": 0, "message": "certificate has expired"}
ASIDE = ("revocation.unknown",)  # not_applicable everywhere here: the certificates name no source


def state(observed: Json, **policy: t.Any) -> tuple[t.Any, list[str], t.Any]:
    judged = judge(answer(observed), **policy).paths[0]
    return judged["state"], judged["verified_by"], judged["policy"]["met"]


def test_a_good_server_passes_every_check() -> None:
    judged = judge(answer(path()), require="verify")
    assert statuses(judged, *ASIDE) == dict.fromkeys(("starttls.offered", "chain.trusted", "name.match", "policy.met"), "pass")
    assert judged.paths[0]["chain"][0]["subject"].startswith(f"CN={HOST}")
    assert (judged.paths[0]["forward_secrecy"], judged.paths[0]["complete"]) == (True, True)


ENDED: list[tuple[Json, dict[str, str]]] = [
    ({"stage": "connect", "code": "refused"}, {"connect.failed": "fail"}),
    ({"stage": "connect", "code": "timeout"}, {"connect.failed": "fail"}),
    ({"stage": "connect", "code": "deadline"}, {"connect.no_answer": "unknown"}),
    ({"stage": "greeting", "code": "throttled"}, {"connect.throttled": "unknown"}),
    ({"stage": "ehlo", "code": "throttled"}, {"connect.throttled": "unknown"}),
    ({"stage": "greeting", "code": "timeout"}, {"connect.no_answer": "unknown"}),
    ({"stage": "greeting", "code": "protocol"}, {"connect.no_answer": "unknown"}),
]


@pytest.mark.parametrize(("error", "expected"), ENDED)
def test_a_session_that_did_not_come_about(error: Json, expected: dict[str, str]) -> None:
    observed = path(starttls=None, tls=None, chain=[], verified=[], error={"message": "", **error})
    assert statuses(judge(answer(observed), require="verify")) == expected
    assert state(observed, require="verify") == (None, [], None)


@pytest.mark.parametrize(
    ("starttls", "slug", "required", "otherwise"),
    [
        ("not_offered", "starttls.not_offered", "fail", "warn"),
        ("filtered", "starttls.filtered", "fail", "fail"),
        ("refused", "starttls.refused", "fail", "fail"),
    ],
)
def test_no_starttls_is_opportunistic(starttls: str, slug: str, required: str, otherwise: str) -> None:
    observed = path(starttls=starttls, tls=None, chain=[], verified=[])
    assert statuses(judge(answer(observed), require="encrypt")) == {slug: required, "policy.not_met": "fail"}
    assert statuses(judge(answer(observed))) == {slug: otherwise}
    assert state(observed, require="encrypt") == ("opportunistic", [], False)
    assert state(observed) == ("opportunistic", [], True)


def test_a_handshake_that_fails() -> None:
    observed = path(tls=None, chain=[], verified=[], error={"stage": "handshake", "code": "protocol", "message": "alert"})
    assert statuses(judge(answer(observed))) == {"starttls.offered": "pass", "tls.handshake_failed": "fail"}
    assert state(observed, require="encrypt") == ("opportunistic", [], False)
    asked = path(tls=None, chain=[], verified=[], error={"stage": "handshake", "code": "client_certificate_required"})
    assert "tls.client_certificate_required" in statuses(judge(answer(asked)))


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        ({"stage": "tls_ehlo", "code": "refused", "message": "554 5.7.1 go away"}, {"tls.session_failed": "unknown"}),
        ({"stage": "tls_ehlo", "code": "closed"}, {"tls.session_failed": "unknown"}),
        ({"stage": "tls_ehlo", "code": "timeout"}, {"tls.session_failed": "unknown"}),
        ({"stage": "greeting", "code": "refused"}, {"tls.session_failed": "unknown"}),
        ({"stage": "tls_ehlo", "code": "throttled", "message": "421 busy"}, {"connect.throttled": "unknown"}),
        ({"stage": "tls_ehlo", "code": "deadline"}, {"connect.no_answer": "unknown"}),
        ({"stage": "connect", "code": "internal"}, {"connect.no_answer": "unknown"}),
    ],
)
@pytest.mark.parametrize("require", ["none", "encrypt", "verify"])
def test_a_session_that_ends_after_the_handshake_is_no_success(error: Json, expected: dict[str, str], require: str) -> None:
    observed = path(error=error, starttls="implicit" if error["stage"] == "greeting" else "offered")
    judged = judge(answer(observed), require=require)
    met = True if require == "none" else None
    assert state(observed, require=require) == (None, [], met)
    assert {slug: status for slug, status in statuses(judged, *ASIDE).items() if status != "pass"} == expected
    assert "policy.met" not in found(judged)


def test_a_shortcoming_stands_though_the_session_ended() -> None:
    ended = {"stage": "tls_ehlo", "code": "closed"}
    observed = path(server("other.example"), ISSUING, error=ended)
    assert state(observed, require="verify") == (None, [], False)
    assert statuses(judge(answer(observed), require="verify"))["policy.not_met"] == "fail"
    assert state(path(tls={"protocol": "TLSv1", "cipher": "x"}, error=ended), require="encrypt") == ("opportunistic", [], False)


@pytest.mark.parametrize(
    ("code", "slug", "status"),
    [
        ("client_certificate_required", "tls.client_certificate_required", "warn"),
        ("certificate", "tls.client_certificate_refused", "fail"),
    ],
)
def test_a_client_certificate_that_is_refused_is_no_session_in_any_version(code: str, slug: str, status: str) -> None:
    """With TLS 1.2 the handshake fails, with TLS 1.3 the client is told after it."""
    ended = {"stage": "handshake", "code": code, "message": "alert"}
    for observed in (path(error=ended), path(tls=None, chain=[], verified=[], error=ended)):
        assert state(observed, require="encrypt") == ("opportunistic", [], False)
        seen = statuses(judge(answer(observed), require="encrypt"))
        assert (seen[slug], seen["policy.not_met"]) == (status, "fail")
        assert "tls.handshake_failed" not in seen


def test_what_is_smuggled_in_behind_starttls_has_a_name() -> None:
    observed = path(tls=None, chain=[], verified=[], error={"stage": "handshake", "code": "injected", "message": ""})
    seen = statuses(judge(answer(observed), require="encrypt"))
    assert (seen["starttls.injected"], seen["policy.not_met"]) == ("fail", "fail")
    assert "tls.handshake_failed" not in seen


@pytest.mark.parametrize(
    ("tls", "slug", "states"),
    [
        ({"protocol": "TLSv1", "cipher": "ECDHE-RSA-AES256-SHA", "permissive": True}, "tls.too_old", "opportunistic"),
        ({"protocol": "TLSv1.2", "cipher": "AES128-GCM-SHA256"}, "tls.no_forward_secrecy", "verified"),
        (
            {"protocol": "TLSv1.2", "cipher": "ECDHE-RSA-AES256-GCM-SHA384", "permissive": True},
            "tls.handshake_failed",
            "verified",
        ),
    ],
)
def test_what_was_negotiated(tls: Json, slug: str, states: str) -> None:
    observed = path(tls=tls)
    judged = judge(answer(observed), require="encrypt", reference=tls_reference())
    assert slug in found(judged)
    assert judged.paths[0]["state"] == states


def test_the_technical_reference() -> None:
    reference = tls_reference()
    assert reference.protocols == ("TLSv1.3", "TLSv1.2")
    assert reference.names.index("ECDHE-RSA-AES256-GCM-SHA384") < reference.names.index("AES256-GCM-SHA384")
    assert len(reference.sources) > 1 and len(set(reference.names)) == len(reference.names)
    assert {suite.protocol for suite in reference.suites} == set(reference.protocols)
    assert reference.documents("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256") and not reference.documents("RC4-SHA")


def test_tls_1_2_is_too_old_where_1_3_is_asked_for() -> None:
    observed = path(tls={"protocol": "TLSv1.2", "cipher": "ECDHE-RSA-AES256-GCM-SHA384"})
    assert found(judge(answer(observed), minimum_tls="TLSv1.3"))["tls.too_old"].status == "fail"
    assert "tls.too_old" not in found(judge(answer(observed)))


def test_an_anonymous_cipher_encrypts_and_authenticates_nobody() -> None:
    observed = path(tls={"protocol": "TLSv1.2", "cipher": "ADH-AES256-GCM-SHA384", "permissive": True}, chain=[], verified=[])
    assert statuses(judge(answer(observed))) == {"starttls.offered": "pass", "tls.anonymous": "warn"}
    assert found(judge(answer(observed), require="verify"))["tls.anonymous"].status == "fail"
    assert state(observed, require="encrypt") == ("encrypted", [], True)
    assert state(observed, require="verify") == ("encrypted", [], False)


OTHER = make_root("Other Root")
CHAINS: list[tuple[str, Json, str, dict[str, str]]] = [
    ("wrong name", path(server("other.example"), ISSUING), "encrypted", {"name.mismatch": "fail", "chain.trusted": "pass"}),
    (
        "wrong CA",
        path(server(HOST, issuer=OTHER), OTHER, verified=[{**NO_ISSUER, "code": 19}]),
        "encrypted",
        {"chain.untrusted": "fail"},
    ),
    (
        "expired",
        path(server(HOST, not_after=NOW - DAY), ISSUING, verified=[EXPIRED]),
        "encrypted",
        {"certificate.expired": "fail", "chain.trusted": "pass", "name.match": "pass"},
    ),
    (
        "not yet valid",
        path(server(HOST, not_before=NOW + DAY), ISSUING, verified=[{**NO_ISSUER, "code": 9, "depth": 0}]),
        "encrypted",
        {"certificate.not_yet_valid": "fail", "chain.trusted": "pass"},
    ),
    (
        "missing intermediate",
        path(LEAF, verified=[NO_ISSUER]),
        "encrypted",
        {"chain.untrusted": "fail", "chain.incomplete": "unknown"},
    ),
    (
        "no verdict",
        path(verified=[{**TRUSTED, "ok": None}]),
        "encrypted",
        {"chain.not_judged": "unknown", "policy.not_met": "unknown"},
    ),
    ("common name alone", path(server(), ISSUING), "verified", {"name.common_name_only": "warn", "policy.met": "pass"}),
]


@pytest.mark.parametrize(("observed", "states", "expected"), [case[1:] for case in CHAINS], ids=[case[0] for case in CHAINS])
def test_trust_name_and_dates_are_verdicts_of_their_own(observed: Json, states: str, expected: dict[str, str]) -> None:
    judged = judge(answer(observed), require="verify")
    seen = statuses(judged)
    assert {slug: seen.get(slug) for slug in expected} == expected
    assert judged.paths[0]["state"] == states


def test_an_expired_intermediate_is_no_trust() -> None:
    """The date of the leaf is another verdict, that of a CA above it is part of the chain."""
    observed = path(verified=[{**EXPIRED, "depth": 1}])
    assert found(judge(answer(observed), require="verify"))["chain.untrusted"].status == "fail"


def test_an_expired_intermediate_is_no_trust_where_the_leaf_expired_as_well() -> None:
    """openssl tells of the upper one first, and its own depth with it."""
    observed = path(server(HOST, not_after=NOW - DAY), ISSUING, verified=[{**EXPIRED, "depth": 1}])
    judged = judge(answer(observed), require="verify")
    assert (found(judged)["chain.untrusted"].status, judged.paths[0]["trusted"]) == ("fail", False)


@pytest.mark.parametrize(
    ("code", "complete"), [(10, True), (26, True), (25, True), (79, True), (20, None), (2, None), (22, None)]
)
def test_what_openssl_says_of_a_chain_that_it_built_proves_that_nothing_is_missing(code: int, complete: bool | None) -> None:
    observed = path(verified=[{**NO_ISSUER, "code": code, "depth": 1}])
    assert judge(answer(observed), roots=()).paths[0]["complete"] is complete


def test_each_store_has_its_say_and_one_suffices() -> None:
    observed = path(verified=[TRUSTED, {**NO_ISSUER, "store": "/etc/postfix/ca.pem"}])
    judged = judge(answer(observed))
    assert statuses(judged)["chain.untrusted"] == "warn"
    assert judged.paths[0]["state"] == "verified"


def test_a_missing_intermediate_that_is_at_hand_is_known_to_be_missing() -> None:
    judged = judge(answer(path(LEAF, verified=[NO_ISSUER])), require="verify", issuers=(ISSUING.certificate,))
    assert found(judged)["chain.incomplete"].status == "fail"
    assert found(judged)["chain.incomplete"].evidence["missing"].startswith("CN=Lab Issuing CA")
    assert judged.paths[0]["complete"] is False


def test_a_host_that_can_obtain_the_leaf_alone_concludes_nothing_about_the_chain() -> None:
    judged = judge(
        answer(path(LEAF, verified=[NO_ISSUER], chain_source="leaf only")), require="verify", issuers=(ISSUING.certificate,)
    )
    assert statuses(judged)["chain.not_judged"] == "unknown"
    assert not {"chain.incomplete", "chain.untrusted"} & set(found(judged))
    assert judged.paths[0]["complete"] is None
    assert statuses(judged)["policy.not_met"] == "unknown"


def test_more_addresses_than_are_looked_at() -> None:
    assert statuses(judge(answer(path(), truncated=True)))["addresses.truncated"] == "unknown"


def test_certificates_in_any_order_are_a_chain() -> None:
    middle = ISSUING.issue("Lab Sub CA", ca=True)
    leaf = server(HOST, issuer=middle)
    assert judge(answer(path(leaf, ISSUING, middle))).paths[0]["complete"] is True


@pytest.mark.parametrize(("left", "lifetime", "due"), [(29, 365, True), (31, 365, False), (20, 47, False), (10, 47, True)])
def test_lead_time_follows_the_lifetime(left: int, lifetime: int, due: bool) -> None:
    leaf = server(HOST, not_before=NOW + (left - lifetime) * DAY, not_after=NOW + left * DAY)
    judged = judge(answer(path(leaf, ISSUING)), rules=public_ca_rules())
    assert judged.paths[0]["validity"]["longest_days_today"] == 398, "two weeks before it becomes 200"
    assert ("certificate.expires_soon" in found(judged)) is due
    assert judged.paths[0]["validity"]["days"] == lifetime


def test_a_small_key_is_weak() -> None:
    leaf = server(HOST, key=rsa.generate_private_key(65537, 1024))  # noqa: S505 - what the test is about
    assert found(judge(answer(path(leaf, ISSUING))))["certificate.weak"].status == "fail"


@pytest.mark.parametrize(
    ("expect", "status"),
    [
        (Expect(organization="lab"), None),
        (Expect(organization="Microsoft Corporation"), "fail"),
        (Expect(key_size=256), None),
        (Expect(key_size=2048), "fail"),
        (Expect(root=ROOT.sha256), None),
        (Expect(root=OTHER.sha256), "fail"),
    ],
)
def test_what_is_expected_of_the_certificate(expect: Expect, status: str | None) -> None:
    finding = found(judge(answer(path()), expect=expect)).get("certificate.unexpected")
    assert (finding.status if finding else None) == status


def test_a_root_that_is_not_at_hand_is_unknown() -> None:
    finding = found(judge(answer(path()), expect=Expect(root=OTHER.sha256), roots=()))["certificate.unexpected"]
    assert finding.status == "unknown"


def test_an_expected_name_takes_the_place_of_the_hosts() -> None:
    observed = path(server("mail.protection.outlook.com"), ISSUING)
    assert state(observed, require="verify") == ("encrypted", [], False)
    assert state(observed, require="verify", expect=Expect(name="mail.protection.outlook.com")) == ("verified", ["pkix"], True)


def test_addresses_that_differ() -> None:
    paths = [path(address=f"192.0.2.{number}") for number in (1, 2, 3)]
    assert "addresses.differ" not in found(judge(answer(*paths)))
    finding = found(judge(answer(*paths, path(server(HOST), ISSUING, address="192.0.2.4"))))["addresses.differ"]
    assert [item["count"] for item in finding.evidence["certificates"]] == [3, 1]
    assert "192.0.2.4" in finding.detail


def test_addresses_without_tls_beside_others_with_it_differ() -> None:
    bare: Json = {"tls": None, "chain": [], "verified": [], "starttls": "not_offered"}
    half = [path(address="192.0.2.1"), path(address="192.0.2.2", **bare)]
    finding = found(judge(answer(*half)))["addresses.differ"]
    assert finding.summary.endswith("a certificate and no TLS")
    assert [(item["sha256"] is None, item["servers"]) for item in finding.evidence["certificates"]] == [
        (False, [f"{HOST}[192.0.2.1]:25"]),
        (True, [f"{HOST}[192.0.2.2]:25"]),
    ]
    anonymous = {**bare, "tls": {"protocol": "TLSv1.2", "cipher": "ADH-AES256-GCM-SHA384"}, "starttls": "offered"}
    both = found(judge(answer(path(address="192.0.2.2", **bare), path(address="192.0.2.3", **anonymous))))["addresses.differ"]
    assert both.summary.endswith("present no TLS and no certificate")
    # Alike in having none, and what was not seen, differ from nothing.
    gone = {**bare, "starttls": None, "error": {"stage": "connect", "code": "timeout"}}
    for others in ([path(address="192.0.2.2", **bare)] * 2, [path(), path(address="192.0.2.2", **gone)]):
        assert "addresses.differ" not in found(judge(answer(*others)))


def test_a_certificate_that_is_sent_twice_is_judged_once() -> None:
    weak = server(HOST, issuer=ISSUING)
    judged = judge(answer(path(weak, ISSUING, ISSUING)))
    assert len([item for item in judged.findings if item.id == "smtp.revocation.unknown"]) == 2
    assert len({(item.id, item.summary) for item in judged.findings}) == len(judged.findings)


def test_a_client_certificate_that_cannot_be_used_is_no_fault_of_the_server() -> None:
    error = {"stage": "request", "code": "client_certificate", "message": "client_certificate: No such file or directory"}
    judged = judge({"id": "smtp:0", "op": "smtp", "error": error, "paths": [], "hosts": []})
    assert statuses(judged) == {"tls.client_certificate_unusable": "fail"}
    assert "No such file" in judged.findings[0].detail


def test_a_hostile_answer_is_read_without_harm() -> None:
    noise: list[t.Any] = [None, 7, "x", [], {}, [{}], {"a": []}, float("nan"), True]
    keys = ("paths", "hosts", "certificates", "error", "mx")
    for value in noise:
        judge({"id": "smtp:0", **dict.fromkeys(keys, value)})
        judge(answer({**path(), **{key: value for key in path() if key != "certificates"}}))
        judge(answer(path(tls=dict.fromkeys(TLS13, value), verified=[dict.fromkeys(TRUSTED, value)])))


def test_no_answer_is_unknown() -> None:
    assert statuses(judge({"id": "other"})) == {"connect.no_answer": "unknown"}


def test_wildcards_and_addresses_as_names() -> None:
    assert state(path(server("*.example.net"), ISSUING)) == ("verified", ["pkix"], True)
    literal = ISSUING.issue(
        "relay", extensions=[(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("192.0.2.1"))]), False)]
    )
    assert state(path(literal, ISSUING, host="192.0.2.1"))[0] == "verified"
