"""What the cluster leaves alone, and would stop because of what it needs."""

from __future__ import annotations

from collections.abc import Iterator

from hxm.policy.guards.location import left_alone, may_be_taken_along
from hxm.policy.reasons.dependencies import against
from hxm.policy.reasons.facts import Facts, subject_in


def taken_along(facts: Facts) -> Iterator[str]:
    """The resources of domUs that run, are left alone, and need what is told to stop."""
    cluster = facts.cluster
    for domain in left_alone(cluster) if may_be_taken_along(cluster) else ():
        subject, node = subject_in(cluster, domain), cluster.node(domain.nodes[0])
        reasons = against(facts, subject, node) if node else ()
        if any(reason.absolute and reason.stops for reason in reasons):
            yield domain.resource
