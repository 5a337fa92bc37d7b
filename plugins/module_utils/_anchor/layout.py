# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""How distributions lay out the system's store, and which of them a host has.

Debian, Ubuntu, Alpine: update-ca-certificates(8). RHEL, Fedora and kin: update-ca-trust(8). SUSE: its own
update-ca-certificates(8) over p11-kit. Arch: update-ca-trust(8). The last three read the layout of p11-kit's trust module:
a directory of anchors, one of what is blocked, and those of the vendor.
"""

import os

from ansible_collections.mailops.tls.plugins.module_utils._anchor.common import AnchorError, Tools


class Layout(object):
    """Where a distribution has what. All paths are below `root` (str), which is empty but in tests.

    anchors: directory of the administrator's certificates. blocklists: candidates for the directory of blocked ones, the
    newest name first. vendor: directories or files of the distribution's own. bundles: candidates for the PEM file that is
    built. hashed: candidates for the hashed directory that is built. extracted: directories of which everything is built, for
    Java, too. commands: what builds them, first that is there.
    """

    def __init__(self, name, anchors, bundles, commands, vendor, blocklists=(), hashed=(), extracted=(), conf=None, root=""):
        def below(paths):
            return [root + path for path in paths]

        self.name = name
        self.anchors = root + anchors
        self.bundles = below(bundles)
        self.commands = commands
        self.vendor = below(vendor)
        self.blocklists = below(blocklists)
        self.hashed = below(hashed)
        self.extracted = below(extracted)
        self.conf = root + conf if conf else None

    def found(self):
        """Whether the host has this layout (bool)."""
        marks = [self.anchors] + ([self.conf] if self.conf else [])
        return any(os.path.exists(mark) for mark in marks) and self.command() is not None

    def command(self):
        """What builds the store (list of str), or None."""
        for command in self.commands:
            program = Tools.find(command[0])
            if program:
                return [program] + command[1:]
        return None

    def builds(self, path):
        """Whether what builds the store writes a file or directory (bool). path: without links."""
        if path in [os.path.realpath(built) for built in self.bundles + self.hashed + self.extracted]:
            return True
        return path.startswith(tuple(os.path.join(os.path.realpath(directory), "") for directory in self.extracted))

    def bundle(self):
        """The bundle that is built (path), or that will be where there is none yet."""
        return next((path for path in self.bundles if os.path.exists(path)), self.bundles[0])

    def hashed_directory(self):
        """The hashed directory that is built (path), or None."""
        return next((path for path in self.hashed if os.path.isdir(path)), None)

    def blocklist(self):
        """The directory of blocked certificates (path)."""
        return next((path for path in self.blocklists if os.path.isdir(path)), self.blocklists[0])


def layouts(root=""):
    """All layouts, the most telling first."""
    return [
        Layout(
            "rhel",
            "/etc/pki/ca-trust/source/anchors",
            ["/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem"],
            [["update-ca-trust", "extract"]],
            ["/usr/share/pki/ca-trust-source"],
            # p11-kit before 0.24 knows the older name only, later versions read both.
            ["/etc/pki/ca-trust/source/blocklist", "/etc/pki/ca-trust/source/blacklist"],
            extracted=["/etc/pki/ca-trust/extracted"],
            root=root,
        ),
        Layout(
            "suse",
            "/etc/pki/trust/anchors",
            ["/var/lib/ca-certificates/ca-bundle.pem"],
            [["update-ca-certificates"]],
            ["/usr/share/pki/trust"],
            ["/etc/pki/trust/blocklist", "/etc/pki/trust/blacklist"],
            extracted=["/var/lib/ca-certificates"],
            root=root,
        ),
        Layout(
            "arch",
            "/etc/ca-certificates/trust-source/anchors",
            ["/etc/ca-certificates/extracted/tls-ca-bundle.pem", "/etc/ssl/certs/ca-certificates.crt"],
            [["update-ca-trust"], ["trust", "extract-compat"]],
            ["/usr/share/ca-certificates/trust-source"],
            ["/etc/ca-certificates/trust-source/blocklist", "/etc/ca-certificates/trust-source/blacklist"],
            extracted=["/etc/ca-certificates/extracted"],
            root=root,
        ),
        Layout(
            "debian",
            "/usr/local/share/ca-certificates",
            ["/etc/ssl/certs/ca-certificates.crt"],
            [["update-ca-certificates"]],
            ["/usr/share/ca-certificates"],
            hashed=["/etc/ssl/certs"],
            conf="/etc/ca-certificates.conf",
            root=root,
        ),
    ]


def detect(root=""):
    """The layout of the host. Raises AnchorError where it has none that is known."""
    for layout in layouts(root):
        if layout.found():
            return layout
    raise AnchorError(
        "the system's store of this host is not one that can be changed here: found neither update-ca-certificates nor "
        "update-ca-trust with its directories (package ca-certificates)"
    )
