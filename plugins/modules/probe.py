#!/usr/bin/python
# -*- coding: utf-8 -*-

# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The collector: observes on the managed host, judges nothing."""

DOCUMENTATION = r"""
---
module: probe
short_description: The collector behind the info plugins
description:
  - Answers a list of requests from the managed host in one execution, all of them at the same time.
    It fetches URLs, connects, looks at the certificates a server presents and reads trust stores.
  - It says what the host saw and never what that means. The info plugins of this collection, such as
    M(mailops.tls.readiness_info), send it their requests and judge its answers on the controller. Use those;
    use this module directly only to look closer.
  - Needs nothing on the host but Python 3.6 or later, and changes nothing. V(rehearse) and V(smtp) ask C(openssl), and for
    keystores V(rehearse) asks C(keytool) and C(vfychain), where they are installed.
  - Bad news is an observation. The module fails only for arguments that are not of the types below.
  - Requests and answers are described in C(docs/observations.md) of this collection.
author:
  - The mailops.tls contributors (@mailops)
extends_documentation_fragment:
  - mailops.tls.attributes
attributes:
  check_mode:
    support: full
    details: Nothing is ever changed.
  diff_mode:
    support: none
    details: Nothing is ever changed.
  platform:
    support: full
    platforms: posix
options:
  requests:
    description:
      - What to observe. Each has an C(id) of its own and an C(op), such as V(fetch), V(connect), V(chain), V(smtp),
        V(store) and V(rehearse), and the options of that operation.
      - A request that this probe does not know or cannot read gets an answer with an error. The others are answered.
    type: list
    elements: dict
    required: true
  deadline:
    description:
      - Seconds after which the module ends, whatever the network does. Answers not finished by then hold what is
        known so far and the error code V(deadline).
    type: float
    default: 20.0
  max_total_bytes:
    description:
      - Bytes of response bodies and certificates returned in one run, all requests together.
    type: int
    default: 12582912
  secrets:
    description:
      - Header values that requests refer to by their key, such as one for C(Proxy-Authorization).
      - They do not appear in the answers, even where a proxy sends them back.
    type: dict
    default: {}
"""

EXAMPLES = r"""
- name: Fetch a CRL as the host does, with its own proxy and resolver
  mailops.tls.probe:
    requests:
      - id: crl
        op: fetch
        url: http://crl.globalsign.com/root.crl
        timeout: 5
  register: seen

- name: Look at the certificates a mail server presents, and into the system's trust store
  mailops.tls.probe:
    deadline: 10
    requests:
      - id: smart host
        op: chain
        host: smtp.example.com
        port: 25
        starttls: smtp
      - id: system store
        op: store
        type: pem_file
        paths:
          - /etc/ssl/certs/ca-certificates.crt
          - /etc/pki/tls/certs/ca-bundle.crt
"""

RETURN = r"""
observations:
  description: What the host saw.
  returned: success
  type: dict
  contains:
    schema:
      description: Version of the protocol.
      type: int
      returned: success
      sample: 1
    python:
      description: Version of the Python interpreter that ran the probe.
      type: str
      returned: success
      sample: 3.11.2
    platform:
      description: The platform as Python names it.
      type: str
      returned: success
      sample: linux
    clock:
      description: The host's clock when the probe started, in seconds since the epoch.
      type: float
      returned: success
      sample: 1790000000.123
    elapsed_ms:
      description: Milliseconds that the run took.
      type: int
      returned: success
      sample: 231
    answers:
      description:
        - One answer for each request, in the order of the requests. Each has C(id), C(op), C(elapsed_ms) and C(error),
          and the fields of its operation.
      type: list
      elements: dict
      returned: success
      sample:
        - id: system store
          op: store
          elapsed_ms: 3
          error:
            stage: read
            code: missing
            errno: null
            message: none of the paths exists
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.mailops.tls.plugins.module_utils._probe.engine import run


def main():
    """Run as an Ansible module."""
    module = AnsibleModule(
        argument_spec={
            "requests": {"type": "list", "elements": "dict", "required": True},
            "deadline": {"type": "float", "default": 20.0},
            "max_total_bytes": {"type": "int", "default": 12582912},
            "secrets": {"type": "dict", "default": {}, "no_log": True},
        },
        supports_check_mode=True,
    )
    module.exit_json(changed=False, observations=run(scratch=lambda: module.tmpdir, **module.params))


if __name__ == "__main__":
    main()
