# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Stores as users name them, and the requests that come of them."""

from __future__ import annotations

import base64
import datetime as dt
import pathlib

import pytest
from ansible_collections.mailops.tls.plugins.module_utils._probe import engine
from ansible_collections.mailops.tls.plugins.plugin_utils._plan.trust.checks import (
    JVM_PLACES,
    STORE_TYPES,
    SYSTEM_STORE_PATHS,
    StoreError,
    StoreSpec,
    parse_stores,
    plan_trust,
)
from ansible_collections.mailops.tls.plugins.plugin_utils._profiles.certificates import pem_to_der
from ansible_collections.mailops.tls.plugins.plugin_utils._profiles.loader import root_catalogue, select_profiles, select_roots

TODAY = dt.date(2026, 11, 24)


def test_auto_is_the_system_store():
    assert parse_stores("auto") == (StoreSpec("system"),)
    assert parse_stores("auto")[0].label == "the system store"


def test_a_list_of_stores():
    raw = [
        {"type": "system"},
        {"type": "pem_file", "path": "/etc/x.pem"},
        {"type": "pem_directory", "path": "/etc/y", "password": None},
    ]
    assert parse_stores(raw) == (StoreSpec("system"), StoreSpec("pem_file", "/etc/x.pem"), StoreSpec("pem_directory", "/etc/y"))
    assert parse_stores([]) == ()


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        ("every", "stores: must be auto, mail, or a list of stores"),
        (None, "stores: must be auto"),
        ({"type": "system"}, "stores: must be auto"),
        (["auto"], "stores[0]: must be a mapping of type, path, password"),
        ([{}], "stores[0].type: is required: one of system, pem_file, pem_directory"),
        ([{"type": "jks"}], "stores[0].type: must be one of system, pem_file, pem_directory, java, nss, python, not 'jks'"),
        ([{"type": ["system"]}], "stores[0].type: must be one of"),
        ([{"type": "java"}], "stores[0].path: must be an absolute path on the host for type java"),
        ([{"type": "nss", "path": "sql:/x"}], "stores[0].path: must be an absolute path on the host for type nss"),
        ([{"type": "nss", "path": "/x", "password": 12345}], "stores[0].password: must be text of at most 1024 characters"),
        ([{"type": "java", "path": "/x", "password": 12345}], "stores[0].password: must be text of at most 1024 characters"),
        ([{"type": "pem_file"}], "stores[0].path: must be an absolute path on the host for type pem_file"),
        ([{"type": "pem_file", "path": "x.pem"}], "stores[0].path: must be an absolute path"),
        ([{"type": "pem_file", "path": "/x\n"}], "stores[0].path: must be an absolute path"),
        ([{"type": "system", "path": "/x"}], "stores[0].path: the system store is where the host has it"),
        ([{"type": "system", "pth": "/x"}], "stores[0]: unknown key 'pth'; did you mean path?"),
        ([{"type": "system"}, {"type": "system"}], "stores[1]: is the same as stores[0]"),
        ([{"type": "system"}] * 65, "stores: must have at most 64 items, not 65"),
    ],
)
def test_a_bad_store_is_refused_with_place_and_reason(raw, message):
    with pytest.raises(StoreError) as refused:
        parse_stores(raw)
    assert str(refused.value).startswith(message)


def test_a_password_is_in_no_message():
    with pytest.raises(StoreError) as refused:
        parse_stores([{"type": "pem_file", "path": "x", "password": "hunter2"}])
    assert "hunter2" not in str(refused.value)
    assert "hunter2" not in repr(StoreSpec("pem_file", "/x", "hunter2"))


@pytest.mark.parametrize("kind", STORE_TYPES)
def test_every_type_takes_a_password_and_only_java_needs_it_to_be_read(kind):
    """What trust_anchor is told of a store can be told here in the same words."""
    place = {"type": kind, **({} if kind == "system" else {"path": "/x"})}
    (store,) = parse_stores([{**place, "password": "hunter2"}])
    assert store.password == ("hunter2" if kind == "java" else None)
    assert store.type == kind


def test_a_store_knows_where_it_was_named():
    stores = parse_stores([{"type": "system"}, {"type": "java", "path": "/j"}])
    assert [store.index for store in stores] == [0, 1]
    assert parse_stores("auto")[0].index is None


def test_a_root_knows_where_its_certificate_was_named():
    """Of one that a profile or the catalogue knows by another id, the name that trust_anchor finds it by is kept."""
    profiles = select_profiles(["exo-digicert-g2"], today=TODAY)
    mine = {"id": "mine", "name": "Mine", "sha256": root_catalogue()["globalsign-r6"].sha256}
    roots = select_roots([{"name": "bare", "sha256": "cd" * 32}, "digicert-global-root-g2", mine, "globalsign-r1"])
    (check,) = plan_trust(profiles, roots, parse_stores("auto"))
    found = {wanted.root.id: (wanted.index, wanted.root.listed_as) for wanted in check.roots}
    assert found == {
        "digicert-global-root-g2": (None, None),
        "cd" * 8: (0, None),
        "mine": (2, "globalsign-r6"),
        "globalsign-r1": (3, None),
    }


