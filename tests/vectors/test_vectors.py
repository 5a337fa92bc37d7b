# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every CRL, OCSP file and certificate of cryptography-vectors, broken ones too, ends in a verdict and in no exception."""

from __future__ import annotations

import collections
import datetime as dt
import functools
import json

import pytest
from ansible_collections.mailops.tls.plugins.plugin_utils._judge import egress_findings
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.crl import judge_crl
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.egress_body import describe
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.ocsp import OcspQuestion, judge_ocsp
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.x509 import (
    CertificateRef,
    load_certificate,
    load_certificates,
)
from ansible_collections.mailops.tls.tests.unit.judge import pki
from ansible_collections.mailops.tls.tests.vectors.corpus import PKITS, X509, certificate_files, crls, ocsp_files
from cryptography import x509
from cryptography.x509 import ocsp
