"""hxm standby: drain a node."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hxm.orders import pipeline
from hxm.policy import placement
from hxm.policy.names import find_node

if TYPE_CHECKING:
    from hxm.arguments.options import OneNode, Order


def run(order: Order, node: OneNode) -> int:
    """Drain a node: every domU on it moves to another node, live if it may.

    Nothing is changed if a domU would have no place, or if this is the last usable node, unless
    --force says so. Ends with "safe to power off", and with status 0, only when nothing at all is
    left on the node. `hxm active` takes it back.

    Example: `hxm standby host1 --dry-run`, and the same without it if all looks well.
    """
    return pipeline.carry_out(
        order, lambda cluster: placement.standby(cluster, find_node(cluster, node))
    )
