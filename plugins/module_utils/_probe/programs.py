# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""Where curl, git, OpenSSL and the surroundings of a process point for their trust stores.

Configuration is that of the user that the probe runs as, and of the system. Only `openssl version -d` is run.
"""

import os
import re
import shutil
import stat

from ansible_collections.mailops.tls.plugins.module_utils._probe.base import ProbeError
from ansible_collections.mailops.tls.plugins.module_utils._probe.command import converse
from ansible_collections.mailops.tls.plugins.module_utils._probe.store import read_file

MAX_CONFIG = 262144
_FILES = ("SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS", "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "GIT_SSL_CAINFO")
_JAVA_OPTIONS = ("JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "_JAVA_OPTIONS")
# As a JVM splits its options: quotes may surround all of it or the value alone.
_TRUST_STORE = re.compile(r"""-Djavax\.net\.ssl\.trustStore=("[^"]*"|'[^']*'|[^\s"']+)""")
_STORE_PASSWORD = "-Djavax.net.ssl.trustStorePassword="  # noqa: S105 - the name of an option
# curl(1): long options in a config file without or with dashes, and a space, = or : before the value.
_CURL = re.compile(r"""^\s*(?:--)?(cacert|capath)(?:\s*[=:]\s*|\s+)("[^"\n]*"|\S+)""", re.M)
_GIT_SECTION = re.compile(r"""\[\s*([A-Za-z0-9.-]+)(?:\s+"([^"]*)")?\s*\]""")
_GIT_SETTING = re.compile(r"""(sslcainfo|sslcapath)\s*=\s*("[^"]*"|[^;#]*)""", re.I)
_OPENSSLDIR = re.compile(r'^OPENSSLDIR: "(/[^"\n]*)"', re.M)


def environment_stores(environ):
    """(type, path, who reads it) of what variables name; those of a service may name something else."""
    for name in _FILES:
        path = environ.get(name, "")
        if path.startswith("/"):
            yield ("pem_directory" if is_directory(path) else "pem_file"), path, ["environment:" + name]
    for name in ("SSL_CERT_DIR", "GIT_SSL_CAPATH"):
        for path in environ.get(name, "").split(":"):
            if path.startswith("/") and "\0" not in path:
                yield "pem_directory", path, ["environment:" + name]
    for name in _JAVA_OPTIONS:
        for value in _TRUST_STORE.findall(environ.get(name, "")):
            if _unquoted(value).startswith("/"):
                yield "java", _unquoted(value), ["environment:" + name]


def stores_with_passwords(environ):
    """The keystores (list of paths) for which a variable gives a password too. The password itself is not told to anybody."""
    return [
        path
        for kind, path, used_by in environment_stores(environ)
        if kind == "java" and any(_STORE_PASSWORD in environ.get(word.partition(":")[2], "") for word in used_by)
    ]


def program_stores(environ, gitconfig, seconds):
    """({program: whether it is there}, list of (type, path, who reads it)) of curl, git and OpenSSL.

    gitconfig: path of the system's configuration of git. seconds: that openssl may take to tell its directory.
    """
    home = environ.get("HOME", "")
    search = environ.get("PATH", os.defpath)
    found = []
    programs = {name: shutil.which(name, path=search) is not None for name in ("curl", "git", "openssl")}
    if home.startswith("/"):
        for path in (os.path.join(environ.get("XDG_CONFIG_HOME") or home + "/.config", "curlrc"), home + "/.curlrc"):
            for name, value in _CURL.findall(_text(path)):
                _add(found, "curl:" + name, name == "capath", _unquoted(value), home)
    files = [gitconfig] if gitconfig else []
    files += [home + "/.config/git/config", home + "/.gitconfig"] if home.startswith("/") else []
    for path in files:
        for name, value in _git(_text(path)):
            _add(found, "git:http." + name, name == "sslCAPath", value, home)
    if programs["openssl"]:
        found.extend(_openssl(environ, seconds))
    return programs, found


def is_directory(path):
    """Whether there is a directory, links followed."""
    try:
        return stat.S_ISDIR(os.stat(path).st_mode)
    except (OSError, ValueError):
        return False


def _openssl(environ, seconds):
    """What OpenSSL looks into when nobody tells it where: cert.pem and the directory certs below its own."""
    status, output, _message = converse(["openssl", "version", "-d"], environment=dict(environ), timeout=seconds)
    match = _OPENSSLDIR.search(output) if status == 0 else None
    if not match:
        return
    file, directory = match.group(1) + "/cert.pem", match.group(1) + "/certs"
    if os.path.exists(file):
        yield "pem_file", file, ["openssl:default"]
    if is_directory(directory):
        yield "pem_directory", directory, ["openssl:default"]


def _git(text):
    """(name, value) of the settings of section http, whatever URL it is limited to (git-config(1))."""
    section = ""
    for line in text.splitlines():
        line = line.strip()
        match = _GIT_SECTION.match(line)
        if match:
            section = match.group(1).lower()
            line = line[match.end() :].strip()
        match = _GIT_SETTING.match(line) if section == "http" else None
        if match:
            yield ("sslCAPath" if match.group(1).lower() == "sslcapath" else "sslCAInfo"), _unquoted(match.group(2))


def _add(found, used_by, directory, path, home):
    if path.startswith("~/") and home:
        path = home + path[1:]
    if path.startswith("/") and "\0" not in path:
        found.append(("pem_directory" if directory else "pem_file", path, [used_by]))


def _text(path):
    try:
        return read_file(path, MAX_CONFIG)[0].decode("utf-8", "replace")
    except ProbeError:
        return ""


def _unquoted(value):
    value = value.strip()
    return value[1:-1] if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'" else value
