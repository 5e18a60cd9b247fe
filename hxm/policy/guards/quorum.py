"""Whether the others keep the quorum when a node is off."""

from __future__ import annotations

from collections.abc import Iterator

from hxm.model import Cluster, Node
from hxm.plan import Objection
from hxm.policy.guards import YES
from hxm.policy.state.quorum import acts_without_quorum


def quorum_without(cluster: Cluster, leaving: str) -> bool:
    """Whether the others have a quorum when the node is off (of two nodes one is enough)."""
    total = len(cluster.voters)
    return total <= 2 or len(_remaining(cluster, leaving)) * 2 > total


def _remaining(cluster: Cluster, leaving: str) -> list[Node]:
    return [node for node in cluster.voters if node.member and node.name != leaving]


def quorum_after(cluster: Cluster, leaving: Node) -> Iterator[Objection]:
    """Powering the node off must not cost the others the quorum."""
    votes = leaving.kind == "member"
    if votes and not quorum_without(cluster, leaving.name) and not acts_without_quorum(cluster):
        left, total = len(_remaining(cluster, leaving.name)), len(cluster.voters)
        yield Objection(
            f"with {leaving.name} off, {left} of {total} nodes would have no quorum",
            "--yes drains it anyway",
            lifted_by=YES,
        )
