# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""What trust_anchor settles on the controller: which certificate is meant, and that it is the one that was pinned."""

from __future__ import annotations

import datetime as dt
import typing as t

from ansible_collections.mailops.tls.plugins.plugin_utils._profiles.certificates import read_pem
from ansible_collections.mailops.tls.plugins.plugin_utils._profiles.fields import Place, fingerprint, show, suggest
from ansible_collections.mailops.tls.plugins.plugin_utils._profiles.loader import root_catalogue, select_profiles
from ansible_collections.mailops.tls.plugins.plugin_utils._profiles.model import Root


def module_arguments(args: t.Mapping[str, t.Any], *, today: dt.date, base_dir: str | None = None) -> dict[str, t.Any]:
    """The arguments of a task as the module on the host takes them: certificate and pin in place of a name.

    `base_dir` is where relative paths in `profiles` start. Raises ProfileError (a ValueError) for a certificate that is not
    named, not known, or not the pinned one.
    """
    name, certificate = args.get("name"), args.get("certificate")
    if (name is None) == (certificate is None):
        raise ValueError("give either name, of a root of the catalogue, or certificate with its sha256")
    pin = None if args.get("sha256") is None else fingerprint(64)(args["sha256"], Place("sha256"))
    selection = args.get("profiles")
    if name is not None:
        profiles = select_profiles(selection, today=today, base_dir=base_dir) if selection else ()
        root = _known(name, {**root_catalogue(), **{root.id: root for profile in profiles for root in profile.roots}})
        named = {"name": root.id, **_pinned(root.pem, pin, root.sha256, Place("name"))}
    elif pin is None:
        raise ValueError("sha256: is required with certificate, so that nothing but the certificate that was checked gets trust")
    else:
        named = _pinned(certificate, pin, pin, Place("certificate"))
    arguments = {**args, **named}
    arguments.pop("profiles", None)
    if arguments.get("store") == "system":
        arguments["store"] = {"type": "system"}
    elif isinstance(arguments.get("store"), str):
        raise ValueError(f"store: must be system, or a dictionary with type and path, not {show(arguments['store'])}")
    return arguments


def _known(name: t.Any, catalogue: t.Mapping[str, Root]) -> Root:
    """A root of the catalogue or of the named profiles, by id or name."""
    wanted = str(name).strip().casefold()
    found = [root for root in catalogue.values() if wanted in (root.id.casefold(), root.name.casefold())]
    if len(found) != 1:
        raise ValueError(
            f"name: no root {show(name)} in the catalogue{suggest(wanted, catalogue)} (known: {', '.join(sorted(catalogue))}); "
            "give others as certificate with sha256"
        )
    return found[0]


def _pinned(pem: t.Any, pin: str | None, known: str, at: Place) -> dict[str, t.Any]:
    """Certificate and pin, compared. The certificate is written anew, so that nothing else of the text travels."""
    if isinstance(pem, str) and "-----BEGIN" not in pem:
        raise ValueError(f"{at.source}: must be PEM text; a path is not read, use lookup('ansible.builtin.file', path)")
    data = read_pem(pem, at)
    if data.sha256 != (pin or known):
        raise ValueError(f"sha256: the certificate {show(data.subject)} has {data.sha256}, not {pin or known}")
    return {"certificate": data.pem, "sha256": data.sha256}
