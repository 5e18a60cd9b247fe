"""hxm cleanup: forget failures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hxm import change
from hxm.decide import Decision, hygiene
from hxm.decide.names import find_node
from hxm.model import Cluster

if TYPE_CHECKING:
    from hxm.options import MaybeDomain, MaybeNode, Order


def run(order: Order, domain: MaybeDomain = None, node: MaybeNode = None) -> int:
    """Forget the failures of a domU, on a node or on all, so that the cluster tries again.

    Without a domU, every failure that the cluster remembers is forgotten.

    Example: `hxm cleanup nfs host2`.
    """

    def decide(cluster: Cluster) -> Decision:
        where = find_node(cluster, node) if node else None
        if domain in (None, "all"):
            return hygiene.cleanup(cluster, None, where)
        return hygiene.cleanup(cluster, change.managed_only(cluster, [str(domain)])[0], where)

    return change.carry_out(order, decide)
