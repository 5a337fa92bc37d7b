# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From the user's entries to what Postfix reads, and what is refused."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.mailops.tls.plugins.module_utils._postfix import declared

PRINT = "AA" * 32
COLONS = ":".join(["AA"] * 32)


def destination(name: str = "partner.example", **option: t.Any) -> t.Any:
    return declared.destination({"destination": name, "level": "secure", **option})


def client(**option: t.Any) -> t.Any:
    return declared.client({"require": "encrypt", **option})


@pytest.mark.parametrize(
    ("written", "key"),
    [
        ("Partner.Example", "partner.example"),
        ("partner.example.", "partner.example"),
        (".partner.example", ".partner.example"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("[mail.partner.example]", "[mail.partner.example]"),
        ("[MAIL.partner.example]:587", "[mail.partner.example]:587"),
        ("partner.example:26", "partner.example:26"),
        ("[192.0.2.1]:25", "[192.0.2.1]:25"),
        ("[IPv6:2001:DB8::1]", "[ipv6:2001:db8::1]"),
    ],
)
def test_next_hops(written: str, key: str) -> None:
    assert destination(written).key == key


@pytest.mark.parametrize(
    "written",
    [
        "",
        "two words",
        "[open",
        "a:b:c",
        "[192.0.2.999]",
        "partner.example:0",
        "partner.example:65536",
        ".sub.example:25",
        "-a.example",
        "partner.example\nother.example none",
        "x" * 64 + ".example",
        "[ipv6:zz]",
        "a..example",
        "#comment",
        "$mydomain",
    ],
)
def test_refused_next_hops(written: str) -> None:
    with pytest.raises(declared.DeclarationError, match="destination"):
        destination(written)


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ({}, "secure"),
        ({"level": "may"}, "may"),
        ({"match": [".Example", "mail.partner.example", "nexthop"]}, "secure match=.example:mail.partner.example:nexthop"),
        ({"level": "fingerprint", "fingerprints": [PRINT.lower(), COLONS]}, f"fingerprint match={COLONS}"),
        ({"protocols": [">=TLSv1.2"], "ciphers": "high"}, "secure protocols=>=TLSv1.2 ciphers=high"),
        (
            {"ca_file": "/etc/ssl/partner.pem", "servername": "Mail.Example"},
            "secure tafile=/etc/ssl/partner.pem servername=mail.example",
        ),
        ({"servername": "hostname"}, "secure servername=hostname"),
    ],
)
def test_policies(option: dict[str, t.Any], value: str) -> None:
    assert destination(**option).value == value


@pytest.mark.parametrize(
    ("option", "says"),
    [
        ({"level": None}, "level is required"),
        ({"level": "encrypt", "match": ["a.example"]}, "level encrypt takes no match"),
        ({"level": "none", "ciphers": "high"}, "level none takes no ciphers"),
        ({"level": "dane", "ca_file": "/a.pem", "servername": "a.example"}, "level dane takes no ca_file, servername"),
        ({"level": "fingerprint"}, "needs fingerprints"),
        ({"level": "fingerprint", "fingerprints": ["AB:CD"]}, "no SHA-256 fingerprint"),
        ({"match": ["a b"]}, "no domain name"),
        ({"match": ["a.example:b.example"]}, "no domain name"),
        ({"protocols": ["TLSv9"]}, "no protocol"),
        ({"protocols": [">=TLSv1.2 ciphers=low"]}, "no protocol"),
        ({"ca_file": "relative.pem"}, "no absolute path"),
        ({"ca_file": "/with space.pem"}, "no absolute path"),
        ({"ca_file": "/a.pem\nother.example none"}, "no absolute path"),
    ],
)
def test_refused_policies(option: dict[str, t.Any], says: str) -> None:
    with pytest.raises(declared.DeclarationError, match=f"destination partner.example: .*{says}"):
        destination(**option)


