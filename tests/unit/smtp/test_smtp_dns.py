# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The controller's own lookups, against a DNS server on the loopback."""

from __future__ import annotations

import socket
import threading
import time
import typing as t

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest
from ansible_collections.mailops.tls.plugins.plugin_utils._dns.lookup import Lookups, look_up, parse_nameservers

ZONE = {
    ("example.net.", "MX"): ["20 mx2.example.net.", "10 MX1.example.net."],
    ("_mta-sts.example.net.", "TXT"): ['"v=STSv1; " "id=1;"'],
    ("null.example.", "MX"): ["0 ."],
    ("half-null.example.", "MX"): ["0 .", "10 mx.example.net."],
    ("plain.example.", "A"): ["192.0.2.1"],
}


class Server:
    """Answers from ZONE, names below `broken` with SERVFAIL and names below `silent` not at all."""

    def __init__(self, authenticated: bool = True) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.authenticated, self.flags = authenticated, 0
        threading.Thread(target=self._serve, daemon=True).start()

    @property
    def place(self) -> tuple[str, int]:
        return t.cast("tuple[str, int]", self.socket.getsockname())

    def _serve(self) -> None:
        while True:
            try:
                data, peer = self.socket.recvfrom(4096)
            except OSError:
                return
            query = dns.message.from_wire(data)
            self.flags = int(query.flags)
            answer = self._answer(query)
            if answer is not None:
                self.socket.sendto(answer.to_wire(), peer)

    def _answer(self, query: dns.message.Message) -> dns.message.Message | None:
        question = query.question[0]
        name, kind = question.name.to_text().lower(), dns.rdatatype.to_text(question.rdtype)
        if name.endswith("silent.example."):
            return None
        answer = dns.message.make_response(query, recursion_available=True)
        if self.authenticated:
            answer.flags |= dns.flags.AD
        records = ZONE.get((name, kind))
        if name.endswith("broken.example."):
            answer.set_rcode(dns.rcode.SERVFAIL)
        elif records:
            answer.answer.append(dns.rrset.from_text(question.name, 60, "IN", kind, *records))
        elif not any(known == name for known, _kind in ZONE):
            answer.set_rcode(dns.rcode.NXDOMAIN)
        return answer


@pytest.fixture
def server() -> t.Iterator[Server]:
    running = Server()
    yield running
    running.socket.close()


def test_a_domain_with_everything(server: Server) -> None:
    view = look_up("example.net", nameservers=[server.place])
    assert (view.mx_status, view.mx_authenticated) == ("ok", True)
    assert view.mx == ((10, "mx1.example.net"), (20, "mx2.example.net"))
    assert (view.txt_status, view.texts) == ("ok", ("v=STSv1; id=1;",))
    assert server.flags & dns.flags.AD, "the question must ask for the bit (RFC 6840 5.7)"


@pytest.mark.parametrize(
    ("domain", "status"),
    [("missing.example", "nxdomain"), ("plain.example", "no_data"), ("null.example", "null_mx"), ("broken.example", "servfail")],
)
def test_how_it_can_end(server: Server, domain: str, status: str) -> None:
    view = look_up(domain, seconds=2, nameservers=[server.place])
    assert (view.mx_status, view.mx) == (status, ())


def test_an_answer_without_dnssec() -> None:
    running = Server(authenticated=False)
    assert look_up("example.net", nameservers=[running.place]).mx_authenticated is False
    running.socket.close()


def test_a_resolver_that_is_silent_costs_little(server: Server) -> None:
    began = time.monotonic()
    view = look_up("silent.example", seconds=0.2, nameservers=[server.place])
    assert (view.mx_status, view.txt_status) == ("timeout", "timeout")
    assert time.monotonic() - began < 3


def test_nameservers_as_users_write_them() -> None:
    assert parse_nameservers(["127.0.0.1", "::1#5353"], "x") == (("127.0.0.1", 53), ("::1", 5353))
    view = look_up("example.net", nameservers=[("not an address", 53)])
    assert view.mx_status == "not_asked" and "resolver" in view.reason


def test_a_null_mx_beside_others_is_no_host(server: Server) -> None:
    """As the host's own lookup leaves it out, which must not read as a difference."""
    view = look_up("half-null.example", nameservers=[server.place])
    assert (view.mx_status, view.mx) == ("ok", ((10, "mx.example.net"),))


def test_many_domains_at_once_and_what_is_late(server: Server) -> None:
    lookups = Lookups(["example.net", "silent.example", "null.example"], seconds=3, nameservers=[server.place])
    began = time.monotonic()
    views = lookups.views(0.6)
    assert time.monotonic() - began < 2
    assert [views[name].mx_status for name in ("example.net", "silent.example", "null.example")] == ["ok", "timeout", "null_mx"]
    assert views["silent.example"].txt_status == "timeout"
