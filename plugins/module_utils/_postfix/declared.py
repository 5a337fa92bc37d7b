# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""What is declared for destinations and clients, checked and written as Postfix reads it. No I/O.

Sources: postconf(5) smtp_tls_policy_maps, access(5), cidr_table(5).
"""

import collections
import hashlib
import ipaddress
import re

from ansible_collections.mailops.tls.plugins.module_utils._postfix import service

LEVELS = ("none", "may", "encrypt", "dane", "dane-only", "fingerprint", "verify", "secure")
KINDS = ("policy", "clients", "names", "senders")
ENCRYPT = "reject_plaintext_session"
SENDER_OK = "mailops_tls_sender_ok"
REFUSED = "check_client_access static:{554 5.7.1 TLS client certificate required: there is none, or not the agreed one}"
#: What smtpd(8) answers where the policy server does not, whatever the default of this Postfix is.
NO_ANSWER = "451 4.3.5 Server configuration problem"
MAX_NAMES = 50

_LABEL = r"(?!-)[a-z0-9_-]{1,63}(?<!-)"
_NAME = re.compile(r"%s(?:\.%s)*\Z" % (_LABEL, _LABEL))
_PROTOCOL = re.compile(r"(?:!|[<>]=)?(?:SSLv[23]|TLSv1(?:\.[123])?)\Z", re.I)
_PATH = re.compile(r"/[^\s,\x00-\x1f{}$]+\Z")
_MATCH_WORDS = ("nexthop", "dot-nexthop", "hostname")


class DeclarationError(ValueError):
    """A declaration that Postfix cannot hold; says which entry, why, and what to do."""


#: What is declared of one entry: kind (of KINDS), key (as in the map), value (str: the right-hand side; None: absent),
#: definition (str: that of the restriction class named by value, or None), option (the user's entry, for messages).
Entry = collections.namedtuple("Entry", "kind key value definition option")


def hostname(text, what):
    """A DNS name in lower-case A-labels (str). Raises DeclarationError naming `what`."""
    name = text.strip().rstrip(".")
    try:
        name = name.encode("ascii").decode() if all(ord(char) < 128 for char in name) else name.encode("idna").decode()
    except UnicodeError:
        raise DeclarationError("%s: %r is no domain name" % (what, text))
    name = name.lower()
    if len(name) > 253 or not _NAME.match(name):
        raise DeclarationError("%s: %r is no domain name" % (what, text))
    return name


def fingerprint(text, what):
    """A SHA-256 digest as Postfix writes it: pairs of upper-case hexadecimal digits with colons between."""
    digits = re.sub(r"[:\s]", "", text).upper()
    if not re.match(r"[0-9A-F]{64}\Z", digits):
        raise DeclarationError("%s: %r is no SHA-256 fingerprint (64 hexadecimal digits, colons allowed)" % (what, text))
    return ":".join(digits[at : at + 2] for at in range(0, 64, 2))


def _nexthop(text):
    """The lookup key of a next hop: domain, .domain, domain:port, [host], [host]:port or [address]:port."""
    what = "destination"
    match = re.match(r"(\[(?P<inner>[^\]]+)\]|(?P<domain>[^\[\]:]+))(?P<port>:\d{1,5})?\Z", text.strip())
    if not match:
        raise DeclarationError("destination %r: write a domain, .domain, [host] or [host]:port" % text)
    port = match.group("port") or ""
    if port and not 0 < int(port[1:]) < 65536:
        raise DeclarationError("destination %r: no such port" % text)
    if match.group("inner"):
        return "[%s]%s" % (_host_or_address(match.group("inner"), what), port)
    domain = match.group("domain")
    if domain.startswith("."):
        if port:
            raise DeclarationError("destination %r: Postfix matches no sub-domains where there is a port" % text)
        return "." + hostname(domain[1:], what)
    return hostname(domain, what) + port


def _host_or_address(text, what):
    if re.match(r"(?i)ipv6:", text) or re.match(r"[\d.]+\Z", text):
        try:
            address = ipaddress.ip_address(text[5:] if text.lower().startswith("ipv6:") else text)
        except ValueError:
            raise DeclarationError("%s: %r is no address" % (what, text))
        return "ipv6:%s" % address if address.version == 6 else str(address)
    return hostname(text, what)


def destination(option):
    """The Entry of one of the option `destinations` (dict). Raises DeclarationError."""
    key = _nexthop(option["destination"])
    what = "destination %s" % key
    if option.get("state") == "absent":
        return Entry("policy", key, None, None, option)
    level = option.get("level")
    if level not in LEVELS:
        raise DeclarationError("%s: level is required" % what)
    _refuse_attributes(what, level, option)
    words = [level]
    if option.get("fingerprints"):
        prints = sorted({fingerprint(text, what) for text in option["fingerprints"]})
        words.append("match=" + "|".join(prints))
    if option.get("match"):
        words.append("match=" + ":".join(_match_name(text, what) for text in option["match"]))
    if option.get("ca_file"):
        words.append("tafile=" + _path(option["ca_file"], what))
    if option.get("protocols"):
        words.append("protocols=" + ":".join(_protocol(text, what) for text in option["protocols"]))
    if option.get("ciphers"):
        words.append("ciphers=" + option["ciphers"])
    if option.get("servername"):
        name = option["servername"]
        words.append("servername=" + (name if name in ("hostname", "nexthop") else hostname(name, what)))
    return Entry("policy", key, " ".join(words), None, option)


def _refuse_attributes(what, level, option):
    """Attributes that Postfix does not take at this level. It would not send any mail there ("configuration problem")."""
    given = [name for name in ("match", "fingerprints", "ca_file", "protocols", "ciphers", "servername") if option.get(name)]
    allowed = {"none": (), "fingerprint": ("fingerprints", "protocols", "ciphers", "servername")}.get(
        level, ("protocols", "ciphers", "servername")
    )
    if level in ("verify", "secure"):
        allowed = ("match", "ca_file", "protocols", "ciphers", "servername")
    if level.startswith("dane"):
        allowed = ("protocols", "ciphers")  # the SNI of DANE is that of RFC 7672
    wrong = [name for name in given if name not in allowed]
    if wrong:
        raise DeclarationError("%s: level %s takes no %s" % (what, level, ", ".join(wrong)))
    if level == "fingerprint" and not option.get("fingerprints"):
        raise DeclarationError("%s: level fingerprint needs fingerprints" % what)


def _match_name(text, what):
    text = text.strip()
    if text in _MATCH_WORDS:
        return text
    return "." + hostname(text[1:], what) if text.startswith(".") else hostname(text, what)


def _protocol(text, what):
    if not _PROTOCOL.match(text):
        raise DeclarationError("%s: %r is no protocol; write for example >=TLSv1.2 or !TLSv1.1" % (what, text))
    return text


def _path(text, what):
    if not _PATH.match(text):
        raise DeclarationError("%s: %r is no absolute path that Postfix can read in a table" % (what, text))
    return text


def client(option):
    """The Entry of one of the option `clients` (dict). Raises DeclarationError."""
    if bool(option.get("client")) == bool(option.get("sender_domain")):
        raise DeclarationError("clients: each entry needs one of client and sender_domain")
    kind, key = _client_key(option)
    what = "client %s" % key if kind != "senders" else "sender_domain %s" % key
    if option.get("state") == "absent":
        return Entry(kind, key, None, None, option)
    require = option.get("require")
    if require not in ("encrypt", "certificate"):
        raise DeclarationError("%s: require is required" % what)
    if require == "encrypt":
        if option.get("fingerprints") or option.get("ca_file") or option.get("names"):
            raise DeclarationError("%s: fingerprints, ca_file and names go with require: certificate" % what)
        return Entry(kind, key, ENCRYPT, None, option)
    return _certificate(kind, key, what, option)


def _client_key(option):
    if option.get("sender_domain"):
        return "senders", _plain_domain(option["sender_domain"], "sender_domain")
    text = option["client"].strip()
    if "/" in text or ":" in text or re.match(r"[\d.]+\Z", text):
        try:
            network = ipaddress.ip_network(text.strip("[]"), strict=False)
        except ValueError as error:
            raise DeclarationError("client %r: %s" % (text, error))
        return "clients", str(network)
    return "names", _plain_domain(text, "client")


def _plain_domain(text, what):
    if text.startswith("."):
        raise DeclarationError("%s %r: leave out the leading dot; sub-domains are covered" % (what, text))
    return hostname(text, what)


def _certificate(kind, key, what, option):
    prints = sorted({fingerprint(text, what) for text in option.get("fingerprints") or []})
    if option.get("names") and (prints or not option.get("ca_file")):
        raise DeclarationError(
            "%s: names need ca_file, and go without fingerprints. A name counts only in a certificate that a CA issued" % what
        )
    if bool(prints) == bool(option.get("ca_file")):
        raise DeclarationError("%s: require certificate needs either fingerprints or ca_file" % what)
    # A restriction that permits ends the list it is in, so that what a sender's certificate permits
    # goes on with the requirements of the client.
    result = SENDER_OK if kind == "senders" else "OK"
    if prints:
        rules = ", ".join("{%s = %s}" % (value, result) for value in prints)
        middle = "check_ccert_access inline:{%s}" % rules
    elif option.get("names"):
        _path(option["ca_file"], what)
        middle = "check_policy_service { $%s, { default_action = %s }, { policy_context = %s } }" % (
            service.SETTING,
            NO_ANSWER,
            " ".join([result] + _agreed(option["names"], what)),
        )
    elif kind == "senders":
        raise DeclarationError(
            "%s: a certificate of some CA says nothing about the sender. Declare names or fingerprints, or the client's address"
            % what
        )
    else:
        _path(option["ca_file"], what)
        middle = "permit_tls_all_clientcerts"
    definition = ", ".join([ENCRYPT, middle, REFUSED])
    name = "mailops_tls_%s" % hashlib.sha256(definition.encode("utf-8")).hexdigest()[:12]
    return Entry(kind, key, name, definition, option)


def _agreed(names, what):
    """Names to find in a certificate, as the policy server reads them (sorted list of str)."""
    if len(names) > MAX_NAMES:
        raise DeclarationError("%s: more than %d names" % (what, MAX_NAMES))
    agreed = {text.strip() for text in names}
    return sorted({"*." + hostname(text[2:], what) if text.startswith("*.") else hostname(text, what) for text in agreed})


def entries(destinations, clients):
    """All Entry objects of both options (lists of dict, or None); one for each key. Raises DeclarationError."""
    found, seen = [], set()
    for entry in [destination(option) for option in destinations or []] + [client(option) for option in clients or []]:
        if (entry.kind, entry.key) in seen:
            raise DeclarationError("%s is declared twice" % entry.key)
        seen.add((entry.kind, entry.key))
        found.append(entry)
    return found
