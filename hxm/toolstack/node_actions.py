"""Actions on a node that bypass the cluster, through ssh if it is another node."""

from __future__ import annotations

from collections.abc import Mapping

from hxm.plan import NodeStepKind
from hxm.toolstack.remote import at

_CUT = """ip route add unreachable "$1" metric $$ || exit
if ip route get "$1" >/dev/null 2>&1; then
    ip route del unreachable "$1" metric $$
    echo "another route leads to $1" >&2
    exit 1
fi
(sleep "$2"; ip route del unreachable "$1" metric $$) >/dev/null 2>&1 &"""
"""The route goes away by itself, even if nobody is left to remove it; by its metric it is told
from that of a later drill."""
_JOIN = """while fault=$(ip route del unreachable "$1" 2>&1); do :; done
case $fault in *"No such process"*) ;; *) echo "$fault" >&2; exit 1;; esac"""
"""Also what an earlier drill left; that no such route is there (ESRCH) is the end."""


def on_node_argv(
    kind: NodeStepKind,
    values: Mapping[str, str],
    service: str,
    here: str | None,
    ssh_timeout: float,
) -> tuple[str, ...]:
    """The command line of a drill's step; raises KeyError for `destroy` and `kill`.

    A route to nowhere for one address stops pings to it and nothing else, where iptables would have
    to be there.
    """
    address = values.get("address", "")
    commands: dict[NodeStepKind, tuple[str, ...]] = {
        "stop-stack": ("service", service, "stop"),
        "start-stack": ("service", service, "start"),
        "cut": ("sh", "-c", _CUT, "sh", address, values.get("after", "")),
        "join": ("sh", "-c", _JOIN, "sh", address),
    }
    return at(values["node"], here, commands[kind], ssh_timeout)


def destroy_argv(
    program: str, domain: str, node: str, here: str | None, ssh_timeout: float
) -> tuple[str, ...]:
    """How a domain's plug is pulled on its node."""
    return at(node, here, (program, "destroy", domain), ssh_timeout)
