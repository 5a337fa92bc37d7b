# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.mailops.tls.plugins.plugin_utils._plan.egress.checks import EgressOptions
from ansible_collections.mailops.tls.plugins.plugin_utils._plan.egress.pool import build_pool
from ansible_collections.mailops.tls.plugins.plugin_utils._plan.egress.upwards import issuer_requests, issuers_found, orphans
from ansible_collections.mailops.tls.tests.unit.judge import pki

ROOT = pki.make_root()
CA = ROOT.issue("Lab CA", ca=True, urls={"ca_issuers": ["http://aia.ca.test/root.crt"]})
LEAF = CA.issue("mail.lab.test", urls={"ca_issuers": ["ldap://ldap.ca.test/", "http://aia.ca.test/ca.crt"]})
OPTIONS = EgressOptions("http://proxy.test:3128", "secret", 2.0, "ipv4", True, 1 << 30)


def pool(*chain: pki.Authority, issuers: tuple[str, ...] = ()):
    return build_pool((), None, [pki.der(item.certificate) for item in chain], issuers)


def answers(body: bytes | None, request_id: str = "issuer:http://aia.ca.test/ca.crt"):
    return {"answers": [{"id": request_id, "error": None, "hops": [], "body": pki.b64(body) if body else None}]}


def test_what_lacks_its_issuer_is_asked_for():
    (request,) = issuer_requests(pool(LEAF), set(), OPTIONS)
    assert (request["op"], request["method"], request["url"]) == ("fetch", "GET", "http://aia.ca.test/ca.crt")
    assert (request["proxy"], request["proxy_authorization"], request["family"]) == ("http://proxy.test:3128", "secret", "ipv4")
    assert request["max_bytes"] == 256 * 1024
    assert request["timeout"] == 2.0
    assert [item["url"] for item in issuer_requests(pool(LEAF, CA), set(), OPTIONS)] == ["http://aia.ca.test/root.crt"]


def test_nothing_is_asked_twice_or_where_the_issuer_is_at_hand():
    assert issuer_requests(pool(LEAF), {"http://aia.ca.test/ca.crt"}, OPTIONS) == []
    assert issuer_requests(pool(LEAF, CA, ROOT), set(), OPTIONS) == []
    assert issuer_requests(pool(LEAF, issuers=(CA.pem,)), set(), OPTIONS) == []
    assert orphans(pool(ROOT)) == ()


def test_few_urls_are_asked_at_a_time():
    leaf = CA.issue("x", urls={"ca_issuers": [f"http://aia.ca.test/{number}" for number in range(100)]})
    assert len(issuer_requests(pool(leaf), set(), OPTIONS)) == 4


def test_only_the_issuer_that_signed_is_taken():
    same_name = pki.make_certificate(pki.name("Lab CA"), issuer=ROOT, ca=True)
    assert issuers_found(pool(LEAF), answers(pki.der(same_name.certificate))) == ()
    both = (same_name.pem + CA.pem).encode()
    assert issuers_found(pool(LEAF), answers(both)) == (pki.der(CA.certificate),)
    assert issuers_found(pool(LEAF), answers(pki.der(CA.certificate), "egress:0")) == ()


def test_what_is_no_certificate_is_left_alone():
    for body in (None, b"<html>", pki.der(CA.certificate)[:-5]):
        assert issuers_found(pool(LEAF), answers(body)) == ()
    for observations in ({}, {"answers": None}, {"answers": [{"id": "issuer:x", "body": 5}]}, None):
        assert issuers_found(pool(LEAF), observations) == ()
