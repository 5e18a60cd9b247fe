"""hxm active: let a node take resources again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hxm.model import Cluster
from hxm.orders import pipeline
from hxm.plan import AlreadyDone, Decision, Plan
from hxm.policy import called
from hxm.policy.names import find_node
from hxm.policy.orders import placement, several_moves
from hxm.records.drained import moved_away

if TYPE_CHECKING:
    from hxm.arguments.options import Home, OneNode, Order


def run(order: Order, node: OneNode, home: Home = False) -> int:
    """Take a node out of standby, so that it may run domUs again.

    Resources move back only where stickiness permits; --dry-run shows what would move. hxm names
    the domUs that were at home there until `hxm standby` or `hxm update` moved them away, as the
    journal of this host has them; `--home` moves them back, live, in the same order.

    Example: `hxm active host1`, or `hxm active host1 --home`.
    """

    def decide(cluster: Cluster) -> Decision:
        back = find_node(cluster, node)
        away = moved_away(cluster, back.name, order.config)
        if home:
            return several_moves.home(cluster, back, away)
        decision = placement.active(cluster, back)
        if not away:
            return decision
        hint = f"{called(away)} ran here before the drain: hxm active {back.name} --home"
        if isinstance(decision, AlreadyDone):
            return AlreadyDone(f"{decision.message}; {hint}")
        return decision._replace(notes=(hint,)) if isinstance(decision, Plan) else decision

    return pipeline.carry_out(order, decide)
