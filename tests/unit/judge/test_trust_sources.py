# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Why a root is not in the system's bundle, from files that a distribution's tool was or was not given, also hostile ones."""

from __future__ import annotations

import base64
import dataclasses
import datetime as dt
import os
import pathlib
import subprocess
import time

import pytest
from ansible_collections.mailops.tls.plugins.module_utils._probe import engine
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.trust.judgement import judge_trust
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.trust.sources import read_sources
from ansible_collections.mailops.tls.plugins.plugin_utils._plan.trust.checks import parse_stores, plan_trust
from ansible_collections.mailops.tls.plugins.plugin_utils._plan.trust.sources import PLACES, REQUEST_ID, TOOLS, plan_sources
from ansible_collections.mailops.tls.plugins.plugin_utils._profiles.certificates import pem_to_der
from ansible_collections.mailops.tls.plugins.plugin_utils._profiles.loader import select_roots

from tests.unit.keystores.makers import G1, G2, R6, digest_of, pem_of

NOW = dt.datetime(2026, 11, 24, 12, tzinfo=dt.timezone.utc)
DEBIAN, REDHAT, SUSE, ARCH = (
    "usr/local/share/ca-certificates",
    "etc/pki/ca-trust/source",
    "etc/pki/trust",
    "etc/ca-certificates/trust-source",
)


class Host:
    """A host below a directory, whose bundle holds G1 alone."""

    def __init__(self, root: pathlib.Path) -> None:
        self.root = root
        self.write("bundle.pem", pem_of(G1))

    def write(self, name: str, content: str | bytes) -> pathlib.Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def look(self, change=lambda _answer: None):
        """(what the probe told of the sources, the judgement)"""
        (check,) = plan_trust((), select_roots([G1, G2]), parse_stores([{"type": "system"}]))
        request = plan_sources([check])
        for place in request["places"]:
            place.update({key: f"{self.root}{place[key]}" for key in ("path", "base") if key in place})
        check = dataclasses.replace(check, request={**check.request, "paths": [f"{self.root}/bundle.pem"]})
        observations = engine.run([check.request, request])
        observations["clock"] = NOW.timestamp()
        answer = observations["answers"][1]
        assert answer["error"] is None
        change(answer)
        return answer, judge_trust([check], observations, host="mx1", now=NOW, observed_at="")

    def verdict(self, **more) -> tuple[str, str]:
        (store,) = self.look(**more)[1].stores
        return store["roots"][1]["status"], store["roots"][1]["detail"]


@pytest.fixture
def host(tmp_path: pathlib.Path) -> Host:
    return Host(tmp_path)


def distrusted(*options: str) -> str:
    command = ["openssl", "x509", "-trustout", *(options or ("-addreject", "serverAuth"))]
    return subprocess.run(command, input=pem_of(G2), capture_output=True, text=True, check=True).stdout


def p11_kit(attributes: str) -> str:
    """An object in the persistent form of p11-kit, behind one of another certificate."""
    return f"# comment\n[p11-kit-object-v1]\nx-distrusted: true\n{pem_of(R6)}\n[p11-kit-object-v1]\n{attributes}\n{pem_of(G2)}"


MAIL = ("-addtrust", "emailProtection")


