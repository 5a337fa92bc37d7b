# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection mailops.tls. Do not use it from outside.

"""Findings about trust stores, the roots in them, and the profiles they are judged by."""

from __future__ import annotations

from ansible_collections.mailops.tls.plugins.plugin_utils._findings.finding_type import FindingType

ADD_TO_SYSTEM = (
    "Update the distribution's ca-certificates package first. If the root is still missing, get it from its CA, compare its "
    "SHA-256 with the evidence of this finding, and add it. Debian, Ubuntu: save it as PEM in "
    "/usr/local/share/ca-certificates/NAME.crt (the ending must be .crt) and run update-ca-certificates. RHEL and kin: save it "
    "in /etc/pki/ca-trust/source/anchors/ and run update-ca-trust. SUSE: save it in /etc/pki/trust/anchors/ and run "
    "update-ca-certificates. Alpine: as Debian. Then reload the mail software, which read the store when it started."
)
ADD_TO_FILE = (
    "Get the root from its CA, compare its SHA-256 with the evidence of this finding, append its PEM to the file, and reload the "
    "software that reads the file."
)
ADD_TO_DIRECTORY = (
    "Get the root from its CA, compare its SHA-256 with the evidence of this finding, save its PEM in the directory, run "
    "openssl rehash on the directory, and reload the software that reads it."
)
ADD_TO_JAVA = (
    "Get the root from its CA, compare its SHA-256 with the evidence of this finding, and import it: keytool -importcert "
    "-trustcacerts -alias NAME -file ROOT.pem -keystore STORE. Where the distribution builds the store (/etc/ssl/certs/java, "
    "/etc/pki/ca-trust), add the root to the system store instead. Then restart the JVM, which read the store when it started."
)
ADD_TO_NSS = (
    "Get the root from its CA, compare its SHA-256 with the evidence of this finding, and add it: certutil -A -d sql:DIRECTORY "
    "-n NAME -t C,, -i ROOT.pem. Where it is there without the flag: certutil -M -d sql:DIRECTORY -n NAME -t C,,. Then restart "
    "the software that reads the database."
)
ADD_TO_CERTIFI = (
    "Upgrade the package certifi of this interpreter. If the root is still missing there, point the software at the system "
    "store (SSL_CERT_FILE, or REQUESTS_CA_BUNDLE for requests): what is added to cacert.pem by hand is lost at the next upgrade."
)

