# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""One form for what users write and what the API returns, so that equal settings compare equal. No I/O.

The API returns other than what was written: `smtp:contoso.com;1` for contoso.com, `[192.0.2.1]` for an address, an empty text
for null, AdminUI for Default. Canonical are: None, bool, str, and for lists a sorted tuple of str without repetitions.
Names are lower-case A-labels (RFC 5890), addresses and networks as in RFC 5952 and RFC 4632.
"""

import ipaddress
import re

from ansible_collections.mailops.tls.plugins.module_utils._connector import fields as f

_LABEL = r"(?!-)[a-z0-9_-]{1,63}(?<!-)"
_NAME = re.compile(r"(?!.*\.[0-9]+\Z)%s(?:\.%s)*\Z" % (_LABEL, _LABEL))
# How Exchange names a certificate by its issuer and its subject.
_ISSUER_AND_SUBJECT = re.compile(r"<I>[^<>\x00-\x1f]+<S>[^<>\x00-\x1f]+\Z", re.I)
_IPV4_ZERO = re.compile(r"(?:^|[.])0[0-9]")
_SMTP = re.compile(r"\A(?:smtp:)?(?P<domain>[^;]*)(?:;(?P<priority>[0-9]{1,5}))?\Z", re.I)
# IDNA 2003, which Python has, and IDNA 2008 disagree on these: sharp s, final sigma, and the joiners.
_DEVIATIONS = re.compile("[\u00df\u1e9e\u03c2\u200c\u200d]")


class ValueRefusedError(ValueError):
    """A value that the API cannot hold. The text names option, parameter, rule and value."""


def from_user(field, value):
    """The canonical value of what a user wrote; null stands for the default. Raises ValueRefusedError."""
    # ansible-core before 2.19 makes an empty text of a null that comes out of a template, and no choice is empty.
    if value is None or (field.kind == f.CHOICE and value == ""):
        if "None" in field.choices:
            # With jinja2_native, ansible-core before 2.19 makes null of the word None, which is the opposite of the default.
            raise ValueRefusedError(
                "%s: null may stand for the default or, out of a template with native types, for None; write %s or 'None'"
                % (field.label, field.default)
            )
        if field.default is f.NO_DEFAULT:
            raise ValueRefusedError(
                "%s: null stands for the default, and which one that is is not reliably documented; say what it shall be"
                % field.label
            )
        return field.default
    if field.is_list:
        items = value if isinstance(value, (list, tuple)) else [value]
        return _as_set(_user_item(field, item) for item in items)
    if field.kind == f.BOOL:
        if not isinstance(value, bool):
            raise _refused(field, "must be true or false", value)
        return value
    if field.kind == f.CHOICE:
        return _choice(field, value)
    text = value if isinstance(value, str) else str(value)
    if field.kind == f.CERTIFICATE and _ISSUER_AND_SUBJECT.match(text.strip()):
        return text.strip()
    if field.kind in (f.DOMAIN, f.CERTIFICATE):
        return _user_domain(field, text) if text.strip() else field.default
    return _text(text) or field.default


def from_api(field, value):
    """The canonical value of what the API returned. Never raises: what is not understood stays as it is, and so differs."""
    if field.is_list:
        items = value if isinstance(value, (list, tuple)) else [] if value in (None, "") else [value]
        return _as_set(_api_item(field, str(item)) for item in items)
    if field.kind == f.BOOL:
        return _api_bool(value)
    text = "" if value is None else str(value)
    if not _text(text):
        return None if field.default is f.NO_DEFAULT else field.default
    if field.kind == f.CHOICE:
        return _known_words(field).get(text.strip().lower(), text.strip())
    if field.kind in (f.DOMAIN, f.CERTIFICATE):
        return a_labels(text) or text.strip()
    return _text(text)


def to_api(field, value):
    """The value as a cmdlet takes it: lists in full, None for null."""
    if not field.is_list:
        return value
    if field.kind == f.SMTP_DOMAINS:
        return ["smtp:" + item if ";" in item else item for item in value]
    return list(value)


def to_user(value):
    """The value as results show it and options take it."""
    return list(value) if isinstance(value, tuple) else value


def a_labels(text):
    """A domain name, `*.` and a name, or `*`, in lower-case A-labels (str); None for what is none. RFC 5890."""
    name = text.strip().rstrip(".")
    if name == "*":
        return name
    prefix = "*." if name.startswith("*.") else ""
    name = name[len(prefix) :]
    if _DEVIATIONS.search(name):
        return None
    try:
        # Python's codec checks the length of labels only where it converts something.
        name = name.lower() if _is_ascii(name) else name.encode("idna").decode("ascii").lower()
    except UnicodeError:
        return None
    return prefix + name if len(name) <= 253 and _NAME.match(name) else None


def address(text):
    """An address or a network in its normal form (str): host bits cut off, a single address without prefix. None: is none."""
    bare = _without_brackets(text)
    # Some read a leading zero as octal.
    if _IPV4_ZERO.search(bare) and ":" not in bare:
        return None
    try:
        network = ipaddress.ip_network(bare, strict=False)
    except ValueError:
        return None
    return str(network.network_address) if network.prefixlen == network.max_prefixlen else str(network)


def _host(text):
    """A host in its normal form (str), with or without the brackets that stand for "no MX lookup"; None for what is none."""
    return address(text) or a_labels(_without_brackets(text))


def _without_brackets(text):
    bare = text.strip()
    return bare[1:-1] if bare.startswith("[") and bare.endswith("]") else bare


def _is_ascii(text):
    return all(ord(character) < 128 for character in text)


def _as_set(items):
    return tuple(sorted(set(items)))


def _text(text):
    """Without what the service, a form or a YAML block adds at the end of it."""
    return text.replace("\r\n", "\n").strip()


def _refused(field, rule, value):
    return ValueRefusedError("%s: %s, not %s" % (field.label, rule, _shown(value)))


def _shown(value):
    shown = repr(value)
    return shown if len(shown) <= 120 else shown[:117] + "..."


def _choice(field, value):
    """One of the words, or one that reads for it: what a tenant shows can be declared."""
    found = _known_words(field).get(str(value).strip().lower())
    if found is None:
        raise _refused(field, "must be one of %s" % ", ".join(field.choices), value)
    return found


def _known_words(field):
    known = {word.lower(): word for word in field.choices}
    known.update((alias.lower(), word) for alias, word in field.aliases.items())
    return known


def _api_bool(value):
    """None for what is neither: nobody knows then."""
    if isinstance(value, bool):
        return value
    return {"true": True, "false": False}.get(str(value).strip().lower())


def _user_domain(field, text):
    found = a_labels(text)
    if found is None and _DEVIATIONS.search(text):
        raise _refused(field, "two standards make different names of this: write the A-label, which begins with xn--", text)
    if found is None or found == "*":
        raise _refused(field, "must be a domain name, or '*.' and a domain name", text)
    return found


def _user_item(field, item):
    text = item if isinstance(item, str) else str(item)
    if field.kind in (f.DOMAINS, f.SMTP_DOMAINS):
        return _user_smtp_domain(field, text)
    if field.kind == f.NETWORKS:
        return _user_network(field, text)
    if field.kind == f.HOSTS:
        host = _host(text)
        if not host or host.startswith("*"):
            raise _refused(field, "must be a host name, an address or a network", item)
        return host
    if field.kind == f.RANGES:
        found = _range(text)
        if found is None:
            raise _refused(field, "must be an address, a network or a range such as 192.0.2.1-192.0.2.9", item)
        return found
    name = _name(text)
    if not name or not name.isprintable():
        raise _refused(field, "must be a printable text", item)
    return name


def _user_smtp_domain(field, text):
    match = _SMTP.match(text.strip())
    domain = a_labels(match.group("domain")) if match else None
    if domain is None:
        if match and _DEVIATIONS.search(text):
            return _user_domain(field, match.group("domain"))
        raise _refused(field, "must be a domain such as contoso.com, '*.contoso.com' for all below it, or '*' for all", text)
    priority = match.group("priority")
    if priority is not None and field.kind == f.DOMAINS:
        raise _refused(field, "must be a domain without a priority", text)
    return _with_priority(domain, priority)


def _with_priority(domain, priority):
    """1 is what the service adds by itself."""
    return domain if priority is None or int(priority) == 1 else "%s;%d" % (domain, int(priority))


def _user_network(field, text):
    found = address(text)
    if found is None or ":" in found or ipaddress.ip_network(found).prefixlen < 24:
        rule = "takes IPv4 addresses, and networks of /24 to /32, but no IPv6"
        raise _refused(field, rule, text)
    return found


def _range(text):
    """A range with its ends in normal form, an address or a network (str); None for anything else."""
    first, dash, last = text.partition("-")
    if not dash:
        return address(text)
    try:
        ends = ipaddress.ip_address(address(first) or ""), ipaddress.ip_address(address(last) or "")
    except ValueError:
        return None
    if ends[0].version != ends[1].version or ends[0] > ends[1]:
        return None
    return str(ends[0]) if ends[0] == ends[1] else "%s-%s" % ends


def _name(text):
    return text.strip().lower()


def _api_item(field, text):
    """A single item; as it is, when it has no form that is known."""
    plain = text.strip()
    if field.kind in (f.DOMAINS, f.SMTP_DOMAINS):
        match = _SMTP.match(plain)
        domain = a_labels(match.group("domain")) if match else None
        return _with_priority(domain, match.group("priority")) if domain else plain
    if field.kind == f.NETWORKS:
        return address(plain) or plain
    if field.kind == f.HOSTS:
        return _host(plain) or plain
    if field.kind == f.RANGES:
        return _range(plain) or plain
    return _name(plain)
