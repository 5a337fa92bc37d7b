# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Is every fault of the lab really there? Seen with other people's tools: curl, openssl, getent, ssh."""

from __future__ import annotations

import concurrent.futures
import os
import pathlib
import subprocess

import pytest

from tests.lab import hosts, machines, pki, plan
from tests.lab.lifecycle import Lab

# curl(1), "EXIT CODES": 0 done, 6 not resolved, 7 not connected, 28 time-out, 56 failure in receiving.
CURL = "curl --silent --show-error --max-time 2 --output /tmp/body --write-out '%{http_code}' "
REFUSED, UNREACHABLE, TIMED_OUT = "Connection refused", "Network is unreachable", "timed out"

EVERY_HOST = [host.name for host in hosts.all_hosts() if host.sshd]
FETCHES = [
    ("open", 0, "200"),
    ("dead-ipv6", 0, "200"),
    ("proxy-only", 0, "200"),
    ("portal", 0, "200"),
    ("dropped", 28, "000"),
    ("rejected", 7, "000"),
    ("reset", 7, "000"),
    ("reset-midway", 56, "000"),
    ("unreachable-net", 7, "000"),
    ("no-resolver", 28, "000"),
]


def connect(lab: Lab, host: str, address: str, port: int = 80) -> str:
    """What the host's own system call says to a connection: its error text, or nothing when it was made."""
    script = f"timeout 2 bash -c 'exec 3<>/dev/tcp/{address}/{port}' 2>&1; [ $? -ne 124 ] || echo timed out"
    return lab.run(host, script).stdout


@pytest.mark.parametrize("name", EVERY_HOST)
def test_hosts_are_reached_by_ssh_as_themselves(lab: Lab, name: str) -> None:
    seen = lab.run(name, "hostname; id -un")
    assert seen.stdout.split() == [name, lab.hosts()[name].user], seen.stderr


@pytest.mark.parametrize(("name", "exit_status", "http_status"), FETCHES)
def test_curl_sees_the_fault(lab: Lab, name: str, exit_status: int, http_status: str) -> None:
    seen = lab.run(name, CURL + pki.CRL_ROOT)
    assert (seen.returncode, seen.stdout) == (exit_status, http_status), seen.stderr


@pytest.mark.parametrize("address", [plan.CRL.v4, plan.CRL.v6], ids=["ipv4", "ipv6"])
@pytest.mark.parametrize(
    ("name", "message"),
    [("dropped", TIMED_OUT), ("rejected", REFUSED), ("reset", REFUSED), ("unreachable-net", UNREACHABLE), ("reset-midway", "")],
)
def test_the_system_call_fails_as_behind_a_real_firewall(lab: Lab, name: str, address: str, message: str) -> None:
    seen = connect(lab, name, address)
    assert message in seen if message else not seen


def test_a_reset_in_mid_session_is_seen_as_such(lab: Lab) -> None:
    assert "Connection reset by peer" in lab.run("reset-midway", CURL + pki.CRL_ROOT).stderr


def test_dead_ipv6_is_dropped_in_ipv6_only(lab: Lab) -> None:
    assert TIMED_OUT in connect(lab, "dead-ipv6", plan.CRL.v6)
    assert connect(lab, "dead-ipv6", plan.CRL.v4) == ""


def test_faults_concern_the_ca_only(lab: Lab) -> None:
    for name in ("dropped", "rejected", "reset", "unreachable-net", "portal"):
        assert connect(lab, name, plan.WEB.v4, 443) == "", name


@pytest.mark.parametrize("family", ["-4", "-6"])
def test_the_portal_answers_everything_with_its_page_under_a_false_type(lab: Lab, family: str) -> None:
    script = f"{CURL.replace('http_code', 'content_type')} {family} {pki.CRL_ROOT}; cat /tmp/body"
    seen = lab.run("portal", script).stdout
    assert seen.startswith("application/pkix-crl") and "Guest network" in seen
    assert "Guest network" in lab.run("portal", f"curl -s {family} --data x {pki.OCSP_ROOT}").stdout


def test_proxy_only_has_no_other_way_out(lab: Lab) -> None:
    direct = lab.run("proxy-only", CURL + "--noproxy '*' " + pki.CRL_ROOT)
    assert direct.returncode == 7, direct.stderr
    assert "http_proxy=http://proxy.lab.test:3128" in lab.run("proxy-only", "env").stdout


def test_the_other_port_of_the_proxy_wants_a_password(lab: Lab) -> None:
    proxy = f"proxy.{plan.ZONE}:{plan.PROXY_AUTH_PORT}"
    login = f"--proxy-user {plan.PROXY_USER}:{plan.PROXY_PASSWORD}"
    assert lab.run("open", f"{CURL} --proxy {proxy} {pki.CRL_ROOT}").stdout == "407"
    assert lab.run("open", f"{CURL} --proxy {proxy} --proxy-user {plan.PROXY_USER}:wrong {pki.CRL_ROOT}").stdout == "407"
    assert lab.run("open", f"{CURL} --proxy {proxy} {login} {pki.CRL_ROOT}").stdout == "200"


