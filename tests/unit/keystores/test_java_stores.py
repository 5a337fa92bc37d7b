# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Keystores of Java, made by keytool and openssl, read as keytool lists them; and any bytes at all."""

from __future__ import annotations

import pathlib
import subprocess
import time

import pytest
from ansible_collections.mailops.tls.plugins.plugin_utils._keystores.java import read_java
from ansible_collections.mailops.tls.plugins.plugin_utils._keystores.jks import JKS_MAGIC, read_jks
from ansible_collections.mailops.tls.plugins.plugin_utils._keystores.model import KeystoreError
from ansible_collections.mailops.tls.plugins.plugin_utils._keystores.pbe import pkcs12_key
from ansible_collections.mailops.tls.plugins.plugin_utils._keystores.pkcs12 import NO_ATTRIBUTE, read_pkcs12
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.conftest import require, require_programs
from tests.unit.keystores.makers import G1, G2, G3, PASSWORD, add_key, digest_of, java_store, keytool_trusts, pem_file, run

DEBIAN = pathlib.Path("/etc/ssl/certs/java/cacerts")
LEGACY = "-J-Dkeystore.pkcs12.legacy"
# Certificates in clear and no MAC, as the cacerts of JDK 18 and later are.
BARE = ("-J-Dkeystore.pkcs12.certProtectionAlgorithm=NONE", "-J-Dkeystore.pkcs12.macAlgorithm=NONE")
TRIPLE_DES = ("-J-Dkeystore.pkcs12.certProtectionAlgorithm=PBEWithSHA1AndDESede", "-J-Dkeystore.pkcs12.macAlgorithm=HmacPBESHA1")
CLEAR_WITH_MAC = ("-J-Dkeystore.pkcs12.certProtectionAlgorithm=NONE",)


@pytest.fixture(scope="module", autouse=True)
def programs() -> None:
    require_programs("keystores of Java", "keytool", "openssl")


def anchors(data: bytes, password: str | None = None) -> set[str]:
    return {entry.sha256 for entry in read_java(data, password).anchors}


