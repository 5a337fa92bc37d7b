# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""postfix_tls_policy proven by mail: what went through in the clear before goes only to and from the right partner after.

Ours is mail.example. Each partner is a Postfix of its own that presents the certificate it is named after, as a server
and as a client.
"""

from __future__ import annotations

import collections.abc
import concurrent.futures
import pathlib
import time
import typing as t

import pytest
from cryptography import x509

from tests.conftest import require_programs, require_root
from tests.lab.mail import PROGRAMS, USAGES, MailNetwork, PostfixInstance, wait_for
from tests.unit.postfix import module

OURS = "mail.example"
PARTNERS = ("right.example", "plain.example", "wrong-ca.example", "wrong-name.example", "expired.example")
HOSTS = {name: f"192.0.2.{number}" for number, name in enumerate((OURS, *PARTNERS, "second.example", "small.example"), 1)}
#: What the log says of mail to each partner when `secure` is declared for it.
OUTBOUND = {
    "right.example": "dsn=2.0.0, status=sent",
    "plain.example": "dsn=4.7.4, status=deferred (TLS is required, but was not offered",
    "wrong-ca.example": "dsn=4.7.5, status=deferred (Server certificate not ",
    "wrong-name.example": "dsn=4.7.5, status=deferred (Server certificate not ",
    "expired.example": "dsn=4.7.5, status=deferred (Server certificate not ",
}
#: What the server answers each of them when one certificate is demanded of it.
INBOUND = {
    "right.example": "dsn=2.0.0, status=sent",
    "plain.example": "dsn=4.7.1, status=deferred (host mail.example[192.0.2.1] said: 450 4.7.1 Session encryption is required",
    "wrong-ca.example": "dsn=5.7.1, status=bounced (host mail.example[192.0.2.1] said: 554 5.7.1 ",
    "wrong-name.example": "dsn=5.7.1, status=bounced (host mail.example[192.0.2.1] said: 554 5.7.1 ",
    "expired.example": "dsn=5.7.1, status=bounced (host mail.example[192.0.2.1] said: 554 5.7.1 ",
}


PRINT = "AA" * 32


class Players:
    """Our Postfix and its partners, and what was seen before anything was declared."""

    def __init__(self, network: MailNetwork) -> None:
        self.network = network
        self.other_ca = other = network.new_ca("Other CA")
        self.certificates = {
            "right.example": network.issue("mail.right.example"),
            "plain.example": None,
            "wrong-ca.example": network.issue("mail.wrong-ca.example", ca=other),
            "wrong-name.example": network.issue("mail.elsewhere.example"),
            "expired.example": network.expired("mail.expired.example"),
        }
        self.agreed = {name: network.issue(f"mail.{name}") for name in PARTNERS}
        self.agreed["right.example"] = t.cast(t.Any, self.certificates["right.example"])
        self.ours = PostfixInstance(
            network,
            OURS,
            certificate=network.issue(OURS),
            main_cf={
                "smtp_tls_policy_maps": f"texthash:{network.directory}/{OURS}/etc/by_hand",
                "smtpd_data_restrictions": "reject_unauth_pipelining",
            },
        )
        self.by_hand = self.ours.config / "by_hand"
        self.by_hand.write_text("# the administrator's own\nlegacy.example encrypt\n")
        self.partners = {
            name: PostfixInstance(
                network,
                name,
                certificate=certificate,
                main_cf={"smtp_tls_security_level": "may" if certificate else "none"},
            )
            for name, certificate in self.certificates.items()
        }
        with concurrent.futures.ThreadPoolExecutor() as pool:
            list(pool.map(PostfixInstance.start, [self.ours, *self.partners.values()]))
        self.before = {name: (self.outbound(name, "before"), self.inbound(name, "before")) for name in PARTNERS}
        self.main_before = (self.ours.config / "main.cf").read_text()
        self.first = self.declare(**self.declaration)

    @property
    def declaration(self) -> dict[str, t.Any]:
        """The servers of each partner need its name, its clients the agreed certificate."""
        return {
            "destinations": [{"destination": name, "level": "secure", "match": [f"mail.{name}"]} for name in PARTNERS],
            "clients": [
                {"client": HOSTS[name], "require": "certificate", "fingerprints": [self.agreed[name].sha256]} for name in PARTNERS
            ],
        }

    def declare(self, check: bool = False, **parameters: t.Any) -> module.Answer:
        """Run the module, which must not fail, and wait until no process of before is left."""
        answer = module.run({"config_directory": str(self.ours.config), **parameters}, check=check, prefix=self.network.command())
        assert not answer.get("failed"), answer["msg"]
        if answer["reloaded"] and not check:
            time.sleep(1.5)
        return answer

    def outbound(self, partner: str, subject: str) -> str:
        """What becomes of mail from us to a partner."""
        return self.ours.deliver(f"bob@{partner}", f"to {partner} {subject}")

    def inbound(self, partner: str, subject: str) -> str:
        """What becomes of mail from a partner to us."""
        return self.partners[partner].deliver(f"alice@{OURS}", f"from {partner} {subject}")


@pytest.fixture(scope="module")
def players() -> collections.abc.Iterator[Players]:
    require_root("mail in the lab")
    require_programs("mail in the lab", *PROGRAMS)
    with MailNetwork(HOSTS) as network:
        yield Players(network)


@pytest.mark.parametrize("partner", PARTNERS)
def test_before_everything_went_through(players: Players, partner: str) -> None:
    outbound, inbound = players.before[partner]
    assert "status=sent" in outbound
    assert "status=sent" in inbound
    wait_for(lambda: players.partners[partner].received(f"to {partner} before"), "mail to the partner")
    wait_for(lambda: players.ours.received(f"from {partner} before"), "mail from the partner")


def test_in_the_clear_before(players: Players) -> None:
    """The partner without TLS got its mail, and sent its own, in the clear."""
    assert "TLS connection established" not in players.partners["plain.example"].log()
    assert players.first["changed"]
    assert players.first["reloaded"]


@pytest.mark.parametrize("partner", PARTNERS)
def test_to_a_partner(players: Players, partner: str) -> None:
    outcome = players.outbound(partner, "declared")
    assert OUTBOUND[partner] in outcome
    assert (partner == "right.example") == ("status=sent" in outcome)
    if partner == "right.example":
        wait_for(lambda: players.partners[partner].received(f"to {partner} declared"), "mail to the partner")
        assert "Verified TLS connection established to right.example" in players.ours.log()
    else:
        queue_id = outcome.split(": to=")[0].split()[-1]
        assert queue_id in players.ours.queue(), "it waits, and nothing is lost"
        assert not players.partners[partner].received(f"to {partner} declared")


@pytest.mark.parametrize("partner", PARTNERS)
def test_from_a_partner(players: Players, partner: str) -> None:
    outcome = players.inbound(partner, "declared")
    assert INBOUND[partner] in outcome
    if partner == "right.example":
        wait_for(lambda: players.ours.received(f"from {partner} declared"), "mail from the partner")
    else:
        assert not players.ours.received(f"from {partner} declared")


@pytest.mark.parametrize("partner", PARTNERS)
def test_posttls_finger_agrees(players: Players, partner: str) -> None:
    said = players.ours.finger("secure", f"[{HOSTS[partner]}]:25", f"mail.{partner}")
    assert ("Verified TLS connection established" in said) == (partner == "right.example"), said


def test_plain_client_has_the_permanent_code_that_was_asked_for(players: Players) -> None:
    """A client in the clear, at the partner's address, by hand: first waits, then is told for good."""
    question = ("right.example", players.ours, "bob@right.example", f"alice@{OURS}", "clear")
    assert str(players.network.send(*question)) == "450 4.7.1 Session encryption is required"
    players.declare(**players.declaration, plaintext_reject_code=530)
    answer = players.network.send(*question)
    assert (str(answer), answer.command) == ("530 5.7.1 Session encryption is required", "DATA")
    assert "status=bounced" in players.inbound("plain.example", "for good")
    without = players.network.send(*question, tls=True)
    assert str(without).startswith("554 5.7.1 ")
    assert "certificate required" in str(without)


