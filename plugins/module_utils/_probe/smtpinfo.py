# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""The operation `smtp`: every address of a domain's mail servers or of a smart host, all at the same time."""

import base64
import hashlib
import re
import socket
import threading
import time

from ansible_collections.mailops.tls.plugins.module_utils._probe import dnsquery, dnsrecords, smtptls
from ansible_collections.mailops.tls.plugins.module_utils._probe.base import ProbeError, Timer
from ansible_collections.mailops.tls.plugins.module_utils._probe.resolve import resolve
from ansible_collections.mailops.tls.plugins.module_utils._probe.smtp import check_ehlo_name
from ansible_collections.mailops.tls.plugins.module_utils._probe.smtppath import Session, error_of, new_path
from ansible_collections.mailops.tls.plugins.module_utils._probe.smtpverify import Once, take, with_anchors, with_stores
from ansible_collections.mailops.tls.plugins.module_utils._probe.tls import by_openssl
from ansible_collections.mailops.tls.plugins.module_utils._probe.urls import literal_family, to_ascii

MAX_HOSTS = 32
MAX_HELPERS = 128  # threads, in all requests of a run together and besides the one that each request has
_NAME_SECONDS = 2.0
# How long before the end of the run the dialogues end, so that what they saw is still told.
_MARGIN = 0.4
_ADDRESS = re.compile(r"[\x21-\x3b\x3d\x3f-\x7e]{0,254}\Z")  # printable ASCII but < and >


class _Early(object):
    """What lookups and dialogues know of the run; its end is a little earlier."""

    def __init__(self, run):
        self.ends = run.ends - _MARGIN
        self.once = run.once
        self.resolv_conf = run.resolv_conf


def _together(run, errands):
    """Call all `errands` (functions that raise nothing), in this thread and in as many more as the run has to spare."""
    todo = list(reversed(errands))
    spare = run.once("smtp helpers", lambda: threading.Semaphore(MAX_HELPERS))

    def work():
        while True:
            try:
                errand = todo.pop()
            except IndexError:
                return
            errand()

    def lend_a_hand():
        try:
            work()
        finally:
            spare.release()

    threads = []
    for _number in errands[1:]:
        if not spare.acquire(False):
            break
        try:
            thread = threading.Thread(target=lend_a_hand, daemon=True)
            thread.start()
        except RuntimeError:
            spare.release()
            break
        threads.append(thread)
    work()
    for thread in threads:
        thread.join(max(0.0, run.ends + _MARGIN / 2 - time.monotonic()))


def observe(job):
    """Answer an `smtp`. Raises ProbeError."""
    options, run = _settled(job), _Early(job.run)
    job.enter("resolve")
    mx, wanted = _servers(run, options)
    job.put(mx=mx)
    hosts, targets = _find_hosts(run, options, wanted)
    truncated = len(targets) > options["max_addresses"] or len(wanted) > MAX_HOSTS
    targets = targets[: options["max_addresses"]]
    job.put(hosts=hosts, truncated=truncated)
    job.enter("smtp")
    crew = _Crew(run, options, targets, {host["host"]: host["tlsa"]["records"] for host in hosts})
    crew.work()
    paths, certificates = crew.result()
    job.put(paths=paths)
    cut = any((item["error"] or {}).get("code") == "deadline" for item in hosts + paths)
    job.put_bulk(certificates=certificates, ok=not cut)
    if cut:
        raise ProbeError("smtp", "deadline", "the run's time was over before every address was seen to its end")


# --- what is asked


