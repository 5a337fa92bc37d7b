# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""Encryption and integrity of PKCS #12 by a password: PBES2 (RFC 8018), and the older schemes of RFC 7292 appendix B and C."""

from __future__ import annotations

import hashlib
import hmac
import typing as t

from ansible_collections.mailops.tls.plugins.plugin_utils._keystores.der import OCTETS, SEQUENCE, Element, encoded_oid
from ansible_collections.mailops.tls.plugins.plugin_utils._keystores.model import KeystoreError

try:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives import padding
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    try:  # where cryptography has it since 43
        from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
    except ImportError:
        from cryptography.hazmat.primitives.ciphers.algorithms import TripleDES
except ImportError:  # only in ansible-test's import check: ansible-core itself requires cryptography
    HAS_CRYPTOGRAPHY = False
else:
    HAS_CRYPTOGRAPHY = True

# Java and OpenSSL make 10 000 and 2048. A file may ask for any number, and each takes time on the controller.
MAX_ITERATIONS: t.Final = 1_000_000

_PBES2 = encoded_oid("1.2.840.113549.1.5.13")
_PBKDF2 = encoded_oid("1.2.840.113549.1.5.12")
_SHA1_3DES = encoded_oid("1.2.840.113549.1.12.1.3")
_SHA1_RC2_40 = encoded_oid("1.2.840.113549.1.12.1.6")
_DES_EDE3_CBC = encoded_oid("1.2.840.113549.3.7")
_AES_KEY_BYTES: t.Final = {
    encoded_oid("2.16.840.1.101.3.4.1.2"): 16,
    encoded_oid("2.16.840.1.101.3.4.1.22"): 24,
    encoded_oid("2.16.840.1.101.3.4.1.42"): 32,
}
_PRFS: t.Final = {
    encoded_oid("1.2.840.113549.2.7"): "sha1",
    encoded_oid("1.2.840.113549.2.8"): "sha224",
    encoded_oid("1.2.840.113549.2.9"): "sha256",
    encoded_oid("1.2.840.113549.2.10"): "sha384",
    encoded_oid("1.2.840.113549.2.11"): "sha512",
}
_DIGESTS: t.Final = {
    encoded_oid("1.3.14.3.2.26"): "sha1",
    encoded_oid("2.16.840.1.101.3.4.2.4"): "sha224",
    encoded_oid("2.16.840.1.101.3.4.2.1"): "sha256",
    encoded_oid("2.16.840.1.101.3.4.2.2"): "sha384",
    encoded_oid("2.16.840.1.101.3.4.2.3"): "sha512",
}
_KEY_ID, _IV_ID, _MAC_ID = 1, 2, 3


class WrongPasswordError(Exception):
    """What was decrypted is not what was encrypted."""


class Effort:
    """How many iterations one file may still ask for, all of its parts together."""

    def __init__(self, most: int = MAX_ITERATIONS) -> None:
        self._left = most

    def spend(self, iterations: int) -> int:
        """Count them. Raises KeystoreError when they are too many."""
        self._left -= iterations
        if iterations < 1 or self._left < 0:
            raise KeystoreError("it asks for too many iterations of its password function")
        return iterations


def pkcs12_key(name: str, password: str, salt: bytes, purpose: int, iterations: int, size: int) -> bytes:
    """`size` bytes of key, initialisation vector or MAC key from a password: RFC 7292 appendix B.2."""
    block = hashlib.new(name, usedforsecurity=False).block_size
    secret = (password + "\0").encode("utf-16-be", "surrogatepass")
    filled = bytearray(_fill(salt, block) + _fill(secret, block))
    result = b""
    while True:
        digest = bytes([purpose]) * block + bytes(filled)
        for _round in range(iterations):
            digest = hashlib.new(name, digest, usedforsecurity=False).digest()
        result += digest
        if len(result) >= size:
            return result[:size]
        step = int.from_bytes(_fill(digest, block)[:block], "big") + 1
        for at in range(0, len(filled), block):
            total = int.from_bytes(filled[at : at + block], "big") + step
            filled[at : at + block] = (total % (1 << 8 * block)).to_bytes(block, "big")