def test_nobody_in_the_clear(players: Players) -> None:
    """An instance to which only partners send: refused before a sender is named, with the code of RFC 3207."""
    question = ("second.example", players.ours, "eve@second.example", f"alice@{OURS}", "nobody in the clear")
    assert players.network.send(*question).code == 250, "nothing is declared for this client"
    players.declare(**players.declaration, smtpd_tls_security_level="encrypt")
    assert not players.declare(**players.declaration, smtpd_tls_security_level="encrypt")["changed"]
    answer = players.network.send(*question)
    encrypted = players.network.send(*question, tls=True)
    outcomes = {name: players.inbound(name, "nobody in the clear") for name in ("plain.example", "right.example")}
    players.declare(**players.declaration, smtpd_tls_security_level="may")
    assert (str(answer), answer.command) == ("530 5.7.0 Must issue a STARTTLS command first", "MAIL")
    assert encrypted.code == 250
    said = "dsn=5.7.0, status=bounced (host mail.example[192.0.2.1] said: 530 5.7.0 Must issue a STARTTLS command first"
    assert said in outcomes["plain.example"]
    assert INBOUND["right.example"] in outcomes["right.example"]
    assert players.network.send(*question).code == 250


def test_chunking_is_no_way_around(players: Players) -> None:
    """A client that sends its text by BDAT never says DATA."""
    answer = players.network.send("right.example", players.ours, "bob@right.example", f"alice@{OURS}", "chunk", chunking=True)
    assert answer.command == "BDAT"
    assert answer.code in (450, 530)
    assert "Session encryption is required" in answer.text
    assert not players.ours.received("chunk")


