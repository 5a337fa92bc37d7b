# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module on a real Postfix configuration: what counts afterwards is what postconf and postmap say."""

from __future__ import annotations

import concurrent.futures
import os
import pathlib
import typing as t

import pytest

from tests.unit.postfix.conftest import Trial, settle

PRINT = "6B:86:B2:73:FF:34:FC:E1:9D:6B:80:4E:FF:5A:3F:57:47:AD:A4:EA:A2:2F:1D:49:C0:1E:52:DD:B7:87:5B:4B"
PARTNER = {"destination": "partner.example", "level": "secure", "match": ["mail.partner.example"]}
CLIENT = {"client": "192.0.2.0/28", "require": "certificate", "fingerprints": [PRINT]}
SENDER = {"sender_domain": "partner.example", "require": "encrypt"}
CERTIFICATE = "-----BEGIN CERTIFICATE-----\n"


def refused(trial: Trial, **parameters: t.Any) -> str:
    """The message of a run that must fail, and must leave every file as it was."""
    before = trial.files()
    answer = trial.declare(**parameters)
    assert answer.get("failed"), answer
    assert trial.files() == before
    assert "Traceback" not in answer["msg"]
    return str(answer["msg"])


def test_declare_twice(trial: Trial) -> None:
    before = trial.main.read_text()
    first = trial.apply(destinations=[PARTNER], clients=[CLIENT, SENDER])
    assert first["changed"]
    assert trial.main.read_text().startswith(before), "what the administrator wrote stays"
    assert trial.lookup("smtp_tls_policy_maps", "partner.example") == "secure match=mail.partner.example"
    client = trial.lookup("smtpd_data_restrictions", "192.0.2.5")
    assert client in trial.postconf("smtpd_restriction_classes")
    assert PRINT in trial.postconf(client)
    assert trial.lookup("smtpd_data_restrictions", "192.0.2.16") == ""
    assert trial.lookup("smtpd_data_restrictions", "partner.example") == "reject_plaintext_session"
    assert trial.postconf("smtpd_tls_security_level") == "may"
    assert trial.postconf("smtpd_tls_ask_ccert") == "yes"
    assert [(entry["kind"], entry["name"]) for entry in first["policies"]] == [
        ("client", "192.0.2.0/28"),
        ("destination", "partner.example"),
        ("sender_domain", "partner.example"),
    ]
    files = trial.files()
    second = trial.apply(destinations=[PARTNER], clients=[CLIENT, SENDER])
    assert (second["changed"], second["diff"], second["parameters"]) == (False, [], {})
    assert trial.files() == files


STEPS: list[dict[str, t.Any]] = [
    {"destinations": [PARTNER]},
    {"destinations": [{"destination": "partner.example", "level": "encrypt"}, {"destination": "b.example", "level": "may"}]},
    {"clients": [CLIENT, SENDER], "plaintext_reject_code": 530},
    {"clients": [{**CLIENT, "require": "encrypt", "fingerprints": None}]},
    {"destinations": [PARTNER], "clients": [SENDER], "exclusive": True},
    {"destinations": [], "clients": [], "exclusive": True},
    {"smtpd_tls_security_level": "encrypt"},
]


def test_check_mode_predicts(trial: Trial) -> None:
    """Whatever check mode says happens then: every answer, and nothing before."""
    for step in STEPS:
        before = trial.files()
        foreseen = trial.declare(check=True, **step)
        assert trial.files() == before
        done = trial.apply(**step)
        assert foreseen == done
        assert done["changed"]
        assert not trial.apply(**step)["changed"]
    assert "mailops_tls" not in trial.main.read_text(), "all that was declared is gone"


def test_diff_shows_what_changes(trial: Trial) -> None:
    trial.apply(destinations=[PARTNER], clients=[SENDER])
    other = {"destination": "other.example", "level": "encrypt"}
    answer = trial.apply(destinations=[PARTNER, other], clients=[SENDER])
    main, policy = answer["diff"]
    assert (main["after_header"], policy["after_header"]) == (str(trial.main), f"{trial.folder}/policy")
    assert [line.split(" = ")[0] for line in main["after"].splitlines()] == ["smtp_tls_policy_maps"]
    assert set(policy["after"].splitlines()) - set(policy["before"].splitlines()) == {"other.example encrypt"}
    assert set(policy["before"].splitlines()) <= set(policy["after"].splitlines())