@pytest.fixture(scope="module")
def jks(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    path = java_store(tmp_path_factory.mktemp("jks") / "store", "JKS", G1, G2)
    add_key(path, "JKS")
    return path


@pytest.fixture(scope="module")
def pkcs12(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    path = java_store(tmp_path_factory.mktemp("p12") / "store", "PKCS12", G1, G2)
    add_key(path, "PKCS12")
    return path


def test_a_jks_store_is_read_as_keytool_lists_it(jks):
    store = read_java(jks.read_bytes(), PASSWORD)
    assert (store.format, store.integrity) == ("JKS", "verified")
    assert {entry.sha256 for entry in store.anchors} == keytool_trusts(jks) == {digest_of(G1), digest_of(G2)}
    # The certificate of the private key is there, and no trusted entry.
    assert [entry.use for entry in store.entries if entry.use != "anchor"] == ["unknown"]


def test_the_certificates_of_a_jks_store_are_readable_without_its_password(jks):
    store = read_java(jks.read_bytes(), "another")
    assert store.integrity == "failed"
    assert len(store.anchors) == 2
    # keytool reads them too when it is given no password, and refuses a wrong one.
    assert len(keytool_trusts(jks, None)) == 2
    with pytest.raises(subprocess.CalledProcessError):
        keytool_trusts(jks, "another")


def test_a_changed_jks_store_does_not_fit_its_checksum(jks):
    data = bytearray(jks.read_bytes())
    data[data.index(b"DigiCert") + 1] ^= 1
    assert read_java(bytes(data), PASSWORD).integrity == "failed"


def test_a_jceks_store(tmp_path):
    path = java_store(tmp_path / "store", "JCEKS", G1)
    assert anchors(path.read_bytes()) == keytool_trusts(path) == {digest_of(G1)}
    run("keytool", "-genseckey", "-alias", "s", "-keyalg", "AES", "-keysize", "128", "-keystore", path, "-storetype", "JCEKS",
        "-storepass", PASSWORD, "-keypass", PASSWORD)  # fmt: skip
    with pytest.raises(KeystoreError, match="secret key"):
        read_java(path.read_bytes(), PASSWORD)


def test_debians_own_cacerts():
    require(DEBIAN.exists(), "Debian's cacerts", "no package ca-certificates-java")
    store = read_java(DEBIAN.read_bytes(), None)
    assert store.integrity == "verified"
    assert {entry.sha256 for entry in store.anchors} == keytool_trusts(DEBIAN)
    assert len(store.anchors) > 50


def test_a_pkcs12_store_is_read_as_keytool_lists_it(pkcs12):
    store = read_java(pkcs12.read_bytes(), PASSWORD)
    assert (store.format, store.integrity) == ("PKCS12", "verified")
    assert {entry.sha256 for entry in store.anchors} == keytool_trusts(pkcs12) == {digest_of(G1), digest_of(G2)}
    assert [entry.detail for entry in store.entries if entry.use == "other"] == [NO_ATTRIBUTE]


def test_an_encrypted_pkcs12_store_needs_its_password(pkcs12):
    with pytest.raises(KeystoreError, match="the password does not fit"):
        read_java(pkcs12.read_bytes(), "another")
    with pytest.raises(subprocess.CalledProcessError):
        keytool_trusts(pkcs12, "another")


@pytest.mark.parametrize("password", ["pässwörd €", "x" * 200])
def test_passwords_of_all_kinds(tmp_path, password):
    path = tmp_path / "store"
    source = pem_file(G3, tmp_path)
    run("openssl", "pkcs12", "-export", "-nokeys", "-in", source, "-out", path, "-passout", f"pass:{password}")
    store = read_java(path.read_bytes(), password)
    assert (store.integrity, [entry.sha256 for entry in store.entries]) == ("verified", [digest_of(G3)])


@pytest.mark.parametrize(
    ("options", "password", "check"),
    [(BARE, PASSWORD, "unprotected"), (TRIPLE_DES, PASSWORD, "verified"), (CLEAR_WITH_MAC, PASSWORD, "verified")],
)
def test_other_protections_of_pkcs12(tmp_path, options, password, check):
    path = java_store(tmp_path / "store", "PKCS12", G1, G2, options=options)
    store = read_java(path.read_bytes(), password)
    assert store.integrity == check
    assert {entry.sha256 for entry in store.anchors} == keytool_trusts(path) == {digest_of(G1), digest_of(G2)}


def test_a_wrong_password_where_nothing_is_encrypted(tmp_path):
    path = java_store(tmp_path / "store", "PKCS12", G1, options=CLEAR_WITH_MAC)
    store = read_java(path.read_bytes(), "another")
    assert (store.integrity, len(store.anchors)) == ("failed", 1)
    with pytest.raises(subprocess.CalledProcessError):
        keytool_trusts(path, "another")


def test_rc2_of_java_8_says_why_it_is_not_read(tmp_path):
    path = java_store(tmp_path / "store", "PKCS12", G1, options=(LEGACY,))
    with pytest.raises(KeystoreError, match="RC2 of 40 bits"):
        read_java(path.read_bytes(), PASSWORD)


def test_a_pkcs12_of_openssl_has_no_trusted_entries_for_java(tmp_path):
    path = tmp_path / "store"
    source = pem_file(G1, tmp_path)
    run("openssl", "pkcs12", "-export", "-nokeys", "-in", source, "-out", path, "-passout", f"pass:{PASSWORD}")
    store = read_java(path.read_bytes(), None)
    assert keytool_trusts(path) == {entry.sha256 for entry in store.anchors} == set()
    assert [(entry.sha256, entry.use, entry.detail) for entry in store.entries] == [(digest_of(G1), "other", NO_ATTRIBUTE)]


def test_the_key_derivation_is_that_of_openssl():
    # OpenSSL takes the password as it goes into the derivation: UTF-16 with its end.
    options = ("digest:SHA1", "hexpass:0073006d006500670000", "hexsalt:0102030405060708", "id:1", "iter:77")
    made = run("openssl", "kdf", "-keylen", "40", *(word for option in options for word in ("-kdfopt", option)), "PKCS12KDF")
    assert pkcs12_key("sha1", "smeg", bytes(range(1, 9)), 1, 77, 40) == bytes.fromhex(made.strip().replace(":", ""))


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "neither JKS nor PKCS #12"),
        (b"-----BEGIN CERTIFICATE-----\n", "a PEM file"),
        (JKS_MAGIC, "cut off"),
        (JKS_MAGIC + b"\0\0\0\x03\0\0\0\0", "unknown version"),
        (JKS_MAGIC + b"\0\0\0\x02\xff\xff\xff\xff", "more than"),
        (JKS_MAGIC + b"\0\0\0\x02\0\0\0\0" + bytes(21), "behind the end"),
        (JKS_MAGIC + b"\0\0\0\x02\0\0\0\x01" + b"\0\0\0\x09" + bytes(40), "unknown kind"),
    ],
)
def test_what_is_no_keystore(data, reason):
    with pytest.raises(KeystoreError, match=reason):
        read_java(data, None)


