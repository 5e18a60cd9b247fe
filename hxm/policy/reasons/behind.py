"""What a start that the cluster is about to try has behind it."""

from __future__ import annotations

from hxm.policy import counted
from hxm.policy.reasons.facts import Facts
from hxm.policy.relations import INFINITY, fail_count, score_of


def failures_behind(facts: Facts, resource: str, node: str) -> str:
    """How often it has failed on the node, and how often is too often, for the end of a sentence.

    Empty: never, or so often that it is not tried again.
    """
    count = fail_count(facts.relations, resource, node)
    primitive = facts.cluster.primitives.get(resource)
    limit = score_of((primitive.meta if primitive else {}).get("migration-threshold", "INFINITY"))
    if not 0 < count < INFINITY:
        return ""
    behind = f", where it has failed {counted(count, 'time')}"
    if 0 < limit < INFINITY:
        behind += f" and is given up after {limit} (migration-threshold)"
    return behind
