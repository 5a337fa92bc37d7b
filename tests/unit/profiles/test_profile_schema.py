# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The published schema and the loader say the same of good and bad profiles."""

from __future__ import annotations

import copy
import datetime as dt
import json
import pathlib

import jsonschema
import pytest
import yaml
from ansible_collections.mailops.tls.plugins.plugin_utils._profiles.loader import root_catalogue, select_profiles
from ansible_collections.mailops.tls.plugins.plugin_utils._profiles.model import ProfileError

REPOSITORY = pathlib.Path(__file__).parents[3]
SCHEMA = json.loads((REPOSITORY / "docs/schemas/profile.schema.json").read_text(encoding="utf-8"))
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)
SHIPPED = sorted((REPOSITORY / "plugins/plugin_utils/_profiles/data/profiles").glob("*.yml"))

FULL = {
    "id": "mine",
    "title": "Mine",
    "as_of": "2026-11-24",
    "sources": ["me"],
    "valid_from": "2026-01-01",
    "valid_until": "2027-01-01",
    "certificate": {"common_name": "x.example", "organization": "", "organizational_unit": None, "key_size": 2048},
    "roots": ["globalsign-r6", {"id": "r", "name": "R", "sha256": "AB:" * 31 + "AB", "not_before": "2020-01-01T00:00:00Z"}],
    "intermediates": [{"id": "i", "name": "I", "issuer": "r", "serial": "1:2", "sha1": "a" * 40}],
    "endpoints": [
        {"url": "http://crl.example/x.crl?y=1", "kind": "crl", "issuer": "i"},
        {"host": "2001:db8::1", "port": 80, "kind": "ocsp"},
    ],
    "listed": ["*.ca.example:80", "crl.example:443"],
    "notes": ["*.ca.example is a wildcard"],
}


def loads(document) -> bool:
    try:
        select_profiles([document], today=dt.date(2026, 11, 24))
    except ProfileError:
        return False
    return True


def changed(path: str, value: object) -> dict:
    """FULL with the value at a dotted path replaced, or removed for `...`."""
    document = copy.deepcopy(FULL)
    *parents, last = [int(part) if part.isdigit() else part for part in path.split(".")]
    target = document
    for part in parents:
        target = target[part]
    if value is ...:
        del target[last]
    else:
        target[last] = value
    return document


def test_the_schema_is_a_schema():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_shipped_profiles_fit_the_schema(path):
    # Dates become text again: JSON, which the schema describes, has no dates.
    VALIDATOR.validate(json.loads(json.dumps(yaml.safe_load(path.read_text(encoding="utf-8")), default=str)))


