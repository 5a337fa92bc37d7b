# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""From what is there and what is declared to what shall be: map files and settings of main.cf. No I/O."""

import collections
import re

from ansible_collections.mailops.tls.plugins.module_utils._postfix import declared as d
from ansible_collections.mailops.tls.plugins.module_utils._postfix import precedence, service, tables
from ansible_collections.mailops.tls.plugins.module_utils._postfix.precedence import CLASSES, MAPS, RESTRICTIONS

#: The CAs of clients that a declaration brought. Where smtpd_tls_CAfile refers to it, that is ours to change.
AUTHORITIES = "mailops_tls_client_ca"
CERTIFICATES = ("smtpd_tls_cert_file", "smtpd_tls_eccert_file", "smtpd_tls_dcert_file", "smtpd_tls_chain_files")
#: Settings whose effective values (`postconf -x`) plan() looks at.
EFFECTIVE = CERTIFICATES + (
    MAPS,
    RESTRICTIONS,
    "mail_version",
    "queue_directory",
    "plaintext_reject_code",
    "relay_clientcerts",
    "smtp_dns_support_level",
    "smtp_tls_fingerprint_cert_match",
    "smtp_tls_fingerprint_digest",
    "smtpd_tls_CAfile",
    "smtpd_tls_CApath",
    "smtpd_tls_ask_ccert",
    "smtpd_tls_fingerprint_digest",
    "smtpd_tls_req_ccert",
    "smtpd_tls_security_level",
    "smtpd_use_tls",
    "smtpd_enforce_tls",
)

#: What an instance has: folder (of our map files), raw (dict: settings as written in main.cf), effective (dict),
#: overrides (dict of `service/type/setting` in master.cf), entries (dict of kind to dict of key to right-hand side).
Current = collections.namedtuple("Current", "folder raw effective overrides entries")
#: What it shall have: entries as above, files (dict of name to text), settings (dict of name to value; None: removed;
#: only those that change), warnings (list of str), service (service.Service that compares names; None: not needed).
Wanted = collections.namedtuple("Wanted", "entries files settings warnings service")
#: What the task asks for besides the entries: destinations and clients are True where that option is given.
Options = collections.namedtuple("Options", "destinations clients exclusive on_drift plaintext_reject_code security_level")


def plan(current, declared, options, comparing=None):
    """The Wanted of `declared` (list of Entry). Raises DeclarationError where Postfix cannot or must not do that.

    `comparing` is a function that is called where names are to be compared, for the service.Service of this host.
    """
    warnings, kept = [], set()
    entries = _merge(current, declared, options, warnings, kept)
    files, references = {}, {}
    for kind in d.KINDS:
        if entries[kind]:
            text = tables.render(kind, entries[kind])
            name = tables.file_name(kind, text)
            files[name] = text
            references[kind] = tables.reference(current.folder, kind, name)
    values = _lists(current, references)
    values.update(_classes(current, [entry for entry in declared if entry.value not in kept], entries, references))
    needed = _service(current, values, comparing)
    values[service.SETTING] = needed.value if needed else None
    if needed:
        files[needed.file] = needed.text
    if any(entries[kind] for kind in tables.INBOUND):
        values.update(_server(current, declared, entries))
    values.update(_authorities(current, declared, entries))
    if options.security_level:
        _has_certificate(current.effective)
        values["smtpd_tls_security_level"] = options.security_level
    if options.plaintext_reject_code is not None:
        values["plaintext_reject_code"] = str(options.plaintext_reject_code)
    _client_side(current, declared, entries, values, warnings)
    _precedence(current, references, options, warnings)
    changed = {name: value for name, value in values.items() if current.raw.get(name) != value}
    return Wanted(entries, files, changed, warnings, needed)


def _service(current, values, comparing):
    """The service that compares names, where a restriction class needs it, else None."""
    used = [name for name, text in values.items() if _is_class(name) and text and "$" + service.SETTING in text]
    if not used:
        return None
    version = _version(current.effective)
    if version and version < (3, 1):
        raise d.DeclarationError("names need Postfix 3.1, and this is %s" % current.effective["mail_version"])
    return comparing()


def _version(now):
    return tuple(int(part) for part in re.findall(r"\d+", now.get("mail_version", ""))[:2])


def _merge(current, declared, options, warnings, kept):
    """The entries of all maps after this run. Adds the values that stay although they drifted to `kept` (set)."""
    merged = {}
    for kind in d.KINDS:
        given = options.destinations if kind == "policy" else options.clients
        wanted = {entry.key: entry for entry in declared if entry.kind == kind}
        table = dict(current.entries[kind])
        if given and options.exclusive:
            table = {key: value for key, value in table.items() if key in wanted}
        for key, entry in wanted.items():
            if entry.value is None:
                table.pop(key, None)
            elif key not in table or _replaces(current, entry, table[key], options, warnings):
                table[key] = entry.value
            else:
                kept.add(table[key])
        merged[kind] = table
    return merged


