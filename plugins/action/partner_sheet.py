# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import datetime as dt
import pathlib
import typing as t

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible_collections.mailops.tls.plugins.plugin_utils._action.registered import registered_entries
from ansible_collections.mailops.tls.plugins.plugin_utils._partner_sheet.content import build_sheet
from ansible_collections.mailops.tls.plugins.plugin_utils._partner_sheet.render import FORMATS
from ansible_collections.mailops.tls.plugins.plugin_utils._partner_sheet.wire import names_on_wire, served_certificates
from ansible_collections.mailops.tls.plugins.plugin_utils._profiles.fields import is_host
from ansible_collections.mailops.tls.plugins.plugin_utils._profiles.loader import select_profiles, shipped_profiles
from ansible_collections.mailops.tls.plugins.plugin_utils._report.files import write_files
from ansible_collections.mailops.tls.plugins.plugin_utils._report.write import WriteError

ARGUMENT_SPEC: t.Final[dict[str, dict[str, t.Any]]] = {
    "profiles": {"type": "list", "elements": "raw"},
    "variable": {"type": "str"},
    "domains": {"type": "list", "elements": "str", "default": []},
    "certificate_name": {"type": "str"},
    "partner_domains": {"type": "list", "elements": "str", "default": []},
    "title": {"type": "str", "default": "Forced TLS with Exchange Online: data for partners"},
    "directory": {"type": "path", "default": "reports"},
    "basename": {"type": "str", "default": "partner-sheet"},
    "formats": {"type": "list", "elements": "str", "choices": list(FORMATS), "default": list(FORMATS)},
}


class ActionModule(ActionBase):  # type: ignore[misc]  # ansible-core has no type information
    """See the documentation module of the same name."""

    BYPASS_HOST_LOOP = True
    TRANSFERS_FILES = False
    _supports_check_mode = True
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        args = self.validate_argument_spec(argument_spec=ARGUMENT_SPEC)[1]
        today = dt.datetime.now(dt.timezone.utc).date()
        entries = registered_entries(args["variable"], task_vars or {}) if args["variable"] else []
        try:
            _check_names(args)
            selection = args["profiles"]
            base = self._loader.get_basedir()
            chosen = select_profiles(selection, today=today, base_dir=base) if selection else tuple(shipped_profiles().values())
            sheet = build_sheet(
                chosen,
                served_certificates(entries),
                seen=names_on_wire(entries),
                today=today,
                title=args["title"],
                domains=args["domains"],
                certificate_name=args["certificate_name"],
                partner_domains=args["partner_domains"],
            )
            rendered = [(FORMATS[name][0], FORMATS[name][1](sheet)) for name in args["formats"]]
            files = write_files(rendered, pathlib.Path(args["directory"]), args["basename"])
        except (ValueError, WriteError) as error:
            raise AnsibleActionFail(str(error)) from error
        result.update(
            changed=False,
            files=files,
            generations={one.profile: one.status for one in sheet.generations},
            names=[{"domain": one.domain, "names": list(one.names), "note": one.note} for one in sheet.comparisons],
        )
        return result


def _check_names(args: t.Mapping[str, t.Any]) -> None:
    """Names end up in configuration that a partner copies, so nothing but names may be in them."""
    single = [args["certificate_name"]] if args["certificate_name"] else []
    for option, names in (
        ("domains", args["domains"]),
        ("partner_domains", args["partner_domains"]),
        ("certificate_name", single),
    ):
        for name in names:
            if not is_host(name.removeprefix("*.")):
                raise ValueError(f"{option}: '{name}' is not a domain name. Write international names in their xn-- form.")
