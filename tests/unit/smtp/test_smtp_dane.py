# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""DANE: TLSA records of every kind against real chains, and anchors by the verdict of a real openssl."""

from __future__ import annotations

import functools
import hashlib
import typing as t
from unittest import mock

import pytest
from ansible_collections.mailops.tls.plugins.module_utils._probe import openssl, smtpverify
from ansible_collections.mailops.tls.plugins.module_utils._probe.base import Run
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.smtp.domain import DomainView
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.x509 import public_key_bytes
from ansible_collections.mailops.tls.plugins.plugin_utils._plan.smtp.targets import Target
from cryptography import x509

from tests.unit.judge.pki import DAY, NOW, Authority, der, make_root
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
    *records: Json,
    status: str = "ok",
    authenticated: bool | None = True,
    address: bool | None = True,
    alias: bool | None = None,
    bogus: bool | None = None,
) -> Json:
    tlsa: Json = {"status": status, "name": f"_25._tcp.{HOST}", "authenticated": authenticated, "bogus": bogus}
    tlsa["records"] = list(records)
    return {
        "host": HOST,
        "preference": 10,
        "addresses": ["192.0.2.1"],
        "error": None,
        "address_authenticated": address,
        "alias_authenticated": alias,
        "tlsa": tlsa,
    }


def anchored(chain: t.Sequence[Authority], seen: Json) -> list[Json]:
    """What the host's own openssl says, as the probe would ask it, at the time of these certificates."""
    ders = [der(item.certificate) for item in chain]
    run = Run(60, 0, {}, {}, "/nonexistent")
    at = functools.partial(openssl.verify, at=NOW.timestamp())
    with mock.patch.object(smtpverify, "verify", at):
        return t.cast("list[Json]", smtpverify.with_anchors(run, ders, seen["tlsa"]["records"], 10))


def dane(seen: Json, *chain: t.Any, mx: Json | None = None, **policy: t.Any) -> tuple[str, str | None, bool | None]:
    served = chain or (LEAF, ISSUING)
    observed = answer(path(*chain, verified=[NO_ISSUER], anchored=anchored(served, seen)), hosts=[seen], mx=mx or MX)
    judged = judge(observed, target=DOMAIN, view=VIEW, **{"require": "dane", **policy})
    [slug] = [finding for finding in judged.findings if finding.id.startswith("smtp.dane.")]
    only = judged.paths[0]
    return slug.id.rpartition(".")[2], only["state"], only["policy"]["met"]


OLD = server(HOST, not_after=NOW - DAY)
ELSEWHERE = server("other.example")
CLIENT = server(HOST, more=[(x509.ExtendedKeyUsage([x509.ExtendedKeyUsageOID.CLIENT_AUTH]), False)])
UNDER = server(HOST, issuer=LEAF)
OTHER = make_root("Other Root")
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
    ("2 1 1 of the certificate itself", host(record(2, spki(LEAF))), (), ("mismatch", "encrypted", False)),
    ("2 1 1, itself sent twice", host(record(2, spki(LEAF))), (LEAF, LEAF, ISSUING), ("mismatch", "encrypted", False)),
    ("2 0 0 of the certificate itself", host(record(2, der(LEAF.certificate), 0, 0)), (), ("mismatch", "encrypted", False)),
    ("2 0 1, not for servers", host(record(2, der(ISSUING.certificate), 0)), (CLIENT, ISSUING), ("mismatch", "encrypted", False)),
    (
        "2 0 1, no CA in between",
        host(record(2, der(ISSUING.certificate), 0)),
        (UNDER, LEAF, ISSUING),
        ("mismatch", "encrypted", False),
    ),
    ("2 0 0, not sent", host(record(2, der(ISSUING.certificate), 0, 0)), (LEAF,), ("verified", "verified", True)),
    ("2 0 0 of a stranger", host(record(2, der(OTHER.certificate), 0, 0)), (), ("mismatch", "encrypted", False)),
    ("2 1 0, not sent", host(record(2, spki(ISSUING), 1, 0)), (LEAF,), ("not_judged", "encrypted", None)),
    ("rollover", host(record(3, spki(OLD)), record(3, spki(LEAF))), (), ("verified", "verified", True)),
    ("unsigned TLSA", host(record(3, spki(LEAF)), authenticated=False), (), ("unsigned", "encrypted", False)),
    ("AD not told", host(record(3, spki(LEAF)), authenticated=None), (), ("unsigned", "encrypted", False)),
    ("unsigned address", host(record(3, spki(LEAF)), address=False), (), ("unsigned", "encrypted", False)),
    ("address not told", host(record(3, spki(LEAF)), address=None), (), ("not_judged", "encrypted", None)),
    (
        "a secure alias of an insecure name",
        host(record(3, spki(LEAF)), address=False, alias=True),
        (),
        ("verified", "verified", True),
    ),
    ("an alias that is not", host(record(3, spki(LEAF)), address=False, alias=False), (), ("unsigned", "encrypted", False)),
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


def test_an_unsigned_mx_record_takes_dane_away() -> None:
    assert dane(host(record(3, spki(LEAF))), mx={**MX, "authenticated": False})[0] == "unsigned"


def test_dane_does_not_stand_for_a_store() -> None:
    """`require: verify` asks for PKIX, as the level of that name does in Postfix."""
    assert dane(host(record(3, spki(LEAF))), require="verify") == ("verified", "verified", False)


@pytest.mark.parametrize("status", ["timeout", "servfail"])
def test_dane_that_was_not_seen_is_not_folded_where_the_store_trusts(status: str) -> None:
    judged = judge(answer(path(), hosts=[host(status=status)], mx=MX), target=DOMAIN, view=VIEW, require="dane")
    only = judged.paths[0]
    assert (only["state"], only["verified_by"], only["policy"]["met"]) == ("verified", ["pkix"], None)
    assert statuses(judged)["policy.not_met"] == "unknown"


def test_a_chain_that_was_not_seen_whole_is_no_mismatch() -> None:
    observed = answer(path(LEAF, verified=[NO_ISSUER], chain_source="leaf only"), hosts=[host(record(2, spki(ISSUING)))], mx=MX)
    assert "dane.not_judged" in found(judge(observed, target=DOMAIN, view=VIEW, require="dane"))


def test_without_a_verdict_of_openssl_an_anchor_is_not_judged() -> None:
    for silent in ([], [{"sha256": ISSUING.sha256, "ok": None, "code": None, "message": "openssl: not found"}]):
        observed = answer(path(anchored=silent), hosts=[host(record(2, spki(ISSUING)))], mx=MX)
        assert "dane.not_judged" in found(judge(observed, target=DOMAIN, view=VIEW))


@pytest.mark.parametrize(
    ("chain", "why"), [((CLIENT, ISSUING), "certificate purpose (26)"), ((ELSEWHERE, ISSUING), "none of the names")]
)
def test_why_an_anchor_does_not_match(chain: tuple[Authority, ...], why: str) -> None:
    seen = host(record(2, der(ISSUING.certificate), 0))
    observed = answer(path(*chain, anchored=anchored(chain, seen)), hosts=[seen], mx=MX)
    assert why in judge(observed, target=DOMAIN, view=VIEW).paths[0]["dane"]["detail"]
