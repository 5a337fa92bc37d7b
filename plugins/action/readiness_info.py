# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.mailops.tls.plugins.plugin_utils._action.base import InfoAction
from ansible_collections.mailops.tls.plugins.plugin_utils._action.section_certificate import DeclaredCertificateSection
from ansible_collections.mailops.tls.plugins.plugin_utils._action.section_egress import EgressSection
from ansible_collections.mailops.tls.plugins.plugin_utils._action.section_smtp import DeclaredSmtpSection
from ansible_collections.mailops.tls.plugins.plugin_utils._action.section_trust import TrustSection


class ActionModule(InfoAction):
    """See the documentation module of the same name."""

    SECTIONS = (EgressSection, TrustSection, DeclaredCertificateSection, DeclaredSmtpSection)
