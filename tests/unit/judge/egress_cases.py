# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Answers of a probe, made for tests, and one case for every cause in the contract: {cause: [(check, answer)]}."""

from __future__ import annotations

import copy
import typing as t

from ansible_collections.mailops.tls.plugins.plugin_utils._judge.revocation.ocsp import OcspQuestion
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.x509 import CertificateRef
from ansible_collections.mailops.tls.plugins.plugin_utils._plan.egress.checks import EgressCheck
from ansible_collections.mailops.tls.plugins.plugin_utils._profiles.model import Endpoint
from ansible_collections.mailops.tls.tests.unit.judge import pki
from cryptography.x509 import ocsp

ROOT = pki.make_root()
OTHER = pki.make_root("Other Root")
LEAF = ROOT.issue("mail.example")
REF = CertificateRef.of(LEAF.certificate)
ASKED = OcspQuestion(REF, ROOT.certificate, b"n" * 32)
PORTAL = b"<html><title>Log in</title>"
URLS: t.Any = {"crl": "http://crl.lab/root.crl", "ocsp": "http://ocsp.lab/", "ca_issuers": "http://aia.lab/root.crt"}


def check(kind: t.Any = "crl", *, url: str | None = None, **options: t.Any) -> EgressCheck:
    url = url or URLS[kind]
    request = {"id": "egress:0", "op": "fetch", "url": url, "family": "any", "each_address": False, **options.pop("request", {})}
    endpoint = options.pop("endpoint", Endpoint(kind, url=url, issuer="root"))
    defaults = {
        "profiles": ("one", "two"),
        "known": (ROOT.certificate,),
        "expected": (ROOT.certificate,),
        "expected_names": (ROOT.subject,),
        "certificates": (REF,) if kind == "crl" else (),
        "question": ASKED if kind == "ocsp" else None,
    }
    return EgressCheck(request=request, endpoint=endpoint, **{**defaults, **options})


def connect_check(kind: t.Any = "ocsp") -> EgressCheck:
    return check(kind, request={"op": "connect"}, endpoint=Endpoint(kind, host="ocsp.lab", port=80))


def address(
    text: str = "192.0.2.1", connected: bool | None = True, *, errno: str | None = None, code: str | None = None, ms: float = 3
) -> t.Any:
    family = "ipv6" if ":" in text else "ipv4"
    return {"address": text, "family": family, "connected": connected, "ms": ms, "errno": errno, "code": code}


def hop(
    url: str = URLS["crl"], addresses: t.Any = None, *, status: int | None = 200, headers: t.Any = None, tls: t.Any = None
) -> t.Any:
    addresses = [address()] if addresses is None else addresses
    host = url.split("/")[2]
    resolved = [item["address"] for item in addresses]
    return {
        "url": url,
        "host": host,
        "port": 443 if url.startswith("https") else 80,
        "resolve": {"ms": 1, "source": "system", "resolvers": [], "rcode": None, "addresses": resolved},
        "addresses": addresses,
        "peer": None,
        "tls": tls,
        "http": {"status": status, "reason": "Reason", "headers": headers or {}, "ms": 2} if status is not None else None,
    }


def answer(body: bytes | None = None, hops: t.Any = None, error: t.Any = None, proxy: t.Any = None) -> t.Any:
    return {
        "id": "egress:0",
        "op": "fetch",
        "elapsed_ms": 12,
        "error": error,
        "proxy": proxy,
        "hops": [hop()] if hops is None else hops,
        "body": pki.b64(body) if body is not None else None,
        "body_bytes": len(body or b""),
    }


def failed(stage: str, code: str, *, errno: str | None = None, message: str = "Some text", **options: t.Any) -> t.Any:
    hops = options.pop("hops", None)
    if hops is None:
        addresses = {"resolve": [], "connect": [address(connected=False, code=code, errno=errno)]}.get(stage)
        hops = [hop(addresses=addresses, status=None)]
    return answer(hops=hops, error={"stage": stage, "code": code, "errno": errno, "message": message}, **options)


