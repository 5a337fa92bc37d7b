# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The judgement of the certificate that a host presents, by its checks."""

from __future__ import annotations

import dataclasses
import datetime as dt
import typing as t

import pytest
from ansible_collections.mailops.tls.plugins.plugin_utils._findings.model import Finding
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.certificate.judgement import judge_identities
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.certificate.model import Identity, Key, Policy, identities_of
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.certificate.names import (
    connector_name,
    match_accepted_domain,
    match_connector,
)
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.unit.judge.pki import DAY, NOW, Authority, make_certificate, make_root, name

ROOT = make_root()
ISSUING = ROOT.issue("Lab Issuing CA", ca=True)
POLICY = Policy(
    sender_name=None,
    accepted_domains=(),
    bound_to=None,
    next_certificate=None,
    expected=(),
    roots=(ROOT.certificate,),
    public=True,
    lead_time=dt.timedelta(days=30),
)
KEY = Key(path="/k.pem", mode="0600", owner="root", group="root", matches=True, message=None, error=None)


def public(*names: str, issuer: Authority = ISSUING, common: str = "mail.example.com", **options: t.Any) -> Authority:
    policy = x509.PolicyInformation(x509.ObjectIdentifier("2.23.140.1.2.2"), None)
    extensions: list[tuple[x509.ExtensionType, bool]] = [(x509.CertificatePolicies([policy]), False)]
    if names:
        extensions.append((x509.SubjectAlternativeName([x509.DNSName(item) for item in names]), False))
    return issuer.issue(common, extensions=[*extensions, *options.pop("more", [])], **options)


def judge(*chain: Authority, key: Key | None = KEY, now: dt.datetime = NOW, **policy: t.Any) -> dict[str, Finding]:
    identity = Identity("/c.pem", ("option",), tuple(item.certificate for item in chain), key, policy.pop("error", None))
    asked = dataclasses.replace(POLICY, **policy)
    certificates, findings = judge_identities([identity], asked, host="mx1", now=now, observed_at="2026-03-01T12:00:00Z")
    assert [item["source"] for item in certificates] == ["/c.pem"]
    return {finding.id.removeprefix("certificate."): finding for finding in findings}


def statuses(found: dict[str, Finding]) -> dict[str, str]:
    return {slug: finding.status for slug, finding in found.items()}


def test_a_fit_certificate_passes_every_check() -> None:
    found = judge(public("mail.example.com"), ISSUING, sender_name="*.example.com", accepted_domains=("example.com",))
    assert statuses(found) == dict.fromkeys(
        ("valid", "chain_complete", "public_ca", "key_matches", "name_matches", "domain_accepted"), "pass"
    )


@pytest.mark.parametrize(
    ("options", "now", "slug"),
    [
        ({"not_after": NOW - DAY}, NOW, "expired"),
        ({"not_before": NOW + DAY}, NOW, "not_yet_valid"),
        ({"not_after": NOW + 20 * DAY}, NOW, "expires_soon"),
        # A certificate of 47 days is renewed in its last third, not in its last 30 days.
        ({"not_before": NOW - 27 * DAY, "not_after": NOW + 20 * DAY}, NOW, "valid"),
        ({"not_before": NOW - 37 * DAY, "not_after": NOW + 10 * DAY}, NOW, "expires_soon"),
    ],
)
def test_validity(options: dict[str, t.Any], now: dt.datetime, slug: str) -> None:
    assert slug in judge(public(**options), ISSUING, now=now)


def test_chains() -> None:
    leaf = public()
    stranger = make_root("Stranger").issue("Other Issuing CA", ca=True)
    assert judge(leaf)["chain_incomplete"].status == "fail"
    assert judge(leaf, stranger)["chain_incomplete"].status == "fail"
    assert judge(leaf, ROOT, ISSUING)["chain_incomplete"].status == "fail"
    assert judge(leaf, ISSUING, roots=())["chain_unknown"].status == "unknown"
    assert judge(leaf, ISSUING, ROOT, roots=())["chain_complete"].status == "pass"


def test_a_private_ca_fails_hybrid_flow_and_is_a_warning_for_a_partner() -> None:
    private = ISSUING.issue("mail.example.com")
    assert judge(private, ISSUING)["private_ca"].status == "fail"
    assert judge(private, ISSUING, public=False)["private_ca"].status == "warn"
    assert judge(make_root("self"), public=False)["private_ca"].status == "warn"


@pytest.mark.parametrize(
    ("changes", "slug", "status"),
    [
        ({"matches": False, "message": "KEY_VALUES_MISMATCH"}, "key_mismatch", "fail"),
        ({"matches": None, "message": "the private key is encrypted"}, "key_not_compared", "unknown"),
        ({"error": ("missing", "No such file"), "mode": None}, "key_missing", "fail"),
        ({"error": ("permission", "Permission denied"), "mode": None}, "key_not_compared", "unknown"),
        ({"mode": "0644"}, "key_exposed", "fail"),
        ({"mode": "0640", "group": "staff"}, "key_shared", "warn"),
        ({"owner": "postfix"}, "key_shared", "warn"),
    ],
)
def test_private_keys(changes: dict[str, t.Any], slug: str, status: str) -> None:
    assert judge(public(), ISSUING, key=dataclasses.replace(KEY, **changes))[slug].status == status


