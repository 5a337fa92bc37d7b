# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""The options of connectors that a declaration may set, their defaults, and their values in one form.

The options are the parameters of New-InboundConnector, New-OutboundConnector and their Set- cmdlets in snake_case. What the
service returns is not what was written: `smtp:contoso.com;1` for contoso.com, `[192.0.2.1]` for an address.
"""

from __future__ import annotations

import types
import typing as t

Direction = t.Literal["inbound", "outbound"]
Options = dict[str, t.Any]

# Option: its value when it is not set. Where Microsoft's pages name none, the one that claims no protection.
_COMMON: t.Final[Options] = {
    "connector_type": "Partner",
    "connector_source": "Default",
    "enabled": True,
    "comment": None,
    "cloud_services_mail_enabled": False,
}
DEFAULTS: t.Final[t.Mapping[Direction, t.Mapping[str, t.Any]]] = types.MappingProxyType(
    {
        "inbound": {
            **_COMMON,
            "sender_domains": (),
            "sender_ip_addresses": (),
            "require_tls": False,
            "tls_sender_certificate_name": None,
            "restrict_domains_to_certificate": False,
            "restrict_domains_to_ip_addresses": False,
            "treat_messages_as_internal": False,
            "associated_accepted_domains": (),
            "trusted_organizations": (),
            "ef_skip_ips": (),
            "ef_skip_last_ip": False,
            "ef_users": (),
        },
        "outbound": {
            **_COMMON,
            "recipient_domains": (),
            "use_mx_record": True,
            "smart_hosts": (),
            "tls_settings": None,
            "tls_domain": None,
            "mta_sts_mode": "Opportunistic",
            "smtp_dane_mode": "Opportunistic",
            "route_all_messages_via_on_premises": False,
            "all_accepted_domains": False,
            "sender_rewriting_enabled": False,
            "is_transport_rule_scoped": False,
            "test_mode": False,
            "validation_recipients": (),
            "is_validated": False,
        },
    }
)
# Options whose values are names, which do not differ by case.
_NAMES: t.Final = frozenset(
    {
        *("sender_domains", "recipient_domains", "smart_hosts", "sender_ip_addresses", "associated_accepted_domains"),
        *("tls_sender_certificate_name", "tls_domain"),
    }
)
_WORDS: t.Final[t.Mapping[str, tuple[str, ...]]] = types.MappingProxyType(
    {
        "connector_type": ("Partner", "OnPremises"),
        "connector_source": ("Default", "HybridWizard", "Migrated"),
        "tls_settings": ("EncryptionOnly", "CertificateValidation", "DomainValidation"),
        "mta_sts_mode": ("Opportunistic", "None"),
        "smtp_dane_mode": ("Opportunistic", "Mandatory", "None"),
    }
)


def canonical(direction: Direction, connector: t.Mapping[str, t.Any]) -> Options:
    """Every known option of a connector in one form: lists as sorted tuples, names in lower case, nothing as None.

    Unknown keys, such as the GUID, are left out.
    """
    return {
        name: _value(name, default, connector.get(name)) if connector.get(name) is not None else default
        for name, default in DEFAULTS[direction].items()
    }


def a_labels(name: str) -> str:
    """A domain, or `*.` and one, in lower-case A-labels (RFC 5890); as it is, in lower case, where it has none."""
    text = name.strip().rstrip(".")
    try:
        return text.lower() if text.isascii() else text.encode("idna").decode("ascii").lower()
    except UnicodeError:
        return text.lower()


def plain_domain(value: str) -> str:
    """`contoso.com` of `smtp:Contoso.com;1`, as SenderDomains reads back."""
    return _with_priority(value).partition(";")[0]


def plain_domains(connector: t.Mapping[str, t.Any], direction: Direction) -> tuple[str, ...]:
    """The domains that a canonical connector is for, without their priorities."""
    found = connector["sender_domains" if direction == "inbound" else "recipient_domains"]
    return tuple(sorted({plain_domain(domain) for domain in found}))


def _with_priority(value: str) -> str:
    """The domain in lower case; a priority stays where it is not 1, which is what the service adds by itself."""
    bare, _semicolon, priority = value.strip().lower().removeprefix("smtp:").partition(";")
    domain = a_labels(bare)
    return f"{domain};{int(priority[:6])}" if priority.isascii() and priority.isdecimal() and int(priority[:6]) != 1 else domain


def _value(name: str, default: t.Any, value: t.Any) -> t.Any:
    if isinstance(default, tuple):
        items = [value] if isinstance(value, str) else value if isinstance(value, (list, tuple)) else []
        return tuple(sorted({_item(name, str(item)) for item in items if str(item).strip()}))
    if isinstance(default, bool):
        return value if isinstance(value, bool) else str(value).lower() in ("true", "yes", "1")
    if name in _WORDS:
        # The service answers AdminUI for connectors that were made with ConnectorSource Default.
        return next((word for word in _WORDS[name] if word.lower() == str(value).lower()), default)
    text = str(value).strip()
    return (_item(name, text) if name in _NAMES else text) or default


def _item(name: str, value: str) -> str:
    if name.endswith("_domains"):
        return _with_priority(value)
    if name == "smart_hosts":
        return a_labels(value.strip().strip("[]"))
    # `<I>issuer<S>subject` stands for one certificate, and is compared as it is.
    return a_labels(value) if name in _NAMES and not value.strip().startswith("<") else value.strip()
