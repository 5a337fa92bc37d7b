# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run the stand-in until it is interrupted: `python -m tests.lab.exchange_online --port 8443 --directory /tmp/exchange`."""

from __future__ import annotations

import argparse
import pathlib
import signal
import sys
import threading

import yaml

from tests.lab.exchange_online.fixture import ACCEPTED_DOMAINS, start
from tests.lab.exchange_online.quirks import Quirks


def _arguments(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.lab.exchange_online", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1; by default a free one")
    parser.add_argument("--directory", type=pathlib.Path, required=True, help="for ca.pem, connection.yml and the state")
    parser.add_argument("--certificate", type=pathlib.Path, help="PEM certificate of the app, besides its secret")
    parser.add_argument("--domain", action="append", help="an accepted domain; may be repeated")
    parser.add_argument("--quirk", action="append", default=[], metavar="NAME=VALUE", help="see quirks.py; may be repeated")
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    given = _arguments(arguments)
    quirks = Quirks()
    try:
        quirks.update({name: yaml.safe_load(value) for name, _equals, value in (item.partition("=") for item in given.quirk)})
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    given.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    exchange = start(
        given.directory,
        port=given.port,
        quirks=quirks,
        certificate_pem=given.certificate.read_text() if given.certificate else None,
        domains=given.domain or ACCEPTED_DOMAINS,
        state=given.directory / "connectors.json",
    )
    connection = given.directory / "connection.yml"
    connection.touch(mode=0o600)
    connection.write_text(yaml.safe_dump({"exchange_online": exchange.options}))
    print(f"Exchange Online stand-in on {exchange.endpoint}; connection options in {connection}", flush=True)
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_received: ended.set())
    ended.wait()
    exchange.server.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
