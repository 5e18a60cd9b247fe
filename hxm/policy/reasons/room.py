"""Whether a node has what a resource needs: what the scheduler counts, and memory."""

from __future__ import annotations

from collections.abc import Iterator

from hxm.model import Node
from hxm.policy.reasons.facts import Change, Facts, Reason, Subject
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
    for key, amount in used.asked(together).items():
        left = used.left(node.name, key, active_on(facts.cluster, node.name) - together)
        if amount > left:
            what = f"the node has too little {key}: {amount} wanted, {left} left"
            largest = used.largest(key, (host.name for host in facts.cluster.hosts))
            if 0 < largest < amount:
                what = f"no host is that large: {amount} {key} wanted, {largest} at most"
            evidence = f"utilization, placement-strategy={used.strategy}"
            yield Reason(what, evidence, "hxm capacity", True, UNCOUNTED)
