# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""A certificate named as Exchange connectors name one: TlsCertificateName and TlsSenderCertificateName.

Set-SendConnector, Set-ReceiveConnector: TlsCertificateName is `<I>issuer<S>subject`, with distinguished names as Windows
writes them. New-InboundConnector: TlsSenderCertificateName is a domain, with or without a leading `*.`.
"""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.mailops.tls.plugins.plugin_utils._judge.x509 import PARSE_ERRORS, clean, extension, extensions_of

try:
    from cryptography import x509
except ImportError:  # only in ansible-test's import check: ansible-core itself requires cryptography
    pass

# The keywords of Windows (CertNameToStr) where they differ from those of RFC 4514, or where that has none.
_KEYWORDS: t.Final = {
    "2.5.4.3": "CN",
    "2.5.4.4": "SN",
    "2.5.4.5": "SERIALNUMBER",
    "2.5.4.6": "C",
    "2.5.4.7": "L",
    "2.5.4.8": "S",
    "2.5.4.9": "STREET",
    "2.5.4.10": "O",
    "2.5.4.11": "OU",
    "2.5.4.12": "T",
    "2.5.4.42": "G",
    "2.5.4.43": "I",
    "0.9.2342.19200300.100.1.25": "DC",
    "1.2.840.113549.1.9.1": "E",
}
_QUOTED: t.Final = frozenset(',+="\n<>#;')


@dataclasses.dataclass(frozen=True)
class NameMatch:
    """Which name of the certificate (`field`: SAN or CN, and its `value`) matched a wanted name."""

    field: str
    value: str


def connector_name(certificate: x509.Certificate) -> str:
    """`<I>issuer<S>subject`, the value of TlsCertificateName for this certificate."""
    return f"<I>{windows_name(certificate.issuer)}<S>{windows_name(certificate.subject)}"


def windows_name(name: x509.Name) -> str:
    """A distinguished name as Windows shows it: most specific part first, quoted where it must be."""
    try:
        return clean(", ".join(" + ".join(_part(attribute) for attribute in rdn) for rdn in reversed(name.rdns)), 1000)
    except PARSE_ERRORS:
        return "(unreadable name)"


def _part(attribute: x509.NameAttribute[t.Any]) -> str:
    oid = attribute.oid.dotted_string
    value = attribute.value if isinstance(attribute.value, str) else attribute.value.hex()
    if value != value.strip() or not value or _QUOTED & set(value):
        value = '"' + value.replace('"', '""') + '"'
    return f"{_KEYWORDS.get(oid, 'OID.' + oid)}={value}"


def dns_names(certificate: x509.Certificate) -> tuple[tuple[str, str], ...]:
    """(field, name) for each DNS name of the subject alternative name, and for each common name. Lower case, at most 200."""
    alternative = extension(extensions_of(certificate) or (), x509.SubjectAlternativeName)
    try:
        found = [("SAN", value) for value in (alternative.get_values_for_type(x509.DNSName) if alternative else ())]
        common = certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
        found += [("CN", value.value) for value in common if isinstance(value.value, str)]
    except PARSE_ERRORS:
        return ()
    return tuple((field, clean(name).rstrip(".").lower()) for field, name in found[:200])


def match_connector(certificate: x509.Certificate, wanted: str) -> NameMatch | None:
    """Which name of the certificate a connector's TlsSenderCertificateName or TlsDomain accepts, None where none does.

    The common name and every SAN count (hybrid documentation, MC1226222). `*.example.com` accepts example.com, every name
    below it and the same wildcard; a plain name accepts itself, and a wildcard of the certificate that covers it by one label.
    """
    wanted = wanted.rstrip(".").lower()
    for field, name in dns_names(certificate):
        if _accepts(wanted, name):
            return NameMatch(field, name)
    return None


def _accepts(wanted: str, name: str) -> bool:
    if wanted == name:
        return True
    if wanted.startswith("*."):
        base = wanted[2:]
        return name == base or name.endswith("." + base)
    return name.startswith("*.") and wanted.partition(".")[2] == name[2:]


def match_accepted_domain(certificate: x509.Certificate, accepted: t.Sequence[str]) -> tuple[NameMatch, str] | None:
    """The first name of the certificate that is, or lies below, an accepted domain of the tenant, with that domain.

    Exchange Online finds the tenant by the domain on the certificate (MC1226222); for mail.example.com that is example.com.
    """
    for field, name in dns_names(certificate):
        bare = name.removeprefix("*.")
        for domain in accepted:
            lowered = domain.rstrip(".").lower()
            if bare == lowered or bare.endswith("." + lowered):
                return NameMatch(field, name), domain
    return None
