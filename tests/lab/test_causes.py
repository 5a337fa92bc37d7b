# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every cause of the contract, provoked by real servers and firewalls, and seen by ca_egress_info as what it is.

On each way there one task asks for all cases of causes.py at once, so that a fault that changed the verdict on another
endpoint would show.
"""

from __future__ import annotations

import collections
import dataclasses
import datetime as dt
import json
import pathlib
import typing as t

import pytest
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.egress.wording import BY_CAUSE

from tests.conftest import ROOT, require
from tests.lab import cause_content, causes, hosts, plan, plays
from tests.lab.causes import CASES, Family
from tests.lab.lifecycle import Lab

DEADLINE_S, TIMEOUT_S, MAX_BYTES = 10.0, 5.0, 1048576
AUTHORIZED = {"proxy_username": plan.PROXY_USER, "proxy_password": plan.PROXY_PASSWORD}
LDAP = "ldap://ldap.lab.test/cn=root?certificateRevocationList"
OLD_ANSIBLE = ROOT / ".cache" / "sanity-2.16" / "bin" / "ansible-playbook"


@dataclasses.dataclass(frozen=True)
class Way:
    """A way to the endpoints: from which host, to addresses of which family, through a proxy or not."""

    name: str
    host: str
    family: Family
    proxy: str = "none"

    @property
    def proxied(self) -> bool:
        return self.proxy != "none"

    def variables(self) -> plays.Vars:
        options: plays.Vars = {"proxy": self.proxy, "address_family": self.family, **(AUTHORIZED if self.proxied else {})}
        return {"lab_host": self.host, "family": self.family, "options": options}


WAYS = (
    Way("direct-ipv4", "causes", "ipv4"),
    Way("direct-ipv6", "causes", "ipv6"),
    # The proxy is asked over the same family as it has to use itself.
    Way("proxied-ipv4", "causes", "ipv4", f"http://{plan.PROXY.v4}:{plan.PROXY_AUTH_PORT}"),
    Way("proxied-ipv6", "causes", "ipv6", f"http://[{plan.PROXY.v6}]:{plan.PROXY_AUTH_PORT}"),
)
NEW_PYTHON = Way("python-3.13", "py313", "ipv6")
# ansible-core 2.16 is the last that manages hosts with Python 3.6.
OLD_PYTHON = Way("python-3.6", "py36", "ipv4")


def require_host(name: str) -> None:
    """Leave the test out where the machine lacks the interpreter of this host of the lab."""
    found = {host.name for host in hosts.interpreter_hosts()}
    require(name in found, "lab", f"no interpreter for the host {name} (pyenv install 3.{name.removeprefix('py3')})")


def run_ways(lab: Lab, directory: pathlib.Path, ways: t.Sequence[Way], ansible: pathlib.Path | None = None) -> plays.Play:
    """One task on every way, for every case at once."""
    now = dt.datetime.now(dt.timezone.utc)
    variables: plays.Vars = {
        "every_case": {family: [case.endpoint(family) for case in CASES] for family in causes.FAMILIES},
        "ldap_only": cause_content.certificate_with_ldap_only(lab.ca, now),
    }
    fixed = {"timeout": TIMEOUT_S, "deadline": DEADLINE_S, "max_bytes": MAX_BYTES, "profiles": [str(lab.profile)]}
    task = {
        "name": "Ask for every case",
        "mailops.tls.ca_egress_info": {**fixed, "endpoints": "{{ every_case[family] }}", "certificate": "{{ ldap_only }}"}
        | {name: f"{{{{ options.{name} | default(omit) }}}}" for name in ("proxy", "address_family", *AUTHORIZED)},
        "register": "seen",
    }
    return plays.run_play(lab, directory, {way.name: way.variables() | variables for way in ways}, [task], ansible=ansible)


@pytest.fixture(scope="module")
def play(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> plays.Play:
    """All ways in one play, with the ansible-core of the tests."""
    ways = [*WAYS, *([NEW_PYTHON] if any(host.name == "py313" for host in hosts.interpreter_hosts()) else [])]
    return run_ways(lab, tmp_path_factory.mktemp("causes"), ways)


def check(play: plays.Play, way: Way) -> None:
    """Every case has the cause that it must have, and the finding that goes with it; nothing else was found."""
    assert play.code == 0, play.output
    seen = play.registered[way.name]["seen"]
    found = {endpoint["url"] or f"{endpoint['host']}:{endpoint['port']}": endpoint for endpoint in seen["endpoints"]}
    wanted = {case.url(way.family): case.expected(way.proxied) for case in CASES} | controls()
    wrong = {
        url: (found[url]["cause"], found[url]["detail"], f"expected {cause}")
        for url, cause in wanted.items()
        if found[url]["cause"] != cause
    }
    assert not wrong, json.dumps(wrong, indent=1)
    assert found.keys() == wanted.keys()
    statuses = {case.url(way.family): case.status for case in CASES if case.status}
    expected = collections.Counter(
        (BY_CAUSE[cause].id, statuses.get(url) or BY_CAUSE[cause].status, url) for url, cause in wanted.items()
    )
    said = collections.Counter((item["id"], item["status"], item["subject"]["name"]) for item in seen["findings"])
    # Nothing else is said: with all these faults about, the clock is still judged right.
    assert said == expected + collections.Counter([("egress.clock.ok", "pass", way.name)])


def controls() -> dict[str, str]:
    """The endpoints of the profile, which nothing is wrong with, and the one that no host can fetch."""
    names = ("crl", "crl", "ocsp", "ca")
    paths = ("root.crl", "intermediate.crl", "", "intermediate.crt")
    return {f"http://{name}.{plan.ZONE}/{path}": "ok" for name, path in zip(names, paths, strict=True)} | {LDAP: "not_observed"}


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)
def test_every_cause_is_told_from_every_other(play: plays.Play, way: Way) -> None:
    check(play, way)


def test_every_cause_with_python_313_on_the_host(play: plays.Play) -> None:
    require_host("py313")
    check(play, NEW_PYTHON)


def test_every_cause_with_python_36_on_the_host(lab: Lab, tmp_path: pathlib.Path) -> None:
    require_host("py36")
    require(OLD_ANSIBLE.exists(), "lab with Python 3.6", "no ansible-core 2.16 (tools/prepare sanity-2.16)")
    play = run_ways(lab, tmp_path, [OLD_PYTHON], ansible=OLD_ANSIBLE)
    check(play, OLD_PYTHON)


def test_a_dead_ipv6_beside_a_live_ipv4_is_a_warning_with_its_cost(lab: Lab, tmp_path: pathlib.Path) -> None:
    options = {"profiles": [str(lab.profile)], "address_family": "both", "each_address": True, "timeout": 2.0}
    task = {"name": "Ask", "mailops.tls.ca_egress_info": options, "register": "seen"}
    play = plays.run_play(lab, tmp_path, {"dead-ipv6": {"lab_host": "dead-ipv6"}}, [task])
    seen = play.registered["dead-ipv6"]["seen"]
    assert {item["cause"] for item in seen["endpoints"]} == {"ok"}, play.output
    partial = {item["subject"]["name"]: item for item in seen["findings"] if item["id"] == "egress.address.partial"}
    assert partial.keys() == {item["url"] for item in seen["endpoints"]}
    assert all(item["status"] == "warn" and 2000 <= item["evidence"]["cost_ms"] < 3000 for item in partial.values())
    assert {rule["address"] for rule in seen["firewall_rules"]} == {plan.CRL.v6, plan.OCSP.v6, plan.CA_ISSUERS.v6}


def test_every_cause_of_the_contract_is_provoked() -> None:
    """Those that a way rules out are explained in causes.py, and nothing else is missing."""
    direct = {case.cause for case in CASES} | {"not_observed"}
    proxied = {case.proxied for case in CASES} | {"not_observed"}
    broken = {cause for proxy in broken_proxies() for cause in (proxy.plain, proxy.tunnel)}
    assert direct | causes.IMPOSSIBLE_DIRECT.keys() == BY_CAUSE.keys()
    assert proxied | causes.IMPOSSIBLE_PROXIED.keys() == BY_CAUSE.keys()
    assert not direct & causes.IMPOSSIBLE_DIRECT.keys() and not proxied & causes.IMPOSSIBLE_PROXIED.keys()
    assert direct | proxied | broken == BY_CAUSE.keys()
    assert all(case.because for case in CASES if case.cause != case.proxied)


@dataclasses.dataclass(frozen=True)
class BrokenProxy:
    """A proxy of the host's environment that nothing gets through, and the cause for http and for https (by CONNECT)."""

    name: str
    place: str
    plain: str
    tunnel: str
    login: str = ""
    scheme: str = "http"

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self.login}{self.place}"


