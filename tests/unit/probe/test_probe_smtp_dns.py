# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""`smtp`: MX, TLSA and the AD flag as the host's resolver tells them, and what comes of a domain."""

from __future__ import annotations

import contextlib
import struct
import typing as t

import pytest
from ansible_collections.mailops.tls.plugins.module_utils._probe import dnsrecords
from ansible_collections.mailops.tls.plugins.module_utils._probe.base import Run, Timer
from ansible_collections.mailops.tls.plugins.module_utils._probe.engine import run
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.probe.servers import closed_port
from tests.unit.probe.smtp_servers import MailServer, Resolver, mx, name_bytes

A, CNAME, MX, TLSA = dnsrecords.A, dnsrecords.CNAME, dnsrecords.MX, dnsrecords.TLSA
DIGEST = bytes(range(32))


@pytest.fixture
def resolver():
    with contextlib.ExitStack() as stack:

        def start(*arguments: t.Any) -> Resolver:
            server = Resolver(*arguments)
            stack.callback(server.close)
            return server

        yield start


def timer(seconds: float = 2) -> Timer:
    return Timer(Run(seconds, 0, {}, {}, "/nonexistent"), seconds)


def exchangers(server: Resolver, domain: str = "example.com", seconds: float = 2) -> dict[str, t.Any]:
    return dnsrecords.mail_exchangers([f"127.0.0.1#{server.port}"], domain, timer(seconds))


@pytest.mark.parametrize(
    ("zone", "status", "records"),
    [
        ([mx(20, "b.example.com"), mx(10, "A.example.com")], "ok", [(10, "a.example.com"), (20, "b.example.com")]),
        ([mx(0, "")], "null_mx", []),
        ([], "no_data", []),
        (3, "nxdomain", []),
        (2, "servfail", []),
        (5, "error", []),
        ("silent", "timeout", []),
        ("old", "ok", [(10, "old.example.com")]),
        (("cut", [mx(10, f"mx{number}.example.com") for number in range(60)]), "ok", None),
        (
            [("example.com", CNAME, name_bytes("other.net")), ("other.net", MX, mx(5, "mx.other.net"))],
            "ok",
            [(5, "mx.other.net")],
        ),
        ([("stranger.net", MX, mx(5, "mx.stranger.net"))], "no_data", []),
        ([b"\0"], "timeout", []),
        (b"\x81\x80" + b"\xff" * 40, "timeout", []),
        (struct.pack("!5H", 0x8180, 1, 1, 0, 0) + b"\7example\3com\0\0\x0f\0\1" + b"\xc0\x1d\xc0\x1d", "timeout", []),
    ],
    ids=range(14),
)
def test_mx(resolver, zone, status, records):
    server = resolver({("example.com", MX): zone})
    seen = exchangers(server, seconds=0.6)
    assert seen["status"] == status
    if records is None:
        assert len(seen["records"]) == 60
        assert server.asked["example.com", MX, "tcp"] == 1
    else:
        assert [(item["preference"], item["host"]) for item in seen["records"]] == records
    assert seen["authenticated"] == (None if status == "timeout" else False)


def test_the_query_asks_for_dnssec(resolver):
    server = resolver({("example.com", MX): [mx(1, "a.example.com")]}, {"example.com"})
    seen = exchangers(server)
    assert (seen["authenticated"], seen["resolver"]) == (True, f"127.0.0.1#{server.port}")
    query = server.queries[0]
    assert query[3] & 0x20
    assert query[-11:] == struct.pack("!B2HIH", 0, 41, 1232, 0x8000, 0)


def test_what_is_refused_for_dnssec_is_told_apart(resolver):
    server = resolver({("example.com", MX): "bogus", ("broken.example", MX): 2})
    assert [(seen["status"], seen["bogus"]) for seen in map(exchangers, [server] * 2, ["example.com", "broken.example"])] == [
        ("servfail", True),
        ("servfail", False),
    ]


