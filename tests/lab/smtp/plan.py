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

    `certificate` names one of pki.py. `settings` are of smtpd(8) or, for an odd server, its behaviour. `tlsa` is a TLSA record,
    with the name of a certificate for its data. `alias` is the zone of the host whose alias it is. `six`: by IPv6 alone.
    `finger` explains, by level, where posttls-finger and the judge rightly disagree.
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
    alias: str | None = None
    six: bool = False
    others: tuple[int, ...] = ()  # numbers of further addresses
    finger: t.Mapping[str, str] = dataclasses.field(default_factory=dict)

    @property
    def host(self) -> str:
        return f"{self.name}.{self.zone}"

    @property
    def address(self) -> str:
        return self.addresses[0]

    @property
    def addresses(self) -> tuple[str, ...]:
        net = f"{NET6}{BLOCKS[self.role]}::" if self.six else f"{NET}.{BLOCKS[self.role]}."
        return tuple(f"{net}{number}" for number in (self.number, *self.others))


VERIFIED = findings("smtp.starttls.offered pass", "smtp.chain.trusted pass", "smtp.name.match pass", "smtp.policy.met pass")
#: A client is done with the handshake of TLS 1.3 before the server has its last word, and posttls-finger tells of TLS right then.
AFTERWARDS: t.Final = dict.fromkeys(
    ("encrypt", "verify", "secure"), "posttls-finger speaks of the handshake; no mail gets through the session that follows"
)
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
    Case("six", "exchange-online", 14, VERIFIED, six=True, state="verified"),
    # Its certificate has its addresses, by which it is reached, too.
    Case("literal", "exchange-online", 15, VERIFIED, certificate="literal", state="verified"),
    Case("literal-six", "exchange-online", 16, VERIFIED, certificate="literal", six=True, state="verified"),
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
        findings("smtp.tls.client_certificate_required warn", "smtp.policy.not_met fail"),
        settings={"smtpd_tls_req_ccert": "yes", "smtpd_tls_security_level": "encrypt"},
        state="opportunistic",
        finger=AFTERWARDS,
    ),
    *(
        Case(
            f"demands-in-{name}",
            "odd",
            number,
            findings("smtp.tls.client_certificate_required warn", "smtp.policy.not_met fail"),
            settings={"is": f"demands-in-{name}"},
            state="opportunistic",
            finger=AFTERWARDS if name == "tls13" else {},
        )
        for number, name in enumerate(("tls12", "tls13"), 20)
    ),
    *(
        Case(
            f"{name}-in-tls",
            "odd",
            number,
            findings(f"smtp.{slug} unknown", "smtp.chain.trusted pass", "smtp.name.match pass"),
            settings={"is": f"{name}-in-tls"},
            forbidden=frozenset({"smtp.policy.met"}),
            finger=AFTERWARDS,
        )
        for number, (name, slug) in enumerate(
            (
                ("refuses", "tls.session_failed"),
                ("closes", "tls.session_failed"),
                ("hangs", "tls.session_failed"),
                ("throttles", "connect.throttled"),
            ),
            22,
        )
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
        findings("smtp.starttls.injected fail", "smtp.policy.not_met fail"),
        settings={"is": "injected"},
        forbidden=frozenset({"smtp.policy.met"}),
    ),
    Case("dane-good", "on-premises", 20, findings("smtp.dane.verified pass"), certificate="own", tlsa="3 1 1 own"),
    Case("dane-anchor", "on-premises", 25, VERIFIED | findings("smtp.dane.verified pass"), tlsa="2 1 1 intermediate"),
    # An anchor is above the certificate (RFC 7671 5.2), and what lies below it is a chain by every rule of RFC 5280.
    Case("dane-anchor-itself", "on-premises", 26, findings("smtp.dane.mismatch fail"), tlsa="2 1 1 good"),
    Case(
        "dane-anchor-clients",
        "on-premises",
        27,
        findings("smtp.dane.mismatch fail", "smtp.chain.untrusted fail"),
        certificate="clients",
        tlsa="2 0 1 intermediate",
    ),
    Case(
        "dane-anchor-too-long",
        "on-premises",
        28,
        findings("smtp.dane.mismatch fail", "smtp.chain.untrusted fail"),
        certificate="too-long",
        tlsa="2 0 1 intermediate",
        forbidden=frozenset({"smtp.chain.incomplete"}),
    ),
    Case(
        "dane-anchor-whole",
        "on-premises",
        29,
        findings("smtp.dane.verified pass", "smtp.chain.incomplete fail"),
        certificate="no-intermediate",
        tlsa="2 0 0 intermediate",
    ),
    Case(
        "dane-anchor-elsewhere",
        "on-premises",
        30,
        findings("smtp.dane.mismatch fail", "smtp.name.mismatch fail"),
        certificate="wrong-name",
        tlsa="2 1 1 intermediate",
    ),
    # RFC 7672 2.2.2: the alias is signed, and what it leads to is not.
    Case(
        "dane-alias",
        "on-premises",
        31,
        findings("smtp.dane.verified pass"),
        certificate="own",
        tlsa="3 1 1 own",
        alias=UNSIGNED_ZONE,
    ),
    Case("dane-mismatch", "on-premises", 21, findings("smtp.dane.mismatch fail"), certificate="own", tlsa="3 1 1 good"),
    Case(
        "dane-unsigned",
        "on-premises",
        22,
        findings("smtp.dane.unsigned warn"),
        certificate="own",
        tlsa="3 1 1 own",
        zone=UNSIGNED_ZONE,
    ),
    Case("tlsa-bogus", "on-premises", 24, findings("smtp.dane.bogus fail"), certificate="own", tlsa="3 1 1 own"),
    Case(
        "dane-bogus",
        "on-premises",
        23,
        findings("smtp.connect.no_answer unknown"),
        certificate="own",
        tlsa="3 1 1 own",
        zone=BOGUS_ZONE,
    ),
)
BY_NAME = {case.name: case for case in CASES}