def test_entries_of_others_survive(trial: Trial) -> None:
    by_hand = trial.write("by_hand", "legacy.example encrypt\n")
    trial.append(f"smtp_tls_policy_maps =\n    texthash:{by_hand},\n    inline:{{ {{x.example = may}} }}")
    trial.append("smtpd_data_restrictions = reject_unauth_pipelining")
    trial.apply(destinations=[PARTNER], clients=[CLIENT])
    assert by_hand.read_text() == "legacy.example encrypt\n"
    tables = trial.postconf("smtp_tls_policy_maps")
    assert tables.startswith(f"texthash:{by_hand}, inline:{{ {{x.example = may}} }}, texthash:{trial.folder}/policy-")
    assert trial.postconf("smtpd_data_restrictions").startswith("reject_unauth_pipelining, check_client_access")
    trial.apply(destinations=[], clients=[], exclusive=True)
    assert trial.postconf("smtp_tls_policy_maps") == f"texthash:{by_hand}, inline:{{ {{x.example = may}} }}"
    assert trial.postconf("smtpd_data_restrictions") == "reject_unauth_pipelining"


def test_an_entry_of_others_that_comes_first(trial: Trial) -> None:
    by_hand = trial.write("by_hand", "partner.example may\n")
    trial.append(f"smtp_tls_policy_maps = texthash:{by_hand}")
    message = refused(trial, destinations=[PARTNER])
    assert "comes first" in message
    assert str(by_hand) in message
    answer = trial.apply(destinations=[PARTNER], on_drift="warn")
    assert answer["policies"][0]["shadowed_by"] == f"texthash:{by_hand}: may"
    assert "does not count" in str(answer["warnings"])
    trial.write("by_hand", "partner.example secure match=mail.partner.example\n")
    assert trial.apply(destinations=[PARTNER])["policies"][0]["shadowed_by"] is None, "the same policy is no conflict"


@pytest.mark.parametrize("table", ["hash:{}/missing", "texthash:{}/missing", "nosuchtype:{}/x"])
def test_a_broken_table_of_others(trial: Trial, table: str) -> None:
    trial.append("smtp_tls_policy_maps = " + table.format(trial.directory))
    assert "does not answer" in refused(trial, destinations=[PARTNER])


def test_a_table_of_others_that_is_odd_but_answers(trial: Trial) -> None:
    """Postfix passes over a line that it does not understand, so that must not keep a declaration from being made."""
    by_hand = trial.write("by_hand", "lonely\nlegacy.example encrypt\n")
    trial.append(f"smtp_tls_policy_maps = texthash:{by_hand}")
    assert trial.apply(destinations=[PARTNER])["changed"]


@pytest.mark.parametrize("content", ["partner.example may\n", "\x00\xff\n{{{", "", None])
def test_our_own_table_broken_by_hand(trial: Trial, content: str | None) -> None:
    declaration: dict[str, t.Any] = {"destinations": [PARTNER], "clients": [CLIENT]}
    trial.apply(**declaration)
    whole = trial.files()
    for path in trial.folder.iterdir():
        if content is None:
            path.unlink()
        else:
            path.write_bytes(content.encode("latin-1"))
            settle(path)
    assert trial.declare(check=True, **declaration)["changed"]
    assert trial.apply(**declaration)["changed"]
    assert trial.files() == whole
    assert not trial.apply(**declaration)["changed"]


@pytest.mark.parametrize(
    ("on_drift", "level"), [("replace", "secure match=mail.partner.example"), ("keep", "may"), ("warn", "may")]
)
def test_drift(trial: Trial, on_drift: str, level: str) -> None:
    trial.apply(destinations=[PARTNER])
    (path,) = trial.folder.iterdir()
    path.write_text(path.read_text().replace("secure match=mail.partner.example", "may"))
    settle(path)
    trial.apply(destinations=[PARTNER], on_drift=on_drift)
    assert trial.lookup("smtp_tls_policy_maps", "partner.example") == level
    assert not trial.apply(destinations=[PARTNER], on_drift=on_drift)["changed"]


def test_drift_fails(trial: Trial) -> None:
    trial.apply(destinations=[PARTNER])
    assert "on_drift is fail" in refused(trial, destinations=[{**PARTNER, "level": "verify"}], on_drift="fail")


def test_postfix_check_refuses(trial: Trial) -> None:
    (trial.directory / "queue").mkdir()
    trial.append("meta_directory = /nonexistent")
    assert "postfix check refuses the configuration" in refused(trial, destinations=[PARTNER])


