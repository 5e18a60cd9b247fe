"""What the cluster does without a quorum."""

from __future__ import annotations

from hxm.model import Cluster, Node

_WITHOUT_QUORUM = {
    "ignore": "",
    "freeze": "the cluster starts nothing, and stops only what it is told to",
    "stop": "the cluster stops domUs and starts none",
}
"""What no-quorum-policy makes of it; others (demote, suicide, fence) stop domUs as well."""


def without_quorum(cluster: Cluster) -> str:
    """What the cluster does where it has no quorum; empty: nothing else than with one."""
    return _WITHOUT_QUORUM[_quorum_policy(cluster)]


def _quorum_policy(cluster: Cluster) -> str:
    policy = cluster.properties.get("no-quorum-policy", "stop")
    return policy if policy in _WITHOUT_QUORUM else "stop"


def acts_without_quorum(cluster: Cluster) -> bool:
    """Whether a partition without quorum is told to go on (no-quorum-policy=ignore)."""
    return not without_quorum(cluster)


def waits_for_quorum(cluster: Cluster, node: Node) -> bool:
    """Whether a lost node is not fenced before the quorum is back.

    A partition without it fences only members that it hears (pe_can_fence in Pacemaker).
    """
    lost = node.unclean and not node.online
    return lost and not cluster.quorum and not acts_without_quorum(cluster)
