# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""Findings about a host as a whole, and about the run itself."""

from __future__ import annotations

from ansible_collections.mailops.tls.plugins.plugin_utils._findings.finding_type import FindingType

HOST_TYPES = (
    FindingType(
        id="host.unreachable",
        status="unknown",
        severity="high",
        meaning="Ansible could not connect to the host, so nothing about it is known.",
        remedy="Restore the connection (ansible -m ansible.builtin.ping HOST shows why it fails) and run again.",
    ),
    FindingType(
        id="host.collector_broken",
        status="unknown",
        severity="high",
        meaning=(
            "The host was reached, but the probe did not run there: no usable Python, no temporary directory, or output "
            "that cannot be read."
        ),
        remedy=(
            "Install Python 3.6 or newer on the host, or set ansible_python_interpreter to the one that is there, and run again."
        ),
    ),
    FindingType(
        id="host.check_refused",
        status="unknown",
        severity="high",
        meaning="The check failed before the probe ran, usually because its arguments or a profile were refused.",
        remedy="Read the message, correct the arguments or the profile, and run again.",
    ),
    FindingType(
        id="host.not_checked",
        status="unknown",
        severity="medium",
        meaning="The host belongs to the run but delivered no result, for example because an earlier task removed it.",
        remedy="Look for the host's first error in the output of the run, mend it and run again.",
    ),
)
