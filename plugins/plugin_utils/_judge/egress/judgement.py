# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""Judge what a host saw of the CA endpoints: one result and one finding per endpoint, and what to ask the firewall team for."""

from __future__ import annotations

import dataclasses
import datetime as dt
import typing as t
import urllib.parse

from ansible_collections.mailops.tls.plugins.plugin_utils._findings.model import Finding, sort_key
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.egress.answer import Answer, answers_by_id
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.egress.clock import judge_clock
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.egress.content import Content, judge_content
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.egress.method import by_both, method_finding
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.egress.policy import EgressPolicy
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.egress.rules import firewall_rules
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.egress.stages import Outcome, transport_outcome
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.egress.wording import (
    Judged,
    endpoint_finding,
    endpoint_status,
    partial_finding,
)
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.x509 import clean, name_text
from ansible_collections.mailops.tls.plugins.plugin_utils._plan.egress.check import EgressCheck

__all__ = ["EgressJudgement", "EgressPolicy", "judge_clock", "judge_egress"]


@dataclasses.dataclass(frozen=True)
class EgressJudgement:
    """`endpoints` and `firewall_rules` as ca_egress_info returns them, and the findings, sorted."""

    endpoints: list[dict[str, t.Any]]
    firewall_rules: list[dict[str, t.Any]]
    findings: list[Finding]


def judge_egress(
    checks: t.Sequence[EgressCheck],
    observations: t.Any,
    *,
    host: str,
    now: dt.datetime,
    observed_at: str,
    policy: EgressPolicy | None = None,
) -> EgressJudgement:
    """Judge the answers to planned checks. `now` is the controller's time, aware UTC; a host's own clock may be wrong.

    A request that the probe did not answer, or could not do, is unknown; so is one cut off by the overall deadline.
    """
    answers = answers_by_id(observations)
    judged = [_judge_check(check, answers, now, policy or EgressPolicy()) for check in checks]
    findings = []
    for item in judged:
        findings.append(endpoint_finding(item, host, observed_at))
        findings += partial_finding(item, host, observed_at)
        findings += method_finding(item, host, observed_at)
    return EgressJudgement(
        endpoints=[item.result for item in judged],
        firewall_rules=firewall_rules(judged),
        findings=sorted(findings, key=sort_key),
    )


def _judge_check(check: EgressCheck, answers: t.Mapping[str, Answer], now: dt.datetime, policy: EgressPolicy) -> Judged:
    judged = _judge(check, answers.get(check.request["id"]), now, policy)
    if check.by_get is None or check.question is None:
        return judged
    plain = dataclasses.replace(check, question=dataclasses.replace(check.question, nonce=None))
    return by_both(judged, _judge(plain, answers.get(check.by_get["id"]), now, policy))


def _judge(check: EgressCheck, answer: Answer | None, now: dt.datetime, policy: EgressPolicy) -> Judged:
    outcome, content = transport_outcome(answer, check.known, now), None
    if outcome is None:
        # No outcome means that the way there is clear, so there is an answer.
        outcome, content = _content_outcome(check, t.cast(Answer, answer), now, policy)
    return Judged(check, answer, outcome, _result(check, answer, outcome, content))


def _content_outcome(
    check: EgressCheck, answer: Answer, now: dt.datetime, policy: EgressPolicy
) -> tuple[Outcome, Content | None]:
    if check.request["op"] == "connect":
        return Outcome(
            "ok", "connect", "The connection was set up. What is served there was not checked, for want of a URL."
        ), None
    if answer.hops[-1].http is None or (answer.body is None and answer.body_bytes):
        return Outcome("not_observed", "body", "The probe returned no content to judge."), None
    content = judge_content(check, answer.body or b"", now, policy)
    cause, detail = content.cause, content.detail
    if len(answer.hops) > 1 and cause in ("ok", "not_a_crl", "not_an_ocsp_response", "not_a_certificate"):
        # What is wrong with real revocation data stays the cause, wherever it came from.
        cause, detail = "redirected", f"The request was redirected to {answer.hops[-1].url}. {detail}"
    return Outcome(cause, "content", detail), content


def _result(check: EgressCheck, answer: Answer | None, outcome: Outcome, content: Content | None) -> dict[str, t.Any]:
    """The contract's dict of one endpoint. `addresses` are those of the endpoint itself, not of where it redirects to."""
    first = answer.hops[0] if answer and answer.hops else None
    endpoint = check.endpoint
    issuer = endpoint.issuer or (name_text(check.expected_names[0]) if check.expected_names else None)
    host, port = _host_and_port(check)
    return {
        "url": endpoint.url,
        "host": host,
        "port": port,
        "kind": endpoint.kind,
        "issuer": issuer,
        "profiles": list(check.profiles),
        "status": endpoint_status(outcome.cause, content.cause if content else None),
        "cause": outcome.cause,
        "stage": outcome.stage,
        "detail": outcome.detail,
        "addresses": [item.as_dict() for item in first.addresses] if first else [],
        "redirects": [hop.url for hop in answer.hops[1:]] if answer else [],
        "proxy": _proxy(answer),
        "http": _http(answer),
        "crl": content.crl if content else None,
        "ocsp": content.ocsp if content else None,
        "certificates": content.certificates if content else None,
        "elapsed_ms": answer.elapsed_ms if answer else None,
    }


def _host_and_port(check: EgressCheck) -> tuple[str | None, int | None]:
    if check.endpoint.url is None:
        return check.endpoint.host, check.endpoint.port
    try:
        parts = urllib.parse.urlsplit(check.endpoint.url)
        return parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme.lower())
    except ValueError:
        return None, None


def _proxy(answer: Answer | None) -> dict[str, t.Any] | None:
    if answer is None or answer.proxy is None:
        return None
    proxy = answer.proxy
    return {
        "url": proxy.url,
        "source": proxy.source,
        "tunnel": proxy.tunnel,
        "authorization": proxy.authorization,
        "addresses": [item.as_dict() for item in proxy.addresses],
        "status": proxy.status,
        "reason": proxy.reason,
    }


def _http(answer: Answer | None) -> dict[str, t.Any] | None:
    http = answer.hops[-1].http if answer and answer.hops else None
    if http is None or answer is None:
        return None
    return {
        "status": http.status,
        "reason": http.reason,
        "content_type": clean(http.headers["content-type"], 100) if "content-type" in http.headers else None,
        "server": clean(http.headers["server"], 100) if "server" in http.headers else None,
        "date": clean(http.headers["date"], 40) if "date" in http.headers else None,
        "bytes": answer.body_bytes,
        "ms": http.ms,
    }
