# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Verdicts on stores that the real probe read, held against what openssl says of the same stores."""

from __future__ import annotations

import base64
import dataclasses
import datetime as dt
import pathlib
import subprocess

import pytest
from ansible_collections.mailops.tls.plugins.module_utils._probe import engine
from ansible_collections.mailops.tls.plugins.plugin_utils._findings.model import compliant
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.trust.der import read_certificate, subject_hash
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.trust.judgement import judge_trust
from ansible_collections.mailops.tls.plugins.plugin_utils._plan.trust.checks import parse_stores, plan_trust
from ansible_collections.mailops.tls.plugins.plugin_utils._profiles.certificates import pem_to_der
from ansible_collections.mailops.tls.plugins.plugin_utils._profiles.loader import root_catalogue, select_profiles, select_roots
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

NOW = dt.datetime(2026, 11, 24, 12, tzinfo=dt.timezone.utc)
G1, G2 = "digicert-global-root-ca", "digicert-global-root-g2"
SYSTEM = pathlib.Path("/etc/ssl/certs/ca-certificates.crt")


def pem_of(root_id: str) -> str:
    return root_catalogue()[root_id].pem


def judge(stores, *, profiles=(), roots=(), now=NOW, change=lambda observations: observations, system=None):
    """Plan, let the real probe look, and judge. `system` is a file that stands for the bundle of the system."""
    chosen = select_profiles(list(profiles) if profiles is not None else None, today=now.date())
    checks = plan_trust(chosen, select_roots(list(roots)), parse_stores(stores))
    if system is not None:
        checks = tuple(dataclasses.replace(check, request={**check.request, "paths": [str(system)]}) for check in checks)
    observations = engine.run([check.request for check in checks])
    observations["clock"] = now.timestamp()
    return judge_trust(checks, change(observations), host="mx1", now=now, observed_at="2026-11-24T12:00:00Z")


def judge_file(path, **more):
    return judge([{"type": "pem_file", "path": str(path)}], **more)


def statuses(judgement) -> dict[str, str]:
    return {root["id"]: root["status"] for store in judgement.stores for root in store["roots"]}


def openssl_trusts(pem: str, directory: pathlib.Path, *arguments: object, purpose: str = "sslserver") -> bool:
    """Whether openssl takes the certificate for a trusted server root. It must be its own anchor: nothing else is given."""
    path = directory / "asked.pem"
    path.write_text(pem, encoding="ascii")
    # OpenSSL takes its own default places besides what is given, unless told not to.
    others = [option for option in ("-CAfile", "-CApath", "-CAstore") if option not in arguments]
    switches = [f"-no{option}" for option in others]
    command = ["openssl", "verify", *switches, "-purpose", purpose, *arguments, path]
    return subprocess.run(command, capture_output=True, text=True, check=False).returncode == 0


class Authority:
    """A CA of the test, with a name that may be borrowed from a real one."""

    def __init__(self, name: x509.Name, key=None):
        self.name, self.key = name, key or ec.generate_private_key(ec.SECP256R1())

    def certificate(self, issuer=None, days=(-10, 3650), now=NOW, identifier=None, identified=False) -> str:
        issuer = issuer or self
        builder = x509.CertificateBuilder().subject_name(self.name).issuer_name(issuer.name).public_key(self.key.public_key())
        builder = builder.serial_number(x509.random_serial_number()).add_extension(x509.BasicConstraints(True, None), True)
        builder = builder.not_valid_before(now + dt.timedelta(days[0])).not_valid_after(now + dt.timedelta(days[1]))
        if identifier is not None:
            builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(identifier.public_key()), False)
        if identified:
            builder = builder.add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.key.public_key()), False)
        return builder.sign(issuer.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()


def named(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, common_name)])


def borrowed(root_id: str) -> x509.Name:
    return x509.load_pem_x509_certificate(pem_of(root_id).encode()).subject


# --- the machine's own bundle -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("root_id", sorted(root_catalogue()))
def test_the_machines_own_bundle_is_judged_as_openssl_judges_it(root_id, tmp_path):
    assert SYSTEM.exists(), "this test reads Debian's bundle: install the package ca-certificates"
    now = dt.datetime.now(dt.timezone.utc)
    judgement = judge("auto", roots=[root_id], now=now)
    (finding,) = judgement.findings
    # Any purpose: the key usage of GlobalSign's roots forbids them to be a server themselves, which is how they are asked here.
    assert (finding.status == "pass") is openssl_trusts(pem_of(root_id), tmp_path, "-CAfile", SYSTEM, purpose="any")
    store = judgement.stores[0]
    assert (store["type"], store["path"]) == ("system", str(SYSTEM))
    assert store["certificates"] == SYSTEM.read_text(encoding="ascii").count("BEGIN CERTIFICATE")


