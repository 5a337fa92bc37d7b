# Copyright (c) 2026, mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Prepare everything under .cache/ that the make targets need, with nothing but the standard library.

    tools/prepare run          the virtual environment of `make readiness`
    tools/prepare venv lint    any others of VENVS; `venv` is the one of the tests
    tools/prepare apt          Debian packages of tools/apt-packages.txt, when root on Debian

Each virtual environment has a stamp that names its inputs; as long as they are unchanged nothing is done and no network
is needed. Runs that overlap wait for each other. Quiet when all went well; exit status 2 with the reason otherwise.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TOOLS = ROOT / "tools"
CACHE = ROOT / ".cache"
COLLECTION = CACHE / "collections" / "ansible_collections" / "mailops" / "tls"
#: Parts of the checkout that make up the installed collection. One link to the whole checkout would contain itself.
COLLECTION_PARTS = ("galaxy.yml", "meta", "playbooks", "plugins", "roles", "tests")
OLDEST = (3, 10)


class PreparationError(Exception):
    """Something is missing that the user has to see to; the text says what."""


@dataclass(frozen=True)
class Venv:
    """One virtual environment: what is installed, and the Python versions it can be made with, best first."""

    requirements: tuple[str, ...]
    pythons: tuple[str, ...] = ()  # empty: the interpreter that runs this file
    any_other: bool = True  # when none of `pythons` is here: use the running interpreter instead

    def text(self) -> str:
        """All requirements with included files written out, so that a change anywhere changes the stamp."""
        return "\n".join(_requirement_lines(self.requirements))

    def arguments(self) -> list[str]:
        """The arguments of `pip install`."""
        out: list[str] = []
        for item in self.requirements:
            out += ["-r", str(TOOLS / item)] if item.endswith(".txt") else [item]
        return out


#: The tools agree on no single set of dependencies, so there are several environments. ansible-core has a newest
#: version for each Python: 2.19 for 3.11, 2.21 for 3.12 and later.
VENVS = {
    "run": Venv(("requirements-run.txt",)),
    "venv": Venv(("requirements-test.txt",)),
    "lint": Venv(("requirements-lint.txt",), ("3.13", "3.12", "3.11")),
    "molecule": Venv(("requirements-molecule.txt",), ("3.13", "3.12", "3.11")),
    "fuzz": Venv(("requirements-fuzz.txt",), ("3.13", "3.12", "3.11"), any_other=False),
    "benchmark": Venv(("requirements-benchmark.txt",)),
    "sanity-2.16": Venv(("ansible-core>=2.16,<2.17",), ("3.11", "3.12", "3.10"), any_other=False),
    "sanity-py311": Venv(("ansible-core>=2.19,<2.20",), ("3.11",), any_other=False),
    "sanity-py313": Venv(("ansible-core>=2.21",), ("3.13", "3.14", "3.12"), any_other=False),
}


def _requirement_lines(items: Sequence[str]) -> Iterator[str]:
    for item in items:
        if not item.endswith(".txt"):
            yield item
            continue
        for line in (TOOLS / item).read_text(encoding="utf-8").splitlines():
            text = line.split(" #")[0].strip()
            if text.startswith("-r "):
                yield from _requirement_lines([text[3:].strip()])
            elif text and not text.startswith("#"):
                yield text


# --- interpreters ---


