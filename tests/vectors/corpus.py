# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The files of the package cryptography-vectors, which pyca/cryptography tests itself with."""

from __future__ import annotations

from pathlib import Path

import cryptography_vectors

VECTORS = Path(cryptography_vectors.__file__).resolve().parent
X509 = VECTORS / "x509"
PKITS = X509 / "PKITS_data"
PKCS7 = VECTORS / "pkcs7"


def crls() -> list[Path]:
    """Every CRL, and what is named like one."""
    return sorted({*PKITS.glob("crls/*"), *(path for path in (X509 / "custom").iterdir() if "crl" in path.name.lower())})


def ocsp_files() -> list[Path]:
    """Every OCSP response, and the requests, which a responder has no business to send."""
    return sorted((X509 / "ocsp").iterdir())


def certificate_files() -> list[Path]:
    """Certificates, alone and several, in PEM, DER and PKCS #7."""
    plain = [path for path in X509.rglob("*") if path.is_file() and path.suffix in (".pem", ".der", ".crt", ".cer")]
    return sorted([*plain, *(path for path in PKCS7.rglob("*") if path.is_file())])
