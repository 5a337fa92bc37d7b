# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""The options of each request: their types, defaults and bounds, and the empty answer of each operation."""

import base64
import binascii
import copy

from ansible_collections.mailops.tls.plugins.module_utils._probe.base import ProbeError

FAMILIES = ("any", "ipv4", "ipv6", "both")


def _invalid(name, why):
    return ProbeError("request", "invalid", "%s: %s" % (name, why))


def _number(low, high):
    def check(name, value):
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
            raise _invalid(name, "must be a number from %s to %s" % (low, high))
        return value

    return check


def _whole(low, high):
    number = _number(low, high)

    def check(name, value):
        if isinstance(value, float):
            raise _invalid(name, "must be a whole number")
        return number(name, value)

    return check


def _boolean(name, value):
    if not isinstance(value, bool):
        raise _invalid(name, "must be true or false")
    return value


def _text(name, value):
    if not isinstance(value, str) or not value or "\0" in value:
        raise _invalid(name, "must be a text that is not empty")
    return value


def _string(name, value):
    if not isinstance(value, str):
        raise _invalid(name, "must be a text")
    return value


def _choice(*words):
    def check(name, value):
        if value not in words:
            raise _invalid(name, "must be one of " + ", ".join(words))
        return value

    return check


def _base64(name, value):
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError, TypeError):
        raise _invalid(name, "must be base64")


def _list_of(check):
    def check_list(name, value):
        if not isinstance(value, list):
            raise _invalid(name, "must be a list")
        return [check(name, item) for item in value]

    return check_list


def _headers(name, value):
    if not isinstance(value, dict):
        raise _invalid(name, "must be a dictionary")
    for key, text in value.items():
        if not isinstance(key, str) or not isinstance(text, str):
            raise _invalid(name, "names and values must be text")
    return value


def _select(name, value):
    if not isinstance(value, dict) or set(value) - {"sha256", "containing"}:
        raise _invalid(name, "must be a dictionary of sha256 and containing")
    digests = _list_of(_text)(name, value.get("sha256") or [])
    return {
        "sha256": frozenset(digest.lower().replace(":", "") for digest in digests),
        "containing": [part for part in _list_of(_base64)(name, value.get("containing") or []) if part],
    }


def _places(name, value):
    places = _list_of(lambda key, item: item if isinstance(item, dict) else _refuse_item(key))(name, value)
    for place in places:
        if set(place) != {"type", "patterns"}:
            raise _invalid(name, "each must have type and patterns")
        _choice("java", "nss", "python")(name, place["type"])
        _list_of(_text)(name, place["patterns"])
    return places


def _chains(name, value):
    chains = _list_of(lambda key, item: item if isinstance(item, dict) else _refuse_item(key))(name, value)
    if len(chains) > 32:
        raise _invalid(name, "must be at most 32")
    return [
        {
            "id": _text(name, chain.get("id")),
            "kind": _choice("server", "ca")(name, chain.get("kind")),
            "certificate": _base64(name, chain.get("certificate")),
            "untrusted": _list_of(_base64)(name, chain.get("untrusted") or [])[:32],
        }
        for chain in chains
    ]


def _rehearsed_stores(name, value):
    stores = _list_of(lambda key, item: item if isinstance(item, dict) else _refuse_item(key))(name, value)
    return [
        {
            "id": _text(name, store.get("id")),
            "type": _choice("pem_file", "pem_directory", "java", "nss", "python")(name, store.get("type")),
            "paths": _list_of(_text)(name, store.get("paths")),
            "patterns": _boolean(name, store.get("patterns") or False),
        }
        for store in stores
    ]


def _sources(name, value):
    places = _list_of(lambda key, item: item if isinstance(item, dict) else _refuse_item(key))(name, value)
    return [
        {
            "kind": _choice("anchor", "source", "blocked", "deselected")(name, place.get("kind")),
            "path": _text(name, place.get("path")),
            "base": _text(name, place.get("base") or "/"),
            "depth": _whole(1, 3)(name, place.get("depth") or 1),
        }
        for place in places
    ]


def _verifying_stores(name, value):
    stores = _list_of(lambda key, item: item if isinstance(item, dict) else _refuse_item(key))(name, value)
    if len(stores) > 16:
        raise _invalid(name, "must be at most 16")
    paths = ("ca_file", "ca_path")
    return [
        dict({key: None if store.get(key) is None else _text(name, store[key]) for key in paths}, id=_text(name, store.get("id")))
        for store in stores
    ]


def _refuse_item(name):
    raise _invalid(name, "must be a list of dictionaries")