@pytest.mark.parametrize(
    ("name", "content", "status", "words"),
    [
        (f"{DEBIAN}/g2.crt", pem_of(G2), "not_effective", "was not built anew"),
        (f"{DEBIAN}/deep/er/g2.crt", pem_of(G2), "not_effective", "was not built anew"),
        (f"{REDHAT}/anchors/g2.pem", pem_of(G2), "not_effective", "was not built anew"),
        (f"{REDHAT}/anchors/g2.der", pem_to_der(pem_of(G2)), "not_effective", "was not built anew"),
        (f"{REDHAT}/g2.pem", pem_of(G2), "not_effective", "only in the directory anchors"),
        (f"{REDHAT}/g2.pem", distrusted(), "distrusted", "takes it out"),
        (f"{REDHAT}/blocklist/g2.pem", pem_of(G2), "distrusted", "takes it out"),
        (f"{REDHAT}/blacklist/g2.der", pem_to_der(pem_of(G2)), "distrusted", "takes it out"),
        (f"{SUSE}/anchors/g2.pem", pem_of(G2), "not_effective", "was not built anew"),
        (f"{SUSE}/blocklist/g2.pem", pem_of(G2), "distrusted", "takes it out"),
        (f"{ARCH}/anchors/g2.pem", pem_of(G2), "not_effective", "was not built anew"),
        (f"{ARCH}/blocklist/g2.pem", pem_of(G2), "distrusted", "takes it out"),
        (f"{DEBIAN}/r6.crt", pem_of(R6), "absent", ""),
        (f"{REDHAT}/g2.crt", distrusted(*MAIL), "wrong_use", "trusts it for other uses only"),
        (f"{REDHAT}/anchors/g2.crt", distrusted(*MAIL), "wrong_use", "trusts it for other uses only"),
        (f"{REDHAT}/g2.p11-kit", p11_kit("x-distrusted: true"), "distrusted", "takes it out"),
        (f"{REDHAT}/g2.p11-kit", p11_kit("trusted: true\nx-distrusted: false"), "not_effective", "was not built anew"),
        (f"{REDHAT}/g2.p11-kit", p11_kit("label: x"), "not_effective", "only in the directory anchors"),
    ],
)
def test_each_layout_explains_an_absence(host, name, content, status, words):
    host.write(name, content)
    found, detail = host.verdict()
    assert found == status
    assert words in detail


def test_what_is_blocked_wins_over_what_was_added(host):
    host.write(f"{REDHAT}/anchors/g2.pem", pem_of(G2))
    host.write(f"{REDHAT}/blocklist/g2.pem", pem_of(G2))
    assert host.verdict()[0] == "distrusted"


def test_the_bundle_decides(host):
    """A root that is in it is trusted, whatever lies in the sources: the tool was not run since."""
    host.write(f"{REDHAT}/blocklist/g1.pem", pem_of(G1))
    (store,) = host.look()[1].stores
    assert store["roots"][0]["status"] == "present"


def test_a_line_of_ca_certificates_conf(host):
    host.write("usr/share/ca-certificates/mozilla/g2.crt", pem_of(G2))
    host.write("etc/ca-certificates.conf", "# comment\nmozilla/g1.crt\n!mozilla/g2.crt\n!../../secret\n!/etc/shadow\n!\n")
    status, detail = host.verdict()
    assert status == "distrusted"
    assert "deselects" in detail


def test_what_cannot_be_read_is_told_and_holds_up_nothing(host):
    anchors = host.root / DEBIAN
    host.write(f"{DEBIAN}/g2.pem", pem_of(G2))
    os.mkfifo(anchors / "fifo.crt")
    (anchors / "loop").symlink_to(anchors)
    (anchors / "self.crt").symlink_to("self.crt")
    (anchors / "gone.crt").symlink_to("nowhere")
    with (anchors / "large.crt").open("wb") as stream:
        stream.truncate(100 << 20)
    host.write(f"{DEBIAN}/noise.crt", os.urandom(5000) + b"-----BEGIN CERTIFICATE-----\n")
    began = time.monotonic()
    answer, judgement = host.look()
    assert time.monotonic() - began < 5
    assert {(pathlib.Path(item["path"]).name, item["reason"]) for item in answer["problems"]} >= {
        ("self.crt", "symlink_loop"),
        ("large.crt", "too_large"),
    }
    assert judgement.stores[0]["roots"][1]["status"] == "not_effective"


def test_the_number_of_files_is_bounded(host):
    for number in range(1100):
        host.write(f"{DEBIAN}/{number:04}.crt", "")
    host.write(f"{DEBIAN}/zzzz.crt", pem_of(G2))
    answer, judgement = host.look()
    assert (answer["found"], len(answer["problems"])) == ([], 20)
    assert judgement.stores[0]["roots"][1]["status"] == "absent"


@pytest.mark.parametrize(
    "found",
    [
        None,
        3,
        [None, 3, {}, {"der": 3}, {"der": "!"}, {"der": "AAAA", "kind": "blocked"}],
        [{"kind": "blocked", "path": "/x", "sha256": digest_of(G2), "der": "AAAA"}],
        [{"kind": ["blocked"], "path": None, "form": {}, "sha256": digest_of(G2), "der": ""}],
    ],
)
def test_answers_that_lie_are_not_believed(host, found):
    """A fingerprint is computed here: what the host claims of it proves nothing."""
    assert host.verdict(change=lambda answer: answer.update(found=found)) == ("absent", "")


