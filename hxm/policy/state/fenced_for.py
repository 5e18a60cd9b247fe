"""What has a node fenced that still answers, and what that costs."""

from __future__ import annotations

from hxm.model import Cluster, Failure, Node
from hxm.policy import listed
from hxm.policy.state.fencing import terminating
from hxm.policy.state.on_fail import on_fail


def fenced_for(cluster: Cluster, node: Node) -> str:
    """Why the node is to be fenced, for the end of a sentence; empty: it is lost, or not known."""
    if terminating(cluster, node):
        return " (its attribute terminate says so)"
    causes = {
        f"the {failure.operation} of {failure.resource} failed there{whose}": None
        for failure, whose in _causes(cluster, node)
    }
    return f" because {listed([*causes], 2)}" if causes else ""


def killed(cluster: Cluster, node: Node) -> list[str]:
    """The domUs that the fencing of a node kills which still answers."""
    domains = cluster.managed_domains if node.unclean and node.online else ()
    return [domain.name for domain in domains if node.name in domain.nodes]


def _causes(cluster: Cluster, node: Node) -> list[tuple[Failure, str]]:
    """The failures after which a node that answers is fenced, each with what says so.

    A failed stop is enough by itself, unless its operation says otherwise, or op_defaults do.
    """
    if not node.unclean or not node.online:
        return []
    by_default, named = [], []
    for failure in cluster.failures:
        if failure.node != node.name:
            continue
        effect = on_fail(cluster, failure)
        if effect == "fence":
            named.append((failure, " (on-fail=fence)"))
        elif not effect and failure.operation == "stop":
            by_default.append((failure, ""))
    return named + by_default
