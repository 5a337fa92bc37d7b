# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""Partner declarations from what a user wrote. A refusal names its place: `partners[0] (Contoso): inbound.requirement: ...`."""

from __future__ import annotations

import ipaddress
import re
import typing as t

from ansible_collections.mailops.tls.plugins.plugin_utils._declaration.model import (
    MAX_CONNECTOR_NAME,
    REQUIREMENTS,
    TARGETS,
    Inbound,
    Outbound,
    Partner,
    connector_name,
)
from ansible_collections.mailops.tls.plugins.plugin_utils._declaration.options import DEFAULTS, Direction, a_labels
from ansible_collections.mailops.tls.plugins.plugin_utils._profiles.fields import (
    Field,
    Place,
    fingerprint,
    host,
    is_host,
    listing,
    mapping,
    one_of,
    show,
    suggest,
    text,
)

MAX_PARTNERS: t.Final = 2000
# A connector of a tenant that is adopted may have many.
MAX_DOMAINS: t.Final = 5000
MAX_ITEMS: t.Final = 200
# Options of a connector that only the declaration itself decides.
_DECIDED: t.Final = ("connector_type",)
_POSTFIX_OUTBOUND: t.Final = ("protocols", "ciphers", "servername")
_SHOWN = re.compile(r"(?i)\A(?:smtp:)?([^;:]+)(?:;0*1)?\Z")
# IDNA 2003, which Python has, and IDNA 2008 disagree on these: sharp s, final sigma, and the joiners.
_DEVIATIONS = re.compile("[\u00df\u1e9e\u03c2\u200c\u200d]")
_PATH = re.compile(r"/[^\s,{}$]+")
T = t.TypeVar("T")


def parse_partners(value: t.Any, *, source: str = "partners") -> tuple[Partner, ...]:
    """All declared partners. Raises ValueError naming the place of what cannot be used.

    Names of partners and of connectors are unique, whatever their case.
    """
    if isinstance(value, (str, bytes, t.Mapping)) or not isinstance(value, t.Sequence):
        raise Place(source).refuse("must be a list of partners")
    if len(value) > MAX_PARTNERS:
        raise Place(source).refuse(f"must have at most {MAX_PARTNERS} items, not {len(value)}")
    partners = tuple(_partner(item, _place(source, index, item)) for index, item in enumerate(value))
    _refuse_repeated(source, partners)
    return partners


def _place(source: str, index: int, item: t.Any) -> Place:
    name = item.get("name") if isinstance(item, t.Mapping) else None
    shown = f" ({name[:60]})" if isinstance(name, str) and name and name.isprintable() else ""
    return Place(f"{source}[{index}]{shown}")


def _refuse_repeated(source: str, partners: t.Sequence[Partner]) -> None:
    seen: dict[tuple[str, str], int] = {}
    for index, partner in enumerate(partners):
        sides = (("inbound connector", partner.inbound), ("outbound connector", partner.outbound))
        names = [("partner", partner.name), *((kind, side.connector) for kind, side in sides if side)]
        for kind, name in names:
            first = seen.setdefault((kind, name.lower()), index)
            if first != index:
                raise Place(f"{source}[{index}] ({partner.name})").refuse(
                    f"the {kind} {show(name)} is declared by {source}[{first}] already"
                )


def _partner(value: t.Any, at: Place) -> Partner:
    found = mapping(value, at, _PARTNER)
    kind: t.Literal["partner", "hybrid"] = found["type"] or "partner"
    state: t.Literal["present", "absent"] = found["state"] or "present"
    name, domains = found["name"], found["domains"]
    hybrid = kind == "hybrid"
    inbound = _inbound(found["inbound"], at.key("inbound"), name, domains, hybrid=hybrid)
    outbound = _outbound(found["outbound"], at.key("outbound"), name, domains)
    if state == "present" and inbound is None and outbound is None:
        raise at.refuse("declares neither inbound nor outbound, so there is nothing to hold")
    if state == "absent":
        # All that the partner ever had goes, whatever of it is still written here.
        inbound = inbound or Inbound("opportunistic", domains, _connector(None, at, name, "inbound"))
        outbound = outbound or Outbound("opportunistic", domains, _connector(None, at, name, "outbound"))
    return Partner(name, kind, state, domains, found["apply_to"] or TARGETS, inbound, outbound)