def test_a_key_for_the_group_of_certificates_is_no_news() -> None:
    found = judge(public(), ISSUING, key=dataclasses.replace(KEY, mode="0640", group="ssl-cert"))
    assert not {"key_shared", "key_exposed"} & set(found)


def test_weak_key_and_usages() -> None:
    small = rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505 - that is the point
    assert judge(public(key=small), ISSUING)["weak"].status == "fail"
    client = x509.ExtendedKeyUsage([x509.ExtendedKeyUsageOID.CLIENT_AUTH])
    server = x509.ExtendedKeyUsage([x509.ExtendedKeyUsageOID.SERVER_AUTH])
    assert judge(public(more=[(client, False)]), ISSUING)["server_auth_missing"].status == "warn"
    assert judge(public(more=[(server, False)]), ISSUING)["client_auth_missing"].status == "warn"


@pytest.mark.parametrize(
    ("wanted", "names", "common", "matched"),
    [
        ("mail.example.com", ("mail.example.com",), "x", ("SAN", "mail.example.com")),
        ("mail.example.com", (), "Mail.Example.COM", ("CN", "mail.example.com")),
        ("*.example.com", ("a.b.example.com",), "x", ("SAN", "a.b.example.com")),
        ("*.example.com", ("example.com",), "x", ("SAN", "example.com")),
        ("*.example.com", ("*.example.com",), "x", ("SAN", "*.example.com")),
        ("mail.example.com", ("*.example.com",), "x", ("SAN", "*.example.com")),
        ("a.b.example.com", ("*.example.com",), "x", None),
        ("*.example.com", ("badexample.com",), "x", None),
        ("example.com", ("mail.example.com",), "x", None),
    ],
)
def test_names_of_connectors(wanted: str, names: tuple[str, ...], common: str, matched: tuple[str, str] | None) -> None:
    match = match_connector(public(*names, common=common).certificate, wanted)
    assert (match and (match.field, match.value)) == matched


def test_accepted_domains() -> None:
    certificate = public("smtp.mail.example.com").certificate
    assert match_accepted_domain(certificate, ["other.example", "example.com"])[1] == "example.com"  # type: ignore[index]
    assert match_accepted_domain(certificate, ["ple.com"]) is None
    assert judge(public("x.test", common="x"), ISSUING, accepted_domains=("example.com",))["domain_not_accepted"].status == "fail"


def test_binding_of_exchange() -> None:
    leaf, renewed = public(), make_root("Other").issue("mail.example.com")
    own = connector_name(leaf.certificate)
    assert own == "<I>CN=Lab Issuing CA, O=Lab<S>CN=mail.example.com, O=Lab"
    assert "binding_current" in judge(leaf, ISSUING, bound_to=own)
    assert judge(leaf, ISSUING, bound_to="<I>CN=Old CA<S>CN=mail.example.com")["binding_stale"].status == "fail"
    assert "renewal_changes_binding" in judge(leaf, ISSUING, next_certificate=renewed.certificate)
    assert "renewal_keeps_binding" in judge(leaf, ISSUING, next_certificate=public().certificate)


def test_windows_quotes_what_it_must() -> None:
    certificate = make_certificate(name('a "b"', "Example, Inc.")).certificate
    assert connector_name(certificate).endswith('<S>CN="a ""b""", O="Example, Inc."')


def test_expected_fingerprints() -> None:
    leaf = public()
    assert judge(leaf, ISSUING, expected=(leaf.sha256,))["expected"].status == "pass"
    assert judge(leaf, ISSUING, expected=("0" * 64,))["unexpected"].status == "fail"


def test_what_was_not_seen_is_unknown_and_what_is_not_there_fails() -> None:
    assert statuses(judge(key=None, error=("permission", "Permission denied"))) == {"unreadable": "unknown"}
    assert statuses(judge(key=None, error=("missing", ""))) == {"missing": "fail"}
    assert statuses(judge(key=None)) == {"missing": "fail"}
    nothing = judge_identities([], POLICY, host="mx1", now=NOW, observed_at="")[1]
    assert [finding.id for finding in nothing] == ["certificate.none_configured"]


def test_answers_of_a_hostile_host_do_not_raise() -> None:
    junk: list[t.Any] = [None, 7, "x", [], {}, {"chain": 5}, {"chain": ["!", 3]}, {"key": {"path": 7, "mode": []}, "used_by": 1}]
    for item in junk:
        answer = {"identities": [item], "postfix": {"parameters": {"smtp_tls_chain_files": None}, "error": item}, "error": item}
        judge_identities(identities_of(answer), POLICY, host="mx1", now=NOW, observed_at="")
    unread = identities_of({"identities": [], "postfix": {"path": "/m", "parameters": {"smtp_tls_cert_file": None}}})
    assert [identity.name for identity in unread] == ["smtp_tls_cert_file"]
