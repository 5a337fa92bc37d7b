# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which profiles and roots a run uses, and how bad input is refused."""

from __future__ import annotations

import datetime as dt
import json
import os
import pathlib
import re

import pytest
import yaml
from ansible_collections.mailops.tls.plugins.plugin_utils._profiles.loader import (
    root_catalogue,
    select_profiles,
    select_roots,
    shipped_profiles,
)
from ansible_collections.mailops.tls.plugins.plugin_utils._profiles.model import ProfileError
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

TODAY = dt.date(2026, 11, 24)
G2 = "cb3ccbb76031e5e0138f8dd39a23f9de47ffc35e43c1144cea27d46a5ab1cb5f"
MINIMAL = {"id": "mine", "title": "Mine", "as_of": "2026-11-24", "sources": ["me"], "roots": ["globalsign-r6"]}


def ids(selection, today=TODAY, **more):
    return [profile.id for profile in select_profiles(selection, today=today, **more)]


@pytest.mark.parametrize(
    ("today", "expected"),
    [
        ("2017-01-01", ["exo-baltimore", "exo-globalsign-r1"]),
        ("2018-09-02", ["exo-baltimore", "exo-globalsign-r1"]),
        ("2018-09-03", ["exo-globalsign-r1", "exo-digicert-g1"]),
        ("2020-09-24", ["exo-digicert-g1", "exo-digicert-g2"]),
        ("2026-03-22", ["exo-digicert-g1", "exo-digicert-g2"]),
        ("2026-11-24", ["exo-digicert-g1", "exo-digicert-g2"]),
    ],
)
def test_by_default_the_profiles_in_force_and_the_next_one(today, expected):
    assert ids(None, dt.date.fromisoformat(today)) == expected


def test_an_empty_list_selects_none():
    assert ids([]) == []


def test_ids_paths_and_mappings_in_the_order_given(tmp_path):
    (tmp_path / "one.yml").write_text(yaml.safe_dump({**MINIMAL, "id": "one"}), encoding="utf-8")
    (tmp_path / "two.json").write_text("\ufeff" + json.dumps({**MINIMAL, "id": "two"}), encoding="utf-8")
    selection = ["two.json", "exo-baltimore", "./one.yml", MINIMAL]
    assert ids(selection, base_dir=str(tmp_path)) == ["two", "exo-baltimore", "one", "mine"]


def test_dates_that_a_yaml_loader_made_are_taken():
    profile = select_profiles([{**MINIMAL, "as_of": TODAY, "valid_from": dt.date(2027, 1, 1)}], today=TODAY)[0]
    assert (profile.as_of, profile.valid_from) == (TODAY, dt.date(2027, 1, 1))


def test_the_documented_example_loads():
    text = (pathlib.Path(__file__).parents[3] / "docs/profiles.md").read_text(encoding="utf-8")
    example = re.search(r"```yaml\n(.*?)```", text, re.S)
    profile = select_profiles([yaml.safe_load(example[1])], today=TODAY)[0]
    assert profile.id == "partner-mail"
    assert [root.id for root in profile.roots] == ["globalsign-r6", "partner-root"]
    assert profile.intermediates[0].serial == "0a1b2c"
    assert [endpoint.name for endpoint in profile.endpoints][-1] == "aia.partner.example:80"


def test_the_documented_refusal_is_the_real_one(tmp_path):
    document = {**MINIMAL, "endpoints": [{"url": "http://a.example/", "kind": "CRL"}]}
    (tmp_path / "partner.yml").write_text(yaml.safe_dump(document), encoding="utf-8")
    with pytest.raises(ProfileError) as refused:
        ids(["exo-baltimore", "./partner.yml"], base_dir=str(tmp_path))
    text = (pathlib.Path(__file__).parents[3] / "docs/profiles.md").read_text(encoding="utf-8")
    assert str(refused.value) in text


