# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""A program of the host run within bounds of time and output, with pipes for what must not be written to a disk."""

import os
import signal
import subprocess
import threading

from ansible_collections.mailops.tls.plugins.module_utils._probe.base import text_of

MAX_OUTPUT = 16384


def converse(command, given=b"", pipes=(), environment=None, timeout=5.0, most=MAX_OUTPUT, files=()):
    """Run a program to its end. Returns (exit status, what it wrote, ""), or (None, "", why it could not be run).

    command: list of str, or a function that makes it of the paths under which the program finds `pipes` and then `files`.
    given: bytes for its standard input. pipes: bytes that it can read once from such a path. files: open files, for
    programs that refuse pipes. environment: dict, None for that of this process. timeout: seconds. most: bytes of output,
    standard error included, that are read; a program that writes more is ended.
    """
    ends = [os.pipe() for _pipe in pipes]
    inherited = [end[0] for end in ends] + [stream.fileno() for stream in files]
    if callable(command):
        command = command(*["/dev/fd/%d" % number for number in inherited])
    try:
        # AnsibleModule.run_command has no time-out, and must not be used in threads.
        # pylint: disable-next=ansible-bad-function
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=environment,
            pass_fds=inherited,
            # A group of its own: what the program started holds its output open, and has to end with it.
            start_new_session=True,
        )
    except (OSError, ValueError) as exc:
        for end in ends:
            os.close(end[0])
            os.close(end[1])
        return None, "", "%s: %s" % (os.path.basename(command[0]), text_of(exc))
    for number, data in enumerate(pipes):
        os.close(ends[number][0])
        # A pipe holds 64 KiB at most; a thread that waits does not hold up the rest.
        threading.Thread(target=_feed, args=(os.fdopen(ends[number][1], "wb"), data), daemon=True).start()
    return _listen(process, command[0], given, timeout, most)


def _listen(process, name, given, timeout, most):
    late = threading.Event()

    def give_up():
        late.set()
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except OSError:
            process.kill()

    watchdog = threading.Timer(max(0.01, timeout), give_up)
    watchdog.daemon = True
    with process:
        watchdog.start()
        try:
            _feed(process.stdin, given)
            output = process.stdout.read(most).decode("utf-8", "replace")
        except OSError:
            output = ""
        finally:
            process.stdout.close()  # whoever still writes gets a signal
            status = process.wait()
            watchdog.cancel()
    if late.is_set():
        return None, "", "%s did not end within %g seconds" % (os.path.basename(name), round(timeout, 1))
    return status, output, ""


def _feed(stream, data):
    try:
        with stream:
            stream.write(data)
    except OSError:
        pass  # the program ended without reading it all, and says itself why
