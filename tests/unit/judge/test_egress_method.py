# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""OCSP by POST and by GET (RFC 6960 appendix A.1): what is asked, and the one verdict drawn from both."""

from __future__ import annotations

import base64
import dataclasses
import typing as t
import urllib.parse

import pytest
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.egress.judgement import EgressJudgement, judge_egress
from ansible_collections.mailops.tls.plugins.plugin_utils._plan.egress.checks import EgressOptions, parse_endpoints, plan_egress
from ansible_collections.mailops.tls.tests.unit.judge import egress_cases as cases
from ansible_collections.mailops.tls.tests.unit.judge import pki
from cryptography.x509 import ocsp

CHECK = dataclasses.replace(cases.check("ocsp"), by_get={"id": "egress:0:get", "op": "fetch"})
REVOKED = ocsp.OCSPCertStatus.REVOKED
GOOD = cases.answer(cases.respond())
NOT_THERE = cases.answer(b"<html>", [cases.hop(cases.URLS["ocsp"], status=405)])


def judge(post: t.Any, get: t.Any) -> EgressJudgement:
    answers = [{**post, "id": "egress:0"}, {**get, "id": "egress:0:get"}]
    observed = {"schema": 1, "clock": pki.NOW.timestamp(), "answers": answers}
    return judge_egress([CHECK], observed, host="mx1", now=pki.NOW, observed_at="2026-03-01T12:00:00Z")


@pytest.mark.parametrize(
    ("post", "get", "cause", "warned"),
    [
        (GOOD, GOOD, "ok", None),
        (GOOD, NOT_THERE, "ok", "answers POST but not GET"),
        (NOT_THERE, GOOD, "ok", "answers GET but not POST"),
        (NOT_THERE, NOT_THERE, "http_status", None),
        (GOOD, cases.answer(cases.respond(status=REVOKED)), "ocsp_revoked", None),
        (cases.answer(cases.respond(status=REVOKED)), GOOD, "ocsp_revoked", None),
        # A replayed answer to POST stays bad news, although GET, which has no nonce, cannot tell.
        (cases.answer(cases.respond(nonce=b"x" * 32)), GOOD, "ocsp_nonce_mismatch", None),
        (GOOD, cases.failed("connect", "timeout"), "ok", None),
        (cases.failed("connect", "timeout"), cases.failed("connect", "timeout"), "tcp_timeout", None),
    ],
)
def test_one_verdict_from_both(post: t.Any, get: t.Any, cause: str, warned: str | None) -> None:
    judged = judge(post, get)
    assert [endpoint["cause"] for endpoint in judged.endpoints] == [cause]
    warnings = [finding for finding in judged.findings if finding.id == "egress.ocsp.one_method"]
    assert [finding.status for finding in warnings] == (["warn"] if warned else [])
    if warned:
        assert warned in warnings[0].summary
        assert sorted(judged.endpoints[0]["ocsp"]["methods"]) == ["GET", "POST"]


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://ocsp.lab", True),
        ("http://ocsp.lab/", True),
        ("http://ocsp.lab/with/a/path", True),
        ("http://ocsp.lab/?tenant=1", False),  # what would follow a query is anybody's guess
        (f"http://ocsp.lab/{'x' * 200}", False),  # RFC 5019 section 5: at most 255 bytes
    ],
)
def test_short_questions_are_asked_by_get_as_well(url: str, expected: bool) -> None:
    leaf = cases.ROOT.issue("mail.example", urls={"ocsp": [url]})
    (check,) = plan_egress((), certificate=leaf.pem + cases.ROOT.pem, options=EgressOptions())
    assert check.request["method"] == "POST"
    assert (check.by_get is not None) is expected
    assert len(check.requests) == (2 if expected else 1)
    if check.by_get is None:
        return
    asked = check.by_get["url"]
    assert len(asked) <= 255
    encoded = asked.removeprefix(f"{url.rstrip('/')}/")
    assert "/" not in encoded
    request = ocsp.load_der_ocsp_request(base64.b64decode(urllib.parse.unquote(encoded)))
    assert request.serial_number == leaf.certificate.serial_number
    assert not list(request.extensions), "no nonce, so that caches can answer"
    assert (check.by_get["method"], check.by_get["body"]) == ("GET", None)


def test_where_nothing_is_known_to_ask_about_post_alone_shows_the_way() -> None:
    endpoints = [{"url": "http://ocsp.lab/", "kind": "ocsp"}]
    (check,) = plan_egress((), parse_endpoints(endpoints), options=EgressOptions())
    assert check.by_get is None
