# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import json
import re
import ssl

import pytest
from ansible_collections.mailops.tls.plugins.plugin_utils._findings.catalogue_egress import EGRESS_TYPES
from ansible_collections.mailops.tls.plugins.plugin_utils._findings.registry import REGISTRY
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.egress.judgement import judge_egress
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.egress.wording import _SUMMARIES, BY_CAUSE
from ansible_collections.mailops.tls.tests.unit.judge import egress_cases as cases
from ansible_collections.mailops.tls.tests.unit.judge import pki
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import pkcs7
from hypothesis import given, settings
from hypothesis import strategies as st

DESIGN = [
    "ok",
    "dns_nxdomain",
    "dns_timeout",
    "dns_error",
    "dns_no_address",
    "dns_sinkhole",
    "tcp_timeout",
    "tcp_refused",
    "tcp_reset",
    "tcp_unreachable",
    "proxy_unreachable",
    "proxy_auth_required",
    "proxy_denied",
    "proxy_error",
    "tls_intercepted",
    "tls_error",
    "http_status",
    "redirected",
    "not_a_crl",
    "not_an_ocsp_response",
    "not_a_certificate",
    "truncated",
    "too_large",
    "crl_expired",
    "crl_not_yet_valid",
    "crl_bad_signature",
    "crl_wrong_issuer",
    "crl_lists_certificate",
    "ocsp_revoked",
    "ocsp_unknown",
    "ocsp_unauthorized",
    "ocsp_try_later",
    "ocsp_malformed",
    "ocsp_expired",
    "ocsp_bad_signature",
    "ocsp_wrong_certificate",
    "deadline_exceeded",
]


def judge(*pairs, observed=None):
    checks = [dataclasses.replace(c, request=c.request | {"id": f"egress:{i}"}) for i, (c, _answer) in enumerate(pairs)]
    seen = cases.observations(*(a for _check, a in pairs)) if observed is None else observed
    judged = judge_egress(checks, seen, host="mx1", now=pki.NOW, observed_at="2026-03-01T12:00:00Z")
    json.dumps([judged.endpoints, judged.firewall_rules, [f.as_dict() for f in judged.findings]])
    return judged


def one(check, answer):
    return judge((check, answer)).endpoints[0]


ALL = [(cause, pair) for cause, pairs in cases.CASES.items() for pair in pairs]


@pytest.mark.parametrize(("cause", "pair"), ALL, ids=[f"{cause}-{i}" for i, (cause, _pair) in enumerate(ALL)])
def test_every_cause_is_what_the_host_saw(cause, pair):
    judged = judge(pair)
    (endpoint,), finding = judged.endpoints, judged.findings[0]
    assert endpoint["cause"] == cause, endpoint["detail"]
    assert finding.id == BY_CAUSE[cause].id
    assert finding.status == endpoint["status"]
    assert finding.detail == endpoint["detail"]
    assert finding.profile == "one"
    assert finding.evidence["profiles"] == ["one", "two"]
    assert not re.search(r"\b(URL|HOST|PORT)\b", finding.remediation)
    assert finding.detail.isprintable() and finding.summary.isprintable()


def test_every_cause_of_the_contract_and_of_the_catalogue_has_a_case():
    causes = {kind.cause for kind in EGRESS_TYPES if kind.cause}
    assert causes >= set(DESIGN)
    assert causes == set(cases.CASES) == set(_SUMMARIES)
    assert len(causes) == len([kind for kind in EGRESS_TYPES if kind.cause])


def test_ids_are_unique_and_registered():
    ids = [kind.id for kind in EGRESS_TYPES]
    assert len(ids) == len(set(ids)) and set(ids) <= set(REGISTRY)


def test_what_could_not_be_observed_is_unknown():
    for cause in ("not_observed", "deadline_exceeded", "crl_not_judged", "ocsp_not_judged"):
        assert one(*cases.CASES[cause][0])["status"] == "unknown"


def test_a_redirect_to_good_content_warns_and_to_anything_else_fails():
    statuses = [one(*pair)["status"] for pair in cases.CASES["redirected"]]
    assert statuses == ["warn", "fail", "fail", "fail", "fail", "fail", "fail"]
    assert one(*cases.CASES["redirected"][0])["redirects"] == ["http://portal.lab/"]


def test_the_endpoint_has_the_fields_of_the_contract():
    endpoint = one(cases.CRL, cases.answer(cases.GOOD_CRL))
    assert set(endpoint) >= {"url", "kind", "status", "cause", "stage", "addresses", "proxy", "http", "crl", "ocsp"}
    assert endpoint["addresses"] == [{"address": "192.0.2.1", "family": "ipv4", "connected": True, "ms": 3, "errno": None}]
    assert (endpoint["host"], endpoint["port"], endpoint["issuer"], endpoint["elapsed_ms"]) == ("crl.lab", 80, "root", 12)
    assert endpoint["http"]["bytes"] == len(cases.GOOD_CRL)


