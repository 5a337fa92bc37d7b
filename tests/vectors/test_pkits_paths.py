# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""NIST PKITS, path validation (RFC 5280 section 6), through the host's own `openssl verify` as the probe asks it.

A certificate's name says what PKITS expects of its path. Which sections apply, and why the others do not, is the table below;
every end-entity certificate of the suite is in one of them.
"""

from __future__ import annotations

import functools
import re

import pytest
from ansible_collections.mailops.tls.plugins.module_utils._probe.openssl import verify
from ansible_collections.mailops.tls.tests.conftest import require_programs
from ansible_collections.mailops.tls.tests.vectors.corpus import PKITS

ANCHOR = "TrustAnchorRootCertificate"
#: Section: the names of its end-entity certificates, and how many there are.
APPLY = {
    "4.1 signatures": (r"(Valid|Invalid)(CertificatePath|CASignature|EESignature|DSASignatures?|DSAParameterInheritance)Test", 6),
    "4.2 validity periods": (r".*(notBeforeDate|notAfterDate)Test", 8),
    "4.3 name chaining": (r".*(NameChaining|NameUIDs|RFC3280|RolloverfromPrintable|UTF8String)", 11),
    "4.6 basic constraints": (r".*(asicConstraints|cAFalse|pathLenConstraint)", 17),
    "4.7 key usage of issuers": (r".*keyUsage(Critical|NotCritical)(keyCertSignFalse)?Test[123]EE", 3),
    "4.13 name constraints": (r".*nameConstraintsTest", 38),
    "4.16 private extensions": (r".*Unknown(Not)?CriticalCertificateExtensionTest", 2),
}
BEYOND = {
    # TLS software asks for no certificate policy, so it is started with any-policy and without policy processing.
    "4.8 to 4.12 certificate policies": (
        r".*([Pp]olic|Qualifier|inhibitAny|requireExplicit)",
        62,
    ),
    # Revocation is a verdict of its own: test_pkits.py.
    "4.4, 4.5, 4.7, 4.14, 4.15 revocation": (
        r".*(CRL|cRL|Revoked|SerialNumber|BasicSelfIssued|IDPwith|istributionPoint|onlyContains|onlySomeReasons)",
        76,
    ),
}
#: What OpenSSL does not do, with the error it gives instead. It refuses, so nothing is trusted by mistake.
NOT_SUPPORTED = {"ValidDSAParameterInheritanceTest5EE": 20}

ALL = sorted(path.stem for path in (PKITS / "certs").glob("*.crt"))
ENDS = [name for name in ALL if re.search(r"Test\d+EE$", name)]
SECTION = {
    name: next(section for section, (pattern, _count) in {**APPLY, **BEYOND}.items() if re.match(pattern, name)) for name in ENDS
}
TESTS = [name for name in ENDS if SECTION[name] in APPLY]


@functools.cache
def der(name: str) -> bytes:
    return (PKITS / "certs" / f"{name}.crt").read_bytes()


@functools.cache
def pool() -> tuple[bytes, ...]:
    """All CA certificates of the suite: building the right path from them is part of the task."""
    return tuple(der(name) for name in ALL if name not in ENDS and name != ANCHOR)


@pytest.fixture(autouse=True)
def _openssl() -> None:
    require_programs("vectors", "openssl")


@pytest.mark.parametrize("name", TESTS)
def test_the_path_is_judged_as_pkits_says(name: str) -> None:
    verdict = verify(der(name), pool(), ca_ders=[der(ANCHOR)], purpose="sslserver")
    if name in NOT_SUPPORTED:
        assert (verdict["ok"], verdict["code"]) == (False, NOT_SUPPORTED[name])
    else:
        assert verdict["ok"] is name.startswith("Valid"), verdict


def test_the_count_of_what_applies() -> None:
    found = {section: sum(there == section for there in SECTION.values()) for section in (*APPLY, *BEYOND)}
    assert found == {section: count for section, (_pattern, count) in {**APPLY, **BEYOND}.items()}
    assert len(TESTS) == 85
    assert sum(name not in NOT_SUPPORTED for name in TESTS) == 84
