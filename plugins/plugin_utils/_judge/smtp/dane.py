# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""DANE for SMTP (RFC 7672, with RFC 6698 and RFC 7671): is the chain the one that the TLSA records pin."""

from __future__ import annotations

import dataclasses
import hashlib
import typing as t

from ansible_collections.mailops.tls.plugins.plugin_utils._judge.smtp.chain import LEAF_ONLY
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.smtp.context import SmtpPolicy, Talk
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.smtp.model import Host, Mx, Path, Tlsa
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.smtp.name import match_name
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.x509 import (
    public_key_bytes,
    sha256,
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


def judge_dane(talk: Talk, path: Path, host: Host | None, mx: Mx | None, domain: str | None, policy: SmtpPolicy) -> DaneVerdict:
    """The verdict for one address. `mx` is None for a smart host, whose name nobody looked up (RFC 7672 2.2.1)."""
    verdict = _verdict(path, host, mx, domain)
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


def _verdict(path: Path, host: Host | None, mx: Mx | None, domain: str | None) -> DaneVerdict:
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
    # RFC 7672 2.2.2: an alias that can be believed is a secure name, whatever the zone at its end is.
    address = True if host.alias_authenticated else host.address_authenticated
    links = {"MX record": mx.authenticated if mx is not None else True, "address": address, "TLSA record": tlsa.authenticated}
    loose = [name for name, state in links.items() if state is not True]
    if loose == ["address"] and address is None:
        return DaneVerdict("not_judged", "No answer told whether the address is authenticated.", records)
    if loose:
        return DaneVerdict("unsigned", f"Not authenticated by the host's resolver: {', '.join(loose)}.", records)
    usable = [record for record in tlsa.records if is_usable(record)]
    if not usable:
        return DaneVerdict("unusable", "Only usages 2 and 3 with known selector and matching type are for SMTP.", records)
    if not path.chain:
        return DaneVerdict("not_judged", "No certificate was presented.", records)
    # RFC 7672 3.2.2: the names are the base domain of the records, the MX host and, the way there being secure, the domain.
    references = [tlsa.name.partition("._tcp.")[2] or path.host, path.host, *([domain] if domain else [])]
    named = any(match_name(path.chain[0], name).matched for name in references)
    matched = [(record, matches(record, path, named=named)) for record in usable]
    for record, state in matched:
        if state:
            return DaneVerdict("verified", f"Record {record.text}.", records, record.text)
    if any(state is None for _record, state in matched):
        return DaneVerdict("not_judged", "The host's openssl did not tell whether the chain leads to an anchor.", records)
    return DaneVerdict("mismatch", f"{len(usable)} usable records.{_why_not(usable, path, named=named)}", records)


def _why_not(usable: t.Sequence[Tlsa], path: Path, *, named: bool) -> str:
    """What a record with usage 2 asks for beside its data."""
    if not any(record.usage == DANE_TA for record in usable):
        return ""
    if not named:
        return " The certificate has none of the names that usage 2 asks for."
    return "".join([f" openssl verify: {item.message} ({item.code})." for item in path.anchored if item.ok is False][:1])


def is_usable(record: Tlsa) -> bool:
    """RFC 7671 4.1: a record with unknown parameters, or with a digest of the wrong length, is as if it were not there."""
    if record.usage not in _USABLE or record.selector not in (0, 1) or not record.data:
        return False
    if record.matching == 0:
        return True
    digest = _DIGESTS.get(record.matching)
    return digest is not None and len(record.data) == hashlib.new(digest).digest_size


def matches(record: Tlsa, path: Path, *, named: bool) -> bool | None:
    """Whether the record pins the chain; None where that was not seen. `named`: the certificate has one of the names."""
    leaf, *above = path.chain
    if record.usage == DANE_EE:
        # RFC 7672 3.1.1: neither names nor dates of the certificate count.
        return selects(record, leaf)
    if not named:
        return False
    # RFC 7671 5.2: an anchor is above the server's certificate, never that certificate itself.
    anchors = {sha256(item) for item in above if item != leaf and selects(record, item)}
    if record.selector == 0 and record.matching == 0 and record.data is not None:
        anchors |= {hashlib.sha256(record.data).hexdigest()} - {sha256(leaf)}
    said = {item.sha256: item.ok for item in path.anchored}
    verdicts = [said.get(anchor) for anchor in anchors]
    if True in verdicts:
        return True
    # The key of an anchor that is not sent verifies a chain, too; and of a chain that was not seen nothing is known.
    unseen = (record.selector == 1 and record.matching == 0 and not anchors) or path.chain_source == LEAF_ONLY
    return None if unseen or None in verdicts else False


def selects(record: Tlsa, certificate: x509.Certificate) -> bool:
    """Whether the record's data are this certificate's (RFC 6698 2.1.2 and 2.1.3)."""
    whole = certificate.public_bytes(serialization.Encoding.DER)
    data = whole if record.selector == 0 else public_key_bytes(certificate)
    if data is None or record.data is None:
        return False
    digest = _DIGESTS.get(record.matching)
    return record.data == (data if digest is None else hashlib.new(digest, data).digest())