def _replaces(current, entry, there, options, warnings):
    """Does the declaration replace what is there?"""
    same = there == entry.value
    if same and entry.definition:
        same = current.raw.get(entry.value) == entry.definition
    if same or options.on_drift == "replace":
        return True
    if options.on_drift == "fail":
        raise d.DeclarationError(
            "%s has %r where %r is declared, and on_drift is fail. Nothing was changed" % (entry.key, there, entry.value)
        )
    if options.on_drift == "warn":
        warnings.append("%s keeps %r where %r is declared (on_drift: warn)" % (entry.key, there, entry.value))
    return False


def _lists(current, references):
    """Both settings that name our map files. Foreign tables keep their place; ours are behind them."""
    raw, folder = current.raw, current.folder
    inbound = [references[kind] for kind in tables.INBOUND if kind in references]
    outbound = [references["policy"]] if "policy" in references else []
    maps = tables.replace(folder, raw.get(MAPS, ""), outbound, last=False)
    restrictions = tables.replace(folder, raw.get(RESTRICTIONS, ""), inbound, last=True)
    return {MAPS: maps or _absent(raw, MAPS), RESTRICTIONS: restrictions or _absent(raw, RESTRICTIONS)}


def _absent(raw, name):
    """An empty list: as it is written when somebody wrote it empty, else not there at all."""
    return "" if raw.get(name) == "" else None


def _is_class(name):
    return bool(re.match(r"mailops_tls_(?:[0-9a-f]{12}|sender_ok)\Z", name))


def _classes(current, declared, entries, references):
    """Restriction classes of ours: the list of their names, and each one's definition."""
    definitions = {entry.value: entry.definition for entry in declared if entry.definition}
    used = sorted({value for kind in tables.INBOUND for value in entries[kind].values() if _is_class(value)})
    values = {name: None for name in current.raw if _is_class(name)}
    for name in used:
        definition = definitions.get(name) or current.raw.get(name)
        if not definition:
            raise d.DeclarationError("main.cf has no %s any more, which a managed entry needs. Declare that client again" % name)
        values[name] = definition
    if any(_is_class(value) for value in entries["senders"].values()):
        values[d.SENDER_OK] = ", ".join([references[kind] for kind in ("clients", "names") if kind in references] + ["permit"])
    ours = sorted(name for name, value in values.items() if value is not None)
    before = tables.tokens(current.raw.get(CLASSES, ""))
    if sorted(name for name in before if _is_class(name)) == ours:
        values[CLASSES] = current.raw.get(CLASSES)
    else:
        values[CLASSES] = ", ".join([name for name in before if not _is_class(name)] + ours) or None
    return values


def _server(current, declared, entries):
    """What smtpd(8) needs to hold requirements on clients."""
    now, values = current.effective, {}
    _has_certificate(now)
    level = now.get("smtpd_tls_security_level", "")
    legacy = "yes" in (now.get("smtpd_use_tls"), now.get("smtpd_enforce_tls"))
    if level == "none" or (not level and not legacy):
        values["smtpd_tls_security_level"] = "may"
    used = [value for kind in tables.INBOUND for value in entries[kind].values() if _is_class(value)]
    if used and "yes" not in (now.get("smtpd_tls_ask_ccert"), now.get("smtpd_tls_req_ccert")):
        values["smtpd_tls_ask_ccert"] = "yes"
    if any(entry.definition and "check_ccert_access" in entry.definition for entry in declared):
        foreign = now.get("relay_clientcerts") or any(
            "check_ccert_access" in value for name, value in current.raw.items() if not _is_class(name)
        )
        values.update(_digest(now, "smtpd_tls_fingerprint_digest", foreign))
    return values


def _has_certificate(now):
    if not any(now.get(name, "") not in ("", "none") for name in CERTIFICATES):
        raise d.DeclarationError(
            "TLS is required of clients, but this Postfix has no certificate to offer TLS with. "
            "Set smtpd_tls_chain_files or smtpd_tls_cert_file first"
        )


def _digest(now, name, foreign):
    """Fingerprints are SHA-256 here; Postfix before 3.6, or with an older compatibility level, computes MD5."""
    if now.get(name) == "sha256":
        return {}
    if foreign:
        raise d.DeclarationError(
            "%s is %s, and other settings use it. Change them to SHA-256 fingerprints and set %s = sha256, then run this again"
            % (name, now.get(name), name)
        )
    return {name: "sha256"}


