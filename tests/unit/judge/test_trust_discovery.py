# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Stores that the host finds by itself: where Postfix and the environment point, and what is installed."""

from __future__ import annotations

import dataclasses
import datetime as dt
import pathlib
import subprocess
import sys
import time

import pytest
from ansible_collections.mailops.tls.plugins.module_utils._probe import engine
from ansible_collections.mailops.tls.plugins.module_utils._probe.maincf import parameters
from ansible_collections.mailops.tls.plugins.plugin_utils._findings.model import compliant
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.trust.judgement import judge_trust
from ansible_collections.mailops.tls.plugins.plugin_utils._plan.trust.checks import StoreSpec, TrustCheck, plan_trust
from ansible_collections.mailops.tls.plugins.plugin_utils._plan.trust.discovery import PLACES, plan_discovery
from ansible_collections.mailops.tls.plugins.plugin_utils._profiles.loader import select_roots
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import require_programs
from tests.unit.keystores.makers import G1, G2, java_store, pem_of

NOW = dt.datetime(2026, 11, 24, 12, tzinfo=dt.timezone.utc)


class Host:
    """A host below a directory: its system store holds G1 and G2 unless the test says otherwise."""

    def __init__(self, root: pathlib.Path) -> None:
        self.root = root
        # No program of this machine is found here, and none of its settings.
        self.environ: dict[str, str] = {"PATH": f"{root}/bin", "HOME": f"{root}/home"}
        self.everything = True
        # Those of this machine, whatever the test has made.
        self.interpreters = False
        self.system = self.write("system.pem", pem_of(G1) + pem_of(G2))

    def write(self, name: str, text: str) -> pathlib.Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def checks(self) -> tuple[TrustCheck, ...]:
        (check,) = plan_trust((), select_roots([G1, G2]), (StoreSpec("system"),))
        return (dataclasses.replace(check, request={**check.request, "paths": [str(self.system)]}),)

    def judge(self, change=lambda _answer: None):
        discovery = plan_discovery((), select_roots([G1, G2]), everything=self.everything)
        places = [
            {"type": place["type"], "patterns": [f"{self.root}{pattern}" for pattern in place["patterns"]]}
            for place in discovery.request["places"]
        ]
        request = {**discovery.request, "places": places, "main_cf": f"{self.root}/etc/postfix/main.cf"}
        request["gitconfig"] = f"{self.root}/etc/gitconfig"
        request["interpreters"] = self.interpreters
        discovery = dataclasses.replace(discovery, request=request)
        checks = self.checks()
        observations = engine.run([*(check.request for check in checks), request], environ=self.environ)
        observations["clock"] = NOW.timestamp()
        change(observations["answers"][1])
        moment = {"host": "mx1", "now": NOW, "observed_at": "2026-11-24T12:00:00Z"}
        return judge_trust(checks, observations, discovery=discovery, **moment)


@pytest.fixture
def host(tmp_path: pathlib.Path) -> Host:
    return Host(tmp_path)


def outcomes(judgement) -> list[tuple[str, str, str]]:
    return sorted((finding.id, finding.status, finding.subject.name) for finding in judgement.findings)


def test_a_host_with_the_system_store_alone_is_judged_as_before(host):
    (check,) = host.checks()
    observations = engine.run([check.request])
    observations["clock"] = NOW.timestamp()
    before = judge_trust([check], observations, host="mx1", now=NOW, observed_at="2026-11-24T12:00:00Z")
    assert host.judge() == before
    assert compliant(before.findings) is True


def test_mail_looks_at_what_mail_software_reads_only(host):
    host.everything = False
    host.write("etc/ssl/certs/java/cacerts", "no keystore")
    host.write("usr/lib/python3/dist-packages/certifi/cacert.pem", pem_of(G2))
    host.environ["SSL_CERT_FILE"] = str(host.write("env.pem", pem_of(G2)))
    store = host.write("etc/postfix/ca.pem", pem_of(G1) + pem_of(G2))
    host.write("etc/postfix/main.cf", f"smtp_tls_CAfile = {store}\n")
    judgement = host.judge()
    assert [store["type"] for store in judgement.stores] == ["system", "pem_file"]
    assert compliant(judgement.findings) is True


