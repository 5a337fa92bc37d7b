# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""OCSP responses with one fault each, made for the request (RFC 6960)."""

from __future__ import annotations

import datetime as dt
import pathlib
import typing as t

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509 import ocsp

HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)
# ecdsa-with-SHA256, and the same with a last octet that nobody ever assigned.
ALGORITHM, NO_ALGORITHM = bytes.fromhex("06082a8648ce3d040302"), bytes.fromhex("06082a8648ce3d04037f")
REFUSALS = {
    "unauthorized": ocsp.OCSPResponseStatus.UNAUTHORIZED,
    "try_later": ocsp.OCSPResponseStatus.TRY_LATER,
    "malformed": ocsp.OCSPResponseStatus.MALFORMED_REQUEST,
}


class Responder:
    """Answers about the lab's intermediate certificate, each with one fault."""

    FAULTS: t.ClassVar = (
        *REFUSALS,
        *("expired", "future", "bad_signature", "not_delegated", "other", "nonce", "algorithm"),
    )

    def __init__(self, ca: pathlib.Path) -> None:
        def certificate(name: str) -> x509.Certificate:
            return x509.load_pem_x509_certificate((ca / f"{name}.pem").read_bytes())

        def key(name: str) -> ec.EllipticCurvePrivateKey:
            loaded = serialization.load_pem_private_key((ca / f"{name}.key").read_bytes(), None)
            assert isinstance(loaded, ec.EllipticCurvePrivateKey)
            return loaded

        self.root, self.intermediate, self.leaf = (certificate(name) for name in ("root", "intermediate", "leaf"))
        self.signers = {name: (certificate(name), key(name)) for name in ("root_responder", "causes-web")}

    def respond(self, fault: str, request: bytes) -> bytes:
        """A response in DER. Raises ValueError for a request that cannot be read."""
        if fault in REFUSALS:
            return ocsp.OCSPResponseBuilder.build_unsuccessful(REFUSALS[fault]).public_bytes(serialization.Encoding.DER)
        asked = ocsp.load_der_ocsp_request(request)
        now = dt.datetime.now(dt.timezone.utc).replace(tzinfo=None, microsecond=0)
        start = {"expired": now - 3 * DAY, "future": now + DAY}.get(fault, now - HOUR)
        # Signed by a server certificate of the same issuer: valid, but nobody delegated anything to it.
        signer, key = self.signers["causes-web" if fault == "not_delegated" else "root_responder"]
        builder = (
            ocsp.OCSPResponseBuilder()
            .add_response(
                cert=self.leaf if fault == "other" else self.intermediate,
                issuer=self.intermediate if fault == "other" else self.root,
                algorithm=hashes.SHA1(),  # noqa: S303 - identifies, protects nothing
                cert_status=ocsp.OCSPCertStatus.GOOD,
                this_update=start,
                next_update=start + DAY,
                revocation_time=None,
                revocation_reason=None,
            )
            .responder_id(ocsp.OCSPResponderEncoding.HASH, signer)
            .certificates([signer])
        )
        nonce = next((item.value for item in asked.extensions if isinstance(item.value, x509.OCSPNonce)), None)
        if nonce is not None:
            builder = builder.add_extension(x509.OCSPNonce(b"replayed" * 4) if fault == "nonce" else nonce, critical=False)
        body = builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)
        if fault == "algorithm":
            return body.replace(ALGORITHM, NO_ALGORITHM)
        if fault == "bad_signature":
            # The certificate that came along is the last thing in the response, so the signature is found by its value.
            signature = ocsp.load_der_ocsp_response(body).signature
            return body.replace(signature, signature[:-1] + bytes([signature[-1] ^ 1]))
        return body
