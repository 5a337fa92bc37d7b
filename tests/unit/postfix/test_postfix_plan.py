# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From what there is and what is declared to what shall be."""

from __future__ import annotations

import typing as t

import hypothesis
import hypothesis.strategies as st
import pytest
from ansible_collections.mailops.tls.plugins.module_utils._postfix import declared, plan, service, tables

FOLDER = "/etc/postfix/mailops_tls"
PRINT = ":".join(["AA"] * 32)
BASE = {
    "mail_version": "3.7.11",
    "smtpd_tls_chain_files": "/etc/ssl/mail.pem",
    "smtpd_tls_fingerprint_digest": "sha256",
    "smtp_tls_fingerprint_digest": "sha256",
    "smtpd_tls_ask_ccert": "no",
    "smtp_dns_support_level": "",
}
CLIENT = {"client": "192.0.2.0/28", "require": "certificate", "fingerprints": [PRINT]}
NAMED = {"client": "192.0.2.0/28", "require": "certificate", "ca_file": "/ca.pem", "names": ["*.b.example", "A.example"]}
SERVICE = service.service("/usr/bin/python3", FOLDER, "text")
PARTNER = {"destination": "partner.example", "level": "secure"}


def instance(raw: dict[str, str] | None = None, entries: dict[str, dict[str, str]] | None = None, **effective: str) -> t.Any:
    """What a Postfix has."""
    written = raw or {}
    full = {kind: (entries or {}).get(kind, {}) for kind in declared.KINDS}
    overrides = {name: value for name, value in written.items() if "/" in name}
    settings = {name: value for name, value in written.items() if "/" not in name}
    return plan.Current(FOLDER, settings, {**BASE, **settings, **effective}, overrides, full)


def result(
    current: t.Any,
    destinations: list[dict[str, t.Any]] | None = None,
    clients: list[dict[str, t.Any]] | None = None,
    exclusive: bool = False,
    on_drift: str = "replace",
    code: int | None = None,
    level: str | None = None,
) -> t.Any:
    """The plan for these options."""
    options = plan.Options(destinations is not None, clients is not None, exclusive, on_drift, code, level)
    return plan.plan(current, declared.entries(destinations, clients), options, lambda: SERVICE)


def applied(current: t.Any, wanted: t.Any) -> t.Any:
    """What the Postfix has after the plan."""
    raw = {name: value for name, value in {**current.raw, **wanted.settings}.items() if value is not None}
    return plan.Current(FOLDER, raw, {**current.effective, **raw}, current.overrides, wanted.entries)


def test_first_declaration() -> None:
    wanted = result(instance(), [PARTNER], [CLIENT])
    assert wanted.entries["policy"] == {"partner.example": "secure"}
    name = wanted.entries["clients"]["192.0.2.0/28"]
    assert wanted.settings["smtpd_restriction_classes"] == name
    assert wanted.settings[name].startswith("reject_plaintext_session, check_ccert_access")
    assert wanted.settings["smtpd_tls_security_level"] == "may"
    assert wanted.settings["smtpd_tls_ask_ccert"] == "yes"
    assert "plaintext_reject_code" not in wanted.settings
    assert len(wanted.files) == 2
    assert not wanted.warnings


def test_names() -> None:
    """A class that asks the service, which is in main.cf while a class needs it."""
    start = instance()
    wanted = result(start, None, [NAMED])
    name = wanted.entries["clients"]["192.0.2.0/28"]
    assert wanted.settings[name].startswith("reject_plaintext_session, check_policy_service { $mailops_tls_ccert_service, ")
    assert "{ default_action = 451 4.3.5 " in wanted.settings[name]
    assert "{ policy_context = OK *.b.example a.example }" in wanted.settings[name]
    assert wanted.settings["mailops_tls_ccert_service"] == SERVICE.value
    assert wanted.settings["smtpd_tls_CAfile"] == "$mailops_tls_client_ca"
    assert wanted.settings["mailops_tls_client_ca"] == "/ca.pem"
    assert wanted.files[SERVICE.file] == "text"
    assert wanted.service is SERVICE
    there = applied(start, wanted)
    assert result(there, [PARTNER]).service is SERVICE, "an entry that is not declared this time needs it too"
    gone = result(there, None, [], exclusive=True)
    assert (gone.service, gone.settings["mailops_tls_ccert_service"], gone.files) == (None, None, {})


def test_no_interpreter_is_looked_for_in_vain() -> None:
    """A host without one can still have everything else, and lose what needed it."""
    there = applied(instance(), result(instance(), None, [NAMED]))
    for entries, exclusive in (([CLIENT], False), ([], True)):
        options = plan.Options(False, True, exclusive, "replace", None, None)
        assert plan.plan(there, declared.entries(None, entries), options, None).service is None


