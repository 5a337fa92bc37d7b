# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""Which certificates a CRL speaks of: RFC 5280 6.3.3 (b) to (d), with 4.2.1.13 and 5.2.5. Pure."""

from __future__ import annotations

import dataclasses
import itertools
import typing as t

from ansible_collections.mailops.tls.plugins.plugin_utils._judge.x509 import CertificateRef, same_name

try:
    from cryptography import x509
except ImportError:  # only in ansible-test's import check: ansible-core itself requires cryptography
    pass

# Names and distribution points are few; a hostile file with many must not cost their product.
_MAX_NAMES = 100


@dataclasses.dataclass(frozen=True)
class Coverage:
    """The reasons for which absence from the CRL means "not revoked"; where they are not all, `why` says it in words."""

    reasons: frozenset[x509.ReasonFlags]
    why: str = ""

    @property
    def complete(self) -> bool:
        return self.reasons >= _all_reasons()


def _all_reasons() -> frozenset[x509.ReasonFlags]:
    """The bits of ReasonFlags in RFC 5280 4.2.1.13. A CRL without onlySomeReasons covers them all."""
    return frozenset(x509.ReasonFlags) - {x509.ReasonFlags.unspecified, x509.ReasonFlags.remove_from_crl}


def coverage(issuer: x509.Name, scope: x509.IssuingDistributionPoint | None, reference: CertificateRef) -> Coverage:
    """What a CRL of `issuer` with the issuingDistributionPoint `scope` can say about one certificate."""
    left_out = _kind_left_out(scope, reference.ca)
    if left_out:
        return Coverage(frozenset(), left_out)
    # (d): the reasons of the CRL and those of the certificate's distribution point, as far as they agree.
    own = (scope.only_some_reasons if scope else None) or _all_reasons()
    covered: frozenset[x509.ReasonFlags] = frozenset()
    if reference.points is None:
        # Only name and serial number are known. The caller chose this CRL for the certificate, so names are taken to fit.
        if not same_name(issuer, reference.issuer):
            return Coverage(covered, "whether the certificate's issuer leaves its CRL to this one's is not known")
        covered = frozenset(own)
    else:
        # After the points that it names, every certificate has one more, which bears its issuer's name (end of 6.3.3).
        implied = x509.DistributionPoint([x509.DirectoryName(reference.issuer)], None, None, None)
        for point in [*reference.points[:_MAX_NAMES], implied]:
            if _issuer_fits(issuer, scope, point, reference) and _name_fits(issuer, scope, point, reference):
                covered |= frozenset(own) & (point.reasons or _all_reasons())
    if not covered:
        return Coverage(covered, "its issuer or issuingDistributionPoint is not what the certificate's distribution points name")
    return Coverage(covered, "it covers only some reasons for revocation")


def _kind_left_out(scope: x509.IssuingDistributionPoint | None, ca: bool | None) -> str:
    """(b)(2)(ii) to (iv): lists of end entities', CAs' or attribute certificates only."""
    if scope is None:
        return ""
    if scope.only_contains_attribute_certs:
        return "it lists attribute certificates only"
    if scope.only_contains_user_certs and ca is True:
        return "it lists end entities' certificates only, and this is one of a CA"
    if scope.only_contains_ca_certs and ca is False:
        return "it lists certificates of CAs only, and this is none"
    return ""


def _issuer_fits(
    issuer: x509.Name, scope: x509.IssuingDistributionPoint | None, point: x509.DistributionPoint, reference: CertificateRef
) -> bool:
    """(b)(1): the cRLIssuer that the point names, and then the CRL must be indirect; else the certificate's issuer."""
    if point.crl_issuer:
        return bool(scope and scope.indirect_crl) and any(same_name(issuer, name) for name in _directory_names(point.crl_issuer))
    return same_name(issuer, reference.issuer)


def _name_fits(
    issuer: x509.Name, scope: x509.IssuingDistributionPoint | None, point: x509.DistributionPoint, reference: CertificateRef
) -> bool:
    """(b)(2)(i): a CRL that names its distribution point must share a name with the certificate's."""
    if scope is None or not (scope.full_name or scope.relative_name):
        return True
    listed = _names(scope.full_name, scope.relative_name, issuer)
    if point.full_name or point.relative_name:
        base = next(iter(_directory_names(point.crl_issuer or [])), reference.issuer)
        wanted = _names(point.full_name, point.relative_name, base)
    else:
        wanted = list(itertools.islice(point.crl_issuer or [], _MAX_NAMES))
    return any(_same(one, other) for one in listed for other in wanted)


def _names(
    full: t.Iterable[x509.GeneralName] | None, relative: x509.RelativeDistinguishedName | None, base: x509.Name
) -> list[x509.GeneralName]:
    """4.2.1.13: nameRelativeToCRLIssuer continues the name of the CRL's issuer."""
    if relative is not None:
        return [x509.DirectoryName(x509.Name([*base.rdns, relative]))]
    return list(itertools.islice(full or [], _MAX_NAMES))


def _directory_names(names: t.Iterable[x509.GeneralName]) -> list[x509.Name]:
    return [name.value for name in itertools.islice(names, _MAX_NAMES) if isinstance(name, x509.DirectoryName)]


def _same(one: x509.GeneralName, other: x509.GeneralName) -> bool:
    if isinstance(one, x509.DirectoryName) and isinstance(other, x509.DirectoryName):
        return same_name(one.value, other.value)
    return one == other
