# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Real history: the releases of certifi, which carry Mozilla's list, from 2015 on.

    PYTHONPATH=.cache/collections python -m tests.vectors.certifi_releases      writes the table, from all releases on PyPI

The table tells which of our roots a release holds, found by a plain reading of its PEM; the test judges the bundles themselves.
Bundles are kept in .cache/certifi and downloaded by pip where they are missing.
"""

from __future__ import annotations

import concurrent.futures
import csv
import hashlib
import pathlib
import re
import ssl
import subprocess
import sys
import tempfile
import zipfile

from ansible_collections.mailops.tls.plugins.plugin_utils._profiles.loader import root_catalogue

from tools import prepare

TABLE = pathlib.Path(__file__).resolve().parents[1] / "data" / "certifi-roots.csv"
CACHE = prepare.CACHE / "certifi"
OLDEST = (2015,)
_BLOCK = re.compile(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.DOTALL)


def table() -> dict[str, set[str]]:
    """Release to the ids of the roots that it holds, in the order of time."""
    with TABLE.open(encoding="utf-8", newline="") as stream:
        return {row["release"]: set(row["roots"].split()) for row in csv.DictReader(stream)}


def bundles(releases: list[str]) -> dict[str, pathlib.Path]:
    """Release to its cacert.pem. Raises subprocess.CalledProcessError where pip cannot get one."""
    CACHE.mkdir(parents=True, exist_ok=True)
    missing = [release for release in releases if not _bundle(release).is_file()]
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        list(pool.map(_fetch, missing))
    return {release: _bundle(release) for release in releases}


def _bundle(release: str) -> pathlib.Path:
    return CACHE / f"{release}.pem"


def _fetch(release: str) -> None:
    with tempfile.TemporaryDirectory(dir=CACHE) as folder:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-cache-dir"]
        command += ["--no-deps", "--only-binary", ":all:", "--dest", folder, f"certifi=={release}"]
        subprocess.run(command, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        (wheel,) = pathlib.Path(folder).glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            found = pathlib.Path(folder) / "cacert.pem"
            found.write_bytes(archive.read("certifi/cacert.pem"))
        found.replace(_bundle(release))


def main() -> None:
    """Write the table."""
    command = [sys.executable, "-m", "pip", "index", "versions", "certifi"]
    listed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    versions = re.search(r"^Available versions: (.*)$", listed, re.M)
    assert versions, listed
    releases = sorted(
        (name for name in versions[1].split(", ") if re.fullmatch(r"[0-9.]+", name) and _key(name) >= OLDEST), key=_key
    )
    ids = {root.sha256: root.id for root in root_catalogue().values()}
    with TABLE.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(["release", "roots"])
        for release, path in bundles(releases).items():
            blocks = _BLOCK.findall(path.read_text(encoding="utf-8"))
            digests = {hashlib.sha256(ssl.PEM_cert_to_DER_cert(block)).hexdigest() for block in blocks}
            writer.writerow([release, " ".join(sorted(ids[digest] for digest in digests & set(ids)))])


def _key(release: str) -> tuple[int, ...]:
    return tuple(int(part) for part in release.split("."))


if __name__ == "__main__":
    main()
