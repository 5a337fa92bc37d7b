# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Values of users and of the API in one form, and the ones that are refused."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.mailops.tls.plugins.module_utils._connector import canonical
from ansible_collections.mailops.tls.plugins.module_utils._connector import fields as f
from ansible_collections.mailops.tls.plugins.plugin_utils._exo.inbound import INBOUND
from ansible_collections.mailops.tls.plugins.plugin_utils._exo.outbound import OUTBOUND

IN = INBOUND.table
OUT = OUTBOUND.table


@pytest.mark.parametrize(
    ("field", "read"),
    [
        (IN["sender_domains"], {"contoso.com": ["smtp:contoso.com;1", "SMTP:Contoso.COM", "contoso.com.", "contoso.com;01"]}),
        (IN["sender_domains"], {"contoso.com;5": ["smtp:contoso.com;5", "contoso.com;005"], "*": ["smtp:*;1", "*"]}),
        (IN["sender_domains"], {"xn--bcher-kva.example": ["bücher.example", "BÜCHER.example", "smtp:XN--BCHER-KVA.example;1"]}),
        (IN["sender_ip_addresses"], {"192.0.2.0/24": ["192.0.2.77/24"], "192.0.2.1": ["192.0.2.1/32", " 192.0.2.1 "]}),
        (OUT["smart_hosts"], {"192.0.2.1": ["[192.0.2.1]", "192.0.2.1"]}),
        (OUT["smart_hosts"], {"mx.contoso.com": ["MX.contoso.com.", "[mx.Contoso.com]", " [mx.contoso.com.] "]}),
        (OUT["smart_hosts"], {"xn--bcher-kva.example": ["[bücher.example]"], "192.0.2.0/28": ["[192.0.2.7/28]"]}),
        (OUT["smart_hosts"], {"2001:db8::1": ["[2001:DB8:0:0::1]", "2001:db8::0001"]}),
        (IN["ef_skip_ips"], {"192.0.2.1-192.0.2.9": ["192.0.2.1 - 192.0.2.9"], "192.0.2.5": ["192.0.2.5-192.0.2.5"]}),
        (OUT["validation_recipients"], {"admin@contoso.com": ["Admin@Contoso.com"]}),
    ],
)
def test_one_form_for_both_sides(field: t.Any, read: dict[str, list[str]]) -> None:
    for form, written in read.items():
        for text in written:
            assert canonical.from_user(field, [text]) == canonical.from_api(field, [text]) == (form,)


@pytest.mark.parametrize(
    ("field", "value", "form"),
    [
        (IN["connector_source"], "AdminUI", "Default"),
        (IN["connector_source"], "HybridWizard", "HybridWizard"),
        (OUT["tls_settings"], "", None),
        (OUT["tls_settings"], None, None),
        (OUT["tls_settings"], "domainvalidation", "DomainValidation"),
        (OUT["mta_sts_mode"], "None", "None"),
        (OUT["mta_sts_mode"], "Strict", "Strict"),
        (IN["comment"], "", None),
        (IN["comment"], "a\r\nb\n", "a\nb"),
        (IN["require_tls"], "True", True),
        (IN["require_tls"], "perhaps", None),
        (IN["tls_sender_certificate_name"], "<I>CN=CA<S>CN=x", "<I>CN=CA<S>CN=x"),
        (OUT["smart_hosts"], "mx.contoso.com", ("mx.contoso.com",)),
        (OUT["smart_hosts"], None, ()),
    ],
)
def test_what_the_api_returns(field: t.Any, value: object, form: object) -> None:
    assert canonical.from_api(field, value) == form


@pytest.mark.parametrize(
    ("field", "value", "rule"),
    [
        (IN["sender_ip_addresses"], ["2001:db8::1"], r"SenderIPAddresses\): takes IPv4 .*no IPv6"),
        (IN["sender_ip_addresses"], ["192.0.2.0/23"], "/24 to /32"),
        (IN["sender_ip_addresses"], ["192.0.2.010"], "IPv4"),
        (IN["sender_domains"], ["*contoso.com"], r"sender_domains \(SenderDomains\): must be a domain"),
        (IN["sender_domains"], ["user@contoso.com"], "must be a domain"),
        (IN["sender_domains"], ["192.0.2.1"], "must be a domain"),
        (IN["sender_domains"], ["straße.example"], "A-label"),
        (IN["tls_sender_certificate_name"], "*", "TlsSenderCertificateName"),
        (IN["tls_sender_certificate_name"], "a" * 64 + ".com", "domain name"),
        (IN["ef_skip_ips"], ["192.0.2.9-192.0.2.1"], "range"),
        (IN["ef_skip_ips"], ["192.0.2.1-2001:db8::1"], "range"),
        (IN["require_tls"], None, "not reliably documented"),
        (IN["connector_type"], None, "not reliably documented"),
        (OUT["recipient_domains"], ["contoso.com;3"], "without a priority"),
        (OUT["smart_hosts"], ["*.contoso.com"], "host name"),
        (OUT["smart_hosts"], ["[[mx.contoso.com]]"], "host name"),
        (OUT["smart_hosts"], ["[mx.contoso.com"], "host name"),
        (OUT["smtp_dane_mode"], None, "write Opportunistic or 'None'"),
        (OUT["mta_sts_mode"], "", "write Opportunistic or 'None'"),
        (IN["tls_sender_certificate_name"], "<I>CN=CA", "domain name"),
        (IN["tls_sender_certificate_name"], "<I>CN=CA<S>CN=a\nb", "domain name"),
        (OUT["tls_settings"], "Sometimes", "EncryptionOnly, CertificateValidation, DomainValidation"),
        (OUT["validation_recipients"], [" "], "printable"),
    ],
)
def test_what_is_refused(field: t.Any, value: object, rule: str) -> None:
    with pytest.raises(canonical.ValueRefusedError, match=rule) as caught:
        canonical.from_user(field, value)
    assert field.option in str(caught.value)
    assert field.parameter in str(caught.value)


def test_null_is_the_default_and_an_empty_list_clears() -> None:
    assert canonical.from_user(OUT["tls_settings"], None) is None
    assert canonical.from_user(OUT["enabled"], None) is True
    assert canonical.from_user(OUT["smart_hosts"], None) == canonical.from_user(OUT["smart_hosts"], []) == ()


@pytest.mark.parametrize("written", ["<I>CN=Contoso CA, O=Contoso<S>CN=Mail.Contoso.com", " <i>CN=x<s>CN=y "])
def test_a_certificate_by_issuer_and_subject_stays_as_it_is(written: str) -> None:
    """Its letters may tell it from another one."""
    field = IN["tls_sender_certificate_name"]
    assert canonical.from_user(field, written) == canonical.from_api(field, written) == written.strip()


def test_what_a_tenant_shows_can_be_declared() -> None:
    assert canonical.from_user(IN["connector_source"], "AdminUI") == canonical.from_api(IN["connector_source"], "AdminUI")
    assert canonical.from_user(IN["connector_source"], "adminui") == "Default"


def test_how_a_priority_is_written() -> None:
    assert canonical.to_api(IN["sender_domains"], ("a.example", "b.example;5")) == ["a.example", "smtp:b.example;5"]


def test_two_fields_with_one_name() -> None:
    with pytest.raises(ValueError, match="comment"):
        f.FieldTable([f.Field("comment", "Comment", f.TEXT), f.Field("comment", "Text", f.TEXT)])
