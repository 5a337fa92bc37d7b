# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""Which name a partner compares with the certificate that our servers present: the one seen on the wire, else the profile's."""

from __future__ import annotations

import dataclasses
import typing as t

# Where servers of Exchange Online have their names. Tenants move from the first to the second, which has DNSSEC.
NAME_SPACES: t.Final = ("mail.protection.outlook.com", "mx.microsoft")
_MOST: t.Final = 4


@dataclasses.dataclass(frozen=True)
class WireName:
    """A name that a certificate was seen with. `domain`: the mail domain that led there, or None. `server`: who presented it.

    `name` is without a leading `*.`, `exact` what stands in the certificate, or the plain name where that stands there too.
    `wild`: whether it is for every name below `name`. `trusted`: whether a store of the host that saw it vouches for the chain.
    `presented`: False where no certificate was seen, and the name is that of the server.
    """

    domain: str | None
    server: str
    name: str
    exact: str
    trusted: bool
    wild: bool = False
    presented: bool = True

    @property
    def usable(self) -> bool:
        """Whether partners may be told it: somebody in between presents any name he likes, but no chain that is trusted."""
        return self.trusted or in_exchange_online(self.name)

    @property
    def patterns(self) -> tuple[str, ...]:
        """For Postfix, where a leading dot stands for every name below it, wildcards included (smtp_tls_secure_cert_match).

        Exchange Online has one certificate for its name and all below it.
        """
        both = in_exchange_online(self.name)
        return ((self.name,) if both or self.exact == self.name else ()) + ((f".{self.name}",) if both or self.wild else ())


@dataclasses.dataclass(frozen=True)
class Comparison:
    """The names for a mail domain (None: for all), and what they rest on. `patterns` are for Postfix, `exact` is for Exchange."""

    domain: str | None
    names: tuple[str, ...]
    patterns: tuple[str, ...]
    exact: str
    note: str


def in_exchange_online(name: str) -> bool:
    """Whether a name lies in one of the name spaces of Exchange Online."""
    return any(name == space or name.endswith("." + space) for space in NAME_SPACES)


def compare_names(domains: t.Sequence[str], seen: t.Sequence[WireName], published: str) -> tuple[Comparison, ...]:
    """For each domain (or for all, where none is given) what to compare. `published` is the name that the profiles tell."""
    return tuple(_for_domain(domain, seen, published) for domain in domains or (None,))


def _for_domain(domain: str | None, seen: t.Sequence[WireName], published: str) -> Comparison:
    own = [item for item in seen if domain is not None and item.domain == domain.lower().rstrip(".")]
    # Servers that were reached in another way say something where they are those of Exchange Online.
    found = own or [item for item in seen if in_exchange_online(item.server) or in_exchange_online(item.name)]
    usable = sorted((item for item in found if item.usable), key=lambda item: (item.name, item.exact, item.server))
    label, doubt = domain or "our domains", _doubt(found)
    # Where certificates were seen, the names of servers that showed none add nothing.
    chosen = [item for item in usable if item.presented] or usable
    if not chosen:
        return Comparison(
            domain, (published,), (published, f".{published}"), published, f"{label}: {published}, {_UNSEEN}{doubt}"
        )
    names = tuple(dict.fromkeys(item.name for item in chosen))[:_MOST]
    patterns = tuple(dict.fromkeys(pattern for item in chosen if item.name in names for pattern in item.patterns))
    return Comparison(domain, names, patterns, chosen[0].exact, f"{label}: {_seen(chosen, names, published)}{doubt}")


_UNSEEN: t.Final = (
    "as the profiles say. No server was seen that could confirm it; where the MX record leads to a name in mx.microsoft, the "
    "certificate may have another."
)


def _seen(chosen: t.Sequence[WireName], names: tuple[str, ...], published: str) -> str:
    """What the names rest on, and where that is not what the profiles say."""
    what = "as presented by" if chosen[0].presented else "the name of the server, of which no certificate was seen:"
    text = f"{', '.join(names)}, {what} {', '.join(sorted({item.server for item in chosen})[:_MOST])}."
    text += "" if names == (published,) else f" The profiles say {published}."
    return text + (f" A connector of Exchange takes one name, here {chosen[0].exact}." if len(names) > 1 else "")


def _doubt(found: t.Sequence[WireName]) -> str:
    names = sorted({item.name for item in found if not item.usable})[:_MOST]
    return f" {', '.join(names)} was presented too, with a chain that is not trusted, and is left out." if names else ""
