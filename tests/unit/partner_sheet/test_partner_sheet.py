# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The document for partners: what is in it, and that text of others stays text."""

from __future__ import annotations

import datetime as dt
import html.parser
import typing as t

import pytest
from ansible_collections.mailops.tls.plugins.plugin_utils._partner_sheet.content import Sheet, build_sheet
from ansible_collections.mailops.tls.plugins.plugin_utils._partner_sheet.render import render_html, render_markdown
from ansible_collections.mailops.tls.plugins.plugin_utils._partner_sheet.wire import names_on_wire, served_certificates
from ansible_collections.mailops.tls.plugins.plugin_utils._profiles.loader import shipped_profiles

EVIL = "<script>alert(1)</script> | `x` \u202e"


def sheet(today: dt.date = dt.date(2026, 11, 24), **options: t.Any) -> Sheet:
    settings: dict[str, t.Any] = {
        "title": "Data for partners",
        "domains": ["example.com"],
        "certificate_name": "mail.example.com",
        "partner_domains": ["partner.example"],
        **options,
    }
    served = settings.pop("served", [])
    return build_sheet(list(shipped_profiles().values()), served, today=today, **settings)


def settings_text(one: Sheet) -> str:
    return "\n".join(setting.text for setting in one.settings)


class Checker(html.parser.HTMLParser):
    """Counts elements, and notices those that are left open."""

    VOID = frozenset({"meta", "link", "br"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: t.Any) -> None:  # noqa: ARG002 - the signature of the base
        self.seen.append(tag)
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def parsed(content: bytes) -> Checker:
    checker = Checker()
    checker.feed(content.decode())
    assert checker.open == []
    return checker


@pytest.mark.parametrize(
    ("day", "statuses"),
    [
        ("2018-08-01", {"exo-baltimore": "current", "exo-globalsign-r1": "coming"}),
        ("2019-01-01", {"exo-baltimore": "deprecated", "exo-globalsign-r1": "current"}),
        ("2026-03-01", {"exo-globalsign-r1": "deprecated", "exo-digicert-g1": "current", "exo-digicert-g2": "coming"}),
        ("2026-11-24", {"exo-digicert-g1": "current", "exo-digicert-g2": "current"}),
    ],
)
def test_generations_have_their_place_in_time(day: str, statuses: dict[str, str]) -> None:
    found = {one.profile: one.status for one in sheet(dt.date.fromisoformat(day)).generations}
    assert {profile: found[profile] for profile in statuses} == statuses


def test_the_table_of_the_article_of_2018() -> None:
    current = next(one for one in sheet(dt.date(2019, 1, 1)).generations if one.status == "current")
    assert dict(current.attributes) == {
        "CA root issuer": "GlobalSign Root CA - R1",
        "Certificate name": "mail.protection.outlook.com",
        "Organization": "Microsoft Corporation",
        "Organizational unit": "empty",
        "Key strength": "2048 bits",
    }


def test_what_to_open_leaves_out_what_is_no_longer_served() -> None:
    hosts = {item.host for item in sheet().destinations}
    assert "crl3.digicert.com" in hosts
    assert not any("globalsign" in host for host in hosts)


@pytest.mark.parametrize("render", [render_markdown, render_html])
def test_both_forms_hold_the_data(render: t.Callable[[Sheet], bytes]) -> None:
    content = render(sheet()).decode()
    text = parsed(content.encode()).text if render is render_html else content
    for expected in (
        "CB3CCBB76031E5E0138F8DD39A23F9DE47FFC35E43C1144CEA27D46A5AB1CB5F",
        "example.com secure match=mail.protection.outlook.com:.mail.protection.outlook.com",
        "-TlsSenderCertificateName '*.partner.example'",
        "ocsp.digicert.com",
        "No connection was looked at",
    ):
        assert expected in text


def test_text_of_others_stays_text() -> None:
    entry = {
        "host": "mx1",
        "result": {
            "paths": [{"host": "mx.test", "chain": [{"sha256": "ab" * 32, "subject": EVIL, "issuer": EVIL, "not_after": "x"}]}]
        },
    }
    served = served_certificates([entry])
    page = render_html(sheet(title=EVIL, served=served))
    assert "script" not in parsed(page).seen
    markdown = render_markdown(sheet(title=EVIL, served=served)).decode()
    assert "<script>" not in markdown
    row = next(line for line in markdown.splitlines() if "ABAB" in line)
    assert row.replace("\\|", "").count("|") == 6


def test_certificates_on_the_wire_are_gathered() -> None:
    def path(server: str, fingerprint: str) -> dict[str, t.Any]:
        return {"host": server, "chain": [{"sha256": fingerprint * 32, "subject": "CN=s", "issuer": "CN=i", "not_after": "z"}]}

    entries = [
        {"host": "a", "result": {"paths": [path("mx1", "aa"), path("mx2", "bb")]}},
        {"host": "b", "result": {"paths": [path("mx1", "aa"), {"chain": []}, "junk", {"chain": [{"sha256": 5}]}]}},
        {"host": "c", "result": None},
        {"host": "d", "result": {"paths": "junk"}},
    ]
    assert [(one.sha256[:2], one.servers, one.hosts) for one in served_certificates(entries)] == [
        ("AA", ("mx1",), ("a", "b")),
        ("BB", ("mx2",), ("a",)),
    ]


def seen(
    server: str, *names: str, domain: str | None = "example.com", trusted: bool | None = True, matched: str | None = None
) -> dict[str, t.Any]:
    """A path as smtp_tls_info returns it; the last name is the common name."""
    listed = [{"field": "CN" if number == len(names) else "SAN", "value": name} for number, name in enumerate(names, start=1)]
    chain = [{"sha256": "ab" * 32, "names": listed}] if names else []
    name = {"reference": server, "matched": matched is not None, "field": "SAN" if matched else None, "value": matched}
    return {"domain": domain, "host": server, "chain": chain, "trusted": trusted, "name": name if names else None}


def from_wire(*paths: t.Any, **options: t.Any) -> Sheet:
    return sheet(seen=names_on_wire([{"host": "a", "result": {"paths": list(paths)}}]), **options)


TENANT = "tenant.a-v1.mx.microsoft"


def test_names_below_mx_microsoft_are_those_seen() -> None:
    one = from_wire(seen(TENANT, "*.a-v1.mx.microsoft", "mx.microsoft", matched="*.a-v1.mx.microsoft"))
    text = settings_text(one)
    assert "example.com secure match=a-v1.mx.microsoft:.a-v1.mx.microsoft\n" in text + "\n"
    assert "-TlsDomain '*.a-v1.mx.microsoft'" in text
    assert "mail.protection.outlook.com" not in text
    assert one.comparisons[0].note == (
        f"example.com: a-v1.mx.microsoft, as presented by {TENANT}. The profiles say mail.protection.outlook.com."
    )
    for render in (render_markdown, render_html):
        assert "The profiles say mail" in render(one).decode().replace("\\", "")


def test_what_the_profile_says_and_the_wire_confirms_stays() -> None:
    server = "example-com.mail.protection.outlook.com"
    wild = "*.mail.protection.outlook.com"
    one = from_wire(seen(server, wild, "mail.protection.outlook.com", matched=wild))
    assert settings_text(one) == settings_text(sheet())
    assert one.comparisons[0].note == f"example.com: mail.protection.outlook.com, as presented by {server}."


def test_without_a_certificate_the_name_of_the_server_counts() -> None:
    one = from_wire(seen(TENANT))
    assert f"match={TENANT}:.{TENANT}" in settings_text(one)
    assert "no certificate was seen" in one.comparisons[0].note


def test_where_nothing_was_seen_the_sheet_says_so() -> None:
    one = from_wire(seen("mx.partner.test", "mx.partner.test", domain="partner.test", matched="mx.partner.test"))
    assert "match=mail.protection.outlook.com:" in settings_text(one)
    assert "No server was seen" in one.comparisons[0].note


def test_each_domain_has_its_own_names() -> None:
    one = from_wire(
        seen(TENANT, "*.a-v1.mx.microsoft", matched="*.a-v1.mx.microsoft"),
        seen("mx.example.org", "mx.example.org", domain="example.org", matched="mx.example.org"),
        domains=["example.com", "Example.ORG", "example.net"],
    )
    text = settings_text(one)
    assert "Example.ORG secure match=mx.example.org\n" in text
    # What was reached for another domain of Exchange Online is better than what a profile says.
    assert "example.net secure match=a-v1.mx.microsoft:.a-v1.mx.microsoft" in text
    assert "-AddressSpaces 'example.com', 'example.net'" in text
    assert text.count("New-SendConnector") == 2


def test_a_wildcard_is_for_what_is_below_it() -> None:
    text = settings_text(from_wire(seen("mx.example.org", "*.example.org", matched="*.example.org")))
    assert "example.com secure match=.example.org\n" in text
    assert "-TlsDomain '*.example.org'" in text


def test_half_of_the_servers_have_another_name() -> None:
    one = from_wire(
        seen(TENANT, "*.a-v1.mx.microsoft", matched="*.a-v1.mx.microsoft"),
        seen("b." + TENANT, "mail.protection.outlook.com"),
    )
    match = "match=a-v1.mx.microsoft:.a-v1.mx.microsoft:mail.protection.outlook.com:.mail.protection.outlook.com"
    assert match in settings_text(one)
    assert "A connector of Exchange takes one name" in one.comparisons[0].note


@pytest.mark.parametrize("trusted", [False, None])
def test_somebody_in_between_does_not_get_into_configurations(trusted: bool | None) -> None:
    one = from_wire(seen("example-com.mail.protection.outlook.com", "evil.test", trusted=trusted))
    assert "evil.test" not in settings_text(one)
    assert "evil.test was presented too" in one.comparisons[0].note


def test_what_is_no_name_is_passed_over() -> None:
    for name in ("a b", "x; reject", "'", "", "*.", 7, None, "a\nb"):
        path = {**seen(TENANT, "x.test"), "chain": [{"names": [{"field": "SAN", "value": name}, "junk", {}]}], "name": name}
        assert [item.presented for item in names_on_wire([{"result": {"paths": [path, name]}}])] == [False]
    assert names_on_wire([{"result": {"paths": [{"host": "a b"}, {"host": None}]}}, {"result": 7}, {}]) == []
