# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""DANE for SMTP (RFC 7672, with RFC 6698 and RFC 7671): is the chain the one that the TLSA records pin."""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
import typing as t

from ansible_collections.mailops.tls.plugins.plugin_utils._judge.smtp.context import SmtpPolicy, Talk
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.smtp.model import Host, Mx, Path, Tlsa
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.smtp.name import match_name
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.x509 import (
    extension,
    extensions_of,
    issued_by,
    moment,
    public_key_bytes,
)

try:
    from cryptography import x509
    from cryptography.hazmat.primitives import serialization
except ImportError:  # only in ansible-test's import check: ansible-core itself requires cryptography
    pass

DANE_TA: t.Final = 2
DANE_EE: t.Final = 3
# RFC 7672 3.1.3: PKIX-TA(0) and PKIX-EE(1) are not for SMTP; such records count as unusable.
_USABLE: t.Final = (DANE_TA, DANE_EE)
_DIGESTS: t.Final = {1: "sha256", 2: "sha512"}

DaneStatus = t.Literal["verified", "mismatch", "unsigned", "bogus", "not_published", "unusable", "not_judged", "not_asked"]


@dataclasses.dataclass(frozen=True)
class DaneVerdict:
    """`record` is the one that matched, as it stands in the zone."""

    status: DaneStatus
    detail: str
    records: tuple[str, ...] = ()
    record: str | None = None

    def as_dict(self) -> dict[str, t.Any]:
        """As results show it."""
        return {**dataclasses.asdict(self), "records": list(self.records)}


def judge_dane(
    talk: Talk, path: Path, host: Host | None, mx: Mx | None, domain: str | None, policy: SmtpPolicy, now: dt.datetime
) -> DaneVerdict:
    """The verdict for one address. `mx` is None for a smart host, whose name nobody looked up (RFC 7672 2.2.1)."""
    verdict = _verdict(path, host, mx, domain, now)
    evidence = verdict.as_dict()
    if verdict.status in _SUMMARIES:
        status: t.Literal["fail"] | None = None
        if policy.require == "dane" and verdict.status in ("unsigned", "not_published", "unusable"):
            status = "fail"
        summary = _SUMMARIES[verdict.status]
        talk.say(f"dane.{verdict.status}", summary, detail=verdict.detail, evidence=evidence, status=status)
    elif verdict.status == "not_judged":
        talk.say("dane.not_judged", "whether it is verified by DANE was not seen", detail=verdict.detail, evidence=evidence)
    return verdict


_SUMMARIES: t.Final[t.Mapping[str, str]] = {
    "verified": "the chain is the one that its TLSA records pin",
    "mismatch": "no TLSA record matches the chain",
    "unsigned": "TLSA records exist, but DNSSEC does not vouch for the way there",
    "bogus": "the resolver refuses the TLSA records (SERVFAIL), as where DNSSEC fails",
    "not_published": "there are no TLSA records",
    "unusable": "no TLSA record can be used for SMTP",
}


def _verdict(path: Path, host: Host | None, mx: Mx | None, domain: str | None, now: dt.datetime) -> DaneVerdict:
    tlsa = host.tlsa if host is not None else None
    if host is None or tlsa is None or tlsa.status == "not_asked":
        return DaneVerdict("not_asked", "")
    records = tuple(record.text for record in tlsa.records)
    if tlsa.status == "servfail" and tlsa.bogus:
        return DaneVerdict("bogus", f"SERVFAIL for {tlsa.name}, and an answer where validation is left out.", records)
    if tlsa.status in ("no_data", "nxdomain"):
        return DaneVerdict("not_published", f"{tlsa.name}: {tlsa.status}.", records)
    if tlsa.status != "ok" or not tlsa.records:
        return DaneVerdict("not_judged", f"{tlsa.name}: {tlsa.status}.", records)
    links = {"MX record": mx.authenticated if mx is not None else True}
    links.update({"address": host.address_authenticated, "TLSA record": tlsa.authenticated})
    loose = [name for name, state in links.items() if state is not True]
    if loose:
        return DaneVerdict("unsigned", f"Not authenticated by the host's resolver: {', '.join(loose)}.", records)
    usable = [record for record in tlsa.records if is_usable(record)]
    if not usable:
        return DaneVerdict("unusable", "Only usages 2 and 3 with known selector and matching type are for SMTP.", records)
    if not path.chain:
        return DaneVerdict("not_judged", "No certificate was presented.", records)
    # RFC 7672 3.2.2: the names are the base domain of the records, the MX host and, the way there being secure, the domain.
    references = [tlsa.name.partition("._tcp.")[2] or path.host, path.host, *([domain] if domain else [])]
    for record in usable:
        if matches(record, path.chain, references, now):
            return DaneVerdict("verified", f"Record {record.text}.", records, record.text)
    return DaneVerdict("mismatch", f"{len(usable)} usable records.", records)


def is_usable(record: Tlsa) -> bool:
    """RFC 7671 4.1: a record with unknown parameters, or with a digest of the wrong length, is as if it were not there."""
    if record.usage not in _USABLE or record.selector not in (0, 1) or not record.data:
        return False
    if record.matching == 0:
        return True
    digest = _DIGESTS.get(record.matching)
    return digest is not None and len(record.data) == hashlib.new(digest).digest_size


def matches(record: Tlsa, chain: t.Sequence[x509.Certificate], references: t.Sequence[str], now: dt.datetime) -> bool:
    """Whether the record pins the chain, leaf first, of a server that has one of the names."""
    if record.usage == DANE_EE:
        # RFC 7672 3.1.1: neither names nor dates of the certificate count.
        return selects(record, chain[0])
    path = [chain[0]]
    while len(path) <= len(chain):
        if not _valid(path[-1], now):
            return False
        if selects(record, path[-1]):
            return any(match_name(chain[0], name).matched for name in references)
        upper = next((item for item in chain if item not in path and _is_ca(item) and issued_by(path[-1], item)), None)
        if upper is None:
            break
        path.append(upper)
    return False


def selects(record: Tlsa, certificate: x509.Certificate) -> bool:
    """Whether the record's data are this certificate's (RFC 6698 2.1.2 and 2.1.3)."""
    whole = certificate.public_bytes(serialization.Encoding.DER)
    data = whole if record.selector == 0 else public_key_bytes(certificate)
    if data is None or record.data is None:
        return False
    digest = _DIGESTS.get(record.matching)
    return record.data == (data if digest is None else hashlib.new(digest, data).digest())


def _is_ca(certificate: x509.Certificate) -> bool:
    constraints = extension(extensions_of(certificate) or (), x509.BasicConstraints)
    return constraints is not None and bool(constraints.ca)


def _valid(certificate: x509.Certificate, now: dt.datetime) -> bool:
    start, end = moment(certificate, "not_valid_before"), moment(certificate, "not_valid_after")
    return start is not None and end is not None and start <= now <= end
