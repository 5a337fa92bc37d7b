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
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.certificate.model import (
    Identity,
    Key,
    Policy,
    StoreVerdict,
    identities_of,
)
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.certificate.names import (
    connector_name,
    match_accepted_domain,
    match_connector,
)
from ansible_collections.mailops.tls.plugins.plugin_utils._profiles.public_ca import public_ca_rules
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
    public_roots=(ROOT.certificate,),
    rules=public_ca_rules(),
    public=True,
    lead_time=dt.timedelta(days=30),
)
KEY = Key(path="/k.pem", mode="0600", owner="root", group="root", matches=True, message=None, error=None)


def public(*names: str, issuer: Authority = ISSUING, common: str = "mail.example.com", **options: t.Any) -> Authority:
    policy = x509.PolicyInformation(x509.ObjectIdentifier("2.23.140.1.2.2"), None)
    extensions: list[tuple[x509.ExtensionType, bool]] = [(x509.CertificatePolicies([policy]), False)]
    if names:
        extensions.append((x509.SubjectAlternativeName([x509.DNSName(item) for item in names]), False))
    validity = {"not_before": NOW - 100 * DAY, "not_after": NOW + 100 * DAY}
    return issuer.issue(common, extensions=[*extensions, *options.pop("more", [])], **{**validity, **options})


def judge(*chain: Authority, key: Key | None = KEY, now: dt.datetime = NOW, **policy: t.Any) -> dict[str, Finding]:
    return judged(*chain, key=key, now=now, **policy)[1]


def judged(
    *chain: Authority, key: Key | None = KEY, now: dt.datetime = NOW, **policy: t.Any
) -> tuple[dict[str, t.Any], dict[str, Finding]]:
    """What is returned about the certificate, and the findings by the end of their ids."""
    seen = {name: policy.pop(name, None) for name in ("error", "form", "trust")}
    identity = Identity("/c.pem", ("option",), tuple(item.certificate for item in chain), key, **seen)
    asked = dataclasses.replace(POLICY, **policy)
    certificates, findings = judge_identities([identity], asked, host="mx1", now=now, observed_at="2026-03-01T12:00:00Z")
    assert [item["source"] for item in certificates] == ["/c.pem"]
    return certificates[0], {finding.id.removeprefix("certificate."): finding for finding in findings}


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
    assert judge(private, ISSUING, public_roots=())["private_ca"].status == "fail"
    assert judge(private, ISSUING, public_roots=(), public=False)["private_ca"].status == "warn"
    assert judge(make_root("self"), public=False)["private_ca"].status == "warn"


KNOWN = StoreVerdict(ok=True, code=None, message="OK", version="OpenSSL 3.0.17 1 Jul 2025")
UNKNOWN = StoreVerdict(ok=False, code=20, message="unable to get local issuer certificate", version="OpenSSL 3.0.17 1 Jul 2025")


@pytest.mark.parametrize(
    ("trust", "slug", "status", "origin"),
    [
        (None, "origin_unknown", "unknown", None),
        (UNKNOWN, "origin_unknown", "unknown", None),
        (dataclasses.replace(UNKNOWN, ok=None, message="openssl: not found"), "origin_unknown", "unknown", None),
        (KNOWN, "public_ca", "pass", True),
        # OpenSSL looks at dates last: the root was reached.
        (dataclasses.replace(UNKNOWN, code=10, message="certificate has expired"), "public_ca", "pass", True),
    ],
)
def test_a_policy_alone_does_not_make_a_ca_public(
    trust: StoreVerdict | None, slug: str, status: str, origin: bool | None
) -> None:
    returned, found = judged(public(), ISSUING, public_roots=(), trust=trust)
    assert (found[slug].status, returned["public_ca"]) == (status, origin)
    assert {"public_ca", "private_ca", "origin_unknown"} & set(found) == {slug}
    if trust is not None and trust.ok is not True and slug == "origin_unknown":
        assert trust.message in found[slug].detail


def test_the_host_knows_the_root_of_a_private_ca_too() -> None:
    assert judge(ISSUING.issue("mail.example.com"), ISSUING, public_roots=(), trust=KNOWN)["private_ca"].status == "fail"


def test_for_a_partner_an_unknown_origin_is_no_more_than_a_warning() -> None:
    assert judge(public(), ISSUING, public_roots=(), public=False)["origin_unknown"].status == "warn"


def test_a_known_root_that_the_chain_does_not_lead_to_proves_nothing() -> None:
    stranger = make_root("Stranger").issue("Other Issuing CA", ca=True)
    assert "origin_unknown" in judge(public(issuer=stranger), stranger, ROOT)


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


