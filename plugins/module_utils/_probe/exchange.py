# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""The operations that talk to the network: fetch, connect and chain."""

import base64
import time

from ansible_collections.mailops.tls.plugins.module_utils._probe import httpwire
from ansible_collections.mailops.tls.plugins.module_utils._probe.base import IMPORTING, ProbeError
from ansible_collections.mailops.tls.plugins.module_utils._probe.connect import connect as connect_to
from ansible_collections.mailops.tls.plugins.module_utils._probe.proxy import choose, open_tunnel, reach
from ansible_collections.mailops.tls.plugins.module_utils._probe.resolve import resolve
from ansible_collections.mailops.tls.plugins.module_utils._probe.urls import (
    PORTS,
    authority,
    follow,
    is_local,
    is_local_host,
    is_loopback,
    literal_family,
    parse_url,
    to_ascii,
)
from ansible_collections.mailops.tls.plugins.module_utils._probe.wire import Wire

REDIRECTS = (301, 302, 303, 307, 308)


def _hop(url, host, port):
    return {
        "url": url,
        "host": host,
        "port": port,
        "resolve": None,
        "addresses": [],
        "peer": None,
        "tls": None,
        "http": None,
        "smtp": None,
    }


def _refuse_local(what):
    return ProbeError("http", "redirect_refused", "a redirect towards " + what)


def _direct(job, host, port, local, turns=None):
    """A Wire to host:port. `local`: whether addresses of this host itself may be connected to. turns: Turns to wait for."""
    options = job.options
    job.put(proxy=None)
    # Before the name is resolved: an address of the family not asked for must not hide where the redirect leads.
    if not local and is_local_host(host):
        raise _refuse_local(host)
    job.enter("resolve")
    addresses = resolve(job.run, host, port, options["family"], options["timeout"], lambda info: job.put_hop(resolve=info))
    if not local:
        for _dummy, _dummy_address, text in addresses:
            if is_local(text):
                raise _refuse_local(text)
    job.enter("connect")
    each = options.get("each_address", False)
    if turns:
        turns.take([text for _family, _address, text in addresses])
    sock, peer = connect_to(job.run, addresses, options["timeout"], each, lambda found: job.put_hop(addresses=found))
    job.put_hop(peer=peer)
    if turns:
        turns.keep(peer)
    again = [item for item in addresses if item[2] == peer][:1]
    return Wire(sock, job.run, options["timeout"], "connect"), again


def _stream(job, scheme, host, port, local=True, turns=None):
    """(Wire to host:port, function that opens another one the same way), through the proxy's tunnel where there is one."""
    proxy = choose(job, scheme, host, port)
    if proxy is None:
        wire, known = _direct(job, host, port, local, turns)

        def again():
            sock, _dummy = connect_to(job.run, known, job.options["timeout"], False, lambda _found: None)
            return Wire(sock, job.run, job.options["timeout"], "connect")

        return wire, again, None
    if not local and is_local_host(host):
        raise _refuse_local(host)
    return open_tunnel(job, proxy, host, port), lambda: open_tunnel(job, proxy, host, port), proxy


# --- fetch


def fetch(job):
    """Answer a `fetch`. Raises ProbeError."""
    options = job.options
    method, body = options["method"], options["body"]
    headers = options["headers"]
    httpwire.check_headers(headers)
    if (body is not None) != (method == "POST"):
        raise ProbeError("request", "invalid", "body: goes with POST, and only with it")
    target = parse_url(options["url"])
    seen, local = set(), True
    while True:
        seen.add((method, target.url))
        job.add_hop(_hop(target.url, target.host, target.port))
        wire, peer = _open(job, target, local)
        with wire:
            response = _ask(job, wire, target, method, headers, body)
            location = (response.headers.get("location") or [None])[0]
            if response.status not in REDIRECTS or location is None:
                _receive(job, wire, method, response)
                return
        # A server on loopback may send us on to loopback: a lab or a local mirror. Nobody else may.
        if len(seen) == 1:
            local = is_loopback(peer)
        target = follow(target, location)
        if method == "POST" and response.status in (301, 302, 303):
            # RFC 9110 section 15.4: what clients have always done, and for 303 what it means.
            method, body = "GET", None
            headers = {name: value for name, value in headers.items() if name.lower() != "content-type"}
        if (method, target.url) in seen:
            raise ProbeError("http", "redirect_loop", target.url)
        if len(seen) > options["max_redirects"]:
            raise ProbeError("http", "redirect_limit", target.url)


def _open(job, target, local):
    """(Wire ready for the request, peer address or None); sets what the request has to carry for a proxy."""
    if target.scheme == "https":
        wire, again, _dummy = _stream(job, "https", target.host, target.port, local)
        return _secure(job, wire, target.host, again), _peer(job)
    proxy = choose(job, "http", target.host, target.port)
    if proxy is None:
        return _direct(job, target.host, target.port, local)[0], _peer(job)
    if not local and is_local_host(target.host):
        raise _refuse_local(target.host)
    wire = reach(job, proxy, False)
    wire.proxy = proxy
    return wire, None


def _peer(job):
    return job.last_hop("peer")


def _secure(job, wire, host, again):
    """TLS on the Wire, verified as this host verifies. On failure what was presented is looked at over a second one."""
    with IMPORTING:
        from ansible_collections.mailops.tls.plugins.module_utils._probe import tls  # noqa: PLC0415 - only where it is needed

    job.enter("tls")
    name = host.rstrip(".")
    try:
        details = tls.handshake(wire, tls.verifying_context(job.run, job.options["ca_path"]), name)
    except ProbeError as exc:
        wire.close()
        if exc.code == "verify_failed":
            _look(job, tls, again, name, exc.message)
        raise
    chain, details["chain_source"] = tls.presented(wire.sock)
    details["chain"] = tls.encode(chain)
    job.put_hop(tls=details)
    return wire