def test_main_cf_that_postconf_cannot_read(trial: Trial) -> None:
    trial.main.write_text("\x00 = \n")
    settle(trial.main)
    answer = trial.declare(destinations=[PARTNER], clients=[CLIENT])
    assert answer.get("failed")
    assert trial.main.read_text() == "\x00 = \n"


def test_what_is_refused(trial: Trial, tmp_path: pathlib.Path) -> None:
    assert "names need ca_file" in refused(trial, clients=[{**CLIENT, "names": ["mail.partner.example"]}])
    ca_file = tmp_path / "ca.pem"
    ca_file.write_text(CERTIFICATE)
    by_name = {"client": "192.0.2.1", "require": "certificate", "ca_file": str(ca_file), "names": ["mail.partner.example"]}
    trial.directory.chmod(0o700)
    assert "runs as nobody, who cannot get to" in refused(trial, clients=[by_name])
    assert "no code that refuses" in refused(trial, clients=[CLIENT], plaintext_reject_code=250)
    assert "No such file" in refused(trial, destinations=[{**PARTNER, "ca_file": "/nonexistent.pem"}])
    private = tmp_path / "private.pem"
    private.write_text(CERTIFICATE)
    private.chmod(0o600)
    assert "readable by all" in refused(trial, destinations=[{**PARTNER, "ca_file": str(private)}])
    private.chmod(0o644)
    private.write_text("-----BEGIN PRIVATE KEY-----\n")
    assert "no private key" in refused(trial, destinations=[{**PARTNER, "ca_file": str(private)}])
    assert "has no main.cf" in trial.declare(config_directory=str(tmp_path / "none"), destinations=[])["msg"]


def test_ca_file_of_a_chroot(trial: Trial, tmp_path: pathlib.Path) -> None:
    (trial.directory / "master.cf").write_text("smtp inet n - n - - smtpd\nsmtp unix - - y - - smtp\n")
    settle(trial.directory / "master.cf")
    ca_file = tmp_path / "ca.pem"
    ca_file.write_text(CERTIFICATE)
    assert "smtp(8) runs in a chroot" in refused(trial, destinations=[{**PARTNER, "ca_file": str(ca_file)}])
    inside = pathlib.Path(f"{trial.directory}/queue{ca_file}")
    inside.parent.mkdir(parents=True)
    inside.write_text(CERTIFICATE)
    answer = trial.declare(check=True, destinations=[{**PARTNER, "ca_file": str(ca_file)}])
    assert f"tafile={ca_file}" in answer["policies"][0]["value"]


def test_backup_is_whole(trial: Trial) -> None:
    """The copy of main.cf names map files that are still there, so putting it back works."""
    trial.apply(destinations=[{"destination": "partner.example", "level": "encrypt"}])
    old = trial.main.read_bytes()
    answer = trial.apply(destinations=[PARTNER], backup=True)
    copy = pathlib.Path(answer["backup_file"])
    assert copy.read_bytes() == old
    for level in ("verify", "may"):
        trial.apply(destinations=[{"destination": "partner.example", "level": level}])
    trial.main.write_bytes(copy.read_bytes())
    settle(trial.main)
    assert trial.lookup("smtp_tls_policy_maps", "partner.example") == "encrypt"


def test_old_map_files_go(trial: Trial) -> None:
    """All but those of the last change, which a process of Postfix that starts at that moment may still open."""
    for level in ("may", "encrypt", "verify", "secure"):
        trial.apply(destinations=[{"destination": "partner.example", "level": level}])
    assert len(list(trial.folder.iterdir())) == 2
    trial.apply(destinations=[{"destination": "partner.example", "level": "secure"}])
    assert len(list(trial.folder.iterdir())) == 1


def test_attributes_and_links_of_main_cf_stay(trial: Trial) -> None:
    real = trial.directory.parent / "real-main.cf"
    trial.main.rename(real)
    trial.main.symlink_to(real)
    real.chmod(0o640)
    os.chown(real, 0, 8)
    assert trial.apply(destinations=[PARTNER])["changed"]
    assert trial.main.is_symlink()
    status = real.stat()
    assert (status.st_mode & 0o7777, status.st_gid) == (0o640, 8)
    assert not trial.apply(destinations=[PARTNER])["changed"]


