# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How much was fuzzed, at the end of pytest's output."""

from __future__ import annotations

import pytest

EXECUTIONS = pytest.StashKey[dict[str, int]]()


@pytest.fixture
def executions(request):
    """{target: inputs run}"""
    return request.config.stash.setdefault(EXECUTIONS, {})


def pytest_terminal_summary(terminalreporter, config):
    done = config.stash.get(EXECUTIONS, {})
    if done:
        terminalreporter.write_line("fuzz: " + ", ".join(f"{name} {count} executions" for name, count in sorted(done.items())))