def _look(job, tls, again, name, message):
    """Record the chain that could not be verified. Nothing is ever sent over this connection."""
    details = {"version": None, "cipher": None, "chain": [], "chain_source": None}
    details.update(verified=False, verify_message=message)
    job.put_hop(tls=dict(details))
    try:
        with again() as wire:
            details = tls.handshake(wire, tls.observing_context(job.run), None if literal_family(name) else name)
            chain, details["chain_source"] = tls.presented(wire.sock)
            details.update(verified=False, verify_message=message, chain=tls.encode(chain))
            job.put_hop(tls=details)
    except ProbeError:
        pass  # the verification failed, and that is said already


def _ask(job, wire, target, method, headers, body):
    """Send the request and read the head of the answer."""
    job.enter("http")
    wire.stage = "http"
    proxy = getattr(wire, "proxy", None)
    name = authority(target.host, target.port, PORTS[target.scheme])
    sent = dict(headers, **(proxy.headers() if proxy else {}))
    began = time.monotonic()
    try:
        wire.send(httpwire.request_bytes(method, target.url if proxy else target.path, name, sent, body))
        response = httpwire.read_head(wire)
    except ProbeError as exc:
        if proxy and exc.code == "protocol":
            exc.stage = "proxy"
        raise
    job.put_hop(
        http={
            "status": response.status,
            "reason": response.reason,
            "headers": response.returned(),
            "ms": int((time.monotonic() - began) * 1000),
        }
    )
    return response


def _receive(job, wire, method, response):
    """Read the body into the answer, within its own bound and the run's budget."""
    job.enter("body")
    limit, run, data, reserved = job.options["max_bytes"], job.run, bytearray(), 0
    stream = httpwire.pieces(wire, method, response)
    if method != "HEAD" and (httpwire.declared_length(response) or 0) > limit:
        raise ProbeError("body", "too_large", "Content-Length %d" % httpwire.declared_length(response))
    try:
        for piece in stream:
            job.put_bulk(body_bytes=len(data) + len(piece))
            if len(data) + len(piece) > limit:
                raise ProbeError("body", "too_large", "more than %d bytes" % limit)
            data += piece
            beyond = max(0, len(data) - run.share) - reserved
            if beyond > 0 and not run.reserve(beyond):
                raise ProbeError("body", "budget", "max_total_bytes is used up")
            reserved += max(0, beyond)
    except ProbeError:
        # What is not returned leaves room for others.
        run.refund(reserved)
        raise
    wire.close()
    job.put_bulk(body=base64.b64encode(run.scrub(bytes(data))).decode("ascii"))


# --- connect and chain


def _start(job):
    host = to_ascii(job.options["host"])
    job.add_hop(_hop(None, host, job.options["port"]))
    return host, job.options["port"]


def connect(job):
    """Answer a `connect`. Raises ProbeError."""
    host, port = _start(job)
    _stream(job, "https", host, port)[0].close()


def chain(job):
    """Answer a `chain`. Raises ProbeError."""
    with IMPORTING:
        from ansible_collections.mailops.tls.plugins.module_utils._probe.openssl import by_system_store  # noqa: PLC0415 - as below
        from ansible_collections.mailops.tls.plugins.module_utils._probe.turns import Turns  # noqa: PLC0415 - only where it is needed

    with Turns(job.run) as turns:
        found = _presented(job, turns)
    if job.options["system_store"]:
        job.put(trust=by_system_store(job.run, found, job.options["timeout"]))


def _presented(job, turns):
    """The chain that the server presents (list of DER)."""
    with IMPORTING:
        from ansible_collections.mailops.tls.plugins.module_utils._probe import smtp, tls  # noqa: PLC0415 - only where it is needed

    options = job.options
    ehlo_name = smtp.check_ehlo_name(options["ehlo_name"])
    name = to_ascii(options["server_name"]).rstrip(".") if options["server_name"] else None
    host, port = _start(job)
    if name is None and not literal_family(host):
        name = host.rstrip(".")
    wire, _dummy, proxy = _stream(job, "https", host, port, turns=turns)
    with wire:
        dialogue = smtp.Dialogue(wire) if options["starttls"] else None
        if dialogue:
            job.enter("smtp")
            dialogue.start_tls(ehlo_name, lambda seen: job.put_hop(smtp=dict(seen)))
        job.enter("tls")
        details = tls.handshake(wire, tls.observing_context(job.run), name)
        found, details["chain_source"] = tls.presented(wire.sock)
        details["chain"] = tls.encode(found)
        job.put_hop(tls=details)
        if dialogue:
            smtp.Dialogue(wire).quit()
    if details["chain_source"] == "leaf_only" and not (proxy and proxy.authorization):
        via = authority(proxy.host, proxy.port) if proxy else None
        address = host if proxy else _peer(job)
        whole = tls.by_openssl(
            job.run, options["timeout"], address, port, name, options["starttls"], ehlo_name if dialogue else None, via
        )
        # Behind a load balancer the second connection may have met another server.
        if whole[:1] == found[:1]:
            job.put_hop(tls=dict(details, chain=tls.encode(whole), chain_source="openssl"))
            return whole
    return found
