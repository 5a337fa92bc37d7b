# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import base64
import datetime as dt

import pytest
from ansible_collections.mailops.tls.plugins.plugin_utils._plan.egress.checks import EgressOptions, parse_endpoints, plan_egress
from ansible_collections.mailops.tls.plugins.plugin_utils._profiles.model import (
    CertificateFacts,
    Endpoint,
    Intermediate,
    Profile,
    Root,
)
from ansible_collections.mailops.tls.tests.unit.judge import pki
from cryptography import x509
from cryptography.x509 import ocsp
from hypothesis import given
from hypothesis import strategies as st

ROOT = pki.make_root()
CA = ROOT.issue("Lab CA", ca=True, urls={"crl": ["http://crl.lab/root.crl"], "ocsp": ["http://ocsp.lab"]})
LEAF = CA.issue(
    "mail.example",
    urls={
        "crl": ["ldap:///cn=ca", "http://crl.lab/ca.crl"],
        "ocsp": ["http://ocsp.lab/"],
        "ca_issuers": ["http://aia.lab/ca.crt"],
    },
)
OPTIONS = EgressOptions()


def profile(name, *endpoints, intermediates=()):
    root = Root(id="root", name="Lab Root", sha256=ROOT.sha256, pem=ROOT.pem)
    return Profile(name, name, dt.date(2026, 1, 1), (), None, None, CertificateFacts(), (root,), tuple(intermediates), endpoints)


def intermediate(ident="ca", **options):
    options.setdefault("serial", f"{CA.certificate.serial_number:x}")
    return Intermediate(id=ident, name="Lab CA", issuer="root", **options)


def ocsp_request(check):
    return ocsp.load_der_ocsp_request(base64.b64decode(check.request["body"]))


def test_requests_spell_every_option_out():
    options = EgressOptions("http://proxy:3128", "proxy", 2.0, "both", True, 1000)
    crl, way = plan_egress(
        [], parse_endpoints(["http://c.lab/x.crl", {"host": "o.lab", "port": "80", "kind": "ocsp"}]), options=options
    )
    common = {
        "timeout": 2.0,
        "family": "both",
        "each_address": True,
        "proxy": "http://proxy:3128",
        "proxy_authorization": "proxy",
    }
    fetch = {"method": "GET", "body": None, "headers": {}, "max_bytes": 1000, "max_redirects": 5, "ca_path": None}
    assert crl.request == {"id": "egress:0", "op": "fetch", "url": "http://c.lab/x.crl", **common, **fetch}
    assert way.request == {"id": "egress:1", "op": "connect", "host": "o.lab", "port": 80, **common}


def test_one_url_in_several_profiles_is_one_request():
    one = profile("one", Endpoint("crl", url="http://crl.lab/root.crl", issuer="root"))
    two = profile(
        "two", Endpoint("crl", url="HTTP://CRL.lab:80/root.crl", issuer="root"), Endpoint("crl", host="crl.lab", port=80)
    )
    checks = plan_egress([one, two], parse_endpoints(["http://crl.lab/root.crl"]), options=OPTIONS)
    assert [check.profiles for check in checks] == [("one", "two"), ("two",)]
    assert checks[0].endpoint.issuer == "root"
    assert checks[0].expected_names == (ROOT.subject,)
    assert checks[0].expected_sha256 == {ROOT.sha256}


def test_a_profiles_responder_is_asked_about_the_intermediate_that_lives_longest():
    old = intermediate("old", not_after=pki.NOW - pki.DAY)
    new = Intermediate(id="new", name="New CA", issuer="root", serial="2a", not_after=pki.NOW + pki.DAY)
    endpoint = Endpoint("ocsp", url="http://ocsp.lab", issuer="root")
    (check,) = plan_egress([profile("p", endpoint, intermediates=[old, new])], options=OPTIONS)
    request = ocsp_request(check)
    assert request.serial_number == 0x2A
    assert request.issuer_key_hash == x509.SubjectKeyIdentifier.from_public_key(ROOT.key.public_key()).digest
    assert request.extensions.get_extension_for_class(x509.OCSPNonce).value.nonce == check.question.nonce
    assert check.request["method"] == "POST"
    assert check.request["headers"]["Content-Type"] == "application/ocsp-request"


def test_without_anything_to_ask_about_the_question_is_made_up():
    (check,) = plan_egress([], parse_endpoints(["http://ocsp.lab/"]), options=OPTIONS)
    assert check.question.made_up
    assert ocsp_request(check).serial_number == 1


def test_serial_numbers_that_cannot_be_asked_about():
    for serial in ("0", "f" * 40):
        endpoint = Endpoint("ocsp", url="http://ocsp.lab", issuer="root")
        (check,) = plan_egress([profile("p", endpoint, intermediates=[intermediate(serial=serial)])], options=OPTIONS)
        assert check.question.made_up and ocsp_request(check)


