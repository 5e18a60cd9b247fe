"""hxm balance: spread the domUs over the nodes again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hxm.cluster import capacity
from hxm.model import Cluster
from hxm.orders import choose_nodes, pipeline
from hxm.plan import Decision
from hxm.policy.memory import shifts
from hxm.policy.orders import several_moves

if TYPE_CHECKING:
    from hxm.arguments.options import Order


def run(order: Order) -> int:
    """Spread the running domUs over the usable nodes by their memory, one move after the other.

    hxm proposes moves only, and only those that the scheduler would make live and alone: it shows
    them, with each host's memory before and after, and asks. A domU with an interim constraint, or
    that may not move live, stays. The first move that fails ends the order; those that were made
    stay.

    Example: `hxm balance --dry-run`.
    """

    def decide(cluster: Cluster) -> Decision:
        memory = {domain.resource: domain.memory for domain in cluster.managed_domains}
        hosts = [node.name for node in cluster.hosts]
        wanted = list(several_moves.spread(cluster, memory, hosts))
        moves = choose_nodes.possible(cluster, wanted, order.config)
        needs = capacity.read_needs(cluster)
        targets = {move.domain.resource: (move.node.name,) for move in moves}
        known = capacity.known_hosts(cluster, order.config, needs)
        return several_moves.balance(cluster, moves, list(shifts(known, needs, targets)))

    return pipeline.carry_out(order, decide)
