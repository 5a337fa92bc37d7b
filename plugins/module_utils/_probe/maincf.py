# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""Postfix's main.cf, as far as it takes to know which trust stores it names (postconf(5)). No command is run."""

import re

MAX_DEPTH = 20
MAX_VALUE = 4096
_SETTING = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*)\Z", re.S)
_REFERENCE = re.compile(r"\$(?:(\w+)|\{(\w+)\}|\((\w+)\))")


def parameters(text, directory, names):
    """Those of the settings `names` that are there (dict), with references to other settings of the same file resolved.

    `directory` stands for $config_directory. A value with anything that is not resolved, such as a conditional or a
    default of Postfix that the file does not repeat, is None.
    """
    raw = {"config_directory": directory}
    for line in _logical_lines(text):
        match = _SETTING.match(line)
        if match:
            raw[match.group(1)] = match.group(2).strip()
    resolved = {}
    for name in names:
        _resolve(name, raw, resolved, MAX_DEPTH)
    return {name: resolved[name] for name in names if name in raw}


def _logical_lines(text):
    """Lines with their continuations, which begin with white space; comments and empty lines go between."""
    current = None
    for line in text.splitlines():
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if line[0].isspace() and current is not None:
            current += " " + line.strip()
            continue
        if current is not None:
            yield current
        current = line.rstrip()
    if current is not None:
        yield current


def _resolve(name, raw, resolved, depth):
    """Put the value of `name` without references into `resolved`; None where one leads nowhere, in a circle or too deep."""
    if name in resolved:
        return
    resolved[name] = None
    value, parts, at = raw.get(name), [], 0
    if value is None or len(value) > MAX_VALUE or not depth:
        return
    for match in _REFERENCE.finditer(value):
        inner = match.group(1) or match.group(2) or match.group(3)
        _resolve(inner, raw, resolved, depth - 1)
        if resolved[inner] is None:
            return
        parts += [value[at : match.start()], resolved[inner]]
        at = match.end()
    literal = parts[::2] + [value[at:]]
    whole = "".join(parts) + value[at:]
    if len(whole) <= MAX_VALUE and not any("$" in text for text in literal):
        resolved[name] = whole
