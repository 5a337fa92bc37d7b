# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whatever goes wrong while postfix_tls_policy changes a Postfix that runs: mail flows on, by the old, whole configuration."""

from __future__ import annotations

import collections.abc
import pathlib
import random
import re
import subprocess
import time
import typing as t

import pytest

from tests.conftest import require_programs, require_root
from tests.lab.mail import PROGRAMS, MailNetwork, PostfixInstance, wait_for
from tests.unit.postfix import module

OURS, SECOND, PARTNER = "mail.example", "second.example", "partner.example"
HOSTS = {OURS: "192.0.2.1", SECOND: "192.0.2.2", PARTNER: "192.0.2.3"}
SECURE: dict[str, t.Any] = {"destinations": [{"destination": PARTNER, "level": "secure", "match": ["mail.partner.example"]}]}
ENCRYPT: dict[str, t.Any] = {"destinations": [{"destination": PARTNER, "level": "encrypt"}]}
LEVELS = {"encrypt": ENCRYPT, "secure match=mail.partner.example": SECURE}
#: Stands for postfix(1); fails where the test wants it to.
SHIM = """\
#!/bin/sh
for word in "$@"; do
    if [ "$word" = "{command}" ] && mkdir "{flag}" 2>/dev/null; then
        {act}
    fi
done
exec /usr/sbin/postfix "$@"
"""


class Ours(PostfixInstance):
    """The Postfix that is changed."""

    def declare(self, check: bool = False, **parameters: t.Any) -> module.Answer:
        """Run the module on it; `path` and `tmpdir` are its PATH and TMPDIR."""
        more = {name.upper(): parameters.pop(name) for name in ("path", "tmpdir") if name in parameters}
        return module.run(
            {"config_directory": str(self.config), **parameters}, check=check, prefix=self.network.command(), **more
        )

    def apply(self, **parameters: t.Any) -> module.Answer:
        """Run the module, which must not fail."""
        answer = self.declare(**parameters)
        assert not answer.get("failed"), answer["msg"]
        return answer

    def level(self) -> str:
        """The policy of the partner as Postfix finds it."""
        tables = self.network.run("postconf", "-c", self.config, "-h", "smtp_tls_policy_maps").stdout.split()
        return self.network.run("postmap", "-c", self.config, "-q", PARTNER, *tables, check=False).stdout.strip()

    def sound(self) -> None:
        """It runs as the same process as ever, its configuration is whole, and it takes mail in."""
        assert self.running()
        self.network.run("postfix", "-c", self.config, "check")
        subject = f"sound {time.monotonic_ns()}"
        assert self.network.send(PARTNER, self, f"bob@{PARTNER}", f"alice@{self.name}", subject).code == 250
        wait_for(lambda: self.received(subject), "mail to be delivered")

    def reloads(self) -> int:
        """How often it was reloaded, once nothing more is written to its log."""
        length = -1
        while length != len(self.log()):
            length = len(self.log())
            time.sleep(0.5)
        return super().reloads()

    def files(self) -> dict[str, bytes]:
        """The configuration, as files."""
        return {str(path): path.read_bytes() for path in sorted(self.config.rglob("*")) if path.is_file()}


@pytest.fixture(scope="module")
def network() -> collections.abc.Iterator[MailNetwork]:
    require_root("mail in the lab")
    require_programs("mail in the lab", *PROGRAMS)
    with MailNetwork(HOSTS) as made:
        yield made


@pytest.fixture(scope="module")
def running(network: MailNetwork) -> Ours:
    made = Ours(network, OURS, certificate=network.issue(OURS))
    made.start()
    return made


@pytest.fixture
def ours(running: Ours) -> Ours:
    """Our Postfix as the test before left it, with `encrypt` declared."""
    running.apply(**ENCRYPT)
    running.apply(**ENCRYPT)  # this one removes the tables of before
    return running


def by_name(ours: Ours) -> dict[str, t.Any]:
    """The partner's certificate, by CA and name."""
    rule = {"require": "certificate", "ca_file": str(ours.network.ca_file), "names": ["mail.partner.example"]}
    return {"clients": [{**rule, "client": HOSTS[PARTNER]}]}


NOBODY: dict[str, t.Any] = {"clients": [{"client": HOSTS[PARTNER], "state": "absent"}]}


def shim(network: MailNetwork, name: str, command: str, act: str) -> str:
    """A PATH on which postfix(1) does `act` once when it is asked for `command`."""
    folder = network.directory / name
    folder.mkdir()
    path = folder / "postfix"
    path.write_text(SHIM.format(command=command, flag=folder / "done", act=act))
    path.chmod(0o755)
    return f"{folder}:/usr/sbin:/usr/bin:/sbin:/bin"


