# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""Whether a certificate is the server's by name: RFC 9525, and the common name as mail software still reads it."""

from __future__ import annotations

import dataclasses
import ipaddress
import typing as t

from ansible_collections.mailops.tls.plugins.plugin_utils._judge.certificate.names import dns_names
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.smtp.context import SmtpPolicy, Talk
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.smtp.model import Mx, Path
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.x509 import PARSE_ERRORS, extension, extensions_of

try:
    from cryptography import x509
except ImportError:  # only in ansible-test's import check: ansible-core itself requires cryptography
    pass

_MAX_SHOWN: t.Final = 20


@dataclasses.dataclass(frozen=True)
class NameVerdict:
    """Which name of the certificate is the `reference` looked for. `field` is SAN, IP or CN; both None where none is."""

    reference: str
    matched: bool
    field: str | None = None
    value: str | None = None


def match_name(certificate: x509.Certificate, reference: str) -> NameVerdict:
    """Match one reference name, a DNS name or an IP address.

    DNS names of the subject alternative name count; the common name only where there are none (RFC 6125 6.4.4, what OpenSSL and
    Postfix do; RFC 9525 6 no longer does). A wildcard stands for exactly one label, the leftmost and all of it.
    """
    wanted = reference.rstrip(".").lower()
    address = _address(wanted)
    if address is not None:
        found = any(address == _address(item) for item in ip_names(certificate))
        return NameVerdict(reference, found, "IP" if found else None, str(address) if found else None)
    names = dns_names(certificate)
    alternative = [(field, name) for field, name in names if field == "SAN"]
    for field, name in alternative or [item for item in names if item[0] == "CN"]:
        if covers(name, wanted):
            return NameVerdict(reference, True, field, name)
    return NameVerdict(reference, False)


def covers(presented: str, wanted: str) -> bool:
    """Whether a name as presented is the wanted one, both lower case without a final dot (RFC 9525 6.3)."""
    if presented == wanted:
        return True
    first, _dot, rest = presented.partition(".")
    label, _wanted_dot, wanted_rest = wanted.partition(".")
    return first == "*" and bool(label) and "." in rest and rest == wanted_rest


def ip_names(certificate: x509.Certificate) -> tuple[str, ...]:
    """IP addresses of the subject alternative name."""
    alternative = extension(extensions_of(certificate) or (), x509.SubjectAlternativeName)
    try:
        found = alternative.get_values_for_type(x509.IPAddress) if alternative else ()
    except PARSE_ERRORS:
        return ()
    return tuple(str(item) for item in found)


def judge_name(talk: Talk, path: Path, policy: SmtpPolicy) -> NameVerdict | None:
    """The name's own verdict, whoever signed the certificate; None where there is none."""
    if not path.chain:
        return None
    leaf = path.chain[0]
    verdict = match_name(leaf, policy.expect.name or path.host)
    names = [f"{field} {value}" for field, value in dns_names(leaf)] + [f"IP {value}" for value in ip_names(leaf)]
    evidence = {**dataclasses.asdict(verdict), "names": names[:_MAX_SHOWN]}
    if not verdict.matched:
        talk.say(
            "name.mismatch",
            f"no name of the certificate is {verdict.reference}",
            detail=f"Names of the certificate: {', '.join(names[:_MAX_SHOWN]) or 'none'}.",
            evidence=evidence,
            status="fail" if policy.demands_pkix else "warn",
        )
    elif verdict.field == "CN":
        talk.say("name.common_name_only", f"only the common name {verdict.value} is {verdict.reference}", evidence=evidence)
    else:
        talk.say("name.match", f"{verdict.field} {verdict.value} is {verdict.reference}", evidence=evidence)
    return verdict


def judge_mx_name(
    talk: Talk, path: Path, name: NameVerdict | None, mx: Mx | None, domain: str | None, policy: SmtpPolicy, *, profiled: bool
) -> None:
    """A name that came from DNS without DNSSEC is whose it pleases a forger, unless something else says that it is right.

    The domain itself does, and what lies in it, as with Postfix's `secure` (nexthop, dot-nexthop); a name that was expected; and
    a profile, which knows the servers of Exchange Online (`profiled`).
    """
    if domain is None or mx is None or mx.authenticated or name is None or not name.matched:
        return
    if policy.expect.name or profiled or _belongs(path.host, domain) or match_name(path.chain[0], domain).matched:
        return
    talk.say(
        "name.unauthenticated_mx",
        f"the name {path.host} comes from DNS without DNSSEC",
        detail=f"The certificate is that of {path.host}; nothing but the MX record says that this host takes mail for {domain}.",
        evidence={"host": path.host, "domain": domain, "mx_authenticated": mx.authenticated},
        severity="medium" if policy.demands_pkix else "low",
    )


def _belongs(host: str, domain: str) -> bool:
    return host == domain or host.endswith("." + domain)


def is_address(text: str) -> bool:
    """Whether a name is an IP address in truth."""
    return _address(text) is not None


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None
