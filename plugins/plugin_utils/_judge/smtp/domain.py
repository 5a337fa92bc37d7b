# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""The mail domain: its MX as the host and as the controller resolve it, and its MTA-STS policy (RFC 8461)."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.mailops.tls.plugins.plugin_utils._judge.egress.answer import Answer
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.smtp.context import Talk
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.smtp.model import Mx
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.smtp.mta_sts import (
    MEDIA_TYPE,
    PolicyError,
    StsPolicy,
    covers_mx,
    is_published,
    parse_policy,
)
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.smtp.name import is_address

Answered = t.Literal["ok", "nxdomain", "no_data", "null_mx", "servfail", "timeout", "error", "not_asked"]

_ANSWERS: t.Final = ("ok", "no_data", "nxdomain", "null_mx")

# Where the way to the policy is shut for the host, which says nothing about the domain.
_HOST_STAGES: t.Final = ("request", "proxy", "connect", "any")
_NOT_THE_DOMAIN: t.Final = ("deadline", "internal", "timeout", "budget")


@dataclasses.dataclass(frozen=True)
class DomainView:
    """What the controller's resolver says about a mail domain. `authenticated` is its AD bit (RFC 4035 3.2.3).

    `texts` are the TXT records of `_mta-sts`; the `_status` fields tell how each question ended, `reason` why nobody asked.
    """

    mx_status: Answered = "not_asked"
    mx_authenticated: bool | None = None
    mx: tuple[tuple[int, str], ...] = ()
    txt_status: Answered = "not_asked"
    texts: tuple[str, ...] = ()
    reason: str = ""


def judge_mx(talk: Talk, domain: str, mx: Mx, view: DomainView, *, fallback: bool) -> dict[str, t.Any]:
    """The `mx` of a domain, and what the two lookups say. `fallback`: the domain itself has an address (RFC 5321 5.1)."""
    records = [{"preference": preference, "host": host} for preference, host in mx.records]
    seen = {"status": mx.status, "authenticated": mx.authenticated, "records": records}
    if mx.status == "null_mx":
        talk.say("mx.null", "the domain takes no mail (null MX)", evidence=seen)
    elif mx.status == "nxdomain":
        talk.say("mx.missing", "the domain does not exist", evidence=seen)
    elif mx.status == "no_data" or (mx.status == "ok" and not records):
        talk.say("mx.missing", "the domain has no MX record", evidence=seen, status="warn" if fallback else None)
    elif mx.status != "ok":
        detail = "There is an answer where DNSSEC validation is left out." if mx.bogus else ""
        talk.say("mx.not_resolved", f"its MX records were not obtained ({mx.status})", detail=detail, evidence=seen)
    controller = {
        "status": view.mx_status,
        "authenticated": view.mx_authenticated,
        "records": [{"preference": preference, "host": host} for preference, host in view.mx],
        "reason": view.reason or None,
    }
    _judge_addresses(talk, mx, seen)
    _judge_difference(talk, mx, view, seen, controller)
    return {"domain": domain, **seen, "controller": controller}


def _judge_difference(talk: Talk, mx: Mx, view: DomainView, seen: dict[str, t.Any], controller: dict[str, t.Any]) -> None:
    """Only what both did answer is compared: a lookup that failed is no other answer."""
    evidence = {"host": seen, "controller": controller}
    if mx.status not in _ANSWERS:
        return
    if view.mx_status not in _ANSWERS:
        reason = view.reason or view.mx_status
        text = f"the controller's resolver did not tell its MX records ({reason})"
        talk.say("mx.not_compared", text, evidence=evidence)
    elif (mx.status, set(mx.records)) != (view.mx_status, set(view.mx)):
        talk.say(
            "mx.differs",
            "the host and the controller are given different MX records",
            detail=f"Host: {_shown(mx.status, mx.records)}. Controller: {_shown(view.mx_status, view.mx)}.",
            evidence=evidence,
        )


def _judge_addresses(talk: Talk, mx: Mx, seen: dict[str, t.Any]) -> None:
    """RFC 5321 5.1: the exchange is a name that has addresses, never an address itself."""
    found = [host for _preference, host in mx.records if is_address(host)]
    if found:
        talk.say("mx.invalid", f"its MX records hold addresses instead of names: {', '.join(found)}", evidence=seen)


