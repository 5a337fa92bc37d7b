# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Stores that cannot be judged, are damaged or oddly written: what OpenSSL makes of each is what counts."""

from __future__ import annotations

import pytest
from ansible_collections.mailops.tls.plugins.plugin_utils._findings.model import compliant
from ansible_collections.mailops.tls.plugins.plugin_utils._profiles.certificates import pem_to_der

from tests.unit.judge.test_trust_judge import G1, G2, judge, judge_file, openssl_trusts, pem_of, statuses


def test_no_such_store_is_unknown_once(tmp_path):
    judgement = judge_file(tmp_path / "none.pem", profiles=None)
    assert [(finding.id, finding.status) for finding in judgement.findings] == [("trust.store.not_found", "unknown")]
    assert statuses(judgement) == {G1: "unknown", G2: "unknown"}
    assert compliant(judgement.findings) is None
    assert judgement.stores[0]["certificates"] is None


def test_a_store_that_is_no_file_is_unreadable(tmp_path):
    judgement = judge_file(tmp_path, roots=[G2])
    assert [(finding.id, finding.status) for finding in judgement.findings] == [("trust.store.unreadable", "unknown")]
    assert G2 in judgement.findings[0].detail


def test_one_unreadable_store_does_not_hide_the_others(tmp_path):
    (tmp_path / "g2.pem").write_text(pem_of(G2), encoding="ascii")
    stores = [{"type": "pem_file", "path": str(tmp_path / name)} for name in ("none.pem", "g2.pem")]
    judgement = judge(stores, roots=[G2])
    assert [finding.id for finding in judgement.findings] == ["trust.store.not_found", "trust.root.present"]
    assert compliant(judgement.findings) is None


def test_a_damaged_file_fails_because_openssl_loads_nothing_of_it(tmp_path):
    bundle = tmp_path / "damaged.pem"
    bundle.write_text(pem_of(G2) + "-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----\n", encoding="ascii")
    judgement = judge_file(bundle, roots=[G2])
    assert [(finding.id, finding.status) for finding in judgement.findings] == [
        ("trust.store.damaged", "fail"),
        ("trust.root.not_effective", "fail"),
    ]
    assert "OpenSSL loads nothing of it: line" in judgement.findings[1].detail
    assert not openssl_trusts(pem_of(G2), tmp_path, "-CAfile", bundle)


@pytest.mark.parametrize(
    ("change", "status"),
    [
        (lambda pem: pem.split("-----END", maxsplit=1)[0] + pem, "present"),  # OpenSSL passes over it
        (lambda pem: pem + pem.split("-----END", maxsplit=1)[0], "not_effective"),  # cut off, as on a full disk
        (lambda pem: "\ufeff" + pem, "present"),
        (lambda pem: pem + "\0\n-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n", "present"),
        (lambda pem: pem.replace("\n", "\r\n"), "present"),
        (lambda pem: "# comment\ngarbage \x01\n" + pem + "more\n", "present"),
        (lambda pem: pem + pem.rstrip("\n") + pem, "not_effective"),  # two files joined without a line feed
        (lambda pem: pem + pem.replace("\n", "\n\n", 3), "not_effective"),  # a blank line makes a header of what is before it
        (lambda pem: pem.replace("-----\n", "-----\n\n", 1), "present"),
        (lambda pem: pem_to_der(pem).decode("latin-1"), "not_effective"),
        (lambda pem: "".join(pem.splitlines(keepends=True)[1:-1]), "unknown"),
        (lambda pem: pem.replace("\n", "\r"), "unknown"),
        (lambda pem: pem.replace("CERTIFICATE", "PKCS7"), "unknown"),
        (lambda _pem: "", "absent"),
        (lambda _pem: "# nothing yet\n", "absent"),
    ],
)
def test_what_openssl_loads_of_an_odd_file_counts(tmp_path, change, status):
    bundle = tmp_path / "odd.pem"
    text = change(pem_of(G2))
    bundle.write_bytes(text.encode("latin-1" if text.startswith("0\x82") else "utf-8"))
    judgement = judge_file(bundle, roots=[G2])
    assert statuses(judgement) == {G2: status}
    assert status == "present" or "OpenSSL" in " ".join(finding.detail for finding in judgement.findings) or "PKCS7" in text
    assert openssl_trusts(pem_of(G2), tmp_path, "-CAfile", bundle) is (status == "present")


def test_a_root_that_is_missing_from_a_damaged_file_is_not_to_be_added(tmp_path):
    bundle = tmp_path / "damaged.pem"
    bundle.write_text("-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----\n", encoding="ascii")
    damaged, absent = judge_file(bundle, roots=[G2]).findings
    assert (damaged.id, absent.id) == ("trust.store.damaged", "trust.root.absent")
    assert "OpenSSL loads nothing of the file at all: line 1: not base64" in absent.detail
    assert absent.evidence["refused"] == "line 1: not base64"
    assert "append" not in absent.remediation


def test_der_in_a_file_or_a_directory_is_told_as_such(tmp_path):
    for path, kind in ((tmp_path / "g2.crt", "pem_file"), (tmp_path, "pem_directory")):
        (tmp_path / "g2.crt").write_bytes(pem_to_der(pem_of(G2)))
        judgement = judge([{"type": kind, "path": str(path)}], roots=[G2])
        assert statuses(judgement) == {G2: "not_effective"}
        assert "holds it as DER" in judgement.stores[0]["roots"][0]["detail"]
        assert "rehash" not in judgement.stores[0]["roots"][0]["detail"]
    # Of another root nothing is known: OpenSSL loads nothing of the file.
    judgement = judge_file(tmp_path / "g2.crt", roots=[G1])
    assert statuses(judgement) == {G1: "unknown"}
    assert "it is DER" in judgement.stores[0]["error"]


def test_without_roots_the_store_is_still_described(tmp_path):
    (tmp_path / "g2.pem").write_text(pem_of(G2), encoding="ascii")
    judgement = judge_file(tmp_path / "g2.pem")
    assert judgement.findings == []
    assert judgement.stores[0]["certificates"] == 1
