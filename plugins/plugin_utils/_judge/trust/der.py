# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""The few pieces of a certificate that cryptography does not hand out, read from its DER.

Raw subject and key, OpenSSL's hash of a subject, and the trust settings behind a TRUSTED CERTIFICATE. Everything here may
come from a hostile host: anything unexpected is a DerError, never another exception.
"""

from __future__ import annotations

import dataclasses
import hashlib
import typing as t

SERVER_AUTH: t.Final = "1.3.6.1.5.5.7.3.1"  # RFC 5280 section 4.2.1.12
ANY_EKU: t.Final = "2.5.29.37.0"

_SUBJECT_KEY_IDENTIFIER: t.Final = b"\x55\x1d\x0e"  # 2.5.29.14
_SEQUENCE, _SET, _OID, _INTEGER = 0x30, 0x31, 0x06, 0x02
# The string types OpenSSL makes canonical (ASN1_MASK_CANON in crypto/x509/x_name.c), with how their bytes are read.
_TEXT_TYPES: t.Final = {
    0x0C: "utf-8",
    0x13: "latin-1",
    0x14: "latin-1",
    0x16: "latin-1",
    0x1A: "latin-1",
    0x1C: "utf-32-be",
    0x1E: "utf-16-be",
}
_WHITE: t.Final = b" \t\n\v\f\r"


class DerError(ValueError):
    """What was given is not the DER that was expected."""


@dataclasses.dataclass(frozen=True)
class CertificateParts:
    """A certificate taken apart: all fields are complete DER elements, `rest` is what follows the certificate."""

    certificate: bytes
    issuer: bytes
    subject: bytes
    key: bytes
    rest: bytes

    @property
    def sha256(self) -> str:
        """The fingerprint of the certificate alone."""
        return hashlib.sha256(self.certificate).hexdigest()


@dataclasses.dataclass(frozen=True)
class TrustSettings:
    """OpenSSL's auxiliary data: uses a certificate is trusted for (None: not said) and uses it is rejected for."""

    trusted: frozenset[str] | None
    rejected: frozenset[str]

    def rejects_servers(self) -> bool:
        """Whether OpenSSL refuses it as an anchor for TLS servers: obj_trust() in crypto/x509/x509_trust.c.

        Rejected when serverAuth or anyExtendedKeyUsage is among the rejected uses, or when there is a list of trusted uses
        that holds neither.
        """
        return self.distrusts_servers() or (self.trusted is not None and not self.trusted & {SERVER_AUTH, ANY_EKU})

    def distrusts_servers(self) -> bool:
        """Whether the refusal is spelled out, instead of following from trust for other uses only."""
        return bool(self.rejected & {SERVER_AUTH, ANY_EKU})


def read_certificate(block: bytes) -> CertificateParts:
    """Take the certificate at the beginning of `block` apart (RFC 5280 section 4.1)."""
    tag, content, certificate, rest = _element(block)
    _expect(tag, _SEQUENCE)
    tag, content = _element(content)[:2]
    _expect(tag, _SEQUENCE)
    fields = _elements(content)
    if fields and fields[0][0] == 0xA0:  # the version, absent in v1 certificates
        fields = fields[1:]
    if len(fields) < 6 or [field[0] for field in fields[:6]] != [_INTEGER, *[_SEQUENCE] * 5]:
        raise DerError("not a certificate")
    # serialNumber, signature, issuer, validity, subject, subjectPublicKeyInfo
    return CertificateParts(certificate, issuer=fields[2][2], subject=fields[4][2], key=fields[5][2], rest=rest)


def key_identifier(certificate: bytes) -> bytes | None:
    """The subject key identifier of a certificate (RFC 5280 section 4.2.1.2), or None where it has none that can be read."""
    try:
        fields = _elements(_element(_element(certificate)[1])[1])
        extensions = next((field[1] for field in fields if field[0] == 0xA3), None)
        for _tag, content, _whole in _elements(_element(extensions)[1]) if extensions is not None else []:
            parts = _elements(content)
            if parts[0][1] == _SUBJECT_KEY_IDENTIFIER:
                return _element(parts[-1][1])[1]
    except (DerError, IndexError):
        return None
    return None


def trust_settings(rest: bytes) -> TrustSettings | None:
    """The auxiliary data behind a certificate (X509_CERT_AUX of OpenSSL), or None where there is none."""
    if not rest:
        return None
    tag, content = _element(rest)[:2]
    _expect(tag, _SEQUENCE)
    trusted: frozenset[str] | None = None
    rejected: frozenset[str] = frozenset()
    for tag, value, _whole in _elements(content):
        if tag == _SEQUENCE:
            trusted = _uses(value)
        elif tag == 0xA0:
            rejected = _uses(value)
    return TrustSettings(trusted, rejected)


