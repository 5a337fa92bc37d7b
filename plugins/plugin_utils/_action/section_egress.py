# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""The section that checks whether the host reaches the CA endpoints, and whether what it gets there is good."""

from __future__ import annotations

import datetime as dt
import typing as t

from ansible_collections.mailops.tls.plugins.plugin_utils._action.base import Moment, Section
from ansible_collections.mailops.tls.plugins.plugin_utils._action.options import EGRESS_OPTIONS, ArgumentSpec
from ansible_collections.mailops.tls.plugins.plugin_utils._action.proxy import PROXY_SECRET, parse_proxy
from ansible_collections.mailops.tls.plugins.plugin_utils._findings.model import Finding
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.egress.clock import judge_clock
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.egress.judgement import judge_egress
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.egress.sources import judge_sources
from ansible_collections.mailops.tls.plugins.plugin_utils._plan.egress.checks import EgressOptions, parse_endpoints, plan_egress
from ansible_collections.mailops.tls.plugins.plugin_utils._plan.egress.pool import followed_certificates
from ansible_collections.mailops.tls.plugins.plugin_utils._profiles.model import Profile


class EgressSection(Section):
    """Plans the requests at construction, so that bad input is refused before anything runs on a host."""

    OPTIONS: t.ClassVar[ArgumentSpec] = EGRESS_OPTIONS

    def __init__(self, args: t.Mapping[str, t.Any], profiles: tuple[Profile, ...]) -> None:
        super().__init__(args, profiles)
        choice = parse_proxy(args["proxy"], args["proxy_username"], args["proxy_password"])
        if choice.authorization is not None:
            self.secrets[PROXY_SECRET] = choice.authorization
        self.options = EgressOptions(
            proxy=choice.proxy,
            proxy_authorization=PROXY_SECRET if choice.authorization is not None else None,
            timeout=args["timeout"],
            address_family=args["address_family"],
            each_address=args["each_address"],
            max_bytes=args["max_bytes"],
        )
        self.chain: tuple[bytes, ...] = ()
        self._plan()

    def _plan(self) -> None:
        self.checks = plan_egress(
            self.profiles,
            parse_endpoints(self.args["endpoints"]),
            certificate=self.args["certificate"],
            chain=self.chain,
            issuers=self.args["issuers"],
            options=self.options,
        )

    def requests(self) -> list[dict[str, t.Any]]:
        return [request for check in self.checks for request in check.requests]

    def judge(self, observations: dict[str, t.Any], moment: Moment) -> tuple[dict[str, t.Any], list[Finding]]:
        judged = judge_egress(self.checks, observations, host=moment.host, now=moment.now, observed_at=moment.observed_at)
        findings = [*judged.findings]
        if self.checks:  # a clock matters where something with dates was fetched
            began = moment.now - dt.timedelta(seconds=moment.round_trip_s)
            findings += judge_clock(
                observations,
                host=moment.host,
                now_at_probe=began,
                round_trip_s=moment.round_trip_s,
                observed_at=moment.observed_at,
            )
        seen = followed_certificates(self.args["certificate"], self.chain)
        findings += judge_sources(self.profiles, seen, host=moment.host, observed_at=moment.observed_at)
        return {"endpoints": judged.endpoints, "firewall_rules": judged.firewall_rules}, findings