def test_a_certificate_with_its_chain_is_followed():
    checks = plan_egress([], certificate=LEAF.pem + CA.pem, issuers=[ROOT.pem], options=OPTIONS)
    assert sorted((check.endpoint.kind, check.endpoint.url) for check in checks) == [
        ("ca_issuers", "http://aia.lab/ca.crt"),
        ("crl", "http://crl.lab/ca.crl"),
        ("crl", "http://crl.lab/root.crl"),
        ("ocsp", "http://ocsp.lab"),
        ("ocsp", "http://ocsp.lab/"),
    ]
    asked = {ocsp_request(check).serial_number for check in checks if check.endpoint.kind == "ocsp"}
    assert asked == {LEAF.certificate.serial_number, CA.certificate.serial_number}
    crl = next(check for check in checks if check.endpoint.url == "http://crl.lab/ca.crl")
    assert [ref.label for ref in crl.certificates] == ["CN=mail.example,O=Lab", "CN=Lab CA,O=Lab"]
    assert crl.expected_names == (CA.subject,)
    assert len({check.request["id"] for check in checks}) == len(checks)


def test_a_served_chain_is_followed_and_its_rubbish_skipped():
    checks = plan_egress([], chain=[pki.der(LEAF.certificate), b"rubbish", pki.der(CA.certificate)], options=OPTIONS)
    assert {check.endpoint.url for check in checks} >= {"http://crl.lab/ca.crl", "http://crl.lab/root.crl"}
    # The CA's own issuer is not at hand, so nothing can be asked about the CA.
    assert [check.question.certificate.label for check in checks if check.question and not check.question.made_up] == [
        "CN=mail.example,O=Lab"
    ]


def test_the_users_certificate_comes_before_what_a_profile_would_ask():
    endpoint = Endpoint("ocsp", url="http://ocsp.lab", issuer="root")
    one = profile("p", endpoint, intermediates=[intermediate()])
    checks = plan_egress([one], certificate=LEAF.pem, issuers=[CA.pem], options=OPTIONS)
    (check,) = [check for check in checks if check.endpoint.kind == "ocsp"]
    assert check.question.certificate.label == "CN=mail.example,O=Lab"
    assert check.profiles == ("p",)


def test_ldap_alone_is_not_hidden():
    lone = CA.issue("x", urls={"crl": ["ldap:///cn=ca"]})
    (check,) = plan_egress([], certificate=lone.pem, options=OPTIONS)
    assert check.request["url"] == "ldap:///cn=ca"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"certificate": "nonsense"}, "certificate: holds no certificate"),
        ({"issuers": [ROOT.pem, "x"]}, "issuers[1]: holds no certificate"),
        ({"issuers": [ROOT.pem + "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"]}, "issuers[0]: holds a block"),
        ({"certificate": "-----BEGIN PRIVATE KEY-----"}, "private key"),
    ],
)
def test_bad_pem_is_refused_with_its_place(options, words):
    with pytest.raises(ValueError) as error:
        plan_egress([], options=OPTIONS, **options)
    assert words in str(error.value)


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("http://x.lab/a.CRL", "crl"),
        ("http://ocsp2.lab/abc", "ocsp"),
        ("https://x.lab/a.crt?x=1", "ca_issuers"),
        ("http://[2001:db8::1]:8080/a.p7c", "ca_issuers"),
    ],
)
def test_kinds_are_guessed_where_they_are_unmistakable(url, kind):
    assert parse_endpoints([url])[0].kind == kind


@pytest.mark.parametrize(
    ("item", "words"),
    [
        ("http://secure.lab/", "endpoints[0].kind: cannot be told"),
        ("ftp://x/a.crl", "must begin with http"),
        ("http://user:secret@x/a.crl", "must not hold user information"),
        ("http://x:99999/a.crl", "is not a URL"),
        ("http:///a.crl", "no usable host"),
        ("http://x/a b.crl", "without spaces"),
        (7, "must be a URL or a dict"),
        ({"url": "http://x/a.crl", "knd": 1}, "unknown key 'knd'"),
        ({"url": "http://x/a.crl", "host": "x"}, "not both"),
        ({"host": "x"}, "needs url, or host and port"),
        ({"host": "x", "port": 80}, "kind: is needed"),
        ({"host": "x/y", "port": 80, "kind": "crl"}, "host name or an address"),
        ({"host": "x", "port": True, "kind": "crl"}, "from 1 to 65535"),
        ({"host": "x", "port": "0", "kind": "crl"}, "from 1 to 65535"),
        ({"url": "http://x/a.crl", "kind": "CRL"}, "kind: must be one of"),
        ({"url": "http://x/a.crl", "issuer": 3}, "issuer: must be"),
    ],
)
def test_bad_endpoints_are_refused_with_place_and_reason(item, words):
    with pytest.raises(ValueError) as error:
        parse_endpoints([item])
    assert words in str(error.value) and "endpoints[0]" in str(error.value)
    assert "secret" not in str(error.value)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
    )
)
def test_any_value_is_read_or_refused(value):
    try:
        parse_endpoints([value])
    except ValueError as error:
        assert "endpoints[0]" in str(error)
