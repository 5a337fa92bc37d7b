# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What all tests share: markers by folder, the order of the folders, and how a part says that it cannot run here."""

from __future__ import annotations

import os
import shutil
import typing as t
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import hypothesis
import pytest

# The same examples at every run of CI, so that a red one means a change; and none fails for being slow on a busy machine.
hypothesis.settings.register_profile("ci", derandomize=True, deadline=None)
hypothesis.settings.register_profile("local", deadline=None)
hypothesis.settings.load_profile("ci" if os.environ.get("CI", "").lower() in ("true", "1") else "local")

T = t.TypeVar("T")
ROOT = Path(__file__).resolve().parent.parent
TESTS = ROOT / "tests"

#: Folders in the order they run in: what is quick and says most comes first. Each has the marker named here.
FOLDERS = {
    "unit": None,
    "vectors": None,
    "integration": "integration",
    "gates": "gate",
    "fuzz": "fuzz",
    "lab": "lab",
    "molecule": "molecule",
    "browser": "browser",
}


def require(condition: object, part: str, reason: str) -> None:
    """Leave this test out where the machine cannot run it, by name and with the reason; fail instead under CI=true.

    Args:
        condition: what must be true for the test to run.
        part: the part of the test suite that is missing then, such as "lab" or "gate ansible-lint".
        reason: what this machine lacks.
    """
    if condition:
        return
    message = f"{part} cannot run on this machine: {reason}"
    if os.environ.get("CI", "").lower() in ("true", "1"):
        pytest.fail(message, pytrace=False)
    pytest.skip(message)


def require_programs(part: str, *programs: str) -> None:
    """`require` for programs on PATH, the administrator's directories included."""
    path = os.pathsep.join([os.environ.get("PATH", ""), "/usr/local/sbin", "/usr/sbin", "/sbin"])
    missing = [program for program in programs if shutil.which(program, path=path) is None]
    require(not missing, part, f"no {', no '.join(missing)} on PATH (packages: tools/apt-packages.txt)")


def require_root(part: str) -> None:
    """`require` for root, which network namespaces need."""
    require(os.geteuid() == 0, part, "it needs root")


_BACKGROUND = pytest.StashKey[ThreadPoolExecutor]()


def in_background(config: pytest.Config, work: Callable[..., T], *arguments: object) -> Future[T]:
    """Begin slow work before the tests that need it are reached: there is a second core. One piece after the other."""
    if _BACKGROUND not in config.stash:
        config.stash[_BACKGROUND] = ThreadPoolExecutor(max_workers=1)
    return config.stash[_BACKGROUND].submit(work, *arguments)


def pytest_sessionfinish(session: pytest.Session) -> None:
    pool = session.config.stash.get(_BACKGROUND, None)
    if pool is not None:
        pool.shutdown(cancel_futures=True)


def _folder(item: pytest.Item) -> str:
    parts = item.path.relative_to(TESTS).parts
    return parts[0] if len(parts) > 1 else ""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark tests by their folder, and run the folders in the order of FOLDERS."""
    order = list(FOLDERS)
    for item in items:
        marker = FOLDERS.get(_folder(item))
        if marker:
            item.add_marker(marker)
    items.sort(key=lambda item: order.index(_folder(item)) if _folder(item) in order else len(order))