def test_others_are_not_concerned(players: Players) -> None:
    """A client that nothing is declared for, whichever way it sends."""
    question = ("second.example", players.ours, "eve@second.example", f"alice@{OURS}", "chunked")
    assert players.network.send(*question, chunking=True).code == 250
    wait_for(lambda: players.ours.received("chunked"), "mail by BDAT")
    answer = players.network.send("second.example", players.ours, "eve@second.example", f"alice@{OURS}", "other")
    assert answer.code == 250


def test_second_run_changes_nothing(players: Players) -> None:
    declared = players.declare(**players.declaration)
    files, reloads = _files(players.ours.config), players.ours.reloads()
    again = players.declare(**players.declaration)
    assert (again["changed"], again["reloaded"], again["diff"]) == (False, False, [])
    assert [entry["name"] for entry in again["policies"]] == [entry["name"] for entry in declared["policies"]]
    assert (_files(players.ours.config), players.ours.reloads()) == (files, reloads)


def test_what_others_wrote_survives(players: Players) -> None:
    assert players.by_hand.read_text() == "# the administrator's own\nlegacy.example encrypt\n"
    settings = (players.ours.config / "main.cf").read_text()
    assert f"smtp_tls_policy_maps = texthash:{players.by_hand}, texthash:" in settings
    assert "smtpd_data_restrictions = reject_unauth_pipelining, check_client_access" in settings
    for line in players.main_before.splitlines():
        if not line.startswith(("smtp_tls_policy_maps", "smtpd_data_restrictions")):
            assert line in settings.splitlines()


def test_certificate_by_ca(players: Players) -> None:
    """Of any name, as documented; of another CA, expired or missing: refused."""
    clients = [{"client": HOSTS[name], "require": "certificate", "ca_file": str(players.network.ca_file)} for name in PARTNERS]
    players.declare(clients=clients)
    found = {name: players.inbound(name, "by CA") for name in PARTNERS}
    players.declare(clients=players.declaration["clients"])
    assert {name for name, outcome in found.items() if "status=sent" in outcome} == {"right.example", "wrong-name.example"}
    for name in ("wrong-ca.example", "expired.example"):
        assert INBOUND[name] in found[name]


def test_the_cas_of_clients_change(players: Players) -> None:
    """The next CA instead of the one before, by declaration; and no trace of it when nothing is declared any more."""
    other_file = players.network.directory / "other-ca-of-clients.pem"
    other_file.write_text(players.other_ca.pem)
    other_file.chmod(0o644)
    names = ("right.example", "wrong-ca.example")
    found = {}
    for ca_file in (players.network.ca_file, other_file):
        clients = [{"client": HOSTS[name], "require": "certificate", "ca_file": str(ca_file)} for name in names]
        assert players.declare(clients=clients)["changed"]
        assert not players.declare(clients=clients)["changed"]
        found[ca_file] = {name for name in names if "status=sent" in players.inbound(name, f"by {ca_file.name}")}
    assert list(found.values()) == [{"right.example"}, {"wrong-ca.example"}]
    players.declare(clients=players.declaration["clients"])
    assert "client_ca" not in (players.ours.config / "main.cf").read_text()
    assert players.network.run("postconf", "-c", players.ours.config, "-h", "smtpd_tls_CAfile").stdout.strip() == ""


