# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""The section that checks whether the stores of the host trust the roots."""

from __future__ import annotations

import datetime as dt
import typing as t

from ansible_collections.mailops.tls.plugins.plugin_utils._action.base import Moment, Section
from ansible_collections.mailops.tls.plugins.plugin_utils._action.options import TRUST_OPTIONS, ArgumentSpec
from ansible_collections.mailops.tls.plugins.plugin_utils._findings.model import Finding
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.trust.judgement import judge_trust
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.trust.rehearsal import judge_rehearsal
from ansible_collections.mailops.tls.plugins.plugin_utils._plan.trust.checks import AUTO, MAIL, parse_stores, plan_trust
from ansible_collections.mailops.tls.plugins.plugin_utils._plan.trust.discovery import MAIN_CF, plan_discovery
from ansible_collections.mailops.tls.plugins.plugin_utils._plan.trust.rehearsal import plan_rehearsal
from ansible_collections.mailops.tls.plugins.plugin_utils._plan.trust.sources import plan_sources
from ansible_collections.mailops.tls.plugins.plugin_utils._profiles.loader import select_roots, shipped_profiles
from ansible_collections.mailops.tls.plugins.plugin_utils._profiles.model import Profile


class TrustSection(Section):
    """Plans the requests at construction, so that bad input is refused before anything runs on a host."""

    OPTIONS: t.ClassVar[ArgumentSpec] = TRUST_OPTIONS

    def __init__(self, args: t.Mapping[str, t.Any], profiles: tuple[Profile, ...]) -> None:
        super().__init__(args, profiles)
        roots = select_roots(args["roots"])
        self.checks = plan_trust(profiles, roots, parse_stores(args["stores"]), intermediates=args["intermediates"])
        looks = args["stores"] in (AUTO, MAIL)
        self.discovery = (
            plan_discovery(profiles, roots, everything=args["stores"] == AUTO, intermediates=args["intermediates"])
            if looks
            else None
        )
        self.rehearsal = plan_rehearsal(
            args["rehearse"],
            profiles,
            shipped_profiles(),
            self.checks,
            today=dt.datetime.now(dt.timezone.utc).date(),
            main_cf=MAIN_CF if looks else None,
            timeout=args["timeout"],
        )

    def requests(self) -> list[dict[str, t.Any]]:
        others = [item.request for item in (self.discovery, self.rehearsal) if item and item.request]
        sources = plan_sources(self.checks)
        return [check.request for check in self.checks] + ([sources] if sources else []) + others

    def judge(self, observations: dict[str, t.Any], moment: Moment) -> tuple[dict[str, t.Any], list[Finding]]:
        judged = judge_trust(
            self.checks,
            observations,
            host=moment.host,
            now=moment.now,
            observed_at=moment.observed_at,
            discovery=self.discovery,
        )
        rehearsed: list[dict[str, t.Any]] = []
        findings: list[Finding] = []
        if self.rehearsal is not None:
            rehearsed, findings = judge_rehearsal(
                self.rehearsal, observations, host=moment.host, now=moment.now, observed_at=moment.observed_at
            )
        return {"stores": judged.stores, "rehearsal": rehearsed}, [*judged.findings, *findings]
