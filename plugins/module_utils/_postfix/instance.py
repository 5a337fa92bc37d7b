# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""One Postfix instance: read it, try a change on a copy, make it with one rename of main.cf, and take it back.

Order of writes: map files under names that nothing refers to yet, the mark that a reload is due, a second name for the old
main.cf, main.cf, reload. Killed anywhere in between, the instance has all of the old or all of the new configuration, and
the next run finishes. The way back is the rename of that second name, which needs no space on the disk.
"""

import errno
import os
import shutil
import tempfile

from ansible_collections.mailops.tls.plugins.module_utils._postfix import plan as p
from ansible_collections.mailops.tls.plugins.module_utils._postfix import system, tables

PENDING = "reload-pending"
BEFORE = ".mailops_tls.before"


class Instance(object):
    """Postfix with the configuration in `directory`; `tools` is a system.Tools."""

    def __init__(self, tools, directory):
        self.tools = tools
        self.directory = directory
        self.main = os.path.realpath(os.path.join(directory, "main.cf"))
        self.folder = os.path.join(directory, tables.FOLDER)
        self.pending = os.path.join(self.folder, PENDING)
        self.spare = os.path.join(os.path.dirname(self.main), BEFORE)

    def current(self):
        """What there is (plan.Current). Raises PostfixError."""
        raw = self.tools.settings(self.directory, "-n")
        effective = self.tools.settings(self.directory, "-x", *p.EFFECTIVE)
        names = {}
        for setting in (p.MAPS, p.RESTRICTIONS):
            names.update(tables.referred(self.folder, raw.get(setting, "")))
        entries = {kind: self._entries(names.get(kind)) for kind in tables.TYPES}
        return p.Current(self.folder, raw, effective, self.tools.settings(self.directory, "-P"), entries)

    def _entries(self, name):
        data = system.read(os.path.join(self.folder, name)) if name else None
        return tables.parse(name.split("-")[0], data.decode("utf-8", "replace")) if data else {}

    def running(self, current):
        """Does this instance run (bool)?"""
        # postfix(1) takes a second to say that it does not.
        process = os.path.join(current.effective["queue_directory"], "pid", "master.pid")
        return os.path.exists(process) and self.tools.running(self.directory)

    def stale(self, wanted):
        """Map files that are missing or were changed by hand (dict of name to text)."""
        return {
            name: text
            for name, text in wanted.files.items()
            if system.read(os.path.join(self.folder, name)) != text.encode("utf-8")
        }

    def staged(self, wanted):
        """main.cf as it is and as it shall be (bytes), the latter tried: postconf, postmap and postfix check accept it.

        Raises PostfixError with what they say; nothing was changed then.
        """
        before = system.read(self.main) or b""
        copy = tempfile.mkdtemp(prefix="mailops_tls.")
        try:
            for name in os.listdir(self.directory):
                if name != "main.cf":
                    os.symlink(os.path.join(self.directory, name), os.path.join(copy, name))
            target = os.path.join(copy, "main.cf")
            with open(target, "wb") as handle:
                handle.write(before)
            system.settled(target)
            self._edit(copy, wanted.settings)
            self._read_back(copy, wanted)
            self._lookups(copy, wanted, self._write_staged(copy, wanted))
            if os.path.isdir(self.tools.settings(copy, "-x", "queue_directory")["queue_directory"]):
                self.tools.check(copy)
            return before, system.read(target)
        except (IOError, OSError) as error:
            raise system.PostfixError("cannot try the change on a copy in %s: %s" % (copy, error))
        finally:
            shutil.rmtree(copy, ignore_errors=True)

    def _edit(self, copy, settings):
        edits = ["%s = %s" % (name, value) for name, value in sorted(settings.items()) if value is not None]
        removals = [name for name, value in sorted(settings.items()) if value is None]
        for option, arguments in (("-e", edits), ("-X", removals)):
            if arguments:
                code, out, err = self.tools.run("postconf", "-c", copy, option, *arguments)
                if code:
                    raise system.PostfixError("postconf %s failed: %s" % (option, err or out))
                system.settled(os.path.join(copy, "main.cf"))

    @staticmethod
    def _write_staged(copy, wanted):
        """The map files in the copy; the folder's name there."""
        folder = os.path.join(copy, "staged")
        os.mkdir(folder)
        for name, text in wanted.files.items():
            with open(os.path.join(folder, name), "wb") as handle:
                handle.write(text.encode("utf-8"))
            system.settled(os.path.join(folder, name))
        return folder

    def _read_back(self, directory, wanted):
        raw = self.tools.settings(directory, "-n")
        wrong = [name for name, value in wanted.settings.items() if raw.get(name) != value]
        if wrong:
            raise system.PostfixError("%s does not read back from main.cf as it was written" % ", ".join(sorted(wrong)))

    def _lookups(self, directory, wanted, folder):
        """Every entry of ours is found in its map file, which lies in `folder`."""
        for name in sorted(wanted.files):
            kind = name.split("-")[0]
            keys = {key.split("/")[0] if kind == "clients" else key: key for key in sorted(wanted.entries[kind], reverse=True)}
            found = self.tools.lookups(directory, "%s:%s/%s" % (tables.TYPES[kind], folder, name), sorted(keys), strict=True)
            missing = [keys[key] for key in keys if key not in found]
            wrong = [key for key in keys if kind != "clients" and found.get(key) != wanted.entries[kind][keys[key]]]
            if missing or wrong:
                raise system.PostfixError("Postfix does not find %s as declared" % ", ".join(sorted(missing + wrong)))

    def shadowed(self, current, wanted):
        """Entries of other tables that Postfix finds before ours: list of (key, table, value). Raises PostfixError."""
        pending, found = set(wanted.entries["policy"]), []
        for table in tables.tokens(current.effective.get(p.MAPS, "")):
            if tables.referred(self.folder, table) or not pending:
                continue
            answers = self.tools.lookups(self.directory, table, sorted(pending))
            for key, value in sorted(answers.items()):
                pending.discard(key)
                if " ".join(value.split()) != wanted.entries["policy"][key]:
                    found.append((key, table, value))
        return found

    def due(self):
        """Was a run ended between its change and its reload (bool)?"""
        return os.path.exists(self.pending)

    def apply(self, wanted, before, after, reload):
        """Put main.cf from `before` to `after` (bytes) and reload. Raises PostfixError, with everything as it was before."""
        made, due = [], self.due()
        system.remove(self.spare)  # of a run that was killed; what is there now is what counts
        try:
            self._make_folder()
            for name, text in sorted(self.stale(wanted).items()):
                made.append(os.path.join(self.folder, name))
                system.write(made[-1], text.encode("utf-8"))
            if reload:
                system.write(self.pending, b"")
            if after != before:
                self._exchange(before, after)
            self._read_back(self.directory, wanted)
            self._lookups(self.directory, wanted, self.folder)
            if reload:
                self.tools.reload(self.directory)
        except system.PostfixError as error:
            raise system.PostfixError("%s. %s" % (error, self._restore(made, reload, due)))
        if reload:
            system.remove(self.pending)
        system.remove(self.spare)

    def _exchange(self, before, after):
        """main.cf gets its new content; the old file keeps a second name."""
        if system.read(self.main) != before:
            raise system.PostfixError("%s was changed by somebody else meanwhile; run this again" % self.main)
        try:
            os.link(self.main, self.spare)
        except OSError as error:
            raise system.PostfixError("cannot keep %s: %s" % (self.main, error.strerror))
        system.write(self.main, after, like=self.main)

    def _restore(self, made, reload, due):
        """Back to what was before; says so (str), or what is left to do. `due` says whether a reload was due before."""
        try:
            exchanged = os.path.exists(self.spare) and not os.path.samefile(self.spare, self.main)
            if exchanged:
                os.rename(self.spare, self.main)
                system.sync_directory(os.path.dirname(self.main))
        except OSError as error:
            return "The old configuration could not be put back (%s): rename %s to %s" % (error.strerror, self.spare, self.main)
        system.remove(self.spare)
        kept = self._referred_names(system.read(self.main))
        for path in made:
            if os.path.basename(path) not in kept:
                system.remove(path)
        if not due:
            system.remove(self.pending)
        self._remove_folder()
        if not (exchanged and reload):
            return "Nothing was changed"
        # A reload that failed may have ended Postfix, which ran before.
        command = "reload" if self.tools.running(self.directory) else "start"
        code, out, err = self.tools.run("postfix", "-c", self.directory, command)
        if code:
            return "The old configuration was put back, but postfix %s fails with it: %s" % (command, err or out)
        return "The old configuration was put back and Postfix runs with it"

    def _make_folder(self):
        try:
            os.mkdir(self.folder)
            os.chmod(self.folder, 0o755)  # noqa: S103 - lookups by hand need no root; nothing in it is secret
        except OSError as error:
            if error.errno != errno.EEXIST:
                raise system.PostfixError("cannot make %s: %s. Nothing was changed" % (self.folder, error.strerror))

    def _remove_folder(self):
        try:
            os.rmdir(self.folder)
        except OSError:
            pass

    def _referred_names(self, data):
        return set(tables.referred(self.folder, (data or b"").decode("utf-8", "replace")).values())

    def tidy(self, *versions):
        """Remove what killed runs left, and map files that no main.cf refers to: of `versions` (bytes), now, or a backup.

        The version before the last change is among them, because a process of Postfix may just be starting with it.
        """
        kept = set()
        for data in versions:
            kept |= self._referred_names(data)
        for name in os.listdir(self.directory):
            if name.startswith("main.cf"):
                kept |= self._referred_names(system.read(os.path.join(self.directory, name)))
        for folder in sorted({os.path.dirname(self.main), self.folder}):
            for name in os.listdir(folder) if os.path.isdir(folder) else []:
                unused = folder == self.folder and tables.is_ours(name) and name not in kept
                if unused or name.startswith(".mailops_tls."):
                    system.remove(os.path.join(folder, name))
        self._remove_folder()
