# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import itertools

from ansible_collections.mailops.tls.plugins.plugin_utils._change_request.collect import addresses, collect
from hypothesis import example, given
from hypothesis import strategies as st

from tests.unit.change_request.results import OBSERVED, blocked, entry, reached

A, B = "http://crl.ca.test/a.crl", "http://crl.ca.test/b.crl"
OCSP = "http://ocsp.ca.test/"


def places(request):
    return [(row.sources, row.destination, row.blocked, row.port) for row in request.rows]


def test_hosts_with_identical_needs_share_a_row():
    mine = [blocked(A, "192.0.2.1", "2001:db8::1"), blocked(B, "192.0.2.1", "2001:db8::1")]
    request = collect([entry("mx2", *mine), entry("mx1", *mine), {"host": "mx3", "result": None}], "blocked")
    (row,) = request.rows
    assert row.sources == ("mx1", "mx2")
    assert (row.destination, row.port, row.protocol) == ("crl.ca.test", 80, "tcp")
    assert row.blocked == row.addresses_seen == ("192.0.2.1", "2001:db8::1")
    assert row.why == ("CRL: connection attempts get no answer",)
    assert row.urls == (f"CRL {A}", f"CRL {B}")
    assert row.findings == ("egress.tcp.timeout",)
    assert (request.hosts, request.missing) == (("mx1", "mx2"), ("mx3",))
    assert request.observed_from == request.observed_until == OBSERVED


def test_hosts_for_which_other_addresses_are_blocked_have_rows_of_their_own():
    request = collect([entry("mx1", blocked(A, "192.0.2.1")), entry("mx2", blocked(A, "2001:db8::1"))], "blocked")
    assert places(request) == [
        (("mx1",), "crl.ca.test", ("192.0.2.1",), 80),
        (("mx2",), "crl.ca.test", ("2001:db8::1",), 80),
    ]


def test_only_what_is_blocked_or_everything_needed():
    entries = [entry("mx1", blocked(A, "192.0.2.1"), reached(OCSP, "192.0.2.9"))]
    assert [row.destination for row in collect(entries, "blocked").rows] == ["crl.ca.test"]
    crl, ocsp = collect(entries, "needed").rows
    assert (crl.destination, crl.blocked) == ("crl.ca.test", ("192.0.2.1",))
    assert crl.why == ("CRL: connection attempts get no answer",)
    assert (ocsp.destination, ocsp.blocked, ocsp.addresses_seen) == ("ocsp.ca.test", (), ("192.0.2.9",))
    assert ocsp.findings == ("egress.not_an_ocsp_response",)
    assert ocsp.why == ("OCSP",)


def test_what_is_needed_does_not_depend_on_the_addresses_a_cdn_gave_out():
    entries = [entry("mx1", reached(A, "192.0.2.1")), entry("mx2", reached(A, "192.0.2.2"))]
    (row,) = collect(entries, "needed").rows
    assert (row.sources, row.addresses_seen) == (("mx1", "mx2"), ("192.0.2.1", "192.0.2.2"))


def test_with_a_proxy_the_request_is_for_the_way_to_the_proxy():
    down = entry("mx1", blocked(A, "10.0.0.8", proxy="http://proxy.test:3128"))
    up = entry("mx2", reached(A, proxy="http://proxy.test:3128"))
    assert places(collect([down, up], "blocked")) == [(("mx1",), "proxy.test", ("10.0.0.8",), 3128)]
    (row,) = collect([down, up], "needed").rows
    assert (row.sources, row.destination, row.port, row.addresses_seen) == (("mx1", "mx2"), "proxy.test", 3128, ("10.0.0.8",))


def test_where_a_redirect_leads_is_needed_too():
    request = collect([entry("mx1", reached(A, "192.0.2.1", redirects=["http://cdn.test:8080/a.crl"]))], "needed")
    assert [(row.destination, row.port) for row in request.rows] == [("cdn.test", 8080), ("crl.ca.test", 80)]


def test_names_sunk_in_dns_are_nothing_to_open_by_address():
    (row,) = collect([entry("mx1", blocked(A, "127.0.0.1"))], "needed").rows
    assert (row.destination, row.addresses_seen) == ("crl.ca.test", ())


def test_the_order_of_hosts_makes_no_difference():
    entries = [
        entry("mx1", blocked(A, "192.0.2.1"), reached(OCSP, "192.0.2.9")),
        entry("mx2", blocked(OCSP, "192.0.2.9")),
        entry("mx3", blocked(A, "192.0.2.1"), blocked(OCSP, "192.0.2.9")),
        {"host": "mx4", "result": None},
    ]
    for scope in ("blocked", "needed"):
        assert len({collect(order, scope) for order in itertools.permutations(entries)}) == 1


def test_addresses_are_sorted_as_numbers_and_nonsense_is_left_out():
    given = ["192.0.2.10", "192.0.2.9", "2001:db8::1", "fe80::1%eth0", "x", "", "2001:DB8::1"]
    assert addresses(given) == ("192.0.2.9", "192.0.2.10", "2001:db8::1")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["url", "host", "port", "proxy", "addresses", "address", "urls", "why", "findings", "subject", "id"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@example({"endpoints": [{"proxy": {"addresses": ["192.0.2.1", 5, [1]]}}], "firewall_rules": [{"address": [1]}]})
@given(st.dictionaries(st.sampled_from(["endpoints", "firewall_rules", "findings", "observed_at"]), JSON, max_size=4))
def test_a_result_of_any_shape_is_no_reason_to_crash(result):
    for scope in ("blocked", "needed"):
        collect([{"host": "mx1", "result": result}], scope)
