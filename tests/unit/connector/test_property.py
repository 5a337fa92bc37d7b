# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""For every field and every way the API reads back: after a plan was carried out, nothing is left to do."""

from __future__ import annotations

import copy
import random
import typing as t

import pytest
from ansible_collections.mailops.tls.plugins.module_utils._connector import canonical, constraints
from ansible_collections.mailops.tls.plugins.module_utils._connector import fields as f
from ansible_collections.mailops.tls.plugins.module_utils._connector import plan as p
from ansible_collections.mailops.tls.plugins.plugin_utils._exo.inbound import INBOUND
from ansible_collections.mailops.tls.plugins.plugin_utils._exo.kinds import Kind
from ansible_collections.mailops.tls.plugins.plugin_utils._exo.outbound import OUTBOUND
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from tests.lab.exchange_online.quirks import Quirks
from tests.lab.exchange_online.tenant import Tenant

KINDS = (INBOUND, OUTBOUND)
ACTIONS = 5

_DOMAINS = ("contoso.com", "Fabrikam.COM", "*.example.net", "bücher.example", "xn--bcher-kva.example", "mail.contoso.com.")
_VALUES: dict[str, st.SearchStrategy[t.Any]] = {
    f.TEXT: st.sampled_from(["", "by Ansible", "two\r\nlines\n", " padded "]),
    f.BOOL: st.booleans(),
    f.DOMAIN: st.sampled_from(_DOMAINS),
    f.CERTIFICATE: st.sampled_from((*_DOMAINS, "<I>CN=CA<S>CN=Mail.contoso.com")),
    f.DOMAINS: st.sampled_from((*_DOMAINS, "*", "smtp:contoso.com")),
    f.SMTP_DOMAINS: st.sampled_from(
        (*_DOMAINS, "*", "smtp:contoso.com", "SMTP:contoso.com;1", "contoso.com;7", "fabrikam.com;01")
    ),
    f.NETWORKS: st.sampled_from(["192.0.2.1", "192.0.2.1/32", "192.0.2.77/24", "198.51.100.0/25"]),
    f.HOSTS: st.sampled_from(
        ["MX1.contoso.com", "[mx1.contoso.com]", "[192.0.2.1]", "192.0.2.1", "192.0.2.9/24", "[2001:DB8::0:1]", "2001:db8::1"]
    ),
    f.RANGES: st.sampled_from(["192.0.2.1", "192.0.2.1-192.0.2.9", "192.0.2.5-192.0.2.5", "192.0.2.3/24", "2001:DB8::/64"]),
    f.NAMES: st.sampled_from(["Admin@contoso.com", "admin@contoso.com", "Contoso Ltd", "postmaster@fabrikam.com"]),
}


def _value(field: t.Any) -> st.SearchStrategy[t.Any]:
    if field.kind == f.CHOICE:
        values: st.SearchStrategy[t.Any] = st.sampled_from(field.choices)
    elif field.is_list:
        values = st.lists(_VALUES[field.kind], max_size=4)
    else:
        values = _VALUES[field.kind]
    # Null is no word for the choice None, and refused where there is one.
    return values if field.default is f.NO_DEFAULT or "None" in field.choices else st.none() | values


def _declarations(kind: Kind) -> st.SearchStrategy[dict[str, t.Any]]:
    """What a user may write: any options, any of their values."""
    return st.fixed_dictionaries({}, optional={field.option: _value(field) for field in kind.table if field.option != "name"})


def _declared(kind: Kind, written: dict[str, t.Any]) -> dict[str, t.Any]:
    return {option: canonical.from_user(kind.table[option], value) for option, value in written.items()}


def _distorted(raw: dict[str, t.Any], chance: random.Random) -> dict[str, t.Any]:
    """What else the service may do to values on their way back, beyond the stand-in's quirks."""
    shown = copy.deepcopy(raw)
    for name, value in shown.items():
        if isinstance(value, list) and all(isinstance(item, str) for item in value):
            items = [item.upper() if chance.random() < 0.3 else item for item in value]
            chance.shuffle(items)
            shown[name] = items or chance.choice(([], None))
        elif value in (None, ""):
            shown[name] = chance.choice((None, ""))
        elif isinstance(value, bool) and chance.random() < 0.2:
            shown[name] = str(value)
    return shown


