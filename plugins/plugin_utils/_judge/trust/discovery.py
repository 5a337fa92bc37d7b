# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""The stores that a host found by itself: who reads them, and what a root that they lack means then.

A store that the user named has to hold the roots. One that was only found has to when mail software is known to read it; a
JVM or a Python package without a root is worth a warning, and no reason to call a mail host not ready.
"""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.mailops.tls.plugins.plugin_utils._findings.model import Finding
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.trust.keystore import view_of_keystore
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.trust.store import StoreView, failed_view, file_view, view_of_pem
from ansible_collections.mailops.tls.plugins.plugin_utils._plan.trust.checks import STORE_TYPES, StoreSpec, TrustCheck
from ansible_collections.mailops.tls.plugins.plugin_utils._plan.trust.discovery import Discovery

MAX_FOUND: t.Final = 32
SETTINGS: t.Final = ("smtp_tls_CAfile", "smtp_tls_CApath", "smtpd_tls_CAfile", "smtpd_tls_CApath")
APPENDED: t.Final = "Postfix tls_append_default_CA"
OPENSSL: t.Final = "OpenSSL default"
_BY_DEFAULT: t.Final = {
    "java": "Java programs",
    "nss": "programs that use NSS",
    "python": "Python programs that use certifi",
}
_NO_MAIL_SOFTWARE: t.Final = (
    "The store was found on the host and not asked for, and no mail software is known to read it, so this is a warning only; "
    "name it in stores where it matters."
)


_STAYS_THERE: t.Final = (
    "The variable that names it gives a password too (javax.net.ssl.trustStorePassword), which stays on the host. Name the store "
    "in stores with its password."
)
TOO_MANY: t.Final = f"there are more than {MAX_FOUND} stores"


@dataclasses.dataclass(frozen=True)
class FoundStore:
    """A store that was found, as a check of its own, what was seen of it, and who reads it."""

    check: TrustCheck
    view: StoreView
    used_by: tuple[str, ...]

    @property
    def postfix(self) -> frozenset[str]:
        """The sides of Postfix that read it: smtp, smtpd."""
        return frozenset(word.split()[1].split("_")[0] for word in self.used_by if word.startswith("Postfix "))


@dataclasses.dataclass(frozen=True)
class Found:
    """All that was found. `of_system`: who is known to read the system's store besides. `gaps`: why it may not be all."""

    stores: tuple[FoundStore, ...]
    of_system: tuple[str, ...]
    gaps: tuple[str, ...] = ()
    # The client of Postfix is there and reads no store at all.
    postfix_reads_none: bool = False


def read_found(answer: t.Mapping[str, t.Any], discovery: Discovery, system: StoreView | None) -> Found:
    """What the probe found, from an answer that is not believed. What is the system's store by another name is left out."""
    stores: list[FoundStore] = []
    of_system = list(_default_readers(answer))
    raw = answer.get("stores")
    for number, item in enumerate(raw[:MAX_FOUND] if isinstance(raw, list) else []):
        kind = next((known for known in STORE_TYPES if known == item.get("type")), None) if isinstance(item, t.Mapping) else None
        path = file_view(item).path if kind else None
        if kind is None or path is None or kind == "system":
            continue
        keystore = kind in ("java", "nss")
        request = {"id": f"{discovery.request['id']}:{number}", "op": "file" if keystore else "store", "paths": [path]}
        check = TrustCheck(request, StoreSpec(kind, path), discovery.roots, discovery.intermediates)
        view = view_of_keystore(item, check) if keystore else view_of_pem(item)
        passwords = answer.get("own_passwords")
        if kind == "java" and isinstance(passwords, list) and item.get("path") in passwords:
            view = _with_own_password(view)
        used_by = readers(item.get("used_by"))
        if system and system.error is None and view.real_path == system.real_path and kind == "pem_file":
            of_system.extend(used_by)
            continue
        stores.append(FoundStore(check, view, used_by or ((_BY_DEFAULT[kind],) if kind in _BY_DEFAULT else ())))
    of_system.extend(_by_build(answer))
    return Found(tuple(stores), tuple(dict.fromkeys(of_system)), tuple(_gaps(answer)), _reads_none(answer))


def _with_own_password(view: StoreView) -> StoreView:
    """The usual password was tried and is not the one: that it does not fit says nothing."""
    if view.error is not None and "password" in view.error:
        return dataclasses.replace(view, error=f"{view.error}. {_STAYS_THERE}")
    return dataclasses.replace(view, integrity="unchecked") if view.integrity == "failed" else view


