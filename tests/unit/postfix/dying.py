# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs the module and kills it (SIGKILL) before its Nth operation that changes the configuration or starts a command.

Usage: python dying.py N MODULE DIRECTORY, the module's arguments on standard input. With N = 0 it lives, and the operations
are listed on standard error.
"""

import os
import runpy
import signal
import sys

OPERATIONS = {
    "os.rename",
    "os.link",
    "os.remove",
    "os.rmdir",
    "os.mkdir",
    "subprocess.Popen",
}


def main() -> None:
    """Count operations, and die before the one that was asked for."""
    last, module, directory = int(sys.argv[1]), sys.argv[2], sys.argv[3]
    seen: list[str] = []

    def watch(event: str, arguments: tuple[object, ...]) -> None:
        writes = event == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR)
        there = event == "subprocess.Popen" or str(arguments[0]).startswith(directory)
        if (event in OPERATIONS or writes) and there:
            seen.append(f"{event} {arguments[0]}")
            if len(seen) == last:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.argv = [module]
    sys.addaudithook(watch)
    try:
        runpy.run_path(module, run_name="__main__")
    finally:
        if not last:
            sys.stderr.write("\n".join(seen) + "\n")


if __name__ == "__main__":
    main()
