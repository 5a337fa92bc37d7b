# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Makes a declaration under any interpreter, without Ansible: the request as JSON on stdin, what was seen on stdout.

Stock Python 3.6 on purpose.
"""

import functools
import json
import pathlib
import sys

from ansible_collections.mailops.tls.plugins.module_utils._postfix import declared, interpreter, plan, report, system
from ansible_collections.mailops.tls.plugins.module_utils._postfix.instance import Instance


def main() -> None:
    """Compile the module, then do with its parts what it does."""
    compile(pathlib.Path(sys.argv[1]).read_bytes(), sys.argv[1], "exec")
    request = json.load(sys.stdin)
    tools = system.Tools({name: "/usr/sbin/" + name for name in ("postconf", "postmap", "postfix")})
    instance = Instance(tools, request["directory"])
    lock = system.lock(request["directory"], 10)
    entries = declared.entries(request["destinations"], request["clients"])
    changes = []
    for _run in range(2):
        current = instance.current()
        options = plan.Options(True, True, False, "replace", None, None)
        wanted = plan.plan(current, entries, options, functools.partial(interpreter.find, instance.folder))
        report.check_ca_files(instance, current, entries)
        shadowed = instance.shadowed(current, wanted)
        change = instance.staged(wanted)
        changed = any(old != new for path, old, new in instance.edited(change))
        parts = report.diff(instance, current, wanted, change)
        changes.append([changed, len(parts), len(report.policies(wanted, shadowed))])
        if changed:
            instance.apply(wanted, change, False)
            instance.tidy(change.before, change.after)
    lock.close()
    json.dump({"python": list(sys.version_info[:3]), "changes": changes}, sys.stdout)


if __name__ == "__main__":
    main()
