# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Results of hosts, judged for real from observations as the probe returns them."""

from __future__ import annotations

import datetime as dt
import typing as t

from ansible_collections.mailops.tls.plugins.plugin_utils._findings.model import verdict
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.egress.judgement import judge_egress
from ansible_collections.mailops.tls.plugins.plugin_utils._plan.egress.checks import EgressOptions, parse_endpoints, plan_egress

NOW = dt.datetime(2026, 11, 24, 9, 0, tzinfo=dt.timezone.utc)
OBSERVED = "2026-11-24T09:00:00Z"


def address(text: str, connected: bool | None = False) -> dict[str, t.Any]:
    code = None if connected is not False else "timeout"
    family = "ipv6" if ":" in text else "ipv4"
    return {"address": text, "family": family, "connected": connected, "ms": 5000, "errno": None, "code": code}


def blocked(url: str, *addresses: str, proxy: str | None = None) -> tuple[str, dict[str, t.Any]]:
    """An endpoint, and the answer of a probe whose packets were dropped on the way to it or to the proxy."""
    tried = [address(item) for item in addresses]
    stage = "proxy" if proxy else "connect"
    answer: dict[str, t.Any] = {
        "error": {"stage": stage, "code": "timeout", "errno": "ETIMEDOUT", "message": "timed out"},
        "proxy": None,
        "hops": [_hop(url, [] if proxy else tried)],
        "body": None,
        "body_bytes": 0,
    }
    if proxy:
        answer["proxy"] = {"url": proxy, "source": "environment", "tunnel": False, "authorization": False, "addresses": tried}
        answer["proxy"] |= {"status": None, "reason": None, "headers": {}}
    return url, answer


def reached(
    url: str, *addresses: str, redirects: t.Sequence[str] = (), proxy: str | None = None, proxy_address: str = "10.0.0.8"
) -> tuple[str, dict[str, t.Any]]:
    """An endpoint that answers, though with nothing useful; through a proxy its own addresses are not seen."""
    hops = [_hop(url, [] if proxy else [address(item, True) for item in addresses])]
    hops += [_hop(item, []) for item in redirects]
    hops[-1]["http"] = {"status": 200, "reason": "OK", "headers": {}, "ms": 3}
    answer: dict[str, t.Any] = {"error": None, "proxy": None, "hops": hops, "body": "eA==", "body_bytes": 1}
    if proxy:
        answer["proxy"] = {"url": proxy, "source": "environment", "tunnel": False, "authorization": False}
        answer["proxy"] |= {"addresses": [address(proxy_address, True)], "status": None, "reason": None, "headers": {}}
    return url, answer


def _hop(url: str, addresses: list[dict[str, t.Any]]) -> dict[str, t.Any]:
    host, _colon, port = url.split("/")[2].partition(":")
    return {
        "url": url,
        "host": host,
        "port": int(port or 80),
        "resolve": {"addresses": [item["address"] for item in addresses]},
        "addresses": addresses,
        "peer": None,
        "tls": None,
        "http": None,
    }


def result(*seen: tuple[str, dict[str, t.Any]]) -> dict[str, t.Any]:
    """What ca_egress_info returns for these answers."""
    checks = plan_egress([], parse_endpoints([url for url, _answer in seen]), options=EgressOptions())
    answers = [{"id": check.request["id"], **answer} for check, (_url, answer) in zip(checks, seen, strict=True)]
    judged = judge_egress(checks, {"answers": answers}, host="h", now=NOW, observed_at=OBSERVED)
    values = {"endpoints": judged.endpoints, "firewall_rules": judged.firewall_rules, "observed_at": OBSERVED}
    return {**values, **verdict(judged.findings)}


def entry(host: str, *seen: tuple[str, dict[str, t.Any]]) -> dict[str, t.Any]:
    return {"host": host, "state": "checked", "result": result(*seen)}
