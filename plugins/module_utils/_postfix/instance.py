# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""One Postfix instance: read it, try a change on a copy, make it with one rename of main.cf, and take it back.

Order of writes: map files under names that nothing refers to yet, the mark that a reload is due, master.cf with a service that
main.cf will name besides that which it names, a second name for the old main.cf, main.cf, reload, master.cf without the service
that is not named any more. Killed anywhere in between, the instance has all of the old or all of the new configuration, and
the next run finishes. The way back is the rename of that second name, which needs no space on the disk.
"""

import collections
import errno
import hashlib
import os
import shutil
import tempfile

from ansible_collections.mailops.tls.plugins.module_utils import _files
from ansible_collections.mailops.tls.plugins.module_utils._postfix import plan as p
from ansible_collections.mailops.tls.plugins.module_utils._postfix import service, system, tables

PENDING = "reload-pending"
BEFORE = _files.PREFIX + "before"
BEFORE_MASTER = _files.PREFIX + "before-master"

#: A change that was tried, as contents of files (bytes): before and after are those of main.cf, old_master and new_master
#: those of master.cf, and joint_master has the services of both, for the time in which main.cf is exchanged.
Change = collections.namedtuple("Change", "before after old_master joint_master new_master")


class Instance(object):
    """Postfix with the configuration in `directory`; `tools` is a system.Tools."""

    def __init__(self, tools, directory):
        self.tools = tools
        self.directory = directory
        self.main = os.path.realpath(os.path.join(directory, "main.cf"))
        self.folder = os.path.join(directory, tables.FOLDER)
        self.pending = os.path.join(self.folder, PENDING)
        self.spare = os.path.join(os.path.dirname(self.main), BEFORE)
        self.master = os.path.realpath(os.path.join(directory, "master.cf"))
        self.spare_master = os.path.join(os.path.dirname(self.master), BEFORE_MASTER)

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
        """The Change, tried: postconf, postmap and postfix check accept it.

        Raises PostfixError with what they say; nothing was changed then.
        """
        before = system.read(self.main) or b""
        masters = self._masters(wanted)
        copy = tempfile.mkdtemp(prefix=self._copies())
        try:
            for name in os.listdir(self.directory):
                if name not in ("main.cf", "master.cf"):
                    os.symlink(os.path.join(self.directory, name), os.path.join(copy, name))
            target = os.path.join(copy, "main.cf")
            with open(target, "wb") as handle:
                handle.write(before)
            system.settled(target)
            self._try_masters(copy, masters, wanted)
            self._edit(copy, wanted.settings)
            self._read_back(copy, wanted)
            self._lookups(copy, wanted, self._write_staged(copy, wanted))
            if os.path.isdir(self.tools.settings(copy, "-x", "queue_directory")["queue_directory"]):
                self.tools.check(copy)
            return Change(before, system.read(target), *masters)
        except (IOError, OSError) as error:
            raise system.PostfixError("cannot try the change on a copy in %s: %s" % (copy, error))
        finally:
            shutil.rmtree(copy, ignore_errors=True)

    def _copies(self):
        """What the names of copies of this configuration begin with."""
        return "mailops_tls.%s." % hashlib.sha256(self.directory.encode("utf-8")).hexdigest()[:16]

    def _masters(self, wanted):
        """master.cf as it is, with the services of before and after, and as it shall be (bytes)."""
        data = system.read(self.master) or b""
        old = data.decode("latin-1")  # every byte comes back as it was
        joint = service.with_service(old, wanted.service)
        return data, joint.encode("latin-1"), service.without_others(joint, wanted.service).encode("latin-1")

    def _try_masters(self, copy, masters, wanted):
        """Leave the last of them in the copy. Postfix reads each, and the services of others in them as before."""
        target, seen = os.path.join(copy, "master.cf"), []
        for data in masters:
            with open(target, "wb") as handle:
                handle.write(data)
            system.settled(target)
            if masters[0] == masters[-1]:
                return
            code, out, err = self.tools.run("postconf", "-c", copy, "-M")
            if code:
                raise system.PostfixError("postconf cannot read master.cf: %s" % (err or out))
            seen.append([" ".join(line.split()) for line in out.splitlines()])
        foreign = [[line for line in lines if not service.ours(line + "\n")] for lines in seen]
        found = [line for line in seen[-1] if service.ours(line + "\n")]
        expected = [wanted.service.line.strip()] if wanted.service else []
        if foreign != foreign[:1] * 3 or found != expected:
            raise system.PostfixError("master.cf does not read back as it was written")

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
        for name in sorted(filter(tables.is_ours, wanted.files)):
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

    def edited(self, change):
        """Each file that a Change may edit: list of (path, content before, content after)."""
        return [(self.main, change.before, change.after), (self.master, change.old_master, change.new_master)]

    def due(self):
        """Was a run ended between its change and its reload (bool)?"""
        return os.path.exists(self.pending)

    def apply(self, wanted, change, reload):
        """Make a Change and reload. Raises PostfixError, with everything as it was before."""
        made, due = [], self.due()
        for spare in (self.spare, self.spare_master):
            _files.remove(spare)  # of a run that was killed; what is there now is what counts
        try:
            self._make_folder()
            for name, text in sorted(self.stale(wanted).items()):
                made.append(os.path.join(self.folder, name))
                system.write(made[-1], text.encode("utf-8"))
            if reload:
                system.write(self.pending, b"")
            if change.joint_master != change.old_master:
                self._exchange(self.master, self.spare_master, change.old_master, change.joint_master)
            if change.after != change.before:
                self._exchange(self.main, self.spare, change.before, change.after)
            self._read_back(self.directory, wanted)
            self._lookups(self.directory, wanted, self.folder)
            if reload:
                self.tools.reload(self.directory)
        except system.PostfixError as error:
            raise system.PostfixError("%s. %s" % (error, self._restore(made, reload, due)))
        for spare in (self.spare, self.spare_master):
            _files.remove(spare)
        self._trim(change, reload)
        if reload:
            _files.remove(self.pending)

    def _trim(self, change, reload):
        """Take services out of master.cf that main.cf, which counts by now, does not name any more."""
        if change.new_master == change.joint_master:
            return
        try:
            self._exchange(self.master, self.spare_master, change.joint_master, change.new_master)
            if reload:
                self.tools.reload(self.directory)
        except system.PostfixError as error:
            says = self._restore([], reload, True)
            raise system.PostfixError("%s. What is declared counts; a service in master.cf is left over. %s" % (error, says))
        _files.remove(self.spare_master)

    @staticmethod
    def _exchange(path, spare, before, after):
        """A file gets its new content; the old one keeps a second name."""
        if system.read(path) != before:
            raise system.PostfixError("%s was changed by somebody else meanwhile; run this again" % path)
        try:
            os.link(path, spare)
        except OSError as error:
            raise system.PostfixError("cannot keep %s: %s" % (path, error.strerror))
        system.write(path, after, keep=True)

    def _restore(self, made, reload, due):
        """Back to what was before; says so (str), or what is left to do. `due` says whether a reload was due before."""
        exchanged = False
        # main.cf first: until then it may name a service that master.cf did not have before.
        for spare, path in ((self.spare, self.main), (self.spare_master, self.master)):
            try:
                if os.path.exists(spare) and not os.path.samefile(spare, path):
                    os.rename(spare, path)
                    _files.sync(os.path.dirname(path))
                    exchanged = True
            except OSError as error:
                return "The old configuration could not be put back (%s): rename %s to %s" % (error.strerror, spare, path)
            _files.remove(spare)
        kept = self._referred_names(system.read(self.main))
        for path in made:
            if os.path.basename(path) not in kept:
                _files.remove(path)
        if not due:
            _files.remove(self.pending)
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
        text = (data or b"").decode("utf-8", "replace")
        return set(tables.referred(self.folder, text).values()) | service.scripts(text)

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
        for folder in sorted({os.path.dirname(self.main), os.path.dirname(self.master), self.folder}):
            for name in os.listdir(folder) if os.path.isdir(folder) else []:
                made = tables.is_ours(name) or service.is_script(name)
                unused = folder == self.folder and made and name not in kept
                if unused or name.startswith(_files.PREFIX):
                    _files.remove(os.path.join(folder, name))
        self._remove_folder()
        self._remove_copies()

    def _remove_copies(self):
        """Those of killed runs: whoever holds the lock has none but its own, which is gone by now."""
        place = tempfile.gettempdir()
        for name in os.listdir(place):
            path = os.path.join(place, name)
            # Others may write to that directory.
            if name.startswith(self._copies()) and os.lstat(path).st_uid == os.geteuid():
                _files.remove(path)