def test_both_sides_of_the_rotation_on_a_bundle_that_has_them(tmp_path):
    bundle = tmp_path / "both.pem"
    bundle.write_text(pem_of(G1) + pem_of(G2), encoding="ascii")
    judgement = judge_file(bundle, profiles=None)
    assert statuses(judgement) == {G1: "present", G2: "present"}
    assert compliant(judgement.findings) is True
    assert [finding.profile for finding in judgement.findings] == ["exo-digicert-g1", "exo-digicert-g2"]
    # Trusted now: it hurts when their time is over, which is before any profile says that it ends.
    assert {root["id"]: root["hurts_from"] for root in judgement.stores[0]["roots"]} == {G1: "2031-11-10", G2: "2038-01-15"}


# --- what is missing, and for whom --------------------------------------------------------------------------------------


def test_a_missing_root_in_force_is_critical_one_to_come_high_one_of_the_past_low(tmp_path):
    bundle = tmp_path / "other.pem"
    bundle.write_text(pem_of("globalsign-r6"), encoding="ascii")
    now = dt.datetime(2026, 3, 1, tzinfo=dt.timezone.utc)
    judgement = judge_file(bundle, profiles=["exo-globalsign-r1", "exo-digicert-g1", "exo-digicert-g2"], now=now)
    found = {finding.profile: (finding.id, finding.status, finding.severity) for finding in judgement.findings}
    assert found == {
        "exo-globalsign-r1": ("trust.root.absent", "fail", "low"),
        "exo-digicert-g1": ("trust.root.absent", "fail", "critical"),
        "exo-digicert-g2": ("trust.root.absent", "fail", "high"),
    }
    evidence = {finding.profile: finding.evidence["hurts_from"] for finding in judgement.findings}
    assert evidence == {"exo-globalsign-r1": None, "exo-digicert-g1": "2026-03-01", "exo-digicert-g2": "2026-03-22"}
    told = {root["profiles"][0]: root["hurts_from"] for root in judgement.stores[0]["roots"]}
    assert told == evidence
    assert compliant(judgement.findings) is False
    for finding in judgement.findings:
        assert "openssl" not in finding.remediation
        assert "append" in finding.remediation  # the remedy of a file, not of the system store
        assert finding.subject.name.endswith(f" in {bundle}")


def test_a_root_of_two_profiles_is_one_finding_that_names_both(tmp_path):
    bundle = tmp_path / "other.pem"
    bundle.write_text(pem_of("globalsign-r6"), encoding="ascii")
    ended = {
        "id": "ended",
        "title": "t",
        "as_of": "2026-11-24",
        "sources": ["me"],
        "valid_until": "2020-01-01",
        "roots": [G2],
    }
    (finding,) = judge_file(bundle, profiles=[ended, "exo-digicert-g2"]).findings
    assert finding.evidence["profiles"] == ["ended", "exo-digicert-g2"]
    assert (finding.profile, finding.severity) == ("exo-digicert-g2", "critical")


def test_a_root_the_user_names_needs_no_profile(tmp_path):
    bundle = tmp_path / "other.pem"
    bundle.write_text(pem_of("globalsign-r6"), encoding="ascii")
    (finding,) = judge_file(bundle, roots=[{"name": "Private", "sha256": "ab" * 32}]).findings
    assert (finding.id, finding.severity, finding.profile) == ("trust.root.absent", "high", None)
    assert finding.summary == f"Private is missing from {bundle}"


# --- names prove nothing ------------------------------------------------------------------------------------------------


def test_the_same_subject_with_another_key_is_still_absent(tmp_path):
    bundle = tmp_path / "fake.pem"
    bundle.write_text(Authority(borrowed(G2)).certificate(), encoding="ascii")
    (finding,) = judge_file(bundle, roots=[G2]).findings
    assert (finding.id, finding.status) == ("trust.root.absent", "fail")
    assert "another key" in finding.detail
    assert len(finding.evidence["look_alikes"]) == 1
    assert not openssl_trusts(pem_of(G2), tmp_path, "-CAfile", bundle)