def test_a_jvm_or_certifi_without_a_root_is_a_warning(host):
    require_programs("keystores of Java", "keytool")
    (host.root / "usr/lib/jvm/java-17/lib/security").mkdir(parents=True)
    cacerts = java_store(host.root / "usr/lib/jvm/java-17/lib/security/cacerts", "JKS", G1)
    (host.root / "usr/lib/jvm/default").symlink_to("java-17")  # the same JVM by another name
    certifi = host.write("usr/lib/python3/dist-packages/certifi/cacert.pem", pem_of(G2))
    judgement = host.judge()
    assert [(store["type"], store["used_by"]) for store in judgement.stores] == [
        ("system", []),
        ("java", ["Java programs"]),
        ("python", ["Python programs that use certifi"]),
    ]
    absent = [finding for finding in judgement.findings if finding.id == "trust.root.absent"]
    assert {(finding.status, finding.severity) for finding in absent} == {("warn", "low")}
    assert [store["path"] for store in judgement.stores[1:]][1] == str(certifi)
    assert pathlib.Path(judgement.stores[1]["real_path"]) == cacerts
    assert "no mail software is known to read it" in absent[0].detail
    assert compliant(judgement.findings) is True


@pytest.mark.parametrize("content", ["no keystore", ""])
def test_a_store_nobody_asked_for_that_cannot_be_read_is_a_warning(host, content):
    host.write("etc/ssl/certs/java/cacerts", content)
    judgement = host.judge()
    assert ("trust.store.unreadable", "warn", f"{host.root}/etc/ssl/certs/java/cacerts") in outcomes(judgement)
    assert compliant(judgement.findings) is True


def test_the_store_of_postfix_has_to_hold_the_roots(host):
    store = host.write("etc/postfix/ca.pem", pem_of(G1))
    host.write("etc/postfix/main.cf", "# TLS\nmyhostname = mx1\nsmtp_tls_CAfile =\n   $config_directory/ca.pem\n")
    judgement = host.judge()
    assert judgement.stores[1]["used_by"] == ["Postfix smtp_tls_CAfile"]
    assert ("trust.root.absent", "fail", f"{G2} in {store}") in outcomes(judgement)
    assert compliant(judgement.findings) is False


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("smtp_tls_CAfile = {root}/a.pem\nsmtp_tls_CApath = {root}/b", "warn"),
        ("smtp_tls_CAfile = {root}/a.pem\ntls_append_default_CA = yes", "warn"),
        ("smtp_tls_CAfile = {root}/a.pem\ntls_append_default_CA = no", "fail"),
        ("smtp_tls_CAfile = {root}/a.pem\nsmtpd_tls_CApath = {root}/b", "fail"),
        ("smtp_tls_CAfile = {root}/a.pem\nsmtpd_tls_CAfile = $smtp_tls_CAfile\nsmtp_tls_CApath = {root}/b", "fail"),
    ],
)
def test_what_postfix_reads_besides_counts_for_the_same_side(host, text, status):
    host.write("a.pem", pem_of(G1))
    host.write("b/g2.pem", pem_of(G2))
    host.write("b/g1.pem", pem_of(G1))
    subprocess.run(["openssl", "rehash", str(host.root / "b")], check=True, capture_output=True)
    host.write("etc/postfix/main.cf", text.format(root=host.root))
    assert ("trust.root.absent", status, f"{G2} in {host.root}/a.pem") in outcomes(host.judge())


@pytest.mark.parametrize(
    ("text", "warned"),
    [
        ("myhostname = mx1", True),
        ("smtpd_tls_CAfile = {root}/system.pem\nsmtp_tls_CAfile =", True),
        ("tls_append_default_CA = no", True),
        ("tls_append_default_CA = yes", False),
        ("smtp_tls_CAfile = {root}/system.pem", False),
        ("smtp_tls_CAfile = $unknown", False),
        (None, False),
    ],
)
def test_a_postfix_that_trusts_nobody_is_told(host, text, warned):
    if text is not None:
        host.write("etc/postfix/main.cf", text.format(root=host.root))
    found = [finding for finding in host.judge().findings if finding.id == "trust.postfix.no_store"]
    assert [finding.status for finding in found] == (["warn"] if warned else [])


