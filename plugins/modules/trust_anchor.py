#!/usr/bin/python
# -*- coding: utf-8 -*-

# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Makes a pinned certificate trusted, or not trusted, by a trust store of the host."""

DOCUMENTATION = r"""
---
module: trust_anchor
short_description: Hold a root certificate, pinned by SHA-256, in or out of a trust store
description:
  - Makes a store of the host trust a root certificate, or not trust it, and verifies the effect. A certificate is told
    by the SHA-256 of its DER form, never by its subject or the name of a file.
  - What counts is what software reads. Where a store is built from sources, such as the bundle of the system, the
    built result is read again after the change. Where the change did not take, it is taken back and the module fails,
    saying which state the store is in.
  - A root that the store trusts already, because the distribution brings it along, is not installed a second time.
  - Where OpenSSL would take another certificate of the same subject with another key in its place, because that comes first
    and has no key identifier that tells them apart, the module fails and names it.
  - A certificate that is not one of a CA makes nothing trusted but itself, which is worth a warning.
  - Every file is replaced in one step, with its owner, mode, SELinux context and access control list. A run that was
    killed leaves the old or the new file, each of them whole, and the next run finishes. Two runs wait for each other.
  - The host needs Python 3.6 or newer, and the programs of the store only - C(update-ca-certificates) or
    C(update-ca-trust) for the system's, C(openssl) for a hashed directory, C(keytool) for Java, C(certutil) for NSS.
version_added: 0.1.0
author:
  - The mailops.tls contributors (@mailops)
extends_documentation_fragment:
  - mailops.tls.attributes
attributes:
  check_mode:
    support: full
    details:
      - What would be refused is refused in check mode, too, as far as that can be tried on a copy. What the tool of the system
        builds shows only when it has run.
      - Where the directory of V(pem_file) or V(pem_directory) is not there, check mode takes it that an earlier task makes it.
  diff_mode:
    support: full
    details:
      - Shows the certificates and the lines that change, not whole keystores.
  platform:
    support: full
    platforms: posix
  action:
    description: Indicates this has a corresponding action plugin so some parts of the options can be executed on the controller.
    support: full
    details:
      - The controller finds O(name) in the catalogue and compares the certificate with its pin.
options:
  name:
    description:
      - The root's id or name in the catalogue of this collection, such as V(digicert-global-root-g2). Its pin comes
        with it.
      - Exactly one of O(name) and O(certificate) is needed.
    type: str
  profiles:
    description:
      - Ids, paths or dictionaries of profiles whose roots O(name) may be, besides those of the catalogue.
    type: list
    elements: raw
  certificate:
    description:
      - The certificate as PEM text. O(sha256) is required with it.
      - A path is not read. Use P(ansible.builtin.file#lookup) for a file of the controller.
    type: str
  sha256:
    description:
      - The SHA-256 of the certificate's DER form in hexadecimal, with or without colons. Another certificate is refused.
    type: str
  store:
    description:
      - The store. The word V(system) stands for a dictionary with this type.
      - Without it, the store of the system.
    type: dict
    suboptions:
      type:
        description:
          - V(system) is the distribution's own, built by C(update-ca-certificates) or C(update-ca-trust), on Debian,
            Ubuntu, Alpine, RHEL and kin, SUSE and Arch.
          - V(pem_file) is a file of PEM blocks. Only the block of this certificate is added or removed. The file is made
            where there is none.
          - V(pem_directory) is a directory that OpenSSL reads by the hash of the subject. The file and its link are
            made. The links of other files stay as they are.
          - V(java) is a JKS or PKCS12 keystore, or the directory of a JVM.
          - V(nss) is the directory of a database, C(cert9.db).
        type: str
        required: true
        choices: [system, pem_file, pem_directory, java, nss]
      path:
        description:
          - The absolute path. Required for every type but V(system), which has none.
        type: path
      password:
        description:
          - The password of a keystore, V(changeit) by default, or of a database of NSS, by default none.
        type: str
      alias:
        description:
          - The alias of the entry that is made in a keystore of Java, by default one of name and fingerprint.
        type: str
      nickname:
        description:
          - The nickname of the certificate that is added to a database of NSS, by default one of name and fingerprint.
        type: str
  state:
    description:
      - V(present) makes the store trust the certificate for TLS servers. What distrusted it is undone - the V(!) in
        C(/etc/ca-certificates.conf), the file in the blocklist of p11-kit, the flags of NSS, and PEM blocks that reject it or
        keep it to other uses, in the store or in the files of the administrator that the system's is built from. A file in
        p11-kit's own format that distrusts it is named and stays as it is.
      - V(absent) makes the store not trust it. What was added locally is removed. A root of the distribution is
        disabled by the distribution's means, so that it stays away over updates - V(!) before its file in
        C(/etc/ca-certificates.conf) on Debian and kin, a file in the blocklist where p11-kit is used.
      - In a database of NSS in which it shares its nickname with others, it may stay without flags.
      - Where there is no such store, nothing in it is trusted, and nothing changes.
    type: str
    choices: [present, absent]
    default: present
  force_distrust:
    description:
      - With O(state=absent), distrust the certificate explicitly, also where the store does not have it now, so that it
        stays distrusted when it comes. That is the blocklist of p11-kit, and C(p,p,p) in a database of NSS.
      - The module fails where the store has no means for that. Debian and kin can only bar files that the distribution
        has. PEM files, directories and keystores of Java have none.
    type: bool
    default: false
  backup:
    description:
      - Keep a copy of every file that is changed beside it. In directories of which every file is read as a
        certificate, there are none.
    type: bool
    default: false
seealso:
  - module: mailops.tls.trust_store_info
notes:
  - Programs that run keep the store that they read at their start. Reload or restart them.
  - A file, directory or keystore that the system builds, such as C(/etc/ssl/certs/ca-certificates.crt) or
    C(/etc/pki/ca-trust/extracted/java/cacerts), is not changed as V(pem_file), V(pem_directory) or V(java), because the next
    update would undo that. The module fails, unless it is as declared already. Use V(system).
  - Debian's C(/etc/ssl/certs/java/cacerts) keeps what is added there. What C(update-ca-certificates) put there can be taken
    out by V(system) only.
"""

