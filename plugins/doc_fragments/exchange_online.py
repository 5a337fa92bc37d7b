# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations


class ModuleDocFragment:
    """How to reach a tenant. Keep in sync with plugins/plugin_utils/_exo/options.py (a test does)."""

    DOCUMENTATION = r"""
options:
  tenant_id:
    description:
      - The GUID of the Microsoft Entra tenant.
      - If not specified, the environment variable E(MAILOPS_TLS_TENANT_ID) of the controller is used.
    type: str
    required: true
  client_id:
    description:
      - The application (client) GUID of the app registration.
      - If not specified, the environment variable E(MAILOPS_TLS_CLIENT_ID) of the controller is used.
    type: str
    required: true
  client_certificate:
    description:
      - The app's certificate, as PEM text or as the path of a file on the controller. The file may hold the key too.
      - Exactly one of this and O(client_secret) is needed.
      - If not specified, the environment variable E(MAILOPS_TLS_CLIENT_CERTIFICATE) of the controller is used.
    type: str
  client_key:
    description:
      - The private key of O(client_certificate), as PEM text or as the path of a file on the controller. It must not be
        encrypted; keep it in Ansible Vault.
      - If not specified, the environment variable E(MAILOPS_TLS_CLIENT_KEY) of the controller is used.
    type: str
  client_secret:
    description:
      - A client secret of the app. A certificate is safer, because the key never leaves the controller.
      - If not specified, the environment variable E(MAILOPS_TLS_CLIENT_SECRET) of the controller is used.
    type: str
  cloud:
    description:
      - The national cloud that the tenant is in. GCC is in V(worldwide).
    type: str
    choices: [worldwide, usgov_gcc_high, usgov_dod, china]
    default: worldwide
  endpoint:
    description:
      - Base URL of the API, for private or test servers, such as V(https://127.0.0.1:8443). The token is sent there, so
        V(http) is refused.
      - The default is that of O(cloud).
      - If not specified, the environment variable E(MAILOPS_TLS_ENDPOINT) of the controller is used.
    type: str
  token_endpoint:
    description:
      - URL that issues tokens, for private or test servers. The secret, or an assertion signed with the key, is sent there,
        so V(http) is refused.
      - The default is the token endpoint of the tenant in O(cloud).
      - If not specified, the environment variable E(MAILOPS_TLS_TOKEN_ENDPOINT) of the controller is used.
    type: str
  ca_path:
    description:
      - File on the controller with the CA certificates (PEM) to trust, or a directory of them, instead of those that
        come with the Python package requests. Needed behind a proxy that intercepts TLS.
      - If not specified, the environment variable E(MAILOPS_TLS_CA_PATH) of the controller is used.
    type: str
  timeout:
    description:
      - Seconds that one request may take, of which there can be several. Exchange Online itself ends a cmdlet after 900 seconds.
    type: float
    default: 120.0
requirements:
  - msal >= 1.35 on the controller
notes:
  - Runs on the controller and makes no connection to the host; C(delegate_to) is not needed.
  - One token serves a whole play. A small process keeps it in memory until ansible-playbook ends. To switch this off, set
    the environment variable E(MAILOPS_TLS_KEEP_TOKEN) to V(false); each task then gets a token of its own.
"""