def proxy(
    status: int | None = None,
    *,
    tunnel: bool = False,
    headers: t.Any = None,
    authorization: bool = False,
    connected: bool = True,
) -> t.Any:
    return {
        "url": "http://proxy.lab:3128",
        "source": "environment",
        "tunnel": tunnel,
        "authorization": authorization,
        "addresses": [address("192.0.2.9", connected)],
        "status": status,
        "reason": "Reason" if status else None,
        "headers": headers or {},
    }


def tls(*chain: t.Any, message: str = "unable to get local issuer certificate") -> t.Any:
    ders = [pki.b64(pki.der(item.certificate)) for item in chain]
    return {
        "version": None,
        "cipher": None,
        "verified": False,
        "verify_message": message,
        "chain": ders,
        "chain_source": "python",
    }


def refused_tls(*chain: t.Any, message: str = "unable to get local issuer certificate") -> t.Any:
    url = "https://crl.lab/root.crl"
    return failed("tls", "verify_failed", message=message, hops=[hop(url, status=None, tls=tls(*chain, message=message))])


def proxied(status: int, **options: t.Any) -> t.Any:
    return answer(hops=[hop(addresses=[], status=status, headers=options.pop("headers", None))], proxy=proxy(**options))


def respond(**options: t.Any) -> bytes:
    return pki.ocsp_response(LEAF.certificate, ROOT, **options)


def redirect(body: bytes, status: int = 200) -> t.Any:
    return answer(body, [hop(status=302), hop("http://portal.lab/", status=status)])


GOOD_CRL = ROOT.crl()
# All that Python 3.6 says of a certificate that did not verify.
PYTHON_36 = "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed (_ssl.c:852)"
INSPECTOR = pki.make_root("Corporate Inspection")
CRL, OCSP, AIA = check(), check("ocsp"), check("ca_issuers")
REFUSED, CERT = ocsp.OCSPResponseStatus, ocsp.OCSPCertStatus
PUBLIC_NAME = pki.make_certificate(pki.name("DigiCert Global Root X", "DigiCert Inc"), ca=True)