def _version_of(python: str | Path) -> tuple[str, str] | None:
    """('3.11', real path) of an interpreter, or None when it does not run, as an inactive shim does not."""
    code = "import sys; print('%d.%d' % sys.version_info[:2]); print(getattr(sys, '_base_executable', None) or sys.executable)"
    try:
        done = subprocess.run([str(python), "-c", code], capture_output=True, text=True, timeout=20, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    version, path = done.stdout.splitlines()[:2]
    return version, os.path.realpath(path)


def find_python(version: str) -> Path | None:
    """The real path of an interpreter such as '3.11': this one, one on PATH, or one that pyenv installed."""
    candidates: list[Path] = []
    for folder in os.environ.get("PATH", "").split(os.pathsep):
        candidates.append(Path(folder) / f"python{version}")
    pyenv = Path(os.environ.get("PYENV_ROOT", "~/.pyenv")).expanduser() / "versions"
    candidates += sorted(pyenv.glob(f"{version}.*/bin/python{version}"), reverse=True)
    if sys.version_info[:2] == tuple(int(part) for part in version.split(".")):
        candidates.insert(0, Path(getattr(sys, "_base_executable", None) or sys.executable))
    usable = []
    for candidate in candidates:
        if os.access(candidate, os.X_OK):
            found = _version_of(candidate)
            if found and found[0] == version:
                usable.append(Path(found[1]))
    # Debian's python3 without python3-venv runs, but cannot make an environment: take it last.
    usable.sort(key=lambda path: not _has_ensurepip(path))
    return usable[0] if usable else None


def _has_ensurepip(python: Path) -> bool:
    return subprocess.run([str(python), "-c", "import ensurepip, venv"], capture_output=True, check=False).returncode == 0


def interpreter_for(venv: Venv) -> Path:
    """The interpreter to make this environment with."""
    running = Path(getattr(sys, "_base_executable", None) or sys.executable)
    for version in venv.pythons:
        found = find_python(version)
        if found:
            return found
    if venv.pythons and not venv.any_other:
        raise PreparationError(f"needs one of Python {', '.join(venv.pythons)}, and none of them runs on this machine")
    if sys.version_info[:2] < OLDEST:
        raise PreparationError(f"needs Python {OLDEST[0]}.{OLDEST[1]} or newer, and {running} is older")
    return running


# --- virtual environments ---


@contextlib.contextmanager
def _locked(name: str) -> Iterator[None]:
    CACHE.mkdir(exist_ok=True)
    with (CACHE / f".{name}.lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _run_quietly(what: str, command: Sequence[str], **kwargs: object) -> None:
    done = subprocess.run(  # type: ignore[call-overload]
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", check=False, **kwargs
    )
    if done.returncode:
        tail = "\n".join("  " + line for line in done.stdout.strip().splitlines()[-15:])
        raise PreparationError(f"{what} failed with exit status {done.returncode}:\n{tail}")


def _make_venv(python: Path, folder: Path) -> None:
    if not _has_ensurepip(python):
        version = _version_of(python)
        package = f"python{version[0]}-venv" if version and str(python).startswith("/usr/bin/") else "python3-venv"
        if not on_debian_as_root():
            raise PreparationError(
                f"{python} cannot make virtual environments: its modules venv and ensurepip are missing.\n"
                f"  On Debian and Ubuntu: apt-get install {package}. Or name another interpreter: PYTHON=/path/to/python3"
            )
        install_packages([package])
    _run_quietly(f"making the virtual environment {folder}", [str(python), "-m", "venv", "--clear", str(folder)])


def ensure(name: str) -> Path:
    """Make or update one environment of VENVS; returns its folder. Nothing happens while its inputs are unchanged."""
    venv, folder = VENVS[name], CACHE / name
    stamp = folder / "stamp.json"
    inputs = {"requirements": hashlib.sha256(venv.text().encode()).hexdigest(), "folder": str(folder)}
    asked_for = os.environ.get("PYTHON") if not venv.pythons else None
    with _locked(name):
        known: dict[str, str] = {}
        with contextlib.suppress(OSError, ValueError):
            known = json.loads(stamp.read_text(encoding="utf-8"))
        running = _version_of(folder / "bin" / "python") if (folder / "bin" / "python").exists() else None
        wanted = _version_of(asked_for) if asked_for else None
        same_python = running is not None and (wanted is None or wanted == running)
        if same_python and {key: known.get(key) for key in inputs} == inputs:
            return folder
        print(f"Preparing {folder.relative_to(ROOT)}: {', '.join(_requirement_lines(venv.requirements))}", file=sys.stderr)
        if not same_python or known.get("folder") != str(folder):  # scripts in an environment name its folder
            _make_venv(interpreter_for(venv), folder)
        pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--upgrade"]
        _run_quietly(f"installing into {folder.relative_to(ROOT)}", [*pip, *venv.arguments()])
        stamp.write_text(json.dumps(inputs) + "\n", encoding="utf-8")
    return folder


# --- the collection's import path ---


def link_collection() -> None:
    """Make .cache/collections hold the checkout as ansible_collections/mailops/tls, by links, whatever its folder is called."""
    with _locked("collections"):
        COLLECTION.mkdir(parents=True, exist_ok=True)
        present = {path.name for path in COLLECTION.iterdir()}
        for name in sorted(present - set(COLLECTION_PARTS)):
            stale = COLLECTION / name
            if stale.is_symlink():
                stale.unlink()
        for name in COLLECTION_PARTS:
            link, target = COLLECTION / name, os.path.relpath(ROOT / name, COLLECTION)
            if not (link.is_symlink() and str(link.readlink()) == target):
                link.unlink(missing_ok=True)
                link.symlink_to(target)


# --- Debian packages ---


def on_debian_as_root() -> bool:
    """Whether packages can be installed here."""
    return os.geteuid() == 0 and Path("/etc/debian_version").exists() and shutil.which("apt-get") is not None


def missing_packages() -> list[str]:
    """Packages of tools/apt-packages.txt that are not installed; all of them where dpkg does not exist."""
    lines = (TOOLS / "apt-packages.txt").read_text(encoding="utf-8").splitlines()
    wanted = [text for text in (line.split("#")[0].strip() for line in lines) if text]
    if shutil.which("dpkg-query") is None:
        return wanted
    query = ["dpkg-query", "--show", "--showformat", "${Package} ${db:Status-Abbrev}\n", *wanted]
    done = subprocess.run(query, capture_output=True, text=True, check=False)
    installed = {line.split()[0] for line in done.stdout.splitlines() if line.split()[1:] == ["ii"]}
    return [name for name in wanted if name not in installed]


@contextlib.contextmanager
def _no_daemons_start() -> Iterator[None]:
    """Keep packages from starting their daemons while they are installed: the tests run their own, in namespaces.

    invoke-rc.d and deb-systemd-invoke ask /usr/sbin/policy-rc.d; 101 means "not allowed". A policy that the machine has
    already is left alone, and ours is taken away again.
    """
    policy = Path("/usr/sbin/policy-rc.d")
    try:
        with policy.open("x") as handle:
            handle.write("#!/bin/sh\nexit 101\n")
    except FileExistsError:
        yield
        return
    try:
        policy.chmod(0o755)
        yield
    finally:
        policy.unlink(missing_ok=True)


def install_packages(names: Sequence[str]) -> None:
    """apt-get install, all at once, or one by one when a release lacks some of them."""
    print(f"Installing Debian packages: {' '.join(names)}", file=sys.stderr)
    env = dict(os.environ, DEBIAN_FRONTEND="noninteractive", NEEDRESTART_MODE="a")
    apt = ["apt-get", "-q", "-y", "-o", "DPkg::Lock::Timeout=120"]
    install = [*apt, "install", "--no-install-recommends"]
    subprocess.run([*apt, "update"], env=env, capture_output=True, check=False)  # may be offline with a filled cache
    if "postfix" in names:
        # Without an answer the package would configure a mail server of this machine's name.
        answer = "postfix postfix/main_mailer_type select No configuration\n"
        subprocess.run(["debconf-set-selections"], input=answer, text=True, env=env, capture_output=True, check=False)
    with _no_daemons_start():
        try:
            _run_quietly("apt-get install", [*install, *names], env=env)
            return
        except PreparationError:
            if len(names) == 1:
                raise
        failed = []
        for name in names:
            try:
                _run_quietly("apt-get install", [*install, name], env=env)
            except PreparationError as exc:
                failed.append(f"{name}: {exc}")
    if failed:
        raise PreparationError("some Debian packages could not be installed:\n" + "\n".join(failed))


def apt() -> None:
    """Install what is missing where that is possible. Elsewhere the tests that need it say so by name."""
    missing = missing_packages()
    if missing and on_debian_as_root():
        with _locked("apt"):
            missing = missing_packages()
            if missing:
                install_packages(missing)


def main(arguments: Sequence[str]) -> int:
    """Do what each argument names, in order."""
    unknown = [name for name in arguments if name not in VENVS and name != "apt"]
    if unknown or not arguments:
        print(f"prepare: give one or more of: apt {' '.join(VENVS)}", file=sys.stderr)
        return 2
    try:
        link_collection()
        for name in arguments:
            if name == "apt":
                apt()
            else:
                ensure(name)
    except PreparationError as exc:
        print(f"prepare: {name}: {exc}", file=sys.stderr)
        return 2
    except OSError as exc:
        print(f"prepare: {exc}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
