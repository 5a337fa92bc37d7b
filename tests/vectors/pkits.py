# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The revocation tests of the NIST Public Key Interoperability Test Suite (PKITS) 1.0.1, as a table for the CRL judge.

PKITS says of each certification path whether it validates. The judge sees one CRL at a time, so each test is here as
look-ups: one certificate in one CRL, and the cause that the judge must give. `status` then reads them together, as RFC 5280
6.3.3 does: a path validates when each certificate of it is found unrevoked. Names are those of PKITS' files without ending.
"""

from __future__ import annotations

import dataclasses
import typing as t

ANCHOR = "TrustAnchorRootCertificate"
#: How many tests PKITS has in the sections, by number. Of 4.7 (Key Usage) only cRLSign is about revocation.
SECTIONS: t.Final = {
    "4.4": range(1, 22),  # Basic Certificate Revocation Tests
    "4.5": range(1, 9),  # Verifying Paths with Self-Issued Certificates: CRLs after a change of keys
    "4.7": range(4, 6),  # Key Usage
    "4.14": range(1, 36),  # Distribution Points
    "4.15": range(1, 11),  # Delta-CRLs
}
UNREVOKED, REVOKED, UNDETERMINED = "UNREVOKED", "REVOKED", "UNDETERMINED"


@dataclasses.dataclass(frozen=True)
class LookUp:
    """`certificate` looked up in `crl`; `issuers` are the certificates that the judge is given besides the trust anchor."""

    certificate: str
    crl: str
    cause: str
    issuers: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class PkitsTest:
    """One test. `valid` is PKITS' word on the path; `beyond` says why one CRL cannot lead to it, empty where one can."""

    number: str
    title: str
    valid: bool
    look_ups: tuple[LookUp, ...]
    beyond: str = ""


def status(causes: t.Mapping[str, t.Sequence[str]]) -> str:
    """The status of a path from the causes for each of its certificates."""
    each = [
        REVOKED if "crl_lists_certificate" in found else UNREVOKED if "ok" in found else UNDETERMINED for found in causes.values()
    ]
    return next((one for one in (REVOKED, UNDETERMINED) if one in each), UNREVOKED)


def _test(number: str, title: str, certificate: str, issuers: str, *found: str, also: t.Sequence[LookUp] = ()) -> PkitsTest:
    """A test whose end-entity certificate is looked up in CRLs, each given as "file cause"."""
    look_ups = [LookUp(certificate, *text.split(), tuple(issuers.split())) for text in found]  # type: ignore[arg-type]
    return PkitsTest(number, title, certificate.startswith("Valid"), (*look_ups, *also))


def _beyond(test: PkitsTest, reason: str) -> PkitsTest:
    return dataclasses.replace(test, beyond=reason)


LISTED, NOT_JUDGED = "crl_lists_certificate", "crl_not_judged"
_TWO_CRLS = "each CRL covers a part of the reasons; only both together show that the certificate is not revoked"

