# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Servers on loopback that behave, misbehave, or say nothing at all. Each is real: a socket and a thread."""

from __future__ import annotations

import contextlib
import datetime
import pathlib
import socket
import ssl
import struct
import threading
import typing as t

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

Handler = t.Callable[[socket.socket], None]


class Server:
    """A TCP server that hands each connection to `handler`; `seen` is what handlers noted."""

    def __init__(self, handler: Handler, address: str = "127.0.0.1", port: int = 0, tls: ssl.SSLContext | None = None) -> None:
        self.handler, self.tls = handler, tls
        self.address = address
        self.listener = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind((address, port))
        self.listener.listen(64)
        self.port: int = self.listener.getsockname()[1]
        self.stopped = threading.Event()
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def netloc(self) -> str:
        return f"[{self.address}]:{self.port}" if ":" in self.address else f"{self.address}:{self.port}"

    @property
    def url(self) -> str:
        return f"{'https' if self.tls else 'http'}://{self.netloc}/"

    def _accept(self) -> None:
        while not self.stopped.is_set():
            try:
                connection = self.listener.accept()[0]
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), contextlib.ExitStack() as stack:
            stack.enter_context(connection)
            connection.settimeout(30)
            if self.tls:
                connection = stack.enter_context(self.tls.wrap_socket(connection, server_side=True))
            self.handler(connection)

    def close(self) -> None:
        self.stopped.set()
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


def read_request(connection: socket.socket) -> bytes:
    """A request with its body, as far as Content-Length says."""
    data = b""
    while b"\r\n\r\n" not in data:
        piece = connection.recv(65536)
        if not piece:
            return data
        data += piece
    head, _end, body = data.partition(b"\r\n\r\n")
    length = 0
    for line in head.split(b"\r\n"):
        if line.lower().startswith(b"content-length:"):
            length = int(line.split(b":")[1])
    while len(body) < length:
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


def answering(raw: bytes, seen: list[bytes] | None = None) -> Handler:
    """A handler that reads one request and sends these bytes."""

    def handle(connection: socket.socket) -> None:
        request = read_request(connection)
        if seen is not None:
            seen.append(request)
        connection.sendall(raw)

    return handle


def http(body: bytes, status: str = "200 OK", *headers: str) -> bytes:
    """A plain answer with Content-Length."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


def reset(connection: socket.socket) -> None:
    """Close with a reset."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


@contextlib.contextmanager
def blackhole(address: str = "127.0.0.1", port: int = 0) -> t.Iterator[int]:
    """A port whose connections never come about: its queue is full, so the kernel drops each SYN."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket(family))
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address, port))
        listener.listen(0)
        for _number in range(4):
            filler = stack.enter_context(socket.socket(family))
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]


def closed_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


class Authority:
    """A root and an intermediate that issue server certificates."""

    def __init__(self, directory: pathlib.Path) -> None:
        self.directory = directory
        self.root_key, self.key = (ec.generate_private_key(ec.SECP256R1()) for _number in range(2))
        self.root = self._sign("probe test root", self.root_key, None)
        self.intermediate = self._sign("probe test intermediate", self.key, self.root)
        self.ca_path = directory / "root.pem"
        self.ca_path.write_bytes(self.root.public_bytes(serialization.Encoding.PEM))

    def _sign(self, name: str, key: ec.EllipticCurvePrivateKey, issuer: x509.Certificate | None) -> x509.Certificate:
        now = datetime.datetime.now(datetime.timezone.utc)
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        signer = self.root_key if issuer is None or issuer is getattr(self, "root", None) else self.key
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer.subject if issuer else subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=30))
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), False)
        )
        if name.startswith("probe test"):
            usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
            builder = builder.add_extension(x509.BasicConstraints(True, None), True).add_extension(usage, True)
        else:
            builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), False)
        return builder.sign(signer, hashes.SHA256())

    def server(self, name: str) -> tuple[ssl.SSLContext, list[bytes]]:
        """(context for a server, the chain it presents as DER)."""
        key = ec.generate_private_key(ec.SECP256R1())
        leaf = self._sign(name, key, self.intermediate)
        path = self.directory / f"{name}.pem"
        pem = serialization.Encoding.PEM
        private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        path.write_bytes(private + leaf.public_bytes(pem) + self.intermediate.public_bytes(pem))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        return context, [cert.public_bytes(serialization.Encoding.DER) for cert in (leaf, self.intermediate)]


class Nameserver:
    """A DNS server over UDP. `zone` maps a name to an rcode, an address, `empty`, `garbage` or `silent`."""

    def __init__(self, zone: dict[str, str | int]) -> None:
        self.zone = zone
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind(("127.0.0.1", 0))
        self.port: int = self.sock.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                query, client = self.sock.recvfrom(4096)
            except OSError:
                return
            if query:
                for answer in self._answers(query):
                    self.sock.sendto(answer, client)

    def _answers(self, query: bytes) -> list[bytes]:
        labels, at = [], 12
        while query[at]:
            labels.append(query[at + 1 : at + 1 + query[at]].decode())
            at += 1 + query[at]
        qtype = struct.unpack("!H", query[at + 1 : at + 3])[0]
        question = query[12 : at + 5]
        how = self.zone.get(".".join(labels), 3)
        if how == "silent":
            return []
        if how == "garbage":
            return [
                b"\0",
                query[:2] + b"\x80\0\xff\xff\xff\xff" + b"\xc0" * 40,
                query[:2] + b"\x81\x83" + query[4:8] + bytes(4) + question,
            ]
        rcode, records = (how, b"") if isinstance(how, int) else (0, b"")
        if how not in ("empty",) and isinstance(how, str) and (":" in how) == (qtype == 28):
            packed = socket.inet_pton(socket.AF_INET6 if ":" in how else socket.AF_INET, how)
            records = b"\xc0\x0c" + struct.pack("!2HIH", qtype, 1, 60, len(packed)) + packed
        counts = struct.pack("!4H", 1, 1 if records else 0, 0, 0)
        return [query[:2] + struct.pack("!H", 0x8180 | rcode) + counts + question + records]

    def close(self) -> None:
        self.sock.close()


def outcome(answer: dict[str, t.Any]) -> str:
    """`stage/code` of an answer, or `ok`."""
    error = answer["error"]
    return f"{error['stage']}/{error['code']}" if error else "ok"
