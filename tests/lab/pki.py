# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lab's CA: a root, an intermediate and a server certificate, their CRLs, OCSP responders, and a twin of the root.

The twin has the root's subject and another key: whoever compares names takes it for the root. The shapes follow RFC 5280;
the responders are delegated as in RFC 6960, section 4.2.2.2.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import pathlib

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID

from tests.lab.plan import ZONE

Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey

CRL_ROOT = f"http://crl.{ZONE}/root.crl"
CRL_INTERMEDIATE = f"http://crl.{ZONE}/intermediate.crl"
OCSP_ROOT = f"http://ocsp.{ZONE}/"
OCSP_INTERMEDIATE = f"http://ocsp-intermediate.{ZONE}/"
AIA_ROOT = f"http://ca.{ZONE}/root.crt"
AIA_INTERMEDIATE = f"http://ca.{ZONE}/intermediate.crt"

ROOT_NAME = "Lab Root CA"
INTERMEDIATE_NAME = "Lab TLS CA 1"
LEAF_NAME = f"www.{ZONE}"
CRL_LIFETIME = dt.timedelta(days=7)


@dataclasses.dataclass(frozen=True)
class Issued:
    """A certificate with its key."""

    certificate: x509.Certificate
    key: Key

    @property
    def pem(self) -> str:
        return self.certificate.public_bytes(serialization.Encoding.PEM).decode()

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.DER)

    @property
    def key_pem(self) -> str:
        return self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ).decode()

    @property
    def sha256(self) -> str:
        return self.certificate.fingerprint(hashes.SHA256()).hex()

    @property
    def serial(self) -> str:
        text = f"{self.certificate.serial_number:x}"
        return text if len(text) % 2 == 0 else f"0{text}"


@dataclasses.dataclass(frozen=True)
class LabCA:
    """Everything the lab signs with or serves."""

    root: Issued
    twin: Issued
    intermediate: Issued
    leaf: Issued
    revoked_leaf: Issued
    root_responder: Issued
    intermediate_responder: Issued
    root_crl: bytes
    intermediate_crl: bytes


def lab_name(common_name: str) -> x509.Name:
    """A subject of the lab's CA."""
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "XX"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Mailops Lab"),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )


class Signer:
    """Issues certificates and CRLs that are valid from yesterday, so that a small clock skew does no harm."""

    def __init__(self, now: dt.datetime) -> None:
        self.now = now.replace(microsecond=0)
        self.start = self.now - dt.timedelta(days=1)

    def builder(self, subject: x509.Name, key: Key, issuer: x509.Name, days: int) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(self.start)
            .not_valid_after(self.start + dt.timedelta(days=days))
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        )

    def root(self) -> Issued:
        key = rsa.generate_private_key(65537, 2048)
        name = lab_name(ROOT_NAME)
        return Issued(as_ca(self.builder(name, key, name, 3650), path_length=None).sign(key, hashes.SHA256()), key)

    def intermediate(self, issuer: Issued) -> Issued:
        key = rsa.generate_private_key(65537, 2048)
        builder = as_ca(self.builder(lab_name(INTERMEDIATE_NAME), key, issuer.certificate.subject, 1825), path_length=0)
        return sign(_pointers(builder, CRL_ROOT, OCSP_ROOT, AIA_ROOT), key, issuer)

    def leaf(self, issuer: Issued, name: str) -> Issued:
        key = ec.generate_private_key(ec.SECP256R1())
        builder = (
            self.builder(lab_name(name), key, issuer.certificate.subject, 90)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        )
        return sign(_pointers(builder, CRL_INTERMEDIATE, OCSP_INTERMEDIATE, AIA_INTERMEDIATE), key, issuer)

    def responder(self, issuer: Issued, name: str) -> Issued:
        key = ec.generate_private_key(ec.SECP256R1())
        builder = (
            self.builder(lab_name(name), key, issuer.certificate.subject, 30)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.OCSP_SIGNING]), critical=True)
            .add_extension(x509.OCSPNoCheck(), critical=False)
        )
        return sign(builder, key, issuer)

    def crl(self, issuer: Issued, revoked: list[int], critical: x509.ExtensionType | None = None) -> bytes:
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(issuer.certificate.subject)
            .last_update(self.now - dt.timedelta(hours=1))
            .next_update(self.now + CRL_LIFETIME)
            .add_extension(_authority(issuer), critical=False)
            .add_extension(x509.CRLNumber(1), critical=False)
        )
        if critical is not None:
            builder = builder.add_extension(critical, critical=True)
        for serial in revoked:
            entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(self.start).build()
            builder = builder.add_revoked_certificate(entry)
        return builder.sign(issuer.key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


def _authority(issuer: Issued) -> x509.AuthorityKeyIdentifier:
    return x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.certificate.public_key())  # type: ignore[arg-type]


