#!/usr/bin/python
# -*- coding: utf-8 -*-

# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Declares which TLS a Postfix demands of destinations and of clients."""

DOCUMENTATION = r"""
---
module: postfix_tls_policy
short_description: Declare the TLS that Postfix demands of destinations and of clients
description:
  - Outbound, it declares the TLS security level for each destination, as C(smtp_tls_policy_maps) in postconf(5)
    describes. Inbound, it declares for which clients or sender domains Postfix demands TLS or a certain client
    certificate.
  - What it manages is in map files of its own, in C(mailops_tls) below the configuration directory. Tables and
    restrictions of others stay as they are, and so does their precedence. An entry of another table that Postfix
    finds before a declared one is reported, see O(on_drift).
  - A change is tried on a copy of the configuration first, where C(postconf), C(postmap) and C(postfix check) must
    accept it. Then one rename of C(main.cf) makes it count, and Postfix is reloaded. Where that fails, the old
    configuration is put back. A run that was killed leaves the old or the new configuration, each of them whole; the
    next run finishes.
  - Needs nothing on the host but Postfix 3.0 or later and Python 3.6 or later.
version_added: 0.1.0
author:
  - The mailops.tls contributors (@mailops)
extends_documentation_fragment:
  - mailops.tls.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  platform:
    support: full
    platforms: posix
options:
  config_directory:
    description:
      - The configuration directory of the Postfix instance.
      - Without it, that of the default instance, as C(postconf config_directory) says, or of O(instance).
    type: path
  instance:
    description:
      - The name of a Postfix instance that C(postmulti -l) lists, in place of O(config_directory).
    type: str
  destinations:
    description:
      - TLS that mail to these destinations must have. V([]) with O(exclusive=true) removes all managed ones; left
        out, nothing outbound is looked at.
      - An address that no entry is for has the level of C(smtp_tls_security_level), which this module does not
        change.
    type: list
    elements: dict
    suboptions:
      destination:
        description:
          - The next hop as Postfix looks it up, which is the recipient domain unless a transport or relay host says
            otherwise. A domain, a V(.domain) for all its sub-domains, or V([host]) or V([host]:port) exactly as the
            transport table or C(relayhost) has it.
        type: str
        required: true
      level:
        description:
          - The TLS security level. Required unless O(destinations[].state=absent).
          - V(may) sends in the clear where the server offers no TLS. V(encrypt) refuses that (4.7.4), but takes any
            certificate, so it is no protection from an active attacker.
          - V(secure) and V(verify) demand a certificate of a trusted CA with the right name, V(fingerprint) one of
            O(destinations[].fingerprints), and V(dane-only) one that fits the TLSA records; anything else is refused
            (4.7.5). V(verify) without O(destinations[].match) trusts the names in MX records, which DNS without
            DNSSEC does not protect.
          - V(dane) and V(dane-only) are refused unless C(smtp_dns_support_level) is V(dnssec).
        type: str
        choices: [none, may, encrypt, dane, dane-only, fingerprint, verify, secure]
      match:
        description:
          - Names of which the server's certificate must have one, for V(secure) and V(verify). V(.example.com) stands
            for all sub-domains, and V(nexthop), V(dot-nexthop) and V(hostname) are the strategies of Postfix.
        type: list
        elements: str
      fingerprints:
        description:
          - SHA-256 fingerprints of the server's certificate or public key, of which one must fit, for V(fingerprint).
        type: list
        elements: str
      protocols:
        description:
          - Protocols, such as V(>=TLSv1.2) (Postfix 3.6) or V(!TLSv1.1).
        type: list
        elements: str
      ciphers:
        description:
          - The minimum cipher grade.
        type: str
        choices: [low, medium, high]
      ca_file:
        description:
          - A PEM file of the CAs to trust for this destination instead of C(smtp_tls_CAfile) and C(smtp_tls_CApath),
            for V(secure) and V(verify).
          - Postfix reads it as its own user, and where smtp(8) runs in a chroot, below C(queue_directory). The module
            fails where it is not there.
        type: path
      servername:
        description:
          - The name to send in the TLS extension SNI, or V(hostname) or V(nexthop). Needs Postfix 3.4.
        type: str
      state:
        description:
          - Whether there is a managed entry for this destination.
        type: str
        choices: [present, absent]
        default: present
  clients:
    description:
      - TLS that mail from these clients or sender domains must have. V([]) with O(exclusive=true) removes all managed
        ones; left out, nothing inbound is looked at.
      - The requirements are at the end of C(smtpd_data_restrictions), so that mail is refused before its text is
        transmitted and no restriction of others is skipped. The entry with the longest prefix counts for an address;
        addresses count before names. A requirement on the sender domain counts besides one on the client.
      - A client in the clear gets C(450 4.7.1 Session encryption is required), or the code of
        O(plaintext_reject_code). A client without the right certificate gets C(554 5.7.1). The C(530 5.7.0 Must issue a
        STARTTLS command first) of RFC 3207 Postfix answers to all clients in the clear or to none; see
        O(smtpd_tls_security_level).
      - Postfix then offers TLS (without O(smtpd_tls_security_level), that setting becomes V(may) unless it is stricter) and
        asks clients for a certificate (C(smtpd_tls_ask_ccert)). These stay when the entries go, because others may rely on them
        by then. The module fails where Postfix has no certificate of its own.
      - A certificate fulfills a requirement here and gives no permission to relay.
    type: list
    elements: dict
    suboptions:
      client:
        description:
          - An address or network of clients, or a domain for the host of that name and those below it.
          - Postfix takes a client's name from DNS. While that does not answer, the requirement does not hold; prefer
            addresses.
        type: str
      sender_domain:
        description:
          - A domain of envelope senders, sub-domains included, as C(parent_domain_matches_subdomains) does by
            default.
        type: str
      require:
        description:
          - V(encrypt) demands TLS, V(certificate) also a client certificate. Required unless
            O(clients[].state=absent).
        type: str
        choices: [encrypt, certificate]
      fingerprints:
        description:
          - SHA-256 fingerprints of the client's certificate or public key, of which one must fit. Postfix looks at
            nothing else then, such as expiry; a fingerprint of the public key lasts over renewals that keep the key.
        type: list
        elements: str
      ca_file:
        description:
          - A PEM file of CAs of which one must have issued the certificate. It becomes C(smtpd_tls_CAfile), by way of a
            setting of our own, C(mailops_tls_client_ca), until no entry needs it any more. Postfix has one file for all clients;
            the module fails where others have set another one.
          - To change it, declare all clients that need it in one task.
          - Without O(clients[].names), Postfix takes B(any) certificate of these CAs, whatever the names in it. Use that for
            a private CA only. It goes with O(clients[].client) only.
        type: path
      names:
        description:
          - Names of which the client's certificate must have one, besides being issued by a CA in O(clients[].ca_file),
            which is required. V(*.example.com) stands for one label more than V(example.com), and for a certificate with
            just that name. Upper and lower case are the same.
          - Compared is the common name (CN) of the certificate's subject, because Postfix hands over nothing else. It knows
            no subject alternative names, so that a certificate without a common name is refused.
          - Postfix does not verify a certificate whose extended key usage is without clientAuth, which public CAs are ceasing
            to issue until March 2027; it is refused then.
          - The way to know a client that renews its certificate with a new key, such as Exchange Online, whose certificate
            has the name V(mail.protection.outlook.com) for every customer. Otherwise, O(clients[].fingerprints) are stricter.
          - No version of Postfix compares names by itself, so the module installs a policy server (see the notes) and
            C(master.cf) gets a service for it. While it does not answer, mail is refused for now, with C(451 4.3.5).
          - Needs Postfix 3.1.
        type: list
        elements: str
      state:
        description:
          - Whether there is a managed entry for this client or sender domain.
        type: str
        choices: [present, absent]
        default: present
  exclusive:
    description:
      - Remove managed entries that are not declared, of O(destinations) and O(clients) where these are given.
    type: bool
    default: false
  on_drift:
    description:
      - What to do with a managed entry that is different from its declaration. V(replace) it, V(keep) it, V(warn) and
        keep it, or V(fail).
      - Entries of other tables and restrictions that come before a declared one are never edited. They are an error
        with V(replace) and V(fail), because the declaration would not hold, and a warning otherwise. A restriction of others
        that permits some mail only, such as an access table or a policy service that answers C(OK), is a warning.
    type: str
    choices: [replace, keep, warn, fail]
    default: replace
  smtpd_tls_security_level:
    description:
      - The TLS that Postfix demands of B(every) client, set as C(smtpd_tls_security_level) in C(main.cf). Left out, it is
        raised to V(may) where O(clients) need that, and never lowered.
      - With V(encrypt), a client in the clear gets C(530 5.7.0 Must issue a STARTTLS command first) before it can name a
        sender. That is for an instance to which only partners send. RFC 3207 forbids it to a server that MX records name for
        the public, which would lose the mail of everybody without TLS.
      - A service in C(master.cf) that is set to less is not changed; the module warns.
    type: str
    choices: [may, encrypt]
  plaintext_reject_code:
    description:
      - The code for clients in the clear, set as C(plaintext_reject_code) in C(main.cf), which applies to all of
        them. Left out, it is not looked at.
      - With the default of Postfix, V(450), mail waits in the client's queue, so that a mistake in the declaration can
        be mended before mail is lost. With V(530), the client gets C(530 5.7.1 Session encryption is required), and
        its sender is told at once.
    type: int
  backup:
    description:
      - Keep a copy of C(main.cf) beside it, and of C(master.cf) where that changes. The map files that C(main.cf) names are
        kept too.
    type: bool
    default: false
  reload:
    description:
      - Reload Postfix after a change if it runs. Without that, processes already running hold the old requirements.
    type: bool
    default: true
notes:
  - C(postconf) writes a setting that it changes on one line, and puts its value behind that of others where both
    share a list.
  - The policy server for O(clients[].names) is a script of 100 lines in C(mailops_tls), which needs Python 3.6 on the host,
    be it C(/usr/bin/python3), C(/usr/libexec/platform-python), or the one that Ansible uses. spawn(8) runs it as C(nobody),
    who must be able to reach script and interpreter; the module fails where that is not so. Which names are agreed is in
    C(main.cf), so the script reads no file.
  - C(master.cf) is not changed but for the line of that service, which is there before C(main.cf) names it and goes when no
    entry needs it any more. Then Postfix is reloaded twice.
"""