REQUIRED = object()
_ROUTE = {
    "timeout": (_number(0.01, 300), 5),
    "family": (_choice(*FAMILIES), "any"),
    "proxy": (_text, "environment"),
    "proxy_authorization": (_text, None),
}
_PEER = {"host": (_text, REQUIRED), "port": (_whole(1, 65535), REQUIRED)}
_EXCHANGE = {"proxy": None, "hops": []}

SPECS = {
    "fetch": dict(
        _ROUTE,
        url=(_text, REQUIRED),
        method=(_choice("GET", "HEAD", "POST"), "GET"),
        body=(_base64, None),
        headers=(_headers, {}),
        max_bytes=(_whole(0, 1 << 30), 10485760),
        each_address=(_boolean, False),
        max_redirects=(_whole(0, 20), 5),
        ca_path=(_text, None),
    ),
    "connect": dict(_ROUTE, each_address=(_boolean, False), **_PEER),
    "chain": dict(
        _ROUTE,
        starttls=(_choice("smtp"), None),
        server_name=(_text, None),
        ehlo_name=(_text, None),
        system_store=(_boolean, False),
        **_PEER,
    ),
    "smtp": {
        "domain": (_text, None),
        "host": (_text, None),
        "port": (_whole(1, 65535), 25),
        "implicit_tls": (_boolean, False),
        "each_address": (_boolean, True),
        "max_addresses": (_whole(1, 256), 16),
        "address_family": (_choice(*FAMILIES), "any"),
        "ehlo_name": (_text, None),
        "client_certificate": (_text, None),
        "client_key": (_text, None),
        "check_plaintext": (_boolean, False),
        "sender": (_string, None),
        "recipient": (_text, None),
        "stores": (_verifying_stores, []),
        "dane": (_boolean, True),
        "timeout": (_number(0.01, 300), 5),
    },
    "store": {
        "type": (_choice("pem_file", "pem_directory"), REQUIRED),
        "paths": (_list_of(_text), REQUIRED),
        "patterns": (_boolean, False),
        "select": (_select, {"sha256": frozenset(), "containing": []}),
        "max_bytes": (_whole(1, 1 << 30), 8388608),
    },
    "discover": {
        "places": (_places, []),
        "main_cf": (_text, None),
        "environment": (_boolean, True),
        "programs": (_boolean, False),
        "interpreters": (_boolean, False),
        "gitconfig": (_text, None),
        "select": (_select, {"sha256": frozenset(), "containing": []}),
        "max_bytes": (_whole(1, 1 << 30), 8388608),
    },
    "identity": {
        "certificate": (_text, None),
        "key": (_text, None),
        "main_cf": (_text, None),
        "timeout": (_number(0.01, 300), 5),
    },
    "rehearse": {
        "chains": (_chains, REQUIRED),
        "stores": (_rehearsed_stores, REQUIRED),
        "main_cf": (_text, None),
        "timeout": (_number(0.01, 300), 5),
    },
    "sources": {
        "places": (_sources, REQUIRED),
        "tools": (_list_of(_text), []),
        "select": (_select, {"sha256": frozenset(), "containing": []}),
    },
    "file": {
        "paths": (_list_of(_text), REQUIRED),
        "max_bytes": (_whole(1, 1 << 30), 8388608),
    },
}

SHAPES = {
    "fetch": dict(_EXCHANGE, body=None, body_bytes=0),
    "connect": _EXCHANGE,
    "chain": dict(_EXCHANGE, trust=None),
    "smtp": {"ok": False, "mx": None, "hosts": [], "paths": [], "certificates": {}, "truncated": False},
    "store": {
        "path": None,
        "real_path": None,
        "size": None,
        "modified": None,
        "sha256": None,
        "certificates": [],
        "blocks": [],
        "skipped": [],
        "skipped_count": 0,
        "files": None,
    },
    "discover": {"stores": [], "postfix": None, "programs": None, "own_passwords": [], "truncated": False},
    "identity": {"identities": [], "postfix": None, "truncated": False},
    "rehearse": {"results": [], "appends_default": None},
    "sources": {"found": [], "problems": [], "tools": []},
    "file": {"path": None, "real_path": None, "size": None, "modified": None, "sha256": None, "data": None},
}


def empty_answer(op):
    """The fields of an answer to `op` before anything is known (dict)."""
    return {key: copy.copy(value) for key, value in SHAPES[op].items()}


def read_options(request):
    """The checked options of a request (dict). A null stands for the default. Raises ProbeError."""
    spec = SPECS[request["op"]]
    for name in sorted(str(name) for name in request):
        if name not in spec and name not in ("id", "op"):
            raise ProbeError("request", "unsupported", "unknown option " + name)
    options = {}
    for name, (check, default) in spec.items():
        value = request.get(name)
        if value is None:
            if default is REQUIRED:
                raise _invalid(name, "is required")
            options[name] = default
        else:
            options[name] = check(name, value)
    return options
