# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What DNS says beside the wire: MX on both sides, TLSA records and MTA-STS."""

from __future__ import annotations

import hashlib
import typing as t

import pytest
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.smtp.domain import DomainView
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.smtp.mta_sts import (
    PolicyError,
    StsPolicy,
    covers_mx,
    is_published,
    parse_policy,
)
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.x509 import public_key_bytes
from ansible_collections.mailops.tls.plugins.plugin_utils._plan.smtp.targets import Target

from tests.unit.judge.pki import DAY, NOW, b64, der
from tests.unit.smtp.observed import HOST, ISSUING, LEAF, NO_ISSUER, Json, answer, found, judge, path, server, statuses

DOMAIN = Target(domain="example.net")
MX: Json = {"status": "ok", "authenticated": True, "records": [{"preference": 10, "host": HOST}]}
VIEW = DomainView("ok", True, ((10, HOST),), "nxdomain")


def spki(authority: t.Any) -> bytes:
    return public_key_bytes(authority.certificate) or b""


def record(usage: int, data: bytes, selector: int = 1, matching: int = 1) -> Json:
    digest = {1: "sha256", 2: "sha512"}.get(matching)
    shown = hashlib.new(digest, data).hexdigest() if digest else data.hex()
    return {"usage": usage, "selector": selector, "matching": matching, "data": shown}


def host(
    *records: Json, status: str = "ok", authenticated: bool | None = True, address: bool | None = True, bogus: bool | None = None
) -> Json:
    tlsa: Json = {"status": status, "name": f"_25._tcp.{HOST}", "authenticated": authenticated, "bogus": bogus}
    tlsa["records"] = list(records)
    return {
        "host": HOST,
        "preference": 10,
        "addresses": ["192.0.2.1"],
        "error": None,
        "address_authenticated": address,
        "tlsa": tlsa,
    }


def dane(seen: Json, *chain: t.Any, mx: Json | None = None, **policy: t.Any) -> tuple[str, str | None, bool | None]:
    observed = answer(path(*chain, verified=[NO_ISSUER]), hosts=[seen], mx=mx or MX)
    judged = judge(observed, target=DOMAIN, view=VIEW, **{"require": "dane", **policy})
    [slug] = [finding for finding in judged.findings if finding.id.startswith("smtp.dane.")]
    only = judged.paths[0]
    return slug.id.rpartition(".")[2], only["state"], only["policy"]["met"]


OLD = server(HOST, not_after=NOW - DAY)
ELSEWHERE = server("other.example")
DANE: list[tuple[str, Json, tuple[t.Any, ...], tuple[str, str, bool | None]]] = [
    ("3 1 1", host(record(3, spki(LEAF))), (), ("verified", "verified", True)),
    ("3 0 2", host(record(3, der(LEAF.certificate), 0, 2)), (), ("verified", "verified", True)),
    ("3 1 0", host(record(3, spki(LEAF), 1, 0)), (), ("verified", "verified", True)),
    ("expired and of another name", host(record(3, spki(OLD))), (OLD, ISSUING), ("verified", "verified", True)),
    ("2 1 1", host(record(2, spki(ISSUING))), (), ("verified", "verified", True)),
    ("2 1 1, another name", host(record(2, spki(ISSUING))), (ELSEWHERE, ISSUING), ("mismatch", "encrypted", False)),
    ("2 1 1, expired", host(record(2, spki(ISSUING))), (OLD, ISSUING), ("mismatch", "encrypted", False)),
    ("2 1 1, not sent", host(record(2, spki(ISSUING))), (LEAF,), ("mismatch", "encrypted", False)),
    ("another key", host(record(3, spki(OLD))), (), ("mismatch", "encrypted", False)),
    ("rollover", host(record(3, spki(OLD)), record(3, spki(LEAF))), (), ("verified", "verified", True)),
    ("unsigned TLSA", host(record(3, spki(LEAF)), authenticated=False), (), ("unsigned", "encrypted", False)),
    ("AD not told", host(record(3, spki(LEAF)), authenticated=None), (), ("unsigned", "encrypted", False)),
    ("unsigned address", host(record(3, spki(LEAF)), address=False), (), ("unsigned", "encrypted", False)),
    ("bogus", host(status="servfail", authenticated=None, bogus=True), (), ("bogus", "encrypted", False)),
    ("a resolver that fails", host(status="servfail", bogus=False), (), ("not_judged", "encrypted", None)),
    ("none", host(status="no_data"), (), ("not_published", "encrypted", False)),
    ("timeout", host(status="timeout"), (), ("not_judged", "encrypted", None)),
    ("PKIX usages", host(record(1, spki(LEAF)), record(0, spki(ISSUING))), (), ("unusable", "encrypted", False)),
    (
        "a digest of the wrong length",
        host({"usage": 3, "selector": 1, "matching": 1, "data": "ab"}),
        (),
        ("unusable", "encrypted", False),
    ),
]