EXAMPLES = r"""
- name: Force TLS with a partner in both directions
  hosts: all
  gather_facts: false
  vars:
    # A place to try it. Take /etc/postfix, or leave config_directory out, for the real thing.
    trial: /tmp/mailops-tls-postfix
  tasks:
    - name: Have a directory to try it in
      ansible.builtin.file:
        path: "{{ trial }}"
        state: directory
        mode: "0755"

    - name: Have a configuration to try it on
      ansible.builtin.copy:
        dest: "{{ trial }}/{{ item.name }}"
        mode: "0644"
        force: false
        content: "{{ item.content }}"
      loop:
        - name: master.cf
          content: |
            smtp inet n - n - - smtpd
        - name: main.cf
          content: |
            compatibility_level = 3.6
            myhostname = mail.example
            queue_directory = {{ trial }}/queue
            data_directory = {{ trial }}/data
            smtpd_tls_chain_files = /etc/ssl/private/mail.pem

    - name: Demand the partner's certificate of the servers that mail goes to, and of those it comes from
      mailops.tls.postfix_tls_policy:
        config_directory: "{{ trial }}"
        destinations:
          - destination: partner.example
            level: secure
            match: [mail.partner.example, .mx.partner.example]
            protocols: [">=TLSv1.2"]
          - destination: "[smtp.hosting.example]:587"
            level: encrypt
        clients:
          - client: 192.0.2.0/28
            require: certificate
            fingerprints:
              - 6B:86:B2:73:FF:34:FC:E1:9D:6B:80:4E:FF:5A:3F:57:47:AD:A4:EA:A2:2F:1D:49:C0:1E:52:DD:B7:87:5B:4B
          - sender_domain: partner.example
            require: encrypt

    - name: Demand the certificate of Exchange Online, by its name, of the clients that mail of the tenant comes from
      mailops.tls.postfix_tls_policy:
        config_directory: "{{ trial }}"
        clients:
          - client: 198.51.100.0/24
            require: certificate
            # Better a file with the CAs of that one certificate.
            ca_file: /etc/ssl/certs/ca-certificates.crt
            names: [mail.protection.outlook.com]

    - name: Take no mail in the clear from anybody, on an instance to which only partners send
      mailops.tls.postfix_tls_policy:
        config_directory: "{{ trial }}"
        smtpd_tls_security_level: encrypt

    - name: Show what else would have to go for these to be the only ones
      mailops.tls.postfix_tls_policy:
        config_directory: "{{ trial }}"
        destinations:
          - destination: partner.example
            level: secure
            match: [mail.partner.example, .mx.partner.example]
        exclusive: true
      check_mode: true
      diff: true

    - name: End the agreement with the partner
      mailops.tls.postfix_tls_policy:
        config_directory: "{{ trial }}"
        destinations:
          - destination: partner.example
            state: absent
        clients:
          - client: 192.0.2.0/28
            state: absent
          - client: 198.51.100.0/24
            state: absent
          - sender_domain: partner.example
            state: absent
        backup: true
"""