def _inbound(
    given: dict[str, t.Any] | None, at: Place, partner: str, domains: tuple[str, ...], *, hybrid: bool
) -> Inbound | None:
    if given is None:
        return None
    # Mail of any sender may come from the internet by way of the own servers.
    usual = ("*",) if hybrid else domains
    if given["requirement"] == "trusted":
        raise at.key("requirement").refuse(
            "must be opportunistic, encrypted or verified, not 'trusted': a certificate says who sends only by its name"
        )
    if given["ca_file"] and given["fingerprints"]:
        raise at.refuse("has ca_file and fingerprints, of which Postfix takes one")
    return Inbound(
        requirement=given["requirement"],
        domains=given["domains"] or usual,
        connector=_connector(given["connector"], at, partner, "inbound"),
        certificate_names=given["certificate_names"] or (),
        addresses=given["addresses"] or (),
        fingerprints=given["fingerprints"] or (),
        ca_file=given["ca_file"],
        exchange_online=given["exchange_online"] or {},
    )


def _outbound(given: dict[str, t.Any] | None, at: Place, partner: str, domains: tuple[str, ...]) -> Outbound | None:
    if given is None:
        return None
    return Outbound(
        requirement=given["requirement"],
        domains=given["domains"] or domains,
        connector=_connector(given["connector"], at, partner, "outbound"),
        certificate_names=given["certificate_names"] or (),
        smart_hosts=given["smart_hosts"] or (),
        ca_file=given["ca_file"],
        exchange_online=given["exchange_online"] or {},
        postfix=given["postfix"] or {},
    )


def _connector(given: str | None, at: Place, partner: str, direction: Direction) -> str:
    name = given or connector_name(partner, direction)
    if len(name) > MAX_CONNECTOR_NAME:
        raise at.key("connector").refuse(
            f"{show(name)} has {len(name)} characters, and Exchange Online takes at most {MAX_CONNECTOR_NAME}"
        )
    return name


# Readers of single values


def _one_or_more(read: t.Callable[[t.Any, Place], T], *, at_most: int = MAX_ITEMS, at_least: int = 0) -> t.Any:
    """A reader of lists without repetitions, in the order given. A single text stands for a list of one."""
    read_list = listing(read, at_most=at_most, at_least=at_least)

    def read_several(value: t.Any, at: Place) -> tuple[T, ...]:
        return tuple(dict.fromkeys(read_list([value] if isinstance(value, str) else value, at)))

    return read_several


def _name(value: t.Any, at: Place) -> str:
    """Of a partner or a connector: a short line that begins and ends with something to see."""
    name = text(value, at)
    if len(name) > MAX_CONNECTOR_NAME or name != name.strip():
        raise at.refuse(f"must have 1 to {MAX_CONNECTOR_NAME} characters and no space at either end, not {show(name)}")
    return name


def domain(value: t.Any, at: Place) -> str:
    """A mail domain, `*.` and a domain, or `*`; also as a connector shows it, `smtp:contoso.com;1`."""
    name = _SHOWN.sub(r"\1", text(value, at).strip())
    if ";" in name:
        raise at.refuse(f"has a priority, which belongs below exchange_online, in sender_domains: {show(name)}")
    return name if name == "*" else _domain(name, at)


def _domain(name: str, at: Place) -> str:
    """International names become A-labels (RFC 5890)."""
    bare = name.removeprefix("*.").rstrip(".")
    if _DEVIATIONS.search(bare):
        raise at.refuse(
            f"two standards make different names of this: write the A-label, which begins with xn--, not {show(name)}"
        )
    try:
        ascii_name = bare.lower() if bare.isascii() else bare.encode("idna").decode("ascii")
    except UnicodeError:
        raise at.refuse(f"is no domain name: {show(name)}") from None
    if "@" in bare:
        raise at.refuse(f"must be a domain without the part before the @, not {show(name)}")
    if not is_host(ascii_name) or _is_address(ascii_name) or "." not in ascii_name:
        raise at.refuse(f"must be a domain such as contoso.com, '*.contoso.com' for all below it, or '*', not {show(name)}")
    return ("*." if name.startswith("*.") else "") + ascii_name.lower()


