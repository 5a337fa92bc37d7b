# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Pieces of certificates, compared with what openssl says of 140 real roots; and what is not a certificate."""

from __future__ import annotations

import base64
import datetime as dt
import pathlib
import re
import ssl
import subprocess

import pytest
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.trust.der import (
    DerError,
    TrustSettings,
    read_certificate,
    subject_hash,
    trust_settings,
)
from ansible_collections.mailops.tls.plugins.plugin_utils._profiles.loader import root_catalogue
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.name import _ASN1Type
from hypothesis import example, given
from hypothesis import strategies as st

SYSTEM = pathlib.Path(ssl.get_default_verify_paths().openssl_capath) / "ca-certificates.crt"
PEM = re.compile(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----\n?", re.S)


def real_roots() -> list[str]:
    """Every root of this machine's bundle and of the catalogue."""
    bundle = PEM.findall(SYSTEM.read_text(encoding="ascii")) if SYSTEM.exists() else []
    return sorted({pem.strip() for pem in [*bundle, *(root.pem for root in root_catalogue().values())]})


def openssl(pem: str, *arguments: str) -> str:
    command = ["openssl", "x509", "-noout", *arguments]
    return subprocess.run(command, input=pem, capture_output=True, text=True, check=True).stdout.strip()


def test_subject_hashes_are_those_of_openssl():
    roots = real_roots()
    assert len(roots) >= 11
    wrong = [
        openssl(pem, "-subject")
        for pem in roots
        if subject_hash(read_certificate(ssl.PEM_cert_to_DER_cert(pem)).subject) != openssl(pem, "-subject_hash")
    ]
    assert wrong == []


def test_keys_and_fingerprints_are_those_of_openssl():
    for root in root_catalogue().values():
        parts = read_certificate(ssl.PEM_cert_to_DER_cert(root.pem))
        assert parts.sha256 == root.sha256
        key = serialization.load_der_public_key(parts.key)
        pem = key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()
        assert pem.strip() == openssl(root.pem, "-pubkey")
        assert parts.issuer == parts.subject


def odd_name(*attributes: tuple[str, _ASN1Type]) -> str:
    """A certificate whose common names have the given texts and ASN.1 types, all in one name."""
    rdns = [x509.RelativeDistinguishedName([x509.NameAttribute(x509.NameOID.COMMON_NAME, *item)]) for item in attributes]
    key = ec.generate_private_key(ec.SECP256R1())
    builder = x509.CertificateBuilder().subject_name(x509.Name(rdns)).issuer_name(x509.Name(rdns)).public_key(key.public_key())
    now = dt.datetime(2026, 1, 1)
    builder = builder.serial_number(1).not_valid_before(now).not_valid_after(now + dt.timedelta(days=9))
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()


@pytest.mark.parametrize(
    "attributes",
    [
        [("  Two   Spaces\tand Tab ", _ASN1Type.UTF8String)],
        [("Ünï cödé İ", _ASN1Type.UTF8String)],
        [("Ünï", _ASN1Type.BMPString)],
        [("Wide \U0001f512", _ASN1Type.UniversalString)],
        [("plain", _ASN1Type.PrintableString), ("x@y", _ASN1Type.IA5String)],
        [("Teletex", _ASN1Type.T61String)],
        [("12 34", _ASN1Type.NumericString)],
        [("x" * 64, _ASN1Type.UTF8String)] * 4,
        [],
    ],
)
def test_odd_names_hash_as_openssl_hashes_them(attributes):
    pem = odd_name(*attributes)
    assert subject_hash(read_certificate(ssl.PEM_cert_to_DER_cert(pem)).subject) == openssl(pem, "-subject_hash")


def test_a_name_with_several_attributes_in_one_set_hashes_as_openssl_hashes_it():
    pair = [(x509.NameOID.COMMON_NAME, "B  b"), (x509.NameOID.ORGANIZATION_NAME, "a")]
    name = x509.Name([x509.RelativeDistinguishedName([x509.NameAttribute(oid, text) for oid, text in pair])])
    key = ec.generate_private_key(ec.SECP256R1())
    now = dt.datetime(2026, 1, 1)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
    certificate = builder.not_valid_before(now).not_valid_after(now + dt.timedelta(days=9)).sign(key, hashes.SHA256())
    pem = certificate.public_bytes(serialization.Encoding.PEM).decode()
    assert subject_hash(read_certificate(ssl.PEM_cert_to_DER_cert(pem)).subject) == openssl(pem, "-subject_hash")


@pytest.mark.parametrize(
    ("options", "expected", "rejects"),
    [
        (["-addtrust", "serverAuth"], TrustSettings(frozenset({"1.3.6.1.5.5.7.3.1"}), frozenset()), False),
        (["-addtrust", "emailProtection"], TrustSettings(frozenset({"1.3.6.1.5.5.7.3.4"}), frozenset()), True),
        (["-addreject", "serverAuth"], TrustSettings(None, frozenset({"1.3.6.1.5.5.7.3.1"})), True),
        (["-addreject", "clientAuth"], TrustSettings(None, frozenset({"1.3.6.1.5.5.7.3.2"})), False),
        (["-addtrust", "anyExtendedKeyUsage"], TrustSettings(frozenset({"2.5.29.37.0"}), frozenset()), False),
        (["-setalias", "only a name"], TrustSettings(None, frozenset()), False),
    ],
)
def test_trust_settings_as_openssl_writes_them(options, expected, rejects):
    pem = root_catalogue()["globalsign-r6"].pem
    command = ["openssl", "x509", "-trustout", *options]
    trusted = subprocess.run(command, input=pem, capture_output=True, text=True, check=True).stdout
    body = "".join(line for line in trusted.splitlines() if not line.startswith("-----"))
    parts = read_certificate(base64.b64decode(body))
    assert parts.sha256 == root_catalogue()["globalsign-r6"].sha256
    settings = trust_settings(parts.rest)
    assert settings == expected
    assert settings.rejects_servers() is rejects


def test_no_auxiliary_data_is_no_settings():
    assert trust_settings(b"") is None


ROOT = ssl.PEM_cert_to_DER_cert(root_catalogue()["globalsign-r6"].pem)


@given(st.integers(0, len(ROOT)), st.binary(max_size=6))
@example(0, b"")
def test_damage_is_a_der_error_or_still_a_certificate(position, noise):
    damaged = ROOT[:position] + noise + ROOT[position + len(noise) :]
    try:
        parts = read_certificate(damaged)
        subject_hash(parts.subject)
        trust_settings(parts.rest)
    except DerError:
        return
    assert parts.certificate


@given(st.binary(max_size=200))
def test_no_bytes_make_another_exception_than_a_der_error(data):
    for function in (read_certificate, trust_settings, subject_hash):
        try:
            function(data)
        except DerError:
            continue
