# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""The forms of a change request, by name: the ending of the file, and its content."""

from __future__ import annotations

import typing as t

from ansible_collections.mailops.tls.plugins.plugin_utils._change_request.collect import ChangeRequest
from ansible_collections.mailops.tls.plugins.plugin_utils._change_request.csv_table import render_csv
from ansible_collections.mailops.tls.plugins.plugin_utils._change_request.markdown import render_markdown
from ansible_collections.mailops.tls.plugins.plugin_utils._change_request.nftables import render_nftables

FORMATS: t.Final[t.Mapping[str, tuple[str, t.Callable[[ChangeRequest], str]]]] = {
    "csv": (".csv", render_csv),
    "markdown": (".md", render_markdown),
    "nftables": (".nft", render_nftables),
}


def render(request: ChangeRequest, formats: t.Sequence[str]) -> list[tuple[str, bytes]]:
    """(ending, content) in the formats asked for, in that order."""
    return [(FORMATS[name][0], FORMATS[name][1](request).encode()) for name in formats]
