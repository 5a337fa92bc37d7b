# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The service that compares names: its line in master.cf, and the interpreter that runs it."""

from __future__ import annotations

import pathlib
import sys

import hypothesis
import hypothesis.strategies as st
import pytest
from ansible_collections.mailops.tls.plugins.module_utils._postfix import interpreter, service, system

FOLDER = "/etc/postfix/mailops_tls"
NEW = service.service("/usr/bin/python3", FOLDER, "new")
OLD = service.service("/usr/bin/python3", FOLDER, "old")
#: What administrators and distributions write.
MASTER = """\
# service type private
smtp      inet  n       -       y       -       -       smtpd
  -o smtpd_tls_ask_ccert=yes

  # a comment in the middle
\t-o syslog_name=x
#mailops_tls_ccert_0123456789abcdef unix - n n - 0 spawn user=nobody argv=/old
pickup    unix  n       -       y       60      1       pickup
caf\xe9 unix - n n - 0 spawn user=nobody argv=/x\r
"""


def test_it_comes_and_goes() -> None:
    with_it = service.with_service(MASTER, NEW)
    assert with_it == MASTER + NEW.line
    assert service.with_service(with_it, NEW) == with_it
    assert service.without_others(with_it, NEW) == with_it
    assert service.without_others(with_it, None) == MASTER
    assert service.with_service(MASTER, None) == MASTER


def test_from_one_to_another() -> None:
    """Both are there while main.cf is exchanged."""
    first = service.with_service(MASTER, OLD) + "later unix - - n - - smtp\n"
    both = service.with_service(first, NEW)
    assert service.ours(both) == [OLD.line, NEW.line]
    assert service.without_others(both, NEW) == MASTER + "later unix - - n - - smtp\n" + NEW.line


def test_changed_by_hand() -> None:
    """Its own continuation lines are a part of it; put back as it was, with the lines of others untouched."""
    changed = MASTER + NEW.line.replace("nobody", "root") + "  -o x=y\n\t-v\n" + "later unix - - n - - smtp\n"
    assert service.with_service(changed, NEW) == MASTER + "later unix - - n - - smtp\n" + NEW.line
    assert service.without_others(changed, None) == MASTER + "later unix - - n - - smtp\n"


lines = st.lists(
    st.sampled_from([NEW.line, OLD.line, "  -o a=b\n", "# c\n", "\n", "smtp unix - - n - - smtp\n", " \n"]), max_size=12
)


@hypothesis.given(lines)
@hypothesis.settings(max_examples=200, deadline=None)
def test_any_mixture(pieces: list[str]) -> None:
    text = "".join(pieces)
    joint = service.with_service(text, NEW)
    assert NEW.line in service.ours(joint)
    done = service.without_others(joint, NEW)
    assert set(service.ours(done)) == {NEW.line}
    assert service.with_service(done, NEW) == done
    assert service.ours(service.without_others(done, None)) == []
    foreign = [piece for piece in pieces if piece.startswith(("smtp", "#"))]
    assert [line for line in done.splitlines(True) if line.startswith(("smtp", "#"))] == foreign


def test_a_last_line_without_end() -> None:
    assert service.with_service("smtp unix - - n - - smtp", NEW) == "smtp unix - - n - - smtp\n" + NEW.line


def test_one_name_for_one_content() -> None:
    others = [OLD, service.service("/usr/bin/python3.9", FOLDER, "new"), service.service("/usr/bin/python3", "/x", "new")]
    assert len({NEW.value, *(other.value for other in others)}) == 4
    assert service.scripts(f"{service.SETTING} = {NEW.value}\n") == {NEW.file}
    assert service.is_script(NEW.file)
    assert not service.is_script("policy_server.py")


def test_an_interpreter_of_this_host() -> None:
    found = interpreter.find("/etc/mailops_tls", ("/nonexistent", "/bin/false", "/usr/bin/python3"))
    assert "argv=/usr/bin/python3 -I /etc/mailops_tls/policy_server-" in found.line


@pytest.mark.parametrize(
    ("candidate", "says"),
    [
        ("/nonexistent", "/nonexistent is not there"),
        ("/bin/false", "/bin/false does not run it"),
        ("/with space/python3", "has a name that master.cf cannot have"),
        ("", "has a name"),
    ],
)
def test_no_interpreter(candidate: str, says: str) -> None:
    with pytest.raises(system.PostfixError, match=f"no interpreter on this host.*{says}"):
        interpreter.find("/etc/mailops_tls", (candidate,))


def test_places_that_nobody_can_get_to(tmp_path: pathlib.Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    python = closed / "python3"
    python.symlink_to(sys.executable)
    with pytest.raises(system.PostfixError, match="is not for all to execute"):
        interpreter.find("/etc/mailops_tls", (str(python),))
    with pytest.raises(system.PostfixError, match=r"runs as nobody, who cannot get to .* is not open to all"):
        interpreter.find(str(closed / "mailops_tls"))
