# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""This machine once more in a mount namespace: everything is there, and nothing that is written reaches the real one.

Its trust stores are small, so that tests are quick, and laid out as a distribution has them.
"""

from __future__ import annotations

import contextlib
import hashlib
import http.server
import os
import pathlib
import ssl
import subprocess
import threading
import typing as t

from tests.conftest import require, require_programs, require_root
from tests.unit.anchor import module
from tests.unit.anchor.pki import Certificate, server

BUNDLE = pathlib.Path("/etc/ssl/certs/ca-certificates.crt")
#: Roots that the vendor of the copy ships; the first is the one that tests take away and give back.
VENDOR = ("DigiCert_Global_Root_G2.crt", "DigiCert_Global_Root_G3.crt", "ISRG_Root_X1.crt")
MOZILLA = pathlib.Path("/usr/share/ca-certificates/mozilla")

#: Three things keep a mistake here away from the real machine, each of them alone: its file system is read-only in the
#: namespace before anything else happens, it is no longer there at all when "ready" is said, and no command runs in a root
#: that lacks the mark (`_GUARD`).
_MARK = "/.mailops-tls-copy"
_BECOME = """set -e
mount -o remount,bind,ro /
mount -t tmpfs -o size=64m tmpfs "$1"
mkdir "$1/upper" "$1/work" "$1/merged"
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" "$1/merged"
mount --rbind /dev "$1/merged/dev"
mount -t proc proc "$1/merged/proc"
mount -t tmpfs tmpfs "$1/merged/tmp"
mount -t tmpfs tmpfs "$1/merged/run"
mkdir -p "$1/merged$2"
mount --rbind "$2" "$1/merged$2"
mount -o remount,bind,ro "$1/merged$2"
mkdir "$1/merged/.old"
: > "$1/merged$3"
cd "$1/merged"
pivot_root . .old
umount -l /.old
test -e "$3"
echo ready
exec sleep infinity
"""
_GUARD = f'test -e {_MARK} || {{ echo "not in the copy" >&2; exit 99; }}; exec "$@"'
_DEBIAN = """set -e
rm -rf /etc/ca-certificates/update.d/* /usr/local/share/ca-certificates/* /etc/ssl/certs/*
: > /etc/ca-certificates.conf
for name in {vendor}; do echo "mozilla/$name" >> /etc/ca-certificates.conf; done
update-ca-certificates
"""
#: What update-ca-trust of RHEL and Arch, and update-ca-certificates of SUSE do, for the one file that is looked at here.
_P11_KIT = """set -e
rm -rf /usr/local/share/ca-certificates /etc/ca-certificates.conf /usr/sbin/update-ca-certificates
mkdir -p {source}/anchors {source}/blocklist {vendor_dir}/anchors {vendor_dir}/blocklist $(dirname {bundle})
for name in {vendor}; do cp {mozilla}/$name {vendor_dir}/anchors/; done
echo "module: p11-kit-trust.so
trust-policy: yes
x-init-reserved: paths={source}:{vendor_dir}" > /usr/share/p11-kit/modules/p11-kit-trust.module
echo '#!/bin/sh
exec trust extract --format=pem-bundle --filter=ca-anchors --overwrite --purpose=server-auth {bundle}' > /usr/sbin/{command}
chmod 755 /usr/sbin/{command}
{command}
rm -f {link}
ln -s {bundle} {link}
"""
_LAYOUTS = {
    "rhel": {
        "source": "/etc/pki/ca-trust/source",
        "vendor_dir": "/usr/share/pki/ca-trust-source",
        "bundle": "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
        "command": "update-ca-trust",
    },
    "suse": {
        "source": "/etc/pki/trust",
        "vendor_dir": "/usr/share/pki/trust",
        "bundle": "/var/lib/ca-certificates/ca-bundle.pem",
        "command": "update-ca-certificates",
    },
    "arch": {
        "source": "/etc/ca-certificates/trust-source",
        "vendor_dir": "/usr/share/ca-certificates/trust-source",
        "bundle": "/etc/ca-certificates/extracted/tls-ca-bundle.pem",
        "command": "update-ca-trust",
    },
}
_VERIFY = ("openssl", "verify", "-purpose", "sslserver")
_CONNECT = """
import ssl, sys, urllib.request
try:
    urllib.request.urlopen(sys.argv[1], timeout=10).read()
    print("connected")
except OSError as error:
    print(error)
"""


class Machine:
    """A copy of this machine. `inside` is the command that runs another one in it."""

    def __init__(self, layout: str, pid: int) -> None:
        self.layout = layout
        self.inside = ["nsenter", "--target", str(pid), "--mount", "--root", "--wd", "sh", "-c", _GUARD, "sh"]
        places = _LAYOUTS.get(layout)
        self.bundle = places["bundle"] if places else str(BUNDLE)
        self.command = places["command"] if places else "update-ca-certificates"
        self.source = places["source"] if places else "/usr/local/share/ca-certificates"

    def sh(self, script: str, given: str | None = None) -> str:
        """Run a shell script, which must not fail; its output."""
        done = subprocess.run(
            [*self.inside, "sh", "-ec", script],
            input=given,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
            check=False,
            env=clean_environment(),
        )
        assert done.returncode == 0, f"{script}\n{done.stdout}"
        return done.stdout

    def apply(self, certificate: Certificate, **more: t.Any) -> module.Answer:
        return module.apply(certificate, prefix=self.inside, **more)

    def refused(self, certificate: Certificate, *, match: str, **more: t.Any) -> module.Answer:
        return module.refused(certificate, match=match, prefix=self.inside, **more)

    def read(self) -> str:
        """The bundle."""
        return self.sh(f"cat {self.bundle}")

    def files(self) -> str:
        """Every file of the store with a digest, and where links lead."""
        places = f"{self.source} $(dirname {self.bundle})"
        return self.sh(f"find {places} -type f -exec sha256sum {{}} + | sort; find {places} -type l -printf '%p %l\\n' | sort")

    def trusts(self, certificate: Certificate) -> bool:
        """Whether OpenSSL, curl and Python connect to a TLS server of that root; they must agree."""
        with tls_server(certificate) as url:
            said = {
                "openssl": "stdin: OK" in self.say(*_VERIFY, "-CAfile", self.bundle, given=server(certificate).pem),
                "curl": self.say("curl", "--silent", "--show-error", "--output", "/dev/null", "--write-out", "ok", url) == "ok",
                "python": self.say("/usr/bin/python3", "-c", _CONNECT, url) == "connected\n",
            }
        if self.layout == "debian":
            leaf = server(certificate).pem
            said["directory"] = "stdin: OK" in self.say(
                *_VERIFY, "-no-CAfile", "-no-CAstore", "-CApath", "/etc/ssl/certs", given=leaf
            )
        else:
            # OpenSSL of this machine reads Debian's directory, which is not there in this layout.
            del said["python"]
        assert len(set(said.values())) == 1, said
        return said["openssl"]

    def say(self, *words: str, given: str | None = None) -> str:
        """What a program says; it may fail."""
        return module.tool(*words, given=given, prefix=[*self.inside, "env", *(f"--unset={name}" for name in _DISTURBING)])


_DISTURBING = (
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "CURL_CA_BUNDLE",
    "http_proxy",
    "https_proxy",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "all_proxy",
    "ALL_PROXY",
)


def clean_environment() -> dict[str, str]:
    return {key: value for key, value in os.environ.items() if key not in _DISTURBING}


@contextlib.contextmanager
def machine(layout: str, directory: pathlib.Path) -> t.Iterator[Machine]:
    """A machine of a layout (debian, rhel, suse, arch), and the assurance that the real one's store stayed as it was."""
    require_root("anchor")
    require_programs("anchor", "unshare", "nsenter", "curl", "openssl", "update-ca-certificates", "trust")
    missing = [name for name in VENDOR if not (MOZILLA / name).exists()]
    require(not missing, "anchor", f"no {missing} in {MOZILLA}")
    before = _own_store()
    directory.mkdir(exist_ok=True)
    command = [
        "unshare",
        "--mount",
        "--propagation",
        "private",
        "sh",
        "-c",
        _BECOME,
        "sh",
        str(directory),
        str(module.ROOT),
        _MARK,
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            require(process.stdout.readline() == "ready\n", "anchor", "no overlay of / can be mounted")
            copy = Machine(layout, process.pid)
            names = " ".join(VENDOR)
            if layout == "debian":
                copy.sh(_DEBIAN.format(vendor=names))
            else:
                copy.sh(_P11_KIT.format(vendor=names, mozilla=MOZILLA, link=BUNDLE, **_LAYOUTS[layout]))
            yield copy
        finally:
            process.kill()
    assert _own_store() == before, "a test changed the store of this machine"


def _own_store() -> tuple[str, list[str], str]:
    conf = pathlib.Path("/etc/ca-certificates.conf")
    names = sorted(path.name for path in pathlib.Path("/usr/local/share/ca-certificates").rglob("*"))
    return hashlib.sha256(BUNDLE.read_bytes()).hexdigest(), names, conf.read_text() if conf.exists() else ""


class _Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_words: object) -> None:
        pass


class _Server(http.server.ThreadingHTTPServer):
    def handle_error(self, *_request: object) -> None:
        """Clients that do not trust the certificate go away in the middle of the handshake."""


@contextlib.contextmanager
def tls_server(issuer: Certificate) -> t.Iterator[str]:
    """A web server on loopback with a certificate of the root; its URL."""
    leaf = server(issuer)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    path = pathlib.Path(f"/dev/shm/mailops-tls-anchor-{os.getpid()}.pem")  # noqa: S108 - ssl takes keys from files only
    path.write_text(leaf.key_pem + leaf.pem)
    try:
        context.load_cert_chain(path)
    finally:
        path.unlink()
    web = _Server(("127.0.0.1", 0), _Handler)
    web.socket = context.wrap_socket(web.socket, server_side=True, do_handshake_on_connect=False)
    threading.Thread(target=web.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield f"https://127.0.0.1:{web.server_address[1]}/"
    finally:
        web.shutdown()
        web.server_close()