def _authorities(current, declared, entries):
    """smtpd(8) has one list of CAs for all clients. It is ours as long as an entry needs it, unless others have set it."""
    now, ours = current.effective, current.raw.get("smtpd_tls_CAfile") == "$" + AUTHORITIES
    files, others = _ca_files(current, declared, entries)
    if not files:
        return {} if others or not ours else {"smtpd_tls_CAfile": None, AUTHORITIES: None}
    if len(files) > 1:
        raise d.DeclarationError(
            "clients: Postfix has one file of CAs for all clients, and these are declared: %s" % ", ".join(files)
        )
    there, directory = now.get("smtpd_tls_CAfile", ""), now.get("smtpd_tls_CApath", "")
    if ours and others and current.raw.get(AUTHORITIES) != files[0]:
        raise d.DeclarationError(
            "clients: ca_file is %s, but Postfix has one for all clients, and %s, which this task does not declare, has %s. "
            "Declare all of them together" % (files[0], ", ".join(others), current.raw.get(AUTHORITIES))
        )
    if directory or not (ours or there in ("", "none", files[0])):
        raise d.DeclarationError(
            "clients: ca_file is %s, but this Postfix trusts other CAs for clients already (smtpd_tls_CAfile = %s, "
            "smtpd_tls_CApath = %s), and it has one list for all. Declare fingerprints instead" % (files[0], there, directory)
        )
    if there == files[0] and not ours:
        return {}
    return {"smtpd_tls_CAfile": "$" + AUTHORITIES, AUTHORITIES: files[0]}


def _ca_files(current, declared, entries):
    """Files of CAs that declared clients need (sorted list of str), and the managed clients whose file is not declared here."""
    by_key = {(entry.kind, entry.key): entry for entry in declared if entry.value}
    files, others = set(), []
    for kind in tables.INBOUND:
        for key, value in sorted(entries[kind].items()):
            entry = by_key.get((kind, key))
            if entry and entry.value == value:
                files.update([entry.option["ca_file"]] if entry.option.get("ca_file") else [])
            elif re.search(r"permit_tls_all_clientcerts|check_policy_service", current.raw.get(value, "")):
                others.append(key)
    return sorted(files), others


def _client_side(current, declared, entries, values, warnings):
    """What smtp(8) needs to hold requirements on destinations."""
    now = current.effective
    outbound = [entry for entry in declared if entry.kind == "policy" and entry.value]
    version = _version(now)
    for entry in outbound:
        level = entry.value.split()[0]
        if level.startswith("dane") and now.get("smtp_dns_support_level") != "dnssec":
            raise d.DeclarationError(
                "destination %s: %s needs smtp_dns_support_level = dnssec and a validating resolver on this host; without them "
                "dane is opportunistic and dane-only sends nothing" % (entry.key, level)
            )
        if version and version < (3, 6) and re.search(r"protocols=\S*[<>]=", entry.value):
            raise d.DeclarationError("destination %s: protocols with >= or <= need Postfix 3.6" % entry.key)
        if version and version < (3, 4) and "servername=" in entry.value:
            raise d.DeclarationError("destination %s: servername needs Postfix 3.4" % entry.key)
        if level == "verify" and "match=" not in entry.value:
            warnings.append(
                "destination %s: verify without match trusts the names in insecure MX records; use secure" % entry.key
            )
    if any(value.startswith("fingerprint") for value in entries["policy"].values()):
        foreign = now.get("smtp_tls_fingerprint_cert_match") or tables.tokens(
            tables.replace(current.folder, current.raw.get(MAPS, ""), [], last=False)
        )
        values.update(_digest(now, "smtp_tls_fingerprint_digest", foreign))


def _precedence(current, references, options, warnings):
    """Settings of others that keep our entries from being looked at: an error where they surely do, else a warning."""
    inbound = [references[kind] for kind in tables.INBOUND if kind in references]
    ours = {MAPS: [references["policy"]] if "policy" in references else [], RESTRICTIONS: inbound}
    for name, value in sorted(current.overrides.items()):
        if precedence.weakens(name.rsplit("/", 1)[-1], value, ours, options.security_level):
            warnings.append("master.cf sets %s = %s: the declaration does not hold for that service" % (name, value))
    surely, perhaps = precedence.before_clients(current.folder, current.effective, current.raw) if inbound else ([], [])
    if surely:
        text = "%s has %s before the requirements on clients, which then do not count" % (RESTRICTIONS, ", ".join(surely))
        if options.on_drift in ("replace", "fail"):
            raise d.DeclarationError(text + ". Take it out, or set on_drift to warn")
        warnings.append(text)
    for word in perhaps:
        warnings.append(
            "%s has %s before the requirements on clients: they do not count for mail that it permits (OK)" % (RESTRICTIONS, word)
        )
