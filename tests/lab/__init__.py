# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lab: a small network of managed mail hosts, a firewall before each, and a CA with CRLs and OCSP.

Everything lives in namespaces below one process, the lab's init. When that process ends, the kernel ends every other
process of the lab and takes away its network, mounts and host names: nothing in the machine's own network or mount
namespace is ever changed. Use it as `python -m tests.lab up|down|status|exec` from the root of the checkout.
"""