GOOD = [
    ("id", "a"),
    ("valid_from", None),
    ("valid_until", ...),
    ("certificate", None),
    ("certificate", {}),
    ("certificate.key_size", None),
    ("certificate.organization", "Übung AG"),
    ("roots", ["globalsign-r6", {"id": "r", "pem": root_catalogue()["globalsign-r3"].pem}]),
    ("roots.1.name", None),
    ("roots.1.serial", "00:ff"),
    ("roots.1.sources", ["a"]),
    ("intermediates.0.not_after", "2030-01-01"),
    ("intermediates.0.serial", None),
    ("endpoints", None),
    ("endpoints.0.url", "HTTPS://[2001:db8::1]:8080/a@b"),
    ("endpoints.0.host", None),
    ("endpoints.0.issuer", ...),
    ("endpoints.1.url", None),
    ("listed", ...),
    ("listed", None),
    ("listed.0", "AutoDiscover-*.Example.test:25"),
    ("notes", []),
]
BAD = [
    ("id", "Upper"),
    ("id", ""),
    ("id", 7),
    ("id", "-a"),
    ("id", ...),
    ("id", None),
    ("title", ...),
    ("title", "   "),
    ("title", "two\nlines"),
    ("title", "x" * 501),
    ("as_of", ...),
    ("as_of", "24.11.2026"),
    ("as_of", 20261124),
    ("as_of", "2026-11-24T00:00:00Z"),
    ("sources", []),
    ("sources", "me"),
    ("sources", [""]),
    ("sources", ["x"] * 33),
    ("valid_from", ""),
    ("surprise", 1),
    ("certificate", "x"),
    ("certificate.key_size", "2048"),
    ("certificate.key_size", 0),
    ("certificate.key_size", True),
    ("certificate.cn", "x"),
    ("roots", "globalsign-r6"),
    ("roots", ["globalsign-r6"] * 65),
    ("roots.1.sha256", "ab"),
    ("roots.1.sha256", "g" * 64),
    ("roots.1.sha256", ...),
    ("roots.1.sha256", 5),
    ("roots.1.sha1", "a" * 41),
    ("roots.1.not_before", "2020-01-01 00:00"),
    ("roots.1.pem", "no armour"),
    ("roots.1.pem", 1),
    ("roots.1.extra", 1),
    ("intermediates.0.issuer", ...),
    ("intermediates.0.name", ...),
    ("intermediates.0.serial", "0x12"),
    ("intermediates.0.serial", 12),
    ("endpoints", {}),
    ("endpoints.0", "http://crl.example/"),
    ("endpoints.0.kind", "CRL"),
    ("endpoints.0.kind", ...),
    ("endpoints.0.host", "x.example"),
    ("endpoints.0.port", 80),
    ("endpoints.0.url", ...),
    ("endpoints.0.url", "ldap://x.example/"),
    ("endpoints.0.url", "http://user:word@x.example/"),
    ("endpoints.0.url", "http:///path"),
    ("endpoints.0.url", "http://x.example/#y"),
    ("endpoints.0.url", "http://x.example/a b"),
    ("endpoints.0.url", "http://x.example/" + "a" * 2048),
    ("endpoints.0.url", "http://ex\u00e4mple/"),
    ("endpoints.1.port", ...),
    ("endpoints.1.port", 0),
    ("endpoints.1.port", 65536),
    ("endpoints.1.port", "80"),
    ("endpoints.1.host", "a b"),
    ("endpoints.1.host", "x" * 254),
    ("listed", "crl.example:80"),
    ("listed.0", "crl.example"),
    ("listed.0", "crl.example:http"),
    ("listed.0", ":80"),
    ("listed.0", "http://crl.example:80"),
    ("listed.0", {"host": "crl.example", "port": 80}),
    ("notes", "x"),
    ("notes", ["two\nlines"]),
]
# What a schema cannot say: only the loader refuses these.
BEYOND = [
    ("as_of", "2026-13-01"),
    ("valid_until", "2026-01-01"),
    ("roots", ["no-such-root"]),
    ("roots", ["globalsign-r6", "globalsign-r6"]),
    ("roots.1.id", "globalsign-r6"),
    ("roots.1.pem", root_catalogue()["globalsign-r3"].pem),
    ("intermediates", ["no-such-intermediate"]),
    ("intermediates.0.issuer", "nobody"),
    ("intermediates.0.issuer", "i"),
    ("intermediates.0.id", "r"),
    ("intermediates.0.pem", root_catalogue()["globalsign-r3"].pem),
    ("endpoints.0.issuer", "nobody"),
    ("endpoints.0.url", "http://x.example:0/"),
    ("endpoints.0.url", "http://x.example:99999/"),
    ("endpoints.0.url", "http://1.2.3/"),
    ("endpoints.1.host", "1.2.3.4.5"),
    ("endpoints.1.host", "-x.example"),
    ("listed.0", "*:80"),
    ("listed.0", "crl.example:0"),
    ("listed.0", "crl.example:65536"),
    ("endpoints", [{"url": "http://a.example/", "kind": "crl"}, {"url": "http://a.example/", "kind": "crl"}]),
]


def test_the_full_example_is_good_for_both():
    assert loads(FULL)
    VALIDATOR.validate(FULL)


@pytest.mark.parametrize(("path", "value"), GOOD)
def test_good_for_both(path, value):
    document = changed(path, value)
    VALIDATOR.validate(document)
    assert loads(document)


@pytest.mark.parametrize(("path", "value"), BAD)
def test_bad_for_both(path, value):
    document = changed(path, value)
    assert not VALIDATOR.is_valid(document)
    assert not loads(document)


@pytest.mark.parametrize(("path", "value"), BEYOND)
def test_only_the_loader_can_tell(path, value):
    document = changed(path, value)
    assert VALIDATOR.is_valid(document)
    assert not loads(document)


def test_a_profile_without_roots_and_endpoints_is_bad_for_both():
    document = {key: FULL[key] for key in ("id", "title", "as_of", "sources")}
    assert not VALIDATOR.is_valid(document)
    assert not loads(document)
    assert not loads([document])