def as_ca(builder: x509.CertificateBuilder, path_length: int | None) -> x509.CertificateBuilder:
    """With the extensions of a CA."""
    usage = dict.fromkeys(
        ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "encipher_only", "decipher_only"), False
    )
    return builder.add_extension(x509.BasicConstraints(ca=True, path_length=path_length), critical=True).add_extension(
        x509.KeyUsage(digital_signature=True, key_cert_sign=True, crl_sign=True, **usage), critical=True
    )


def _pointers(builder: x509.CertificateBuilder, crl: str, ocsp: str, issuers: str) -> x509.CertificateBuilder:
    point = x509.DistributionPoint([x509.UniformResourceIdentifier(crl)], None, None, None)
    access = [
        x509.AccessDescription(AuthorityInformationAccessOID.OCSP, x509.UniformResourceIdentifier(ocsp)),
        x509.AccessDescription(AuthorityInformationAccessOID.CA_ISSUERS, x509.UniformResourceIdentifier(issuers)),
    ]
    return builder.add_extension(x509.CRLDistributionPoints([point]), critical=False).add_extension(
        x509.AuthorityInformationAccess(access), critical=False
    )


def sign(builder: x509.CertificateBuilder, key: Key, issuer: Issued) -> Issued:
    """Signed by the issuer, and pointing to its key."""
    return Issued(builder.add_extension(_authority(issuer), critical=False).sign(issuer.key, hashes.SHA256()), key)


def make_ca(now: dt.datetime) -> LabCA:
    """A complete CA, as of this moment (aware, UTC)."""
    signer = Signer(now)
    root = signer.root()
    intermediate = signer.intermediate(root)
    revoked = signer.leaf(intermediate, f"revoked.{ZONE}")
    return LabCA(
        root=root,
        twin=signer.root(),
        intermediate=intermediate,
        leaf=signer.leaf(intermediate, LEAF_NAME),
        revoked_leaf=revoked,
        root_responder=signer.responder(root, "Lab Root OCSP"),
        intermediate_responder=signer.responder(intermediate, "Lab TLS CA 1 OCSP"),
        root_crl=signer.crl(root, []),
        intermediate_crl=signer.crl(intermediate, [revoked.certificate.serial_number]),
    )


def index_line(issued: Issued, revoked: bool) -> str:
    """One line of the database `openssl ocsp -index` reads (six fields, see openssl-ca(1))."""
    subject = "/" + "/".join(attribute.rfc4514_string() for attribute in issued.certificate.subject)
    expiry = issued.certificate.not_valid_after_utc.strftime("%y%m%d%H%M%SZ")
    revocation = issued.certificate.not_valid_before_utc.strftime("%y%m%d%H%M%SZ") if revoked else ""
    return "\t".join(("R" if revoked else "V", expiry, revocation, issued.serial.upper(), "unknown", subject)) + "\n"


def write_ca(ca: LabCA, directory: pathlib.Path) -> None:
    """Write what the services read: certificates, keys, CRLs and the responders' databases."""
    directory.mkdir(mode=0o700)
    for name in ("root", "twin", "intermediate", "leaf", "revoked_leaf", "root_responder", "intermediate_responder"):
        issued: Issued = getattr(ca, name)
        (directory / f"{name}.pem").write_text(issued.pem)
        (directory / f"{name}.key").write_text(issued.key_pem)
    (directory / "leaf-chain.pem").write_text(ca.leaf.pem + ca.intermediate.pem)
    (directory / "root.index").write_text(index_line(ca.intermediate, revoked=False))
    leaves = index_line(ca.leaf, revoked=False) + index_line(ca.revoked_leaf, revoked=True)
    (directory / "intermediate.index").write_text(leaves)
    served = directory / "served"
    served.mkdir()
    (served / "root.crl").write_bytes(ca.root_crl)
    (served / "intermediate.crl").write_bytes(ca.intermediate_crl)
    (served / "root.crt").write_bytes(ca.root.der)
    (served / "intermediate.crt").write_bytes(ca.intermediate.der)