_KEYS1 = "SeparateCertificateandCRLKeysCertificateSigningCACert SeparateCertificateandCRLKeysCRLSigningCert"
_KEYS2 = "SeparateCertificateandCRLKeysCA2CertificateSigningCACert SeparateCertificateandCRLKeysCA2CRLSigningCert"
_BASIC = (
    _beyond(
        _test("4.4.1", "no CRL is available", "InvalidMissingCRLTest1EE", "NoCRLCACert"),
        "there is no CRL to judge: the certificate names none, and the directory has none",
    ),
    _test(
        "4.4.2",
        "an intermediate CA is revoked",
        "InvalidRevokedCATest2EE",
        "RevokedsubCACert",
        "RevokedsubCACRL ok",
        also=[LookUp("RevokedsubCACert", "GoodCACRL", LISTED, ("GoodCACert",))],
    ),
    _test("4.4.3", "the end entity is revoked", "InvalidRevokedEETest3EE", "GoodCACert", f"GoodCACRL {LISTED}"),
    _test(
        "4.4.4",
        "the CRL's signature is wrong",
        "InvalidBadCRLSignatureTest4EE",
        "BadCRLSignatureCACert",
        "BadCRLSignatureCACRL crl_bad_signature",
    ),
    _test(
        "4.4.5",
        "the CRL bears another issuer's name",
        "InvalidBadCRLIssuerNameTest5EE",
        "BadCRLIssuerNameCACert",
        "BadCRLIssuerNameCACRL crl_wrong_issuer",
    ),
    _test(
        "4.4.6",
        "the CA's place holds the CRL of another CA",
        "InvalidWrongCRLTest6EE",
        "WrongCRLCACert",
        "WrongCRLCACRL crl_wrong_issuer",
    ),
    _test(
        "4.4.7",
        "a right CRL beside one of another name, which lists the number",
        "ValidTwoCRLsTest7EE",
        "TwoCRLsCACert",
        "TwoCRLsCAGoodCRL ok",
        "TwoCRLsCABadCRL crl_wrong_issuer",
    ),
    _test(
        "4.4.8",
        "an entry has an unknown critical extension",
        "InvalidUnknownCRLEntryExtensionTest8EE",
        "UnknownCRLEntryExtensionCACert",
        f"UnknownCRLEntryExtensionCACRL {NOT_JUDGED}",
    ),
    *(
        _test(
            f"4.4.{number}",
            f"the CRL has an unknown critical extension, the certificate is {what}",
            f"InvalidUnknownCRLExtensionTest{number}EE",
            "UnknownCRLExtensionCACert",
            f"UnknownCRLExtensionCACRL {NOT_JUDGED}",
        )
        for number, what in ((9, "listed"), (10, "not listed"))
    ),
    _test(
        "4.4.11",
        "nextUpdate is long past",
        "InvalidOldCRLnextUpdateTest11EE",
        "OldCRLnextUpdateCACert",
        "OldCRLnextUpdateCACRL crl_expired",
    ),
    _test(
        "4.4.12",
        "nextUpdate is in 1999, as UTCTime",
        "Invalidpre2000CRLnextUpdateTest12EE",
        "pre2000CRLnextUpdateCACert",
        "pre2000CRLnextUpdateCACRL crl_expired",
    ),
    _test(
        "4.4.13",
        "nextUpdate is in 2050, as GeneralizedTime",
        "ValidGeneralizedTimeCRLnextUpdateTest13EE",
        "GeneralizedTimeCRLnextUpdateCACert",
        "GeneralizedTimeCRLnextUpdateCACRL ok",
    ),
    _test(
        "4.4.14",
        "number 255, while -1 is listed",
        "ValidNegativeSerialNumberTest14EE",
        "NegativeSerialNumberCACert",
        "NegativeSerialNumberCACRL ok",
    ),
    _test(
        "4.4.15",
        "the negative number -1 is listed",
        "InvalidNegativeSerialNumberTest15EE",
        "NegativeSerialNumberCACert",
        f"NegativeSerialNumberCACRL {LISTED}",
    ),
    *(
        _test(f"4.4.{n}", title, f"{kind}LongSerialNumberTest{n}EE", "LongSerialNumberCACert", f"LongSerialNumberCACRL {cause}")
        for n, kind, title, cause in (
            (16, "Valid", "a number of 20 octets, another in its last is listed", "ok"),
            (17, "Valid", "a number of 20 octets, another in its first is listed", "ok"),
            (18, "Invalid", "a number of 20 octets is listed", LISTED),
        )
    ),
    _test(
        "4.4.19",
        "a key for CRLs of its own",
        "ValidSeparateCertificateandCRLKeysTest19EE",
        _KEYS1,
        "SeparateCertificateandCRLKeysCRL ok",
    ),
    _test(
        "4.4.20",
        "a key for CRLs of its own, the certificate is listed",
        "InvalidSeparateCertificateandCRLKeysTest20EE",
        _KEYS1,
        f"SeparateCertificateandCRLKeysCRL {LISTED}",
    ),
    _test(
        "4.4.21",
        "the certificate for the CRL key is revoked itself",
        "InvalidSeparateCertificateandCRLKeysTest21EE",
        _KEYS2,
        "SeparateCertificateandCRLKeysCA2CRL ok",
        also=[LookUp("SeparateCertificateandCRLKeysCA2CRLSigningCert", "TrustAnchorRootCRL", LISTED, ())],
    ),
)