def broken_proxies() -> tuple[BrokenProxy, ...]:
    """Every way a proxy can fail for all endpoints alike, over both families."""
    place, login = f"proxy.{plan.ZONE}:{plan.PROXY_AUTH_PORT}", f"{plan.PROXY_USER}:{plan.PROXY_PASSWORD}@"
    unreachable, refused, silent = "proxy_unreachable", "proxy_auth_required", "proxy_error"
    found = [
        BrokenProxy("no-login", place, refused, refused),
        BrokenProxy("wrong-login", place, refused, refused, f"{plan.PROXY_USER}:wrong-password@"),
        BrokenProxy("no-name", f"nowhere.{plan.ZONE}:3128", unreachable, unreachable, login),
        BrokenProxy("socks", place, "not_observed", "not_observed", scheme="socks5"),
    ]
    for family in causes.FAMILIES:
        places = {case.name: case.host(family) for case in CASES}
        found += [
            BrokenProxy(f"closed-{family}", f"{places['tcp-closed']}:81", unreachable, unreachable, login),
            BrokenProxy(f"dropped-{family}", f"{places['tcp-drop']}:80", unreachable, unreachable, login),
            BrokenProxy(f"no-route-{family}", f"{places['tcp-no-route']}:80", unreachable, unreachable, login),
            BrokenProxy(f"silent-{family}", f"{places['http-silent']}:80", silent, silent, login),
            BrokenProxy(f"no-proxy-{family}", f"{places['http-smtp']}:80", silent, silent, login),
            BrokenProxy(f"resets-{family}", f"{places['tcp-reset']}:80", silent, silent, login),
        ]
    return tuple(found)


