# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A server that misbehaves as no ordinary one can be made to: run in the services' network as

    python -m tests.lab.misbehaving STATE

It listens on the address of every case that names a behaviour; the address a client came to decides what it gets.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import gzip
import pathlib
import socket
import struct
import sys
import typing as t
import urllib.parse

from tests.lab import causes, plan
from tests.lab.bad_ocsp import Responder

PIECE = b"0" * 65536
HUGE = 10 * 1024**3
BOMB = gzip.compress(bytes(16 * 1024**2))
MAX_REQUEST = 65536


class Exchange:
    """One connection: the request as far as it matters, and ways to answer wrongly."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, crl: bytes, responder: Responder) -> None:
        self.reader, self.writer, self.crl, self.responder = reader, writer, crl, responder
        self.target, self.host, self.body = "/", "", b""
        self.raw = b""

    async def read_request(self) -> None:
        """The request with its body. Raises ValueError or asyncio.IncompleteReadError where there is none."""
        self.raw = await self.reader.readuntil(b"\r\n\r\n")
        lines = self.raw.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _colon, value in (line.partition(":") for line in lines[1:])}
        self.target, self.host = lines[0].split(" ")[1], headers.get("host", "")
        self.body = await self.reader.readexactly(min(int(headers.get("content-length", "0")), MAX_REQUEST))

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()
        await asyncio.sleep(0)  # drain() alone lets nobody else run as long as the client takes everything

    async def head(self, *headers: str, status: str = "200 OK") -> None:
        await self.send("\r\n".join([f"HTTP/1.1 {status}", "Connection: close", *headers, "", ""]).encode("latin-1"))

    async def answer(self, body: bytes, *headers: str, status: str = "200 OK") -> None:
        await self.head(f"Content-Length: {len(body)}", *headers, status=status)
        await self.send(body)

    def reset(self) -> None:
        """End the connection with RST instead of FIN."""
        sock = self.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


# --- behaviours: each gets the exchange after the request was read


async def reset(exchange: Exchange) -> None:
    exchange.reset()


async def silent(exchange: Exchange) -> None:
    await exchange.reader.read()


async def smtp(exchange: Exchange) -> None:
    await exchange.send(b"220 mail.lab.test ESMTP\r\n")
    await exchange.reader.read()


async def endless_headers(exchange: Exchange) -> None:
    await exchange.send(b"HTTP/1.1 200 OK\r\n")
    while True:
        await exchange.send(b"X-More: " + PIECE[:1000] + b"\r\n")


async def slow_headers(exchange: Exchange) -> None:
    await exchange.send(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    while True:
        await exchange.send(b"0")
        await asyncio.sleep(1)


async def slow_body(exchange: Exchange) -> None:
    await exchange.head(f"Content-Length: {len(exchange.crl)}")
    for at in range(len(exchange.crl)):
        await exchange.send(exchange.crl[at : at + 1])
        await asyncio.sleep(1)


async def gzip_bomb(exchange: Exchange) -> None:
    """A gigabyte, once it is unpacked."""
    await exchange.head("Content-Encoding: gzip")
    for _number in range(64):
        await exchange.send(BOMB)


async def odd_headers(exchange: Exchange) -> None:
    """A good CRL under headers that try to smuggle lines and terminal commands into whatever shows them."""
    odd = ("Server: lab\rInjected: yes", "X-Cache: \x1b[31mred\x07\x00", "Via: a\r\n folded", "Age: \xe2\x80\xae", ": no name")
    await exchange.answer(exchange.crl, *odd, status="200 \x1b]0;title\x07<script>")


async def short(exchange: Exchange) -> None:
    await exchange.head(f"Content-Length: {len(exchange.crl) + 100}")
    await exchange.send(exchange.crl)


async def stalled(exchange: Exchange) -> None:
    await exchange.head(f"Content-Length: {len(exchange.crl)}")
    await exchange.send(exchange.crl[:100])
    await exchange.reader.read()


async def reset_in_body(exchange: Exchange) -> None:
    await exchange.head(f"Content-Length: {len(exchange.crl)}")
    await exchange.send(exchange.crl[:100])
    await asyncio.sleep(0.2)  # what is in the client's buffer would be lost with the connection
    exchange.reset()


async def announced_huge(exchange: Exchange) -> None:
    await exchange.head(f"Content-Length: {HUGE}")
    await _much(exchange, HUGE)


async def endless(exchange: Exchange) -> None:
    await exchange.head()
    await _much(exchange, HUGE)


async def huge_chunk(exchange: Exchange) -> None:
    await exchange.head("Transfer-Encoding: chunked")
    await exchange.send(f"{HUGE:x}\r\n".encode())
    await _much(exchange, HUGE)


async def large(exchange: Exchange) -> None:
    """A body that is within the limits, but as large as they allow: ?BYTES."""
    size = int(exchange.target.rpartition("?")[2])
    await exchange.head(f"Content-Length: {size}")
    await _much(exchange, size)


async def _much(exchange: Exchange, size: int) -> None:
    while size > 0:
        await exchange.send(PIECE[:size])
        size -= len(PIECE)


async def _redirect(exchange: Exchange, location: str) -> None:
    await exchange.answer(b"", f"Location: {location}", status="302 Found")


async def redirect_endless(exchange: Exchange) -> None:
    number = int(exchange.target.rpartition("?")[2]) if "?" in exchange.target else 0
    await _redirect(exchange, f"/next?{number + 1}")


async def redirect_file(exchange: Exchange) -> None:
    await _redirect(exchange, "file:///etc/passwd")


async def redirect_loopback(exchange: Exchange) -> None:
    await _redirect(exchange, "http://[::1]/root.crl" if ".ipv6." in exchange.host else "http://127.0.0.1/root.crl")


async def redirect_link_local(exchange: Exchange) -> None:
    await _redirect(exchange, "http://169.254.169.254/latest/meta-data/")


async def redirect_crlf(exchange: Exchange) -> None:
    await _redirect(exchange, f"http://{exchange.host}/a\rX-Injected: yes\tHTTP/1.1")


async def echo(exchange: Exchange) -> None:
    """A proxy that says back whatever it was told, credentials included, in every place there is."""
    said = exchange.raw.decode("latin-1")
    secret = next((line for line in said.split("\r\n") if line.lower().startswith("proxy-authorization:")), "none").partition(
        ":"
    )[2]
    headers = (f"Server: {secret}", f"Via: 1.1{secret}", f"Proxy-Authenticate: Basic realm={secret}", f"X-Squid-Error: {secret}")
    status = f"403{secret}" if exchange.target.endswith(("denied", ":443")) else f"200{secret}"
    await exchange.answer(exchange.raw, *headers, status=status)


def _ocsp(fault: str) -> t.Callable[[Exchange], t.Awaitable[None]]:
    async def respond(exchange: Exchange) -> None:
        # By POST in the body, by GET in the path (RFC 6960 A.1).
        asked = exchange.body or base64.b64decode(urllib.parse.unquote(exchange.target.rpartition("/")[2]))
        await exchange.answer(exchange.responder.respond(fault, asked), "Content-Type: application/ocsp-response")

    return respond


_PLAIN = (
    *(reset, silent, smtp, endless_headers, slow_headers, slow_body, gzip_bomb, odd_headers, short, stalled, reset_in_body),
    *(announced_huge, endless, huge_chunk, large, echo),
    *(redirect_endless, redirect_file, redirect_loopback, redirect_link_local, redirect_crlf),
)
BEHAVIOURS: dict[str, t.Callable[[Exchange], t.Awaitable[None]]] = {
    **{function.__name__: function for function in _PLAIN},
    **{f"ocsp_{fault}": _ocsp(fault) for fault in Responder.FAULTS},
}


async def serve(state: pathlib.Path) -> None:
    """Serve until killed."""
    crl = (state / "ca" / "served" / "root.crl").read_bytes()
    responder = Responder(state / "ca")

    def handler(behaviour: str) -> t.Callable[[asyncio.StreamReader, asyncio.StreamWriter], t.Awaitable[None]]:
        async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            exchange = Exchange(reader, writer, crl, responder)
            with contextlib.suppress(OSError, ValueError, IndexError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
                if writer.get_extra_info("sockname")[1] == 443:
                    exchange.raw = await reader.read(5)  # the head of a TLS record, whatever is in it
                else:
                    await exchange.read_request()
                await BEHAVIOURS[behaviour](exchange)
            writer.close()

        return handle

    for case in causes.CASES:
        if case.behaviour:
            place = causes.address(case)
            port = 443 if case.scheme == "https" else 80
            await asyncio.start_server(handler(case.behaviour), [place.v4, place.v6], port)
    for name, place in plan.MISBEHAVING.items():
        await asyncio.start_server(handler(name), [place.v4, place.v6], 80)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(pathlib.Path(sys.argv[1])))
