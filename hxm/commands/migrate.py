"""hxm migrate: move a domU to another node."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hxm.catalog import BY_HAND
from hxm.errors import NotFound
from hxm.guard.admission import admit
from hxm.model import Cluster, is_managed
from hxm.orders import pipeline
from hxm.output import render
from hxm.plan import Decision, PassThrough
from hxm.policy import placement, typed
from hxm.policy.names import find_domains, find_node

if TYPE_CHECKING:
    from hxm.arguments.options import Keep, OneDomain, OneNode, Order


def run(order: Order, domain: OneDomain, node: OneNode, keep: Keep = False) -> int:
    """Live-migrate a domU to another node, and wait until it has arrived.

    hxm tells the cluster to prefer the node. It removes the preference when the domU runs there and
    the scheduler shows that nothing would move back. hxm asks first if the move would not be live;
    a move that turns out not to be live ends with status 1.

    Example: `hxm migrate nfs host2 --dry-run`.
    """

    def decide(cluster: Cluster) -> Decision:
        swapped = cluster.node(domain) and find_domains(cluster, node)
        if swapped and not find_domains(cluster, domain):
            right = f"hxm migrate {typed(swapped[0])} {domain}"
            raise NotFound(f"{domain} is a node; the domU comes first", instead=right)
        (guest,) = pipeline.named_domains(cluster, [domain])
        if not is_managed(guest):
            for warning in admit(BY_HAND["migrate"], order.words, cluster, order.config, xm=False):
                render.note(warning)
            return PassThrough()
        return placement.migrate(cluster, guest, find_node(cluster, node), keep=keep)

    return pipeline.carry_out(order, decide)