def test_the_next_nameserver_is_asked(resolver):
    good = resolver({("example.com", MX): [mx(1, "a.example.com")]})
    failing = resolver({("example.com", MX): 2})
    servers = [f"127.0.0.1#{closed_port()}", "nonsense", f"127.0.0.1#{failing.port}", f"127.0.0.1#{good.port}"]
    assert dnsrecords.mail_exchangers(servers, "example.com", timer())["resolver"] == servers[-1]


TLSA_DATA = bytes([3, 1, 1]) + DIGEST
RECORD = [{"usage": 3, "selector": 1, "matching": 1, "data": DIGEST.hex()}]


@pytest.mark.parametrize(
    ("secure", "alias_has", "name", "status"),
    [
        ({"mx.example.com", "_25._tcp.mx.example.com"}, False, "_25._tcp.mx.example.com", "ok"),
        ({"mx.example.com", "_25._tcp.end.net"}, True, "_25._tcp.end.net", "ok"),
        (set(), True, "_25._tcp.mx.example.com", "ok"),
    ],
)
def test_tlsa_goes_by_the_end_of_authenticated_aliases(resolver, secure, alias_has, name, status):
    alias = [("mx.example.com", CNAME, name_bytes("end.net")), ("end.net", A, bytes(4))]
    zone: dict[t.Any, t.Any] = {("mx.example.com", A): alias, ("_25._tcp.mx.example.com", TLSA): [TLSA_DATA]}
    if alias_has:
        zone["_25._tcp.end.net", TLSA] = [TLSA_DATA]
    server = resolver(zone, secure)
    authenticated, alias, seen = dnsrecords.dane([f"127.0.0.1#{server.port}"], "mx.example.com", 25, timer())
    assert (authenticated, alias) == (bool(secure), None if secure else False)
    assert (seen["name"], seen["status"], seen["records"]) == (name, status, RECORD)
    assert seen["authenticated"] is bool(secure)


@pytest.mark.parametrize("signed", [True, False])
def test_a_secure_alias_of_an_insecure_name_is_asked_for_on_its_own(resolver, signed):
    """RFC 7672 section 2.2.2: the initial alias decides, and the records are those of the host's own name."""
    zone: dict[t.Any, t.Any] = {
        ("mx.example.com", A): [("mx.example.com", CNAME, name_bytes("end.net")), ("end.net", A, bytes(4))],
        ("mx.example.com", CNAME): [name_bytes("end.net")],
        ("_25._tcp.mx.example.com", TLSA): [TLSA_DATA],
        ("_25._tcp.end.net", TLSA): [bytes([3, 1, 1]) + bytes(32)],
    }
    server = resolver(zone, {"_25._tcp.mx.example.com"} | ({("mx.example.com", CNAME)} if signed else set()))
    authenticated, alias, seen = dnsrecords.dane([f"127.0.0.1#{server.port}"], "mx.example.com", 25, timer())
    assert (authenticated, alias) == (False, signed)
    assert (seen["name"], seen["records"]) == ("_25._tcp.mx.example.com", RECORD)


@given(st.binary(max_size=300))
@settings(max_examples=300, deadline=None)
def test_no_message_breaks_the_reader(data):
    message = struct.pack("!6H", 1, 0x8180, 1, 20, 0, 0) + b"\1a\0\0\x0f\0\1" + data
    with contextlib.suppress(ValueError):
        answer = dnsrecords.read_answer(message, "a", MX, "test")
        assert answer.status in ("ok", "no_data")