@pytest.mark.parametrize("directory", [False, True])
@pytest.mark.parametrize("first", [False, True])
@pytest.mark.parametrize("identifier", ["none", "own", "same"])
def test_a_look_alike_beside_the_root_shadows_it_as_it_does_for_openssl(tmp_path, identifier, first, directory):
    real, other = Authority(named("Lab Root")), Authority(named("Lab Root"))
    keys = {"none": None, "own": other.key, "same": real.key}
    asked, rival = real.certificate(identifier=real.key), other.certificate(identifier=keys[identifier])
    leaf = Authority(named("leaf")).certificate(real, identified=True)
    held = [rival, asked] if first else [asked, rival]
    store = tmp_path / "store"
    if directory:
        store.mkdir()
        digest = subject_hash(read_certificate(pem_to_der(asked)).subject)
        for number, pem in enumerate(held):
            (store / f"{digest}.{number}").write_text(pem, encoding="ascii")
    else:
        store.write_text("".join(held), encoding="ascii")
    look = judge_directory if directory else judge_file
    (finding,) = look(store, roots=[{"name": "Lab", "pem": asked}]).findings
    accepted = openssl_trusts(leaf, tmp_path, "-CApath" if directory else "-CAfile", store)
    assert accepted is not (first and identifier != "own")
    assert finding.id == ("trust.root.present" if accepted else "trust.root.shadowed")
    assert len(finding.evidence["look_alikes"]) == 1
    assert "same name with another key" in finding.detail


@pytest.mark.parametrize("directory", [False, True])
@pytest.mark.parametrize("days", [(-400, -5), (5, 400)])
def test_a_look_alike_that_is_out_of_date_stands_in_nobodys_way(tmp_path, days, directory):
    now, authority = dt.datetime.now(dt.timezone.utc), Authority(named("Lab Root"))
    root, leaf = authority.certificate(now=now), Authority(named("leaf")).certificate(authority, now=now)
    rival = Authority(named("Lab Root")).certificate(days=days, now=now)
    store = tmp_path / "store"
    if directory:
        store.mkdir()
        digest = subject_hash(read_certificate(pem_to_der(root)).subject)
        for number, pem in enumerate((rival, root)):
            (store / f"{digest}.{number}").write_text(pem, encoding="ascii")
    else:
        store.write_text(rival + root, encoding="ascii")
    judged = (judge_directory if directory else judge_file)(store, roots=[{"name": "Lab", "pem": root}], now=now)
    assert openssl_trusts(leaf, tmp_path, "-CApath" if directory else "-CAfile", store)
    assert list(statuses(judged).values()) == ["present"]
    assert "it is out of date" in judged.findings[0].detail


def test_a_root_certified_again_with_its_key_is_present(tmp_path):
    authority = Authority(named("Lab Root"))
    asked, held, leaf = (
        authority.certificate(),
        authority.certificate(days=(-1, 100)),
        Authority(named("leaf")).certificate(authority),
    )
    bundle = tmp_path / "again.pem"
    bundle.write_text(held, encoding="ascii")
    (finding,) = judge_file(bundle, roots=[{"name": "Lab", "pem": asked}]).findings
    assert finding.id == "trust.root.present"
    assert "another certificate of the same name and key" in finding.detail
    assert openssl_trusts(leaf, tmp_path, "-CAfile", bundle)


OLD, LIVE, LATER = (-400, -5), (-5, 400), (5, 400)


@pytest.mark.parametrize("directory", [False, True])
@pytest.mark.parametrize(
    ("held", "status"),
    [
        ([OLD, LIVE], "present"),
        ([LIVE, OLD], "present"),
        ([LATER, LIVE], "present"),
        ([OLD, LATER, LIVE], "present"),
        ([OLD], "expired"),
        ([OLD, LATER], "expired"),
        ([LATER], "not_yet_valid"),
    ],
)
def test_of_certificates_of_one_key_the_one_that_is_valid_counts(tmp_path, held, status, directory):
    """The first of `held` is asked for. OpenSSL goes on until it has one whose dates are right."""
    now, authority = dt.datetime.now(dt.timezone.utc), Authority(named("Lab Root"))
    leaf = Authority(named("leaf")).certificate(authority, now=now)
    pems = [authority.certificate(days=days, now=now) for days in held]
    store = tmp_path / "store"
    if directory:
        store.mkdir()
        digest = subject_hash(read_certificate(pem_to_der(pems[0])).subject)
        for number, pem in enumerate(pems):
            (store / f"{digest}.{number}").write_text(pem, encoding="ascii")
    else:
        store.write_text("".join(pems), encoding="ascii")
    judged = (judge_directory if directory else judge_file)(store, roots=[{"name": "Lab", "pem": pems[0]}], now=now)
    assert list(statuses(judged).values()) == [status]
    assert openssl_trusts(leaf, tmp_path, "-CApath" if directory else "-CAfile", store) is (status == "present")
    if held[0] == OLD and status == "present":
        assert "It expired on" in judged.findings[0].detail and "same name and key" in judged.findings[0].detail


