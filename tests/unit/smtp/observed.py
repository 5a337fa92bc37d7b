# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Observations of mail servers as the probe returns them, with every part open to be wrong."""

from __future__ import annotations

import hashlib
import typing as t

from ansible_collections.mailops.tls.plugins.plugin_utils._findings.model import Finding
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.smtp.context import SmtpPolicy
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.smtp.domain import DomainView
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.smtp.judgement import Scene, SmtpJudgement, judge_smtp
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.smtp.revocation import Evidence
from ansible_collections.mailops.tls.plugins.plugin_utils._plan.smtp.checks import SmtpOptions, plan_smtp
from ansible_collections.mailops.tls.plugins.plugin_utils._plan.smtp.targets import Target, parse_hosts
from cryptography import x509

from tests.unit.judge.pki import NOW, Authority, b64, der, make_root

Json = dict[str, t.Any]

ROOT = make_root()
ISSUING = ROOT.issue("Lab Issuing CA", ca=True)
HOST = "mx1.example.net"
SCENE = Scene("relay1", NOW, "2026-03-01T12:00:00Z")
TLS13: Json = {"protocol": "TLSv1.3", "cipher": "TLS_AES_256_GCM_SHA384", "bits": 256}
TRUSTED: Json = {"store": "the system store", "ok": True, "code": 0, "message": "OK", "version": "OpenSSL 3.0.17"}
NO_ISSUER: Json = {**TRUSTED, "ok": False, "code": 20, "message": "unable to get local issuer certificate"}
POLICY = SmtpPolicy(roots=(ROOT.certificate,))


def server(*names: str, issuer: Authority = ISSUING, common: str = HOST, **options: t.Any) -> Authority:
    """A server's certificate; without names it has no subject alternative name."""
    alternative = [(x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), False)] if names else []
    return issuer.issue(common, extensions=[*alternative, *options.pop("more", [])], **options)


LEAF = server(HOST)


def path(*chain: Authority, **more: t.Any) -> Json:
    """One address of a server where everything is well, but for what is given."""
    chain = chain or (LEAF, ISSUING)
    ders = [der(item.certificate) for item in chain]
    fields: Json = {
        "host": HOST,
        "address": "192.0.2.1",
        "family": "ipv4",
        "port": 25,
        "connections": 1,
        "ms": {"connect": 1, "greeting": 2, "tls": 9},
        "banner": "220 mx1.example.net ESMTP",
        "capabilities": ["mx1.example.net", "STARTTLS"],
        "starttls": "offered",
        "tls": TLS13,
        "chain": [hashlib.sha256(item).hexdigest() for item in ders],
        "chain_source": "ssl",
        "verified": [TRUSTED],
        "anchored": [],
        "plaintext": None,
        "error": None,
        "certificates": {hashlib.sha256(item).hexdigest(): b64(item) for item in ders},
    }
    return {**fields, **more}


def answer(*paths: Json, **more: t.Any) -> Json:
    """The probe's answer; certificates stand in one table."""
    certificates = {key: value for item in paths for key, value in (item.get("certificates") or {}).items()}
    listed = [{key: value for key, value in item.items() if key != "certificates"} for item in paths]
    return {"id": "smtp:0", "op": "smtp", "error": None, "paths": listed, "hosts": [], "certificates": certificates, **more}


def judge(
    observed: Json, *others: Json, target: Target | None = None, view: DomainView | None = None, **policy: t.Any
) -> SmtpJudgement:
    """Judge one answer for a host, or for a domain where `target` is one."""
    checks = plan_smtp([target or parse_hosts([HOST])[0]], SmtpOptions())
    asked = SmtpPolicy(**{**{field: getattr(POLICY, field) for field in ("roots",)}, **policy})
    views = {target.domain: view} if target is not None and target.domain and view else {}
    evidence = Evidence((), {"answers": []}, NOW, "It was not asked for.")
    return judge_smtp(checks, {"answers": [observed, *others]}, asked, SCENE, views=views, revocation=evidence)


def found(judgement: SmtpJudgement) -> dict[str, Finding]:
    """The findings by id without its topic."""
    return {finding.id.removeprefix("smtp."): finding for finding in judgement.findings}


def statuses(judgement: SmtpJudgement, *leave_out: str) -> dict[str, str]:
    return {slug: finding.status for slug, finding in found(judgement).items() if slug not in leave_out}
