# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Mail servers and nameservers on loopback for the tests of `smtp`."""

from __future__ import annotations

import collections
import contextlib
import datetime as dt
import pathlib
import socket
import ssl
import struct
import threading
import time
import typing as t

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

PEM = serialization.Encoding.PEM


class MailServer:
    """A handler that speaks SMTP. `replies` overrides what it says to a verb; None closes the connection instead.

    seen: the lines of all sessions in order; most: how many sessions there were at the same time.
    """

    def __init__(
        self,
        context: ssl.SSLContext | None,
        *,
        piece: int = 4096,
        delay: float = 0,
        implicit: bool = False,
        **replies: bytes | None,
    ) -> None:
        self.context, self.piece, self.delay, self.implicit = context, piece, delay, implicit
        self.replies: dict[str, bytes | None] = {
            "greeting": b"220 mail.example.com ESMTP\r\n",
            "EHLO": b"250-mail.example.com\r\n250-SIZE 1000\r\n250 STARTTLS\r\n",
            "STARTTLS": b"220 2.0.0 go ahead\r\n",
            "TLS_EHLO": b"250-mail.example.com\r\n250 AUTH PLAIN\r\n",
            "QUIT": b"221 bye\r\n",
            **replies,
        }
        self.seen: list[str] = []
        self.sessions = self.now = self.most = 0
        self.lock = threading.Lock()

    def __call__(self, connection: socket.socket) -> None:
        with self.lock:
            self.sessions += 1
            self.now += 1
            self.most = max(self.most, self.now)
        # The client counts as gone once it says QUIT: when its connection ends is not for this thread to see.
        with contextlib.suppress(ssl.SSLError):
            self._serve(connection)

    def _serve(self, connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        secure = False
        if self.implicit:
            assert self.context
            connection, secure = self.context.wrap_socket(connection, server_side=True), True
        if not self._say(connection, self.replies["greeting"]):
            return
        while line := self._line(connection):
            with self.lock:
                self.seen.append(line)
                self.now -= line == "QUIT"
            verb = line.split(" ")[0].upper()
            said = self.replies.get("TLS_EHLO" if secure and verb == "EHLO" else verb, b"250 ok\r\n")
            if not self._say(connection, said) or verb == "QUIT":
                return
            if verb == "STARTTLS" and said and said.startswith(b"220") and self.context:
                connection, secure = self.context.wrap_socket(connection, server_side=True), True

    def _say(self, connection: socket.socket, data: bytes | None) -> bool:
        if data is None:
            return False
        for at in range(0, len(data), self.piece):
            connection.sendall(data[at : at + self.piece])
            if self.delay:
                time.sleep(self.delay)
        return True

    def _line(self, connection: socket.socket) -> str:
        line = b""
        while not line.endswith(b"\r\n"):
            byte = connection.recv(1)
            if not byte:
                return ""
            line += byte
        return line[:-2].decode()


def name_bytes(name: str) -> bytes:
    """A domain name on the wire."""
    labels = [label.encode() for label in name.split(".") if label]
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"


def mx(preference: int, host: str) -> bytes:
    return struct.pack("!H", preference) + name_bytes(host)


Zone = dict[tuple[str, int], t.Any]


class Resolver:
    """A nameserver over UDP and TCP.

    zone: (name, type) to a list of record data; an rcode; `bogus` (SERVFAIL unless checking is disabled); `cut` and a list
    (over UDP truncated); `silent`; or bytes, the whole message after the identity. secure: names answered with the AD flag.
    """

    def __init__(self, zone: Zone, secure: t.Collection[str] = ()) -> None:
        self.zone, self.secure = zone, secure
        self.asked: collections.Counter[tuple[str, int, str]] = collections.Counter()
        self.queries: list[bytes] = []
        self.tcp = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.tcp.getsockname()[1]
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.bind(("127.0.0.1", self.port))
        for target in (self._serve_udp, self._serve_tcp):
            threading.Thread(target=target, daemon=True).start()

    def _serve_udp(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                query, client = self.udp.recvfrom(4096)
                if not query:
                    return
                for answer in self._answers(query, "udp"):
                    self.udp.sendto(answer, client)

    def _serve_tcp(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection = self.tcp.accept()[0]
                with connection:
                    size = struct.unpack("!H", connection.recv(2))[0]
                    for answer in self._answers(connection.recv(size), "tcp"):
                        connection.sendall(struct.pack("!H", len(answer)) + answer)

    def _answers(self, query: bytes, way: str) -> list[bytes]:
        labels, at = [], 12
        while query[at]:
            labels.append(query[at + 1 : at + 1 + query[at]].decode())
            at += 1 + query[at]
        name, qtype = ".".join(labels), struct.unpack("!H", query[at + 1 : at + 3])[0]
        self.asked[name, qtype, way] += 1
        self.queries.append(query)
        how = self.zone.get((name, qtype), [] if any(name == key[0] for key in self.zone) else 3)
        question = query[12 : at + 5]
        if how == "silent":
            return []
        if isinstance(how, bytes):
            return [query[:2] + how]
        flags = 0x8180 | (0x20 if name in self.secure or (name, qtype) in self.secure else 0)
        if how == "bogus":
            how = [mx(1, "a.example.com")] if query[3] & 0x10 else 2
        if how == "old":
            how = 1 if query[11] else [mx(10, "old.example.com")]
        if isinstance(how, tuple):
            if way == "udp":
                return [query[:2] + struct.pack("!5H", flags | 0x200, 1, 0, 0, 0) + question]
            how = how[1]
        if isinstance(how, int):
            return [query[:2] + struct.pack("!5H", flags | how, 1, 0, 0, 0) + question]
        records = b""
        for item in how:
            owner, kind, data = item if isinstance(item, tuple) else (None, qtype, item)
            head = name_bytes(owner) if owner else b"\xc0\x0c"
            records += head + struct.pack("!2HIH", kind, 1, 60, len(data)) + data
        return [query[:2] + struct.pack("!5H", flags, 1, len(how), 0, 0) + question + records]

    def close(self) -> None:
        self.udp.close()
        self.tcp.close()


def weak_context(kind: str, directory: pathlib.Path) -> ssl.SSLContext:
    """A server as nobody should run it: `anonymous`, `tls1`, or `rsa` (key exchange without forward secrecy)."""
    if kind == "anonymous":
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.set_ciphers("aNULL:@SECLEVEL=0")
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        return context
    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "weak.example.com")])
    now = dt.datetime.now(dt.timezone.utc)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(5)
    leaf = builder.not_valid_before(now - dt.timedelta(1)).not_valid_after(now + dt.timedelta(9)).sign(key, hashes.SHA256())
    private = key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (directory / "weak.pem").write_bytes(private + leaf.public_bytes(PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(directory / "weak.pem")
    if kind == "tls1":
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
        context.options |= ssl.OP_NO_TLSv1_3 | ssl.OP_NO_TLSv1_2 | ssl.OP_NO_TLSv1_1
    else:
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        context.set_ciphers("AES256-GCM-SHA384")
    return context


class Link:
    """A certificate and its key, valid for `days` from yesterday on, or until yesterday where that is negative."""

    def __init__(
        self,
        name: str,
        issuer: Link | None = None,
        *,
        ca: bool = True,
        days: int = 9,
        length: int | None = None,
        usage: t.Any = None,
    ) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        now = dt.datetime.now(dt.timezone.utc) - dt.timedelta(1)
        begins, ends = sorted([now, now + dt.timedelta(days)])
        builder = x509.CertificateBuilder().subject_name(self.name).issuer_name((issuer or self).name)
        builder = builder.public_key(self.key.public_key()).serial_number(x509.random_serial_number())
        builder = builder.not_valid_before(begins).not_valid_after(ends)
        builder = builder.add_extension(x509.BasicConstraints(ca, length), True)
        if usage is not None:
            builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), False)
        self.der = builder.sign((issuer or self).key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


def faulty_chains() -> dict[str, list[Link]]:
    """Chains from the server's certificate to the root, by what is wrong with them."""
    root = Link("Root")
    middle, old = Link("CA", root), Link("Old CA", root, days=-9)
    last = Link("Last CA", root, length=0)
    below = Link("One too many", last)
    clients = x509.ExtendedKeyUsageOID.CLIENT_AUTH
    return {
        "good": [Link("mail", middle, ca=False), middle, root],
        "expired": [Link("mail", middle, ca=False, days=-9), middle, root],
        "expired above": [Link("mail", old, ca=False), old, root],
        "both expired": [Link("mail", old, ca=False, days=-9), old, root],
        "for clients": [Link("mail", middle, ca=False, usage=clients), middle, root],
        "too long": [Link("mail", below, ca=False), below, last, root],
    }
