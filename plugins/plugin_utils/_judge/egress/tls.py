# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""What a failed TLS handshake with an https endpoint means. The pair returned is (cause, detail)."""

from __future__ import annotations

import datetime as dt
import re
import typing as t

from ansible_collections.mailops.tls.plugins.plugin_utils._judge.egress.answer import Hop, ProbeError
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.x509 import issued_by, load_certificate, moment, name_text

if t.TYPE_CHECKING:
    from cryptography import x509

# OpenSSL's words for "ends at a root I do not know". Anything else (expired, another name, weak) is a fault of the server's
# own certificate or of the host, and no sign of interception.
_UNKNOWN_ROOT: t.Final = (
    "self-signed",
    "self signed",
    "unable to get local issuer",
    "unable to get issuer",
    "unable to verify the first",
)
# Python 3.6 does not pass OpenSSL's words on. A wrong name it tells itself, so what else is left is looked for in the chain.
_UNSPECIFIC: t.Final = re.compile(r"certificate verify failed( \(_ssl\.c:\d+\))?\Z", re.IGNORECASE)
# CAs whose endpoints these are. A name is only a claim, so it never proves anything; it only keeps the judge from crying wolf.
_PUBLIC: t.Final = (
    "digicert", "globalsign", "microsoft", "sectigo", "comodo", "usertrust", "entrust", "let's encrypt", "amazon", "godaddy",
    "internet security research group", "google trust services", "starfield", "baltimore", "cybertrust", "identrust", "certum",
    "swisssign", "quovadis", "buypass", "actalis", "harica", "telekom", "d-trust", "ssl corp", "ssl.com", "geotrust", "thawte",
    "rapidssl", "verisign",
)  # fmt: skip


def tls_error(error: ProbeError, hop: Hop | None, known: t.Sequence[x509.Certificate], now: dt.datetime) -> tuple[str, str]:
    """Interception is said only of a chain that ends at an unknown root and was not issued by a CA known here."""
    if error.code != "verify_failed":
        return "tls_error", f"The TLS handshake failed ({error.code}): {error.message or 'no reason given'}."
    tls = hop.tls if hop else None
    message = (tls.verify_message if tls else "") or error.message
    # Chains are short; a hostile one is cut here.
    chain = [c for c in (load_certificate(der) for der in (tls.chain[:12] if tls else ())) if c is not None]
    if not chain:
        return "tls_error", f"The server's certificate was refused ({message}); its issuer could not be seen."
    issuer = name_text(chain[0].issuer)
    seen = f"The server's certificate was refused ({message}). It was issued by {issuer}"
    if _UNSPECIFIC.search(message):
        if not all(_is_valid(certificate, now) for certificate in chain):
            return "tls_error", f"{seen}. A certificate of the chain is expired or not valid yet."
    elif not any(words in message.lower() for words in _UNKNOWN_ROOT):
        return "tls_error", f"{seen}."
    if any(issued_by(certificate, root) for certificate in chain for root in known):
        why = "the host lacks its root, or the server does not send the whole chain"
        return "tls_error", f"{seen}, below a CA that this collection knows: {why}."
    if any(name in name_text(c.issuer).lower() for c in chain for name in _PUBLIC):
        why = "the host lacks its root, the server does not send the whole chain, or the name is forged"
        return "tls_error", f"{seen}, which bears a public CA's name: {why}."
    return "tls_intercepted", f"{seen}, which is no CA known here: something between the host and the CA opens TLS connections."


def _is_valid(certificate: x509.Certificate, now: dt.datetime) -> bool:
    start, end = moment(certificate, "not_valid_before"), moment(certificate, "not_valid_after")
    return start is not None and end is not None and start <= now <= end