@dataclasses.dataclass(frozen=True)
class Domain:
    """A mail domain: its MX hosts by name of their case, what its MTA-STS policy says, and findings; `finger` as of a case."""

    name: str
    mx: tuple[str, ...]
    expected: Findings
    mode: str | None = None
    policy_mx: tuple[str, ...] = ()
    zone: str = DOMAINS_ZONE
    finger: t.Mapping[str, str] = dataclasses.field(default_factory=dict)

    @property
    def domain(self) -> str:
        return f"{self.name}.{self.zone}"


#: Neither looks at DNSSEC: `verify` takes the MX host's name as it comes, `secure` the domain's and no other.
SECURE: t.Final = {
    "secure": "posttls-finger compares with the domain; here expect.name does, and smtp.name.unauthenticated_mx warns"
}
DOMAINS = (
    Domain(
        "enforce", ("good",), VERIFIED | findings("smtp.mta_sts.enforced pass"), "enforce", ("good.mail.test",), finger=SECURE
    ),
    Domain("testing", ("good",), VERIFIED | findings("smtp.mta_sts.testing warn"), "testing", ("*.mail.test",), finger=SECURE),
    Domain("none", ("good",), VERIFIED | findings("smtp.mta_sts.none not_applicable"), "none", (), finger=SECURE),
    Domain("mismatch", ("good",), findings("smtp.mta_sts.mx_mismatch fail"), "enforce", ("mx.elsewhere.test",), finger=SECURE),
    Domain(
        "plain",
        ("good", "wrong-name"),
        findings("smtp.mta_sts.not_published not_applicable", "smtp.name.mismatch fail"),
        finger=SECURE,
    ),
    Domain("dane", ("dane-good",), findings("smtp.dane.verified pass")),
    Domain("alias", ("dane-alias",), findings("smtp.dane.verified pass")),
    # Nothing vouches for the name of its mail host, and the host is sound.
    Domain("foreign", ("good",), VERIFIED | findings("smtp.name.unauthenticated_mx warn"), zone=UNSIGNED_ZONE, finger=SECURE),
    Domain("bogus", ("good",), findings("smtp.mx.not_resolved unknown"), zone=BOGUS_ZONE),
    Domain("nullmx", (".",), findings("smtp.mx.null fail")),
)