@pytest.mark.parametrize(("seen", "chain", "expected"), [case[1:] for case in DANE], ids=[case[0] for case in DANE])
def test_dane(seen: Json, chain: tuple[t.Any, ...], expected: tuple[str, str, bool | None]) -> None:
    assert dane(seen, *chain) == expected


def test_a_domain_without_mx_is_its_own_mail_host() -> None:
    none = {**MX, "status": "no_data", "records": []}
    view = DomainView("no_data", None, (), "nxdomain")
    assert statuses(judge(answer(path(), mx=none), target=DOMAIN, view=view))["mx.missing"] == "warn"
    assert statuses(judge(answer(mx=none), target=DOMAIN, view=view))["mx.missing"] == "fail"


def test_an_unsigned_mx_record_takes_dane_away() -> None:
    assert dane(host(record(3, spki(LEAF))), mx={**MX, "authenticated": False})[0] == "unsigned"


def test_dane_does_not_stand_for_a_store() -> None:
    """`require: verify` asks for PKIX, as the level of that name does in Postfix."""
    assert dane(host(record(3, spki(LEAF))), require="verify") == ("verified", "verified", False)


@pytest.mark.parametrize(
    ("mx", "view", "expected"),
    [
        (MX, VIEW, []),
        ({**MX, "status": "nxdomain", "records": []}, VIEW, ["mx.differs", "mx.missing"]),
        ({**MX, "status": "no_data", "records": []}, DomainView("no_data", None, (), "nxdomain"), ["mx.missing"]),
        ({**MX, "status": "null_mx", "records": []}, DomainView("null_mx", None, (), "nxdomain"), ["mx.null"]),
        ({**MX, "status": "timeout", "records": []}, VIEW, ["mx.not_resolved"]),
        (MX, DomainView("timeout", None, (), "nxdomain"), []),
        (MX, DomainView("ok", True, ((10, "mx.evil.example"),), "nxdomain"), ["mx.differs"]),
    ],
)
def test_mx_of_both_sides(mx: Json, view: DomainView, expected: list[str]) -> None:
    judged = judge(answer(path(), mx=mx), target=DOMAIN, view=view)
    assert sorted(slug for slug in found(judged) if slug.startswith("mx.")) == expected
    assert judged.mx[0]["controller"]["status"] == view.mx_status


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        ({"stage": "resolve", "code": "nxdomain"}, {"connect.failed": "fail"}),
        ({"stage": "resolve", "code": "servfail"}, {"connect.no_answer": "unknown"}),
        (None, {"connect.failed": "fail"}),
    ],
)
def test_a_mail_host_without_addresses(error: Json | None, expected: dict[str, str]) -> None:
    judged = judge(answer(hosts=[{**host(), "addresses": [], "error": error}], mx=MX), target=DOMAIN, view=VIEW)
    assert {slug: status for slug, status in statuses(judged).items() if slug.startswith("connect")} == expected


def test_mail_hosts_may_have_certificates_of_their_own_unless_the_others_share_one() -> None:
    def seen(*leaves: t.Any) -> bool:
        paths = [path(leaf, ISSUING, host=f"mx{number}.example.net") for number, leaf in enumerate(leaves)]
        return "addresses.differ" in found(judge(answer(*paths, mx=MX), target=DOMAIN, view=VIEW))

    assert not seen(LEAF, OLD, ELSEWHERE)
    assert not seen(LEAF, OLD)
    assert seen(LEAF, LEAF, OLD)


# --- MTA-STS

ENFORCED = b"version: STSv1\r\nmode: enforce\r\nmx: mx1.example.net\r\nmx: *.backup.example.net\r\nmax_age: 604800\r\n"
RECORD = DomainView("ok", True, ((10, HOST),), "ok", ("v=STSv1; id=20260301T000000;",))


