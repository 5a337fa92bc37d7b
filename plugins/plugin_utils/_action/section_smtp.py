# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""The section that looks at mail servers: what TLS each address of each of them really holds."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.mailops.tls.plugins.plugin_utils._action.base import Moment, Section
from ansible_collections.mailops.tls.plugins.plugin_utils._action.options import SMTP_OPTIONS, SMTP_POLICY_OPTIONS, ArgumentSpec
from ansible_collections.mailops.tls.plugins.plugin_utils._action.proxy import PROXY_SECRET, parse_proxy
from ansible_collections.mailops.tls.plugins.plugin_utils._action.smtp_policy import read_policy, read_stores
from ansible_collections.mailops.tls.plugins.plugin_utils._dns.lookup import Lookups, parse_nameservers
from ansible_collections.mailops.tls.plugins.plugin_utils._findings.model import Finding
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.smtp.chain import is_root
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.smtp.judgement import Scene, judge_smtp, raw_answers
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.smtp.revocation import Evidence
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.x509 import load_certificate, same_name, sha256
from ansible_collections.mailops.tls.plugins.plugin_utils._plan.egress.check import EgressCheck
from ansible_collections.mailops.tls.plugins.plugin_utils._plan.egress.checks import EgressOptions
from ansible_collections.mailops.tls.plugins.plugin_utils._plan.egress.endpoints import url_key
from ansible_collections.mailops.tls.plugins.plugin_utils._plan.egress.pool import Pool
from ansible_collections.mailops.tls.plugins.plugin_utils._plan.egress.upwards import MAX_LEVELS, issuer_requests, issuers_found
from ansible_collections.mailops.tls.plugins.plugin_utils._plan.smtp.checks import SmtpOptions, plan_smtp
from ansible_collections.mailops.tls.plugins.plugin_utils._plan.smtp.revocation import (
    plan_revocation,
    pool_of,
    served_certificates,
)
from ansible_collections.mailops.tls.plugins.plugin_utils._plan.smtp.targets import Target, parse_domain, parse_hosts
from ansible_collections.mailops.tls.plugins.plugin_utils._profiles.model import Profile

if t.TYPE_CHECKING:
    from cryptography import x509

_ONE_EXECUTION: t.Final = "Their sources are known only after the servers were seen, and this run is one remote execution."


class SmtpSection(Section):
    """Looks at the servers first, then asks what their certificates name: CRLs, responders and missing issuers."""

    OPTIONS: t.ClassVar[ArgumentSpec] = SMTP_OPTIONS

    def __init__(self, args: t.Mapping[str, t.Any], profiles: tuple[Profile, ...]) -> None:
        super().__init__(args, profiles)
        self.targets = self.read_targets()
        self.nameservers = parse_nameservers(args["controller_nameservers"], "controller_nameservers")
        self.policy = read_policy(args, profiles)
        choice = parse_proxy(args["proxy"], args["proxy_username"], args["proxy_password"])
        if choice.authorization is not None:
            self.secrets[PROXY_SECRET] = choice.authorization
        self.fetching = EgressOptions(
            proxy=choice.proxy,
            proxy_authorization=PROXY_SECRET if choice.authorization is not None else None,
            timeout=args["timeout"],
        )
        self.checks = plan_smtp(self.targets, self._options())
        self.seen: dict[str, t.Any] | None = None
        self.issuers, self.roots = self.policy.issuers, self.policy.roots
        domains = [target.domain for target in self.targets if target.domain]
        self.lookups = Lookups(domains, seconds=args["timeout"], nameservers=self.nameservers)
        self.levels = 0
        self.asked: set[str] = set()

    def read_targets(self) -> tuple[Target, ...]:
        """What to look at. Raises ValueError where nothing is named."""
        domain, hosts = self.args["domain"], parse_hosts(self.args["hosts"])
        if not domain and not hosts:
            raise ValueError("domain, hosts: name a mail domain, or the hosts to look at")
        return (*((parse_domain(domain, "domain"),) if domain else ()), *hosts)

    def _options(self) -> SmtpOptions:
        args = self.args
        return SmtpOptions(
            each_address=args["each_address"],
            ehlo_name=args["ehlo_name"],
            client_certificate=args["client_certificate"],
            client_key=args["client_key"],
            check_plaintext=args["check_plaintext"],
            stores=read_stores(args["stores"]),
            address_family=args["address_family"],
            timeout=args["timeout"],
            proxy=self.fetching.proxy,
            proxy_authorization=self.fetching.proxy_authorization,
        )

    def preliminary_requests(self) -> list[dict[str, t.Any]]:
        self.lookups.start()
        if not self.args["check_revocation"]:
            return []
        if self.seen is None:
            return self.looks()
        if self.levels == MAX_LEVELS:
            return []
        self.levels += 1
        requests = issuer_requests(self._pool(), self.asked, self.fetching)
        self.asked.update(request["url"] for request in requests)
        return requests

    def learn(self, observations: dict[str, t.Any]) -> None:
        if self.seen is None:
            self.seen = observations
            return
        loaded = (load_certificate(der) for der in issuers_found(self._pool(), observations))
        fetched = [item for item in loaded if item is not None]
        # A CA's certificate may name its root's. That is no issuer that a server has to send (RFC 8446 4.4.2).
        self.roots = _united(self.roots, (item for item in fetched if is_root(item)))
        self.issuers = _united(self.issuers, (item for item in fetched if not is_root(item)))

    def requests(self) -> list[dict[str, t.Any]]:
        self.lookups.start()
        if self.seen is None:
            return self.looks()
        self.revocation = self._plan_revocation(self.seen)
        return [request for check in self.revocation for request in check.requests]

    def looks(self) -> list[dict[str, t.Any]]:
        """The requests that look at the servers."""
        return [request for check in self.checks for request in check.requests]

    revocation: tuple[EgressCheck, ...] = ()

    def _served(self, observations: dict[str, t.Any]) -> tuple[x509.Certificate, ...]:
        return served_certificates(self.checks, raw_answers(observations))

    def _pool(self) -> Pool:
        """Issuers that were fetched lead further up themselves, so they are followed, too."""
        found = self.issuers[len(self.policy.issuers) :]
        return pool_of((*self._served(self.seen or {}), *found), (*self.roots, *self.issuers))

    def _plan_revocation(self, observations: dict[str, t.Any]) -> tuple[EgressCheck, ...]:
        return plan_revocation(self._served(observations), (*self.roots, *self.issuers), self.fetching)

    def judge(self, observations: dict[str, t.Any], moment: Moment) -> tuple[dict[str, t.Any], list[Finding]]:
        evidence = Evidence(self.revocation, observations, moment.now, self._not_asked())
        return self.judge_looks(self.seen or observations, evidence, moment)

    def _not_asked(self) -> str:
        return "" if self.args["check_revocation"] else "It was not asked for (check_revocation)."

    def judge_looks(
        self, observations: dict[str, t.Any], revocation: Evidence, moment: Moment
    ) -> tuple[dict[str, t.Any], list[Finding]]:
        """Judge what was seen of the servers, beside what the controller was told of their domains meanwhile."""
        # What one server sends may be what another leaves out.
        between = [item for item in self._served(observations) if not same_name(item.subject, item.issuer)]
        judged = judge_smtp(
            self.checks,
            observations,
            dataclasses.replace(self.policy, roots=self.roots, issuers=_united(self.issuers, between)),
            Scene(moment.host, moment.now, moment.observed_at),
            views=self.lookups.views(self.args["deadline"]),
            revocation=revocation,
        )
        return {"paths": judged.paths, "mx": judged.mx, "mta_sts": judged.mta_sts}, judged.findings


