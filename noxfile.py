# Copyright (c) 2026, mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Sessions for those who are used to nox. Each is the make target of the same name, so there is one truth: the Makefile."""

from __future__ import annotations

import shlex

import nox

nox.options.sessions = ["lint", "typing", "unit"]
nox.options.default_venv_backend = "none"  # tools/prepare makes the environments, and keeps them while nothing changes

TARGETS = ("lint", "typing", "unit", "gates", "sanity", "integration", "lab", "molecule", "docs", "build", "test")


def _add(target: str) -> None:
    @nox.session(name=target)
    def session(session: nox.Session) -> None:
        session.run("make", target, f"ARGS={shlex.join(session.posargs)}", external=True)


for _target in TARGETS:
    _add(_target)
