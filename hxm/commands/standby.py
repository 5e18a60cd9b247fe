"""hxm standby: drain a node."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hxm.orders import pipeline
from hxm.policy.names import find_node
from hxm.policy.orders import placement

if TYPE_CHECKING:
    from hxm.arguments.options import OneNode, Order


def run(order: Order, node: OneNode) -> int:
    """Drain a node: every domU on it moves to another node, live if it may.

    Refused without --force if a domU would have no place, or if this is the last usable node. Ends
    with "safe to power off" and status 0 only when nothing at all runs on the node. `hxm active`
    takes the node back.

    Example: `hxm standby host1 --dry-run`, then without --dry-run if the plan looks right.
    """
    return pipeline.carry_out(
        order, lambda cluster: placement.standby(cluster, find_node(cluster, node))
    )