def _united(known: t.Iterable[x509.Certificate], more: t.Iterable[x509.Certificate]) -> tuple[x509.Certificate, ...]:
    return tuple({sha256(item): item for item in (*known, *more)}.values())


class _DeclaredServers(SmtpSection):
    """Several domains, and no round before the check itself."""

    def read_targets(self) -> tuple[Target, ...]:
        domains = [parse_domain(item, f"mail_domains[{index}]") for index, item in enumerate(self.args["mail_domains"])]
        return (*domains, *parse_hosts(self.args["mail_hosts"], "mail_hosts"))

    def judge(self, observations: dict[str, t.Any], moment: Moment) -> tuple[dict[str, t.Any], list[Finding]]:
        asked = self._plan_revocation(observations) if self.args["check_revocation"] else ()
        checks = _answered(asked, raw_answers(observations))
        evidence = Evidence(checks, observations, moment.now, self._not_asked(), unasked=_ONE_EXECUTION)
        return self.judge_looks(observations, evidence, moment)


def _answered(checks: t.Iterable[EgressCheck], answers: t.Mapping[str, dict[str, t.Any]]) -> tuple[EgressCheck, ...]:
    """The checks of CRLs that another section fetched in the same execution, such as those of a profile."""
    fetched: dict[str, str] = {}
    for request_id, answer in answers.items():
        hops = answer.get("hops")
        first = hops[0] if answer.get("op", "fetch") == "fetch" and isinstance(hops, list) and hops else None
        if isinstance(first, dict) and isinstance(first.get("url"), str):
            fetched.setdefault(url_key(first["url"]), request_id)
    found = []
    for check in checks:
        same = fetched.get(url_key(check.endpoint.url or "")) if check.endpoint.kind == "crl" else None
        if same is not None:
            found.append(dataclasses.replace(check, request={**check.request, "id": same}))
    return tuple(found)


class DeclaredSmtpSection(Section):
    """Mail domains and hosts as options of a plugin with other topics, in the one execution that it has."""

    OPTIONS: t.ClassVar[ArgumentSpec] = {
        "mail_domains": {"type": "list", "elements": "str", "default": []},
        "mail_hosts": {"type": "list", "elements": "raw", "default": []},
        "mail_policy": {"type": "dict", "options": SMTP_POLICY_OPTIONS},
    }

    def __init__(self, args: t.Mapping[str, t.Any], profiles: tuple[Profile, ...]) -> None:
        super().__init__(args, profiles)
        self.section = None
        if args["mail_domains"] or args["mail_hosts"]:
            asked = {name: option.get("default") for name, option in SMTP_POLICY_OPTIONS.items()}
            asked.update(args["mail_policy"] or {})
            self.section = _DeclaredServers({**args, **asked}, profiles)
            self.secrets = self.section.secrets

    def requests(self) -> list[dict[str, t.Any]]:
        return self.section.requests() if self.section else []

    def judge(self, observations: dict[str, t.Any], moment: Moment) -> tuple[dict[str, t.Any], list[Finding]]:
        return self.section.judge(observations, moment) if self.section else ({}, [])