RETURN = r"""
instance:
  description: The Postfix instance.
  returned: success
  type: dict
  contains:
    config_directory:
      description: Its configuration directory.
      type: str
    version:
      description: The version of Postfix.
      type: str
    running:
      description: Whether it runs.
      type: bool
policies:
  description: All managed entries after this run, or as they would be in check mode.
  returned: success
  type: list
  elements: dict
  contains:
    kind:
      description: V(destination), V(client) or V(sender_domain).
      type: str
    name:
      description: What the entry is for.
      type: str
    value:
      description: What Postfix reads for it, a TLS policy or a restriction.
      type: str
    shadowed_by:
      description: The entry of another table that Postfix finds first, so that this one does not hold; null where there is none.
      type: str
parameters:
  description: Settings of C(main.cf) that were changed, or would be, with their values; null for those removed.
  returned: success
  type: dict
reloaded:
  description: Whether Postfix was reloaded, or would be in check mode.
  returned: success
  type: bool
backup_file:
  description: The copy of C(main.cf) made before the change.
  returned: changed and O(backup=true), not in check mode
  type: str
master_backup_file:
  description: The copy of C(master.cf) made before the change.
  returned: O(backup=true) and a service in C(master.cf) was added or removed, not in check mode
  type: str
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.mailops.tls.plugins.module_utils._postfix import declared, interpreter, plan, report, system
from ansible_collections.mailops.tls.plugins.module_utils._postfix.instance import Instance

LOCK_SECONDS = 60

DESTINATION = {
    "destination": {"type": "str", "required": True},
    "level": {"type": "str", "choices": list(declared.LEVELS)},
    "match": {"type": "list", "elements": "str"},
    "fingerprints": {"type": "list", "elements": "str"},
    "protocols": {"type": "list", "elements": "str"},
    "ciphers": {"type": "str", "choices": ["low", "medium", "high"]},
    "ca_file": {"type": "path"},
    "servername": {"type": "str"},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
}
CLIENT = {
    "client": {"type": "str"},
    "sender_domain": {"type": "str"},
    "require": {"type": "str", "choices": ["encrypt", "certificate"]},
    "fingerprints": {"type": "list", "elements": "str"},
    "ca_file": {"type": "path"},
    "names": {"type": "list", "elements": "str"},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
}
ARGUMENTS = {
    "config_directory": {"type": "path"},
    "instance": {"type": "str"},
    "destinations": {"type": "list", "elements": "dict", "options": DESTINATION},
    "clients": {
        "type": "list",
        "elements": "dict",
        "options": CLIENT,
        "mutually_exclusive": [("client", "sender_domain")],
        "required_one_of": [("client", "sender_domain")],
    },
    "exclusive": {"type": "bool", "default": False},
    "on_drift": {"type": "str", "choices": ["replace", "keep", "warn", "fail"], "default": "replace"},
    "smtpd_tls_security_level": {"type": "str", "choices": ["may", "encrypt"]},
    "plaintext_reject_code": {"type": "int"},
    "backup": {"type": "bool", "default": False},
    "reload": {"type": "bool", "default": True},
}


def run(module):
    """Bring the instance to what is declared; the result (dict). Raises DeclarationError or PostfixError."""
    entries = declared.entries(module.params["destinations"], module.params["clients"])
    tools = system.Tools({name: module.get_bin_path(name, required=True) for name in ("postconf", "postmap", "postfix")})
    instance = Instance(tools, report.directory(tools, module.params, module.get_bin_path("postmulti")))
    lock = system.lock(instance.directory, LOCK_SECONDS)
    try:
        return _change(module, instance, entries)
    finally:
        lock.close()


def _change(module, instance, entries):
    params = module.params
    code = params["plaintext_reject_code"]
    if code is not None and not 400 <= code <= 599:
        raise declared.DeclarationError(
            "plaintext_reject_code: %d is no code that refuses mail; 450, 530 and 554 are usual" % code
        )
    current = instance.current()
    options = plan.Options(
        destinations=params["destinations"] is not None,
        clients=params["clients"] is not None,
        exclusive=params["exclusive"],
        on_drift=params["on_drift"],
        plaintext_reject_code=code,
        security_level=params["smtpd_tls_security_level"],
    )
    wanted = plan.plan(current, entries, options, lambda: interpreter.find(instance.folder))
    report.check_ca_files(instance, current, entries)
    shadowed = instance.shadowed(current, wanted) if options.destinations else []
    report.judge_shadowed(shadowed, entries, params["on_drift"], wanted.warnings)
    change = instance.staged(wanted)
    running = instance.running(current)
    due = instance.due() and running and params["reload"]
    edited = [name for name, old, new in instance.edited(change) if old != new]
    changed = bool(edited or instance.stale(wanted) or due)
    result = {
        "changed": changed,
        "instance": {"config_directory": instance.directory, "version": current.effective["mail_version"], "running": running},
        "policies": report.policies(wanted, shadowed),
        "parameters": wanted.settings,
        "reloaded": changed and running and params["reload"],
        "diff": report.diff(instance, current, wanted, change),
    }
    for warning in wanted.warnings:
        module.warn(warning)
    if not module.check_mode:
        instance.tidy(change.before)
        if changed:
            if params["backup"] and edited:
                result["backup_file"] = module.backup_local(instance.main)
                if instance.master in edited:
                    result["master_backup_file"] = module.backup_local(instance.master)
            instance.apply(wanted, change, result["reloaded"])
            instance.tidy(change.before, change.after)
    return result


def main():
    """Read the arguments and answer."""
    module = AnsibleModule(
        argument_spec=ARGUMENTS,
        mutually_exclusive=[("config_directory", "instance")],
        required_one_of=[("destinations", "clients", "smtpd_tls_security_level")],
        supports_check_mode=True,
    )
    try:
        result = run(module)
    except (declared.DeclarationError, system.PostfixError) as error:
        module.fail_json(msg=str(error))
    except (IOError, OSError) as error:
        module.fail_json(msg="cannot change the configuration of Postfix: %s" % error)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