@pytest.mark.parametrize(
    ("option", "kind", "key"),
    [
        ({"client": "192.0.2.1"}, "clients", "192.0.2.1/32"),
        ({"client": "192.0.2.0/28"}, "clients", "192.0.2.0/28"),
        ({"client": "2001:DB8::/32"}, "clients", "2001:db8::/32"),
        ({"client": "[2001:db8::1]"}, "clients", "2001:db8::1/128"),
        ({"client": "Mail.Partner.Example"}, "names", "mail.partner.example"),
        ({"sender_domain": "Partner.Example"}, "senders", "partner.example"),
    ],
)
def test_clients(option: dict[str, t.Any], kind: str, key: str) -> None:
    assert client(**option)[:3] == (kind, key, "reject_plaintext_session")
    assert client(**option, state="absent")[:3] == (kind, key, None)


@pytest.mark.parametrize(
    ("option", "says"),
    [
        ({}, "one of client and sender_domain"),
        ({"client": "192.0.2.1", "sender_domain": "a.example"}, "one of client and sender_domain"),
        ({"client": "192.0.2.1/33"}, "does not appear to be an IPv4 or IPv6 network"),
        ({"client": ".partner.example"}, "leave out the leading dot"),
        ({"client": "a.example", "require": None}, "require is required"),
        ({"client": "a.example", "fingerprints": [PRINT]}, "go with require: certificate"),
        ({"client": "a.example", "require": "certificate"}, "needs either fingerprints or ca_file"),
        ({"client": "a.example", "require": "certificate", "fingerprints": [PRINT], "ca_file": "/a.pem"}, "either"),
        ({"client": "a.example", "require": "certificate", "ca_file": "a.pem"}, "no absolute path"),
        ({"sender_domain": "a.example", "require": "certificate", "ca_file": "/a.pem"}, "says nothing about the sender"),
        ({"client": "a.example", "names": ["b.example"]}, "go with require: certificate"),
        ({"client": "a.example", "require": "certificate", "names": ["b.example"]}, "names need ca_file"),
        ({"client": "a.example", "require": "certificate", "fingerprints": [PRINT], "names": ["b"]}, "names need ca_file"),
        ({"client": "a.example", "require": "certificate", "ca_file": "/a.pem", "names": ["b c"]}, "no domain name"),
        ({"client": "a.example", "require": "certificate", "ca_file": "/a.pem", "names": ["*"]}, "no domain name"),
        ({"client": "a.example", "require": "certificate", "ca_file": "/a.pem", "names": ["a.*.b"]}, "no domain name"),
        ({"client": "a.example", "require": "certificate", "ca_file": "/a.pem", "names": ["a } }, permit"]}, "no domain name"),
        ({"client": "a.example", "require": "certificate", "ca_file": "/a.pem", "names": ["b"] * 51}, "more than 50 names"),
    ],
)
def test_refused_clients(option: dict[str, t.Any], says: str) -> None:
    with pytest.raises(declared.DeclarationError, match=says):
        client(**option)


def test_a_certificate_is_asked_for_after_tls() -> None:
    entry = client(client="192.0.2.1", require="certificate", fingerprints=[PRINT, "BB" * 32])
    first, middle, last = (
        entry.definition.split(", ", 1)[0],
        entry.definition,
        entry.definition.rpartition(", check_client_access"),
    )
    assert first == "reject_plaintext_session"
    assert f"{{{COLONS} = OK}}" in middle
    assert last[2].startswith(" static:{554 5.7.1 ")
    again = client(client="2001:db8::1", require="certificate", fingerprints=["BB" * 32, PRINT])
    assert again.value == entry.value, "the same requirement is one restriction class"


def test_declared_twice() -> None:
    with pytest.raises(declared.DeclarationError, match=r"partner\.example is declared twice"):
        declared.entries([{"destination": "partner.example", "level": "may"}] * 2, None)
    with pytest.raises(declared.DeclarationError, match="declared twice"):
        declared.entries(None, [{"client": "192.0.2.1", "require": "encrypt"}, {"client": "192.0.2.1/32", "require": "encrypt"}])
