"""hxm active: let a node take resources again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hxm import change
from hxm.decide import placement
from hxm.decide.names import find_node

if TYPE_CHECKING:
    from hxm.options import OneNode, Order


def run(order: Order, node: OneNode) -> int:
    """Take a node out of standby, so that it may run domUs again.

    Nothing moves back by itself where stickiness keeps it; what would move is shown by --dry-run.

    Example: `hxm active host1`.
    """
    return change.carry_out(
        order, lambda cluster: placement.active(cluster, find_node(cluster, node))
    )
