# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A stand-in for Exchange Online's `InvokeCommand` API: https, tokens, connectors that are kept, and every known quirk.

It behaves as docs/exchange-online-api.md describes the service; what is only known from reports can be switched off. Use it as
`python -m tests.lab.exchange_online` from the root of the checkout, or in tests by `tests.lab.exchange_online.fixture`.
"""