def test_proxy_details_tell_whether_credentials_were_sent():
    with_none, with_some = (one(*pair)["detail"] for pair in cases.CASES["proxy_auth_required"][:2])
    assert "No credentials were sent" in with_none and "Basic" in with_none
    assert "refused" in with_some


def test_user_information_in_a_proxy_url_never_comes_out():
    seen = cases.proxied(407)
    seen["proxy"]["url"] = "http://user:hunter2@proxy.lab:3128"
    judged = judge((cases.CRL, seen))
    assert "hunter2" not in json.dumps([judged.endpoints, judged.firewall_rules, [f.as_dict() for f in judged.findings]])


def test_interception_names_the_issuer_seen():
    assert "CN=Corporate Inspection" in one(*cases.CASES["tls_intercepted"][0])["detail"]


def test_another_certificate_of_the_issuer_with_the_same_key_is_noted():
    renewed = pki.make_root("Lab Root", key=cases.ROOT.key)
    assert "same key" in one(cases.AIA, cases.answer(pki.der(renewed.certificate)))["detail"]
    assert "another key" in one(cases.AIA, cases.answer(pki.der(pki.make_root("Lab Root").certificate)))["detail"]
    assert "not the issuer's" in one(cases.AIA, cases.answer(pki.der(cases.OTHER.certificate)))["detail"]
    assert "that was expected" in one(cases.AIA, cases.answer(pki.der(cases.ROOT.certificate)))["detail"]
    assert "was issued by CN=Lab Root" in one(cases.AIA, cases.answer(pki.der(cases.LEAF.certificate)))["detail"]


def test_pkcs7_is_accepted_for_issuer_certificates():
    for encoding in (serialization.Encoding.DER, serialization.Encoding.PEM):
        bundle = pkcs7.serialize_certificates([cases.ROOT.certificate, cases.OTHER.certificate], encoding)
        endpoint = one(cases.AIA, cases.answer(bundle))
        assert (endpoint["cause"], len(endpoint["certificates"])) == ("ok", 2)


def test_a_certificate_of_an_unheard_of_version_is_none():
    version_7 = pki.der(cases.ROOT.certificate).replace(bytes.fromhex("a003020102"), bytes.fromhex("a003020106"))
    text = ssl.DER_cert_to_PEM_cert(version_7).encode()
    for body in (version_7, text):
        assert one(cases.AIA, cases.answer(body))["cause"] == "not_a_certificate"
        assert one(cases.CRL, cases.answer(body))["cause"] == "not_a_crl"


# --- addresses ------------------------------------------------------------------------------------------------------

DEAD6 = cases.address("2001:db8::1", False, code="timeout", errno="ETIMEDOUT", ms=5000)
NO6 = cases.address("2001:db8::1", False, code="unreachable", errno="ENETUNREACH", ms=0)


def test_dead_ipv6_beside_live_ipv4_is_a_warning_with_its_cost():
    judged = judge((cases.CRL, cases.answer(cases.GOOD_CRL, [cases.hop(addresses=[DEAD6, cases.address()])])))
    assert judged.endpoints[0]["cause"] == "ok"
    partial = next(f for f in judged.findings if f.id == "egress.address.partial")
    assert partial.status == "warn" and partial.evidence["cost_ms"] == 5000
    assert "IPv6 is dead as a whole" in partial.detail
    assert [(rule["address"], rule["findings"]) for rule in judged.firewall_rules] == [
        ("2001:db8::1", ["egress.address.partial"])
    ]


def test_a_host_without_ipv6_is_not_nagged_unless_it_was_asked_to_prove_it():
    answer = cases.answer(cases.GOOD_CRL, [cases.hop(addresses=[NO6, cases.address()])])
    assert len(judge((cases.CRL, answer)).findings) == 1
    both = cases.check(request={"family": "both"})
    assert len(judge((both, answer)).findings) == 2


def test_an_address_that_lost_the_race_is_not_dead():
    late = cases.address("2001:db8::1", None)
    assert len(judge((cases.CRL, cases.answer(cases.GOOD_CRL, [cases.hop(addresses=[late, cases.address()])]))).findings) == 1


# --- firewall rules -------------------------------------------------------------------------------------------------


def test_blocked_destinations_are_listed_once_with_why():
    blocked = cases.failed("connect", "timeout")
    judged = judge(
        (cases.CRL, blocked), (cases.check(url="http://crl.lab/other.crl"), blocked), (cases.OCSP, cases.answer(cases.respond()))
    )
    (rule,) = judged.firewall_rules
    assert rule == {
        "destination": "crl.lab",
        "address": "192.0.2.1",
        "port": 80,
        "protocol": "tcp",
        "addresses_seen": ["192.0.2.1"],
        "urls": ["http://crl.lab/other.crl", "http://crl.lab/root.crl"],
        "why": "CRL: connection attempts get no answer",
        "findings": ["egress.tcp.timeout"],
    }


