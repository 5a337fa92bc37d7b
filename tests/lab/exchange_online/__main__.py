# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A stand-in for Exchange Online on 127.0.0.1, until it is interrupted. It prints the environment to reach it with."""

from __future__ import annotations

import argparse
import pathlib
import shlex
import signal
import sys
import tempfile
import threading

import yaml

from tests.lab.exchange_online.fixture import ACCEPTED_DOMAINS, StandIn, start
from tests.lab.exchange_online.quirks import Quirks


def _arguments(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.lab.exchange_online", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="by default a free one")
    parser.add_argument(
        "--directory",
        type=pathlib.Path,
        help="for its CA, the environment and the connectors, which are kept; by default none are",
    )
    parser.add_argument("--certificate", type=pathlib.Path, help="PEM certificate of the app, besides its secret")
    parser.add_argument("--domain", action="append", help="an accepted domain; may be repeated")
    parser.add_argument(
        "--quirk",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="see tests/lab/exchange_online/quirks.py; may be repeated",
    )
    return parser.parse_args(arguments)


def environment(exchange: StandIn) -> str:
    """Lines for a shell."""
    return "".join(f"export MAILOPS_TLS_{name.upper()}={shlex.quote(value)}\n" for name, value in exchange.options.items())


def _run(given: argparse.Namespace, directory: pathlib.Path, quirks: Quirks) -> None:
    exchange = start(
        directory,
        port=given.port,
        quirks=quirks,
        certificate_pem=given.certificate.read_text() if given.certificate else None,
        domains=given.domain or ACCEPTED_DOMAINS,
        state=directory / "connectors.json",
    )
    file = directory / "environment"
    file.touch(mode=0o600)
    file.write_text(environment(exchange))
    print(
        f"# Exchange Online's stand-in, until Ctrl-C. In another shell: . {shlex.quote(str(file))}\n{file.read_text()}",
        flush=True,
    )
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_received: ended.set())
    ended.wait()
    exchange.server.stop()


def main(arguments: list[str] | None = None) -> int:
    """Returns the exit status."""
    given = _arguments(arguments)
    quirks = Quirks()
    try:
        quirks.update({name: yaml.safe_load(value) for name, _equals, value in (item.partition("=") for item in given.quirk)})
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    if given.directory:
        given.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        _run(given, given.directory.resolve(), quirks)
    else:
        with tempfile.TemporaryDirectory(prefix="exchange-online-") as directory:
            _run(given, pathlib.Path(directory), quirks)
    return 0


if __name__ == "__main__":
    sys.exit(main())
