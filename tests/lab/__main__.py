# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Command line of the lab: python -m tests.lab up|down|status|exec."""

from __future__ import annotations

import argparse
import os
import sys
import time
import typing as t

from tests.lab import lifecycle
from tests.lab.preflight import LabUnavailableError


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.lab", description="A network of managed mail hosts in namespaces.")
    commands = parser.add_subparsers(dest="command", required=True)
    start = commands.add_parser("up", help="bring the lab up; a lab that is up like that already is kept")
    start.add_argument("--fleet", type=int, default=0, metavar="N", help="N identical healthy hosts besides (fleet01, ...)")
    commands.add_parser("down", help="take it down and remove every trace")
    commands.add_parser("status", help="say what is up; exit status 3 when nothing is")
    run = commands.add_parser("exec", help="run a command on a managed host, or in the network of `controller` or `services`")
    run.add_argument("place", metavar="HOST")
    run.add_argument("words", nargs=argparse.REMAINDER, metavar="COMMAND")
    return parser


def _describe(lab: lifecycle.Lab) -> str:
    names = " ".join(lab.hosts())
    return f"lab up in {lab.state}\nhosts: {names}\ninventory: {lab.inventory}\nprofile: {lab.profile}"


def _execute(lab: lifecycle.Lab, place: str, words: list[str]) -> t.NoReturn:
    words = words[1:] if words[:1] == ["--"] else words
    if place in ("controller", "services"):
        command = lab.inside_command(t.cast(lifecycle.Place, place), *(words or ["sh"]))
    elif place in lab.hosts():
        command = lab.ssh_command(place, *words)
    else:
        raise lifecycle.LabError(f"no host {place} in the lab; there are: controller services {' '.join(lab.hosts())}")
    sys.stdout.flush()
    os.execvp(command[0], command)  # noqa: S606 - the command is the user's own wish


def main() -> int:
    """Returns the exit status."""
    args = _parser().parse_args()
    try:
        if args.command == "up":
            started = time.monotonic()
            print(_describe(lifecycle.up(fleet=args.fleet)))
            print(f"ready after {time.monotonic() - started:.1f} s")
            return 0
        if args.command == "down":
            print("lab down" if lifecycle.down() else "no lab was up")
            return 0
        lab = lifecycle.current()
        if lab is None:
            print("no lab is up")
            return 3
        if args.command == "exec":
            _execute(lab, args.place, args.words)
        print(_describe(lab))
    except (LabUnavailableError, lifecycle.LabError, OSError) as error:
        print(f"lab: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
