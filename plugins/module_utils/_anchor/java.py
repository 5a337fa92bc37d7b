# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""Keystores of Java, JKS and PKCS #12, changed by the host's own keytool on a copy.

The password goes to keytool in its environment, which only its own user can read, never on the command line.
"""

import os
import re
import tempfile

from ansible_collections.mailops.tls.plugins.module_utils import _files
from ansible_collections.mailops.tls.plugins.module_utils._anchor.common import (
    AnchorError,
    Edit,
    NoStoreError,
    Plan,
    is_gone,
    last_words,
    read,
)
from ansible_collections.mailops.tls.plugins.module_utils._probe.pem import scan

DEFAULT_PASSWORD = "changeit"  # noqa: S105 - what every JRE comes with, and no secret
#: Below the directory of a JVM, in the order in which Java looks.
PLACES = ("lib/security/jssecacerts", "lib/security/cacerts", "jre/lib/security/jssecacerts", "jre/lib/security/cacerts")
#: The keystore of Debian's JVMs. What update-ca-certificates adds has an alias that starts with "debian:"; others stay.
DEBIAN = "/etc/ssl/certs/java/cacerts"
_VARIABLE = "MAILOPS_TLS_STOREPASS"
_ALIAS = re.compile(r"^Alias name: (.*)$", re.M)
_TYPE = re.compile(r"^Entry type: (\w+)", re.M)


class JavaStore(object):
    """One keystore."""

    kind = "java"
    mechanism = "keytool"

    def __init__(self, path, anchor, tools, password=None, alias=None, scratch=None):
        home = path if os.path.isdir(path) else None
        if home:
            path = next((os.path.join(home, place) for place in PLACES if os.path.exists(os.path.join(home, place))), path)
        self.path = os.path.realpath(path)
        self.anchor = anchor
        self.tools = tools
        self.password = password or DEFAULT_PASSWORD
        self.alias = (alias or "%s-%s" % (anchor.label, anchor.sha256[:16])).lower()
        self.scratch = scratch
        self.places = [os.path.dirname(self.path)]
        self.lock_at = self.places[0]
        self.verified_by = []
        self.warnings = []
        self._listed = {}
        if not os.path.isfile(self.path):
            error = NoStoreError if is_gone(self.path) or home else AnchorError
            raise error("there is no keystore at %s; make it with keytool first" % path)
        self.keytool = self._find(home)

    def _find(self, home):
        at = home or os.path.dirname(os.path.dirname(os.path.dirname(self.path)))
        found = self.tools.find(os.path.join(at, "bin", "keytool"), "keytool")
        if found is None:
            raise AnchorError("a keystore of Java needs keytool on the host, which is not there (part of every JRE)")
        return found

    def _run(self, path, *arguments, **more):
        command = [self.keytool, "-J-Duser.language=en", "-J-Duser.country=US"] + list(arguments)
        command += ["-keystore", path, "-storepass:env", _VARIABLE]
        status, output = self.tools.run(command, given=more.get("given", b""), **{_VARIABLE: self.password})
        if status:
            said = last_words(output).replace(self.password, "***") if len(self.password) > 3 else last_words(output)
            raise AnchorError("keytool refuses %s: %s" % (self.path, said))
        return output

    def entries(self, path=None, again=False):
        """What keytool lists: {alias: (entry type, SHA-256 of its first certificate)}. Asked once for the same bytes, unless
        `again`: a JVM takes half a second to start."""
        path = path or self.path
        data = read(path)
        if again or data not in self._listed:
            self._listed[data] = self._list(path)
        return self._listed[data]

    def _list(self, path):
        output = self._run(path, "-list", "-rfc")
        parts = _ALIAS.split(output)
        found = {}
        for number in range(1, len(parts), 2):
            kind = _TYPE.search(parts[number + 1])
            blocks = scan(parts[number + 1].encode("utf-8"))[0]
            found[parts[number]] = (kind.group(1) if kind else "", blocks[0].sha256 if blocks else None)
        return found

    def _aliases(self, entries):
        return [alias for alias in sorted(entries) if entries[alias] == ("trustedCertEntry", self.anchor.sha256)]

    def effective(self):
        """Whether Java trusts the certificate by this keystore (bool)."""
        return bool(self._aliases(self.entries()))

    def plan(self, present, distrust):
        """What to do (Plan). Raises AnchorError."""
        if distrust:
            raise AnchorError(
                "a keystore of Java cannot distrust a certificate that it does not hold: leave force_distrust out for it"
            )
        before = read(self.path)
        entries = self.entries()
        aliases = self._aliases(entries)
        if bool(aliases) == present:
            return Plan(mechanism=self.mechanism)
        if not present and self.path == os.path.realpath(DEBIAN) and any(alias.startswith("debian:") for alias in aliases):
            raise AnchorError(
                "store.path: %s is kept by ca-certificates-java, which would bring %s back; use type system, which takes it out "
                "here, too" % (self.path, ", ".join(aliases))
            )
        if present and self.alias in entries:
            raise AnchorError("the alias %s is that of another entry of %s; give another" % (self.alias, self.path))
        after = self._changed(before, entries, aliases)
        names = aliases or [self.alias]
        lines = "".join("%s %s\n" % (name, self.anchor.sha256) for name in names)
        return Plan([Edit(self.path, before, after, shown=("", lines) if present else (lines, ""))], mechanism=self.mechanism)

    def _changed(self, before, entries, aliases):
        """The bytes of the keystore with the certificate added, or without `aliases`. Raises AnchorError."""
        directory = tempfile.mkdtemp(prefix=_files.PREFIX, dir=self.scratch or os.path.dirname(self.path))
        copy = os.path.join(directory, "keystore")
        try:
            descriptor = os.open(copy, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(before)
            for alias in aliases:
                self._run(copy, "-delete", "-alias", alias)
            if not aliases:
                self._run(copy, "-importcert", "-noprompt", "-alias", self.alias, given=self.anchor.pem)
            wanted = {alias: entry for alias, entry in entries.items() if alias not in aliases}
            if not aliases:
                wanted[self.alias] = ("trustedCertEntry", self.anchor.sha256)
            if self.entries(copy) != wanted:
                raise AnchorError("keytool made other changes to a copy of %s than it was asked for" % self.path)
            return read(copy)
        finally:
            _files.remove(directory)

    def verify(self, present):
        """Raises AnchorError where Java does not see the wanted state."""
        self.verified_by = ["keytool -list"]
        if bool(self._aliases(self.entries(again=True))) != present:
            raise AnchorError("keytool %s the certificate in %s" % ("does not find" if present else "still finds", self.path))

    def foresee(self, _plan, _present, _scratch):
        """The plan was made by trying it."""

    def refresh(self):
        """Nothing is built from a keystore."""