@pytest.fixture(scope="module")
def broken(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> plays.Play:
    """All broken proxies in one play, each in the environment of a host of its own."""
    cases = {case.name: case for case in CASES}
    exempt = ",".join(cases["ok-aia"].host(family) for family in causes.FAMILIES)
    endpoints = [cases[name].endpoint(family) for name in ("ok-crl", "ok-https", "ok-aia") for family in causes.FAMILIES]
    options = {"profiles": [str(lab.profile)], "timeout": 2.0, "endpoints": endpoints}
    task = {"name": "Ask", "mailops.tls.ca_egress_info": options, "environment": "{{ surroundings }}", "register": "seen"}
    ways = {
        proxy.name: {
            "lab_host": "causes",
            "surroundings": {"http_proxy": proxy.url, "https_proxy": proxy.url, "no_proxy": exempt},
        }
        for proxy in broken_proxies()
    }
    return plays.run_play(lab, tmp_path_factory.mktemp("proxies"), ways, [task])


@pytest.mark.parametrize("proxy", broken_proxies(), ids=lambda proxy: proxy.name)
def test_a_broken_proxy_is_told_and_what_needs_none_is_not_touched(broken: plays.Play, proxy: BrokenProxy) -> None:
    assert broken.code == 0, broken.output
    seen = broken.registered[proxy.name]["seen"]
    expected = {"ok-crl": proxy.plain, "ok-https": proxy.tunnel, "ok-aia": "ok"}
    found = [(endpoint, endpoint["host"].split(".")[0]) for endpoint in seen["endpoints"]]
    wrong = [endpoint for endpoint, case in found if endpoint["cause"] != expected.get(case, proxy.plain)]
    assert not wrong, json.dumps(wrong, indent=1)
    # The one thing to ask the firewall team for is the way to the proxy.
    destinations = {(rule["destination"], rule["port"]) for rule in seen["firewall_rules"]}
    host, _colon, port = proxy.place.rpartition(":")
    blocked = proxy.plain == "proxy_unreachable" and proxy.name != "no-name"  # no firewall mends a name
    assert destinations == ({(host, int(port))} if blocked else set())
    assert "lab-only" not in json.dumps(seen) and "wrong-password" not in json.dumps(seen)