def test_others_that_permit_first(players: Players) -> None:
    """What surely lets mail in the clear by is refused before anything changes; what may do so is said."""
    declaration = {"clients": [{"client": HOSTS["second.example"], "require": "encrypt"}]}
    restrictions = players.network.run("postconf", "-c", players.ours.config, "-h", "smtpd_data_restrictions").stdout.strip()
    question = ("second.example", players.ours, "eve@second.example", f"alice@{OURS}", "first")
    answers, codes = [], []
    for theirs in ("check_sender_access static:OK", f"check_sender_access texthash:{players.by_hand}"):
        players.ours.set(smtpd_data_restrictions=f"{theirs}, {restrictions}")
        parameters = {"config_directory": str(players.ours.config), **declaration}
        answers.append(module.run(parameters, prefix=players.network.command()))
        time.sleep(1.5)
        codes.append(players.network.send(*question).code)
    players.ours.set(smtpd_data_restrictions=restrictions)
    players.declare(clients=[{"client": HOSTS["second.example"], "state": "absent"}])
    assert "check_sender_access static:OK before the requirements on clients" in answers[0]["msg"]
    assert "they do not count for mail that it permits" in str(answers[1]["warnings"])
    assert codes[0] == 250
    assert codes[1] in (450, 530), "whichever plaintext_reject_code a test before left"


def test_certificate_by_ca_and_name(players: Players) -> None:
    """Another name, another CA, expired, missing or in the clear: refused. Then master.cf is as it was."""
    master = players.ours.config / "master.cf"
    before = master.read_bytes()
    rule = {"require": "certificate", "ca_file": str(players.network.ca_file)}
    clients = [{**rule, "client": HOSTS[name], "names": [f"mail.{name}"]} for name in PARTNERS]
    second = {**rule, "client": HOSTS["second.example"], "names": ["other.example", "*.partner.example"]}
    players.declare(clients=[*clients, second])
    assert master.read_bytes().startswith(before)
    assert master.read_bytes().count(b"mailops_tls_ccert_") == 1
    assert not players.declare(clients=[*clients, second])["changed"]
    files, reloads = _files(players.ours.config), players.ours.reloads()
    found = {name: players.inbound(name, "by name") for name in PARTNERS}
    question = ("second.example", players.ours, "eve@second.example", f"alice@{OURS}", "wildcard")
    issue = players.network.issue
    good = [issue("mail.partner.example"), issue("other.example"), issue("MAIL.Partner.Example")]
    # Subject alternative names are not what Postfix hands over.
    bad = [issue("partner.example"), issue("a.b.partner.example"), issue("x.example", "other.example"), None]
    unfit = [issue("other.example", usages=USAGES[:1]), issue("other.example", subject=x509.Name([]))]
    answers = [players.network.send(*question, tls=True, certificate=certificate) for certificate in [*good, *bad, *unfit]]
    assert (_files(players.ours.config), players.ours.reloads()) == (files, reloads)
    removed = players.declare(clients=[*players.declaration["clients"], {"client": HOSTS["second.example"], "state": "absent"}])
    assert removed["changed"]
    assert {name for name, outcome in found.items() if "status=sent" in outcome} == {"right.example"}
    assert "Session encryption is required" in found["plain.example"]
    for name in ("wrong-ca.example", "wrong-name.example", "expired.example"):
        assert INBOUND[name] in found[name]
    assert "mail.elsewhere.example is not the agreed name" in found["wrong-name.example"]
    assert [answer.code for answer in answers] == [250] * 3 + [554] * 6
    assert all("there is none, or it was not verified" in answer.text for answer in answers[-3:])
    wait_for(lambda: players.ours.received("from right.example by name"), "mail from the partner")
    assert master.read_bytes() == before
    assert not players.declare(**players.declaration)["changed"]


