"""What an operation's on-fail makes of its failure, and what that hides."""

from __future__ import annotations

from hxm.model import Cluster, Domain, Failure
from hxm.plan import Objection
from hxm.policy import typed

IGNORED = "the cluster ignores that (on-fail=ignore)"


def on_fail(cluster: Cluster, failure: Failure) -> str:
    """What the failed operation itself says; empty: nothing, the defaults are not read."""
    primitive = cluster.primitives.get(failure.resource.partition(":")[0])
    for operation in primitive.operations if primitive else ():
        if operation.get("name") == failure.operation:
            return operation.get("on-fail", operation.get("on_fail", "")).lower()
    return ""


def ignored(cluster: Cluster, domain: Domain, failure: Failure) -> Objection | None:
    """What is hidden by a failure of a domU that counts as none: whether it runs, or where.

    Told is what to do before the cluster is made to forget it, and looks again.
    """
    if failure.resource != domain.resource or on_fail(cluster, failure) != "ignore":
        return None
    look = f"hxm list {typed(domain)} --everywhere"
    if failure.operation == "monitor" and failure.node in domain.nodes:
        what = f"{IGNORED}: whether {domain.name} runs on {failure.node} is not known"
        return Objection(what, f"look first: {look}")
    if failure.operation == "stop" and failure.node not in domain.nodes:
        what = f"{IGNORED}: {domain.name} may still run on {failure.node}, and be started twice"
        return Objection(what, f"hxm maintenance on {typed(domain)}; then look: {look}")
    return None


def unwatched(cluster: Cluster, domain: Domain) -> bool:
    """Whether its monitor fails, and nobody acts on that."""
    monitors = (failure for failure in cluster.failures if failure.operation == "monitor")
    return bool(domain.nodes) and any(ignored(cluster, domain, failure) for failure in monitors)
