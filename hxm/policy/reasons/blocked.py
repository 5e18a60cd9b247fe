"""What is active, and lets nothing start after it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from hxm.model import Resource
from hxm.policy.indexed import states
from hxm.policy.reasons.everywhere import left_alone
from hxm.policy.reasons.facts import Change, Facts, Reason, subject_of
from hxm.policy.state.node_remedy import end_of_maintenance


def blocked(facts: Facts, other: str) -> Iterator[Reason]:
    """What blocks a resource that is active: the scheduler starts nothing after it.

    So does what has failed and is left alone: it would have to start anew before.
    """
    needed = subject_of(facts.cluster, other, called=True)
    for part in needed.parts:
        mine = states(facts.cluster).of(part)
        failed = [state for state in mine if state.failed and state.nodes and not state.managed]
        if mine and all(state.blocked for state in mine if state.nodes):
            yield from left_alone(facts, needed)
            return
        if failed:
            it = "" if part == other else f"{part} "
            alone = (*left_alone(facts, needed), *_resting(facts, failed))
            yield from (r._replace(what=f"{r.what}, and {it}has failed") for r in alone)
            return


def _resting(facts: Facts, states: Sequence[Resource]) -> Iterator[Reason]:
    """The maintenance of the nodes where these are."""
    for name in dict.fromkeys(name for state in states for name in state.nodes):
        node = facts.cluster.node(name)
        if node and node.maintenance:
            do, change = end_of_maintenance(facts.cluster, node), Change("wake", name, "node")
            what = f"{states[0].id} is on {name}, which is in maintenance"
            yield Reason(what, "", do, True, change)
