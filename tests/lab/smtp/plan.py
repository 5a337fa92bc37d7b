# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who is where in the mail network, and what must be said of each server. No I/O here.

Tests read this table, so that a server, its fault and the expected verdict stand side by side. `require` is verify unless a
test says otherwise.
"""

from __future__ import annotations

import dataclasses
import typing as t

NET = "10.85"
NET6 = "fd85:6d74:6c73:"
#: Signed zones, with the hosts and with the domains; one without signatures; one whose signatures fit no trust anchor.
HOSTS_ZONE, DOMAINS_ZONE, UNSIGNED_ZONE, BOGUS_ZONE = "mail.test", "org.test", "unsigned.test", "bogus.test"
#: The host is found and vouched for, and only its TLSA records cannot be believed.
BOGUS_TLSA_ZONE = f"_tcp.tlsa-bogus.{HOSTS_ZONE}"
ZONES = (HOSTS_ZONE, DOMAINS_ZONE, UNSIGNED_ZONE, BOGUS_ZONE, BOGUS_TLSA_ZONE)

Role = t.Literal["services", "exchange-online", "partner", "on-premises", "odd", "host"]
#: Block of addresses of each namespace. The odd servers live with the services.
BLOCKS: dict[Role, int] = {"host": 0, "services": 1, "exchange-online": 2, "partner": 3, "on-premises": 4, "odd": 5}

RESOLVER, AUTHORITY, FILES, OCSP, POLICIES = (f"{NET}.1.{number}" for number in (53, 54, 10, 11, 20))
CRL_URL, OCSP_URL, AIA_URL = f"http://crl.{HOSTS_ZONE}/tls.crl", f"http://ocsp.{HOSTS_ZONE}/", f"http://crl.{HOSTS_ZONE}/tls.crt"
#: Where every side answers on all its addresses.
CROWD_PORT = 2525
ROOT_CRL_URL = f"http://crl.{HOSTS_ZONE}/root.crl"

Findings = frozenset[tuple[str, str]]


def findings(*words: str) -> Findings:
    """Each given as "id status"."""
    return frozenset((word.split()[0], word.split()[1]) for word in words)


@dataclasses.dataclass(frozen=True)
class Case:
    """A server: what is special about it, and what must and must not be said of it with require: verify.

    `certificate` names one of pki.py. `settings` are of smtpd(8) or, for an odd server, its behaviour. `tlsa` says whose
    certificate the TLSA record is of. `finger` explains, by level, where posttls-finger and the judge rightly disagree.
    """

    name: str
    role: Role
    number: int
    expected: Findings
    certificate: str = "good"
    settings: t.Mapping[str, str] = dataclasses.field(default_factory=dict)
    forbidden: frozenset[str] = frozenset()
    state: str | None = None
    port: int = 25
    zone: str = HOSTS_ZONE
    tlsa: str | None = None
    others: tuple[int, ...] = ()  # numbers of further addresses
    finger: t.Mapping[str, str] = dataclasses.field(default_factory=dict)

    @property
    def host(self) -> str:
        return f"{self.name}.{self.zone}"

    @property
    def address(self) -> str:
        return f"{NET}.{BLOCKS[self.role]}.{self.number}"

    @property
    def addresses(self) -> tuple[str, ...]:
        return tuple(f"{NET}.{BLOCKS[self.role]}.{number}" for number in (self.number, *self.others))


VERIFIED = findings("smtp.starttls.offered pass", "smtp.chain.trusted pass", "smtp.name.match pass", "smtp.policy.met pass")
CASES = (
    Case("good", "exchange-online", 10, VERIFIED, state="verified"),
    Case(
        "implicit", "exchange-online", 11, findings("smtp.chain.trusted pass", "smtp.policy.met pass"), port=465, state="verified"
    ),
    Case(
        "submission",
        "exchange-online",
        12,
        VERIFIED,
        port=587,
        state="verified",
        settings={"smtpd_tls_security_level": "encrypt"},
    ),
    # Four addresses behind one name, as behind every big service; one was forgotten when the certificate was renewed.
    Case(
        "differs",
        "exchange-online",
        20,
        findings("smtp.addresses.differ warn", "smtp.policy.met pass"),
        others=(21, 22, 23),
        settings={"other_certificate": "renewed"},
    ),
    Case(
        "forced",
        "exchange-online",
        13,
        VERIFIED | findings("smtp.plaintext.refused pass"),
        settings={"smtpd_tls_security_level": "encrypt"},
        state="verified",
    ),
    Case(
        "no-starttls",
        "on-premises",
        10,
        findings("smtp.starttls.not_offered fail", "smtp.policy.not_met fail", "smtp.plaintext.accepted fail"),
        settings={"smtpd_tls_security_level": "none"},
        state="opportunistic",
    ),
    Case("stripped", "odd", 10, findings("smtp.starttls.filtered fail", "smtp.policy.not_met fail"), settings={"is": "stripped"}),
    Case(
        "wrong-name",
        "partner",
        10,
        findings("smtp.name.mismatch fail", "smtp.chain.trusted pass", "smtp.policy.not_met fail"),
        certificate="wrong-name",
        state="encrypted",
    ),
    Case(
        "wrong-ca",
        "partner",
        11,
        findings("smtp.chain.untrusted fail", "smtp.name.match pass", "smtp.policy.not_met fail"),
        certificate="wrong-ca",
        state="encrypted",
    ),
    Case(
        "expired",
        "partner",
        12,
        findings("smtp.certificate.expired fail", "smtp.policy.not_met fail"),
        certificate="expired",
        state="encrypted",
    ),
    Case(
        "no-intermediate",
        "partner",
        13,
        findings("smtp.chain.incomplete fail", "smtp.policy.not_met fail"),
        certificate="no-intermediate",
        state="encrypted",
    ),
    Case(
        "revoked",
        "partner",
        14,
        findings("smtp.revocation.revoked fail", "smtp.chain.trusted pass", "smtp.name.match pass"),
        certificate="revoked",
    ),
    Case(
        "revoked-ocsp",
        "partner",
        15,
        findings("smtp.revocation.revoked fail", "smtp.chain.trusted pass", "smtp.name.match pass"),
        certificate="revoked-ocsp",
    ),
    Case(
        "anonymous",
        "partner",
        16,
        findings("smtp.tls.anonymous fail", "smtp.policy.not_met fail"),
        certificate="none",
        state="encrypted",
        forbidden=frozenset({"smtp.chain.trusted"}),
    ),
    Case(
        "tls10",
        "partner",
        17,
        findings("smtp.tls.too_old fail"),
        settings={"smtpd_tls_protocols": "TLSv1", "smtpd_tls_mandatory_protocols": "TLSv1", "smtpd_tls_exclude_ciphers": "aNULL"},
        finger={"encrypt": "smtp_tls_mandatory_protocols of Postfix 3.7 allows TLS 1.0, and minimum_tls does not"},
    ),
    Case("weak", "partner", 18, findings("smtp.certificate.weak fail"), certificate="weak"),
    Case(
        "demands-certificate",
        "partner",
        19,
        findings("smtp.tls.client_certificate_required warn"),
        settings={"smtpd_tls_req_ccert": "yes", "smtpd_tls_security_level": "encrypt"},
    ),
    Case("throttled", "odd", 11, findings("smtp.connect.throttled unknown"), settings={"is": "throttled"}),
    Case("fragmented", "odd", 12, VERIFIED, settings={"is": "fragmented"}, state="verified"),
    Case("tarpit", "odd", 13, findings("smtp.connect.no_answer unknown"), settings={"is": "tarpit"}),
    Case("garbage", "odd", 14, findings("smtp.connect.no_answer unknown"), settings={"is": "garbage"}),
    Case("refused", "odd", 15, findings("smtp.connect.failed fail"), settings={"is": "refused"}),
    Case("starttls-refused", "odd", 16, findings("smtp.starttls.refused fail"), settings={"is": "starttls-refused"}),
    # Bytes in the clear behind the answer to STARTTLS, which a careless client takes for part of the encrypted session.
    Case(
        "injected",
        "odd",
        17,
        findings("smtp.policy.not_met fail"),
        settings={"is": "injected"},
        forbidden=frozenset({"smtp.policy.met"}),
    ),
    Case("dane-good", "on-premises", 20, findings("smtp.dane.verified pass"), certificate="own", tlsa="own"),
    Case("dane-mismatch", "on-premises", 21, findings("smtp.dane.mismatch fail"), certificate="own", tlsa="good"),
    Case(
        "dane-unsigned", "on-premises", 22, findings("smtp.dane.unsigned warn"), certificate="own", tlsa="own", zone=UNSIGNED_ZONE
    ),
    Case("tlsa-bogus", "on-premises", 24, findings("smtp.dane.bogus fail"), certificate="own", tlsa="own"),
    Case(
        "dane-bogus",
        "on-premises",
        23,
        findings("smtp.connect.no_answer unknown"),
        certificate="own",
        tlsa="own",
        zone=BOGUS_ZONE,
    ),
)
BY_NAME = {case.name: case for case in CASES}


@dataclasses.dataclass(frozen=True)
class Domain:
    """A mail domain: its MX hosts by name of their case, what its MTA-STS policy says, and the findings."""

    name: str
    mx: tuple[str, ...]
    expected: Findings
    mode: str | None = None
    policy_mx: tuple[str, ...] = ()
    zone: str = DOMAINS_ZONE

    @property
    def domain(self) -> str:
        return f"{self.name}.{self.zone}"


DOMAINS = (
    Domain("enforce", ("good",), VERIFIED | findings("smtp.mta_sts.enforced pass"), "enforce", ("good.mail.test",)),
    Domain("testing", ("good",), VERIFIED | findings("smtp.mta_sts.testing warn"), "testing", ("*.mail.test",)),
    Domain("none", ("good",), VERIFIED | findings("smtp.mta_sts.none not_applicable"), "none", ()),
    Domain("mismatch", ("good",), findings("smtp.mta_sts.mx_mismatch fail"), "enforce", ("mx.elsewhere.test",)),
    Domain("plain", ("good", "wrong-name"), findings("smtp.mta_sts.not_published not_applicable", "smtp.name.mismatch fail")),
    Domain("dane", ("dane-good",), findings("smtp.dane.verified pass")),
    Domain("bogus", ("good",), findings("smtp.mx.not_resolved unknown"), zone=BOGUS_ZONE),
    Domain("nullmx", (".",), findings("smtp.mx.null fail")),
)
