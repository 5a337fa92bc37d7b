# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every release of certifi from 2015 to today, judged as a store and held against `openssl verify` and against known dates."""

from __future__ import annotations

import concurrent.futures
import datetime as dt
import pathlib
import subprocess

import pytest
from ansible_collections.mailops.tls.plugins.module_utils._probe import engine
from ansible_collections.mailops.tls.plugins.plugin_utils._judge.trust.judgement import judge_trust
from ansible_collections.mailops.tls.plugins.plugin_utils._plan.trust.checks import parse_stores, plan_trust
from ansible_collections.mailops.tls.plugins.plugin_utils._profiles.loader import root_catalogue, select_roots
from ansible_collections.mailops.tls.tests.conftest import require_programs
from ansible_collections.mailops.tls.tests.vectors import certifi_releases

R1, R3, BALTIMORE = "globalsign-r1", "globalsign-r3", "baltimore-cybertrust"
G1, G2 = "digicert-global-root-ca", "digicert-global-root-g2"
ROOTS = (R1, R3, BALTIMORE, G1, G2)
#: Root to the last release that holds it and the first that does not.
REMOVED = {R1: ("2025.1.31", "2025.4.26"), BALTIMORE: ("2025.1.31", "2025.4.26"), G1: ("2026.2.25", "2026.4.22")}
TABLE = certifi_releases.table()


def moments(release: str) -> list[dt.datetime]:
    """The day of the release, and today."""
    year, month, day = (int(part) for part in release.split(".")[:3])
    return [dt.datetime(year, month, day, 12, tzinfo=dt.timezone.utc), dt.datetime.now(dt.timezone.utc)]


def verdicts(path: pathlib.Path, now: dt.datetime) -> dict[str, str]:
    stores = parse_stores([{"type": "python", "path": str(path)}])
    checks = plan_trust((), select_roots(list(ROOTS)), stores)
    observations = {**engine.run([check.request for check in checks]), "clock": now.timestamp()}
    (store,) = judge_trust(checks, observations, host="mx1", now=now, observed_at="").stores
    return {root["id"]: root["status"] for root in store["roots"]}


def openssl_accepts(root_id: str, path: pathlib.Path, folder: pathlib.Path, now: dt.datetime) -> bool:
    certificate = folder / f"{root_id}.pem"
    # No purpose: a root is no server itself, and partial chains are off, so that it must be an anchor of its own.
    command = ["openssl", "verify", "-no-CApath", "-no-CAstore", "-CAfile", path, "-attime", str(int(now.timestamp()))]
    return subprocess.run([*command, certificate], capture_output=True, check=False).returncode == 0


def test_every_release_is_judged_as_openssl_judges_it(bundles, tmp_path):
    require_programs("history of certifi", "openssl")
    for root_id in ROOTS:
        (tmp_path / f"{root_id}.pem").write_text(root_catalogue()[root_id].pem, encoding="ascii")
    cases = [(release, now) for release in bundles for now in moments(release)]
    ours = {(release, now): verdicts(bundles[release], now) for release, now in cases}
    asked = [(release, now, root_id) for release, now in cases for root_id in ROOTS]
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        theirs = list(pool.map(lambda one: openssl_accepts(one[2], bundles[one[0]], tmp_path, one[1]), asked))
    for (release, now, root_id), accepted in zip(asked, theirs, strict=True):
        status = ours[release, now][root_id]
        assert (status == "present") is accepted, f"certifi {release}, {root_id} at {now}: {status}"
        assert (status == "absent") is (root_id not in TABLE[release]), f"certifi {release}, {root_id}: {status}"
    # Neither side may be right by refusing or by accepting all.
    assert {True, False} == set(theirs)
    assert {status for found in ours.values() for status in found.values()} == {"present", "absent", "expired"}


@pytest.mark.parametrize("root_id", ROOTS)
def test_when_a_root_was_there(root_id):
    holding = [release for release, roots in TABLE.items() if root_id in roots]
    releases = list(TABLE)
    last = releases.index(holding[-1])
    if root_id in REMOVED:
        assert (releases[last], releases[last + 1]) == REMOVED[root_id]
        assert holding == releases[: last + 1]
    else:
        assert holding == releases


def test_the_table_spans_the_time_that_matters():
    releases = list(TABLE)
    assert (releases[0], len(releases) >= 60) == ("2015.4.28", True)
    assert releases[-1] >= "2026.10"
