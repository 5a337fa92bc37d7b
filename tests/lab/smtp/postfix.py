# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The Postfix instances of the mail network: one per side, with one smtpd(8) per address, each set as its case says."""

from __future__ import annotations

import json
import pathlib
import shutil

from tests.lab.smtp import plan

MAIN_CF = """\
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
maillog_file = {folder}/mail.log
maillog_file_prefixes = {folder}
# Debian's OpenSSL refuses TLS 1.0 and keys of 1024 bits before Postfix gets to say anything.
import_environment = MAIL_CONFIG TZ LANG=C OPENSSL_CONF={folder}/openssl.cnf
myhostname = mx.{zone}
mydestination =
# It takes mail for all of its domains, if it is let to.
relay_domains = {zone}, {domains}
relay_recipient_maps =
mynetworks = 127.0.0.0/8
inet_interfaces = all
smtpd_tls_security_level = may
smtpd_tls_loglevel = 1
smtpd_tls_session_cache_database =
tls_medium_cipherlist = ALL:@SECLEVEL=0
smtpd_tls_ciphers = medium
smtpd_tls_mandatory_ciphers = medium
smtpd_tls_dh1024_param_file = auto
# A probe that hangs up halfway is the rule here.
smtpd_client_connection_count_limit = 0
smtpd_timeout = 60s
smtpd_recipient_restrictions = permit_mynetworks, reject_unauth_destination
"""
OPENSSL_CNF = """\
openssl_conf = all
[all]
ssl_conf = modules
[modules]
system_default = defaults
[defaults]
CipherString = ALL:@SECLEVEL=0
MinProtocol = TLSv1
"""
SERVICES_CF = """\
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
showq unix n - n - - showq
local unix - n n - - local
error unix - - n - - error
retry unix - - n - - error
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
"""


def prepare(role: plan.Role, certificates: pathlib.Path, folder: pathlib.Path) -> None:
    """Write the configuration of one side's instance below `folder`; certificates are `NAME.chain.pem`."""
    for name in ("etc", "queue", "data"):
        (folder / name).mkdir(parents=True)
    shutil.chown(folder / "data", "postfix")
    (folder / "openssl.cnf").write_text(OPENSSL_CNF)
    (folder / "etc" / "main.cf").write_text(MAIN_CF.format(folder=folder, zone=plan.HOSTS_ZONE, domains=plan.DOMAINS_ZONE))
    lines = [_service(case, address, certificates) for case in plan.CASES if case.role == role for address in case.addresses]
    crowd = f"{plan.CROWD_PORT} inet n - n - 1000 smtpd -o smtpd_tls_chain_files={certificates}/good.chain.pem\n"
    (folder / "etc" / "master.cf").write_text("".join(lines) + crowd + SERVICES_CF)


def _service(case: plan.Case, address: str, certificates: pathlib.Path) -> str:
    settings = dict(case.settings)
    other = settings.pop("other_certificate", None)
    name = other if other and address == case.addresses[-1] else case.certificate
    if name == "none":
        # Without a certificate Postfix offers anonymous ciphers.
        settings["smtpd_tls_cert_file"] = "none"
    else:
        settings["smtpd_tls_chain_files"] = str(certificates / f"{name}.chain.pem")
    if case.port == 465:
        settings["smtpd_tls_wrappermode"] = "yes"
    options = "".join(f" -o {key}={value}" for key, value in settings.items())
    place = f"[{address}]" if case.six else address
    return f"{place}:{case.port} inet n - n - - smtpd{options}\n"


def transactions(folder: pathlib.Path) -> list[str]:
    """The lines of the log in which a message was taken, queued or delivered: none, if only probes came.

    A queue id for an accepted recipient is no message yet: cleanup(8) tells of those by their message-id.
    """
    text = (folder / "mail.log").read_text(errors="replace")
    return [line for line in text.splitlines() if any(mark in line for mark in ("message-id=", "status=", "queue active"))]


def queued(listed: str) -> list[str]:
    """The queue ids in the output of `postqueue -j`."""
    return [json.loads(line)["queue_id"] for line in listed.splitlines()]
