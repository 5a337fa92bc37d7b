# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""Profiles, roots, intermediates and endpoints, read from plain data by tables of fields."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.mailops.tls.plugins.plugin_utils._profiles import fields as f
from ansible_collections.mailops.tls.plugins.plugin_utils._profiles.certificates import (
    MAX_PEM,
    CertificateData,
    read_pem,
    signed_by,
)
from ansible_collections.mailops.tls.plugins.plugin_utils._profiles.fields import Field, Place
from ansible_collections.mailops.tls.plugins.plugin_utils._profiles.model import (
    CertificateFacts,
    Endpoint,
    Intermediate,
    Profile,
    Root,
)

MAX_ROOTS: t.Final = 64
MAX_INTERMEDIATES: t.Final = 256
MAX_ENDPOINTS: t.Final = 256
MAX_SOURCES: t.Final = 32
MAX_LISTED: t.Final = 4096
MAX_NOTES: t.Final = 256

Roots = t.Mapping[str, Root]
Intermediates = t.Mapping[str, Intermediate]


def _pem_text(value: t.Any, at: Place) -> str:
    if not isinstance(value, str) or len(value) > MAX_PEM:
        raise at.refuse(f"must be PEM text of at most {MAX_PEM} characters")
    return value


_SOURCES = f.listing(f.text, at_most=MAX_SOURCES, at_least=1)

ROOT_FIELDS: t.Final = {
    "id": Field(f.identifier),
    "name": Field(f.text),
    "sha256": Field(f.fingerprint(64)),
    "sha1": Field(f.fingerprint(40)),
    "serial": Field(f.serial),
    "key": Field(f.text),
    "not_before": Field(f.instant),
    "not_after": Field(f.instant),
    "pem": Field(_pem_text),
    "as_of": Field(f.date),
    "sources": Field(_SOURCES),
}
INTERMEDIATE_FIELDS: t.Final = {
    "id": Field(f.identifier, required=True),
    "name": Field(f.text, required=True),
    "issuer": Field(f.identifier, required=True),
    "serial": Field(f.serial),
    "sha256": Field(f.fingerprint(64)),
    "sha1": Field(f.fingerprint(40)),
    "not_before": Field(f.instant),
    "not_after": Field(f.instant),
    "pem": Field(_pem_text),
}
ENDPOINT_FIELDS: t.Final = {
    "url": Field(f.url),
    "host": Field(f.host),
    "port": Field(f.number(1, 65535)),
    "kind": Field(f.one_of("crl", "ocsp", "ca_issuers"), required=True),
    "issuer": Field(f.identifier),
}
CERTIFICATE_FIELDS: t.Final = {
    "common_name": Field(f.text),
    "organization": Field(f.text_or_empty),
    "organizational_unit": Field(f.text_or_empty),
    "key_size": Field(f.number(1, 65536)),
}


def read_root(value: t.Any, at: Place, catalogue: Roots) -> Root:
    """A root by catalogue id, or a mapping with a pin: `sha256`, a `pem`, or both. `id` defaults to what it is pinned to."""
    if isinstance(value, str):
        if value not in catalogue:
            raise at.refuse(_unknown("root", value, catalogue))
        return catalogue[value]
    raw = f.mapping(value, at, ROOT_FIELDS)
    data = read_pem(raw["pem"], at.key("pem")) if raw["pem"] else None
    _check_against(raw, data, at)
    sha256 = raw["sha256"] or (data.sha256 if data else None)
    if sha256 is None:
        raise at.refuse("needs sha256 or pem: a root is pinned by its fingerprint, never by its name")
    known = next((root for root in catalogue.values() if root.sha256 == sha256), None)
    root_id = raw["id"] or (known.id if known else sha256[:16])
    if root_id in catalogue and catalogue[root_id].sha256 != sha256:
        raise at.key("id").refuse(f"{root_id} is another root in the catalogue, with the SHA-256 {catalogue[root_id].sha256}")
    if known:
        _check_known(raw, known, at)
        return dataclasses.replace(known, id=root_id, name=raw["name"] or known.name, listed_as=known.id)
    filled = _filled(raw, data)
    filled.update(
        id=root_id, sha256=sha256, name=raw["name"] or (data.subject if data else root_id), sources=raw["sources"] or ()
    )
    return Root(**filled)


def _unknown(what: str, value: str, catalogue: t.Mapping[str, t.Any]) -> str:
    return f"no {what} {f.show(value)} in the catalogue{f.suggest(value, catalogue)} (known: {', '.join(sorted(catalogue))})"


def _check_known(raw: dict[str, t.Any], known: Root, at: Place) -> None:
    for name in ("sha1", "serial", "key", "not_before", "not_after"):
        if raw[name] is not None and raw[name] != getattr(known, name):
            raise at.key(name).refuse(
                f"is {f.show(str(raw[name]))}, but the catalogue's certificate of this SHA-256 says {getattr(known, name)}"
            )


def _check_against(raw: dict[str, t.Any], data: CertificateData | None, at: Place) -> None:
    """Whatever is said of a certificate beside its PEM must be true of it."""
    for name in ("sha256", "sha1", "serial", "key", "not_before", "not_after"):
        said = raw.get(name)
        if data is not None and said is not None and said != getattr(data, name):
            raise at.key(name).refuse(f"is {said}, but the certificate in pem has {getattr(data, name)}")


