# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""Findings about what CA endpoints answer: CRLs (RFC 5280), OCSP responses (RFC 6960) and issuer certificates."""

from __future__ import annotations

from ansible_collections.mailops.tls.plugins.plugin_utils._findings.finding_type import FindingType
from ansible_collections.mailops.tls.plugins.plugin_utils._findings.model import Severity


def _fails(finding_id: str, cause: str, meaning: str, remedy: str, severity: Severity = "high") -> FindingType:
    return FindingType(id=finding_id, status="fail", severity=severity, meaning=meaning, remedy=remedy, cause=cause)


def _unjudged(finding_id: str, cause: str, meaning: str, remedy: str) -> FindingType:
    return FindingType(id=finding_id, status="unknown", severity="medium", meaning=meaning, remedy=remedy, cause=cause)


_SHOW_CRL = "Look at it with `curl -s URL | openssl crl -inform DER -noout -text`."
_SHOW_OCSP = "Ask it yourself with `openssl ocsp -issuer ISSUER.pem -cert CERTIFICATE.pem -url URL -text`."
_CACHE = (
    "A cache or proxy on the way may hand out an old copy: compare with a fetch from outside the network, and ask the proxy "
    "team to purge it. "
    "If the CA itself hands out the old one, tell the CA. Check the clocks, too."
)
_FORGED = (
    "Treat it as tampering or a wrong certificate until explained: compare with a fetch from outside the network, and check "
    "that the issuer certificate "
    "given (profile, option issuers) is the right one."
)
_PORTAL = (
    "Something on the way answers in the CA's place, with a block page or a log-in page: ask the firewall or proxy team to "
    "exempt HOST. "
    "See it with `curl -v URL`."
)

EGRESS_CONTENT_TYPES = (
    _fails("egress.not_a_crl", "not_a_crl", "The answer is HTTP 200, but its content is no CRL.", _PORTAL),
    _fails(
        "egress.not_an_ocsp_response",
        "not_an_ocsp_response",
        "The answer is HTTP 200, but its content is no OCSP response.",
        _PORTAL,
    ),
    _fails(
        "egress.not_a_certificate",
        "not_a_certificate",
        "The answer is HTTP 200, but its content is no certificate.",
        _PORTAL,
        "medium",
    ),
    _fails(
        "egress.crl.expired",
        "crl_expired",
        "The CRL's nextUpdate has passed: clients refuse it as they refuse none at all.",
        f"{_SHOW_CRL} {_CACHE}",
    ),
    _fails(
        "egress.crl.not_yet_valid",
        "crl_not_yet_valid",
        "The CRL's thisUpdate lies in the future, by more than clocks differ.",
        f"{_SHOW_CRL} Check the controller's clock first, then tell the CA.",
    ),
    _fails(
        "egress.crl.bad_signature",
        "crl_bad_signature",
        "The CRL's signature does not hold.",
        f"{_SHOW_CRL} {_FORGED}",
        "critical",
    ),
    _fails(
        "egress.crl.wrong_issuer",
        "crl_wrong_issuer",
        "The CRL is that of another CA, or of another key of the same CA.",
        f"{_SHOW_CRL} The endpoint, or the issuer that the profile or the options name for it, may be wrong; otherwise "
        "something on the way hands out another file.",
    ),
    _fails(
        "egress.crl.lists_certificate",
        "crl_lists_certificate",
        "The CA has revoked a certificate that mail flow relies on, and its CRL says so.",
        "Replace the certificate. If a CA certificate is revoked, look for a newer profile: the chain in use must have changed.",
        "critical",
    ),
    _unjudged(
        "egress.crl.not_judged",
        "crl_not_judged",
        "A CRL arrives, but it cannot decide: it uses an extension or an algorithm that is not supported here (RFC 5280 5.2), or "
        "it alone cannot say whether a certificate at hand is revoked, because it is a delta CRL, covers only some reasons or "
        "other certificates of the issuer (RFC 5280 6.3.3).",
        f"The way there is open. {_SHOW_CRL}",
    ),
    _fails(
        "egress.ocsp.revoked",
        "ocsp_revoked",
        "The CA says that the certificate is revoked.",
        f"Replace the certificate. {_SHOW_OCSP}",
        "critical",
    ),
    _fails(
        "egress.ocsp.unknown",
        "ocsp_unknown",
        "The responder does not know the certificate: it is not this CA's, or it is so new that the responder has not heard "
        "of it.",
        f"Check that the certificate and its issuer belong together, and try again in an hour. {_SHOW_OCSP}",
        "medium",
    ),
    _fails(
        "egress.ocsp.unauthorized",
        "ocsp_unauthorized",
        "The responder is reached but gives no information about this certificate.",
        f"Check that the responder is the one that the certificate itself names. {_SHOW_OCSP}",
        "medium",
    ),
    FindingType(
        id="egress.ocsp.try_later",
        status="warn",
        severity="medium",
        meaning="The way to the responder is open, but it is temporarily unable to answer.",
        remedy=f"Run again later. If it stays like this for hours, tell the CA. {_SHOW_OCSP}",
        cause="ocsp_try_later",
    ),
    FindingType(
        id="egress.ocsp.one_method",
        status="warn",
        severity="low",
        meaning="The responder answers one of the two HTTP methods of RFC 6960, appendix A.1, only. Software that uses the other "
        "one gets no revocation status there: Windows and many libraries use GET for short requests, OpenSSL uses POST.",
        remedy="Where only POST or only GET to HOST fails from inside the network, ask the proxy team to let both through; "
        "where it fails from everywhere, tell the CA.",
    ),
    _fails(
        "egress.ocsp.malformed",
        "ocsp_malformed",
        "The responder says that it could not read the request, or its response cannot be read to its end. A device on the "
        "way that alters requests does this.",
        f"{_SHOW_OCSP} If that works from outside the network only, ask the proxy team to leave POST requests to HOST alone.",
        "medium",
    ),
    _fails(
        "egress.ocsp.expired",
        "ocsp_expired",
        "The response is too old, or not valid yet: clients refuse it.",
        f"{_SHOW_OCSP} {_CACHE}",
    ),
    _fails(
        "egress.ocsp.bad_signature",
        "ocsp_bad_signature",
        "The response is not signed by the certificate's issuer or by a responder that the issuer authorised (RFC 6960 4.2.2.2).",
        f"{_SHOW_OCSP} {_FORGED}",
        "critical",
    ),
    _fails(
        "egress.ocsp.wrong_certificate",
        "ocsp_wrong_certificate",
        "The response speaks of another certificate than the one asked about. Caches that ignore the body of a POST request "
        "do this.",
        f"{_SHOW_OCSP} Ask the proxy team not to cache HOST.",
    ),
    _fails(
        "egress.ocsp.nonce_mismatch",
        "ocsp_nonce_mismatch",
        "The response carries another nonce than the request: it is an answer to an earlier question, replayed by a cache or "
        "by somebody else.",
        f"{_SHOW_OCSP} Ask the proxy team not to cache HOST.",
    ),
    _unjudged(
        "egress.ocsp.not_judged",
        "ocsp_not_judged",
        "A response arrives, but it uses an extension or an algorithm that is not supported here, so nothing is said about "
        "its content.",
        f"The way there is open. {_SHOW_OCSP}",
    ),
)
