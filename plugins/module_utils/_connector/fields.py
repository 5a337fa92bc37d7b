# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""What a connector consists of: options of Ansible, parameters of the API, and how their values compare. No I/O."""

TEXT = "text"
BOOL = "bool"
CHOICE = "choice"
DOMAIN = "domain"
#: A name on a certificate, or `<I>issuer<S>subject` for one certificate, which is compared as it is.
CERTIFICATE = "certificate"
DOMAINS = "domains"
#: Domains with a priority, as in `smtp:contoso.com;1`.
SMTP_DOMAINS = "smtp_domains"
#: IPv4 addresses, and networks with a prefix of 24 to 32 bits.
NETWORKS = "networks"
#: Names, addresses and networks that mail is handed to.
HOSTS = "hosts"
#: Addresses, networks and ranges such as 192.0.2.1-192.0.2.9.
RANGES = "ranges"
#: Anything that is told apart by its text, whatever its case: recipients, organizations.
NAMES = "names"

LISTS = frozenset((DOMAINS, SMTP_DOMAINS, NETWORKS, HOSTS, RANGES, NAMES))


class _NoDefault(object):
    """Stands for a default that the documentation of the API does not name, or names in two ways."""

    def __repr__(self):
        return "NO_DEFAULT"


NO_DEFAULT = _NoDefault()


class Field(object):
    """One setting of a connector.

    Attributes:
        option: name in Ansible (str), parameter: name in the API (str), kind: one of the words above.
        default: canonical value that a new object has and null stands for, or NO_DEFAULT.
        choices: the words allowed (tuple of str, for CHOICE), aliases: words that are read for others (dict).
        set_only: whether the cmdlet that creates does not take it, so it is written after that.
        beside: options whose values the API wants in the same call (tuple of str).
    """

    def __init__(self, option, parameter, kind, default=None, choices=(), aliases=None, set_only=False, beside=()):
        self.option = option
        self.parameter = parameter
        self.kind = kind
        self.default = () if kind in LISTS and default is None else default
        self.choices = tuple(choices)
        self.aliases = dict(aliases or {})
        self.set_only = set_only
        self.beside = tuple(beside)

    @property
    def is_list(self):
        """Whether the value is a set of items, whose order means nothing."""
        return self.kind in LISTS

    @property
    def label(self):
        """How messages name it: `require_tls (RequireTls)`."""
        return "%s (%s)" % (self.option, self.parameter)

    def __repr__(self):
        return "Field(%r)" % self.option


class FieldTable(object):
    """The fields of one kind of connector, in the order in which they are shown."""

    def __init__(self, fields):
        self.fields = tuple(fields)
        self.by_option = {}
        for field in self.fields:
            if field.option in self.by_option:
                raise ValueError("two fields are called %s" % field.option)
            self.by_option[field.option] = field

    def __iter__(self):
        return iter(self.fields)

    def __getitem__(self, option):
        return self.by_option[option]

    def __contains__(self, option):
        return option in self.by_option

    def argument_spec(self):
        """The fields as Ansible's argument spec (dict). The name is not part of it: it is required.

        Without choices, because Ansible would refuse null then; canonical.from_user knows them.
        """
        return {field.option: _type(field) for field in self.fields if field.option != "name"}


def _type(field):
    """What Ansible makes of the option before anything looks at it (dict)."""
    if field.is_list:
        return {"type": "list", "elements": "str"}
    return {"type": "bool" if field.kind == BOOL else "str"}