def _shown(status: str, records: t.Sequence[tuple[int, str]]) -> str:
    return ", ".join(f"{preference} {host}" for preference, host in sorted(records)) or status


def judge_mta_sts(talk: Talk, domain: str, hosts: t.Sequence[str], view: DomainView, answer: Answer | None) -> dict[str, t.Any]:
    """The `mta_sts` of a domain: TXT record by the controller, policy as the host fetched it, MX hosts against the policy."""
    found: dict[str, t.Any] = {"domain": domain, "published": None, "mode": None, "max_age": None, "mx": [], "mismatched": []}
    found["content_type"] = None
    if view.txt_status not in ("ok", "no_data", "nxdomain"):
        reason = view.reason or view.txt_status
        talk.say("mta_sts.unavailable", f"the TXT record _mta-sts.{domain} was not obtained ({reason})")
        return found
    found["published"] = is_published(view.texts)
    if not found["published"]:
        detail = "More than one record begins with v=STSv1." if sum(_begins(text) for text in view.texts) > 1 else ""
        talk.say("mta_sts.not_published", f"there is no MTA-STS record _mta-sts.{domain}", detail=detail)
        return found
    try:
        policy = _policy(talk, answer)
    except PolicyError as error:
        talk.say("mta_sts.invalid", f"the MTA-STS policy is not valid: {error}")
        return found
    if policy is not None:
        mismatched = [host for host in hosts if not covers_mx(policy, host)] if policy.mode != "none" else []
        found.update(mode=policy.mode, max_age=policy.max_age, mx=list(policy.mx), mismatched=mismatched)
        found["content_type"] = _content_type(answer)
        _judge_policy(talk, policy, mismatched, found)
    return found


def _content_type(answer: Answer | None) -> str | None:
    http = answer.hops[-1].http if answer is not None and answer.hops else None
    return http.headers.get("content-type") if http is not None else None


def _begins(text: str) -> bool:
    return text.startswith("v=STSv1")


def _policy(talk: Talk, answer: Answer | None) -> StsPolicy | None:
    """The policy that was fetched; None after a finding that says why not. Raises PolicyError for one that is not valid."""
    error = answer.error if answer is not None else None
    http = answer.hops[-1].http if answer is not None and answer.hops else None
    if answer is None or (error is not None and (error.stage in _HOST_STAGES or error.code in _NOT_THE_DOMAIN)):
        text = f"{error.stage} {error.code}: {error.message}" if error is not None else "the probe did not answer"
        talk.say("mta_sts.unavailable", "the host could not fetch the MTA-STS policy", detail=text)
        return None
    if error is not None:
        # RFC 8461 3.3: no redirects, and a certificate that is valid for the policy host.
        text = f"{error.stage} {error.code}: {error.message}"
        talk.say("mta_sts.unavailable", "the domain has no MTA-STS policy that can be fetched", detail=text, status="fail")
        return None
    if http is None or http.status != 200 or answer.body is None:
        status = http.status if http is not None else None
        talk.say(
            "mta_sts.unavailable",
            f"the MTA-STS policy is answered with HTTP status {status}",
            evidence={"status": status},
            status="fail",
        )
        return None
    return parse_policy(answer.body)


def _judge_policy(talk: Talk, policy: StsPolicy, mismatched: list[str], found: dict[str, t.Any]) -> None:
    if mismatched:
        talk.say(
            "mta_sts.mx_mismatch",
            f"the MTA-STS policy does not allow {', '.join(mismatched)}",
            evidence=found,
            status="fail" if policy.mode == "enforce" else "warn",
        )
    media = (found["content_type"] or "none").partition(";")[0].strip().lower()
    # RFC 8461 3.2: senders SHOULD look at it, and some ignore the policy then.
    detail = "" if media == MEDIA_TYPE else f"Its media type is {media} and should be {MEDIA_TYPE}."
    if policy.mode == "enforce":
        talk.say("mta_sts.enforced", "an MTA-STS policy is enforced", detail=detail, evidence=found)
    elif policy.mode == "testing":
        talk.say("mta_sts.testing", "the MTA-STS policy is only tested", detail=detail, evidence=found)
    else:
        talk.say("mta_sts.none", "the MTA-STS policy says that there is none", detail=detail, evidence=found)
