# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""The egress section that also follows the chain a server presents to the host, and chains upwards to issuers they lack."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.mailops.tls.plugins.plugin_utils._action.base import Moment
from ansible_collections.mailops.tls.plugins.plugin_utils._action.options import EGRESS_OPTIONS, SERVER_OPTIONS, ArgumentSpec
from ansible_collections.mailops.tls.plugins.plugin_utils._action.section_egress import EgressSection
from ansible_collections.mailops.tls.plugins.plugin_utils._findings.model import Finding, Subject
from ansible_collections.mailops.tls.plugins.plugin_utils._findings.registry import make
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.egress.answer import Answer, answers_by_id
from ansible_collections.mailops.tls.plugins.plugin_utils._plan.egress.pool import Pool, build_pool
from ansible_collections.mailops.tls.plugins.plugin_utils._plan.egress.upwards import MAX_LEVELS, issuer_requests, issuers_found
from ansible_collections.mailops.tls.plugins.plugin_utils._profiles.model import Profile

# Ports where TLS starts inside an SMTP session (RFC 3207; submission: RFC 6409).
STARTTLS_PORTS = (25, 587)


@dataclasses.dataclass(frozen=True)
class Server:
    """A TLS server by name or address. `starttls` is `smtp` or None for TLS from the first byte."""

    host: str
    port: int
    starttls: str | None

    @property
    def name(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_server(raw: str, starttls: str) -> Server:
    """Read `host:port`, `[v6]:port` or `host` (port 25). Raises ValueError with the form that is expected."""
    text = raw.strip()
    host, separator, port = text.rpartition(":")
    if not separator or text.endswith("]"):
        host, port = text, "25"
    host = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    if not host or (":" in host and not text.startswith("[")) or not port.isdecimal() or not 0 < int(port) < 65536:
        raise ValueError(f"server: must be host:port, or [IPv6 address]:port, not '{raw}'")
    smtp = starttls == "smtp" or (starttls == "auto" and int(port) in STARTTLS_PORTS)
    return Server(host, int(port), "smtp" if smtp else None)


class ServedChainSection(EgressSection):
    """Looks at the server first, fetches issuers that the chain lacks, then checks the endpoints that all of them name."""

    OPTIONS: t.ClassVar[ArgumentSpec] = {**EGRESS_OPTIONS, **SERVER_OPTIONS}

    def __init__(self, args: t.Mapping[str, t.Any], profiles: tuple[Profile, ...]) -> None:
        super().__init__(args, profiles)
        self.server = parse_server(args["server"], args["server_starttls"]) if args["server"] else None
        self.error: dict[str, t.Any] | None = None
        self.looked = False
        self.levels = 0
        self.asked: set[str] = set()

    def preliminary_requests(self) -> list[dict[str, t.Any]]:
        if self.server is not None and not self.looked:
            self.looked = True
            self.error = {"stage": "tls", "code": "error", "errno": None, "message": "no certificate was presented"}
            return [self._server_request(self.server)]
        if self.levels == MAX_LEVELS:
            return []
        self.levels += 1
        requests = issuer_requests(self._pool(), self.asked, self.options)
        self.asked.update(request["url"] for request in requests)
        return requests

    def learn(self, observations: dict[str, t.Any]) -> None:
        answers = answers_by_id(observations)
        if "server" in answers:
            self._learn_chain(answers["server"])
        else:
            self.chain = (*self.chain, *issuers_found(self._pool(), observations))
        self._plan()

    def _pool(self) -> Pool:
        return build_pool(self.profiles, self.args["certificate"], self.chain, self.args["issuers"])

    def _server_request(self, server: Server) -> dict[str, t.Any]:
        return {
            "id": "server",
            "op": "chain",
            "host": server.host,
            "port": server.port,
            "starttls": server.starttls,
            "timeout": self.options.timeout,
            "family": self.options.address_family,
            # Mail does not travel through the web proxy; only an explicit one is asked to tunnel.
            "proxy": "none" if self.options.proxy == "environment" else self.options.proxy,
            "proxy_authorization": self.options.proxy_authorization,
        }

    def _learn_chain(self, answer: Answer) -> None:
        tls = answer.hops[-1].tls if answer.hops else None
        self.chain = tls.chain if tls is not None else ()
        if self.chain:
            self.error = None
        elif answer.error is not None:
            self.error = answer.error.as_dict()

    def judge(self, observations: dict[str, t.Any], moment: Moment) -> tuple[dict[str, t.Any], list[Finding]]:
        values, findings = super().judge(observations, moment)
        if self.server is not None and self.error is not None:
            findings.append(
                make(
                    "egress.server.no_chain",
                    host=moment.host,
                    subject=Subject("server", self.server.name),
                    summary=f"no certificate chain was obtained from {self.server.name}",
                    detail=f"It ended at stage {self.error.get('stage')}: {self.error.get('message')}.",
                    evidence={"error": self.error},
                    observed_at=moment.observed_at,
                )
            )
        return values, findings
