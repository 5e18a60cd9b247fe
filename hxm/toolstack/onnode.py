"""What is done to a node or on it behind the cluster's back, by ssh where it is another one."""

from __future__ import annotations

from collections.abc import Mapping

from hxm.toolstack.remote import at

_BY_ITSELF = """ip route add unreachable "$1" || exit
(sleep "$2"; ip route del unreachable "$1") >/dev/null 2>&1 &"""
"""The route goes away by itself, even if nobody is left to remove it."""


def on_node_argv(
    kind: str, values: Mapping[str, str], service: str, here: str | None, ssh_timeout: float
) -> tuple[str, ...]:
    """The command line of a drill's step.

    A route to nowhere for one address stops pings to it and nothing else, where iptables would have
    to be there.
    """
    address = values.get("address", "")
    words = {
        "stop-stack": ("service", service, "stop"),
        "start-stack": ("service", service, "start"),
        "cut": ("sh", "-c", _BY_ITSELF, "sh", address, values.get("after", "")),
        "join": ("ip", "route", "del", "unreachable", address),
    }[kind]
    return at(values["node"], here, words, ssh_timeout)


def destroy_argv(
    program: str, domain: str, node: str, here: str | None, ssh_timeout: float
) -> tuple[str, ...]:
    """How a domain's plug is pulled on its node."""
    return at(node, here, (program, "destroy", domain), ssh_timeout)