def weigh(finding: Finding, store: FoundStore, trusted_by: t.Mapping[str, t.Collection[str]]) -> Finding:
    """A finding about a store that was found, with the weight it has for a mail host.

    trusted_by: side of Postfix to the roots that it trusts by any of its stores.
    """
    readers = ", ".join(store.used_by)
    evidence = {**finding.evidence, "used_by": list(store.used_by)}
    detail = " ".join(part for part in (finding.detail, f"Read by {readers}." if readers else "") if part)
    finding = dataclasses.replace(finding, evidence=evidence, detail=detail)
    if finding.status not in ("fail", "unknown"):
        return finding
    if not store.postfix:
        return dataclasses.replace(finding, status="warn", severity="low", detail=f"{detail} {_NO_MAIL_SOFTWARE}")
    root = finding.evidence.get("root")
    if finding.id == "trust.root.absent" and all(root in trusted_by.get(side, ()) for side in store.postfix):
        sentence = "Postfix reads another store as well, which has the root."
        return dataclasses.replace(finding, status="warn", severity="low", detail=f"{detail} {sentence}")
    return finding


def _gaps(answer: t.Mapping[str, t.Any]) -> t.Iterator[str]:
    if answer.get("error") is not None:
        yield f"the search ended early ({failed_view(answer).error})"
    if answer.get("truncated"):
        yield TOO_MANY
    postfix = answer.get("postfix")
    if not isinstance(postfix, t.Mapping):
        return
    if postfix.get("error") is not None:
        yield "Postfix's main.cf could not be read"
    parameters = postfix.get("parameters")
    for name in SETTINGS:
        value = parameters.get(name, "") if isinstance(parameters, t.Mapping) else ""
        if not isinstance(value, str) or (value and not value.startswith("/")):
            yield f"the value of {name} in Postfix's main.cf is no plain path"


def _reads_none(answer: t.Mapping[str, t.Any]) -> bool:
    """smtp_tls_CAfile and smtp_tls_CApath are empty by default, and OpenSSL's own store is not added to them (postconf(5))."""
    postfix = answer.get("postfix")
    if not isinstance(postfix, t.Mapping) or postfix.get("error") is not None or not isinstance(postfix.get("parameters"), dict):
        return False
    named = [postfix["parameters"].get(name, "") for name in ("smtp_tls_CAfile", "smtp_tls_CApath")]
    return named == ["", ""] and not any(_default_readers(answer))


def _default_readers(answer: t.Mapping[str, t.Any]) -> t.Iterator[str]:
    """Postfix, where it reads the system's store besides its own, on both sides (postconf(5))."""
    postfix = answer.get("postfix")
    parameters = postfix.get("parameters") if isinstance(postfix, t.Mapping) else None
    value = parameters.get("tls_append_default_CA") if isinstance(parameters, t.Mapping) else None
    if isinstance(value, str) and value.strip().lower() == "yes":
        yield APPENDED


def _by_build(answer: t.Mapping[str, t.Any]) -> t.Iterator[str]:
    """Programs that distributions build to read the system's store. One that a setting points elsewhere reads that instead."""
    programs = answer.get("programs")
    raw = answer.get("stores")
    settings = (
        [word for item in raw[:MAX_FOUND] if isinstance(item, t.Mapping) for word in readers(item.get("used_by"))]
        if (isinstance(raw, list))
        else []
    )
    for name in ("curl", "git"):
        there = isinstance(programs, t.Mapping) and programs.get(name) is True
        if there and not any(word.startswith(f"{name} ") for word in settings):
            yield f"{name} by default"


def readers(value: t.Any) -> tuple[str, ...]:
    """`postfix:smtp_tls_CAfile` or `git:http.sslCAInfo` of the probe, in words."""
    words = [word for word in value[:20] if isinstance(word, str)] if isinstance(value, list) else []
    known = {
        "postfix": "Postfix",
        "environment": "the environment's",
        "curl": "curl",
        "git": "git",
        "openssl": "OpenSSL",
    }
    pairs = [word.partition(":") for word in words]
    return tuple(
        f"{known[who]} {what[:60]}"
        for who, _colon, what in pairs
        if who in known and what.replace("_", "").replace(".", "").isalnum() and what.isascii()
    )
