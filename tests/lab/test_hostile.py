# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Servers and proxies that mean harm, many at a time: memory and time stay bounded, and no credential gets out."""

from __future__ import annotations

import base64
import collections
import dataclasses
import json
import pathlib
import typing as t

import pytest

from tests.lab import causes, plan, plays
from tests.lab.lifecycle import Lab

MIB_IN_KIB = 1024
DEADLINE_S, TIMEOUT_S = 8.0, 4.0
# How often each is asked for at the same time.
HOSTILE = {
    "body-huge": 4,
    "body-slow": 4,
    "http-endless-headers": 8,
    "http-slow-headers": 4,
    "http-gzip-bomb": 6,
    "http-odd-headers": 4,
    "redirect-circle": 2,
    "redirect-endless": 4,
    "redirect-file": 1,
    "redirect-loopback": 1,
    "redirect-link-local": 1,
    "redirect-crlf": 1,
}
ENDLESS = {"body-endless": 12, "body-huge-chunk": 6}
# Bodies that are large and yet within every limit, so that they do reach the controller: all 12 MiB of one run.
LARGE = (6 * 1024**2,) * 2
PASSWORD = "hidden-9f2c61d7"  # noqa: S105 - of a proxy that says back whatever it is told


@pytest.fixture(scope="module")
def python(lab: Lab) -> str:
    """The measuring interpreter of the host `causes`."""
    return plays.measuring_interpreter(lab, "causes")


def ask(lab: Lab, directory: pathlib.Path, python: str, endpoints: list[t.Any], **options: t.Any) -> plays.Play:
    """One check on the host `causes`, between two readings of the clock."""
    clock = {"ansible.builtin.debug": {"msg": "{{ now().timestamp() }}"}}
    check = {"profiles": [str(lab.profile)], "endpoints": endpoints, "timeout": TIMEOUT_S, "deadline": DEADLINE_S} | options
    tasks = [
        {"name": "Before", **clock, "register": "before"},
        {"name": "Check", "mailops.tls.ca_egress_info": check, "register": "seen"},
        {"name": "After", **clock, "register": "after"},
    ]
    lab.run("causes", f"rm -f {plays.LOG}")
    directory.mkdir(exist_ok=True)
    host = {"lab_host": "causes", "ansible_python_interpreter": python}
    play = plays.run_play(lab, directory, {"causes": host}, tasks)
    assert play.code == 0, play.output
    return play


def many(names: dict[str, int], family: causes.Family) -> list[dict[str, t.Any]]:
    """The endpoints of cases, each as often as told, under names of their own."""
    cases = {case.name: case for case in causes.CASES}
    return [
        {**cases[name].endpoint(family), "url": cases[name].url(family).replace("http://", f"http://n{number}.", 1)}
        for name, count in names.items()
        for number in range(count)
    ]


@dataclasses.dataclass(frozen=True)
class Baseline:
    """Where nothing is wrong: what the probe took, and the controller's peak memory in KiB."""

    host: plays.Measured
    controller: int


@pytest.fixture(scope="module")
def baseline(lab: Lab, tmp_path_factory: pytest.TempPathFactory, python: str) -> Baseline:
    """The same check where nothing is wrong."""
    play = ask(lab, tmp_path_factory.mktemp("quiet"), python, many({"ok-crl": 1}, "ipv4"))
    return Baseline(plays.measured(lab, "causes")[0], play.peak_kib)


@pytest.mark.parametrize("family", causes.FAMILIES)
def test_memory_and_time_are_bounded(
    lab: Lab, tmp_path: pathlib.Path, python: str, family: causes.Family, baseline: Baseline
) -> None:
    play = ask(lab, tmp_path, python, many({**HOSTILE, **ENDLESS, "ok-crl": 20}, family))
    probe = plays.measured(lab, "causes")[0]
    endpoints = play.registered["causes"]["seen"]["endpoints"]
    told = collections.Counter((item["host"].split(".")[1], item["cause"]) for item in endpoints if item["host"].startswith("n"))
    # Of the endless bodies some are too large, and some meet the bound for all of them together.
    unbounded = [told.pop((name, cause), 0) for name in ENDLESS for cause in ("too_large", "not_observed")]
    assert sum(unbounded) == sum(ENDLESS.values())
    expected = {case.name: case.cause for case in causes.CASES}
    assert told == {(name, expected[name]): count for name, count in {**HOSTILE, "ok-crl": 20}.items()}
    print(baseline, probe, f"controller {play.peak_kib}")
    assert probe.peak_kib - baseline.host.peak_kib < 64 * MIB_IN_KIB
    assert play.peak_kib - baseline.controller < 64 * MIB_IN_KIB
    # Starting the interpreter takes its time whatever the deadline: how much, the baseline tells.
    assert DEADLINE_S < probe.seconds < DEADLINE_S + 1 + baseline.host.seconds
    slow = [item["elapsed_ms"] for item in endpoints if item["cause"] == "deadline_exceeded"]
    assert slow and max(slow) < (DEADLINE_S + 1) * 1000


