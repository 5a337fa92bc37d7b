# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""Why a root is not in the system's bundle: what the distribution's tool was given to build it from.

The bundle decides: a root that is in it is trusted, whatever lies in the sources.
"""

from __future__ import annotations

import base64
import binascii
import dataclasses
import typing as t

from ansible_collections.mailops.tls.plugins.plugin_utils._judge.trust.der import DerError, read_certificate, trust_settings
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.trust.root import RootVerdict
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.trust.store import StoreView, find_answer
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.x509 import clean
from ansible_collections.mailops.tls.plugins.plugin_utils._keystores.model import Use
from ansible_collections.mailops.tls.plugins.plugin_utils._plan.trust.sources import BUILDABLE, BUILT, REQUEST_ID, TOOLS

MAX_FOUND: t.Final = 100
DEBIAN: t.Final = "/usr/local/share/ca-certificates/"


@dataclasses.dataclass(frozen=True)
class Source:
    """A file that holds a certificate that was asked for. `use` is what the file itself says of it; it is an anchor where it says
    nothing. `trusted`: it says that it is one, in the form of p11-kit, which counts wherever p11-kit looks.
    """

    kind: str
    path: str
    form: str
    sha256: str
    use: Use
    trusted: bool = False


@dataclasses.dataclass(frozen=True)
class Sources:
    """What the system's store is built from, and which of the tools that build it are on the host."""

    found: tuple[Source, ...] = ()
    tools: tuple[str, ...] = ()

    def builder(self, store_type: str, real_path: str | None) -> str | None:
        """The tool that builds the store at this path, or None. What is added there by hand, the next update undoes."""
        if store_type not in ("system", *BUILDABLE) or not real_path:
            return None
        for place, tool in BUILT:
            if tool in self.tools and (real_path.startswith(place) if place.endswith("/") else real_path == place):
                return tool
        return None


def read_sources(observations: t.Mapping[str, t.Any]) -> Sources:
    """What the probe found, from an answer that is not believed: fingerprints are computed here. Nothing where there is none."""
    answer = find_answer(observations, REQUEST_ID)
    if isinstance(answer, StoreView):
        return Sources()
    found, tools = answer.get("found"), answer.get("tools")
    items = found[:MAX_FOUND] if isinstance(found, list) else []
    return Sources(
        tuple(source for item in items if isinstance(item, dict) and (source := _source(item))),
        tuple(tool for tool in TOOLS if isinstance(tools, list) and tool in tools),
    )


def _source(item: dict[str, t.Any]) -> Source | None:
    try:
        parts = read_certificate(base64.b64decode(str(item.get("der")), validate=True))
    except (DerError, binascii.Error, ValueError):
        return None
    path = clean(item.get("path") or "?", 300)
    # Debian's tool does not know what the form of p11-kit says.
    says = (item.get(word) is True and not path.startswith(DEBIAN) for word in ("distrusted", "trusted"))
    distrusted, trusted = says
    use: Use = "distrusted" if distrusted else _use(parts.rest)
    return Source(str(item.get("kind")), path, str(item.get("form")), parts.sha256, use, trusted)


def _use(rest: bytes) -> Use:
    """What the trust settings of a TRUSTED CERTIFICATE make of it; those that cannot be read trust nothing."""
    try:
        settings = trust_settings(rest)
    except DerError:
        return "distrusted"
    if settings is None or not settings.rejects_servers():
        return "anchor"
    return "distrusted" if settings.distrusts_servers() else "wrong_use"


def explain(verdict: RootVerdict, sha256: str, sources: t.Sequence[Source]) -> RootVerdict:
    """The verdict on a root that is absent from the bundle: blocked by the administrator, trusted for other uses, or added
    without effect."""
    if verdict.status != "absent":
        return verdict
    own = [source for source in sources if source.sha256 == sha256]
    taken_out = [source for source in own if source.kind in ("blocked", "deselected") or source.use == "distrusted"]
    added = [source for source in own if source.kind in ("anchor", "source")]
    other_use = [source for source in added if source.use == "wrong_use"]
    paths = {"sources": sorted({source.path for source in own})}
    if taken_out:
        first = taken_out[0]
        where = (
            f"/etc/ca-certificates.conf deselects {first.path}"
            if first.kind == "deselected"
            else f"{first.path} takes it out of the system's store"
        )
        detail = f"An administrator blocked it on this host: {where}."
        return RootVerdict("distrusted", _join(detail, verdict.detail), {**verdict.evidence, **paths, "blocked_by": first.path})
    if other_use:
        detail = f"{other_use[0].path} trusts it for other uses only, not for TLS servers (serverAuth)."
        return RootVerdict("wrong_use", _join(detail, verdict.detail), {**verdict.evidence, **paths})
    if added:
        detail = f"{added[0].path} holds it and has no effect: {_why(added[0])}"
        return RootVerdict("not_effective", _join(detail, verdict.detail), {**verdict.evidence, **paths})
    return verdict


def _why(source: Source) -> str:
    debian = source.path.startswith(DEBIAN)
    if debian and not source.path.endswith(".crt"):
        return "update-ca-certificates takes files that end in .crt and ignores all others without a word."
    if debian and source.form == "der":
        return "update-ca-certificates takes PEM, and this file is DER."
    if source.kind == "source" and not source.trusted:
        return "a plain certificate is trusted only in the directory anchors below it."
    return "the bundle was not built anew with it. Run the distribution's tool (update-ca-certificates or update-ca-trust)."


def _join(*sentences: str) -> str:
    return " ".join(sentence for sentence in sentences if sentence)