def test_of_several_that_stand_in_the_one_that_is_valid_counts(tmp_path):
    """None of them is the one that was asked for."""
    now, authority = dt.datetime.now(dt.timezone.utc), Authority(named("Lab Root"))
    bundle = tmp_path / "twins.pem"
    bundle.write_text("".join(authority.certificate(days=days, now=now) for days in (OLD, LIVE)), encoding="ascii")
    judged = judge_file(bundle, roots=[{"name": "Lab", "pem": authority.certificate(now=now)}], now=now)
    assert list(statuses(judged).values()) == ["present"]
    assert openssl_trusts(Authority(named("leaf")).certificate(authority, now=now), tmp_path, "-CAfile", bundle)


def test_a_cross_certificate_is_no_anchor(tmp_path):
    authority = Authority(named("Lab Root"))
    asked, leaf = authority.certificate(), Authority(named("leaf")).certificate(authority)
    bundle = tmp_path / "cross.pem"
    bundle.write_text(authority.certificate(Authority(named("Other"))), encoding="ascii")
    (finding,) = judge_file(bundle, roots=[{"name": "Lab", "pem": asked}]).findings
    assert finding.id == "trust.root.absent"
    assert "another CA signed" in finding.detail
    assert not openssl_trusts(leaf, tmp_path, "-CAfile", bundle)
    assert openssl_trusts(leaf, tmp_path, "-partial_chain", "-CAfile", bundle)


# --- dates --------------------------------------------------------------------------------------------------------------


def test_an_expired_root_says_whose_it_was(tmp_path):
    bundle = tmp_path / "old.pem"
    bundle.write_text(pem_of("baltimore-cybertrust"), encoding="ascii")
    (finding,) = judge_file(bundle, profiles=["exo-baltimore"]).findings
    assert (finding.id, finding.status, finding.severity) == ("trust.root.expired", "fail", "low")
    assert "expired on 2025-05-12" in finding.detail
    assert "exo-baltimore ended on 2018-09-03" in finding.detail
    assert statuses(judge_file(bundle, profiles=["exo-baltimore"], now=NOW.replace(year=2024))) == {
        "baltimore-cybertrust": "present"
    }


def test_a_root_of_the_future_is_not_yet_valid(tmp_path):
    pem = Authority(named("Lab")).certificate(days=(5, 50))
    bundle = tmp_path / "future.pem"
    bundle.write_text(pem, encoding="ascii")
    (finding,) = judge_file(bundle, roots=[{"name": "Lab", "pem": pem}]).findings
    assert (finding.id, finding.status) == ("trust.root.not_yet_valid", "fail")


def test_a_host_whose_clock_is_wrong_sees_other_dates(tmp_path):
    bundle = tmp_path / "g2.pem"
    bundle.write_text(pem_of(G2), encoding="ascii")
    judgement = judge_file(bundle, roots=[G2], change=lambda seen: {**seen, "clock": 0.0})
    assert [finding.id for finding in judgement.findings] == ["trust.root.not_yet_valid"]
    assert "host's own clock, which says 1970-01-01" in judgement.findings[0].detail
    for nonsense in (None, "x", float("nan"), 1e300, -1e300, True):
        judgement = judge_file(bundle, roots=[G2], change=lambda seen, clock=nonsense: {**seen, "clock": clock})
        assert statuses(judgement) == {G2: "present"}


# --- trust settings -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "status"),
    [
        (["-addreject", "serverAuth"], "distrusted"),
        (["-addreject", "anyExtendedKeyUsage"], "distrusted"),
        (["-addtrust", "emailProtection"], "wrong_use"),
        (["-addtrust", "serverAuth"], "present"),
        (["-addtrust", "anyExtendedKeyUsage", "-addreject", "emailProtection"], "present"),
        (["-setalias", "name"], "present"),
    ],
)
def test_openssl_trust_settings_count(tmp_path, options, status):
    command = ["openssl", "x509", "-trustout", *options]
    trusted = subprocess.run(command, input=pem_of(G2), capture_output=True, text=True, check=True).stdout
    bundle = tmp_path / "trusted.pem"
    bundle.write_text(trusted, encoding="ascii")
    assert statuses(judge_file(bundle, roots=[G2])) == {G2: status}
    assert openssl_trusts(pem_of(G2), tmp_path, "-CAfile", bundle) is (status == "present")


