# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""The option tables of the info plugins, one per topic, as Ansible argument specs."""

from __future__ import annotations

import typing as t

ArgumentSpec = dict[str, dict[str, t.Any]]

PROFILE_OPTIONS: t.Final[ArgumentSpec] = {
    "profiles": {"type": "list", "elements": "raw"},
}

RUN_OPTIONS: t.Final[ArgumentSpec] = {
    "timeout": {"type": "float", "default": 5.0},
    "deadline": {"type": "float", "default": 20.0},
}

EGRESS_OPTIONS: t.Final[ArgumentSpec] = {
    "endpoints": {"type": "list", "elements": "raw", "default": []},
    "certificate": {"type": "str"},
    "issuers": {"type": "list", "elements": "str", "default": []},
    "proxy": {"type": "str", "default": "environment"},
    "proxy_username": {"type": "str"},
    "proxy_password": {"type": "str", "no_log": True},
    "address_family": {"type": "str", "choices": ["any", "ipv4", "ipv6", "both"], "default": "any"},
    "each_address": {"type": "bool", "default": False},
    "max_bytes": {"type": "int", "default": 10485760},
}

# Following a served chain takes a look at the server before anything else can be planned, so it costs a second remote
# execution. That is why readiness_info, which promises one, does not have it.
SERVER_OPTIONS: t.Final[ArgumentSpec] = {
    "server": {"type": "str"},
    "server_starttls": {"type": "str", "choices": ["auto", "none", "smtp"], "default": "auto"},
}

TRUST_OPTIONS: t.Final[ArgumentSpec] = {
    "roots": {"type": "list", "elements": "raw", "default": []},
    "stores": {"type": "raw", "default": "auto"},
    "intermediates": {"type": "bool", "default": False},
    "rehearse": {"type": "raw", "default": []},
}

CERTIFICATE_OPTIONS: t.Final[ArgumentSpec] = {
    "certificate": {"type": "str"},
    "key": {"type": "str"},
    "main_cf": {"type": "str", "default": "/etc/postfix/main.cf"},
    **SERVER_OPTIONS,
    "tls_sender_certificate_name": {"type": "str"},
    "accepted_domains": {"type": "list", "elements": "str", "default": []},
    "tls_certificate_name": {"type": "str"},
    "next_certificate": {"type": "str"},
    "expected_sha256": {"type": "list", "elements": "str", "default": []},
    "issuers": {"type": "list", "elements": "str", "default": []},
    "flow": {"type": "str", "choices": ["hybrid", "partner"], "default": "hybrid"},
    "lead_time": {"type": "int", "default": 30},
    "group": {"type": "str"},
}

SMTP_POLICY_OPTIONS: t.Final[ArgumentSpec] = {
    "require": {"type": "str", "choices": ["none", "encrypt", "verify", "dane"], "default": "none"},
    "minimum_tls": {"type": "str", "choices": ["TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"], "default": "TLSv1.2"},
    "expect": {
        "type": "dict",
        "options": {
            "name": {"type": "str"},
            "organization": {"type": "str"},
            "key_size": {"type": "int"},
            "root": {"type": "str"},
        },
    },
    "each_address": {"type": "bool", "default": True},
    "ehlo_name": {"type": "str"},
    "client_certificate": {"type": "str"},
    "client_key": {"type": "str"},
    "check_plaintext": {"type": "bool", "default": False},
    "stores": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "type": {"type": "str", "choices": ["system", "pem_file", "pem_directory"], "required": True},
            "path": {"type": "str"},
        },
    },
    "lead_time": {"type": "int", "default": 30},
    "check_revocation": {"type": "bool", "default": True},
    "controller_nameservers": {"type": "list", "elements": "str", "default": []},
}

SMTP_OPTIONS: t.Final[ArgumentSpec] = {
    "domain": {"type": "str"},
    "hosts": {"type": "list", "elements": "raw", "default": []},
    **SMTP_POLICY_OPTIONS,
    **{name: EGRESS_OPTIONS[name] for name in ("issuers", "proxy", "proxy_username", "proxy_password", "address_family")},
}