_NEW_KEY = "BasicSelfIssuedNewKeyCACert BasicSelfIssuedNewKeyOldWithNewCACert"
_OLD_KEY = "BasicSelfIssuedOldKeyCACert BasicSelfIssuedOldKeyNewWithOldCACert"
_CRL_KEY = "BasicSelfIssuedCRLSigningKeyCACert BasicSelfIssuedCRLSigningKeyCRLCert"
_OLD_KEY_CRL, _NEW_KEY_CRL = "BasicSelfIssuedOldKeyCACRL", "BasicSelfIssuedNewKeyCACRL"
_SELF_ISSUED = (
    _test("4.5.1", "old key, CRL by the new key", "ValidBasicSelfIssuedOldWithNewTest1EE", _NEW_KEY, f"{_NEW_KEY_CRL} ok"),
    _test(
        "4.5.2",
        "old key, listed in the CRL by the new key",
        "InvalidBasicSelfIssuedOldWithNewTest2EE",
        _NEW_KEY,
        f"{_NEW_KEY_CRL} {LISTED}",
    ),
    _test("4.5.3", "new key, CRL by the old key", "ValidBasicSelfIssuedNewWithOldTest3EE", _OLD_KEY, f"{_OLD_KEY_CRL} ok"),
    _test("4.5.4", "new key, CRL by the old key, older", "ValidBasicSelfIssuedNewWithOldTest4EE", _OLD_KEY, f"{_OLD_KEY_CRL} ok"),
    _test(
        "4.5.5",
        "new key, listed in the CRL by the old key",
        "InvalidBasicSelfIssuedNewWithOldTest5EE",
        _OLD_KEY,
        f"{_OLD_KEY_CRL} {LISTED}",
    ),
    _test(
        "4.5.6",
        "a self-issued certificate for the CRL key",
        "ValidBasicSelfIssuedCRLSigningKeyTest6EE",
        _CRL_KEY,
        "BasicSelfIssuedCRLSigningKeyCACRL ok",
    ),
    _test(
        "4.5.7",
        "listed in the CRL signed by the CRL key",
        "InvalidBasicSelfIssuedCRLSigningKeyTest7EE",
        _CRL_KEY,
        f"BasicSelfIssuedCRLSigningKeyCACRL {LISTED}",
    ),
    _beyond(
        _test("4.5.8", "the CRL key signed a certificate", "InvalidBasicSelfIssuedCRLSigningKeyTest8EE", _CRL_KEY),
        "the fault is in the certification path (keyCertSign is missing), not in revocation",
    ),
)

_KEY_USAGE = tuple(
    _test(
        f"4.7.{number}",
        f"the CA's {title} key usage lacks cRLSign",
        f"InvalidkeyUsage{name}cRLSignFalseTest{number}EE",
        f"keyUsage{name}cRLSignFalseCACert",
        f"keyUsage{name}cRLSignFalseCACRL crl_bad_signature",
    )
    for number, title, name in ((4, "critical", "Critical"), (5, "non-critical", "NotCritical"))
)


def _point(number: int, title: str, certificate: str, ca: str, *found: str) -> PkitsTest:
    return _test(f"4.14.{number}", title, f"{certificate}Test{number}EE", ca, *found)