def test_a_file_may_not_ask_for_work_without_end(pkcs12):
    data = pkcs12.read_bytes()
    # The iteration count of the MAC, the last number in the file: INTEGER 10000.
    assert data.endswith(b"\x02\x02\x27\x10")
    with pytest.raises(KeystoreError):
        read_java(data[:-4] + b"\x02\x02\xff\xff", PASSWORD)
    longer = data[:-2] + b"\x7f\xff"
    with pytest.raises(KeystoreError, match="does not fit"):
        read_java(longer, PASSWORD)


def tlv(tag: int, content: bytes) -> bytes:
    return bytes([tag, 0x84]) + len(content).to_bytes(4, "big") + content


def pfx(*bags: bytes) -> bytes:
    """A PKCS #12 file without encryption and MAC."""
    data = tlv(6, bytes.fromhex("2a864886f70d010701"))
    part = tlv(0x30, data + tlv(0xA0, tlv(4, tlv(0x30, b"".join(bags)))))
    return tlv(0x30, b"\x02\x01\x03" + tlv(0x30, data + tlv(0xA0, tlv(4, tlv(0x30, part)))))


X509_BAG = tlv(6, bytes.fromhex("2a864886f70d010c0a0103")) + tlv(
    0xA0, tlv(0x30, tlv(6, bytes.fromhex("2a864886f70d01091601")) + tlv(0xA0, tlv(4, b"x")))
)
KEY_ENTRY = b"\0\0\0\x01\0\0" + bytes(12) + b"\0\0\x13\x88" + bytes(20000)


@pytest.mark.parametrize(
    "data",
    [
        pfx(tlv(0x30, b"\x05\0" * 4000000)),
        pfx(*[tlv(0x30, X509_BAG + tlv(0x31, tlv(0x30, b"\x06\x01\x01\x31\0") * 9000))] * 60),
        pfx(*[tlv(0x30, X509_BAG)] * 20000),
        JKS_MAGIC + b"\0\0\0\x01\0\0\x13\x88" + KEY_ENTRY * 400,
    ],
    ids=["elements", "attributes", "bags", "chains"],
)
def test_large_files_of_small_parts_are_refused_early(data):
    began = time.process_time()
    with pytest.raises(KeystoreError, match=r"too many elements|more than 5000"):
        read_java(data, None)
    assert time.process_time() - began < 1


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_damage_ends_in_a_verdict_or_a_reason(jks, pkcs12, data):
    path = data.draw(st.sampled_from([jks, pkcs12]))
    whole = path.read_bytes()
    at = data.draw(st.integers(0, len(whole)))
    noise = data.draw(st.binary(max_size=6))
    damaged = whole[:at] + noise + whole[at + data.draw(st.integers(0, 6)) :]
    try:
        read_java(damaged[: data.draw(st.integers(0, len(damaged)))] if data.draw(st.booleans()) else damaged, PASSWORD)
    except KeystoreError as error:
        assert str(error).isprintable()


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=400))
def test_any_bytes_end_in_a_verdict_or_a_reason(noise):
    for reader in (read_jks, read_pkcs12):
        for start in (b"", JKS_MAGIC + b"\0\0\0\x02", b"\x30\x82\x01\x00\x02\x01\x03"):
            try:
                reader(start + noise, "x")
            except KeystoreError:
                continue