def killed_run(ours: Ours, declaration: dict[str, t.Any], after_s: float) -> bool:
    """Run the module and kill it after that time. Was it still running?"""
    process = subprocess.Popen(
        ours.network.command(*module.command()),
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        env=module.environment(TMPDIR=str(ours.network.directory)),
    )
    assert process.stdin is not None
    process.stdin.write(module.arguments({"config_directory": str(ours.config), **declaration}).encode())
    process.stdin.close()
    time.sleep(after_s)
    # nsenter joins a process namespace, so its child is the module; both are killed.
    children = pathlib.Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    subprocess.run(["kill", "-KILL", *children], stderr=subprocess.DEVNULL, check=False)
    process.kill()
    return process.wait() != 0


def test_killed_at_random(ours: Ours) -> None:
    """Twelve runs killed at a random moment, on a Postfix that runs."""
    chance = random.Random(8)  # noqa: S311 - no secret
    begin = time.monotonic()
    ours.apply(**SECURE)
    duration = time.monotonic() - begin
    master, killed, seen = ours.master(), 0, set()
    for number in range(12):
        declaration = (ENCRYPT, SECURE)[number % 2]
        killed += killed_run(ours, declaration, chance.uniform(0.2, 1.0) * duration)
        seen.add(ours.level())
        assert ours.level() in LEVELS
        ours.network.run("postfix", "-c", ours.config, "check")
    assert killed >= 6, "most runs were killed on their way"
    ours.sound()
    assert ours.master() == master
    for level, declaration in LEVELS.items():
        ours.apply(**declaration)
        assert ours.level() == level
        assert not ours.apply(**declaration)["changed"]
    assert not [name for name in ours.files() if ".mailops_tls." in name or "pending" in name]
    # The copies in which killed runs tried their changes are gone, too.
    ours.apply(**ENCRYPT, tmpdir=str(ours.network.directory))
    assert not list(ours.network.directory.glob("mailops_tls.*"))


def test_killed_between_change_and_reload(ours: Ours) -> None:
    """The next run reloads, though there is nothing else left to do."""
    path = shim(ours.network, "kill", "reload", "kill -KILL $PPID")
    with pytest.raises(AssertionError, match="no answer, exit status"):
        ours.declare(**SECURE, path=path)
    assert ours.level() == "secure match=mail.partner.example"
    reloads = ours.reloads()
    assert ours.declare(check=True, **SECURE)["reloaded"]
    answer = ours.apply(**SECURE)
    assert (answer["changed"], answer["reloaded"], answer["diff"]) == (True, True, [])
    assert ours.reloads() == reloads + 1
    assert not ours.apply(**SECURE)["changed"]
    ours.sound()


def test_killed_at_random_with_a_service(ours: Ours) -> None:
    """The partner with the right certificate is let in, whichever configuration a killed run left behind."""
    certificate = ours.network.issue("mail.partner.example")
    master = ours.config / "master.cf"
    foreign, chance = master.read_bytes(), random.Random(9)  # noqa: S311 - no secret
    begin = time.monotonic()
    ours.apply(**by_name(ours))
    duration = time.monotonic() - begin
    for number in range(8):
        declaration = (NOBODY, by_name(ours))[number % 2]
        killed_run(ours, declaration, chance.uniform(0.2, 1.0) * duration)
        ours.network.run("postfix", "-c", ours.config, "check")
        ours.network.run("postfix", "-c", ours.config, "reload")
        time.sleep(1)
        answer = ours.network.send(
            PARTNER, ours, f"bob@{PARTNER}", f"alice@{ours.name}", f"killed {number}", tls=True, certificate=certificate
        )
        assert answer.code == 250, answer
    ours.apply(**by_name(ours))
    assert not ours.apply(**by_name(ours))["changed"]
    ours.apply(**NOBODY)
    assert not ours.apply(**NOBODY)["changed"]
    assert master.read_bytes() == foreign
    ours.sound()


