# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""A planned check of one endpoint: the request for the probe, and what the judge must know to judge the answer."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.mailops.tls.plugins.plugin_utils._judge.revocation.ocsp import OcspQuestion
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.x509 import CertificateRef
from ansible_collections.mailops.tls.plugins.plugin_utils._profiles.model import Endpoint

if t.TYPE_CHECKING:
    from cryptography import x509


@dataclasses.dataclass(frozen=True)
class EgressCheck:
    """`request` goes to the probe, and so does `by_get`, the same question to an OCSP responder by GET; the rest stays here.

    `profiles` are the ids of those that name the endpoint, in order. `known` are all CA certificates at hand, `expected`
    those of the issuer that the endpoint belongs to, `expected_names` and `expected_sha256` what is known of it even
    without its certificate. `certificates` are looked up in a CRL; `question` is what was asked of an OCSP responder.
    """

    request: dict[str, t.Any]
    endpoint: Endpoint
    profiles: tuple[str, ...] = ()
    known: tuple[x509.Certificate, ...] = ()
    expected: tuple[x509.Certificate, ...] = ()
    expected_names: tuple[x509.Name, ...] = ()
    expected_sha256: frozenset[str] = frozenset()
    certificates: tuple[CertificateRef, ...] = ()
    question: OcspQuestion | None = None
    by_get: dict[str, t.Any] | None = None

    @property
    def requests(self) -> list[dict[str, t.Any]]:
        """What the probe is asked."""
        return [self.request] if self.by_get is None else [self.request, self.by_get]