def _filled(raw: dict[str, t.Any], data: CertificateData | None) -> dict[str, t.Any]:
    """What is not said is taken from the certificate, and its PEM is kept in normal form."""
    if data is None:
        return dict(raw)
    return {name: value if value is not None else getattr(data, name, None) for name, value in {**raw, "pem": data.pem}.items()}


def read_intermediate(value: t.Any, at: Place, catalogue: Intermediates) -> Intermediate:
    """An intermediate by catalogue id, or a mapping."""
    if isinstance(value, str):
        if value not in catalogue:
            raise at.refuse(_unknown("intermediate", value, catalogue))
        return catalogue[value]
    raw = f.mapping(value, at, INTERMEDIATE_FIELDS)
    data = read_pem(raw["pem"], at.key("pem")) if raw["pem"] else None
    _check_against(raw, data, at)
    return Intermediate(**_filled(raw, data))


def read_endpoint(value: t.Any, at: Place) -> Endpoint:
    """An endpoint: `url`, or `host` and `port`, never both."""
    raw = f.mapping(value, at, ENDPOINT_FIELDS)
    if (raw["url"] is None) == (raw["host"] is None):
        raise at.refuse("needs either url, or host and port" + (", not both" if raw["url"] else ""))
    if (raw["host"] is None) != (raw["port"] is None):
        raise at.key("port").refuse("goes with host" if raw["url"] else "is required with host")
    return Endpoint(**raw)


def read_profile(value: t.Any, at: Place, roots: Roots, intermediates: Intermediates) -> Profile:
    """A profile, complete and consistent in itself. Raises ProfileError with the place and the reason."""
    raw = f.mapping(value, at, _profile_fields(roots, intermediates))
    lists = {name: raw[name] or () for name in ("roots", "intermediates", "endpoints", "listed", "notes")}
    if not lists["roots"] and not lists["endpoints"]:
        raise at.refuse("has neither roots nor endpoints, so there is nothing to check")
    if raw["valid_from"] and raw["valid_until"] and raw["valid_from"] >= raw["valid_until"]:
        raise at.key("valid_until").refuse(f"must be after valid_from ({raw['valid_from']}), not {raw['valid_until']}")
    _check_unique(lists["roots"], at.key("roots"), ("id", "sha256"))
    _check_unique(lists["intermediates"], at.key("intermediates"), ("id",))
    _check_unique(lists["endpoints"], at.key("endpoints"), ("kind_name",))
    _check_issuers(lists, at)
    return Profile(**{**raw, **lists, "certificate": raw["certificate"] or CertificateFacts()})


def _profile_fields(roots: Roots, intermediates: Intermediates) -> dict[str, Field]:
    return {
        "id": Field(f.identifier, required=True),
        "title": Field(f.text, required=True),
        "as_of": Field(f.date, required=True),
        "sources": Field(_SOURCES, required=True),
        "valid_from": Field(f.date),
        "valid_until": Field(f.date),
        "certificate": Field(lambda value, at: CertificateFacts(**f.mapping(value, at, CERTIFICATE_FIELDS))),
        "roots": Field(f.listing(lambda value, at: read_root(value, at, roots), at_most=MAX_ROOTS)),
        "intermediates": Field(
            f.listing(lambda value, at: read_intermediate(value, at, intermediates), at_most=MAX_INTERMEDIATES)
        ),
        "endpoints": Field(f.listing(read_endpoint, at_most=MAX_ENDPOINTS)),
        "listed": Field(f.listing(f.listed_host, at_most=MAX_LISTED)),
        "notes": Field(f.listing(f.text, at_most=MAX_NOTES)),
    }


def _check_unique(items: t.Sequence[t.Any], at: Place, names: tuple[str, ...]) -> None:
    for name in names:
        seen: dict[str, int] = {}
        for index, item in enumerate(items):
            value = f"{item.kind} {item.name}" if name == "kind_name" else getattr(item, name)
            if value in seen:
                raise at.item(index).refuse(f"repeats {value} of {at.item(seen[value]).path}")
            seen[value] = index


def _check_issuers(lists: t.Mapping[str, t.Any], at: Place) -> None:
    """Every issuer named is in the profile, chains of issuers end, and a PEM is really signed by its issuer's."""
    authorities = {item.id: item for item in (*lists["roots"], *lists["intermediates"])}
    root_ids = {root.id for root in lists["roots"]}
    for kind in ("intermediates", "endpoints"):
        for index, item in enumerate(lists[kind]):
            here = at.key(kind).item(index)
            if kind == "intermediates" and item.id in root_ids:
                raise here.key("id").refuse(f"{item.id} is a root of this profile")
            if item.issuer is not None and item.issuer not in authorities:
                raise here.key("issuer").refuse(
                    f"no root or intermediate {item.issuer} in this profile{f.suggest(item.issuer, authorities)}"
                )
    for index, item in enumerate(lists["intermediates"]):
        here = at.key("intermediates").item(index)
        _check_chain_ends(item, authorities, here)
        issuer = authorities[item.issuer]
        if item.pem and issuer.pem and signed_by(read_pem(item.pem, here), read_pem(issuer.pem, here)) is False:
            raise here.key("pem").refuse(f"is not signed by {item.issuer}")


def _check_chain_ends(item: Intermediate, authorities: t.Mapping[str, Root | Intermediate], at: Place) -> None:
    seen = {item.id}
    current: Root | Intermediate = authorities[item.issuer]
    while isinstance(current, Intermediate):
        if current.id in seen:
            raise at.key("issuer").refuse("goes round in a circle and never reaches a root")
        seen.add(current.id)
        current = authorities[current.issuer]