def test_the_system_store_by_another_name_is_not_judged_twice(host):
    (host.root / "link.pem").symlink_to("system.pem")
    host.write("etc/postfix/main.cf", f"smtp_tls_CAfile = {host.root}/link.pem")
    judgement = host.judge()
    assert [store["used_by"] for store in judgement.stores] == [["Postfix smtp_tls_CAfile"]]
    assert len(judgement.findings) == 2


def test_a_store_of_postfix_that_cannot_be_read_is_unknown(host):
    host.write("etc/postfix/main.cf", f"smtp_tls_CAfile = {host.root}/missing.pem")
    judgement = host.judge()
    assert ("trust.store.not_found", "unknown", f"{host.root}/missing.pem") in outcomes(judgement)
    assert compliant(judgement.findings) is None


@pytest.mark.parametrize("value", ["${x?y}", "$unknown/ca.pem", "relative.pem", "$smtp_tls_CAfile"])
def test_a_setting_that_is_not_understood_is_told(host, value):
    host.write("etc/postfix/main.cf", f"smtp_tls_CAfile = {value}")
    judgement = host.judge()
    assert [finding.status for finding in judgement.findings if finding.id == "trust.store.discovery"] == ["unknown"]


def test_the_environment_names_stores(host):
    host.write("env.pem", pem_of(G1))
    host.environ.update(SSL_CERT_FILE=f"{host.root}/env.pem", SSL_CERT_DIR=f"{host.root}/nowhere:")
    judgement = host.judge()
    assert [store["used_by"] for store in judgement.stores] == [
        [],
        ["the environment's SSL_CERT_FILE"],
        ["the environment's SSL_CERT_DIR"],
    ]
    assert ("trust.store.not_found", "warn", f"{host.root}/nowhere") in outcomes(judgement)
    assert ("trust.root.absent", "warn", f"{G2} in {host.root}/env.pem") in outcomes(judgement)


@pytest.mark.parametrize(
    ("variable", "value", "kind"),
    [
        ("CURL_CA_BUNDLE", "{root}/g1.pem", "pem_file"),
        ("REQUESTS_CA_BUNDLE", "{root}/hashed", "pem_directory"),
        ("NODE_EXTRA_CA_CERTS", "{root}/g1.pem", "pem_file"),
        ("GIT_SSL_CAINFO", "{root}/g1.pem", "pem_file"),
        ("GIT_SSL_CAPATH", "{root}/hashed", "pem_directory"),
        ("JAVA_TOOL_OPTIONS", "-Xmx1g -Djavax.net.ssl.trustStore={root}/key.store -Dx=y", "java"),
        ("JDK_JAVA_OPTIONS", "'-Djavax.net.ssl.trustStore={root}/key.store'", "java"),
        ("_JAVA_OPTIONS", '-Djavax.net.ssl.trustStore="{root}/key.store"', "java"),
    ],
)
def test_each_variable_says_who_reads_the_store(host, variable, value, kind):
    host.write("g1.pem", pem_of(G1))
    host.write("hashed/g1.pem", pem_of(G1))
    subprocess.run(["openssl", "rehash", str(host.root / "hashed")], check=True, capture_output=True)
    host.write("key.store", "no keystore")
    host.environ[variable] = value.format(root=host.root)
    _system, found = host.judge().stores
    assert (found["type"], found["used_by"]) == (kind, [f"the environment's {variable}"])


@pytest.mark.parametrize("value", ["", "relative.pem", "-Djavax.net.ssl.trustStore=NONE", "\0", "/does/not\0exist"])
def test_values_that_name_no_store_do_no_harm(host, value):
    host.environ.update(dict.fromkeys(("SSL_CERT_DIR", "JAVA_TOOL_OPTIONS", "GIT_SSL_CAPATH"), value))
    assert [store["type"] for store in host.judge().stores] == ["system"]


