"""What shutdown-lock keeps for a node that was shut down cleanly."""

from __future__ import annotations

from collections.abc import Iterator

from hxm.policy import is_true, lasts
from hxm.policy.reasons.facts import Change, Facts, Reason, Subject
from hxm.policy.state.node_remedy import node_remedy


def locked(facts: Facts, subject: Subject) -> Iterator[Reason]:
    """That a resource waits for the node where it was stopped, or will, and what ends that.

    Also where crm_resource refreshes it there. The end of shutdown-lock-limit is the scheduler's.
    """
    cluster = facts.cluster
    if not is_true(cluster.properties.get("shutdown-lock", "")):
        return
    limit = cluster.properties.get("shutdown-lock-limit", "")
    evidence = "shutdown-lock=true"
    evidence += f", for {limit} at most (shutdown-lock-limit)" if lasts(limit) else ""
    for primitive in subject.inside:
        node = cluster.node(facts.relations.locks.get(primitive.id, ""))
        if node and not node.online:
            it = subject.it if len(subject.inside) == 1 else primitive.id
            what = f"{it} is locked to {node.name}, which was shut down cleanly"
            do = node_remedy(cluster, node)
            unlock = cluster.advice("look-on", resource=primitive.id, node=node.name)
            do += "" if cluster.sandbox else f"; or, to start it elsewhere: {unlock}"
            yield Reason(what, evidence, do, True, Change("unlock", primitive.id))
            return
    yield from _leaving(facts, subject, evidence)


def _leaving(facts: Facts, subject: Subject, evidence: str) -> Iterator[Reason]:
    """That it will stop and wait, because its node is shutting down."""
    nodes = {
        name
        for state in facts.cluster.resources
        if state.id in subject.parts and not state.clone
        for name in state.nodes
    }
    for name in sorted(nodes):
        node = facts.cluster.node(name)
        if node and node.leaving:
            what = f"{name} is shutting down, and {subject.it} waits until it is back"
            do = node_remedy(facts.cluster, node)
            yield Reason(what, evidence, do, True, Change("property", "shutdown-lock", "false"))
