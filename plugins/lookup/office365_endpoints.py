# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: office365_endpoints
short_description: Turn Microsoft's list of Office 365 endpoints into a profile
description:
  - Reads what the Office 365 IP address and URL web service answers, from the service itself, from a mirror or from a file,
    and returns a profile with the hosts of certificate authorities that it names. The profile can be used wherever this
    collection takes one.
  - The list names hosts and ports, no URLs. So each host is checked by connecting to it. What is served there is
    checked by the profiles that know the URLs, such as V(exo-digicert-g2).
  - Wildcards such as C(*.entrust.net) cannot be checked. They are named in the profile's C(notes), and count when the
    endpoints of other profiles and of certificates are compared with the list (findings C(egress.sources.*)).
  - What a host is for is told from its name or from the shipped profiles. Where neither says it, C(notes) does.
  - It runs on the controller. Keep the list in a file where many plays need it, because the web service limits how often
    it is asked.
author:
  - The mailops.tls contributors (@mailops)
options:
  _terms:
    description:
      - Paths of JSON files, or URLs that begin with C(http://) or C(https://), with what the C(endpoints) method of the web
        service answered.
      - Relative paths are looked for in the C(files) directories beside the playbook and the role.
      - Without any, the web service is asked.
    type: list
    elements: str
    required: false
  instance:
    description: Which cloud to ask the web service about.
    type: str
    choices: [Worldwide, China, USGovDoD, USGovGCCHigh]
    default: Worldwide
  client_request_id:
    description:
      - The GUID that the web service wants from each machine that asks it.
      - If not specified, one is derived from the name of the controller.
    type: str
  ports:
    description:
      - TCP ports to check, as far as the list opens them. CAs serve revocation data over plain http, and many of
        these hosts do not answer on port 443 although the list opens it.
    type: list
    elements: int
    default: [80]
  profile_id:
    description: Id of the profile that is returned.
    type: str
    default: office365-endpoints
  as_of:
    description:
      - The day of the data, as C(YYYY-MM-DD).
      - If not specified, the day on which the file was last modified, or today for a URL.
    type: str
  timeout:
    description: Seconds that fetching a URL may take.
    type: float
    default: 15.0
  ca_path:
    description: PEM file with the certificates to trust when fetching over https. If not specified, those of the controller.
    type: path
seealso:
  - module: mailops.tls.ca_egress_info
  - module: mailops.tls.readiness_info
notes:
  - At most 4 MiB are read.
  - The proxy of the controller's environment is used.
"""

EXAMPLES = r"""
- name: Check what certificates need and what Microsoft lists
  mailops.tls.ca_egress_info:
    profiles:
      - exo-digicert-g2
      - "{{ lookup('mailops.tls.office365_endpoints', 'endpoints-worldwide.json') }}"
  register: egress

- name: Show the hosts of certificate authorities on today's list
  ansible.builtin.debug:
    msg: "{{ lookup('mailops.tls.office365_endpoints').endpoints }}"
"""

RETURN = r"""
_raw:
  description: One profile for each term.
  type: list
  elements: dict
  sample:
    - id: office365-endpoints
      title: "Microsoft's list of Office 365 endpoints: hosts of certificate authorities"
      as_of: "2026-11-24"
      sources: ["Office 365 endpoints web service, instance Worldwide, as of 2026-11-24, records 84, 125"]
      endpoints:
        - {host: crl3.digicert.com, port: 80, kind: crl}
      listed: ["*.entrust.net:80", "crl3.digicert.com:80"]
      notes: ["*.entrust.net (record 125, TCP 443, 80) is a wildcard, which cannot be checked; open it all the same."]
"""

import datetime as dt
import pathlib
import typing as t

from ansible.errors import AnsibleError
from ansible.plugins.lookup import LookupBase
from ansible_collections.mailops.tls.plugins.plugin_utils._action.office365_source import fetch, service_url
from ansible_collections.mailops.tls.plugins.plugin_utils._profiles import fields
from ansible_collections.mailops.tls.plugins.plugin_utils._profiles.documents import decode, parse_json, read_bounded
from ansible_collections.mailops.tls.plugins.plugin_utils._profiles.fields import Place
from ansible_collections.mailops.tls.plugins.plugin_utils._profiles.model import ProfileError
from ansible_collections.mailops.tls.plugins.plugin_utils._profiles.office365 import MAX_DOCUMENT, office365_profile


class LookupModule(LookupBase):  # type: ignore[misc]  # ansible-core has no type information
    """See DOCUMENTATION."""

    def run(
        self, terms: list[t.Any] | None, variables: dict[str, t.Any] | None = None, **kwargs: t.Any
    ) -> list[dict[str, t.Any]]:
        self.set_options(var_options=variables, direct=kwargs)
        try:
            if not terms:
                return [self._from_service()]
            return [self._from_url(str(term)) if _is_url(str(term)) else self._from_file(str(term), variables) for term in terms]
        except ProfileError as error:
            raise AnsibleError(str(error)) from error

    def _from_service(self) -> dict[str, t.Any]:
        instance = self.get_option("instance")
        url = service_url(instance, self.get_option("client_request_id"))
        at = Place(f"Office 365 endpoints web service, instance {instance}")
        return self._profile(self._fetch(url, at), at, _today(), at.source)

    def _from_url(self, url: str) -> dict[str, t.Any]:
        # The query may hold an id that belongs to one machine, and is no part of the source's name.
        at = Place(url.partition("?")[0])
        return self._profile(self._fetch(url, at), at, _today(), f"Office 365 endpoints from {at.source}")

    def _from_file(self, term: str, variables: dict[str, t.Any] | None) -> dict[str, t.Any]:
        at = Place(term)
        found = self.find_file_in_search_path(variables, "files", term, ignore_missing=True)
        if found is None:
            raise at.refuse("no such file in the directories that lookups search")
        content = read_bounded(found, at, MAX_DOCUMENT)
        modified = dt.datetime.fromtimestamp(pathlib.Path(found).stat().st_mtime, dt.timezone.utc).date()
        return self._profile(content, at, modified, f"Office 365 endpoints from the file {pathlib.Path(found).name}")

    def _fetch(self, url: str, at: Place) -> bytes:
        return fetch(url, at, timeout=self.get_option("timeout"), ca_path=self.get_option("ca_path"), limit=MAX_DOCUMENT)

    def _profile(self, content: bytes, at: Place, day: dt.date, source: str) -> dict[str, t.Any]:
        given = self.get_option("as_of")
        ports = fields.listing(fields.number(1, 65535), at_most=64, at_least=1)(self.get_option("ports"), Place("ports"))
        return office365_profile(
            parse_json(decode(content, at), at),
            at,
            as_of=fields.date(given, Place("as_of")) if given else day,
            source=source,
            profile_id=fields.identifier(self.get_option("profile_id"), Place("profile_id")),
            ports=ports,
        )


def _is_url(term: str) -> bool:
    return term.lower().startswith(("http://", "https://"))


def _today() -> dt.date:
    return dt.datetime.now(dt.timezone.utc).date()
