# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""smtp_tls_info against real mail servers with every fault, beside posttls-finger, and no mail in any queue afterwards."""

from __future__ import annotations

import collections.abc
import concurrent.futures
import re
import typing as t

import pytest

from tests.conftest import require_programs
from tests.lab.fixtures import require_lab
from tests.lab.smtp import plan
from tests.lab.smtp.world import PROGRAMS, MailWorld

Result = dict[str, t.Any]
#: Requirement -> the levels of Postfix that ask for the same.
LEVELS = {"none": ("may",), "encrypt": ("encrypt",), "verify": ("verify", "secure"), "dane": ("dane",)}
VERIFIED_WITHOUT_REVOCATION = {("smtp.chain.trusted", "pass"), ("smtp.name.match", "pass"), ("smtp.policy.met", "pass")}
TIMES = {"timeout": 4, "deadline": 60}


@pytest.fixture(scope="module")
def world() -> collections.abc.Iterator[MailWorld]:
    require_lab()
    require_programs("lab", *PROGRAMS)
    with MailWorld() as up:
        yield up


@pytest.fixture(scope="module")
def fingers(world: MailWorld) -> dict[tuple[str, str], str]:
    """What posttls-finger says of every server at every level, by (name of the case, level)."""

    def ask(case: plan.Case, level: str) -> str:
        return world.finger(level, f"[{case.host}]:{case.port}", *(["-w"] if case.port == 465 else []))

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        pairs = [(case, level) for case in plan.CASES for levels in LEVELS.values() for level in levels]
        futures = {(case.name, level): pool.submit(ask, case, level) for case, level in pairs}
        return {key: future.result() for key, future in futures.items()}


@pytest.fixture(scope="module")
def results(world: MailWorld) -> dict[str, Result]:
    """All servers at once, by requirement, and each domain by its name."""
    hosts = [{"host": case.host, "port": case.port} for case in plan.CASES]
    stores = [{"type": "pem_file", "path": str(world.root)}]
    common = {"profiles": [], "stores": stores, "check_plaintext": True, **TIMES}
    tasks: list[Result] = [
        {"mailops.tls.smtp_tls_info": {"hosts": hosts, "require": require, **common}, "register": f"require_{require}"}
        for require in LEVELS
    ]
    tasks += [
        {
            "mailops.tls.smtp_tls_info": {"domain": domain.domain, "require": "verify", **common},
            "register": f"domain_{domain.name}",
        }
        for domain in plan.DOMAINS
    ]
    tasks += [
        {
            "mailops.tls.smtp_tls_info": {"domain": domain.domain, "require": "dane", **common, "check_revocation": False},
            "register": f"dane_{domain.name}",
        }
        for domain in plan.DOMAINS
    ]
    literals = [f"[{address}]:25" for case in plan.CASES if case.certificate == "literal" for address in case.addresses]
    refused = {"client_certificate": str(world.state / "ca" / "wrong-ca.chain.pem"), "check_revocation": False}
    demanding = [plan.BY_NAME[name].host for name in ("demands-in-tls12", "demands-in-tls13", "demands-certificate")]
    tasks += [
        {
            "mailops.tls.smtp_tls_info": {"hosts": [*literals, plan.BY_NAME["good"].address], "require": "verify", **common},
            "register": "literals",
        },
        {
            "mailops.tls.smtp_tls_info": {"hosts": demanding, "require": "verify", **common, **refused},
            "register": "stranger",
        },
    ]
    policy = {"require": "verify", "stores": stores, "check_plaintext": False}
    declared = {"mail_domains": [plan.DOMAINS[0].domain], "mail_hosts": [plan.BY_NAME["wrong-ca"].host], "mail_policy": policy}
    tasks += [
        {"mailops.tls.readiness_info": {"profiles": [], **declared, **TIMES}, "register": "readiness"},
        {
            "mailops.tls.partner_sheet": {
                "variable": "require_verify",
                "domains": ["example.com"],
                "directory": str(world.state / "sheet"),
            },
            "register": "sheet",
        },
    ]
    registered = world.play(tasks)["mailhost"]
    for name, result in registered.items():
        assert not result.get("failed"), (name, result.get("msg"))
    return registered


def about(result: Result, host: str) -> set[tuple[str, str]]:
    """The findings of a host, as (id, status)."""
    return {(item["id"], item["status"]) for item in result["findings"] if re.split(r"[\[:]", item["subject"]["name"])[0] == host}


@pytest.mark.parametrize("case", plan.CASES, ids=lambda case: case.name)
def test_the_named_finding(results: dict[str, Result], case: plan.Case) -> None:
    found = about(results["require_verify"], case.host)
    assert case.expected <= found
    assert not case.forbidden & {name for name, _status in found}
    if case.state:
        assert {path["state"] for path in results["require_verify"]["paths"] if path["host"] == case.host} == {case.state}


@pytest.mark.parametrize("domain", plan.DOMAINS, ids=lambda domain: domain.name)
def test_the_named_finding_of_a_domain(results: dict[str, Result], domain: plan.Domain) -> None:
    found = {(item["id"], item["status"]) for item in results[f"domain_{domain.name}"]["findings"]}
    assert domain.expected <= found