def test_a_service_that_does_not_answer(players: Players) -> None:
    """Refused for now, whatever this Postfix answers by default for a policy service."""
    rule = {"require": "certificate", "ca_file": str(players.network.ca_file), "names": ["mail.right.example"]}
    players.ours.set(smtpd_policy_service_default_action="DUNNO", smtpd_policy_service_retry_delay="1s")
    players.declare(clients=[{**rule, "client": HOSTS["right.example"]}])
    (script,) = (players.ours.config / "mailops_tls").glob("policy_server-*")
    text = script.read_text()
    question = ("right.example", players.ours, "bob@right.example", f"alice@{OURS}", "no answer")
    certificate = players.certificates["right.example"]
    answers = []
    for content in (text, "raise SystemExit(1)\n", None):
        if content is None:
            script.unlink()
        else:
            script.write_text(content)
        players.network.run("postfix", "-c", players.ours.config, "reload")  # ends the policy server that runs
        time.sleep(1.5)
        answers.append(players.network.send(*question, tls=True, certificate=certificate))
    mended = players.declare(clients=[{**rule, "client": HOSTS["right.example"]}])
    answers.append(players.network.send(*question, tls=True, certificate=certificate))
    players.declare(**players.declaration)
    assert mended["changed"]
    assert [answer.code for answer in answers] == [250, 451, 451, 250]


def test_sender_domain_by_name(players: Players) -> None:
    """What the sender's certificate permits goes on with the requirements of the client."""
    right = players.certificates["right.example"]
    rule = {"require": "certificate", "ca_file": str(players.network.ca_file), "names": ["mail.right.example"]}
    second = {"client": HOSTS["second.example"], "require": "certificate", "fingerprints": [PRINT]}
    question = ("second.example", players.ours, "bob@sub.right.example", f"alice@{OURS}", "sender by name")
    players.declare(clients=[{**rule, "sender_domain": "right.example"}])
    agreed = players.network.send(*question, tls=True, certificate=right)
    other = players.network.send(*question, tls=True, certificate=players.agreed["plain.example"])
    players.declare(clients=[second])
    both = players.network.send(*question, tls=True, certificate=right)
    players.declare(
        clients=[
            {key: rule[key], "state": "absent"}
            for rule in (second, {"sender_domain": "right.example"})
            for key in ("client", "sender_domain")
            if key in rule
        ]
    )
    assert (agreed.code, other.code, both.code) == (250, 554, 554)
    assert "plain.example is not the agreed name" in other.text


def test_levels_by_fingerprint_and_own_ca(players: Players) -> None:
    """A pinned certificate fits whatever is in it; a CA of its own counts for one destination only."""
    ca_file = players.network.directory / "other-ca.pem"
    ca_file.write_text(players.network.ca.pem)
    ca_file.chmod(0o644)
    pinned = t.cast(t.Any, players.certificates["wrong-ca.example"]).sha256
    wrong = players.agreed["expired.example"].sha256
    players.declare(
        destinations=[
            {"destination": "right.example", "level": "secure", "match": ["mail.right.example"], "ca_file": str(ca_file)},
            {"destination": "wrong-ca.example", "level": "fingerprint", "fingerprints": [pinned]},
            {"destination": "expired.example", "level": "fingerprint", "fingerprints": [wrong]},
            {"destination": "plain.example", "level": "encrypt"},
            {"destination": "wrong-name.example", "level": "encrypt"},
        ]
    )
    found = {name: players.outbound(name, "levels") for name in PARTNERS}
    players.declare(destinations=players.declaration["destinations"])
    assert {name for name, outcome in found.items() if "status=sent" in outcome} == {
        "right.example",
        "wrong-ca.example",
        "wrong-name.example",  # encrypt takes any certificate
    }
    assert "dsn=4.7.5" in found["expired.example"]
    assert "dsn=4.7.4" in found["plain.example"]


def test_sender_domain(players: Players) -> None:
    """Whoever sends for a domain, from wherever."""
    right = players.certificates["right.example"]
    rule = {"sender_domain": "right.example", "require": "certificate", "fingerprints": [t.cast(t.Any, right).sha256]}
    players.declare(clients=[rule])
    question = ("second.example", players.ours, "bob@sub.right.example", f"alice@{OURS}", "sender")
    agreed = players.network.send(*question, tls=True, certificate=right)
    other = players.network.send(*question, tls=True, certificate=players.agreed["plain.example"])
    clear = players.network.send(*question)
    players.declare(clients=[{"sender_domain": "right.example", "state": "absent"}])
    assert (agreed.code, other.code) == (250, 554)
    assert "Session encryption is required" in clear.text


def _files(directory: pathlib.Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in sorted(directory.rglob("*")) if path.is_file()}
