# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Roots of other Debian releases as managed hosts: their own Python, OpenSSL and tools, over an overlay in memory.

debootstrap builds each root once below .cache/roots, from the mirror that this machine's own apt uses. A host is a mount
namespace with an overlay on such a root; Ansible reaches it by an interpreter that enters the namespace. Nothing that is
written there reaches the root or the machine.
"""

from __future__ import annotations

import concurrent.futures
import contextlib
import dataclasses
import fcntl
import hashlib
import os
import pathlib
import shutil
import subprocess
import typing as t

from tests.conftest import require, require_programs, require_root
from tests.lab.preflight import search_path
from tools import prepare

RELEASES: t.Final = {"bullseye": "11", "bookworm": "12", "trixie": "13"}
PACKAGES: t.Final = ("python3", "openssl", "ca-certificates", "p11-kit")
CACHE: t.Final = prepare.CACHE / "roots"
PART: t.Final = "hosts on roots of other Debian releases"
# Ready is said when the root is mounted; the namespace lives as long as the process.
_HOLD: t.Final = """\
set -eu
mount -t tmpfs mtls-root "$2"
mkdir "$2/upper" "$2/work" "$2/merged"
mount -t overlay -o "lowerdir=$1,upperdir=$2/upper,workdir=$2/work" mtls-root "$2/merged"
mount -t proc proc "$2/merged/proc"
mount --bind /dev "$2/merged/dev"
mkdir -p "$2/merged/$3"
mount --bind "$3" "$2/merged/$3"
echo ready
exec sleep infinity
"""


@dataclasses.dataclass(frozen=True)
class RootHost:
    """A host on a root. `interpreter` is what Ansible is to call for its Python; `shared` is a folder that both see."""

    pid: int
    root: pathlib.Path
    interpreter: pathlib.Path
    shared: pathlib.Path

    def command(self, *words: object) -> list[str]:
        """The command that runs `words` inside."""
        return enter(self.pid, self.root, *words)

    def run(self, *words: object, check: bool = True, **more: t.Any) -> subprocess.CompletedProcess[str]:
        """Run a program inside."""
        return subprocess.run(self.command(*words), check=check, capture_output=True, text=True, timeout=120, **more)

    def write(self, path: str, text: str | bytes) -> None:
        """Write a file inside, with the directories above it."""
        script = 'mkdir -p "$(dirname "$1")" && cat >"$1"'
        data = text.encode() if isinstance(text, str) else text
        subprocess.run(self.command("sh", "-c", script, "sh", path), input=data, check=True, capture_output=True, timeout=60)


def enter(pid: int, root: pathlib.Path, *words: object) -> list[str]:
    """The command that runs `words` in the mount namespace of a process, with its root and a plain environment."""
    plain = ("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/", "LC_ALL=C.UTF-8")
    start = ["nsenter", "--mount", f"--target={pid}", "--", "chroot", str(root), "env", "-i", *plain]
    return [*start, *map(str, words)]


def require_roots() -> None:
    """Leave the test out, by name and with the reason, where no such host can exist."""
    require_root(PART)
    require_programs(PART, "debootstrap", "unshare", "nsenter", "apt-get")
    require(mirror(), PART, "apt names no source of this machine's own Debian release")


def mirror() -> str:
    """The address of the archive that apt uses for this machine's own release; empty where there is none."""
    release = pathlib.Path("/etc/os-release")
    lines = release.read_text(encoding="utf-8").splitlines() if release.exists() else []
    codename = next((line.partition("=")[2].strip('"') for line in lines if line.startswith("VERSION_CODENAME=")), None)
    listed = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(REPO_URI) $(CODENAME) $(COMPONENT)"],
        capture_output=True,
        text=True,
        check=False,
    )
    rows = [line.split() for line in listed.stdout.splitlines()]
    return next((row[0] for row in rows if row[1:] == [codename, "main"]), "")


def build_all() -> dict[str, pathlib.Path]:
    """Release to its root. Those that are missing are built side by side: most of the time is waiting."""
    with concurrent.futures.ThreadPoolExecutor(len(RELEASES)) as pool:
        return dict(zip(RELEASES, pool.map(_build, RELEASES), strict=True))


def _build(release: str) -> pathlib.Path:
    CACHE.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256(" ".join(PACKAGES).encode()).hexdigest()[:8]
    done = CACHE / f"{release}-{digest}"
    with (CACHE / f"{release}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if done.is_dir():
            return done
        for old in CACHE.glob(f"{release}-*"):
            shutil.rmtree(old)
        building = CACHE / f"{release}-{digest}.new"
        command = ["debootstrap", "--variant=minbase", f"--include={','.join(PACKAGES)}", release, str(building), mirror()]
        built = subprocess.run(
            command,
            env={**os.environ, "PATH": search_path()},
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        assert built.returncode == 0, f"debootstrap {release}: {built.stdout[-2000:]}{built.stderr[-1000:]}"
        for packages in (building / "var/cache/apt/archives").glob("*.deb"):
            packages.unlink()
        building.rename(done)
    return done


@contextlib.contextmanager
def host(root: pathlib.Path, folder: pathlib.Path) -> t.Iterator[RootHost]:
    """A host on this root as long as the context lasts. folder: empty, for its mounts and for what is shared with it."""
    mounts, shared = folder / "mounts", folder / "shared"
    mounts.mkdir(parents=True)
    shared.mkdir()
    command = ["unshare", "--mount", "--propagation", "private", "sh", "-c", _HOLD, "sh", root, mounts, shared]
    with subprocess.Popen([str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout and process.stderr
            if process.stdout.readline() != "ready\n":
                require(False, PART, f"no overlay: {process.stderr.read()}")
            interpreter = folder / "python"
            words = " ".join(enter(process.pid, mounts / "merged", "/usr/bin/python3"))
            interpreter.write_text(f'#!/bin/sh\nexec {words} "$@"\n', encoding="ascii")
            interpreter.chmod(0o755)
            yield RootHost(process.pid, mounts / "merged", interpreter, shared)
        finally:
            process.kill()
