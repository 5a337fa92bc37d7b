# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""The shipped catalogue of roots and profiles, and the selection of what a run uses.

The only I/O is reading the data files beside this module and the files a user names.
"""

from __future__ import annotations

import datetime as dt
import functools
import os
import pathlib
import types
import typing as t

from ansible_collections.mailops.tls.plugins.plugin_utils._profiles import fields as f
from ansible_collections.mailops.tls.plugins.plugin_utils._profiles.documents import read_document
from ansible_collections.mailops.tls.plugins.plugin_utils._profiles.fields import Field, Place
from ansible_collections.mailops.tls.plugins.plugin_utils._profiles.model import Intermediate, Profile, ProfileError, Root
from ansible_collections.mailops.tls.plugins.plugin_utils._profiles.reader import read_intermediate, read_profile, read_root

MAX_SELECTED: t.Final = 64

_DATA: t.Final = pathlib.Path(__file__).parent / "data"
_SUFFIXES: t.Final = (".yml", ".yaml", ".json")


@functools.lru_cache(maxsize=1)
def root_catalogue() -> t.Mapping[str, Root]:
    """Every root this collection knows, by id, each with the PEM that matches its pin."""
    at = Place("catalogue of roots")
    entries = _entries(_DATA / "roots.yml", "roots", at)
    roots = {}
    for index, entry in enumerate(entries):
        pem = (_DATA / "roots" / f"{entry['id']}.pem").read_text(encoding="ascii")
        root = read_root({**entry, "pem": pem}, at.key("roots").item(index), {})
        roots[root.id] = root
    return types.MappingProxyType(roots)


@functools.lru_cache(maxsize=1)
def intermediate_catalogue() -> t.Mapping[str, Intermediate]:
    """Every intermediate this collection knows, by id."""
    at = Place("catalogue of intermediates")
    entries = _entries(_DATA / "intermediates.yml", "intermediates", at)
    read = [read_intermediate(entry, at.key("intermediates").item(index), {}) for index, entry in enumerate(entries)]
    return types.MappingProxyType({intermediate.id: intermediate for intermediate in read})


@functools.lru_cache(maxsize=1)
def shipped_profiles() -> t.Mapping[str, Profile]:
    """The profiles of this collection, by id, oldest window first."""
    paths = sorted((_DATA / "profiles").glob("*.yml"))
    profiles = [_load_profile(str(path), Place(f"shipped profile {path.name}")) for path in paths]
    profiles.sort(key=lambda profile: (profile.valid_from or dt.date.min, profile.id))
    return types.MappingProxyType({profile.id: profile for profile in profiles})


def _entries(path: pathlib.Path, key: str, at: Place) -> tuple[t.Any, ...]:
    anything: Field = Field(f.listing(lambda value, _at: value, at_most=1000), required=True)
    return t.cast("tuple[t.Any, ...]", f.mapping(read_document(str(path), at), at, {key: anything})[key])


def select_profiles(
    selection: t.Sequence[str | t.Mapping[str, t.Any]] | None, *, today: dt.date, base_dir: str | None = None
) -> tuple[Profile, ...]:
    """The profiles a run uses, in the order given.

    `None` selects the shipped ones whose window includes `today`, and the announced next: those with the earliest
    `valid_from` after it. Items are ids of shipped profiles, paths to YAML or JSON files (anything with a separator or one
    of the endings .yml, .yaml, .json; relative to `base_dir`), or mappings. Raises ProfileError.
    """
    if selection is None:
        return _default_profiles(today)
    at = Place("profiles")
    selected: list[Profile] = []
    for index, item in enumerate(_selection(selection, at)):
        profile = _select_profile(item, index, base_dir)
        same = next((number for number, other in enumerate(selected) if other.id == profile.id), None)
        if same is not None:
            raise ProfileError(f"profiles[{index}]: the profile {profile.id} is already selected by profiles[{same}]")
        selected.append(profile)
    return tuple(selected)


def _default_profiles(today: dt.date) -> tuple[Profile, ...]:
    profiles = shipped_profiles().values()
    coming = [profile.valid_from for profile in profiles if profile.valid_from and profile.valid_from > today]
    following = min(coming, default=None)
    return tuple(profile for profile in profiles if profile.in_force(today) or (following and profile.valid_from == following))


def _select_profile(item: t.Any, index: int, base_dir: str | None) -> Profile:
    if isinstance(item, t.Mapping):
        return read_profile(item, Place(f"profiles[{index}] (inline)"), root_catalogue(), intermediate_catalogue())
    if not isinstance(item, str):
        raise ProfileError(f"profiles[{index}]: must be the id of a profile, the path of a file or a mapping, not {f.show(item)}")
    if is_path(item):
        place = Place(f"profiles[{index}] ({item if item.isprintable() and len(item) <= 200 else f.show(item)})")
        return _load_profile(str(pathlib.Path(base_dir or "", os.path.expanduser(item))), place)  # noqa: PTH111 - keeps ~ of unknown users
    shipped = shipped_profiles()
    if item not in shipped:
        raise ProfileError(
            f"profiles[{index}]: no shipped profile {f.show(item)}{f.suggest(item, shipped)}"
            f" (shipped: {', '.join(shipped)}; a file needs a / or one of the endings {', '.join(_SUFFIXES)})"
        )
    return shipped[item]


def is_path(item: str) -> bool:
    """Whether an item of a selection names a file rather than a shipped profile."""
    return "/" in item or "\\" in item or item.lower().endswith(_SUFFIXES)


def _load_profile(path: str, at: Place) -> Profile:
    return read_profile(read_document(path, at), at, root_catalogue(), intermediate_catalogue())


def select_roots(selection: t.Sequence[str | t.Mapping[str, t.Any]]) -> tuple[Root, ...]:
    """Roots named beside the profiles: catalogue ids, or mappings of a name and a pin (`sha256`, `pem` or both).

    Raises ProfileError, also for two items with the same id or the same fingerprint.
    """
    catalogue = root_catalogue()
    selected: list[Root] = []
    for index, item in enumerate(_selection(selection, Place("roots"))):
        at = Place(f"roots[{index}]")
        if not isinstance(item, (str, t.Mapping)):
            raise at.refuse(f"must be the id of a root or a mapping of name and sha256 or pem, not {f.show(item)}")
        root = read_root(item, at, catalogue)
        same = next((n for n, other in enumerate(selected) if root.id == other.id or root.sha256 == other.sha256), None)
        if same is not None:
            raise at.refuse(f"the root {root.id} is already selected by roots[{same}]")
        selected.append(root)
    return tuple(selected)


def _selection(selection: t.Any, at: Place) -> tuple[t.Any, ...]:
    return f.listing(lambda value, _at: value, at_most=MAX_SELECTED)(selection, at)