EXAMPLES = r"""
- name: Be ready for the next certificate of Exchange Online
  hosts: all
  gather_facts: false
  vars:
    # A place to try it. Mail software reads what smtp_tls_CAfile of Postfix names, for instance.
    trial: /tmp/mailops-tls-anchors
  tasks:
    - name: Show what would change in the system's store
      mailops.tls.trust_anchor:
        name: digicert-global-root-g2
      check_mode: true
      diff: true

    - name: Have a directory to try it in
      ansible.builtin.file:
        path: "{{ trial }}"
        state: directory
        mode: "0755"

    - name: Trust a root of the catalogue in a file of its own
      mailops.tls.trust_anchor:
        name: digicert-global-root-g2
        store:
          type: pem_file
          path: "{{ trial }}/exchange-online.pem"

    - name: Trust a root given as PEM, which must be the one that was checked
      mailops.tls.trust_anchor:
        certificate: |
          -----BEGIN CERTIFICATE-----
          MIICPzCCAcWgAwIBAgIQBVVWvPJepDU1w6QP1atFcjAKBggqhkjOPQQDAzBhMQsw
          CQYDVQQGEwJVUzEVMBMGA1UEChMMRGlnaUNlcnQgSW5jMRkwFwYDVQQLExB3d3cu
          ZGlnaWNlcnQuY29tMSAwHgYDVQQDExdEaWdpQ2VydCBHbG9iYWwgUm9vdCBHMzAe
          Fw0xMzA4MDExMjAwMDBaFw0zODAxMTUxMjAwMDBaMGExCzAJBgNVBAYTAlVTMRUw
          EwYDVQQKEwxEaWdpQ2VydCBJbmMxGTAXBgNVBAsTEHd3dy5kaWdpY2VydC5jb20x
          IDAeBgNVBAMTF0RpZ2lDZXJ0IEdsb2JhbCBSb290IEczMHYwEAYHKoZIzj0CAQYF
          K4EEACIDYgAE3afZu4q4C/sLfyHS8L6+c/MzXRq8NOrexpu80JX28MzQC7phW1FG
          fp4tn+6OYwwX7Adw9c+ELkCDnOg/QW07rdOkFFk2eJ0DQ+4QE2xy3q6Ip6FrtUPO
          Z9wj/wMco+I+o0IwQDAPBgNVHRMBAf8EBTADAQH/MA4GA1UdDwEB/wQEAwIBhjAd
          BgNVHQ4EFgQUs9tIpPmhxdiuNkHMEWNpYim8S8YwCgYIKoZIzj0EAwMDaAAwZQIx
          AK288mw/EkrRLTnDCgmXc/SINoyIJ7vmiI1Qhadj+Z4y3maTD/HMsQmP3Wyr+mt/
          oAIwOWZbwmSNuJ5Q3KjVSaLtx9zRSX8XAbjIho9OjIgrqJqpisXRAL34VOKa5Vt8
          sycX
          -----END CERTIFICATE-----
        sha256: 31:AD:66:48:F8:10:41:38:C7:38:F3:9E:A4:32:01:33:39:3E:3A:18:CC:02:29:6E:F9:7C:2A:C9:EF:67:31:D0
        store:
          type: pem_file
          path: "{{ trial }}/exchange-online.pem"

    - name: No longer trust the root of the last rotation
      mailops.tls.trust_anchor:
        name: digicert-global-root-ca
        state: absent
        store:
          type: pem_file
          path: "{{ trial }}/exchange-online.pem"
        backup: true
"""

RETURN = r"""
sha256:
  description: The SHA-256 of the certificate.
  returned: success
  type: str
store:
  description: The store that was looked at.
  returned: success
  type: dict
  contains:
    type:
      description: Its type.
      type: str
    path:
      description: The file or directory that software reads. Of the system's store, the bundle that is built.
      type: str
    layout:
      description: The layout of the system's store, V(debian), V(rhel), V(suse) or V(arch); null for other types.
      type: str
mechanism:
  description: By what the change was made, or would be.
  returned: success
  type: str
  sample: update-ca-certificates, ! in /etc/ca-certificates.conf
verified_by:
  description: What confirmed the effect. Empty in check mode.
  returned: success
  type: list
  elements: str
  sample: [bundle, openssl verify, directory]
backup_files:
  description: Copies of the files that were changed.
  returned: success
  type: list
  elements: str
"""

