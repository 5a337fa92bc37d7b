# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""What the collection knows of itself."""

from __future__ import annotations

import functools
import json
import pathlib

import yaml


@functools.lru_cache(maxsize=1)
def collection_version() -> str:
    """The version in MANIFEST.json (installed) or galaxy.yml (a checkout), or `unknown`."""
    top = pathlib.Path(__file__).parents[3]
    try:
        if (top / "MANIFEST.json").is_file():
            return str(json.loads((top / "MANIFEST.json").read_text(encoding="utf-8"))["collection_info"]["version"])
        return str(yaml.safe_load((top / "galaxy.yml").read_text(encoding="utf-8"))["version"])
    except (OSError, ValueError, KeyError, TypeError, yaml.YAMLError):
        return "unknown"