_CA1, _CA2 = "distributionPoint1CACert", "distributionPoint2CACert"
_DP1, _DP2 = "distributionPoint1CACRL", "distributionPoint2CACRL"
_GOOD, _BAD = "ValiddistributionPoint", "InvaliddistributionPoint"
_REASONS1, _REASONS2, _REASONS3, _REASONS4 = (f"onlySomeReasonsCA{number}Cert" for number in range(1, 5))
_NAMES_AND_SCOPE = (
    _point(1, "both name the point in full", _GOOD, _CA1, f"{_DP1} ok"),
    _point(2, "both name the point in full, listed", _BAD, _CA1, f"{_DP1} {LISTED}"),
    _point(3, "the names differ", _BAD, _CA1, f"{_DP1} {NOT_JUDGED}"),
    _point(4, "the certificate names the point relative to the issuer", _GOOD, _CA1, f"{_DP1} ok"),
    _point(5, "both name the point relative to the issuer", _GOOD, _CA2, f"{_DP2} ok"),
    _point(6, "both name the point relative to the issuer, listed", _BAD, _CA2, f"{_DP2} {LISTED}"),
    _point(7, "the CRL names the point relative to the issuer", _GOOD, _CA2, f"{_DP2} ok"),
    _point(8, "the CRL names a relative name, the certificate another in full", _BAD, _CA2, f"{_DP2} {NOT_JUDGED}"),
    _point(9, "the CRL names a point, the certificate none", _BAD, _CA2, f"{_DP2} {NOT_JUDGED}"),
    _point(
        10,
        "the certificate names a point, the CRL none",
        "ValidNoissuingDistributionPoint",
        "NoissuingDistributionPointCACert",
        "NoissuingDistributionPointCACRL ok",
    ),
    *(
        _point(n, f"{kind}, {title}", f"{word}{kind}", f"{kind}CACert", f"{kind}CACRL {cause}")
        for n, word, kind, title, cause in (
            (11, "Invalid", "onlyContainsUserCerts", "and the certificate is of a CA", NOT_JUDGED),
            (12, "Invalid", "onlyContainsCACerts", "and the certificate is of none", NOT_JUDGED),
            (13, "Valid", "onlyContainsCACerts", "and the certificate is of a CA", "ok"),
            (14, "Invalid", "onlyContainsAttributeCerts", "and the certificate is none", NOT_JUDGED),
        )
    ),
    *(
        _point(
            n,
            f"two CRLs by reasons, {title}",
            "InvalidonlySomeReasons",
            _REASONS1,
            f"onlySomeReasonsCA1compromiseCRL {one}",
            f"onlySomeReasonsCA1otherreasonsCRL {other}",
        )
        for n, title, one, other in (
            (15, "listed in the first", LISTED, NOT_JUDGED),
            (16, "on hold in the second", NOT_JUDGED, LISTED),
        )
    ),
    _point(
        17,
        "two CRLs that do not cover all reasons together",
        "InvalidonlySomeReasons",
        _REASONS2,
        f"onlySomeReasonsCA2CRL1 {NOT_JUDGED}",
        f"onlySomeReasonsCA2CRL2 {NOT_JUDGED}",
    ),
    _beyond(
        _point(
            18,
            "two CRLs at one point cover all reasons",
            "ValidonlySomeReasons",
            _REASONS3,
            f"onlySomeReasonsCA3compromiseCRL {NOT_JUDGED}",
            f"onlySomeReasonsCA3otherreasonsCRL {NOT_JUDGED}",
        ),
        _TWO_CRLS,
    ),
    _beyond(
        _point(
            19,
            "two CRLs at two points cover all reasons",
            "ValidonlySomeReasons",
            _REASONS4,
            f"onlySomeReasonsCA4compromiseCRL {NOT_JUDGED}",
            f"onlySomeReasonsCA4otherreasonsCRL {NOT_JUDGED}",
        ),
        _TWO_CRLS,
    ),
    *(
        _point(
            n,
            f"two CRLs at two points, listed in the {title}",
            "InvalidonlySomeReasons",
            _REASONS4,
            f"onlySomeReasonsCA4compromiseCRL {one}",
            f"onlySomeReasonsCA4otherreasonsCRL {other}",
        )
        for n, title, one, other in ((20, "first", LISTED, NOT_JUDGED), (21, "second", NOT_JUDGED, LISTED))
    ),
)

