#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# The work is done by the action plugin of the same name: this file documents it.

from __future__ import annotations

DOCUMENTATION = r"""
module: trust_store_info
short_description: Check which root CA certificates the trust stores of a host hold
description:
  - Looks for root certificates in the stores of a host and compares them by SHA-256, never by name. A certificate of the
    same name with another key does not count.
  - Two-sided by default. The root that is in use today must not have been removed, and the root to come must be there.
  - A store that cannot be read is reported as unknown with the reason, never as lacking a root.
  - Bad news is not a failure. Use M(mailops.tls.assert_findings) to stop at bad news.
author:
  - The mailops.tls contributors (@mailops)
extends_documentation_fragment:
  - mailops.tls.attributes.info
  - mailops.tls.attributes.actiongroup_readiness
  - mailops.tls.options
  - mailops.tls.options.trust
seealso:
  - module: mailops.tls.readiness_info
  - module: mailops.tls.assert_findings
"""

EXAMPLES = r"""
- name: Check the roots of the current and the coming Exchange Online certificate in the system's store
  mailops.tls.trust_store_info:
  register: trust

- name: Check a root of the catalogue in the file that Postfix reads
  mailops.tls.trust_store_info:
    profiles: []
    roots:
      - digicert-global-root-g2
    stores:
      - type: system
      - type: pem_file
        path: /etc/postfix/ca.pem

- name: Check a root of a private CA, pinned by its fingerprint
  mailops.tls.trust_store_info:
    profiles: []
    roots:
      - name: Example Corp Root
        sha256: "16af57a9f676b0ab126095aa5ebadef22ab31119d644ac95cd4b93dbf3f26aeb"
    stores:
      - type: pem_directory
        path: /etc/ssl/certs

- name: Check the stores of a mail gateway in Java, of software that uses NSS, and of a Python application
  mailops.tls.trust_store_info:
    stores:
      - type: java
        path: /etc/ssl/certs/java/cacerts
        password: changeit
      - type: nss
        path: /etc/pki/nssdb
      - type: python
        path: /usr/lib/python3/dist-packages

- name: Rehearse the change. Does the host's own software accept the root to come, before any server presents it?
  mailops.tls.trust_store_info:
    rehearse:
      - exo-digicert-g2
      # PEM text of a chain that a partner announced may follow, what is verified first.

- name: Check the intermediates too, for software that meets servers which leave them out
  mailops.tls.trust_store_info:
    profiles:
      - exo-digicert-g1
    stores: mail
    intermediates: true
"""

