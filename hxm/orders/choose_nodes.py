"""Chooses the nodes of a move for which none was named: where the scheduler would put the domUs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hxm.cluster.unfenced import cluster_copy
from hxm.config import Config
from hxm.errors import Refused
from hxm.model import Cluster, ManagedDomain, Node
from hxm.orders.refusals import with_reason
from hxm.orders.simulate import apply_to_copy, would_move
from hxm.pacemaker.enrolment_xml import banned_step
from hxm.pacemaker.simulate import simulator
from hxm.plan import Phase
from hxm.policy.forecast import movements
from hxm.policy.orders.several_moves import Move
from hxm.policy.steps import move_and_ban_step


def elsewhere(cluster: Cluster, domains: Sequence[ManagedDomain], config: Config) -> list[Move]:
    """The node that the scheduler takes for each, if none may stay where it runs.

    Raises Refused if there is no scheduler, or if it finds no other node for one of them.
    """
    if not simulator():
        raise Refused("no scheduler is here to choose a node", "name the node")
    with cluster_copy(cluster.sandbox, config) as copy:
        if not cluster.sandbox:
            copy.settle()
        apply_to_copy(cluster, (banned_step(domains),), copy)
        targets = {
            movement.resource: movement.target
            for movement in movements(copy.settle(), cluster)
            if movement.target
        }
    return [Move(domain, _target(cluster, domain, targets, config)) for domain in domains]


def _target(
    cluster: Cluster, domain: ManagedDomain, targets: Mapping[str, str], config: Config
) -> Node:
    node = cluster.node(targets.get(domain.resource, ""))
    if not node:
        what = f"the scheduler finds no other node for {domain.name}"
        raise Refused(*with_reason(cluster, what, domain.resource, None, config))
    return node


def possible(cluster: Cluster, moves: Sequence[Move], config: Config) -> list[Move]:
    """Those of the moves that the scheduler would make live, and with nothing else."""
    if not simulator():
        return list(moves)
    alone = []
    for move in moves:
        step = move_and_ban_step(move.domain, move.node.name)
        foreseen = would_move(cluster, Phase((step,)), config)
        if [(other.kind, other.resource, other.target) for other in foreseen] == [
            ("live", move.domain.resource, move.node.name)
        ]:
            alone.append(move)
    return alone