def subject_hash(name: bytes) -> str:
    """OpenSSL's hash of a subject name, eight hexadecimal digits, as `openssl x509 -subject_hash` and `openssl rehash` use it.

    The first four bytes, little endian, of SHA-1 over the canonical encoding of the name without its outer SEQUENCE:
    X509_NAME_hash_ex() in crypto/x509/x509_cmp.c, x509_name_canon() in crypto/x509/x_name.c. SHA-1 is no security here.
    """
    tag, content = _element(name)[:2]
    _expect(tag, _SEQUENCE)
    canonical = b"".join(_canonical_rdn(tag, value) for tag, value, _whole in _elements(content))
    digest = hashlib.sha1(canonical, usedforsecurity=False).digest()
    return f"{int.from_bytes(digest[:4], 'little'):08x}"


def _canonical_rdn(tag: int, content: bytes) -> bytes:
    _expect(tag, _SET)
    attributes = []
    for attribute_tag, attribute, _whole in _elements(content):
        _expect(attribute_tag, _SEQUENCE)
        parts = _elements(attribute)
        if len(parts) != 2 or parts[0][0] != _OID:
            raise DerError("not an attribute of a name")
        attributes.append(_encode(_SEQUENCE, parts[0][2] + _canonical_value(*parts[1])))
    return _encode(_SET, b"".join(sorted(attributes)))


def _canonical_value(tag: int, content: bytes, whole: bytes) -> bytes:
    """Text as UTF-8 in lower case (ASCII letters only), trimmed, with each run of white space as one space."""
    if tag not in _TEXT_TYPES:
        return whole
    try:
        text = content.decode(_TEXT_TYPES[tag]).encode("utf-8")
    except UnicodeError:
        raise DerError("not the text it claims to be") from None
    words = text.translate(bytes.maketrans(_WHITE, b" " * len(_WHITE))).split(b" ")
    # bytes.lower() changes ASCII letters only, as OpenSSL does.
    return _encode(0x0C, b" ".join(word for word in words if word).lower())


def _uses(content: bytes) -> frozenset[str]:
    uses = []
    for tag, value, _whole in _elements(content):
        _expect(tag, _OID)
        uses.append(_dotted(value))
    return frozenset(uses)


def _dotted(content: bytes) -> str:
    arcs, number = [], 0
    if not content or content[-1] & 0x80 or len(content) > 64:
        raise DerError("not an object identifier")
    for byte in content:
        number = number << 7 | byte & 0x7F
        if not byte & 0x80:
            arcs.append(number)
            number = 0
    first = min(arcs[0] // 40, 2)
    return ".".join(str(arc) for arc in (first, arcs[0] - 40 * first, *arcs[1:]))


def _elements(content: bytes) -> list[tuple[int, bytes, bytes]]:
    """All elements in `content`: tag, content, and the element whole."""
    result, at = [], 0
    while at < len(content):
        tag, start, end = _bounds(content, at)
        result.append((tag, content[start:end], content[at:end]))
        at = end
    return result


def _element(data: bytes) -> tuple[int, bytes, bytes, bytes]:
    """The first DER element: tag, content, the element whole, and what follows it."""
    tag, start, end = _bounds(data, 0)
    return tag, data[start:end], data[:end], data[end:]


def _bounds(data: bytes, at: int) -> tuple[int, int, int]:
    """The DER element that begins at `at`: tag, where its content begins, and where it ends (X.690 section 8.1)."""
    if len(data) - at < 2 or data[at] & 0x1F == 0x1F:
        raise DerError("not DER")
    length, start = data[at + 1], at + 2
    if length & 0x80:
        count = length & 0x7F
        if not 1 <= count <= 4 or len(data) - start < count:
            raise DerError("not DER")
        length, start = int.from_bytes(data[start : start + count], "big"), start + count
    end = start + length
    if end > len(data):
        raise DerError("cut off")
    return data[at], start, end


def _encode(tag: int, content: bytes) -> bytes:
    if len(content) < 0x80:
        return bytes((tag, len(content))) + content
    size = (len(content).bit_length() + 7) // 8
    return bytes((tag, 0x80 | size)) + len(content).to_bytes(size, "big") + content


def _expect(tag: int, wanted: int) -> None:
    if tag != wanted:
        raise DerError("not the structure expected")
