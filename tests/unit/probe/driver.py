# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs the probe's engine under any interpreter, without Ansible: requests as JSON on stdin, observations on stdout.

Stock Python 3.6 on purpose.
"""

import json
import sys

if __name__ == "__main__":
    sys.path.insert(0, sys.argv[1])
    from ansible_collections.mailops.tls.plugins.module_utils._probe.engine import run

    print(json.dumps(run(**json.load(sys.stdin))))
