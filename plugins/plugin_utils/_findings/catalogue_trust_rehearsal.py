# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""Findings about chains that the host's own software verified before any server presents them."""

from __future__ import annotations

from ansible_collections.mailops.tls.plugins.plugin_utils._findings.finding_type import FindingType

TRUST_REHEARSAL_TYPES = (
    FindingType(
        id="trust.rehearsal.passed",
        status="pass",
        severity="info",
        meaning=(
            "The host's own software verified the chain against the store and accepted it: openssl verify; for Java, openssl "
            "against what keytool lists; for NSS, vfychain. What verifies servers by this store will accept the chain."
        ),
        remedy="Nothing to do.",
    ),
    FindingType(
        id="trust.rehearsal.failed",
        status="fail",
        severity="high",
        meaning=(
            "The host's own software verified the chain against the store and refused it. A server that presents this chain "
            "will not be trusted. Critical when it belongs to a profile in force."
        ),
        remedy=(
            "Add the root to the store with mailops.tls.trust_anchor or mailops.tls.remediate, and rehearse again. Where the "
            "root is there, the detail has the program's own reason: an intermediate missing from the chain, a certificate whose "
            "time is over, trust for other uses only, or a directory that was not rehashed."
        ),
    ),
    FindingType(
        id="trust.rehearsal.not_possible",
        status="unknown",
        severity="medium",
        meaning=(
            "The chain could not be verified by the host's own software: the program or the store is not there, the profile "
            "knows the certificate by its fingerprint only, or a keystore shows nothing without a password."
        ),
        remedy=(
            "Remove the reason given in the detail: install openssl (for NSS the tools of NSS, for Java a keytool), name the "
            "right store, or give the certificates as PEM in rehearse."
        ),
    ),
)