def test_stricter_settings_stay() -> None:
    settings = result(instance(smtpd_tls_security_level="encrypt", smtpd_tls_req_ccert="yes"), None, [CLIENT]).settings
    assert not {"smtpd_tls_security_level", "smtpd_tls_ask_ccert"} & set(settings)
    legacy = result(instance(smtpd_enforce_tls="yes"), None, [CLIENT]).settings
    assert "smtpd_tls_security_level" not in legacy


labels = st.from_regex(r"[a-z]{1,6}\.example", fullmatch=True)
destinations = st.lists(
    st.fixed_dictionaries({"destination": labels, "level": st.sampled_from(["none", "may", "encrypt", "verify", "secure"])}),
    unique_by=lambda option: option["destination"],
    max_size=4,
)
requirements = st.sampled_from(
    [
        {"require": "encrypt"},
        {"require": "certificate", "fingerprints": [PRINT]},
        {"require": "certificate", "fingerprints": ["BB" * 32]},
        {"require": "certificate", "ca_file": "/ca.pem", "names": ["a.example"]},
        {"require": "certificate", "ca_file": "/ca.pem", "names": ["*.b.example"]},
        {"state": "absent"},
    ]
)
places = st.one_of(
    st.integers(0, 255).map(lambda number: {"client": f"192.0.2.{number}"}),
    labels.map(lambda name: {"client": name}),
    labels.map(lambda name: {"sender_domain": name}),
)
clients = st.lists(
    st.builds(lambda place, rule: {**place, **rule}, places, requirements),
    unique_by=lambda option: sorted(
        (key, value) for key, value in option.items() if key in ("client", "sender_domain")
    ).__str__(),
    max_size=5,
)


@hypothesis.given(destinations, clients, destinations, clients, st.booleans())
@hypothesis.settings(max_examples=60, deadline=None)
def test_a_plan_that_was_applied_leaves_nothing_to_do(
    first: list[t.Any], second: list[t.Any], third: list[t.Any], fourth: list[t.Any], exclusive: bool
) -> None:
    start = instance({"smtp_tls_policy_maps": "hash:/etc/postfix/theirs", "smtpd_data_restrictions": "reject_x, reject_y"})
    before = applied(start, result(start, first, second))
    after = applied(before, result(before, third, fourth, exclusive))
    again = result(after, third, fourth, exclusive)
    assert again.settings == {}
    assert again.entries == after.entries
    assert after.raw["smtp_tls_policy_maps"].startswith("hash:/etc/postfix/theirs")
    assert after.raw["smtpd_data_restrictions"].startswith("reject_x, reject_y")
    emptied = applied(after, result(after, [], [], exclusive=True))
    left = {name: value for name, value in emptied.raw.items() if not name.startswith("smtpd_tls_")}
    assert left == start.raw, "nothing of ours stays but that TLS is offered"


def test_options_left_out_are_not_looked_at() -> None:
    start = instance()
    both = applied(start, result(start, [PARTNER], [CLIENT]))
    assert result(both, [], None, exclusive=True).entries["clients"] == both.entries["clients"]
    assert result(both, None, [], exclusive=True).entries["policy"] == both.entries["policy"]


@pytest.mark.parametrize(("on_drift", "level"), [("replace", "secure"), ("keep", "may"), ("warn", "may")])
def test_drift(on_drift: str, level: str) -> None:
    wanted = result(instance(entries={"policy": {"partner.example": "may"}}), [PARTNER], on_drift=on_drift)
    assert wanted.entries["policy"] == {"partner.example": level}
    assert bool(wanted.warnings) == (on_drift == "warn")


def test_drift_fails() -> None:
    with pytest.raises(declared.DeclarationError, match=r"partner\.example has 'may' where 'secure' is declared"):
        result(instance(entries={"policy": {"partner.example": "may"}}), [PARTNER], on_drift="fail")


@pytest.mark.parametrize(("on_drift", "kept"), [("replace", False), ("keep", True)])
def test_drift_of_a_restriction_class(on_drift: str, kept: bool) -> None:
    start = instance()
    declared_so = applied(start, result(start, None, [CLIENT]))
    name = declared_so.entries["clients"]["192.0.2.0/28"]
    by_hand = declared_so._replace(raw={**declared_so.raw, name: "reject_plaintext_session, permit"})
    wanted = result(by_hand, None, [CLIENT], on_drift=on_drift)
    assert (name not in wanted.settings) == kept


def test_a_class_that_is_gone() -> None:
    start = instance()
    whole = applied(start, result(start, None, [CLIENT]))
    name = whole.entries["clients"]["192.0.2.0/28"]
    broken = whole._replace(raw={key: value for key, value in whole.raw.items() if key != name})
    with pytest.raises(declared.DeclarationError, match=f"no {name} any more"):
        result(broken, [PARTNER])
    assert result(broken, None, [CLIENT]).settings[name] == whole.raw[name]