def _current(kind: Kind, tenant: Tenant, chance: random.Random) -> tuple[str, dict[str, t.Any]] | None:
    rows = []
    for scope in kind.scopes:
        rows += tenant.run(f"Get-{kind.noun}", {"ResultSize": "Unlimited", **scope})[0]
    if not rows:
        return None
    raw = _distorted({name: value for name, value in rows[0].items() if "@" not in name}, chance)
    return raw["Guid"], {
        field.option: canonical.from_api(field, raw[field.parameter]) for field in kind.table if field.parameter in raw
    }


def _valid(kind: Kind, current: dict[str, t.Any] | None, desired: dict[str, t.Any]) -> bool:
    """Whether the declaration keeps the rules, seen with what is there."""
    target = p.plan(kind.table, current, desired).target
    return not constraints.violations(kind.table, kind.rules, target, set(kind.table.by_option))


def _carry_out(kind: Kind, tenant: Tenant, desired: dict[str, t.Any], chance: random.Random) -> list[str]:
    """Plan and write until nothing is left, and return what was done."""
    done = []
    for _round in range(ACTIONS):
        found = _current(kind, tenant, chance)
        plan = p.plan(kind.table, found[1] if found else None, desired)
        if plan.action == p.NONE:
            return done
        parameters = p.parameters(kind.table, plan)
        if plan.action == p.CREATE:
            tenant.run(f"New-{kind.noun}", parameters)
        else:
            assert found is not None
            tenant.run(f"Set-{kind.noun}", {**parameters, "Identity": found[0]})
        done.append(plan.action)
    raise AssertionError(f"never ends: {plan.changes}")


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.noun)
@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow])
@given(data=st.data())
def test_nothing_is_left_to_do_after_a_plan(kind: Kind, data: st.DataObject) -> None:
    chance = random.Random(data.draw(st.integers(0, 2**16)))  # noqa: S311 - no secret
    tenant = Tenant(Quirks(), ["contoso.com"])
    base: dict[str, t.Any] = {"name": "Contoso"} if kind is OUTBOUND else {"name": "Contoso", "sender_domains": ("contoso.com",)}
    first = {**base, **_declared(kind, data.draw(_declarations(kind), "first"))}
    assume(_valid(kind, None, first))
    done = _carry_out(kind, tenant, first, chance)
    # One create; what only the other cmdlet takes follows it.
    assert done in ([p.CREATE], [p.CREATE, p.UPDATE])
    assert _carry_out(kind, tenant, first, chance) == []
    found = _current(kind, tenant, chance)
    assert found is not None
    second = _declared(kind, data.draw(_declarations(kind), "second"))
    assume(_valid(kind, found[1], second))
    before = found[1]
    assert _carry_out(kind, tenant, second, chance) in ([], [p.UPDATE])
    assert _carry_out(kind, tenant, second, chance) == []
    found = _current(kind, tenant, chance)
    assert found is not None
    # What is not declared stays as it was.
    assert {option: value for option, value in found[1].items() if option not in second} == {
        option: value for option, value in before.items() if option not in second
    }


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.noun)
@settings(max_examples=80, deadline=None)
@given(data=st.data())
def test_what_is_shown_can_be_declared(kind: Kind, data: st.DataObject) -> None:
    """to_user and from_user are inverse, so that what results show can be copied into a playbook."""
    for field in kind.table:
        if field.option != "name":
            value = canonical.from_user(field, data.draw(_value(field), field.option))
            shown = canonical.to_user(value)
            assert shown is None or canonical.from_user(field, shown) == value
            assert canonical.from_api(field, canonical.to_api(field, value)) == value


@given(value=st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists, max_leaves=5))
@example("\r")
def test_reading_never_fails(value: t.Any) -> None:
    """What a service sends that nobody has seen yet is no reason to stop: it stays visible as it is."""
    for kind in KINDS:
        for field in kind.table:
            read = canonical.from_api(field, value)
            assert canonical.from_api(field, canonical.to_user(read)) == read
