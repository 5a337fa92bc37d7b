# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What DNS says beside the wire: MX on both sides, and MTA-STS."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.smtp.context import Expect
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.smtp.domain import DomainView
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.smtp.mta_sts import (
    PolicyError,
    StsPolicy,
    covers_mx,
    is_published,
    parse_policy,
)
from ansible_collections.mailops.tls.plugins.plugin_utils._plan.smtp.targets import Target

from tests.unit.judge.pki import DAY, NOW, b64
from tests.unit.smtp.observed import HOST, ISSUING, LEAF, Json, answer, found, judge, path, server, statuses

DOMAIN = Target(domain="example.net")
MX: Json = {"status": "ok", "authenticated": True, "records": [{"preference": 10, "host": HOST}]}
VIEW = DomainView("ok", True, ((10, HOST),), "nxdomain")
NO_HOST: Json = {"host": HOST, "preference": 10, "addresses": [], "error": None, "address_authenticated": None, "tlsa": None}
OLD, ELSEWHERE = server(HOST, not_after=NOW - DAY), server("other.example")


def test_a_domain_without_mx_is_its_own_mail_host() -> None:
    none = {**MX, "status": "no_data", "records": []}
    view = DomainView("no_data", None, (), "nxdomain")
    assert statuses(judge(answer(path(), mx=none), target=DOMAIN, view=view))["mx.missing"] == "warn"
    assert statuses(judge(answer(mx=none), target=DOMAIN, view=view))["mx.missing"] == "fail"


@pytest.mark.parametrize(
    ("mx", "view", "expected"),
    [
        (MX, VIEW, []),
        ({**MX, "status": "nxdomain", "records": []}, VIEW, ["mx.differs", "mx.missing"]),
        ({**MX, "status": "no_data", "records": []}, DomainView("no_data", None, (), "nxdomain"), ["mx.missing"]),
        ({**MX, "status": "null_mx", "records": []}, DomainView("null_mx", None, (), "nxdomain"), ["mx.null"]),
        ({**MX, "status": "timeout", "records": []}, VIEW, ["mx.not_resolved"]),
        (MX, DomainView("timeout", None, (), "nxdomain"), ["mx.not_compared"]),
        (MX, DomainView(reason="no dnspython"), ["mx.not_compared"]),
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
    judged = judge(answer(hosts=[{**NO_HOST, "error": error}], mx=MX), target=DOMAIN, view=VIEW)
    assert {slug: status for slug, status in statuses(judged).items() if slug.startswith("connect")} == expected


def test_an_address_as_mail_exchanger_is_said() -> None:
    literal = {**MX, "records": [{"preference": 10, "host": "192.0.2.7"}, {"preference": 20, "host": HOST}]}
    finding = found(judge(answer(path(), mx=literal), target=DOMAIN, view=VIEW))["mx.invalid"]
    assert (finding.status, "192.0.2.7" in finding.summary) == ("warn", True)


FOREIGN = "mx.hoster.example"


@pytest.mark.parametrize(
    ("host", "names", "authenticated", "policy", "told"),
    [
        (FOREIGN, [FOREIGN], False, {}, True),
        (FOREIGN, [FOREIGN], None, {}, True),
        (FOREIGN, [FOREIGN], True, {}, False),
        (FOREIGN, [FOREIGN], False, {"expect": Expect(name=FOREIGN)}, False),
        # The domain's own names are those that a forger gets no certificate for: Postfix's nexthop and dot-nexthop.
        (HOST, [HOST], False, {}, False),
        ("example.net", ["example.net"], False, {}, False),
        (FOREIGN, [FOREIGN, "example.net"], False, {}, False),
        ("evil-example.net", ["evil-example.net"], False, {}, True),
        # A name that does not match has its own finding.
        (FOREIGN, ["other.example"], False, {}, False),
    ],
)
def test_a_name_from_dns_without_dnssec(
    host: str, names: list[str], authenticated: bool | None, policy: dict[str, t.Any], told: bool
) -> None:
    mx = {**MX, "authenticated": authenticated, "records": [{"preference": 10, "host": host}]}
    judged = judge(answer(path(server(*names), ISSUING, host=host), mx=mx), target=DOMAIN, view=VIEW, require="verify", **policy)
    assert ("name.unauthenticated_mx" in found(judged)) is told
    if told:
        assert found(judged)["name.unauthenticated_mx"].status == "warn"
        assert judged.paths[0]["state"] == "verified"


def test_the_name_of_a_smart_host_is_the_users_own() -> None:
    assert "name.unauthenticated_mx" not in found(judge(answer(path(server(FOREIGN), ISSUING, host=FOREIGN)), require="verify"))


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


def fetched(
    body: bytes = ENFORCED, status: int = 200, error: Json | None = None, media: str = "text/plain; charset=utf-8"
) -> Json:
    head = {"status": status, "headers": {"content-type": media}}
    hop = {"url": "https://mta-sts.example.net/.well-known/mta-sts.txt", "http": head}
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


@pytest.mark.parametrize(("media", "noted"), [("text/plain", False), ("Text/Plain; charset=utf-8", False), ("text/html", True)])
def test_the_media_type_of_a_policy_is_noted_and_no_failure(media: str, noted: bool) -> None:
    judged = judge(answer(path(), mx=MX), fetched(media=media), target=DOMAIN, view=RECORD)
    finding = found(judged)["mta_sts.enforced"]
    assert (finding.status, "media type" in finding.detail) == ("pass", noted)
    assert judged.mta_sts[0]["content_type"] == media


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