CASES: dict[str, list[tuple[EgressCheck, t.Any]]] = {
    "ok": [
        (CRL, answer(GOOD_CRL)),
        (OCSP, answer(respond(nonce=b"n" * 32))),
        (AIA, answer(pki.der(ROOT.certificate))),
        (AIA, answer(ROOT.pem.encode())),
        (connect_check(), answer(hops=[hop(status=None)])),
        (CRL, proxied(200) | {"body": pki.b64(GOOD_CRL), "body_bytes": len(GOOD_CRL)}),
        (check(url="http://localhost/x.crl"), answer(GOOD_CRL, [hop("http://localhost/x.crl", [address("127.0.0.1")])])),
        (check(url="http://127.0.0.1/x.crl"), answer(GOOD_CRL, [hop("http://127.0.0.1/x.crl", [address("127.0.0.1")])])),
    ],
    "not_observed": [
        (CRL, None),
        (CRL, failed("request", "unsupported")),
        (CRL, failed("http", "internal")),
        (CRL, failed("connect", "error", errno="EMFILE")),
        (CRL, failed("body", "budget")),
        (CRL, failed("unheard of", "code")),
        (CRL, answer(hops=[])),
        (CRL, answer(hops=[hop(status=None)])),
        (CRL, answer() | {"body_bytes": 7}),
        (CRL, failed("proxy", "error", proxy=proxy())),
        (CRL, answer() | {"error": "text"}),
    ],
    "deadline_exceeded": [(CRL, failed("connect", "deadline")), (CRL, failed("proxy", "deadline", proxy=proxy()))],
    "dns_nxdomain": [(CRL, failed("resolve", "nxdomain"))],
    "dns_timeout": [(CRL, failed("resolve", "timeout"))],
    "dns_error": [(CRL, failed("resolve", "servfail")), (CRL, failed("resolve", "refused")), (CRL, failed("resolve", "error"))],
    "dns_no_address": [(CRL, failed("resolve", "no_address"))],
    "dns_sinkhole": [
        (CRL, answer(PORTAL, [hop(addresses=[address("127.0.0.1")])])),
        (CRL, failed("connect", "refused", hops=[hop(addresses=[address("0.0.0.0", False)], status=None)])),  # noqa: S104
        (CRL, answer(GOOD_CRL, [hop(addresses=[address("::1"), address("::ffff:127.0.0.1")])])),
        (connect_check(), answer(hops=[hop(addresses=[address("::")], status=None)])),
    ],
    "tcp_timeout": [(CRL, failed("connect", "timeout")), (connect_check(), failed("connect", "timeout"))],
    "tcp_refused": [(CRL, failed("connect", "refused"))],
    "tcp_reset": [(CRL, failed("connect", "reset")), (CRL, failed("http", "reset"))],
    "tcp_unreachable": [(CRL, failed("connect", "unreachable")), (CRL, failed("connect", "error", errno="EACCES"))],
    "proxy_unreachable": [
        *((CRL, failed("proxy", code, proxy=proxy(connected=False))) for code in ("timeout", "refused", "reset", "unreachable")),
        (CRL, failed("proxy", "resolve", proxy=proxy() | {"addresses": []})),
    ],
    "proxy_auth_required": [
        (CRL, failed("proxy", "status", proxy=proxy(407, tunnel=True, headers={"proxy-authenticate": 'Basic realm="x"'}))),
        (CRL, proxied(407, authorization=True)),
        (CRL, proxied(401, headers={"server": "tinyproxy/1.11"})),
        (CRL, answer(hops=[hop(status=407)])),
    ],
    "proxy_denied": [
        (CRL, failed("proxy", "status", proxy=proxy(403, tunnel=True))),
        (CRL, proxied(403, headers={"x-squid-error": "ERR_ACCESS_DENIED 0"})),
    ],
    "proxy_error": [
        (CRL, failed("proxy", "status", proxy=proxy(503, tunnel=True))),
        (CRL, failed("proxy", "protocol", proxy=proxy())),
        *((CRL, failed("proxy", code, proxy=proxy(tunnel=True))) for code in ("timeout", "reset")),
        (CRL, proxied(504)),
        (CRL, proxied(503, headers={"server": "squid/6.1"})),
        (CRL, failed("http", "closed", proxy=proxy())),
    ],
    "tls_intercepted": [
        (CRL, refused_tls(INSPECTOR.issue("crl.lab"))),
        (CRL, refused_tls(INSPECTOR, message="self-signed certificate")),
        (CRL, refused_tls(INSPECTOR.issue("crl.lab"), message=PYTHON_36)),
    ],
    "tls_error": [
        (CRL, failed("tls", "alert")),
        (CRL, failed("tls", "reset")),
        (CRL, refused_tls()),
        (CRL, refused_tls(ROOT.issue("crl.lab"))),
        (CRL, refused_tls(PUBLIC_NAME.issue("crl.lab"))),
        (CRL, refused_tls(INSPECTOR.issue("crl.lab"), message="certificate has expired")),
        (CRL, refused_tls(INSPECTOR.issue("crl.lab", not_after=pki.NOW - pki.DAY), message=PYTHON_36)),
        (CRL, refused_tls(INSPECTOR.issue("crl.lab"), message="hostname 'crl.lab' doesn't match 'x'")),
    ],
    "http_status": [
        (CRL, answer(PORTAL, [hop(status=403)])),
        (CRL, proxied(403, headers={"server": "nginx", "via": "1.1 squid"})),
        (CRL, proxied(503, headers={"server": "nginx"})),
        (CRL, answer(PORTAL, [hop(status=502)], proxy=proxy(tunnel=True))),
    ],
    "http_no_answer": [(CRL, failed("http", "timeout")), (CRL, failed("http", "closed"))],
    "http_protocol": [
        (CRL, failed("http", "protocol")),
        (CRL, failed("http", "headers_too_large")),
        (CRL, failed("body", "encoding")),
    ],
    "redirected": [
        (CRL, redirect(GOOD_CRL)),
        (CRL, redirect(PORTAL)),
        (OCSP, redirect(PORTAL)),
        (AIA, redirect(PORTAL)),
        (CRL, redirect(b"", 404)),
        (CRL, failed("http", "redirect_refused", hops=[hop(status=302)])),
        (CRL, failed("http", "redirect_loop", hops=[hop(status=302)])),
    ],
    "truncated": [
        (CRL, failed("body", "truncated")),
        (CRL, failed("body", "timeout")),
        (CRL, answer(GOOD_CRL[:-5])),
        (OCSP, answer(respond()[:-5])),
        (AIA, answer(pki.der(ROOT.certificate)[:-5])),
    ],
    "too_large": [(CRL, failed("body", "too_large"))],
    "not_a_crl": [(CRL, answer(PORTAL)), (CRL, answer(b""))],
    "not_an_ocsp_response": [(OCSP, answer(PORTAL)), (check("ocsp", question=OcspQuestion()), answer(PORTAL))],
    "not_a_certificate": [(AIA, answer(PORTAL)), (AIA, answer(GOOD_CRL))],
    "crl_expired": [
        (CRL, answer(ROOT.crl(next_update=pki.NOW - pki.HOUR))),
        (CRL, redirect(ROOT.crl(next_update=pki.NOW - pki.HOUR))),
    ],
    "crl_not_yet_valid": [(CRL, answer(ROOT.crl(this_update=pki.NOW + pki.HOUR)))],
    "crl_bad_signature": [(CRL, answer(pki.with_broken_signature(GOOD_CRL)))],
    "crl_wrong_issuer": [(CRL, answer(OTHER.crl()))],
    "crl_lists_certificate": [(CRL, answer(ROOT.crl(revoked=[pki.revoked(REF.serial)])))],
    "crl_not_judged": [(CRL, answer(ROOT.crl(extensions=[pki.unknown_extension()])))],
    "ocsp_revoked": [(OCSP, answer(respond(status=CERT.REVOKED)))],
    "ocsp_unknown": [(OCSP, answer(respond(status=CERT.UNKNOWN)))],
    "ocsp_unauthorized": [(OCSP, answer(pki.ocsp_refusal(REFUSED.UNAUTHORIZED)))],
    "ocsp_try_later": [(OCSP, answer(pki.ocsp_refusal(REFUSED.TRY_LATER)))],
    "ocsp_malformed": [(OCSP, answer(pki.ocsp_refusal(REFUSED.MALFORMED_REQUEST)))],
    "ocsp_expired": [(OCSP, answer(respond(next_update=pki.NOW - pki.HOUR, this_update=pki.NOW - pki.DAY)))],
    "ocsp_bad_signature": [(OCSP, answer(pki.with_broken_signature(respond())))],
    "ocsp_wrong_certificate": [(OCSP, answer(pki.ocsp_response(ROOT.issue("x").certificate, ROOT)))],
    "ocsp_nonce_mismatch": [(OCSP, answer(respond(nonce=b"x" * 32)))],
    "ocsp_not_judged": [(OCSP, answer(pki.with_unknown_algorithm(respond())))],
}


def observations(*answers: t.Any) -> dict[str, t.Any]:
    """One run of the probe with these answers, numbered in order."""
    listed = [copy.deepcopy(item) | {"id": f"egress:{index}"} for index, item in enumerate(answers) if item is not None]
    return {"schema": 1, "clock": pki.NOW.timestamp(), "answers": listed}
