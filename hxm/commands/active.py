"""hxm active: let a node take resources again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hxm.orders import pipeline
from hxm.policy import placement
from hxm.policy.names import find_node

if TYPE_CHECKING:
    from hxm.arguments.options import OneNode, Order


def run(order: Order, node: OneNode) -> int:
    """Take a node out of standby, so that it may run domUs again.

    Resources move back only where stickiness permits; --dry-run shows what would move.

    Example: `hxm active host1`.
    """
    return pipeline.carry_out(
        order, lambda cluster: placement.active(cluster, find_node(cluster, node))
    )
