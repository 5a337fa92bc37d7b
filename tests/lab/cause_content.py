# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files for the cases of causes.py: CRLs with one fault each (RFC 5280), certificates of web servers, responders' databases."""

from __future__ import annotations

import datetime as dt
import pathlib

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tests.lab import causes, pki, plan

# In the example arc of RFC 5612's enterprise number: nobody knows this extension.
UNKNOWN_EXTENSION = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.32473.1"), b"\x05\x00")
INSPECTION_NAME = "Example Corp TLS Inspection"


def write(ca: pki.LabCA, now: dt.datetime, directory: pathlib.Path) -> None:
    """Write everything below the CA's directory."""
    for name, crl in _crls(ca, now).items():
        path = directory / "causes" / f"{name}.crl"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(crl)
    inspection = _inspection(pki.Signer(now))
    _write_web(directory, "causes-web", _web(pki.Signer(now), ca.root))
    _write_web(directory, "causes-web-expired", _web(pki.Signer(now - dt.timedelta(days=60)), ca.root))
    _write_web(directory, "inspection-web", _web(pki.Signer(now), inspection))
    (directory / "revoked.index").write_text(pki.index_line(ca.intermediate, revoked=True))
    (directory / "unknown.index").write_text(pki.index_line(ca.root, revoked=False))


def _crls(ca: pki.LabCA, now: dt.datetime) -> dict[str, bytes]:
    signer, week = pki.Signer(now), dt.timedelta(days=7)
    parsed = x509.load_der_x509_crl(ca.root_crl)
    return {
        "pem": parsed.public_bytes(serialization.Encoding.PEM),
        "cut": ca.root_crl[:-20],
        "expired": pki.Signer(now - 2 * week).crl(ca.root, []),
        "future": pki.Signer(now + week).crl(ca.root, []),
        "bad-signature": ca.root_crl[:-1] + bytes([ca.root_crl[-1] ^ 1]),
        "other-issuer": ca.intermediate_crl,
        "other-key": signer.crl(ca.twin, []),
        "lists": signer.crl(ca.root, [ca.intermediate.certificate.serial_number]),
        "critical": signer.crl(ca.root, [], UNKNOWN_EXTENSION),
    }


def _inspection(signer: pki.Signer) -> pki.Issued:
    """The CA of a device that opens TLS connections; no host trusts it, and nothing here knows it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, INSPECTION_NAME)])
    builder = pki.as_ca(signer.builder(name, key, name, 3650), path_length=None)
    return pki.sign(builder, key, pki.Issued(builder.sign(key, hashes.SHA256()), key))


def _web(signer: pki.Signer, issuer: pki.Issued) -> pki.Issued:
    """A certificate for every case, valid for 30 days from the signer's day on."""
    key = ec.generate_private_key(ec.SECP256R1())
    names = [x509.DNSName(f"*.{family}.{plan.ZONE}") for family in causes.FAMILIES]
    builder = (
        signer.builder(pki.lab_name("Causes"), key, issuer.certificate.subject, 30)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
    )
    return pki.sign(builder, key, issuer)


def _write_web(directory: pathlib.Path, name: str, issued: pki.Issued) -> None:
    (directory / f"{name}.pem").write_text(issued.pem)
    (directory / f"{name}-chain.pem").write_text(issued.pem)
    (directory / f"{name}.key").write_text(issued.key_pem)


def certificate_with_ldap_only(ca: pathlib.Path, now: dt.datetime) -> str:
    """A certificate (PEM) of the lab's root whose only CRL is in a directory, as some internal CAs do it."""
    key = ec.generate_private_key(ec.SECP256R1())
    issuer_key = serialization.load_pem_private_key((ca / "root.key").read_bytes(), None)
    assert isinstance(issuer_key, rsa.RSAPrivateKey)
    issuer = pki.Issued(x509.load_pem_x509_certificate((ca / "root.pem").read_bytes()), issuer_key)
    url = x509.UniformResourceIdentifier("ldap://ldap.lab.test/cn=root?certificateRevocationList")
    point = x509.DistributionPoint([url], None, None, None)
    builder = pki.Signer(now).builder(pki.lab_name("ldap only"), key, issuer.certificate.subject, 30)
    return pki.sign(builder.add_extension(x509.CRLDistributionPoints([point]), critical=False), key, issuer).pem
