# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The collection as Galaxy, the documentation site and execution environments will see it."""

from __future__ import annotations

import re
import tarfile
from pathlib import Path

import pytest
import yaml

from tests.gates.support import check, copy_sources, environment, tools


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh clone, so to speak, where a collection lives."""
    folder = tmp_path_factory.mktemp("package") / "ansible_collections" / "mailops" / "tls"
    copy_sources(folder)
    return folder


@pytest.fixture(scope="module")
def tarball(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    lint = tools("lint", "gate build")
    target = tmp_path_factory.mktemp("tarball")
    check([lint / "ansible-galaxy", "collection", "build", "--output-path", target], cwd=checkout, env=environment(lint))
    return next(target.glob("mailops-tls-*.tar.gz"))


def test_tarball_holds_the_collection_and_no_more(tarball: Path) -> None:
    with tarfile.open(tarball) as archive:
        names = archive.getnames()
    assert {"plugins/modules/probe.py", "meta/runtime.yml", "LICENSE", "README.md", "playbooks/readiness.yml"} <= set(names)
    strangers = [name for name in names if re.match(r"\.|reports|tests|tools", name)]
    assert strangers == []
    assert tarball.stat().st_size < 1_000_000


def test_galaxy_importer(tarball: Path, tmp_path: Path) -> None:
    """Galaxy's own checks. It warns in its log and still exits 0, so the log counts too."""
    lint = tools("lint", "gate galaxy-importer")
    env = environment(lint, HOME=str(tmp_path))
    output = check([lint / "python", "-m", "galaxy_importer.main", tarball], cwd=tmp_path, env=env)
    problems = [line for line in output.splitlines() if re.match(r"(WARNING|ERROR|CRITICAL)", line)]
    assert problems == [], output
    assert "Importer processing completed successfully" in output


def test_antsibull_docs(checkout: Path) -> None:
    lint = tools("lint", "gate antsibull-docs")
    command: list[str | Path] = [lint / "antsibull-docs", "lint-collection-docs", "--plugin-docs", "--skip-rstcheck", "."]
    check(command, cwd=checkout, env=environment(lint))


def test_antsibull_changelog(checkout: Path) -> None:
    lint = tools("lint", "gate antsibull-changelog")
    check([lint / "antsibull-changelog", "lint"], cwd=checkout, env=environment(lint))
    check([lint / "antsibull-changelog", "lint-changelog-yaml", "changelogs/changelog.yaml"], cwd=checkout, env=environment(lint))


def test_execution_environment(checkout: Path, tarball: Path, tmp_path: Path) -> None:
    """An execution environment with this collection knows what to install. The image itself needs a container engine."""
    lint = tools("lint", "gate ansible-builder")
    env = environment(lint)
    found = check([lint / "ansible-builder", "introspect", checkout.parents[2]], cwd=tmp_path, env=env)
    assert "dnspython" in found and "cryptography" in found and "openssh-client" in found

    collection = {"name": str(tarball), "type": "file"}
    definition = {
        "version": 3,
        "images": {"base_image": {"name": "python:3.13"}},
        "dependencies": {
            "galaxy": {"collections": [collection]},
            "ansible_core": {"package_pip": "ansible-core>=2.16"},
            "ansible_runner": {"package_pip": "ansible-runner"},
        },
    }
    (tmp_path / "execution-environment.yml").write_text(yaml.safe_dump(definition), encoding="utf-8")
    check([lint / "ansible-builder", "create", "-f", "execution-environment.yml", "-c", "context"], cwd=tmp_path, env=env)
    assert (tmp_path / "context" / "Containerfile").exists() or (tmp_path / "context" / "Dockerfile").exists()
