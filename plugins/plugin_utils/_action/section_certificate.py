# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""The section that judges the certificates which the host itself presents."""

from __future__ import annotations

import datetime as dt
import re
import typing as t

from ansible_collections.mailops.tls.plugins.plugin_utils._action.base import Moment, Section
from ansible_collections.mailops.tls.plugins.plugin_utils._action.options import CERTIFICATE_OPTIONS, ArgumentSpec
from ansible_collections.mailops.tls.plugins.plugin_utils._action.section_served_chain import Server, parse_server
from ansible_collections.mailops.tls.plugins.plugin_utils._findings.model import Finding
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.certificate.judgement import judge_identities
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.certificate.model import (
    Policy,
    answer_to,
    identities_of,
    served_identity,
)
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.x509 import load_pem_certificates
from ansible_collections.mailops.tls.plugins.plugin_utils._profiles.loader import root_catalogue
from ansible_collections.mailops.tls.plugins.plugin_utils._profiles.model import Profile
from ansible_collections.mailops.tls.plugins.plugin_utils._profiles.public_ca import public_ca_rules

if t.TYPE_CHECKING:
    from cryptography import x509

_FILES, _PORT = "certificate:files", "certificate:port"
_FINGERPRINT = re.compile(r"[0-9a-f]{64}")


class CertificateSection(Section):
    """What a task names is looked at; where it names nothing, what Postfix is set to present."""

    OPTIONS: t.ClassVar[ArgumentSpec] = CERTIFICATE_OPTIONS

    def __init__(self, args: t.Mapping[str, t.Any], profiles: tuple[Profile, ...]) -> None:
        super().__init__(args, profiles)
        if args["key"] and not args["certificate"]:
            raise ValueError("key: is the private key of certificate, which is missing. Name the file of the certificate too.")
        self.server = parse_server(args["server"], args["server_starttls"]) if args["server"] else None
        self.policy = _policy(args)

    def requests(self) -> list[dict[str, t.Any]]:
        args, requests = self.args, []
        if args["certificate"] or not self.server:
            main_cf = None if args["certificate"] else args["main_cf"]
            files = {"certificate": args["certificate"], "key": args["key"], "main_cf": main_cf}
            requests.append({"id": _FILES, "op": "identity", "timeout": args["timeout"], **files})
        if self.server:
            requests.append(_port_request(self.server, args["timeout"]))
        return requests

    def judge(self, observations: dict[str, t.Any], moment: Moment) -> tuple[dict[str, t.Any], list[Finding]]:
        identities = list(identities_of(answer_to(observations, _FILES)))
        if self.server:
            identities.append(served_identity(self.server.name, answer_to(observations, _PORT)))
        certificates, findings = judge_identities(
            identities, self.policy, host=moment.host, now=moment.now, observed_at=moment.observed_at
        )
        return {"certificates": certificates, "certificate_group": self.args["group"]}, findings


def _port_request(server: Server, timeout: float) -> dict[str, t.Any]:
    return {
        "id": _PORT,
        "op": "chain",
        "host": server.host,
        "port": server.port,
        "starttls": server.starttls,
        "timeout": timeout,
        "proxy": "none",
        "system_store": True,
    }


def _policy(args: t.Mapping[str, t.Any]) -> Policy:
    if args["lead_time"] < 0:
        raise ValueError(f"lead_time: must be a number of days, not {args['lead_time']}")
    public = tuple(_certificates("roots", root.pem)[0] for root in root_catalogue().values() if root.pem)
    following = args["next_certificate"]
    return Policy(
        sender_name=args["tls_sender_certificate_name"],
        accepted_domains=tuple(args["accepted_domains"]),
        bound_to=args["tls_certificate_name"],
        next_certificate=_certificates("next_certificate", following)[0] if following else None,
        expected=tuple(_fingerprint(item) for item in args["expected_sha256"]),
        roots=(*public, *(certificate for pem in args["issuers"] for certificate in _certificates("issuers", pem))),
        public_roots=public,
        rules=public_ca_rules(),
        public=args["flow"] == "hybrid",
        lead_time=dt.timedelta(days=args["lead_time"]),
    )


def _certificates(option: str, pem: str) -> tuple[x509.Certificate, ...]:
    found = load_pem_certificates(pem.encode("utf-8", "replace"))
    if not found:
        raise ValueError(f"{option}: holds no certificate in PEM. Give its text, for example with lookup('file', path).")
    return found


def _fingerprint(text: str) -> str:
    plain = text.replace(":", "").strip().lower()
    if not _FINGERPRINT.fullmatch(plain):
        raise ValueError(f"expected_sha256: '{text}' is no SHA-256 fingerprint, which has 64 hexadecimal digits")
    return plain


class DeclaredCertificateSection(Section):
    """The same as one option of a plugin with other topics; nothing is looked at unless it is given."""

    OPTIONS: t.ClassVar[ArgumentSpec] = {"connector_certificate": {"type": "dict", "options": CERTIFICATE_OPTIONS}}

    def __init__(self, args: t.Mapping[str, t.Any], profiles: tuple[Profile, ...]) -> None:
        super().__init__(args, profiles)
        declared = args["connector_certificate"]
        self.section = CertificateSection({**declared, "timeout": args["timeout"]}, profiles) if declared is not None else None

    def requests(self) -> list[dict[str, t.Any]]:
        return self.section.requests() if self.section else []

    def judge(self, observations: dict[str, t.Any], moment: Moment) -> tuple[dict[str, t.Any], list[Finding]]:
        return self.section.judge(observations, moment) if self.section else ({}, [])
