# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The releases of certifi are fetched while other tests run."""

from __future__ import annotations

import pathlib
from concurrent.futures import Future

import pytest

from tests.conftest import in_background
from tests.vectors import certifi_releases

_BUNDLES = pytest.StashKey[Future[dict[str, pathlib.Path]]]()


def pytest_collection_finish(session: pytest.Session) -> None:
    """Begin where some selected test will ask for them."""
    asked = any("bundles" in getattr(item, "fixturenames", ()) for item in session.items)
    if asked and not session.config.option.collectonly:
        releases = list(certifi_releases.table())
        session.config.stash[_BUNDLES] = in_background(session.config, certifi_releases.bundles, releases)


@pytest.fixture(scope="session")
def bundles(request: pytest.FixtureRequest) -> dict[str, pathlib.Path]:
    """Release to its cacert.pem."""
    return request.config.stash[_BUNDLES].result()