def test_the_mode_of_a_file_without_a_key_exposes_nothing() -> None:
    none = dataclasses.replace(KEY, path="/c.pem", mode="0644", matches=None, error=("error", "holds no private key in PEM"))
    found = judge(public(), ISSUING, key=none)
    assert found["key_missing"].status == "fail"
    assert not {"key_exposed", "key_shared"} & set(found)


@pytest.mark.parametrize(
    ("form", "word"), [("key", "private key and no certificate"), ("der", "DER"), ("pkcs12", "PKCS #12"), ("other", "no cert")]
)
def test_a_file_that_is_configured_and_useless_fails(form: str, word: str) -> None:
    returned, found = judged(form=form)
    assert (found["missing"].status, returned["sha256"]) == ("fail", None)
    assert word in found["missing"].summary


def test_a_key_without_a_certificate_can_be_exposed_all_the_same() -> None:
    assert judge(form="key", key=dataclasses.replace(KEY, mode="0644"))["key_exposed"].status == "fail"


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


BOTH = x509.ExtendedKeyUsage([x509.ExtendedKeyUsageOID.SERVER_AUTH, x509.ExtendedKeyUsageOID.CLIENT_AUTH])


def test_a_public_certificate_that_has_client_auth_is_the_one_to_lose_it() -> None:
    returned, found = judged(public(more=[(BOTH, False)]), ISSUING)
    assert (returned["server_auth"], returned["client_auth"]) == (True, True)
    ending = found["client_auth_ending"]
    assert ending.status == "warn"
    for word in ("DigiCert", "2027-03-01", "Sectigo", "2027-02-10", "2026-05-15", "Chrome", "2027-03-15", "As of 2026-11-24"):
        assert word in ending.detail
    assert ending.evidence["as_of"] == "2026-11-24"
    assert "client_auth_ending" not in judge(ISSUING.issue(extensions=[(BOTH, False)]), ISSUING, public_roots=())
    assert "client_auth_ending" not in judge(public(), ISSUING)


LATER = dt.datetime(2026, 11, 26, tzinfo=dt.timezone.utc)
SECOND = dt.timedelta(seconds=1)


@pytest.mark.parametrize(
    ("issued", "lifetime", "longest", "too_long"),
    [
        # Both ends belong to the validity (RFC 5280 4.1.2.5), and the smallest excess is a day (Baseline Requirements 6.3.2).
        (LATER, 200 * DAY - SECOND, 200, False),
        (LATER, 200 * DAY, 200, True),
        (LATER, 400 * DAY, 200, True),
        (dt.datetime(2026, 3, 14, tzinfo=dt.timezone.utc), 398 * DAY - SECOND, 398, False),
        (dt.datetime(2027, 3, 15, tzinfo=dt.timezone.utc), 200 * DAY - SECOND, 100, True),
        (dt.datetime(2029, 3, 15, tzinfo=dt.timezone.utc), 47 * DAY - SECOND, 47, False),
    ],
)
def test_how_long_a_public_certificate_may_live(
    issued: dt.datetime, lifetime: dt.timedelta, longest: int, too_long: bool
) -> None:
    leaf = public(not_before=issued, not_after=issued + lifetime)
    returned, found = judged(leaf, ISSUING, now=issued + DAY)
    assert (returned["longest_days"], "lifetime_too_long" in found) == (longest, too_long)
    assert "lifetime_too_long" not in judge(
        ISSUING.issue(not_before=issued, not_after=issued + lifetime), ISSUING, public_roots=()
    )


def test_days_are_returned() -> None:
    returned, _found = judged(public(not_before=NOW - 27 * DAY, not_after=NOW + 20 * DAY - SECOND), ISSUING)
    assert {name: returned[name] for name in ("lifetime_days", "days_left", "lead_time_days", "renewal_due")} == {
        "lifetime_days": 47,
        "days_left": 19,
        "lead_time_days": 15,
        "renewal_due": False,
    }
    assert (returned["longest_days"], returned["longest_days_today"]) == (398, 398)
    soon = judge(public(not_after=NOW + 2 * DAY), ISSUING)["expires_soon"]
    assert "398 days at most, from 2026-03-15 on for 200" in soon.detail


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
    junk += [{"form": 5, "trust": junk}, {"trust": {"ok": "x", "code": "y", "message": 7}, "form": "\x1b[0m"}]
    for item in junk:
        answer = {"identities": [item], "postfix": {"parameters": {"smtp_tls_chain_files": None}, "error": item}, "error": item}
        judge_identities(identities_of(answer), POLICY, host="mx1", now=NOW, observed_at="")
    unread = identities_of({"identities": [], "postfix": {"path": "/m", "parameters": {"smtp_tls_cert_file": None}}})
    assert [identity.name for identity in unread] == ["smtp_tls_cert_file"]
