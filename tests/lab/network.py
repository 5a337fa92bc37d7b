# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Firewalls and links of the lab, as input for `nft -f` and `ip -batch`. Pure text: nothing here touches the system."""

from __future__ import annotations

from tests.lab import causes, plan
from tests.lab.hosts import Egress

# What a client's own output hook makes of a packet to the CA: each is seen by the client as a real firewall's answer.
VERDICTS: dict[Egress, str] = {
    "dropped": "drop",
    "rejected": "reject with icmpx type port-unreachable",
    "reset": "meta l4proto tcp reject with tcp reset",
    # The connection is made, then the first segment with data (PSH) is answered by a reset: an inspecting firewall.
    "reset-midway": "tcp flags & psh == psh reject with tcp reset",
    "unreachable-net": "reject with icmpx type no-route",
    "proxy-only": "reject with icmpx type admin-prohibited",
}


def _destinations() -> tuple[str, str]:
    v4 = ", ".join(address.v4 for address in plan.CA_ADDRESSES)
    v6 = ", ".join(address.v6 for address in plan.CA_ADDRESSES)
    return f"ip daddr {{ {v4} }}", f"ip6 daddr {{ {v6} }}"


def _chain(kind: str, hook: str, priority: int, rules: list[str]) -> str:
    body = "".join(f"        {rule}\n" for rule in rules)
    return (
        f"table inet {plan.PREFIX}{kind} {{\n"
        f"    chain {hook} {{\n"
        f"        type {kind} hook {hook} priority {priority}; policy accept;\n"
        f"{body}    }}\n}}\n"
    )


def host_rules(egress: Egress) -> str:
    """The rules of a managed host; empty where nothing is in the way."""
    to4, to6 = _destinations()
    if egress == "open":
        return ""
    if egress == "causes":
        return _chain("filter", "output", 0, causes.host_firewall())
    if egress == "dead-ipv6":
        return _chain("filter", "output", 0, [f"{to6} drop"])
    if egress == "portal":
        # A transparent interceptor: whatever goes to the CA over HTTP or HTTPS ends at the portal.
        ports = "tcp dport { 80, 443 } dnat"
        return _chain("nat", "output", -100, [f"{to4} {ports} ip to {plan.PORTAL.v4}", f"{to6} {ports} ip6 to {plan.PORTAL.v6}"])
    verdict = VERDICTS[egress]
    return _chain("filter", "output", 0, [f"{to4} {verdict}", f"{to6} {verdict}"])


def service_rules() -> str:
    """The services' side: a resolver's address at which nothing ever answers, not even an ICMP error.

    What leaves for a case of causes.py comes from the proxy, which is on the same side: its firewall is the hosts'.
    """
    dead = plan.DEAD_RESOLVER
    silence = _chain("filter", "input", 0, [f"ip daddr {dead.v4} drop", f"ip6 daddr {dead.v6} drop"])
    return silence + _chain("filter", "output", 0, causes.host_firewall())


def addresses(device: str, places: tuple[plan.Address, ...]) -> str:
    """Bring up a namespace's loopback and its only device, with these addresses."""
    lines = ["link set lo up"]
    for place in places:
        lines.append(f"addr add {place.cidr4} dev {device}")
        # Duplicate address detection would keep an address unusable for a second or two.
        lines.append(f"addr add {place.cidr6} dev {device} nodad")
    lines.append(f"link set {device} up")
    return "\n".join(lines) + "\n"


def bridge() -> str:
    """The controller's side: the bridge to which every other namespace is connected."""
    return "link add br0 type bridge\n" + addresses("br0", (plan.CONTROLLER,))


def link(name: str, pid: int) -> str:
    """A cable from the bridge to `eth0` of the namespace of this process. `name` has at most 15 characters."""
    return f"link add {name} type veth peer name eth0 netns {pid}\nlink set {name} master br0 up\n"
