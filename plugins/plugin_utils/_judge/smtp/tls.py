# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""The session up to and with the handshake: was the server there, was STARTTLS offered, and what was negotiated."""

from __future__ import annotations

import typing as t

from ansible_collections.mailops.tls.plugins.plugin_utils._judge.smtp.context import SmtpPolicy, Talk
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.smtp.model import Error, Path, Tls

# From the oldest to the newest, as OpenSSL and Python write them.
PROTOCOLS: t.Final = ("SSLv2", "SSLv3", "TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3")
MINIMUMS: t.Final = PROTOCOLS[2:]

_EARLY: t.Final = ("connect", "greeting", "ehlo", "smtp")
# Of the codes of a handshake: the server breaks off for our client certificate, or the lack of one.
_FOR_CERTIFICATE: t.Final = ("client_certificate_required", "certificate")
# Without these, nothing was learnt about the server: it may be slow, busy, or not speak SMTP.
_NO_ANSWER: t.Final[t.Mapping[str, str]] = {
    "timeout": "it did not answer in time",
    "closed": "it closed the connection without an answer",
    "reset": "the connection was reset before it answered",
    "protocol": "what it sends is not SMTP",
    "refused": "it refuses the session",
    "deadline": "the time of the run was over before it answered",
    "internal": "the probe failed",
}


def judge_session(talk: Talk, path: Path, policy: SmtpPolicy) -> bool:
    """Whether the session came as far as STARTTLS, or TLS at once; findings say why not."""
    error = path.error if path.tls is None else None  # what goes wrong behind the handshake is judge_tls's business
    evidence = {"banner": path.banner, "capabilities": list(path.capabilities) if path.capabilities is not None else None}
    if error is not None and error.code == "throttled":
        _judge_throttled(talk, error, evidence)
        return False
    if error is not None and error.stage in _EARLY:
        _judge_no_session(talk, error, evidence)
        return False
    if path.starttls == "implicit":
        return True
    return _judge_starttls(talk, path, policy, evidence)


def _judge_throttled(talk: Talk, error: Error, evidence: dict[str, t.Any]) -> None:
    text = f"{error.message}. " if error.message else ""
    talk.say("connect.throttled", "it sends us away for now", detail=f"{text}Stage: {error.stage}.", evidence=evidence)


def _judge_no_session(talk: Talk, error: Error, evidence: dict[str, t.Any]) -> None:
    told = {**evidence, "stage": error.stage, "code": error.code}
    if error.stage == "connect" and error.code not in ("deadline", "internal"):
        talk.say("connect.failed", f"no connection ({error.code})", detail=error.message, evidence=told)
    else:
        talk.say("connect.no_answer", _NO_ANSWER.get(error.code, error.code), detail=error.message, evidence=told)


def _judge_starttls(talk: Talk, path: Path, policy: SmtpPolicy, evidence: dict[str, t.Any]) -> bool:
    told = {**evidence, "starttls_reply": path.starttls_reply}
    if path.starttls == "offered":
        talk.say("starttls.offered", "STARTTLS is offered", evidence=told)
        return True
    if path.starttls == "filtered":
        talk.say("starttls.filtered", "the keyword STARTTLS is masked on the way", evidence=told)
    elif path.starttls == "refused":
        talk.say("starttls.refused", "STARTTLS is offered and then refused", detail=path.starttls_reply or "", evidence=told)
    elif path.starttls == "not_offered":
        talk.say("starttls.not_offered", "STARTTLS is not offered", evidence=told, status="fail" if policy.encrypts else "warn")
    else:
        detail = path.error.message if path.error else ""
        talk.say("connect.no_answer", "whether it offers STARTTLS was not seen", detail=detail, evidence=told)
    return False


def judge_tls(talk: Talk, path: Path, policy: SmtpPolicy) -> None:
    """The handshake and what follows it, apart from the server's certificate."""
    if path.tls is None:
        _judge_no_handshake(talk, path.error)
        return
    _judge_negotiated(talk, path, path.tls, policy)
    if path.error is not None:
        _judge_broken_off(talk, path.error)


def _judge_no_handshake(talk: Talk, error: Error | None) -> None:
    message, told = (error.message, {"stage": error.stage, "code": error.code}) if error else ("", {})
    if error is not None and is_for_certificate(error):
        _judge_certificate_wanted(talk, error)
    elif error is not None and error.code == "injected":
        talk.say("starttls.injected", "data in the clear follow its answer to STARTTLS", detail=message, evidence=told)
    elif error is not None and (error.stage == "plaintext" or error.code in ("deadline", "internal")):
        talk.say("connect.no_answer", f"{_NO_ANSWER.get(error.code, error.code)} ({error.stage})", detail=message)
    else:
        talk.say("tls.handshake_failed", "the TLS handshake failed", detail=message, evidence=told)


