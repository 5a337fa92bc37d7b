# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From Microsoft's list to a profile. The list is test data in the form of the web service, shortened."""

from __future__ import annotations

import copy
import datetime as dt
import json
import pathlib
import typing as t

import jsonschema
import pytest
from ansible_collections.mailops.tls.plugins.plugin_utils._profiles.fields import Place
from ansible_collections.mailops.tls.plugins.plugin_utils._profiles.loader import select_profiles
from ansible_collections.mailops.tls.plugins.plugin_utils._profiles.model import ProfileError
from ansible_collections.mailops.tls.plugins.plugin_utils._profiles.office365 import office365_profile
from hypothesis import given
from hypothesis import strategies as st

HERE = pathlib.Path(__file__).parent
LIST = json.loads((HERE / "endpoints-worldwide.json").read_text(encoding="utf-8"))
SCHEMA = json.loads((HERE.parents[2] / "docs/schemas/profile.schema.json").read_text(encoding="utf-8"))
DAY = dt.date(2026, 11, 24)
AT = Place("endpoints.json")


def convert(document: t.Any = LIST, **options: t.Any) -> dict[str, t.Any]:
    return office365_profile(document, AT, as_of=DAY, source="Office 365 endpoints web service", **options)


def kinds(profile: dict[str, t.Any]) -> dict[str, str]:
    return {f"{item['host']}:{item['port']}": item["kind"] for item in profile["endpoints"]}


def test_the_profile_can_be_used_as_one():
    converted = convert()
    (profile,) = select_profiles([converted], today=DAY)
    assert (profile.id, profile.as_of) == ("office365-endpoints", DAY)
    assert profile.sources == ("Office 365 endpoints web service, as of 2026-11-24, records 84, 125, 157, 999",)
    assert profile.listed == tuple(converted["listed"])
    assert profile.summary()["notes"] == converted["notes"]
    jsonschema.Draft202012Validator(SCHEMA).validate(converted)


def test_hosts_of_certificate_authorities_are_checked_on_port_80():
    found = kinds(convert())
    assert set(found) == {
        *(f"{host}:80" for host in LIST[4]["urls"] if "*" not in host),
        "crl.microsoft.com:80",
        "ocsp.int-x3.letsencrypt.org:80",
    }
    assert {host for host, kind in found.items() if kind == "ocsp"} == {
        "isrg.trustid.ocsp.identrust.com:80",
        "ocsp.digicert.com:80",
        "ocsp.globalsign.com:80",
        "ocsp.int-x3.letsencrypt.org:80",
        "ocsp2.globalsign.com:80",
        "ocspx.digicert.com:80",
    }
    assert (found["cacerts.digicert.com:80"], found["mscrl.microsoft.com:80"]) == ("ca_issuers", "crl")
    assert found["secure.globalsign.com:80"] == "ca_issuers", "as the shipped profiles know it"
    assert found["www.microsoft.com:80"] == "crl"


def test_what_cannot_be_checked_or_is_assumed_is_noted():
    notes = convert()["notes"]
    for wildcard in (host for host in LIST[4]["urls"] if "*" in host):
        assert any(note.startswith(f"{wildcard} (record 125, TCP 443, 80) is a wildcard") for note in notes), wildcard
    assert any(note.startswith("www.digicert.com (record 125): the list does not say") for note in notes)
    assert not any(note.startswith("crl3.") for note in notes)
    assert "crl.only-tls.test (record 999) is listed for TCP 443, 8000-8010 only, which is not checked." in notes


def test_ports_are_those_asked_for_as_far_as_the_list_opens_them():
    found = kinds(convert(ports=(80, 443, 8005)))
    assert "crl3.digicert.com:443" in found
    assert "crl.only-tls.test:8005" in found
    assert "ocsp.int-x3.letsencrypt.org:443" not in found
    assert not any(host.startswith("cdn.") for host in found)


def test_the_whole_list_is_kept_for_comparison_on_these_ports_and_25():
    listed = convert()["listed"]
    assert {"*.entrust.net:80", "crl.microsoft.com:80", "*.mail.protection.outlook.com:25"} <= set(listed)
    assert not any(item.startswith("smtp.office365.com") for item in listed)
    assert listed == sorted(listed)


def test_another_instance_may_use_the_number_for_something_else():
    document = [
        {"id": 125, "urls": ["portal.cloud.test"], "tcpPorts": "80"},
        {"id": 7, "urls": ["crl.ca.test"], "tcpPorts": "80"},
    ]
    assert kinds(convert(document)) == {"crl.ca.test:80": "crl"}


@pytest.mark.parametrize(
    ("path", "value", "says"),
    [
        ("", {"value": []}, "endpoints.json: must be a list, not a mapping"),
        ("", [], "endpoints.json: must have 1 to"),
        ("4", "x", "endpoints.json: [4]: must be an endpoint set"),
        ("4.id", "125", "endpoints.json: [4].id: must be a whole number"),
        ("4.urls", "crl3.digicert.com", "endpoints.json: [4].urls: must be a list"),
        ("4.urls.6", "http://x/", "endpoints.json: [4].urls[6]: must be a host name"),
        ("4.urls.6", None, "endpoints.json: [4].urls[6]: must be a host name"),
        ("4.tcpPorts", 80, "endpoints.json: [4].tcpPorts: must be TCP ports"),
        ("4.tcpPorts", "80;443", "endpoints.json: [4].tcpPorts: must be TCP ports"),
        ("4.tcpPorts", "90-80", "endpoints.json: [4].tcpPorts: must be ports from 1 to 65535"),
        ("4.tcpPorts", "70000", "endpoints.json: [4].tcpPorts: must be ports from 1 to 65535"),
    ],
)
def test_a_bad_list_is_refused_with_place_and_reason(path: str, value: t.Any, says: str):
    document = copy.deepcopy(LIST)
    if path:
        *parents, last = [int(part) if part.isdigit() else part for part in path.split(".")]
        target = document
        for part in parents:
            target = target[part]
        target[last] = value
    with pytest.raises(ProfileError) as error:
        convert(document if path else value)
    assert str(error.value).startswith(says)


def test_a_list_without_certificate_authorities_is_refused():
    with pytest.raises(ProfileError, match=r"names no host of a certificate authority on TCP port 80"):
        convert(LIST[:2])


def test_notes_are_bounded():
    hosts = [f"*.crl.d{number}.test" for number in range(600)]
    profile = convert([{"id": 1, "urls": [*hosts, "crl.ca.test"], "tcpPorts": "80"}])
    assert profile["notes"][-1] == "346 more notes are left out."
    select_profiles([profile], today=DAY)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["id", "urls", "tcpPorts", "x"]), inner, max_size=4)
    ),
    max_leaves=10,
)


@given(JSON)
def test_any_json_is_a_profile_or_is_refused(document: t.Any):
    try:
        select_profiles([convert(document)], today=DAY)
    except ProfileError as error:
        assert str(error).startswith("endpoints.json")
