# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rounds of learning before the check itself, against a host that is played by the test."""

from __future__ import annotations

import base64
import typing as t

import pytest
from ansible_collections.mailops.tls.plugins.plugin_utils._action.base import MAX_ROUNDS, InfoAction
from ansible_collections.mailops.tls.plugins.plugin_utils._action.section_egress import EgressSection
from ansible_collections.mailops.tls.plugins.plugin_utils._action.section_served_chain import ServedChainSection
from ansible_collections.mailops.tls.tests.unit.judge import pki

Request = dict[str, t.Any]
Host = t.Callable[[Request], dict[str, t.Any]]

ARGS: dict[str, t.Any] = {name: option.get("default") for name, option in ServedChainSection.OPTIONS.items()}
ARGS |= {"timeout": 5.0, "deadline": 16.0}


class Action(InfoAction):
    """An info plugin whose host is a function from a request to the fields of its answer."""

    def __init__(self, host: Host, elapsed_ms: t.Any = 0) -> None:
        self.host, self.elapsed_ms = host, elapsed_ms
        self.rounds: list[tuple[float, list[str]]] = []

    def _observe(self, requests: list[Request], _secrets: t.Any, args: dict[str, t.Any], *_more: t.Any) -> dict[str, t.Any]:
        self.rounds.append((args["deadline"], [request["id"] for request in requests]))
        answers = [{"id": request["id"], "error": None, **self.host(request)} for request in requests]
        return {"schema": 1, "elapsed_ms": self.elapsed_ms, "answers": answers}


def learn(section: EgressSection, host: Host, **more: t.Any) -> tuple[Action, float]:
    action = Action(host, **more)
    return action, action._learn([section], ARGS, {}, {})


def tower(levels: int) -> tuple[pki.Authority, dict[str, bytes]]:
    """A leaf below so many CAs, and what each CA issuers URL serves."""
    authority, served = pki.make_root(), {}
    for level in range(levels):
        url = f"http://aia.test/{level}"
        served[url] = pki.der(authority.certificate)
        authority = authority.issue(f"Level {level}", ca=level < levels - 1, urls={"ca_issuers": [url]})
    return authority, served


def serving(served: dict[str, bytes]) -> Host:
    return lambda request: {"hops": [], "body": pki.b64(served[request["url"]])}


def test_a_chain_is_followed_level_by_level_up_to_its_root():
    leaf, served = tower(3)
    section = ServedChainSection({**ARGS, "certificate": leaf.pem}, ())
    action, left = learn(section, serving(served))
    assert [ids for _deadline, ids in action.rounds] == [[f"issuer:http://aia.test/{level}"] for level in (2, 1, 0)]
    assert {check.endpoint.url for check in section.checks} == set(served)
    assert left == 16.0


def test_at_most_four_levels():
    leaf, served = tower(7)
    action, _left = learn(ServedChainSection({**ARGS, "certificate": leaf.pem}, ()), serving(served))
    assert len(action.rounds) == 4


def test_a_served_chain_comes_first_and_then_what_it_lacks():
    leaf, served = tower(2)

    def host(request: Request) -> dict[str, t.Any]:
        if request["op"] == "chain":
            return {"hops": [{"tls": {"chain": [base64.b64encode(pki.der(leaf.certificate)).decode()]}}]}
        return serving(served)(request)

    section = ServedChainSection({**ARGS, "server": "mx.test:25"}, ())
    action, _left = learn(section, host)
    assert [ids for _deadline, ids in action.rounds] == [["server"], ["issuer:http://aia.test/1"], ["issuer:http://aia.test/0"]]
    assert section.error is None


@pytest.mark.parametrize("answer", [{}, {"hops": None}, {"hops": [{"tls": {"chain": ["?"]}}]}, {"hops": [{"tls": 5}]}])
def test_a_server_without_a_chain_is_an_error_to_report(answer: dict[str, t.Any]):
    section = ServedChainSection({**ARGS, "server": "mx.test:25"}, ())
    action, _left = learn(section, lambda _request: answer)
    assert len(action.rounds) == 1
    assert section.error is not None
    assert section.error["message"] == "no certificate was presented"


def test_what_cannot_be_fetched_is_asked_for_once():
    leaf, _served = tower(2)
    action, _left = learn(ServedChainSection({**ARGS, "certificate": leaf.pem}, ()), lambda _request: {"body": None})
    assert len(action.rounds) == 1


@pytest.mark.parametrize("elapsed_ms", [10**9, None, "long", True, -5])
def test_all_rounds_keep_to_the_deadline_and_leave_time_for_the_check(elapsed_ms: t.Any):
    leaf, served = tower(6)
    action, left = learn(ServedChainSection({**ARGS, "certificate": leaf.pem}, ()), serving(served), elapsed_ms=elapsed_ms)
    assert [deadline for deadline, _ids in action.rounds] == [8.0, 4.0, 2.0, 1.0]
    assert left == 1.0
    assert sum(deadline for deadline, _ids in action.rounds) + left == 16.0


def test_readiness_keeps_to_one_execution():
    leaf, served = tower(3)
    action, left = learn(EgressSection({**ARGS, "certificate": leaf.pem}, ()), serving(served))
    assert (action.rounds, left) == ([], 16.0)


def test_a_section_that_never_stops_asking_is_stopped():
    class Curious(EgressSection):
        def preliminary_requests(self) -> list[Request]:
            return [{"id": "again"}]

    action, _left = learn(Curious(ARGS, ()), lambda _request: {})
    assert len(action.rounds) == MAX_ROUNDS
