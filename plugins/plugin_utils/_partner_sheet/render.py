# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""The partner sheet as Markdown, and as one HTML page that needs nothing else and may load nothing."""

from __future__ import annotations

import base64
import functools
import hashlib
import pathlib
import typing as t

import jinja2
from ansible_collections.mailops.tls.plugins.plugin_utils._partner_sheet.content import Sheet
from ansible_collections.mailops.tls.plugins.plugin_utils._text.clean import for_page
from ansible_collections.mailops.tls.plugins.plugin_utils._text.markdown import code, escaped
from markupsafe import Markup

WORDS: t.Final[t.Mapping[str, str]] = {"current": "Current", "coming": "Coming", "deprecated": "Deprecated"}


def render_markdown(sheet: Sheet) -> bytes:
    """The sheet in Markdown."""
    environment = _environment(html=False)
    environment.filters.update(code=code, escaped=escaped)
    return environment.get_template("sheet.md.j2").render(sheet=sheet, words=WORDS).encode()


def render_html(sheet: Sheet) -> bytes:
    """The sheet as a page; its Content-Security-Policy admits its own style alone."""
    style = (_folder() / "sheet.css").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    csp = f"default-src 'none'; base-uri 'none'; form-action 'none'; style-src 'sha256-{digest}'"
    template = _environment(html=True).get_template("sheet.html.j2")
    return template.render(sheet=sheet, words=WORDS, csp=csp, style=Markup(style)).encode()  # noqa: S704 - constant file


FORMATS: t.Final[t.Mapping[str, tuple[str, t.Callable[[Sheet], bytes]]]] = {
    "markdown": (".md", render_markdown),
    "html": (".html", render_html),
}


@functools.cache
def _environment(*, html: bool) -> jinja2.Environment:
    return jinja2.Environment(
        autoescape=html,  # noqa: S701 - Markdown is escaped by filters of its own
        loader=jinja2.FileSystemLoader(_folder()),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        # Markup is a kind of str, and is fit for the page already.
        finalize=lambda value: for_page(value) if isinstance(value, str) and not isinstance(value, Markup) else value,
    )


def _folder() -> pathlib.Path:
    return pathlib.Path(__file__).with_name("templates")
