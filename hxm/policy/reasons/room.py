"""Whether a node has what a resource needs: what the scheduler counts, and memory."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from hxm.model import Node
from hxm.policy.reasons.facts import Change, Facts, Reason, Subject
from hxm.policy.relations import score_of
from hxm.policy.utilization import active_on

UNCOUNTED = Change("property", "placement-strategy", "default")
"""What utilization forbids shows in no score."""


def room(facts: Facts, subject: Subject, node: Node) -> Iterator[Reason]:
    """What the scheduler counts, and what the host really has."""
    yield from utilization(facts, subject, node)
    need = facts.needs.get(subject.id)
    wanted = need.taken if need else None
    free = next((host.free for host in facts.hosts if host.name == node.name), None)
    if wanted is not None and free is not None and wanted > free:
        what = f"the node has too little memory: {wanted} MiB wanted, {free} free"
        yield Reason(what, do="hxm capacity")


def utilization(facts: Facts, subject: Subject, node: Node) -> Iterator[Reason]:
    """What the scheduler counts, of a group altogether, and the node has too little of."""
    used = facts.utilization
    if not used.heeded:
        return
    groups = {part.parent or "" for part in subject.inside if part.parent != part.clone}
    together = {name for group in groups for name in facts.relations.members.get(group, ())}
    together |= subject.parts
    there = _not_yielding(facts, together, active_on(facts.cluster, node.name))
    for key, amount in used.asked(together).items():
        left = used.left(node.name, key, there)
        if amount > left:
            what = f"the node has too little {key}: {amount} wanted, {left} left"
            largest = used.largest(key, (host.name for host in facts.cluster.hosts))
            if 0 < largest < amount:
                what = f"no host is that large: {amount} {key} wanted, {largest} at most"
            elif not any(key in attributes for attributes in used.nodes.values()):
                what = f"no host offers {key}: {amount} wanted"
            evidence = f"utilization, placement-strategy={used.strategy}"
            yield Reason(what, evidence, "hxm capacity", True, UNCOUNTED)


def _not_yielding(facts: Facts, mine: Collection[str], there: Iterable[str]) -> list[str]:
    """The others to whose priority that of these is no higher: the rest is placed after them."""
    own = max((_priority(facts, name) for name in mine), default=0)
    return [name for name in there if name not in mine and _priority(facts, name) >= own]


def _priority(facts: Facts, name: str) -> int:
    primitive = facts.cluster.primitives.get(name)
    return score_of(primitive.meta.get("priority", "0")) if primitive else 0
