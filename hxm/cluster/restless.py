"""Whether there may be anything to explain, before the constraints are read and anybody asked."""

from __future__ import annotations

from hxm.model import Cluster
from hxm.pacemaker.sandbox_past import is_settled
from hxm.policy.forecast import settled
from hxm.policy.guards.location import may_be_taken_along
from hxm.policy.guards.unsupported import may_run_without
from hxm.policy.state.cluster_wide import inherited
from hxm.policy.state.lock import is_at_work


def out_of_hand(cluster: Cluster) -> bool:
    """Whether anything is blocked, a node in doubt, or a domU left alone that might stop then."""
    unsure = any(entry.task[:7] == "migrate" and entry.rc for entry in cluster.history)
    adrift = any(node.unclean or (unsure and node.away) for node in cluster.nodes)
    blocked = any(resource.blocked for resource in cluster.resources)
    return adrift or blocked or may_be_taken_along(cluster)


def to_ask(cluster: Cluster) -> bool:
    """Whether the scheduler has to be asked of domUs that run, where none is down."""
    return threatened(cluster) or any(inherited(cluster))


def threatened(cluster: Cluster) -> bool:
    """Whether anything may threaten a domU that runs."""
    runs = any(domain.running for domain in cluster.managed_domains)
    return runs and (cluster.maintenance or restless(cluster) or may_run_without(cluster))


def restless(cluster: Cluster) -> bool:
    """Whether the cluster may be about to act, and not because of an order, which tells it itself.

    A cluster that lives acts at once: only while something is under way there may be more to come.
    A file waits for ever: it may be about to act until hxm has let it act to the end.
    """
    if cluster.sandbox:
        return not is_settled(cluster.sandbox, unknown=False)
    ordered = cluster.lock is not None and is_at_work(cluster, cluster.lock)
    return not ordered and not settled(cluster)