@pytest.mark.parametrize(
    ("name", "text", "kind", "reader"),
    [
        ("home/.curlrc", 'silent\n--cacert = "{root}/own"\n', "pem_file", "curl cacert"),
        ("home/.curlrc", "# cacert /nothing\ncapath {root}/own\n", "pem_directory", "curl capath"),
        ("home/.config/curlrc", "cacert: {root}/own", "pem_file", "curl cacert"),
        ("etc/gitconfig", "[user]\n name = x\n[http]\n\tsslCAInfo = {root}/own ; ours\n", "pem_file", "git http.sslCAInfo"),
        ("home/.gitconfig", '[http "https://git.example"] sslcapath = "{root}/own"', "pem_directory", "git http.sslCAPath"),
        ("home/.config/git/config", "[http]\nsslCAInfo = ~/../own", "pem_file", "git http.sslCAInfo"),
    ],
)
def test_settings_of_curl_and_git_are_followed(host, name, text, kind, reader):
    if kind == "pem_directory":
        host.write("own/g1.pem", pem_of(G1))
    else:
        host.write("own", pem_of(G1))
    host.write(name, text.format(root=host.root))
    _system, found = host.judge().stores
    assert (found["type"], found["used_by"]) == (kind, [reader])


def program(host: Host, name: str, text: str = "") -> None:
    host.write(f"bin/{name}", f"#!/bin/sh\n{text}\n").chmod(0o755)


def test_programs_read_the_system_store_unless_they_are_told_otherwise(host):
    program(host, "curl")
    program(host, "git")
    assert host.judge().stores[0]["used_by"] == ["curl by default", "git by default"]
    host.write("home/.curlrc", f"cacert = {host.root}/other.pem")
    assert host.judge().stores[0]["used_by"] == ["git by default"]


def test_openssl_says_where_it_looks(host):
    host.write("ssl/certs/g1.pem", pem_of(G1))
    (host.root / "ssl/cert.pem").symlink_to("../system.pem")
    program(host, "openssl", f"echo 'OPENSSLDIR: \"{host.root}/ssl\"'")
    judgement = host.judge()
    assert [(store["type"], store["used_by"]) for store in judgement.stores] == [
        ("system", ["OpenSSL default"]),
        ("pem_directory", ["OpenSSL default"]),
    ]
    assert ("trust.root.not_effective", "warn", f"{G1} in {host.root}/ssl/certs") in outcomes(judgement)


@pytest.mark.parametrize("text", ["exit 1", "sleep 60", "echo nonsense", "yes", "echo 'OPENSSLDIR: \"relative\"'"])
def test_an_openssl_that_does_not_say_it_costs_little(host, text):
    host.environ["PATH"] += ":/usr/bin:/bin"
    program(host, "openssl", text)
    began = time.monotonic()
    assert [store["type"] for store in host.judge().stores] == ["system"]
    assert time.monotonic() - began < 15


def test_too_many_stores_are_told(host):
    for number in range(40):
        host.write(f"opt/p{number}/lib/python3.11/site-packages/certifi/cacert.pem", pem_of(G1))
    store = host.write("etc/postfix/ca.pem", pem_of(G1))
    host.write("etc/postfix/main.cf", f"smtp_tls_CAfile = {store}\n")
    judgement = host.judge()
    assert len(judgement.stores) == 33
    assert "trust.store.discovery" in {finding.id for finding in judgement.findings}
    # What mail software reads is not crowded out, so that those left out are worth a warning only.
    assert ("trust.root.absent", "fail", f"{G2} in {store}") in outcomes(judgement)
    assert {finding.status for finding in judgement.findings if finding.id == "trust.store.discovery"} == {"warn"}


@pytest.mark.parametrize(
    "prefix",
    [
        "root/.pyenv/versions/3.12.1",
        "home/anna/.local",
        "home/anna/.local/share/pipx/venvs/black",
        "root/.local/share/uv/tools/ruff",
        "opt/pipx/venvs/black",
    ],
)
def test_certifi_of_a_users_interpreters(host, prefix):
    path = host.write(f"{prefix}/lib/python3.12/site-packages/certifi/cacert.pem", pem_of(G1))
    _system, found = host.judge().stores
    assert (found["type"], found["path"]) == ("python", str(path))


