# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The shipped data against what others published, and against other people's tools."""

from __future__ import annotations

import csv
import datetime as dt
import pathlib
import subprocess

import pytest
from ansible_collections.mailops.tls.plugins.plugin_utils._profiles.certificates import pem_to_der
from ansible_collections.mailops.tls.plugins.plugin_utils._profiles.loader import (
    intermediate_catalogue,
    root_catalogue,
    shipped_profiles,
)

REPOSITORY = pathlib.Path(__file__).parents[3]
PUBLISHED = list(csv.DictReader((REPOSITORY / "tests/data/roots-published.csv").open(encoding="utf-8")))


def openssl(pem: str, *arguments: str) -> str:
    """What the openssl command says of a certificate."""
    command = ["openssl", "x509", "-noout", *arguments]
    return subprocess.run(command, input=pem, capture_output=True, text=True, check=True).stdout.strip()


def test_the_table_of_published_values_covers_the_catalogue():
    assert {row["id"] for row in PUBLISHED} == set(root_catalogue())
    assert len(PUBLISHED) == 11
    assert all(row["source"] for row in PUBLISHED)


@pytest.mark.parametrize("row", PUBLISHED, ids=lambda row: row["id"])
def test_every_pem_is_the_certificate_that_was_published(row):
    pem = root_catalogue()[row["id"]].pem
    digests = {
        name: openssl(pem, "-fingerprint", f"-{name}").split("=")[1].replace(":", "").lower() for name in ("sha1", "sha256")
    }
    assert digests == {"sha1": row["sha1"], "sha256": row["sha256"]}
    assert int(openssl(pem, "-serial").split("=")[1], 16) == int(row["serial"], 16)
    dates = dict(line.split("=") for line in openssl(pem, "-dates").splitlines())
    assert dt.datetime.strptime(dates["notBefore"], "%b %d %H:%M:%S %Y GMT").date().isoformat() == row["not_before"]
    assert dt.datetime.strptime(dates["notAfter"], "%b %d %H:%M:%S %Y GMT").date().isoformat() == row["not_after"]
    text = openssl(pem, "-text")
    kind, size = row["key"].split()
    assert {"RSA": "rsaEncryption", "EC": "id-ecPublicKey"}[kind] in text
    assert (f"({size} bit)" if kind == "RSA" else f"NIST CURVE: {size}") in text


@pytest.mark.parametrize("row", PUBLISHED, ids=lambda row: row["id"])
def test_the_catalogue_says_of_every_root_what_was_published(row):
    root = root_catalogue()[row["id"]]
    said = (root.serial, root.sha1, root.sha256, root.key, root.not_before.date().isoformat(), root.not_after.date().isoformat())
    assert said == tuple(row[name] for name in ("serial", "sha1", "sha256", "key", "not_before", "not_after"))
    assert root.sources
    assert root.as_of


@pytest.mark.parametrize("root_id", sorted(root_catalogue()))
def test_every_root_signed_itself(root_id, tmp_path):
    path = tmp_path / "root.pem"
    path.write_text(root_catalogue()[root_id].pem, encoding="ascii")
    command = ["openssl", "verify", "-no_check_time", "-no-CApath", "-no-CAstore", "-check_ss_sig", "-CAfile", path, path]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip() == f"{path}: OK"


def test_pem_files_and_catalogue_hold_the_same_roots():
    folder = REPOSITORY / "plugins/plugin_utils/_profiles/data/roots"
    assert {path.stem for path in folder.iterdir()} == set(root_catalogue())


def test_the_four_generations_and_their_windows():
    windows = {profile.id: (profile.valid_from, profile.valid_until) for profile in shipped_profiles().values()}
    assert windows == {
        "exo-baltimore": (None, dt.date(2018, 9, 3)),
        "exo-globalsign-r1": (dt.date(2018, 9, 3), dt.date(2020, 9, 24)),
        "exo-digicert-g1": (dt.date(2020, 9, 24), None),
        "exo-digicert-g2": (dt.date(2026, 3, 22), None),
    }


def test_every_shipped_profile_names_its_file_and_is_dated():
    folder = REPOSITORY / "plugins/plugin_utils/_profiles/data/profiles"
    assert {path.stem for path in folder.iterdir()} == set(shipped_profiles())
    for profile in shipped_profiles().values():
        assert profile.sources
        assert profile.as_of >= dt.date(2026, 11, 24)
        assert profile.roots
        assert {endpoint.kind for endpoint in profile.endpoints} == {"crl", "ocsp", "ca_issuers"}


def test_what_the_article_asks_to_check_is_in_its_profile():
    profile = shipped_profiles()["exo-globalsign-r1"]
    urls = {endpoint.url: endpoint for endpoint in profile.endpoints}
    assert urls["http://crl.globalsign.com/gsorganizationvalsha2g3.crl"].kind == "crl"
    hosts = {url.split("/")[2] for url in urls}
    assert {"ocsp.globalsign.com", "crl.globalsign.com", "secure.globalsign.com"} <= hosts
    assert "ocsp2.globalsign.com" in hosts  # what the article forgot
    facts = profile.certificate
    assert (facts.common_name, facts.organization, facts.organizational_unit, facts.key_size) == (
        "mail.protection.outlook.com",
        "Microsoft Corporation",
        "",
        2048,
    )


def test_intermediates_without_pem_belong_to_known_roots_and_have_a_serial():
    for intermediate in intermediate_catalogue().values():
        assert intermediate.issuer in root_catalogue()
        assert intermediate.serial
        assert intermediate.sha1
        assert intermediate.pem is None


def test_pem_to_der_is_what_the_pin_is_about():
    root = root_catalogue()["digicert-global-root-g2"]
    der = subprocess.run(["openssl", "x509", "-outform", "DER"], input=root.pem.encode(), capture_output=True, check=True).stdout
    assert pem_to_der(root.pem) == der
