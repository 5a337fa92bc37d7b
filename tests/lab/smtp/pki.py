# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The certificates of the mail network: one CA with an intermediate, a stranger, and everything that can be wrong with a leaf."""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
import ipaddress
import pathlib
import typing as t

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID

from tests.lab.pki import Issued, Key, Signer, as_ca, index_line, lab_name, sign
from tests.lab.smtp import plan

INTERMEDIATE_NAME = "Mail Lab TLS CA"
WILDCARD = f"*.{plan.HOSTS_ZONE}"


@dataclasses.dataclass(frozen=True)
class MailCA:
    """`leaves` by the name that a case gives its certificate. `below` is a CA that its issuer's path length forbids."""

    root: Issued
    intermediate: Issued
    below: Issued
    stranger: Issued
    responder: Issued
    leaves: t.Mapping[str, Issued]
    policies: Issued

    def chain(self, name: str) -> tuple[Issued, ...]:
        """What a server with this certificate presents."""
        alone = name in ("no-intermediate", "wrong-ca", "own")
        between = (self.below,) if name == "too-long" else ()
        return (self.leaves[name],) if alone else (self.leaves[name], *between, self.intermediate)

    def tlsa(self, record: str) -> str:
        """A TLSA record whose data are given as the name of a certificate (RFC 6698 2.1)."""
        usage, selector, matching, name = record.split()
        issued = self.intermediate if name == "intermediate" else self.leaves[name]
        public = issued.certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        data = public if selector == "1" else issued.der
        return f"{usage} {selector} {matching} {data.hex() if matching == '0' else hashlib.sha256(data).hexdigest()}"


def make(now: dt.datetime) -> MailCA:
    """All of them, as of `now` (aware, UTC)."""
    signer = Signer(now)
    root, stranger = signer.root(), signer.root()
    key = rsa.generate_private_key(65537, 2048)
    builder = as_ca(signer.builder(lab_name(INTERMEDIATE_NAME), key, root.certificate.subject, 1825), path_length=0)
    intermediate = sign(_pointers(builder, crl=plan.ROOT_CRL_URL), key, root)
    below_key = _new()
    below = sign(
        as_ca(signer.builder(lab_name("One too many"), below_key, intermediate.certificate.subject, 900), None),
        below_key,
        intermediate,
    )
    good = rsa.generate_private_key(65537, 2048)
    literal = [case.address for case in plan.CASES if case.certificate == "literal"]
    leaves = {
        "good": _leaf(signer, intermediate, good),
        "renewed": _leaf(signer, intermediate, good, days=190),
        "wrong-name": _leaf(signer, intermediate, _new(), name="mail.elsewhere.test"),
        "wrong-ca": _leaf(signer, stranger, _new()),
        "expired": _leaf(_before(signer, 100), intermediate, _new()),
        "no-intermediate": _leaf(signer, intermediate, _new()),
        "revoked": _leaf(signer, intermediate, _new(), ocsp=None),
        "revoked-ocsp": _leaf(signer, intermediate, _new(), crl=None),
        "weak": _leaf(signer, intermediate, rsa.generate_private_key(65537, 1024)),  # noqa: S505 - the fault of this case
        "own": _own(signer),
        "clients": _leaf(signer, intermediate, _new(), usage=ExtendedKeyUsageOID.CLIENT_AUTH),
        "too-long": _leaf(signer, below, _new()),
        "literal": _leaf(signer, intermediate, _new(), addresses=literal),
    }
    policies = _leaf(
        signer,
        intermediate,
        _new(),
        name=f"mta-sts.{plan.DOMAINS_ZONE}",
        names=[f"mta-sts.{domain.domain}" for domain in plan.DOMAINS],
    )
    return MailCA(root, intermediate, below, stranger, signer.responder(intermediate, "Mail Lab OCSP"), leaves, policies)


def write(ca: MailCA, now: dt.datetime, directory: pathlib.Path) -> None:
    """Write what servers, responder and clients read. Keys and chains are in one file, as smtpd_tls_chain_files wants them."""
    signer = Signer(now)
    directory.mkdir()
    for name, leaf in ca.leaves.items():
        (directory / f"{name}.chain.pem").write_text(leaf.key_pem + "".join(issued.pem for issued in ca.chain(name)))
    (directory / "policies.pem").write_text(ca.policies.pem + ca.intermediate.pem)
    (directory / "policies.key").write_text(ca.policies.key_pem)
    for name in ("root", "intermediate", "stranger", "responder"):
        issued: Issued = getattr(ca, name)
        (directory / f"{name}.pem").write_text(issued.pem)
        (directory / f"{name}.key").write_text(issued.key_pem)
    revoked = {name: name == "revoked-ocsp" for name in ca.leaves if name not in ("own", "wrong-ca", "too-long")}
    (directory / "index").write_text("".join(index_line(ca.leaves[name], is_revoked) for name, is_revoked in revoked.items()))
    # Several servers go by one name here.
    (directory / "index.attr").write_text("unique_subject = no\n")
    served = directory / "served"
    served.mkdir()
    (served / "tls.crl").write_bytes(signer.crl(ca.intermediate, [ca.leaves["revoked"].certificate.serial_number]))
    (served / "root.crl").write_bytes(signer.crl(ca.root, []))
    (served / "tls.crt").write_bytes(ca.intermediate.der)


def _new() -> Key:
    return ec.generate_private_key(ec.SECP256R1())


def _before(signer: Signer, days: int) -> Signer:
    """As if it were some days ago."""
    return Signer(signer.now - dt.timedelta(days=days))


def _pointers(builder: x509.CertificateBuilder, *, crl: str | None = None, ocsp: str | None = None) -> x509.CertificateBuilder:
    if crl:
        point = x509.DistributionPoint([x509.UniformResourceIdentifier(crl)], None, None, None)
        builder = builder.add_extension(x509.CRLDistributionPoints([point]), critical=False)
    access = [x509.AccessDescription(AuthorityInformationAccessOID.CA_ISSUERS, x509.UniformResourceIdentifier(plan.AIA_URL))]
    if ocsp:
        access.append(x509.AccessDescription(AuthorityInformationAccessOID.OCSP, x509.UniformResourceIdentifier(ocsp)))
    return builder.add_extension(x509.AuthorityInformationAccess(access), critical=False)


def _leaf(
    signer: Signer,
    issuer: Issued,
    key: Key,
    *,
    name: str = WILDCARD,
    names: t.Sequence[str] = (),
    days: int = 90,
    crl: str | None = plan.CRL_URL,
    ocsp: str | None = plan.OCSP_URL,
    usage: x509.ObjectIdentifier = ExtendedKeyUsageOID.SERVER_AUTH,
    addresses: t.Sequence[str] = (),
) -> Issued:
    alternative: list[x509.GeneralName] = [x509.DNSName(word) for word in names or [name]]
    alternative += [x509.IPAddress(ipaddress.ip_address(address)) for address in addresses]
    builder = (
        signer.builder(lab_name(name), key, issuer.certificate.subject, days)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName(alternative), critical=False)
        .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
    )
    return sign(_pointers(builder, crl=crl, ocsp=ocsp), key, issuer)


def _own(signer: Signer) -> Issued:
    """Signed by itself, which DANE does not mind."""
    key, name = _new(), lab_name("own")
    return Issued(signer.builder(name, key, name, 90).sign(key, hashes.SHA256()), key)
