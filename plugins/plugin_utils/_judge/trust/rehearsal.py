# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""What it means that the host's own software accepted a chain, or refused it. Pure functions, no I/O."""

from __future__ import annotations

import dataclasses
import datetime as dt
import typing as t

from ansible_collections.mailops.tls.plugins.plugin_utils._findings.model import Finding, Severity, Status, Subject
from ansible_collections.mailops.tls.plugins.plugin_utils._findings.registry import make
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.trust.discovery import readers
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.trust.store import StoreView, find_answer
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.x509 import clean
from ansible_collections.mailops.tls.plugins.plugin_utils._plan.trust.rehearsal import REQUEST_ID, Rehearsal, RehearsedChain

_MAX_RESULTS: t.Final = 32 * 128
_WORDS: t.Final[dict[bool | None, str]] = {True: "passed", False: "failed", None: "not_possible"}


@dataclasses.dataclass(frozen=True)
class _Result:
    """One chain in one store, read from an answer that is not believed."""

    chain: RehearsedChain
    label: str
    store_type: str | None
    path: str | None
    sides: frozenset[str]
    used_by: tuple[str, ...]
    ok: bool | None
    tool: str | None
    version: str | None
    code: int | None
    message: str

    def as_dict(self) -> dict[str, t.Any]:
        """As trust_store_info returns it."""
        return {
            "chain": self.chain.name,
            "certificates": list(self.chain.fingerprints),
            "profile": self.chain.profile.id if self.chain.profile else None,
            "store": {"type": self.store_type, "path": self.path},
            "used_by": list(self.used_by),
            "status": _WORDS[self.ok],
            "tool": self.tool,
            "version": self.version,
            "code": self.code,
            "message": self.message,
        }


def judge_rehearsal(
    rehearsal: Rehearsal, observations: t.Mapping[str, t.Any], *, host: str, now: dt.datetime, observed_at: str
) -> tuple[list[dict[str, t.Any]], list[Finding]]:
    """The results as they are returned, and one finding for each chain in each store."""
    results = [_nothing(chain, chain.gap) for chain in rehearsal.chains if chain.gap]
    trusted: dict[tuple[str, str], bool] = {}
    if rehearsal.request is not None:
        answer = find_answer(observations, REQUEST_ID)
        read, reason = ([], answer.error) if isinstance(answer, StoreView) else _read(rehearsal, answer)
        results.extend(read)
        for result in read:
            for side in result.sides if result.ok else ():
                trusted[result.chain.id, side] = True
        told = {result.chain.id for result in read}
        missed = [chain for chain in rehearsal.chains if chain.certificates and (reason or chain.id not in told)]
        results.extend(_nothing(chain, reason or "the probe gave no answer about this chain") for chain in missed)
    findings = [_finding(result, trusted, host=host, today=now.date(), observed_at=observed_at) for result in results]
    return [result.as_dict() for result in results], findings


def _read(rehearsal: Rehearsal, answer: t.Mapping[str, t.Any]) -> tuple[list[_Result], str]:
    """The results of an answer, and why there may be more that it does not tell of."""
    chains = {chain.id: chain for chain in rehearsal.chains if chain.certificates}
    raw = answer.get("results")
    read = []
    for item in raw[:_MAX_RESULTS] if isinstance(raw, list) else []:
        chain = chains.get(str(item.get("chain"))) if isinstance(item, t.Mapping) else None
        if chain is not None:
            read.append(_result(rehearsal, chain, item, appended=answer.get("appends_default") is True))
    error = answer.get("error")
    if error is None:
        return read, ""
    words = [clean(error.get(key)) for key in ("code", "message") if error.get(key)] if isinstance(error, t.Mapping) else []
    return read, f"the rehearsal ended early ({': '.join(words) or 'without a reason'})"


def _result(rehearsal: Rehearsal, chain: RehearsedChain, item: t.Mapping[str, t.Any], *, appended: bool) -> _Result:
    named = rehearsal.stores.get(str(item.get("store")))
    path = clean(item["path"], 500) if isinstance(item.get("path"), str) else None
    used_by = readers(item.get("used_by"))
    sides = {word.split()[1].split("_")[0] for word in used_by if word.startswith("Postfix ")}
    if appended and named is not None and named.type == "system":
        sides |= {"smtp", "smtpd"}
    code, ok = item.get("code"), item.get("ok")
    return _Result(
        chain=chain,
        label=named.label if named else path or "a store of the host",
        store_type=named.type if named else clean(item.get("type"), 20),
        path=path or (named.path if named else None),
        sides=frozenset(sides),
        used_by=used_by,
        ok=ok if isinstance(ok, bool) else None,
        tool=clean(item["tool"], 60) if isinstance(item.get("tool"), str) else None,
        version=clean(item["version"], 60) if isinstance(item.get("version"), str) else None,
        code=code if isinstance(code, int) and not isinstance(code, bool) and abs(code) < 1e9 else None,
        message=clean(item.get("message") or ""),
    )


def _nothing(chain: RehearsedChain, reason: str) -> _Result:
    """A chain of which nothing is known in any store."""
    return _Result(chain, "the stores of the host", None, None, frozenset(), (), None, None, None, None, reason)


def _finding(
    result: _Result, trusted: t.Mapping[tuple[str, str], bool], *, host: str, today: dt.date, observed_at: str
) -> Finding:
    chain, word = result.chain, _WORDS[result.ok]
    summaries = {
        "passed": f"The host's own software accepts {chain.name} by {result.label}",
        "failed": f"The host's own software refuses {chain.name} by {result.label}",
        "not_possible": f"Whether the host's own software accepts {chain.name} by {result.label} could not be tried",
    }
    sentences = [f"{result.tool or 'The rehearsal'}: {result.message}." if result.message else ""]
    status: Status | None = None
    severity = _severity(chain, today) if result.ok is False else None
    if result.used_by:
        sentences.append(f"Read by {', '.join(result.used_by)}.")
    if result.ok is False and result.sides and all((chain.id, side) in trusted for side in result.sides):
        status, severity = "warn", "low"
        sentences.append("Postfix reads another store as well, by which the chain is accepted.")
    return make(
        f"trust.rehearsal.{word}",
        host=host,
        subject=Subject("chain", f"{chain.name} in {result.label}"),
        summary=summaries[word],
        detail=" ".join(sentence for sentence in sentences if sentence),
        evidence=result.as_dict(),
        status=status,
        severity=severity,
        profile=chain.profile.id if chain.profile else None,
        observed_at=observed_at,
    )


def _severity(chain: RehearsedChain, today: dt.date) -> Severity:
    """Critical when the chain may be presented today; a profile that is over needs nothing any more."""
    profile = chain.profile
    if profile is None or (profile.valid_from and profile.valid_from > today):
        return "high"
    return "critical" if profile.in_force(today) else "low"
