"""Compares the cluster before and after an order: what changed, and how the order ended."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Literal, NamedTuple

from hxm.model import IN_FLIGHT, Cluster, ManagedDomain, Operation, where
from hxm.orders.downtime import Downtime
from hxm.pacemaker.dialect import Argv
from hxm.plan import Forecast, Plan
from hxm.policy import forgotten, guards
from hxm.policy.forecast import came_live, ends_a_migration
from hxm.policy.forecast.goal_kinds import started_since
from hxm.policy.state.running_twice import on_two_nodes
from hxm.policy.state.summary import same_place

How = Literal[
    "live", "restarted", "moved", "started", "stopped", "gone", "unchanged", "found", "unknown"
]
"""What became of a domU; `gone` was stopped, and is no resource any more.

`found` was supposed on several nodes, and is known to be on one of them."""


class Change(NamedTuple):
    """The change of one domU."""

    name: str
    resource: str
    before: tuple[str, ...]
    after: tuple[str, ...]
    how: How
    seconds: float = 0.0
    """From the beginning of the order until it was seen to be so."""


class Outcome(NamedTuple):
    """How an order ended; `status` is the exit status."""

    status: int
    message: str
    hint: str = ""
    changes: tuple[Change, ...] = ()
    commands: tuple[Argv, ...] = ()
    seconds: float = 0.0
    seen: Cluster | None = None
    """The last snapshot of the cluster."""
    warnings: tuple[str, ...] = ()
    written: bytes = b""
    """The configuration that the order left; empty if somebody else changed it too."""
    away: tuple[Downtime, ...] = ()
    """The downtime of each domU, if it was measured."""


_FORESEEN_FROM = (
    *("nodes", "resources", "primitives", "constraints", "node_attributes", "dc", "quorum"),
    *("maintenance", "fencing", "failures", "pending_fencing", "idle", "written"),
)


def changed(before: Cluster, now: Cluster) -> bool:
    """Whether a forecast for one snapshot may be wrong for the other."""
    return (
        any(getattr(before, name) != getattr(now, name) for name in _FORESEEN_FROM)
        or _properties(before) != _properties(now)
        or _pending(before) != _pending(now)
    )


def _properties(cluster: Cluster) -> dict[str, str]:
    """All but the lock, which is renewed while an order runs."""
    return {k: v for k, v in cluster.properties.items() if not k.startswith("hxm-lock")}


def _pending(cluster: Cluster) -> set[Operation]:
    return {operation for operation in cluster.history if operation.pending}


def changes(before: Cluster, after: Cluster, plan: Plan) -> Iterator[Change]:
    """The changes of the domUs that are subjects of the order or moved meanwhile."""
    for was in before.managed_domains:
        now = after.domain_of(was.resource)
        if now is None:
            if was.nodes and all(phase.leaves != was.resource for phase in plan.phases):
                yield _gone(was, after)
            continue
        how = _how(was, now, before, after)
        named = was.resource in (*plan.subjects, *plan.unchanged)
        if how not in ("unchanged", "unknown") or named:
            yield Change(was.name, was.resource, was.nodes, now.nodes, how)
    for now in after.managed_domains:
        resource = now.resource
        if before.domain_of(resource) is None:
            if any(started_since(before, after, resource, node) for node in now.nodes):
                yield Change(now.name, resource, (), now.nodes, "started")
            elif resource in plan.subjects:
                yield Change(now.name, resource, now.nodes, now.nodes, "unchanged")


def news(before: Cluster, after: Cluster) -> Iterator[tuple[str, str]]:
    """The resource of each domU that does something else than before, and what it does."""
    for now in after.managed_domains:
        was = before.domain_of(now.resource)
        if not was or same_place(was, now):
            continue
        role = "migrating" if guards.migrating(after, now) else now.role
        gone = forgotten(after, now)
        does = "no longer known to the cluster, still runs" if gone else f"{role} {now.where}"
        yield now.resource, f"{now.name}: {does}"


def unchanged(domain: ManagedDomain) -> Change:
    """That nothing becomes of a domU."""
    return Change(domain.name, domain.resource, domain.nodes, domain.nodes, "unchanged")


_FORESEEN: Mapping[str, How] = {
    "live": "live",
    "move": "moved",
    "start": "started",
    "stop": "stopped",
    "restart": "restarted",
}
"""What becomes of a domU by each kind of movement."""


def planned(before: Cluster, plan: Plan, predicted: Forecast) -> Iterator[Change]:
    """What would become of each domU that was named or would move; only if that was computed."""
    kinds = {
        movement.resource: movement.kind
        for movement in predicted.movements
        if not ends_a_migration(before, movement, predicted.after)
    }
    for domain in before.managed_domains if predicted.simulated else ():
        resource = domain.resource
        if how := _FORESEEN.get(kinds.get(resource, "")):
            then = predicted.after.domain_of(resource)
            yield Change(domain.name, resource, domain.nodes, then.nodes if then else (), how)
        elif resource in (*plan.subjects, *plan.unchanged):
            yield unchanged(domain)


def cold_moves(
    made: Iterable[Change], before: Cluster, after: Cluster, plan: Plan, predicted: Forecast
) -> list[Change]:
    """The moves that should have been live, and stopped and started the domU instead.

    A domU that the order is not about counts only if its migration failed: it may have moved
    because its node was lost. A restart that was foreseen is none of them.
    """
    live = {movement.resource for movement in predicted.movements if movement.kind == "live"}
    restarts = {movement.resource for movement in predicted.movements if movement.kind == "move"}
    failed = {
        failure.resource
        for failure in after.failures
        if failure not in before.failures and failure.operation.startswith("migrate_")
    }

    def should_be_live(resource: str) -> bool:
        domain = before.domain_of(resource)
        foreseen = not predicted.simulated or resource in live
        ordered = foreseen and resource in plan.subjects
        unforeseen = resource in failed and resource not in restarts
        return bool(domain and domain.live and (ordered or unforeseen))

    return [change for change in made if change.how == "moved" and should_be_live(change.resource)]


def new_failure(before: Cluster, after: Cluster, plan: Plan) -> str:
    """The newest failure of a subject since the order began, as an addition to a message."""
    for failure in after.failures:
        if failure.resource in plan.subjects and failure not in before.failures:
            return f" ({failure.operation} failed on {failure.node}: {failure.reason})"
    return ""


def under_way(cluster: Cluster, plan: Plan) -> str:
    """What the cluster is doing, or the order."""
    busy = [
        f"{resource.id} is {resource.role}, {where(resource.role, resource.nodes)}"
        for resource in cluster.resources
        if resource.role in IN_FLIGHT
    ]
    return ", ".join(busy) or plan.about


def _gone(was: ManagedDomain, after: Cluster) -> Change:
    """The change of a domU that left the configuration; as an orphan it may still run."""
    there = tuple(
        node
        for resource in after.resources
        if resource.id == was.resource
        for node in resource.nodes
    )
    return Change(was.name, was.resource, was.nodes, there, "unknown" if there else "gone")


def _how(was: ManagedDomain, now: ManagedDomain, before: Cluster, after: Cluster) -> How:
    resource = was.resource
    if now.in_flight or len(now.nodes) > 1:
        return "unknown"
    if forgotten(after, now):
        return "unchanged"
    if not now.nodes:
        return "stopped" if was.nodes else "unchanged"
    (node,) = now.nodes
    if was.nodes == now.nodes:
        return "restarted" if started_since(before, after, resource, node) else "unchanged"
    if any(on_two_nodes(before, [was])) and node in was.nodes:
        return "restarted" if started_since(before, after, resource, node) else "found"
    if not was.nodes:
        return "started"
    return "live" if came_live(after, resource, node) else "moved"


def is_lost(cluster: Cluster, name: str) -> bool:
    """Whether the node is gone, or cannot be reached."""
    node = cluster.node(name)
    return not node or not node.reachable
