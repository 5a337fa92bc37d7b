# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""One change of one store: planned, made, verified by its effect, and taken back where it did not take."""

import os

from ansible_collections.mailops.tls.plugins.module_utils import _files
from ansible_collections.mailops.tls.plugins.module_utils._anchor.common import AnchorError
from ansible_collections.mailops.tls.plugins.module_utils._probe.base import ProbeError

#: A vendor's certificate may show only when the administrator's is gone, and the other way round.
ROUNDS = 3


def change(store, present, distrust, check, backup=None, scratch=None):
    """Bring a store to the wanted state under its lock; the result (dict). Raises AnchorError, ProbeError or OSError.

    store: one of the stores of this folder. present, distrust: what is wanted. check: change nothing. backup: function that
    copies a file and gives the path of the copy, or None. scratch: directory in which a check may try what it foresees.
    """
    plan = store.plan(present, distrust)
    result = {
        "changed": bool(plan),
        "mechanism": plan.mechanism,
        "diff": [edit.diff() for edit in plan.edits],
        "backup_files": [],
    }
    if check:
        # What would be refused then is refused now, as far as that shows without the change.
        store.foresee(plan, present, scratch)
        store.verified_by = []
        return result
    for place in store.places:
        _files.tidy(place)
    if not plan:
        store.verify(present)
        return result
    done, was = [], store.effective()
    try:
        for number in range(ROUNDS):
            if backup:
                result["backup_files"] += [
                    backup(edit.path) for edit in plan.edits if isinstance(edit.before, bytes) and not edit.staging
                ]
            _apply(plan, done)
            if plan.refresh:
                store.refresh()
            following = store.plan(present, distrust)
            if not following.edits or number == ROUNDS - 1:
                break
            plan = following
            result["diff"] += [edit.diff() for edit in plan.edits]
            result["mechanism"] = plan.mechanism
        store.verify(present)
    except (AnchorError, ProbeError, EnvironmentError) as error:
        raise AnchorError("%s. %s" % (words(error), _take_back(store, done, was, plan.refresh and bool(done))))
    return result


def _apply(plan, done):
    for edit in plan.edits:
        edit.apply()
        done.append(edit)


def _take_back(store, done, was, refresh):
    """Undo edits, the last first, and say what state the store is in (str)."""
    failed = []
    for edit in reversed(done):
        try:
            edit.reverse().apply()
        except (AnchorError, ProbeError, EnvironmentError) as error:
            failed.append("%s: %s" % (edit.path, words(error)))
    if refresh:
        try:
            store.refresh()
        except (AnchorError, ProbeError, EnvironmentError) as error:
            failed.append(words(error))
    for place in store.places:
        _files.tidy(place)
    try:
        now = store.effective()
    except (AnchorError, ProbeError, EnvironmentError) as error:
        return "The store cannot be read after that (%s), so its state is unknown" % words(error)
    state = "%s trusts the certificate" % store.path if now else "%s does not trust the certificate" % store.path
    if failed:
        return "The change could not be taken back whole (%s); now %s" % ("; ".join(failed), state)
    if now != was:
        return "The change was taken back, but the store is not as it was: now %s" % state
    return "The change was taken back: as before, %s" % state if done else "Nothing was changed: as before, %s" % state


def words(error):
    """What went wrong (str), with the path where there is one."""
    if isinstance(error, ProbeError):
        return "cannot read %s: %s" % (getattr(error, "path", None) or "the store", error.message)
    if isinstance(error, EnvironmentError) and error.strerror:
        return "%s: %s" % (error.filename or "the store", os.strerror(error.errno))
    return str(error)