def test_what_a_killed_run_kept_is_not_put_back(trial: Trial) -> None:
    """The administrator went on editing since; a run that fails then must not bring back what was before."""
    (trial.directory / ".mailops_tls.before").write_text("myhostname = old.example\n")
    trial.append("myorigin = new.example")
    trial.folder.write_text("a file where the folder has to be")
    answer = trial.declare(destinations=[PARTNER])
    assert "Not a directory" in answer["msg"]
    assert "Nothing was changed" in answer["msg"]
    assert "myorigin = new.example" in trial.main.read_text()
    assert not (trial.directory / ".mailops_tls.before").exists()


def test_two_runs_at_once(trial: Trial) -> None:
    """Each adds its own entry; none is lost."""
    names = [f"partner{number}.example" for number in range(4)]

    def declare(name: str) -> t.Any:
        return trial.apply(destinations=[{"destination": name, "level": "encrypt"}])

    with concurrent.futures.ThreadPoolExecutor() as pool:
        list(pool.map(declare, names))
    assert [trial.lookup("smtp_tls_policy_maps", name) for name in names] == ["encrypt"] * 4


def test_two_hundred_partners(trial: Trial) -> None:
    """One table and one class for each requirement, however many there are."""
    numbers = range(200)
    declaration = {
        "destinations": [{**PARTNER, "destination": f"partner{number}.example"} for number in numbers],
        "clients": [
            {"client": f"198.51.100.{number}", "require": "certificate", "fingerprints": [f"{number:064x}"]} for number in numbers
        ],
    }
    trial.apply(**declaration)
    assert not trial.apply(**declaration)["changed"]
    assert len(trial.postconf("smtpd_restriction_classes").split()) == 200
    assert "00:C7 = OK" in trial.postconf(trial.lookup("smtpd_data_restrictions", "198.51.100.199"))


def by_name(trial: Trial, *names: str, **more: str) -> dict[str, t.Any]:
    """A requirement by CA and name."""
    place = more or {"client": "192.0.2.0/28"}
    return {**place, "require": "certificate", "ca_file": str(trial.directory / "ca.pem"), "names": list(names)}


def test_names_in_check_mode_and_diff(open_trial: Trial) -> None:
    """What check mode says happens to master.cf too, and it comes back to what it was."""
    trial, master = open_trial, open_trial.directory / "master.cf"
    theirs = "# theirs\nsmtp inet n - n - - smtpd\n  -o syslog_name=x\nsmtp unix - - n - - smtp\n"
    trial.write(master.name, theirs)
    steps = [
        [by_name(trial, "mail.partner.example")],
        [by_name(trial, "mail.partner.example", "*.partner.example"), by_name(trial, "a.example", sender_domain="a.example")],
        [{"client": "192.0.2.0/28", "state": "absent"}],
        [{"sender_domain": "a.example", "state": "absent"}],
    ]
    for number, clients in enumerate(steps):
        before = trial.files()
        foreseen = trial.declare(check=True, clients=clients)
        assert trial.files() == before
        done = trial.apply(clients=clients)
        assert (foreseen, done["changed"]) == (done, True)
        assert not trial.apply(clients=clients)["changed"]
        assert (str(master) in [part["after_header"] for part in done["diff"]]) == (number in (0, 3))
        assert master.read_text().startswith(theirs)
        assert (master.read_text() == theirs) == (number == 3)
    assert "mailops_tls" not in trial.main.read_text()
    assert not trial.folder.exists()


def test_a_service_changed_by_hand(open_trial: Trial) -> None:
    trial, master = open_trial, open_trial.directory / "master.cf"
    clients = [by_name(trial, "mail.partner.example")]
    trial.apply(clients=clients)
    whole = trial.files()
    trial.write("master.cf", master.read_text().replace("user=nobody", "user=root") + "  -o x=y\n")
    assert trial.apply(clients=clients)["changed"]
    trial.apply(clients=clients)
    assert trial.files() == whole
    trial.write("master.cf", master.read_text().splitlines(True)[0])
    assert trial.apply(clients=clients)["changed"]
    assert "spawn user=nobody" in master.read_text()


def test_backup_of_both(open_trial: Trial) -> None:
    trial, master = open_trial, open_trial.directory / "master.cf"
    before = master.read_bytes()
    answer = trial.apply(clients=[by_name(trial, "mail.partner.example")], backup=True)
    assert pathlib.Path(answer["master_backup_file"]).read_bytes() == before
    again = trial.apply(clients=[by_name(trial, "other.example")], backup=True)
    assert "backup_file" in again
    assert "master_backup_file" not in again