def fetched(body: bytes = ENFORCED, status: int = 200, error: Json | None = None) -> Json:
    hop = {"url": "https://mta-sts.example.net/.well-known/mta-sts.txt", "http": {"status": status}}
    return {"id": "mta_sts:0", "op": "fetch", "error": error, "hops": [hop], "body": b64(body), "body_bytes": len(body)}


@pytest.mark.parametrize(
    ("view", "answered", "expected"),
    [
        (RECORD, fetched(), {"mta_sts.enforced": "pass"}),
        (RECORD, fetched(ENFORCED.replace(b"enforce", b"testing")), {"mta_sts.testing": "warn"}),
        (RECORD, fetched(ENFORCED.replace(b"enforce", b"none")), {"mta_sts.none": "not_applicable"}),
        (RECORD, fetched(ENFORCED.replace(b"mx1.", b"mx9.")), {"mta_sts.enforced": "pass", "mta_sts.mx_mismatch": "fail"}),
        (
            RECORD,
            fetched(ENFORCED.replace(b"mx1.", b"mx9.").replace(b"enforce", b"testing")),
            {"mta_sts.testing": "warn", "mta_sts.mx_mismatch": "warn"},
        ),
        (RECORD, fetched(b"<html>"), {"mta_sts.invalid": "fail"}),
        (RECORD, fetched(status=404), {"mta_sts.unavailable": "fail"}),
        (RECORD, fetched(error={"stage": "tls", "code": "verify_failed"}), {"mta_sts.unavailable": "fail"}),
        (RECORD, fetched(error={"stage": "http", "code": "redirect_limit"}), {"mta_sts.unavailable": "fail"}),
        (RECORD, fetched(error={"stage": "connect", "code": "refused"}), {"mta_sts.unavailable": "unknown"}),
        (VIEW, fetched(), {"mta_sts.not_published": "not_applicable"}),
        (DomainView(txt_status="timeout"), fetched(), {"mta_sts.unavailable": "unknown"}),
    ],
)
def test_mta_sts(view: DomainView, answered: Json, expected: dict[str, str]) -> None:
    judged = judge(answer(path(), mx=MX), answered, target=DOMAIN, view=view)
    assert {slug: status for slug, status in statuses(judged).items() if slug.startswith("mta_sts")} == expected


@pytest.mark.parametrize(
    ("texts", "published"),
    [
        (("v=STSv1; id=1",), True),
        (("v=STSv1;id=abc;", "other text"), True),
        (("v=STSv1; id=1", "v=STSv1; id=2"), False),
        (("v=STSv1;",), False),
        (("v=STSv2; id=1",), False),
        (("v=STSv1; id=" + "x" * 33,), False),
        ((), False),
    ],
)
def test_the_record(texts: tuple[str, ...], published: bool) -> None:
    assert is_published(texts) is published


def test_the_policy_file() -> None:
    assert parse_policy(ENFORCED) == StsPolicy("enforce", 604800, ("mx1.example.net", "*.backup.example.net"))
    assert parse_policy(ENFORCED.replace(b"\r\n", b"\n")) == parse_policy(ENFORCED)
    assert (
        parse_policy(b"version: STSv1\nmode: none\nmax_age: 99999999999".replace(b"99999999999", b"9999999999")).max_age
        == 31557600
    )


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"STSv1", b"STSv2"),
        (b"enforce", b"strict"),
        (b"604800", b"-1"),
        (b"604800", b"1 week"),
        (b"mx:", b"host:"),
        (b"mode", b"\xff"),
    ],
)
def test_a_policy_that_senders_ignore(old: bytes, new: bytes) -> None:
    with pytest.raises(PolicyError):
        parse_policy(ENFORCED.replace(old, new))


@pytest.mark.parametrize(
    ("name", "allowed"),
    [
        ("mx1.example.net", True),
        ("MX1.example.net.", True),
        ("a.backup.example.net", True),
        ("a.b.backup.example.net", False),
        ("backup.example.net", False),
    ],
)
def test_mx_hosts_of_a_policy(name: str, allowed: bool) -> None:
    assert covers_mx(parse_policy(ENFORCED), name) is allowed
