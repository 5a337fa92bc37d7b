# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import textwrap


class ModuleDocFragment:
    """Options that several info plugins share. Keep in sync with plugins/plugin_utils/_action/options.py (a test does)."""

    # profiles, timeout, deadline
    DOCUMENTATION = r"""
options:
  profiles:
    description:
      - The certificate generations to be ready for. Each element is the id of a shipped profile, the path of a YAML or JSON
        file on the controller that holds one, or a dictionary that is one.
      - Relative paths are looked for beside the playbook, then in the directory Ansible was started in.
      - If not specified, the profiles whose time includes today and the announced next one are used, so that the root to
        come is there B(and) the root in use was not removed.
      - If set to V([]), no profile is used, and only what the other options name is checked.
      - The shipped profiles are V(exo-baltimore), V(exo-globalsign-r1), V(exo-digicert-g1) and V(exo-digicert-g2).
    type: list
    elements: raw
  timeout:
    description:
      - Seconds that each stage of a request may take, such as resolving a name or connecting to an address.
    type: float
    default: 5.0
  deadline:
    description:
      - Seconds after which the whole run on the host ends, whatever the network does. What was not seen by then is reported
        as V(deadline_exceeded).
    type: float
    default: 20.0
"""

    EGRESS = r"""
options:
  endpoints:
    description:
      - CA endpoints to check besides those of the profiles.
      - Each element is a URL, or a dictionary with C(url) or C(host) and C(port), and with C(kind), which
        is V(crl), V(ocsp) or V(ca_issuers).
      - The kind of a plain URL is guessed from its ending or host name; where that is not possible it is refused.
    type: list
    elements: raw
    default: []
  certificate:
    description:
      - PEM text of a certificate, optionally followed by the certificates above it. The CRL, OCSP and CA issuers endpoints
        that it names are checked, and its own revocation status is looked up there.
      - Where issuers are missing, M(mailops.tls.ca_egress_info) fetches them from the CA issuers URLs that the certificates
        name, at most four levels up, and follows them as well. Each level takes a remote execution more.
        M(mailops.tls.readiness_info) keeps to one execution and follows what is given.
    type: str
  issuers:
    description:
      - PEM text of CA certificates with which signatures of CRLs and OCSP responses are checked, besides those of the profiles.
    type: list
    elements: str
    default: []
  proxy:
    description:
      - V(environment) uses the proxy that the environment of the host names in E(http_proxy), E(https_proxy) and E(no_proxy),
        V(none) uses no proxy, and a URL such as V(http://proxy.example:3128) uses that one for everything.
      - Credentials in the URL are used and never returned. Prefer O(proxy_username) and O(proxy_password).
    type: str
    default: environment
  proxy_username:
    description:
      - User name for the proxy that O(proxy) names.
    type: str
  proxy_password:
    description:
      - Password for the proxy that O(proxy) names.
    type: str
  address_family:
    description:
      - Which addresses of an endpoint to use. V(any) uses what the host's resolver prefers and V(both) asks for both families.
    type: str
    choices: [any, ipv4, ipv6, both]
    default: any
  each_address:
    description:
      - Whether to connect to every address of an endpoint instead of the first that answers. CDNs rotate their addresses, and
        firewalls sometimes open only some of them.
    type: bool
    default: false
  max_bytes:
    description:
      - Largest answer that is read from one endpoint, in bytes.
    type: int
    default: 10485760
"""

    TRUST = r"""
options:
  roots:
    description:
      - Root CA certificates to look for besides those of the profiles. Each element is the id of a root of the
        collection's catalogue, or a dictionary with C(name) and either RV(ignore:sha256) or C(pem).
    type: list
    elements: raw
    default: []
  stores:
    description:
      - V(auto) looks at every store that is found on the host and says who reads it, V(mail) only at those that mail software
        reads. Otherwise a list of dictionaries with C(type) and, except for V(system), C(path).
      - V(mail) is the system's store, and what C(smtp_tls_CAfile), C(smtp_tls_CApath), C(smtpd_tls_CAfile) and
        C(smtpd_tls_CApath) name in the C(main.cf) of Postfix. V(auto) adds the stores of JVMs, of NSS and of certifi in their
        usual places (of certifi also those of interpreters on E(PATH), and what pyenv, pipx, uv and the like put into home
        directories), the default file and directory of OpenSSL, and what the user that Ansible works as has set in C(curlrc) and
        C(gitconfig), those of the system included, in the variables E(SSL_CERT_FILE), E(SSL_CERT_DIR), E(CURL_CA_BUNDLE),
        E(REQUESTS_CA_BUNDLE), E(GIT_SSL_CAINFO), E(GIT_SSL_CAPATH) and E(NODE_EXTRA_CA_CERTS), and as
        C(javax.net.ssl.trustStore) in E(JAVA_TOOL_OPTIONS), E(JDK_JAVA_OPTIONS) and E(_JAVA_OPTIONS). A password in those
        stays on the host, and a keystore that cannot be read without it has to be named with it. Not looked at are
        C(master.cf), the environment of services, settings in other home directories, and chroots.
      - The system's store and those of Postfix must hold the roots. The client and the server of Postfix must each find a root in
        one of their stores. No mail software is known to read the others, so what they lack is V(warn). Name them for V(fail).
      - Types are V(system), the store that the operating system's OpenSSL and most mail software read, V(pem_file), a file with
        any number of certificates, and V(pem_directory), a directory as C(openssl rehash) makes it.
      - V(java) is a keystore in the format JKS or PKCS12, or the directory of a JVM, of which C(lib/security/jssecacerts) or
        C(lib/security/cacerts) is read. Only what Java itself lists as trusted certificates counts. C(password) is tried
        as V(changeit) if it is not given; it stays on the controller. The file travels there whole.
      - A password that does not fit makes an encrypted keystore V(unknown). Where the certificates are not encrypted, as in JKS,
        they are judged all the same, and the finding RV(ignore:trust.store.password) says that nothing vouches for the file.
      - V(nss) is a directory with a C(cert9.db). Certificates count with the flag C(C) of C(certutil). The roots that are built
        into NSS are not in that database and are not looked at, and neither are signatures of flags.
      - V(python) is the bundle of the package certifi, found by its own path, that of its directory of packages, or
        the prefix of an interpreter or virtual environment. The one that pip carries for itself is not looked at.
      - Every type takes a C(password), so that M(mailops.tls.trust_anchor) can be told of a store in the same words. Other types
        than V(java) are read without one.
      - Ansible shows arguments of tasks only where it was configured to (C(display_args_to_stdout)); set C(no_log) there.
    type: raw
    default: auto
  intermediates:
    description:
      - Whether the stores must hold the intermediates of the profiles too, for servers that send an incomplete chain.
      - What is missing then is a failure. It is off by default, because a server has to send its intermediates (RFC 8446 section
        4.4.2), and a profile can name several of which a server uses one.
      - Compared by SHA-256, by SHA-1 where the CA publishes nothing else, and by key where the profile carries the certificate.
        In O(stores) of NSS no flag is needed.
    type: bool
    default: false
  rehearse:
    description:
      - Chains that the host's own software is to verify now, before any server presents them, against each of O(stores).
        V(auto) or V(true) takes the root of the coming profile, and those of its intermediates whose certificate the profile
        carries; where no change is announced, of the profile in force that began last.
      - Otherwise a list of ids of profiles and of PEM texts. What is verified comes first in a PEM text, the intermediates that a
        server would send with it follow. A root or an intermediate may be given alone.
      - PEM is verified by C(openssl verify). For Java, the host's C(keytool) lists what it trusts and C(openssl) verifies by
        that; what keytool does not list without a password is not verified. For NSS, C(vfychain) verifies.
      - With V(auto) and V(mail) in O(stores) the stores of Postfix take part. Others that are found do not; name them.
    type: raw
    default: []
"""

    # timeout and deadline alone, for plugins that know no profiles
    RUN = r"""
options:
  timeout:
    description:
      - Seconds that each stage of a request may take, such as resolving a name or connecting to an address.
    type: float
    default: 5.0
  deadline:
    description:
      - Seconds after which the whole run on the host ends, whatever the network does. What was not seen by then is reported
        as V(deadline_exceeded).
    type: float
    default: 20.0
"""

    CERTIFICATE = r"""
options:
  certificate:
    description:
      - Path on the host of the certificate, in PEM and followed by its intermediates.
      - If neither this nor O(server) is specified, the files are checked that Postfix is set to present
        (C(smtp_tls_chain_files), C(smtpd_tls_chain_files), and the older C(_cert_file) and C(_key_file) settings).
      - A file with several private keys, each before its certificates, is read as Postfix reads a chain file, and each of its
        certificates is looked at.
    type: str
  key:
    description: Path on the host of the private key. If not specified, it is expected in the file of O(certificate).
    type: str
  main_cf:
    description: Path on the host of the configuration of Postfix.
    type: str
    default: /etc/postfix/main.cf
  server:
    description:
      - C(host:port) whose presented certificate is checked, as the host itself sees it. It takes one connection, and one more
        where the host's Python is older than 3.10.
    type: str
  server_starttls:
    description:
      - Whether TLS begins inside an SMTP session there. V(auto) means on the ports 25 and 587.
    type: str
    choices: [auto, none, smtp]
    default: auto
  tls_sender_certificate_name:
    description:
      - C(TlsSenderCertificateName) of the inbound connector, or C(TlsDomain) of the other side. The common name and every subject
        alternative name count. V(*.example.com) accepts C(example.com) and every name below it.
    type: str
  accepted_domains:
    description:
      - Accepted domains of the tenant. A name of the certificate must be one of them or lie below one.
    type: list
    elements: str
    default: []
  tls_certificate_name:
    description:
      - C(TlsCertificateName) that the connectors of Exchange Server are set to, such as
        V(<I>CN=Issuing CA<S>CN=mail.example.com).
        It is compared with what this certificate would need.
    type: str
  next_certificate:
    description: PEM text of the certificate that is to replace this one, to know beforehand whether connectors must be changed.
    type: str
  expected_sha256:
    description: SHA-256 of the certificates that the servers of a group are meant to present.
    type: list
    elements: str
    default: []
  issuers:
    description:
      - PEM text of roots and intermediates, besides those of the collection, up to which a chain counts as complete. They do not
        make a CA a public one.
    type: list
    elements: str
    default: []
  flow:
    description:
      - What the certificate is for. With V(hybrid) a private CA is a failure, because Exchange Online trusts public CAs only;
        with V(partner) it is a warning.
    type: str
    choices: [hybrid, partner]
    default: hybrid
  lead_time:
    description:
      - Days before the end of the validity from which renewal is due; for certificates of short life a third of their lifetime,
        if that is less.
    type: int
    default: 30
  group:
    description:
      - Name of the group of servers that are to present the same certificate. M(mailops.tls.readiness_report) compares all hosts
        of the play that give the same name. Hosts without one are not compared.
    type: str
"""

    # The same as one option, where other topics have options of these names.
    DECLARED_CERTIFICATE = r"""
options:
  connector_certificate:
    description:
      - The host's own certificate and what its connectors ask of it, with the options of
        M(mailops.tls.connector_certificate_info).
      - If not specified, the host's own certificate is not looked at. With V({}) it is what Postfix is set to present.
    type: dict
    suboptions:
"""
    DECLARED_CERTIFICATE += textwrap.indent(CERTIFICATE.partition("options:\n")[2], "    ").replace(
        "O(", "O(connector_certificate."
    )

    SMTP_POLICY = r"""
options:
  require:
    description:
      - What the direction asks of every server. V(none) leaves TLS to chance, V(encrypt) wants TLS with whomever, V(verify)
        wants a certificate that a store trusts and that has the name, and V(dane) wants what the TLSA records pin.
      - What falls short of it is V(fail), and otherwise V(warn).
    type: str
    choices: [none, encrypt, verify, dane]
    default: none
  minimum_tls:
    description: The oldest TLS version that counts as TLS.
    type: str
    choices: [TLSv1, TLSv1.1, TLSv1.2, TLSv1.3]
    default: TLSv1.2
  expect:
    description: What the certificate must be, where that is known.
    type: dict
    suboptions:
      name:
        description:
          - The name that the certificate must have instead of that of the server, as C(match=) of Postfix.
        type: str
      organization:
        description: The organization of its subject.
        type: str
      key_size:
        description: The least size of its key in bits.
        type: int
      root:
        description: The root that its chain must lead to, as SHA-256 or as an id of the collection's catalogue.
        type: str
  each_address:
    description: Whether every address of a server is looked at, one connection after the other, instead of the first.
    type: bool
    default: true
  ehlo_name:
    description: The name that the host gives for itself. If not specified, it is the host's own.
    type: str
  client_certificate:
    description: Path on the host of a certificate in PEM that is presented to servers that ask for one.
    type: str
  client_key:
    description: Path on the host of its private key. If not specified, it is expected in the file of the certificate.
    type: str
  check_plaintext:
    description:
      - Whether to try if the server takes mail without TLS. Only C(MAIL FROM), C(RCPT TO) and C(RSET) are sent; never any mail.
    type: bool
    default: false
  stores:
    description:
      - The trust stores by which the host's own OpenSSL verifies the chain, each for itself. An empty list means the system's.
    type: list
    elements: dict
    default: []
    suboptions:
      type:
        description: V(system), V(pem_file) for a file of certificates, or V(pem_directory) for a hashed directory.
        type: str
        choices: [system, pem_file, pem_directory]
        required: true
      path:
        description: Absolute path on the host, for every type but V(system).
        type: str
  lead_time:
    description:
      - Days before the end of the validity from which renewal is due; for certificates of short life a third of their lifetime,
        if that is less.
    type: int
    default: 30
  check_revocation:
    description:
      - Whether the CRLs and OCSP responders that the certificates name are asked, by the host. They are known only after the
        servers were seen, so this takes M(mailops.tls.smtp_tls_info) a second remote execution, and one more for each level of
        issuers that the servers do not send.
      - M(mailops.tls.readiness_info) keeps to one execution. It knows what CRLs say that are fetched there anyway, such as those
        of the profiles; otherwise revocation is V(unknown).
    type: bool
    default: true
  controller_nameservers:
    description:
      - Resolvers that the controller asks for MX and MTA-STS records, as V(address) or V(address#port). An empty list means
        those of the system. The host itself always asks its own.
    type: list
    elements: str
    default: []
"""

    SMTP = r"""
options:
  domain:
    description:
      - A mail domain, whose mail servers are found by MX as the host's resolver gives it. The controller looks it up as well,
        and a difference is a finding. Its MTA-STS policy is judged, too.
    type: str
  hosts:
    description:
      - Mail servers by name, besides those of O(domain). Each element is V(host), V(host:port), V([address]),
        V([address]:port), or a dictionary with C(host) and C(port). No MX is looked up.
      - The port is 25 if it is not given. On port 465 TLS begins at once, on others with STARTTLS.
    type: list
    elements: raw
    default: []
  issuers:
    description: PEM text of roots and intermediates, besides those of the collection, with which chains are followed.
    type: list
    elements: str
    default: []
"""
    SMTP += SMTP_POLICY.partition("options:\n")[2]
    SMTP += EGRESS[EGRESS.index("  proxy:\n") : EGRESS.index("  each_address:\n")]

    # Several domains and hosts, where other topics have options of the same names.
    DECLARED_SMTP = r"""
options:
  mail_domains:
    description:
      - Mail domains whose servers are looked at from the host, as O(mailops.tls.smtp_tls_info#module:domain) of
        M(mailops.tls.smtp_tls_info) does.
      - All of it happens in the same remote execution as the other checks. Revocation is therefore known only where a CRL
        that is fetched there anyway tells, such as one of a profile, and otherwise V(unknown), so that the host is not found
        compliant. M(mailops.tls.smtp_tls_info) finds it out; C(check_revocation=false) in O(mail_policy) leaves it out.
    type: list
    elements: str
    default: []
  mail_hosts:
    description:
      - Smart hosts to look at, as O(mailops.tls.smtp_tls_info#module:hosts) of M(mailops.tls.smtp_tls_info).
    type: list
    elements: raw
    default: []
  mail_policy:
    description:
      - What is asked of those servers. The options are those of M(mailops.tls.smtp_tls_info).
    type: dict
    suboptions:
"""
    DECLARED_SMTP += textwrap.indent(SMTP_POLICY.partition("options:\n")[2], "    ")
