# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the cmdlets take: the parameters of the connectors, their types, defaults and documented constraints.

Sources: Microsoft's reference pages of New-, Set-, Get- and Remove-InboundConnector and -OutboundConnector.
"""

from __future__ import annotations

import ipaddress
import re
import typing as t

Values = dict[str, t.Any]


class CmdletError(Exception):
    """The cmdlet refuses. `status` is that of HTTP, `kind` the .NET type that the service names."""

    def __init__(self, message: str, *, status: int = 400, kind: str = "ParameterBindingException") -> None:
        super().__init__(message)
        self.status = status
        self.kind = f"Microsoft.Exchange.Management.{kind}"


_DOMAIN = re.compile(r"(\*|(\*\.)?([a-z0-9_]([a-z0-9-]*[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]*[a-z0-9])?)", re.IGNORECASE)
_CERTIFICATE = re.compile(r"<I>[^<>]+<S>[^<>]+")
_TYPES: t.Final = ("OnPremises", "Partner")
_SOURCES: t.Final = ("Default", "HybridWizard", "Migrated")

# Name of a parameter: its kind, and its default as it reads back.
_COMMON: t.Final[dict[str, tuple[t.Any, t.Any]]] = {
    "Name": ("text", ""),
    "Comment": ("text", ""),
    "ConnectorSource": (_SOURCES, "Default"),
    "ConnectorType": (_TYPES, "Partner"),
    "Enabled": ("bool", True),
    "CloudServicesMailEnabled": ("bool", False),
}
FIELDS: t.Final[dict[str, dict[str, tuple[t.Any, t.Any]]]] = {
    "InboundConnector": {
        **_COMMON,
        "SenderDomains": ("smtp_domains", []),
        "SenderIPAddresses": ("networks", []),
        "RequireTls": ("bool", True),
        "RestrictDomainsToCertificate": ("bool", False),
        "RestrictDomainsToIPAddresses": ("bool", False),
        "TlsSenderCertificateName": ("certificate", None),
        "TreatMessagesAsInternal": ("bool", False),
        "AssociatedAcceptedDomains": ("list", []),
        "TrustedOrganizations": ("list", []),
        "EFSkipIPs": ("ranges", []),
        "EFSkipLastIP": ("bool", False),
        "EFUsers": ("list", []),
        "ClientHostNames": ("list", []),
    },
    "OutboundConnector": {
        **_COMMON,
        "RecipientDomains": ("domains", []),
        "UseMXRecord": ("bool", True),
        "SmartHosts": ("hosts", []),
        "TlsSettings": (("EncryptionOnly", "CertificateValidation", "DomainValidation"), None),
        "TlsDomain": ("domain", None),
        "MtaStsMode": (("Opportunistic", "None"), "Opportunistic"),
        "SmtpDaneMode": (("Opportunistic", "Mandatory", "None"), "Opportunistic"),
        "RouteAllMessagesViaOnPremises": ("bool", False),
        "AllAcceptedDomains": ("bool", False),
        "SenderRewritingEnabled": ("bool", False),
        "IsTransportRuleScoped": ("bool", False),
        "TestMode": ("bool", False),
        "ValidationRecipients": ("list", []),
        "IsValidated": ("bool", False),
        "LastValidationTimestamp": ("text", None),
    },
}
SET_ONLY: t.Final = ("ValidationRecipients", "IsValidated", "LastValidationTimestamp")
GET_OPTIONS: t.Final = {
    "InboundConnector": ("Identity", "ResultSize"),
    "OutboundConnector": ("Identity", "ResultSize", "IncludeTestModeConnectors", "IsTransportRuleScoped"),
}


def check_names(parameters: t.Mapping[str, object], known: t.Collection[str]) -> None:
    """Refuse parameters that the cmdlet does not have."""
    for name in parameters:
        if name not in known:
            raise CmdletError(f"A parameter cannot be found that matches parameter name '{name}'.")


def read_values(kind: str, parameters: t.Mapping[str, object]) -> Values:
    """The parameters as they are stored. Raises CmdletError for one that has the wrong type or form."""
    return {name: _read(name, *FIELDS[kind][name], value) for name, value in parameters.items()}


def _read(name: str, kind: t.Any, default: t.Any, value: t.Any) -> t.Any:
    if value is None:
        return default
    if isinstance(kind, tuple):
        found = next((choice for choice in kind if choice.lower() == str(value).lower()), None)
        return found or _refuse(name, value)
    if kind == "bool":
        return value if isinstance(value, bool) else _refuse(name, value)
    if kind in ("text", "domain", "certificate"):
        good = isinstance(value, str) and (kind == "text" or not value or _DOMAIN.fullmatch(value))
        good = good or (kind == "certificate" and isinstance(value, str) and _CERTIFICATE.fullmatch(value))
        return (value or default) if good else _refuse(name, value)
    items = [value] if isinstance(value, str) else value
    if not isinstance(items, list):
        return _refuse(name, value)
    for item in items:
        if not isinstance(item, str) or not item or not _ITEMS[kind](item):
            _refuse(name, item)
    return list(items)


def _refuse(name: str, value: object) -> t.Any:
    raise CmdletError(f"Cannot process argument transformation on parameter '{name}'. Cannot convert value \"{value}\".")


def is_network(value: str) -> bool:
    """IPv4, alone or as a network of /24 to /32."""
    try:
        return ipaddress.IPv4Network(value, strict=False).prefixlen >= 24
    except ValueError:
        return False


def is_range(value: str) -> bool:
    """An address, a network, or two addresses with a dash."""
    first, dash, last = value.partition("-")
    return is_address(first) and (not dash or is_address(last))


def is_address(value: str) -> bool:
    try:
        ipaddress.ip_network(value.strip("[]"), strict=False)
    except ValueError:
        return False
    return True


def _is_smtp_domain(value: str) -> bool:
    domain, _semicolon, priority = value.removeprefix("smtp:").partition(";")
    return bool(_DOMAIN.fullmatch(domain)) and (not priority or priority.isdigit())


_ITEMS: t.Final[dict[str, t.Callable[[str], bool]]] = {
    "list": bool,
    "domains": lambda item: bool(_DOMAIN.fullmatch(item)),
    "smtp_domains": _is_smtp_domain,
    "networks": is_network,
    "ranges": is_range,
    "hosts": lambda item: is_address(item) or bool(_DOMAIN.fullmatch(item.removeprefix("[").removesuffix("]"))),
}


def check_object(kind: str, found: Values, given: t.Collection[str]) -> None:
    """The documented rules between parameters; `given` are those of this call."""
    if not found["Name"] or len(found["Name"]) > 64:
        raise CmdletError("The length of the property Name must be 1 to 64.", kind="DataValidationException")
    on_premises = found["ConnectorType"] == "OnPremises"
    if kind == "InboundConnector":
        if not found["SenderDomains"]:
            raise CmdletError("SenderDomains must not be empty.", kind="InboundConnectorException")
        if found["TreatMessagesAsInternal"] and (found["CloudServicesMailEnabled"] or not on_premises):
            raise CmdletError(
                "TreatMessagesAsInternal can only be used with ConnectorType OnPremises and without CloudServicesMailEnabled.",
                kind="InboundConnectorException",
            )
        return
    if not found["UseMXRecord"] and (not found["SmartHosts"] or ("UseMXRecord" in given and "SmartHosts" not in given)):
        raise CmdletError("SmartHosts must be specified when UseMXRecord is false.", kind="OutboundConnectorException")
    if found["TlsSettings"] == "DomainValidation" and not found["TlsDomain"]:
        raise CmdletError("TlsDomain must be specified when TlsSettings is DomainValidation.", kind="OutboundConnectorException")
    for name in ("RouteAllMessagesViaOnPremises", "AllAcceptedDomains", "SenderRewritingEnabled"):
        if found[name] and not on_premises:
            raise CmdletError(f"{name} can only be used with ConnectorType OnPremises.", kind="OutboundConnectorException")