def test_a_password_does_not_travel_to_the_host():
    stores = parse_stores([{"type": "java", "path": "/x", "password": "hunter2"}])
    (check,) = plan_trust((), select_roots(["globalsign-r1"]), stores)
    assert "hunter2" not in repr(check)
    assert check.store == stores[0]


@pytest.mark.parametrize(
    ("store", "request_"),
    [
        ({"type": "java", "path": "/j"}, {"op": "file", "paths": [*(f"/j/{place}" for place in JVM_PLACES), "/j"]}),
        ({"type": "nss", "path": "/n"}, {"op": "file", "paths": ["/n/cert9.db"]}),
        ({"type": "nss", "path": "/n/cert9.db"}, {"op": "file", "paths": ["/n/cert9.db"]}),
        ({"type": "python", "path": "/c/x[1].pem"}, {"op": "store", "paths": ["/c/x[[]1].pem"], "patterns": True}),
    ],
)
def test_how_each_type_is_read(store, request_):
    (check,) = plan_trust((), select_roots(["globalsign-r1"]), parse_stores([store]))
    assert {key: check.request.get(key) for key in request_} == request_


def test_every_root_is_asked_for_once_with_its_subject_name():
    profiles = select_profiles(["exo-digicert-g1", "exo-digicert-g2"], today=TODAY)
    twice = {
        "id": "again",
        "title": "t",
        "as_of": "2026-11-24",
        "sources": ["me"],
        "roots": ["digicert-global-root-g2"],
    }
    profiles += select_profiles([twice], today=TODAY)
    roots = select_roots(["digicert-global-root-g2", {"name": "P", "sha256": "ab" * 32}])
    (check,) = plan_trust(profiles, roots, parse_stores("auto"))
    found = [(wanted.root.id, [profile.id for profile in wanted.profiles]) for wanted in check.roots]
    assert found == [
        ("digicert-global-root-ca", ["exo-digicert-g1"]),
        ("digicert-global-root-g2", ["exo-digicert-g2", "again"]),
        ("ab" * 8, []),
    ]
    assert check.request["paths"] == list(SYSTEM_STORE_PATHS)
    assert check.request["select"]["sha256"] == sorted(wanted.root.sha256 for wanted in check.roots)
    names = [base64.b64decode(name) for name in check.request["select"]["containing"]]
    assert len(names) == 2
    for root_id in ("digicert-global-root-ca", "digicert-global-root-g2"):
        assert sum(name in pem_to_der(root_catalogue()[root_id].pem) for name in names) == 1


def test_a_root_known_by_pem_wins_over_its_bare_fingerprint():
    pin = root_catalogue()["globalsign-r6"].sha256
    (bare,) = select_roots([{"name": "bare", "sha256": "cd" * 32}])
    (known,) = select_roots(["globalsign-r6"])
    (check,) = plan_trust((), (bare, known), parse_stores("auto"))
    assert [wanted.root.pem is not None for wanted in check.roots] == [False, True]
    assert pin in check.request["select"]["sha256"]


def test_one_request_per_store_with_ids_of_its_own():
    stores = parse_stores([{"type": "pem_directory", "path": "/a"}, {"type": "pem_file", "path": "/b"}, {"type": "system"}])
    checks = plan_trust((), select_roots(["globalsign-r1"]), stores)
    assert [check.request["id"] for check in checks] == ["trust:0", "trust:1", "trust:2"]
    assert [check.request["type"] for check in checks] == ["pem_directory", "pem_file", "pem_file"]
    assert checks[0].request["paths"] == ["/a"]


def test_the_probe_takes_the_requests(tmp_path):
    (tmp_path / "x.pem").write_text(root_catalogue()["globalsign-r1"].pem, encoding="ascii")
    stores = parse_stores(
        [{"type": "pem_file", "path": str(tmp_path / "x.pem")}, {"type": "pem_directory", "path": str(tmp_path)}]
    )
    checks = plan_trust((), select_roots(["globalsign-r1"]), stores)
    answers = engine.run([check.request for check in checks])["answers"]
    assert [answer["error"] for answer in answers] == [None, None]
    assert [len(answer["blocks"]) for answer in answers] == [1, 1]


def test_the_places_of_the_system_store_are_documented_beside_them():
    source = pathlib.Path(plan_trust.__code__.co_filename).read_text(encoding="utf-8")
    for path in SYSTEM_STORE_PATHS:
        line = next(line for line in source.splitlines() if f'"{path}"' in line)
        assert "# " in line