_IDP, _ISSUER = "IDPwithindirectCRL", "cRLIssuer"
_ONE, _THREE, _FOUR, _FIVE = (
    "indirectCRLCA1Cert indirectCRLCA2Cert",
    "indirectCRLCA3Cert indirectCRLCA3cRLIssuerCert",
    "indirectCRLCA4Cert indirectCRLCA4cRLIssuerCert",
    "indirectCRLCA5Cert indirectCRLCA6Cert",
)
_INDIRECT = (
    _point(22, "the issuer's own certificate", f"Valid{_IDP}", _ONE, "indirectCRLCA1CRL ok"),
    _point(23, "the issuer's own certificate, listed", f"Invalid{_IDP}", _ONE, f"indirectCRLCA1CRL {LISTED}"),
    _point(24, "another CA's certificate", f"Valid{_IDP}", _ONE, "indirectCRLCA1CRL ok"),
    _point(25, "another CA's certificate with a number that the issuer revoked", f"Valid{_IDP}", _ONE, "indirectCRLCA1CRL ok"),
    _point(26, "the certificate's cRLIssuer is another", f"Invalid{_IDP}", _ONE, f"indirectCRLCA1CRL {NOT_JUDGED}"),
    _point(
        27,
        "the CRL of the cRLIssuer is not indirect",
        f"Invalid{_ISSUER}",
        "GoodCACert indirectCRLCA2Cert",
        "GoodCACRL crl_wrong_issuer",
    ),
    _point(28, "a CRL issuer that is no CA", f"Valid{_ISSUER}", _THREE, "indirectCRLCA3cRLIssuerCRL ok"),
    _point(29, "the point is named relative to the CRL issuer", f"Valid{_ISSUER}", _THREE, "indirectCRLCA3cRLIssuerCRL ok"),
    _point(30, "the CRL covers its own issuer's certificate", f"Valid{_ISSUER}", _FOUR, "indirectCRLCA4cRLIssuerCRL ok"),
    _point(31, "the entry names the certificate's issuer", f"Invalid{_ISSUER}", _FIVE, f"indirectCRLCA5CRL {LISTED}"),
    _point(32, "an entry before it names the issuer", f"Invalid{_ISSUER}", _FIVE, f"indirectCRLCA5CRL {LISTED}"),
    _point(33, "the number is another issuer's", f"Valid{_ISSUER}", _FIVE, "indirectCRLCA5CRL ok"),
    _point(34, "the entry names the CRL's own issuer again", f"Invalid{_ISSUER}", _FIVE, f"indirectCRLCA5CRL {LISTED}"),
    _point(35, "the cRLIssuer is not the CRL's", f"Invalid{_ISSUER}", _FIVE, f"indirectCRLCA5CRL {NOT_JUDGED}"),
)


def _delta(number: int, title: str, word: str, ca: int, base: str, delta: str) -> PkitsTest:
    names = f"deltaCRLCA{ca}CRL {base}", f"deltaCRLCA{ca}deltaCRL {delta}"
    return _test(f"4.15.{number}", title, f"{word}deltaCRLTest{number}EE", f"deltaCRLCA{ca}Cert", *names)


_DELTA = (
    _test(
        "4.15.1",
        "a delta CRL without its base",
        "InvaliddeltaCRLIndicatorNoBaseTest1EE",
        "deltaCRLIndicatorNoBaseCACert",
        f"deltaCRLIndicatorNoBaseCACRL {NOT_JUDGED}",
    ),
    _delta(2, "listed in neither", "Valid", 1, "ok", NOT_JUDGED),
    _delta(3, "listed in the base", "Invalid", 1, LISTED, NOT_JUDGED),
    _delta(4, "listed in the delta", "Invalid", 1, "ok", LISTED),
    _delta(5, "on hold in the base, lifted by the delta", "Valid", 1, NOT_JUDGED, "ok"),
    _delta(6, "on hold in the base, revoked in the delta", "Invalid", 1, NOT_JUDGED, LISTED),
    _delta(7, "a hold between base and delta, lifted", "Valid", 1, "ok", "ok"),
    _delta(8, "listed in neither, a base newer than the delta asks for", "Valid", 2, "ok", NOT_JUDGED),
    _delta(9, "listed in both, a base newer than the delta asks for", "Invalid", 2, LISTED, LISTED),
    _delta(10, "the base is expired and older than the delta asks for", "Invalid", 3, "crl_expired", NOT_JUDGED),
)

TESTS: t.Final = (*_BASIC, *_SELF_ISSUED, *_KEY_USAGE, *_NAMES_AND_SCOPE, *_INDIRECT, *_DELTA)