def certificate_name(value: t.Any, at: Place) -> str:
    """A name on a certificate: a domain name, or `*.` and one."""
    if value == "*":
        raise at.refuse("must be a name, or '*.' and a domain; '*' alone would be any certificate")
    return _domain(text(value, at), at)


def network(value: t.Any, at: Place) -> str:
    """An IP address, or a network in CIDR notation; host bits are cut off."""
    try:
        found = ipaddress.ip_network(text(value, at).strip("[]"), strict=False)
    except ValueError as error:
        raise at.refuse(f"must be an IP address or a network such as 192.0.2.0/28: {error}") from None
    return str(found.network_address if found.num_addresses == 1 else found)


def smart_host(value: t.Any, at: Place) -> str:
    """A host name, an IP address or a network, with or without brackets. International names become A-labels."""
    name = text(value, at).strip().removeprefix("[").removesuffix("]")
    if _is_address(name) or "/" in name:
        return network(name, at)
    return host(a_labels(name), at)


def _is_address(value: str) -> bool:
    try:
        ipaddress.ip_address(value)
    except ValueError:
        return False
    return True


def _path(value: t.Any, at: Place) -> str:
    path = text(value, at)
    if not _PATH.fullmatch(path):
        raise at.refuse(f"must be an absolute path on the Postfix hosts, not {show(path)}")
    return path


def _options(known: t.Iterable[str], decided: t.Collection[str] = ()) -> t.Callable[[t.Any, Place], dict[str, t.Any]]:
    """A reader of options that are handed on; what they may hold is for the module to say."""
    names = [name for name in known if name not in decided]

    def read_options(value: t.Any, at: Place) -> dict[str, t.Any]:
        if not isinstance(value, t.Mapping):
            raise at.refuse(f"must be a mapping of {', '.join(names)}")
        for key in value:
            if key in decided:
                raise at.key(str(key)).refuse("is decided by the declaration itself (type)")
            if key not in names:
                raise at.refuse(f"unknown key {show(key)}{suggest(str(key), names)} (known: {', '.join(names)})")
        return {str(key): item for key, item in value.items()}

    return read_options


_DOMAINS = _one_or_more(domain, at_most=MAX_DOMAINS, at_least=1)
_NAMES = _one_or_more(certificate_name)
_INBOUND: t.Final = {
    "requirement": Field(one_of(*REQUIREMENTS), required=True),
    "domains": Field(_DOMAINS),
    "certificate_names": Field(_NAMES),
    "addresses": Field(_one_or_more(network)),
    "fingerprints": Field(_one_or_more(fingerprint(64))),
    "ca_file": Field(_path),
    "connector": Field(_name),
    "exchange_online": Field(_options(DEFAULTS["inbound"], _DECIDED)),
}
_OUTBOUND: t.Final = {
    "requirement": Field(one_of(*REQUIREMENTS), required=True),
    "domains": Field(_DOMAINS),
    "certificate_names": Field(_NAMES),
    "smart_hosts": Field(_one_or_more(smart_host)),
    "ca_file": Field(_path),
    "connector": Field(_name),
    "exchange_online": Field(_options(DEFAULTS["outbound"], _DECIDED)),
    "postfix": Field(_options(_POSTFIX_OUTBOUND)),
}
_PARTNER: t.Final = {
    "name": Field(_name, required=True),
    "type": Field(one_of("partner", "hybrid")),
    "state": Field(one_of("present", "absent")),
    "domains": Field(_DOMAINS, required=True),
    "apply_to": Field(_one_or_more(one_of(*TARGETS), at_least=1)),
    "inbound": Field(lambda value, at: mapping(value, at, _INBOUND)),
    "outbound": Field(lambda value, at: mapping(value, at, _OUTBOUND)),
}
