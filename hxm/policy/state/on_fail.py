"""What an operation's on-fail makes of its failure, and what that hides."""

from __future__ import annotations

from hxm.model import Cluster, Domain, Failure
from hxm.plan import Objection
from hxm.policy import resource_name, typed

IGNORED = "the cluster ignores that (on-fail=ignore)"


def on_fail(cluster: Cluster, failure: Failure) -> str:
    """What the failed operation says, or op_defaults; empty: nothing."""
    primitive = cluster.primitives.get(failure.resource.partition(":")[0])
    return primitive.on_fail.get(failure.operation, "") if primitive else ""


def ignored(cluster: Cluster, failure: Failure) -> Objection | None:
    """What is hidden by a failure that counts as none: whether the resource runs, or where.

    Told is what to do before the cluster is made to forget it, and looks again.
    """
    parts = [r for r in cluster.resources if r.id.partition(":")[0] == failure.resource]
    if not any(part.ignored for part in parts):
        return None
    domain, name = cluster.domain_of(failure.resource), resource_name(cluster, failure.resource)
    look = f"look on {failure.node} first"
    if domain:
        look = f"look first: hxm list {typed(domain)} --everywhere"
    is_there = any(failure.node in part.nodes for part in parts)
    if failure.operation in ("start", "monitor") and is_there:
        return Objection(f"{IGNORED}: whether {name} runs on {failure.node} is not known", look)
    if failure.operation == "stop" and not is_there:
        what = f"{IGNORED}: {name} may still run on {failure.node}, and be started twice"
        hold = f"hxm maintenance on {typed(domain)}; then " if domain else ""
        return Objection(what, f"{hold}{look}")
    return None


def unwatched(cluster: Cluster, domain: Domain) -> bool:
    """Whether it has failed where it is taken to run, and nobody acts on that."""
    own = (failure for failure in cluster.failures if failure.resource == domain.resource)
    return bool(domain.nodes) and any(ignored(cluster, failure) for failure in own)