def test_an_unreachable_proxy_is_the_rule_and_not_what_lies_behind_it():
    judged = judge(cases.CASES["proxy_unreachable"][1])
    assert [(rule["destination"], rule["port"], rule["address"]) for rule in judged.firewall_rules] == [
        ("proxy.lab", 3128, "192.0.2.9")
    ]
    assert judge(cases.CASES["proxy_denied"][0]).firewall_rules == []


def test_a_blocked_redirect_target_is_what_is_asked_for():
    target = cases.hop("http://cdn.lab/x.crl", [cases.address("192.0.2.7", False)], status=None)
    judged = judge((cases.CRL, cases.failed("connect", "timeout", hops=[cases.hop(status=302), target])))
    assert judged.firewall_rules[0]["destination"] == "cdn.lab"
    assert "after a redirect to http://cdn.lab/x.crl" in judged.endpoints[0]["detail"]


def test_a_reset_after_the_request_names_the_address_that_connected():
    assert judge(cases.CASES["tcp_reset"][1]).firewall_rules[0]["address"] == "192.0.2.1"


# --- remedies and hostile input -------------------------------------------------------------------------------------


def test_remedies_carry_the_endpoints_values_quoted_for_a_shell():
    nasty = cases.check(url="http://crl.lab/$(reboot)'x.crl")
    remedy = judge((nasty, cases.failed("connect", "timeout"))).findings[0].remediation
    assert """curl -v --noproxy '*' 'http://crl.lab/$(reboot)'"'"'x.crl'""" in remedy
    assert "crl.lab port 80" in remedy


def test_what_failed_through_a_proxy_is_reproduced_through_it():
    for pair in (cases.CASES["http_status"][2], cases.CASES["proxy_denied"][1], cases.CASES["http_status"][3]):
        remedy = judge(pair).findings[0].remediation
        assert "-x http://proxy.lab:3128" in remedy and "--noproxy" not in remedy and remedy.count("-x ") == remedy.count("curl")


def test_remedies_use_placeholders_for_nothing_but_values():
    """A sentence that means URLs in general must not come out with the endpoint's own in it."""
    for kind in EGRESS_TYPES:
        assert not re.search(r"\b(the|The|own|OCSP|CRL) (URL|HOST|PORT)\b", kind.remedy), kind.id


def test_the_resolver_that_was_asked_is_named():
    seen = cases.failed("resolve", "timeout")
    seen["hops"][0]["resolve"] |= {"resolvers": ["192.0.2.53", "192.0.2.54"], "addresses": []}
    found = judge((cases.CRL, seen)).findings[0]
    assert "(asked: 192.0.2.53, 192.0.2.54)" in found.detail
    assert found.evidence["resolve"]["resolvers"] == ["192.0.2.53", "192.0.2.54"]
    assert "`dig crl.lab @192.0.2.53`" in found.remediation


def test_a_proxy_that_takes_the_connection_and_keeps_silent_is_nothing_for_the_firewall_team():
    assert judge((cases.CRL, cases.failed("proxy", "timeout", proxy=cases.proxy(tunnel=True)))).firewall_rules == []


@pytest.mark.parametrize("observed", [None, [], {}, {"answers": None}, {"answers": [None, 1, {"id": 3}]}, {"answers": "x"}])
def test_observations_of_any_shape_are_unknown(observed):
    judged = judge((cases.CRL, None), observed=observed or {})
    assert judged.endpoints[0]["status"] == "unknown"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


def containers(value):
    """The value and every dict and list in it."""
    if not isinstance(value, (dict, list)):
        return []
    inner = value.values() if isinstance(value, dict) else value
    return [value, *(found for item in inner for found in containers(item))]


@settings(max_examples=300, deadline=None)
@given(st.sampled_from([pair for _cause, pair in ALL if pair[1]]), st.data())
def test_an_answer_with_anything_in_any_field_is_judged(pair, data):
    """A host that lies about types gets a verdict, never a crash."""
    check, answer = pair
    answer = json.loads(json.dumps(answer))
    place = data.draw(st.sampled_from([p for p in containers(answer) if p]))
    key = data.draw(st.sampled_from(sorted(place) if isinstance(place, dict) else list(range(len(place)))))
    if place is not answer or key != "id":
        place[key] = data.draw(JSON)
    judged = judge((check, answer))
    assert judged.endpoints[0]["status"] in ("pass", "fail", "warn", "unknown")