def test_places_are_absolute_and_nothing_is_asked_without_roots():
    assert all(place["path"].startswith("/") and place.get("base", "/").startswith("/") for place in PLACES)
    assert plan_sources(plan_trust((), (), parse_stores([{"type": "system"}]))) is None
    assert plan_sources(plan_trust((), select_roots([G1]), parse_stores([{"type": "nss", "path": "/x"}]))) is None


CERTIFICATES, TRUST = TOOLS


@pytest.mark.parametrize(
    ("kind", "real_path", "tools", "builder"),
    [
        ("pem_directory", "/etc/ssl/certs", [CERTIFICATES], CERTIFICATES),
        ("pem_file", "/etc/ssl/certs/ca-certificates.crt", [CERTIFICATES], CERTIFICATES),
        ("pem_directory", "/etc/ssl/certs", [TRUST], TRUST),
        ("pem_directory", "/etc/pki/ca-trust/extracted/pem/directory-hash", [TRUST], TRUST),
        ("java", "/etc/pki/ca-trust/extracted/java/cacerts", [TRUST], TRUST),
        ("pem_directory", "/var/lib/ca-certificates/pem", [CERTIFICATES], CERTIFICATES),
        ("system", "/etc/ssl/certs/ca-certificates.crt", [CERTIFICATES], CERTIFICATES),
        # ca-certificates-java adds to it and keeps what others added.
        ("java", "/etc/ssl/certs/java/cacerts", [CERTIFICATES], None),
        ("pem_file", "/etc/ssl/certs/mine.pem", [CERTIFICATES], None),
        ("pem_directory", "/etc/ssl/certs", [], None),
        ("pem_directory", None, [CERTIFICATES], None),
        ("pem_directory", "/etc/ssl/certs", "everything", None),
        ("nss", "/etc/pki/ca-trust/extracted/nss", [TRUST], None),
    ],
)
def test_who_builds_a_store(kind, real_path, tools, builder):
    answer = {"id": REQUEST_ID, "error": None, "found": [], "tools": tools}
    assert read_sources({"answers": [answer]}).builder(kind, real_path) == builder


@pytest.mark.parametrize(("path", "use"), [(f"/{DEBIAN}/x.crt", "anchor"), (f"/{REDHAT}/x.crt", "distrusted")])
def test_debians_tool_does_not_know_the_words_of_p11_kit(path, use):
    der = base64.b64encode(pem_to_der(pem_of(G2))).decode()
    item = {"kind": "anchor", "path": path, "form": "p11-kit", "der": der, "distrusted": True, "trusted": True}
    (source,) = read_sources({"answers": [{"id": REQUEST_ID, "error": None, "found": [item]}]}).found
    assert (source.use, source.trusted) == (use, use == "distrusted")


def test_the_tools_of_the_host_are_told(host):
    """Those in the directories of an administrator too, which a user's PATH often lacks."""
    request = {"id": REQUEST_ID, "op": "sources", "places": [], "tools": ["mine", "nobody-has-this"]}
    tool = host.write("bin/mine", "#!/bin/sh\n")
    tool.chmod(0o755)
    (answer,) = engine.run([request], environ={"PATH": str(tool.parent)})["answers"]
    assert (answer["tools"], answer["error"]) == (["mine"], None)


@pytest.mark.parametrize(
    ("store", "asked"),
    [
        ({"type": "system"}, True),
        ({"type": "pem_directory", "path": "/etc/ssl/certs"}, True),
        ({"type": "java", "path": "/etc/pki/java/cacerts"}, True),
        ({"type": "pem_file", "path": "/etc/postfix/ca.pem"}, False),
        ({"type": "nss", "path": "/etc/pki/nssdb"}, False),
    ],
)
def test_sources_are_looked_at_where_a_store_may_be_built_from_them(store, asked):
    assert (plan_sources(plan_trust((), select_roots([G1]), parse_stores([store]))) is not None) == asked