TRUST_TYPES = (
    FindingType(
        id="trust.root.present",
        status="pass",
        severity="info",
        meaning="The store holds the root certificate, within its validity, and nothing in the store takes its trust away.",
        remedy="Nothing to do.",
    ),
    FindingType(
        id="trust.root.absent",
        status="fail",
        severity="high",
        meaning=(
            "The store does not hold the root certificate, compared by SHA-256 or by its key, never by name. What verifies "
            "servers against this store refuses a chain that ends in this root. Critical when a profile in force needs the root."
        ),
        remedy=ADD_TO_SYSTEM,
    ),
    FindingType(
        id="trust.root.expired",
        status="fail",
        severity="high",
        meaning="The store holds the root certificate, but its validity is over, so chains that end in it are refused.",
        remedy="Check the host's clock. If it is right, the root is of no more use: find out which chain the servers present.",
    ),
    FindingType(
        id="trust.root.not_yet_valid",
        status="fail",
        severity="high",
        meaning="The store holds the root certificate, but its validity has not begun, usually by the clock of the host.",
        remedy="Set the host's clock: roots are valid for many years before anyone uses them.",
    ),
    FindingType(
        id="trust.root.distrusted",
        status="fail",
        severity="high",
        meaning=(
            "The store holds the root certificate with trust settings that refuse it for TLS servers (an OpenSSL TRUSTED "
            "CERTIFICATE block, or the flag p in a database of NSS), or an administrator blocked it by the distribution's own "
            "mechanism: a blocklist of p11-kit, or a line with an exclamation mark in /etc/ca-certificates.conf."
        ),
        remedy=(
            "Find out who distrusted it and why before changing anything. To trust it again, undo what the detail names: replace "
            "the block with the plain certificate, take it out of the blocklist or the exclamation mark off its line and rebuild "
            "the store with the distribution's tool, or set the flags with certutil -M -t C,,."
        ),
    ),
    FindingType(
        id="trust.root.wrong_use",
        status="fail",
        severity="high",
        meaning=(
            "The store holds the root certificate and trusts it, but for other uses than TLS servers, such as mail signatures or "
            "code: an OpenSSL TRUSTED CERTIFICATE block, or flags in a database of NSS."
        ),
        remedy=(
            "If nobody limited it on purpose, replace the block with the plain certificate, or set the flags with certutil -M "
            "-t C,C,. Then restart the software that reads the store."
        ),
    ),
    FindingType(
        id="trust.root.shadowed",
        status="fail",
        severity="high",
        meaning=(
            "The store holds the root certificate, but before it another certificate of the same name with another key and "
            "without a key identifier of its own. OpenSSL takes the first and refuses what the root signed."
        ),
        remedy=(
            "Find out where the other certificate comes from: no public CA has two roots of one name with different keys. Remove "
            "it, or move it behind the root, and rebuild the store."
        ),
    ),
    FindingType(
        id="trust.root.not_effective",
        status="fail",
        severity="high",
        meaning=(
            "The root certificate lies where an administrator would expect it to count and does not: a file that the "
            "distribution's tool ignores or has not been run for, a directory that was not rehashed, a file of which OpenSSL "
            "loads nothing because another block in it is damaged or it is DER, a PKCS #12 file without the attribute by which "
            "Java knows trusted certificates, or a database of NSS without the flag C."
        ),
        remedy=(
            "The detail gives the reason. Debian, Ubuntu, Alpine: the file must hold PEM and its name end in .crt; then run "
            "update-ca-certificates. RHEL and kin: put it in the directory anchors and run update-ca-trust. A directory: run "
            "openssl rehash on it. A damaged file: rebuild it. Then reload the mail software and run again."
        ),
    ),
    FindingType(
        id="trust.root.unknown",
        status="unknown",
        severity="high",
        meaning="The store was read, but whether it trusts this root could not be determined. The detail gives the reason.",
        remedy="Remove the reason given in the detail and run again.",
    ),
    FindingType(
        id="trust.store.unreadable",
        status="unknown",
        severity="high",
        meaning="The store exists but could not be read, so nothing is known of the roots in it.",
        remedy=(
            "The detail gives the host's reason. For lack of permission run the check with become, or let the user that the "
            "check runs as read the store; the mail software needs that too."
        ),
    ),
    FindingType(
        id="trust.store.password",
        status="warn",
        severity="medium",
        meaning=(
            "The password does not fit the checksum of a Java keystore whose certificates are not encrypted. Software that opens "
            "the keystore with this password refuses it whole; software that opens it without one, as a JVM does with its own "
            "cacerts, trusts what is in it. Roots are judged by what is in it."
        ),
        remedy=(
            "Give the password that the software is configured with (javax.net.ssl.trustStorePassword) in stores. If this is the "
            "one, the file was changed by something that did not know it: compare it with a copy, or build it anew."
        ),
    ),
    FindingType(
        id="trust.store.discovery",
        status="unknown",
        severity="medium",
        meaning=(
            "With stores: auto or mail the host looks for stores itself, and that search could not be completed. A "
            "store that mail software reads may not have been judged."
        ),
        remedy="Remove the reason given in the detail, or name the stores that matter in stores.",
    ),
    FindingType(
        id="trust.postfix.no_store",
        status="warn",
        severity="medium",
        meaning=(
            "The client of Postfix is configured on the host and trusts no CA at all: it reads the system's store only where it "
            "is told to. Destinations with the levels verify and secure are refused whatever the system's store holds; "
            "opportunistic TLS goes on unverified."
        ),
        remedy=(
            "Set smtp_tls_CAfile to the system's bundle (or smtp_tls_CApath to its hashed directory) in main.cf and reload "
            "Postfix. Where master.cf sets it for the service, or DANE or fingerprints alone are used, waive this finding."
        ),
    ),
    FindingType(
        id="trust.store.not_found",
        status="unknown",
        severity="high",
        meaning="There is no such store on the host, so there was nothing to judge.",
        remedy=(
            "For the system store install the package ca-certificates, or name the store the mail software reads with type "
            "pem_file or pem_directory. For a store you named check the path."
        ),
    ),
    FindingType(
        id="trust.store.damaged",
        status="fail",
        severity="high",
        meaning=(
            "Parts of the store could not be read as certificates. OpenSSL loads nothing at all from a PEM file with one "
            "undecodable block, so the roots in it are not effective; other software skips the block."
        ),
        remedy=(
            "Rebuild the store with the distribution's tool (update-ca-certificates or update-ca-trust), or remove the damaged "
            "lines; openssl verify -CAfile STORE shows whether OpenSSL accepts the file."
        ),
    ),
    FindingType(
        id="profile.outdated",
        status="warn",
        severity="medium",
        meaning="The data of the profile is more than 180 days old. Changes of roots were announced at shorter notice than that.",
        remedy="Update the collection, or read the profile's sources again, correct your profile and set its as_of date.",
    ),
)
