# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The servers of the lab: their configuration and how each is started. All are the real programs."""

from __future__ import annotations

import dataclasses
import pathlib
import sys

from tests.lab import cause_services, plan

UNBOUND = """\
server:
    directory: "{state}"
    chroot: ""
    username: ""
    pidfile: ""
    use-syslog: no
    logfile: ""
    do-daemonize: no
    num-threads: 1
    interface: {v4}
    interface: {v6}
    access-control: 0.0.0.0/0 allow
    access-control: ::0/0 allow
    module-config: "iterator"
    hide-version: yes
    # The lab has no way out: a name that is not listed below does not exist.
    local-zone: "." static
    local-zone: "{zone}." static
{records}
{cause_records}
remote-control:
    control-enable: no
"""

NGINX = """\
daemon off;
user root;
worker_processes 1;
pid {state}/run/nginx.pid;
error_log {state}/log/nginx-error.log;
events {{ worker_connections 1024; }}
http {{
    access_log {state}/log/nginx-access.log;
    client_body_temp_path {state}/run/body;
    proxy_temp_path {state}/run/proxy;
    fastcgi_temp_path {state}/run/fastcgi;
    uwsgi_temp_path {state}/run/uwsgi;
    scgi_temp_path {state}/run/scgi;
    types {{ application/pkix-crl crl; application/pkix-cert crt; }}
    default_type application/octet-stream;
    server {{ {listen_files} root {state}/ca/served; }}
{responders}
    server {{
        {listen_web}
        ssl_certificate {state}/ca/leaf-chain.pem;
        ssl_certificate_key {state}/ca/leaf.key;
        location / {{ default_type text/plain; return 200 "lab\\n"; }}
    }}
    # The captive portal: 200 and a page for everything. The content type lies, as real portals' do.
    server {{
        {listen_portal}
        location / {{ default_type application/pkix-crl; return 200 "{portal_page}"; }}
    }}
{cause_servers}
}}
"""

RESPONDER = """\
    server {{
        {listen}
        location / {{ proxy_pass http://127.0.0.1:{port}; proxy_http_version 1.0; proxy_next_upstream off; }}
    }}
"""

SQUID = """\
http_port {v4}:{port} name=open
http_port [{v6}]:{port} name=open6
http_port {v4}:{auth_port} name=auth
http_port [{v6}]:{auth_port} name=auth6
visible_hostname proxy.{zone}
dns_nameservers {resolver}
hosts_file none
cache deny all
cache_effective_user nobody
pid_filename none
cache_log /dev/null
access_log none
shutdown_lifetime 0 seconds
connect_timeout 1 second
auth_param basic program {helper} {password_file}
auth_param basic children 2 startup=1 idle=1
auth_param basic realm lab
acl without_password myportname open open6
acl known proxy_auth REQUIRED
{cause_rules}
http_access allow without_password
http_access allow known
http_access deny all
"""


@dataclasses.dataclass(frozen=True)
class Service:
    """A server: what to run, and the places (address, port) that must answer before it counts as started."""

    name: str
    command: tuple[str, ...]
    ready: tuple[tuple[str, int], ...]


def _listen(places: tuple[plan.Address, ...], port: int, options: str = "") -> str:
    return " ".join(f"listen {place.v4}:{port}{options}; listen [{place.v6}]:{port}{options};" for place in places)


def _unbound(state: pathlib.Path) -> str:
    records = []
    for name, place in plan.NAMES.items():
        records.append(f'    local-data: "{name}. 300 IN A {place.v4}"')
        records.append(f'    local-data: "{name}. 300 IN AAAA {place.v6}"')
    return UNBOUND.format(
        state=state,
        v4=plan.RESOLVER.v4,
        v6=plan.RESOLVER.v6,
        zone=plan.ZONE,
        records="\n".join(records),
        cause_records=cause_services.unbound(),
    )


def _nginx(state: pathlib.Path) -> str:
    responders = "".join(
        RESPONDER.format(listen=_listen((place,), 80), port=plan.OCSP_PORTS[name])
        for name, place in (("root", plan.OCSP), ("intermediate", plan.OCSP_INTERMEDIATE))
    )
    return NGINX.format(
        state=state,
        listen_files=_listen((plan.CRL, plan.CA_ISSUERS), 80),
        responders=responders,
        listen_web=_listen((plan.WEB,), 80) + " " + _listen((plan.WEB,), 443, " ssl"),
        listen_portal=_listen((plan.PORTAL,), 80),
        portal_page=plan.PORTAL_PAGE,
        cause_servers=cause_services.nginx(state),
    )


def _squid(state: pathlib.Path, helper: pathlib.Path) -> str:
    return SQUID.format(
        state=state,
        v4=plan.PROXY.v4,
        v6=plan.PROXY.v6,
        port=plan.PROXY_PORT,
        auth_port=plan.PROXY_AUTH_PORT,
        zone=plan.ZONE,
        resolver=plan.RESOLVER.v4,
        helper=helper,
        password_file=plan.PROXY_PASSWORD_FILE,
        cause_rules=cause_services.squid(),
    )


def _responder(state: pathlib.Path, name: str, ca_name: str) -> Service:
    ca = state / "ca"
    port = plan.OCSP_PORTS[name]
    # -multi: one process answers one connection at a time; -ignore_err: a malformed request does not end it.
    command = ("openssl", "ocsp", "-port", str(port), "-multi", "2", "-ignore_err", "-ndays", "3", "-timeout", "10")
    files = (
        ("-index", ca / f"{name}.index"),
        ("-CA", ca / f"{ca_name}.pem"),
        ("-rsigner", ca / f"{ca_name}_responder.pem"),
        ("-rkey", ca / f"{ca_name}_responder.key"),
    )
    options = tuple(str(part) for pair in files for part in pair)
    return Service(f"ocsp-{name}", (*command, *options), (("127.0.0.1", port),))


def prepare(state: pathlib.Path, helper: pathlib.Path, password_hash: str) -> tuple[Service, ...]:
    """Write every server's configuration below the state directory and say how to start them.

    `helper` is squid's program for basic authentication, `password_hash` the crypt(3) hash of the proxy's password.
    """
    conf, run = state / "conf", state / "run"
    conf.mkdir()
    run.mkdir()
    (conf / "unbound.conf").write_text(_unbound(state))
    (conf / "nginx.conf").write_text(_nginx(state))
    (conf / "squid.conf").write_text(_squid(state, helper))
    (run / pathlib.Path(plan.PROXY_PASSWORD_FILE).name).write_text(f"{plan.PROXY_USER}:{password_hash}\n")
    web = [(place.v4, 80) for place in (*plan.CA_ADDRESSES, plan.PORTAL)]
    return (
        Service("unbound", ("unbound", "-d", "-c", str(conf / "unbound.conf")), ((plan.RESOLVER.v4, 53), (plan.RESOLVER.v6, 53))),
        Service("nginx", ("nginx", "-c", str(conf / "nginx.conf"), "-e", str(state / "log" / "nginx-error.log")), tuple(web)),
        Service("squid", ("squid", "-N", "-d", "1", "-f", str(conf / "squid.conf")), ((plan.PROXY.v4, plan.PROXY_PORT),)),
        *(_responder(state, name, "intermediate" if name == "intermediate" else "root") for name in plan.OCSP_PORTS),
        Service(
            "misbehaving",
            (sys.executable, "-m", "tests.lab.misbehaving", str(state)),
            tuple((place.v4, 80) for place in plan.MISBEHAVING.values()),
        ),
    )