@pytest.mark.parametrize(
    ("selection", "message"),
    [
        ("exo-baltimore", "profiles: must be a list, not text"),
        ({"id": "x"}, "profiles: must be a list, not a mapping"),
        ([7], "profiles[0]: must be the id of a profile, the path of a file or a mapping, not 7"),
        (["exo-digicert-g3"], "profiles[0]: no shipped profile 'exo-digicert-g3'; did you mean exo-digicert-g2?"),
        (["exo-baltimore", "exo-baltimore"], "profiles[1]: the profile exo-baltimore is already selected by profiles[0]"),
        ([MINIMAL, MINIMAL], "profiles[1]: the profile mine is already selected by profiles[0]"),
        (["/nowhere/x.yml"], "profiles[0] (/nowhere/x.yml): cannot be read: No such file or directory"),
        (["a\x00/b"], "profiles[0] ('a\\x00/b'): cannot be read: not a usable path"),
        (["/"], "profiles[0] (/): cannot be read: Is a directory"),
        (["exo-baltimore"] * 65, "profiles: must have 0 to 64 items, not 65"),
        ([{**MINIMAL, "root": []}], "profiles[0] (inline): unknown key 'root'; did you mean roots?"),
        ([{**MINIMAL, 3: 4}], "profiles[0] (inline): unknown key 3"),
    ],
)
def test_a_bad_selection_is_refused_with_place_and_reason(selection, message):
    with pytest.raises(ProfileError) as refused:
        ids(selection)
    assert str(refused.value).startswith(message)
    assert "\n" not in str(refused.value)


def test_a_fifo_does_not_hang_the_run(tmp_path):
    os.mkfifo(tmp_path / "fifo.yml")
    with pytest.raises(ProfileError, match="is not a regular file"):
        ids([str(tmp_path / "fifo.yml")])


def test_a_large_file_is_refused_unread(tmp_path):
    (tmp_path / "large.yml").write_bytes(b"#" * (1024 * 1024 + 1))
    with pytest.raises(ProfileError, match="is larger than 1048576 bytes"):
        ids([str(tmp_path / "large.yml")])


def test_roots_by_id_by_fingerprint_and_by_pem():
    g6 = root_catalogue()["globalsign-r6"]
    roots = select_roots(["globalsign-r3", {"name": "G2", "sha256": G2.upper()}, {"name": "Six", "pem": "noise\n" + g6.pem}])
    assert [root.id for root in roots] == ["globalsign-r3", "digicert-global-root-g2", "globalsign-r6"]
    assert [root.name for root in roots] == ["GlobalSign Root CA - R3", "G2", "Six"]
    assert all(root.pem for root in roots)


def test_an_unknown_root_by_fingerprint_only():
    pin = ":".join(["ab"] * 32)
    root = select_roots([{"name": "Private", "sha256": pin}])[0]
    assert (root.id, root.name, root.sha256, root.pem) == ("ab" * 8, "Private", "ab" * 32, None)


@pytest.mark.parametrize(
    ("selection", "message"),
    [
        (
            ["digicert-global-root-g4"],
            "roots[0]: no root 'digicert-global-root-g4' in the catalogue; did you mean digicert-global-root-g",
        ),
        ([{"name": "x"}], "roots[0]: needs sha256 or pem: a root is pinned by its fingerprint, never by its name"),
        ([{"name": "x", "sha256": "ab"}], "roots[0]: sha256: must have 64 hexadecimal digits, not 2"),
        ([{"name": "x", "sha256": 12}], "roots[0]: sha256: must be hexadecimal text in quotes"),
        ([{"name": "x", "sha256": "z" * 64}], "roots[0]: sha256: must be hexadecimal digits"),
        ([{"name": "x", "sha": G2}], "roots[0]: unknown key 'sha'; did you mean sha1?"),
        ([{"id": "globalsign-r1", "sha256": G2}], "roots[0]: id: globalsign-r1 is another root in the catalogue"),
        ([{"name": "x", "sha256": G2, "serial": "01"}], "roots[0]: serial: is '01', but the catalogue's certificate"),
        (
            [{"name": "x", "sha256": G2}, "digicert-global-root-g2"],
            "roots[1]: the root digicert-global-root-g2 is already selected",
        ),
        ([["x"]], "roots[0]: must be the id of a root or a mapping"),
        ([{"pem": "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"}], "roots[0]: pem: is not a certificate"),
        ([{"pem": "nothing"}], "roots[0]: pem: must hold exactly one CERTIFICATE block, not 0 PEM blocks"),
        ([{"pem": "x" * 65537}], "roots[0]: pem: must be PEM text of at most 65536 characters"),
    ],
)
def test_a_bad_root_is_refused_with_place_and_reason(selection, message):
    with pytest.raises(ProfileError) as refused:
        select_roots(selection)
    assert str(refused.value).startswith(message)