RETURN = r"""
stores:
  description: Every store that was looked at.
  returned: success
  type: list
  elements: dict
  contains:
    type:
      description: Type of the store.
      type: str
      sample: system
    path:
      description: The file or directory that was read.
      type: str
      sample: /etc/ssl/certs/ca-certificates.crt
    certificates:
      description:
        - Number of certificates in it, in keystores of those that are trusted for TLS servers; V(none) when it could not be read.
      type: int
      sample: 142
    real_path:
      description: The path after symbolic links.
      type: str
    size:
      description: Size in bytes; V(none) for a directory.
      type: int
      sample: 219342
    modified:
      description: When it was last modified, in UTC.
      type: str
      sample: "2026-11-24T02:34:33Z"
    sha256:
      description: SHA-256 of the file; V(none) for a directory.
      type: str
    built_by:
      description:
        - The tool of the distribution that builds it, if one does. Such a store is changed by changing what it is built from,
          which M(mailops.tls.trust_anchor) does for the type V(system).
      type: str
      sample: update-ca-certificates
    skipped:
      description: Number of parts that cannot be read as certificates.
      type: int
      sample: 0
    error:
      description: Why the store could not be read, if it could not.
      type: str
    format:
      description: V(PEM), V(JKS), V(JCEKS), V(PKCS12), or V(NSS); V(none) when it could not be read.
      type: str
      sample: PEM
    used_by:
      description:
        - Who reads the store as far as it is known, such as settings of Postfix; filled with O(stores=auto) and O(stores=mail).
      type: list
      elements: str
      sample: ["Postfix smtp_tls_CAfile"]
    integrity:
      description:
        - What the checksum of a keystore says with the password that was given, V(verified), V(failed), V(unchecked) (an
          algorithm that is not known here, or a password that stays on the host), or V(unprotected) (there is none). V(none) for
          stores of PEM.
      type: str
      sample: verified
    roots:
      description: The roots that were looked for.
      type: list
      elements: dict
      contains:
        id:
          description:
            - Id of the root, that of the catalogue or the profile. For another one that O(roots) names it is the C(id) given
              there, or else the first 16 digits of its SHA-256; C(name) is not looked at.
          type: str
          sample: digicert-global-root-g2
        sha256:
          description: SHA-256 of the certificate.
          type: str
          sample: cb3ccbb76031e5e0138f8dd39a23f9de47ffc35e43c1144cea27d46a5ab1cb5f
        status:
          description:
            - V(present), V(absent), V(expired), V(not_yet_valid), V(distrusted) (or blocked by an administrator), V(wrong_use)
              (trusted, but not for TLS servers), V(shadowed) (behind another certificate of the same name with another key),
              V(not_effective) (a file that has no effect where it lies), or V(unknown).
          type: str
          sample: present
        detail:
          description: More about it, such as a certificate of the same name with another key.
          type: str
        name:
          description: Name of the root.
          type: str
          sample: DigiCert Global Root G2
        profiles:
          description: Ids of the profiles that need it.
          type: list
          elements: str
        hurts_from:
          description:
            - Day from which it is felt. For a root that is not trusted, today where a profile in force needs it, or the day
              from which a coming profile does; for one that is trusted, the day its validity ends, if a profile needs it then.
            - V(none) where no profile needs it any more, or nothing is known.
          type: str
          sample: "2026-03-22"
    intermediates:
      description:
        - The intermediates of the profiles, with O(intermediates=true); otherwise empty.
        - The keys are those of RV(stores[].roots). C(sha256) is V(none) where the CA publishes none.
      type: list
      elements: dict
rehearsal:
  description: What the host's own software says of the chains of O(rehearse), one for each chain in each store.
  returned: success
  type: list
  elements: dict
  contains:
    chain:
      description: Name of the certificate that was verified.
      type: str
      sample: DigiCert Global Root G2
    certificates:
      description: SHA-256 of the certificates of the chain, first the one that was verified.
      type: list
      elements: str
    profile:
      description: Id of the profile that the chain belongs to; V(none) for one that was given as PEM.
      type: str
      sample: exo-digicert-g2
    store:
      description: C(type) and C(path) of the store it was verified by; V(none) in both where it was not tried.
      type: dict
      sample: {"type": "system", "path": "/etc/ssl/certs/ca-certificates.crt"}
    used_by:
      description: Settings of Postfix that name the store, where it was found by them.
      type: list
      elements: str
    status:
      description: V(passed), V(failed), or V(not_possible).
      type: str
      sample: passed
    tool:
      description: The programs that were asked.
      type: str
      sample: openssl verify
    version:
      description: Version of OpenSSL, if it was asked.
      type: str
      sample: OpenSSL 3.0.17 1 Jul 2025
    code:
      description: Number of the error, of OpenSSL (C(X509_V_ERR)) or NSS.
      type: int
      sample: 20
    message:
      description: The program's own words, or why there is no verdict.
      type: str
      sample: unable to get local issuer certificate
compliant:
  description:
    - V(true) when everything that was asked for was observed and holds, V(false) when something fails.
    - V(none) when nothing could be judged, or when nothing fails but something could not be observed.
  returned: success
  type: bool
  sample: false
summary:
  description: Number of findings by status, and the worst status among them.
  returned: success
  type: dict
  sample: {"pass": 6, "fail": 1, "warn": 0, "unknown": 0, "not_applicable": 0, "worst": "fail"}
findings:
  description:
    - What was found, the worst first. Every finding id is explained in the collection's list of findings.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: Stable identifier of the kind of finding.
      type: str
      sample: trust.root.absent
    status:
      description: V(pass), V(fail), V(warn), V(unknown) (could not be observed), or V(not_applicable).
      type: str
      sample: fail
    severity:
      description: V(critical), V(high), V(medium), V(low), or V(info).
      type: str
      sample: high
    host:
      description: Inventory name of the host it was observed on.
      type: str
      sample: mx1.example.com
    subject:
      description: What the finding is about.
      type: dict
      contains:
        kind:
          description: The kind of thing, such as V(endpoint), V(root) or V(store).
          type: str
          sample: root
        name:
          description: Its name.
          type: str
          sample: digicert-global-root-g2
    summary:
      description: One line.
      type: str
      sample: DigiCert Global Root G2 is not in the system store
    detail:
      description: What was seen.
      type: str
    remediation:
      description: What to do about it.
      type: str
    evidence:
      description:
        - The observations that the verdict rests on.
        - Of a root they say what M(mailops.tls.trust_anchor) needs to add it. C(store) has the C(type) and the C(path) that
          was read, C(index), its position in O(stores), and C(built_by). C(anchor) has a C(name) and C(roots_index), the
          position in O(roots) of what is known of it, and is V(none) where only the fingerprint is known. A position is
          V(none) for what the host or a profile brought up.
      type: dict
    observed_at:
      description: When it was observed, in UTC.
      type: str
      sample: "2026-11-24T09:30:00Z"
    profile:
      description: Id of the profile that asked for it, if one did.
      type: str
      sample: exo-digicert-g2
profiles:
  description: The profiles that were in force, with the date of their data.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: Id of the profile.
      type: str
      sample: exo-digicert-g2
    title:
      description: What it stands for.
      type: str
    as_of:
      description: Date on which its data was last compared with its sources.
      type: str
      sample: "2026-11-24"
    valid_from:
      description: First day on which this certificate generation may be served.
      type: str
    valid_until:
      description: First day on which it is no longer served, if that is known.
      type: str
    roots:
      description: Ids of the roots it needs.
      type: list
      elements: str
    sources:
      description: Where its data comes from.
      type: list
      elements: str
    notes:
      description: What the profile cannot express, such as wildcards of an imported list.
      type: list
      elements: str
observed_at:
  description: When the probe answered, in UTC.
  returned: success
  type: str
  sample: "2026-11-24T09:30:00Z"
collector_error:
  description: Why the probe did not run on the host, when it did not.
  returned: failure of the probe
  type: str
  sample: "/bin/sh: 1: /usr/bin/python3: not found."
"""
