# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The stand-in in tests: `with running(page_size=2) as exchange: connect(exchange.options)`."""

from __future__ import annotations

import contextlib
import copy
import dataclasses
import pathlib
import secrets
import tempfile
import typing as t
import uuid

from tests.lab.exchange_online.certificates import load_certificate, server_context
from tests.lab.exchange_online.entra import TokenIssuer
from tests.lab.exchange_online.quirks import Quirks
from tests.lab.exchange_online.server import Running, Service
from tests.lab.exchange_online.tenant import Tenant

ACCEPTED_DOMAINS = ("contoso.com", "contoso.onmicrosoft.com")


@dataclasses.dataclass(frozen=True)
class StandIn:
    """A running stand-in, and what a client needs to know of it."""

    server: Running

    @property
    def endpoint(self) -> str:
        return self.server.service.base

    @property
    def token_endpoint(self) -> str:
        return self.server.service.issuer.token_endpoint

    @property
    def ca_path(self) -> str:
        return str(self.server.ca_path)

    @property
    def tenant_id(self) -> str:
        return self.server.service.issuer.tenant_id

    @property
    def client_id(self) -> str:
        return self.server.service.issuer.client_id

    @property
    def client_secret(self) -> str:
        return self.server.service.issuer.client_secret

    @property
    def tokens(self) -> int:
        """How many tokens were issued."""
        return self.server.service.issuer.issued

    @property
    def options(self) -> dict[str, t.Any]:
        """Connection options, as of the plugins."""
        return {
            "tenant_id": self.tenant_id,
            "client_id": self.client_id,
            "client_secret": self.client_secret,
            "endpoint": self.endpoint,
            "token_endpoint": self.token_endpoint,
            "ca_path": self.ca_path,
        }

    def log(self) -> list[dict[str, t.Any]]:
        """Every InvokeCommand and token request: path, cmdlet, parameters, status, fault, and whether it `wrote`."""
        return copy.deepcopy(self.server.service.log)

    def cmdlets(self) -> list[str]:
        """The names of the cmdlets that were asked for, in order, failed ones included."""
        return [entry["cmdlet"] for entry in self.log() if entry.get("cmdlet")]

    def writes(self) -> list[dict[str, t.Any]]:
        """The log of what really changed something."""
        return [entry for entry in self.log() if entry["wrote"]]

    def clear_log(self) -> None:
        self.server.service.log.clear()

    def set(self, **quirks: t.Any) -> None:
        """Change quirks of the running server."""
        self.server.service.quirks.update(quirks)

    def connectors(self) -> dict[str, list[dict[str, t.Any]]]:
        """What is stored, by "InboundConnector" and "OutboundConnector", as it was written."""
        return self.server.service.tenant.connectors()

    def load(self, **objects: t.Sequence[dict[str, t.Any]]) -> None:
        """Put connectors there without asking the API: `load(InboundConnector=[{"Name": ...}])`."""
        self.server.service.tenant.load(objects)

    def reset(self) -> None:
        """No connectors, an empty log, and the quirks as at the very start of a plain stand-in."""
        self.server.service.tenant.clear()
        self.clear_log()
        self.server.service.requests = 0
        self.set(**dataclasses.asdict(Quirks()))


def start(
    directory: pathlib.Path,
    *,
    port: int = 0,
    quirks: Quirks | None = None,
    certificate_pem: str | None = None,
    domains: t.Sequence[str] = ACCEPTED_DOMAINS,
    state: pathlib.Path | None = None,
) -> StandIn:
    """Start a stand-in whose files are in `directory`; `.server.stop()` ends it."""
    quirks = quirks or Quirks()
    certificate = load_certificate(certificate_pem) if certificate_pem else None
    issuer = TokenIssuer(str(uuid.uuid4()), str(uuid.uuid4()), f"secret~{secrets.token_urlsafe(24)}", certificate)
    tls, ca_path = server_context(directory)
    return StandIn(Running(Service(Tenant(quirks, domains, state), issuer, quirks), tls, ca_path, port))


@contextlib.contextmanager
def running(
    *, certificate_pem: str | None = None, domains: t.Sequence[str] = ACCEPTED_DOMAINS, **quirks: t.Any
) -> t.Iterator[StandIn]:
    """A stand-in for the time of the block. `certificate_pem` is registered for the app, as its secret is."""
    settings = Quirks()
    settings.update(quirks)
    with tempfile.TemporaryDirectory(prefix="exo-") as directory:
        exchange = start(pathlib.Path(directory), quirks=settings, certificate_pem=certificate_pem, domains=domains)
        try:
            yield exchange
        finally:
            exchange.server.stop()
