# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""Findings about intermediates in stores, for servers that send an incomplete chain."""

from __future__ import annotations

from ansible_collections.mailops.tls.plugins.plugin_utils._findings.finding_type import FindingType

TRUST_INTERMEDIATE_TYPES = (
    FindingType(
        id="trust.intermediate.present",
        status="pass",
        severity="info",
        meaning="The store holds the intermediate, so that a chain is complete even where a server leaves it out.",
        remedy="Nothing to do.",
    ),
    FindingType(
        id="trust.intermediate.absent",
        status="fail",
        severity="medium",
        meaning=(
            "The store does not hold the intermediate, and intermediates: true asks for it. A server that leaves it out of its "
            "chain is refused by what verifies by this store. A server that sends it, as it should, is not affected."
        ),
        remedy=(
            "Best let the server send its chain whole. Where that is not in your hands, get the intermediate from its CA, "
            "compare its fingerprint with the evidence of this finding, and add it to the store as a root is added (for NSS with "
            "the flags ,,)."
        ),
    ),
    FindingType(
        id="trust.intermediate.not_usable",
        status="fail",
        severity="medium",
        meaning=(
            "The store holds the intermediate in a way that completes no chain: its time is over or has not come, it is "
            "distrusted, or its file is not where the software looks. The detail gives the reason."
        ),
        remedy="Remove the reason given in the detail, and run again.",
    ),
    FindingType(
        id="trust.intermediate.unknown",
        status="unknown",
        severity="medium",
        meaning="The store was read, but whether it holds the intermediate could not be determined. The detail gives the reason.",
        remedy="Remove the reason given in the detail and run again.",
    ),
)