def _fill(text: bytes, block: int) -> bytes:
    size = -(-len(text) // block) * block
    return (text * (size // len(text) + 1))[:size] if text else b""


def mac_fits(mac_data: Element, content: bytes, password: str, effort: Effort) -> bool | None:
    """Whether the password makes the file's MAC (RFC 7292 section 4); None where its algorithm is not known here."""
    parts = mac_data.children(SEQUENCE, 2)
    algorithm, expected = parts[0].children(SEQUENCE, 2)[:2]
    name = _DIGESTS.get(algorithm.children(SEQUENCE, 1)[0].oid())
    iterations = effort.spend(parts[2].number(MAX_ITERATIONS) if len(parts) > 2 else 1)
    if name is None:
        return None
    size = hashlib.new(name, usedforsecurity=False).digest_size
    key = pkcs12_key(name, password, _salt(parts[1]), _MAC_ID, iterations, size)
    return hmac.compare_digest(hmac.new(key, content, name).digest(), bytes(expected.expect(OCTETS)))


def decrypt(algorithm: Element, data: bytes, password: str, effort: Effort) -> bytes:
    """The plain text. Raises WrongPasswordError, and KeystoreError for what cannot be decrypted here."""
    if not HAS_CRYPTOGRAPHY:
        raise KeystoreError("its certificates are encrypted, and cryptography is not installed")
    parts = algorithm.children(SEQUENCE, 2)
    scheme = parts[0].oid()
    if scheme == _PBES2:
        kdf, cipher = parts[1].children(SEQUENCE, 2)[:2]
        name, key, vector = _pbes2(kdf, cipher, password, effort)
    elif scheme == _SHA1_3DES:
        salt, iterations = _parameters(parts[1])
        # Two derivations, for the key and for the initialisation vector.
        effort.spend(iterations * 3)
        name, key = "3des", pkcs12_key("sha1", password, salt, _KEY_ID, iterations, 24)
        vector = pkcs12_key("sha1", password, salt, _IV_ID, iterations, 8)
    elif scheme == _SHA1_RC2_40:
        raise KeystoreError(
            "its certificates are encrypted with RC2 of 40 bits (the default of Java 8 and OpenSSL 1), which is not read here; "
            "keytool -importkeystore of a newer Java writes it anew"
        )
    else:
        raise KeystoreError("its certificates are encrypted with a scheme that is not known here")
    return _decipher(name, key, vector, data)


def _pbes2(kdf: Element, cipher: Element, password: str, effort: Effort) -> tuple[str, bytes, bytes]:
    """Cipher, key and initialisation vector of PBES2 with PBKDF2 (RFC 8018 appendix A.2 and A.4)."""
    function, parameters = kdf.children(SEQUENCE, 2)[:2]
    encryption, vector = cipher.children(SEQUENCE, 2)[:2]
    if function.oid() != _PBKDF2:
        raise KeystoreError("its key comes of another function than PBKDF2, which is not known here")
    kind = encryption.oid()
    name, size = ("3des", 24) if kind == _DES_EDE3_CBC else ("aes", _AES_KEY_BYTES.get(kind, 0))
    fields = parameters.children(SEQUENCE, 2)
    prf: str | None = "sha1"
    for field in fields[2:]:
        if field.tag == SEQUENCE:
            prf = _PRFS.get(field.children(SEQUENCE, 1)[0].oid())
    if not size or prf is None:
        raise KeystoreError("its certificates are encrypted with a cipher or hash that is not known here")
    iterations = effort.spend(fields[1].number(MAX_ITERATIONS))
    key = hashlib.pbkdf2_hmac(prf, password.encode("utf-8", "surrogatepass"), _salt(fields[0]), iterations, size)
    return name, key, bytes(vector.expect(OCTETS))


def _parameters(element: Element) -> tuple[bytes, int]:
    parts = element.children(SEQUENCE, 2)
    return _salt(parts[0]), parts[1].number(MAX_ITERATIONS)


def _salt(element: Element) -> bytes:
    salt = bytes(element.expect(OCTETS))
    if len(salt) > 1024:
        raise KeystoreError("a salt that is too long")
    return salt


def _decipher(name: str, key: bytes, vector: bytes, data: bytes) -> bytes:
    block = 8 if name == "3des" else 16
    if len(vector) != block or not data or len(data) % block:
        raise KeystoreError("its encrypted part is damaged")
    algorithm = TripleDES(key) if name == "3des" else algorithms.AES(key)
    try:
        decryptor = Cipher(algorithm, modes.CBC(vector)).decryptor()
        plain = decryptor.update(data) + decryptor.finalize()
    except UnsupportedAlgorithm:
        raise KeystoreError("its certificates are encrypted with a cipher that this controller's OpenSSL refuses") from None
    unpadder = padding.PKCS7(block * 8).unpadder()
    try:
        return unpadder.update(plain) + unpadder.finalize()
    except ValueError:
        raise WrongPasswordError from None