@pytest.mark.parametrize(
    ("current", "options", "says"),
    [
        (instance(smtpd_tls_chain_files=""), {"clients": [CLIENT]}, "no certificate to offer TLS with"),
        (instance(), {"destinations": [{**PARTNER, "level": "dane-only"}]}, "smtp_dns_support_level = dnssec"),
        (instance(mail_version="3.0.9"), {"clients": [NAMED]}, "names need Postfix 3.1, and this is 3.0.9"),
        (instance(mail_version="3.5.6"), {"destinations": [{**PARTNER, "protocols": [">=TLSv1.2"]}]}, "need Postfix 3.6"),
        (instance(mail_version="3.3.0"), {"destinations": [{**PARTNER, "servername": "hostname"}]}, "needs Postfix 3.4"),
        (
            instance(smtpd_tls_fingerprint_digest="md5", relay_clientcerts="hash:/theirs"),
            {"clients": [CLIENT]},
            "smtpd_tls_fingerprint_digest is md5, and other settings use it",
        ),
        (
            instance({"smtp_tls_policy_maps": "hash:/theirs"}, smtp_tls_fingerprint_digest="sha1"),
            {"destinations": [{**PARTNER, "level": "fingerprint", "fingerprints": [PRINT]}]},
            "smtp_tls_fingerprint_digest is sha1",
        ),
        (
            instance(smtpd_tls_CAfile="/other.pem"),
            {"clients": [{"client": "192.0.2.1", "require": "certificate", "ca_file": "/ca.pem"}]},
            "trusts other CAs",
        ),
        (
            instance(),
            {
                "clients": [
                    {"client": "192.0.2.1", "require": "certificate", "ca_file": "/ca.pem"},
                    {"client": "192.0.2.2", "require": "certificate", "ca_file": "/cb.pem"},
                ]
            },
            "one file of CAs for all clients",
        ),
        (instance({"smtpd_data_restrictions": "permit_mynetworks"}), {"clients": [CLIENT]}, "permit_mynetworks before"),
    ],
)
def test_refused(current: t.Any, options: dict[str, t.Any], says: str) -> None:
    with pytest.raises(declared.DeclarationError, match=says):
        result(current, **options)


def test_md5_becomes_sha256_where_nobody_else_needs_it() -> None:
    now = instance(smtpd_tls_fingerprint_digest="md5", smtp_tls_fingerprint_digest="md5")
    wanted = result(now, [{**PARTNER, "level": "fingerprint", "fingerprints": [PRINT]}], [CLIENT])
    assert wanted.settings["smtpd_tls_fingerprint_digest"] == wanted.settings["smtp_tls_fingerprint_digest"] == "sha256"


@pytest.mark.parametrize(
    ("name", "value", "weakened"),
    [
        ("smtp/inet/smtpd_data_restrictions", "", True),
        ("smtp/inet/smtpd_data_restrictions", "$smtpd_data_restrictions", False),
        ("submission/inet/smtpd_tls_security_level", "encrypt", False),
        ("smtp/inet/smtpd_tls_security_level", "none", True),
        ("smtp/inet/smtpd_tls_ask_ccert", "no", True),
        ("smtp/inet/smtpd_tls_ask_ccert", "yes", False),
        ("relay/unix/smtp_tls_policy_maps", "hash:/theirs", True),
        ("relay/unix/smtp_helo_name", "x.example", False),
    ],
)
def test_services_of_their_own_settings(name: str, value: str, weakened: bool) -> None:
    warnings = result(instance({name: value}), [PARTNER], [CLIENT]).warnings
    assert [name in warning for warning in warnings] == [True] * weakened


def test_warnings() -> None:
    (warning,) = result(instance(), [{**PARTNER, "level": "verify"}]).warnings
    assert "insecure MX records" in warning
    assert not result(instance(), [{**PARTNER, "level": "verify", "match": ["mail.partner.example"]}]).warnings
    permits = instance({"smtpd_data_restrictions": "permit_mynetworks"})
    assert "permit_mynetworks" in result(permits, None, [CLIENT], on_drift="warn").warnings[0]


@pytest.mark.parametrize(
    "restrictions",
    [
        "permit_mynetworks",
        "reject_unauth_pipelining, permit",
        "check_sender_access static:OK",
        "check_client_access { static:210 }",
        "theirs",
        "reject_unauth_pipelining, warn_if_reject",
    ],
)
def test_others_surely_permit(restrictions: str) -> None:
    raw = {"smtpd_restriction_classes": "outer, theirs", "theirs": "outer", "outer": "theirs, permit_inet_interfaces"}
    there = instance({**raw, "smtpd_data_restrictions": restrictions})
    with pytest.raises(declared.DeclarationError, match="before the requirements on clients, which then do not count"):
        result(there, None, [CLIENT])
    assert result(there, None, [CLIENT], on_drift="warn").warnings
    assert not result(there, [PARTNER]).warnings, "nothing is declared for clients"


