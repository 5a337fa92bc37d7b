# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""What is asked of mail servers, from the options of a task."""

from __future__ import annotations

import datetime as dt
import re
import typing as t

from ansible_collections.mailops.tls.plugins.plugin_utils._judge.smtp.context import Expect, SmtpPolicy
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.x509 import load_pem_certificates, same_name, sha256
from ansible_collections.mailops.tls.plugins.plugin_utils._plan.smtp.targets import to_ascii
from ansible_collections.mailops.tls.plugins.plugin_utils._plan.trust.checks import StoreSpec, parse_stores
from ansible_collections.mailops.tls.plugins.plugin_utils._profiles.loader import (
    intermediate_catalogue,
    root_catalogue,
    select_roots,
)
from ansible_collections.mailops.tls.plugins.plugin_utils._profiles.model import Profile
from ansible_collections.mailops.tls.plugins.plugin_utils._profiles.public_ca import public_ca_rules
from ansible_collections.mailops.tls.plugins.plugin_utils._profiles.technical import tls_reference

if t.TYPE_CHECKING:
    from cryptography import x509

_FINGERPRINT: t.Final = re.compile(r"[0-9a-f]{64}")


def read_stores(raw: t.Sequence[t.Mapping[str, t.Any]]) -> tuple[StoreSpec, ...]:
    """The stores to verify with; the system's where none is named. Raises ValueError."""
    return parse_stores(raw) if raw else (StoreSpec("system"),)


def read_policy(args: t.Mapping[str, t.Any], profiles: tuple[Profile, ...]) -> SmtpPolicy:
    """Raises ValueError for options that cannot be used, with a message for the user."""
    if args["lead_time"] < 0:
        raise ValueError(f"lead_time: must be a number of days, not {args['lead_time']}")
    given = [item for index, pem in enumerate(args["issuers"]) for item in _certificates(pem, f"issuers[{index}]")]
    known = [root.pem for root in root_catalogue().values()] + [root.pem for item in profiles for root in item.roots]
    between = [item.pem for item in intermediate_catalogue().values()]
    between += [item.pem for profile in profiles for item in profile.intermediates]
    roots = [*_loaded(known), *(item for item in given if same_name(item.subject, item.issuer))]
    issuers = [*_loaded(between), *(item for item in given if not same_name(item.subject, item.issuer))]
    return SmtpPolicy(
        require=args["require"],
        minimum_tls=args["minimum_tls"],
        expect=_expect(args["expect"]),
        check_plaintext=args["check_plaintext"],
        lead_time=dt.timedelta(days=args["lead_time"]),
        roots=_unique(roots),
        issuers=_unique(issuers),
        profiles=profiles,
        profiles_named=args.get("profiles") is not None,
        reference=tls_reference(),
        rules=public_ca_rules(),
    )


def _expect(raw: t.Mapping[str, t.Any] | None) -> Expect:
    given = raw or {}
    root = given.get("root")
    return Expect(
        name=to_ascii((given.get("name") or "").strip()).rstrip(".").lower() or None,
        organization=given.get("organization"),
        key_size=given.get("key_size"),
        root=_root(root) if root else None,
    )


def _root(text: str) -> str:
    """The SHA-256 of a root by its id in the catalogue, or as it is given."""
    plain = text.replace(":", "").strip().lower()
    return plain if _FINGERPRINT.fullmatch(plain) else select_roots([text])[0].sha256


def _certificates(pem: str, place: str) -> tuple[x509.Certificate, ...]:
    found = load_pem_certificates(pem.encode("utf-8", "replace"))
    if not found:
        raise ValueError(f"{place}: holds no certificate in PEM. Give its text, for example with lookup('file', path).")
    return found


def _loaded(pems: t.Iterable[str | None]) -> list[x509.Certificate]:
    return [item for pem in pems if pem for item in load_pem_certificates(pem.encode())]


def _unique(certificates: t.Iterable[x509.Certificate]) -> tuple[x509.Certificate, ...]:
    return tuple({sha256(item): item for item in certificates}.values())