@pytest.mark.parametrize("rejected_first", [True, False])
def test_of_two_copies_the_first_counts(tmp_path, rejected_first):
    command = ["openssl", "x509", "-trustout", "-addreject", "serverAuth"]
    rejected = subprocess.run(command, input=pem_of(G2), capture_output=True, text=True, check=True).stdout
    bundle = tmp_path / "twice.pem"
    bundle.write_text(
        "".join(sorted([rejected, pem_of(G2)], key=lambda pem: (pem == rejected) is not rejected_first)), encoding="ascii"
    )
    assert bundle.read_text(encoding="ascii").startswith(rejected) is rejected_first
    assert statuses(judge_file(bundle, roots=[G2])) == {G2: "distrusted" if rejected_first else "present"}
    assert openssl_trusts(pem_of(G2), tmp_path, "-CAfile", bundle) is not rejected_first


def test_trust_settings_that_cannot_be_read_are_unknown(tmp_path):
    der = pem_to_der(pem_of(G2)) + b"\x30\x03\x30\x01\x05"
    bundle = tmp_path / "bad.pem"
    body = base64.encodebytes(der).decode()
    bundle.write_text(f"-----BEGIN TRUSTED CERTIFICATE-----\n{body}-----END TRUSTED CERTIFICATE-----\n", encoding="ascii")
    (finding,) = judge_file(bundle, roots=[G2]).findings
    assert (finding.id, finding.status) == ("trust.root.unknown", "unknown")


# --- directories --------------------------------------------------------------------------------------------------------


def judge_directory(path, **more):
    return judge([{"type": "pem_directory", "path": str(path)}], **more)


def test_in_a_directory_only_what_openssl_finds_counts(tmp_path):
    store = tmp_path / "store"
    store.mkdir()
    (store / "g2.pem").write_text(pem_of(G2), encoding="ascii")
    (finding,) = judge_directory(store, roots=[G2]).findings
    assert finding.id == "trust.root.not_effective"
    assert "is in the directory as g2.pem, but OpenSSL does not find it" in finding.detail
    assert "openssl rehash" in finding.remediation
    assert not openssl_trusts(pem_of(G2), tmp_path, "-CApath", store)
    subprocess.run(["openssl", "rehash", store], check=True)
    assert statuses(judge_directory(store, roots=[G2])) == {G2: "present"}
    assert openssl_trusts(pem_of(G2), tmp_path, "-CApath", store)


@pytest.mark.parametrize(
    ("names", "status"),
    [
        (["{hash}.0"], "present"),
        (["{hash}.1"], "not_effective"),
        (["00000000.0"], "not_effective"),
        (["{hash}.0", "00000000.0"], "present"),
        (["{hash}.00"], "not_effective"),
        (["{hash}.r0"], "not_effective"),
        (["{HASH}.0"], "not_effective"),
    ],
)
def test_file_names_decide_as_they_do_for_openssl(tmp_path, names, status):
    digest = subject_hash(read_certificate(pem_to_der(pem_of(G2))).subject)
    store = tmp_path / "store"
    store.mkdir()
    for name in names:
        (store / name.format(hash=digest, HASH=digest.upper())).write_text(pem_of(G2), encoding="ascii")
    assert statuses(judge_directory(store, roots=[G2])) == {G2: status}
    assert openssl_trusts(pem_of(G2), tmp_path, "-CApath", store) is (status == "present")


def test_a_higher_number_counts_behind_a_look_alike_or_a_stranger(tmp_path):
    digest = subject_hash(read_certificate(pem_to_der(pem_of(G2))).subject)
    alike = Authority(borrowed(G2))
    for first in (alike.certificate(identifier=alike.key), pem_of("globalsign-r6")):
        store = tmp_path / str(len(list(tmp_path.iterdir())))
        store.mkdir()
        (store / f"{digest}.0").write_text(first, encoding="ascii")
        (store / f"{digest}.1").write_text(pem_of(G2), encoding="ascii")
        assert statuses(judge_directory(store, roots=[G2])) == {G2: "present"}
        assert openssl_trusts(pem_of(G2), tmp_path, "-CApath", store)