def test_certifi_of_the_interpreters_on_path(host):
    """By the prefix of the program and of what it is a link to, and for the Python of the probe by what it imports."""
    host.interpreters = True
    own = [entry for entry in sys.path if entry.endswith("-packages") and pathlib.Path(entry, "certifi/cacert.pem").exists()]
    base = host.write("srv/python/deep/lib/python3.12/site-packages/certifi/cacert.pem", pem_of(G1))
    venv = host.write("srv/app/env/lib64/python3.12/dist-packages/certifi/cacert.pem", pem_of(G1))
    host.write("srv/other/env/lib/python2.7/site-packages/certifi/cacert.pem", pem_of(G1))
    (host.write("srv/python/deep/bin/python3.12", "#!/bin/sh\n")).chmod(0o755)
    (host.root / "srv/app/env/bin").mkdir()
    (host.root / "srv/app/env/bin/python3").symlink_to("../../../python/deep/bin/python3.12")
    host.write("srv/other/env/bin/python2", "")
    host.environ["PATH"] = f"{host.root}/srv/app/env/bin:{host.root}/srv/other/env/bin:{host.root}/nowhere:relative"
    found = [store["path"] for store in host.judge().stores[1:]]
    assert found == [f"{entry}/certifi/cacert.pem" for entry in own] + [str(venv), str(base)]


@pytest.mark.parametrize("kind", ["JKS", "PKCS12"])
def test_a_password_in_the_environment_stays_there_and_is_told_of(host, kind):
    require_programs("keystores of Java", "keytool")
    store = java_store(host.root / "own.store", kind, G1, G2, password="hunter2")  # noqa: S106 - of this test
    options = f"-Djavax.net.ssl.trustStore={store} -Djavax.net.ssl.trustStorePassword=hunter2"
    host.environ["JAVA_TOOL_OPTIONS"] = options
    seen = []
    judgement = host.judge(change=seen.append)
    assert "hunter2" not in repr(seen) and "hunter2" not in repr(judgement)
    found = judgement.stores[1]
    if kind == "JKS":
        assert (found["integrity"], {root["status"] for root in found["roots"]}) == ("unchecked", {"present"})
        assert "trust.store.password" not in {finding.id for finding in judgement.findings}
    else:
        assert "gives a password too" in found["error"] and "Name the store in stores" in found["error"]
    assert compliant(judgement.findings) is True


@pytest.mark.parametrize(
    "answer",
    [
        {"stores": None},
        {
            "stores": [
                None,
                3,
                {"type": "x"},
                {"type": "java"},
                {"type": "system", "path": "/x"},
                {"type": ["java"], "path": "/x"},
            ]
        },
        {"stores": [{"type": "java", "path": "/x", "used_by": 7, "data": 3}]},
        {"stores": [{"type": "pem_file", "path": "/x", "used_by": ["postfix:<script>", None, "postfix:"], "certificates": 1}]},
        {"postfix": 3, "truncated": "x", "error": 4},
        {"postfix": {"parameters": 3, "error": [], "path": None}},
        {"postfix": {"parameters": {"tls_append_default_CA": [], "smtp_tls_CAfile": {}}}},
    ],
)
def test_malformed_answers_do_no_harm(host, answer):
    judgement = host.judge(change=lambda observed: observed.update(answer))
    assert outcomes(judgement)[:1]
    assert "script" not in repr(judgement)
    assert {finding.status for finding in judgement.findings} <= {"pass", "warn", "unknown"}


# --- main.cf --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a = /x", "/x"),
        ("a=/x\na = /y", "/y"),
        ("#a = /x\n", "missing"),
        ("a = /x\n# comment\n  /y", "/x /y"),
        ("a = $b/${c}\nb = /x\nc = $(d)\nd = y", "/x/y"),
        ("a = $a", None),
        ("a = $b\nb = $a", None),
        ("a = $$b", None),
        ("a = ${b:default}", None),
        ("a =", ""),
        ("  stray\na = /x", "/x"),
    ],
)
def test_settings_of_postfix(text, value):
    assert parameters(text, "/etc/postfix", ["a"]).get("a", "missing") == value


def test_settings_that_refer_to_each_other_cost_no_more_than_a_pass():
    began = time.process_time()
    parameters("".join(f"a{number} = {f'$a{number + 1}' * 500}\n" for number in range(200)), "/", ["a0"])
    parameters("a0 = " + "$b" * 400000 + "\nb =", "/", ["a0"])
    assert time.process_time() - began < 2


@given(st.text(max_size=200))
def test_any_text_is_a_configuration(text):
    parameters("smtp_tls_CAfile = " + text, "/etc/postfix", ["smtp_tls_CAfile"])
    parameters(text, "/etc/postfix", ["smtp_tls_CAfile"])


def test_places_are_absolute_and_shallow():
    for _kind, patterns in PLACES:
        for pattern in patterns:
            assert pattern.startswith("/")
            assert "**" not in pattern
