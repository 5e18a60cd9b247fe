"""What a drill does to a node behind the cluster's back, and how it is undone."""

from __future__ import annotations

from collections.abc import Mapping

from hxm.toolstack.remote import ssh_argv

_BY_ITSELF = """ip route add unreachable "$1" || exit
(sleep "$2"; ip route del unreachable "$1") >/dev/null 2>&1 &"""
"""The route goes away by itself, even if nobody is left to remove it."""


def on_node_argv(
    kind: str, values: Mapping[str, str], service: str, here: str | None, ssh_timeout: float
) -> tuple[str, ...]:
    """The command line of such a step: here directly, elsewhere through ssh.

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
    return words if values["node"] == here else ssh_argv(values["node"], words, ssh_timeout)
