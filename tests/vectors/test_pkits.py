# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""NIST PKITS, the revocation tests, through the CRL judge."""

from __future__ import annotations

import collections
import functools

import pytest
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.revocation.crl import judge_crl
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.x509 import CertificateRef, load_certificate
from ansible_collections.mailops.tls.tests.unit.judge import pki
from ansible_collections.mailops.tls.tests.vectors import pkits
from ansible_collections.mailops.tls.tests.vectors.corpus import PKITS

APPLY = [test for test in pkits.TESTS if not test.beyond]
BEYOND = [test for test in pkits.TESTS if test.beyond]


@functools.cache
def certificate(name):
    loaded = load_certificate((PKITS / "certs" / f"{name}.crt").read_bytes())
    assert loaded is not None, name
    return loaded


def judge(look_up):
    subject = certificate(look_up.certificate)
    return judge_crl(
        (PKITS / "crls" / f"{look_up.crl}.crl").read_bytes(),
        issuers=[certificate(name) for name in (*look_up.issuers, pkits.ANCHOR)],
        expected_issuers=[subject.issuer],
        certificates=[CertificateRef.of(subject)],
        now=pki.NOW,  # PKITS is valid from 2010 to 2030
    )


def judged(test):
    """The causes for each certificate of the test, each of them as the table has it."""
    causes = collections.defaultdict(list)
    for look_up in test.look_ups:
        verdict = judge(look_up)
        assert verdict.cause == look_up.cause, (look_up, verdict.detail)
        causes[look_up.certificate].append(verdict.cause)
    return causes


@pytest.mark.parametrize("test", APPLY, ids=lambda test: test.number)
def test_the_verdict_is_that_of_pkits(test):
    causes = judged(test)
    assert causes
    assert (pkits.status(causes) == pkits.UNREVOKED) is test.valid


@pytest.mark.parametrize("test", BEYOND, ids=lambda test: test.number)
def test_where_one_crl_cannot_decide_nothing_wrong_is_said(test):
    """Neither a failure of what PKITS calls valid nor the contrary."""
    assert pkits.status(judged(test)) in (pkits.UNDETERMINED, pkits.UNREVOKED)
    assert all(look_up.cause == "crl_not_judged" for look_up in test.look_ups)


def test_every_test_of_the_sections_is_in_the_table_once():
    wanted = [f"{section}.{number}" for section, numbers in pkits.SECTIONS.items() for number in numbers]
    assert [test.number for test in pkits.TESTS] == wanted
    assert (len(APPLY), len(BEYOND)) == (72, 4)


def test_every_end_entity_of_the_cas_in_the_table_is_in_the_table():
    """PKITS' files do not say which section they belong to, but the CAs of these sections serve no other."""
    listed = {look_up.certificate for test in pkits.TESTS for look_up in test.look_ups}
    cas = {name for test in pkits.TESTS for look_up in test.look_ups for name in look_up.issuers} - {"GoodCACert"}
    names = {certificate(name).subject for name in cas}
    files = sorted((PKITS / "certs").glob("*Test*EE.crt"))
    loaded = {path.stem: load_certificate(path.read_bytes()) for path in files}
    # cryptography reads no key that inherits its DSA parameters.
    assert [name for name, found in loaded.items() if found is None] == ["ValidDSAParameterInheritanceTest5EE"]
    missing = {name for name, found in loaded.items() if found is not None and found.issuer in names} - listed
    assert missing == {"InvalidBasicSelfIssuedCRLSigningKeyTest8EE"}  # beyond the judge, and so without a look-up