def _settled(job):
    """The options with every default settled (dict). Raises ProbeError (request, ...)."""
    options = dict(job.options)
    domain, host = options["domain"], options["host"]
    if (domain is None) == (host is None):
        raise ProbeError("request", "invalid", "one of domain and host is needed, and only one")
    if host is not None:
        match = re.match(r"\[(?:IPv6:)?([^\]]+)\]\Z", host, re.IGNORECASE)
        host = match.group(1) if match else host
    name = options["name"] = to_ascii(domain or host).rstrip(".")
    if domain and literal_family(name):
        raise ProbeError("request", "invalid", "domain: must be a name")
    if options["client_key"] and not options["client_certificate"]:
        raise ProbeError("request", "invalid", "client_key: needs client_certificate")
    if options["ehlo_name"] is not None:
        check_ehlo_name(options["ehlo_name"])
    else:
        options["ehlo_name"] = job.run.once("own name", Once).get(lambda: _own_name(job.run))
    literal = literal_family(name)
    at = {"ipv4": "[%s]", "ipv6": "[IPv6:%s]"}.get(literal, "%s") % name
    options["recipient"] = options["recipient"] or "postmaster@" + at
    options["sender"] = options["sender"] or ""
    for what in ("sender", "recipient"):
        if not _ADDRESS.match(options[what]):
            raise ProbeError("request", "invalid", what + ": must be a mail address in printable ASCII")
    if options["client_certificate"]:
        # Once before anything is sent, so that a wrong path is no failed handshake on every address.
        smtptls.context_for(options["client_certificate"], options["client_key"], False, smtptls.Watch())
    return options


def _own_name(run):
    """The host's full name (str), or empty where it has none: then an address literal is said in EHLO."""
    found = []
    # A thread, because it may ask the resolver, and nothing can interrupt that.
    thread = threading.Thread(target=lambda: found.append(socket.getfqdn()), daemon=True)
    thread.start()
    thread.join(Timer(run, _NAME_SECONDS).left())
    name = found[0] if found else socket.gethostname()
    try:
        return check_ehlo_name(name) if "." in name and not name.startswith("localhost") else ""
    except ProbeError:
        return ""


# --- where it leads


def _servers(run, options):
    """(`mx` of the answer, list of (preference or None, host))."""
    if not options["domain"]:
        return {
            "status": "not_asked",
            "authenticated": None,
            "bogus": None,
            "resolver": None,
            "records": [],
        }, [(None, options["name"])]
    mx = dnsrecords.mail_exchangers(_nameservers(run), options["name"], Timer(run, options["timeout"]))
    if mx["status"] == "no_data":
        # Without MX the domain itself is its mail server (RFC 5321 section 5.1).
        return mx, [(None, options["name"])]
    return mx, [(record["preference"], record["host"]) for record in mx["records"]]


def _nameservers(run):
    return run.once("nameservers", lambda: dnsquery.nameservers(run.resolv_conf))


def _find_hosts(run, options, wanted):
    """(`hosts` of the answer, [(host, address as resolve returns it)] in order of preference). All are looked up at once."""
    looks = [_Look(run, options, preference, host) for preference, host in wanted[:MAX_HOSTS]]
    _together(run, [look.go for look in looks])
    targets, seen = [], set()
    for look in looks:
        for address in look.found:
            if (look.entry["host"], address[2]) not in seen:
                seen.add((look.entry["host"], address[2]))
                targets.append((look.entry["host"], address))
    return [look.entry for look in looks], targets


class _Look(object):
    """One host: its addresses by the system's resolver, its TLSA records by the nameservers."""

    def __init__(self, run, options, preference, host):
        self.run = run
        self.options = options
        self.found = []
        self.entry = {
            "host": host,
            "preference": preference,
            "addresses": [],
            "error": {"stage": "resolve", "code": "deadline", "errno": None, "message": "the run's time was over"},
            "address_authenticated": None,
            "alias_authenticated": None,
            "tlsa": dnsrecords.no_tlsa(),
        }

    def go(self):
        """Look; what goes wrong is in the entry."""
        entry, options, host = self.entry, self.options, self.entry["host"]
        try:
            found = resolve(
                self.run, to_ascii(host), options["port"], options["address_family"], options["timeout"], lambda _info: None
            )
            if options["dane"] and not literal_family(host):
                timer = Timer(self.run, options["timeout"])
                secure, alias, tlsa = dnsrecords.dane(_nameservers(self.run), host, options["port"], timer)
                entry.update(address_authenticated=secure, alias_authenticated=alias, tlsa=tlsa)
            entry.update(error=None, addresses=[item[2] for item in found])
            self.found = found
        except ProbeError as exc:
            # A name that DNS allows and no host can have is no fault of the request.
            entry["error"] = dict(error_of(exc), stage="resolve", code="error" if exc.stage == "request" else exc.code)
        except Exception as exc:  # a bug here must not cost the other hosts
            entry["error"] = {"stage": "resolve", "code": "internal", "errno": None, "message": type(exc).__name__}