def test_address_literals(results: dict[str, Result]) -> None:
    """IPv4 and IPv6, with the address in the certificate and without."""
    states = {path["address"]: (path["state"], path["name"]["field"]) for path in results["literals"]["paths"]}
    expected = {address: ("verified", "IP") for name in ("literal", "literal-six") for address in plan.BY_NAME[name].addresses}
    assert states == {**expected, plan.BY_NAME["good"].address: ("encrypted", None)}


@pytest.mark.parametrize("name", ["demands-in-tls12", "demands-in-tls13", "demands-certificate"])
def test_a_client_certificate_that_is_refused_is_no_session(results: dict[str, Result], name: str) -> None:
    """TLS 1.2 tells in the handshake, TLS 1.3 right after it, and Postfix in its answer to EHLO."""
    found = about(results["stranger"], plan.BY_NAME[name].host)
    assert {("smtp.tls.client_certificate_refused", "fail"), ("smtp.policy.not_met", "fail")} <= found
    [only] = [path for path in results["stranger"]["paths"] if path["host"] == plan.BY_NAME[name].host]
    assert (only["state"], only["policy"]["met"]) == ("opportunistic", False)


def test_no_mail_was_taken(world: MailWorld, results: dict[str, Result]) -> None:
    assert results
    assert world.queued() == []


def test_one_connection_per_address(results: dict[str, Result]) -> None:
    """Two where the ordinary handshake failed and what the server would do was looked at once more."""
    paths = results["require_verify"]["paths"]
    assert {path["connections"] for path in paths if path["host"] == plan.BY_NAME["good"].host} == {1}
    assert max(path["connections"] for path in paths) <= 2


def test_readiness_looks_at_declared_domains_and_hosts(results: dict[str, Result]) -> None:
    assert about(results["readiness"], plan.BY_NAME["good"].host) >= VERIFIED_WITHOUT_REVOCATION
    assert ("smtp.chain.untrusted", "fail") in about(results["readiness"], plan.BY_NAME["wrong-ca"].host)
    assert ("smtp.mta_sts.enforced", "pass") in about(results["readiness"], plan.DOMAINS[0].domain)


def test_the_partner_sheet_names_what_was_presented(world: MailWorld, results: dict[str, Result]) -> None:
    page = (world.state / "sheet" / "partner-sheet.md").read_text()
    presented = {path["chain"][0]["sha256"] for path in results["require_verify"]["paths"] if path["chain"]}
    assert len(presented) > 5
    assert [sha256 for sha256 in presented if sha256.upper() not in page] == []


def reached(said: str, level: str) -> bool:
    """Whether Postfix would send mail at this level, by what posttls-finger says."""
    established = " TLS connection established to " in said
    return established and (level in ("may", "encrypt") or "Verified TLS connection established to " in said)


@pytest.mark.parametrize("level", [level for levels in LEVELS.values() for level in levels])
@pytest.mark.parametrize("case", plan.CASES, ids=lambda case: case.name)
def test_agrees_with_posttls_finger(
    fingers: dict[tuple[str, str], str], results: dict[str, Result], case: plan.Case, level: str
) -> None:
    require = next(require for require, levels in LEVELS.items() if level in levels)
    said = fingers[case.name, level]
    result = results[f"require_{require}"]
    if level == "may":
        # It refuses nothing, so what can be compared is whether there was TLS with ordinary settings.
        seen = [path for path in result["paths"] if path["host"] == case.host and path["protocol"]]
        assert bool(seen) == reached(said, level), said
    elif level == "dane" and not case.tlsa:
        # Opportunistic: without records Postfix goes on without DANE, where `require: dane` is not met.
        assert ("smtp.policy.met", "pass") not in about(result, case.host)
    else:
        met = ("smtp.policy.met", "pass") in about(result, case.host)
        assert (met == reached(said, level)) is (level not in case.finger), (said, sorted(about(result, case.host)))


@pytest.mark.parametrize("level", ["verify", "secure", "dane"])
@pytest.mark.parametrize("domain", plan.DOMAINS, ids=lambda domain: domain.name)
def test_agrees_with_posttls_finger_on_a_domain(
    world: MailWorld, results: dict[str, Result], domain: plan.Domain, level: str
) -> None:
    """By the MX host that it takes first: what is `verify` here is that of Postfix, and a warning says where `secure` differs."""
    said = world.finger(level, domain.domain)
    result = results[f"{'dane' if level == 'dane' else 'domain'}_{domain.name}"]
    first = plan.BY_NAME[domain.mx[0]].host if domain.mx[0] != "." else ""
    met = ("smtp.policy.met", "pass") in about(result, first)
    if level == "dane" and "smtp.dane.not_published" in {item["id"] for item in result["findings"]}:
        assert not met
    else:
        assert (met == reached(said, level)) is (level not in domain.finger), (
            said,
            about(result, first),
        )
