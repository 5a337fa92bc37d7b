# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where posttls-finger and the judge disagree in the mail network, the page says so in the same words."""

from __future__ import annotations

from tests.conftest import ROOT
from tests.lab.smtp import plan


def test_every_disagreement_is_explained_in_the_documentation() -> None:
    page = " ".join((ROOT / "docs" / "smtp-tls.md").read_text().split())
    told = [(item.name, level, why) for item in (*plan.CASES, *plan.DOMAINS) for level, why in item.finger.items()]
    assert len({why for _name, _level, why in told}) == 3
    rows = [row.strip() for row in page.split("|")]
    missing = [item for item in told if item[2] not in rows or f"`{item[1]}`" not in rows[rows.index(item[2]) - 1]]
    assert missing == []
