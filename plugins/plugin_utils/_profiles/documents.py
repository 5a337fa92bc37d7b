# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""Read a YAML or JSON file of unknown origin into plain data, within bounds.

YAML here is its plain core: mappings, lists, text, whole numbers, true, false and null. Everything that makes a YAML
document dangerous or ambiguous is refused or stays text: tags, aliases (the "billion laughs"), merge keys, dates, octal and
base-60 numbers.
"""

from __future__ import annotations

import json
import os
import re
import stat
import typing as t

import yaml
from ansible_collections.mailops.tls.plugins.plugin_utils._profiles.fields import Place, show
from ansible_collections.mailops.tls.plugins.plugin_utils._profiles.model import ProfileError

MAX_BYTES: t.Final = 1024 * 1024
MAX_DEPTH: t.Final = 20
# Newer releases of libyaml have a limit of their own, which its scanner can reach before the composer sees a node.
_LIBYAML_DEPTH: t.Final = "exceeded maximum nesting depth"

_TAG = "tag:yaml.org,2002:"


def read_document(path: str, at: Place) -> t.Any:
    """The data in the file. Raises ProfileError for a file that cannot be read, is too large or is malformed."""
    decoded = decode(read_bounded(path, at), at)
    return parse_json(decoded, at) if path.lower().endswith(".json") else parse_yaml(decoded, at)


def decode(content: bytes, at: Place) -> str:
    """UTF-8 text. The byte order mark that Windows editors put in front is not content. Raises ProfileError."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise at.refuse(f"is not UTF-8 text: {error.reason} at byte {error.start}") from None


def read_bounded(path: str, at: Place, limit: int = MAX_BYTES) -> bytes:
    """The content of a regular file of at most `limit` bytes. Raises ProfileError."""
    try:
        # O_NONBLOCK: opening a FIFO must not wait for a writer.
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        with os.fdopen(descriptor, "rb") as stream:
            if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
                raise at.refuse("is not a regular file")
            content = stream.read(limit + 1)
    except ProfileError:
        raise
    except (OSError, ValueError) as error:
        raise at.refuse(f"cannot be read: {getattr(error, 'strerror', None) or 'not a usable path'}") from None
    if len(content) > limit:
        raise at.refuse(f"is larger than {limit} bytes")
    return content


def parse_json(document: str, at: Place) -> t.Any:
    """JSON with unique keys."""

    def unique(pairs: list[tuple[str, t.Any]]) -> dict[str, t.Any]:
        result: dict[str, t.Any] = {}
        for key, value in pairs:
            if key in result:
                raise at.refuse(f"the key {show(key)} appears twice in one object")
            result[key] = value
        return result

    try:
        return json.loads(document, object_pairs_hook=unique)
    except ProfileError:
        raise
    except json.JSONDecodeError as error:
        raise at.refuse(f"is not JSON: {error.msg} at line {error.lineno}, column {error.colno}") from None
    except RecursionError:
        raise at.refuse("is nested too deeply") from None
    except ValueError:
        raise at.refuse("holds a number of too many digits") from None


def parse_yaml(document: str, at: Place) -> t.Any:
    """YAML of one document, plain core only, with unique keys."""
    try:
        return _load(document)
    except yaml.MarkedYAMLError as error:
        if _LIBYAML_DEPTH in (error.problem or ""):
            raise at.refuse("is nested too deeply") from None
        mark = error.problem_mark or error.context_mark
        where = f" at line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        said = ", ".join(part for part in (error.context, error.problem) if part)
        raise at.refuse(f"is not accepted as YAML: {said}{where}") from None
    except yaml.YAMLError as error:
        raise at.refuse(f"is not YAML: {' '.join(str(error).split())[:200]}") from None
    except RecursionError:
        raise at.refuse("is nested too deeply") from None


def _load(document: str) -> t.Any:
    loader = _PlainLoader(document)
    try:
        return loader.get_single_data()
    finally:
        loader.dispose()


if t.TYPE_CHECKING or not yaml.__with_libyaml__:
    _Loader = yaml.SafeLoader
else:

    class _Loader(yaml.composer.Composer, yaml.cyaml.CParser, yaml.constructor.SafeConstructor, yaml.resolver.Resolver):
        """SafeLoader with libyaml's parser below PyYAML's composer, which is where _PlainLoader looks at each node."""

        def __init__(self, stream: str) -> None:
            yaml.cyaml.CParser.__init__(self, stream)
            yaml.composer.Composer.__init__(self)
            yaml.constructor.SafeConstructor.__init__(self)
            yaml.resolver.Resolver.__init__(self)


class _PlainLoader(_Loader):
    """A safe loader with aliases, tags, duplicate keys and deep nesting refused."""

    _depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            self._refuse("aliases (*name) are not accepted")
        if getattr(self.peek_event(), "tag", None):  # type: ignore[no-untyped-call]
            self._refuse("tags (!name) are not accepted")
        self._depth += 1
        if self._depth > MAX_DEPTH:
            self._refuse("nested too deeply")
        try:
            return super().compose_node(parent, index)
        finally:
            self._depth -= 1

    def _refuse(self, reason: str) -> t.NoReturn:
        mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
        raise yaml.composer.ComposerError(None, None, reason, mark)


def _construct_mapping(loader: _PlainLoader, node: yaml.MappingNode) -> dict[str, t.Any]:
    result: dict[str, t.Any] = {}
    for key_node, value_node in node.value:
        if not isinstance(key_node, yaml.ScalarNode):
            raise yaml.constructor.ConstructorError(None, None, "a key must be text", key_node.start_mark)
        if key_node.value in result:
            problem = f"the key {show(key_node.value)} appears twice in one mapping"
            raise yaml.constructor.ConstructorError(None, None, problem, key_node.start_mark)
        result[key_node.value] = loader.construct_object(value_node, deep=True)
    return result


def _construct_sequence(loader: _PlainLoader, node: yaml.SequenceNode) -> list[t.Any]:
    return [loader.construct_object(item, deep=True) for item in node.value]


# No leading zeros and at most nine digits: anything else, such as a fingerprint of digits only, stays the text it is.
_INT = re.compile(r"-?(?:0|[1-9][0-9]{0,8})", re.ASCII)

# Start from nothing: what is not named here has no special meaning.
_PlainLoader.yaml_implicit_resolvers = {}
_PlainLoader.yaml_constructors = {}
_PlainLoader.add_implicit_resolver(_TAG + "null", re.compile(r"(?:~|null|Null|NULL|)\Z"), ["~", "n", "N", ""])
_PlainLoader.add_implicit_resolver(_TAG + "bool", re.compile(r"(?:true|false)\Z"), ["t", "f"])
_PlainLoader.add_implicit_resolver(_TAG + "int", re.compile(_INT.pattern + r"\Z"), list("-0123456789"))
_PlainLoader.add_constructor(_TAG + "null", lambda _loader, _node: None)
_PlainLoader.add_constructor(_TAG + "bool", lambda _loader, node: node.value == "true")
_PlainLoader.add_constructor(_TAG + "int", lambda _loader, node: int(node.value))
_PlainLoader.add_constructor(_TAG + "str", lambda _loader, node: str(node.value))
_PlainLoader.add_constructor(_TAG + "map", _construct_mapping)
_PlainLoader.add_constructor(_TAG + "seq", _construct_sequence)