# --- the dialogues


class _Crew(object):
    """The threads that hold the dialogues, and what they bring home."""

    def __init__(self, run, options, targets, tlsa):
        self.run = run
        self.options = options
        self.tlsa = tlsa
        self.lock = threading.Lock()
        self.paths = [new_path(host, address, options["port"]) for host, address in targets]
        self.certificates = {}
        self.errands = self._errands(targets)

    def _errands(self, targets):
        """Lists of (index, address), each for one thread: one address each or, without each_address, all of a host."""
        errands, by_host = [], {}
        for index, (host, address) in enumerate(targets):
            if self.options["each_address"]:
                errands.append([(index, address)])
            elif host in by_host:
                by_host[host].append((index, address))
            else:
                by_host[host] = [(index, address)]
                errands.append(by_host[host])
        return errands

    def work(self):
        """Hold all dialogues; return when they are over or the time is."""
        _together(self.run, [lambda errand=errand: self._go(errand) for errand in self.errands])

    def result(self):
        """(`paths`, `certificates`) as known now. Paths that were not needed are left out."""
        with self.lock:
            return [dict(path) for path in self.paths if path is not None], dict(self.certificates)

    def _go(self, errand):
        done = False
        for index, address in errand:
            if done:
                self._keep(index, None, [])
            else:
                done = self._visit(index, address)

    def _visit(self, index, address):
        """See one address to its end. Whether it let itself be connected to."""
        path, chain = dict(self.paths[index]), []
        try:
            # Another request may be talking to the same address; never two at a time.
            own = self.run.once(("smtp address", path["address"]), threading.Lock)
            if not take(own, self.run):
                return False
            try:
                chain = self._talk(path, address)
            finally:
                own.release()
            path["verified"] = with_stores(self.run, chain, self.options["stores"], self.options["timeout"])
            path["anchored"] = with_anchors(self.run, chain, self.tlsa.get(path["host"], ()), self.options["timeout"])
        except Exception as exc:  # a bug here must not cost the other paths
            path["error"] = {"stage": "connect", "code": "internal", "errno": None, "message": type(exc).__name__}
        self._keep(index, path, chain)
        return path["error"] is None or path["error"]["stage"] != "connect"

    def _talk(self, path, address):
        session = Session(self.run, path, address, self.options)
        session.run()
        if path["chain_source"] == "leaf only" and session.chain:
            return self._whole_chain(path, session)
        return session.chain

    def _whole_chain(self, path, session):
        """The chain by another connection, of openssl, for a Python that only tells the first certificate."""
        options = self.options
        path["connections"] += 1
        extra = ["-cipher", smtptls.PERMISSIVE] if path["tls"]["permissive"] else []
        if options["client_certificate"]:
            extra += ["-cert", options["client_certificate"], "-key", options["client_key"] or options["client_certificate"]]
        starttls = None if options["implicit_tls"] else "smtp"
        name, ehlo_name = session.server_name, path["ehlo_name"]
        whole = by_openssl(self.run, options["timeout"], path["address"], options["port"], name, starttls, ehlo_name, None, extra)
        # Behind a load balancer the second connection may have met another server.
        if whole[:1] != session.chain[:1]:
            return session.chain
        path["chain_source"] = "openssl s_client"
        return whole

    def _keep(self, index, path, chain):
        with self.lock:
            if path is not None:
                path["chain"] = [hashlib.sha256(der).hexdigest() for der in chain]
                for number, name in enumerate(path["chain"]):
                    if name not in self.certificates:
                        self.certificates[name] = base64.b64encode(chain[number]).decode("ascii")
            self.paths[index] = path