def test_the_resolver_knows_the_lab_and_nothing_else(lab: Lab) -> None:
    assert plan.CRL.v4 in lab.run("open", f"getent ahostsv4 crl.{plan.ZONE}").stdout
    assert plan.CRL.v6 in lab.run("open", f"getent ahostsv6 crl.{plan.ZONE}").stdout
    assert lab.run("open", "getent hosts crl3.digicert.com").returncode == 2  # getent(1): not found
    assert lab.run("no-resolver", f"timeout 2 getent hosts crl.{plan.ZONE}").returncode == 124  # no answer at all


def test_crls_verify_with_openssl(lab: Lab) -> None:
    for url, issuer in ((pki.CRL_ROOT, "root"), (pki.CRL_INTERMEDIATE, "intermediate")):
        body = subprocess.run(lab.ssh_command("open", f"curl -s {url}"), capture_output=True, timeout=20, check=True).stdout
        command = ["openssl", "crl", "-inform", "DER", "-noout", "-CAfile", str(lab.ca / f"{issuer}.pem")]
        seen = subprocess.run(command, input=body, capture_output=True, timeout=20, check=False)
        assert b"verify OK" in seen.stderr, seen


def ocsp(lab: Lab, issuer: str, certificate: str, address: str) -> str:
    """The answer of a responder to openssl, verified against the lab's root."""
    command = ["openssl", "ocsp", "-issuer", lab.ca / f"{issuer}.pem", "-cert", lab.ca / f"{certificate}.pem"]
    command += ["-url", f"http://{address}/", "-CAfile", lab.ca / "root.pem", "-verify_other", lab.ca / "intermediate.pem"]
    seen = subprocess.run(
        lab.inside_command("controller", *map(str, command)), capture_output=True, text=True, timeout=20, check=False
    )
    return seen.stdout + seen.stderr


@pytest.mark.parametrize(
    ("issuer", "certificate", "place", "status"),
    [
        ("root", "intermediate", plan.OCSP, "good"),
        ("intermediate", "leaf", plan.OCSP_INTERMEDIATE, "good"),
        ("intermediate", "revoked_leaf", plan.OCSP_INTERMEDIATE, "revoked"),
        ("root", "root", plan.OCSP, "unknown"),
    ],
)
def test_ocsp_responders_answer_openssl(lab: Lab, issuer: str, certificate: str, place: plan.Address, status: str) -> None:
    seen = ocsp(lab, issuer, certificate, place.v4)
    assert f"{certificate}.pem: {status}" in seen and "Response verify OK" in seen


def test_the_responder_serves_many_at_once(lab: Lab) -> None:
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: ocsp(lab, "root", "intermediate", plan.OCSP.v4), range(24)))
    assert all("intermediate.pem: good" in answer for answer in answers)


@pytest.mark.parametrize(("name", "code"), [("open", "0 (ok)"), ("no-root", "20 ("), ("twin-root", "20 (")])
def test_openssl_trusts_the_lab_where_the_root_is_there(lab: Lab, name: str, code: str) -> None:
    """20: no issuer. The twin has the issuer's name, but not the key that the intermediate's key identifier names."""
    target = f"-connect {pki.LEAF_NAME}:443 -servername {pki.LEAF_NAME} -CAfile {machines.SYSTEM_STORE}"
    seen = lab.run(name, f"openssl s_client {target} </dev/null 2>&1 | grep 'Verify return code'").stdout
    assert f"Verify return code: {code}" in seen


def test_the_twin_differs_in_its_key_only(lab: Lab) -> None:
    def show(name: str, what: str) -> str:
        command = ["openssl", "x509", "-noout", what, "-in", str(lab.ca / f"{name}.pem")]
        return subprocess.run(command, capture_output=True, text=True, timeout=20, check=True).stdout

    assert show("root", "-subject_hash") == show("twin", "-subject_hash")
    assert show("root", "-pubkey") != show("twin", "-pubkey")


def test_the_private_store_is_for_root_only(lab: Lab) -> None:
    seen = lab.run("unreadable-store", f"cat {hosts.PRIVATE_STORE}")
    assert seen.returncode == 1 and "Permission denied" in seen.stderr
    assert "BEGIN CERTIFICATE" in lab.run("open", f"cat {hosts.PRIVATE_STORE}").stdout


def test_no_python_has_none(lab: Lab) -> None:
    assert lab.run("no-python", "command -v python3 python; ls /usr/bin/python3").returncode == 2
    assert lab.run("open", "/usr/bin/python3 --version").returncode == 0


def test_down_refuses_at_once(lab: Lab) -> None:
    seen = lab.run("down", "true", timeout=5)
    assert seen.returncode == 255 and REFUSED in seen.stderr


@pytest.mark.parametrize("name", [host.name for host in hosts.interpreter_hosts()])
def test_other_interpreters_run_on_their_host(lab: Lab, name: str) -> None:
    version = f"3.{name.removeprefix('py3')}"
    assert f"Python {version}." in lab.run(name, f"{lab.hosts()[name].python} --version").stdout


def test_what_a_host_writes_stays_on_it(lab: Lab) -> None:
    mark = f"/etc/mtls-lab-test-{os.getpid()}"
    assert lab.run("open", f"echo x > {mark} && cat {mark}").stdout == "x\n"
    assert not pathlib.Path(mark).exists()
    assert lab.run("dropped", f"cat {mark}").returncode == 1
    lab.run("open", f"rm {mark}")
