# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the controller settles: which certificate is meant, and that it is the pinned one."""

from __future__ import annotations

import datetime as dt
import typing as t

import pytest
from ansible_collections.mailops.tls.plugins.plugin_utils._action.anchor import module_arguments
from ansible_collections.mailops.tls.plugins.plugin_utils._profiles.loader import root_catalogue

from tests.unit.anchor.pki import root

ROOT = root()


def arguments_of(args: dict[str, t.Any]) -> dict[str, t.Any]:
    return module_arguments(args, today=dt.date(2026, 11, 24))


def colons(sha256: str) -> str:
    return ":".join(sha256[at : at + 2] for at in range(0, 64, 2)).upper()


@pytest.mark.parametrize("name", ["digicert-global-root-g2", "DigiCert Global Root G2"])
def test_by_name(name: str) -> None:
    known = root_catalogue()["digicert-global-root-g2"]
    arguments = arguments_of({"name": name, "store": "system", "state": "absent"})
    assert (arguments["name"], arguments["sha256"]) == (known.id, known.sha256)
    assert arguments["certificate"].strip() == (known.pem or "").strip()
    assert (arguments["store"], arguments["state"]) == ({"type": "system"}, "absent")
    assert arguments_of({"name": name, "sha256": colons(known.sha256)})["sha256"] == known.sha256


def test_every_root_of_the_catalogue_can_be_named() -> None:
    for known in root_catalogue().values():
        assert arguments_of({"name": known.id})["sha256"] == known.sha256


def test_by_certificate() -> None:
    text = "a comment\n" + ROOT.pem.replace("\n", "\r\n")
    arguments = arguments_of({"certificate": text, "sha256": colons(ROOT.sha256)})
    assert (arguments["certificate"], arguments["sha256"]) == (ROOT.pem, ROOT.sha256)


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ({}, "either name"),
        ({"name": "digicert-global-root-g2", "certificate": ROOT.pem, "sha256": ROOT.sha256}, "either name"),
        ({"name": "digicert-global-root-g22"}, "did you mean digicert-global-root-g2"),
        ({"name": "digicert-global-root-g2", "sha256": ROOT.sha256}, "sha256: the certificate"),
        ({"certificate": ROOT.pem}, "sha256: is required"),
        ({"certificate": ROOT.pem, "sha256": "0" * 64}, f"has {ROOT.sha256}, not 0000"),
        ({"certificate": ROOT.pem, "sha256": "abc"}, "must have 64 hexadecimal digits"),
        ({"certificate": ROOT.pem + ROOT.pem, "sha256": ROOT.sha256}, "exactly one"),
        ({"certificate": ROOT.key_pem, "sha256": ROOT.sha256}, "private key"),
        ({"certificate": "/etc/passwd", "sha256": ROOT.sha256}, "a path is not read"),
        ({"certificate": ROOT.pem, "sha256": ROOT.sha256, "store": "sytem"}, "must be system, or a dictionary"),
    ],
)
def test_refused(arguments: dict[str, t.Any], match: str) -> None:
    with pytest.raises(ValueError, match=match):
        arguments_of(arguments)


def test_by_name_of_a_root_of_a_profile() -> None:
    """A profile of the user's own brings its roots along."""
    profile = {
        "id": "own",
        "title": "A CA of our own",
        "as_of": "2026-11-01",
        "sources": ["https://pki.example.com/"],
        "valid_from": "2026-01-01",
        "roots": [{"id": "own-root", "name": "Own Root", "sha256": ROOT.sha256, "pem": ROOT.pem}],
    }
    arguments = arguments_of({"name": "own-root", "profiles": [profile]})
    assert (arguments["sha256"], "profiles" in arguments) == (ROOT.sha256, False)
    with pytest.raises(ValueError, match="no root"):
        arguments_of({"name": "own-root"})
