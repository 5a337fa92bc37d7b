# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Keystores and certificate databases made by the programs that own the formats: keytool, openssl, certutil."""

from __future__ import annotations

import pathlib
import re
import subprocess

from ansible_collections.mailops.tls.plugins.plugin_utils._profiles.loader import root_catalogue

PASSWORD = "changeit"  # noqa: S105 - the usual one of Java
G1, G2, G3, R6 = "digicert-global-root-ca", "digicert-global-root-g2", "digicert-global-root-g3", "globalsign-r6"


def pem_of(root_id: str) -> str:
    return root_catalogue()[root_id].pem


def digest_of(root_id: str) -> str:
    return root_catalogue()[root_id].sha256


def run(*command: object, **more: object) -> str:
    words = [str(word) for word in command]
    return subprocess.run(words, check=True, capture_output=True, text=True, timeout=120, **more).stdout


def pem_file(root_id: str, directory: pathlib.Path) -> pathlib.Path:
    path = directory / f"{root_id}.pem"
    path.write_text(pem_of(root_id), encoding="ascii")
    return path


def java_store(
    path: pathlib.Path, kind: str, *roots: str, password: str = PASSWORD, options: tuple[str, ...] = ()
) -> pathlib.Path:
    """A keystore with trusted certificates, the alias being the id."""
    for root in roots:
        source = pem_file(root, path.parent)
        store = ("-keystore", path, "-storetype", kind, "-storepass", password)
        run("keytool", *options, "-importcert", "-noprompt", "-alias", root, "-file", source, *store)
    return path


def add_key(path: pathlib.Path, kind: str, *, password: str = PASSWORD) -> None:
    """A private key with its certificate, the alias being own."""
    store = ("-keystore", path, "-storetype", kind, "-storepass", password, "-keypass", password)
    run("keytool", "-genkeypair", "-alias", "own", "-keyalg", "EC", "-dname", "CN=own", *store)


def keytool_trusts(path: pathlib.Path, password: str | None = PASSWORD) -> set[str]:
    """The SHA-256 of the trusted certificate entries that keytool lists."""
    given = () if password is None else ("-storepass", password)
    listed = run("keytool", "-list", "-keystore", path, *given, stdin=subprocess.DEVNULL)
    found = re.findall(r"trustedCertEntry,\s*Certificate fingerprint \(SHA-256\): ([0-9A-F:]+)", listed)
    return {digest.replace(":", "").lower() for digest in found}


def nss_database(directory: pathlib.Path, **flags: str) -> pathlib.Path:
    """A certificate database with roots and their flags; underscores in names stand for hyphens."""
    directory.mkdir()
    run("certutil", "-N", "-d", f"sql:{directory}", "--empty-password")
    for name, trust in flags.items():
        root = name.replace("_", "-")
        source = pem_file(root, directory.parent)
        run("certutil", "-A", "-d", f"sql:{directory}", "-n", root, "-t", trust, "-i", source)
    return directory