@pytest.mark.parametrize(("name", "number"), [("comes", 1), ("goes", 1), ("left", 2)])
def test_reload_that_fails_with_a_service(ours: Ours, name: str, number: int) -> None:
    """master.cf is put back as well; a service that could not be taken out goes with the next run."""
    before, declaration = ours.files(), by_name(ours)
    if name != "comes":
        ours.apply(**declaration)
        ours.apply(**declaration)
        before, declaration = ours.files(), NOBODY
    # The act is done once: where the second reload has to fail, the first one makes room for that.
    refuse = "echo 'postfix: fatal: the test says no' >&2; exit 1"
    act = refuse if number == 1 else f'if mkdir "$0.first"; then rmdir "${{0%/*}}/done"; else {refuse}; fi'
    path = shim(ours.network, f"service-{name}", "reload", act)
    answer = ours.declare(**declaration, path=path)
    assert answer.get("failed"), answer
    assert "Postfix runs with it" in answer["msg"]
    if name == "left":
        assert "a service in master.cf is left over" in answer["msg"]
        assert ours.apply(**NOBODY)["changed"]
        assert b"mailops_tls_ccert" not in (ours.config / "master.cf").read_bytes()
    else:
        assert ours.files() == before
    ours.apply(**NOBODY)
    assert not ours.apply(**NOBODY)["changed"]
    ours.sound()


def test_reload_only_on_change(ours: Ours) -> None:
    reloads = ours.reloads()
    assert not ours.apply(**ENCRYPT)["reloaded"]
    assert ours.declare(check=True, **SECURE)["reloaded"]
    assert not ours.apply(**SECURE, reload=False)["reloaded"]
    assert ours.reloads() == reloads
    assert ours.apply(**ENCRYPT)["reloaded"]
    assert ours.reloads() == reloads + 1


@pytest.mark.parametrize(
    ("name", "act", "says"),
    [
        ("refused", "echo 'postfix: fatal: the test says no' >&2; exit 1", "the test says no"),
        ("ended", '/usr/sbin/postfix "$@"; /usr/sbin/postfix -c "$2" stop; exit 0', "ended when it was reloaded"),
    ],
)
def test_reload_that_fails(ours: Ours, name: str, act: str, says: str) -> None:
    before = ours.files()
    answer = ours.declare(**SECURE, path=shim(ours.network, name, "reload", act))
    assert answer.get("failed"), answer
    assert says in answer["msg"]
    assert "The old configuration was put back and Postfix runs with it" in answer["msg"]
    assert ours.files() == before
    ours.sound()


def test_postfix_check_that_fails(ours: Ours) -> None:
    before, reloads = ours.files(), ours.reloads()
    act = "echo 'postfix: fatal: the check says no' >&2; exit 1"
    answer = ours.declare(**SECURE, path=shim(ours.network, "check", "check", act))
    assert "postfix check refuses the configuration" in answer["msg"]
    assert "the check says no" in answer["msg"]
    assert (ours.files(), ours.reloads()) == (before, reloads)
    ours.sound()


@pytest.mark.parametrize("table", ["hash:/nonexistent", "nosuchtype:/x"])
def test_broken_table_of_others(ours: Ours, table: str) -> None:
    """Somebody broke main.cf and did not reload yet: this run must not be what makes it count."""
    main = (ours.config / "main.cf").read_text()
    ours.set(
        smtp_tls_policy_maps=f"{table} "
        + ours.network.run("postconf", "-c", ours.config, "-h", "smtp_tls_policy_maps").stdout.strip()
    )
    before, reloads = ours.files(), ours.reloads()
    answer = ours.declare(**SECURE)
    assert "does not answer" in answer["msg"]
    assert (ours.files(), ours.reloads()) == (before, reloads)
    (ours.config / "main.cf").write_text(main)
    ours.sound()


class SmallDisk(Ours):
    """A Postfix whose configuration is on a file system of 96 KiB."""

    def start(self) -> None:
        # Longer than main.cf, so that there can be room for one and not for the other.
        master = self.config / "master.cf"
        master.write_text("# A comment of the administrator.\n" * 300 + master.read_text())
        script = 'cp -a "$0" "$0.kept" && mount -t tmpfs -o size=96k,mode=755 full "$0" && cp -a "$0.kept/." "$0/"'
        self.network.run("sh", "-c", script, self.config)
        super().start()

    def leave(self, left: int) -> None:
        """Fill the disk but for that many bytes."""
        fill = 'free=$(($(stat -f -c "%a*%S" "$0"))); head -c $((free > $1 ? free - $1 : 0)) /dev/zero > "$0/filler"'
        self.network.run("sh", "-c", fill, self.config, left)

    def make_room(self) -> None:
        """Remove what fills the disk."""
        self.network.run("rm", "-f", self.config / "filler")

    def listing(self) -> str:
        """Name and digest of every file but what fills the disk. Only processes in the network see that file system."""
        script = 'cd "$0" && find . -type f ! -name filler -exec md5sum {} + | sort'
        return self.network.run("sh", "-c", script, self.config).stdout


