# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One Get and one Set for each connector of a JSON file, by the collection's own client: what the modules are compared with."""

from __future__ import annotations

import json
import os
import pathlib
import sys

from ansible_collections.mailops.tls.plugins.plugin_utils._exo.client import connect

PREFIX = "MAILOPS_TLS_"


def main() -> None:
    client = connect({name.removeprefix(PREFIX).lower(): value for name, value in os.environ.items() if name.startswith(PREFIX)})
    for wanted in json.loads(pathlib.Path(sys.argv[1]).read_text(encoding="utf-8")):
        client.invoke("Get-OutboundConnector", {"Identity": wanted["Name"]})
        client.invoke("Set-OutboundConnector", {"Identity": wanted["Name"], **wanted}, writes=True)


if __name__ == "__main__":
    main()
