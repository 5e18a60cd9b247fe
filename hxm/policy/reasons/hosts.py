"""What keeps domUs off a host, and on it."""

from __future__ import annotations

from hxm.model import Node
from hxm.policy.reasons.facts import Facts, Reason, subject_in
from hxm.policy.reasons.obstacles import on_node
from hxm.policy.reasons.question import hard_ones


def barring(facts: Facts, node: Node) -> Reason | None:
    """What keeps every domU off a host, but for what it needs; None: one runs there, or may."""
    cluster, reason = facts.cluster, None
    for domain in cluster.managed_domains:
        if node.name in domain.nodes:
            return None
        hard = hard_ones(on_node(facts, subject_in(cluster, domain), node))
        if not hard:
            return None
        reason = reason or hard[0]
    return reason