@pytest.fixture(scope="module")
def small(network: MailNetwork) -> collections.abc.Iterator[SmallDisk]:
    made = SmallDisk(network, SECOND, certificate=network.issue(SECOND))
    made.start()
    yield made
    made.stop()


def test_disk_full(small: SmallDisk) -> None:
    """The configuration is on a file system with a few kilobytes left, then none, of which the change needs more."""
    small.apply(**ENCRYPT)
    many: dict[str, t.Any] = {
        "destinations": [{"destination": f"partner{number}.example", "level": "encrypt"} for number in range(900)]
    }
    before, reloads = small.listing(), small.reloads()
    table = small.declare(check=True, **many)["diff"][1]["after"]
    # The last has room for the table, but not for main.cf.
    for left in (0, 4096, -(-len(table) // 4096) * 4096):
        small.leave(left)
        answer = small.declare(**many)
        assert answer.get("failed"), f"{left} bytes are too few"
        assert "No space left on device" in answer["msg"], answer
        assert small.listing() == before, left
        assert small.level() == "encrypt"
        small.make_room()
    assert small.reloads() == reloads
    small.sound()
    assert small.apply(**many)["changed"]
    assert not small.apply(**many)["changed"]
    small.apply(destinations=[], exclusive=True)
    small.sound()


@pytest.mark.parametrize("step", ["comes", "goes"])
def test_disk_full_with_a_service(small: SmallDisk, step: str) -> None:
    """Out of space at each file in turn, master.cf among them: script, table, master.cf, main.cf, and master.cf once more."""
    there, declaration = (NOBODY, by_name(small)) if step == "comes" else (by_name(small), NOBODY)
    for _run in range(2):
        small.apply(**there)  # the second one removes the tables of before
    before, reloads, failed_at = small.listing(), small.reloads(), set()
    for pages in range(16):
        small.leave(4096 * pages)
        answer = small.declare(**declaration)
        small.make_room()
        if not answer.get("failed"):
            break
        found = re.search(r"cannot write \S+/([\w.]+)\S*: No space left on device", answer["msg"])
        assert found, answer["msg"]
        failed_at.add(found[1])
        if "a service in master.cf is left over" in answer["msg"]:
            assert step == "goes", "what is declared counts by then"
            before = small.listing()
        assert small.listing() == before, answer["msg"]
        small.network.run("postfix", "-c", small.config, "check")
    assert answer["changed"], f"failed with {pages} pages left"
    assert small.reloads() > reloads
    assert failed_at == {"main.cf", "master.cf"} | ({"policy_server", "clients"} if step == "comes" else set())
    assert not small.apply(**declaration)["changed"]
    master = small.network.run("cat", small.config / "master.cf").stdout
    assert ("mailops_tls_ccert" in master) == (step == "comes")
    small.apply(**NOBODY)
    small.sound()


def test_one_of_several_instances(network: MailNetwork, running: Ours) -> None:
    """By name, as postmulti(1) knows it; the others stay as they are."""
    third = Ours(network, PARTNER, certificate=network.issue(PARTNER))
    (network.directory / "etc" / "main.cf").write_text(
        f"compatibility_level = 3.6\nmyhostname = {OURS}\nqueue_directory = {network.directory}/default-queue\n"
        f"data_directory = {network.directory}/default-data\nmaster_service_disable = inet\n"
    )
    network.run("postmulti", "-e", "init")
    for instance, name in ((running, "postfix-ours"), (third, "postfix-third")):
        network.run("postmulti", "-I", name, "-e", "import", f"config_directory={instance.config}")
    third.start()
    before, reloads = running.files(), running.reloads()
    parameters = {"instance": "postfix-third", **SECURE}
    answer = module.run(parameters, prefix=network.command())
    assert answer["changed"], answer
    assert answer["reloaded"]
    assert answer["instance"]["config_directory"] == str(third.config)
    assert third.reloads() == 1
    assert third.level() == "secure match=mail.partner.example"
    assert (running.files(), running.reloads()) == (before, reloads)
    assert not module.run(parameters, prefix=network.command())["changed"]
    assert "postfix-ours, postfix-third" in module.run({**parameters, "instance": "other"}, prefix=network.command())["msg"]
    third.sound()
    running.sound()
    default = module.run({"instance": "-", **SECURE}, prefix=network.command())
    assert default["instance"] == {"config_directory": "/etc/postfix", "version": answer["instance"]["version"], "running": False}
    assert (default["changed"], default["reloaded"]) == (True, False)
    assert (running.reloads(), third.reloads()) == (reloads, 1), "what is done to the default instance is not done to all"