@pytest.mark.parametrize(
    ("restrictions", "perhaps"),
    [
        ("reject_unauth_pipelining, reject_multi_recipient_bounce", ()),
        ("warn_if_reject reject_unauth_pipelining", ()),
        ("check_client_access static:{554 5.7.1 no}, check_sender_access static:DUNNO, reject_rbl_client a.example", ()),
        ("check_client_access hash:/theirs", ("check_client_access hash:/theirs",)),
        ("check_policy_service { unix:private/theirs, timeout=9s }", ("{ unix:private/theirs, timeout=9s }",)),
        ("theirs, hash:/alone", ("check_sender_access inline:{ x=OK }", "hash:/alone")),
    ],
)
def test_others_perhaps_permit(restrictions: str, perhaps: tuple[str, ...]) -> None:
    raw = {"smtpd_restriction_classes": "theirs", "theirs": "check_sender_access inline:{ x=OK }"}
    warnings = result(instance({**raw, "smtpd_data_restrictions": restrictions}), None, [CLIENT]).warnings
    assert [name in warning for name, warning in zip(perhaps, warnings, strict=True)] == [True] * len(perhaps)


def by_ca(client: str, ca_file: str) -> dict[str, t.Any]:
    """A client that has to have any certificate of these CAs."""
    return {"client": client, "require": "certificate", "ca_file": ca_file}


def test_authorities_of_clients_are_ours_while_they_are_needed() -> None:
    there = applied(instance(), result(instance(), None, [by_ca("192.0.2.1", "/ca.pem"), by_ca("192.0.2.2", "/ca.pem")]))
    assert there.raw["mailops_tls_client_ca"] == "/ca.pem"
    assert not result(there, None, [by_ca("192.0.2.1", "/ca.pem")]).settings
    assert not result(there, [PARTNER], None).settings.keys() & {"smtpd_tls_CAfile", "mailops_tls_client_ca"}
    with pytest.raises(declared.DeclarationError, match=r"192\.0\.2\.2/32, which this task does not declare, has /ca\.pem"):
        result(there, None, [by_ca("192.0.2.1", "/new.pem")])
    both = result(there, None, [by_ca("192.0.2.1", "/new.pem"), by_ca("192.0.2.2", "/new.pem")])
    assert both.settings == {"mailops_tls_client_ca": "/new.pem"}
    alone = result(there, None, [by_ca("192.0.2.1", "/new.pem")], exclusive=True)
    assert alone.settings["mailops_tls_client_ca"] == "/new.pem"
    gone = result(there, None, [], exclusive=True).settings
    assert (gone["smtpd_tls_CAfile"], gone["mailops_tls_client_ca"]) == (None, None)


def test_authorities_of_others_stay() -> None:
    theirs = instance({"smtpd_tls_CAfile": "/ca.pem"})
    there = applied(theirs, result(theirs, None, [by_ca("192.0.2.1", "/ca.pem")]))
    assert there.raw["smtpd_tls_CAfile"] == "/ca.pem"
    assert "smtpd_tls_CAfile" not in result(there, None, [], exclusive=True).settings


def test_code_for_clients_in_the_clear() -> None:
    assert result(instance(), None, [CLIENT], code=530).settings["plaintext_reject_code"] == "530"


def test_tls_of_every_client() -> None:
    assert result(instance(), None, None, level="encrypt").settings == {"smtpd_tls_security_level": "encrypt"}
    assert result(instance(), None, [CLIENT], level="encrypt").settings["smtpd_tls_security_level"] == "encrypt"
    stricter = instance({"smtpd_tls_security_level": "encrypt"})
    assert result(stricter, None, None, level="may").settings == {"smtpd_tls_security_level": "may"}
    assert not result(stricter, None, None, level="encrypt").settings
    with pytest.raises(declared.DeclarationError, match="no certificate to offer TLS with"):
        result(instance(smtpd_tls_chain_files=""), None, None, level="encrypt")
    service_of_others = instance({"submission/inet/smtpd_tls_security_level": "may"})
    (warning,) = result(service_of_others, None, None, level="encrypt").warnings
    assert "submission/inet/smtpd_tls_security_level" in warning
    assert not result(service_of_others, None, None, level="may").warnings


def test_a_file_name_says_its_content() -> None:
    wanted = result(instance(), [PARTNER])
    ((name, text),) = wanted.files.items()
    assert name == tables.file_name("policy", text)
    assert wanted.settings == {"smtp_tls_policy_maps": f"texthash:{FOLDER}/{name}"}