def test_a_pem_that_is_not_the_pinned_one_is_refused():
    other = root_catalogue()["globalsign-r3"].pem
    with pytest.raises(ProfileError, match=r"roots\[0\]: sha256: is cb3c.*, but the certificate in pem has cbb5"):
        select_roots([{"name": "x", "sha256": G2, "pem": other}])


def test_two_certificates_in_one_pem_are_refused():
    both = root_catalogue()["globalsign-r3"].pem + root_catalogue()["globalsign-r6"].pem
    with pytest.raises(ProfileError, match="exactly one CERTIFICATE block, not 2"):
        select_roots([{"name": "x", "pem": both}])


def test_a_private_key_is_refused_and_not_repeated():
    hidden = "c2VjcmV0LW1hdGVyaWFs"
    pem = root_catalogue()["globalsign-r3"].pem + f"-----BEGIN PRIVATE KEY-----\n{hidden}\n-----END PRIVATE KEY-----\n"
    with pytest.raises(ProfileError, match="holds a private key") as refused:
        select_roots([{"name": "x", "pem": pem}])
    assert hidden not in str(refused.value)


def private_ca(common_name: str, issuer=None):
    """A CA of the test: its name, its key and its certificate as PEM."""
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, common_name)])
    key = ec.generate_private_key(ec.SECP256R1())
    issuer_name, issuer_key, _pem = issuer or (name, key, "")
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(issuer_name).public_key(key.public_key()).serial_number(10)
    builder = builder.not_valid_before(dt.datetime(2026, 1, 1)).not_valid_after(dt.datetime(2036, 1, 1))
    certificate = builder.sign(issuer_key, hashes.SHA256())
    return name, key, certificate.public_bytes(serialization.Encoding.PEM).decode()


def test_a_private_ca_by_pem_is_described_and_its_signatures_are_checked():
    root, stranger = private_ca("Private Root"), private_ca("Private Root")
    issuing = private_ca("Issuing", root)
    document = {**MINIMAL, "roots": [{"id": "root", "pem": root[2]}]}
    document["intermediates"] = [{"id": "issuing", "name": "Issuing", "issuer": "root", "pem": issuing[2]}]
    (profile,) = select_profiles([document], today=TODAY)
    assert (profile.roots[0].name, profile.roots[0].key) == ("Private Root", "EC P-256")
    assert profile.intermediates[0].serial == "0a"
    assert profile.intermediates[0].not_after == dt.datetime(2036, 1, 1, tzinfo=dt.timezone.utc)
    document["roots"] = [{"id": "root", "pem": stranger[2]}]
    with pytest.raises(ProfileError, match=r"intermediates\[0\]\.pem: is not signed by root"):
        select_profiles([document], today=TODAY)


def test_issuers_that_go_round_in_circles_are_refused():
    circle = [{"id": name, "name": name, "issuer": issuer} for name, issuer in (("a", "b"), ("b", "c"), ("c", "b"))]
    with pytest.raises(ProfileError, match=r"intermediates\[0\]\.issuer: goes round in a circle and never reaches a root"):
        select_profiles([{**MINIMAL, "intermediates": circle}], today=TODAY)


def test_shipped_profiles_cannot_be_changed_by_callers():
    with pytest.raises(TypeError):
        shipped_profiles()["x"] = None
