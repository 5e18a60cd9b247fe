"""hxm cleanup: clear failures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hxm.cluster.running_twice import asked_where_in_doubt
from hxm.model import Cluster
from hxm.orders import pipeline
from hxm.plan import Decision
from hxm.policy.names import find_node
from hxm.policy.orders import hygiene

if TYPE_CHECKING:
    from hxm.arguments.options import MaybeDomain, MaybeNode, Order


def run(order: Order, domain: MaybeDomain = None, node: MaybeNode = None) -> int:
    """Clear the failures of a domU, on one node or on all, so that the cluster tries again.

    Without a domU, clear every failure that the cluster remembers. The id of any other resource
    is accepted as well.

    Example: `hxm cleanup nfs host2`.
    """

    def decide(cluster: Cluster) -> Decision:
        cluster = asked_where_in_doubt(cluster, order.config)
        if domain and not node and cluster.node(domain):
            return hygiene.cleanup(cluster, None, cluster.node(domain))
        where = find_node(cluster, node) if node else None
        words = [domain] if domain else None
        return hygiene.cleanup(cluster, pipeline.named_resources(cluster, words), where)

    return pipeline.carry_out(order, decide)