def test_large_bodies_within_the_limits_are_bounded_too(
    lab: Lab, tmp_path: pathlib.Path, python: str, baseline: Baseline
) -> None:
    large = [f"http://large.{plan.ZONE}/{number}.crl?{size}" for number, size in enumerate(LARGE)]
    play = ask(lab, tmp_path, python, large, profiles=[])
    probe = plays.measured(lab, "causes")[0]
    causes_seen = {item["url"]: item["cause"] for item in play.registered["causes"]["seen"]["endpoints"]}
    assert [causes_seen[url] for url in large] == ["not_a_crl"] * len(large)
    print(baseline, probe, f"controller {play.peak_kib}")
    assert probe.peak_kib - baseline.host.peak_kib < 64 * MIB_IN_KIB
    # The controller holds what the host returned several times over while it decodes it.
    assert play.peak_kib - baseline.controller < 128 * MIB_IN_KIB


def test_nothing_hostile_reaches_the_terminal(lab: Lab, tmp_path: pathlib.Path, python: str) -> None:
    play = ask(lab, tmp_path, python, many({"http-odd-headers": 1, "redirect-crlf": 1}, "ipv4"))
    text = json.dumps(play.registered, ensure_ascii=False) + play.output
    assert "\x1b" not in text and "\x07" not in text and "\x00" not in text
    http = next(item["http"] for item in play.registered["causes"]["seen"]["endpoints"] if "odd-headers" in item["url"])
    assert http["server"] == "lab Injected: yes"  # one line, as a client must read it


@pytest.mark.parametrize("place", ["environment", "options", "url"])
def test_no_credential_gets_out(lab: Lab, tmp_path: pathlib.Path, place: str) -> None:
    proxy, login = f"echo.{plan.ZONE}:80", f"mailops:{PASSWORD}"
    endpoints: list[t.Any] = [f"http://echo.{plan.ZONE}/{name}.crl" for name in ("served", "denied")]
    endpoints += [f"https://www.{plan.ZONE}/a.crl", {"kind": "ocsp", "url": f"http://echo.{plan.ZONE}/"}]
    options: dict[str, t.Any] = {"profiles": [str(lab.profile)], "endpoints": endpoints, "server": f"www.{plan.ZONE}:443"}
    task: dict[str, t.Any] = {"name": "Check", "mailops.tls.ca_egress_info": options, "register": "seen"}
    if place == "environment":
        task["environment"] = {"http_proxy": f"http://{login}@{proxy}", "https_proxy": f"http://{login}@{proxy}"}
        # What a playbook writes into its environment Ansible itself shows at -vvv; a host's own settings it does not.
        host = {"lab_host": "causes", "ansible_python_interpreter": _with_environment(lab, task.pop("environment"))}
    else:
        host = {"lab_host": "causes"}
        options |= {"proxy": f"http://{proxy}", "proxy_username": "mailops", "proxy_password": PASSWORD}
    if place == "url":
        options |= {"proxy": f"http://{login}@{proxy}"}
        del options["proxy_username"], options["proxy_password"]
    tasks = [task, {"name": "Gate", "mailops.tls.assert_findings": {"findings": "{{ seen.findings }}", "fail_on": ["never"]}}]
    play = plays.run_play(lab, tmp_path, {"causes": host}, tasks, arguments=["-vvv"])
    assert play.code == 0, play.output
    seen = play.registered["causes"]["seen"]
    assert {item["proxy"]["authorization"] for item in seen["endpoints"]} == {True}, "no credentials were sent at all"
    assert {item["cause"] for item in seen["endpoints"]} >= {"proxy_denied", "not_a_crl", "not_an_ocsp_response"}
    pair = base64.b64encode(login.encode()).decode()
    for secret in (PASSWORD, pair):
        assert secret not in json.dumps(seen)
        assert secret not in play.output


def _with_environment(lab: Lab, surroundings: dict[str, str]) -> str:
    """An interpreter on the host that has these variables, as from its /etc/environment."""
    path = "/usr/local/bin/mtls-python-behind-proxy"
    exports = "".join(f"export {name}='{value}'\n" for name, value in surroundings.items())
    done = lab.run("causes", f"cat > {path} <<'END'\n#!/bin/sh\n{exports}exec /usr/bin/python3 \"$@\"\nEND\nchmod 755 {path}")
    assert done.returncode == 0, done.stderr
    return path


@pytest.mark.parametrize("family", causes.FAMILIES)
def test_two_hundred_endpoints_half_of_them_dropped(lab: Lab, tmp_path: pathlib.Path, python: str, family: causes.Family) -> None:
    """All at once: one time-out for all that are dropped, and 2 s for everything else."""
    timeout_s = 5.0
    play = ask(lab, tmp_path, python, many({"ok-crl": 100, "tcp-drop": 100}, family), timeout=timeout_s, deadline=20.0)
    registered = play.registered["causes"]
    told = collections.Counter(endpoint["cause"] for endpoint in registered["seen"]["endpoints"])
    assert told == {"ok": 100 + 4, "tcp_timeout": 100}  # 4: the profile's own
    probe = plays.measured(lab, "causes")[0]
    task = float(registered["after"]["msg"]) - float(registered["before"]["msg"])
    print(f"probe {probe}, task {task:.2f} s")
    assert timeout_s < probe.seconds < timeout_s + 2