def test_a_domain_from_mx_to_certificate(serve, authority, resolver, tmp_path):
    context, chain = authority.server("localhost")
    port = serve(MailServer(context)).port
    zone = {
        ("example.com", MX): [mx(10, "localhost"), mx(20, "gone.invalid")],
        ("localhost", A): [bytes([127, 0, 0, 1])],
        (f"_{port}._tcp.localhost", TLSA): [TLSA_DATA],
    }
    server = resolver(zone, {"example.com", "localhost", f"_{port}._tcp.localhost"})
    conf = tmp_path / "resolv.conf"
    conf.write_text(f"nameserver 127.0.0.1#{server.port}\n")
    request = {"id": "d", "op": "smtp", "domain": "Example.com", "port": port, "address_family": "ipv4", "timeout": 2}
    answer = run([request], environ={}, resolv_conf=str(conf))["answers"][0]
    assert (answer["ok"], answer["error"], answer["mx"]["status"], answer["mx"]["authenticated"]) == (True, None, "ok", True)
    first, second = answer["hosts"]
    assert (first["host"], first["preference"], first["address_authenticated"]) == ("localhost", 10, True)
    assert (first["tlsa"]["records"], first["tlsa"]["authenticated"]) == (RECORD, True)
    assert (second["error"]["stage"], second["error"]["code"], second["addresses"]) == ("resolve", "nxdomain", [])
    assert [(path["host"], path["error"], len(path["chain"])) for path in answer["paths"]] == [("localhost", None, len(chain))]


def test_a_domain_without_mx_is_its_own_host(serve, authority, resolver, tmp_path):
    port = serve(MailServer(authority.server("localhost")[0])).port
    server = resolver({("localhost", A): [bytes([127, 0, 0, 1])]})
    conf = tmp_path / "resolv.conf"
    conf.write_text(f"nameserver 127.0.0.1#{server.port}\n")
    request = {"id": "d", "op": "smtp", "domain": "localhost", "port": port, "address_family": "ipv4", "dane": False}
    answer = run([request], environ={}, resolv_conf=str(conf))["answers"][0]
    assert (answer["mx"]["status"], [host["host"] for host in answer["hosts"]]) == ("no_data", ["localhost"])
    assert answer["paths"][0]["tls"]["protocol"] == "TLSv1.3"
    assert answer["hosts"][0]["tlsa"]["status"] == "not_asked"


def test_all_addresses_at_once_and_each_certificate_told_once(serve, authority, resolver, tmp_path):
    """The slowest address decides how long it takes, not their number."""
    context, chain = authority.server("localhost")
    mail = MailServer(context, delay=0.2)
    addresses = [f"127.0.1.{number}" for number in range(1, 13)]
    port = serve(mail, address=addresses[0]).port
    for address in addresses[1:]:
        serve(mail, address=address, port=port)
    server = resolver({("example.com", MX): [mx(number, address) for number, address in enumerate(addresses)]})
    conf = tmp_path / "resolv.conf"
    conf.write_text(f"nameserver 127.0.0.1#{server.port}\n")
    store = {"id": "own", "ca_file": str(authority.ca_path)}
    request = {
        "id": "d",
        "op": "smtp",
        "domain": "example.com",
        "port": port,
        "stores": [store],
        "max_addresses": 10,
        "timeout": 4,
    }
    answer = run([request], environ={}, resolv_conf=str(conf))["answers"][0]
    assert [path["address"] for path in answer["paths"]] == addresses[:10]
    assert [path["error"] for path in answer["paths"]] == [None] * 10
    assert [[said["ok"] for said in path["verified"]] for path in answer["paths"]] == [[True]] * 10
    assert (answer["truncated"], len(answer["certificates"])) == (True, len(chain))
    assert mail.most > 3
    assert mail.sessions == 10
    # Five replies of 0.2 s each, ten addresses: one after the other it would be 10 s.
    assert answer["elapsed_ms"] < 6000


def test_one_address_is_enough_where_not_each_is_asked_for(serve, authority):
    mail = MailServer(authority.server("localhost")[0])
    port = serve(mail).port
    request = {"id": "d", "op": "smtp", "host": "localhost", "port": port, "each_address": False, "dane": False}
    answer = run([request], environ={})["answers"][0]
    found = answer["hosts"][0]["addresses"]
    assert [path["address"] for path in answer["paths"]] == found[: found.index("127.0.0.1") + 1]
    assert [path["error"] is None for path in answer["paths"]][-1]
    assert mail.sessions == 1
