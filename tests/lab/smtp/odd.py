# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Mail servers that misbehave as Postfix cannot be made to: run among the services as

    python -m tests.lab.smtp.odd DIRECTORY

with the directory of the certificates. The address that a client came to decides what it gets.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import pathlib
import socket
import ssl
import sys
import typing as t

from tests.lab.smtp import plan

BACK_END = plan.BY_NAME["good"].address
Handler = t.Callable[[asyncio.StreamReader, asyncio.StreamWriter], t.Awaitable[None]]


async def throttled(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """As Postfix does beyond smtpd_client_connection_rate_limit."""
    writer.write(b"421 4.7.0 mx.test Error: too many connections from your address\r\n")


async def tarpit(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A line a second, for ever: never silent for long, and never done."""
    while True:
        writer.write(b"220-please wait\r\n")
        await writer.drain()
        await asyncio.sleep(1)


async def garbage(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(bytes(range(256)) * 8 + b"\r\n")


async def stripped(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A firewall that inspects SMTP in front of a sound server: it lets no client see STARTTLS."""
    back_reader, back_writer = await asyncio.open_connection(BACK_END, 25)
    with contextlib.closing(back_writer):
        forward = asyncio.ensure_future(_copy(reader, back_writer, lambda data: data.replace(b"STARTTLS", b"XXXXXXXX")))
        await _copy(back_reader, writer, lambda data: data.replace(b"STARTTLS", b"XXXXXXXA"))
        forward.cancel()


async def _copy(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, change: t.Callable[[bytes], bytes], piece: int = 65536
) -> None:
    while data := await reader.read(65536):
        changed = change(data)
        for start in range(0, len(changed), piece):
            writer.write(changed[start : start + piece])
            await writer.drain()


async def fragmented(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A sound server with capabilities of many lines, of which no packet holds more than three bytes."""
    many = b"".join(b"250-X-NUMBER%d\r\n" % number for number in range(30))
    back_reader, back_writer = await asyncio.open_connection(BACK_END, 25)
    with contextlib.closing(back_writer):
        forward = asyncio.ensure_future(_copy(reader, back_writer, lambda data: data))
        await _copy(back_reader, writer, lambda data: data.replace(b"250-PIPELINING\r\n", many), piece=3)
        forward.cancel()


async def starttls_refused(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Offers it and cannot do it, as with a certificate that does not load."""
    await _offering(reader, writer, b"454 4.7.0 TLS not available due to local problem\r\n")


async def injected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Somebody in between appends an answer in the clear (CVE-2011-0411)."""
    await _offering(reader, writer, b"220 2.0.0 Ready to start TLS\r\n250-mx.test\r\n250 INJECTED\r\n")


async def _offering(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, answer: bytes) -> None:
    answers = {b"EHLO": b"250-mx.test\r\n250 STARTTLS\r\n", b"STARTTLS": answer, b"QUIT": b"221 Bye\r\n"}
    writer.write(b"220 mx.test ESMTP\r\n")
    while line := await reader.readline():
        word = line.split(b" ")[0].strip().upper()
        writer.write(answers.get(word, b"250 Ok\r\n"))
        await writer.drain()
        if word == b"QUIT":
            return


def _in_tls(directory: pathlib.Path, reply: bytes | None, **settings: t.Any) -> Handler:
    """A sound handshake, and then `reply` to the EHLO in it; nothing at all for None, and an end for no bytes."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(directory / "good.chain.pem")
    context.load_verify_locations(directory / "root.pem")
    for name, value in settings.items():
        setattr(context, name, value)

    def talk(sock: socket.socket) -> None:
        # asyncio drops the connection without the alert that OpenSSL has for a certificate it refuses.
        with sock, contextlib.suppress(OSError):
            sock.settimeout(30)
            sock.sendall(b"220 2.0.0 Ready to start TLS\r\n")
            with context.wrap_socket(sock, server_side=True) as inside:
                inside.recv(1000)
                if reply is None:
                    inside.recv(1000)  # until the client gives up
                inside.sendall(reply or b"")

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mx.test ESMTP\r\n")
        while not (line := await reader.readline()).upper().startswith(b"STARTTLS"):
            if not line:
                return
            writer.write(b"250-mx.test\r\n250 STARTTLS\r\n" if line.upper().startswith(b"EHLO") else b"250 Ok\r\n")
        await writer.drain()
        t.cast("asyncio.ReadTransport", writer.transport).pause_reading()
        sock = socket.socket(fileno=os.dup(writer.get_extra_info("socket").fileno()))
        await asyncio.get_running_loop().run_in_executor(None, talk, sock)

    return handle


def _closing(handler: Handler) -> Handler:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, ValueError):
            await handler(reader, writer)
        writer.close()

    return handle


async def serve(directory: pathlib.Path) -> None:
    """All of them, until the network ends."""
    demanding = {"verify_mode": ssl.CERT_REQUIRED}
    handlers: dict[str, Handler] = {
        "throttled": throttled,
        "tarpit": tarpit,
        "garbage": garbage,
        "stripped": stripped,
        "fragmented": fragmented,
        "starttls-refused": starttls_refused,
        "injected": injected,
        "demands-in-tls12": _in_tls(directory, b"250 mx.test\r\n", **demanding, maximum_version=ssl.TLSVersion.TLSv1_2),
        "demands-in-tls13": _in_tls(directory, b"250 mx.test\r\n", **demanding),
        "refuses-in-tls": _in_tls(directory, b"554 5.7.1 Go away\r\n"),
        "closes-in-tls": _in_tls(directory, b""),
        "hangs-in-tls": _in_tls(directory, None),
        "throttles-in-tls": _in_tls(directory, b"421 4.7.0 Too busy\r\n"),
    }
    for case in plan.CASES:
        if case.role == "odd" and case.settings["is"] in handlers:
            await asyncio.start_server(_closing(handlers[case.settings["is"]]), case.address, case.port)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(pathlib.Path(sys.argv[1])))