import binascii
import hashlib
import os
import re

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.mailops.tls.plugins.module_utils import _files
from ansible_collections.mailops.tls.plugins.module_utils._anchor import stores
from ansible_collections.mailops.tls.plugins.module_utils._anchor.change import change, words
from ansible_collections.mailops.tls.plugins.module_utils._anchor.common import Anchor, AnchorError, NoStoreError, Tools
from ansible_collections.mailops.tls.plugins.module_utils._anchor.rival import parts_of
from ansible_collections.mailops.tls.plugins.module_utils._probe.base import ProbeError

LOCK_SECONDS = 120
#: The answer where there is no store and the certificate shall be absent.
NOTHING = {"changed": False, "mechanism": "", "diff": [], "backup_files": [], "verified_by": []}

STORE = {
    "type": {"type": "str", "required": True, "choices": list(stores.TYPES)},
    "path": {"type": "path"},
    "password": {"type": "str", "no_log": True},
    "alias": {"type": "str"},
    "nickname": {"type": "str"},
}
ARGUMENTS = {
    "name": {"type": "str"},
    "profiles": {"type": "list", "elements": "raw"},
    "certificate": {"type": "str"},
    "sha256": {"type": "str"},
    "store": {"type": "dict", "options": STORE},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "force_distrust": {"type": "bool", "default": False},
    "backup": {"type": "bool", "default": False},
}
_PEM = re.compile(r"\s*-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----\s*\Z")


def read_anchor(params):
    """The certificate (Anchor), checked against its pin once more where it arrived. Raises AnchorError."""
    match = _PEM.match(params["certificate"] or "")
    try:
        der = binascii.a2b_base64("".join(match.group(1).split())) if match else b""
    except binascii.Error:
        der = b""
    pin = (params["sha256"] or "").replace(":", "").lower()
    if not der or hashlib.sha256(der).hexdigest() != pin:
        raise AnchorError(
            "the certificate does not have the SHA-256 %s; call mailops.tls.trust_anchor as a task" % (pin or "(none)")
        )
    label = re.sub(r"[^a-z0-9]+", "-", (params["name"] or "").lower()).strip("-")[:40]
    return Anchor(der, pin, label or "anchor")


def run(module):
    """Bring the store to what is declared; the result (dict). Raises AnchorError, ProbeError or OSError."""
    params = module.params
    present, distrust = params["state"] == "present", params["force_distrust"]
    if distrust and present:
        raise AnchorError("force_distrust: goes with state absent only")
    anchor = read_anchor(params)
    parts = parts_of(anchor.der)
    if present and parts is not None and not parts.issues:
        module.warn("the certificate is not one of a CA: a store can make it trusted for itself, and for nothing that it signed")
    wanted = dict({"type": "system"}, **{key: value for key, value in (params["store"] or {}).items() if value is not None})
    try:
        return _change(module, wanted, anchor, present, distrust)
    except NoStoreError:
        if present or distrust:
            raise
    described = {"type": wanted["type"], "path": wanted["path"], "layout": None}
    return dict(NOTHING, sha256=anchor.sha256, store=described)


def _change(module, wanted, anchor, present, distrust):
    """As run. Raises NoStoreError, too."""
    held = _lock(module, wanted, present)
    try:
        store = stores.open_store(wanted, anchor, Tools(held), module.tmpdir if module.check_mode else None)
        backup = module.backup_local if module.params["backup"] else None
        result = change(store, present, distrust, module.check_mode, backup, module.tmpdir)
    finally:
        if held:
            held.close()
    for warning in store.warnings:
        module.warn(warning)
    described = {"type": store.kind, "path": store.path, "layout": getattr(getattr(store, "layout", None), "name", None)}
    return dict(result, sha256=anchor.sha256, store=described, verified_by=store.verified_by)


def _lock(module, wanted, present):
    """The lock of the store. None where check mode looks at a directory that an earlier task would have made."""
    try:
        return _files.lock(stores.lock_directory(wanted), LOCK_SECONDS)
    except _files.BusyError as busy:
        raise AnchorError("another run has held the lock of %s for %d seconds; nothing was changed" % (busy, LOCK_SECONDS))
    except NoStoreError:
        if module.check_mode and present and wanted["type"] in ("pem_file", "pem_directory"):
            return None
        raise


def main():
    """Read the arguments and answer."""
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    # Files that are new here are for all programs to read, whatever the mask of whoever runs this.
    os.umask(0o022)
    try:
        result = run(module)
    except (AnchorError, ProbeError, EnvironmentError) as error:
        module.fail_json(msg="trust_anchor: %s" % words(error))
    module.exit_json(**result)


if __name__ == "__main__":
    main()
