# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""What to ask a host that is to tell itself which trust stores it has besides that of the system: `stores: auto` or `mail`."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.mailops.tls.plugins.plugin_utils._plan.trust.checks import (
    CERTIFI_BUNDLE,
    MAX_STORE_BYTES,
    NSS_DATABASE,
    WantedIntermediate,
    WantedRoot,
    selection,
    wanted_intermediates,
    wanted_roots,
)
from ansible_collections.mailops.tls.plugins.plugin_utils._profiles.model import Profile, Root

MAIN_CF: t.Final = "/etc/postfix/main.cf"
# Where a user's own interpreters and virtual environments are: pyenv, pipx, uv, virtualenvwrapper, pip install --user.
_OWN: t.Final = (
    ".local",
    ".pyenv/versions/*",
    ".local/share/pipx/venvs/*",
    ".local/pipx/venvs/*",
    ".local/share/uv/tools/*",
    ".local/share/uv/python/*",
    ".virtualenvs/*",
    ".venv",
    "venv",
)
GITCONFIG: t.Final = "/etc/gitconfig"

# Known places, none of them searched in depth.
PLACES: t.Final[tuple[tuple[str, tuple[str, ...]], ...]] = (
    (
        "java",
        (
            "/etc/ssl/certs/java/cacerts",  # Debian, Ubuntu (ca-certificates-java)
            "/etc/pki/java/cacerts",  # RHEL, Fedora and kin
            "/usr/lib/jvm/*/lib/security/cacerts",
            "/usr/lib/jvm/*/jre/lib/security/cacerts",  # Java 8
            "/usr/lib64/jvm/*/lib/security/cacerts",  # SUSE
            "/usr/java/*/lib/security/cacerts",  # Oracle's packages
            "/opt/*/lib/security/cacerts",
            "/opt/*/jre/lib/security/cacerts",  # products that bring a JVM along
        ),
    ),
    ("nss", (f"/etc/pki/nssdb/{NSS_DATABASE}",)),
    (
        "python",
        tuple(
            f"{prefix}/{lib}/python3*/{kind}-packages/{CERTIFI_BUNDLE}"
            for prefix in ("/usr", "/usr/local", "/opt/*", "/opt/*/venv", "/srv/*", "/srv/*/venv")
            for lib in ("lib", "lib64")
            for kind in ("site", "dist")
        )
        + tuple(
            f"{prefix}/lib/python3*/site-packages/{CERTIFI_BUNDLE}"
            for prefix in ("/opt/pipx/venvs/*", *(f"{home}/{place}" for home in ("/root", "/home/*") for place in _OWN))
        ),
    ),
)


@dataclasses.dataclass(frozen=True)
class Discovery:
    """The probe request that finds and reads stores, and the roots to look for in each."""

    request: dict[str, t.Any]
    roots: tuple[WantedRoot, ...]
    intermediates: tuple[WantedIntermediate, ...] = ()


def plan_discovery(
    profiles: t.Sequence[Profile], roots: t.Sequence[Root], *, everything: bool, intermediates: bool = False
) -> Discovery:
    """One request for the stores that are found, with the same roots as for the system's.

    everything: all stores that are found (`auto`), instead of those of mail software (`mail`).
    """
    wanted = wanted_roots(profiles, roots)
    below = wanted_intermediates(profiles) if intermediates else ()
    request = {
        "id": "trust:found",
        "op": "discover",
        "places": [{"type": kind, "patterns": list(patterns)} for kind, patterns in PLACES] if everything else [],
        "environment": everything,
        "programs": everything,
        "interpreters": everything,
        "gitconfig": GITCONFIG if everything else None,
        "main_cf": MAIN_CF,
        "select": selection(wanted, below),
        "max_bytes": MAX_STORE_BYTES,
    }
    return Discovery(request, wanted, below)