def _judge_broken_off(talk: Talk, error: Error) -> None:
    """TLS came about and the session in it did not: in TLS 1.3 a client is done before the server has said its last word."""
    told = {"stage": error.stage, "code": error.code}
    if is_for_certificate(error):
        _judge_certificate_wanted(talk, error)
    elif error.code == "throttled":
        _judge_throttled(talk, error, told)
    elif error.code in ("deadline", "internal"):
        talk.say("connect.no_answer", f"{_NO_ANSWER[error.code]} ({error.stage})", detail=error.message, evidence=told)
    else:
        text = f"after the handshake {_NO_ANSWER.get(error.code, error.code)}"
        talk.say("tls.session_failed", text, detail=error.message, evidence=told)


def is_for_certificate(error: Error) -> bool:
    """Whether the server broke off for our client certificate, or the lack of one, in the handshake or right after it."""
    return error.stage == "handshake" and error.code in _FOR_CERTIFICATE


def _judge_certificate_wanted(talk: Talk, error: Error) -> None:
    told = {"stage": error.stage, "code": error.code}
    if error.code == "client_certificate_required":
        talk.say("tls.client_certificate_required", "it wants a client certificate", detail=error.message, evidence=told)
    else:
        text = "it does not accept the client certificate"
        talk.say("tls.client_certificate_refused", text, detail=error.message, evidence=told)


def _judge_negotiated(talk: Talk, path: Path, tls: Tls, policy: SmtpPolicy) -> None:
    evidence = {"protocol": tls.protocol, "cipher": tls.cipher, "permissive": tls.permissive}
    old, anonymous = is_older(tls.protocol, policy.minimum_tls), is_anonymous(path)
    if old:
        talk.say("tls.too_old", f"{tls.protocol} is negotiated, {policy.minimum_tls} is asked for", evidence=evidence)
    if anonymous:
        status: t.Literal["fail", "warn"] = "fail" if policy.authenticates else "warn"
        talk.say("tls.anonymous", f"the cipher {tls.cipher} has no certificate", evidence=evidence, status=status)
    if tls.permissive and not old and not anonymous:
        talk.say(
            "tls.handshake_failed",
            "the handshake fails with the ordinary settings of this host's OpenSSL",
            detail=f"It succeeds with weaker ones: {tls.protocol} with {tls.cipher}.",
            evidence=evidence,
            status="warn",
        )
    if forward_secrecy(tls) is False:
        talk.say("tls.no_forward_secrecy", f"{tls.cipher} has no forward secrecy", evidence=evidence)
    reference = policy.reference
    if reference is not None and tls.cipher and not old and not anonymous and not reference.documents(tls.cipher):
        talk.say(
            "tls.cipher_not_documented",
            f"{tls.cipher} is not among the documented cipher suites",
            detail=f"The reference is as of {reference.as_of}.",
            evidence={
                **evidence,
                "documented": [suite.openssl for suite in reference.suites],
                "sources": list(reference.sources),
            },
        )


def is_older(protocol: str | None, minimum: str) -> bool:
    """Whether a protocol is known and below the minimum."""
    return protocol in PROTOCOLS and PROTOCOLS.index(protocol) < PROTOCOLS.index(minimum)


def is_anonymous(path: Path) -> bool:
    """Whether the server showed no certificate because the cipher has none."""
    cipher = (path.tls.cipher or "").upper() if path.tls else ""
    return not path.chain and cipher.startswith(("ADH-", "AECDH-", "TLS_DH_ANON", "TLS_ECDH_ANON"))


def forward_secrecy(tls: Tls) -> bool | None:
    """From the protocol and the cipher's name; None for names of another pattern."""
    cipher = (tls.cipher or "").upper()
    if tls.protocol == "TLSv1.3":
        return True  # RFC 8446: no static key exchange is left, save PSK, which SMTP does not use
    if cipher.startswith(("ECDHE", "DHE", "EDH", "ADH", "AECDH", "TLS_ECDHE", "TLS_DHE")):
        return True
    if cipher.startswith(("AES", "CAMELLIA", "DES-", "RC4", "SEED", "ARIA", "IDEA", "NULL", "TLS_RSA", "ECDH-", "DH-", "EXP-")):
        return False
    return None


def key_exchange(tls: Tls) -> str | None:
    """As observed, or from the cipher's name; TLS 1.3 always has an ephemeral one."""
    if tls.key_exchange or tls.group:
        return tls.key_exchange or tls.group
    cipher = (tls.cipher or "").upper().removeprefix("TLS_")
    if tls.protocol == "TLSv1.3":
        return "ephemeral"
    if cipher.startswith(("ECDHE", "AECDH")):
        return "ECDHE"
    if cipher.startswith(("DHE", "EDH", "ADH", "DH_ANON")):
        return "DHE"
    return "RSA" if forward_secrecy(tls) is False else None
